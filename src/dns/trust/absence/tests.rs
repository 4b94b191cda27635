//! The rules as tables: which denials prove which claim. Names are relative to
//! the zone `z.example`, and `@` is its apex.

use RecordType::{A, CNAME, DNAME, DS, NS, SOA, TLSA, TXT};
use hickory_proto::dnssec::Nsec3HashAlgorithm;
use hickory_proto::rr::Record;

use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::rrset::denials;
use crate::name::Name;

use super::*;

const NO_DATA: Claim = Claim::NoData(TLSA);
const NO_NAME: Claim = Claim::NoName;

fn wire(name: &str) -> WireName {
    let zone = Name::from_user("z.example").unwrap();
    to_hickory(&Name::from_zone_text(name.as_bytes(), Some(&zone)).unwrap())
}

/// Owner, next name, types at the owner.
type Nsec = (&'static str, &'static str, &'static [RecordType]);

fn by_nsec(records: &[Nsec], name: &str, claim: Claim) -> Absence {
    let record = |(owner, next, types): &Nsec| {
        let nsec = NSEC::new(wire(next), types.iter().copied());
        Record::from_rdata(wire(owner), 60, RData::DNSSEC(DNSSECRData::NSEC(nsec)))
    };
    let section: Vec<Record> = records.iter().map(record).collect();
    absence(&denials(&section), &wire("@"), &wire(name), claim)
}

#[test]
fn nsec_proves_what_it_says_and_no_more() {
    let apex: &[RecordType] = &[SOA, NS];
    let cases: &[(&str, &[Nsec], &str, Claim, bool)] = &[
        ("nothing", &[], "a", NO_DATA, false),
        // At the name itself.
        ("no such type", &[("a", "c", &[A])], "a", NO_DATA, true),
        (
            "the type is there",
            &[("a", "c", &[A, TLSA])],
            "a",
            NO_DATA,
            false,
        ),
        (
            "an alias is there",
            &[("a", "c", &[CNAME])],
            "a",
            NO_DATA,
            false,
        ),
        (
            "the parent's side of a cut",
            &[("a", "c", &[NS])],
            "a",
            NO_DATA,
            false,
        ),
        (
            "the parent's side of a signed cut",
            &[("a", "c", &[NS, DS])],
            "a",
            NO_DATA,
            false,
        ),
        (
            "a name that is renamed below",
            &[("a", "c", &[DNAME])],
            "a",
            NO_DATA,
            true,
        ),
        ("the apex", &[("@", "a", apex)], "@", NO_DATA, true),
        (
            "the name is there",
            &[("a", "c", &[A])],
            "a",
            NO_NAME,
            false,
        ),
        (
            "a name that is said not to be there",
            &[("a", "\\000.a", &[NXNAME])],
            "a",
            NO_NAME,
            true,
        ),
        (
            "the same without that code",
            &[("a", "\\000.a", &[NXNAME])],
            "a",
            NO_DATA,
            true,
        ),
        ("a black lie", &[("a", "\\000.a", &[])], "a", NO_DATA, true),
        (
            "a black lie about another",
            &[("b", "\\000.b", &[])],
            "a",
            NO_DATA,
            false,
        ),
        // Names between, and the wildcard.
        (
            "neither it nor a wildcard",
            &[("@", "a", apex), ("a", "c", &[A])],
            "b",
            NO_NAME,
            true,
        ),
        (
            "the wildcard is not spoken of",
            &[("a", "c", &[A])],
            "b",
            NO_NAME,
            false,
        ),
        (
            "only the wildcard is spoken of",
            &[("@", "a", apex)],
            "b",
            NO_NAME,
            false,
        ),
        (
            "the wildcard is there",
            &[("*", "a", &[TXT]), ("a", "c", &[A])],
            "b",
            NO_NAME,
            false,
        ),
        ("one for both", &[("@", "c", apex)], "b", NO_NAME, true),
        (
            "one for both, at the end",
            &[("a", "@", &[A])],
            "x.a",
            NO_NAME,
            true,
        ),
        (
            "below a name that is there",
            &[("a", "c", &[A])],
            "x.a",
            NO_NAME,
            true,
        ),
        (
            "far below",
            &[("a", "c", &[A])],
            "_25._tcp.x.a",
            NO_NAME,
            true,
        ),
        (
            "white lies",
            &[("a~", "b~", &[]), ("!", "+", &[])],
            "b",
            NO_NAME,
            true,
        ),
        (
            "a white lie about the name alone",
            &[("a~", "b~", &[])],
            "b",
            NO_NAME,
            false,
        ),
        (
            "nothing has the name, said as no type",
            &[("@", "c", apex)],
            "b",
            NO_DATA,
            false,
        ),
        (
            "the last of a zone",
            &[("c", "@", &[A]), ("@", "a", apex)],
            "d",
            NO_NAME,
            true,
        ),
        (
            "the last of a zone, for a name before",
            &[("c", "@", &[A]), ("@", "a", apex)],
            "b",
            NO_NAME,
            false,
        ),
        (
            "of another zone",
            &[("a.example.", "zz.example.", &[A])],
            "b",
            NO_NAME,
            false,
        ),
        // Above a cut nobody knows what is below.
        ("below a cut", &[("a", "c", &[NS])], "x.a", NO_NAME, false),
        (
            "below a DNAME",
            &[("a", "c", &[DNAME])],
            "x.a",
            NO_NAME,
            false,
        ),
        (
            "below a cut, as a type",
            &[("a", "y.x.a", &[NS])],
            "x.a",
            NO_DATA,
            false,
        ),
        // Names that are there for those below them.
        ("an empty name", &[("a", "x.b", &[A])], "b", NO_DATA, true),
        (
            "an empty name, two steps up",
            &[("a", "x.y.b", &[A])],
            "b",
            NO_DATA,
            true,
        ),
        (
            "between names below it, which may have records",
            &[("a.b", "x.b", &[A])],
            "b",
            NO_DATA,
            false,
        ),
        (
            "an empty name, as another zone says",
            &[("a.example.", "x.b", &[A])],
            "b",
            NO_DATA,
            false,
        ),
        (
            "an empty name is there",
            &[("a", "x.b", &[A]), ("@", "a", apex)],
            "b",
            NO_NAME,
            false,
        ),
        (
            "a name before an empty one",
            &[("a", "x.c", &[A]), ("@", "a", apex)],
            "b",
            NO_NAME,
            true,
        ),
        // Types that a wildcard does not have.
        (
            "a wildcard without it",
            &[("*", "a", &[TXT]), ("a", "c", &[A])],
            "b",
            NO_DATA,
            true,
        ),
        (
            "a wildcard with it",
            &[("*", "a", &[TLSA]), ("a", "c", &[A])],
            "b",
            NO_DATA,
            false,
        ),
        (
            "a wildcard alias",
            &[("*", "a", &[CNAME]), ("a", "c", &[A])],
            "b",
            NO_DATA,
            false,
        ),
        (
            "one for the name and the wildcard",
            &[("*", "c", &[TXT])],
            "b",
            NO_DATA,
            true,
        ),
        (
            "a wildcard that is not the nearest",
            &[("*", "a", &[TXT]), ("a", "c", &[A])],
            "x.a",
            NO_DATA,
            false,
        ),
        (
            "the nearest wildcard",
            &[("*.a", "b", &[TXT])],
            "x.a",
            NO_DATA,
            true,
        ),
        (
            "the nearest wildcard is there, further up",
            &[("*.a", "c", &[TXT])],
            "y.x.a",
            NO_NAME,
            false,
        ),
        (
            "an empty wildcard",
            &[("@", "x.*", apex), ("a", "c", &[A])],
            "b",
            NO_DATA,
            true,
        ),
        (
            "a wildcard, and the name may be there",
            &[("*", "a", &[TXT])],
            "b",
            NO_DATA,
            false,
        ),
        // Two at one owner.
        (
            "a contradiction",
            &[("a", "c", &[A]), ("a", "d", &[A])],
            "a",
            NO_DATA,
            false,
        ),
        // Delegations without DS.
        (
            "a cut without DS",
            &[("a", "c", &[NS])],
            "a",
            Claim::Unsigned,
            true,
        ),
        (
            "a cut with DS",
            &[("a", "c", &[NS, DS])],
            "a",
            Claim::Unsigned,
            false,
        ),
        (
            "no cut at all",
            &[("a", "c", &[A])],
            "a",
            Claim::Unsigned,
            false,
        ),
        (
            "its own apex",
            &[("a", "c", &[NS, SOA])],
            "a",
            Claim::Unsigned,
            false,
        ),
        (
            "no such name",
            &[("@", "c", apex)],
            "b",
            Claim::Unsigned,
            false,
        ),
    ];
    for (what, records, name, claim, proven) in cases {
        let expected = if *proven {
            Absence::Proven
        } else {
            Absence::Unproven
        };
        assert_eq!(by_nsec(records, name, *claim), expected, "{what}");
    }
}

/// A chain of NSEC3 records over these names, of which only some are shown.
struct Chain {
    names: Vec<(&'static str, &'static [RecordType])>,
    opt_out: bool,
    rounds: u16,
}

fn hash(name: &WireName, rounds: u16) -> Vec<u8> {
    Nsec3HashAlgorithm::SHA1
        .hash(&[0xab], name, rounds)
        .unwrap()
        .as_ref()
        .to_vec()
}

fn label(hash: &[u8]) -> String {
    let bits: Vec<u8> = hash
        .iter()
        .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1))
        .collect();
    let digit = |bits: &[u8]| {
        bits.iter()
            .fold(0, |value, bit| value << 1 | u32::from(*bit))
    };
    bits.chunks(5)
        .map(|bits| char::from_digit(digit(bits), 32).unwrap())
        .collect()
}

