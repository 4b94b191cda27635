//! The host's own addresses: how far they are proven, at every server that
//! answers. Senders look for TLSA records only behind addresses that are
//! secure (RFC 7672 section 2.2.2), and behind an alias they look at the name
//! that it leads to first (RFC 7671 section 7): only when that one has none do
//! the records of the host itself count.

use std::collections::BTreeSet;
use std::sync::Arc;

use hickory_proto::rr::RecordType;

use crate::dns::limits;
use crate::dns::trust::proof::Proof;
use crate::dns::walk::context::Walk;
use crate::dns::walk::facts::Facts;
use crate::dns::walk::owner::{labelled, proven};
use crate::dns::walk::zone_trust::missing;
use crate::dns::wire::reading::Answer;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Outcome, Security, ServerAnswer, label};
use crate::tlsa::{Port, Target};

/// What the servers of one zone say of a name's addresses.
struct Step {
    proof: Proof,
    alias: Option<Name>,
    /// Whether somebody gives an address.
    address: bool,
    /// Whether somebody answers for either kind.
    complete: bool,
}

impl Walk {
    /// The weakest of what proves the host's addresses, aliases included.
    pub(crate) async fn host(self: &Arc<Self>, host: &Name, port: Port) -> Proof {
        let mut whole = Proof::secure();
        let mut next = Some(host.clone());
        let mut first: Option<Name> = None;
        let mut seen: Vec<Name> = Vec::new();
        while let Some(name) = next.take() {
            if seen.len() > limits::ALIASES || seen.contains(&name) {
                whole.weakened_by(&unknown(format!(
                    "aliases from {host} lead in circles or too far"
                )));
                break;
            }
            seen.push(name.clone());
            let facts = match self.zone_of(&name, first.as_ref()).await {
                Ok(facts) => facts,
                // Of the host itself, it is told where it is asked for TLSA.
                Err(_) if name == *host => {
                    whole.security = whole.security.max(Security::Indeterminate);
                    break;
                }
                Err(finding) => {
                    whole.weakened_by(&unknown(finding.message));
                    break;
                }
            };
            first.get_or_insert_with(|| facts.zone.clone());
            let step = self.addresses_at(&facts, &name).await;
            whole.weakened_by(&step.proof);
            let standing = facts
                .chain
                .last()
                .map(|link| link.findings.as_slice())
                .unwrap_or_default();
            let grave = facts
                .findings
                .iter()
                .chain(standing)
                .filter(|finding| finding.severity > Severity::Note);
            whole.weakened_by(&Proof {
                findings: grave.cloned().collect(),
                ..Proof::secure()
            });
            if step.alias.is_none() && step.complete && !step.address {
                let message =
                    format!("{name} has neither A nor AAAA records, so nobody connects to it");
                whole.findings.push(Finding::new(
                    "host-without-address",
                    Severity::Unknown,
                    message,
                ));
            }
            next = step.alias;
        }
        if let Some(end) = seen.last().filter(|end| *end != host) {
            let alias = format!("the host {host} is an alias of {end}");
            whole.findings.push(match self.nothing_at(end, port, first.as_ref(), &whole).await {
                Ok(()) => {
                    let message = format!(
                        "{alias}, where senders look for TLSA records first: every server proves that there are none, \
                         so those of {host} count"
                    );
                    Finding::new("host-is-alias", Severity::Note, message)
                }
                Err(why) => {
                    let message = format!(
                        "{alias}: senders look for TLSA records there first{why}, so verify with {end} as the host instead"
                    );
                    Finding::new("host-is-alias", Severity::Unknown, message)
                }
            });
        }
        whole
    }

