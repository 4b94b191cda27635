//! The laws of the zone document as checks that stop where one is broken. The
//! property tests and the fuzz targets bring the zones; what an edit means is
//! judged by a second reader over the whole zone, not by the library's proof.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use danewright::name::Name;
use danewright::serial::follows;
use danewright::text::source::{Texts, read_span};
use danewright::text::splice::{Edited, Piece, pieces};
use danewright::tlsa::{Target, Tlsa};
use danewright::zone::edit::error::PlanError;
use danewright::zone::edit::index::ObstacleKind;
use danewright::zone::edit::patch::{Edit, Patch};
use danewright::zone::edit::plan::{Change, Request, Zone};
use danewright::zone::edit::serial::Policy;

use super::invent::Files;
use super::plain::{self, Record};

/// An edit to try.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Where.
    pub(crate) targets: Vec<Target>,
    /// Which records shall be there, at each of the targets.
    pub(crate) wanted: Vec<Tlsa>,
    /// The TTL of a new RRset.
    pub(crate) ttl: Option<u32>,
    /// How the serial moves.
    pub(crate) serial: Policy,
}

/// How far an edit came, with the library's reason where it refused.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The zone could not be read, or the targets do not lie in it.
    Unread(PlanError),
    /// The records could not be added.
    Refused(PlanError),
    /// The laws hold.
    Held {
        /// How many records were added.
        added: usize,
        /// How many removals of published records were planned, and how many refused.
        removed: usize,
        /// Why removals were refused.
        kept: Vec<PlanError>,
    },
}

/// The moment of every edit.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_176_000, 0).expect("a moment in 2026")
}

/// The zone's name, when the zone can be read.
pub(crate) fn apex(files: &Files, origin: &Name) -> Option<Name> {
    let library = Texts::of(files.clone());
    Zone::read(&library, Some(origin.clone()), &[])
        .ok()
        .map(|zone| zone.apex().clone())
}

/// All six laws for one edit and its reverse, and for the removal of what is
/// published.
pub(crate) fn edits(files: &Files, origin: &Name, asked: &Asked) -> Outcome {
    let library = Texts::of(files.clone());
    let zone = match Zone::read(&library, Some(origin.clone()), &asked.targets) {
        Ok(zone) => zone,
        Err(error) => return Outcome::Unread(error),
    };
    let then = plain::records(files, origin.wire());
    assert_eq!(
        zone.records(),
        then.iter().filter(|record| record.code != 0).count() as u64,
        "the zone's records"
    );
    for (at, target) in asked.targets.iter().enumerate() {
        let owner = target.owner().unwrap_or_else(|error| panic!("{error:?}"));
        let there = then
            .iter()
            .filter(|record| record.code == 52 && record.owner == owner.wire());
        let there: Vec<_> = there
            .map(|record| (record.data.clone(), record.ttl))
            .collect();
        let published: Vec<_> = zone
            .published(at)
            .map(|(tlsa, ttl, _)| (tlsa.rdata(), ttl))
            .collect();
        assert_eq!(published, there, "the records at {owner}");
    }
    let (removed, kept) = removals(&zone, &library, files, origin, asked);
    let patch = match zone.plan(&add(asked, asked.serial), now()) {
        Ok(patch) => patch,
        Err(error) => return Outcome::Refused(error),
    };
    let with = applied(&library, files, &patch);
    meaning(files, &with, origin, &patch, asked.serial);
    let now = plain::records(&with, origin.wire());
    for (owner, tlsa) in pairs(asked) {
        let [before, found] = [&then, &now].map(|records| {
            records
                .iter()
                .filter(|record| is_tlsa(record, &owner, &tlsa))
                .count()
        });
        assert_eq!(
            found,
            before.max(1),
            "{owner} {tlsa} stands there so many times"
        );
    }
    nothing_left_to_add(&with, origin, asked);
    let added = patch.added.len();
    if added > 0 {
        restored(&zone, &library, files, origin, asked);
    }
    Outcome::Held {
        added,
        removed,
        kept,
    }
}

/// Whether the library may decline an invented zone for this reason.
pub(crate) fn may_decline(why: &PlanError) -> bool {
    match why {
        // An invented `$GENERATE` may make records at `_25._tcp.mail`.
        PlanError::Blocked(obstacle) => obstacle.what == ObstacleKind::Generate,
        // A file is included under two origins now and then, a set has two TTLs, without
        // $TTL a TTL that is stated would spread, and a style that is asked for may go back.
        PlanError::SharedFile(_)
        | PlanError::UnequalTtls(_)
        | PlanError::DoubtfulTtl(_)
        | PlanError::SpreadingTtl(_)
        | PlanError::Serial(_) => true,
        _ => false,
    }
}

