//! The report as an operator reads it at night, world by world.

use chrono::TimeDelta;

use super::*;
use crate::finding::Severity;
use crate::propagation::evidence::{Evidence, Outcome, Security, ServerAnswer};
use crate::propagation::fixtures::{at, evidence, failing, key, name, resolver, server};
use crate::propagation::memory::Memory;
use crate::propagation::{Expectation, HoldWish, Policy, check};
use crate::tlsa::Tlsa;

fn judged(evidence: Evidence, hold: HoldWish) -> Judged {
    let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
    let policy = Policy {
        hold,
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

fn report(evidence: Evidence, hold: HoldWish) -> String {
    text(&[judged(evidence, hold)], at("12:00:00"), Look::default())
}

#[test]
fn a_wait_says_until_when_and_shows_the_hold() {
    let both = [key("new"), key("old")];
    let mut seen = evidence(vec![server(1, &both), server(2, &both)]);
    seen.resolvers = vec![resolver(&both, 60)];
    let text = report(seen, HoldWish::For(TimeDelta::hours(2)));
    assert!(text.starts_with(
        "WAIT: do not deploy yet; if nothing changes it is safe at 2026-11-21T14:00:00Z (in 2h)"
    ));
    for line in [
        "_25._tcp.mail.example.com. in the zone example.com.: wait",
        &format!("new      {}", key("new")),
        &format!("current  {}", key("old")),
        "    SERVER            ADDRESS    SERIAL      TTL   WHAT",
        "ok  ns2.example.net.  192.0.2.2  2026112001  3600  agrees for 0s",
        "RESOLVER   ANSWER    VALIDATES  TTL  MISSING",
        "127.0.0.1  answered  yes        60   -",
        "hold     2h: as asked for",
        "         2026-11-21T14:00:00Z  hold over, in 2h",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line}\nin\n{text}"
        );
    }
}

#[test]
fn the_heaviest_finding_comes_first_with_its_hint_once() {
    let mut bogus = server(3, &[key("new")]);
    bogus.security = Security::Bogus;
    let servers = vec![
        server(1, &[key("old")]),
        server(4, &[key("old")]),
        failing(2, Outcome::Unreachable),
        bogus,
    ];
    let text = report(evidence(servers), HoldWish::TwiceTheOldTtl);
    assert!(text.starts_with("UNSAFE: do not deploy;"), "{text}");
    let place = |what: &str| {
        text.find(what)
            .unwrap_or_else(|| panic!("{what}\nin\n{text}"))
    };
    let order = [
        "\nunsafe   bogus: ",
        "\nunknown  unreachable: ",
        "\nwait     record-missing: ",
    ]
    .map(place);
    assert!(order.is_sorted(), "{text}");
    assert_eq!(
        text.matches("to do: see whether the zone was reloaded")
            .count(),
        1,
        "{text}"
    );
    assert!(text.contains("record-missing: lacks 3 1 1 "), "{text}");
    assert!(
        text.contains("\n         at ns1.example.net. 192.0.2.1, ns4.example.net. 192.0.2.4\n"),
        "{text}"
    );
    assert!(text.contains("it starts when the last server serves the new records"));
    let bogus = text
        .lines()
        .find(|line| line.contains("ns3") && line.ends_with("bogus, old-record-missing"));
    assert!(
        bogus.is_some_and(|line| line.starts_with("unsafe   ns3.example.net.")),
        "{text}"
    );
    assert!(
        text.lines()
            .nth(1)
            .unwrap()
            .starts_with("why      ns3.example.net. 192.0.2.3: "),
        "{text}"
    );
}

#[test]
fn text_from_the_network_cannot_take_over_the_terminal() {
    let mut seen = evidence(vec![server(1, &[key("new"), key("old")])]);
    seen.findings = vec![Finding::new(
        "odd",
        Severity::Note,
        "says \u{1b}[2J\nSAFE: go on",
    )];
    let text = report(seen, HoldWish::For(TimeDelta::hours(2)));
    assert!(
        !text.contains('\u{1b}') && !text.contains("\nSAFE"),
        "{text}"
    );
}

