//! NSEC records (RFC 4034 section 4): the chain of a zone's names when it is
//! signed, and those of it that a negative answer shows (RFC 4035 section 3.1.3).
//! What a wildcard gives comes without them.

use std::collections::{BTreeMap, BTreeSet};

use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC};
use hickory_proto::rr::{Name as WireName, RData, Record, RecordType};

use super::sets::{Sets, zone_cut};

/// Adds a record to each name that the zone has something to say of.
pub(super) fn link(sets: &mut Sets, apex: &WireName) {
    let negative = |record: &Record| match &record.data {
        RData::SOA(soa) => Some(soa.minimum.min(record.ttl)),
        _ => None,
    };
    let ttl = sets
        .get(&(apex.clone(), RecordType::SOA))
        .and_then(|soa| soa.first())
        .and_then(negative)
        .unwrap_or(300);
    let mut names: BTreeMap<WireName, BTreeSet<RecordType>> = BTreeMap::new();
    for (owner, kind) in sets.keys() {
        let cut = zone_cut(sets, apex, owner);
        // Of what is below, and of addresses at the cut, another zone speaks.
        let ours = match &cut {
            Some(cut) => cut == owner && matches!(*kind, RecordType::NS | RecordType::DS),
            None => true,
        };
        if ours {
            names.entry(owner.clone()).or_default().insert(*kind);
        }
    }
    let next = names
        .keys()
        .skip(1)
        .chain([apex])
        .cloned()
        .collect::<Vec<_>>();
    for ((owner, types), next) in names.into_iter().zip(next) {
        let data = NSEC::new(
            next,
            types
                .into_iter()
                .chain([RecordType::RRSIG, RecordType::NSEC]),
        );
        let record = Record::from_rdata(owner.clone(), ttl, RData::DNSSEC(DNSSECRData::NSEC(data)));
        sets.insert((owner, RecordType::NSEC), vec![record]);
    }
}

/// The records that speak of the name and of the wildcard next to it, each once.
pub(super) fn about(sets: &Sets, signatures: &Sets, name: &WireName) -> Vec<Record> {
    let mut found: Vec<Record> = Vec::new();
    let wildcard =
        crate::demo::authority::sets::encloser(sets, name).filter(|encloser| encloser != name);
    for name in [
        Some(name.clone()),
        wildcard.and_then(|encloser| encloser.prepend_label("*").ok()),
    ]
    .into_iter()
    .flatten()
    {
        let at_or_before =
            |(owner, kind): &&(WireName, RecordType)| *kind == RecordType::NSEC && *owner <= name;
        let Some(key) = sets.keys().rfind(at_or_before) else {
            continue;
        };
        let both = sets.get(key).into_iter().chain(signatures.get(key));
        let new = both
            .flatten()
            .filter(|record| !found.contains(record))
            .cloned()
            .collect::<Vec<_>>();
        found.extend(new);
    }
    found
}
