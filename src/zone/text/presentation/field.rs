//! The fields that RDATA is made of, and how each is read. A number, address,
//! name or digit may stand in quotes or be escaped, as NSD takes it.

use std::borrow::Cow;

use super::digits::{self, ALGORITHMS, Alphabet, CERTIFICATES, DIGESTS, Run, largest, named};
use super::{Data, address, location, service};
use crate::name::Name as DomainName;
use crate::zone::text::rdata::RdataError;
use crate::zone::text::words::Span;
use crate::zone::text::{rtype, ttl};

/// One field, or all that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A domain name.
    Name,
    /// A number of so many octets.
    Number(u8),
    /// A time, with or without units.
    Seconds,
    /// A number of so many octets, also in hex, or a word that BIND knows for it.
    Mnemonic(u8),
    /// A DNSSEC algorithm.
    Algorithm,
    /// A digest type of a DS.
    Digest,
    /// A certificate type.
    Certificate,
    Ipv4,
    Ipv6,
    /// A character-string (RFC 1035 section 3.3).
    Text,
    OptionalText,
    /// One or more character-strings.
    Texts,
    /// A string of any length.
    Value,
    /// A CAA property.
    Tag,
    /// A word that is not looked at.
    Word,
    /// Hex digits to the end.
    Hex,
    /// Base64 digits to the end.
    Base64,
    OptionalBase64,
    /// Hex digits in one word, or `-`.
    Salt,
    /// Type mnemonics to the end; there may be none.
    Types,
    /// Domain names to the end; there may be none.
    Names,
    /// Items of an APL to the end; there may be none.
    Prefixes,
    /// So many octets, as `00-00-5e-00-53-2a`.
    Eui(usize),
    /// `0x` and hex digits, with dots anywhere.
    Nsap,
    /// Four groups of hex digits.
    Locator,
    /// Type, algorithm and address or name of an IPSECKEY's gateway.
    Gateway,
    /// Algorithm, tag and key of a HIP.
    HostIdentity,
    /// All of a LOC.
    Location,
    /// All that follows the target of an SVCB.
    Parameters,
    /// RFC 3597 octets only.
    Octets,
    /// Whatever follows.
    Rest,
}

