//! Public keys: the SubjectPublicKeyInfo (RFC 5280 section 4.1) as it stands or
//! as it is built, and what it says about the algorithm.

use std::fmt;

use crate::keys::Problem;
use crate::keys::der::{self, BIT_STRING, Element, INTEGER, NULL, OID, SEQUENCE};

/// rsaEncryption (RFC 8017 appendix C).
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-RSASSA-PSS (RFC 8017 appendix C).
pub(crate) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// id-ecPublicKey (RFC 5480 section 2.1.1).
pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// secp256r1 (RFC 5480 section 2.1.1.1).
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// secp384r1.
pub(crate) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// secp521r1.
pub(crate) const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
/// id-Ed25519 (RFC 8410 section 3).
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// id-Ed448 (RFC 8410 section 3).
pub(crate) const ED448: &[u8] = &[0x2b, 0x65, 0x71];

/// The algorithm of a public key, for people: `RSA 2048`, `EC P-256`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// Its name, or its object identifier where it is not known by name.
    pub name: String,
    /// The size of the key in bits, where that is how keys are told apart.
    pub bits: Option<usize>,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            Some(bits) if self.name.starts_with("RSA") => write!(f, "{} {bits}", self.name),
            _ => f.write_str(&self.name),
        }
    }
}

impl Algorithm {
    /// Reads the algorithm of a SubjectPublicKeyInfo; one that is not known
    /// keeps its object identifier.
    #[must_use]
    pub fn of(spki: &[u8]) -> Self {
        parts(spki).map_or_else(
            || Self {
                name: "unknown".to_owned(),
                bits: None,
            },
            |parts| parts.algorithm(),
        )
    }
}

struct Parts<'a> {
    oid: &'a [u8],
    parameters: Option<Element<'a>>,
    /// The key itself, without the count of unused bits.
    key: &'a [u8],
}

fn parts(spki: &[u8]) -> Option<Parts<'_>> {
    let (outer, rest) = der::first(spki)?;
    let elements = der::sequence(&outer).filter(|_| rest.is_empty())?;
    let [algorithm, key] = elements.as_slice() else {
        return None;
    };
    let algorithm = der::sequence(algorithm)?;
    let (oid, parameters) = match algorithm.as_slice() {
        [oid] => (oid, None),
        [oid, parameters] => (oid, Some(*parameters)),
        _ => return None,
    };
    if oid.tag != OID || key.tag != BIT_STRING {
        return None;
    }
    Some(Parts {
        oid: oid.content,
        parameters,
        key: key.content.get(1..)?,
    })
}

impl Parts<'_> {
    fn algorithm(&self) -> Algorithm {
        let named = |name: &str, bits: Option<usize>| Algorithm {
            name: name.to_owned(),
            bits,
        };
        let text = der::oid_text(self.oid);
        match text.as_str() {
            "1.2.840.113549.1.1.1" => named("RSA", modulus_bits(self.key)),
            "1.2.840.113549.1.1.10" => named("RSA-PSS", modulus_bits(self.key)),
            "1.2.840.10045.2.1" => match self.parameters {
                Some(curve) if curve.tag == OID => match der::oid_text(curve.content).as_str() {
                    "1.2.840.10045.3.1.7" => named("EC P-256", Some(256)),
                    "1.3.132.0.34" => named("EC P-384", Some(384)),
                    "1.3.132.0.35" => named("EC P-521", Some(521)),
                    "1.3.132.0.10" => named("EC secp256k1", Some(256)),
                    "1.3.36.3.3.2.8.1.1.7" => named("EC brainpoolP256r1", Some(256)),
                    "1.3.36.3.3.2.8.1.1.11" => named("EC brainpoolP384r1", Some(384)),
                    "1.3.36.3.3.2.8.1.1.13" => named("EC brainpoolP512r1", Some(512)),
                    curve => named(&format!("EC {curve}"), None),
                },
                _ => named("EC, curve not named", None),
            },
            "1.3.101.112" => named("Ed25519", Some(256)),
            "1.3.101.113" => named("Ed448", Some(456)),
            "1.2.840.10040.4.1" => named("DSA", None),
            "2.16.840.1.101.3.4.3.17" => named("ML-DSA-44", None),
            "2.16.840.1.101.3.4.3.18" => named("ML-DSA-65", None),
            "2.16.840.1.101.3.4.3.19" => named("ML-DSA-87", None),
            _ => named(&text, None),
        }
    }
}

fn modulus_bits(key: &[u8]) -> Option<usize> {
    let (outer, _) = der::first(key)?;
    let modulus = unsigned(der::sequence(&outer)?.first()?)?;
    Some(modulus.len() * 8 - modulus.first()?.leading_zeros() as usize)
}

/// Checks that these octets are one SubjectPublicKeyInfo with a key in it.
pub(crate) fn check(spki: &[u8]) -> Result<(), Problem> {
    let parts = parts(spki).ok_or(Problem::Malformed {
        content: "a public key",
    })?;
    if parts.key.is_empty() {
        Err(Problem::EmptyKey)
    } else {
        Ok(())
    }
}

/// Builds the SubjectPublicKeyInfo of an algorithm, given whole, and a key.
pub(crate) fn build(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    der::write(
        SEQUENCE,
        &[algorithm, &der::write(BIT_STRING, &[&[0], key])],
    )
}

/// Builds the SubjectPublicKeyInfo of an RSA key; the parameters are NULL (RFC 3279 section 2.3.1).
pub(crate) fn build_rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let algorithm = der::write(
        SEQUENCE,
        &[&der::write(OID, &[RSA]), &der::write(NULL, &[])],
    );
    build(&algorithm, &rsa_key(modulus, exponent))
}

/// RSAPublicKey (RFC 8017 appendix A.1.1) from two numbers without leading zeros.
pub(crate) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let integer = |digits: &[u8]| {
        let sign: &[u8] = if digits.first().is_some_and(|first| *first >= 0x80) {
            &[0]
        } else {
            &[]
        };
        der::write(INTEGER, &[sign, digits])
    };
    der::write(SEQUENCE, &[&integer(modulus), &integer(exponent)])
}

/// A positive INTEGER without leading zeros; `None` for anything else.
pub(crate) fn unsigned<'a>(element: &Element<'a>) -> Option<&'a [u8]> {
    let digits = element.content;
    if element.tag != INTEGER || digits.first().is_none_or(|first| *first >= 0x80) {
        return None;
    }
    let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rsa_key_has_null_parameters_and_counts_its_bits() {
        let spki = build_rsa(&[0x81, 2, 3], &[1, 0, 1]);
        assert_eq!(
            spki[..17],
            [
                0x30, 31, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0
            ]
        );
        assert_eq!(Algorithm::of(&spki).to_string(), "RSA 24");
        assert_eq!(check(&spki), Ok(()));
    }

    #[test]
    fn an_unknown_algorithm_keeps_its_identifier() {
        let spki = build(
            &der::write(SEQUENCE, &[&der::write(OID, &[&[0x2a, 3]])]),
            &[1],
        );
        assert_eq!(Algorithm::of(&spki).to_string(), "1.2.3");
        assert_eq!(check(&spki), Ok(()));
    }

    #[test]
    fn a_key_without_octets_is_no_key() {
        let algorithm = der::write(SEQUENCE, &[&der::write(OID, &[ED25519])]);
        assert_eq!(check(&build(&algorithm, &[])), Err(Problem::EmptyKey));
        assert_eq!(
            check(&[0x30, 0]),
            Err(Problem::Malformed {
                content: "a public key"
            })
        );
        assert_eq!(Algorithm::of(&[]).to_string(), "unknown");
    }
}
