//! `$GENERATE` (BIND): whether BIND reads it, which TTL it states, and whether
//! it may make a name.
//! Only the first and the last record are expanded, to see that they are right.

use crate::name::Name;
use crate::zone::rdata::RdataError;
use crate::zone::scan::{Kind, entry};
use crate::zone::words::Span;
use crate::zone::{presentation, rtype, ttl};

/// Checks the words behind `$GENERATE`: a range, an owner, perhaps a TTL and a
/// class, a type, and the data as one word.
///
/// # Errors
///
/// The first word that BIND does not read.
pub fn check(text: &[u8], name: Span, args: &[Span], origin: Option<&Name>) -> Result<(), RdataError> {
    let wrong = |at: usize, what: &str| Err(RdataError { at, what: format!("$GENERATE {what}") });
    let mut end = name.end;
    for word in args {
        if let Some(group) = text.get(end..word.start).and_then(|gap| memchr::memchr2(b'(', b')', gap)) {
            return wrong(end + group, "takes no parentheses");
        }
        end = word.end;
    }
    let [range, owner, head @ ..] = args else { return wrong(name.start, "takes a range, an owner, a type and data") };
    let Some(range) = Range::read(range.of(text)) else {
        return wrong(range.start, "takes a range first, as 1-10 or 0-254/2");
    };
    if owner.of(text).first() == Some(&b'"') {
        return wrong(owner.start, "takes no quoted owner");
    }
    let (mut seen_ttl, mut seen_class) = (false, false);
    let mut head = head.iter();
    let rtype = loop {
        let Some(word) = head.next() else { return wrong(end, "takes a type and data behind the owner") };
        let octets = word.of(text);
        if !seen_ttl && octets.first().is_some_and(u8::is_ascii_digit) {
            if ttl::parse(octets).is_none() {
                return wrong(word.start, "has a number behind the owner that is no TTL");
            }
            seen_ttl = true;
        } else if !seen_class && rtype::class_code(octets) == Some(1) {
            seen_class = true;
        } else if rtype::type_code(octets).is_some() {
            break octets;
        } else {
            return wrong(word.start, "has no record type behind the owner");
        }
    };
    let (data, more) = (head.next(), head.next());
    let Some(data) = data else { return wrong(end, "takes data behind the type") };
    if let Some(more) = more {
        return wrong(more.start, "takes its data as one word; put quotes around it");
    }
    for value in [range.first, range.last] {
        match expand(owner.of(text), value) {
            Err(()) => return wrong(owner.start, "has a modifier that is none; they look like ${0,3,d}"),
            Ok(Some(made)) => {
                if let Err(error) = Name::from_zone_text(&made, origin.or(Some(&Name::root()))) {
                    return wrong(
                        owner.start,
                        &format!("makes the owner {:?}: {error}", String::from_utf8_lossy(&made)),
                    );
                }
            }
            Ok(None) => {}
        }
        match expand(&unquoted(data.of(text)), value) {
            Err(()) => return wrong(data.start, "has a modifier that is none; they look like ${0,3,d}"),
            Ok(Some(made)) => {
                if let Some(why) = wrong_data(rtype, &made, origin) {
                    return wrong(data.start, &format!("makes the data {:?}: {why}", String::from_utf8_lossy(&made)));
                }
            }
            Ok(None) => {}
        }
    }
    Ok(())
}

/// What is wrong with one record's data. What would need splitting is let pass.
fn wrong_data(rtype: &[u8], data: &[u8], origin: Option<&Name>) -> Option<String> {
    if data.iter().any(|octet| b"\";()\\\n\r".contains(octet)) {
        return None;
    }
    let text = [b" ", rtype, b" ", data, b"\n"].concat();
    match entry(&text, true)?.kind {
        Kind::Record(fields) => presentation::check(&text, &fields, origin).err().map(|error| error.what),
        Kind::Blank | Kind::Control { .. } | Kind::Unread(_) => None,
    }
}

/// The first and the last number of a `$GENERATE`.
struct Range {
    first: u64,
    last: u64,
}

