//! Whether denials prove that a name, or a type at it, is not there (RFC 4035
//! section 5.4, RFC 5155 section 8, RFC 6840 section 4, RFC 9824). No asking and
//! no signatures here: whoever asks has proven each of the denials before.
//!
//! Three ways to say no are told apart: it is proven; it is not, so that a
//! sender's resolver calls the answer bogus and the lookup fails; or it cannot
//! be told, because the name lies in a span that opts out, or hashing is more
//! than we do.

use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC, NSEC3};
use hickory_proto::rr::{Name as WireName, RData, RecordType};

use crate::dns::limits;
use crate::dns::trust::denial::{covers, covers_hash_of, from_base32hex};
use crate::dns::wire::rrset::RrSet;

/// Stands at a name that does not exist (RFC 9824 section 3).
const NXNAME: RecordType = RecordType::Unknown(128);

/// What a negative answer claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// There is no such name.
    NoName,
    /// The name is there, and this type is not.
    NoData(RecordType),
    /// The name begins another zone, which is not signed.
    Unsigned,
}

/// How far the claim is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    Proven,
    CannotTell(&'static str),
    Unproven,
}

/// What these denials, each of which the zone has signed, prove of the claim.
pub(crate) fn absence(
    denials: &[RrSet],
    zone: &WireName,
    name: &WireName,
    claim: Claim,
) -> Absence {
    if !zone.zone_of(name) {
        return Absence::Unproven;
    }
    let (mut plain, mut hashed) = (Vec::new(), Vec::new());
    for set in denials {
        // Two denials of one owner contradict each other.
        let [record] = set.records.as_slice() else {
            continue;
        };
        match &record.data {
            RData::DNSSEC(DNSSECRData::NSEC(nsec)) if zone.zone_of(&record.name) => {
                plain.push((&record.name, nsec))
            }
            RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) if record.name.base_name() == *zone => {
                let own = record.name.iter().next().and_then(from_base32hex);
                hashed.extend(own.map(|own| (own, nsec3)));
            }
            _ => {}
        }
    }
    match (Plain {
        zone,
        denials: plain,
    })
    .proves(name, claim)
    {
        true => Absence::Proven,
        false => by_hash(&hashed, zone, name, claim),
    }
}

/// What stands at a name.
struct Types(Vec<RecordType>);

impl Types {
    fn has(&self, kind: RecordType) -> bool {
        self.0.contains(&kind)
    }

    /// It is the parent's side of a zone cut, and knows only about DS.
    fn is_delegation(&self) -> bool {
        self.has(RecordType::NS) && !self.has(RecordType::SOA)
    }

    /// Whether they prove the claim about the very name that they stand at.
    fn prove(&self, claim: Claim) -> bool {
        match claim {
            Claim::NoName => self.has(NXNAME),
            Claim::NoData(kind) => {
                !self.has(kind) && !self.has(RecordType::CNAME) && !self.is_delegation()
            }
            Claim::Unsigned => self.is_delegation() && !self.has(RecordType::DS),
        }
    }
}

/// NSEC records.
struct Plain<'a> {
    zone: &'a WireName,
    denials: Vec<(&'a WireName, &'a NSEC)>,
}

impl Plain<'_> {
    fn proves(&self, name: &WireName, claim: Claim) -> bool {
        if let Some(types) = self.at(name) {
            return types.prove(claim);
        }
        if claim == Claim::Unsigned {
            return false;
        }
        if claim != Claim::NoName && self.is_empty(name) {
            return true;
        }
        self.denials
            .iter()
            .filter(|(owner, nsec)| covers(owner, nsec, self.zone, name))
            .any(|(owner, nsec)| {
                let encloser = closest_encloser(name, owner, nsec.next_domain_name());
                // Where a wildcard is too long for a name there is none.
                let Ok(wildcard) = encloser.prepend_label("*") else {
                    return claim == Claim::NoName;
                };
                match claim {
                    Claim::NoName => self.covered(&wildcard),
                    _ => self
                        .at(&wildcard)
                        .map_or_else(|| self.is_empty(&wildcard), |types| types.prove(claim)),
                }
            })
    }

    fn at(&self, name: &WireName) -> Option<Types> {
        let (_, nsec) = self.denials.iter().find(|(owner, _)| *owner == name)?;
        Some(Types(nsec.type_bit_maps().collect()))
    }

    fn covered(&self, name: &WireName) -> bool {
        self.denials
            .iter()
            .any(|(owner, nsec)| covers(owner, nsec, self.zone, name))
    }

    /// Whether the name is there for the sake of names below it only.
    fn is_empty(&self, name: &WireName) -> bool {
        self.denials.iter().any(|(owner, nsec)| {
            let next = nsec.next_domain_name();
            let from_above = nsec.is_ancestor_delegation() && owner.zone_of(name);
            *owner < name && name != next && name.zone_of(next) && !from_above
        })
    }
}

