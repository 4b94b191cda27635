//! `$GENERATE` (BIND): whether BIND reads it, which TTL it states, and whether
//! it makes a name. Only the first and the last record are expanded, to see that
//! they are right; a name is asked for by the numbers that stand in it.

mod template;

use std::collections::BTreeSet;

use crate::name::Name;
use crate::zone::text::rdata::RdataError;
use crate::zone::text::scan::{Kind, entry};
use crate::zone::text::words::Span;
use crate::zone::text::{presentation, rtype, ttl};

use template::{Part, Parts, expand};

/// Checks the words behind `$GENERATE`: a range, an owner, perhaps a TTL and a
/// class, a type, and the data as one word.
///
/// # Errors
///
/// The first word that BIND does not read.
pub fn check(
    text: &[u8],
    name: Span,
    args: &[Span],
    origin: Option<&Name>,
) -> Result<(), RdataError> {
    let refused = |at: usize, what: &str| RdataError {
        at,
        what: format!("$GENERATE {what}"),
    };
    let wrong = |at: usize, what: &str| Err(refused(at, what));
    let mut end = name.end;
    for word in args {
        if let Some(group) = text
            .get(end..word.start)
            .and_then(|gap| memchr::memchr2(b'(', b')', gap))
        {
            return wrong(end + group, "takes no parentheses");
        }
        end = word.end;
    }
    let [range, owner, head @ ..] = args else {
        return wrong(name.start, "takes a range, an owner, a type and data");
    };
    let Some(range) = Range::read(range.of(text)) else {
        return wrong(range.start, "takes a range first, as 1-10 or 0-254/2");
    };
    if owner.of(text).first() == Some(&b'"') {
        return wrong(owner.start, "takes no quoted owner");
    }
    let (mut seen_ttl, mut seen_class) = (false, false);
    let mut head = head.iter();
    let rtype = loop {
        let Some(word) = head.next() else {
            return wrong(end, "takes a type and data behind the owner");
        };
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
    let Some(data) = data else {
        return wrong(end, "takes data behind the type");
    };
    if let Some(more) = more {
        return wrong(
            more.start,
            "takes its data as one word; put quotes around it",
        );
    }
    for value in [range.first, range.last] {
        let made = expand(owner.of(text), value).map_err(|what| refused(owner.start, what))?;
        if let Err(error) = Name::from_zone_text(&made, origin.or(Some(&Name::root()))) {
            return wrong(
                owner.start,
                &format!(
                    "makes the owner {:?}: {error}",
                    String::from_utf8_lossy(&made)
                ),
            );
        }
        let made =
            expand(&unquoted(data.of(text)), value).map_err(|what| refused(data.start, what))?;
        if let Some(why) = wrong_data(rtype, &made, origin) {
            return wrong(
                data.start,
                &format!("makes the data {:?}: {why}", String::from_utf8_lossy(&made)),
            );
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
        Kind::Record(fields) => presentation::check(&text, &fields, origin)
            .err()
            .map(|error| error.what),
        Kind::Blank | Kind::Control { .. } | Kind::Unread(_) => None,
    }
}

/// The numbers of a `$GENERATE`.
#[derive(Clone, Copy)]
struct Range {
    first: i32,
    last: i32,
    step: i32,
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
        let (first, stop, step) = (
            i32::try_from(first).ok()?,
            i32::try_from(stop).ok()?,
            i32::try_from(step).ok()?,
        );
        (step > 0 && first <= stop).then(|| Self {
            first,
            last: stop - (stop - first) % step,
            step,
        })
    }

    fn has(&self, value: i32) -> bool {
        (self.first..=self.last).contains(&value) && (value - self.first) % self.step == 0
    }
}

/// The number in front, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let (digits, rest) = text.split_at(
        text.iter()
            .take_while(|octet| octet.is_ascii_digit())
            .count(),
    );
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// A word without the quotes around it and the backslashes before those in it.
fn unquoted(word: &[u8]) -> Vec<u8> {
    let Some(inside) = word
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
    else {
        return word.to_vec();
    };
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
    let word = if rtype::class_code(first.of(text)).is_some() {
        words.next()?
    } else {
        first
    };
    ttl::parse(word.of(text)).map(|seconds| (word, seconds))
}

