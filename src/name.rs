//! Domain names as values: absolute, lower case, in wire form (RFC 1035
//! section 3.1), so that equality is DNS equality and a label may hold any
//! octet. Reads the presentation form of zone files and what people type.

use std::fmt;

/// An absolute domain name. ASCII letters are kept in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Length octet and label, repeated, then the empty root label.
    wire: Vec<u8>,
}

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// There is no text at all.
    Empty,
    /// Two dots follow each other, or the name starts with one.
    EmptyLabel,
    /// A label has more than 63 octets (RFC 1035 section 2.3.4).
    LongLabel {
        /// How many it has.
        octets: usize,
    },
    /// The name has more than 255 octets in wire form (RFC 1035 section 2.3.4).
    TooLong,
    /// A backslash is not followed by a character or three digits up to 255.
    BadEscape,
    /// The name is relative and there is no origin to complete it.
    NoOrigin,
    /// An internationalised label cannot be converted (RFC 5891).
    Idn,
    /// A character that has no place in a name typed by a person.
    Character {
        /// The character.
        found: char,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the name is empty"),
            Self::EmptyLabel => write!(f, "the name has an empty label"),
            Self::LongLabel { octets } => {
                write!(f, "the name has a label of {octets} octets, more than 63")
            }
            Self::TooLong => write!(f, "the name has more than 255 octets"),
            Self::BadEscape => write!(
                f,
                "the name has a backslash without a character or three digits up to 255"
            ),
            Self::NoOrigin => write!(f, "the name is relative and no origin is known"),
            Self::Idn => write!(
                f,
                "the name cannot be converted from its internationalised form"
            ),
            Self::Character { found } => write!(f, "the name has the character {found:?}"),
        }
    }
}

impl std::error::Error for NameError {}

impl Name {
    /// The root, `.`.
    #[must_use]
    pub fn root() -> Self {
        Self { wire: vec![0] }
    }

    /// Reads a name as it stands in a zone file (RFC 1035 section 5.1):
    /// `\X` and `\DDD` escapes, `@` for the origin, relative without a final dot.
    ///
    /// # Errors
    ///
    /// What keeps the text from being a name.
    pub fn from_zone_text(text: &[u8], origin: Option<&Self>) -> Result<Self, NameError> {
        if text == b"@" {
            return origin.cloned().ok_or(NameError::NoOrigin);
        }
        if text == b"." {
            return Ok(Self::root());
        }
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let mut wire = Vec::with_capacity(text.len() + 2 + origin.map_or(0, |o| o.wire.len()));
        let mut start = 0;
        wire.push(0);
        let mut absolute = false;
        let mut at = 0;
        while let Some(&octet) = text.get(at) {
            at += 1;
            if octet == b'.' {
                close_label(&mut wire, start)?;
                absolute = at == text.len();
                start = wire.len();
                wire.push(0);
                continue;
            }
            let octet = if octet == b'\\' {
                unescape(text, &mut at)?
            } else {
                octet
            };
            wire.push(octet.to_ascii_lowercase());
        }
        if !absolute {
            close_label(&mut wire, start)?;
            wire.extend_from_slice(&origin.ok_or(NameError::NoOrigin)?.wire);
        }
        if wire.len() > 255 {
            return Err(NameError::TooLong);
        }
        Ok(Self { wire })
    }

    /// Reads a name as a person types it: with or without the final dot, in
    /// IDN form or not (RFC 5891); the result is absolute.
    ///
    /// # Errors
    ///
    /// What keeps the text from being a name.
    pub fn from_user(text: &str) -> Result<Self, NameError> {
        if let Some(found) = text
            .chars()
            .find(|c| c.is_whitespace() || c.is_control() || "\"();@\\/:".contains(*c))
        {
            return Err(NameError::Character { found });
        }
        if text.is_ascii() {
            return Self::from_zone_text(text.as_bytes(), Some(&Self::root()));
        }
        let ascii = idna::domain_to_ascii(text).map_err(|_| NameError::Idn)?;
        Self::from_zone_text(ascii.as_bytes(), Some(&Self::root()))
    }

    /// Reads a zone's name or an owner as a person types it: like any name, and with
    /// the slash that classless reverse zones have (RFC 2317).
    ///
    /// # Errors
    ///
    /// What keeps the text from being a name.
    pub fn zone_from_user(text: &str) -> Result<Self, NameError> {
        let whole = Self::from_user(&text.replace('/', "_"))?;
        if !text.contains('/') {
            return Ok(whole);
        }
        if text.is_ascii() {
            Self::from_zone_text(text.as_bytes(), Some(&Self::root()))
        } else {
            Err(NameError::Idn)
        }
    }

    /// Takes uncompressed wire form (RFC 1035 section 3.1).
    ///
    /// # Errors
    ///
    /// When the octets are not exactly one name.
    pub fn from_wire(octets: &[u8]) -> Result<Self, NameError> {
        let mut at = 0;
        loop {
            let length = usize::from(*octets.get(at).ok_or(NameError::Empty)?);
            if length > 63 {
                return Err(NameError::LongLabel { octets: length });
            }
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
        if at != octets.len() || at > 255 {
            return Err(NameError::TooLong);
        }
        Ok(Self {
            wire: octets.to_ascii_lowercase(),
        })
    }

    /// The wire form, uncompressed, with the root label.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.wire.len() == 1
    }

