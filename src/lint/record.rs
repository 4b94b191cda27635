//! One TLSA record by itself: is its data what its numbers say, and are the
//! numbers a sound choice at its port (RFC 6698 section 2.1, RFC 7671, RFC 7672).

use crate::dane::{IllAdvised, ill_advised};
use crate::lint::finding::{Remark, Severity};
use crate::name::Name;
use crate::tlsa::{Matching, Port, Tlsa};
use crate::zone::text::rdata::{self, rdata_words};
use crate::zone::text::reader::Place;
use crate::zone::text::scan::Fields;

/// A TLSA record of the zone.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its owner.
    pub owner: Name,
    /// Where its type stands.
    pub place: Place,
    /// The TTL in force for it, in seconds, as BIND reads it.
    pub ttl: Option<u32>,
    /// Its data.
    pub tlsa: Tlsa,
}

/// Full data of more octets than this makes answers that may outgrow UDP.
const LARGE: usize = 512;

/// A TTL above this, a day, makes every key change a matter of days.
const DAY: u32 = 86_400;

/// Reads a record's data.
///
/// # Errors
///
/// At which octet of the entry it is wrong, and what to say of it.
pub(super) fn read(text: &[u8], fields: &Fields) -> Result<Tlsa, (usize, Remark)> {
    let wrong = |at, code, message: String, hint| {
        Err((at, Remark::new(code, Severity::Error, message, hint)))
    };
    let error = match rdata::tlsa(text, fields) {
        Ok(tlsa) if tlsa.data.is_empty() => {
            let message = format!("the record {} has no association data", tlsa.params);
            return wrong(
                fields.rtype.start,
                "empty-digest",
                message,
                "make the record again with danewright tlsa",
            );
        }
        Ok(tlsa) => return Ok(tlsa),
        Err(error) => error,
    };
    let words = rdata_words(text, fields);
    let generic = words.first().is_some_and(|word| word.of(text) == b"\\#");
    let data = words.get(if generic { 2 } else { 3 }..).unwrap_or(&[]);
    let digits: Vec<u8> = data
        .iter()
        .flat_map(|word| word.of(text).iter().copied())
        .collect();
    if digits.is_empty() && (generic || words.len() == 3) {
        let message = "the record has no association data; some NSD take it so".to_owned();
        return wrong(
            fields.rtype.start,
            "empty-digest",
            message,
            "make the record again with danewright tlsa",
        );
    }
    if digits.len() % 2 == 1 && digits.iter().all(u8::is_ascii_hexdigit) {
        let message = format!(
            "the association data has {} hex digits, an odd number; some NSD add a 0",
            digits.len()
        );
        return wrong(
            error.at,
            "odd-digest",
            message,
            "a digit was lost or added: compare with danewright tlsa",
        );
    }
    wrong(
        error.at,
        "bad-data",
        error.what,
        "make the record again with danewright tlsa",
    )
}

/// What there is to say of a record's data, at this port where it has one.
pub(super) fn remarks(tlsa: &Tlsa, port: Option<Port>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    remarks.extend(length(tlsa));
    if tlsa.is_digest_of_nothing() {
        remarks.push(Remark::new(
            "digest-of-nothing",
            Severity::Error,
            format!(
                "the record {} is the digest of empty input, which no key has",
                tlsa.params
            ),
            "the program that made it read no key; make the record again with danewright tlsa",
        ));
    }
    let choices = ill_advised(tlsa.params, port).into_iter();
    remarks.extend(choices.filter_map(|choice| regretted(choice, tlsa, port)));
    remarks
}

