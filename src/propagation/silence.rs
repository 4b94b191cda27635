//! Addresses that gave no answer to judge. Each kind keeps its own name:
//! SERVFAIL is not silence, and neither is "no such record".
//!
//! Only silence can be waived, never a wrong answer, and never a whole zone. A
//! server that was last heard when something was amiss is not waived either,
//! until the hold has passed since then: otherwise a lagging server could be
//! made to agree by switching it off.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::Policy;
use crate::propagation::evidence::{Evidence, Hop, Outcome, ServerAnswer, code_name};
use crate::propagation::hold::Terms;
use crate::propagation::ledger::Ledger;
use crate::propagation::memory::KeyChange;

/// The addresses that are waived, by the owner asked for and the server's label.
#[derive(Debug, Default)]
pub(crate) struct Waived(BTreeSet<String>);

impl Waived {
    /// Whether this server may be silent.
    pub(crate) fn contains(&self, hop: &Hop, server: &ServerAnswer) -> bool {
        self.0.contains(&hop.server_key(server))
    }
}

/// Judges what is missing, and says which servers need not be looked at.
pub(crate) fn judge(
    evidence: &Evidence,
    watch: &KeyChange,
    policy: &Policy,
    terms: &Terms,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) -> Waived {
    if evidence.hops.is_empty() {
        let text = format!("the zone of {} was not found", evidence.owner);
        ledger.add(Finding::new("zone-not-found", Severity::Unknown, text));
    }
    let waived = waive(evidence, watch, policy, terms, now);
    for hop in &evidence.hops {
        if !hop.servers.iter().any(ServerAnswer::answered) {
            let text = format!("no name server of {} answered for {}", hop.zone, hop.owner);
            ledger.add(Finding::new("no-servers", Severity::Unknown, text));
        }
        for server in &hop.servers {
            let (name, mute) = (server.label(), server.silent());
            let excused = waived.contains(hop, server);
            for finding in &server.findings {
                let mut finding = Finding {
                    server: Some(name.clone()),
                    ..finding.clone()
                };
                if excused {
                    finding.severity = Severity::Note;
                } else if !server.answered() && finding.code == server.outcome.word() {
                    finding.severity = finding.severity.max(Severity::Unknown);
                }
                if mute && finding.severity <= Severity::Unknown {
                    ledger.add_silence(finding);
                } else {
                    ledger.add(finding);
                }
            }
            if let Some(finding) = missing(server, excused) {
                let finding = finding.at(name);
                if mute {
                    ledger.add_silence(finding)
                } else {
                    ledger.add(finding)
                }
            }
        }
    }
    waived
}

/// The finding about a server that gave no answer to judge.
fn missing(server: &ServerAnswer, excused: bool) -> Option<Finding> {
    let tells = |code| code == server.outcome.word() || code == "no-route";
    let told = server.findings.iter().any(|finding| tells(finding.code));
    let text = match server.outcome {
        Outcome::Answered | Outcome::NoData | Outcome::NoName => return None,
        Outcome::Unreachable if excused => {
            let text = "is silent, which --allow-unreachable permits";
            return Some(Finding::new("unreachable", Severity::Note, text));
        }
        _ if told => return None,
        Outcome::Unreachable if server.address.is_none() => "has no address".to_owned(),
        Outcome::Unreachable => "did not answer".to_owned(),
        Outcome::NotAuthoritative => "does not answer for the zone".to_owned(),
        Outcome::ServFail => "answered SERVFAIL".to_owned(),
        Outcome::Refused => "answered REFUSED".to_owned(),
        Outcome::OtherCode(code) => format!("answered {}", code_name(code)),
        Outcome::TruncatedWithoutTcp => {
            "truncates its answer and cannot be asked over TCP".to_owned()
        }
        Outcome::Malformed => {
            "answered what cannot be read as an answer to the question".to_owned()
        }
    };
    Some(Finding::new(server.outcome.word(), Severity::Unknown, text))
}

fn waive(
    evidence: &Evidence,
    watch: &KeyChange,
    policy: &Policy,
    terms: &Terms,
    now: DateTime<Utc>,
) -> Waived {
    let mut addresses = BTreeSet::new();
    let mut waived = Waived::default();
    for hop in &evidence.hops {
        // Somebody must have answered for each zone on the way.
        let spoken = hop.servers.iter().any(ServerAnswer::answered);
        for server in hop
            .servers
            .iter()
            .filter(|server| server.outcome == Outcome::Unreachable)
        {
            addresses.insert(
                server
                    .address
                    .map_or_else(|| server.name.to_string(), |address| address.to_string()),
            );
            if spoken && server.silent() && !last_heard_amiss(hop, server, watch, terms, now) {
                waived.0.insert(hop.server_key(server));
            }
        }
    }
    // More silence than allowed: none of it is.
    if addresses.len() > policy.allow_unreachable {
        Waived::default()
    } else {
        waived
    }
}

fn last_heard_amiss(
    hop: &Hop,
    server: &ServerAnswer,
    watch: &KeyChange,
    terms: &Terms,
    now: DateTime<Utc>,
) -> bool {
    watch
        .servers
        .get(&hop.server_key(server))
        .is_some_and(|seen| {
            // Without an end nothing can be said to have passed.
            let passed =
                |heard| heard < now && terms.end(heard, false).0.is_some_and(|end| end <= now);
            seen.heard_at
                .is_some_and(|heard| !seen.sound && !passed(heard))
        })
}
