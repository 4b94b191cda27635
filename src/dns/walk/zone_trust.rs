//! How far a zone and each of its servers can be trusted, from what they and
//! the parent's servers have said. No asking here.

use std::net::SocketAddr;

use hickory_proto::dnssec::Algorithm;
use hickory_proto::dnssec::rdata::{DNSKEY, DS};
use hickory_proto::rr::RecordType;

use crate::dns::find::server_list::{Asked, ServerList};
use crate::dns::limits;
use crate::dns::trust::anchors::Trust;
use crate::dns::trust::budget::{Budget, limit};
use crate::dns::trust::chain::{Chain, Delegation, delegation, insecure, no_anchor, silence};
use crate::dns::trust::ds::{ProveKeys, by_anchors, by_digests, trust, unchecked, usable};
use crate::dns::trust::proof::Proof;
use crate::dns::trust::proof_cache::ProofCache;
use crate::dns::trust::signatures::{outdated, prove_keys};
use crate::dns::walk::context::Walk;
use crate::dns::walk::facts::{Facts, KeySet, Server};
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::Reply;
use crate::dns::wire::reading::Answer;
use crate::dns::wire::rrset::RrSet;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Listed, Outcome, Security, code_name, label};

/// Sets of digests or anchors; the keys must satisfy each of them.
type Trusted = Vec<Vec<Trust>>;

impl Walk {
    /// Puts together what is known of the zone.
    pub(crate) fn judge_zone(
        &self,
        zone: &Name,
        parent: Option<&Name>,
        anchors: &[Trust],
        chain: &Chain,
        heard: ServerList,
    ) -> Facts {
        let budget = self.budget();
        let (mut standing, trusted) = match (anchors.is_empty(), parent) {
            (false, _) => match usable(zone, anchors) {
                Ok(trusted) => (Proof::secure(), vec![trusted]),
                Err(proof) => (proof, Vec::new()),
            },
            (true, None) => (no_anchor(zone), Vec::new()),
            (true, Some(parent)) => self.delegated(zone, parent, chain, &heard, &budget),
        };
        let findings = heard.findings(zone, parent);
        let prove = if anchors.is_empty() {
            by_digests
        } else {
            by_anchors
        };
        let mut key_sets: Vec<KeySet> = Vec::new();
        let mut servers = Vec::new();
        let ceiling = (standing.security != Security::Secure).then(|| standing.clone());
        for (name, address, listed) in heard.servers() {
            let asked = address.and_then(|address| heard.asked.get(&address));
            let keys = match asked {
                Some(asked) if ceiling.is_none() => self.server_keys(
                    zone,
                    (&trusted, prove, &budget),
                    asked,
                    &label(&name, address),
                    &mut key_sets,
                ),
                _ => Proof::secure(),
            };
            servers.push(server(name, address, listed, asked, keys));
        }
        if ceiling.is_none() && key_sets.is_empty() {
            let worst = servers
                .iter()
                .map(|server| server.keys.security)
                .max()
                .unwrap_or(Security::Indeterminate);
            standing.weakened_by(&match worst {
                Security::Bogus => {
                    Proof::bogus(format!("no server of {zone} gives keys that are proven"))
                }
                _ => silence(&format!("no server of {zone} gives its keys")),
            });
        }
        if ceiling.is_none() {
            standing
                .findings
                .extend(outdated(zone, algorithms(&trusted)));
        }
        let chain = chain.with(zone, &standing, Vec::new()).links;
        let algorithms = if anchors.is_empty() {
            algorithms(&trusted)
        } else {
            Vec::new()
        };
        let (zone, expires) = (zone.clone(), standing.expires);
        Facts {
            zone,
            chain,
            ceiling,
            expires,
            algorithms,
            key_sets,
            servers,
            findings,
            proofs: ProofCache::within(&self.asker.room),
        }
    }

