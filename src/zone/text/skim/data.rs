//! The data of one record, field by field, on one line or in parentheses.
//! Nothing is wrong here: what is not plain is `None`.

use crate::name::Name;
use crate::zone::text::presentation;
use crate::zone::text::scan::Fields;
use crate::zone::text::skim::head::Head;
use crate::zone::text::skim::kinds::Field;
use crate::zone::text::skim::octets::{base64, blanks, hex, name, quotable};
use crate::zone::text::skim::parameters::parameter;
use crate::zone::text::skim::{self, LONGEST_WORD};
use crate::zone::text::words::Span;

/// Where one is in a record's data.
pub(super) struct Data<'t> {
    text: &'t [u8],
    origin: Option<&'t Name>,
    /// The type before the data, and its code.
    rtype: Span,
    code: u16,
    pub(super) at: usize,
    /// How many line ends lie before it in the record.
    pub(super) line_ends: u64,
    /// Whether there is a parenthesis, and whether it is still open.
    group: bool,
    open: bool,
    /// The last number that was read.
    number: u32,
}

impl<'t> Data<'t> {
    /// The data behind a head.
    #[inline]
    pub(super) fn behind(text: &'t [u8], head: Head, origin: Option<&'t Name>) -> Self {
        let Head { kind, rtype, .. } = head;
        let (code, at) = (kind.code, rtype.end);
        Self {
            text,
            origin,
            rtype,
            code,
            at,
            line_ends: 0,
            group: false,
            open: false,
            number: 0,
        }
    }

    /// Reads all fields, and goes behind the line end after them.
    #[inline]
    pub(super) fn read(&mut self, fields: &[Field]) -> Option<()> {
        for field in fields {
            if !self.more()? {
                return None;
            }
            self.field(*field)?;
        }
        // By far the most records end right there.
        if (self.open || self.text.get(self.at) != Some(&b'\n')) && self.more()? {
            return None;
        }
        self.at += 1;
        self.line_ends += 1;
        Some(())
    }

    /// Steps to the next word; `false` right before the line end that ends the record.
    #[inline]
    fn more(&mut self) -> Option<bool> {
        // By far the most words have one blank before them.
        if let Some([b' ' | b'\t', next]) = self.text.get(self.at..self.at + 2)
            && (next.is_ascii_alphanumeric() || *next == b'"')
        {
            self.at += 1;
            return Some(true);
        }
        self.gap()
    }

    #[inline(never)]
    fn gap(&mut self) -> Option<bool> {
        let start = self.at;
        loop {
            let octet = *self.text.get(self.at)?;
            match octet {
                b' ' | b'\t' => self.at += blanks(self.text, self.at)?,
                b'\n' if self.open => {
                    self.at += 1;
                    self.line_ends += 1;
                }
                b'\n' => return Some(false),
                b'\r' if self.text.get(self.at + 1) == Some(&b'\n') => self.at += 1,
                b';' => self.at += memchr::memchr(b'\n', self.text.get(self.at..)?)?,
                // Behind a blank only, and once.
                b'(' if self.at > start && !self.group => {
                    (self.group, self.open) = (true, true);
                    self.at += 1;
                }
                b')' if self.open => return self.close(),
                _ => return (self.at > start).then_some(true),
            }
        }
    }

    /// Goes behind `)` to the line end, before which no word may stand.
    fn close(&mut self) -> Option<bool> {
        self.open = false;
        self.at += 1;
        if self.more()? { None } else { Some(false) }
    }

