//! TLSA records as values (RFC 6698 section 2.1): parameters and association
//! data, made from a certificate or a key, and their presentation form.
//! Numbers without a name (private use) are kept and printed as they came.

pub mod target;

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256, Sha512};

pub use target::{Port, PortError, Target, Transport};

/// Certificate usage (RFC 6698 section 2.1.1, names of RFC 7218).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Usage(pub u8);

/// Selector (RFC 6698 section 2.1.2, names of RFC 7218).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector(pub u8);

/// Matching type (RFC 6698 section 2.1.3, names of RFC 7218).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Matching(pub u8);

impl Usage {
    /// PKIX-TA: a CA that the PKIX path must pass.
    pub const PKIX_TA: Self = Self(0);
    /// PKIX-EE: the server's certificate, which must also pass PKIX.
    pub const PKIX_EE: Self = Self(1);
    /// DANE-TA: a trust anchor of the domain's own.
    pub const DANE_TA: Self = Self(2);
    /// DANE-EE: the server's certificate or key, nothing else is looked at.
    pub const DANE_EE: Self = Self(3);

    /// Whether the record names a CA rather than the server itself.
    #[must_use]
    pub fn names_an_authority(self) -> bool {
        self == Self::PKIX_TA || self == Self::DANE_TA
    }
}

impl Selector {
    /// Cert: the whole certificate.
    pub const CERT: Self = Self(0);
    /// SPKI: the SubjectPublicKeyInfo.
    pub const SPKI: Self = Self(1);
}

impl Matching {
    /// Full: the selected octets themselves.
    pub const FULL: Self = Self(0);
    /// SHA2-256 of the selected octets.
    pub const SHA2_256: Self = Self(1);
    /// SHA2-512 of the selected octets.
    pub const SHA2_512: Self = Self(2);

    /// Octets of association data; `None` where any number is right.
    #[must_use]
    pub fn octets(self) -> Option<usize> {
        match self {
            Self::SHA2_256 => Some(32),
            Self::SHA2_512 => Some(64),
            _ => None,
        }
    }
}

/// The three numbers in front of the association data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Params {
    /// Which certificate of the chain is meant.
    pub usage: Usage,
    /// Which part of it.
    pub selector: Selector,
    /// How it is presented.
    pub matching: Matching,
}

impl Default for Params {
    /// `3 1 1`, the parameters that survive a renewed certificate (RFC 7671 section 5.1).
    fn default() -> Self {
        Self {
            usage: Usage::DANE_EE,
            selector: Selector::SPKI,
            matching: Matching::SHA2_256,
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.usage.0, self.selector.0, self.matching.0
        )
    }
}

/// One TLSA record's data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tlsa {
    /// Usage, selector and matching type.
    pub params: Params,
    /// The certificate association data, as octets.
    pub data: Vec<u8>,
}

impl Tlsa {
    /// The record for the selected octets: a certificate in DER for selector
    /// Cert, a SubjectPublicKeyInfo in DER for selector SPKI.
    ///
    /// # Errors
    ///
    /// When there is nothing to digest, or the matching type has no known digest.
    pub fn of(selected: &[u8], params: Params) -> Result<Self, TlsaError> {
        if selected.is_empty() {
            return Err(TlsaError::NothingToDigest);
        }
        let data = match params.matching {
            Matching::FULL => selected.to_vec(),
            Matching::SHA2_256 => Sha256::digest(selected).to_vec(),
            Matching::SHA2_512 => Sha512::digest(selected).to_vec(),
            Matching(found) => return Err(TlsaError::UnknownMatching { found }),
        };
        Ok(Self { params, data })
    }

    /// Reads RDATA in wire form (RFC 6698 section 2.1).
    ///
    /// # Errors
    ///
    /// When there are fewer than three octets.
    pub fn from_rdata(rdata: &[u8]) -> Result<Self, TlsaError> {
        let [usage, selector, matching, data @ ..] = rdata else {
            return Err(TlsaError::Short {
                octets: rdata.len(),
            });
        };
        let params = Params {
            usage: Usage(*usage),
            selector: Selector(*selector),
            matching: Matching(*matching),
        };
        Ok(Self {
            params,
            data: data.to_vec(),
        })
    }

    /// RDATA in wire form (RFC 6698 section 2.1).
    #[must_use]
    pub fn rdata(&self) -> Vec<u8> {
        let mut rdata = vec![
            self.params.usage.0,
            self.params.selector.0,
            self.params.matching.0,
        ];
        rdata.extend_from_slice(&self.data);
        rdata
    }

    /// The association data in lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.data)
    }

    /// Whether the data is the digest of empty input, which no key has. It has
    /// been published in earnest by scripts whose extraction failed.
    #[must_use]
    pub fn is_digest_of_nothing(&self) -> bool {
        match self.params.matching {
            Matching::SHA2_256 => self.data == Sha256::digest([]).as_slice(),
            Matching::SHA2_512 => self.data == Sha512::digest([]).as_slice(),
            _ => self.data.is_empty(),
        }
    }
}

impl fmt::Display for Tlsa {
    /// Presentation form (RFC 6698 section 2.2): `3 1 1 8bd1…`, hex in lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.params, self.hex())
    }
}

/// Octets as lower-case hexadecimal digits.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        text.push(char::from(DIGITS[usize::from(octet >> 4)]));
        text.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
    text
}

