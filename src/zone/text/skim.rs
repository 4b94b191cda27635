//! Plain records in one quick pass: owners without escapes, parentheses only
//! around data, and data whose form is beyond doubt. A large zone is nearly all
//! such records.
//!
//! What is taken here, [`scan`](crate::zone::text::scan) and
//! [`presentation`](crate::zone::text::presentation) read in the same way, and so does
//! every name server; whatever is not, also what is wrong, is left to them.

mod data;
mod head;
mod kinds;
mod octets;
mod parameters;

use crate::name::Name;
use crate::zone::text::words::Span;

use data::Data;
use head::{Middle, head};

/// The longest name that is taken as it is: every label is short enough (RFC 1035
/// section 2.3.4), and so is the name where the origin leaves room for so much.
pub(crate) const LONGEST_WORD: usize = 63;

/// Plain entries that follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// How many octets they have together.
    pub(crate) len: usize,
    /// How many lines they are.
    pub(crate) lines: u64,
    /// How many entries; a record in parentheses may have several lines.
    pub(crate) entries: u64,
    /// How many of them are records.
    pub(crate) records: u64,
    /// The last record: its octets, and how many of the lines lie before it.
    pub(crate) last: Option<(Span, u64)>,
    /// The last owner that was stated.
    pub(crate) owner: Option<Span>,
    /// The last TTL that was stated.
    pub(crate) ttl: Option<u32>,
}

/// Reads plain lines from `from` on, as long as the owners stated are `far`
/// from all that matters; of a wildcard, what stands behind `*.` is asked for.
/// `inherits` says that the owner before the first was. `each` is told owner,
/// TTL and type of every record.
pub(crate) fn run(
    text: &[u8],
    origin: Option<&Name>,
    from: usize,
    inherits: bool,
    far: impl Fn(&[u8], Span) -> bool,
    mut each: impl FnMut(Option<Span>, Option<u32>, u16),
) -> Run {
    let mut run = Run::default();
    let mut middle = Middle::default();
    let mut at = from;
    let mut inherits = inherits;
    while let Some(&octet) = text.get(at) {
        if octet == b'\n' || octet == b';' {
            let Some(end) = memchr::memchr(b'\n', &text[at..]) else {
                break;
            };
            at += end + 1;
            run.lines += 1;
            run.entries += 1;
            continue;
        }
        let Some(record) = record(text, origin, at, &mut middle) else {
            break;
        };
        let stated = match record.owner {
            0 if inherits => None,
            0 => break,
            len => {
                let below = if octet == b'*' { 2 } else { 0 };
                if !far(
                    text,
                    Span {
                        start: at + below,
                        end: at + len,
                    },
                ) {
                    break;
                }
                inherits = true;
                run.owner = Some(Span {
                    start: at,
                    end: at + len,
                });
                run.owner
            }
        };
        each(stated, record.ttl, record.code);
        run.ttl = record.ttl.or(run.ttl);
        run.last = Some((
            Span {
                start: at,
                end: record.end,
            },
            run.lines,
        ));
        run.lines += record.lines;
        run.records += 1;
        at = record.end;
    }
    run.entries += run.records;
    run.len = at - from;
    run
}

/// A plain record.
struct Plain {
    /// Octets of its owner; none when it is inherited.
    owner: usize,
    ttl: Option<u32>,
    code: u16,
    /// Offset behind its line end.
    end: usize,
    lines: u64,
}

#[inline]
fn record(text: &[u8], origin: Option<&Name>, start: usize, middle: &mut Middle) -> Option<Plain> {
    let owner = owner(text, start, origin)?;
    let at = start + owner;
    let head = head(text, at, middle)?;
    let mut data = Data::behind(text, head, origin);
    data.read(head.kind.fields)?;
    Some(Plain {
        owner,
        ttl: head.ttl,
        code: head.kind.code,
        end: data.at,
        lines: data.line_ends,
    })
}

/// How many octets the owner has that stands at `at`, with a blank behind it.
#[inline]
fn owner(text: &[u8], at: usize, origin: Option<&Name>) -> Option<usize> {
    let len = match text.get(at)? {
        b' ' | b'\t' => return Some(0),
        b'@' => 1,
        b'*' if text.get(at + 1) == Some(&b'.') => name(text, at + 2, origin)? + 2,
        _ => name(text, at, origin)?,
    };
    matches!(text.get(at + len), Some(b' ' | b'\t')).then_some(len)
}

/// How many octets the name has that stands at `at`: labels without escapes, that are not too long.
#[inline]
fn name(text: &[u8], at: usize, origin: Option<&Name>) -> Option<usize> {
    let len = octets::name(text, at)?;
    match text.get(at)? {
        b'.' => None,
        _ if len == 0 => None,
        // So is all of it, as there is room behind the origin for it.
        _ if len <= LONGEST_WORD => Some(len),
        _ => long_name(text, at, origin),
    }
}

/// The same of any name.
#[cold]
fn long_name(text: &[u8], at: usize, origin: Option<&Name>) -> Option<usize> {
    let mut len = 0;
    loop {
        match octets::name(text, at + len)? {
            64 => len += 64,
            rest => {
                len += rest;
                break;
            }
        }
        // Two dots where two stretches meet are seen below.
        if len > 255 {
            return None;
        }
    }
    let word = text.get(at..at + len)?;
    let labels = word
        .strip_suffix(b".")
        .unwrap_or(word)
        .split(|octet| *octet == b'.');
    let right = labels
        .into_iter()
        .all(|label| (1..=63).contains(&label.len()));
    // A length before each label, and in front of the origin.
    (right && len + 1 + origin?.wire().len() <= 255).then_some(len)
}

#[cfg(test)]
mod tests;