impl Field {
    /// What an error says is expected here.
    fn expected(self) -> &'static str {
        match self {
            Self::Name | Self::Names => "a domain name",
            Self::Number(1) => "a number from 0 to 255",
            Self::Number(2) => "a number from 0 to 65535",
            Self::Number(_) => "a number from 0 to 4294967295",
            Self::Seconds => "a time in seconds, or a number with w, d, h, m or s,",
            Self::Mnemonic(_) => "a number or a word for it",
            Self::Algorithm => "the number or name of an algorithm",
            Self::Digest => "the number of a digest type",
            Self::Certificate => "the number or name of a certificate type",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Text
            | Self::OptionalText
            | Self::Texts
            | Self::Value
            | Self::Word
            | Self::Rest => "a string",
            Self::Tag => "a property of letters and digits, such as issue,",
            Self::Hex => "a run of hex digits",
            Self::Base64 | Self::OptionalBase64 => "a run of base64 digits",
            Self::Salt => "a salt in hex digits, or a hyphen,",
            Self::Types => "a record type",
            Self::Prefixes => "an address prefix, as 1:192.0.2.0/24,",
            Self::Eui(6) => "an EUI of six octets, as 00-00-5e-00-53-2a,",
            Self::Eui(_) => "an EUI of eight octets, as 00-00-5e-ef-10-00-00-2a,",
            Self::Locator => "four groups of hex digits with colons",
            Self::Nsap => "0x and hex digits",
            Self::Gateway => "a gateway of the type stated",
            Self::HostIdentity => "a host identity",
            Self::Location => "a location",
            Self::Parameters => "a service parameter",
            Self::Octets => "\\# with a length and hex digits",
        }
    }

    /// Reads this field's words.
    pub(super) fn check(self, data: &mut Data<'_>) -> Result<(), RdataError> {
        let expected = self.expected();
        match self {
            Self::Rest => {
                while data.next().is_some() {}
                Ok(())
            }
            Self::Names | Self::Types | Self::Prefixes => {
                while let Some(word) = data.next() {
                    self.check_word(data, word)?;
                }
                Ok(())
            }
            Self::Texts => {
                let first = data.wanted(expected)?;
                self.check_word(data, first)?;
                while let Some(word) = data.next() {
                    self.check_word(data, word)?;
                }
                Ok(())
            }
            Self::Hex => run(data, Alphabet::Hex, expected),
            Self::Base64 => run(data, Alphabet::Base64, expected),
            Self::OptionalBase64 if data.peek().is_none() => Ok(()),
            Self::OptionalBase64 => run(data, Alphabet::Base64, expected),
            Self::OptionalText if data.peek().is_none() => Ok(()),
            Self::Gateway => gateway(data),
            Self::HostIdentity => host_identity(data),
            Self::Location => location::check(data),
            Self::Parameters => service::check(data),
            _ => {
                let word = data.wanted(expected)?;
                self.check_word(data, word)
            }
        }
    }

    /// Whether the field is a text, which may stand in quotes, or looks at its words itself.
    fn may_be_quoted(self) -> bool {
        match self {
            Self::Text
            | Self::OptionalText
            | Self::Texts
            | Self::Value
            | Self::Name
            | Self::Names => true,
            Self::Number(_)
            | Self::Seconds
            | Self::Mnemonic(_)
            | Self::Algorithm
            | Self::Digest
            | Self::Certificate
            | Self::Ipv4
            | Self::Ipv6
            | Self::Tag
            | Self::Word
            | Self::Hex
            | Self::Base64
            | Self::OptionalBase64
            | Self::Salt
            | Self::Types
            | Self::Prefixes
            | Self::Eui(_)
            | Self::Nsap
            | Self::Locator
            | Self::Gateway
            | Self::HostIdentity
            | Self::Location
            | Self::Parameters
            | Self::Octets
            | Self::Rest => false,
        }
    }

    /// Whether one word is this field.
    fn check_word(self, data: &mut Data<'_>, word: Span) -> Result<(), RdataError> {
        let octets = data.of(word);
        let plain = if self.may_be_quoted() {
            plain(octets)
        } else {
            data.plain(word)
        };
        let right = match self {
            Self::Name | Self::Names => return name(data, word),
            Self::Text | Self::OptionalText | Self::Texts => return text(data, word),
            Self::Number(size) => data
                .number(word)
                .is_some_and(|value| value <= largest(size)),
            Self::Seconds => ttl::parse(&plain).is_some(),
            Self::Mnemonic(size) => match data.number(word) {
                Some(value) => value <= largest(size),
                None => match plain
                    .strip_prefix(b"0x")
                    .and_then(|digits| std::str::from_utf8(digits).ok())
                {
                    Some(digits) => {
                        u64::from_str_radix(digits, 16).is_ok_and(|value| value <= largest(size))
                    }
                    None => plain.first().is_some_and(u8::is_ascii_alphabetic),
                },
            },
            Self::Algorithm => {
                named(&plain, ALGORITHMS) || data.number(word).is_some_and(|value| value <= 255)
            }
            Self::Digest => {
                named(&plain, DIGESTS) || data.number(word).is_some_and(|value| value <= 255)
            }
            Self::Certificate => {
                named(&plain, CERTIFICATES) || data.number(word).is_some_and(|value| value <= 65535)
            }
            Self::Ipv4 => address::ipv4(&plain),
            Self::Ipv6 => address::ipv6(&plain),
            // BIND takes capitals, NSD quotes and escapes, neither takes both.
            Self::Tag => {
                let capitals = plain.len() == octets.len();
                let right = |octet: &u8| {
                    octet.is_ascii_alphanumeric() && (capitals || !octet.is_ascii_uppercase())
                };
                (1..=255).contains(&plain.len()) && plain.iter().all(right)
            }
            Self::Salt => {
                let mut run = Run::new(Alphabet::Hex);
                *plain == *b"-" || (run.take(&plain) && run.finish().is_ok())
            }
            Self::Types => rtype::type_code(&plain).is_some(),
            Self::Prefixes => address::prefix(&plain),
            Self::Eui(size) => address::eui(&plain, size),
            Self::Locator => address::locator(&plain),
            Self::Nsap => address::nsap(&plain),
            Self::Octets => false,
            Self::Value
            | Self::Word
            | Self::Hex
            | Self::Base64
            | Self::OptionalBase64
            | Self::Gateway
            | Self::HostIdentity
            | Self::Location
            | Self::Parameters
            | Self::Rest => true,
        };
        if right {
            Ok(())
        } else {
            Err(data.not(word, self.expected()))
        }
    }
}

