//! The syntax of RDATA: what every server would refuse to load is found before
//! an edit is written. A table says which fields each type has; RFC 3597 octets
//! (`\# 4 c0000201`) are measured against the same table.
//!
//! The measure is what named-checkzone 9.18 and nsd-checkzone 4.6 say. What one
//! of them takes is let pass, for somebody's zone may load by it; numbers out
//! of range are not, for NSD 4.6 takes them and reads another number; and of
//! octets, most of which NSD takes for whatever they are, BIND is the judge. A type
//! without a row here is not looked at.

mod address;
mod digits;
mod field;
mod location;
mod octets;
mod plain;
mod service;

use std::borrow::Cow;

pub(in crate::zone) use address::{ipv4, ipv6};
use field::Field::{self, *};

use crate::name::Name;
use crate::zone::text::rdata::RdataError;
use crate::zone::text::rtype::code;
use crate::zone::text::scan::Fields;
use crate::zone::text::words::{Span, Step, Words, words};

/// How right data is written, where not every server takes it: the first place of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    /// What is no text has quotes, an escape or a plus sign.
    pub dressed: Option<usize>,
    /// A service parameter has a name and stands there by its number.
    pub numbered: Option<usize>,
}

/// Checks the data of a record; `origin` completes the relative names in it.
///
/// # Errors
///
/// The first word that no server reads, or the end where one is missing.
pub fn check(text: &[u8], fields: &Fields, origin: Option<&Name>) -> Result<(), RdataError> {
    spelling(text, fields, origin).map(drop)
}

/// Checks the data of a record, and says how it is written.
///
/// # Errors
///
/// The first word that no server reads, or the end where one is missing.
pub fn spelling(
    text: &[u8],
    fields: &Fields,
    origin: Option<&Name>,
) -> Result<Spelling, RdataError> {
    if plain::is_right(text, fields, origin.map_or(1, |origin| origin.wire().len())) {
        return Ok(Spelling::default());
    }
    let mut data = Data::new(text, fields, origin);
    let grammar = grammar(fields.code);
    if let Some((announced, at)) = data.generic_length() {
        octets::check(&mut data, announced, at, grammar.unwrap_or(&[Rest]))?;
        return Ok(data.spelling);
    }
    // BIND takes `TXT \# foo` for two strings, as of no other type; NSD reads no string there.
    if data.starts_with_mark() && fields.code != code::TXT {
        data.next();
        let what = "a length behind \\#";
        let word = data.wanted(what)?;
        return Err(data.not(word, what));
    }
    let Some(grammar) = grammar else {
        return Ok(data.spelling);
    };
    for field in grammar {
        field.check(&mut data)?;
    }
    match data.next() {
        Some(extra) if grammar.last() != Some(&Rest) => Err(data.wrong(
            extra.start,
            format!("has {} after its data", data.shown(extra)),
        )),
        _ => Ok(data.spelling),
    }
}

/// The fields of a type's data, in order; `None` for a type not looked at.
fn grammar(of: u16) -> Option<&'static [Field]> {
    let fields: &[Field] = match of {
        1 => &[Ipv4],
        28 => &[Ipv6],
        // Also MD, MF, MB, MG, MR, NSAP-PTR.
        code::NS | code::CNAME | code::DNAME | 3 | 4 | 7 | 8 | 9 | 12 | 23 => &[Name],
        code::SOA => &[Name, Name, Number(4), Seconds, Seconds, Seconds, Seconds],
        // MX, AFSDB, RT, KX, LP.
        15 | 18 | 21 | 36 | 107 => &[Number(2), Name],
        // TXT, NINFO, SPF, AVC, RESINFO, WALLET.
        16 | 56 | 99 | 258 | 261 | 262 => &[Texts],
        // MINFO, RP, TALINK.
        14 | 17 | 58 => &[Name, Name],
        11 => &[Ipv4, Word, Rest],
        13 => &[Text, Text],
        19 => &[Text],
        20 => &[Text, OptionalText],
        22 => &[Nsap],
        26 => &[Number(2), Name, Name],
        27 => &[Text, Text, Text],
        29 => &[Location],
        33 => &[Number(2), Number(2), Number(2), Name],
        35 => &[Number(2), Number(2), Text, Text, Text, Name],
        37 => &[Certificate, Number(2), Algorithm, Base64],
        // SINK, as BIND alone reads it.
        40 => &[Number(1), Number(1), Number(1), OptionalBase64],
        42 => &[Prefixes],
        // DS, CDS, TA, DLV.
        43 | 59 | 32768 | 32769 => &[Number(2), Algorithm, Digest, Hex],
        44 => &[Number(1), Number(1), Hex],
        45 => &[Number(1), Gateway, OptionalBase64],
        // DNSKEY, CDNSKEY; KEY and RKEY may go without the key.
        48 | 60 => &[Mnemonic(2), Mnemonic(1), Algorithm, Base64],
        25 | 57 => &[Mnemonic(2), Mnemonic(1), Algorithm, OptionalBase64],
        // DHCID, OPENPGPKEY.
        49 | 61 => &[Base64],
        51 => &[Number(1), Number(1), Number(2), Salt],
        // TLSA, SMIMEA.
        code::TLSA | 53 => &[Number(1), Number(1), Number(1), Hex],
        55 => &[HostIdentity, Names],
        62 => &[Number(4), Number(2), Types],
        63 => &[Number(4), Number(1), Number(1), Hex],
        // HHIT, BRID.
        67 | 68 => &[Base64],
        263 => &[Texts],
        // UNECE, ISO, DELEG and DELEGPARAM are drafts; their text form is not settled.
        69 | 70 | 61440 | 65433 => return None,
        // SVCB, HTTPS.
        64 | 65 => &[Number(2), Name, Parameters],
        // NID, L64.
        104 | 106 => &[Number(2), Locator],
        105 => &[Number(2), Ipv4],
        108 => &[Eui(6)],
        109 => &[Eui(8)],
        256 => &[Number(2), Number(2), Value],
        257 => &[Number(1), Tag, Value],
        // NULL, and what nobody has given a text form (RFC 3597 section 5).
        10 | 100..=103 | 128..=255 | 1024..=32767 | 32770..=65534 => &[Octets],
        _ => return None,
    };
    Some(fields)
}

