//! What a person sees while `verify --wait` waits: how long still, and what
//! each server is waited for. Words only; who draws them is not known here.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::finding::Severity;
use crate::propagation::{Decision, Judged, moment, overall};
use crate::report::servers::{coarse, standings};
use crate::report::table::cell;
use crate::report::timeline::bar;
use crate::report::wrap::wrapped;

/// Lines that one server may take where the terminal is narrow.
const PARAGRAPH: usize = 4;

/// What one server is waited for, and at how many targets.
struct Row {
    severity: Severity,
    state: &'static str,
    server: String,
    sentence: String,
    owners: Vec<String>,
}

/// The lines of the display, for a moment between two checks: at most so many,
/// of at most `width` columns. What has no room is cut where it matters least,
/// and is seen to be.
#[must_use]
pub fn lines(
    targets: &[Judged],
    now: DateTime<Utc>,
    next: DateTime<Utc>,
    most: usize,
    width: usize,
) -> Vec<String> {
    let mut lines = paragraph(&headline(targets, now, next), width);
    lines.extend(longest(targets, now));
    let mut rows = rows(targets, now);
    rows.sort_by_key(|row| Reverse(row.severity));
    let mut left = rows.len();
    for row in &rows {
        let own = paragraph(&row.text(targets.len()), width);
        // A line for those that have no room, unless this is the last one.
        let room = most.saturating_sub(lines.len() + usize::from(left > 1));
        if own.len() > room {
            break;
        }
        lines.extend(own);
        left -= 1;
    }
    if left > 0 {
        lines.push(format!("and {left} more"));
    }
    lines.iter().map(|line| cut(line, width)).collect()
}

fn rows(targets: &[Judged], now: DateTime<Utc>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    // There may be as many rows as there are servers of all targets.
    let mut known: HashMap<(Severity, String, String), usize> = HashMap::new();
    for target in targets {
        let mut add = |severity, state, server: String, sentence: String| {
            let owner = target.evidence.owner.to_string();
            let at = *known
                .entry((severity, server.clone(), sentence.clone()))
                .or_insert(rows.len());
            match rows.get_mut(at) {
                // Twice at one target.
                Some(row) if row.owners.last() == Some(&owner) => {}
                Some(row) => row.owners.push(owner),
                None => rows.push(Row {
                    severity,
                    state,
                    server,
                    sentence,
                    owners: vec![owner],
                }),
            }
        };
        for hop in &target.evidence.hops {
            for standing in standings(target, hop) {
                add(
                    standing.severity,
                    standing.state(),
                    standing.answer.label(),
                    standing.sentence(now),
                );
            }
        }
        // What is waited for beside servers: a resolver, mostly, and no zone at all.
        let weighs = |severity| severity > Severity::Note;
        for finding in target
            .verdict
            .findings
            .iter()
            .filter(|finding| weighs(finding.severity))
        {
            let server = finding.server.clone().unwrap_or_default();
            if finding.code == "resolver-stale" || target.evidence.hops.is_empty() {
                add(
                    finding.severity,
                    finding.severity.word(),
                    server,
                    finding.message.clone(),
                );
            }
        }
    }
    rows
}

impl Row {
    fn text(&self, targets: usize) -> String {
        let server = if self.server.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.server)
        };
        let of = match (self.owners.as_slice(), targets) {
            ([owner], 2..) => format!("{owner} at "),
            _ => String::new(),
        };
        let many = if self.owners.len() > 1 {
            format!(" ({} targets)", self.owners.len())
        } else {
            String::new()
        };
        cell(&format!(
            "{:<8} {of}{server}{}{many}",
            self.state, self.sentence
        ))
    }
}

/// A sentence in a few lines; more than that are cut.
fn paragraph(text: &str, width: usize) -> Vec<String> {
    let broken = wrapped(text, 9, Some(width));
    let mut lines: Vec<String> = broken.lines().map(str::to_owned).collect();
    if lines.len() > PARAGRAPH {
        lines.truncate(PARAGRAPH);
        if let Some(last) = lines.last_mut() {
            *last = last
                .chars()
                .take(width.saturating_sub(1))
                .chain(['…'])
                .collect();
        }
    }
    lines
}

/// A line without what has no room, which is seen.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

fn headline(targets: &[Judged], now: DateTime<Utc>, next: DateTime<Utc>) -> String {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let look = format!("next look in {}", coarse(next - now));
    let count = |decision| {
        targets
            .iter()
            .filter(|target| target.verdict.decision == decision)
            .count()
    };
    match (decision, safe_at) {
        (_, Some(time)) => format!(
            "waiting: safe at {}, in {}; {look}",
            moment(time),
            coarse(time - now)
        ),
        (Decision::Unsafe, None) => {
            format!(
                "waiting for the others: {} of {} are unsafe; {look}",
                count(Decision::Unsafe),
                targets.len()
            )
        }
        (Decision::Unknown, None) => {
            format!("cannot tell at the moment, and waiting for that to pass; {look}")
        }
        (Decision::Safe | Decision::Wait, None) => {
            format!("waiting for servers to catch up; {look}")
        }
    }
}