    /// What the parent's servers prove about the zone, all of them together.
    fn delegated(
        &self,
        zone: &Name,
        parent: &Name,
        chain: &Chain,
        heard: &ServerList,
        budget: &Budget,
    ) -> (Proof, Trusted) {
        if let Some(ceiling) = chain.ceiling() {
            return (ceiling, Vec::new());
        }
        let mut standing = Proof::secure();
        let mut sets: Vec<(String, Vec<DS>)> = Vec::new();
        let (mut unsigned, mut silent) = (Vec::new(), Vec::new());
        let mut unproven: Vec<(String, Proof)> = Vec::new();
        for (from, reply) in &heard.digests {
            match delegation(reply, parent, zone, &chain.keys, budget) {
                Delegation::Signed { digests, proof } => {
                    standing.weakened_by(&proof);
                    if !sets.iter().any(|(_, known)| *known == digests) {
                        sets.push((from.clone(), digests));
                    }
                }
                Delegation::Unsigned => unsigned.push(from.clone()),
                Delegation::Unproven(proof) => unproven.push((from.clone(), proof)),
                Delegation::Silent => silent.push(from.clone()),
            }
        }
        let worst = unproven
            .iter()
            .max_by_key(|(_, proof)| proof.security)
            .map(|(_, proof)| proof.clone());
        if sets.is_empty() {
            let standing = match worst {
                Some(proof) if proof.security == Security::Bogus || unsigned.is_empty() => proof,
                _ if !unsigned.is_empty() => insecure(zone),
                _ => silence(&format!("no server of {parent} says who signs {zone}")),
            };
            return (standing, Vec::new());
        }
        // One server proves it; that another says something else is not fine, and not proof of the contrary.
        for from in unsigned {
            let message = format!("this server of {parent} has no DS for {zone}, another has");
            standing.weakened_by(&differs(message, from));
        }
        for (from, proof) in unproven {
            for finding in proof.findings {
                standing.weakened_by(&differs(finding.message, from.clone()));
            }
        }
        // Another server's word is proof enough; what this one hands out is not known.
        for from in silent {
            let message = format!(
                "this server of {parent} does not say who signs and serves {zone}; another does"
            );
            standing
                .findings
                .push(Finding::new("parent-silent", Severity::Note, message).at(from));
        }
        standing
            .findings
            .extend(parent_keys(parent, chain, heard, budget));
        if let Some(((first, _), others)) = sets.split_first() {
            for (from, _) in others.iter().take(limits::KEY_SETS) {
                let message =
                    format!("this server of {parent} gives another DS set for {zone} than {first}");
                standing
                    .findings
                    .push(Finding::new("ds-differs", Severity::Note, message).at(from.clone()));
            }
        }
        if sets.len() > limits::KEY_SETS {
            standing.weakened_by(&limit(format!(
                "the servers of {parent} give {} different DS sets",
                sets.len()
            )));
            sets.truncate(limits::KEY_SETS);
        }
        let mut trusted = Vec::new();
        for set in sets.into_iter().map(|(_, digests)| trust(digests)) {
            match usable(zone, &set) {
                Ok(usable) => {
                    trusted.push(usable);
                    let unchecked =
                        unchecked(zone, &set).filter(|news| !standing.findings.contains(news));
                    standing.findings.extend(unchecked);
                }
                Err(proof) => standing.weakened_by(&proof),
            }
        }
        (standing, trusted)
    }

    /// How far one server's keys are proven; a proven set is added to the others.
    fn server_keys(
        &self,
        zone: &Name,
        (trusted, prove, budget): (&Trusted, ProveKeys, &Budget),
        asked: &Asked,
        from: &str,
        key_sets: &mut Vec<KeySet>,
    ) -> Proof {
        let set = match Answer::by_authority(&asked.keys, zone, zone, RecordType::DNSKEY) {
            Answer::Records(set) => set,
            Answer::NoData | Answer::NoName => {
                return Proof::bogus(format!(
                    "{zone} has no keys there, and its parent says that it is signed"
                ));
            }
            Answer::Alias { .. } | Answer::Renamed { .. } => {
                return missing("the zone's keys", Outcome::Malformed);
            }
            Answer::Failed(outcome) => return missing("the zone's keys", outcome),
        };
        let mut proof: Option<Proof> = None;
        for trusted in trusted {
            let next = prove(&set, zone, trusted, budget);
            match &mut proof {
                Some(proof) => proof.weakened_by(&next),
                None => proof = Some(next),
            }
        }
        let proof =
            proof.unwrap_or_else(|| silence("there is nothing to prove the zone's keys by"));
        if proof.security != Security::Secure {
            return proof;
        }
        let keys = sorted(set.keys());
        if key_sets.iter().any(|known| known.keys == keys) {
            return proof;
        }
        if key_sets.len() == limits::KEY_SETS {
            let most = limits::KEY_SETS;
            return limit(format!(
                "the servers of {zone} give more than {most} different key sets"
            ));
        }
        key_sets.push(KeySet {
            from: from.to_owned(),
            keys,
        });
        proof
    }
}

