//! Service parameters of SVCB and HTTPS (RFC 9460 section 2.1): `alpn=h2,h3
//! port=8443`. Keys have the names that are registered (IANA, "Service Parameter
//! Keys", as it was in August 2026), or `keyNNN`: of others no server knows the number.

use super::Data;
use super::address::{ipv4, ipv6};
use super::digits::{Alphabet, Run, number};
use super::field::plain;
use crate::zone::text::rdata::RdataError;

/// Checks the parameters up to the end.
pub(super) fn check(data: &mut Data<'_>) -> Result<(), RdataError> {
    let mut seen: Vec<Key<'_>> = Vec::new();
    let mut mandatory: Vec<(Vec<u8>, usize)> = Vec::new();
    while let Some(word) = data.next() {
        let text = data.of(word);
        let (key, mut value) = match memchr::memchr(b'=', text) {
            Some(equals) => (text.get(..equals).unwrap_or(&[]), text.get(equals + 1..)),
            None => (text, None),
        };
        // The words split `alpn="h2,h3"` in two.
        if value == Some(&[])
            && let Some(quoted) = data
                .peek()
                .filter(|next| next.start == word.end && data.of(*next).starts_with(b"\""))
        {
            value = Some(data.of(quoted));
            data.next();
        }
        let quoted = key.starts_with(b"\"");
        if !quoted && !is_key(key) {
            return Err(data.not(word, "a service parameter, as alpn=h2,"));
        }
        if quoted || is_value_dressed(key, value.unwrap_or(&[])) {
            data.dressed(word);
        }
        let code = Key::of(key);
        if code.is_numbered(key) {
            data.spelling.numbered.get_or_insert(word.start);
        }
        if let (false, Key::Name(name)) = (quoted, &code) {
            let what = format!(
                "has the service parameter {}, which is not registered; a newer one is written keyNNN",
                lossy(name)
            );
            return Err(data.wrong(word.start, what));
        }
        if !quoted && seen.contains(&code) {
            return Err(data.wrong(
                word.start,
                format!("has the service parameter {} twice", lossy(key)),
            ));
        }
        seen.push(code);
        if key == b"mandatory" {
            let list = plain(value.unwrap_or(&[]));
            mandatory.extend(
                list.split(|octet| *octet == b',')
                    .map(|key| (key.to_vec(), word.start)),
            );
        }
        if let Some(expected) = wrong_value(key, value) {
            let what = format!(
                "has the service parameter {} where {expected} is expected",
                data.shown(word)
            );
            return Err(data.wrong(word.start, what));
        }
    }
    let repeated = |at: usize, key: &[u8]| mandatory.iter().take(at).any(|(other, _)| other == key);
    let missing = |(at, (key, _)): &(usize, &(Vec<u8>, usize))| {
        let there = seen.contains(&Key::of(key)) && Key::of(key) != Key::Code(0);
        !there || repeated(*at, key)
    };
    match mandatory.iter().enumerate().find(missing) {
        Some((_, (key, at))) => {
            let what = format!(
                "makes the service parameter {} mandatory, which it does not have once",
                lossy(key)
            );
            Err(data.wrong(*at, what))
        }
        None => Ok(()),
    }
}

/// The names of keys 0, 1, 2 and so on.
const NAMES: [&[u8]; 13] = [
    b"mandatory",
    b"alpn",
    b"no-default-alpn",
    b"port",
    b"ipv4hint",
    b"ech",
    b"ipv6hint",
    b"dohpath",
    b"ohttp",
    b"tls-supported-groups",
    b"docpath",
    b"pvd",
    b"oots",
];

/// A key by its number (RFC 9460 section 14.3.2), or a name that is new.
#[derive(PartialEq, Eq)]
enum Key<'k> {
    Code(u64),
    Name(&'k [u8]),
}

impl<'k> Key<'k> {
    fn of(key: &'k [u8]) -> Self {
        match NAMES.iter().position(|name| *name == key) {
            Some(code) => Self::Code(code as u64),
            None => key
                .strip_prefix(b"key")
                .and_then(number)
                .map_or(Self::Name(key), Self::Code),
        }
    }
}

impl Key<'_> {
    /// Whether a key of this text has a name that is not used.
    fn is_numbered(&self, text: &[u8]) -> bool {
        matches!(self, Self::Code(code) if *code < NAMES.len() as u64) && !NAMES.contains(&text)
    }
}

/// Lower-case letters, digits and hyphens; `key65535` at most.
fn is_key(key: &[u8]) -> bool {
    let characters = key
        .iter()
        .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || *octet == b'-');
    let code = key.strip_prefix(b"key").and_then(number);
    !key.is_empty() && characters && code.is_none_or(|code| code <= 65535)
}

/// Whether a value that is no text has an escape or a plus sign; quotes are fine.
fn is_value_dressed(key: &[u8], value: &[u8]) -> bool {
    match key {
        b"port" => value.contains(&b'\\') || plain(value).first() == Some(&b'+'),
        b"mandatory" | b"ipv4hint" | b"ipv6hint" | b"ech" => value.contains(&b'\\'),
        _ => false,
    }
}

/// What is expected of the value instead, where neither server takes it.
fn wrong_value(key: &[u8], value: Option<&[u8]>) -> Option<&'static str> {
    let text = plain(value.unwrap_or(&[]));
    let each = |check: fn(&[u8]) -> bool| text.split(|octet| *octet == b',').all(check);
    let base64 = || {
        let mut run = Run::new(Alphabet::Base64);
        run.take(&text) && run.finish().is_ok()
    };
    match key {
        b"alpn" if text.is_empty() => Some("a list of protocols"),
        b"port" if number(&text).is_none_or(|port| port > 65535) => Some("a port"),
        b"ipv4hint" if !each(ipv4) => Some("a list of IPv4 addresses"),
        b"ipv6hint" if !each(ipv6) => Some("a list of IPv6 addresses"),
        b"ech" if !base64() => Some("a run of base64 digits"),
        b"no-default-alpn" if !text.is_empty() => Some("no value"),
        b"mandatory" if text.is_empty() => Some("a list of keys"),
        _ => None,
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
