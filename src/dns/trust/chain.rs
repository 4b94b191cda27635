//! From the trust anchor down: each zone's keys, proven by the digests at its
//! parent, which the parent's keys sign (RFC 4035 section 5.2). For zones on
//! the way the first server that proves it is enough; the zone that holds the
//! answer is looked at more closely in `zone`.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_proto::dnssec::{Algorithm, DigestType};
use hickory_proto::rr::{RData, RecordType};
use tokio::task::JoinSet;

use crate::dns::trust::anchors::Trust;
use crate::dns::trust::budget::{Trials, limit};
use crate::dns::trust::ds::{INCOMPLETE, ProveKeys, by_anchors, by_digests};
use crate::dns::trust::signatures::{Proof, RrSet, algorithm_name, can_verify, outdated, prove};
use crate::dns::walk::Walk;
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::{Asker, Question, Reply};
use crate::dns::wire::reading::Said;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Link, Security};

/// Digests and anchors of one zone that are looked at.
const DIGESTS: usize = 32;
/// The algorithms that have ever had a number and could sign a zone.
const ASSIGNED: [u8; 13] = [3, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 23];
/// Servers asked at once for what one of them suffices.
const AT_ONCE: usize = 8;

/// A zone's keys with the zones above it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    /// From the anchor down to the zone.
    pub(crate) links: Vec<Link>,
    /// The zone's keys; none unless it is secure.
    pub(crate) keys: Vec<DNSKEY>,
}

impl Chain {
    /// What the zone below cannot be more than; `None` when nothing is missing.
    pub(crate) fn ceiling(&self) -> Option<Proof> {
        let Some(link) = self.links.last() else { return Some(silence("no zone above is known")) };
        let code = match link.security {
            Security::Secure => return None,
            Security::Indeterminate => "chain-incomplete",
            Security::Insecure => "insecure",
            Security::Bogus => "bogus",
        };
        // The reason weighs where it was found; here it is only repeated.
        let message = format!("the zone {} above is {}", link.zone, link.security.word());
        Some(Proof::only(link.security, Finding::new(code, Severity::Note, message)))
    }

    /// This chain and one more zone.
    pub(crate) fn with(&self, zone: &Name, proof: &Proof, keys: Vec<DNSKEY>) -> Self {
        let mut links = self.links.clone();
        links.push(Link { zone: zone.clone(), security: proof.security, findings: proof.findings.clone() });
        Self { links, keys: if proof.security == Security::Secure { keys } else { Vec::new() } }
    }
}

impl Walk {
    /// The chain down to `zones[index]`, which is not the zone that answers.
    pub(crate) fn chain(
        self: &Arc<Self>,
        zones: Arc<[Name]>,
        index: usize,
    ) -> Pin<Box<dyn Future<Output = Arc<Chain>> + Send>> {
        let this = Arc::clone(self);
        Box::pin(async move {
            let Some(zone) = zones.get(index).cloned() else { return Arc::default() };
            let walk = Arc::clone(&this);
            this.chains.get(zone, async move { Arc::new(walk.link(&zones, index).await) }).await
        })
    }

    async fn link(self: &Arc<Self>, zones: &Arc<[Name]>, index: usize) -> Chain {
        let Some(zone) = zones.get(index) else { return Chain::default() };
        let trials = self.trials();
        let anchors = self.anchors.of(zone);
        if !anchors.is_empty() {
            let mut keys = self.asking(zone, RecordType::DNSKEY, zone).await;
            return keys_from(&mut keys, &Chain::default(), zone, (&anchors, by_anchors), &trials).await;
        }
        let Some((above, parent)) = index.checked_sub(1).and_then(|above| Some((above, zones.get(above)?))) else {
            return Chain::default().with(zone, &no_anchor(zone), Vec::new());
        };
        let (chain, mut digests, mut keys) = tokio::join!(
            self.chain(Arc::clone(zones), above),
            self.asking(parent, RecordType::DS, zone),
            self.asking(zone, RecordType::DNSKEY, zone),
        );
        if let Some(ceiling) = chain.ceiling() {
            return chain.with(zone, &ceiling, Vec::new());
        }
        match digests_from(&mut digests, &chain, parent, zone, &trials).await {
            Ok(trusted) => {
                let mut chain = keys_from(&mut keys, &chain, zone, (&trusted, by_digests), &trials).await;
                let usable = chain.links.last_mut().filter(|link| link.security == Security::Secure);
                usable.into_iter().for_each(|link| link.findings.extend(unchecked(zone, &trusted)));
                chain
            }
            Err(proof) => chain.with(zone, &proof, Vec::new()),
        }
    }