    #[inline]
    fn field(&mut self, field: Field) -> Option<()> {
        match field {
            Field::Name => self.name(),
            Field::Number(largest) => self.number(largest),
            Field::Ipv4 => self.ipv4(),
            Field::Ipv6 => self.ipv6(),
            Field::Text => self.string(255),
            Field::Value => self.string(usize::MAX),
            Field::Texts => {
                self.string(255)?;
                while self.more()? {
                    self.string(255)?;
                }
                Some(())
            }
            Field::Algorithm => self.number_or(255, ALGORITHMS),
            Field::Certificate => self.number_or(65_535, CERTIFICATES),
            Field::Tag => {
                let tag = self
                    .text
                    .get(self.at..)?
                    .iter()
                    .take(16)
                    .take_while(|octet| octet.is_ascii_alphanumeric());
                let len = tag.count();
                (1..16).contains(&len).then(|| self.at += len)
            }
            Field::Digest => {
                self.more_after_number(255)?;
                let digits = match self.number {
                    1 => 40,
                    2 => 64,
                    4 => 96,
                    _ => return None,
                };
                self.hex(Some(digits))
            }
            Field::Association => {
                self.more_after_number(255)?;
                match self.number {
                    0 => self.hex(None),
                    1 => self.hex(Some(64)),
                    2 => self.hex(Some(128)),
                    _ => None,
                }
            }
            Field::Hex => self.hex(None),
            Field::Base64 => self.base64(),
            Field::Parameters => {
                let mut last = 0;
                loop {
                    (self.at, last) = parameter(self.text, self.at, last)?;
                    if !self.more()? {
                        return Some(());
                    }
                }
            }
            Field::Eui(octets) => self.groups(octets, 2, b'-'),
            Field::Locator => self.groups(4, 4, b':'),
            Field::Checked => self.checked(),
        }
    }

    #[inline]
    fn name(&mut self) -> Option<()> {
        self.at += match self.text.get(self.at..self.at + 2)? {
            // The root and the origin.
            [b'.' | b'@', next] if !next.is_ascii_graphic() => 1,
            _ => skim::name(self.text, self.at, self.origin)?,
        };
        Some(())
    }

    #[inline]
    fn number(&mut self, largest: u32) -> Option<()> {
        let mut number = 0;
        // Nine digits are no more than 32 bits.
        let word = self.text.get(self.at..self.at + 9)?;
        let mut len = 0;
        for octet in word.iter().take_while(|octet| octet.is_ascii_digit()) {
            number = number * 10 + u32::from(octet - b'0');
            len += 1;
        }
        self.number = number;
        (len > 0 && number <= largest).then(|| self.at += len)
    }

    fn more_after_number(&mut self, largest: u32) -> Option<()> {
        self.number(largest)?;
        self.more()?.then_some(())
    }

    fn number_or(&mut self, largest: u32, names: &[&[u8]]) -> Option<()> {
        if self.text.get(self.at)?.is_ascii_digit() {
            return self.number(largest);
        }
        let len = name(self.text, self.at)?;
        let word = self.text.get(self.at..self.at + len)?;
        names.contains(&word).then(|| self.at += len)
    }

    /// Groups of so many hex digits.
    fn groups(&mut self, count: usize, digits: usize, between: u8) -> Option<()> {
        let len = count * (digits + 1) - 1;
        let word = self.text.get(self.at..self.at + len)?;
        let right = |(at, octet): (usize, &u8)| {
            if at % (digits + 1) == digits {
                *octet == between
            } else {
                octet.is_ascii_hexdigit()
            }
        };
        word.iter().enumerate().all(right).then(|| self.at += len)
    }

    /// Four numbers without leading zeros.
    #[inline]
    fn ipv4(&mut self) -> Option<()> {
        let octets: &[u8; 16] = self.text.get(self.at..)?.first_chunk()?;
        let digit = |at: usize| u32::from(octets[at & 15].wrapping_sub(b'0'));
        let mut at = 0;
        for dots in 0..4 {
            let first = digit(at);
            if first > 9 {
                return None;
            }
            at += 1;
            let second = digit(at);
            if second <= 9 {
                let third = digit(at + 1);
                let number = if third <= 9 {
                    first * 100 + second * 10 + third
                } else {
                    first * 10 + second
                };
                if first == 0 || number > 255 {
                    return None;
                }
                at += if third <= 9 { 2 } else { 1 };
            }
            if dots < 3 {
                if octets[at & 15] != b'.' {
                    return None;
                }
                at += 1;
            }
        }
        self.at += at;
        Some(())
    }

    /// An address without an IPv4 address in it (RFC 4291 section 2.2).
    #[inline]
    fn ipv6(&mut self) -> Option<()> {
        let (mut groups, mut digits, mut gap) = (0, 0, false);
        let mut last = b' ';
        let rest = self.text.get(self.at..)?;
        let mut len = 0;
        for &octet in rest.iter().take(40) {
            if octet.is_ascii_hexdigit() {
                digits += 1;
                // A group begins, and not right behind the one colon that starts the address.
                groups += usize::from(digits == 1);
                if digits > 4 || (len == 1 && last == b':') {
                    return None;
                }
            } else if octet == b':' {
                if last == b':' {
                    if gap {
                        return None;
                    }
                    gap = true;
                }
                digits = 0;
            } else {
                break;
            }
            last = octet;
            len += 1;
        }
        // What ends in one colon is no address.
        let ended = digits > 0 || (gap && rest.get(..len)?.ends_with(b"::"));
        let right = if gap { groups <= 7 } else { groups == 8 };
        (ended && right).then(|| self.at += len)
    }

