//! How a new record looks: like its nearest kin. Same way with owner, TTL and
//! class, same columns, same letter case, same layout of the digits, same line
//! end. Where the kin's form cannot carry the new data, one plain line.

use crate::name::Name;
use crate::tlsa::{Tlsa, hex};
use crate::zone::edit::index::Found;
use crate::zone::text::rdata::rdata_words;
use crate::zone::text::rtype::code;
use crate::zone::text::words::{Span, has_comment};

/// The line end that a record has, `\n` where it is the last without one.
#[must_use]
pub fn line_end(text: &[u8]) -> &'static [u8] {
    if text.ends_with(b"\r\n") {
        b"\r\n"
    } else {
        b"\n"
    }
}

/// A record beside one of its own RRset: same owner, same TTL, new data. No line end.
#[must_use]
pub fn beside(kin: &Found, tlsa: &Tlsa) -> Vec<u8> {
    let words = rdata_words(&kin.text, &kin.fields);
    let layout = (has_plain_head(kin) && !has_comment(&kin.text))
        .then(|| same_layout(kin, &words, tlsa))
        .flatten();
    layout.unwrap_or_else(|| one_line(kin, &words, tlsa))
}

/// The kin's text with other digits, when they fill its words exactly.
fn same_layout(kin: &Found, words: &[Span], tlsa: &Tlsa) -> Option<Vec<u8>> {
    let generic = is_generic(kin, words);
    let numbers = numbers(generic, tlsa);
    let digits = cased(&data(generic, tlsa), &digits_of(kin, words, generic));
    let places = words.get(numbers.len()..)?;
    if places
        .iter()
        .map(|span| span.end - span.start)
        .sum::<usize>()
        != digits.len()
    {
        return None;
    }
    let mut text = Vec::with_capacity(kin.text.len());
    let mut copied = 0;
    let mut rest = digits.as_slice();
    for (at, word) in words.iter().enumerate() {
        text.extend_from_slice(kin.text.get(copied..word.start)?);
        copied = word.end;
        match numbers.get(at) {
            Some(number) => text.extend_from_slice(number.as_bytes()),
            None => {
                let (part, after) = rest.split_at_checked(word.end - word.start)?;
                text.extend_from_slice(part);
                rest = after;
            }
        }
    }
    text.extend_from_slice(trim_end(kin.text.get(copied..)?));
    Some(text)
}

/// One line with the kin's head and plain RDATA.
fn one_line(kin: &Found, words: &[Span], tlsa: &Tlsa) -> Vec<u8> {
    let mut text = if has_plain_head(kin) {
        let gap = Span {
            start: kin.fields.rtype.end,
            end: words.first().map_or(0, |word| word.start),
        }
        .of(&kin.text);
        let gap: &[u8] = if gap.is_empty() || !gap.iter().all(|octet| matches!(octet, b' ' | b'\t'))
        {
            b" "
        } else {
            gap
        };
        [&kin.text[..kin.fields.rtype.end], gap].concat()
    } else {
        joined_head(kin)
    };
    let generic = is_generic(kin, words);
    for number in numbers(generic, tlsa) {
        text.extend_from_slice(number.as_bytes());
        text.push(b' ');
    }
    text.extend(cased(&data(generic, tlsa), &digits_of(kin, words, generic)));
    text
}

/// Whether the kin goes up to its type without parentheses, comments or lines.
fn has_plain_head(kin: &Found) -> bool {
    let head = Span {
        start: 0,
        end: kin.fields.rtype.end,
    }
    .of(&kin.text);
    !head
        .iter()
        .any(|octet| matches!(octet, b'(' | b')' | b';' | b'\n'))
}

/// The words of the kin's head with one blank between them.
fn joined_head(kin: &Found) -> Vec<u8> {
    let mut text = kin
        .fields
        .owner
        .map_or(Vec::new(), |owner| owner.of(&kin.text).to_vec());
    text.push(b' ');
    for word in head_words(kin) {
        text.extend_from_slice(word.of(&kin.text));
        text.push(b' ');
    }
    text
}

/// What a new record says about its TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// These seconds.
    State(u32),
    /// What the kin says, or nothing.
    AsKin,
    /// Nothing.
    Inherit,
}

