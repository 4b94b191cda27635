//! The verdict in the text format of Prometheus, for the textfile collector of
//! its node exporter. Names and labels are promised. What is not known has no
//! sample; a series is never there twice.

use std::collections::BTreeSet;
use std::fmt::Write;

use chrono::{DateTime, Utc};

use crate::propagation::evidence::address_text;
use crate::propagation::evidence::{Hop, ServerAnswer};
use crate::propagation::{Decision, Judged};

/// All samples of one check.
#[must_use]
pub fn text(targets: &[Judged], checked_at: DateTime<Utc>) -> String {
    let mut page = Page::default();
    page.metric(
        "checked_at_timestamp_seconds",
        "When the name servers were asked.",
    );
    page.sample(&[], seconds(checked_at));
    page.metric("verdict", "1 for the verdict that holds, 0 for the others.");
    for target in targets {
        for decision in [
            Decision::Safe,
            Decision::Wait,
            Decision::Unknown,
            Decision::Unsafe,
        ] {
            let holds = target.verdict.decision == decision;
            page.of_target(
                target,
                &[("verdict", decision.word())],
                Some(u8::from(holds)),
            );
        }
    }
    page.metric(
        "safe_at_timestamp_seconds",
        "When it will be safe if nothing changes.",
    );
    for target in targets {
        page.of_target(target, &[], target.verdict.safe_at.map(seconds));
    }
    page.metric(
        "agreed_since_timestamp_seconds",
        "Since when all servers have agreed.",
    );
    for target in targets {
        page.of_target(target, &[], target.verdict.agreed_since.map(seconds));
    }
    page.metric("hold_seconds", "How long all servers have to agree.");
    for target in targets {
        let length = target.verdict.hold.and_then(|hold| hold.length);
        page.of_target(target, &[], length.map(|length| length.num_seconds()));
    }
    page.metric("findings", "Number of findings by code.");
    for target in targets {
        let kinds: BTreeSet<(&str, &str)> = target
            .verdict
            .findings
            .iter()
            .map(|finding| (finding.code, finding.severity.word()))
            .collect();
        for (code, severity) in kinds {
            let same =
                |f: &&crate::finding::Finding| f.code == code && f.severity.word() == severity;
            let count = target.verdict.findings.iter().filter(same).count();
            page.of_target(
                target,
                &[("code", code), ("severity", severity)],
                Some(count),
            );
        }
    }
    servers(&mut page, targets);
    page.text
}

fn servers(page: &mut Page, targets: &[Judged]) {
    page.metric("server_outcome", "1 with what came back from the server.");
    of_servers(page, targets, |server| {
        (Some(("outcome", server.outcome.word())), Some(1))
    });
    page.metric(
        "server_security",
        "1 with how far the server's answer can be trusted.",
    );
    of_servers(page, targets, |server| {
        (Some(("security", server.security.word())), Some(1))
    });
    page.metric("server_serial", "Serial of the zone at the server.");
    of_servers(page, targets, |server| (None, server.serial.map(i64::from)));
    page.metric("server_ttl_seconds", "TTL of the TLSA set at the server.");
    of_servers(page, targets, |server| (None, server.ttl.map(i64::from)));
    page.metric(
        "server_signature_expires_timestamp_seconds",
        "When the first signature of the answer expires.",
    );
    of_servers(page, targets, |server| {
        (None, server.signature_expires.map(seconds))
    });
}

fn of_servers(
    page: &mut Page,
    targets: &[Judged],
    sample: impl Fn(&ServerAnswer) -> (Option<(&'static str, &'static str)>, Option<i64>),
) {
    for target in targets {
        let servers = target
            .evidence
            .hops
            .iter()
            .flat_map(|hop| hop.servers.iter().map(move |server| (hop, server)));
        for (hop, server) in servers {
            let (label, value) = sample(server);
            page.of_server(target, hop, server, label, value);
        }
    }
}

fn seconds(moment: DateTime<Utc>) -> i64 {
    moment.timestamp()
}

/// The text so far. A metric's description is only written with its first sample.
#[derive(Default)]
struct Page {
    text: String,
    metric: &'static str,
    help: Option<&'static str>,
    written: BTreeSet<String>,
}

impl Page {
    fn metric(&mut self, name: &'static str, help: &'static str) {
        self.metric = name;
        self.help = Some(help);
    }

    fn of_target(&mut self, target: &Judged, more: &[(&str, &str)], value: Option<impl ToString>) {
        let owner = target.evidence.owner.to_string();
        let zone = target
            .evidence
            .hops
            .first()
            .map(|hop| hop.zone.to_string())
            .unwrap_or_default();
        let labels: Vec<(&str, &str)> = [("owner", owner.as_str()), ("zone", zone.as_str())]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        if let Some(value) = value {
            self.sample(&labels, value);
        }
    }

