//! What an edit leaves in the state folder, so that `verify` knows which set
//! caches may still hold, and for how long.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::cli::Ui;
use crate::files::state::{self, StateError};
use crate::propagation::memory::{Memory, OldTtl};
use crate::tlsa::{Target, Tlsa};
use crate::zone::patch::Edit;
use crate::zone::plan::Zone;

/// The TTL taken where a zone does not say one: as long as any cache keeps anything (BIND's `max-cache-ttl`).
const LONGEST_CACHED: u32 = 604_800;

/// Remembers what stood at the targets before `records` joined it.
pub(crate) fn patched(folder: Option<&Path>, zone: &Zone<'_>, records: &[Tlsa], now: DateTime<Utc>, ui: &mut Ui<'_>) {
    let change = |memory: &Memory| {
        zone.targets().iter().enumerate().fold(memory.clone(), |memory, (at, target)| {
            let old: Vec<Tlsa> = zone.published(at).map(|(tlsa, ..)| tlsa.clone()).collect();
            let largest = zone.published(at).map(|(_, ttl, _)| ttl.unwrap_or(LONGEST_CACHED)).max();
            let ttl = largest.map_or(OldTtl::Absent(zone.negative_ttl()), OldTtl::Set);
            match target.owner() {
                Ok(owner) => memory.patched(&owner, &old, ttl, records, now),
                Err(_) => memory,
            }
        })
    };
    let kept = update(folder, zone, change);
    report(kept, "verify will wait a day instead of twice the old TTL, unless --hold says otherwise", ui);
}

/// Remembers that these records went on purpose.
pub(crate) fn pruned(folder: Option<&Path>, zone: &Zone<'_>, removed: &[Edit], now: DateTime<Utc>, ui: &mut Ui<'_>) {
    let owner_of = |target: &Target| target.owner().ok();
    let change = |memory: &Memory| {
        zone.targets().iter().filter_map(owner_of).fold(memory.clone(), |memory, owner| {
            let gone: Vec<Tlsa> =
                removed.iter().filter(|edit| edit.owner == owner).map(|edit| edit.tlsa.clone()).collect();
            memory.pruned(&owner, &gone, now)
        })
    };
    let kept = update(folder, zone, change);
    report(kept, "verify may miss the removed records", ui);
}

fn update(folder: Option<&Path>, zone: &Zone<'_>, change: impl FnOnce(&Memory) -> Memory) -> Result<(), StateError> {
    state::update(&state::folder(folder)?, zone.apex(), |memory| ((), change(memory)))
}

/// The zone is written by now, so a state that cannot be is a warning.
fn report(kept: Result<(), StateError>, so: &str, ui: &mut Ui<'_>) {
    if let Err(error) = kept {
        ui.caution(format!("what changed could not be remembered: {error}; {so}"));
    }
}
