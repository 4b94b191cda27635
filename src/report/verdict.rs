//! The verdict for people: what it is and what to do next, then for each target
//! every server's line, the findings with the heaviest first, and the hold.
//! Everything that came from the network is escaped.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::duration;
use crate::finding::Finding;
use crate::propagation::evidence::{Evidence, Hop, Outcome, ResolverAnswer, ServerAnswer};
use crate::propagation::{Basis, Decision, Hold, Judged, address_text, brief, moment, overall};
use crate::report::hints::hint;
use crate::report::table::{cell, table};
use crate::tlsa::Tlsa;

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
    let mut text = format!("{}: {}\n", word(decision, look.color), next_step(targets, decision, safe_at, checked_at));
    for target in targets {
        text.push('\n');
        text.push_str(&one(target, checked_at, look));
    }
    text
}

/// The verdict in one line, for those who wait.
#[must_use]
pub fn line(targets: &[Judged], checked_at: DateTime<Utc>) -> String {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let findings = targets.iter().flat_map(|target| &target.verdict.findings);
    let worst = findings.min_by_key(|finding| Reverse(finding.severity));
    let reason = worst.map(|finding| format!("; {}", sentence(finding))).unwrap_or_default();
    let time = safe_at.map(|time| format!(" until {} ({})", moment(time), left(time, checked_at))).unwrap_or_default();
    format!("{} {}{time}{reason}", moment(checked_at), decision.word())
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

fn one(target: &Judged, now: DateTime<Utc>, look: Look) -> String {
    let Judged { evidence, expectation, verdict } = target;
    let zone = evidence.hops.first().map(|hop| format!(" in the zone {}", hop.zone)).unwrap_or_default();
    let mut text = format!("{}{zone}: {}\n", evidence.owner, verdict.decision.word());
    text.push_str(&listed("new", expectation.expected()));
    text.push_str(&listed("current", expectation.current().unwrap_or_default()));
    let deployed = expectation.current().unwrap_or_default();
    let wanted: Vec<Tlsa> = expectation.expected().iter().chain(deployed).cloned().collect();
    text.push_str(&servers(evidence, &wanted, look));
    text.push_str(&resolvers(&evidence.resolvers, expectation.expected(), look));
    text.push_str(&findings(&verdict.findings));
    text.push_str(&timeline(verdict.agreed_since, verdict.hold, now));
    text
}

fn listed(what: &str, records: &[Tlsa]) -> String {
    records.iter().map(|record| format!("  {what:<8} {record}\n")).collect()
}

fn servers(evidence: &Evidence, wanted: &[Tlsa], look: Look) -> String {
    let mut text = String::new();
    for (index, hop) in evidence.hops.iter().enumerate() {
        if index > 0 {
            text.push_str(&format!("\nthe alias leads to {} in the zone {}\n", hop.owner, hop.zone));
        }
        let next = evidence.hops.get(index + 1);
        let rows: Vec<Vec<String>> = hop.servers.iter().map(|server| row(server, next, wanted)).collect();
        if !rows.is_empty() {
            let headings = ["server", "address", "answer", "security", "serial", "ttl", "missing"];
            text.push('\n');
            text.push_str(&table(&headings, &rows, look.width));
        }
    }
    text
}

fn row(server: &ServerAnswer, next: Option<&Hop>, wanted: &[Tlsa]) -> Vec<String> {
    let missing = match next {
        _ if !matches!(server.outcome, Outcome::Answered | Outcome::NoData | Outcome::NoName) => "?".to_owned(),
        Some(next) if server.alias.as_ref() == Some(&next.owner) => "-".to_owned(),
        Some(_) => "the alias".to_owned(),
        None => missing(&server.records, wanted),
    };
    vec![
        server.name.to_string(),
        server.address.map_or_else(|| "none".to_owned(), address_text),
        server.outcome.word().to_owned(),
        server.security.word().to_owned(),
        or_dash(server.serial),
        or_dash(server.ttl),
        missing,
    ]
}

fn resolvers(resolvers: &[ResolverAnswer], expected: &[Tlsa], look: Look) -> String {
    let row = |resolver: &ResolverAnswer| {
        let answered = matches!(resolver.outcome, Outcome::Answered | Outcome::NoData | Outcome::NoName);
        vec![
            address_text(resolver.address),
            resolver.outcome.word().to_owned(),
            (if resolver.authenticated { "yes" } else { "no" }).to_owned(),
            or_dash(resolver.ttl),
            if answered { missing(&resolver.records, expected) } else { "?".to_owned() },
        ]
    };
    let rows: Vec<Vec<String>> = resolvers.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}", table(&["resolver", "answer", "validates", "ttl", "missing"], &rows, look.width))
}