#[test]
fn colour_is_for_the_word_only() {
    let target = judged(evidence(Vec::new()), HoldWish::TwiceTheOldTtl);
    let colored = text(
        &[target],
        at("12:00:00"),
        Look {
            color: true,
            ..Look::default()
        },
    );
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
        let watch = memory.of(&evidence.owner, &expectation);
        let judged = Judged {
            evidence,
            expectation: expectation.clone(),
            verdict,
            watch,
        };
        (text(&[judged], time, Look::default()), memory)
    };
    let day = |days| at("00:00:00") + TimeDelta::days(days);
    let (_, memory) = step(&memory, &both, day(0));
    let (first, memory) = step(&memory, &both, day(1));
    assert!(first.starts_with("SAFE: deploy the new key now"), "{first}");
    let (still, memory) = step(&memory, &both, day(2));
    assert!(still.starts_with("SAFE: deploy the new key now"), "{still}");
    let (done, _) = step(&memory, &alone, day(3));
    assert!(
        done.starts_with("SAFE: the new key may be in use;"),
        "{done}"
    );
}

#[test]
fn a_hold_of_seconds_is_not_said_to_be_longer() {
    let now = at("12:00:00") + TimeDelta::milliseconds(900);
    assert_eq!(left(at("12:00:05"), now), "in 4s");
}

#[test]
fn the_line_for_those_who_wait_says_why() {
    let both = [key("new"), key("old")];
    let target = judged(
        evidence(vec![server(1, &both), server(2, &[key("old")])]),
        HoldWish::TwiceTheOldTtl,
    );
    let line = line(&[target], at("12:00:00"));
    assert!(line.starts_with("2026-11-21T12:00:00Z wait; "), "{line}");
}

/// A world with long names, at a terminal of 80 columns.
fn night(spoil: impl Fn(&mut Evidence)) -> String {
    let both = [key("new"), key("old")];
    let mut seen = evidence(vec![server(1, &both), server(2, &both)]);
    seen.hops[0].servers[1].name = name("secondary-2.name-servers.a-rather-long-provider.example");
    seen.hops[0].servers[1].address = Some(
        "[2001:db8:1111:2222:3333:4444:5555:6666]:53"
            .parse()
            .unwrap(),
    );
    seen.resolvers = vec![resolver(&both, 60)];
    let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..Policy::default()
    };
    let mut memory = Memory::empty(&name("example.com"));
    // All was well an hour ago.
    (_, memory) = check(&seen, &expectation, &memory, &policy, at("02:10:00"));
    spoil(&mut seen);
    (_, memory) = check(&seen, &expectation, &memory, &policy, at("02:40:00"));
    let now = at("03:13:20");
    let (verdict, memory) = check(&seen, &expectation, &memory, &policy, now);
    let watch = memory.of(&seen.owner, &expectation);
    let judged = Judged {
        evidence: seen,
        expectation,
        verdict,
        watch,
    };
    let text = text(
        &[judged],
        now,
        Look {
            width: Some(80),
            ..Look::default()
        },
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    text
}

type Spoil = fn(&mut ServerAnswer);

