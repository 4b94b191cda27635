//! The TLSA records of one owner together: what clients make of the set
//! (RFC 2181 section 5.2, RFC 7671 sections 8 and 9).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::lint::finding::{Remark, Severity};
use crate::lint::record::{Record, long_ttl, short_ttl};
use crate::tlsa::{Matching, Params, Tlsa};

/// More records than this are too many for some clients and for UDP.
const MANY: usize = 12;

/// What there is to say of a set, each with the index of the record it is at.
pub(super) fn remarks(set: &[&Record]) -> Vec<(usize, Remark)> {
    let mut remarks = Vec::new();
    let Some(first) = set.first() else {
        return remarks;
    };
    if let Some(other) = set.iter().position(|record| record.ttl != first.ttl) {
        remarks.push((
            other,
            Remark::new(
                "ttl-differs",
                Severity::Warning,
                format!(
                    "the TTL is {} here and {} at {}:{}: BIND and NSD take the first, Knot the last (RFC 2181 section 5.2)",
                    seconds(set[other].ttl),
                    seconds(first.ttl),
                    first.place.file,
                    first.place.line
                ),
                "give all records of one owner and type the same TTL",
            ),
        ));
    }
    let longest = set
        .iter()
        .enumerate()
        .max_by_key(|(at, record)| (record.ttl, usize::MAX - at));
    if let Some((at, record)) = longest {
        remarks.extend(long_ttl(record.ttl).map(|remark| (at, remark)));
    }
    let shortest = set
        .iter()
        .enumerate()
        .min_by_key(|(at, record)| (record.ttl.unwrap_or(u32::MAX), *at));
    if let Some((at, record)) = shortest {
        remarks.extend(short_ttl(record.ttl).map(|remark| (at, remark)));
    }
    if set.len() == 1 {
        return remarks;
    }
    let mut known: BTreeMap<&Tlsa, &Record> = BTreeMap::new();
    for (at, record) in set.iter().enumerate() {
        match known.entry(&record.tlsa) {
            Entry::Vacant(new) => {
                new.insert(record);
            }
            Entry::Occupied(twin) => {
                let message = format!(
                    "the same record stands at {}:{}",
                    twin.get().place.file,
                    twin.get().place.line
                );
                remarks.push((
                    at,
                    Remark::new(
                        "duplicate-record",
                        Severity::Note,
                        message,
                        "remove one of them",
                    ),
                ));
            }
        }
    }
    let distinct: BTreeSet<&Tlsa> = known.into_keys().collect();
    if distinct.len() > MANY {
        remarks.push((
            0,
            Remark::new(
                "many-records",
                Severity::Warning,
                format!(
                    "the set has {} records; some clients give up at so many, and answers outgrow UDP",
                    distinct.len()
                ),
                "remove the records of keys that are gone, with danewright prune",
            ),
        ));
    }
    if let Some((params, remark)) = unequal(&distinct) {
        let at = set
            .iter()
            .position(|record| record.tlsa.params == params)
            .unwrap_or(0);
        remarks.push((at, remark));
    }
    remarks
}

fn seconds(ttl: Option<u32>) -> String {
    ttl.map_or_else(|| "not stated".to_owned(), |ttl| ttl.to_string())
}

/// Parameters that not every key of the set has a record with, told by counting:
/// which digest is which key's cannot be seen. The parameters with fewer records
/// come with the remark.
fn unequal(set: &BTreeSet<&Tlsa>) -> Option<(Params, Remark)> {
    let mut counts: BTreeMap<Params, usize> = BTreeMap::new();
    for tlsa in set.iter().filter(|tlsa| is_usable(tlsa)) {
        *counts.entry(tlsa.params).or_default() += 1;
    }
    let pairs = counts.iter().flat_map(|(one, count)| {
        counts
            .range(one..)
            .skip(1)
            .map(move |other| ((one, count), other))
    });
    let mut weaker = None;
    for ((one, &count), (other, &others)) in pairs {
        let same_part = one.usage == other.usage && one.selector == other.selector;
        // An issuer's record covers any number of keys, so it is not counted against theirs.
        if !same_part && (one.usage.names_an_authority() || other.usage.names_an_authority()) {
            continue;
        }
        if count == others && !(same_part && full_without_digest(set, *one, *other)) {
            continue;
        }
        let fewer = if count <= others { *one } else { *other };
        let counted = format!(
            "{} with {one} and {} with {other}",
            records(count),
            records(others)
        );
        let hint =
            "give each key a record with each set of parameters, or use one set of parameters only";
        // Full data is looked at whatever digests there are (RFC 7671 section 9).
        if same_part && one.matching != Matching::FULL {
            let message = format!(
                "there are {counted}: a client that looks at one matching type only (RFC 7671 section 9) misses a key"
            );
            return Some((
                fewer,
                Remark::new("unequal-parameter-sets", Severity::Warning, message, hint),
            ));
        }
        let message =
            format!("there are {counted}: some key lacks one of them (RFC 7671 section 8)");
        weaker = weaker.or(Some((
            fewer,
            Remark::new("unequal-parameter-sets", Severity::Note, message, hint),
        )));
    }
    weaker
}