/// What there is to say of a choice that is allowed and regretted.
fn regretted(choice: IllAdvised, tlsa: &Tlsa, port: Option<Port>) -> Option<Remark> {
    let (params, octets) = (tlsa.params, tlsa.data.len());
    let (usage, number) = (params.usage.0, port.map_or(0, |port| port.number));
    Some(match choice {
        IllAdvised::BreaksOnRenewal => Remark::new(
            "breaks-on-renewal",
            Severity::Warning,
            format!(
                "{params} names the whole certificate and breaks with every renewal (RFC 7671 section 5.1)"
            ),
            "publish the key instead, with selector 1, before the next renewal",
        ),
        IllAdvised::FullData if octets == 0 => return None,
        IllAdvised::FullData => Remark::new(
            "full-data",
            if octets > LARGE {
                Severity::Warning
            } else {
                Severity::Note
            },
            format!(
                "{params} publishes {octets} octets instead of a digest (RFC 7671 section 10.1)"
            ),
            "matching type 1 says the same in 32 octets; answers that outgrow UDP are lost on some paths",
        ),
        IllAdvised::PublicCaForSmtp => Remark::new(
            "pkix-usage",
            Severity::Warning,
            format!(
                "usage {usage} should not stand at port 25: senders may treat it as unusable (RFC 7672 section 3.1.3)"
            ),
            "publish 3 1 1 for the server's key, or 2 1 1 for its issuer",
        ),
        IllAdvised::PublicCaBesides => Remark::new(
            "pkix-usage",
            Severity::Note,
            format!(
                "usage {usage} at mail port {number} demands a public CA besides (RFC 7671 section 4.1)"
            ),
            "3 1 1 or 2 1 1 work for clients that trust no public CA too",
        ),
        IllAdvised::PrivateNumbers => Remark::new(
            "private-parameters",
            Severity::Note,
            format!(
                "{params} has the number 255, which only clients of your own understand (RFC 6698 section 7)"
            ),
            "clients elsewhere pass over it",
        ),
        IllAdvised::UnassignedNumbers => Remark::new(
            "unknown-parameters",
            Severity::Warning,
            format!("{params} has a number that no client knows (RFC 6698 section 7)"),
            "usage is 0 to 3, selector 0 or 1, matching type 0 to 2",
        ),
    })
}

/// Whether the data can be what the matching type says.
fn length(tlsa: &Tlsa) -> Option<Remark> {
    let found = tlsa.data.len();
    let wrong = |message| {
        Remark::new(
            "wrong-length",
            Severity::Error,
            message,
            "no client can match it; make it again",
        )
    };
    if let Some(octets) = tlsa.params.matching.octets() {
        return (found != octets).then(|| {
            wrong(format!(
                "matching type {} has {octets} octets and here are {found}",
                tlsa.params.matching.0
            ))
        });
    }
    let whole = tlsa.params.matching != Matching::FULL || der_length(&tlsa.data) == Some(found);
    (!whole).then(|| {
        let guess = match found {
            32 => "; a digest of 32 octets has matching type 1",
            64 => "; a digest of 64 octets has matching type 2",
            _ => "",
        };
        wrong(format!(
            "matching type 0 has a whole certificate or key in DER, and these {found} octets are none{guess}"
        ))
    })
}

/// How long a DER sequence says that it is, head included.
fn der_length(data: &[u8]) -> Option<usize> {
    let [0x30, first, rest @ ..] = data else {
        return None;
    };
    let count = usize::from(first & 0x7f);
    if *first < 0x80 {
        return Some(2 + count);
    }
    let octets = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
    let length = octets
        .iter()
        .fold(0usize, |sum, octet| (sum << 8) | usize::from(*octet));
    length.checked_add(2 + count)
}

/// A TTL that makes key changes slow.
pub(super) fn long_ttl(ttl: Option<u32>) -> Option<Remark> {
    let ttl = ttl.filter(|ttl| *ttl > DAY)?;
    Some(Remark::new(
        "long-ttl",
        Severity::Warning,
        format!(
            "the TTL is {ttl} seconds, more than a day: a key change has to wait for twice that"
        ),
        "an hour or two is usual for TLSA records",
    ))
}