fn add(asked: &Asked, serial: Policy) -> Request {
    let change = Change::Add(vec![asked.wanted.clone(); asked.targets.len()]);
    Request {
        change,
        ttl: asked.ttl,
        serial,
        serial_above: None,
    }
}

fn remove(asked: &Asked, records: &[Tlsa], serial: Policy) -> Request {
    let change = Change::Remove(vec![records.to_vec(); asked.targets.len()]);
    Request {
        change,
        ttl: None,
        serial,
        serial_above: None,
    }
}

fn pairs(asked: &Asked) -> Vec<(Name, Tlsa)> {
    let owners = asked
        .targets
        .iter()
        .filter_map(|target| target.owner().ok());
    owners
        .flat_map(|owner| {
            asked
                .wanted
                .iter()
                .map(move |tlsa| (owner.clone(), tlsa.clone()))
        })
        .collect()
}

fn is_tlsa(record: &Record, owner: &Name, tlsa: &Tlsa) -> bool {
    record.code == 52 && record.owner == owner.wire() && record.data == tlsa.rdata()
}

/// Law 6: what is already so yields an empty patch, and an empty patch no new serial.
fn nothing_left_to_add(with: &Files, origin: &Name, asked: &Asked) {
    let library = Texts::of(with.clone());
    let zone = Zone::read(&library, Some(origin.clone()), &asked.targets);
    let zone = zone.unwrap_or_else(|error| panic!("the edited zone cannot be read: {error:?}"));
    let patch = zone.plan(&add(asked, asked.serial), now());
    let patch = patch.unwrap_or_else(|error| panic!("the second time it is refused: {error:?}"));
    assert!(
        patch.is_empty() && patch.serial.is_none() && patch.added.is_empty(),
        "the second time there is more to do"
    );
}

/// Law 5: adding and then removing restores the bytes.
fn restored(zone: &Zone<'_>, library: &Texts, files: &Files, origin: &Name, asked: &Asked) {
    let patch = zone.plan(&add(asked, Policy::Keep), now());
    let patch =
        patch.unwrap_or_else(|error| panic!("with the serial kept it is refused: {error:?}"));
    let with = applied(library, files, &patch);
    let library = Texts::of(with.clone());
    let zone = Zone::read(&library, Some(origin.clone()), &asked.targets);
    let zone = zone.unwrap_or_else(|error| panic!("the edited zone cannot be read: {error:?}"));
    let mut change = vec![Vec::new(); asked.targets.len()];
    for (at, target) in asked.targets.iter().enumerate() {
        let owner = target.owner().unwrap_or_else(|error| panic!("{error:?}"));
        change[at].extend(
            patch
                .added
                .iter()
                .filter(|edit| edit.owner == owner)
                .map(|edit| edit.tlsa.clone()),
        );
    }
    let request = Request {
        change: Change::Remove(change),
        ..remove(asked, &[], Policy::Keep)
    };
    let back = match zone.plan(&request, now()) {
        Ok(patch) => patch,
        // The set had different TTLs before; what is refused is told.
        Err(PlanError::UnequalTtls(_) | PlanError::DoubtfulTtl(_)) => return,
        Err(error) => panic!("what was added cannot be removed: {error:?}"),
    };
    let without = applied(&library, &with, &back);
    for ((label, before), (_, after)) in files.iter().zip(&without) {
        assert_eq!(
            lossy(after),
            lossy(before),
            "{label} after adding and removing"
        );
        assert_eq!(after, before, "{label} after adding and removing");
    }
}

