//! LOC (RFC 1876 section 3): `42 21 54 N 71 06 18 W -24m 30m`. Only what both
//! servers refuse is an error: NSD takes minutes above 59 and either case.

use super::Data;
use crate::zone::text::rdata::RdataError;

/// Checks latitude, longitude and altitude; up to three sizes may follow.
pub(super) fn check(data: &mut Data<'_>) -> Result<(), RdataError> {
    angle(data, *b"NnSs", "N or S")?;
    angle(data, *b"EeWw", "E or W")?;
    let expected = "an altitude in metres";
    let altitude = data.wanted(expected)?;
    if !metres(&data.plain(altitude)) {
        return Err(data.not(altitude, expected));
    }
    // Sizes that BIND refuses, NSD takes.
    while data.next().is_some() {}
    Ok(())
}

/// One to three numbers, then the hemisphere.
fn angle(data: &mut Data<'_>, hemispheres: [u8; 4], expected: &str) -> Result<(), RdataError> {
    for count in 0..4 {
        let word = data.wanted(if count == 0 {
            "a number of degrees"
        } else {
            expected
        })?;
        let text = data.plain(word);
        if count > 0 && text.len() == 1 && hemispheres.contains(&text[0]) {
            return Ok(());
        }
        if !decimal(&text, if count == 0 { 180 } else { u32::MAX }) {
            return Err(data.not(
                word,
                if count == 0 {
                    "a number of degrees"
                } else {
                    expected
                },
            ));
        }
    }
    let end = data.end;
    Err(data.wrong(
        end,
        format!("has more than degrees, minutes and seconds before {expected}"),
    ))
}

/// Digits, with up to three behind a point.
fn decimal(word: &[u8], most: u32) -> bool {
    let (whole, part) = match memchr::memchr(b'.', word) {
        Some(point) => (
            word.get(..point).unwrap_or(&[]),
            word.get(point + 1..).unwrap_or(&[]),
        ),
        None => (word, &[][..]),
    };
    let value = std::str::from_utf8(whole)
        .ok()
        .filter(|_| whole.iter().all(u8::is_ascii_digit));
    let right = value
        .and_then(|value| value.parse().ok())
        .is_some_and(|value: u32| value <= most);
    right && part.len() <= 3 && part.iter().all(u8::is_ascii_digit)
}

fn metres(word: &[u8]) -> bool {
    let word = word.strip_suffix(b"m").unwrap_or(word);
    let word = word
        .strip_prefix(b"-")
        .or(word.strip_prefix(b"+"))
        .unwrap_or(word);
    word.iter().any(u8::is_ascii_digit)
        && word
            .iter()
            .all(|octet| octet.is_ascii_digit() || *octet == b'.')
}