/// Servers of the parent whose own keys are wrong: a cache that asks there
/// finds the zone bogus, even when another server proves it.
fn parent_keys(parent: &Name, chain: &Chain, heard: &ServerList, budget: &Budget) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (from, reply) in &heard.parent_keys {
        let proof = match Answer::by_authority(reply, parent, parent, RecordType::DNSKEY) {
            Answer::Records(set) => {
                prove_keys(&set, parent, |key| chain.keys.contains(key), budget)
            }
            Answer::NoData | Answer::NoName => Proof::bogus(format!("{parent} has no keys there")),
            Answer::Alias { .. } | Answer::Renamed { .. } | Answer::Failed(_) => continue,
        };
        if proof.security == Security::Bogus {
            let why: Vec<String> = proof
                .findings
                .into_iter()
                .map(|finding| finding.message)
                .collect();
            let message = format!(
                "this server of {parent} gives keys that are not proven: {}",
                why.join("; ")
            );
            findings.push(
                Finding::new("parent-keys-bogus", Severity::Unknown, message).at(from.clone()),
            );
        }
    }
    findings
}

/// The algorithms that the parent names.
fn algorithms(trusted: &Trusted) -> Vec<Algorithm> {
    let mut all: Vec<Algorithm> = trusted.iter().flatten().map(Trust::algorithm).collect();
    all.sort_by_key(|algorithm| u8::from(*algorithm));
    all.dedup();
    all
}

fn server(
    name: Name,
    address: Option<SocketAddr>,
    listed: Listed,
    asked: Option<&Asked>,
    keys: Proof,
) -> Server {
    let soa: Reply = asked.map_or(Err(Outcome::Unreachable), |asked| asked.soa.clone());
    Server {
        name,
        address,
        listed,
        soa,
        keys,
    }
}

fn differs(message: String, from: String) -> Proof {
    let finding = Finding::new("ds-differs", Severity::Unknown, message).at(from);
    Proof::only(Security::Indeterminate, finding)
}

/// A server did not give what is needed to trust what it did give.
pub(crate) fn missing(what: &str, outcome: Outcome) -> Proof {
    let code = match outcome {
        Outcome::OtherCode(_) | Outcome::Answered | Outcome::NoData | Outcome::NoName => {
            "malformed"
        }
        other => other.word(),
    };
    let how = match outcome {
        Outcome::OtherCode(code) => code_name(code),
        other => other.word().to_owned(),
    };
    let message = format!("asked for {what}, it gave no answer that can be used: {how}");
    Proof::only(
        Security::Indeterminate,
        Finding::new(code, Severity::Unknown, message),
    )
}

fn sorted(mut keys: Vec<DNSKEY>) -> Vec<DNSKEY> {
    keys.sort_by_key(ToString::to_string);
    keys
}

/// The SOA set in a server's own answer about the zone.
pub(crate) fn soa_of(server: &Server, zone: &Name) -> Result<RrSet, Outcome> {
    match Answer::by_authority(&server.soa, zone, zone, RecordType::SOA) {
        Answer::Records(set) => Ok(set),
        Answer::Failed(outcome) => Err(outcome),
        Answer::NoData | Answer::NoName | Answer::Alias { .. } | Answer::Renamed { .. } => {
            Err(Outcome::Malformed)
        }
    }
}

/// The SOA set in the authority section of a negative answer.
pub(crate) fn soa_in(reply: &Reply, zone: &Name) -> Option<RrSet> {
    RrSet::find(
        &reply.as_ref().ok()?.authorities,
        &to_hickory(zone),
        RecordType::SOA,
    )
}
