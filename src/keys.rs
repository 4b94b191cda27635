//! Keys, certificates and requests: bytes in, SubjectPublicKeyInfo and TLSA
//! records out. What a file holds is told by its content, never by its name.
//! The SPKI of a certificate or a request is the octets that stand in it; only
//! for a private key it is built. Certificate and key types stay inside.

mod certificate;
mod chain;
mod der;
mod error;
mod form;
mod pem;
mod private;
mod public;
mod select;

pub use certificate::Certificate;
pub use chain::doubts;
pub use error::{KeyError, Problem};
pub use public::Algorithm;
pub use select::records;

use form::{Form, Label};

/// One file and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The file as the user named it, for places in messages.
    pub name: String,
    /// What is in it, in that order; never empty.
    pub items: Vec<Item>,
}

impl KeyFile {
    /// Reads the content of a file.
    ///
    /// # Errors
    ///
    /// As [`read`], with the name in the place.
    pub fn read(name: &str, bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Self, KeyError> {
        let items = read(bytes, passphrase).map_err(|error| error.of(name))?;
        Ok(Self {
            name: name.to_owned(),
            items,
        })
    }

    /// Where one of its items is: `file:line`, or the file alone for DER.
    #[must_use]
    pub fn place(&self, item: &Item) -> String {
        item.line
            .map_or_else(|| self.name.clone(), |line| format!("{}:{line}", self.name))
    }
}

/// One certificate, request or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// The line on which its block begins, from 1; `None` for DER.
    pub line: Option<usize>,
    /// Its SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A certificate.
    Certificate(Box<Certificate>),
    /// A certificate request.
    Request {
        /// Whose key it is. Not escaped for terminals.
        subject: String,
    },
    /// A public key.
    PublicKey,
    /// A private key; only its public half is kept.
    PrivateKey,
}

impl Kind {
    /// The word in JSON and in tables.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate",
            Self::Request { .. } => "request",
            Self::PublicKey => "public key",
            Self::PrivateKey => "private key",
        }
    }
}

impl Item {
    /// The certificate, when it is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.kind {
            Kind::Certificate(certificate) => Some(certificate),
            Kind::Request { .. } | Kind::PublicKey | Kind::PrivateKey => None,
        }
    }

    /// The algorithm of the key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        Algorithm::of(&self.spki)
    }
}

/// Reads all certificates, requests and keys of a file, PEM or DER.
///
/// # Errors
///
/// The first thing that is wrong. A file is read whole or not at all: passing
/// over a damaged block could make an issuer the leaf.
pub fn read(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Vec<Item>, KeyError> {
    if bytes.is_empty() {
        return Err(KeyError::at(None, Problem::Empty));
    }
    let outline = Form::of(bytes);
    if matches!(outline, Err(_) | Ok((Form::Unknown, ..))) && pem::is_pem(bytes) {
        return read_pem(bytes, passphrase);
    }
    let at = |problem| KeyError::at(None, problem);
    let (form, ..) = outline.map_err(at)?;
    Ok(vec![read_item(form, bytes, None, passphrase).map_err(at)?])
}

fn read_pem(text: &[u8], passphrase: Option<&[u8]>) -> Result<Vec<Item>, KeyError> {
    let mut items = Vec::new();
    for block in pem::blocks(text)? {
        let at = |problem| KeyError::at(block.line, problem);
        let promised = match Form::of_label(&block.label) {
            Label::Is(form) => form,
            Label::Parameters => continue,
            Label::Unknown => {
                return Err(at(Problem::UnknownLabel {
                    label: block.label.clone(),
                }));
            }
        };
        let (form, _, rest) = Form::of(&block.octets).map_err(at)?;
        if form == Form::Unknown {
            return Err(at(Problem::Malformed {
                content: promised.words(),
            }));
        }
        if form != promised {
            return Err(at(Problem::Label {
                label: block.label.clone(),
                content: form.words(),
            }));
        }
        // A TRUSTED CERTIFICATE has settings of its owner behind the certificate.
        let settings = if block.label.starts_with("TRUSTED") {
            rest.len()
        } else {
            0
        };
        let octets = &block.octets[..block.octets.len() - settings];
        items.push(read_item(form, octets, Some(block.line), passphrase).map_err(at)?);
    }
    if items.is_empty() {
        Err(KeyError::at(None, Problem::NoKey))
    } else {
        Ok(items)
    }
}

fn read_item(
    form: Form,
    octets: &[u8],
    line: Option<usize>,
    passphrase: Option<&[u8]>,
) -> Result<Item, Problem> {
    let (_, elements, rest) = Form::of(octets)?;
    if !rest.is_empty() {
        return Err(Problem::Trailing { octets: rest.len() });
    }
    let (kind, spki) = match form {
        Form::Certificate => {
            let (certificate, spki) = certificate::read(octets)?;
            (Kind::Certificate(Box::new(certificate)), spki)
        }
        Form::Request => {
            let (subject, spki) = certificate::read_request(octets)?;
            (Kind::Request { subject }, spki)
        }
        Form::PublicKey => {
            public::check(octets)?;
            (Kind::PublicKey, octets.to_vec())
        }
        Form::RsaPublicKey => {
            let numbers = elements
                .iter()
                .map(public::unsigned)
                .collect::<Option<Vec<_>>>();
            match numbers.as_deref() {
                Some([modulus, exponent]) => {
                    (Kind::PublicKey, public::build_rsa(modulus, exponent))
                }
                _ => {
                    return Err(Problem::Malformed {
                        content: form.words(),
                    });
                }
            }
        }
        Form::PrivateKey => (Kind::PrivateKey, private::pkcs8(&elements)?),
        Form::RsaPrivateKey => (Kind::PrivateKey, private::rsa(&elements, None)?),
        Form::EcPrivateKey => (Kind::PrivateKey, private::ec(&elements, None, None)?),
        Form::EncryptedPrivateKey => {
            let opened = private::decrypt(octets, passphrase)?;
            let (_, elements, _) = Form::of(&opened)?;
            (Kind::PrivateKey, private::pkcs8(&elements)?)
        }
        Form::Foreign(content) => return Err(Problem::Foreign { content }),
        Form::Unknown => return Err(Problem::Unrecognised),
    };
    Ok(Item { kind, line, spki })
}