impl Chain {
    /// The records at or over these names.
    fn showing(&self, names: &[&str]) -> Vec<Record> {
        let mut all: Vec<(Vec<u8>, &[RecordType])> = self
            .names
            .iter()
            .map(|(name, types)| (hash(&wire(name), self.rounds), *types))
            .collect();
        all.sort();
        let mut shown = Vec::new();
        for name in names {
            let hash = hash(&wire(name), self.rounds);
            let before = all
                .iter()
                .rposition(|(own, _)| *own <= hash)
                .unwrap_or(all.len() - 1);
            let (own, types) = &all[before];
            let next = all[(before + 1) % all.len()].0.clone();
            let (algorithm, types) = (Nsec3HashAlgorithm::SHA1, types.iter().copied());
            let nsec3 = NSEC3::new(
                algorithm,
                self.opt_out,
                self.rounds,
                vec![0xab],
                next,
                types,
            );
            let owner = wire(&label(own));
            shown.push(Record::from_rdata(
                owner,
                60,
                RData::DNSSEC(DNSSECRData::NSEC3(nsec3)),
            ));
        }
        shown
    }
}

#[test]
fn nsec3_proves_what_it_says_and_no_more() {
    const APEX: (&str, &[RecordType]) = ("@", &[SOA, NS]);
    use Absence::{CannotTell, Proven, Unproven};
    let opted = CannotTell("it lies in a span of names that opts out of DNSSEC");
    type Case = (
        &'static str,
        Vec<(&'static str, &'static [RecordType])>,
        bool,
        Vec<&'static str>,
        &'static str,
        Claim,
        Absence,
    );
    let cases: Vec<Case> = vec![
        ("nothing", vec![APEX], false, vec![], "a", NO_DATA, Unproven),
        (
            "no such type",
            vec![APEX, ("a", &[A])],
            false,
            vec!["a"],
            "a",
            NO_DATA,
            Proven,
        ),
        (
            "no such type, beside opting out",
            vec![APEX, ("a", &[A])],
            true,
            vec!["a"],
            "a",
            NO_DATA,
            Proven,
        ),
        (
            "the type is there",
            vec![APEX, ("a", &[TLSA])],
            false,
            vec!["a"],
            "a",
            NO_DATA,
            Unproven,
        ),
        (
            "an alias is there",
            vec![APEX, ("a", &[CNAME])],
            false,
            vec!["a"],
            "a",
            NO_DATA,
            Unproven,
        ),
        (
            "the parent's side of a cut",
            vec![APEX, ("a", &[NS])],
            false,
            vec!["a"],
            "a",
            NO_DATA,
            Unproven,
        ),
        (
            "an empty name",
            vec![APEX, ("b", &[]), ("x.b", &[A])],
            false,
            vec!["b"],
            "b",
            NO_DATA,
            Proven,
        ),
        (
            "the name is there",
            vec![APEX, ("a", &[A])],
            false,
            vec!["a", "*"],
            "a",
            NO_NAME,
            Unproven,
        ),
        (
            "no such name",
            vec![APEX, ("a", &[A])],
            false,
            vec!["@", "b", "*"],
            "b",
            NO_NAME,
            Proven,
        ),
        (
            "no such name below one",
            vec![APEX, ("a", &[A])],
            false,
            vec!["a", "x.a", "*.a"],
            "x.a",
            NO_NAME,
            Proven,
        ),
        (
            "far below",
            vec![APEX, ("a", &[A])],
            false,
            vec!["a", "x.a", "*.a"],
            "z.y.x.a",
            NO_NAME,
            Proven,
        ),
        (
            "the encloser missing",
            vec![("c", &[A]), ("a", &[A])],
            false,
            vec!["b", "*"],
            "b",
            NO_NAME,
            Unproven,
        ),
        (
            "the wildcard is there",
            vec![APEX, ("*", &[TXT])],
            false,
            vec!["@", "b", "*"],
            "b",
            NO_NAME,
            Unproven,
        ),
        (
            "below a cut",
            vec![APEX, ("a", &[NS])],
            false,
            vec!["a", "x.a", "*.a"],
            "x.a",
            NO_NAME,
            Unproven,
        ),
        (
            "below a DNAME",
            vec![APEX, ("a", &[DNAME])],
            false,
            vec!["a", "x.a", "*.a"],
            "x.a",
            NO_NAME,
            Unproven,
        ),
        (
            "a wildcard without it",
            vec![APEX, ("*", &[TXT])],
            false,
            vec!["@", "b", "*"],
            "b",
            NO_DATA,
            Proven,
        ),
        (
            "a wildcard with it",
            vec![APEX, ("*", &[TLSA])],
            false,
            vec!["@", "b", "*"],
            "b",
            NO_DATA,
            Unproven,
        ),
        (
            "no such name, said as no type",
            vec![APEX],
            false,
            vec!["@", "b", "*"],
            "b",
            NO_DATA,
            Unproven,
        ),
        (
            "opting out",
            vec![APEX, ("a", &[A])],
            true,
            vec!["@", "b", "*"],
            "b",
            NO_NAME,
            opted,
        ),
        (
            "opting out, as no type",
            vec![APEX, ("a", &[A])],
            true,
            vec!["@", "b", "*"],
            "b",
            NO_DATA,
            opted,
        ),
        (
            "a cut without DS",
            vec![APEX, ("a", &[NS])],
            false,
            vec!["a"],
            "a",
            Claim::Unsigned,
            Proven,
        ),
        (
            "a cut with DS",
            vec![APEX, ("a", &[NS, DS])],
            false,
            vec!["a"],
            "a",
            Claim::Unsigned,
            Unproven,
        ),
        (
            "a cut that opts out",
            vec![APEX, ("c", &[A])],
            true,
            vec!["@", "a"],
            "a",
            Claim::Unsigned,
            Proven,
        ),
        (
            "no cut",
            vec![APEX, ("c", &[A])],
            false,
            vec!["@", "a"],
            "a",
            Claim::Unsigned,
            Unproven,
        ),
    ];
    for (what, names, opt_out, shown, name, claim, expected) in cases {
        let shown = Chain {
            names,
            opt_out,
            rounds: 1,
        }
        .showing(&shown);
        assert_eq!(
            absence(&denials(&shown), &wire("@"), &wire(name), claim),
            expected,
            "{what}"
        );
    }
}