impl Range {
    /// Reads `1-10` or `1-10/2`; like BIND, which reads them as C's scanf does,
    /// it takes a plus sign, and whatever follows.
    fn read(word: &[u8]) -> Option<Self> {
        let (first, rest) = number(word)?;
        let (stop, rest) = number(rest.strip_prefix(b"-")?)?;
        let step = match rest.strip_prefix(b"/") {
            Some(step) => number(step)?.0,
            None => 1,
        };
        let in_range = |number: u64| number <= u64::from(ttl::LARGEST);
        let right = in_range(first) && in_range(stop) && in_range(step) && step > 0 && first <= stop;
        right.then(|| Self { first, last: stop - (stop - first) % step })
    }
}

/// The number in front, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let (digits, rest) = text.split_at(text.iter().take_while(|octet| octet.is_ascii_digit()).count());
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// A template with its number filled in; `None` where that takes more than a
/// number, an error where a modifier is none.
fn expand(template: &[u8], value: u64) -> Result<Option<Vec<u8>>, ()> {
    let (mut made, mut known) = (Vec::new(), true);
    let mut rest = template;
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match (octet, rest.first()) {
            (b'\\', Some(&escaped)) => {
                made.extend([octet, escaped]);
                rest = rest.get(1..).unwrap_or(&[]);
            }
            (b'$', Some(b'$')) => {
                made.push(octet);
                rest = rest.get(1..).unwrap_or(&[]);
            }
            (b'$', Some(b'{')) => {
                let close = memchr::memchr(b'}', rest).ok_or(())?;
                let inside = std::str::from_utf8(rest.get(1..close).unwrap_or(&[])).map_err(|_| ())?;
                match modified(inside, value)? {
                    Some(number) => made.extend(number.into_bytes()),
                    None => known = false,
                }
                rest = rest.get(close + 1..).unwrap_or(&[]);
            }
            (b'$', _) => made.extend(value.to_string().into_bytes()),
            _ => made.push(octet),
        }
    }
    Ok(known.then_some(made))
}

/// The number as `offset,width,base` say; `None` for the nibbles of `n` and `N`.
fn modified(inside: &str, value: u64) -> Result<Option<String>, ()> {
    // scanf(3) skips blanks before a number.
    let mut parts = inside.split(',').map(str::trim_start);
    let offset: i64 = parts.next().ok_or(())?.parse().map_err(|_| ())?;
    let width: usize = parts.next().map_or(Ok(0), str::parse).map_err(|_| ())?;
    let base = parts.next().unwrap_or("d");
    if parts.next().is_some() || !matches!(base, "d" | "o" | "x" | "X" | "n" | "N") {
        return Err(());
    }
    let number = i64::try_from(value).ok().and_then(|value| value.checked_add(offset)).filter(|number| *number >= 0);
    Ok(number.filter(|_| width <= 255).and_then(|number| match base {
        "d" => Some(format!("{number:0width$}")),
        "o" => Some(format!("{number:0width$o}")),
        "x" => Some(format!("{number:0width$x}")),
        "X" => Some(format!("{number:0width$X}")),
        _ => None,
    }))
}

/// A word without the quotes around it and the backslashes before those in it.
fn unquoted(word: &[u8]) -> Vec<u8> {
    let Some(inside) = word.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else { return word.to_vec() };
    let mut text = Vec::with_capacity(inside.len());
    for &octet in inside {
        if octet == b'"' && text.last() == Some(&b'\\') {
            text.pop();
        }
        text.push(octet);
    }
    text
}

/// The TTL that a `$GENERATE` states, between its template and its type. As
/// after a record, later lines without a TTL inherit it where there is no `$TTL`.
#[must_use]
pub fn stated_ttl(text: &[u8], args: &[Span]) -> Option<(Span, u32)> {
    let mut words = args.iter().skip(2).copied();
    let first = words.next()?;
    let word = if rtype::class_code(first.of(text)).is_some() { words.next()? } else { first };
    ttl::parse(word.of(text)).map(|seconds| (word, seconds))
}

