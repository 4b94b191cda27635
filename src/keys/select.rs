//! Which certificate or key of the files a TLSA record is made from: the leaf
//! for usages 3 and 1, the CA certificates of the chain for 2 and 0 (RFC 6698
//! section 2.1.1, RFC 7671 section 5).

use std::collections::HashSet;

use crate::keys::chain::{Chain, chains, check_order};
use crate::keys::{Certificate, Item, KeyError, KeyFile, Problem};
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
            records.push(
                record.map_err(|error| {
                    KeyError::at(item.line, Problem::Record(error)).of(&file.name)
                })?,
            );
        }
    }
    Ok(records)
}

/// What a record is made from, and where it came from.
struct Selected<'a> {
    file: &'a KeyFile,
    item: &'a Item,
    octets: &'a [u8],
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
            (Selector::CERT, None) => {
                return Err(KeyError::at(leaf.line, Problem::NoCertificate).of(&file.name));
            }
            (Selector(found), _) => {
                return Err(KeyError::at(leaf.line, Problem::Selector { found }).of(&file.name));
            }
        };
        selected.push(Selected {
            file,
            item: leaf,
            octets,
        });
    }
    Ok(selected)
}

fn authorities<'a>(
    chains: &[Chain<'a>],
    selector: Selector,
) -> Result<Vec<Selected<'a>>, KeyError> {
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
        if chain
            .leaf
            .certificate()
            .is_some_and(|leaf| issuers.contains(leaf.issuer_der.as_slice()))
        {
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
                Selector(found) => {
                    return Err(KeyError::at(item.line, Problem::Selector { found }).of(&file.name));
                }
            };
            selected.push(Selected { file, item, octets });
        }
    }
    Ok(selected)
}

