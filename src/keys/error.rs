//! Why a file holds no key that can be used: what is wrong, in which file, at
//! which line. No message repeats octets of a key.

use std::fmt;

use crate::tlsa::TlsaError;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    /// The file as the user named it; `None` while only octets are known.
    pub file: Option<String>,
    /// The line, from 1; `None` for DER and for a file as a whole.
    pub line: Option<usize>,
    /// What is wrong there.
    pub problem: Problem,
}

impl KeyError {
    pub(crate) fn at(line: impl Into<Option<usize>>, problem: Problem) -> Self {
        Self {
            file: None,
            line: line.into(),
            problem,
        }
    }

    pub(crate) fn of(mut self, file: &str) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// `file:line`, as far as known.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => Some(format!("{file}:{line}")),
            (Some(file), None) => Some(file.clone()),
            (None, Some(line)) => Some(format!("line {line}")),
            (None, None) => None,
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for KeyError {}

/// What is wrong with a file, a block of it, or the files together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There are no octets at all.
    Empty,
    /// Neither a PEM block nor DER.
    Unrecognised,
    /// DER that says it is longer than what is there.
    Truncated {
        /// Octets that it says it has.
        expected: usize,
        /// Octets that are there.
        found: usize,
    },
    /// Octets after the end of what was read.
    Trailing {
        /// How many.
        octets: usize,
    },
    /// A line that starts like a PEM boundary and is none: the final hyphens are
    /// missing, or more stands on it.
    Boundary,
    /// A BEGIN line with spaces in front, which other programs pass over.
    Indented,
    /// A block without its END line.
    NoEnd {
        /// What the BEGIN line says.
        label: String,
    },
    /// An END line without a block before it.
    NoBegin {
        /// What the END line says.
        label: String,
    },
    /// An END line of another label than the BEGIN line.
    EndLabel {
        /// What the BEGIN line says.
        begin: String,
        /// What the END line says.
        end: String,
    },
    /// A character that base64 does not have, or padding in the wrong place.
    Base64,
    /// A block that ends in the middle of its base64 text.
    Base64Cut,
    /// A block without content.
    EmptyBlock {
        /// What the BEGIN line says.
        label: String,
    },
    /// A label that is none of a certificate, a request or a key.
    UnknownLabel {
        /// What the BEGIN line says.
        label: String,
    },
    /// A label that does not fit the content.
    Label {
        /// What the BEGIN line says.
        label: String,
        /// What the content is.
        content: &'static str,
    },
    /// DER of a kind that holds no usable key, or holds it in a wrapping that is not read.
    Foreign {
        /// What it is.
        content: &'static str,
    },
    /// The content has the outline of its kind, and a fault inside.
    Malformed {
        /// What it should be.
        content: &'static str,
    },
    /// The public key has no octets.
    EmptyKey,
    /// A private key in the encrypted form of old PEM files.
    LegacyEncrypted,
    /// An encrypted private key, and no passphrase.
    Encrypted,
    /// The passphrase does not open the private key.
    Passphrase,
    /// The private key is encrypted in a way that is not known here.
    Encryption,
    /// A number that nobody computes with: the file would cost minutes, or all memory.
    TooLarge {
        /// What it is.
        what: &'static str,
    },
    /// A private key of an algorithm whose public half cannot be computed here.
    Algorithm {
        /// Its object identifier.
        oid: String,
    },
    /// A private key on a curve whose public half cannot be computed here.
    Curve {
        /// Its object identifier.
        oid: String,
    },
    /// An EC key that describes its curve instead of naming it (RFC 5480 forbids it).
    ExplicitCurve,
    /// An EC key that does not say on which curve it is.
    NoCurve,
    /// A private value that is none: of the wrong length, or out of range.
    PrivateValue {
        /// The algorithm or curve.
        algorithm: &'static str,
    },
    /// A private key that carries a public half which is not its own.
    PublicHalf,
    /// An RSA key whose modulus is not the product of its primes.
    Modulus,
    /// Nothing in the file but parameters.
    NoKey,
    /// A private key or request beside a certificate of another key.
    OtherKey {
        /// What the block is.
        block: &'static str,
        /// The line of the certificate or key that it should belong to.
        line: Option<usize>,
    },
    /// The first certificate of a chain issued another one of it.
    LeafNotFirst {
        /// The line of the certificate that it issued.
        line: Option<usize>,
    },
    /// Several private keys in one file, and a block before the first.
    BeforeKeys,
    /// Selector Cert, and only a key.
    NoCertificate,
    /// Usage 0 or 2, and no certificate of a CA.
    NoAuthority,
    /// A selector that selects nothing known.
    Selector {
        /// The number.
        found: u8,
    },
    /// The record cannot be made.
    Record(TlsaError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the file is empty"),
            Self::Unrecognised => write!(f, "neither a PEM block nor DER"),
            Self::Truncated { expected, found } => {
                write!(f, "cut off: {found} octets of {expected}")
            }
            Self::Trailing { octets } => write!(f, "there are octets after the end: {octets}"),
            Self::Boundary => write!(
                f,
                "a BEGIN or END line that has more than its label between five hyphens"
            ),
            Self::Indented => write!(f, "a BEGIN line with white space in front"),
            Self::NoEnd { label } => write!(f, "cut off: the block BEGIN {label} has no END line"),
            Self::NoBegin { label } => write!(f, "cut off: END {label} without a BEGIN line"),
            Self::EndLabel { begin, end } => {
                write!(f, "a block begins as {begin} and ends as {end}")
            }
            Self::Base64 => write!(f, "a character that is not base64"),
            Self::Base64Cut => write!(f, "cut off: the base64 text ends too early"),
            Self::EmptyBlock { label } => write!(f, "the block {label} is empty"),
            Self::UnknownLabel { label } => {
                write!(f, "a {label} block holds no key that can be read here")
            }
            Self::Label { label, content } => {
                write!(f, "the label says {label}, the content is {content}")
            }
            Self::Foreign { content } => write!(f, "the content is {content}"),
            Self::Malformed { content } => {
                write!(f, "damaged: the content begins like {content} and is none")
            }
            Self::EmptyKey => write!(f, "the public key has no octets"),
            Self::LegacyEncrypted => write!(f, "the private key is encrypted in the old PEM form"),
            Self::Encrypted => write!(f, "the private key is encrypted and no passphrase is given"),
            Self::Passphrase => write!(f, "the passphrase does not open the private key"),
            Self::Encryption => write!(
                f,
                "the private key is encrypted in a way that is not known here"
            ),
            Self::TooLarge { what } => write!(f, "{what} is larger than OpenSSL takes"),
            Self::Algorithm { oid } => write!(
                f,
                "a private key of algorithm {oid}, which is not known here"
            ),
            Self::Curve { oid } => {
                write!(f, "a private key on curve {oid}, which is not known here")
            }
            Self::ExplicitCurve => write!(f, "the EC key describes its curve instead of naming it"),
            Self::NoCurve => write!(f, "the EC key does not name its curve"),
            Self::PrivateValue { algorithm } => {
                write!(f, "the private value is none of {algorithm}")
            }
            Self::PublicHalf => write!(
                f,
                "the private key carries a public half that is not its own"
            ),
            Self::Modulus => write!(
                f,
                "the modulus of the RSA key is not the product of its primes"
            ),
            Self::NoKey => write!(f, "there is no key in the file"),
            Self::OtherKey {
                block,
                line: Some(line),
            } => {
                write!(
                    f,
                    "the {block} is of another key than the block at line {line}"
                )
            }
            Self::OtherKey { block, line: None } => write!(f, "the {block} is of another key"),
            Self::LeafNotFirst { line: Some(line) } => {
                write!(
                    f,
                    "the first certificate is the issuer of the one at line {line}: the chain is not leaf first"
                )
            }
            Self::LeafNotFirst { line: None } => write!(f, "the chain is not leaf first"),
            Self::BeforeKeys => write!(
                f,
                "the file has several private keys, and this block stands before the first"
            ),
            Self::NoCertificate => {
                write!(f, "selector 0 needs a certificate, and there is only a key")
            }
            Self::NoAuthority => write!(f, "the usage names a CA, and there is no CA certificate"),
            Self::Selector { found } => write!(f, "selector {found} selects nothing known"),
            Self::Record(error) => error.fmt(f),
        }
    }
}