    /// A string in quotes, or one that needs none.
    #[inline]
    fn string(&mut self, most: usize) -> Option<()> {
        if self.text.get(self.at) != Some(&b'"') {
            let len = name(self.text, self.at)?;
            return (1..=LONGEST_WORD).contains(&len).then(|| self.at += len);
        }
        let mut at = self.at + 1;
        let mut escapes = 0;
        loop {
            at += quotable(self.text, at)?;
            match self.text.get(at..at + 2)? {
                [b'"', _] => break,
                [b'\\', octet] if octet.is_ascii_graphic() && !octet.is_ascii_digit() => {
                    escapes += 1;
                    at += 2;
                }
                _ => return None,
            }
        }
        (at - self.at - 1 - escapes <= most).then(|| self.at = at + 1)
    }

    /// Whole octets, as many digits as are wanted.
    #[inline]
    fn hex(&mut self, wanted: Option<usize>) -> Option<()> {
        let mut digits = 0;
        loop {
            let len = hex(self.text, self.at)?;
            if len == 0 {
                return None;
            }
            self.at += len;
            digits += len;
            if !self.more()? {
                break;
            }
        }
        wanted
            .map_or(digits.is_multiple_of(2), |wanted| digits == wanted)
            .then_some(())
    }

    /// Whole octets; the bits of the last digit that are in none are zero (RFC 4648 section 3.5).
    fn base64(&mut self) -> Option<()> {
        let mut digits = 0;
        loop {
            let len = base64(self.text, self.at)?;
            if len == 0 {
                return None;
            }
            self.at += len;
            digits += len;
            if self.text.get(self.at) == Some(&b'=') {
                let padding = if self.text.get(self.at + 1) == Some(&b'=') {
                    2
                } else {
                    1
                };
                let lasts: &[u8] = if padding == 2 {
                    b"AQgw"
                } else {
                    b"AEIMQUYcgkosw048"
                };
                if !lasts.contains(self.text.get(self.at - 1)?) {
                    return None;
                }
                self.at += padding;
                digits += padding;
                if self.more()? {
                    return None;
                }
                break;
            }
            if !self.more()? {
                break;
            }
        }
        digits.is_multiple_of(4).then_some(())
    }

    /// Data on one line, without escapes, comments or parentheses also in strings.
    fn checked(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let end = self.at + memchr::memchr(b'\n', rest)?;
        let data = self.text.get(self.at..end)?;
        let data = data.strip_suffix(b"\r").unwrap_or(data);
        // No octet decides alone, so that the compiler takes many at once.
        let special = |octet: u8| {
            let printed = (octet.wrapping_sub(b' ') < 95) | (octet == b'\t');
            !printed | (octet & !1 == b'(') | (octet == b';') | (octet == b'\\')
        };
        let found = data
            .iter()
            .fold(0, |found, &octet| found | u8::from(special(octet)));
        let quotes = data.iter().filter(|octet| **octet == b'"').count();
        if found != 0 || !quotes.is_multiple_of(2) || self.group {
            return None;
        }
        let line = self.text.get(self.rtype.start..=end)?;
        let rtype = Span {
            start: 0,
            end: self.rtype.end - self.rtype.start,
        };
        let fields = Fields {
            owner: None,
            ttl: None,
            class: None,
            rtype,
            code: self.code,
        };
        presentation::check(line, &fields, self.origin).ok()?;
        self.at = end;
        Some(())
    }
}

/// Names of DNSSEC algorithms that every server knows.
const ALGORITHMS: &[&[u8]] = &[
    b"RSASHA1",
    b"RSASHA256",
    b"RSASHA512",
    b"ECDSAP256SHA256",
    b"ECDSAP384SHA384",
];

/// Names of certificate types that every server knows (RFC 4398 section 2.1).
const CERTIFICATES: &[&[u8]] = &[b"PKIX", b"SPKI", b"PGP"];