/// A word without its quotes and escapes.
pub(super) fn plain(word: &[u8]) -> Cow<'_, [u8]> {
    let word = word
        .strip_prefix(b"\"")
        .map_or(word, |rest| rest.strip_suffix(b"\"").unwrap_or(rest));
    if !word.contains(&b'\\') {
        return Cow::Borrowed(word);
    }
    let mut octets = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        if octet != b'\\' {
            octets.push(octet);
        } else if let Some(digits) = rest
            .get(..3)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
        {
            let value = digits
                .iter()
                .fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
            octets.push(u8::try_from(value).unwrap_or(u8::MAX));
            rest = rest.get(3..).unwrap_or(&[]);
        } else if let Some((&octet, after)) = rest.split_first() {
            octets.push(octet);
            rest = after;
        }
    }
    Cow::Owned(octets)
}

/// A name with its origin: labels up to 63 octets, all of it up to 255.
fn name(data: &mut Data<'_>, word: Span) -> Result<(), RdataError> {
    let octets = data.of(word);
    if octets.first() == Some(&b'"') {
        data.dressed(word);
    }
    let text = octets
        .strip_prefix(b"\"")
        .map_or(octets, |rest| rest.strip_suffix(b"\"").unwrap_or(rest));
    let root = DomainName::root();
    match DomainName::from_zone_text(text, data.origin.or(Some(&root))) {
        Ok(_) => Ok(()),
        Err(error) => {
            let what = format!(
                "has {} where a domain name is expected: {error}",
                data.shown(word)
            );
            Err(data.wrong(word.start, what))
        }
    }
}

/// A character-string: up to 255 octets (RFC 1035 section 3.3).
fn text(data: &Data<'_>, word: Span) -> Result<(), RdataError> {
    let octets = plain(data.of(word)).len();
    if octets <= 255 {
        return Ok(());
    }
    Err(data.wrong(
        word.start,
        format!("has a string of {octets} octets; one string may have 255, a longer text is split into several"),
    ))
}

/// Digits to the end, at least some.
fn run(data: &mut Data<'_>, alphabet: Alphabet, expected: &str) -> Result<(), RdataError> {
    let first = data.wanted(expected)?;
    let mut run = Run::new(alphabet);
    let mut word = Some(first);
    let mut only = true;
    while let Some(span) = word {
        if !run.take(&data.plain(span)) {
            return Err(data.not(span, expected));
        }
        word = data.next();
        only &= word.is_none();
    }
    // How CDS and CDNSKEY say "no key" (RFC 8078 section 4); BIND wants 00 and AA==.
    if only && *data.of(first) == *b"0" {
        return Ok(());
    }
    run.finish().map_err(|what| data.wrong(first.start, what))
}

/// An IPSECKEY's gateway type, algorithm and gateway (RFC 4025 section 3.1).
fn gateway(data: &mut Data<'_>) -> Result<(), RdataError> {
    let of = data.wanted("a gateway type")?;
    let field = match data.number(of) {
        Some(0 | 3) => Field::Name,
        Some(1) => Field::Ipv4,
        Some(2) => Field::Ipv6,
        _ => return Err(data.not(of, "a gateway type from 0 to 3")),
    };
    Field::Number(1).check(data)?;
    field.check(data)
}

/// A HIP's algorithm, tag and key, each one word (RFC 8005 section 6).
fn host_identity(data: &mut Data<'_>) -> Result<(), RdataError> {
    Field::Number(1).check(data)?;
    for alphabet in [Alphabet::Hex, Alphabet::Base64] {
        let expected = if alphabet == Alphabet::Hex {
            "a tag in hex digits"
        } else {
            "a key in base64 digits"
        };
        let word = data.wanted(expected)?;
        let mut run = digits::Run::new(alphabet);
        if !run.take(&data.plain(word)) {
            return Err(data.not(word, expected));
        }
        run.finish().map_err(|what| data.wrong(word.start, what))?;
    }
    Ok(())
}