#[test]
fn the_first_lines_say_what_is_wrong_at_which_server_and_what_to_do() {
    let worlds: [(&str, &str, &str, Spoil); 5] = [
        (
            "WAIT",
            "lacks 3 1 1 ",
            "see whether the zone was reloaded",
            |server| {
                server.records = vec![key("old")];
                server.serial = Some(2_026_112_000);
            },
        ),
        (
            "UNKNOWN",
            "answered REFUSED",
            "the server has not loaded the zone",
            |server| fail(server, Outcome::Refused),
        ),
        (
            "UNKNOWN",
            "did not answer",
            "start the server or take it out",
            |server| fail(server, Outcome::Unreachable),
        ),
        (
            "UNSAFE",
            "expired on 2026-11-20",
            "mail to this host is at risk already",
            |server| {
                server.security = Security::Bogus;
                let why = "a signature by key 4711 over the TLSA set of _25._tcp.mail.example.com. expired on 2026-11-20";
                server.findings = vec![Finding::new("signature-expired", Severity::Unsafe, why)];
            },
        ),
        (
            "UNSAFE",
            "of the deployed key",
            "put the records of the deployed key back",
            |server| {
                server.records = vec![key("new")];
            },
        ),
    ];
    for (opening, why, to_do, spoil) in worlds {
        let text = night(|seen| spoil(&mut seen.hops[0].servers[1]));
        assert!(
            text.starts_with(&format!("{opening}: do not deploy")),
            "{text}"
        );
        let top: String = text
            .lines()
            .take_while(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let top = top.split_whitespace().collect::<Vec<_>>().join(" ");
        let server = "why secondary-2.name-servers.a-rather-long-provider.example. 2001:db8:";
        assert!(top.contains(server) && top.contains(why), "{why}: {text}");
        assert!(top.contains(&format!(" to do {to_do}")), "{to_do}: {text}");
        // Said above, and not again.
        assert_eq!(text.matches(to_do).count(), 1, "{text}");
    }
}

#[test]
fn since_when_a_server_is_silent_or_behind_or_wrong_is_told() {
    let text = night(|seen| fail(&mut seen.hops[0].servers[1], Outcome::Unreachable));
    assert!(
        text.contains("\n         unreachable; last heard 1h3m ago\n"),
        "{text}"
    );
    let text = night(|seen| seen.hops[0].servers[1].records = vec![key("old")]);
    assert!(
        text.contains("\n         record-missing; others agree for 1h3m\n"),
        "{text}"
    );
    assert!(
        text.contains("\nok       ns1.example.net. 192.0.2.1\n         agrees for 1h3m\n"),
        "{text}"
    );
    let text = night(|seen| fail(&mut seen.hops[0].servers[1], Outcome::Refused));
    assert!(
        text.contains("\n         refused; first found 33m20s ago\n"),
        "{text}"
    );
    let text = night(|seen| {
        seen.hops[0].servers[1].security = Security::Bogus;
        let finding = Finding::new("bogus", Severity::Unsafe, "a signature does not verify");
        seen.hops[0].servers[1].findings = vec![finding.at(seen.hops[0].servers[1].label())];
    });
    assert!(
        text.contains("\n         bogus; first found 33m20s ago\n"),
        "{text}"
    );
}

#[test]
fn an_unsigned_zone_is_told_once_for_all_its_servers() {
    let text = night(|seen| {
        let why =
            "the parent of example.com. has no DS for it, so its signatures count for nothing";
        let finding = Finding::new("insecure", Severity::Unsafe, why);
        seen.hops[0].chain[1].security = Security::Insecure;
        seen.hops[0].chain[1].findings = vec![finding.clone()];
        for server in &mut seen.hops[0].servers {
            server.security = Security::Insecure;
            server.findings = vec![finding.clone()];
        }
    });
    assert!(
        text.starts_with("UNSAFE: do not deploy; something is wrong now\nwhy      the parent of "),
        "{text}"
    );
    assert_eq!(
        text.matches("has no DS for it").count(),
        2,
        "above and below: {text}"
    );
}

#[test]
fn where_all_is_well_but_the_hold_the_bar_says_how_long_still() {
    let text = night(|_| {});
    let bar = format!("|{}>{}|  52 %, 56m40s left", "=".repeat(21), "-".repeat(18));
    assert!(text.contains(&bar), "{text}");
    assert!(!text.contains("to do"), "{text}");
}

#[test]
fn short_names_stand_in_a_table_whose_last_column_is_wrapped() {
    let text = night(|seen| seen.hops[0].servers[1] = server(2, &[key("old")]));
    let row = "\nwait  ns2.example.net.  192.0.2.2  2026112001  3600  record-missing; others\n";
    assert!(text.contains(row), "{text}");
    assert!(
        text.contains(&format!("\n{:53}agree for 1h3m\n", "")),
        "{text}"
    );
}

/// A target of its own, with such servers, judged with a hold of so many hours.
fn at_owner(owner: &str, servers: Vec<ServerAnswer>, hours: i64) -> Judged {
    let mut evidence = evidence(servers);
    evidence.owner = name(owner);
    evidence.hops[0].owner = name(owner);
    let expectation = Expectation::new(vec![key("new")], None);
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(hours)),
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
fn of_many_targets_there_is_a_line_each_the_worst_first_and_details_of_what_is_not_safe() {
    let good = || vec![server(1, &[key("new")])];
    let step = |number: usize| {
        let owner = format!("_25._tcp.mail{number}.example.com");
        match number {
            4 => at_owner(&owner, good(), 1),
            6 => at_owner(&owner, vec![failing(1, Outcome::Refused)], 0),
            _ => at_owner(&owner, good(), 0),
        }
    };
    let targets: Vec<Judged> = (0..9).map(step).collect();
    let text = |verbose, width| {
        super::text(
            &targets,
            at("12:00:00"),
            Look {
                verbose,
                width,
                color: false,
            },
        )
    };
    let said = text(false, None);
    let rows: Vec<&str> = said
        .lines()
        .skip_while(|line| !line.contains("TARGET"))
        .skip(1)
        .take(9)
        .collect();
    let starts = [
        "unknown  _25._tcp.mail6.",
        "wait     _25._tcp.mail4.",
        "safe     _25._tcp.mail0.",
    ];
    assert!(
        rows.iter()
            .zip(starts)
            .all(|(row, start)| row.starts_with(start)),
        "{said}"
    );
    assert!(
        rows[0].ends_with("ns1.example.net. 192.0.2.1: answered REFUSED"),
        "{said}"
    );
    assert!(
        rows[1].ends_with("safe at 2026-11-21T13:00:00Z (in 1h)"),
        "{said}"
    );
    assert!(
        rows[2..]
            .iter()
            .all(|row| row.ends_with("all agree for 0s")),
        "{said}"
    );
    let sections = |said: &str| {
        said.lines()
            .filter(|line| line.contains(" in the zone example.com.: "))
            .count()
    };
    assert_eq!(
        (sections(&said), sections(&text(true, None))),
        (2, 9),
        "{said}"
    );
    let narrow = text(false, Some(50));
    let rows = narrow
        .lines()
        .take_while(|line| !line.contains(" in the zone"));
    assert!(
        rows.map(|line| line.chars().count())
            .all(|columns| columns <= 50),
        "{narrow}"
    );
    assert!(
        narrow.contains(
            "\nunknown  _25._tcp.mail6.example.com.\n         ns1.example.net. 192.0.2.1: "
        ),
        "{narrow}"
    );
}

#[test]
fn ports_of_one_host_with_equal_servers_share_one_table() {
    let both = || {
        vec![
            server(1, &[key("new"), key("old")]),
            server(2, &[key("old")]),
        ]
    };
    let owners = [25, 465, 587].map(|port| format!("_{port}._tcp.mail.example.com"));
    let mut targets: Vec<Judged> = owners
        .iter()
        .map(|owner| at_owner(owner, both(), 1))
        .collect();
    let said = text(&targets, at("12:00:00"), Look::default());
    let titles: String = owners
        .iter()
        .map(|owner| format!("{owner}. in the zone example.com.: wait\n"))
        .collect();
    assert!(
        said.contains(&format!("\n{titles}new      {}\n", key("new"))),
        "{said}"
    );
    for once in [
        "SERVER  ",
        "wait  ns2.example.net.",
        "wait     record-missing: ",
        "hold     1h",
    ] {
        assert_eq!(said.matches(once).count(), 1, "{once}: {said}");
    }
    // What differs is told of each.
    targets[1].evidence.resolvers = vec![resolver(&[key("old")], 60)];
    let said = text(&targets, at("12:00:00"), Look::default());
    assert!(
        said.contains("\nat _465._tcp.mail.example.com.\nRESOLVER "),
        "{said}"
    );
    assert_eq!(said.matches("SERVER  ").count(), 1, "{said}");
    // Servers that stand otherwise have a table of their own.
    targets[2] = at_owner(
        &owners[2],
        vec![server(1, &[key("old")]), server(2, &[key("old")])],
        1,
    );
    let said = text(&targets, at("12:00:00"), Look::default());
    assert_eq!(said.matches("SERVER  ").count(), 2, "{said}");
    assert_eq!(
        said.matches("see whether the zone was reloaded").count(),
        1,
        "{said}"
    );
}

#[test]
fn expired_signatures_of_one_secondary_are_not_an_unsigned_host() {
    for (code, why) in [
        ("signature-expired", "a signature expired"),
        ("bogus", "a signature does not verify"),
    ] {
        let both = [key("new"), key("old")];
        let mut bad = server(2, &both);
        bad.security = Security::Bogus;
        bad.findings = vec![Finding::new(code, Severity::Unsafe, why)];
        let mut seen = evidence(vec![server(1, &both), bad]);
        // The host's address was asked of the same server.
        seen.host = Some(Security::Bogus);
        let said = report(seen, HoldWish::TwiceTheOldTtl);
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines[1].starts_with(&format!("why      ns2.example.net. 192.0.2.2: {why}")),
            "{said}"
        );
        assert!(
            lines[2].starts_with(
                "to do    mail to this host is at risk already: see to the zone's sig"
            ),
            "{said}"
        );
        assert!(!said.contains("sign the zone of the host"), "{said}");
        assert_eq!(said.matches("to do    ").count(), 1, "{said}");
        let place = |code: &str| said.find(&format!("\nunsafe   {code}: ")).unwrap();
        assert!(place(code) < place("host-address-insecure"), "{said}");
    }
    let mut unsigned = evidence(vec![server(1, &[key("new"), key("old")])]);
    unsigned.host = Some(Security::Insecure);
    let said = report(unsigned.clone(), HoldWish::TwiceTheOldTtl);
    assert!(
        said.contains("\nto do    sign the zone of the host's A and AAAA records\n"),
        "{said}"
    );
    unsigned.host = Some(Security::Bogus);
    let said = report(unsigned, HoldWish::TwiceTheOldTtl);
    assert!(
        said.contains("\nto do    see to the signatures over the host's A and AAAA records"),
        "{said}"
    );
}

