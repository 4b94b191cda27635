//! RDATA of the few records that edits read: TLSA and SOA, in fields and in
//! octets (RFC 3597 section 5).

use crate::name::Name;
use crate::serial;
use crate::tlsa::{Matching, Params, Selector, Tlsa, Usage, unhex};
use crate::zone::text::scan::Fields;
use crate::zone::text::ttl;
use crate::zone::text::words::{Span, words};

/// Why RDATA cannot be read, and at which octet of the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdataError {
    /// Offset from the entry's first octet.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

/// The words behind a record's type.
pub fn rdata_words(text: &[u8], fields: &Fields) -> Vec<Span> {
    words(text)
        .filter(|word| word.start >= fields.rtype.end)
        .collect()
}

/// Reads TLSA data: `3 1 1 8bd1…` (RFC 6698 section 2.2) or `\# 35 0301…`
/// (RFC 3597 section 5), the digits split by blanks and lines as anybody likes.
///
/// # Errors
///
/// What is not as it should be, also where some servers would let it pass.
pub fn tlsa(text: &[u8], fields: &Fields) -> Result<Tlsa, RdataError> {
    let words = rdata_words(text, fields);
    let wrong = |at: usize, what: String| RdataError { at, what };
    let end = words.last().map_or(fields.rtype.end, |word| word.end);
    let generic = words.first().is_some_and(|word| word.of(text) == b"\\#");
    let numbers = if generic { 1..2 } else { 0..3 };
    let data = words.get(numbers.end..).unwrap_or(&[]);
    let mut values = Vec::new();
    for at in numbers {
        let word = words
            .get(at)
            .ok_or_else(|| wrong(end, "the TLSA data ends too early".to_owned()))?;
        let value = number(word.of(text)).filter(|value| generic || *value <= 255);
        values.push(value.ok_or_else(|| {
            wrong(
                word.start,
                format!("{:?} is not a number from 0 to 255", lossy(word.of(text))),
            )
        })?);
    }
    let digits: Vec<u8> = data
        .iter()
        .flat_map(|word| word.of(text).iter().copied())
        .collect();
    let at = data.first().map_or(end, |word| word.start);
    let octets = unhex(&lossy(&digits)).map_err(|error| wrong(at, error.to_string()))?;
    if generic {
        if octets.len() as u64 != u64::from(values[0]) {
            return Err(wrong(
                at,
                format!(
                    "\\# announces {} octets and {} follow",
                    values[0],
                    octets.len()
                ),
            ));
        }
        return Tlsa::from_rdata(&octets).map_err(|error| wrong(at, error.to_string()));
    }
    if octets.is_empty() {
        return Err(wrong(
            end,
            "the TLSA data has no association data".to_owned(),
        ));
    }
    let small = |at: usize| u8::try_from(values[at]).unwrap_or(u8::MAX);
    let params = Params {
        usage: Usage(small(0)),
        selector: Selector(small(1)),
        matching: Matching(small(2)),
    };
    Ok(Tlsa {
        params,
        data: octets,
    })
}

/// Where a CNAME leads; `None` when its data is no name.
#[must_use]
pub fn leads_to(text: &[u8], fields: &Fields, origin: Option<&Name>) -> Option<Name> {
    let words = rdata_words(text, fields);
    let first = words.first()?.of(text);
    if first == b"\\#" {
        let digits: Vec<u8> = words
            .iter()
            .skip(2)
            .flat_map(|word| unquoted(word.of(text)).to_vec())
            .collect();
        return Name::from_wire(&unhex(&lossy(&digits)).ok()?).ok();
    }
    Name::from_zone_text(unquoted(first), origin).ok()
}

/// The serial that a ZONEMD record is for (RFC 8976 section 2.2.1).
#[must_use]
pub fn zonemd_serial(text: &[u8], fields: &Fields) -> Option<u32> {
    let words = rdata_words(text, fields);
    let first = words.first()?.of(text);
    if first != b"\\#" {
        return number(unquoted(first));
    }
    let digits: Vec<u8> = words
        .iter()
        .skip(2)
        .flat_map(|word| unquoted(word.of(text)).to_vec())
        .collect();
    unhex(&lossy(&digits))
        .ok()?
        .first_chunk()
        .copied()
        .map(u32::from_be_bytes)
}

/// What an edit needs of an SOA's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoaData {
    /// The serial's digits: one stretch, or several where octets are split.
    pub digits: Vec<Span>,
    /// Whether the digits are hex, eight in all (`\#`).
    pub octets: bool,
    /// Whether hex digits are written in capitals.
    capitals: bool,
    /// The serial.
    pub serial: u32,
    /// The minimum field: how long absence is cached (RFC 2308 section 4), in seconds.
    pub minimum: u32,
}

