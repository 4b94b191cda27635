//! What the data of each type looks like in its plain form. A type is found
//! with one look at a table, so that a zone with many kinds of records reads as
//! fast as one with few.
//!
//! Not here, so that they are always looked at: the SOA, ZONEMD and what only
//! signed zones have.

use Field::*;

/// A field of a record's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A domain name.
    Name,
    /// A number up to this.
    Number(u32),
    /// The number of a DNSSEC algorithm, or one of the names in use.
    Algorithm,
    /// The number of a certificate type, or one of the names in use.
    Certificate,
    Ipv4,
    Ipv6,
    /// A character-string.
    Text,
    /// Character-strings to the end.
    Texts,
    /// A string of any length.
    Value,
    /// A CAA property.
    Tag,
    /// The digest of a DS, with its type before it.
    Digest,
    /// The association data of a TLSA, with the matching type before it.
    Association,
    /// Hex digits to the end.
    Hex,
    /// Base64 digits to the end.
    Base64,
    /// Service parameters to the end, at least one.
    Parameters,
    /// So many octets, as `00-00-5e-00-53-2a`.
    Eui(usize),
    /// Four groups of four hex digits.
    Locator,
    /// Whatever [`presentation`](crate::zone::text::presentation) takes, on one line.
    Checked,
}

/// A type: its mnemonic in capitals, its code, its fields.
type Row = (&'static str, u16, &'static [Field]);

const U8: Field = Number(255);
const U16: Field = Number(65_535);

const ROWS: &[Row] = &[
    ("A", 1, &[Ipv4]),
    ("NS", 2, &[Name]),
    ("CNAME", 5, &[Name]),
    ("PTR", 12, &[Name]),
    ("HINFO", 13, &[Text, Text]),
    ("MINFO", 14, &[Name, Name]),
    ("MX", 15, &[U16, Name]),
    ("TXT", 16, &[Texts]),
    ("RP", 17, &[Name, Name]),
    ("AFSDB", 18, &[U16, Name]),
    ("RT", 21, &[U16, Name]),
    ("AAAA", 28, &[Ipv6]),
    ("LOC", 29, &[Checked]),
    ("SRV", 33, &[U16, U16, U16, Name]),
    ("NAPTR", 35, &[U16, U16, Text, Text, Text, Name]),
    ("KX", 36, &[U16, Name]),
    ("CERT", 37, &[Certificate, U16, Algorithm, Base64]),
    ("DNAME", 39, &[Name]),
    ("APL", 42, &[Checked]),
    ("DS", 43, &[U16, Algorithm, Digest]),
    ("SSHFP", 44, &[U8, U8, Hex]),
    ("IPSECKEY", 45, &[Checked]),
    ("DHCID", 49, &[Base64]),
    ("TLSA", 52, &[U8, U8, Association]),
    ("SMIMEA", 53, &[U8, U8, Association]),
    ("OPENPGPKEY", 61, &[Base64]),
    ("SVCB", 64, &[U16, Name, Parameters]),
    ("HTTPS", 65, &[U16, Name, Parameters]),
    ("SPF", 99, &[Texts]),
    ("NID", 104, &[U16, Locator]),
    ("L32", 105, &[U16, Ipv4]),
    ("L64", 106, &[U16, Locator]),
    ("LP", 107, &[U16, Name]),
    ("EUI48", 108, &[Eui(6)]),
    ("EUI64", 109, &[Eui(8)]),
    ("URI", 256, &[U16, U16, Value]),
    ("CAA", 257, &[U8, Tag, Value]),
];

/// A type in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    word: Word,
    len: usize,
    pub(super) code: u16,
    pub(super) fields: &'static [Field],
}

/// A mnemonic in capitals, with zeros behind it.
type Word = [u64; 2];

/// The type whose mnemonic is the first `len` of these octets.
#[inline]
pub(super) fn kind(octets: &[u8; 16], len: usize) -> Option<&'static Kind> {
    let both = u128::from_le_bytes(*octets);
    let (low, high) = (both as u64, (both >> 64) as u64);
    let word = match len {
        1..=8 => [folded(low, len), 0],
        9..=16 => [folded(low, 8), folded(high, len - 8)],
        _ => return None,
    };
    let kind = &TABLE[place(word)];
    // A zero in the text is no end of a word.
    (kind.word == word && kind.len == len).then_some(kind)
}

/// The first octets with letters in capitals: of what is above `@`, one bit is taken away.
const fn folded(octets: u64, len: usize) -> u64 {
    let small = (octets >> 1) & 0x2020_2020_2020_2020;
    octets & !small & (u64::MAX >> (64 - len * 8))
}

const SIZE: usize = 256;

const fn place(word: Word) -> usize {
    // Found by trial: no two types meet. The highest bits of a product depend on all its octets.
    ((word[0] ^ word[1]).wrapping_mul(0x1a01_7c16_5398_111f) >> (64 - SIZE.ilog2())) as usize
}

static TABLE: [Kind; SIZE] = {
    let mut table = [Kind {
        word: [0; 2],
        len: 0,
        code: 0,
        fields: &[],
    }; SIZE];
    let mut at = 0;
    while at < ROWS.len() {
        let (mnemonic, code, fields) = ROWS[at];
        let mnemonic = mnemonic.as_bytes();
        assert!(mnemonic.len() <= 16);
        let (mut word, mut octet) = ([0; 2], 0);
        while octet < mnemonic.len() {
            word[octet / 8] |= (mnemonic[octet] as u64) << (octet % 8 * 8);
            octet += 1;
        }
        assert!(
            table[place(word)].word[0] == 0,
            "two types at one place: choose another factor"
        );
        table[place(word)] = Kind {
            word,
            len: mnemonic.len(),
            code,
            fields,
        };
        at += 1;
    }
    table
};

#[cfg(test)]
pub(super) fn mnemonics() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|(mnemonic, ..)| *mnemonic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::text::rtype;

    fn code_of(word: &str) -> Option<u16> {
        let mut octets = [b' '; 16];
        octets[..word.len()].copy_from_slice(word.as_bytes());
        kind(&octets, word.len()).map(|kind| kind.code)
    }

    #[test]
    fn every_type_is_found_by_its_name_and_has_its_code() {
        for (mnemonic, code, _) in ROWS {
            assert_eq!(
                rtype::type_code(mnemonic.as_bytes()),
                Some(*code),
                "{mnemonic}"
            );
            assert_eq!(code_of(mnemonic), Some(*code), "{mnemonic}");
            assert_eq!(
                code_of(&mnemonic.to_ascii_lowercase()),
                Some(*code),
                "{mnemonic}"
            );
            let mut other = mnemonic.as_bytes().to_vec();
            for at in 0..other.len() {
                for octet in 0..=127 {
                    other[at] = octet;
                    let word = std::str::from_utf8(&other).unwrap();
                    let known = rtype::type_code(&other);
                    assert!(
                        code_of(word).is_none_or(|code| known == Some(code)),
                        "{word}"
                    );
                }
                other[at] = mnemonic.as_bytes()[at];
            }
        }
    }

    #[test]
    fn what_an_edit_must_see_is_not_stepped_over() {
        for word in [
            "",
            "SOA",
            "ZONEMD",
            "RRSIG",
            "NSEC",
            "NSEC3",
            "NSEC3PARAM",
            "SIG",
            "NXT",
            "DNSKEY",
            "TYPE52",
            "IN",
        ] {
            assert_eq!(code_of(word), None, "{word}");
        }
    }
}
