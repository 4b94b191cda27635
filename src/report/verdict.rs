//! The verdict for people: what it is, why, and what to do next; then for each
//! target every server's line, the findings with the heaviest first, and the
//! hold. Everything that came from the network is escaped.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::duration;
use crate::finding::{Finding, Severity};
use crate::propagation::{Decision, Judged, moment, overall};
use crate::report::hints::hint;
use crate::report::servers::{resolvers, servers};
use crate::report::table::cell;
use crate::report::timeline::timeline;
use crate::report::wrap::wrapped;
use crate::tlsa::Tlsa;

/// Where what belongs to a heading begins.
const INDENT: usize = 9;

/// With more targets than this, those that are safe take one line each.
const MANY: usize = 8;

/// How the report is to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Columns that tables may fill; `None` when no terminal shows them.
    pub width: Option<usize>,
    /// Whether the verdict's word is coloured.
    pub color: bool,
}

/// The whole report.
#[must_use]
pub fn text(targets: &[Judged], checked_at: DateTime<Utc>, look: Look) -> String {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let step = format!("{}: {}", decision.word().to_uppercase(), next_step(targets, decision, safe_at, checked_at));
    let step = wrapped(&step, 0, look.width);
    let (_, rest) = step.split_at(decision.word().len());
    let mut text = format!("{}{rest}\n", word(decision, look.color));
    for line in reason(targets, decision) {
        text.push_str(&format!("{}\n", wrapped(&line, INDENT, look.width)));
    }
    let told = worst(targets).and_then(|(_, finding)| hint(finding.code, finding.severity));
    let brief = targets.len() > MANY;
    let mut after_line = false;
    for target in targets {
        let line = brief && target.verdict.decision == Decision::Safe;
        if !(line && after_line) {
            text.push('\n');
        }
        after_line = line;
        let title = title(target, look.width);
        text.push_str(&if line { title } else { one(target, title, told, checked_at, look.width) });
    }
    text
}

/// The verdict in one line, for those who wait.
#[must_use]
pub fn line(targets: &[Judged], checked_at: DateTime<Utc>) -> String {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let reason = worst(targets).map(|(_, finding)| format!("; {}", sentence(finding))).unwrap_or_default();
    let time = safe_at.map(|time| format!(" until {} ({})", moment(time), left(time, checked_at))).unwrap_or_default();
    format!("{} {}{time}{reason}", moment(checked_at), decision.word())
}

/// The heaviest finding of all, with its target.
pub(crate) fn worst(targets: &[Judged]) -> Option<(&Judged, &Finding)> {
    let all = targets.iter().flat_map(|target| target.verdict.findings.iter().map(move |finding| (target, finding)));
    all.min_by_key(|(_, finding)| Reverse(finding.severity))
}

/// What decided, the first of the heaviest findings, and what to do about it.
fn reason(targets: &[Judged], decision: Decision) -> Vec<String> {
    let Some((target, finding)) = worst(targets).filter(|(_, finding)| finding.severity > Severity::Note) else {
        return Vec::new();
    };
    let weighs = |finding: &&Finding| Decision::from(finding.severity) == decision;
    let others = targets.iter().flat_map(|target| &target.verdict.findings).filter(weighs).count() - 1;
    let of = if targets.len() > 1 { format!("{}: ", target.evidence.owner) } else { String::new() };
    let more = match others {
        0 => String::new(),
        1 => "; and one more".to_owned(),
        count => format!("; and {count} more"),
    };
    let mut lines = vec![format!("why      {of}{}{more}", sentence(finding))];
    lines.extend(hint(finding.code, finding.severity).map(|hint| format!("to do    {hint}")));
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
    if color { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word }
}

fn next_step(targets: &[Judged], decision: Decision, safe_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    match (decision, safe_at) {
        (Decision::Safe, _) if targets.iter().all(is_done) => {
            "the new key may be in use; no old record is left, so there is nothing left to do".to_owned()
        }
        (Decision::Safe, _) => "deploy the new key now; prune the old records when every service uses it".to_owned(),
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

/// Whether it was safe before, and the servers serve nothing but the new records.
fn is_done(target: &Judged) -> bool {
    let servers = target.evidence.hops.last().map(|hop| hop.servers.as_slice()).unwrap_or_default();
    let mut records = servers.iter().flat_map(|server| &server.records);
    target.verdict.cleared && records.all(|record| target.expectation.expected().contains(record))
}

fn left(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("in {}", duration::text(time - now))
}

fn title(target: &Judged, width: Option<usize>) -> String {
    let Judged { evidence, verdict, .. } = target;
    let zone = evidence.hops.first().map(|hop| format!(" in the zone {}", hop.zone)).unwrap_or_default();
    let line = format!("{}{zone}: {}", evidence.owner, verdict.decision.word());
    format!("{}\n", wrapped(&line, 2, width))
}

fn one(target: &Judged, title: String, told: Option<&'static str>, now: DateTime<Utc>, width: Option<usize>) -> String {
    let Judged { evidence, expectation, verdict, .. } = target;
    let mut text = title;
    text.push_str(&listed("new", expectation.expected(), width));
    text.push_str(&listed("current", expectation.current().unwrap_or_default(), width));
    text.push_str(&servers(target, now, width));
    text.push_str(&resolvers(&evidence.resolvers, expectation.expected(), width));
    text.push_str(&findings(&verdict.findings, told, width));
    text.push_str(&timeline(verdict.agreed_since, verdict.hold, now, width));
    text
}

fn listed(what: &str, records: &[Tlsa], width: Option<usize>) -> String {
    let line = |record: &Tlsa| format!("{}\n", wrapped(&format!("{what:<8} {record}"), INDENT, width));
    records.iter().map(line).collect()
}

/// The findings, those that say the same of several servers together; `told` is
/// the hint that stands above already.
fn findings(findings: &[Finding], mut told: Option<&'static str>, width: Option<usize>) -> String {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let same = |group: &&mut Vec<&Finding>| {
            let first = group.first();
            first
                .is_some_and(|f| (f.severity, f.code, &f.message) == (finding.severity, finding.code, &finding.message))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let mut text = if groups.is_empty() { String::new() } else { "\n".to_owned() };
    let mut line = |line: String| text.push_str(&format!("{}\n", wrapped(&line, INDENT, width)));
    for (index, group) in groups.iter().enumerate() {
        let Some(first) = group.first() else { continue };
        let lead = format!("{:<8} {}: ", first.severity.word(), first.code);
        if group.len() > 1 {
            let servers: Vec<&str> = group.iter().filter_map(|finding| finding.server.as_deref()).collect();
            line(format!("{lead}{}", cell(&first.message)));
            line(format!("{:INDENT$}at {}", "", cell(&servers.join(", "))));
        } else {
            line(format!("{lead}{}", sentence(first)));
        }
        let next = groups.get(index + 1).and_then(|group| group.first());
        let last = next.is_none_or(|next| (next.code, next.severity) != (first.code, first.severity));
        if let Some(hint) = hint(first.code, first.severity).filter(|hint| last && told != Some(*hint)) {
            told = Some(hint);
            line(format!("{:INDENT$}to do: {hint}", ""));
        }
    }
    text
}

/// The finding with the server it is about, escaped.
pub(crate) fn sentence(finding: &Finding) -> String {
    let server = finding.server.as_ref().map(|server| format!("{server}: ")).unwrap_or_default();
    cell(&format!("{server}{}", finding.message))
}

#[cfg(test)]
mod tests;
