//! What signatures over a set have been found to prove, so that they are tried
//! once: servers of one zone give the same sets, and each answer rests on the
//! zone's SOA. Only a set that is the same to the last signature and TTL counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hickory_proto::rr::{Name as WireName, RecordType};

use crate::dns::limits;
use crate::dns::trust::denial::same_case;
use crate::dns::trust::proof::Proof;
use crate::dns::wire::room::{Held, Room};
use crate::dns::wire::rrset::RrSet;

/// By owner and type.
type Known = HashMap<(WireName, RecordType), Vec<(RrSet, Proof, Held)>>;

/// Sets of one zone, with their proof under the zone's keys, as far as there is
/// room for them.
pub(crate) struct ProofCache {
    known: Mutex<Known>,
    room: Arc<Room>,
}

impl ProofCache {
    /// Nothing yet, and room for it.
    pub(crate) fn within(room: &Arc<Room>) -> Self {
        Self {
            known: Mutex::default(),
            room: Arc::clone(room),
        }
    }

    /// The proof of the set: what was found before, or what is found now.
    pub(crate) fn proof(&self, set: &RrSet, find: impl FnOnce() -> Proof) -> Proof {
        let same = |all: &Vec<(RrSet, Proof, Held)>| {
            let same =
                |(known, ..): &&(RrSet, Proof, Held)| known.is_same(set) && same_case(known, set);
            all.iter().find(same).map(|(_, proof, _)| proof.clone())
        };
        if let Some(proof) = self.lock().get(&set.key()).and_then(same) {
            return proof;
        }
        let proof = find();
        // A limit is that of the one who came upon it.
        if proof
            .findings
            .iter()
            .all(|finding| !matches!(finding.code, "limits-exceeded" | "check-timeout"))
        {
            let mut known = self.lock();
            let variants = known.entry(set.key()).or_default();
            // Without room it is only found out again.
            if variants.len() < limits::VARIANTS
                && let Some(held) = self.room.spare(set.weight())
            {
                variants.push((set.clone(), proof.clone(), held));
            }
        }
        proof
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{RData, Record};

    use super::*;
    use crate::dns::trust::budget::limit;
    use crate::dns::wire::convert::to_hickory;
    use crate::name::Name;

    fn set(ttl: u32, data: &str) -> RrSet {
        let owner = to_hickory(&Name::from_user("a.example").unwrap());
        let data = RData::try_from_str(RecordType::TLSA, data).unwrap();
        let record = Record::from_rdata(owner.clone(), ttl, data);
        RrSet::find(&[record], &owner, RecordType::TLSA).unwrap()
    }

    #[test]
    fn a_set_is_tried_again_when_anything_about_it_is_different() {
        let tried = ProofCache::within(&Room::for_targets(1));
        let known = set(60, "3 1 1 aa");
        assert_eq!(
            tried.proof(&known, || Proof::bogus("first")).findings[0].message,
            "first"
        );
        assert_eq!(
            tried.proof(&set(60, "3 1 1 aa"), Proof::secure).findings[0].message,
            "first"
        );
        for other in [set(61, "3 1 1 aa"), set(60, "3 1 1 ab")] {
            assert_eq!(
                tried.proof(&other, || Proof::bogus("other")).findings[0].message,
                "other"
            );
        }
    }

    #[test]
    fn what_has_no_room_is_tried_again() {
        let room = Room::of(0);
        let tried = ProofCache::within(&room);
        tried.proof(&set(60, "3 1 1 aa"), || Proof::bogus("first"));
        assert!(
            tried
                .proof(&set(60, "3 1 1 aa"), Proof::secure)
                .findings
                .is_empty()
                && !room.was_full()
        );
    }

    #[test]
    fn a_limit_is_not_kept() {
        let tried = ProofCache::within(&Room::for_targets(1));
        tried.proof(&set(60, "3 1 1 aa"), || limit("too much"));
        assert!(
            tried
                .proof(&set(60, "3 1 1 aa"), Proof::secure)
                .findings
                .is_empty()
        );
    }
}
