//! What single denials say: that nothing lies between the owner of one and the
//! next name (RFC 4034 section 4, RFC 5155 section 3). `absence` puts together
//! what they prove of a name that is asked for; the one thing that is proven
//! here is that no closer name exists where a wildcard has answered (RFC 4035
//! section 5.3.4, RFC 5155 section 8.8). A name that needs more than a hundred
//! rounds of hashing (RFC 9276 section 3.2) or lies in a span that opts out is
//! not proven to be absent. hickory reads no other hash and no other flags, so
//! an answer with those is malformed.

use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC, NSEC3};
use hickory_proto::rr::{Name as WireName, RData, Record, RecordType};

use crate::dns::limits;
use crate::dns::trust::proof::Proof;
use crate::dns::wire::rrset::RrSet;
use crate::propagation::evidence::Security;

/// Whether there are more of them in a section than are looked at.
pub(crate) fn too_many(section: &[Record]) -> bool {
    let mut owners: Vec<&WireName> = Vec::new();
    for record in section
        .iter()
        .filter(|r| matches!(r.record_type(), RecordType::NSEC | RecordType::NSEC3))
    {
        if !owners.contains(&&record.name) {
            owners.push(&record.name);
        }
        if owners.len() > limits::DENIALS {
            return true;
        }
    }
    false
}

/// Whether the next names are the same in letter case, too, which is signed
/// with an NSEC record (RFC 6840 section 5.1).
pub(crate) fn same_case(one: &RrSet, other: &RrSet) -> bool {
    let next = |set: &RrSet| -> Vec<WireName> {
        let next = set.records.iter().filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::NSEC(nsec)) => Some(nsec.next_domain_name().clone()),
            _ => None,
        });
        next.collect()
    };
    let (one, other) = (next(one), next(other));
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .all(|(one, other)| one.eq_case(other))
}

/// The proof that a name is not there, by the first denial that covers it and is secure.
pub(crate) fn denied(
    denials: &[RrSet],
    zone: &WireName,
    name: &WireName,
    prove: impl Fn(&RrSet) -> Proof,
) -> Option<Proof> {
    let covers = |set: &&RrSet| match set.records.as_slice() {
        [record] => match &record.data {
            RData::DNSSEC(DNSSECRData::NSEC(nsec)) => covers(&record.name, nsec, zone, name),
            RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => {
                covers_hash(&record.name, nsec3, zone, name)
            }
            _ => false,
        },
        _ => false,
    };
    denials
        .iter()
        .filter(covers)
        .map(prove)
        .find(|proof| proof.security == Security::Secure)
}

/// Whether an NSEC record says that nothing has the name, and nothing lies below it.
pub(crate) fn covers(owner: &WireName, nsec: &NSEC, zone: &WireName, name: &WireName) -> bool {
    let next = nsec.next_domain_name();
    // The last name of a zone points back to the first, its apex.
    let between = owner < name && (name < next || next == zone);
    // Above a zone cut or a DNAME nobody knows what is below (RFC 6840 section 4.1).
    let from_above = nsec.is_ancestor_delegation() && owner.zone_of(name);
    zone.zone_of(owner) && zone.zone_of(name) && between && !from_above && !name.zone_of(next)
}

/// Whether an NSEC3 record says that nothing has the name.
fn covers_hash(owner: &WireName, nsec3: &NSEC3, zone: &WireName, name: &WireName) -> bool {
    let Some(own) = owner.iter().next().and_then(from_base32hex) else {
        return false;
    };
    if owner.base_name() != *zone
        || !zone.zone_of(name)
        || nsec3.flags() != 0
        || nsec3.iterations() > limits::ROUNDS
    {
        return false;
    }
    let Ok(hash) = nsec3
        .hash_algorithm()
        .hash(nsec3.salt(), name, nsec3.iterations())
    else {
        return false;
    };
    covers_hash_of(&own, nsec3, hash.as_ref())
}