/// The bar of the hold that lasts longest, when all of them run.
fn longest(targets: &[Judged], now: DateTime<Utc>) -> Option<String> {
    overall(targets.iter().map(|target| &target.verdict)).1?;
    let holds = targets
        .iter()
        .filter_map(|target| Some((target.verdict.hold?.until?, target.verdict.agreed_since?)));
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
            let weighty = target
                .verdict
                .findings
                .iter()
                .filter(|finding| finding.severity > Severity::Note);
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
    use crate::propagation::fixtures::{at, evidence, key, name, resolver, server};
    use crate::propagation::memory::Memory;
    use crate::propagation::{Expectation, HoldWish, Policy, check};
    use crate::tlsa::Tlsa;

    fn judged(second: &[Tlsa]) -> Judged {
        let both = [key("new"), key("old")];
        let mut evidence = evidence(vec![server(1, &both), server(2, second)]);
        evidence.resolvers = vec![resolver(second, 60)];
        let expectation = Expectation::new(vec![key("new")], None);
        let policy = Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
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
    fn each_server_says_what_it_is_waited_for() {
        let lines = lines(
            &[judged(&[key("old")])],
            at("12:00:07"),
            at("12:00:12"),
            20,
            200,
        );
        assert_eq!(lines[0], "waiting for servers to catch up; next look in 5s");
        let lag = lines
            .iter()
            .find(|line| line.contains("ns2.example.net."))
            .unwrap();
        assert!(
            lag.starts_with("wait     ns2.example.net. 192.0.2.2: lacks 3 1 1 "),
            "{lag}"
        );
        assert!(lag.ends_with("; others agree for 7s"), "{lag}");
        assert!(
            lines.contains(&"ok       ns1.example.net. 192.0.2.1: agrees for 7s".to_owned()),
            "{lines:#?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("wait     127.0.0.1: this resolver holds a set")),
            "{lines:#?}"
        );
    }

    #[test]
    fn the_time_left_goes_down_between_two_checks() {
        let judged = [judged(&[key("new"), key("old")])];
        let lines = lines(&judged, at("13:00:00"), at("13:00:10"), 20, 79);
        assert_eq!(
            lines[0],
            "waiting: safe at 2026-11-21T14:00:00Z, in 1h; next look in 10s"
        );
        assert!(lines[1].ends_with("|  50 %, 1h left"), "{}", lines[1]);
    }

    #[test]
    fn many_servers_do_not_push_the_worst_off_the_screen() {
        let mut second = judged(&[key("old")]);
        second.evidence.owner = name("_465._tcp.mail.example.com");
        let mut third = judged(&[key("new")]);
        third.evidence.owner = name("_587._tcp.mail.example.com");
        let targets = vec![judged(&[key("new"), key("old")]), second, third];
        let whole = lines(&targets, at("12:00:00"), at("12:00:05"), 50, 200);
        for most in 3..whole.len() {
            let lines = lines(&targets, at("12:00:00"), at("12:00:05"), most, 200);
            assert_eq!(lines.len(), most, "{lines:#?}");
            assert_eq!(lines[..most - 1], whole[..most - 1]);
            assert_eq!(
                lines[most - 1],
                format!("and {} more", whole.len() - most + 1)
            );
        }
        assert!(whole[1].starts_with("wait     "), "{whole:#?}");
        assert!(
            whole
                .iter()
                .any(|line| line.starts_with("ok       ns1") && line.ends_with(" (3 targets)")),
            "{whole:#?}"
        );
    }

    #[test]
    fn on_80_columns_names_addresses_and_what_is_the_matter_can_be_read() {
        let mut judged = judged(&[key("old")]);
        let long = name("secondary-2.name-servers.a-rather-long-provider.example");
        let address = "[2001:db8:1111:2222:3333:4444:5555:6666]:53";
        let lagging = &mut judged.evidence.hops[0].servers[1];
        let before = lagging.label();
        (lagging.name, lagging.address) = (long, Some(address.parse().unwrap()));
        let after = lagging.label();
        for finding in judged
            .verdict
            .findings
            .iter_mut()
            .filter(|f| f.server.as_ref() == Some(&before))
        {
            finding.server = Some(after.clone());
        }
        for targets in [vec![judged.clone()], vec![judged.clone(), judged]] {
            let lines = lines(&targets, at("12:00:07"), at("12:00:12"), 20, 79);
            assert!(
                lines.iter().all(|line| line.chars().count() <= 79),
                "{lines:#?}"
            );
            let words = lines
                .join(" ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            assert!(
                words.contains(&format!("{after}: lacks 3 1 1 ")),
                "{lines:#?}"
            );
            assert!(!words.contains('…'), "{lines:#?}");
        }
    }

    #[test]
    fn what_is_cut_is_seen_to_be() {
        let mut judged = judged(&[key("old")]);
        let owner = name(
            &[
                "a".repeat(60),
                "b".repeat(60),
                "c".repeat(60),
                "example".to_owned(),
            ]
            .join("."),
        );
        for finding in &mut judged.verdict.findings {
            finding.message = format!("has an alias to {owner} where others have one to {owner}");
        }
        let lines = lines(&[judged], at("12:00:07"), at("12:00:12"), 20, 60);
        let end = lines
            .iter()
            .position(|line| line.ends_with('…'))
            .unwrap_or_else(|| panic!("{lines:#?}"));
        assert!(
            lines[..end]
                .iter()
                .any(|line| line.contains("has an alias to")),
            "{lines:#?}"
        );
        assert!(
            lines.iter().all(|line| line.chars().count() <= 60),
            "{lines:#?}"
        );
    }

    #[test]
    fn what_cannot_be_told_is_not_called_catching_up() {
        let mut judged = judged(&[key("new"), key("old")]);
        (judged.verdict.decision, judged.verdict.safe_at) = (Decision::Unknown, None);
        let first =
            |targets: &[Judged]| lines(targets, at("12:00:07"), at("12:00:12"), 20, 200).remove(0);
        assert!(first(std::slice::from_ref(&judged)).starts_with("cannot tell at the moment"));
        let mut bad = judged.clone();
        bad.verdict.decision = Decision::Unsafe;
        assert!(first(&[judged, bad]).starts_with("waiting for the others: 1 of 2 are unsafe; "));
        assert!(first(&[]).starts_with("cannot tell at the moment"));
    }
}
