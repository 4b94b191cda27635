//! One owner at every server of its zone: what each address answers, and how
//! far that is proven. Caches mix servers, so a signature counts only when it
//! holds under the key set of every server whose keys are proven.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::dnssec::rdata::DNSKEY;
use hickory_proto::dnssec::{Algorithm, PublicKey};
use hickory_proto::rr::RecordType;

use crate::dns::trust::absence::Claim;
use crate::dns::trust::budget::Budget;
use crate::dns::trust::ds::INCOMPLETE;
use crate::dns::trust::negative::denied;
use crate::dns::trust::proof::Proof;
use crate::dns::trust::signatures::{algorithm_name, prove};
use crate::dns::walk::context::Walk;
use crate::dns::walk::facts::{Facts, KeySet, Server};
use crate::dns::walk::zone_trust::{missing, soa_in, soa_of};
use crate::dns::wire::convert::{tlsa, to_hickory};
use crate::dns::wire::exchange::Reply;
use crate::dns::wire::question::Question;
use crate::dns::wire::reading::{Answer, soa};
use crate::dns::wire::rrset::RrSet;
use crate::dns::wire::shared::together;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Outcome, Security, ServerAnswer, label};

impl Walk {
    /// Asks every address for records of one type; replies in the servers' order.
    pub(crate) async fn ask_all(
        self: &Arc<Self>,
        facts: &Facts,
        name: &Name,
        kind: RecordType,
    ) -> Vec<Reply> {
        let question = Question::authority(&to_hickory(name), kind);
        let asking = facts.servers.iter().map(|server| {
            let (walk, question, address) = (Arc::clone(self), question.clone(), server.address);
            async move {
                match address {
                    Some(address) => walk.asker.ask(address, &question).await,
                    None => Err(Outcome::Unreachable),
                }
            }
        });
        together(asking).await
    }

    /// What each address of the zone's servers holds at the owner, and where more
    /// than one machine is seen at one.
    pub(crate) async fn tlsa_at(
        self: &Arc<Self>,
        facts: &Arc<Facts>,
        owner: &Name,
    ) -> (Vec<ServerAnswer>, Vec<Finding>) {
        let first = self.tlsa_once(facts, owner).await;
        self.machines(facts, owner, first).await
    }

    /// What each address answers to one question.
    pub(crate) async fn tlsa_once(
        self: &Arc<Self>,
        facts: &Facts,
        owner: &Name,
    ) -> Vec<ServerAnswer> {
        let replies = self.ask_all(facts, owner, RecordType::TLSA).await;
        let budget = self.budget();
        let answers = facts
            .servers
            .iter()
            .zip(&replies)
            .map(|(server, reply)| answer(facts, server, owner, reply, &budget));
        answers.collect()
    }
}

pub(crate) fn answer(
    facts: &Facts,
    server: &Server,
    owner: &Name,
    reply: &Reply,
    budget: &Budget,
) -> ServerAnswer {
    let said = Answer::by_authority(reply, &facts.zone, owner, RecordType::TLSA);
    let own_soa = soa_of(server, &facts.zone);
    let proof = proven(
        facts,
        server,
        reply,
        (&said, owner, RecordType::TLSA),
        budget,
    );
    let about_soa = soa_in(reply, &facts.zone).or_else(|| own_soa.clone().ok());
    let mut answer = ServerAnswer {
        name: server.name.clone(),
        address: server.address,
        listed: server.listed,
        outcome: said.outcome(),
        security: proof.security,
        serial: own_soa
            .ok()
            .and_then(|set| soa(&set))
            .map(|(serial, _)| serial),
        ttl: None,
        original_ttl: None,
        negative_ttl: about_soa
            .as_ref()
            .and_then(soa)
            .map(|(_, negative)| negative),
        records: Vec::new(),
        alias: None,
        signature_expires: proof.expires,
        set_signature_expires: None,
        findings: labelled(proof.findings, &server.name, server.address),
    };
    match said {
        Answer::Records(set) => {
            answer.ttl = Some(
                proof
                    .original_ttl
                    .map_or(set.ttl(), |signed| signed.min(set.ttl())),
            );
            answer.original_ttl = proof.original_ttl;
            answer.set_signature_expires = proof.set_expires;
            answer.records = set.records.iter().filter_map(tlsa).collect();
            answer.records.sort();
        }
        Answer::Alias { set, target } => {
            answer.ttl = Some(
                proof
                    .original_ttl
                    .map_or(set.ttl(), |signed| signed.min(set.ttl())),
            );
            answer.original_ttl = proof.original_ttl;
            answer.set_signature_expires = proof.set_expires;
            answer.alias = Some(target);
        }
        Answer::Renamed { target } => answer.alias = target,
        Answer::NoData | Answer::NoName | Answer::Failed(_) => {}
    }
    if server.address.is_none() {
        let message = "no address of this name server could be found";
        answer
            .findings
            .push(Finding::new("unreachable", Severity::Note, message).at(server.name.to_string()));
    }
    answer
}

