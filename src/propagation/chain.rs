//! The way from the trust anchor: every zone on it must be secure, every alias
//! must stay inside secure zones (RFC 7671 section 7), and so must the host's
//! own addresses, without which senders do not look for TLSA at all (RFC 7672
//! section 2.2.2).

use chrono::{DateTime, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::{Evidence, Hop, Link, Security};
use crate::propagation::ledger::Ledger;
use crate::propagation::moment;

/// Judges the zones on the way, the signatures' lives, and the host's addresses.
pub(crate) fn judge(evidence: &Evidence, now: DateTime<Utc>, ledger: &mut Ledger) {
    for finding in &evidence.findings {
        ledger.add(finding.clone());
    }
    for (index, hop) in evidence.hops.iter().enumerate() {
        for finding in &hop.findings {
            ledger.add(finding.clone());
        }
        if hop.chain.last().is_none_or(|link| link.zone != hop.zone) {
            let text = format!("the chain of trust was not followed down to {}", hop.zone);
            ledger.add(Finding::new("indeterminate", Severity::Unknown, text));
        }
        for link in &hop.chain {
            judge_link(link, ledger);
        }
        judge_servers(hop, now, ledger);
        if index > 0 && insecure(hop) {
            let text = format!(
                "the alias leads to {} in {}, which is not secure",
                hop.owner, hop.zone
            );
            ledger.add(Finding::new(
                "cname-target-insecure",
                Severity::Unsafe,
                text,
            ));
        }
    }
    match evidence.host {
        None | Some(Security::Secure) => {}
        Some(Security::Indeterminate) => ledger.add(Finding::new(
            "host-address-unknown",
            Severity::Unknown,
            "it could not be found out whether the host's own address records are signed",
        )),
        Some(security @ (Security::Insecure | Security::Bogus)) => ledger.add(Finding::new(
            "host-address-insecure",
            Severity::Unsafe,
            format!(
                "the host's own address records are {}, so senders look for no TLSA record",
                security.word()
            ),
        )),
    }
}

fn judge_link(link: &Link, ledger: &mut Ledger) {
    for finding in &link.findings {
        ledger.add(finding.clone());
    }
    let reason = |severity: Severity| {
        link.findings
            .iter()
            .any(|finding| finding.severity >= severity)
    };
    if let Some((code, severity)) =
        weakness(link.security).filter(|(_, severity)| !reason(*severity))
    {
        let text = format!("the zone {} is {}", link.zone, link.security.word());
        ledger.add(Finding::new(code, severity, text));
    }
}

fn judge_servers(hop: &Hop, now: DateTime<Utc>, ledger: &mut Ledger) {
    for server in &hop.servers {
        let reason = |severity: Severity| {
            server
                .findings
                .iter()
                .any(|finding| finding.severity >= severity)
        };
        // Without an answer, "indeterminate" says nothing that the outcome does not.
        let weakness =
            weakness(server.security).filter(|(_, s)| *s == Severity::Unsafe || server.answered());
        if let Some((code, severity)) = weakness.filter(|(_, severity)| !reason(*severity)) {
            let text = format!("the answer for {} is {}", hop.owner, server.security.word());
            ledger.add(Finding::new(code, severity, text).at(server.label()));
        }
        if let Some(expired) = server
            .signature_expires
            .filter(|end| server.answered() && *end <= now)
        {
            let text = format!("a signature expired at {}", moment(expired));
            ledger
                .add(Finding::new("signature-expired", Severity::Unsafe, text).at(server.label()));
        }
    }
}

fn weakness(security: Security) -> Option<(&'static str, Severity)> {
    match security {
        Security::Secure => None,
        Security::Indeterminate => Some(("indeterminate", Severity::Unknown)),
        Security::Insecure => Some(("insecure", Severity::Unsafe)),
        Security::Bogus => Some(("bogus", Severity::Unsafe)),
    }
}

fn insecure(hop: &Hop) -> bool {
    let servers = hop.servers.iter().map(|server| server.security);
    hop.chain
        .iter()
        .map(|link| link.security)
        .chain(servers)
        .any(|security| security == Security::Insecure)
}
