//! Plain records in one quick pass: one line, nothing quoted but the strings of
//! a TXT, no escapes, no parentheses, and data whose form is beyond doubt. A
//! large zone is nearly all such lines.
//!
//! What is taken here, [`scan`](crate::zone::scan) reads in the same way, and so
//! does every name server; whatever is not, also what is wrong, is left to it.

use crate::zone::marks::{Marks, Stretch};
use crate::zone::presentation::{ipv4, ipv6};
use crate::zone::ttl;
use crate::zone::words::Span;

/// The longest word that is taken, so that every label is short enough (RFC
/// 1035 section 2.3.4), and so is the name if its origin is.
pub(crate) const LONGEST_NAME: usize = 63;

/// Plain lines that follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// How many octets they have together.
    pub(crate) len: usize,
    /// How many lines they are, each an entry of its own.
    pub(crate) lines: u64,
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
pub(crate) fn run(text: &[u8], marks: &Marks, from: usize, inherits: bool, far: impl Fn(&[u8], Span) -> bool) -> Run {
    let mut run = Run::default();
    let mut middle = Middle::default();
    let mut at = from;
    loop {
        match text.get(at) {
            Some(b'\n' | b';') => {
                let Some(end) = line_end(text, at) else { break };
                at = end;
                run.lines += 1;
                continue;
            }
            None => break,
            Some(_) => {}
        }
        let Some(record) = record(text, marks, at, &mut middle) else { break };
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
        }
        run.ttl = record.ttl.or(run.ttl);
        run.last = Some((Span { start: at, end: record.end }, run.lines));
        run.lines += 1;
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
    /// Offset behind its line end.
    end: usize,
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
    let (kind, at) = match kind(text, marks, at + middle.len).filter(|_| known) {
        Some(found) => found,
        None => {
            *middle = between(text, marks, at)?;
            middle.mask = if middle.len < 16 { (1 << (middle.len * 8)) - 1 } else { 0 };
            middle.octets = octets & middle.mask;
            kind(text, marks, at + middle.len)?
        }
    };
    let end = data(text, marks, at, kind)?;
    // By far the most lines end right there.
    let end = if text.get(end) == Some(&b'\n') { end + 1 } else { line_end(text, end)? };
    Some(Plain { owner, ttl: middle.ttl, end })
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
    Strings,
}

/// What to expect of the type that stands at `at`, and where its data begins.
fn kind(text: &[u8], marks: &Marks, at: usize) -> Option<(Data, usize)> {
    let Stretch { blank, odd } = marks.at(at);
    let len = blank.trailing_zeros();
    if len > 5 || odd & below(len as usize) != 0 {
        return None;
    }
    let octets = u64::from_le_bytes(*text.get(at..)?.first_chunk()?);
    // Letters in upper case; none of these types has anything else.
    let word = octets & 0xdfdf_dfdf_dfdf_dfdf & ((1 << (len * 8)) - 1);
    let data = match &word.to_le_bytes() {
        b"NS\0\0\0\0\0\0" | b"CNAME\0\0\0" | b"PTR\0\0\0\0\0" => Data::Name { numbers: 0 },
        b"A\0\0\0\0\0\0\0" => Data::Ipv4,
        b"AAAA\0\0\0\0" => Data::Ipv6,
        b"MX\0\0\0\0\0\0" => Data::Name { numbers: 1 },
        b"SRV\0\0\0\0\0" => Data::Name { numbers: 3 },
        b"DS\0\0\0\0\0\0" => Data::Digest,
        b"TXT\0\0\0\0\0" => Data::Strings,
        _ => return None,
    };
    let blanks = (!(blank >> len)).trailing_zeros();
    Some((data, at + (len + blanks) as usize))
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
        Data::Strings => strings(text, at),
    }
}

/// Quoted strings without escapes, one blank between them.
fn strings(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = text.get(at..)?.strip_prefix(b"\"")?;
        let len = rest.iter().take(256).take_while(|octet| matches!(**octet, b' '..=b'~') && !b"\"\\".contains(*octet));
        let len = len.count();
        if len > 255 || rest.get(len) != Some(&b'"') {
            return None;
        }
        at += len + 2;
        match text.get(at..at + 2) {
            Some(b" \"" | b"\t\"") => at += 1,
            _ => return Some(at),
        }
    }
}