/// Each published record removed alone, then all of them.
fn removals(
    zone: &Zone<'_>,
    library: &Texts,
    files: &Files,
    origin: &Name,
    asked: &Asked,
) -> (usize, Vec<PlanError>) {
    let mut published: Vec<Tlsa> = Vec::new();
    for at in 0..asked.targets.len() {
        published.extend(zone.published(at).map(|(tlsa, ..)| tlsa.clone()));
    }
    published.sort();
    published.dedup();
    let mut rounds: Vec<Vec<Tlsa>> = published
        .iter()
        .take(3)
        .map(|tlsa| vec![tlsa.clone()])
        .collect();
    if published.len() > 1 {
        rounds.push(published[1..].to_vec());
        rounds.push(published.clone());
    }
    let mut removed = 0;
    let mut kept = Vec::new();
    for gone in rounds {
        let patch = match zone.plan(&remove(asked, &gone, asked.serial), now()) {
            Ok(patch) => patch,
            Err(error) => {
                kept.push(error);
                continue;
            }
        };
        let after = applied(library, files, &patch);
        meaning(files, &after, origin, &patch, asked.serial);
        let left = plain::records(&after, origin.wire());
        for owner in asked
            .targets
            .iter()
            .filter_map(|target| target.owner().ok())
        {
            let found = left
                .iter()
                .any(|record| gone.iter().any(|tlsa| is_tlsa(record, &owner, tlsa)));
            assert!(!found, "a removed record still stands at {owner}");
        }
        removed += 1;
    }
    (removed, kept)
}

/// The edited files, spliced here and compared with what the library writes.
/// Law 2: an empty patch changes nothing. Law 3: octets outside the splices
/// stay as they are, in order.
fn applied(library: &Texts, files: &Files, patch: &Patch) -> Files {
    assert_eq!(
        patch.is_empty(),
        patch.added.is_empty() && patch.removed.is_empty(),
        "a patch without records"
    );
    let mut edited = files.clone();
    for (number, splices) in patch.splices() {
        let old = &files[*number].1;
        let (mut new, mut at) = (Vec::new(), 0);
        for splice in splices {
            let (start, end) = (splice.start as usize, splice.end as usize);
            assert!(
                at <= start && start <= end && end <= old.len(),
                "splices overlap or are out of order"
            );
            assert!(
                start < end || !splice.text.is_empty(),
                "a splice that does nothing"
            );
            new.extend_from_slice(&old[at..start]);
            new.extend_from_slice(&splice.text);
            at = end;
        }
        new.extend_from_slice(&old[at..]);
        let mut written = Vec::new();
        for piece in pieces(splices, old.len() as u64) {
            match piece {
                Piece::Kept(start, end) => {
                    written.extend_from_slice(&old[start as usize..end as usize])
                }
                Piece::New(text) => written.extend_from_slice(text),
            }
        }
        assert_eq!(written, new, "the pieces are the spliced text");
        let view = Edited::new(library, patch.splices());
        let shown = read_span(&view, *number, 0, new.len() as u64);
        assert_eq!(
            shown.ok().as_ref(),
            Some(&new),
            "the edited view is what is written"
        );
        edited[*number].1 = new;
    }
    edited
}

/// Law 4: read again, the edited text holds the old records, less the removed,
/// plus the added, TTLs included; and the serial moved once, forward.
fn meaning(before: &Files, after: &Files, origin: &Name, patch: &Patch, serial: Policy) {
    let mut count: HashMap<Record, i64> = HashMap::new();
    let mut serials: BTreeMap<bool, Vec<u32>> = BTreeMap::new();
    for (files, by) in [(before, -1), (after, 1)] {
        for mut record in plain::records(files, origin.wire()) {
            serials
                .entry(by > 0)
                .or_default()
                .extend(record.serial.take());
            *count.entry(record).or_insert(0) += by;
        }
    }
    for (edits, by) in [(&patch.added, -1), (&patch.removed, 1)] {
        for Edit { owner, ttl, tlsa } in edits {
            let owner = owner.wire().to_vec();
            *count
                .entry(Record {
                    owner,
                    ttl: *ttl,
                    code: 52,
                    data: tlsa.rdata(),
                    serial: None,
                })
                .or_insert(0) += by;
        }
    }
    count.retain(|_, difference| *difference != 0);
    assert!(
        count.is_empty(),
        "the edit also changed: {count:#?}\n{}",
        lossy(&after[0].1)
    );
    let (old, new) = (
        serials.remove(&false).unwrap_or_default(),
        serials.remove(&true).unwrap_or_default(),
    );
    assert_eq!(old.len(), new.len(), "SOA records came or went");
    for (old, new) in old.iter().zip(&new) {
        if patch.is_empty() || serial == Policy::Keep {
            assert_eq!(old, new, "the serial moved without a reason");
        } else {
            assert!(
                follows(*new, *old) && *new != 0,
                "the serial went from {old} to {new}"
            );
        }
        assert!(
            new_serials_agree(patch, *old, *new),
            "{:?} is not {old} to {new}",
            patch.serial
        );
    }
}

fn new_serials_agree(patch: &Patch, old: u32, new: u32) -> bool {
    patch.serial.map_or(old == new, |said| said == (old, new))
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
