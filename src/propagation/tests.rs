//! The rules of the verdict, one by one.

mod doubts;
mod histories;
mod holding;

use chrono::{DateTime, TimeDelta, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::fixtures::{
    alias, aliased, at, evidence, failing, key, key_as, name, resolver, server,
};
use crate::propagation::memory::OldTtl;
use crate::tlsa::Tlsa;

use super::evidence::{Evidence, Outcome, Security, ServerAnswer};
use super::memory::Memory;
use super::{Decision, Expectation, HoldWish, Policy, Verdict, check, judge, overall};

const NO_HOLD: Policy = Policy {
    hold: HoldWish::For(TimeDelta::zero()),
    since: None,
    allow_unreachable: 0,
};
const DEFAULT: Policy = Policy {
    hold: HoldWish::TwiceTheOldTtl,
    since: None,
    allow_unreachable: 0,
};

fn new() -> Expectation {
    Expectation::new(vec![key("new")], None)
}

fn new_and_old() -> Vec<Tlsa> {
    vec![key("new"), key("old")]
}

/// One check without memory and without a hold.
fn once(evidence: &Evidence, expectation: &Expectation) -> Verdict {
    with(evidence, expectation, &NO_HOLD)
}

fn with(evidence: &Evidence, expectation: &Expectation, policy: &Policy) -> Verdict {
    check(
        evidence,
        expectation,
        &Memory::empty(&name("example.com")),
        policy,
        at("12:00:00"),
    )
    .0
}

/// Checks one after the other, with a memory.
struct Watched {
    memory: Memory,
    policy: Policy,
    expectation: Expectation,
}

impl Watched {
    fn new(policy: Policy) -> Self {
        Self {
            memory: Memory::empty(&name("example.com")),
            policy,
            expectation: new(),
        }
    }

    /// Somebody looked two days ahead, and saw these.
    fn looked(mut self, servers: Vec<ServerAnswer>) -> Self {
        let then = at("00:00:00") - TimeDelta::days(2);
        self.memory = check(
            &evidence(servers),
            &self.expectation,
            &self.memory,
            &self.policy,
            then,
        )
        .1;
        self
    }

    fn patched(mut self, old: &[Tlsa], ttl: OldTtl, time: &str) -> Self {
        self.memory =
            self.memory
                .patched(&owner(), old, ttl, self.expectation.expected(), at(time));
        self
    }

    fn see(&mut self, servers: Vec<ServerAnswer>, time: &str) -> Verdict {
        let (verdict, memory) = check(
            &evidence(servers),
            &self.expectation,
            &self.memory,
            &self.policy,
            at(time),
        );
        self.memory = memory;
        verdict
    }
}

#[track_caller]
fn found(verdict: &Verdict, code: &str, severity: Severity, server: Option<&str>) {
    let hit =
        |f: &&Finding| f.code == code && f.severity == severity && f.server.as_deref() == server;
    assert!(
        verdict.findings.iter().any(|f| hit(&f)),
        "{code} {severity} {server:?} in {:#?}",
        verdict.findings
    );
}

#[track_caller]
fn absent(verdict: &Verdict, code: &str) {
    assert!(
        verdict.findings.iter().all(|f| f.code != code),
        "{code} in {:#?}",
        verdict.findings
    );
}

fn owner() -> crate::name::Name {
    name("_25._tcp.mail.example.com")
}

fn with_ttl(server: ServerAnswer, ttl: u32) -> ServerAnswer {
    spoiled(server, |s| (s.ttl, s.original_ttl) = (Some(ttl), Some(ttl)))
}

fn spoiled(mut server: ServerAnswer, how: impl FnOnce(&mut ServerAnswer)) -> ServerAnswer {
    how(&mut server);
    server
}

const NS1: Option<&str> = Some("ns1.example.net. 192.0.2.1");
const NS2: Option<&str> = Some("ns2.example.net. 192.0.2.2");

#[test]
fn every_server_with_the_new_record_and_the_hold_passed_is_safe() {
    let verdict = once(
        &evidence(vec![server(1, &new_and_old()), server(2, &new_and_old())]),
        &new(),
    );
    assert_eq!(verdict.decision, Decision::Safe);
    assert_eq!(verdict.agreed_since, Some(at("12:00:00")));
}

#[test]
fn nothing_expected_is_never_fine() {
    let verdict = once(
        &evidence(vec![server(1, &[key("old")])]),
        &Expectation::default(),
    );
    assert_eq!(verdict.decision, Decision::Unsafe);
    found(&verdict, "nothing-expected", Severity::Unsafe, None);
}

#[test]
fn no_zone_and_no_server_are_unknown() {
    let none = Evidence {
        hops: Vec::new(),
        ..evidence(Vec::new())
    };
    found(
        &once(&none, &new()),
        "zone-not-found",
        Severity::Unknown,
        None,
    );
    found(
        &once(&evidence(Vec::new()), &new()),
        "no-servers",
        Severity::Unknown,
        None,
    );
    assert_eq!(once(&none, &new()).decision, Decision::Unknown);
    assert_eq!(
        once(&evidence(Vec::new()), &new()).decision,
        Decision::Unknown
    );
}

#[test]
fn each_kind_of_no_answer_is_unknown_under_its_own_name() {
    for (outcome, code) in [
        (Outcome::Unreachable, "unreachable"),
        (Outcome::ServFail, "servfail"),
        (Outcome::Refused, "refused"),
        (Outcome::NotAuthoritative, "not-authoritative"),
        (Outcome::TruncatedWithoutTcp, "truncated-without-tcp"),
        (Outcome::Malformed, "malformed"),
        (Outcome::OtherCode(9), "error-code"),
    ] {
        let verdict = once(
            &evidence(vec![server(1, &new_and_old()), failing(2, outcome)]),
            &new(),
        );
        assert_eq!(verdict.decision, Decision::Unknown, "{code}");
        found(&verdict, code, Severity::Unknown, NS2);
        // Only silence can be waived.
        let waiving = Policy {
            allow_unreachable: 1,
            ..NO_HOLD
        };
        let waived = with(
            &evidence(vec![server(1, &new_and_old()), failing(2, outcome)]),
            &new(),
            &waiving,
        );
        let expected = if code == "unreachable" {
            Decision::Safe
        } else {
            Decision::Unknown
        };
        assert_eq!(waived.decision, expected, "{code}");
        found(
            &waived,
            code,
            if code == "unreachable" {
                Severity::Note
            } else {
                Severity::Unknown
            },
            NS2,
        );
    }
}

#[test]
fn what_the_walk_says_about_a_silent_server_is_not_said_twice() {
    let silent = spoiled(failing(2, Outcome::Unreachable), |s| {
        s.findings = vec![Finding::new(
            "unreachable",
            Severity::Note,
            "timed out after 3 tries",
        )];
    });
    let verdict = once(&evidence(vec![server(1, &new_and_old()), silent]), &new());
    let told: Vec<_> = verdict
        .findings
        .iter()
        .filter(|f| f.code == "unreachable")
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].severity, told[0].message.as_str()),
        (Severity::Unknown, "timed out after 3 tries")
    );
}

