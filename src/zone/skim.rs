//! Plain records in one quick pass: nothing quoted but the strings of a TXT or
//! HINFO, no escapes, parentheses only around all of the data, and data whose
//! form is beyond doubt. A large zone is nearly all such records.
//!
//! What is taken here, [`scan`](crate::zone::scan) reads in the same way, and so
//! does every name server; whatever is not, also what is wrong, is left to it.

use crate::zone::marks::{Marks, Stretch};
use crate::zone::presentation::{ipv4, ipv6};
use crate::zone::rtype::code;
use crate::zone::ttl;
use crate::zone::words::Span;

/// The longest word that is taken, so that every label is short enough (RFC
/// 1035 section 2.3.4), and so is the name if its origin is.
pub(crate) const LONGEST_NAME: usize = 63;

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
/// from all that matters. `inherits` says that the owner before the first was.
/// `each` is told owner, TTL and type of every record.
pub(crate) fn run<'t>(
    text: &'t [u8],
    marks: &Marks,
    from: usize,
    inherits: bool,
    far: impl Fn(&[u8], Span) -> bool,
    mut each: impl FnMut(Option<&'t [u8]>, Option<u32>, u16),
) -> Run {
    let mut run = Run::default();
    let mut middle = Middle::default();
    let mut at = from;
    loop {
        match text.get(at) {
            Some(b'\n' | b';') => {
                let Some(end) = line_end(text, at) else { break };
                at = end;
                run.lines += 1;
                run.entries += 1;
                continue;
            }
            None => break,
            Some(_) => {}
        }
        let Some(record) = record(text, marks, at, &mut middle) else { break };
        let mut stated = None;
        if record.owner == 0 {
            if !inherits && run.owner.is_none() {
                break;
            }
        } else {
            let owner = Span { start: at, end: at + record.owner };
            if !far(text, owner) {
                break;
            }
            run.owner = Some(owner);
            stated = Some(owner.of(text));
        }
        each(stated, record.ttl, record.code);
        run.ttl = record.ttl.or(run.ttl);
        run.last = Some((Span { start: at, end: record.end }, run.lines));
        run.lines += record.lines;
        run.entries += 1;
        run.records += 1;
        at = record.end;
    }
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

/// What stands between owner and type. Most lines have there what the line
/// before has.
#[derive(Clone, Copy, Default)]
struct Middle {
    /// Its octets, if they are few, and a bit for each of theirs.
    octets: u128,
    mask: u128,
    len: usize,
    ttl: Option<u32>,
}

fn record(text: &[u8], marks: &Marks, start: usize, middle: &mut Middle) -> Option<Plain> {
    let stretch = marks.at(start);
    let owner = stretch.blank.trailing_zeros() as usize;
    let at_origin = owner == 1 && text.get(start) == Some(&b'@');
    if owner > LONGEST_NAME || stretch.odd & below(owner) != 0 && !at_origin {
        return None;
    }
    let at = start + owner;
    let octets = u128::from_le_bytes(*text.get(at..)?.first_chunk()?);
    let known = middle.mask != 0 && octets & middle.mask == middle.octets;
    // What is known may be only the beginning of what stands here.
    let (kind, code, at) = match kind(text, marks, at + middle.len).filter(|_| known) {
        Some(found) => found,
        None => {
            *middle = between(text, marks, at)?;
            middle.mask = if middle.len < 16 { (1 << (middle.len * 8)) - 1 } else { 0 };
            middle.octets = octets & middle.mask;
            kind(text, marks, at + middle.len)?
        }
    };
    let (end, lines) = match text.get(at) {
        Some(b'(') => grouped(text, marks, at + 1, kind)?,
        _ => (data(text, marks, at, kind)?, 1),
    };
    // By far the most lines end right there.
    let end = if text.get(end) == Some(&b'\n') { end + 1 } else { line_end(text, end)? };
    Some(Plain { owner, ttl: middle.ttl, code, end, lines })
}

/// Reads the TTL and the class, which may be absent, and the blanks around them.
fn between(text: &[u8], marks: &Marks, start: usize) -> Option<Middle> {
    let mut at = start;
    let (mut ttl, mut class) = (None, false);
    loop {
        at += (!marks.at(at).blank).trailing_zeros() as usize;
        let len = marks.at(at).blank.trailing_zeros() as usize;
        match *text.get(at..at + len)? {
            ref word @ [b'0'..=b'9', ..] if ttl.is_none() => ttl = Some(ttl::parse(word)?),
            [b'I' | b'i', b'N' | b'n'] if !class => class = true,
            _ => return Some(Middle { len: at - start, ttl, ..Middle::default() }),
        }
        at += len;
    }
}

/// The first `count` bits, fewer than 64.
fn below(count: usize) -> u64 {
    (1 << count) - 1
}

/// What a type's data looks like.
#[derive(Clone, Copy)]
enum Data {
    /// This many numbers of 16 bits, and a name.
    Name {
        numbers: u32,
    },
    Ipv4,
    Ipv6,
    Digest,
    /// Quoted strings, at least and at most so many.
    Strings {
        least: usize,
        most: usize,
    },
}

/// What to expect of the type that stands at `at`, its code, and where its data begins.
fn kind(text: &[u8], marks: &Marks, at: usize) -> Option<(Data, u16, usize)> {
    let Stretch { blank, odd } = marks.at(at);
    let len = blank.trailing_zeros();
    if len > 5 || odd & below(len as usize) != 0 {
        return None;
    }
    let octets = u64::from_le_bytes(*text.get(at..)?.first_chunk()?);
    // Letters in upper case; none of these types has anything else.
    let word = octets & 0xdfdf_dfdf_dfdf_dfdf & ((1 << (len * 8)) - 1);
    let (data, code) = match &word.to_le_bytes() {
        b"NS\0\0\0\0\0\0" => (Data::Name { numbers: 0 }, code::NS),
        b"CNAME\0\0\0" => (Data::Name { numbers: 0 }, code::CNAME),
        b"PTR\0\0\0\0\0" => (Data::Name { numbers: 0 }, code::PTR),
        b"A\0\0\0\0\0\0\0" => (Data::Ipv4, code::A),
        b"AAAA\0\0\0\0" => (Data::Ipv6, code::AAAA),
        b"MX\0\0\0\0\0\0" => (Data::Name { numbers: 1 }, code::MX),
        b"SRV\0\0\0\0\0" => (Data::Name { numbers: 3 }, code::SRV),
        b"DS\0\0\0\0\0\0" => (Data::Digest, code::DS),
        b"TXT\0\0\0\0\0" => (Data::Strings { least: 1, most: usize::MAX }, code::TXT),
        b"HINFO\0\0\0" => (Data::Strings { least: 2, most: 2 }, code::HINFO),
        _ => return None,
    };
    let blanks = (!(blank >> len)).trailing_zeros();
    Some((data, code, at + (len + blanks) as usize))
}

/// The offset behind the data that starts at `at`, if it is plain.
fn data(text: &[u8], marks: &Marks, mut at: usize, kind: Data) -> Option<usize> {
    match kind {
        Data::Name { numbers } => {
            for _ in 0..numbers {
                at = numeral(text, at, 65_535)?;
            }
            let stretch = marks.at(at);
            let len = (stretch.blank | stretch.odd).trailing_zeros() as usize;
            (1..=LONGEST_NAME).contains(&len).then_some(at + len)
        }
        Data::Ipv4 => {
            let stretch = marks.at(at);
            let end = at + (stretch.blank | stretch.odd).trailing_zeros() as usize;
            ipv4(text.get(at..end)?).then_some(end)
        }
        Data::Ipv6 => {
            let rest = text.get(at..)?;
            let len = rest.iter().take(46).take_while(|octet| octet.is_ascii_hexdigit() || **octet == b':').count();
            ipv6(rest.get(..len)?).then_some(at + len)
        }
        Data::Digest => {
            at = numeral(text, at, 65_535)?;
            at = numeral(text, at, 255)?;
            let digits = match text.get(at..at + 2)? {
                b"1 " => 40,
                b"2 " => 64,
                b"4 " => 96,
                _ => return None,
            };
            let digest = text.get(at + 2..at + 2 + digits)?;
            digest.iter().all(u8::is_ascii_hexdigit).then_some(at + 2 + digits)
        }
        Data::Strings { least, most } => {
            let mut count = 1;
            at = string(text, at)?;
            while let Some(b" \"" | b"\t\"") = text.get(at..at + 2) {
                at = string(text, at + 1)?;
                count += 1;
            }
            (least..=most).contains(&count).then_some(at)
        }
    }
}

/// The offset behind the data that starts behind `(` and ends before `)`, if
/// it is plain but for what stands between its words; and how many lines it is on.
fn grouped(text: &[u8], marks: &Marks, start: usize, kind: Data) -> Option<(usize, u64)> {
    let mut at = gap(text, marks, start)?;
    match kind {
        Data::Name { numbers } => {
            for _ in 0..numbers {
                let end = at + digits(text, at, 65_535)?;
                at = gap(text, marks, end).filter(|at| *at > end)?;
            }
            at = data(text, marks, at, Data::Name { numbers: 0 })?;
        }
        Data::Strings { least, most } => {
            let mut count = 1;
            at = string(text, at)?;
            while let Some(next) = gap(text, marks, at).filter(|next| *next > at && text.get(*next) == Some(&b'"')) {
                at = string(text, next)?;
                count += 1;
            }
            if !(least..=most).contains(&count) {
                return None;
            }
        }
        Data::Ipv4 | Data::Ipv6 | Data::Digest => at = data(text, marks, at, kind)?,
    }
    at = gap(text, marks, at)?;
    let lines = memchr::memchr_iter(b'\n', text.get(start..at)?).count() as u64 + 1;
    (text.get(at) == Some(&b')')).then_some((at + 1, lines))
}

/// The offset behind the blanks, comments and line ends that start at `at`.
fn gap(text: &[u8], marks: &Marks, mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b' ' | b'\t' => at += (!marks.at(at).blank).trailing_zeros() as usize,
            b'\n' => at += 1,
            b'\r' if text.get(at + 1) == Some(&b'\n') => at += 2,
            b';' => at += memchr::memchr(b'\n', text.get(at..)?)?,
            _ => return Some(at),
        }
    }
}