/// A record that begins an RRset of its own, in the columns of its kin, which
/// has another owner. No line end.
#[must_use]
pub fn fresh(kin: &Found, owner: &Name, origin: Option<&Name>, ttl: Ttl, tlsa: &Tlsa) -> Vec<u8> {
    let mut text = spelled(kin, owner, origin);
    let stated = kin.fields.ttl.map(|(span, _)| span);
    let mut words = head_words(kin);
    if ttl == Ttl::Inherit {
        words.retain(|word| Some(*word) != stated);
    }
    let mut gaps = Gaps {
        kin: &kin.text,
        after: kin.fields.owner.map_or(0, |owner| owner.end),
    };
    let ttl_text = if let Ttl::State(seconds) = ttl {
        Some(seconds.to_string().into_bytes())
    } else {
        None
    };
    if let (Some(seconds), None) = (&ttl_text, stated) {
        // Where the kin has no TTL, ours comes first and takes one blank.
        pad(&mut text, gaps.column(words.first().copied()));
        text.extend_from_slice(seconds);
        text.push(b' ');
    }
    for word in words {
        if !text.ends_with(b" ") || Some(word) == stated {
            let column = gaps.column(Some(word));
            pad(&mut text, column);
        }
        gaps.after = word.end;
        if Some(word) == stated {
            text.extend_from_slice(ttl_text.as_deref().unwrap_or(word.of(&kin.text)));
        } else if word == kin.fields.rtype {
            let lower = word.of(&kin.text).iter().any(u8::is_ascii_lowercase);
            text.extend_from_slice(if lower { b"tlsa" } else { b"TLSA" });
        } else {
            text.extend_from_slice(word.of(&kin.text));
        }
    }
    let column = gaps.column(rdata_words(&kin.text, &kin.fields).first().copied());
    pad(&mut text, column);
    text.extend_from_slice(tlsa.to_string().as_bytes());
    text
}

/// The owner as the kin would write it: relative to the origin, unless the
/// kin's is absolute or ours is not below the origin.
fn spelled(kin: &Found, owner: &Name, origin: Option<&Name>) -> Vec<u8> {
    let absolute = kin
        .fields
        .owner
        .is_some_and(|span| span.of(&kin.text).ends_with(b"."));
    let relative = origin
        .filter(|_| !absolute)
        .and_then(|origin| owner.relative_to(origin));
    relative.unwrap_or_else(|| owner.to_string()).into_bytes()
}

/// The blanks between the words of the kin, as columns.
struct Gaps<'k> {
    kin: &'k [u8],
    after: usize,
}

/// Where the kin's next word stands, and whether it came there by tabs.
#[derive(Clone, Copy)]
struct Column {
    at: usize,
    tabs: bool,
}

impl Gaps<'_> {
    fn column(&self, word: Option<Span>) -> Column {
        let start = word.map_or(self.after + 1, |word| word.start);
        let gap = Span {
            start: self.after.min(start),
            end: start,
        }
        .of(self.kin);
        let line = Span {
            start: 0,
            end: start,
        }
        .of(self.kin);
        if line.contains(&b'\n') || line.contains(&b'(') {
            return Column { at: 0, tabs: false };
        }
        Column {
            at: width(line),
            tabs: gap.contains(&b'\t'),
        }
    }
}

/// Fills up to a column, with one blank at least.
fn pad(text: &mut Vec<u8>, column: Column) {
    let now = width(text);
    if column.tabs {
        let tabs = column.at.div_ceil(8).saturating_sub(now / 8).max(1);
        text.resize(text.len() + tabs, b'\t');
    } else {
        text.resize(text.len() + column.at.saturating_sub(now).max(1), b' ');
    }
}

fn width(text: &[u8]) -> usize {
    text.iter().fold(0, |column, octet| {
        if *octet == b'\t' {
            column / 8 * 8 + 8
        } else {
            column + 1
        }
    })
}

/// TTL, class and type of the kin, in the order it has them.
fn head_words(kin: &Found) -> Vec<Span> {
    let fields = &kin.fields;
    let mut words: Vec<Span> = fields.ttl.map(|(span, _)| span).into_iter().collect();
    words.extend(fields.class.map(|(span, _)| span));
    words.push(fields.rtype);
    words.sort_by_key(|span| span.start);
    words
}

/// Whether the kin is written with `\#` (RFC 3597 section 5).
fn is_generic(kin: &Found, words: &[Span]) -> bool {
    kin.fields.code == code::TLSA
        && words
            .first()
            .is_some_and(|word| word.of(&kin.text) == b"\\#")
}

/// The words before the digits.
fn numbers(generic: bool, tlsa: &Tlsa) -> Vec<String> {
    if generic {
        return vec!["\\#".to_owned(), tlsa.rdata().len().to_string()];
    }
    let params = tlsa.params;
    [params.usage.0, params.selector.0, params.matching.0]
        .map(|number| number.to_string())
        .to_vec()
}

fn data(generic: bool, tlsa: &Tlsa) -> String {
    if generic {
        hex(&tlsa.rdata())
    } else {
        tlsa.hex()
    }
}

fn digits_of(kin: &Found, words: &[Span], generic: bool) -> Vec<u8> {
    words
        .iter()
        .skip(if generic { 2 } else { 3 })
        .flat_map(|word| word.of(&kin.text).to_vec())
        .collect()
}

/// The digits in capitals when the kin's are.
fn cased(digits: &str, kin: &[u8]) -> Vec<u8> {
    let capitals =
        kin.iter().any(u8::is_ascii_uppercase) && !kin.iter().any(u8::is_ascii_lowercase);
    if capitals {
        digits.to_ascii_uppercase().into_bytes()
    } else {
        digits.as_bytes().to_vec()
    }
}

fn trim_end(text: &[u8]) -> &[u8] {
    text.trim_ascii_end()
}
