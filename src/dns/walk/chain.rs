//! Asking for the chain from the trust anchor down: for zones on the way the first
//! server that proves it is enough; the zone that holds the answer is looked at more
//! closely in `zone`.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use hickory_proto::rr::RecordType;
use tokio::task::JoinSet;

use crate::dns::limits;
use crate::dns::trust::anchors::Trust;
use crate::dns::trust::budget::Budget;
use crate::dns::trust::chain::{Chain, Delegation, delegation, insecure, no_anchor, silence};
use crate::dns::trust::ds::{
    INCOMPLETE, ProveKeys, by_anchors, by_digests, trust, unchecked, usable,
};
use crate::dns::trust::proof::Proof;
use crate::dns::trust::signatures::outdated;
use crate::dns::walk::context::Walk;
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::{Asker, Reply};
use crate::dns::wire::question::Question;
use crate::dns::wire::reading::Answer;
use crate::finding::Severity;
use crate::name::Name;
use crate::propagation::evidence::Security;

impl Walk {
    /// The chain down to `zones[index]`, which is not the zone that answers.
    pub(crate) fn chain(
        self: &Arc<Self>,
        zones: Arc<[Name]>,
        index: usize,
    ) -> Pin<Box<dyn Future<Output = Arc<Chain>> + Send>> {
        let this = Arc::clone(self);
        Box::pin(async move {
            let Some(zone) = zones.get(index).cloned() else {
                return Arc::default();
            };
            let walk = Arc::clone(&this);
            this.chains
                .get(
                    zone,
                    async move { Arc::new(walk.link(&zones, index).await) },
                )
                .await
        })
    }

    async fn link(self: &Arc<Self>, zones: &Arc<[Name]>, index: usize) -> Chain {
        let Some(zone) = zones.get(index) else {
            return Chain::default();
        };
        let budget = self.budget();
        let anchors = self.anchors.of(zone);
        if !anchors.is_empty() {
            let mut keys = self.asking(zone, RecordType::DNSKEY, zone).await;
            return keys_from(
                &mut keys,
                &Chain::default(),
                zone,
                (&anchors, by_anchors),
                &budget,
            )
            .await;
        }
        let Some((above, parent)) = index
            .checked_sub(1)
            .and_then(|above| Some((above, zones.get(above)?)))
        else {
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
        match digests_from(&mut digests, &chain, parent, zone, &budget).await {
            Ok(trusted) => {
                let mut chain =
                    keys_from(&mut keys, &chain, zone, (&trusted, by_digests), &budget).await;
                let usable = chain
                    .links
                    .last_mut()
                    .filter(|link| link.security == Security::Secure);
                usable
                    .into_iter()
                    .for_each(|link| link.findings.extend(unchecked(zone, &trusted)));
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
        for server in self
            .waiting
            .drain(..self.waiting.len().min(limits::SERVERS_AT_ONCE))
        {
            let (asker, question) = (Arc::clone(&self.asker), self.question.clone());
            self.running
                .spawn(async move { asker.ask(server, &question).await });
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

async fn digests_from(
    replies: &mut Asking,
    chain: &Chain,
    parent: &Name,
    zone: &Name,
    budget: &Budget,
) -> Result<Vec<Trust>, Proof> {
    let mut failed = silence(&format!("no server of {parent} says who signs {zone}"));
    while let Some(reply) = replies.next().await {
        match delegation(&reply, parent, zone, &chain.keys, budget) {
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
    budget: &Budget,
) -> Chain {
    let trusted = match usable(zone, trusted) {
        Ok(trusted) => trusted,
        Err(proof) => return above.with(zone, &proof, Vec::new()),
    };
    let mut failed = silence(&format!("no server of {zone} gives its keys"));
    while let Some(reply) = replies.next().await {
        let Answer::Records(set) = Answer::by_authority(&reply, zone, zone, RecordType::DNSKEY)
        else {
            continue;
        };
        let mut proof = prove(&set, zone, &trusted, budget);
        if proof.security == Security::Secure {
            // Whoever runs the zones above sees to their signatures.
            let told = proof
                .findings
                .iter_mut()
                .filter(|finding| finding.code != INCOMPLETE);
            told.for_each(|finding| finding.severity = Severity::Note);
            proof
                .findings
                .extend(outdated(zone, trusted.iter().map(Trust::algorithm)));
            return above.with(zone, &proof, set.keys());
        }
        if failed.security < proof.security
            || failed.findings.iter().all(|f| f.code == "chain-incomplete")
        {
            failed = proof;
        }
    }
    above.with(zone, &failed, Vec::new())
}
