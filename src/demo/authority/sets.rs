//! The sets of a zone by owner and type, and which of its names are there.

use std::collections::BTreeMap;

use hickory_proto::rr::{Name as WireName, Record, RecordType};

/// Records of one owner and type.
pub(super) type Sets = BTreeMap<(WireName, RecordType), Vec<Record>>;

/// The delegation at or above a name, when there is one below the apex.
pub(super) fn zone_cut(sets: &Sets, apex: &WireName, name: &WireName) -> Option<WireName> {
    let mut found = None;
    let mut at = name.to_lowercase();
    while at != *apex && !at.is_root() {
        if sets.contains_key(&(at.clone(), RecordType::NS)) {
            found = Some(at.clone());
        }
        at = at.base_name();
    }
    found
}

/// The nearest name at or above this one that is there.
pub(super) fn encloser(sets: &Sets, name: &WireName) -> Option<WireName> {
    let mut at = name.clone();
    while !sets.keys().any(|(owner, _)| at.zone_of(owner)) {
        if at.is_root() {
            return None;
        }
        at = at.base_name();
    }
    Some(at)
}