/// Steps over a number up to `largest` and the blanks behind it.
fn numeral(text: &[u8], at: usize, largest: u32) -> Option<usize> {
    let rest = text.get(at..)?;
    let digits = rest.iter().take(6).take_while(|octet| octet.is_ascii_digit()).count();
    number(rest.get(..digits)?, largest)?;
    let blanks = rest.get(digits..)?.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    (blanks > 0).then_some(at + digits + blanks)
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::name::Name;
    use crate::zone::presentation;
    use crate::zone::scan::{self, Kind};

    /// What is taken from the top of a text, with enough behind it that the end is not in sight.
    fn taken(text: &[u8]) -> Run {
        let padded = [text, &b"\\\n".repeat(64)].concat();
        let mut marks = Marks::default();
        marks.set(&padded);
        run(&padded, &marks, 0, true, |_, _| true)
    }

    #[test]
    fn plain_lines_are_taken_and_others_are_left() {
        let (hex, string, label) = ("ab".repeat(32), "s".repeat(255), "l".repeat(63));
        for (line, plain) in [
            ("a NS b", true),
            ("a.example.\t86400\tIN\tNS\tns1.example.net.", true),
            ("\tin a 192.0.2.1 ; why", true),
            ("a IN 60 Cname b\r", true),
            ("a 60 IN AAAA 2001:db8::1", true),
            ("a MX 10 mail", true),
            ("_sip._tcp SRV 10 60 5060\tpc1  ", true),
            (&format!("a DS 4711 13 2 {hex}"), true),
            (&format!("a TXT \"v=spf1; (-all\" \"{string}\""), true),
            (&format!("{label} NS {label}"), true),
            ("", true),
            ("; (a comment \\", true),
            ("a NS", false),
            ("a NS b c", false),
            ("a NS b..c", false),
            ("a NS .b", false),
            ("a..b NS c", false),
            (".a NS b", false),
            ("a NS @", false),
            ("@ 1h30m NS a", true),
            ("@a NS b", false),
            ("*.a NS b", false),
            ("\\097 NS b", false),
            ("a NS \"b\"", false),
            ("a ( NS b )", false),
            ("a NS b(", false),
            ("a NS b\rc", false),
            ("$ORIGIN a.", false),
            ("a 1h30 NS b", false),
            ("a 1 2 NS b", false),
            ("a IN IN NS b", false),
            ("a CH NS b", false),
            ("a 9999999999 NS b", false),
            ("a NS\0\0 b", false),
            ("a TYPE2 b", false),
            ("a SOA b c 1 2 3 4 5", false),
            ("a RRSIG b", false),
            ("a TLSA 3 1 1 00", false),
            ("a A 192.0.2.256", false),
            ("a A 192.0.2.1.", false),
            ("a A 192.0.2.01", false),
            ("a AAAA ::1.2.3.4", false),
            ("a AAAA 1:2", false),
            ("a MX 65536 b", false),
            ("a MX 10", false),
            ("a MX b", false),
            (&format!("a DS 1 1 1 {hex}"), false),
            (&format!("a DS 1 1 2 {hex}0"), false),
            ("a TXT \"a\\\"b\"", false),
            ("a TXT \"a\"\"b\"", false),
            ("a TXT word", false),
            (&format!("a TXT \"{string}s\""), false),
            (&format!("a NS {label}l"), false),
            (&format!("{label}l NS a"), false),
        ] {
            let run = taken(format!("{line}\n").as_bytes());
            assert_eq!(run.len, if plain { line.len() + 1 } else { 0 }, "{line:?}");
        }
    }

    #[test]
    fn the_last_owner_and_the_last_ttl_are_remembered() {
        let text = b"a 60 NS b\n\n\tA 192.0.2.1\nbb\tA 192.0.2.2\n;\n\t70 A 192.0.2.3\n";
        let run = taken(text);
        assert_eq!((run.len, run.lines, run.records, run.ttl), (text.len(), 6, 4, Some(70)));
        assert_eq!(run.owner.map(|span| span.of(text)), Some(&b"bb"[..]));
        assert_eq!(run.last.map(|(span, lines)| (span.of(text), lines)), Some((&b"\t70 A 192.0.2.3\n"[..], 5)));
    }

    #[test]
    fn a_blank_owner_needs_one_before_it_that_is_far() {
        let text =
            b" A 192.0.2.1\na A 192.0.2.2\n A 192.0.2.3\nb A 192.0.2.4\n\\ long enough that the end is not near\n";
        let mut marks = Marks::default();
        marks.set(text);
        let far = |text: &[u8], owner: Span| owner.of(text) == b"a";
        assert_eq!(run(text, &marks, 0, false, far).records, 0);
        assert_eq!(run(text, &marks, 13, false, far).records, 2);
        assert_eq!(run(text, &marks, 0, true, far).records, 3);
    }

    /// Lines of pieces that may or may not go together.
    fn line() -> impl Strategy<Value = String> {
        let owner = prop_oneof![
            "[a-c._-]{0,4}",
            "[a-z]{1,9}\\.[a-z]{1,9}\\.?",
            Just("a".repeat(64)),
            Just("x\\.".to_owned()),
            Just("@".to_owned()),
            Just(";".to_owned()),
        ];
        let blank = || prop_oneof![5 => Just(" "), 3 => Just("\t"), 1 => Just(" \t  "), 1 => Just(" ( ")];
        let middle = prop_oneof![
            Just(""),
            Just("IN "),
            Just("3600\t"),
            Just("in 60 "),
            Just("60 IN "),
            Just("1h IN\t"),
            Just("1h2 ")
        ];
        let kind = proptest::sample::select(vec![
            "A", "a", "NS", "CNAME", "PTR", "MX", "AAAA", "DS", "TXT", "SRV", "SOA", "TLSA", "DNAME", "IN", "60",
        ]);
        let data = prop_oneof![
            "[0-9]{1,3}\\.[0-9]{1,2}\\.0\\.[0-9]{1,3}",
            "[a-z._-]{1,12}",
            "[0-9a-f:]{2,20}",
            "[0-9]{1,6} [a-z.]{1,9}",
            "[0-9]{1,3} [0-9]{1,5} [0-9]{1,5} [a-z.]{1,9}",
            "1 8 [124] [0-9a-f]{40}",
            "(\"[ -~]{0,5}\" ?){1,3}",
            "[ -~]{0,9}",
        ];
        let end =
            prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" ; c\n"), 1 => Just(" \n"), 1 => Just(" )\n")];
        (owner, blank(), middle, kind, blank(), data, end).prop_map(|(owner, blank, middle, kind, gap, data, end)| {
            format!("{owner}{blank}{middle}{kind}{gap}{data}{end}")
        })
    }

    proptest! {
        #[test]
        fn what_is_taken_is_read_in_full_to_the_same_effect(lines in proptest::collection::vec(line(), 1..6)) {
            let text = lines.concat() + &"\\\n".repeat(64);
            let mut marks = Marks::default();
            marks.set(text.as_bytes());
            let run = run(text.as_bytes(), &marks, 0, true, |_, _| true);
            let (mut at, mut count, mut records, mut owner, mut ttl) = (0, 0, 0, None, None);
            let origin = Name::from_user("example.com").ok();
            while at < run.len {
                let rest = &text.as_bytes()[at..];
                let scanned = scan::entry(rest, false).ok_or(TestCaseError::fail("no entry"))?;
                match scanned.kind {
                    Kind::Record(fields) => {
                        prop_assert!(presentation::check(rest, &fields, origin.as_ref()).is_ok(), "{text:?}");
                        let stated = fields.owner.map(|span| Span { start: at + span.start, end: at + span.end });
                        owner = stated.or(owner);
                        ttl = fields.ttl.map(|(_, seconds)| seconds).or(ttl);
                        prop_assert!(count >= 6 || run.last.is_none_or(|(span, _)| span.start >= at));
                        records += 1;
                    }
                    Kind::Blank => {}
                    Kind::Control { .. } | Kind::Unread(_) => prop_assert!(false, "{text:?}"),
                }
                at += scanned.len;
                count += 1;
                prop_assert_eq!(scanned.lines, 1);
            }
            prop_assert_eq!((at, count, records, owner, ttl), (run.len, run.lines, run.records, run.owner, run.ttl));
        }
    }
}