#[test]
fn more_silence_than_allowed_waives_nothing_and_all_silent_is_never_waived() {
    let waiving = |allow_unreachable| Policy {
        allow_unreachable,
        ..NO_HOLD
    };
    let silent = |n| failing(n, Outcome::Unreachable);
    let two = evidence(vec![server(1, &new_and_old()), silent(2), silent(3)]);
    assert_eq!(with(&two, &new(), &waiving(1)).decision, Decision::Unknown);
    assert_eq!(with(&two, &new(), &waiving(2)).decision, Decision::Safe);
    let all = evidence(vec![silent(1), silent(2)]);
    let verdict = with(&all, &new(), &waiving(2));
    assert_eq!(verdict.decision, Decision::Unknown);
    found(&verdict, "no-servers", Severity::Unknown, None);
    found(&verdict, "unreachable", Severity::Unknown, NS1);
    // An error is no silence, and does not use the permission up.
    let mixed = evidence(vec![
        server(1, &new_and_old()),
        silent(2),
        failing(3, Outcome::ServFail),
    ]);
    found(
        &with(&mixed, &new(), &waiving(1)),
        "unreachable",
        Severity::Note,
        NS2,
    );
}

#[test]
fn a_lagging_server_is_not_waived_when_it_falls_silent() {
    let hold = HoldWish::For(TimeDelta::hours(1));
    let mut watched = Watched::new(Policy {
        hold,
        since: None,
        allow_unreachable: 1,
    });
    assert_eq!(
        watched
            .see(
                vec![server(1, &new_and_old()), server(2, &[key("old")])],
                "10:00:00"
            )
            .decision,
        Decision::Wait
    );
    let silent = || vec![server(1, &new_and_old()), failing(2, Outcome::Unreachable)];
    assert_eq!(
        watched.see(silent(), "10:59:59").decision,
        Decision::Unknown
    );
    // By now every cache has dropped what it last said.
    assert_eq!(watched.see(silent(), "11:00:00").decision, Decision::Safe);
}

