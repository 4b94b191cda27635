//! The verdict for people: what it is, why, and what to do next; then, where
//! there are many targets, a line for each; then the details of each, the worst
//! first. Everything that came from the network is escaped.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::duration;
use crate::finding::{Finding, Severity};
use crate::propagation::{Decision, Judged, moment, overall};
use crate::report::details::details;
use crate::report::hints;
use crate::report::sentence::{sentence, worst};
use crate::report::servers::{coarse, since};
use crate::report::table::worded;
use crate::report::wrap::wrapped;

/// Where what belongs to a heading begins.
const INDENT: usize = 9;

/// With more targets than this there is a line for each, and details of those
/// that are not safe.
const MANY: usize = 8;

/// How the report is to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Columns that tables may fill; `None` when no terminal shows them.
    pub width: Option<usize>,
    /// Whether the verdict's word is coloured.
    pub color: bool,
    /// Whether there are details of every target, however many there are.
    pub verbose: bool,
}

/// The whole report.
#[must_use]
pub fn text(targets: &[Judged], checked_at: DateTime<Utc>, look: Look) -> String {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let step = format!(
        "{}: {}",
        decision.word().to_uppercase(),
        next_step(targets, decision, safe_at, checked_at)
    );
    let step = wrapped(&step, 0, look.width);
    let (_, rest) = step.split_at(decision.word().len());
    let mut text = format!("{}{rest}\n", word(decision, look.color));
    for line in reason(targets, decision, checked_at) {
        text.push_str(&format!("{}\n", wrapped(&line, INDENT, look.width)));
    }
    // What stands above is not said again below.
    let mut told: Vec<&str> = worst(targets)
        .and_then(|(target, finding)| hints::of(target, finding))
        .into_iter()
        .collect();
    let mut order: Vec<&Judged> = targets.iter().collect();
    order.sort_by_key(|target| Reverse(target.verdict.decision));
    if targets.len() > MANY {
        text.push_str(&format!("\n{}", overview(&order, checked_at, look.width)));
        order.retain(|target| look.verbose || target.verdict.decision != Decision::Safe);
    }
    text.push_str(&details(&order, &mut told, checked_at, look.width));
    text
}

/// The verdict in one line, for those who wait.
#[must_use]
pub fn line(targets: &[Judged], checked_at: DateTime<Utc>) -> String {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let reason = worst(targets)
        .map(|(_, finding)| format!("; {}", sentence(finding)))
        .unwrap_or_default();
    let time = safe_at
        .map(|time| format!(" until {} ({})", moment(time), left(time, checked_at)))
        .unwrap_or_default();
    format!("{} {}{time}{reason}", moment(checked_at), decision.word())
}

/// What decided, the first of the heaviest findings, and what to do about it.
fn reason(targets: &[Judged], decision: Decision, now: DateTime<Utc>) -> Vec<String> {
    let Some((target, finding)) =
        worst(targets).filter(|(_, finding)| finding.severity > Severity::Note)
    else {
        return Vec::new();
    };
    let weighs = |finding: &&Finding| Decision::from(finding.severity) == decision;
    let others = targets
        .iter()
        .flat_map(|target| &target.verdict.findings)
        .filter(weighs)
        .count()
        - 1;
    let of = if targets.len() > 1 {
        format!("{}: ", target.evidence.owner)
    } else {
        String::new()
    };
    let more = match others {
        0 => String::new(),
        1 => "; and one more".to_owned(),
        count => format!("; and {count} more"),
    };
    let mut lines = vec![format!(
        "why      {of}{}{}{more}",
        sentence(finding),
        since(target, finding, now)
    )];
    lines.extend(hints::of(target, finding).map(|hint| format!("to do    {hint}")));
    lines
}

fn word(decision: Decision, color: bool) -> String {
    let word = decision.word().to_uppercase();
    let code = match decision {
        Decision::Safe => "1;32",
        Decision::Wait => "1;33",
        Decision::Unknown => "1;35",
        Decision::Unsafe => "1;31",
    };
    if color {
        format!("\u{1b}[{code}m{word}\u{1b}[0m")
    } else {
        word
    }
}

fn next_step(
    targets: &[Judged],
    decision: Decision,
    safe_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> String {
    match (decision, safe_at) {
        (Decision::Safe, _) if targets.iter().all(has_only_new) => {
            if targets.iter().all(|target| target.verdict.cleared) {
                "the new key may be in use; no old record is left, so there is nothing left to do".to_owned()
            } else {
                "deploy the new key now; no other record is published".to_owned()
            }
        }
        (Decision::Safe, _) => "deploy the new key now; prune the old records when every service uses it".to_owned(),
        (Decision::Wait, _) if targets.iter().any(|target| target.verdict.unpublished) => {
            "do not deploy; no server has the new record, and nothing says that it is on its way: publish it with \
             danewright patch and reload the zone, or see whether key, host and port are the right ones"
                .to_owned()
        }
        (Decision::Wait, Some(time)) => format!(
            "do not deploy yet; if nothing changes it is safe at {} ({}): ask again then, or use --wait",
            moment(time),
            left(time, now)
        ),
        (Decision::Wait, None) => {
            "do not deploy yet; servers have to catch up first, ask again in a while or use --wait".to_owned()
        }
        (Decision::Unknown, _) => {
            "do not deploy; what could not be found out is listed below, then ask again".to_owned()
        }
        (Decision::Unsafe, _) => "do not deploy; something is wrong now".to_owned(),
    }
}

/// Whether the servers serve nothing but the new records.
fn has_only_new(target: &Judged) -> bool {
    let servers = target
        .evidence
        .hops
        .last()
        .map(|hop| hop.servers.as_slice())
        .unwrap_or_default();
    let mut records = servers.iter().flat_map(|server| &server.records);
    records.all(|record| target.expectation.expected().contains(record))
}

/// A line for each target.
fn overview(targets: &[&Judged], now: DateTime<Utc>, width: Option<usize>) -> String {
    let row = |target: &&Judged| {
        let verdict = &target.verdict;
        let what = match (verdict.decision, verdict.safe_at, verdict.agreed_since) {
            (Decision::Safe, _, Some(agreed)) => format!("all agree for {}", coarse(now - agreed)),
            (Decision::Safe, _, None) => String::new(),
            (_, Some(time), _) => format!("safe at {} ({})", moment(time), left(time, now)),
            _ => worst(std::slice::from_ref(*target))
                .map(|(_, finding)| sentence(finding))
                .unwrap_or_default(),
        };
        vec![
            verdict.decision.word().to_owned(),
            target.evidence.owner.to_string(),
            what,
        ]
    };
    let rows: Vec<Vec<String>> = targets.iter().map(row).collect();
    worded(&["", "target", "what"], &rows, width, |row| match row {
        [word, owner, what] => vec![format!("{word:<8} {owner}"), what.clone()],
        _ => row.to_vec(),
    })
}

fn left(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("in {}", duration::text(time - now))
}

#[cfg(test)]
mod tests;
