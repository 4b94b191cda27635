//! Which certificate or key of the files a TLSA record is made from: the leaf
//! for usages 3 and 1, the CA certificates of the chain for 2 and 0 (RFC 6698
//! section 2.1.1, RFC 7671 section 5). Where a file leaves room for doubt, it is
//! refused: a record for the wrong key costs mail.

use std::collections::{HashMap, HashSet};

use crate::keys::{Certificate, Item, KeyError, KeyFile, Kind, Problem};
use crate::tlsa::{Params, Selector, Tlsa};

/// The records for all keys of these files: in the order given, each once.
///
/// # Errors
///
/// When a file does not hold what these parameters are about, or holds blocks
/// that do not belong together.
pub fn records(files: &[KeyFile], params: Params) -> Result<Vec<Tlsa>, KeyError> {
    let chains = chains(files)?;
    let selected = if params.usage.names_an_authority() {
        authorities(&chains, params.selector)?
    } else {
        check_order(files, &chains)?;
        leaves(&chains, params.selector)?
    };
    let mut seen = HashSet::with_capacity(selected.len());
    let mut records = Vec::with_capacity(selected.len());
    for Selected { file, item, octets } in selected {
        if seen.insert(octets) {
            let record = Tlsa::of(octets, params);
            records.push(record.map_err(|error| KeyError::at(item.line, Problem::Record(error)).of(&file.name))?);
        }
    }
    Ok(records)
}

/// What may be a mistake in files that [`records`] takes: sentences.
///
/// A file with the issuers only, taken for the chain, makes a record that no
/// server matches. It cannot be refused: some server certificates say that they
/// are a CA's.
#[must_use]
pub fn doubts(files: &[KeyFile], params: Params) -> Vec<String> {
    let Ok(chains) = chains(files) else { return Vec::new() };
    if params.usage.names_an_authority() {
        return Vec::new();
    }
    let private: HashSet<&[u8]> = files
        .iter()
        .flat_map(|file| &file.items)
        .filter(|i| i.kind == Kind::PrivateKey)
        .map(|i| i.spki.as_slice())
        .collect();
    let mut doubts = Vec::new();
    for chain in chains {
        let Some(leaf) = chain.leaf.certificate() else { continue };
        if leaf.authority && !leaf.issued(leaf) && !private.contains(chain.leaf.spki.as_slice()) {
            doubts.push(format!("{}: {} is a CA certificate; is it the server's own?", chain.file.name, leaf.subject));
        }
    }
    doubts
}

/// A key, with the certificates that stand with it.
struct Chain<'a> {
    file: &'a KeyFile,
    /// The first certificate, or the key where there is none.
    leaf: &'a Item,
    /// All certificates, the leaf's own first.
    certificates: Vec<(&'a Item, &'a Certificate)>,
}

/// What a record is made from, and where it came from.
struct Selected<'a> {
    file: &'a KeyFile,
    item: &'a Item,
    octets: &'a [u8],
}

/// Takes the files apart. In a file, one private key may stand anywhere beside
/// its chain; of several, each is followed by its own chain, as mail servers
/// want it.
fn chains(files: &[KeyFile]) -> Result<Vec<Chain<'_>>, KeyError> {
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
fn add_chains<'a>(file: &'a KeyFile, items: &'a [Item], chains: &mut Vec<Chain<'a>>) -> Result<(), KeyError> {
    let before = chains.len();
    for item in items {
        let Some(certificate) = item.certificate() else { continue };
        let previous = chains[before..].last_mut();
        match previous {
            // A server's certificate never stands in another one's chain.
            Some(chain)
                if certificate.authority
                    || chain.certificates.last().is_some_and(|last| certificate.issued(last.1)) =>
            {
                chain.certificates.push((item, certificate));
            }
            _ => chains.push(Chain { file, leaf: item, certificates: vec![(item, certificate)] }),
        }
    }
    let keys = items.iter().filter(|item| item.certificate().is_none());
    if chains.len() == before {
        match items.iter().find(|item| item.kind == Kind::PrivateKey) {
            Some(private) => chains.push(Chain { file, leaf: private, certificates: Vec::new() }),
            // Public keys and requests only: nothing says that they belong together.
            None => chains.extend(keys.clone().map(|leaf| Chain { file, leaf, certificates: Vec::new() })),
        }
    }
    for item in keys {
        if !chains[before..].iter().any(|chain| chain.leaf.spki == item.spki) {
            let line = chains.get(before).and_then(|chain| chain.leaf.line);
            return Err(KeyError::at(item.line, Problem::OtherKey { block: item.kind.word(), line }).of(&file.name));
        }
    }
    Ok(())
}