/// The offset behind a quoted string without escapes.
fn string(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(b"\"")?;
    let len = memchr::memchr(b'"', rest.get(..256).unwrap_or(rest))?;
    // No octet decides alone, so that the compiler takes many at once.
    let special = |octet: u8| u8::from(!(b' '..=b'~').contains(&octet) | (octet == b'\\'));
    let found = rest.get(..len)?.iter().fold(0, |found, &octet| found | special(octet));
    (found == 0).then_some(at + len + 2)
}

/// Steps over a number up to `largest` and the blanks behind it.
fn numeral(text: &[u8], at: usize, largest: u32) -> Option<usize> {
    let at = at + digits(text, at, largest)?;
    let blanks = text.get(at..)?.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    (blanks > 0).then_some(at + blanks)
}

/// How many digits a number up to `largest` has.
fn digits(text: &[u8], at: usize, largest: u32) -> Option<usize> {
    let rest = text.get(at..)?;
    let digits = rest.iter().take(6).take_while(|octet| octet.is_ascii_digit()).count();
    number(rest.get(..digits)?, largest).map(|_| digits)
}

/// A number of at most nine digits.
fn number(word: &[u8], largest: u32) -> Option<u32> {
    if word.is_empty() || word.len() > 9 {
        return None;
    }
    let add = |sum: u32, octet: &u8| octet.is_ascii_digit().then(|| sum * 10 + u32::from(octet - b'0'));
    word.iter().try_fold(0, add).filter(|number| *number <= largest)
}

/// The offset behind the line end, if only blanks or a comment lie before it.
fn line_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'\n' => return Some(at + 1),
            b' ' | b'\t' => at += 1,
            b'\r' if text.get(at + 1) == Some(&b'\n') => at += 1,
            b';' => return memchr::memchr(b'\n', text.get(at..)?).map(|len| at + len + 1),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
