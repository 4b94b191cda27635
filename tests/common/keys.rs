//! Keys and certificates of mail servers, made by OpenSSL, and the TLSA data
//! that OpenSSL finds in them.

use std::path::{Path, PathBuf};

use super::process::must;

/// The kinds of key that mail servers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RSA with 2048 bits.
    Rsa,
    /// ECDSA on the curve P-256.
    Ecdsa,
}

/// A certificate with its private key, and what a TLSA record has to say.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The certificate, PEM.
    pub(crate) certificate: PathBuf,
    /// The private key, PEM.
    pub(crate) key: PathBuf,
    /// `3 1 1 …`, computed by OpenSSL.
    pub(crate) tlsa: String,
}

/// Makes `NAME.key` and `NAME.crt` in a folder.
pub(crate) fn identity(folder: &Path, name: &str, kind: Kind, host: &str) -> Identity {
    let (key, certificate) = (
        folder.join(format!("{name}.key")),
        folder.join(format!("{name}.crt")),
    );
    let algorithm: &[&str] = match kind {
        Kind::Rsa => &["-newkey", "rsa:2048"],
        Kind::Ecdsa => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    };
    let (key_text, certificate_text) = (text(&key), text(&certificate));
    let subject = format!("/CN={host}");
    let mut args = vec![
        "req", "-x509", "-nodes", "-batch", "-days", "90", "-subj", &subject,
    ];
    args.extend(algorithm);
    args.extend(["-keyout", &key_text, "-out", &certificate_text]);
    must(folder, "openssl", &args);
    let pipeline = format!(
        "openssl x509 -in '{certificate_text}' -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r"
    );
    let digest = must(folder, "sh", &["-c", &pipeline]);
    let digest = digest.split(' ').next().unwrap_or_default().to_owned();
    assert_eq!(digest.len(), 64, "openssl printed no SHA-256 digest");
    Identity {
        certificate,
        key,
        tlsa: format!("3 1 1 {digest}"),
    }
}

fn text(path: &Path) -> String {
    path.to_str()
        .expect("temporary folders have plain names")
        .to_owned()
}
