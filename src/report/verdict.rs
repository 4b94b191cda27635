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
    if let Some(reason) = reason(targets, decision) {
        text.push_str(&format!("{}\n", wrapped(&reason, 0, look.width)));
    }
    let brief = targets.len() > MANY;
    let mut after_line = false;
    for target in targets {
        let line = brief && target.verdict.decision == Decision::Safe;
        if !(line && after_line) {
            text.push('\n');
        }
        after_line = line;
        let title = title(target, look.width);
        text.push_str(&if line { title } else { one(target, title, checked_at, look.width) });
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

/// What decided, in a sentence: the first of the heaviest findings.
fn reason(targets: &[Judged], decision: Decision) -> Option<String> {
    let (target, finding) = worst(targets).filter(|(_, finding)| finding.severity > Severity::Note)?;
    let weighs = |finding: &&Finding| Decision::from(finding.severity) == decision;
    let others = targets.iter().flat_map(|target| &target.verdict.findings).filter(weighs).count() - 1;
    let of = if targets.len() > 1 { format!("{}: ", target.evidence.owner) } else { String::new() };
    let more = match others {
        0 => String::new(),
        1 => ", and one more".to_owned(),
        count => format!(", and {count} more"),
    };
    Some(format!("because {of}{}{more}", sentence(finding)))
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
        (Decision::Unsafe, _) => "do not deploy; something is wrong now, see below".to_owned(),
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

fn one(target: &Judged, title: String, now: DateTime<Utc>, width: Option<usize>) -> String {
    let Judged { evidence, expectation, verdict, .. } = target;
    let mut text = title;
    text.push_str(&listed("new", expectation.expected(), width));
    text.push_str(&listed("current", expectation.current().unwrap_or_default(), width));
    text.push_str(&servers(target, now, width));
    text.push_str(&resolvers(&evidence.resolvers, expectation.expected(), width));
    text.push_str(&findings(&verdict.findings, width));
    text.push_str(&timeline(verdict.agreed_since, verdict.hold, now, width));
    text
}

fn listed(what: &str, records: &[Tlsa], width: Option<usize>) -> String {
    let line = |record: &Tlsa| format!("{}\n", wrapped(&format!("  {what:<8} {record}"), 11, width));
    records.iter().map(line).collect()
}

fn findings(findings: &[Finding], width: Option<usize>) -> String {
    const INDENT: usize = 9;
    let mut text = String::new();
    let mut told = None;
    for (index, finding) in findings.iter().enumerate() {
        if index == 0 {
            text.push('\n');
        }
        let line = format!("{:<8} {}: {}", finding.severity.word(), finding.code, sentence(finding));
        text.push_str(&format!("{}\n", wrapped(&line, INDENT, width)));
        let kind = |finding: &Finding| (finding.code, finding.severity);
        let last = findings.get(index + 1).is_none_or(|next| kind(next) != kind(finding));
        if let Some(hint) = hint(finding.code, finding.severity).filter(|hint| last && told != Some(*hint)) {
            told = Some(hint);
            text.push_str(&format!("{}\n", wrapped(&format!("{:INDENT$}hint: {hint}", ""), INDENT, width)));
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
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::propagation::evidence::{Evidence, Outcome, Security};
    use crate::propagation::memory::Memory;
    use crate::propagation::sample::{at, evidence, failing, key, name, resolver, server};
    use crate::propagation::{Expectation, HoldWish, Policy, check};

    fn judged(evidence: Evidence, hold: HoldWish) -> Judged {
        let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
        let policy = Policy { hold, ..Policy::default() };
        let memory = Memory::empty(&name("example.com"));
        let (verdict, memory) = check(&evidence, &expectation, &memory, &policy, at("12:00:00"));
        let watch = memory.of(&evidence.owner);
        Judged { evidence, expectation, verdict, watch }
    }

    fn report(evidence: Evidence, hold: HoldWish) -> String {
        text(&[judged(evidence, hold)], at("12:00:00"), Look::default())
    }

    #[test]
    fn a_wait_says_until_when_and_shows_the_hold() {
        let both = [key("new"), key("old")];
        let mut seen = evidence(vec![server(1, &both), server(2, &both)]);
        seen.resolvers = vec![resolver(&both, 60)];
        let text = report(seen, HoldWish::For(TimeDelta::hours(2)));
        assert!(
            text.starts_with("WAIT: do not deploy yet; if nothing changes it is safe at 2026-11-21T14:00:00Z (in 2h)")
        );
        for line in [
            "_25._tcp.mail.example.com. in the zone example.com.: wait",
            &format!("  new      {}", key("new")),
            &format!("  current  {}", key("old")),
            "    SERVER            ADDRESS    SERIAL      TTL   WHAT",
            "ok  ns2.example.net.  192.0.2.2  2026112001  3600  agrees for 0s",
            "RESOLVER   ANSWER    VALIDATES  TTL  MISSING",
            "127.0.0.1  answered  yes        60   -",
            "hold     2h: as asked for",
            "         2026-11-21T14:00:00Z  hold over, in 2h",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
        }
    }

    #[test]
    fn the_heaviest_finding_comes_first_with_its_hint_once() {
        let mut bogus = server(3, &[key("new")]);
        bogus.security = Security::Bogus;
        let servers = vec![server(1, &[key("old")]), server(4, &[key("old")]), failing(2, Outcome::Unreachable), bogus];
        let text = report(evidence(servers), HoldWish::TwiceTheOldTtl);
        assert!(text.starts_with("UNSAFE: do not deploy;"), "{text}");
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}\nin\n{text}"));
        let order = ["\nunsafe   bogus: ", "\nunknown  unreachable: ", "\nwait     record-missing: "].map(place);
        assert!(order.is_sorted(), "{text}");
        assert_eq!(text.matches("hint: see whether the zone was reloaded").count(), 1, "{text}");
        assert!(text.contains("record-missing: ns1.example.net. 192.0.2.1: lacks 3 1 1 "));
        assert!(text.contains("it starts when the last server serves the new records"));
        let bogus = text.lines().find(|line| line.contains("ns3") && line.ends_with("bogus, old-record-missing"));
        assert!(bogus.is_some_and(|line| line.starts_with("unsafe   ns3.example.net.")), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("because ns3.example.net. 192.0.2.3: "), "{text}");
    }

    #[test]
    fn text_from_the_network_cannot_take_over_the_terminal() {
        let mut seen = evidence(vec![server(1, &[key("new"), key("old")])]);
        seen.findings = vec![Finding::new("odd", crate::finding::Severity::Note, "says \u{1b}[2J\nSAFE: go on")];
        let text = report(seen, HoldWish::For(TimeDelta::hours(2)));
        assert!(!text.contains('\u{1b}') && !text.contains("\nSAFE"), "{text}");
    }

    #[test]
    fn colour_is_for_the_word_only() {
        let target = judged(evidence(Vec::new()), HoldWish::TwiceTheOldTtl);
        let colored = text(&[target], at("12:00:00"), Look { color: true, width: None });
        assert!(colored.starts_with("\u{1b}[1;35mUNKNOWN\u{1b}[0m: "));
        assert_eq!(colored.matches('\u{1b}').count(), 2);
    }

    #[test]
    fn when_the_old_records_are_gone_nothing_is_left_to_do() {
        let (both, alone) = ([key("new"), key("old")], [key("new")]);
        let expectation = Expectation::new(vec![key("new")], None);
        let memory = Memory::empty(&name("example.com"));
        let step = |memory: &Memory, records: &[Tlsa], time: DateTime<Utc>| {
            let evidence = evidence(vec![server(1, records)]);
            let (verdict, memory) = check(&evidence, &expectation, memory, &Policy::default(), time);
            let watch = memory.of(&evidence.owner);
            let judged = Judged { evidence, expectation: expectation.clone(), verdict, watch };
            (text(&[judged], time, Look::default()), memory)
        };
        let day = |days| at("00:00:00") + TimeDelta::days(days);
        let (_, memory) = step(&memory, &both, day(0));
        let (first, memory) = step(&memory, &both, day(1));
        assert!(first.starts_with("SAFE: deploy the new key now"), "{first}");
        let (still, memory) = step(&memory, &both, day(2));
        assert!(still.starts_with("SAFE: deploy the new key now"), "{still}");
        let (done, _) = step(&memory, &alone, day(3));
        assert!(done.starts_with("SAFE: the new key may be in use;"), "{done}");
    }

    #[test]
    fn a_hold_of_seconds_is_not_said_to_be_longer() {
        let now = at("12:00:00") + TimeDelta::milliseconds(900);
        assert_eq!(left(at("12:00:05"), now), "in 4s");
    }

    #[test]
    fn the_line_for_those_who_wait_says_why() {
        let both = [key("new"), key("old")];
        let target = judged(evidence(vec![server(1, &both), server(2, &[key("old")])]), HoldWish::TwiceTheOldTtl);
        let line = line(&[target], at("12:00:00"));
        assert!(line.starts_with("2026-11-21T12:00:00Z wait; "), "{line}");
    }
}