#[test]
fn insecure_and_bogus_are_unsafe_wherever_they_are() {
    for (security, code) in [(Security::Insecure, "insecure"), (Security::Bogus, "bogus")] {
        let servers = vec![
            server(1, &new_and_old()),
            spoiled(server(2, &new_and_old()), |s| s.security = security),
        ];
        let verdict = once(&evidence(servers), &new());
        assert_eq!(verdict.decision, Decision::Unsafe);
        found(&verdict, code, Severity::Unsafe, NS2);
        let mut broken = evidence(vec![server(1, &new_and_old())]);
        broken.hops[0].chain[0].security = security;
        let verdict = once(&broken, &new());
        assert_eq!(verdict.decision, Decision::Unsafe);
        found(&verdict, code, Severity::Unsafe, None);
    }
}

#[test]
fn what_cannot_be_verified_is_unknown() {
    let mut unclear = evidence(vec![server(1, &new_and_old())]);
    unclear.hops[0].chain[1].security = Security::Indeterminate;
    assert_eq!(once(&unclear, &new()).decision, Decision::Unknown);
    let mut short = evidence(vec![server(1, &new_and_old())]);
    short.hops[0].chain.pop();
    assert_eq!(once(&short, &new()).decision, Decision::Unknown);
    let servers = vec![spoiled(server(1, &new_and_old()), |s| {
        s.security = Security::Indeterminate
    })];
    assert_eq!(once(&evidence(servers), &new()).decision, Decision::Unknown);
    let servers = vec![spoiled(server(1, &new_and_old()), |s| s.serial = None)];
    found(
        &once(&evidence(servers), &new()),
        "serial-unknown",
        Severity::Unknown,
        NS1,
    );
}

#[test]
fn an_expired_signature_is_unsafe() {
    let servers = vec![spoiled(server(1, &new_and_old()), |s| {
        s.signature_expires = Some(at("12:00:00"))
    })];
    let verdict = once(&evidence(servers), &new());
    found(&verdict, "signature-expired", Severity::Unsafe, NS1);
}

#[test]
fn the_heaviest_finding_of_the_walk_decides() {
    for (severity, decision) in [
        (Severity::Note, Decision::Safe),
        (Severity::Wait, Decision::Wait),
        (Severity::Unknown, Decision::Unknown),
        (Severity::Unsafe, Decision::Unsafe),
    ] {
        let mut told = evidence(vec![server(1, &new_and_old())]);
        told.hops[0].findings = vec![Finding::new(
            "delegation-differs",
            severity,
            "as the walk says",
        )];
        assert_eq!(once(&told, &new()).decision, decision);
        let servers = vec![spoiled(server(1, &new_and_old()), |s| {
            s.findings = vec![Finding::new(
                "signature-expires-soon",
                severity,
                "as the walk says",
            )];
        })];
        assert_eq!(once(&evidence(servers), &new()).decision, decision);
    }
}