fn missing(records: &[Tlsa], wanted: &[Tlsa]) -> String {
    if records.is_empty() {
        return "all records".to_owned();
    }
    let lacking: Vec<String> = wanted.iter().filter(|record| !records.contains(record)).map(brief).collect();
    match lacking.len() {
        0 => "-".to_owned(),
        1 => lacking.concat(),
        count => format!("{count} of {} records", wanted.len()),
    }
}

fn or_dash(number: Option<u32>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut told = None;
    for (index, finding) in findings.iter().enumerate() {
        if index == 0 {
            text.push('\n');
        }
        text.push_str(&format!("{:<8} {:<22} {}\n", finding.severity.word(), finding.code, sentence(finding)));
        let kind = |finding: &Finding| (finding.code, finding.severity);
        let last = findings.get(index + 1).is_none_or(|next| kind(next) != kind(finding));
        if let Some(hint) = hint(finding.code, finding.severity).filter(|hint| last && told != Some(*hint)) {
            told = Some(hint);
            text.push_str(&format!("{:<8} hint: {hint}\n", ""));
        }
    }
    text
}

fn sentence(finding: &Finding) -> String {
    let server = finding.server.as_ref().map(|server| format!("{server}: ")).unwrap_or_default();
    cell(&format!("{server}{}", finding.message))
}

fn timeline(agreed: Option<DateTime<Utc>>, hold: Option<Hold>, now: DateTime<Utc>) -> String {
    let Some(hold) = hold else { return String::new() };
    let length = hold.length.map_or_else(|| "unknown".to_owned(), duration::text);
    let basis = match hold.basis {
        Basis::Asked => "as asked for".to_owned(),
        Basis::OldTtl(ttl) => format!("twice the TTL of the set before, {ttl} s"),
        Basis::NegativeTtl(ttl) => format!("twice the negative TTL, {ttl} s, as there was no set before"),
        Basis::Assumed => "assumed, as the set before was not seen".to_owned(),
        Basis::Signature(Some(expires)) => {
            format!("at least, and until the old signature expires at {}", moment(expires))
        }
        Basis::Signature(None) => "until the old signature expires, which was not seen".to_owned(),
    };
    let mut text = format!("\nhold     {length}: {basis}\n");
    let Some(agreed) = agreed else {
        text.push_str("         it starts when the last server serves the new records\n");
        return text;
    };
    text.push_str(&format!("         {}  all servers agree\n", moment(agreed)));
    let now_line = format!("         {}  now\n", moment(now));
    match hold.until {
        Some(until) if until <= now => text.push_str(&format!("         {}  hold over\n{now_line}", moment(until))),
        Some(until) => {
            text.push_str(&format!("{now_line}         {}  hold over, {}\n", moment(until), left(until, now)))
        }
        None => text.push_str(&now_line),
    }
    text
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::propagation::evidence::Security;
    use crate::propagation::memory::Memory;
    use crate::propagation::sample::{at, evidence, failing, key, name, resolver, server};
    use crate::propagation::{Expectation, HoldWish, Policy, check};

    fn judged(evidence: Evidence, hold: HoldWish) -> Judged {
        let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
        let policy = Policy { hold, ..Policy::default() };
        let memory = Memory::empty(&name("example.com"));
        let verdict = check(&evidence, &expectation, &memory, &policy, at("12:00:00")).0;
        Judged { evidence, expectation, verdict }
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
            "SERVER            ADDRESS    ANSWER    SECURITY  SERIAL      TTL   MISSING",
            "ns2.example.net.  192.0.2.2  answered  secure    2026112001  3600  -",
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
        assert!(place("\nunsafe ") < place("\nunknown ") && place("\nunknown ") < place("\nwait "));
        assert_eq!(text.matches("hint: see whether the zone was reloaded").count(), 1, "{text}");
        assert!(text.contains("record-missing         ns1.example.net. 192.0.2.1: lacks 3 1 1 "));
        assert!(text.contains("it starts when the last server serves the new records"));
        let bogus = text.lines().find(|line| line.starts_with("ns3")).unwrap();
        assert!(bogus.ends_with(&format!("  {}", brief(&key("old")))), "the deployed key is missing: {bogus}");
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
            let judged = Judged { evidence, expectation: expectation.clone(), verdict };
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