/// Refuses a leaf that issued another certificate of its file.
fn check_order(files: &[KeyFile], chains: &[Chain<'_>]) -> Result<(), KeyError> {
    let mut chains = chains.iter().peekable();
    for file in files {
        let certificates = file.items.iter().filter_map(|item| Some((item, item.certificate()?)));
        let issued = certificates.filter(|(_, certificate)| !certificate.issued(certificate));
        let issued: HashMap<&[u8], &Item> = issued.map(|(item, c)| (c.issuer_der.as_slice(), item)).collect();
        while let Some(chain) = chains.next_if(|chain| std::ptr::eq(chain.file, file)) {
            let Some(leaf) = chain.leaf.certificate() else { continue };
            if let Some(other) = issued.get(leaf.subject_der.as_slice()) {
                let problem = Problem::LeafNotFirst { line: other.line };
                return Err(KeyError::at(chain.leaf.line, problem).of(&file.name));
            }
        }
    }
    Ok(())
}

fn leaves<'a>(chains: &[Chain<'a>], selector: Selector) -> Result<Vec<Selected<'a>>, KeyError> {
    let certified = chains.iter().filter(|chain| !chain.certificates.is_empty());
    let certified: HashSet<&[u8]> = certified.map(|chain| chain.leaf.spki.as_slice()).collect();
    let mut selected = Vec::with_capacity(chains.len());
    for Chain { file, leaf, .. } in chains {
        let octets = match (selector, leaf.certificate()) {
            (Selector::SPKI, _) => &leaf.spki,
            (Selector::CERT, Some(certificate)) => &certificate.der,
            // The certificate of this key is in another file.
            (Selector::CERT, None) if certified.contains(leaf.spki.as_slice()) => continue,
            (Selector::CERT, None) => return Err(KeyError::at(leaf.line, Problem::NoCertificate).of(&file.name)),
            (Selector(found), _) => return Err(KeyError::at(leaf.line, Problem::Selector { found }).of(&file.name)),
        };
        selected.push(Selected { file, item: leaf, octets });
    }
    Ok(selected)
}

fn authorities<'a>(chains: &[Chain<'a>], selector: Selector) -> Result<Vec<Selected<'a>>, KeyError> {
    // A key is covered by its chain in another file, a leaf by its issuer there.
    let mut covered = HashSet::new();
    let mut issuers = HashSet::new();
    for chain in chains {
        for certificate in authorities_of(chain).map(|(_, certificate)| certificate) {
            covered.insert(chain.leaf.spki.as_slice());
            issuers.insert(certificate.subject_der.as_slice());
        }
    }
    for chain in chains {
        if chain.leaf.certificate().is_some_and(|leaf| issuers.contains(leaf.issuer_der.as_slice())) {
            covered.insert(chain.leaf.spki.as_slice());
        }
    }
    let mut selected = Vec::new();
    for chain in chains {
        let file = chain.file;
        if !covered.contains(chain.leaf.spki.as_slice()) {
            return Err(KeyError::at(chain.leaf.line, Problem::NoAuthority).of(&file.name));
        }
        for (item, certificate) in authorities_of(chain) {
            let octets = match selector {
                Selector::SPKI => &item.spki,
                Selector::CERT => &certificate.der,
                Selector(found) => return Err(KeyError::at(item.line, Problem::Selector { found }).of(&file.name)),
            };
            selected.push(Selected { file, item, octets });
        }
    }
    Ok(selected)
}

