//! FILE arguments: read from disk or standard input, with limits, and what is
//! wrong with them said as a failure with place and hint.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cli::{Failure, Ui, options};
use crate::files::open;
use crate::keys::{self, KeyError, KeyFile, Problem};
use crate::tlsa::{Params, Tlsa, TlsaError};

/// The most octets that a FILE may have: thousands of certificates.
const LARGEST: u64 = 16 << 20;

/// The TLSA records for the keys in these files: in the order given, each once.
///
/// # Errors
///
/// When a file cannot be read, or does not hold what the parameters are about.
pub fn tlsa_of(
    files: &[PathBuf],
    passphrase_file: Option<&Path>,
    params: Params,
) -> Result<Vec<Tlsa>, Failure> {
    let files = read_keys(files, passphrase_file)?;
    keys::records(&files, params).map_err(failure)
}

/// The same of files that are read already, with a warning where one is doubtful.
///
/// # Errors
///
/// When they do not hold what the parameters are about.
pub fn records(files: &[KeyFile], params: Params, ui: &mut Ui<'_>) -> Result<Vec<Tlsa>, Failure> {
    let records = keys::records(files, params).map_err(failure)?;
    keys::doubts(files, params)
        .iter()
        .for_each(|doubt| ui.warn(doubt));
    Ok(records)
}

/// Reads the files; `-` is standard input.
///
/// # Errors
///
/// When one cannot be read, or holds something else than keys and certificates.
pub fn read_keys(
    files: &[PathBuf],
    passphrase_file: Option<&Path>,
) -> Result<Vec<KeyFile>, Failure> {
    let paths = files.iter().map(PathBuf::as_path).chain(passphrase_file);
    if paths.filter(|path| is_stdin(path)).count() > 1 {
        let failure = Failure::wrong("standard input can be read only once").at("-");
        return Err(failure.hint("put all but one of them into files"));
    }
    let passphrase = passphrase_file.map(read_passphrase).transpose()?;
    let read = |path: &PathBuf| {
        let bytes = read_file(path)?;
        KeyFile::read(&name(path), &bytes, passphrase.as_deref()).map_err(failure)
    };
    files.iter().map(read).collect()
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn name(path: &Path) -> String {
    if is_stdin(path) {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads a whole file of sane size; `-` is standard input.
///
/// # Errors
///
/// When it cannot be read, is a directory, or is too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            let joined = path.to_str().and_then(options::ports_are_joined);
            let hint = joined.unwrap_or_else(|| "- is standard input".to_owned());
            Failure::wrong("there is no such file")
                .at(name(path))
                .hint(hint)
        }
        io::ErrorKind::PermissionDenied => {
            let hint =
                "private keys are often readable by root only; the certificate serves as well";
            Failure::wrong("the file may not be read")
                .at(name(path))
                .hint(hint)
        }
        io::ErrorKind::IsADirectory => Failure::wrong("this is a directory")
            .at(name(path))
            .hint("name a file in it"),
        _ => {
            let failure =
                Failure::wrong(format!("the file cannot be read: {error}")).at(name(path));
            failure.hint("see whether other programs can read it")
        }
    };
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        open::read(path, LARGEST + 1).map(|read| {
            bytes = read;
            bytes.len()
        })
    };
    if read.map_err(wrong)? as u64 > LARGEST {
        return Err(Failure::wrong("the file has more than 16 MiB")
            .at(name(path))
            .hint("is it a key or a certificate?"));
    }
    Ok(bytes)
}

/// The first line, without its end.
fn read_passphrase(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = read_file(path)?;
    let end = bytes
        .iter()
        .position(|octet| *octet == b'\n')
        .unwrap_or(bytes.len());
    bytes.truncate(end);
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(Failure::wrong("the first line, the passphrase, is empty")
            .at(name(path))
            .hint("write the passphrase into the file, with no line before it"));
    }
    Ok(bytes)
}

/// The failure for something wrong with keys.
#[must_use]
pub fn failure(error: KeyError) -> Failure {
    let mut failure = Failure::wrong(&error);
    failure.place = error.place();
    failure.hint = hint(&error.problem).map(str::to_owned);
    failure
}

fn hint(problem: &Problem) -> Option<&'static str> {
    Some(match problem {
        Problem::Empty | Problem::EmptyBlock { .. } | Problem::EmptyKey => {
            "was the program that wrote it interrupted?"
        }
        Problem::Unrecognised => "give a certificate, a request or a key, in PEM or DER",
        Problem::Truncated { .. }
        | Problem::NoEnd { .. }
        | Problem::NoBegin { .. }
        | Problem::Base64Cut => {
            "copy the whole file again, from the first BEGIN line to the last END line"
        }
        Problem::Trailing { .. } => "a DER file holds one certificate or key; use PEM for several",
        Problem::Boundary | Problem::Indented | Problem::EndLabel { .. } => {
            "lines like -----BEGIN CERTIFICATE----- start at the margin and come in pairs"
        }
        Problem::Base64 | Problem::Malformed { .. } => "copy the file again from where it was made",
        Problem::Label { .. } => {
            "the BEGIN and END lines were changed by hand; make the file again"
        }
        Problem::UnknownLabel { label } => match label.as_str() {
            "OPENSSH PRIVATE KEY" => "OpenSSH keys are not for TLS; give the server's certificate",
            "PKCS7" | "CMS" => "take the certificates out with: openssl pkcs7 -print_certs",
            _ => "give a certificate, a request or a key",
        },
        Problem::Foreign {
            content: "a PKCS#12 bundle",
        } => "take the certificates out with: openssl pkcs12 -nokeys",
        Problem::Foreign {
            content: "a PKCS#7 bundle",
        } => "take the certificates out with: openssl pkcs7 -inform DER -print_certs",
        Problem::Foreign { .. } => "give a certificate, a request or a key",
        Problem::LegacyEncrypted => {
            "convert it with: openssl pkcs8 -topk8, or give the certificate"
        }
        Problem::Encrypted => {
            "name the file with the passphrase: --passphrase-file FILE, or give the certificate"
        }
        Problem::Passphrase => {
            "the passphrase is the first line of the file named by --passphrase-file"
        }
        Problem::TooLarge { .. } => {
            "no program makes such a file by itself; see where it comes from, or give the certificate"
        }
        Problem::Encryption => {
            "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc, or give the certificate"
        }
        Problem::Algorithm { .. }
        | Problem::Curve { .. }
        | Problem::ExplicitCurve
        | Problem::NoCurve => {
            "give the certificate, or the public key made with: openssl pkey -pubout"
        }
        Problem::PrivateValue { .. } | Problem::PublicHalf | Problem::Modulus => {
            "the key is damaged or was put together from two; see: openssl pkey -check"
        }
        Problem::NoKey => "the file has parameters only",
        Problem::OtherKey { .. } => "put each key and its chain into a file of its own",
        Problem::LeafNotFirst { .. } => "put the server's certificate first, then its issuers",
        Problem::BeforeKeys => {
            "put each private key before its own chain, or into a file of its own"
        }
        Problem::NoCertificate => "give the certificate as well, or use --selector 1",
        Problem::NoAuthority => "give the chain with its issuers, or use --usage 3",
        Problem::Selector { .. } => "use --selector 0 or 1",
        Problem::Record(TlsaError::UnknownMatching { .. }) => "use --matching 0, 1 or 2",
        Problem::Record(_) => return None,
    })
}
