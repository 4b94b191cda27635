//! RDATA as octets, `\# 4 c0000201` (RFC 3597 section 5): as many hex digits
//! as announced, and for a type that is known, octets that make its fields.

use super::Data;
use super::digits::{Alphabet, Run};
use super::field::{Field, plain};
use crate::zone::rdata::RdataError;

/// Checks what follows the length, which stands at `at`.
pub(super) fn check(data: &mut Data<'_>, announced: u64, at: usize, grammar: &[Field]) -> Result<(), RdataError> {
    let mut run = Run::new(Alphabet::Hex);
    let mut digits = Vec::new();
    let mut first = at;
    while let Some(word) = data.next() {
        let text = plain(data.of(word));
        if !run.take(&text) {
            return Err(data.not(word, "a run of hex digits"));
        }
        if digits.is_empty() {
            first = word.start;
        }
        digits.extend_from_slice(&text);
    }
    run.finish().map_err(|what| data.wrong(first, what))?;
    let octets = digits.len() / 2;
    if octets as u64 != announced {
        return Err(data.wrong(at, format!("announces {announced} octets and has {octets}")));
    }
    let wire: Vec<u8> = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |sum, d| sum * 16 + value(*d))).collect();
    if make_fields(&wire, grammar) {
        Ok(())
    } else {
        Err(data.wrong(first, "has octets that do not make the fields of the type".to_owned()))
    }
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a' - 10),
    }
}

/// Whether octets make these fields, and no more. Where NSD and BIND differ on
/// the rest it is let pass.
fn make_fields(wire: &[u8], grammar: &[Field]) -> bool {
    let mut rest = wire;
    for field in grammar {
        let length = match field {
            Field::Name => name(rest),
            Field::Number(size) | Field::Mnemonic(size) => Some(usize::from(*size)),
            Field::Algorithm | Field::Digest => Some(1),
            Field::Certificate => Some(2),
            Field::Seconds | Field::Ipv4 => Some(4),
            Field::Ipv6 => Some(16),
            Field::Eui(size) => Some(*size),
            Field::Locator => Some(8),
            Field::Text | Field::Tag | Field::Salt => rest.first().map(|length| usize::from(*length) + 1),
            _ => return true,
        };
        match length.and_then(|length| rest.get(length..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The length of the name in front, without compression.
fn name(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = usize::from(*wire.get(at)?);
        at += 1 + length;
        if length > 63 || at > 255 {
            return None;
        }
        if length == 0 {
            return Some(at);
        }
    }
}
