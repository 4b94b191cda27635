//! Where trust enters a zone: its DNSKEY set, by anchors or by the DS records
//! at its parent. Validators differ in which DS records they look at: some take
//! any, some only those of the strongest digest type that they know (RFC 4509
//! section 3), some demand every algorithm (RFC 4035 section 2.2). What is
//! called secure here satisfies them all.

use std::collections::BTreeSet;

use hickory_proto::dnssec::rdata::{DNSKEY, DS};
use hickory_proto::dnssec::{Algorithm, DigestType, PublicKey};

use crate::dns::limits;
use crate::dns::trust::anchors::Trust;
use crate::dns::trust::budget::{Budget, limit};
use crate::dns::trust::proof::Proof;
use crate::dns::trust::signatures::{algorithm_name, can_verify, prove_keys};
use crate::dns::wire::rrset::RrSet;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::Security;

/// The code of the finding about an algorithm that only the parent has.
pub(crate) const INCOMPLETE: &str = "algorithm-incomplete";

/// A way to prove a zone's DNSKEY set.
pub(crate) type ProveKeys = fn(&RrSet, &Name, &[Trust], &Budget) -> Proof;

/// By anchors, any of which is enough.
pub(crate) fn by_anchors(set: &RrSet, zone: &Name, trusted: &[Trust], budget: &Budget) -> Proof {
    prove_keys(
        set,
        zone,
        |key| trusted.iter().any(|trust| trust.names(zone, key)),
        budget,
    )
}

/// By digests at the parent: each digest type must lead to a key, no digest may
/// contradict one, and each algorithm must have signed.
pub(crate) fn by_digests(set: &RrSet, zone: &Name, trusted: &[Trust], budget: &Budget) -> Proof {
    let mut proof = by_anchors(set, zone, trusted, budget);
    let keys = set.keys();
    if keys.len() > limits::KEYS {
        return proof;
    }
    let digests: Vec<&DS> = trusted.iter().filter_map(digest).collect();
    let mut types: Vec<u8> = digests
        .iter()
        .map(|ds| u8::from(ds.digest_type()))
        .collect();
    types.sort_unstable();
    types.dedup();
    if types.len() > 1 {
        for kind in types {
            let of_type =
                |trust: &&Trust| digest(trust).is_some_and(|ds| u8::from(ds.digest_type()) == kind);
            let only: Vec<Trust> = trusted.iter().filter(of_type).cloned().collect();
            proof.weakened_by(&by_anchors(set, zone, &only, budget));
        }
    }
    for ds in &digests {
        let meant = |key: &&DNSKEY| {
            key.public_key().algorithm() == ds.algorithm()
                && key.calculate_key_tag().ok() == Some(ds.key_tag())
        };
        let mut meant = keys.iter().filter(meant).peekable();
        if meant.peek().is_some() && !meant.any(|key| Trust::Digest((*ds).clone()).names(zone, key))
        {
            let kind = u8::from(ds.digest_type());
            let message = format!(
                "the DS for key {} of {zone} with digest type {kind} is not of that key",
                ds.key_tag()
            );
            proof.weakened_by(&Proof::bogus(message));
        }
    }
    if proof.security != Security::Secure {
        return proof;
    }
    let signed: Vec<Algorithm> = proof
        .signers
        .iter()
        .filter_map(|index| keys.get(*index))
        .map(|key| key.public_key().algorithm())
        .collect();
    let mut missing: Vec<Algorithm> = digests
        .iter()
        .map(|ds| ds.algorithm())
        .filter(|algorithm| !signed.contains(algorithm))
        .collect();
    missing.sort_by_key(|algorithm| u8::from(*algorithm));
    missing.dedup();
    for algorithm in missing {
        let message = format!(
            "the parent of {zone} names {}, and no key of it signs the zone's keys",
            algorithm_name(algorithm)
        );
        proof
            .findings
            .push(Finding::new(INCOMPLETE, Severity::Unknown, message));
    }
    proof
}

fn digest(trust: &Trust) -> Option<&DS> {
    match trust {
        Trust::Digest(ds) => Some(ds),
        Trust::Key(_) => None,
    }
}

/// The algorithms that have ever had a number and could sign a zone.
const ASSIGNED: [u8; 13] = [3, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 23];

/// Digests as things that stand for a key.
pub(crate) fn trust(digests: Vec<DS>) -> Vec<Trust> {
    digests.into_iter().map(Trust::Digest).collect()
}

/// Those that we know how to use. Not SHA-1, which RFC 4509 section 3 sets
/// aside and RFC 9905 forbids.
///
/// # Errors
///
/// When there is none among them.
pub(crate) fn usable(zone: &Name, trusted: &[Trust]) -> Result<Vec<Trust>, Proof> {
    let known = |trust: &&Trust| can_verify(trust.algorithm()) && can_compare(trust);
    let usable: Vec<Trust> = trusted.iter().filter(known).cloned().collect();
    if usable.len() > limits::DIGESTS {
        return Err(limit(format!(
            "the parent of {zone} names {} keys of it",
            usable.len()
        )));
    }
    if !usable.is_empty() {
        return Ok(usable);
    }
    let mut names: Vec<String> = trusted
        .iter()
        .map(|trust| match trust {
            Trust::Digest(ds) => {
                format!(
                    "{} with digest type {}",
                    algorithm_name(ds.algorithm()),
                    u8::from(ds.digest_type())
                )
            }
            Trust::Key(_) => algorithm_name(trust.algorithm()),
        })
        .collect();
    names.sort();
    names.dedup();
    let message = format!(
        "{zone} is signed in ways that cannot be verified here: {}",
        names.join(", ")
    );
    Err(Proof::only(
        Security::Indeterminate,
        Finding::new("algorithm-unsupported", Severity::Unknown, message),
    ))
}

fn can_compare(trust: &Trust) -> bool {
    match trust {
        Trust::Digest(ds) => matches!(ds.digest_type(), DigestType::SHA256 | DigestType::SHA384),
        Trust::Key(_) => true,
    }
}

/// Tells of algorithms that the parent names and that cannot be verified here:
/// a validator that can may insist on them (RFC 4035 section 2.2). What only a
/// digest with SHA-1 names beside better ones is nothing that one looks at, and
/// nobody knows an algorithm whose number has not been assigned.
pub(crate) fn unchecked(zone: &Name, digests: &[Trust]) -> Option<Finding> {
    let elsewhere =
        |algorithm: &Algorithm| !can_verify(*algorithm) && ASSIGNED.contains(&u8::from(*algorithm));
    let algorithms = digests
        .iter()
        .filter(|ds| can_compare(ds))
        .map(Trust::algorithm)
        .filter(elsewhere);
    let names: BTreeSet<String> = algorithms.map(algorithm_name).collect();
    let names: Vec<String> = names.into_iter().collect();
    let message = format!(
        "the parent of {zone} names {}, and nobody here can tell whether it signs the zone",
        names.join(", ")
    );
    (!names.is_empty()).then(|| Finding::new(INCOMPLETE, Severity::Unknown, message))
}