#[test]
fn a_server_without_the_record_is_waited_for_and_the_set_differs() {
    let verdict = once(
        &evidence(vec![server(1, &new_and_old()), server(2, &[key("old")])]),
        &new(),
    );
    assert_eq!((verdict.decision, verdict.safe_at), (Decision::Wait, None));
    found(&verdict, "record-missing", Severity::Wait, NS2);
    found(&verdict, "rrset-differs", Severity::Wait, None);
    for outcome in [Outcome::NoData, Outcome::NoName] {
        let bare = spoiled(server(2, &[]), |s| s.outcome = outcome);
        let verdict = once(&evidence(vec![server(1, &new_and_old()), bare]), &new());
        assert_eq!(verdict.decision, Decision::Wait);
        found(&verdict, "record-missing", Severity::Wait, NS2);
    }
}

#[test]
fn an_older_serial_is_waited_for_across_the_end_of_the_circle() {
    for (one, two, behind) in [
        (5, 4, Some(NS2)),
        (4, 5, Some(NS1)),
        (1, u32::MAX, Some(NS2)),
        (7, 7, None),
        (0, 0x8000_0000, Some(NS1)),
    ] {
        let two_serials = |records: &[Tlsa]| {
            let servers = vec![
                spoiled(server(1, &new_and_old()), |s| s.serial = Some(one)),
                spoiled(server(2, records), |s| s.serial = Some(two)),
            ];
            once(&evidence(servers), &new())
        };
        let (apart, same) = (two_serials(&[key("old")]), two_serials(&new_and_old()));
        // With equal sets it is no sign of a server that lags (RFC 8901).
        assert_eq!(
            (apart.decision, same.decision),
            (Decision::Wait, Decision::Safe)
        );
        match behind {
            None => [&apart, &same]
                .into_iter()
                .for_each(|verdict| absent(verdict, "serial-behind")),
            Some(server) => {
                found(&apart, "serial-behind", Severity::Wait, server);
                found(&same, "serial-behind", Severity::Note, server);
            }
        }
    }
}

#[test]
fn a_set_without_the_deployed_key_is_unsafe_and_no_set_at_all_is_not() {
    let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
    let verdict = once(
        &evidence(vec![server(1, &new_and_old()), server(2, &[key("new")])]),
        &expectation,
    );
    assert_eq!(verdict.decision, Decision::Unsafe);
    found(&verdict, "old-record-missing", Severity::Unsafe, NS2);
    let first = once(
        &evidence(vec![server(1, &[]), server(2, &[])]),
        &expectation,
    );
    assert_eq!(first.decision, Decision::Wait);
    absent(&first, "old-record-missing");
}

#[test]
fn a_set_replaced_after_patch_recorded_it_is_unsafe() {
    let mut watched =
        Watched::new(NO_HOLD).patched(&[key("old"), key("other")], OldTtl::Set(60), "09:00:00");
    let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.decision, Decision::Unsafe);
    found(&verdict, "old-record-missing", Severity::Unsafe, NS1);
    // The user knows better which key is deployed.
    watched.expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "10:00:01")
            .decision,
        Decision::Safe
    );
}

#[test]
fn a_set_that_was_replaced_instead_of_joined_is_unsafe_as_far_as_it_was_seen() {
    let mut watched = Watched::new(NO_HOLD);
    let verdict = watched.see(
        vec![server(1, &[key("new")]), server(2, &[key("old")])],
        "10:00:00",
    );
    assert_eq!(verdict.decision, Decision::Unsafe);
    found(&verdict, "old-record-missing", Severity::Unsafe, NS1);
    // A server that is further behind than the rest does not show what the rest replaced.
    let mut watched = Watched::new(NO_HOLD);
    let ancient = server(2, &[key("ancient")]);
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old()), ancient], "10:00:00")
            .decision,
        Decision::Wait
    );
    // A stale record may be dropped by the same edit.
    let mut watched = Watched::new(NO_HOLD);
    let stale = [key("old"), key("stale")];
    assert_eq!(
        watched
            .see(
                vec![server(1, &new_and_old()), server(2, &stale)],
                "10:00:00"
            )
            .decision,
        Decision::Wait
    );
    assert_eq!(
        watched
            .see(
                vec![server(1, &new_and_old()), server(2, &new_and_old())],
                "10:00:01"
            )
            .decision,
        Decision::Safe
    );
}