/// Reads an SOA's data in fields or in octets.
///
/// # Errors
///
/// When the data is not an SOA's, or its serial cannot be edited.
pub fn soa(text: &[u8], fields: &Fields) -> Result<SoaData, RdataError> {
    soa_in(text, &rdata_words(text, fields), fields.rtype.end)
}

/// Reads the data of an SOA from its words; `end` is the place of what is missing.
pub(crate) fn soa_in(text: &[u8], words: &[Span], end: usize) -> Result<SoaData, RdataError> {
    let wrong = |at: usize, what: &str| RdataError {
        at,
        what: what.to_owned(),
    };
    if words.first().is_some_and(|word| word.of(text) == b"\\#") {
        let data = SoaOctets::read(text, words.get(2..).unwrap_or(&[]));
        return data
            .map(|data| data.fields())
            .ok_or_else(|| wrong(end, "the octets (\\#) are not those of an SOA"));
    }
    let [_, _, count, refresh, retry, expire, minimum] = words else {
        return Err(wrong(
            end,
            "an SOA has seven fields: mname rname serial refresh retry expire minimum",
        ));
    };
    let value = number(count.of(text))
        .ok_or_else(|| wrong(count.start, "the serial is not a number up to 4294967295"))?;
    for time in [refresh, retry, expire, minimum] {
        ttl::parse(time.of(text))
            .ok_or_else(|| wrong(time.start, "a time of the SOA is not one"))?;
    }
    let minimum = ttl::parse(minimum.of(text)).unwrap_or(0);
    Ok(SoaData {
        digits: vec![*count],
        octets: false,
        capitals: false,
        serial: value,
        minimum,
    })
}

/// An SOA's data in wire form, names in lower case, for comparing two of them.
#[must_use]
pub fn soa_wire(text: &[u8], fields: &Fields, origin: Option<&Name>) -> Option<Vec<u8>> {
    let words = rdata_words(text, fields);
    if words.first()?.of(text) == b"\\#" {
        let SoaOctets {
            mut wire, numbers, ..
        } = SoaOctets::read(text, words.get(2..)?)?;
        wire.get_mut(..numbers)?.make_ascii_lowercase();
        return Some(wire);
    }
    let [mname, rname, numbers @ ..] = words.as_slice() else {
        return None;
    };
    let mut wire = Vec::new();
    for name in [mname, rname] {
        wire.extend_from_slice(
            Name::from_zone_text(unquoted(name.of(text)), origin)
                .ok()?
                .wire(),
        );
    }
    for word in numbers {
        let word = unquoted(word.of(text));
        wire.extend_from_slice(&number(word).or_else(|| ttl::parse(word))?.to_be_bytes());
    }
    Some(wire)
}

/// An SOA as octets: where each hex digit stands, and what they make.
struct SoaOctets {
    places: Vec<usize>,
    wire: Vec<u8>,
    /// Whether letters among the digits are capitals.
    capitals: bool,
    /// Where the numbers behind the two names start.
    numbers: usize,
}

impl SoaOctets {
    fn read(text: &[u8], words: &[Span]) -> Option<Self> {
        let mut places = Vec::new();
        for word in words {
            let quoted = word.of(text).first() == Some(&b'"');
            let inside = if quoted {
                word.start + 1..word.end.saturating_sub(1)
            } else {
                word.start..word.end
            };
            places.extend(inside);
        }
        let digits: Vec<u8> = places
            .iter()
            .filter_map(|at| text.get(*at).copied())
            .collect();
        let wire = unhex(&lossy(&digits)).ok()?;
        let mut numbers = 0;
        for _ in 0..2 {
            loop {
                let length = usize::from(*wire.get(numbers)?);
                numbers += 1 + length;
                if length == 0 {
                    break;
                }
            }
        }
        let capitals =
            digits.iter().any(u8::is_ascii_uppercase) && !digits.iter().any(u8::is_ascii_lowercase);
        (wire.len() == numbers + 20).then_some(Self {
            places,
            wire,
            capitals,
            numbers,
        })
    }

    fn fields(&self) -> SoaData {
        let mut digits: Vec<Span> = Vec::new();
        for &at in self.places.iter().skip(2 * self.numbers).take(8) {
            match digits.last_mut() {
                Some(span) if span.end == at => span.end += 1,
                _ => digits.push(Span {
                    start: at,
                    end: at + 1,
                }),
            }
        }
        let number = |at: usize| {
            let octets = self.wire.get(at..at + 4).unwrap_or(&[]);
            octets
                .iter()
                .fold(0u32, |sum, octet| (sum << 8) | u32::from(*octet))
        };
        let minimum = Some(number(self.numbers + 16))
            .filter(|minimum| *minimum <= ttl::LARGEST)
            .unwrap_or(0);
        SoaData {
            digits,
            octets: true,
            capitals: self.capitals,
            serial: number(self.numbers),
            minimum,
        }
    }
}

