//! What signatures prove (RFC 4035 section 5.3), without asking anybody. A set
//! is secure when it has a signature that holds and none that does not: some
//! validators give up at the first that fails. One that nobody tries beside one
//! that holds is a note: by a key that the zone does not publish, not valid yet,
//! or of an algorithm that cannot be computed here. (Whether the parent names
//! that algorithm, which matters, is looked at in `chain`.) Alone such a one
//! proves nothing, and of the last kind the answer is "cannot tell".

use chrono::{DateTime, TimeDelta, Utc};
use hickory_proto::dnssec::rdata::{DNSKEY, RRSIG};
use hickory_proto::dnssec::{Algorithm, PublicKey, Verifier};
use hickory_proto::rr::{DNSClass, Name as WireName, Record, RecordType};

use crate::dns::limits;
use crate::dns::trust::budget::{Budget, limit};
use crate::dns::trust::denial::denied;
use crate::dns::trust::proof::Proof;
use crate::dns::trust::signatures::notes::{beside, clock_question, life_left, raised};
use crate::dns::wire::convert::{from_hickory, to_hickory};
use crate::dns::wire::rrset::RrSet;
use crate::duration;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::Security;

/// What the signatures over the set prove, by keys that are themselves proven.
pub(crate) fn prove(set: &RrSet, zone: &Name, keys: &[DNSKEY], budget: &Budget) -> Proof {
    let now = budget.now;
    let mut proof = Proof::secure();
    if set.signatures.is_empty() {
        return Proof::bogus(format!("{} carries no signature", set.title()));
    }
    if set.signatures.len() > limits::SIGNATURES || keys.len() > limits::KEYS {
        let (signatures, keys) = (set.signatures.len(), keys.len());
        return limit(format!(
            "{} has {signatures} signatures and {keys} keys to try",
            set.title()
        ));
    }
    let zone_name = to_hickory(zone);
    let (mut considered, mut held) = (0, 0);
    let mut unused = Vec::new();
    for signature in &set.signatures {
        if by_a_revoked_key(set, signature, keys) {
            continue;
        }
        considered += 1;
        match check(set, signature, &zone_name, keys, budget) {
            Ok((signer, denial)) => {
                held += 1;
                denial.iter().for_each(|denial| proof.weakened_by(denial));
                // With an algorithm that the denial lacks, the wildcard proves nothing.
                let algorithm =
                    |index: &usize| keys.get(*index).map(|key| key.public_key().algorithm());
                let whole = denial.is_none_or(|denial| {
                    denial
                        .signers
                        .iter()
                        .any(|by| algorithm(by) == algorithm(&signer))
                });
                let expires = now + TimeDelta::seconds(i64::from(until(signature, now)));
                let original = signature.input().original_ttl;
                proof.expires_by(Some(expires));
                proof.set_expires = proof.set_expires.max(Some(expires));
                proof.original_ttl = proof.original_ttl.max(Some(original));
                proof.signers.extend(whole.then_some(signer));
                proof
                    .findings
                    .extend(life_left(set, expires - now, original));
            }
            Err(Failure::Fails(why)) => proof.weakened_by(&why),
            Err(Failure::Unused(why)) => unused.push(why),
        }
    }
    for why in unused {
        if held == 0 {
            proof.weakened_by(&why);
        } else {
            proof.findings.extend(why.findings.into_iter().map(beside));
        }
    }
    proof.findings.extend(
        proof
            .original_ttl
            .and_then(|original| raised(set, original)),
    );
    if considered == 0 {
        return Proof::bogus(format!(
            "{} carries signatures by revoked keys only",
            set.title()
        ));
    }
    proof
}

