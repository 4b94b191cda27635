//! The laws of the zone document as checks that stop where one is broken. The
//! property tests and the fuzz targets bring the zones; what an edit means is
//! judged by a second reader over the whole zone, not by the library's proof.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use danewright::name::Name;
use danewright::tlsa::{Target, Tlsa};
use danewright::zone::index::ObstacleKind;
use danewright::zone::library::{Library, Texts, read_span};
use danewright::zone::obstruction::PlanError;
use danewright::zone::patch::{Edit, Patch};
use danewright::zone::plan::{Change, Request, Zone};
use danewright::zone::reader::{ReadErrorKind, Reader};
use danewright::zone::scan::{self, Kind};
use danewright::zone::serial::{Policy, follows};
use danewright::zone::splice::{Edited, Piece, pieces};

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

/// Reading is total: entries are never empty, joined they are the text, they
/// do not depend on how the text comes in, and a second reader reads the same.
/// Says whether the zone could be read to its end.
pub(crate) fn reading(files: &Files, origin: &Name, pad: usize, step: usize) -> bool {
    let library = Texts::of(files.clone());
    let whole = walk(&library, origin);
    for (number, (_, text)) in files.iter().enumerate() {
        let spans: Vec<(u64, u64)> =
            whole.entries.iter().filter(|entry| entry.file == number).map(|entry| (entry.start, entry.end)).collect();
        let mut expected = 0;
        for (start, end) in spans {
            // A file may be read several times, each time from its start to its end.
            if start == 0 && expected == text.len() as u64 {
                expected = 0;
            }
            assert_eq!(start, expected, "entries of file {number} leave a gap or overlap");
            assert!(end > start, "an entry of file {number} is empty");
            let lines = text[..start as usize].iter().filter(|octet| **octet == b'\n').count() as u64;
            let entry = whole.entries.iter().find(|entry| entry.file == number && entry.start == start);
            assert_eq!(entry.map(|entry| entry.line), Some(lines + 1), "the line of the entry at {start}");
            expected = end;
        }
        let read = whole.entries.iter().any(|entry| entry.file == number);
        assert!(
            !read || whole.error.is_some() || expected == text.len() as u64,
            "the end of file {number} was not read"
        );
    }
    known_early(files, &whole, step);
    super::stepping::stepping(files, origin);
    let byte_order_mark = files[0].1.first().is_some_and(|octet| *octet >= 0xef);
    for (pad, step) in [(0, step % 61 + 1), (if byte_order_mark { 0 } else { pad }, 100_003)] {
        let trickle = Trickle { texts: Texts::of(files.clone()), pad: padding(pad), step };
        let other = walk(&trickle, origin).without(&trickle.pad);
        assert_eq!(other, whole, "read behind {pad} octets of comment, {step} octets at a time");
    }
    // Stepping quickly over what is far from all targets misses nothing.
    let indexed = Zone::read(&library, Some(origin.clone()), &[]);
    if let Some((file, line, column, what)) = &whole.error {
        match indexed {
            Err(PlanError::Read(error)) if matches!(error.what, ReadErrorKind::Data(_)) => {}
            Err(PlanError::Read(error)) => {
                let place = (&error.place.file, error.place.line, error.place.column);
                assert_eq!((place, &kind(&error.what)), ((file, *line, *column), what));
            }
            other => panic!("{what} at {file}:{line}:{column} was missed: {other:?}"),
        }
        return false;
    }
    let plain = plain::records(files, origin.wire());
    let plain: Vec<_> = plain.iter().filter(|record| record.code != 0).collect();
    let read: Vec<_> = whole.entries.iter().filter_map(|entry| entry.record.as_ref()).collect();
    // Without an SOA in order, what is inherited from its minimum field means nothing.
    let in_order = apex(files, origin).is_some();
    for ((owner, ttl, code), theirs) in read.iter().zip(&plain) {
        assert_eq!((owner.wire(), *code), (theirs.owner.as_slice(), theirs.code), "{theirs:?}");
        assert!(!in_order || *ttl == theirs.ttl, "{theirs:?} is read with the TTL {ttl:?}");
    }
    assert_eq!(read.len(), plain.len(), "the two readers find different numbers of records");
    true
}