/// Whether an NSEC3 record at this hash says that nothing has the other one.
pub(crate) fn covers_hash_of(own: &[u8], nsec3: &NSEC3, hash: &[u8]) -> bool {
    let next = nsec3.next_hashed_owner_name();
    if own.len() != hash.len() || next.len() != hash.len() {
        return false;
    }
    let (after, before) = (own < hash, hash < next);
    // The last hash of a zone points back to the first, and may be that one itself.
    if own < next {
        after && before
    } else {
        after || before
    }
}

/// The octets of a label in base32 with extended hex alphabet (RFC 4648 section 7).
pub(crate) fn from_base32hex(label: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(label.len() * 5 / 8);
    let (mut bits, mut value) = (0, 0_u32);
    for letter in label {
        value = (value << 5 | char::from(*letter).to_digit(32)?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            octets.push((value >> bits & 0xff) as u8);
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use hickory_proto::dnssec::Nsec3HashAlgorithm;

    use super::*;
    use crate::dns::wire::convert::to_hickory;
    use crate::dns::wire::rrset::denials;
    use crate::name::Name;

    fn wire(name: &str) -> WireName {
        to_hickory(&Name::from_user(name).unwrap())
    }

    #[test]
    fn what_lies_between_two_names_is_not_there() {
        use RecordType::{A, DNAME, NS, SOA};
        let zone = wire("z.example");
        for (owner, next, types, name, expected) in [
            ("a.z.example", "m.z.example", &[A][..], "b.z.example", true),
            ("a.z.example", "m.z.example", &[A], "x.a.z.example", true),
            ("a.z.example", "m.z.example", &[A], "a.z.example", false),
            ("a.z.example", "m.z.example", &[A], "m.z.example", false),
            ("a.z.example", "m.z.example", &[A], "n.z.example", false),
            ("a.z.example", "m.z.example", &[A], "z.example", false),
            // The name is above the next one, so it is there without records.
            ("a.z.example", "x.m.z.example", &[A], "m.z.example", false),
            ("m.z.example", "z.example", &[A], "n.z.example", true),
            ("m.z.example", "z.example", &[A], "b.z.example", false),
            ("z.example", "z.example", &[A, SOA, NS], "b.z.example", true),
            ("a.z.example", "m.z.example", &[NS], "x.a.z.example", false),
            (
                "a.z.example",
                "m.z.example",
                &[DNAME],
                "x.a.z.example",
                false,
            ),
            ("a.z.example", "m.z.example", &[NS], "b.z.example", true),
            ("a.example", "zz.example", &[A], "b.z.example", false),
            ("a.z.example", "m.z.example", &[A], "b.example", false),
        ] {
            let nsec = NSEC::new(wire(next), types.iter().copied());
            assert_eq!(
                covers(&wire(owner), &nsec, &zone, &wire(name)),
                expected,
                "{owner} {next} {types:?} {name}"
            );
        }
    }

    #[test]
    fn hashes_wrap_around_and_cost_little() {
        // RFC 5155 appendix A: the hash of a.example with twelve rounds.
        let hash = from_base32hex(b"35mthgpgcu1qg68fab165klnsnk3dpvl").unwrap();
        assert_eq!((hash.len(), hash[0], hash[19]), (20, 0x19, 0xf5));
        let with = |last: u8| [&hash[..19], &[last]].concat();
        let (below, above) = (
            "35mthgpgcu1qg68fab165klnsnk3dpvk",
            "35mthgpgcu1qg68fab165klnsnk3dpvm",
        );
        let (own, first) = (
            "35mthgpgcu1qg68fab165klnsnk3dpvl",
            "00000000000000000000000000000000",
        );
        for (label, next, opt_out, rounds, expected) in [
            (below, with(0xf6), false, 12, true),
            (below, with(0xf6), true, 12, false),
            (below, with(0xf6), false, 11, false),
            (below, with(0xf6), false, u16::MAX, false),
            (below, hash.clone(), false, 12, false),
            (own, with(0xf6), false, 12, false),
            // The last of the zone, from both sides of its end.
            (below, vec![0; 20], false, 12, true),
            (above, with(0xf6), false, 12, true),
            (above, with(0xf4), false, 12, false),
            // The only one of the zone.
            (own, hash.clone(), false, 12, false),
            (first, vec![0; 20], false, 12, true),
            ("not-base32hex", with(0xf6), false, 12, false),
            (below, with(0xf6)[..10].to_vec(), false, 12, false),
        ] {
            let salt = vec![0xaa, 0xbb, 0xcc, 0xdd];
            let nsec3 = NSEC3::new(
                Nsec3HashAlgorithm::SHA1,
                opt_out,
                rounds,
                salt,
                next,
                [RecordType::A],
            );
            let owner = wire(&format!("{label}.example"));
            let found = covers_hash(&owner, &nsec3, &wire("example"), &wire("a.example"));
            assert_eq!(found, expected, "{label} {opt_out} {rounds}");
        }
    }

    fn nsec(owner: &str, next: &str) -> Record {
        let nsec = NSEC::new(wire(next), [RecordType::A]);
        let data = RData::DNSSEC(DNSSECRData::NSEC(nsec));
        Record::from_rdata(wire(owner), 60, data)
    }

    /// Over every hash but one that nothing has.
    fn nsec3(owner: &str, rounds: u16) -> Record {
        let (algorithm, types) = (Nsec3HashAlgorithm::SHA1, [RecordType::A]);
        let nsec3 = NSEC3::new(algorithm, false, rounds, Vec::new(), vec![0; 20], types);
        let label = "00000000000000000000000000000000";
        let data = RData::DNSSEC(DNSSECRData::NSEC3(nsec3));
        Record::from_rdata(wire(&format!("{label}.{owner}")), 60, data)
    }

    #[test]
    fn a_name_is_denied_by_a_denial_of_its_zone_that_covers_it_and_is_proven() {
        let zone = wire("z.example");
        for (what, record, name, expected) in [
            (
                "NSEC",
                nsec("a.z.example", "c.z.example"),
                "b.z.example",
                true,
            ),
            (
                "NSEC elsewhere",
                nsec("a.z.example", "c.z.example"),
                "d.z.example",
                false,
            ),
            ("NSEC3", nsec3("z.example", 0), "b.z.example", true),
            (
                "as many rounds as may be",
                nsec3("z.example", 100),
                "b.z.example",
                true,
            ),
            ("more rounds", nsec3("z.example", 101), "b.z.example", false),
            (
                "NSEC3 of another zone",
                nsec3("y.example", 0),
                "b.z.example",
                false,
            ),
            (
                "a name of another zone",
                nsec3("z.example", 0),
                "b.y.example",
                false,
            ),
            ("of neither", nsec3("y.example", 0), "b.y.example", false),
        ] {
            let sets = denials(&[record]);
            let proof = |proof: fn() -> Proof| denied(&sets, &zone, &wire(name), |_| proof());
            assert_eq!(proof(Proof::secure).is_some(), expected, "{what}");
            assert!(proof(Proof::unknown).is_none(), "{what}");
        }
    }

    #[test]
    fn so_many_denials_are_looked_at_and_more_are_noticed() {
        let section = |count: usize| -> Vec<Record> {
            let owners = (0..count).map(|number| nsec(&format!("a{number}.example"), "z.example"));
            // Repeats, and what denies nothing, do not count.
            let data = RData::try_from_str(RecordType::A, "192.0.2.1").unwrap();
            let other = Record::from_rdata(wire("b.example"), 60, data);
            owners.clone().chain([other]).chain(owners).collect()
        };
        for (count, read, more) in [(0, 0, false), (1, 1, false), (8, 8, false), (9, 8, true)] {
            let section = section(count);
            assert_eq!(denials(&section).len(), read, "{count}");
            assert_eq!(too_many(&section), more, "{count}");
        }
    }

    #[test]
    fn denials_are_the_same_where_the_next_names_are_to_the_letter() {
        let set = |next: WireName| {
            let data = RData::DNSSEC(DNSSECRData::NSEC(NSEC::new(next, [RecordType::A])));
            denials(&[Record::from_rdata(wire("a.example"), 60, data)]).remove(0)
        };
        let upper = || WireName::from_labels([&b"C"[..], b"example"]).unwrap();
        assert!(same_case(&set(wire("c.example")), &set(wire("c.example"))));
        assert!(same_case(&set(upper()), &set(upper())));
        assert!(!same_case(&set(wire("c.example")), &set(upper())));
    }
}