fn authorities_of<'c, 'a>(
    chain: &'c Chain<'a>,
) -> impl Iterator<Item = (&'a Item, &'a Certificate)> + use<'c, 'a> {
    chain
        .certificates
        .iter()
        .filter(|(_, certificate)| certificate.authority)
        .copied()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;
    use crate::keys::doubts;
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
        let middle = params("middle", ca())
            .signed_by(&middle_key, &top)
            .unwrap()
            .pem();
        let issuer = Issuer::new(params("middle", ca()), middle_key);
        let leaf = params("leaf", IsCa::NoCa)
            .signed_by(&key, &issuer)
            .unwrap()
            .pem();
        let other = params("other", IsCa::NoCa)
            .signed_by(&other_key, &issuer)
            .unwrap()
            .pem();
        World {
            root,
            middle,
            leaf,
            other,
            key: key.serialize_pem(),
            other_key: other_key.serialize_pem(),
        }
    }

    fn file(blocks: &[&String]) -> KeyFile {
        let text: String = blocks
            .iter()
            .map(|block| format!("{}\n", block.trim()))
            .collect();
        KeyFile::read("file", text.as_bytes(), None).unwrap()
    }

    fn numbers(usage: u8, selector: u8) -> Params {
        Params {
            usage: Usage(usage),
            selector: Selector(selector),
            matching: Matching::FULL,
        }
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
        let World {
            root, middle, leaf, ..
        } = &world();
        let chain: &[&String] = &[leaf, middle, root];
        assert_eq!(selected(3, 1, &[chain]), Ok(vec![spki(leaf)]));
        assert_eq!(selected(1, 0, &[chain]), Ok(vec![der(leaf)]));
        assert_eq!(selected(2, 1, &[chain]), Ok(vec![spki(middle), spki(root)]));
        assert_eq!(selected(0, 0, &[chain]), Ok(vec![der(middle), der(root)]));
    }

    #[test]
    fn a_key_and_its_certificate_count_once() {
        let World {
            leaf,
            key,
            middle,
            other,
            ..
        } = &world();
        assert_eq!(
            selected(3, 1, &[&[key], &[leaf], &[other]]),
            Ok(vec![spki(leaf), spki(other)])
        );
        assert_eq!(selected(3, 0, &[&[key], &[leaf]]), Ok(vec![der(leaf)]));
        assert_eq!(
            selected(3, 1, &[&[leaf, middle, key]]),
            Ok(vec![spki(leaf)])
        );
        assert_eq!(
            selected(2, 0, &[&[key], &[leaf, middle]]),
            Ok(vec![der(middle)])
        );
        assert_eq!(selected(2, 0, &[&[leaf], &[middle]]), Ok(vec![der(middle)]));
    }

    #[test]
    fn no_key_of_several_in_a_file_is_passed_over() {
        let World {
            leaf,
            key,
            middle,
            other,
            other_key,
            ..
        } = &world();
        let both = Ok(vec![spki(leaf), spki(other)]);
        assert_eq!(selected(3, 1, &[&[leaf, other]]), both);
        assert_eq!(selected(3, 1, &[&[leaf, middle, other, middle]]), both);
        assert_eq!(
            selected(3, 1, &[&[key, leaf, middle, other_key, other, middle]]),
            both
        );
        assert_eq!(selected(3, 1, &[&[key, other_key]]), both);
        assert_eq!(
            selected(3, 1, &[&[leaf, key, other_key, other]]),
            Err(Problem::BeforeKeys)
        );
    }

    #[test]
    fn certificates_signed_by_their_own_keys_are_keys_of_their_own() {
        let [one, two] = [world().root, world().root];
        assert_eq!(
            selected(3, 1, &[&[&one, &two]]),
            Ok(vec![spki(&one), spki(&two)])
        );
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let World {
            root,
            middle,
            leaf,
            key,
            other_key,
            ..
        } = &world();
        let other_than = |line| {
            Err(Problem::OtherKey {
                block: "private key",
                line: Some(line),
            })
        };
        assert_eq!(selected(3, 1, &[&[leaf, other_key]]), other_than(1));
        assert_eq!(selected(2, 1, &[&[leaf, middle, other_key]]), other_than(1));
        let leaf_at = file(&[key, other_key, leaf]).items[2].line.unwrap();
        assert_eq!(
            selected(3, 1, &[&[key, other_key, leaf]]),
            other_than(leaf_at)
        );
        let line = |blocks: &[&String]| file(blocks).items[1].line;
        assert_eq!(
            selected(3, 1, &[&[middle, leaf]]),
            Err(Problem::LeafNotFirst {
                line: line(&[middle, leaf])
            })
        );
        assert_eq!(
            selected(3, 1, &[&[root, middle]]),
            Err(Problem::LeafNotFirst {
                line: line(&[root, middle])
            })
        );
    }

    #[test]
    fn what_the_parameters_need_must_be_there() {
        let World {
            middle,
            leaf,
            other,
            key,
            ..
        } = &world();
        assert_eq!(selected(3, 0, &[&[key]]), Err(Problem::NoCertificate));
        assert_eq!(selected(2, 1, &[&[key]]), Err(Problem::NoAuthority));
        assert_eq!(selected(2, 1, &[&[leaf]]), Err(Problem::NoAuthority));
        assert_eq!(
            selected(2, 1, &[&[leaf, middle], &[key]]),
            Ok(vec![spki(middle)])
        );
        assert_eq!(
            selected(2, 1, &[&[middle], &[other]]),
            Ok(vec![spki(middle)])
        );
        assert_eq!(
            selected(3, 7, &[&[leaf]]),
            Err(Problem::Selector { found: 7 })
        );
        assert_eq!(
            selected(2, 7, &[&[leaf, middle]]),
            Err(Problem::Selector { found: 7 })
        );
    }

    #[test]
    fn issuers_without_their_leaf_are_doubted() {
        let World {
            root,
            middle,
            leaf,
            key,
            ..
        } = &world();
        let doubts = |blocks: &[&String]| doubts(&[file(blocks)], numbers(3, 1)).len();
        assert_eq!(doubts(&[middle]), 1);
        // A server's own certificate that it signed itself often says so.
        assert_eq!(doubts(&[root]), 0);
        assert_eq!(doubts(&[leaf, middle, root, key]), 0);
        assert_eq!(doubts(&[leaf, root, middle]), 0);
        assert_eq!(doubts(&[leaf, root]), 1);
    }
}