/// What a `$GENERATE` makes: records of one type at the names of a template.
pub struct Generate<'t> {
    range: Range,
    /// The owners, with `$` for the number.
    pub template: &'t [u8],
    /// The type's code.
    pub code: u16,
    /// The data, with `$` for the number.
    data: Vec<u8>,
}

impl<'t> Generate<'t> {
    /// Reads the words behind `$GENERATE`; `None` when they are none of one.
    #[must_use]
    pub fn read(text: &'t [u8], args: &[Span]) -> Option<Self> {
        let [range, template, head @ ..] = args else {
            return None;
        };
        let code = head
            .iter()
            .find_map(|word| rtype::type_code(word.of(text)))?;
        let data = unquoted(head.last()?.of(text));
        Some(Self {
            range: Range::read(range.of(text))?,
            template: template.of(text),
            code,
            data,
        })
    }

    /// Whether it makes aliases that lead to `name`, or what leads below it.
    #[must_use]
    pub fn leads_to(&self, name: &Name, origin: Option<&Name>) -> bool {
        let data = Generate {
            range: self.range,
            template: &self.data,
            code: self.code,
            data: Vec::new(),
        };
        matches!(self.code, rtype::code::CNAME | rtype::code::DNAME) && data.makes(name, origin)
    }

    /// Whether it makes records at `name`.
    #[must_use]
    pub fn makes(&self, name: &Name, origin: Option<&Name>) -> bool {
        let root = Name::root();
        let origin = origin.unwrap_or(&root);
        let text = name.to_string();
        if !may_make(self.template, &origin.to_string(), &text) {
            return false;
        }
        let is_name = |value: &i32| {
            let made = expand(self.template, *value).ok();
            made.is_some_and(|made| Name::from_zone_text(&made, Some(origin)).as_ref() == Ok(name))
        };
        let modifier = Parts(self.template).find_map(|part| match part {
            Ok(Part::Number(modifier)) => Some(modifier),
            Ok(Part::Text(_)) | Err(_) => None,
        });
        let Some(modifier) = modifier else {
            return is_name(&self.range.first);
        };
        let longest = if modifier.width > 63 {
            modifier.width
        } else {
            63
        };
        let ends = |start: usize| {
            (start + 1..=text.len().min(start + longest)).map(move |end| (start, end))
        };
        let stretches = (0..text.len())
            .flat_map(ends)
            .filter_map(|(start, end)| text.get(start..end));
        let values: BTreeSet<i32> = stretches
            .filter_map(|digits| modifier.undo(digits))
            .collect();
        values
            .iter()
            .filter(|value| self.range.has(**value))
            .any(is_name)
    }
}

