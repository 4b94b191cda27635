//! Which certificate or key of the files a TLSA record is made from: the leaf
//! for usages 3 and 1, the CA certificates of the chain for 2 and 0 (RFC 6698
//! section 2.1.1, RFC 7671 section 5). Where a file leaves room for doubt, it is
//! refused: a record for the wrong key costs mail.

use std::collections::HashSet;

use crate::keys::{Certificate, Item, KeyError, KeyFile, Kind, Problem};
use crate::tlsa::{Params, Selector, Tlsa};

/// The records for all keys of these files: in the order given, each once.
///
/// # Errors
///
/// When a file does not hold what these parameters are about, or holds blocks
/// that do not belong together.
pub fn records(files: &[KeyFile], params: Params) -> Result<Vec<Tlsa>, KeyError> {
    let mut chains = Vec::with_capacity(files.len());
    for file in files {
        for chain in chains_of(file)? {
            chains.push((file, chain));
        }
    }
    let selected = if params.usage.names_an_authority() {
        authorities(&chains, params.selector)?
    } else {
        leaves(&chains, params.selector)?
    };
    let mut seen = HashSet::new();
    let mut records = Vec::new();
    for (file, item, octets) in selected {
        if seen.insert(octets) {
            let record = Tlsa::of(octets, params);
            records.push(record.map_err(|error| KeyError::at(item.line, Problem::Record(error)).of(&file.name))?);
        }
    }
    Ok(records)
}

/// A key, with the certificates that stand with it.
struct Chain<'a> {
    /// The first certificate, or the key where there is none.
    leaf: &'a Item,
    /// All certificates, the leaf's own first.
    certificates: Vec<(&'a Item, &'a Certificate)>,
}

type Selected<'a> = Vec<(&'a KeyFile, &'a Item, &'a [u8])>;

/// Takes a file apart. One private key may stand anywhere beside its chain;
/// with several, each is followed by its own chain, as mail servers want it.
fn chains_of(file: &KeyFile) -> Result<Vec<Chain<'_>>, KeyError> {
    let private: Vec<usize> =
        file.items.iter().enumerate().filter(|(_, item)| item.kind == Kind::PrivateKey).map(|(at, _)| at).collect();
    let mut chains = Vec::new();
    if private.len() < 2 {
        chains_of_group(file, &file.items, &mut chains)?;
        return Ok(chains);
    }
    if let Some(item) = file.items.first().filter(|item| item.kind != Kind::PrivateKey) {
        return Err(KeyError::at(item.line, Problem::BeforeKeys).of(&file.name));
    }
    let ends = private.iter().skip(1).copied().chain([file.items.len()]);
    for (start, end) in private.iter().copied().zip(ends) {
        chains_of_group(file, &file.items[start..end], &mut chains)?;
    }
    Ok(chains)
}

fn chains_of_group<'a>(file: &KeyFile, items: &'a [Item], chains: &mut Vec<Chain<'a>>) -> Result<(), KeyError> {
    let certificates: Vec<_> = items.iter().filter_map(|item| Some((item, item.certificate()?))).collect();
    let private = items.iter().find(|item| item.kind == Kind::PrivateKey);
    let Some(leaf) = certificates.first().map(|(item, _)| *item).or(private) else {
        // Public keys and requests only: nothing says that they belong together.
        chains.extend(items.iter().map(|item| Chain { leaf: item, certificates: Vec::new() }));
        return Ok(());
    };
    for item in items.iter().filter(|item| item.certificate().is_none()) {
        if item.spki != leaf.spki {
            let problem = Problem::OtherKey { block: item.kind.word(), line: leaf.line };
            return Err(KeyError::at(item.line, problem).of(&file.name));
        }
    }
    chains.push(Chain { leaf, certificates });
    Ok(())
}

fn leaves<'a>(chains: &[(&'a KeyFile, Chain<'a>)], selector: Selector) -> Result<Selected<'a>, KeyError> {
    let certified: HashSet<&[u8]> = chains
        .iter()
        .filter(|(_, chain)| !chain.certificates.is_empty())
        .map(|(_, c)| c.leaf.spki.as_slice())
        .collect();
    let mut selected = Vec::with_capacity(chains.len());
    for (file, chain) in chains {
        let refuse = |problem| KeyError::at(chain.leaf.line, problem).of(&file.name);
        if let [(_, first), rest @ ..] = chain.certificates.as_slice() {
            let issued = rest.iter().find(|(_, other)| first.issued(other) && other.subject_der != first.subject_der);
            if let Some((item, _)) = issued {
                return Err(refuse(Problem::LeafNotFirst { line: item.line }));
            }
        }
        match (selector, chain.leaf.certificate()) {
            (Selector::SPKI, _) => selected.push((*file, chain.leaf, chain.leaf.spki.as_slice())),
            (Selector::CERT, Some(certificate)) => selected.push((*file, chain.leaf, certificate.der.as_slice())),
            // The certificate of this key is in another file.
            (Selector::CERT, None) if certified.contains(chain.leaf.spki.as_slice()) => {}
            (Selector::CERT, None) => return Err(refuse(Problem::NoCertificate)),
            (Selector(found), _) => return Err(refuse(Problem::Selector { found })),
        }
    }
    Ok(selected)
}

fn authorities<'a>(chains: &[(&'a KeyFile, Chain<'a>)], selector: Selector) -> Result<Selected<'a>, KeyError> {
    let of_chain = |chain: &Chain<'a>| -> Vec<(&'a Item, &'a Certificate)> {
        chain.certificates.iter().filter(|(_, certificate)| certificate.authority).copied().collect()
    };
    // A key is covered by its chain in another file, a leaf by its issuer there.
    let mut covered_keys = HashSet::new();
    let mut issuers = HashSet::new();
    for (_, chain) in chains {
        let found = of_chain(chain);
        if !found.is_empty() {
            covered_keys.insert(chain.leaf.spki.as_slice());
        }
        issuers.extend(found.iter().map(|(_, certificate)| certificate.subject_der.as_slice()));
    }
    for (_, chain) in chains {
        if chain.leaf.certificate().is_some_and(|leaf| issuers.contains(leaf.issuer_der.as_slice())) {
            covered_keys.insert(chain.leaf.spki.as_slice());
        }
    }
    let mut selected = Vec::new();
    for (file, chain) in chains {
        if !covered_keys.contains(chain.leaf.spki.as_slice()) {
            return Err(KeyError::at(chain.leaf.line, Problem::NoAuthority).of(&file.name));
        }
        for (item, certificate) in of_chain(chain) {
            match selector {
                Selector::SPKI => selected.push((*file, item, item.spki.as_slice())),
                Selector::CERT => selected.push((*file, item, certificate.der.as_slice())),
                Selector(found) => return Err(KeyError::at(item.line, Problem::Selector { found }).of(&file.name)),
            }
        }
    }
    Ok(selected)
}
