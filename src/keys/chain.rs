//! Files taken apart into chains: one per key, the leaf first. Where a file
//! leaves room for doubt, it is refused or doubted aloud: a record for the wrong
//! key, or none for a right one, costs mail.

use std::collections::{HashMap, HashSet};

use crate::keys::{Certificate, Item, KeyError, KeyFile, Kind, Problem};
use crate::tlsa::Params;

/// A key, with the certificates that stand with it.
pub(crate) struct Chain<'a> {
    pub(crate) file: &'a KeyFile,
    /// The first certificate, or the key where there is none.
    pub(crate) leaf: &'a Item,
    /// All certificates, the leaf's own first.
    pub(crate) certificates: Vec<(&'a Item, &'a Certificate)>,
}

impl Chain<'_> {
    /// Whether a certificate that follows belongs to this chain. Another server's
    /// does not, nor does anything after one that its own key signed.
    fn is_continued_by(&self, next: &Certificate) -> bool {
        match self.certificates.as_slice() {
            [] => false,
            [(_, only)] if only.is_self_issued() => false,
            [.., (_, last)] => next.authority || next.issued(last),
        }
    }
}

/// Takes the files apart. In a file, one private key may stand anywhere beside
/// its chain; of several, each is followed by its own chain, as mail servers
/// want it.
pub(crate) fn chains(files: &[KeyFile]) -> Result<Vec<Chain<'_>>, KeyError> {
    let mut chains = Vec::with_capacity(files.len());
    for file in files {
        let is_private = |item: &Item| item.kind == Kind::PrivateKey;
        if file.items.iter().filter(|item| is_private(item)).count() < 2 {
            add_chains(file, &file.items, &mut chains)?;
            continue;
        }
        if let Some(item) = file.items.first().filter(|item| !is_private(item)) {
            return Err(KeyError::at(item.line, Problem::BeforeKeys).of(&file.name));
        }
        for group in file.items.chunk_by(|_, next| !is_private(next)) {
            add_chains(file, group, &mut chains)?;
        }
    }
    Ok(chains)
}

/// Adds the chains of blocks that belong to one private key, or to none.
fn add_chains<'a>(
    file: &'a KeyFile,
    items: &'a [Item],
    chains: &mut Vec<Chain<'a>>,
) -> Result<(), KeyError> {
    let before = chains.len();
    for item in items {
        let Some(certificate) = item.certificate() else {
            continue;
        };
        match chains[before..]
            .last_mut()
            .filter(|chain| chain.is_continued_by(certificate))
        {
            Some(chain) => chain.certificates.push((item, certificate)),
            None => chains.push(Chain {
                file,
                leaf: item,
                certificates: vec![(item, certificate)],
            }),
        }
    }
    let keys = items.iter().filter(|item| item.certificate().is_none());
    if chains.len() == before {
        match items.iter().find(|item| item.kind == Kind::PrivateKey) {
            Some(private) => chains.push(Chain {
                file,
                leaf: private,
                certificates: Vec::new(),
            }),
            // Public keys and requests only: nothing says that they belong together.
            None => chains.extend(keys.clone().map(|leaf| Chain {
                file,
                leaf,
                certificates: Vec::new(),
            })),
        }
    }
    for item in keys {
        if !chains[before..]
            .iter()
            .any(|chain| chain.leaf.spki == item.spki)
        {
            let line = chains.get(before).and_then(|chain| chain.leaf.line);
            return Err(KeyError::at(
                item.line,
                Problem::OtherKey {
                    block: item.kind.word(),
                    line,
                },
            )
            .of(&file.name));
        }
    }
    Ok(())
}

/// Refuses a leaf that issued another certificate of its file.
pub(crate) fn check_order(files: &[KeyFile], chains: &[Chain<'_>]) -> Result<(), KeyError> {
    let mut chains = chains.iter().peekable();
    for file in files {
        let certificates = file
            .items
            .iter()
            .filter_map(|item| Some((item, item.certificate()?)));
        let issued = certificates.filter(|(_, certificate)| !certificate.issued(certificate));
        let issued: HashMap<&[u8], &Item> = issued
            .map(|(item, c)| (c.issuer_der.as_slice(), item))
            .collect();
        while let Some(chain) = chains.next_if(|chain| std::ptr::eq(chain.file, file)) {
            let Some(leaf) = chain.leaf.certificate() else {
                continue;
            };
            if let Some(other) = issued.get(leaf.subject_der.as_slice()) {
                let problem = Problem::LeafNotFirst { line: other.line };
                return Err(KeyError::at(chain.leaf.line, problem).of(&file.name));
            }
        }
    }
    Ok(())
}

/// What may be a mistake in files that [`records`](super::records) takes: sentences.
///
/// It cannot be refused: some server certificates say that they are a CA's, and
/// some chains have certificates that nobody needs.
#[must_use]
pub fn doubts(files: &[KeyFile], params: Params) -> Vec<String> {
    let mut doubts = Vec::new();
    let Ok(chains) = chains(files) else {
        return doubts;
    };
    if params.usage.names_an_authority() {
        return doubts;
    }
    let items = files.iter().flat_map(|file| &file.items);
    let private: HashSet<&[u8]> = items
        .filter(|item| item.kind == Kind::PrivateKey)
        .map(|item| item.spki.as_slice())
        .collect();
    for Chain {
        file,
        leaf,
        certificates,
    } in &chains
    {
        let Some(certificate) = leaf.certificate() else {
            continue;
        };
        // A file with the issuers only makes a record that no server matches.
        if certificate.authority
            && !certificate.is_self_issued()
            && !private.contains(leaf.spki.as_slice())
        {
            let subject = &certificate.subject;
            doubts.push(format!(
                "{}: {subject} is a CA certificate; is it the server's own?",
                file.place(leaf)
            ));
        }
        let named = certificates
            .iter()
            .filter(|(_, certificate)| !certificate.is_self_issued());
        let named: HashSet<&[u8]> = named
            .map(|(_, certificate)| certificate.issuer_der.as_slice())
            .collect();
        for (item, certificate) in certificates.iter().skip(1) {
            if !named.contains(certificate.subject_der.as_slice()) {
                let subject = &certificate.subject;
                doubts.push(format!(
                    "{}: {subject} issued nothing here; is it another server's?",
                    file.place(item)
                ));
            }
        }
    }
    doubts
}
