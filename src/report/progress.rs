//! What a person sees while `verify --wait` waits: how long still, and what
//! each server is waited for. Words only; who draws them is not known here.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::finding::Severity;
use crate::propagation::{Judged, label, moment, overall};
use crate::report::servers::{coarse, standings};
use crate::report::table::cell;
use crate::report::timeline::bar;

/// The lines of the display, for a moment between two checks.
#[must_use]
pub fn lines(targets: &[Judged], now: DateTime<Utc>, next: DateTime<Utc>, most: usize) -> Vec<String> {
    let mut lines = vec![headline(targets, now, next)];
    lines.extend(longest(targets, now));
    let mut servers: Vec<(Severity, String)> = Vec::new();
    for target in targets {
        let of = if targets.len() > 1 { format!("{} at ", target.evidence.owner) } else { String::new() };
        for hop in &target.evidence.hops {
            for standing in standings(target, hop) {
                let name = label(standing.answer);
                let line = format!("{:<8} {of}{name}: {}", standing.state(), standing.sentence(now));
                servers.push((standing.severity, cell(&line)));
            }
        }
        // What is waited for beside servers: a resolver, mostly.
        for finding in &target.verdict.findings {
            if finding.severity == Severity::Wait && finding.code == "resolver-stale" {
                let name = finding.server.clone().unwrap_or_default();
                servers.push((Severity::Wait, cell(&format!("{:<8} {of}{name}: {}", "wait", finding.message))));
            }
        }
    }
    servers.sort_by_key(|(severity, _)| Reverse(*severity));
    let (count, room) = (servers.len(), most.saturating_sub(lines.len()).max(1));
    if count > room {
        servers.truncate(room.saturating_sub(1));
    }
    let more = count - servers.len();
    lines.extend(servers.into_iter().map(|(_, line)| line));
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn headline(targets: &[Judged], now: DateTime<Utc>, next: DateTime<Utc>) -> String {
    let (_, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let look = format!("next look in {}", coarse(next - now));
    match safe_at {
        Some(time) => format!("waiting: safe at {}, in {}; {look}", moment(time), coarse(time - now)),
        None => format!("waiting for servers to catch up; {look}"),
    }
}

/// The bar of the hold that lasts longest, when all of them run.
fn longest(targets: &[Judged], now: DateTime<Utc>) -> Option<String> {
    overall(targets.iter().map(|target| &target.verdict)).1?;
    let holds = targets.iter().filter_map(|target| Some((target.verdict.hold?.until?, target.verdict.agreed_since?)));
    let (until, agreed) = holds.filter(|(until, _)| *until > now).max()?;
    Some(bar(agreed, until, now))
}

/// What tells one state of the wait from another, for those who want a line
/// only when something has changed.
#[must_use]
pub fn state(targets: &[Judged]) -> Vec<(String, &'static str, Option<String>)> {
    let mut state: Vec<_> = targets
        .iter()
        .flat_map(|target| {
            let owner = target.evidence.owner.to_string();
            let weighty = target.verdict.findings.iter().filter(|finding| finding.severity > Severity::Note);
            weighty.map(move |finding| (owner.clone(), finding.code, finding.server.clone()))
        })
        .collect();
    state.dedup();
    state
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::propagation::memory::Memory;
    use crate::propagation::sample::{at, evidence, key, name, resolver, server};
    use crate::propagation::{Expectation, HoldWish, Policy, check};
    use crate::tlsa::Tlsa;

    fn judged(second: &[Tlsa]) -> Judged {
        let both = [key("new"), key("old")];
        let mut evidence = evidence(vec![server(1, &both), server(2, second)]);
        evidence.resolvers = vec![resolver(second, 60)];
        let expectation = Expectation::new(vec![key("new")], None);
        let policy = Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..Policy::default() };
        let memory = Memory::empty(&name("example.com"));
        let (verdict, memory) = check(&evidence, &expectation, &memory, &policy, at("12:00:00"));
        let watch = memory.of(&evidence.owner, &expectation);
        Judged { evidence, expectation, verdict, watch }
    }

    #[test]
    fn each_server_says_what_it_is_waited_for() {
        let lines = lines(&[judged(&[key("old")])], at("12:00:07"), at("12:00:12"), 20);
        assert_eq!(lines[0], "waiting for servers to catch up; next look in 5s");
        let lag = lines.iter().find(|line| line.contains("ns2.example.net.")).unwrap();
        assert!(lag.starts_with("wait     ns2.example.net. 192.0.2.2: lacks 3 1 1 "), "{lag}");
        assert!(lag.ends_with("; others agree for 7s"), "{lag}");
        assert!(lines.contains(&"ok       ns1.example.net. 192.0.2.1: agrees for 7s".to_owned()), "{lines:#?}");
        assert!(
            lines.iter().any(|line| line.starts_with("wait     127.0.0.1: this resolver holds a set")),
            "{lines:#?}"
        );
    }

    #[test]
    fn the_time_left_goes_down_between_two_checks() {
        let judged = [judged(&[key("new"), key("old")])];
        let lines = lines(&judged, at("13:00:00"), at("13:00:10"), 20);
        assert_eq!(lines[0], "waiting: safe at 2026-11-21T14:00:00Z, in 1h; next look in 10s");
        assert!(lines[1].ends_with("|  50 %, 1h left"), "{}", lines[1]);
    }

    #[test]
    fn many_servers_do_not_push_the_worst_off_the_screen() {
        let targets = vec![judged(&[key("new"), key("old")]), judged(&[key("old")]), judged(&[key("new")])];
        let lines = lines(&targets, at("12:00:00"), at("12:00:05"), 4);
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[1].starts_with("wait "), "{lines:#?}");
        assert_eq!(lines[3], "and 5 more");
    }
}
