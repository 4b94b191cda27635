//! RDATA of the few records that edits read: TLSA in both its spellings, and
//! the serial of an SOA.

use crate::tlsa::{Matching, Params, Selector, Tlsa, Usage, unhex};
use crate::zone::scan::Fields;
use crate::zone::words::{Span, words};

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
    words(text).filter(|word| word.start >= fields.rtype.end).collect()
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
        let word = words.get(at).ok_or_else(|| wrong(end, "the TLSA data ends too early".to_owned()))?;
        let value = number(word.of(text)).filter(|value| generic || *value <= 255);
        values.push(
            value.ok_or_else(|| {
                wrong(word.start, format!("{:?} is not a number from 0 to 255", lossy(word.of(text))))
            })?,
        );
    }
    let digits: Vec<u8> = data.iter().flat_map(|word| word.of(text).iter().copied()).collect();
    let at = data.first().map_or(end, |word| word.start);
    let octets = unhex(&lossy(&digits)).map_err(|error| wrong(at, error.to_string()))?;
    if generic {
        if octets.len() as u64 != u64::from(values[0]) {
            return Err(wrong(at, format!("\\# announces {} octets and {} follow", values[0], octets.len())));
        }
        return Tlsa::from_rdata(&octets).map_err(|error| wrong(at, error.to_string()));
    }
    if octets.is_empty() {
        return Err(wrong(end, "the TLSA data has no association data".to_owned()));
    }
    let small = |at: usize| u8::try_from(values[at]).unwrap_or(u8::MAX);
    let params = Params { usage: Usage(small(0)), selector: Selector(small(1)), matching: Matching(small(2)) };
    Ok(Tlsa { params, data: octets })
}

/// The serial of an SOA: its digits in the text, its value, and the minimum
/// field in seconds.
///
/// # Errors
///
/// When the data is not an SOA's, or is written as octets.
pub fn soa(text: &[u8], fields: &Fields) -> Result<(Span, u32, u32), RdataError> {
    let words = rdata_words(text, fields);
    let wrong = |at: usize, what: &str| RdataError { at, what: what.to_owned() };
    if words.first().is_some_and(|word| word.of(text) == b"\\#") {
        return Err(wrong(fields.rtype.end, "the SOA is written as octets (\\#); its serial cannot be edited as text"));
    }
    let [_, _, serial, refresh, retry, expire, minimum] = words.as_slice() else {
        return Err(wrong(
            fields.rtype.start,
            "an SOA has seven fields: mname rname serial refresh retry expire minimum",
        ));
    };
    let value =
        number(serial.of(text)).ok_or_else(|| wrong(serial.start, "the serial is not a number up to 4294967295"))?;
    for time in [refresh, retry, expire, minimum] {
        crate::zone::ttl::parse(time.of(text)).ok_or_else(|| wrong(time.start, "a time of the SOA is not one"))?;
    }
    Ok((*serial, value, crate::zone::ttl::parse(minimum.of(text)).unwrap_or(0)))
}

fn number(word: &[u8]) -> Option<u32> {
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(word).ok()?.parse().ok()).flatten()
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