fn records(count: usize) -> String {
    format!("{count} record{}", if count == 1 { "" } else { "s" })
}

fn is_usable(tlsa: &Tlsa) -> bool {
    let Params {
        usage,
        selector,
        matching,
    } = tlsa.params;
    let length = matching
        .octets()
        .is_none_or(|octets| octets == tlsa.data.len());
    usage.0 <= 3 && selector.0 <= 1 && matching.0 <= 2 && length && !tlsa.is_digest_of_nothing()
}

/// Whether full data stands there whose digest is not among the records of the
/// other matching type.
fn full_without_digest(set: &BTreeSet<&Tlsa>, one: Params, other: Params) -> bool {
    let (full, digest) = if one.matching == Matching::FULL {
        (one, other)
    } else {
        (other, one)
    };
    full.matching == Matching::FULL
        && set
            .iter()
            .filter(|tlsa| tlsa.params == full)
            .any(|tlsa| Tlsa::of(&tlsa.data, digest).is_ok_and(|digest| !set.contains(&digest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::tlsa::{Selector, Usage};
    use crate::zone::text::reader::Place;

    fn record(params: &str, seed: &str, ttl: u32) -> Record {
        let mut numbers = params.split(' ').map(|number| number.parse().unwrap());
        let mut next = || numbers.next().unwrap();
        let params = Params {
            usage: Usage(next()),
            selector: Selector(next()),
            matching: Matching(next()),
        };
        Record {
            owner: Name::from_user("_25._tcp.mail.example.com").unwrap(),
            place: Place {
                file: "z".to_owned(),
                line: 1,
                column: 1,
            },
            ttl: Some(ttl),
            tlsa: Tlsa::of(seed.as_bytes(), params).unwrap(),
        }
    }

    fn codes(set: &[Record]) -> Vec<(usize, &'static str, Severity)> {
        let set: Vec<&Record> = set.iter().collect();
        remarks(&set)
            .into_iter()
            .map(|(at, remark)| (at, remark.code, remark.severity))
            .collect()
    }

    /// One set of records: parameters and key of each.
    fn sets(records: &[(&str, &str)]) -> Vec<(usize, &'static str, Severity)> {
        codes(
            &records
                .iter()
                .map(|(params, seed)| record(params, seed, 3600))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn ttls_of_a_set_are_one_and_not_above_a_day() {
        let set = |one, two| codes(&[record("3 1 1", "a", one), record("3 1 1", "b", two)]);
        assert_eq!(set(3600, 3600), []);
        assert_eq!(set(2, 2), []);
        assert_eq!(set(1, 1), [(0, "short-ttl", Severity::Note)]);
        assert_eq!(set(0, 0), [(0, "short-ttl", Severity::Note)]);
        assert_eq!(set(3600, 7200), [(1, "ttl-differs", Severity::Warning)]);
        assert_eq!(set(86_400, 86_400), []);
        assert_eq!(set(86_401, 86_401), [(0, "long-ttl", Severity::Warning)]);
    }

    #[test]
    fn a_record_that_stands_twice_is_told_once() {
        assert_eq!(
            sets(&[("3 1 1", "a"), ("3 1 1", "a")]),
            [(1, "duplicate-record", Severity::Note)]
        );
        assert_eq!(sets(&[("3 1 1", "a"), ("3 1 1", "b")]), []);
    }

    #[test]
    fn a_dozen_is_not_too_many_and_one_more_is() {
        let keys: Vec<Record> = (0..13)
            .map(|key| record("3 1 1", &key.to_string(), 60))
            .collect();
        assert_eq!(codes(&keys[..12]), []);
        assert_eq!(codes(&keys), [(0, "many-records", Severity::Warning)]);
    }

    #[test]
    fn every_key_has_the_same_parameters() {
        let unequal = |severity| [(1, "unequal-parameter-sets", severity)];
        // Two keys, and the stronger digest of one of them only: it hides the other.
        let one_strong = [("3 1 1", "a"), ("3 1 2", "a"), ("3 1 1", "b")];
        assert_eq!(sets(&one_strong), unequal(Severity::Warning));
        assert_eq!(sets(&[&one_strong[..], &[("3 1 2", "b")]].concat()), []);
        assert_eq!(
            sets(&[("2 1 1", "a"), ("2 1 2", "a"), ("2 1 1", "b")]),
            unequal(Severity::Warning)
        );
        assert_eq!(
            sets(&[("3 1 1", "a"), ("3 0 1", "a"), ("3 1 1", "b")]),
            unequal(Severity::Note)
        );
        // An issuer beside two keys is common and sound.
        assert_eq!(sets(&[("3 1 1", "a"), ("3 1 1", "b"), ("2 1 1", "ca")]), []);
        // Full data shows whose it is.
        assert_eq!(
            sets(&[("3 1 1", "a"), ("3 1 0", "b")]),
            [(1, "unequal-parameter-sets", Severity::Note)]
        );
        assert_eq!(sets(&[("3 1 1", "a"), ("3 1 0", "a")]), []);
    }
}