    fn of_server(
        &mut self,
        target: &Judged,
        hop: &Hop,
        server: &ServerAnswer,
        label: Option<(&str, &str)>,
        value: Option<i64>,
    ) {
        let (owner, asked) = (target.evidence.owner.to_string(), hop.owner.to_string());
        let (name, address) = (
            server.name.to_string(),
            server.address.map(address_text).unwrap_or_default(),
        );
        // Behind an alias, what was asked for is another name than the target's.
        let labels = [
            ("owner", &owner),
            ("asked", &asked),
            ("server", &name),
            ("address", &address),
        ];
        let labels: Vec<(&str, &str)> = labels
            .into_iter()
            .map(|(key, value)| (key, value.as_str()))
            .chain(label)
            .collect();
        if let Some(value) = value {
            self.sample(&labels, value);
        }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl ToString) {
        let mut series = format!("danewright_{}", self.metric);
        let pairs: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}=\"{}\"", escaped(value)))
            .collect();
        if !pairs.is_empty() {
            series.push_str(&format!("{{{}}}", pairs.join(",")));
        }
        if !self.written.insert(series.clone()) {
            return;
        }
        if let Some(help) = self.help.take() {
            let name = self.metric;
            self.text.push_str(&format!(
                "# HELP danewright_{name} {help}\n# TYPE danewright_{name} gauge\n"
            ));
        }
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{series} {}", value.to_string());
    }
}

/// A label's value: backslash, quote and line feed have escapes.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::propagation::evidence::Outcome;
    use crate::propagation::fixtures::{at, evidence, failing, key, name, server};
    use crate::propagation::memory::Memory;
    use crate::propagation::{Expectation, HoldWish, Policy, check};

    fn page(servers: Vec<ServerAnswer>) -> String {
        let evidence = evidence(servers);
        let expectation = Expectation::new(vec![key("new")], None);
        let policy = Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
            ..Policy::default()
        };
        let memory = Memory::empty(&name("example.com"));
        let (verdict, memory) = check(&evidence, &expectation, &memory, &policy, at("12:00:00"));
        let watch = memory.of(&evidence.owner, &expectation);
        text(
            &[Judged {
                evidence,
                expectation,
                verdict,
                watch,
            }],
            at("12:00:00"),
        )
    }

    #[test]
    fn a_wait_is_one_sample_among_four_with_its_end() {
        let both = [key("new"), key("old")];
        let page = page(vec![server(1, &both), server(2, &both)]);
        let target = "owner=\"_25._tcp.mail.example.com.\",zone=\"example.com.\"";
        let server = "owner=\"_25._tcp.mail.example.com.\",asked=\"_25._tcp.mail.example.com.\",\
                      server=\"ns2.example.net.\",address=\"192.0.2.2\"";
        let noon = at("12:00:00").timestamp();
        for line in [
            format!("danewright_checked_at_timestamp_seconds {noon}"),
            format!("danewright_verdict{{{target},verdict=\"safe\"}} 0"),
            format!("danewright_verdict{{{target},verdict=\"wait\"}} 1"),
            format!(
                "danewright_safe_at_timestamp_seconds{{{target}}} {}",
                noon + 7200
            ),
            format!("danewright_agreed_since_timestamp_seconds{{{target}}} {noon}"),
            format!("danewright_hold_seconds{{{target}}} 7200"),
            format!(
                "danewright_findings{{{target},code=\"hold-not-elapsed\",severity=\"wait\"}} 1"
            ),
            format!("danewright_server_outcome{{{server},outcome=\"answered\"}} 1"),
            format!("danewright_server_security{{{server},security=\"secure\"}} 1"),
            format!("danewright_server_serial{{{server}}} 2026112001"),
        ] {
            assert!(
                page.lines().any(|found| found == line),
                "{line}\nin\n{page}"
            );
        }
    }

    #[test]
    fn what_is_not_known_has_no_sample_and_no_description() {
        let page = page(vec![failing(1, Outcome::Unreachable)]);
        for metric in ["safe_at", "agreed_since", "server_serial"] {
            assert!(!page.contains(&format!("danewright_{metric}")), "{page}");
        }
        assert!(page.contains("verdict=\"unknown\"} 1\n"), "{page}");
    }

    #[test]
    fn a_series_is_there_once_and_its_labels_are_escaped() {
        let mut twin = server(1, &[key("new")]);
        twin.serial = Some(7);
        let page = page(vec![server(1, &[key("new")]), twin]);
        assert_eq!(
            page.matches("\ndanewright_server_serial{").count(),
            1,
            "{page}"
        );
        assert_eq!(escaped("a\\046\"b\n"), "a\\\\046\\\"b\\n");
    }
}