#[test]
fn what_is_hashed_too_often_or_in_two_ways_cannot_be_told() {
    let chain = |rounds| Chain {
        names: vec![("@", &[SOA, NS]), ("a", &[A])],
        opt_out: false,
        rounds,
    };
    for (rounds, expected) in [
        (0, Absence::Proven),
        (100, Absence::Proven),
        (
            101,
            Absence::CannotTell(
                "its NSEC3 records take more rounds of hashing than are computed here",
            ),
        ),
    ] {
        let shown = chain(rounds).showing(&["a"]);
        assert_eq!(
            absence(&denials(&shown), &wire("@"), &wire("a"), NO_DATA),
            expected,
            "{rounds}"
        );
    }
    let mixed = [chain(1).showing(&["a"]), chain(2).showing(&["@"])].concat();
    let found = absence(&denials(&mixed), &wire("@"), &wire("a"), NO_DATA);
    assert_eq!(
        found,
        Absence::CannotTell("its NSEC3 records are of different chains")
    );
}

#[test]
fn letter_case_does_not_matter_and_names_outside_are_not_spoken_of() {
    assert_eq!(by_nsec(&[("A", "C", &[A])], "a", NO_DATA), Absence::Proven);
    assert_eq!(
        by_nsec(&[("A", "C", &[A])], "B.a", NO_NAME),
        Absence::Proven
    );
    assert_eq!(
        by_nsec(&[("a", "c", &[A])], "b.example.", NO_NAME),
        Absence::Unproven
    );
    let chain = Chain {
        names: vec![("@", &[SOA, NS]), ("a", &[A])],
        opt_out: false,
        rounds: 1,
    };
    for (zone, expected) in [
        ("Z.Example.", Absence::Proven),
        ("y.example.", Absence::Unproven),
    ] {
        let mut shown = chain.showing(&["a"]);
        for record in &mut shown {
            let label = record.name.iter().next().unwrap().to_vec();
            record.name = wire(zone).prepend_label(label.as_slice()).unwrap();
        }
        let found = absence(&denials(&shown), &wire("@"), &wire("a"), NO_DATA);
        assert_eq!(found, expected, "{zone}");
    }
}