    /// The labels from the left, without the root label.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.wire.as_slice();
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            let (label, after) = tail.split_at_checked(usize::from(length))?;
            rest = after;
            (length > 0).then_some(label)
        })
    }

    /// The name without its first label; the root has none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let first = usize::from(*self.wire.first()?);
        (first > 0).then(|| Self {
            wire: self.wire[first + 1..].to_vec(),
        })
    }

    /// This name and the names above it, up to and with the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// Whether this name is `top` or lies below it.
    #[must_use]
    pub fn is_within(&self, top: &Self) -> bool {
        let Some(start) = self.wire.len().checked_sub(top.wire.len()) else {
            return false;
        };
        // What ends in the same octets need not end in the same labels.
        let mut at = 0;
        while at < start {
            at += 1 + usize::from(self.wire[at]);
        }
        at == start && self.wire[start..] == top.wire
    }

    /// Puts one label in front.
    ///
    /// # Errors
    ///
    /// When the label or the name becomes too long.
    pub fn prepend(&self, label: &[u8]) -> Result<Self, NameError> {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|n| (1..=63).contains(n));
        let length = length.ok_or(NameError::LongLabel {
            octets: label.len(),
        })?;
        let mut wire = Vec::with_capacity(self.wire.len() + label.len() + 1);
        wire.push(length);
        wire.extend(label.iter().map(u8::to_ascii_lowercase));
        wire.extend_from_slice(&self.wire);
        if wire.len() > 255 {
            Err(NameError::TooLong)
        } else {
            Ok(Self { wire })
        }
    }

    /// The text relative to `origin`, or `None` when the name is not below it.
    /// The origin itself is `@`.
    #[must_use]
    pub fn relative_to(&self, origin: &Self) -> Option<String> {
        if self == origin {
            return Some("@".to_owned());
        }
        if !self.is_within(origin) {
            return None;
        }
        let count = self.labels().count() - origin.labels().count();
        let labels: Vec<String> = self.labels().take(count).map(label_text).collect();
        Some(labels.join("."))
    }
}

impl fmt::Display for Name {
    /// Absolute presentation form, with `\DDD` for what is not printable ASCII.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            write!(f, "{}.", label_text(label))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

fn close_label(wire: &mut [u8], start: usize) -> Result<(), NameError> {
    let octets = wire.len() - start - 1;
    match u8::try_from(octets) {
        Ok(0) => Err(NameError::EmptyLabel),
        Ok(length @ 1..=63) => {
            wire[start] = length;
            Ok(())
        }
        _ => Err(NameError::LongLabel { octets }),
    }
}

fn unescape(text: &[u8], at: &mut usize) -> Result<u8, NameError> {
    let first = *text.get(*at).ok_or(NameError::BadEscape)?;
    *at += 1;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let rest = text
        .get(*at..*at + 2)
        .filter(|d| d.iter().all(u8::is_ascii_digit))
        .ok_or(NameError::BadEscape)?;
    *at += 2;
    let value = [first, rest[0], rest[1]]
        .iter()
        .fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

fn label_text(label: &[u8]) -> String {
    let mut text = String::with_capacity(label.len());
    for &octet in label {
        match octet {
            b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                text.push('\\');
                text.push(char::from(octet));
            }
            0x21..=0x7e => text.push(char::from(octet)),
            _ => text.push_str(&format!("\\{octet:03}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_user(text).unwrap()
    }

    #[test]
    fn escapes_and_case_make_one_name() {
        let origin = name("example.com");
        for text in ["_443._tcp", "\\_443.\\095TCP", "_443._tcp.EXAMPLE.com."] {
            assert_eq!(
                Name::from_zone_text(text.as_bytes(), Some(&origin)).unwrap(),
                name("_443._tcp.example.com")
            );
        }
    }

    #[test]
    fn printing_and_reading_are_inverse() {
        for text in [
            &b"a\\.b.c."[..],
            b"\\000\\255.x.",
            b".",
            b"a\\;\\(\\\".b.",
            b"\\@.x.",
        ] {
            let read = Name::from_zone_text(text, None).unwrap();
            assert_eq!(
                Name::from_zone_text(read.to_string().as_bytes(), None).unwrap(),
                read
            );
            assert_eq!(Name::from_wire(read.wire()).unwrap(), read);
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        let long_label = "a".repeat(64);
        let long_name = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(62),
        ]
        .join(".");
        for (text, why) in [
            ("", NameError::Empty),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            (&long_label, NameError::LongLabel { octets: 64 }),
            (&long_name, NameError::TooLong),
            ("a b", NameError::Character { found: ' ' }),
            ("a@b", NameError::Character { found: '@' }),
        ] {
            assert_eq!(Name::from_user(text), Err(why), "{text}");
        }
        assert_eq!(
            Name::from_zone_text(b"a\\256.", None),
            Err(NameError::BadEscape)
        );
        assert_eq!(
            Name::from_zone_text(b"a\\", None),
            Err(NameError::BadEscape)
        );
        assert_eq!(Name::from_zone_text(b"a", None), Err(NameError::NoOrigin));
    }

    #[test]
    fn an_internationalised_name_becomes_its_a_label() {
        assert_eq!(name("müller.example").to_string(), "xn--mller-kva.example.");
    }

    #[test]
    fn within_compares_whole_labels() {
        assert!(name("mail.example.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&name("example.com")));
        assert!(!name("badexample.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&Name::root()));
        assert_eq!(
            name("a.b.example.com")
                .relative_to(&name("example.com"))
                .unwrap(),
            "a.b"
        );
        assert_eq!(
            name("example.com")
                .relative_to(&name("example.com"))
                .unwrap(),
            "@"
        );
        assert_eq!(name("example.org").relative_to(&name("example.com")), None);
    }
}