    /// Whether no server has TLSA records at the name that aliases lead to, and each
    /// proves it: then senders fall back to the name that they began with (RFC 7671
    /// section 7, RFC 7672 section 2.2.2), provided that all of the way is secure.
    ///
    /// # Errors
    ///
    /// Why that cannot be said, where it is not simply that there are some.
    async fn nothing_at(
        self: &Arc<Self>,
        end: &Name,
        port: Port,
        first: Option<&Name>,
        way: &Proof,
    ) -> Result<(), String> {
        if way.security != Security::Secure {
            return Err(String::new());
        }
        let untold = |at: &str, why: &str| {
            format!(" (whether there are some cannot be told at {at}: {why})")
        };
        let owner = Target::Service {
            host: end.clone(),
            port,
        }
        .owner()
        .map_err(|why| untold(&end.to_string(), &why.to_string()))?;
        let facts = self
            .zone_of(&owner, first)
            .await
            .map_err(|finding| untold(&owner.to_string(), &finding.message))?;
        let servers = self.tlsa_once(&facts, &owner).await;
        if servers
            .iter()
            .any(|server| server.outcome == Outcome::Answered)
        {
            return Err(String::new());
        }
        if let Some(grave) = facts
            .findings
            .iter()
            .find(|finding| finding.severity > Severity::Note)
        {
            return Err(untold(&facts.zone.to_string(), &grave.message));
        }
        let proves =
            |server: &&ServerAnswer| server.answered() && server.security == Security::Secure;
        match servers.iter().find(|server| !proves(server)) {
            None if servers.is_empty() => {
                Err(untold(&facts.zone.to_string(), "it has no name server"))
            }
            None => Ok(()),
            Some(server) => {
                let worst = server
                    .findings
                    .iter()
                    .max_by_key(|finding| finding.severity)
                    .filter(|_| server.answered());
                let why = worst.map_or_else(
                    || server.outcome.word().to_owned(),
                    |f| format!("{}, {}", f.code, f.message),
                );
                Err(untold(&label(&server.name, server.address), &why))
            }
        }
    }

    async fn addresses_at(self: &Arc<Self>, facts: &Facts, name: &Name) -> Step {
        let mut step = Step {
            proof: Proof::secure(),
            alias: None,
            address: false,
            complete: true,
        };
        let mut aliases: BTreeSet<Option<Name>> = BTreeSet::new();
        let (v4, v6) = tokio::join!(
            self.ask_all(facts, name, RecordType::A),
            self.ask_all(facts, name, RecordType::AAAA)
        );
        let budget = self.budget();
        for (kind, replies) in [(RecordType::A, v4), (RecordType::AAAA, v6)] {
            let mut failures = BTreeSet::new();
            let mut answered = false;
            for (server, reply) in facts.servers.iter().zip(&replies) {
                let said = Answer::by_authority(reply, &facts.zone, name, kind);
                if let Answer::Failed(outcome) = said {
                    failures.insert(outcome.word());
                    let failed = missing(&format!("the addresses of {name}"), outcome).findings;
                    let at = label(&server.name, server.address);
                    let failed = failed
                        .into_iter()
                        .map(|finding| finding.at(at.clone()))
                        .collect();
                    step.proof.weakened_by(&Proof {
                        findings: failed,
                        ..Proof::secure()
                    });
                    continue;
                }
                answered = true;
                let mut proof = proven(facts, server, reply, (&said, name, kind), &budget);
                proof.findings = labelled(proof.findings, &server.name, server.address);
                step.proof.weakened_by(&proof);
                step.address |= matches!(said, Answer::Records(_));
                aliases.insert(match said {
                    Answer::Alias { target, .. } => Some(target),
                    Answer::Renamed { target } => target,
                    _ => None,
                });
            }
            if !answered {
                step.complete = false;
                let how = failures.into_iter().collect::<Vec<_>>().join(", ");
                let message = format!(
                    "no server of {} answers about the {kind} records of {name}: {how}",
                    facts.zone
                );
                step.proof.weakened_by(&unknown(message));
            }
        }
        if aliases.len() > 1 {
            let message = format!(
                "the servers of {} do not agree whether {name} is an alias, or of what",
                facts.zone
            );
            step.proof.weakened_by(&unknown(message));
        }
        step.alias = aliases.into_iter().flatten().next();
        step
    }
}

fn unknown(message: String) -> Proof {
    Proof::only(
        Security::Indeterminate,
        Finding::new("host-address-unknown", Severity::Unknown, message),
    )
}