/// Hexadecimal digits as octets.
///
/// # Errors
///
/// An odd number of digits, or a character that is none.
pub fn unhex(text: &str) -> Result<Vec<u8>, TlsaError> {
    let digits = text
        .chars()
        .map(|c| c.to_digit(16).ok_or(TlsaError::NotHex { found: c }))
        .collect::<Result<Vec<_>, _>>()?;
    if digits.len() % 2 == 1 {
        return Err(TlsaError::OddHex {
            digits: digits.len(),
        });
    }
    let octet = |pair: &[u32]| {
        u8::try_from(pair[0] * 16 + pair[1]).expect("two hexadecimal digits make an octet")
    };
    Ok(digits.chunks_exact(2).map(octet).collect())
}

/// Why something is no TLSA record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsaError {
    /// Empty input was to be digested.
    NothingToDigest,
    /// The matching type has no known digest, so no record can be made.
    UnknownMatching {
        /// The number given.
        found: u8,
    },
    /// RDATA ends before its three numbers.
    Short {
        /// How long it is.
        octets: usize,
    },
    /// A parameter is neither a number from 0 to 255 nor a name of RFC 7218.
    Parameter {
        /// What was given.
        found: String,
    },
    /// A character of the association data is no hexadecimal digit.
    NotHex {
        /// The character.
        found: char,
    },
    /// The association data has an odd number of hexadecimal digits.
    OddHex {
        /// How many.
        digits: usize,
    },
}

impl fmt::Display for TlsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToDigest => write!(f, "there is nothing to digest"),
            Self::UnknownMatching { found } => {
                write!(f, "matching type {found} has no known digest")
            }
            Self::Short { octets } => write!(f, "TLSA data of {octets} octets is too short"),
            Self::Parameter { found } => {
                write!(
                    f,
                    "{found:?} is neither a number from 0 to 255 nor a name of RFC 7218"
                )
            }
            Self::NotHex { found } => write!(
                f,
                "association data has {found:?}, which is no hexadecimal digit"
            ),
            Self::OddHex { digits } => {
                write!(f, "association data has {digits} hex digits, an odd number")
            }
        }
    }
}

impl std::error::Error for TlsaError {}

fn parameter(text: &str, names: &[&str]) -> Result<u8, TlsaError> {
    let by_name = names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))
        .and_then(|at| u8::try_from(at).ok());
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let by_number = || digits.then(|| text.parse().ok()).flatten();
    by_name
        .or_else(by_number)
        .ok_or_else(|| TlsaError::Parameter {
            found: text.to_owned(),
        })
}

impl FromStr for Usage {
    type Err = TlsaError;

    fn from_str(text: &str) -> Result<Self, TlsaError> {
        parameter(text, &["PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE"]).map(Self)
    }
}

impl FromStr for Selector {
    type Err = TlsaError;

    fn from_str(text: &str) -> Result<Self, TlsaError> {
        parameter(text, &["Cert", "SPKI"]).map(Self)
    }
}

impl FromStr for Matching {
    type Err = TlsaError;

    fn from_str(text: &str) -> Result<Self, TlsaError> {
        parameter(text, &["Full", "SHA2-256", "SHA2-512"]).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_of_rfc_7218_are_the_same() {
        assert_eq!("DANE-EE".parse::<Usage>(), Ok(Usage::DANE_EE));
        assert_eq!("dane-ta".parse::<Usage>(), Ok(Usage(2)));
        assert_eq!("1".parse::<Selector>(), Ok(Selector::SPKI));
        assert_eq!("sha2-512".parse::<Matching>(), Ok(Matching::SHA2_512));
        for wrong in ["", "+3", "256", "DANE", " 3"] {
            assert_eq!(
                wrong.parse::<Usage>(),
                Err(TlsaError::Parameter {
                    found: wrong.to_owned()
                })
            );
        }
    }

    #[test]
    fn the_digest_of_nothing_is_never_made_and_always_known() {
        assert_eq!(
            Tlsa::of(&[], Params::default()),
            Err(TlsaError::NothingToDigest)
        );
        let published =
            unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").unwrap();
        assert!(
            Tlsa {
                params: Params::default(),
                data: published
            }
            .is_digest_of_nothing()
        );
        assert!(
            !Tlsa::of(b"key", Params::default())
                .unwrap()
                .is_digest_of_nothing()
        );
    }

    #[test]
    fn wire_form_and_value_are_inverse_for_unknown_numbers_too() {
        for rdata in [&[3u8, 1, 1, 0xab][..], &[255, 200, 99], &[0, 0, 0, 1, 2]] {
            assert_eq!(Tlsa::from_rdata(rdata).unwrap().rdata(), rdata);
        }
        assert_eq!(
            Tlsa::from_rdata(&[3, 1]),
            Err(TlsaError::Short { octets: 2 })
        );
    }

    #[test]
    fn hex_reads_back_and_says_what_is_wrong() {
        assert_eq!(unhex(&hex(&[0, 15, 255])), Ok(vec![0, 15, 255]));
        assert_eq!(unhex("abc"), Err(TlsaError::OddHex { digits: 3 }));
        assert_eq!(unhex("ag"), Err(TlsaError::NotHex { found: 'g' }));
    }
}