    /// Begins to ask the servers of a zone about a name.
    async fn asking(self: &Arc<Self>, zone: &Name, kind: RecordType, name: &Name) -> Asking {
        // Beyond the limit nobody is asked: one of them is enough, or none is.
        let servers = self.discovery.servers(zone).await.addresses;
        let mut asking = Asking {
            asker: Arc::clone(&self.asker),
            question: Question::authority(&to_hickory(name), kind),
            waiting: servers.into(),
            running: JoinSet::new(),
        };
        asking.start();
        asking
    }
}

/// One question under way to many servers.
struct Asking {
    asker: Arc<Asker>,
    question: Question,
    waiting: VecDeque<SocketAddr>,
    running: JoinSet<Reply>,
}

impl Asking {
    fn start(&mut self) {
        for server in self.waiting.drain(..self.waiting.len().min(AT_ONCE)) {
            let (asker, question) = (Arc::clone(&self.asker), self.question.clone());
            self.running.spawn(async move { asker.ask(server, &question).await });
        }
    }

    /// The next reply; the next servers are asked when these are through.
    async fn next(&mut self) -> Option<Reply> {
        if self.running.is_empty() {
            self.start();
        }
        self.running.join_next().await?.ok()
    }
}

/// What the parent says about a delegation.
pub(crate) enum Delegation {
    /// These digests, signed.
    Signed { digests: Vec<DS>, proof: Proof },
    /// There are none; the SOA that says so is signed.
    Unsigned,
    /// Something that is not proven.
    Unproven(Proof),
    /// Nothing that can be used.
    Silent,
}

/// Reads a reply about DS by a server of the parent, whose keys are proven.
pub(crate) fn delegation(reply: &Reply, parent: &Name, zone: &Name, keys: &[DNSKEY], trials: &Trials) -> Delegation {
    match Said::by_authority(reply, parent, zone, RecordType::DS) {
        Said::Records(set) => {
            let proof = prove(&set, parent, keys, trials);
            let digest = |data: &RData| match data {
                RData::DNSSEC(DNSSECRData::DS(ds)) => Some(ds.clone()),
                _ => None,
            };
            let mut digests: Vec<DS> = set.records.iter().filter_map(|record| digest(&record.data)).collect();
            digests.sort_by_key(|ds| (ds.key_tag(), u8::from(ds.digest_type()), ds.digest().to_vec()));
            if proof.security == Security::Secure {
                Delegation::Signed { digests, proof }
            } else {
                Delegation::Unproven(proof)
            }
        }
        Said::NoData => match reply
            .as_ref()
            .ok()
            .and_then(|message| RrSet::find(&message.authorities, &to_hickory(parent), RecordType::SOA))
        {
            Some(soa) => match prove(&soa, parent, keys, trials) {
                proof if proof.security == Security::Secure => Delegation::Unsigned,
                proof => Delegation::Unproven(proof),
            },
            // A cache that asks there finds the zone bogus.
            None => Delegation::Unproven(silence(&format!("no DS for {zone}, and nothing that proves it"))),
        },
        Said::NoName | Said::Alias { .. } | Said::Renamed { .. } => {
            let message = format!("the zone {parent} knows no delegation of {zone}");
            let finding = Finding::new("delegation-missing", Severity::Unknown, message);
            Delegation::Unproven(Proof::only(Security::Indeterminate, finding))
        }
        Said::Failed(_) => Delegation::Silent,
    }
}

