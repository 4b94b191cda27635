//! Whether `verify` found the kept keys safe. Without asking the live services,
//! `prune` takes somebody's word for which key is in use; the state is asked whether
//! that key can be in use at all. A state that is lost, or cannot be read, has not
//! cleared anything.

use std::path::Path;

use crate::cli::Failure;
use crate::cli::remember::owners;
use crate::files::state;
use crate::keys::{self, KeyFile};
use crate::propagation::memory::{KeyChange, Memory};
use crate::tlsa::{Target, Tlsa};
use crate::zone::edit::plan::Zone;

/// Refuses where a kept key was not found safe at a target that would lose records.
///
/// # Errors
///
/// The first such key, with what to do (status 4).
pub(crate) fn keys_in_use(
    folder: Option<&Path>,
    zone: &Zone<'_>,
    stale: &[Vec<Tlsa>],
    keep: &[KeyFile],
) -> Result<(), Failure> {
    if stale.iter().all(Vec::is_empty) {
        return Ok(());
    }
    let memory = state::folder(folder).and_then(|folder| state::load(&folder, zone.apex()));
    let (memory, why) = match memory {
        Ok(memory) => (memory, String::new()),
        Err(error) => (Memory::empty(zone.apex()), format!(" ({error})")),
    };
    for (target, _) in zone
        .targets()
        .iter()
        .zip(stale)
        .filter(|(_, stale)| !stale.is_empty())
    {
        let names = owners(zone, target);
        let known = names
            .iter()
            .filter_map(|owner| memory.owners.get(&owner.to_string()));
        let changes: Vec<&KeyChange> = known.flat_map(|owner| &owner.changes).collect();
        for key in keep {
            if !changes
                .iter()
                .any(|watch| watch.found_safe().is_some() && is_of(watch, key, keep))
            {
                return Err(not_cleared(target, key, &why));
            }
        }
    }
    Ok(())
}

/// Whether this change was one to the key, and to none that is not kept.
fn is_of(watch: &KeyChange, key: &KeyFile, keep: &[KeyFile]) -> bool {
    let records = |of: &[KeyFile], record: &Tlsa| {
        keys::records(of, record.params).is_ok_and(|all| all.contains(record))
    };
    let own = watch
        .expected
        .iter()
        .any(|record| records(std::slice::from_ref(key), record));
    own && watch.expected.iter().all(|record| records(keep, record))
}

fn not_cleared(target: &Target, key: &KeyFile, why: &str) -> Failure {
    let owner = target.owner().unwrap_or_else(|_| target.base().clone());
    let message = format!(
        "verify has not found the key of {} safe at {owner}{why}; nothing was removed",
        key.name
    );
    Failure::not_yet(message).at("--keep").hint(
        "run danewright verify with this key until it says safe (with the same --state, as the same user), \
         or state with --force that the key is in use",
    )
}
