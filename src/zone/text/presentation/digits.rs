//! Octets and numbers in digits: hex (RFC 4648 section 8), base64 (section 4),
//! decimal numbers, and the mnemonics that stand for some of them.

/// A run of digits over one or more words, as servers read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    Hex,
    Base64,
}

/// What is known of the digits so far.
pub(super) struct Run {
    alphabet: Alphabet,
    count: usize,
    /// How many `=` end the digits.
    padding: usize,
    /// The last digit before them.
    last: u8,
}

impl Run {
    pub(super) fn new(alphabet: Alphabet) -> Self {
        Self {
            alphabet,
            count: 0,
            padding: 0,
            last: 0,
        }
    }

    /// Takes the digits of a word; `false` when one is no digit, or follows padding.
    pub(super) fn take(&mut self, word: &[u8]) -> bool {
        for &octet in word {
            self.count += 1;
            if self.alphabet == Alphabet::Base64 && octet == b'=' {
                self.padding += 1;
                continue;
            }
            let digit = match self.alphabet {
                Alphabet::Hex => octet.is_ascii_hexdigit(),
                Alphabet::Base64 => octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/'),
            };
            if !digit || self.padding > 0 {
                return false;
            }
            self.last = octet;
        }
        true
    }

    /// Why the digits that were taken are not whole octets.
    pub(super) fn finish(&self) -> Result<(), String> {
        let count = self.count;
        match self.alphabet {
            Alphabet::Hex if count.is_multiple_of(2) => Ok(()),
            Alphabet::Hex => Err(format!("has {count} hex digits, an odd number")),
            Alphabet::Base64 => {
                // The bits of the last digit that are in no octet are zero.
                let whole = match self.padding {
                    0 => true,
                    1 => count > 1 && sextet(self.last).is_multiple_of(4),
                    2 => count > 2 && sextet(self.last).is_multiple_of(16),
                    _ => false,
                };
                if count.is_multiple_of(4) && whole {
                    Ok(())
                } else {
                    Err(format!(
                        "has {count} base64 digits that do not make whole octets"
                    ))
                }
            }
        }
    }
}

/// The value of a base64 digit.
fn sextet(digit: u8) -> u8 {
    match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    }
}

/// Reads a decimal number. NSD takes a plus sign.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    let digits = word.strip_prefix(b"+").unwrap_or(word);
    let right = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    right
        .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
        .flatten()
}

/// The largest number of so many octets.
pub(super) fn largest(octets: u8) -> u64 {
    (1 << (8 * u64::from(octets))) - 1
}

/// The names that BIND or NSD know for DNSSEC algorithms.
pub(super) const ALGORITHMS: &[&str] = &[
    "RSAMD5",
    "RSA",
    "DH",
    "DSA",
    "ECC",
    "RSASHA1",
    "NSEC3DSA",
    "DSA-NSEC3-SHA1",
    "NSEC3RSASHA1",
    "RSASHA1-NSEC3-SHA1",
    "RSASHA256",
    "RSASHA512",
    "ECCGOST",
    "ECC-GOST",
    "ECDSAP256SHA256",
    "ECDSAP384SHA384",
    "ED25519",
    "ED448",
    "INDIRECT",
    "PRIVATEDNS",
    "PRIVATEOID",
    "RSASHA256OID",
    "RSASHA512OID",
];

/// The names that BIND knows for digests of keys.
pub(super) const DIGESTS: &[&str] = &[
    "SHA1",
    "SHA-1",
    "SHA256",
    "SHA-256",
    "GOST",
    "SHA384",
    "SHA-384",
    "SM3",
    "SHA256PRIVATE",
    "SHA384PRIVATE",
];

/// The names of certificate types (RFC 4398 section 2.1).
pub(super) const CERTIFICATES: &[&str] = &[
    "PKIX", "SPKI", "PGP", "IPKIX", "ISPKI", "IPGP", "ACPKIX", "IACPKIX", "URI", "OID",
];

/// Whether a word is one of these names, in either case of letters.
pub(super) fn named(word: &[u8], names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| name.as_bytes().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_make_whole_octets_however_they_are_split() {
        for (alphabet, words, right) in [
            (Alphabet::Hex, &["aabb"][..], true),
            (Alphabet::Hex, &["a", "ab", "B"], true),
            (Alphabet::Hex, &["aab"], false),
            (Alphabet::Base64, &["AQIDBA=="], true),
            (Alphabet::Base64, &["AQID", "BA=="], true),
            (Alphabet::Base64, &["A", "Q", "I", "D"], true),
            (Alphabet::Base64, &["AQIDB"], false),
            (Alphabet::Base64, &["AQIDBA"], false),
            (Alphabet::Base64, &["AQIDBA="], false),
            (Alphabet::Base64, &["AQIDBAA="], true),
            (Alphabet::Base64, &["AQIDBAB="], false),
            (Alphabet::Base64, &["AQIDBB=="], false),
            (Alphabet::Base64, &["AQIDBI=="], false),
            (Alphabet::Base64, &["A==="], false),
            (Alphabet::Base64, &["A=QI"], false),
            (Alphabet::Base64, &["===="], false),
            (Alphabet::Base64, &["AQIDBA==AQID"], false),
        ] {
            let mut run = Run::new(alphabet);
            let taken = words.iter().all(|word| run.take(word.as_bytes()));
            assert_eq!(taken && run.finish().is_ok(), right, "{words:?}");
        }
        assert!(!Run::new(Alphabet::Hex).take(b"ag"));
        assert!(!Run::new(Alphabet::Base64).take(b"a-"));
    }

    #[test]
    fn numbers_are_decimal() {
        for (word, value) in [
            ("0", Some(0)),
            ("010", Some(10)),
            ("+1", Some(1)),
            ("-1", None),
            ("0x10", None),
            ("1.0", None),
            ("", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(number(word.as_bytes()), value, "{word}");
        }
        assert_eq!(
            [largest(1), largest(2), largest(4)],
            [255, 65535, 4_294_967_295]
        );
    }
}
