//! From a target to its evidence: the owner, the zone it is in, every server
//! of that zone, and on through aliases (RFC 7671 section 7); beside it the
//! host's own addresses and what resolvers say. What several targets need is
//! asked once.

mod bulk;
mod chain;
pub(crate) mod context;
pub(crate) mod facts;
mod host;
mod machines;
mod named;
mod owner;
mod zone;
mod zone_trust;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::dns::find::resolvers;
use crate::dns::walk::context::Walk;
use crate::dns::walk::facts::Facts;
use crate::dns::wire::shared::together;
use crate::dns::{Reach, Settings, limits};
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Evidence, Hop, Outcome, ServerAnswer, label};
use crate::tlsa::Target;

impl Walk {
    /// All there is to know about one target, as far as there is room and time
    /// for it. What had none is told of, also when it was another target's.
    pub(crate) async fn target(self: Arc<Self>, target: Target) -> Evidence {
        let mut evidence = self.evidence(&target).await;
        if !self.asker.room.fill(bulk::weight(&evidence)) {
            for hop in &mut evidence.hops {
                (hop.chain, hop.servers, hop.findings) = (Vec::new(), Vec::new(), Vec::new());
            }
            (evidence.resolvers, evidence.findings) = (Vec::new(), Vec::new());
        }
        evidence.findings.extend(
            self.discovery
                .finding()
                .into_iter()
                .chain(self.asker.findings()),
        );
        evidence
    }

    async fn evidence(self: &Arc<Self>, target: &Target) -> Evidence {
        let owner = match target.owner() {
            Ok(owner) => owner,
            Err(error) => return nothing(target, format!("the host has no TLSA owner: {error}")),
        };
        let seen = self.resolvers.iter().map(|resolver| {
            let (walk, resolver, owner) = (Arc::clone(self), *resolver, owner.clone());
            async move { resolvers::ask(&walk.asker, resolver, &owner).await }
        });
        // Begun at once: one that waits for servers that are down takes its time.
        let seen = tokio::spawn(together(seen.collect::<Vec<_>>()));
        // Known before the host is looked for, which is then known to be in that zone, too.
        let zones = self.discovery.zones(&owner).await.unwrap_or_default();
        let above = zones.iter().nth_back(1).cloned();
        let seen = async {
            let seen = seen.await.unwrap_or_default().into_iter().map(|answer| {
                let (walk, above) = (Arc::clone(self), above.clone());
                async move { resolvers::weigh(&walk.asker, answer, above.as_ref()).await }
            });
            together(seen.collect::<Vec<_>>()).await
        };
        let host = async {
            match target {
                Target::Service { host, port } => Some(self.host(host, *port).await),
                Target::Owner(_) => None,
            }
        };
        let ((hops, findings), host, resolvers) = tokio::join!(self.hops(&owner), host, seen);
        let mut evidence = Evidence {
            owner,
            hops,
            resolvers,
            host: None,
            findings,
        };
        let Some(host) = host else {
            let text = "the owner was named as it is: whether the hosts that it serves have signed addresses was not looked at";
            evidence
                .findings
                .push(Finding::new("host-unknown", Severity::Note, text));
            return evidence;
        };
        evidence.host = Some(host.security);
        // What is told of a zone on the way may weigh less than of the host's own.
        let told = |news: &Finding| {
            let known = evidence
                .hops
                .iter()
                .flat_map(|hop| hop.chain.iter().flat_map(|link| &link.findings));
            let mut known = known.chain(evidence.hops.iter().flat_map(|hop| &hop.findings));
            let mut servers = evidence
                .hops
                .iter()
                .flat_map(|hop| &hop.servers)
                .filter(|server| !server.answered());
            // Of a server that gives no TLSA answer either, that says it all.
            let fails = |server: &ServerAnswer| {
                news.code == server.outcome.word()
                    && news.server == Some(label(&server.name, server.address))
            };
            known.any(|known| known.message == news.message && known.severity >= news.severity)
                || servers.any(fails)
        };
        let news: Vec<Finding> = host
            .findings
            .into_iter()
            .filter(|finding| !told(finding))
            .collect();
        evidence.findings.extend(news);
        evidence
    }

