//! `$GENERATE` (BIND): not expanded, only asked whether it may make a name and
//! which TTL it states.

use crate::name::Name;
use crate::zone::words::Span;
use crate::zone::{rtype, ttl};

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