/// How far an answer is proven: by its own signatures, by those over the
/// SOA, and by the keys, all as this server gives them; an absence by the
/// denials that come with it, too.
pub(crate) fn proven(
    facts: &Facts,
    server: &Server,
    reply: &Reply,
    (said, name, kind): (&Answer, &Name, RecordType),
    budget: &Budget,
) -> Proof {
    if let Some(ceiling) = &facts.ceiling {
        return ceiling.clone();
    }
    let own_soa = soa_of(server, &facts.zone);
    let mut proof = match said {
        Answer::Records(set) | Answer::Alias { set, .. } => under_all_keys(facts, set, budget),
        Answer::Renamed { .. } => Proof::only(
            Security::Indeterminate,
            Finding::new(
                "alias-unsupported",
                Severity::Unknown,
                "the owner lies below a DNAME, which is not followed",
            ),
        ),
        Answer::NoData | Answer::NoName => {
            let mut proof = match soa_in(reply, &facts.zone).or_else(|| own_soa.clone().ok()) {
                Some(set) => under_all_keys(facts, &set, budget),
                None => missing("the zone's SOA", Outcome::Malformed),
            };
            proof.weakened_by(&absent(facts, reply, (said, name, kind), budget));
            proof
        }
        // The outcome says it already.
        Answer::Failed(_) => Proof::unknown(),
    };
    let mut others = server.keys.clone();
    others.weakened_by(&match own_soa {
        Ok(set) => under_all_keys(facts, &set, budget),
        Err(outcome) => missing("the zone's SOA", outcome),
    });
    if matches!(said, Answer::Failed(_)) {
        // Of a server that fails, only what is wrong beyond that is worth telling.
        others
            .findings
            .retain(|finding| finding.severity == Severity::Unsafe);
    }
    proof.weakened_by(&others);
    proof.expires_by(facts.expires);
    proof
}

/// What the denials in the answer prove.
fn absent(
    facts: &Facts,
    reply: &Reply,
    (said, name, kind): (&Answer, &Name, RecordType),
    budget: &Budget,
) -> Proof {
    let claim = if matches!(said, Answer::NoName) {
        Claim::NoName
    } else {
        Claim::NoData(kind)
    };
    let authorities = reply
        .as_ref()
        .map(|message| message.authorities.as_slice())
        .unwrap_or_default();
    denied(authorities, &facts.zone, name, claim, |set| {
        under_all_keys(facts, set, budget)
    })
}

/// What the set's signatures prove under each of the key sets.
pub(crate) fn under_all_keys(facts: &Facts, set: &RrSet, budget: &Budget) -> Proof {
    facts.proofs.proof(set, || try_all_keys(facts, set, budget))
}

fn try_all_keys(facts: &Facts, set: &RrSet, budget: &Budget) -> Proof {
    let under = |keys: &KeySet| {
        let mut proof = prove(set, &facts.zone, &keys.keys, budget);
        proof
            .findings
            .extend(unsigned_with(facts, set, &keys.keys, &proof));
        proof
    };
    let mut proofs = facts.key_sets.iter().map(|keys| (under(keys), &keys.from));
    let Some((mut proof, first)) = proofs.next() else {
        return Proof::unknown();
    };
    let apart = |mut proof: Proof, from: &str| {
        for finding in &mut proof.findings {
            finding.message = format!("under the keys that {from} gives, {}", finding.message);
        }
        proof
    };
    let others: Vec<(Proof, &String)> = proofs.collect();
    if others
        .iter()
        .any(|(other, _)| other.security != proof.security)
    {
        proof = apart(proof, first);
        for (other, from) in others {
            proof.weakened_by(&apart(other, from));
        }
    }
    proof
}

/// Whatever is signed is to be signed with every algorithm that the parent names
/// (RFC 4035 section 2.2), and some validators insist on it.
fn unsigned_with(facts: &Facts, set: &RrSet, keys: &[DNSKEY], proof: &Proof) -> Vec<Finding> {
    let by = |key: &DNSKEY, algorithm: Algorithm| key.public_key().algorithm() == algorithm;
    let signed = |algorithm| {
        proof
            .signers
            .iter()
            .filter_map(|index| keys.get(*index))
            .any(|key| by(key, algorithm))
    };
    // That there is no key of it is told of the keys.
    let known = |algorithm| keys.iter().any(|key| by(key, algorithm));
    let secure = proof.security == Security::Secure;
    let lacking = facts
        .algorithms
        .iter()
        .filter(|algorithm| secure && known(**algorithm) && !signed(**algorithm));
    let finding = |algorithm: &Algorithm| {
        let algorithm = algorithm_name(*algorithm);
        let message = format!(
            "the parent names {algorithm}, and {} is not signed with it",
            set.title()
        );
        Finding::new(INCOMPLETE, Severity::Unknown, message)
    };
    lacking.map(finding).collect()
}

/// The findings, about this server where they are about none yet.
pub(crate) fn labelled(
    findings: Vec<Finding>,
    name: &Name,
    address: Option<SocketAddr>,
) -> Vec<Finding> {
    let at = label(name, address);
    findings
        .into_iter()
        .map(|finding| {
            if finding.server.is_some() {
                finding
            } else {
                finding.at(at.clone())
            }
        })
        .collect()
}
