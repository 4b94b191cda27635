//! The report as an operator reads it at night, world by world.

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
    assert!(text.starts_with("WAIT: do not deploy yet; if nothing changes it is safe at 2026-11-21T14:00:00Z (in 2h)"));
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

/// A world with long names, at a terminal of 80 columns.
fn night(name_: &str, spoil: impl Fn(&mut Evidence)) -> String {
    let both = [key("new"), key("old")];
    let mut seen = evidence(vec![server(1, &both), server(2, &both)]);
    seen.hops[0].servers[1].name = name("secondary-2.name-servers.a-rather-long-provider.example");
    seen.hops[0].servers[1].address = Some("[2001:db8:1111:2222:3333:4444:5555:6666]:53".parse().unwrap());
    seen.resolvers = vec![resolver(&both, 60)];
    let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
    let policy = Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..Policy::default() };
    let mut memory = Memory::empty(&name("example.com"));
    // All was well an hour ago.
    (_, memory) = check(&seen, &expectation, &memory, &policy, at("02:10:00"));
    spoil(&mut seen);
    let now = at("03:13:20");
    let (verdict, memory) = check(&seen, &expectation, &memory, &policy, now);
    let watch = memory.of(&seen.owner);
    let judged = Judged { evidence: seen, expectation, verdict, watch };
    let text = text(&[judged], now, Look { width: Some(80), color: false });
    println!("--- {name_}\n{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

#[test]
fn the_first_two_lines_say_what_is_wrong_and_where() {
    let second = |seen: &mut Evidence, change: &dyn Fn(&mut crate::propagation::evidence::ServerAnswer)| {
        change(&mut seen.hops[0].servers[1]);
    };
    let text = night("lagging", |seen| {
        second(seen, &|server| {
            server.records = vec![key("old")];
            server.serial = Some(2_026_112_000);
        });
    });
    assert!(text.starts_with("WAIT: "), "{text}");
    let text = night("refused", |seen| second(seen, &|server| *server = refused(server, Outcome::Refused)));
    assert!(text.starts_with("UNKNOWN: "), "{text}");
    let text = night("unreachable", |seen| second(seen, &|server| *server = refused(server, Outcome::Unreachable)));
    assert!(text.contains("last heard 1h3m ago"), "{text}");
    let text = night("expired", |seen| {
        second(seen, &|server| {
            server.security = Security::Bogus;
            server.findings = vec![Finding::new(
                "signature-expired",
                crate::finding::Severity::Unsafe,
                "a signature by key 4711 over the TLSA set of _25._tcp.mail.example.com. expired on 2026-11-20 at 23:00:00 UTC",
            )];
        });
    });
    assert!(text.starts_with("UNSAFE: "), "{text}");
    let text = night("unsigned", |seen| {
        let why = "the parent of example.com. has no DS for it, so its signatures count for nothing";
        let finding = Finding::new("insecure", crate::finding::Severity::Unsafe, why);
        seen.hops[0].chain[1].security = Security::Insecure;
        seen.hops[0].chain[1].findings = vec![finding.clone()];
        for server in &mut seen.hops[0].servers {
            server.security = Security::Insecure;
            server.findings = vec![finding.clone()];
        }
    });
    assert!(text.starts_with("UNSAFE: "), "{text}");
    let text = night("waiting", |_| {});
    assert!(text.starts_with("WAIT: "), "{text}");
    let text = night("old record gone", |seen| second(seen, &|server| server.records = vec![key("new")]));
    assert!(text.starts_with("UNSAFE: "), "{text}");
}

fn refused(
    server: &crate::propagation::evidence::ServerAnswer,
    outcome: Outcome,
) -> crate::propagation::evidence::ServerAnswer {
    let failed = failing(2, outcome);
    crate::propagation::evidence::ServerAnswer { name: server.name.clone(), address: server.address, ..failed }
}
