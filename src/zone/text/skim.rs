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

/// A plain entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// An empty line, or a comment with its line end.
    Blank(Span),
    /// A record.
    Record(Record),
}

/// A plain record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its owner; `None` when it is inherited.
    pub(crate) owner: Option<Span>,
    /// The TTL that it states.
    pub(crate) ttl: Option<u32>,
    /// Whether that has several units.
    pub(crate) is_compound: bool,
    /// Its type's code.
    pub(crate) code: u16,
    /// What stands behind the type, line end included.
    pub(crate) rest: Span,
    /// How many lines it has.
    lines: u64,
}

impl Record {
    /// The one word that is its data; `None` where more stands behind the type.
    pub(crate) fn only_word<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let word = self.rest.of(text).trim_ascii();
        let ends = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'(' | b')');
        (!word.iter().any(ends)).then_some(word)
    }
}

/// Reads plain entries from `from` on, as long as `passes` says of each that it is
/// to be stepped over. `has_owner` says whether there is an owner to inherit.
pub(crate) fn run(
    text: &[u8],
    origin: Option<&Name>,
    from: usize,
    has_owner: bool,
    mut passes: impl FnMut(&[u8], &Plain) -> bool,
) -> Run {
    let mut run = Run::default();
    let mut middle = Middle::default();
    let mut at = from;
    let mut has_owner = has_owner;
    while let Some(&octet) = text.get(at) {
        if octet == b'\n' || octet == b';' {
            let Some(end) = memchr::memchr(b'\n', &text[at..]) else {
                break;
            };
            let line = Span {
                start: at,
                end: at + end + 1,
            };
            if !passes(text, &Plain::Blank(line)) {
                break;
            }
            at += end + 1;
            run.lines += 1;
            run.entries += 1;
            continue;
        }
        let Some(record) = record(text, origin, at, &mut middle) else {
            break;
        };
        has_owner |= record.owner.is_some();
        if !has_owner || !passes(text, &Plain::Record(record)) {
            break;
        }
        let end = record.rest.end;
        run.owner = record.owner.or(run.owner);
        run.ttl = record.ttl.or(run.ttl);
        run.last = Some((Span { start: at, end }, run.lines));
        run.lines += record.lines;
        run.records += 1;
        at = end;
    }
    run.entries += run.records;
    run.len = at - from;
    run
}

#[inline]
fn record(text: &[u8], origin: Option<&Name>, start: usize, middle: &mut Middle) -> Option<Record> {
    let end = start + owner(text, start, origin)?;
    let head = head(text, end, middle)?;
    let mut data = Data::behind(text, head, origin);
    data.read(head.kind.fields)?;
    Some(Record {
        owner: (end > start).then_some(Span { start, end }),
        ttl: head.ttl,
        is_compound: head.is_compound,
        code: head.kind.code,
        rest: Span {
            start: head.rtype.end,
            end: data.at,
        },
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
