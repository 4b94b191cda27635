//! What an edit leaves in the state folder, so that `verify` knows which set
//! caches may still hold, and for how long.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::cli::{Failure, Ui};
use crate::files::clock;
use crate::files::probe;
use crate::files::state::{self, StateError};
use crate::name::Name;
use crate::propagation::memory::Memory;
use crate::propagation::memory::OldTtl;
use crate::tlsa::{Target, Tlsa};
use crate::zone::edit::patch::Edit;
use crate::zone::edit::plan::Zone;

/// The TTL taken where a zone does not say one: as long as any cache keeps anything (BIND's `max-cache-ttl`).
const LONGEST_CACHED: u32 = 604_800;

/// Whether the state can be kept there, before there is anything to keep.
pub(crate) fn probe(folder: &Path) -> Result<(), Failure> {
    probe::folder(folder).map_err(|error| {
        Failure::wrong(format!("the state cannot be kept there: {error}"))
            .at(folder.display())
            .hint("name another folder with --state, or give this user access to it")
    })
}

/// Remembers what stood at the targets before `records` joined it.
pub(crate) fn patched(
    folder: Option<&Path>,
    zone: &Zone<'_>,
    records: &[Tlsa],
    now: DateTime<Utc>,
    ui: &mut Ui<'_>,
) {
    let change = |memory: &Memory| {
        zone.targets()
            .iter()
            .enumerate()
            .fold(memory.clone(), |memory, (at, target)| {
                let old: Vec<Tlsa> = zone.published(at).map(|(tlsa, ..)| tlsa.clone()).collect();
                let largest = zone
                    .longest_ttls(at)
                    .map(|ttl| ttl.unwrap_or(LONGEST_CACHED))
                    .max();
                let ttl = largest.map_or(OldTtl::Absent(zone.negative_ttl()), OldTtl::Set);
                owners(zone, target).iter().fold(memory, |memory, owner| {
                    memory.patched(owner, &old, ttl, records, now)
                })
            })
    };
    let kept = update(folder, zone, now, change);
    report(
        kept,
        "verify will wait a day instead of twice the old TTL, unless --hold says otherwise",
        ui,
    );
}

/// Remembers that these records went on purpose.
pub(crate) fn pruned(
    folder: Option<&Path>,
    zone: &Zone<'_>,
    removed: &[Edit],
    now: DateTime<Utc>,
    ui: &mut Ui<'_>,
) {
    let change = |memory: &Memory| {
        zone.targets()
            .iter()
            .fold(memory.clone(), |memory, target| {
                let here = target.owner().ok();
                let gone = removed
                    .iter()
                    .filter(|edit| Some(&edit.owner) == here.as_ref());
                let gone: Vec<Tlsa> = gone.map(|edit| edit.tlsa.clone()).collect();
                owners(zone, target)
                    .iter()
                    .fold(memory, |memory, owner| memory.pruned(owner, &gone, now))
            })
    };
    let kept = update(folder, zone, now, change);
    report(kept, "verify may miss the removed records", ui);
}

/// The owners under which `verify` may look for a target: its own, and aliases of it that were asked for.
pub(crate) fn owners(zone: &Zone<'_>, target: &Target) -> Vec<Name> {
    let own = target.owner().ok();
    let led = zone
        .aliases()
        .iter()
        .filter(|alias| Some(&alias.to) == own.as_ref())
        .map(|alias| alias.owner.clone());
    own.iter().cloned().chain(led).collect()
}

fn update(
    folder: Option<&Path>,
    zone: &Zone<'_>,
    now: DateTime<Utc>,
    change: impl FnOnce(&Memory) -> Memory,
) -> Result<(), StateError> {
    let clock = Some(clock::read(now));
    state::update(&state::folder(folder)?, zone.apex(), |memory| {
        ((), change(&memory.read_at(clock)))
    })
}

/// The zone is written all the same, so a state that cannot be is a warning.
fn report(kept: Result<(), StateError>, so: &str, ui: &mut Ui<'_>) {
    if let Err(error) = kept {
        ui.caution(format!(
            "what changed could not be remembered: {error}; {so}"
        ));
    }
}
