//! Certificates (RFC 5280) and requests (RFC 2986): where the key lies in
//! them, octet for octet, and what people want to see beside it.

use chrono::{DateTime, Utc};
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::keys::{Problem, public};

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The whole of it, as it stood in the file.
    pub der: Vec<u8>,
    /// Whose key it is, `CN=mail.example.com`. Not escaped for terminals.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The first moment at which it is valid.
    pub not_before: Option<DateTime<Utc>>,
    /// The last moment at which it is valid.
    pub not_after: Option<DateTime<Utc>>,
    /// Whether it may sign others: basicConstraints, or a root of the time before those.
    pub authority: bool,
    pub(crate) subject_der: Vec<u8>,
    pub(crate) issuer_der: Vec<u8>,
}

impl Certificate {
    /// Whether the subject of this certificate is the issuer of the other, by name.
    #[must_use]
    pub fn issued(&self, other: &Self) -> bool {
        self.subject_der == other.issuer_der
    }

    /// Whether it has its own subject for an issuer, as one that its own key signed.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issued(self)
    }
}

/// Reads a certificate; gives its SubjectPublicKeyInfo as well.
pub(crate) fn read(der: &[u8]) -> Result<(Certificate, Vec<u8>), Problem> {
    let Ok(([], parsed)) = X509Certificate::from_der(der) else {
        return Err(Problem::Malformed {
            content: "a certificate",
        });
    };
    let spki = parsed.subject_pki.raw;
    public::check(spki)?;
    let (subject_der, issuer_der) = (
        parsed.subject.as_raw().to_vec(),
        parsed.issuer.as_raw().to_vec(),
    );
    let old_root = parsed.version.0 == 0 && subject_der == issuer_der;
    let certificate = Certificate {
        der: der.to_vec(),
        subject: parsed.subject.to_string(),
        issuer: parsed.issuer.to_string(),
        not_before: moment(parsed.validity.not_before),
        not_after: moment(parsed.validity.not_after),
        authority: parsed.is_ca() || old_root,
        subject_der,
        issuer_der,
    };
    Ok((certificate, spki.to_vec()))
}

/// Reads a request: its subject and its SubjectPublicKeyInfo.
pub(crate) fn read_request(der: &[u8]) -> Result<(String, Vec<u8>), Problem> {
    let Ok(([], parsed)) = X509CertificationRequest::from_der(der) else {
        return Err(Problem::Malformed {
            content: "a certificate request",
        });
    };
    let request = &parsed.certification_request_info;
    public::check(request.subject_pki.raw)?;
    Ok((
        request.subject.to_string(),
        request.subject_pki.raw.to_vec(),
    ))
}

fn moment(time: ASN1Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.timestamp(), 0)
}
