//! Type and class mnemonics: the registry "Resource Record (RR) TYPEs" of IANA's
//! DNS parameters as it was in August 2026, queries and private numbers left out, and
//! DELEG with DELEGPARAM of draft-ietf-deleg. RFC 3597 for the generic forms.
//!
//! Of those since 2023, BIND 9.18.49 reads DSYNC, HHIT, BRID, RESINFO and WALLET;
//! NSD 4.6, Knot 3.2 and ldns 1.8 read none of them.

/// TYPE codes that edits look at.
pub mod code {
    #![allow(missing_docs, reason = "each is the mnemonic's own code")]
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const HINFO: u16 = 13;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const SIG: u16 = 24;
    pub const KEY: u16 = 25;
    pub const AAAA: u16 = 28;
    pub const LOC: u16 = 29;
    pub const NXT: u16 = 30;
    pub const SRV: u16 = 33;
    pub const DNAME: u16 = 39;
    pub const APL: u16 = 42;
    pub const DS: u16 = 43;
    pub const IPSECKEY: u16 = 45;
    pub const RRSIG: u16 = 46;
    pub const NSEC: u16 = 47;
    pub const NSEC3: u16 = 50;
    pub const TLSA: u16 = 52;
    pub const ZONEMD: u16 = 63;
    pub const SVCB: u16 = 64;
    pub const HTTPS: u16 = 65;
}

/// Mnemonics by length of name, then by use.
const TYPES: &[(&[u8], u16)] = &[
    (b"A", 1),
    (b"NS", 2),
    (b"MX", 15),
    (b"TXT", 16),
    (b"AAAA", 28),
    (b"CNAME", 5),
    (b"SOA", 6),
    (b"PTR", 12),
    (b"SRV", 33),
    (b"TLSA", 52),
    (b"DS", 43),
    (b"CAA", 257),
    (b"RRSIG", 46),
    (b"NSEC", 47),
    (b"NSEC3", 50),
    (b"DNSKEY", 48),
    (b"DNAME", 39),
    (b"NSEC3PARAM", 51),
    (b"SVCB", 64),
    (b"HTTPS", 65),
    (b"SSHFP", 44),
    (b"NAPTR", 35),
    (b"HINFO", 13),
    (b"LOC", 29),
    (b"SPF", 99),
    (b"URI", 256),
    (b"SMIMEA", 53),
    (b"OPENPGPKEY", 61),
    (b"CDS", 59),
    (b"CDNSKEY", 60),
    (b"CSYNC", 62),
    (b"ZONEMD", 63),
    (b"MD", 3),
    (b"MF", 4),
    (b"MB", 7),
    (b"MG", 8),
    (b"MR", 9),
    (b"NULL", 10),
    (b"WKS", 11),
    (b"MINFO", 14),
    (b"RP", 17),
    (b"AFSDB", 18),
    (b"X25", 19),
    (b"ISDN", 20),
    (b"RT", 21),
    (b"NSAP", 22),
    (b"NSAP-PTR", 23),
    (b"SIG", 24),
    (b"KEY", 25),
    (b"PX", 26),
    (b"GPOS", 27),
    (b"NXT", 30),
    (b"EID", 31),
    (b"NIMLOC", 32),
    (b"ATMA", 34),
    (b"KX", 36),
    (b"CERT", 37),
    (b"A6", 38),
    (b"SINK", 40),
    (b"APL", 42),
    (b"IPSECKEY", 45),
    (b"DHCID", 49),
    (b"HIP", 55),
    (b"NINFO", 56),
    (b"RKEY", 57),
    (b"TALINK", 58),
    (b"DSYNC", 66),
    (b"HHIT", 67),
    (b"BRID", 68),
    (b"UNECE", 69),
    (b"ISO", 70),
    (b"UINFO", 100),
    (b"UID", 101),
    (b"GID", 102),
    (b"UNSPEC", 103),
    (b"NID", 104),
    (b"L32", 105),
    (b"L64", 106),
    (b"LP", 107),
    (b"EUI48", 108),
    (b"EUI64", 109),
    (b"AVC", 258),
    (b"DOA", 259),
    (b"AMTRELAY", 260),
    (b"RESINFO", 261),
    (b"WALLET", 262),
    (b"CLA", 263),
    (b"IPN", 264),
    (b"TA", 32768),
    (b"DLV", 32769),
    (b"DELEG", 61440),
    // For the time being, of an early draft-ietf-deleg: later ones leave the number open.
    (b"DELEGPARAM", 65433),
];

/// The code of a type mnemonic or of `TYPE52`, in either case of letters.
#[must_use]
pub fn type_code(text: &[u8]) -> Option<u16> {
    TYPES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, code)| *code)
        // Nothing has the type 0 (RFC 6895 section 3.1), and no server reads it.
        .or_else(|| generic(text, b"TYPE").filter(|code| *code != 0))
}

/// Types that DNS providers have and DNS has not: what they make of them is not in
/// the file.
const PROVIDERS: &[&[u8]] = &[
    b"ALIAS",
    b"ANAME",
    b"AWS",
    b"LUA",
    b"POOL",
    b"URL",
    b"URL301",
    b"URLFWD",
    b"FRAME",
    b"REDIRECT",
    b"HTTPRED",
    b"FLATTEN",
    b"CF_REDIRECT",
    b"R53_ALIAS",
    b"AZURE_ALIAS",
];

/// Whether a word is the type of a DNS provider: `ALIAS`, or `AWS` of `AWS ALIAS A`.
#[must_use]
pub fn is_provider_type(text: &[u8]) -> bool {
    PROVIDERS.iter().any(|name| name.eq_ignore_ascii_case(text))
}

/// The code of a class mnemonic or of `CLASS1`, in either case of letters.
#[must_use]
pub fn class_code(text: &[u8]) -> Option<u16> {
    match text.to_ascii_uppercase().as_slice() {
        b"IN" => Some(1),
        b"CH" | b"CHAOS" => Some(3),
        b"HS" | b"HESIOD" => Some(4),
        _ => generic(text, b"CLASS"),
    }
}

fn generic(text: &[u8], prefix: &[u8]) -> Option<u16> {
    let (word, digits) = text.split_at_checked(prefix.len())?;
    let number = word.eq_ignore_ascii_case(prefix)
        && !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit);
    number
        .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_and_generic_forms_give_the_code() {
        for (text, code) in [
            ("TLSA", Some(52)),
            ("TYPE0", None),
            ("tlsa", Some(52)),
            ("TYPE52", Some(52)),
            ("type65535", Some(65535)),
            ("TYPE65536", None),
            ("TYPE", None),
            ("hhit", Some(67)),
            ("BRID", Some(68)),
            ("UNECE", Some(69)),
            ("iso", Some(70)),
            ("DSYNC", Some(66)),
            ("CLA", Some(263)),
            ("IPN", Some(264)),
            ("DELEG", Some(61440)),
            ("DELEGPARAM", Some(65433)),
            ("TYPE+1", None),
            ("TLSAX", None),
            ("", None),
        ] {
            assert_eq!(type_code(text.as_bytes()), code, "{text}");
        }
        assert_eq!(class_code(b"in"), Some(1));
        assert_eq!(class_code(b"CLASS1"), Some(1));
        assert_eq!(class_code(b"INN"), None);
    }

    #[test]
    fn no_mnemonic_is_listed_twice() {
        for (at, (name, code)) in TYPES.iter().enumerate() {
            assert!(
                TYPES[at + 1..]
                    .iter()
                    .all(|(other, number)| other != name && number != code),
                "{code}"
            );
        }
    }
}