/// Whether the template of a `$GENERATE` may make records at `name`. When in
/// doubt it may: every `$…` stands for any text.
#[must_use]
pub fn may_make(template: &[u8], origin: &str, name: &Name) -> bool {
    let mut pattern: Vec<Option<u8>> = Vec::new();
    let mut at = 0;
    while let Some(&octet) = template.get(at) {
        at += 1;
        match octet {
            b'$' => {
                if template.get(at) == Some(&b'{') {
                    at += template[at..].iter().position(|octet| *octet == b'}').map_or(template.len(), |end| end + 1);
                }
                pattern.push(None);
            }
            b'\\' => {
                // An escaped octet may be anything that the name shows as an escape too.
                at += if template.get(at).is_some_and(u8::is_ascii_digit) { 3 } else { 1 };
                pattern.push(None);
            }
            _ => pattern.push(Some(octet.to_ascii_lowercase())),
        }
    }
    if template == b"@" {
        pattern.clear();
    }
    if template.last() != Some(&b'.') {
        if !pattern.is_empty() && origin != "." {
            pattern.push(Some(b'.'));
        }
        pattern.extend(origin.bytes().map(|octet| Some(octet.to_ascii_lowercase())));
    }
    matches(&pattern, name.to_string().as_bytes())
}

/// Whether a pattern in which `None` stands for any text fits.
fn matches(pattern: &[Option<u8>], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Some(octet)) if *octet == text[t] => (p, t) = (p + 1, t + 1),
            Some(None) => {
                retry = Some((p, t));
                p += 1;
            }
            _ => {
                let Some((star, from)) = retry else { return false };
                retry = Some((star, from + 1));
                (p, t) = (star + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_filled_in_as_bind_does() {
        for (template, made) in [
            ("h$", Ok(Some("h12"))),
            ("$$", Ok(Some("$"))),
            ("h\\$", Ok(Some("h\\$"))),
            ("${0,3,d}.x", Ok(Some("012.x"))),
            ("${1,4,X}", Ok(Some("000D"))),
            ("${-2}", Ok(Some("10"))),
            ("${ 0, 3}", Ok(Some("012"))),
            ("${0 }", Err(())),
            ("${-13}", Ok(None)),
            ("${0,3,n}", Ok(None)),
            ("${0,3,q}", Err(())),
            ("${}", Err(())),
            ("${0", Err(())),
            ("${0,3,d,e}", Err(())),
        ] {
            let found = expand(template.as_bytes(), 12).map(|made| made.map(|made| String::from_utf8(made).unwrap()));
            assert_eq!(found, made.map(|made| made.map(str::to_owned)), "{template}");
        }
    }

    #[test]
    fn the_ttl_stands_before_or_behind_the_class() {
        for (text, stated) in [
            (&b"$GENERATE 1-2 h$ 300 A 192.0.2.$"[..], Some(300)),
            (b"$GENERATE 1-2 h$ 1h IN A 192.0.2.$", Some(3600)),
            (b"$GENERATE 1-2 h$ IN 5 A 192.0.2.$", Some(5)),
            (b"$GENERATE 1-2 h$ IN A 192.0.2.$", None),
            (b"$GENERATE 1-2 h$ TXT 7", None),
        ] {
            let args: Vec<Span> = crate::zone::words::words(text).skip(1).collect();
            assert_eq!(stated_ttl(text, &args).map(|(_, seconds)| seconds), stated, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_template_may_make_what_it_can_be_filled_to() {
        let name = |text: &str| Name::from_user(text).unwrap();
        for (template, target, may) in [
            ("host$", "host12.example.com", true),
            ("host$", "mail.example.com", false),
            ("_25._tcp.mx${0,2,d}", "_25._tcp.mx01.example.com", true),
            ("_25._tcp.mx${0,2,d}", "_25._tcp.mail.example.com", false),
            ("_$._tcp.mail", "_25._tcp.mail.example.com", true),
            ("$.example.com.", "mail.example.com", true),
            ("$.example.org.", "mail.example.com", false),
            ("\\095$._tcp.mail", "_25._tcp.mail.example.com", true),
        ] {
            assert_eq!(may_make(template.as_bytes(), "example.com.", &name(target)), may, "{template} {target}");
        }
    }
}