#[test]
fn once_it_was_safe_or_pruned_the_old_records_may_go() {
    let old = with_ttl(server(1, &[key("old")]), 60);
    let mut watched =
        Watched::new(DEFAULT)
            .looked(vec![old])
            .patched(&[key("old")], OldTtl::Set(60), "09:00:00");
    let both = || vec![with_ttl(server(1, &new_and_old()), 60)];
    watched.see(both(), "10:00:00");
    assert_eq!(watched.see(both(), "10:02:00").decision, Decision::Safe);
    assert_eq!(
        watched
            .see(vec![server(1, &[key("new")])], "11:00:00")
            .decision,
        Decision::Safe
    );
    let mut watched = Watched::new(NO_HOLD).patched(&[key("old")], OldTtl::Set(60), "09:00:00");
    watched.memory = watched
        .memory
        .pruned(&owner(), &[key("old")], at("10:00:00"));
    assert_eq!(
        watched
            .see(vec![server(1, &[key("new")])], "10:00:00")
            .decision,
        Decision::Safe
    );
}

#[test]
fn a_clock_before_the_build_is_not_trusted_with_anything() {
    let past: DateTime<Utc> = "2026-11-19T23:59:59Z".parse().unwrap();
    let memory = Memory::empty(&name("example.com"));
    let verdict = judge(
        &evidence(vec![server(1, &new_and_old())]),
        &new(),
        &memory,
        &NO_HOLD,
        past,
    );
    assert_eq!(verdict.decision, Decision::Unknown);
    found(&verdict, "clock-before-build", Severity::Unknown, None);
}

#[test]
fn a_resolver_with_the_old_set_delays_and_never_overrules() {
    let mut seen = evidence(vec![server(1, &new_and_old())]);
    seen.resolvers = vec![resolver(&[key("old")], 1200)];
    let verdict = once(&seen, &new());
    assert_eq!(
        (verdict.decision, verdict.safe_at),
        (Decision::Wait, Some(at("12:20:00")))
    );
    found(
        &verdict,
        "resolver-stale",
        Severity::Wait,
        Some("127.0.0.1"),
    );
    for spoil in [Outcome::Unreachable, Outcome::NoData, Outcome::Refused] {
        seen.resolvers[0].outcome = spoil;
        seen.resolvers[0].findings =
            vec![Finding::new("bogus", Severity::Unsafe, "says the resolver")];
        assert_eq!(once(&seen, &new()).decision, Decision::Safe, "{spoil:?}");
    }
    seen.resolvers = vec![resolver(&new_and_old(), 1200)];
    seen.resolvers[0].authenticated = false;
    found(
        &once(&seen, &new()),
        "resolver-not-validating",
        Severity::Note,
        Some("127.0.0.1"),
    );
}

#[test]
fn the_hosts_own_addresses_must_be_secure() {
    for (host, decision) in [
        (None, Decision::Safe),
        (Some(Security::Secure), Decision::Safe),
        (Some(Security::Indeterminate), Decision::Unknown),
        (Some(Security::Insecure), Decision::Unsafe),
        (Some(Security::Bogus), Decision::Unsafe),
    ] {
        let seen = Evidence {
            host,
            ..evidence(vec![server(1, &new_and_old())])
        };
        assert_eq!(once(&seen, &new()).decision, decision, "{host:?}");
    }
}

