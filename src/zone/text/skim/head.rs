//! What stands between a record's owner and its data: TTL and class, which may
//! be absent, the type, and the blanks around them.

use crate::zone::text::skim::kinds::{Kind, kind};
use crate::zone::text::skim::octets::{blanks, unblank};
use crate::zone::text::ttl;
use crate::zone::text::words::Span;

/// What stands between owner and data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) ttl: Option<u32>,
    /// Whether the TTL has several units.
    pub(super) is_compound: bool,
    pub(super) kind: &'static Kind,
    pub(super) rtype: Span,
}

/// What stands between owner and type. Most lines have there what the line
/// before has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Middle {
    /// Its octets, if they are few, and all bits of theirs.
    octets: u128,
    mask: u128,
    len: usize,
    ttl: Option<u32>,
    is_compound: bool,
}

/// Reads the head that stands at `at`, behind an owner.
#[inline]
pub(super) fn head(text: &[u8], at: usize, middle: &mut Middle) -> Option<Head> {
    let octets = u128::from_le_bytes(*text.get(at..)?.first_chunk()?);
    if middle.mask != 0
        && octets & middle.mask == middle.octets
        && let Some(head) = typed(text, at, middle)
    {
        return Some(head);
    }
    // What is known was another, or only the beginning of what stands here.
    *middle = between(text, at)?;
    middle.mask = if middle.len < 16 {
        (1 << (middle.len * 8)) - 1
    } else {
        0
    };
    middle.octets = octets & middle.mask;
    typed(text, at, middle)
}

/// Reads the type behind what stands before it.
#[inline]
fn typed(text: &[u8], at: usize, middle: &Middle) -> Option<Head> {
    let start = at + middle.len;
    let octets = text.get(start..)?.first_chunk()?;
    let len = unblank(octets);
    Some(Head {
        ttl: middle.ttl,
        is_compound: middle.is_compound,
        kind: kind(octets, len)?,
        rtype: Span {
            start,
            end: start + len,
        },
    })
}

/// Reads TTL and class and the blanks around them.
#[inline(never)]
fn between(text: &[u8], start: usize) -> Option<Middle> {
    let mut at = start;
    let (mut ttl, mut is_compound, mut class) = (None, false, false);
    loop {
        at += blanks(text, at)?;
        let octets = text.get(at..)?.first_chunk()?;
        let width = unblank(octets);
        match octets {
            [b'0'..=b'9', ..] if ttl.is_none() && width < 16 => {
                ttl = Some(ttl::parse(&octets[..width])?);
                is_compound = ttl::is_compound(&octets[..width]);
            }
            [b'I' | b'i', b'N' | b'n', ..] if width == 2 && !class => class = true,
            _ => {
                return Some(Middle {
                    len: at - start,
                    ttl,
                    is_compound,
                    ..Middle::default()
                });
            }
        }
        at += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code, TTL, and where the type ends.
    type Found = Option<(u16, Option<u32>, usize)>;

    fn found(text: &str, middle: &mut Middle) -> Found {
        let text = format!("{text}{}", "0".repeat(64));
        let head = head(text.as_bytes(), 0, middle)?;
        Some((head.kind.code, head.ttl, head.rtype.end))
    }

    #[test]
    fn a_head_means_the_same_whatever_was_read_before() {
        let heads: [(&str, Found); 14] = [
            (" A ", Some((1, None, 2))),
            (" NS ", Some((2, None, 3))),
            ("\taaaa\t", Some((28, None, 5))),
            (" 60 IN A ", Some((1, Some(60), 8))),
            (" 61 IN A ", Some((1, Some(61), 8))),
            (" 61 IN 62 A ", None),
            (" in 1h  A  ", Some((1, Some(3600), 9))),
            ("  A  ", Some((1, None, 3))),
            (" IN IN A ", None),
            (" CH A ", None),
            (" X ", None),
            (" 0000000000000060 A ", None),
            (&(" ".repeat(40) + "A "), Some((1, None, 41))),
            (&(" ".repeat(15) + "IN MX "), Some((15, None, 20))),
        ];
        for (first, _) in &heads {
            let mut middle = Middle::default();
            found(first, &mut middle);
            for (head, expected) in &heads {
                assert_eq!(
                    found(head, &mut middle.clone()),
                    *expected,
                    "{head:?} behind {first:?}"
                );
            }
        }
    }
}