/// What is said of an entry from a part of the text is what the whole text says.
fn known_early(files: &Files, whole: &Walk, step: usize) {
    for entry in whole.entries.iter().skip(step % 5).step_by(5).take(8) {
        let text = &files[entry.file].1[entry.start as usize..];
        let Some(known) = scan::entry(text, true) else { panic!("an entry needs more than the whole text") };
        for cut in 0..text.len().min(known.len + 3).min(200) {
            let early = scan::entry(&text[..cut], false);
            assert!(
                early.as_ref().is_none_or(|early| *early == known),
                "{early:?} after {cut} octets, {known:?} at last"
            );
        }
    }
}

/// All that a reader says of a zone.
#[derive(Debug, PartialEq)]
struct Walk {
    entries: Vec<Seen>,
    error: Option<(String, u64, u64, String)>,
}

#[derive(Debug, PartialEq)]
struct Seen {
    file: usize,
    start: u64,
    end: u64,
    line: u64,
    record: Option<(Name, Option<u32>, u16)>,
}

fn walk(library: &dyn Library, origin: &Name) -> Walk {
    let mut reader = Reader::new(library, Some(origin.clone()));
    let mut walk = Walk { entries: Vec::new(), error: None };
    loop {
        match reader.advance() {
            Ok(true) => {}
            Ok(false) => return walk,
            Err(error) => {
                let place = error.place;
                walk.error = Some((place.file, place.line, place.column, kind(&error.what)));
                return walk;
            }
        }
        let Some(entry) = reader.entry() else { panic!("there is an entry after advance() said so") };
        let record = match entry.kind {
            Kind::Record(fields) => match reader.inherited().owner_of(entry.text, fields) {
                Ok(owner) => Some((owner, reader.inherited().ttl_of(entry.text, fields), fields.code)),
                Err(error) => panic!("{error:?} only when the owner is asked for"),
            },
            Kind::Blank | Kind::Control { .. } | Kind::Unread(_) => None,
        };
        let (file, line) = (entry.file, entry.line);
        walk.entries.push(Seen { file, start: entry.offset, end: entry.end(), line, record });
    }
}

/// What is wrong; the word that is shown with it depends on how much was read.
fn kind(what: &ReadErrorKind) -> String {
    match what {
        ReadErrorKind::Syntax(wrong, _) => format!("{wrong:?}"),
        other => format!("{other:?}"),
    }
}

impl Walk {
    /// The same without the comments in front of the main file.
    fn without(mut self, pad: &[u8]) -> Self {
        let (octets, lines) = (pad.len() as u64, pad.iter().filter(|octet| **octet == b'\n').count() as u64);
        self.entries.retain(|entry| entry.file != 0 || entry.start >= octets);
        for entry in self.entries.iter_mut().filter(|entry| entry.file == 0) {
            entry.start -= octets;
            entry.end -= octets;
            entry.line -= lines;
        }
        if let Some((file, line, ..)) = &mut self.error
            && file == "main"
        {
            *line -= lines;
        }
        self
    }
}

/// Comment lines, this many octets of them in all.
fn padding(octets: usize) -> Vec<u8> {
    let mut pad = Vec::with_capacity(octets);
    while pad.len() < octets {
        let line = (octets - pad.len()).min(40_000);
        pad.extend(std::iter::repeat_n(b';', line - 1));
        pad.push(b'\n');
    }
    pad
}

/// Files that come in small portions, the main one behind some comments.
struct Trickle {
    texts: Texts,
    pad: Vec<u8>,
    step: usize,
}