    /// The owner, and where aliases lead from it.
    async fn hops(self: &Arc<Self>, owner: &Name) -> (Vec<Hop>, Vec<Finding>) {
        let mut hops: Vec<Hop> = Vec::new();
        let mut next = Some(owner.clone());
        while let Some(owner) = next.take() {
            if hops.len() > limits::ALIASES || hops.iter().any(|hop| hop.owner == owner) {
                let message = format!("aliases from {} lead in circles or too far", hops[0].owner);
                return (
                    hops,
                    vec![Finding::new("alias-loop", Severity::Unknown, message)],
                );
            }
            let facts = match self
                .zone_of(&owner, hops.first().map(|hop| &hop.zone))
                .await
            {
                Ok(facts) => facts,
                Err(finding) => return (hops, vec![finding]),
            };
            let (mut servers, machines) = self.tlsa_at(&facts, &owner).await;
            servers
                .iter_mut()
                .for_each(|server| server.findings.extend(self.no_route(server)));
            let mut findings = facts.findings.clone();
            findings.extend(disagreement(&servers));
            findings.extend(machines);
            next = alias(&servers);
            hops.push(Hop {
                owner,
                zone: facts.zone.clone(),
                chain: facts.chain.clone(),
                servers,
                findings,
            });
        }
        (hops, Vec::new())
    }

    /// That nobody can be asked there from this machine.
    fn no_route(&self, server: &ServerAnswer) -> Option<Finding> {
        let address = server
            .address
            .filter(|address| self.asker.no_route(*address))?;
        let of = if address.is_ipv6() { "IPv6" } else { "IPv4" };
        let message = format!("cannot be asked from here: this machine has no {of} route to it");
        Some(
            Finding::new("no-route", Severity::Unknown, message)
                .at(label(&server.name, server.address)),
        )
    }

    /// The facts about the zone that holds the name. The servers that the user
    /// names are asked about the first zone only: they may not know another.
    pub(crate) async fn zone_of(
        self: &Arc<Self>,
        name: &Name,
        first: Option<&Name>,
    ) -> Result<Arc<Facts>, Finding> {
        let unknown = |name: &Name, why: &str| {
            Finding::new(
                "zone-unknown",
                Severity::Unknown,
                format!("the zone of {name} cannot be found: {why}"),
            )
        };
        let zones = self.discovery.zones(name).await;
        let zones: Arc<[Name]> = zones
            .map_err(|at| {
                unknown(
                    name,
                    &format!("neither a resolver nor a root server answers about {at}"),
                )
            })?
            .into();
        let with_user = first.is_none_or(|first| zones.last() == Some(first));
        let facts = self.facts(zones, with_user).await;
        facts.ok_or_else(|| unknown(name, "the resolvers know no zone above it"))
    }
}

/// No evidence, and why.
pub(crate) fn nothing(target: &Target, why: String) -> Evidence {
    let findings = vec![Finding::new("zone-unknown", Severity::Unknown, why)];
    let owner = target.owner().unwrap_or_else(|_| target.base().clone());
    Evidence {
        owner,
        hops: Vec::new(),
        resolvers: Vec::new(),
        host: None,
        findings,
    }
}

/// Gathers the evidence for every target, in order.
pub(crate) async fn all(targets: &[Target], settings: &Settings, reach: &Reach) -> Vec<Evidence> {
    let walk = Arc::new(Walk::new(targets.len(), settings, reach));
    let mut waiting = targets.iter().cloned().enumerate();
    let mut running = JoinSet::new();
    let mut all: Vec<(usize, Evidence)> = Vec::with_capacity(targets.len());
    loop {
        let free = limits::TARGETS_AT_ONCE - running.len();
        for (index, target) in waiting.by_ref().take(free) {
            let walk = Arc::clone(&walk);
            running.spawn(async move { (index, walk.target(target).await) });
        }
        match running.join_next().await {
            Some(Ok(evidence)) => all.push(evidence),
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Some(Err(_)) => {}
            None => break,
        }
    }
    all.sort_by_key(|(index, _)| *index);
    // Before anything is judged and written, which needs room of its own.
    drop(walk);
    all.into_iter().map(|(_, evidence)| evidence).collect()
}

/// Where the owner leads: what a proven answer says, before any other.
fn alias(servers: &[ServerAnswer]) -> Option<Name> {
    let mut led: Vec<&ServerAnswer> = servers
        .iter()
        .filter(|server| server.alias.is_some())
        .collect();
    led.sort_by_key(|server| server.security);
    led.first()?.alias.clone()
}

/// Servers that do not lead to the same place.
fn disagreement(servers: &[ServerAnswer]) -> Option<Finding> {
    let said = |server: &&ServerAnswer| {
        matches!(
            server.outcome,
            Outcome::Answered | Outcome::NoData | Outcome::NoName
        )
    };
    let mut aliases = servers.iter().filter(said).map(|server| &server.alias);
    let first = aliases.next()?;
    let apart = aliases.any(|alias| alias != first);
    apart.then(|| {
        Finding::new(
            "rrset-differs",
            Severity::Wait,
            "the servers do not agree whether the owner is an alias, or of what",
        )
    })
}