fn authorities_of<'c, 'a>(chain: &'c Chain<'a>) -> impl Iterator<Item = (&'a Item, &'a Certificate)> + use<'c, 'a> {
    chain.certificates.iter().filter(|(_, certificate)| certificate.authority).copied()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;
    use crate::tlsa::{Matching, Usage};

    /// A root, an intermediate CA, two leaves, and the keys of the leaves.
    struct World {
        root: String,
        middle: String,
        leaf: String,
        other: String,
        key: String,
        other_key: String,
    }

    fn world() -> World {
        let params = |name: &str, is_ca: IsCa| {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = is_ca;
            params
        };
        let ca = || IsCa::Ca(BasicConstraints::Unconstrained);
        let [root_key, middle_key, key, other_key] = [(); 4].map(|()| KeyPair::generate().unwrap());
        let root = params("root", ca()).self_signed(&root_key).unwrap().pem();
        let top = Issuer::new(params("root", ca()), root_key);
        let middle = params("middle", ca()).signed_by(&middle_key, &top).unwrap().pem();
        let issuer = Issuer::new(params("middle", ca()), middle_key);
        let leaf = params("leaf", IsCa::NoCa).signed_by(&key, &issuer).unwrap().pem();
        let other = params("other", IsCa::NoCa).signed_by(&other_key, &issuer).unwrap().pem();
        World { root, middle, leaf, other, key: key.serialize_pem(), other_key: other_key.serialize_pem() }
    }

    fn file(blocks: &[&String]) -> KeyFile {
        let text: String = blocks.iter().map(|block| format!("{}\n", block.trim())).collect();
        KeyFile::read("file", text.as_bytes(), None).unwrap()
    }

    fn numbers(usage: u8, selector: u8) -> Params {
        Params { usage: Usage(usage), selector: Selector(selector), matching: Matching::FULL }
    }

    /// What the records are made from, as the data of records with matching type 0.
    fn selected(usage: u8, selector: u8, files: &[&[&String]]) -> Result<Vec<Vec<u8>>, Problem> {
        let files: Vec<KeyFile> = files.iter().map(|blocks| file(blocks)).collect();
        let records = records(&files, numbers(usage, selector)).map_err(|error| error.problem)?;
        Ok(records.into_iter().map(|tlsa| tlsa.data).collect())
    }

    fn spki(block: &String) -> Vec<u8> {
        file(&[block]).items[0].spki.clone()
    }

    fn der(block: &String) -> Vec<u8> {
        file(&[block]).items[0].certificate().unwrap().der.clone()
    }

    #[test]
    fn usage_3_takes_the_leaf_and_usage_2_its_authorities() {
        let World { root, middle, leaf, .. } = &world();
        let chain: &[&String] = &[leaf, middle, root];
        assert_eq!(selected(3, 1, &[chain]), Ok(vec![spki(leaf)]));
        assert_eq!(selected(1, 0, &[chain]), Ok(vec![der(leaf)]));
        assert_eq!(selected(2, 1, &[chain]), Ok(vec![spki(middle), spki(root)]));
        assert_eq!(selected(0, 0, &[chain]), Ok(vec![der(middle), der(root)]));
    }

    #[test]
    fn a_key_and_its_certificate_count_once() {
        let World { leaf, key, middle, other, .. } = &world();
        assert_eq!(selected(3, 1, &[&[key], &[leaf], &[other]]), Ok(vec![spki(leaf), spki(other)]));
        assert_eq!(selected(3, 0, &[&[key], &[leaf]]), Ok(vec![der(leaf)]));
        assert_eq!(selected(3, 1, &[&[leaf, middle, key]]), Ok(vec![spki(leaf)]));
        assert_eq!(selected(2, 0, &[&[key], &[leaf, middle]]), Ok(vec![der(middle)]));
        assert_eq!(selected(2, 0, &[&[leaf], &[middle]]), Ok(vec![der(middle)]));
    }

    #[test]
    fn no_key_of_several_in_a_file_is_passed_over() {
        let World { leaf, key, middle, other, other_key, .. } = &world();
        let both = Ok(vec![spki(leaf), spki(other)]);
        assert_eq!(selected(3, 1, &[&[leaf, other]]), both);
        assert_eq!(selected(3, 1, &[&[leaf, middle, other, middle]]), both);
        assert_eq!(selected(3, 1, &[&[key, leaf, middle, other_key, other, middle]]), both);
        assert_eq!(selected(3, 1, &[&[key, other_key]]), both);
        assert_eq!(selected(3, 1, &[&[leaf, key, other_key, other]]), Err(Problem::BeforeKeys));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let World { root, middle, leaf, key, other_key, .. } = &world();
        let other_than = |line| Err(Problem::OtherKey { block: "private key", line: Some(line) });
        assert_eq!(selected(3, 1, &[&[leaf, other_key]]), other_than(1));
        assert_eq!(selected(2, 1, &[&[leaf, middle, other_key]]), other_than(1));
        let leaf_at = file(&[key, other_key, leaf]).items[2].line.unwrap();
        assert_eq!(selected(3, 1, &[&[key, other_key, leaf]]), other_than(leaf_at));
        let line = |blocks: &[&String]| file(blocks).items[1].line;
        assert_eq!(selected(3, 1, &[&[middle, leaf]]), Err(Problem::LeafNotFirst { line: line(&[middle, leaf]) }));
        assert_eq!(selected(3, 1, &[&[root, middle]]), Err(Problem::LeafNotFirst { line: line(&[root, middle]) }));
    }

    #[test]
    fn what_the_parameters_need_must_be_there() {
        let World { middle, leaf, other, key, .. } = &world();
        assert_eq!(selected(3, 0, &[&[key]]), Err(Problem::NoCertificate));
        assert_eq!(selected(2, 1, &[&[key]]), Err(Problem::NoAuthority));
        assert_eq!(selected(2, 1, &[&[leaf]]), Err(Problem::NoAuthority));
        assert_eq!(selected(2, 1, &[&[leaf, middle], &[key]]), Ok(vec![spki(middle)]));
        assert_eq!(selected(2, 1, &[&[middle], &[other]]), Ok(vec![spki(middle)]));
        assert_eq!(selected(3, 7, &[&[leaf]]), Err(Problem::Selector { found: 7 }));
        assert_eq!(selected(2, 7, &[&[leaf, middle]]), Err(Problem::Selector { found: 7 }));
    }

    #[test]
    fn issuers_without_their_leaf_are_doubted() {
        let World { root, middle, leaf, key, .. } = &world();
        let doubts = |blocks: &[&String]| doubts(&[file(blocks)], numbers(3, 1)).len();
        assert_eq!(doubts(&[middle]), 1);
        // A server's own certificate that it signed itself often says so.
        assert_eq!(doubts(&[root]), 0);
        assert_eq!(doubts(&[leaf, middle, key]), 0);
    }
}