/// What the signatures over a DNSKEY set prove when one of the keys must be
/// among those that `trusted` accepts: by DS at the parent, or as an anchor.
pub(crate) fn prove_keys(
    set: &RrSet,
    zone: &Name,
    trusted: impl Fn(&DNSKEY) -> bool,
    budget: &Budget,
) -> Proof {
    let keys = set.keys();
    let entry: Vec<bool> = keys
        .iter()
        .take(limits::KEYS)
        .map(|key| may_sign(key) && trusted(key))
        .collect();
    if !entry.contains(&true) && keys.len() <= limits::KEYS {
        return Proof::bogus(if zone.is_root() {
            "none of the keys of the root is among the trust anchors: a root of your own is trusted with \
             --trust-anchor FILE"
                .to_owned()
        } else {
            format!("none of the keys of {zone} is one that its parent or the trust anchor names")
        });
    }
    let mut proof = prove(set, zone, &keys, budget);
    let entered = proof
        .signers
        .iter()
        .any(|index| entry.get(*index) == Some(&true));
    if proof.security == Security::Secure && !entered {
        proof.weakened_by(&Proof::bogus(format!(
            "{} is not signed by a key that its parent or the trust anchor names",
            set.title()
        )));
    }
    proof
}

/// The algorithms that can be verified here.
pub(crate) fn can_verify(algorithm: Algorithm) -> bool {
    rests_on_sha1(algorithm)
        || matches!(
            algorithm,
            Algorithm::RSASHA256
                | Algorithm::RSASHA512
                | Algorithm::ECDSAP256SHA256
                | Algorithm::ECDSAP384SHA384
                | Algorithm::ED25519
        )
}

/// The note about a zone that is signed with SHA-1 only. To validators that have
/// given it up the zone is unsigned (RFC 9905 section 2): they look for no TLSA
/// record, so mail comes all the same, without DANE.
pub(crate) fn outdated(
    zone: &Name,
    algorithms: impl IntoIterator<Item = Algorithm>,
) -> Option<Finding> {
    let algorithms: Vec<Algorithm> = algorithms.into_iter().collect();
    let named = algorithm_name(*algorithms.first()?);
    let message = format!(
        "{zone} is signed with {named}, which some validators have given up: to them it is unsigned"
    );
    let all = algorithms.into_iter().all(rests_on_sha1);
    all.then(|| Finding::new("algorithm-outdated", Severity::Note, message))
}

/// RSASHA1 and RSASHA1-NSEC3-SHA1.
fn rests_on_sha1(algorithm: Algorithm) -> bool {
    matches!(u8::from(algorithm), 5 | 7)
}

/// How an algorithm is called in findings.
pub(crate) fn algorithm_name(algorithm: Algorithm) -> String {
    match algorithm {
        Algorithm::Unknown(number) => format!("algorithm {number}"),
        known => format!("algorithm {} ({known})", u8::from(known)),
    }
}

fn may_sign(key: &DNSKEY) -> bool {
    key.zone_key() && !key.revoke()
}

/// A revoked key signs the key set to prove its own revocation, and nothing
/// else (RFC 5011 section 2.1); no validator counts that signature.
fn by_a_revoked_key(set: &RrSet, signature: &RRSIG, keys: &[DNSKEY]) -> bool {
    let tag = signature.input().key_tag;
    set.kind == RecordType::DNSKEY
        && keys
            .iter()
            .any(|key| key.revoke() && key.calculate_key_tag().ok() == Some(tag))
}

/// Why a signature proves nothing.
enum Failure {
    /// It does not hold, or that cannot be told, and a validator may stumble over it.
    Fails(Proof),
    /// Nobody tries it; without another that is as bad.
    Unused(Proof),
}

impl From<Proof> for Failure {
    fn from(why: Proof) -> Self {
        Self::Fails(why)
    }
}