#[test]
fn servers_that_refuse_are_not_to_be_started() {
    let said = report(
        evidence(vec![
            failing(1, Outcome::Refused),
            failing(2, Outcome::Refused),
        ]),
        HoldWish::TwiceTheOldTtl,
    );
    assert!(
        said.lines().nth(1).unwrap().contains("answered REFUSED"),
        "{said}"
    );
    assert!(
        said.contains("\nto do    the server has not loaded the zone"),
        "{said}"
    );
    assert!(!said.contains("start the server"), "{said}");
}

#[test]
fn what_decides_has_its_own_time() {
    let text = night(|seen| fail(&mut seen.hops[0].servers[1], Outcome::Refused));
    let top: String = text
        .lines()
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let top = top.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        top.contains("answered REFUSED; first found 33m20s ago to do "),
        "{text}"
    );
}

#[test]
fn that_all_agree_is_said_only_where_all_were_heard() {
    let good = || server(1, &[key("new"), key("old")]);
    let said = |servers: Vec<ServerAnswer>| {
        let evidence = evidence(servers);
        let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
        let policy = Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
            since: None,
            allow_unreachable: 1,
        };
        let (verdict, memory) = check(
            &evidence,
            &expectation,
            &Memory::empty(&name("example.com")),
            &policy,
            at("12:00:00"),
        );
        let watch = memory.of(&evidence.owner, &expectation);
        let text = text(
            &[Judged {
                evidence,
                expectation,
                verdict,
                watch,
            }],
            at("12:00:00"),
            Look::default(),
        );
        text.lines()
            .find(|line| line.starts_with("         2026-11-21T12:00:00Z  "))
            .unwrap()
            .to_owned()
    };
    assert!(said(vec![good()]).ends_with("  all servers agree"));
    assert!(
        said(vec![good(), failing(2, Outcome::Unreachable)])
            .ends_with("  the servers that were heard agree")
    );
}

#[test]
fn what_nobody_publishes_is_not_waited_for() {
    let mut target = judged(
        evidence(vec![server(1, &[key("old")])]),
        HoldWish::TwiceTheOldTtl,
    );
    target.verdict.unpublished = true;
    let said = text(&[target], at("12:00:00"), Look::default());
    assert!(
        said.starts_with("WAIT: do not deploy; no server has the new record"),
        "{said}"
    );
    assert!(
        said.contains("danewright patch") && !said.contains("--wait"),
        "{said}"
    );
}

fn fail(server: &mut ServerAnswer, outcome: Outcome) {
    *server = ServerAnswer {
        name: server.name.clone(),
        address: server.address,
        ..failing(2, outcome)
    };
}