#[test]
fn an_alias_counts_when_every_server_has_it_and_its_target_is_secure() {
    let target = "tlsa.provider.example";
    let good = || {
        aliased(
            vec![alias(1, target), alias(2, target)],
            vec![server(3, &new_and_old())],
        )
    };
    assert_eq!(once(&good(), &new()).decision, Decision::Safe);
    let mut lagging = good();
    lagging.hops[0].servers[1] = server(2, &[]);
    found(
        &once(&lagging, &new()),
        "record-missing",
        Severity::Wait,
        NS2,
    );
    lagging.hops[0].servers[1] = alias(2, "elsewhere.example");
    found(
        &once(&lagging, &new()),
        "rrset-differs",
        Severity::Wait,
        NS2,
    );
    let mut insecure = good();
    insecure.hops[1].chain[1].security = Security::Insecure;
    found(
        &once(&insecure, &new()),
        "cname-target-insecure",
        Severity::Unsafe,
        None,
    );
    let mut unfollowed = good();
    unfollowed.hops.pop();
    let verdict = once(&unfollowed, &new());
    assert_eq!(verdict.decision, Decision::Unknown);
    found(&verdict, "alias-not-followed", Severity::Unknown, NS1);
}

#[test]
fn parameters_in_use_without_the_new_key_are_unsafe() {
    let set = |extra: &str| vec![key("new"), key("old"), key_as(extra, 3, 1, 2)];
    let stale = || evidence(vec![server(1, &set("old")), server(2, &set("old"))]);
    // Nobody knows what the new key comes to under 3 1 2.
    found(
        &once(&stale(), &new()),
        "parameter-set-unmatched",
        Severity::Unknown,
        None,
    );
    let derived = new().deriving([(
        key_as("new", 3, 1, 2).params,
        vec![vec![key_as("new", 3, 1, 2)]],
    )]);
    found(
        &once(&stale(), &derived),
        "parameter-set-unmatched",
        Severity::Unsafe,
        NS1,
    );
    assert_eq!(
        once(&evidence(vec![server(1, &set("new"))]), &derived).decision,
        Decision::Safe
    );
    // Of two keys, each needs a record of its own.
    let extra = key_as("new", 3, 1, 2);
    let both = new().deriving([(
        extra.params,
        vec![vec![extra.clone()], vec![key_as("second", 3, 1, 2)]],
    )]);
    assert_eq!(
        once(&evidence(vec![server(1, &set("new"))]), &both).decision,
        Decision::Unsafe
    );
    // Another server has it right already.
    let lagging = once(
        &evidence(vec![server(1, &set("new")), server(2, &set("old"))]),
        &derived,
    );
    assert_eq!(lagging.decision, Decision::Wait);
    found(&lagging, "parameter-set-unmatched", Severity::Wait, NS2);
}

#[test]
fn records_that_no_client_can_use_are_noted() {
    let odd = [
        (
            Tlsa {
                data: vec![1, 2],
                ..key("x")
            },
            "wrong-length",
        ),
        (
            Tlsa {
                data: vec![1],
                ..key_as("x", 255, 1, 0)
            },
            "unknown-parameters",
        ),
        (
            Tlsa {
                data: crate::tlsa::unhex(
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                )
                .unwrap(),
                ..key("x")
            },
            "digest-of-nothing",
        ),
    ];
    for (record, code) in odd {
        let verdict = once(&evidence(vec![server(1, &[key("new"), record])]), &new());
        assert_eq!(verdict.decision, Decision::Safe);
        found(&verdict, code, Severity::Note, None);
    }
}

#[test]
fn several_targets_are_as_good_as_the_worst_and_as_early_as_the_latest() {
    let verdict = |decision, safe_at: Option<&str>| Verdict {
        decision,
        safe_at: safe_at.map(at),
        agreed_since: None,
        hold: None,
        findings: Vec::new(),
        unpublished: false,
        settled: true,
        rested: true,
        cleared: false,
    };
    let safe = verdict(Decision::Safe, None);
    let (early, late) = (
        verdict(Decision::Wait, Some("10:00:00")),
        verdict(Decision::Wait, Some("11:00:00")),
    );
    assert_eq!(
        overall([&early, &late, &safe]),
        (Decision::Wait, Some(at("11:00:00")))
    );
    assert_eq!(
        overall([&late, &verdict(Decision::Wait, None)]),
        (Decision::Wait, None)
    );
    assert_eq!(
        overall([&late, &verdict(Decision::Unsafe, None)]),
        (Decision::Unsafe, None)
    );
    assert_eq!(overall([]), (Decision::Unknown, None));
}
