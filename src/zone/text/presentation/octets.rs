//! RDATA as octets, `\# 4 c0000201` (RFC 3597 section 5): as many hex digits
//! as announced, and for a type that is known, octets that make its fields.

use super::Data;
use super::digits::{Alphabet, Run};
use super::field::Field;
use crate::zone::text::rdata::RdataError;

/// Checks what follows the length, which stands at `at`.
pub(super) fn check(
    data: &mut Data<'_>,
    announced: u64,
    at: usize,
    grammar: &[Field],
) -> Result<(), RdataError> {
    let mut run = Run::new(Alphabet::Hex);
    let mut digits = Vec::new();
    let mut first = at;
    while let Some(word) = data.next() {
        let text = data.plain(word);
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
    let wire: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |sum, d| sum * 16 + value(*d)))
        .collect();
    if make_fields(&wire, grammar) {
        Ok(())
    } else {
        Err(data.wrong(
            first,
            "has octets that do not make the fields of the type".to_owned(),
        ))
    }
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a' - 10),
    }
}

/// Whether octets make these fields, and no more, as BIND measures them; what is
/// not measured here is let pass.
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
            Field::Text | Field::Tag | Field::Salt => {
                rest.first().map(|length| usize::from(*length) + 1)
            }
            Field::Hex | Field::Base64 => Some(rest.len()).filter(|length| *length > 0),
            Field::Texts => all(rest, |wire| {
                wire.first().map(|length| usize::from(*length) + 1)
            }),
            Field::Names => {
                if rest.is_empty() {
                    Some(0)
                } else {
                    all(rest, name)
                }
            }
            Field::HostIdentity => host_identity(rest),
            Field::Parameters => parameters(rest),
            _ => return true,
        };
        match length.and_then(|length| rest.get(length..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// All that is left, if it is one part after the other and at least one.
fn all(wire: &[u8], part: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = wire.get(at..)?;
        at += part(rest).filter(|length| *length <= rest.len())?;
        if at == wire.len() {
            return Some(at);
        }
    }
}

/// The length of an SVCB's parameters, which go upwards (RFC 9460 section 2.2).
fn parameters(wire: &[u8]) -> Option<usize> {
    let (mut at, mut least) = (0, 0);
    while at < wire.len() {
        let [key_high, key_low, high, low, ..] = wire.get(at..)? else {
            return None;
        };
        let key = u32::from(u16::from_be_bytes([*key_high, *key_low]));
        if key < least {
            return None;
        }
        least = key + 1;
        at += 4 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    Some(at)
}

/// The length of a HIP's algorithm, tag and key (RFC 8005 section 5); neither is empty.
fn host_identity(wire: &[u8]) -> Option<usize> {
    let [tag, _, high, low, ..] = wire else {
        return None;
    };
    let key = usize::from(u16::from_be_bytes([*high, *low]));
    (*tag > 0 && key > 0).then_some(4 + usize::from(*tag) + key)
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