/// A TTL that keeps nothing in caches.
pub(super) fn short_ttl(ttl: Option<u32>) -> Option<Remark> {
    let ttl = ttl.filter(|ttl| *ttl <= 1)?;
    Some(Remark::new(
        "short-ttl",
        Severity::Note,
        format!(
            "the TTL is {ttl}: no cache keeps the record, so mail waits whenever a name server does"
        ),
        "an hour or two is usual for TLSA records; 1 is how some providers export what they call automatic",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::text::scan::{self, Kind};

    fn codes(rdata: &str, port: &str) -> Vec<(&'static str, Severity)> {
        let text = format!("a TLSA {rdata}\n");
        let scanned = scan::entry(text.as_bytes(), true).unwrap();
        let Kind::Record(fields) = scanned.kind else {
            return vec![("unread", Severity::Error)];
        };
        match read(text.as_bytes(), &fields) {
            Ok(tlsa) => remarks(&tlsa, port.parse().ok())
                .iter()
                .map(|r| (r.code, r.severity))
                .collect(),
            Err((_, remark)) => vec![(remark.code, remark.severity)],
        }
    }

    #[test]
    fn each_fault_of_a_record_has_its_code_and_its_twin_has_none() {
        use Severity::{Error, Note, Warning};
        let digest = "8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let nothing_512 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                           47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
        let large = format!("30820300{}", "00".repeat(768));
        for (rdata, port, expected) in [
            (format!("3 1 1 {digest}"), "25", vec![]),
            (format!("2 1 1 {digest}"), "25", vec![]),
            (format!("3 1 2 {digest}{digest}"), "25", vec![]),
            (format!("1 1 1 {digest}"), "443", vec![]),
            (format!("\\# 35 030101{digest}"), "25", vec![]),
            (
                format!("3 1 1 {}", &digest[1..]),
                "25",
                vec![("odd-digest", Error)],
            ),
            (
                format!("\\# 35 030101{}", &digest[1..]),
                "25",
                vec![("odd-digest", Error)],
            ),
            ("3 1 1".to_owned(), "25", vec![("empty-digest", Error)]),
            (
                "\\# 3 030101".to_owned(),
                "25",
                vec![("empty-digest", Error)],
            ),
            ("\\# 3".to_owned(), "25", vec![("empty-digest", Error)]),
            ("3 1".to_owned(), "25", vec![("bad-data", Error)]),
            (format!("256 1 1 {digest}"), "25", vec![("bad-data", Error)]),
            ("3 1 1 xyz0".to_owned(), "25", vec![("bad-data", Error)]),
            (
                format!("\\# 34 030101{digest}"),
                "25",
                vec![("bad-data", Error)],
            ),
            (
                format!("3 1 1 {}", &digest[2..]),
                "25",
                vec![("wrong-length", Error)],
            ),
            (
                format!("3 1 2 {digest}"),
                "25",
                vec![("wrong-length", Error)],
            ),
            (
                format!("3 1 0 {digest}"),
                "25",
                vec![("wrong-length", Error), ("full-data", Note)],
            ),
            (
                format!("3 1 1 {nothing}"),
                "25",
                vec![("digest-of-nothing", Error)],
            ),
            (
                format!("3 1 2 {nothing_512}"),
                "25",
                vec![("digest-of-nothing", Error)],
            ),
            (format!("3 1 2 {}1", &nothing_512[..127]), "25", vec![]),
            (
                format!("3 0 1 {digest}"),
                "25",
                vec![("breaks-on-renewal", Warning)],
            ),
            (format!("2 0 1 {digest}"), "25", vec![]),
            (
                "3 1 0 3003020101".to_owned(),
                "25",
                vec![("full-data", Note)],
            ),
            (
                "3 1 0 3004020101".to_owned(),
                "25",
                vec![("wrong-length", Error), ("full-data", Note)],
            ),
            (format!("2 0 0 {large}"), "25", vec![("full-data", Warning)]),
            (
                format!("0 1 1 {digest}"),
                "25",
                vec![("pkix-usage", Warning)],
            ),
            (format!("1 1 1 {digest}"), "993", vec![("pkix-usage", Note)]),
            (
                format!("4 1 1 {digest}"),
                "25",
                vec![("unknown-parameters", Warning)],
            ),
            (
                format!("3 2 1 {digest}"),
                "25",
                vec![("unknown-parameters", Warning)],
            ),
            (
                "3 1 3 ab".to_owned(),
                "25",
                vec![("unknown-parameters", Warning)],
            ),
            (
                format!("255 1 1 {digest}"),
                "25",
                vec![("private-parameters", Note)],
            ),
        ] {
            assert_eq!(codes(&rdata, port), expected, "{rdata} {port}");
        }
    }

    #[test]
    fn a_day_is_not_too_long_a_ttl() {
        assert_eq!(long_ttl(Some(DAY)), None);
        assert_eq!(long_ttl(None), None);
        assert_eq!(
            long_ttl(Some(DAY + 1)).map(|remark| remark.code),
            Some("long-ttl")
        );
    }
}
