//! The verdict in one line, as monitoring plugins print it: the service, the
//! state, what is the matter, and figures after a bar.

use chrono::{DateTime, Utc};

use crate::duration;
use crate::propagation::{Decision, Judged, overall};
use crate::report::sentence::{sentence, worst};
use crate::report::table::cell;

/// The state in the words of monitoring plugins.
#[must_use]
pub fn state(decision: Decision) -> &'static str {
    match decision {
        Decision::Safe => "OK",
        Decision::Wait => "WARNING",
        Decision::Unsafe => "CRITICAL",
        Decision::Unknown => "UNKNOWN",
    }
}

/// The line, with its end.
#[must_use]
pub fn line(targets: &[Judged], checked_at: DateTime<Utc>) -> String {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let mut what = match (decision, worst(targets)) {
        (Decision::Safe, _) | (_, None) => format!("{} safe", count(targets, Decision::Safe)),
        (_, Some((target, finding))) => format!("{} {}", target.evidence.owner, sentence(finding)),
    };
    if let Some(time) = safe_at {
        what.push_str(&format!("; safe in {}", duration::text(time - checked_at)));
    }
    let others = targets
        .iter()
        .filter(|target| target.verdict.decision != Decision::Safe)
        .count();
    if others > 1 {
        what.push_str(&format!("; {others} of {} not safe", targets.len()));
    }
    let mut figures = vec![format!("targets={};;;0", targets.len())];
    for decision in [
        Decision::Safe,
        Decision::Wait,
        Decision::Unknown,
        Decision::Unsafe,
    ] {
        let count = targets
            .iter()
            .filter(|target| target.verdict.decision == decision)
            .count();
        figures.push(format!("{}={count};;;0", decision.word()));
    }
    if let Some(time) = safe_at {
        figures.push(format!(
            "safe_in={}s;;;0",
            (time - checked_at).num_seconds().max(0)
        ));
    }
    let servers = targets
        .iter()
        .flat_map(|target| &target.evidence.hops)
        .flat_map(|hop| &hop.servers);
    if let Some(expires) = servers.filter_map(|server| server.signature_expires).min() {
        figures.push(format!(
            "signature_left={}s",
            (expires - checked_at).num_seconds()
        ));
    }
    format!(
        "{}|{}\n",
        opening(state(decision), &what),
        figures.join(" ")
    )
}

/// The line where no verdict came about.
#[must_use]
pub fn failure(message: &str) -> String {
    format!("{}\n", opening(state(Decision::Unknown), message))
}

/// The bar begins the figures, so it has no place in the words.
fn opening(state: &str, what: &str) -> String {
    format!("DANE {state} - {}", cell(what).replace('|', "/"))
}

fn count(targets: &[Judged], decision: Decision) -> String {
    match targets
        .iter()
        .filter(|target| target.verdict.decision == decision)
        .count()
    {
        1 => "1 target".to_owned(),
        count => format!("{count} targets"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::finding::{Finding, Severity};
    use crate::propagation::evidence::{Outcome, Security, ServerAnswer};
    use crate::propagation::fixtures::{at, evidence, failing, key, name, server};
    use crate::propagation::memory::Memory;
    use crate::propagation::{Expectation, HoldWish, Policy, check};

    fn judged(servers: Vec<ServerAnswer>, hold: i64) -> Judged {
        let mut evidence = evidence(servers);
        evidence.findings = vec![Finding::new("odd", Severity::Note, "a|b\nc")];
        let expectation = Expectation::new(vec![key("new")], None);
        let policy = Policy {
            hold: HoldWish::For(TimeDelta::seconds(hold)),
            ..Policy::default()
        };
        let memory = Memory::empty(&name("example.com"));
        let (verdict, memory) = check(&evidence, &expectation, &memory, &policy, at("12:00:00"));
        let watch = memory.of(&evidence.owner, &expectation);
        Judged {
            evidence,
            expectation,
            verdict,
            watch,
        }
    }

    #[test]
    fn each_verdict_has_its_word_and_one_line() {
        let good = || server(1, &[key("new")]);
        let mut bogus = server(2, &[key("new")]);
        bogus.security = Security::Bogus;
        for (servers, hold, opening) in [
            (
                vec![good()],
                0,
                "DANE OK - 1 target safe|targets=1;;;0 safe=1;;;0 wait=0;;;0 ",
            ),
            (
                vec![good()],
                60,
                "DANE WARNING - _25._tcp.mail.example.com. all servers agree since ",
            ),
            (
                vec![good(), bogus],
                0,
                "DANE CRITICAL - _25._tcp.mail.example.com. ns2.example.net. 192.0.2.2: ",
            ),
            (
                vec![failing(1, Outcome::Unreachable)],
                0,
                "DANE UNKNOWN - _25._tcp.mail.example.com. ",
            ),
        ] {
            let line = line(&[judged(servers, hold)], at("12:00:00"));
            assert!(line.starts_with(opening), "{opening}: {line}");
            assert_eq!(
                (line.matches('\n').count(), line.matches('|').count()),
                (1, 1),
                "{line}"
            );
        }
    }

    #[test]
    fn of_many_the_worst_is_named_and_the_others_are_counted() {
        let lag = judged(
            vec![
                server(1, &[key("new"), key("old")]),
                server(2, &[key("old")]),
            ],
            0,
        );
        let line = line(
            &[judged(vec![server(1, &[key("new")])], 60), lag],
            at("12:00:00"),
        );
        assert!(
            line.contains("; 2 of 2 not safe|targets=2;;;0 safe=0;;;0 wait=2;;;0 "),
            "{line}"
        );
        assert_eq!(failure("a|b\nc"), "DANE UNKNOWN - a/b\\nc\n");
    }
}