impl Library for Trickle {
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.step);
        let buffer = &mut buffer[..length];
        let pad: &[u8] = if file == 0 { &self.pad } else { &[] };
        match pad.get(offset as usize..) {
            Some(rest) if !rest.is_empty() => {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
            _ => self.texts.read_at(file, offset - pad.len() as u64, buffer),
        }
    }

    fn include(&self, path: &[u8]) -> std::io::Result<usize> {
        self.texts.include(path)
    }

    fn label(&self, file: usize) -> String {
        self.texts.label(file)
    }
}

/// The zone's name, when the zone can be read.
pub(crate) fn apex(files: &Files, origin: &Name) -> Option<Name> {
    let library = Texts::of(files.clone());
    Zone::read(&library, Some(origin.clone()), &[]).ok().map(|zone| zone.apex().clone())
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
    assert_eq!(zone.records(), then.iter().filter(|record| record.code != 0).count() as u64, "the zone's records");
    for (at, target) in asked.targets.iter().enumerate() {
        let owner = target.owner().unwrap_or_else(|error| panic!("{error:?}"));
        let there = then.iter().filter(|record| record.code == 52 && record.owner == owner.wire());
        let there: Vec<_> = there.map(|record| (record.data.clone(), record.ttl)).collect();
        let published: Vec<_> = zone.published(at).map(|(tlsa, ttl, _)| (tlsa.rdata(), ttl)).collect();
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
        let [before, found] =
            [&then, &now].map(|records| records.iter().filter(|record| is_tlsa(record, &owner, &tlsa)).count());
        assert_eq!(found, before.max(1), "{owner} {tlsa} stands there so many times");
    }
    nothing_left_to_add(&with, origin, asked);
    let added = patch.added.len();
    if added > 0 {
        restored(&zone, &library, files, origin, asked);
    }
    Outcome::Held { added, removed, kept }
}

/// Whether the library may decline an invented zone for this reason.
pub(crate) fn may_decline(why: &PlanError) -> bool {
    match why {
        // An invented `$GENERATE` may make records at `_25._tcp.mail`.
        PlanError::Blocked(obstacle) => obstacle.what == ObstacleKind::Generate,
        // A file is included under two origins now and then, a set has two TTLs, without
        // $TTL a TTL that is stated would spread, and a style that is asked for may go back.
        PlanError::SharedFile(_) | PlanError::UnequalTtls(_) | PlanError::SpreadingTtl(_) | PlanError::Serial(_) => {
            true
        }
        _ => false,
    }
}

fn add(asked: &Asked, serial: Policy) -> Request {
    let change = Change::Add(vec![asked.wanted.clone(); asked.targets.len()]);
    Request { change, ttl: asked.ttl, serial, serial_above: None }
}

fn remove(asked: &Asked, records: &[Tlsa], serial: Policy) -> Request {
    let change = Change::Remove(vec![records.to_vec(); asked.targets.len()]);
    Request { change, ttl: None, serial, serial_above: None }
}

fn pairs(asked: &Asked) -> Vec<(Name, Tlsa)> {
    let owners = asked.targets.iter().filter_map(|target| target.owner().ok());
    owners.flat_map(|owner| asked.wanted.iter().map(move |tlsa| (owner.clone(), tlsa.clone()))).collect()
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
    let patch = patch.unwrap_or_else(|error| panic!("with the serial kept it is refused: {error:?}"));
    let with = applied(library, files, &patch);
    let library = Texts::of(with.clone());
    let zone = Zone::read(&library, Some(origin.clone()), &asked.targets);
    let zone = zone.unwrap_or_else(|error| panic!("the edited zone cannot be read: {error:?}"));
    let mut change = vec![Vec::new(); asked.targets.len()];
    for (at, target) in asked.targets.iter().enumerate() {
        let owner = target.owner().unwrap_or_else(|error| panic!("{error:?}"));
        change[at].extend(patch.added.iter().filter(|edit| edit.owner == owner).map(|edit| edit.tlsa.clone()));
    }
    let request = Request { change: Change::Remove(change), ..remove(asked, &[], Policy::Keep) };
    let back = match zone.plan(&request, now()) {
        Ok(patch) => patch,
        // The set had different TTLs before; what is refused is told.
        Err(PlanError::UnequalTtls(_)) => return,
        Err(error) => panic!("what was added cannot be removed: {error:?}"),
    };
    let without = applied(&library, &with, &back);
    for ((label, before), (_, after)) in files.iter().zip(&without) {
        assert_eq!(lossy(after), lossy(before), "{label} after adding and removing");
        assert_eq!(after, before, "{label} after adding and removing");
    }
}

