//! What a piece of DER is, told by its outline: which elements follow each
//! other, never by a name or a label. Reads two levels and no further.

use crate::keys::Problem;
use crate::keys::der::{self, BIT_STRING, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};

/// The kinds of DER that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Certificate (RFC 5280 section 4.1).
    Certificate,
    /// CertificationRequest (RFC 2986 section 4).
    Request,
    /// SubjectPublicKeyInfo (RFC 5280 section 4.1).
    PublicKey,
    /// RSAPublicKey (RFC 8017 appendix A.1.1).
    RsaPublicKey,
    /// PrivateKeyInfo or OneAsymmetricKey (RFC 5958 section 2).
    PrivateKey,
    /// RSAPrivateKey (RFC 8017 appendix A.1.2).
    RsaPrivateKey,
    /// ECPrivateKey (RFC 5915 section 3).
    EcPrivateKey,
    /// EncryptedPrivateKeyInfo (RFC 5958 section 3).
    EncryptedPrivateKey,
    /// A kind that is known and not read.
    Foreign(&'static str),
    /// None of these.
    Unknown,
}

/// What a block label promises.
pub(crate) enum Label {
    /// Content of this form.
    Is(Form),
    /// Curve or group parameters, which are passed over.
    Parameters,
    /// Something else.
    Unknown,
}

impl Form {
    /// The kind in words, with its article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::Request => "a certificate request",
            Self::PublicKey => "a public key",
            Self::RsaPublicKey => "an RSA public key (PKCS#1)",
            Self::PrivateKey => "a private key (PKCS#8)",
            Self::RsaPrivateKey => "an RSA private key (PKCS#1)",
            Self::EcPrivateKey => "an EC private key (SEC1)",
            Self::EncryptedPrivateKey => "an encrypted private key",
            Self::Foreign(words) => words,
            Self::Unknown => "nothing known",
        }
    }

    pub(crate) fn of_label(label: &str) -> Label {
        Label::Is(match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Self::Certificate,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::Request,
            "PUBLIC KEY" => Self::PublicKey,
            "RSA PUBLIC KEY" => Self::RsaPublicKey,
            "PRIVATE KEY" => Self::PrivateKey,
            "RSA PRIVATE KEY" => Self::RsaPrivateKey,
            "EC PRIVATE KEY" => Self::EcPrivateKey,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            "EC PARAMETERS" | "DH PARAMETERS" | "X9.42 DH PARAMETERS" => return Label::Parameters,
            _ => return Label::Unknown,
        })
    }

    /// Tells the form of the SEQUENCE at the start of these octets. Returns
    /// what follows it as well.
    ///
    /// # Errors
    ///
    /// When there is no SEQUENCE, or not all of it.
    pub(crate) fn of(octets: &[u8]) -> Result<(Self, Vec<Element<'_>>, &[u8]), Problem> {
        if octets.first() != Some(&SEQUENCE) {
            return Err(Problem::Unrecognised);
        }
        let Some((whole, rest)) = der::first(octets) else {
            let Some((header, length)) = der::lengths(octets) else {
                return Err(Problem::Unrecognised);
            };
            return Err(Problem::Truncated {
                expected: header.saturating_add(length),
                found: octets.len(),
            });
        };
        let elements = der::all(whole.content).unwrap_or_default();
        Ok((outline(&elements), elements, rest))
    }
}

fn outline(elements: &[Element<'_>]) -> Form {
    let tags: Vec<u8> = elements.iter().map(|element| element.tag).collect();
    match tags.as_slice() {
        [SEQUENCE, SEQUENCE, BIT_STRING] => signed(&elements[0]),
        [SEQUENCE, BIT_STRING] => Form::PublicKey,
        [SEQUENCE, OCTET_STRING] => Form::EncryptedPrivateKey,
        [INTEGER, SEQUENCE, OCTET_STRING, ..] => Form::PrivateKey,
        [INTEGER, OCTET_STRING, ..] => Form::EcPrivateKey,
        [INTEGER, INTEGER] => Form::RsaPublicKey,
        [INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER] => {
            Form::Foreign("a DSA private key")
        }
        [
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            ..,
        ] => Form::RsaPrivateKey,
        [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] => Form::Foreign("a PKCS#12 bundle"),
        [OID, 0xa0] => Form::Foreign("a PKCS#7 bundle"),
        _ => Form::Unknown,
    }
}

/// Certificates, requests and revocation lists are all signed: content,
/// algorithm, signature. The content tells which it is.
fn signed(content: &Element<'_>) -> Form {
    let elements = der::sequence(content).unwrap_or_default();
    let tags: Vec<u8> = elements.iter().map(|element| element.tag).collect();
    match tags.as_slice() {
        [
            0xa0,
            INTEGER,
            SEQUENCE,
            SEQUENCE,
            SEQUENCE,
            SEQUENCE,
            SEQUENCE,
            ..,
        ] => Form::Certificate,
        // A certificate of version 1 does not state it.
        [
            INTEGER,
            SEQUENCE,
            SEQUENCE,
            SEQUENCE,
            SEQUENCE,
            SEQUENCE,
            ..,
        ] => Form::Certificate,
        [INTEGER, SEQUENCE, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE, 0xa0] => Form::Request,
        [INTEGER, SEQUENCE, SEQUENCE, 0x17 | 0x18, ..] | [SEQUENCE, SEQUENCE, 0x17 | 0x18, ..] => {
            Form::Foreign("a certificate revocation list")
        }
        _ => Form::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_are_told_apart() {
        let element = |tag: u8| der::write(tag, &[&[]]);
        let file = |tags: &[u8]| {
            der::write(
                SEQUENCE,
                &[&tags
                    .iter()
                    .flat_map(|tag| element(*tag))
                    .collect::<Vec<_>>()],
            )
        };
        for (tags, form) in [
            (&[0x30, 0x03][..], Form::PublicKey),
            (&[0x30, 0x04], Form::EncryptedPrivateKey),
            (&[2, 0x30, 4], Form::PrivateKey),
            (&[2, 0x30, 4, 0xa0, 0x81], Form::PrivateKey),
            (&[2, 4, 0xa0, 0xa1], Form::EcPrivateKey),
            (&[2, 2], Form::RsaPublicKey),
            (&[2; 9], Form::RsaPrivateKey),
            (&[2, 0x30, 0x30], Form::Foreign("a PKCS#12 bundle")),
            (&[6, 0xa0], Form::Foreign("a PKCS#7 bundle")),
            (&[], Form::Unknown),
            (&[0x0c], Form::Unknown),
        ] {
            assert_eq!(Form::of(&file(tags)).unwrap().0, form, "{tags:?}");
        }
    }

    #[test]
    fn what_is_cut_says_how_much_is_there() {
        assert_eq!(
            Form::of(&[0x30, 0x05, 2, 1]).unwrap_err(),
            Problem::Truncated {
                expected: 7,
                found: 4
            }
        );
        assert_eq!(Form::of(b"text").unwrap_err(), Problem::Unrecognised);
        assert_eq!(Form::of(&[0x30, 0x00, 9]).unwrap().2, &[9]);
    }
}