/// The nearest name above that is there, by the names on both sides.
fn closest_encloser(name: &WireName, owner: &WireName, next: &WireName) -> WireName {
    let mut at = name.base_name();
    while !at.is_root() && !at.zone_of(owner) && !at.zone_of(next) {
        at = at.base_name();
    }
    at
}

fn by_hash(all: &[(Vec<u8>, &NSEC3)], zone: &WireName, name: &WireName, claim: Claim) -> Absence {
    let Some((_, first)) = all.first() else {
        return Absence::Unproven;
    };
    if all
        .iter()
        .any(|(_, other)| (other.iterations(), other.salt()) != (first.iterations(), first.salt()))
    {
        return Absence::CannotTell("its NSEC3 records are of different chains");
    }
    if first.iterations() > limits::ROUNDS {
        return Absence::CannotTell(
            "its NSEC3 records take more rounds of hashing than are computed here",
        );
    }
    Hashed { first, all }
        .proves(zone, name, claim)
        .unwrap_or(Absence::Unproven)
}

/// NSEC3 records of one chain.
struct Hashed<'a> {
    first: &'a NSEC3,
    all: &'a [(Vec<u8>, &'a NSEC3)],
}

impl Hashed<'_> {
    /// `None` where something is missing.
    fn proves(&self, zone: &WireName, name: &WireName, claim: Claim) -> Option<Absence> {
        let hash = self.hash(name)?;
        if let Some(types) = self.at(&hash) {
            return types.prove(claim).then_some(Absence::Proven);
        }
        let (mut next_closer, mut encloser) = (hash, name.clone());
        let types = loop {
            if encloser == *zone || encloser.is_root() {
                return None;
            }
            encloser = encloser.base_name();
            let hash = self.hash(&encloser)?;
            match self.at(&hash) {
                Some(types) => break types,
                None => next_closer = hash,
            }
        };
        if types.is_delegation() || types.has(RecordType::DNAME) {
            return None;
        }
        let covering = self.covering(&next_closer)?;
        match claim {
            Claim::Unsigned => return covering.opt_out().then_some(Absence::Proven),
            _ if covering.opt_out() => {
                return Some(Absence::CannotTell(
                    "it lies in a span of names that opts out of DNSSEC",
                ));
            }
            Claim::NoName | Claim::NoData(_) => {}
        }
        let Ok(wildcard) = encloser.prepend_label("*") else {
            return (claim == Claim::NoName).then_some(Absence::Proven);
        };
        let wildcard = self.hash(&wildcard)?;
        let proven = match claim {
            Claim::NoName => self.covering(&wildcard).is_some(),
            _ => self.at(&wildcard).is_some_and(|types| types.prove(claim)),
        };
        proven.then_some(Absence::Proven)
    }

    fn hash(&self, name: &WireName) -> Option<Vec<u8>> {
        let hash = self
            .first
            .hash_algorithm()
            .hash(self.first.salt(), name, self.first.iterations())
            .ok()?;
        Some(hash.as_ref().to_vec())
    }

    fn at(&self, hash: &[u8]) -> Option<Types> {
        let (_, nsec3) = self.all.iter().find(|(own, _)| own == hash)?;
        Some(Types(nsec3.type_bit_maps().collect()))
    }

    fn covering(&self, hash: &[u8]) -> Option<&NSEC3> {
        self.all
            .iter()
            .find(|(own, nsec3)| covers_hash_of(own, nsec3, hash))
            .map(|(_, nsec3)| *nsec3)
    }
}

#[cfg(test)]
mod tests;