/// Each published record removed alone, then all of them.
fn removals(zone: &Zone<'_>, library: &Texts, files: &Files, origin: &Name, asked: &Asked) -> (usize, Vec<PlanError>) {
    let mut published: Vec<Tlsa> = Vec::new();
    for at in 0..asked.targets.len() {
        published.extend(zone.published(at).map(|(tlsa, ..)| tlsa.clone()));
    }
    published.sort();
    published.dedup();
    let mut rounds: Vec<Vec<Tlsa>> = published.iter().take(3).map(|tlsa| vec![tlsa.clone()]).collect();
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
        for owner in asked.targets.iter().filter_map(|target| target.owner().ok()) {
            let found = left.iter().any(|record| gone.iter().any(|tlsa| is_tlsa(record, &owner, tlsa)));
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
    assert_eq!(patch.is_empty(), patch.added.is_empty() && patch.removed.is_empty(), "a patch without records");
    let mut edited = files.clone();
    for (number, splices) in patch.splices() {
        let old = &files[*number].1;
        let (mut new, mut at) = (Vec::new(), 0);
        for splice in splices {
            let (start, end) = (splice.start as usize, splice.end as usize);
            assert!(at <= start && start <= end && end <= old.len(), "splices overlap or are out of order");
            assert!(start < end || !splice.text.is_empty(), "a splice that does nothing");
            new.extend_from_slice(&old[at..start]);
            new.extend_from_slice(&splice.text);
            at = end;
        }
        new.extend_from_slice(&old[at..]);
        let mut written = Vec::new();
        for piece in pieces(splices, old.len() as u64) {
            match piece {
                Piece::Kept(start, end) => written.extend_from_slice(&old[start as usize..end as usize]),
                Piece::New(text) => written.extend_from_slice(text),
            }
        }
        assert_eq!(written, new, "the pieces are the spliced text");
        let view = Edited::new(library, patch.splices());
        let shown = read_span(&view, *number, 0, new.len() as u64);
        assert_eq!(shown.ok().as_ref(), Some(&new), "the edited view is what is written");
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
            serials.entry(by > 0).or_default().extend(record.serial.take());
            *count.entry(record).or_insert(0) += by;
        }
    }
    for (edits, by) in [(&patch.added, -1), (&patch.removed, 1)] {
        for Edit { owner, ttl, tlsa } in edits {
            let owner = owner.wire().to_vec();
            *count.entry(Record { owner, ttl: *ttl, code: 52, data: tlsa.rdata(), serial: None }).or_insert(0) += by;
        }
    }
    count.retain(|_, difference| *difference != 0);
    assert!(count.is_empty(), "the edit also changed: {count:#?}\n{}", lossy(&after[0].1));
    let (old, new) = (serials.remove(&false).unwrap_or_default(), serials.remove(&true).unwrap_or_default());
    assert_eq!(old.len(), new.len(), "SOA records came or went");
    for (old, new) in old.iter().zip(&new) {
        if patch.is_empty() || serial == Policy::Keep {
            assert_eq!(old, new, "the serial moved without a reason");
        } else {
            assert!(follows(*new, *old) && *new != 0, "the serial went from {old} to {new}");
        }
        assert!(new_serials_agree(patch, *old, *new), "{:?} is not {old} to {new}", patch.serial);
    }
}

fn new_serials_agree(patch: &Patch, old: u32, new: u32) -> bool {
    patch.serial.map_or(old == new, |said| said == (old, new))
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