/// The words of one record's data, read one after the other.
struct Data<'t> {
    text: &'t [u8],
    rtype: Span,
    origin: Option<&'t Name>,
    words: Words<'t>,
    peeked: Option<Option<Span>>,
    /// Where the last word that was taken ends.
    end: usize,
    spelling: Spelling,
}

impl<'t> Data<'t> {
    fn new(text: &'t [u8], fields: &Fields, origin: Option<&'t Name>) -> Self {
        let mut words = Words::new(text, true);
        let end = fields.rtype.end;
        // The head need not be split again unless a group or a comment began in it.
        let simple = !text
            .get(..end)
            .unwrap_or(&[])
            .iter()
            .any(|octet| b"();\"".contains(octet));
        if simple {
            words.at = end;
        }
        let mut data = Self {
            text,
            rtype: fields.rtype,
            origin,
            words,
            peeked: None,
            end,
            spelling: Spelling::default(),
        };
        while !simple && data.peek().is_some_and(|word| word.start < end) {
            data.peeked = None;
        }
        data
    }

    fn peek(&mut self) -> Option<Span> {
        if self.peeked.is_none() {
            self.peeked = Some(loop {
                match self.words.next() {
                    Step::Word(word) => break Some(word),
                    Step::Comment | Step::Wrong(_) => {}
                    Step::More | Step::End => break None,
                }
            });
        }
        self.peeked.flatten()
    }

    fn next(&mut self) -> Option<Span> {
        let word = self.peek();
        if let Some(word) = word {
            (self.peeked, self.end) = (None, word.end);
        }
        word
    }

    /// The next word, or that the data ends where one is wanted.
    fn wanted(&mut self, what: &str) -> Result<Span, RdataError> {
        let end = self.end;
        self.next()
            .ok_or_else(|| self.wrong(end, format!("ends where {what} is expected")))
    }

    fn of(&self, word: Span) -> &'t [u8] {
        word.of(self.text)
    }

    /// What a word that is no text stands for, without its quotes and escapes.
    fn plain(&mut self, word: Span) -> Cow<'t, [u8]> {
        let octets = self.of(word);
        let plain = field::plain(octets);
        if plain.len() < octets.len() {
            self.dressed(word);
        }
        plain
    }

    /// The number that a word is.
    fn number(&mut self, word: Span) -> Option<u64> {
        let plain = self.plain(word);
        if plain.first() == Some(&b'+') {
            self.dressed(word);
        }
        digits::number(&plain)
    }

    /// Takes note of a word that only some servers take as it is written.
    fn dressed(&mut self, word: Span) {
        self.spelling.dressed.get_or_insert(word.start);
    }

    /// Whether the data begins as octets do (RFC 3597 section 5).
    fn starts_with_mark(&mut self) -> bool {
        self.peek().is_some_and(|word| self.of(word) == b"\\#")
    }

    /// The octet count behind `\#`, and where it stands.
    fn generic_length(&mut self) -> Option<(u64, usize)> {
        let first = self.peek().filter(|word| self.of(*word) == b"\\#")?;
        let number = words(self.text).find(|word| word.start >= first.end)?;
        let announced = digits::number(&field::plain(self.of(number)))?;
        self.number(number);
        self.next();
        self.next();
        Some((announced, number.start))
    }

    fn wrong(&self, at: usize, what: String) -> RdataError {
        let rtype = String::from_utf8_lossy(self.rtype.of(self.text)).to_ascii_uppercase();
        RdataError {
            at,
            what: format!("the {rtype} record {what}"),
        }
    }

    fn not(&self, word: Span, expected: &str) -> RdataError {
        self.wrong(
            word.start,
            format!("has {} where {expected} is expected", self.shown(word)),
        )
    }

    /// A word as an error quotes it, the start of it when it is long.
    fn shown(&self, word: Span) -> String {
        let octets = self.of(word);
        let text = String::from_utf8_lossy(octets.get(..60).unwrap_or(octets));
        if octets.len() > 60 {
            format!("{text:?}…")
        } else {
            format!("{text:?}")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::zone::text::scan::{Kind, entry};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever stands behind the type, the place of an error is in the record.
        #[test]
        fn any_octets_are_read_or_refused(rtype in 1u16..270, data in "[ -~\t\n\u{e9}]{0,40}", generic: bool) {
            let mark = if generic { "\\# 2 " } else { "" };
            let text = format!("x TYPE{rtype} {mark}{data}\n");
            if let Some(scanned) = entry(text.as_bytes(), true)
                && let Kind::Record(fields) = scanned.kind
                && let Err(error) = check(text.get(..scanned.len).unwrap_or(&text).as_bytes(), &fields, None)
            {
                prop_assert!((fields.rtype.end..=scanned.len).contains(&error.at), "{text:?}: {error:?}");
            }
        }
    }
}