/// The index of the key that made the signature, with the proof of what a
/// wildcard's rests on besides; or what is wrong with it.
fn check(
    set: &RrSet,
    signature: &RRSIG,
    zone: &WireName,
    keys: &[DNSKEY],
    budget: &Budget,
) -> Result<(usize, Option<Proof>), Failure> {
    let now = budget.now;
    let input = signature.input();
    let title = || format!("a signature by key {} over {}", input.key_tag, set.title());
    let bogus = |why: &str| Proof::bogus(format!("{} {why}", title()));
    if input.signer_name != *zone {
        return Err(bogus(&format!(
            "names {} as its signer",
            from_hickory(&input.signer_name)
        ))
        .into());
    }
    if input.num_labels > set.owner.num_labels() {
        return Err(bogus("states more labels than the owner has").into());
    }
    let named = |key: &DNSKEY| {
        key.public_key().algorithm() == input.algorithm
            && key.calculate_key_tag().ok() == Some(input.key_tag)
    };
    if can_verify(input.algorithm) && !keys.iter().any(named) {
        return Err(Failure::Unused(bogus(
            "is by a key that the zone does not publish",
        )));
    }
    if since(signature, now) < 0 {
        let wait = TimeDelta::seconds(-i64::from(since(signature, now)));
        let (wait, asked) = (duration::text(wait), clock_question(wait));
        return Err(Failure::Unused(bogus(&format!(
            "is not valid yet, but in {wait}{asked}"
        ))));
    }
    if until(signature, now) < 0 {
        let ago = TimeDelta::seconds(-i64::from(until(signature, now)));
        let when = (now - ago).format("%Y-%m-%d at %H:%M:%S UTC");
        let message = format!(
            "{} expired on {when}, {} ago{}",
            title(),
            duration::text(ago),
            clock_question(ago)
        );
        let finding = Finding::new("signature-expired", Severity::Unsafe, message);
        return Err(Proof::only(Security::Bogus, finding).into());
    }
    if !can_verify(input.algorithm) {
        let message = format!(
            "{} cannot be verified here: {}",
            title(),
            algorithm_name(input.algorithm)
        );
        let finding = Finding::new("algorithm-unsupported", Severity::Unknown, message);
        return Err(Failure::Unused(Proof::only(
            Security::Indeterminate,
            finding,
        )));
    }
    let made_it = |index: &usize| {
        keys.get(*index)
            .is_some_and(|key| may_sign(key) && named(key))
    };
    let candidates: Vec<usize> = (0..keys.len()).filter(made_it).collect();
    if candidates.is_empty() {
        return Err(bogus("is by a key that may not sign").into());
    }
    // The TTL takes part in the order of records, and is not part of what was signed.
    let records: Vec<Record> = set
        .records
        .iter()
        .map(|record| {
            Record::from_rdata(set.owner.clone(), input.original_ttl, record.data.clone())
        })
        .collect();
    let colliding = candidates.len() > 1;
    let mut signer = None;
    for index in candidates.into_iter().take(limits::COLLIDING) {
        budget.take()?;
        let verifies = |key: &DNSKEY| {
            key.verify_rrsig(&set.owner, DNSClass::IN, signature, records.iter())
                .is_ok()
        };
        if keys.get(index).is_some_and(verifies) {
            signer = Some(index);
            break;
        }
    }
    let Some(signer) = signer else {
        return Err(bogus("does not verify").into());
    };
    if colliding {
        // Some validators forgive no failed trial since "KeyTrap" (CVE-2023-50387),
        // and in which order they try keys is chance.
        let message = format!(
            "{} can be by more than one key: some validators take the wrong one",
            title()
        );
        let finding = Finding::new("key-tag-collision", Severity::Unknown, message);
        return Err(Proof::only(Security::Indeterminate, finding).into());
    }
    if input.num_labels < set.owner.num_labels() {
        let next_closer = set.owner.trim_to(usize::from(input.num_labels) + 1);
        let denial = denied(&set.denials, zone, &next_closer, |denial| {
            prove(denial, &from_hickory(zone), keys, budget)
        });
        let message = || {
            format!(
                "{} is an expanded wildcard, and that no closer name exists is not proven",
                set.title()
            )
        };
        let unproven = || {
            let finding = Finding::new("denial-unproven", Severity::Unknown, message());
            Proof::only(Security::Indeterminate, finding)
        };
        return Ok((signer, Some(denial.ok_or_else(unproven)?)));
    }
    Ok((signer, None))
}

/// Seconds since the inception, in serial arithmetic (RFC 4034 section 3.1.5).
fn since(signature: &RRSIG, now: DateTime<Utc>) -> i32 {
    moment(now)
        .wrapping_sub(signature.input().sig_inception.get())
        .cast_signed()
}

/// Seconds until the expiration, in serial arithmetic.
fn until(signature: &RRSIG, now: DateTime<Utc>) -> i32 {
    signature
        .input()
        .sig_expiration
        .get()
        .wrapping_sub(moment(now))
        .cast_signed()
}

fn moment(now: DateTime<Utc>) -> u32 {
    u32::try_from(now.timestamp().rem_euclid(1 << 32)).expect("a remainder of 2^32 fits 32 bits")
}

mod notes;
#[cfg(test)]
mod tests;