impl SoaData {
    /// The digits of another serial, a text for each stretch of the present
    /// ones that changes: the width of a number and the case of hex are kept.
    #[must_use]
    pub fn with_serial(&self, text: &[u8], serial: u32) -> Vec<(Span, Vec<u8>)> {
        if !self.octets {
            let present = |span: &Span| lossy(span.of(text));
            let new = |span: &Span| (*span, serial::digits(serial, &present(span)).into_bytes());
            return self.digits.iter().map(new).collect();
        }
        let digits = if self.capitals {
            format!("{serial:08X}")
        } else {
            format!("{serial:08x}")
        };
        let mut rest = digits.as_bytes();
        let mut changed = Vec::new();
        for span in &self.digits {
            let (part, after) = rest.split_at((span.end - span.start).min(rest.len()));
            rest = after;
            if !part.eq_ignore_ascii_case(span.of(text)) {
                changed.push((*span, part.to_vec()));
            }
        }
        changed
    }
}

fn unquoted(word: &[u8]) -> &[u8] {
    word.strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(word)
}

fn number(word: &[u8]) -> Option<u32> {
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    digits
        .then(|| std::str::from_utf8(word).ok()?.parse().ok())
        .flatten()
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::text::scan::{Kind, entry};

    fn record(text: &str) -> Fields {
        match entry(text.as_bytes(), true).unwrap().kind {
            Kind::Record(fields) => fields,
            kind => unreachable!("{kind:?}"),
        }
    }

    const NAMES: &str = "026e73076578616d706c6503636f6d00 016800";

    #[test]
    fn the_serial_is_found_in_octets_however_they_are_split() {
        for (data, stretches, other) in [
            (
                format!("{NAMES} 7735940100000001000000020000000300000004"),
                1,
                vec!["789b09aa"],
            ),
            (
                format!("{NAMES} 77359401 00000001 00000002 00000003 00000004"),
                1,
                vec!["789b09aa"],
            ),
            (
                format!("{NAMES}7 73594 0100000001000000020000000300000004"),
                3,
                vec!["89b09", "aa"],
            ),
            (
                format!("{NAMES} (77 ; 1\n 35\n9401)00000001000000020000000300000004"),
                3,
                vec!["78", "9b", "09aa"],
            ),
            (
                format!(
                    "{} 7735940100000001000000020000000300000004",
                    NAMES.to_uppercase()
                ),
                1,
                vec!["789B09AA"],
            ),
            (
                format!("{NAMES} \"7735940100000001000000020000000300000004\""),
                1,
                vec!["789b09aa"],
            ),
        ] {
            let text = format!("@ SOA \\# 39 {data}\n");
            let soa = soa(text.as_bytes(), &record(&text)).unwrap();
            assert_eq!(
                (soa.serial, soa.minimum, soa.digits.len()),
                (2_000_000_001, 4, stretches),
                "{text}"
            );
            let new = soa.with_serial(text.as_bytes(), 2_023_426_474);
            let new: Vec<String> = new.iter().map(|(_, digits)| lossy(digits)).collect();
            assert_eq!(new, other, "{text}");
        }
    }

    #[test]
    fn octets_that_are_no_soa_are_refused() {
        for data in [
            "4 00000000",
            "1 00",
            "2 0000",
            "21 000000000001000000020000000300000004000000",
            "0",
        ] {
            let text = format!("@ SOA \\# {data}\n");
            assert!(soa(text.as_bytes(), &record(&text)).is_err(), "{text}");
        }
    }

    #[test]
    fn both_spellings_of_an_soa_compare() {
        let origin = Name::from_user("example.com").unwrap();
        let wire = |text: &str| soa_wire(text.as_bytes(), &record(text), Some(&origin)).unwrap();
        let plain = wire("@ SOA ns h. 2000000001 1 2 3 1h\n");
        assert_eq!(
            plain,
            wire("@ SOA NS.example.com. H. 02000000001 1s 2 3 3600\n")
        );
        assert_eq!(
            plain,
            wire(&format!(
                "@ TYPE6 \\# 39 {NAMES} 77359401000000010000000200000003 00000e10\n"
            ))
        );
        assert_ne!(plain, wire("@ SOA ns h. 2000000001 1 2 3 2h\n"));
        // 0x41 and 0x61 are letters in names only.
        let octets = |serial: &str| {
            wire(&format!(
                "@ SOA \\# 39 {NAMES} {serial} 00000001 00000002 00000003 00000004\n"
            ))
        };
        assert_ne!(octets("00000041"), octets("00000061"));
        assert_ne!(
            wire("@ SOA ns h. 65 1 2 3 4\n"),
            wire("@ SOA ns h. 97 1 2 3 4\n")
        );
    }
}
