//! Service parameters of SVCB and HTTPS (RFC 9460 section 2.1) in the form that
//! programs write: those of every day, each once, in the order of their numbers.

use crate::zone::text::presentation::{ipv4, ipv6};
use crate::zone::text::skim::octets::quotable;

/// The offset behind the parameter at `at`, and its number, which must be above `last`.
pub(super) fn parameter(text: &[u8], at: usize, last: u8) -> Option<(usize, u8)> {
    let rest = text.get(at..)?;
    let (key, value): (u8, &[u8]) = match rest {
        [b'a', b'l', b'p', b'n', b'=', value @ ..] => (1, value),
        [b'p', b'o', b'r', b't', b'=', value @ ..] => (3, value),
        [
            b'i',
            b'p',
            b'v',
            b'4',
            b'h',
            b'i',
            b'n',
            b't',
            b'=',
            value @ ..,
        ] => (4, value),
        [
            b'i',
            b'p',
            b'v',
            b'6',
            b'h',
            b'i',
            b'n',
            b't',
            b'=',
            value @ ..,
        ] => (6, value),
        _ => return None,
    };
    let start = at + rest.len() - value.len();
    let (value, end) = if let Some(quoted) = value.strip_prefix(b"\"") {
        let len = quotable(text, start + 1)?;
        let closed = quoted.get(len) == Some(&b'"');
        (quoted.get(..len).filter(|_| closed)?, start + len + 2)
    } else {
        let len = value
            .iter()
            .take_while(|octet| octet.is_ascii_alphanumeric() || b"-.,:/".contains(octet))
            .count();
        (value.get(..len)?, start + len)
    };
    let each = |is: fn(&[u8]) -> bool| value.split(|octet| *octet == b',').all(is);
    let right = match key {
        1 => each(|protocol| {
            !protocol.is_empty()
                && protocol
                    .iter()
                    .all(|octet| octet.is_ascii_alphanumeric() || b"-./".contains(octet))
        }),
        3 => {
            (1..=5).contains(&value.len())
                && value.iter().all(u8::is_ascii_digit)
                && value
                    .iter()
                    .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
                    <= 65_535
        }
        4 => each(ipv4),
        _ => each(ipv6),
    };
    (right && key > last).then_some((end, key))
}