async fn digests_from(
    replies: &mut Asking,
    chain: &Chain,
    parent: &Name,
    zone: &Name,
    trials: &Trials,
) -> Result<Vec<Trust>, Proof> {
    let mut failed = silence(&format!("no server of {parent} says who signs {zone}"));
    while let Some(reply) = replies.next().await {
        match delegation(&reply, parent, zone, &chain.keys, trials) {
            Delegation::Signed { digests, .. } => return Ok(trust(digests)),
            Delegation::Unsigned => failed = insecure(zone),
            Delegation::Unproven(proof) if failed.security < proof.security => failed = proof,
            Delegation::Unproven(_) | Delegation::Silent => {}
        }
    }
    Err(failed)
}

async fn keys_from(
    replies: &mut Asking,
    above: &Chain,
    zone: &Name,
    (trusted, prove): (&[Trust], ProveKeys),
    trials: &Trials,
) -> Chain {
    let trusted = match usable(zone, trusted) {
        Ok(trusted) => trusted,
        Err(proof) => return above.with(zone, &proof, Vec::new()),
    };
    let mut failed = silence(&format!("no server of {zone} gives its keys"));
    while let Some(reply) = replies.next().await {
        let Said::Records(set) = Said::by_authority(&reply, zone, zone, RecordType::DNSKEY) else { continue };
        let mut proof = prove(&set, zone, &trusted, trials);
        if proof.security == Security::Secure {
            // Whoever runs the zones above sees to their signatures.
            let told = proof.findings.iter_mut().filter(|finding| finding.code != INCOMPLETE);
            told.for_each(|finding| finding.severity = Severity::Note);
            proof.findings.extend(outdated(zone, trusted.iter().map(Trust::algorithm)));
            return above.with(zone, &proof, set.keys());
        }
        if failed.security < proof.security || failed.findings.iter().all(|f| f.code == "chain-incomplete") {
            failed = proof;
        }
    }
    above.with(zone, &failed, Vec::new())
}

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
    if usable.len() > DIGESTS {
        return Err(limit(format!("the parent of {zone} names {} keys of it", usable.len())));
    }
    if !usable.is_empty() {
        return Ok(usable);
    }
    let mut names: Vec<String> = trusted
        .iter()
        .map(|trust| match trust {
            Trust::Digest(ds) => {
                format!("{} with digest type {}", algorithm_name(ds.algorithm()), u8::from(ds.digest_type()))
            }
            Trust::Key(_) => algorithm_name(trust.algorithm()),
        })
        .collect();
    names.sort();
    names.dedup();
    let message = format!("{zone} is signed in ways that cannot be verified here: {}", names.join(", "));
    Err(Proof::only(Security::Indeterminate, Finding::new("algorithm-unsupported", Severity::Unknown, message)))
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
    let elsewhere = |algorithm: &Algorithm| !can_verify(*algorithm) && ASSIGNED.contains(&u8::from(*algorithm));
    let algorithms = digests.iter().filter(|ds| can_compare(ds)).map(Trust::algorithm).filter(elsewhere);
    let names: BTreeSet<String> = algorithms.map(algorithm_name).collect();
    let names: Vec<String> = names.into_iter().collect();
    let message =
        format!("the parent of {zone} names {}, and nobody here can tell whether it signs the zone", names.join(", "));
    (!names.is_empty()).then(|| Finding::new(INCOMPLETE, Severity::Unknown, message))
}

/// The parent has no DS for the zone.
pub(crate) fn insecure(zone: &Name) -> Proof {
    let message = format!("the parent of {zone} has no DS for it, so its signatures count for nothing");
    Proof::only(Security::Insecure, Finding::new("insecure", Severity::Unsafe, message))
}

/// Nobody answered.
pub(crate) fn silence(message: &str) -> Proof {
    Proof::only(Security::Indeterminate, Finding::new("chain-incomplete", Severity::Unknown, message))
}

/// Trust starts nowhere above the zone.
pub(crate) fn no_anchor(zone: &Name) -> Proof {
    silence(&format!("no trust anchor is at or above {zone}"))
}