/// Whether a template may make `name` if every `$…` stands for any text.
fn may_make(template: &[u8], origin: &str, name: &str) -> bool {
    let mut pattern: Vec<Option<u8>> = Vec::new();
    let mut at = 0;
    while let Some(&octet) = template.get(at) {
        at += 1;
        match octet {
            b'$' => {
                if template.get(at) == Some(&b'{') {
                    at += template[at..]
                        .iter()
                        .position(|octet| *octet == b'}')
                        .map_or(template.len(), |end| end + 1);
                }
                pattern.push(None);
            }
            b'\\' => {
                // An escaped octet may be anything that the name shows as an escape too.
                at += if template.get(at).is_some_and(u8::is_ascii_digit) {
                    3
                } else {
                    1
                };
                pattern.push(None);
            }
            _ => pattern.push(Some(octet.to_ascii_lowercase())),
        }
    }
    if template == b"@" {
        pattern.clear();
    }
    // Nibbles may end in a dot.
    if !matches!(template.last(), Some(b'.' | b'}')) {
        if !pattern.is_empty() && origin != "." {
            pattern.push(Some(b'.'));
        }
        pattern.extend(origin.bytes().map(|octet| Some(octet.to_ascii_lowercase())));
    }
    matches(&pattern, name.as_bytes())
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
                let Some((star, from)) = retry else {
                    return false;
                };
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
    fn the_ttl_stands_before_or_behind_the_class() {
        for (text, stated) in [
            (&b"$GENERATE 1-2 h$ 300 A 192.0.2.$"[..], Some(300)),
            (b"$GENERATE 1-2 h$ 1h IN A 192.0.2.$", Some(3600)),
            (b"$GENERATE 1-2 h$ IN 5 A 192.0.2.$", Some(5)),
            (b"$GENERATE 1-2 h$ IN A 192.0.2.$", None),
            (b"$GENERATE 1-2 h$ TXT 7", None),
        ] {
            let args: Vec<Span> = crate::zone::text::words::words(text).skip(1).collect();
            assert_eq!(
                stated_ttl(text, &args).map(|(_, seconds)| seconds),
                stated,
                "{}",
                text.escape_ascii()
            );
        }
    }

    #[test]
    fn a_name_is_made_by_the_numbers_of_the_range_and_no_other() {
        let origin = Name::from_user("example.com").unwrap();
        for (line, target, makes) in [
            ("1-20 host$ A 192.0.2.$", "host12.example.com", true),
            ("1-11 host$ A 192.0.2.$", "host12.example.com", false),
            ("1-20/2 host$ A 192.0.2.$", "host12.example.com", false),
            ("1-20 host$ A 192.0.2.$", "host012.example.com", false),
            ("1-20 $ A 192.0.2.$", "mail.example.com", false),
            ("1-20 $ A 192.0.2.$", "9.example.com", true),
            ("1-20 mx${0,2,d} A 192.0.2.$", "mx01.example.com", true),
            ("1-20 mx${0,2,d} A 192.0.2.$", "mx1.example.com", false),
            ("0-255 ${0,2,x} A 192.0.2.$", "fe.example.com", true),
            ("0-253 ${0,2,x} A 192.0.2.$", "fe.example.com", false),
            ("0-255 ${0,2,X} A 192.0.2.$", "fe.example.com", true),
            ("0-255 ${0,2,x} A 192.0.2.$", "mail.example.com", false),
            ("0-100 ${0,0,o} A 192.0.2.$", "17.example.com", true),
            ("0-100 ${0,0,o} A 192.0.2.$", "18.example.com", false),
            ("0-255 ${0,3,n} PTR h$", "2.1.example.com", true),
            ("0-255 ${0,3,n} PTR h$", "2.10.example.com", false),
            ("0-17 ${0,3,n} PTR h$", "2.1.example.com", false),
            ("0-5 h$-${1} A 192.0.2.$", "h2-3.example.com", true),
            ("0-5 h$-${1} A 192.0.2.$", "h2-4.example.com", false),
            (
                "1-30 _$._tcp.mail TLSA \"3 1 1 ab\"",
                "_25._tcp.mail.example.com",
                true,
            ),
            (
                "1-24 _$._tcp.mail TLSA \"3 1 1 ab\"",
                "_25._tcp.mail.example.com",
                false,
            ),
            (
                "1-30 \\095$._tcp.MAIL TLSA \"3 1 1 ab\"",
                "_25._tcp.mail.example.com",
                true,
            ),
            ("1-30 $.example.com. A 192.0.2.$", "25.example.com", true),
            ("1-30 $.example.org. A 192.0.2.$", "25.example.com", false),
            ("1-3 @ NS ns$", "example.com", true),
            ("1-3 mail A 192.0.2.$", "mail.example.com", true),
            ("1-3 *.h$ A 192.0.2.$", "*.h2.example.com", true),
            ("1-3 h${-2} A 192.0.2.$", "h-1.example.com", true),
            (
                "1-2147483647/2147483647 h$ A 192.0.2.1",
                "h1.example.com",
                true,
            ),
        ] {
            let text = format!("$GENERATE {line}");
            let args: Vec<Span> = crate::zone::text::words::words(text.as_bytes())
                .skip(1)
                .collect();
            let generate = Generate::read(text.as_bytes(), &args).unwrap();
            assert_eq!(
                generate.makes(&Name::from_user(target).unwrap(), Some(&origin)),
                makes,
                "{line} {target}"
            );
        }
    }
}
