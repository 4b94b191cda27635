//! Cases in which the verdict was once *safe* too early: what was seen before,
//! and by whom, must not be forgotten too soon.

use crate::propagation::Basis;
use crate::propagation::evidence::Listed;

use super::*;

fn third() -> Expectation {
    Expectation::new(vec![key("third")], None)
}

fn all_three() -> Vec<Tlsa> {
    vec![key("old"), key("new"), key("third")]
}

#[test]
fn a_server_that_gives_its_serial_is_not_silent() {
    let mute = |serial| spoiled(failing(2, Outcome::Unreachable), |s| s.serial = serial);
    let waiving = Policy {
        allow_unreachable: 1,
        ..NO_HOLD
    };
    let verdict = |serial| {
        with(
            &evidence(vec![server(1, &new_and_old()), mute(serial)]),
            &new(),
            &waiving,
        )
    };
    assert_eq!(verdict(None).decision, Decision::Safe);
    assert_eq!(verdict(Some(2_026_112_001)).decision, Decision::Unknown);
    let behind = verdict(Some(2_026_112_000));
    assert_eq!(behind.decision, Decision::Unknown);
    found(&behind, "serial-behind", Severity::Wait, NS2);
}

#[test]
fn the_ttl_that_agreeing_servers_had_outlives_a_lowered_one() {
    let four_days = 345_600;
    let mut watched = Watched::new(DEFAULT);
    watched.see(
        vec![with_ttl(server(1, &new_and_old()), four_days)],
        "08:00:00",
    );
    let unpatched = watched.memory.clone();
    // By hand the TTL goes down first, then the next key is added.
    watched.expectation = third();
    let mut watched = watched.patched(&new_and_old(), OldTtl::Set(60), "09:00:00");
    let lowered = || vec![with_ttl(server(1, &all_three()), 60)];
    let hold = watched.see(lowered(), "10:00:00").hold.unwrap();
    assert_eq!(
        (hold.length, hold.basis),
        (Some(TimeDelta::days(8)), Basis::OldTtl(four_days))
    );
    watched.memory = unpatched;
    let hold = watched.see(lowered(), "10:00:00").hold.unwrap();
    assert_eq!(
        (hold.length, hold.basis),
        (Some(TimeDelta::days(8)), Basis::OldTtl(four_days))
    );
}

#[test]
fn the_signature_that_agreeing_servers_had_counts_for_the_next_key() {
    let until = at("00:00:00") + TimeDelta::days(20);
    let signed = || {
        spoiled(server(1, &new_and_old()), |s| {
            s.set_signature_expires = Some(until)
        })
    };
    let mut watched = Watched::new(Policy {
        hold: HoldWish::Signature,
        ..DEFAULT
    });
    watched.see(vec![signed()], "08:00:00");
    watched.expectation = third();
    let mut watched = watched.patched(&new_and_old(), OldTtl::Set(60), "09:00:00");
    let hold = watched
        .see(vec![server(1, &all_three())], "10:00:00")
        .hold
        .unwrap();
    assert_eq!(hold.basis, Basis::Signature(Some(until)));
}

#[test]
fn a_shorter_ttl_of_an_earlier_change_does_not_shorten_a_careful_hold() {
    let mut watched = Watched::new(DEFAULT);
    let lagging = with_ttl(server(2, &[key("old")]), 3600);
    watched.see(
        vec![with_ttl(server(1, &new_and_old()), 3600), lagging],
        "08:00:00",
    );
    watched.expectation = third();
    // The TTL went up before the next key came, and nobody saw it.
    let raised = |number| with_ttl(server(number, &all_three()), 86_400);
    let verdict = watched.see(vec![raised(1), raised(2)], "09:00:00");
    let hold = verdict.hold.unwrap();
    assert_eq!(
        (hold.length, hold.basis),
        (Some(TimeDelta::days(2)), Basis::OldTtl(86_400))
    );
    // A server that lags with a shorter one does not say that the others had it, too.
    let mut short = with_ttl(server(2, &new_and_old()), 7200);
    short.serial = Some(2_026_112_000);
    let hold = watched
        .see(vec![raised(1), short], "10:00:00")
        .hold
        .unwrap();
    assert_eq!(hold.basis, Basis::OldTtl(86_400));
}

#[test]
fn a_key_that_was_served_is_missed_when_the_next_one_replaces_it() {
    let mut watched = Watched::new(DEFAULT);
    watched.see(vec![server(1, &[key("new")])], "08:00:00");
    watched.expectation = third();
    let verdict = watched.see(vec![server(1, &[key("third")])], "09:00:00");
    found(&verdict, "old-record-missing", Severity::Unsafe, NS1);
    // A key that nobody served is no key that anybody misses.
    let mut watched = Watched::new(DEFAULT);
    watched.see(vec![server(1, &[])], "08:00:00");
    watched.expectation = third();
    absent(
        &watched.see(vec![server(1, &[key("third")])], "09:00:00"),
        "old-record-missing",
    );
}

#[test]
fn an_old_ttl_counts_from_when_the_last_server_had_dropped_the_old_set() {
    let old = with_ttl(server(1, &[key("old")]), 60);
    let watched = Watched::new(DEFAULT).looked(vec![old]).patched(
        &[key("old")],
        OldTtl::Set(3600),
        "00:00:00",
    );
    // A server lags for hours; the next key comes, with a low TTL.
    let mut watched = watched;
    watched.expectation = third();
    let mut watched = watched.patched(&new_and_old(), OldTtl::Set(60), "09:00:00");
    let hold = watched
        .see(vec![with_ttl(server(1, &all_three()), 60)], "10:00:00")
        .hold
        .unwrap();
    assert_eq!(hold.basis, Basis::OldTtl(3600));
}

#[test]
fn a_server_that_was_never_heard_and_left_starts_the_hold_again() {
    let mut watched = Watched::new(Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    });
    let mute = failing(2, Outcome::Unreachable);
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old()), mute], "08:00:00")
            .decision,
        Decision::Unknown
    );
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "10:00:00")
            .safe_at,
        Some(at("12:00:00"))
    );
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "12:00:00")
            .decision,
        Decision::Safe
    );
    // One whose address is found at last has not left.
    let mut watched = Watched::new(Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    });
    let nameless = spoiled(failing(2, Outcome::Unreachable), |s| s.address = None);
    watched.see(vec![server(1, &new_and_old()), nameless], "08:00:00");
    let both = vec![server(1, &new_and_old()), server(2, &new_and_old())];
    let found = watched.see(both, "09:00:00");
    assert_eq!(found.agreed_since, Some(at("09:00:00")));
    assert!(watched.memory.of(&owner(), &new()).disagreed_at.is_none());
}

#[test]
fn a_lagging_server_that_left_is_asked_while_its_delegation_is_cached() {
    let mut watched = Watched::new(DEFAULT).patched(&[key("old")], OldTtl::Set(300), "00:00:00");
    watched.see(
        vec![
            server(1, &new_and_old()),
            with_ttl(server(2, &[key("old")]), 300),
        ],
        "08:00:00",
    );
    let verdict = watched.see(vec![server(1, &new_and_old())], "09:00:00");
    assert_eq!(
        verdict.safe_at,
        Some(at("09:00:00") + TimeDelta::hours(48) + TimeDelta::seconds(600))
    );
}

#[test]
fn a_resolver_that_held_the_old_set_is_remembered_when_it_falls_silent() {
    let mut seen = evidence(vec![server(1, &new_and_old())]);
    seen.resolvers = vec![resolver(&[key("old")], 7200)];
    let memory = Memory::empty(&name("example.com"));
    let (_, memory) = check(&seen, &new(), &memory, &NO_HOLD, at("10:00:00"));
    for outcome in [Outcome::Unreachable, Outcome::Refused, Outcome::NoData] {
        seen.resolvers = vec![resolver(&[], 60)];
        seen.resolvers[0].outcome = outcome;
        let (verdict, memory) = check(&seen, &new(), &memory, &NO_HOLD, at("10:01:00"));
        assert_eq!(
            (verdict.decision, verdict.safe_at),
            (Decision::Wait, Some(at("12:00:00"))),
            "{outcome:?}"
        );
        found(
            &verdict,
            "resolver-stale",
            Severity::Wait,
            Some("127.0.0.1"),
        );
        let (verdict, _) = check(&seen, &new(), &memory, &NO_HOLD, at("12:00:00"));
        assert_eq!(verdict.decision, Decision::Safe, "{outcome:?}");
    }
    // One that nobody asks any more decides nothing any more.
    seen.resolvers = Vec::new();
    assert_eq!(
        check(&seen, &new(), &memory, &NO_HOLD, at("10:01:00"))
            .0
            .decision,
        Decision::Safe
    );
    seen.resolvers = vec![resolver(&new_and_old(), 60)];
    assert_eq!(
        check(&seen, &new(), &memory, &NO_HOLD, at("10:01:00"))
            .0
            .decision,
        Decision::Safe
    );
}

#[test]
fn a_run_without_a_hold_does_not_let_the_old_records_go() {
    let mut watched = Watched::new(NO_HOLD).patched(&[key("old")], OldTtl::Set(3600), "09:00:00");
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "10:00:00")
            .decision,
        Decision::Safe
    );
    let verdict = watched.see(vec![server(1, &[key("new")])], "10:01:00");
    assert_eq!(verdict.decision, Decision::Unsafe);
    found(&verdict, "old-record-missing", Severity::Unsafe, NS1);
}

#[test]
fn a_since_before_the_patch_is_not_believed() {
    let since = Some(at("00:00:00") - TimeDelta::days(3));
    let mut watched =
        Watched::new(Policy { since, ..DEFAULT }).patched(&[], OldTtl::Set(86_400), "11:59:00");
    let verdict = watched.see(vec![server(1, &new_and_old())], "12:00:00");
    assert_eq!(
        (verdict.decision, verdict.agreed_since),
        (Decision::Wait, Some(at("12:00:00")))
    );
    found(&verdict, "since-contradicted", Severity::Note, None);
    // What stood there already may have stood there for long.
    let mut watched = Watched::new(Policy { since, ..DEFAULT }).patched(
        &new_and_old(),
        OldTtl::Set(60),
        "11:59:00",
    );
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "12:00:00")
            .decision,
        Decision::Safe
    );
}

#[test]
fn a_resolver_that_fails_on_the_question_leaves_a_doubt() {
    let mut seen = evidence(vec![server(1, &new_and_old())]);
    seen.resolvers = vec![resolver(&[], 0)];
    seen.resolvers[0].outcome = Outcome::ServFail;
    let verdict = once(&seen, &new());
    assert_eq!(verdict.decision, Decision::Unknown);
    found(&verdict, "servfail", Severity::Unknown, Some("127.0.0.1"));
    seen.resolvers[0].findings = vec![Finding::new("servfail", Severity::Note, "says the walk")];
    assert_eq!(once(&seen, &new()).decision, Decision::Unknown);
    // One that fails on every question says nothing about this one.
    seen.resolvers[0].findings = vec![Finding::new(
        "resolver-broken",
        Severity::Note,
        "says the walk",
    )];
    let verdict = once(&seen, &new());
    assert_eq!(verdict.decision, Decision::Safe);
    found(
        &verdict,
        "resolver-broken",
        Severity::Note,
        Some("127.0.0.1"),
    );
    // Beside it, one that fails on this question only is heard.
    seen.resolvers.push(resolver(&[], 0));
    seen.resolvers[1].outcome = Outcome::ServFail;
    assert_eq!(once(&seen, &new()).decision, Decision::Unknown);
}

#[test]
fn a_server_that_left_while_the_key_was_changed_may_still_be_asked() {
    let gone = |listed: Listed, patch: bool| {
        let mut watched = Watched::new(DEFAULT);
        let second = spoiled(server(2, &new_and_old()), |s| s.listed = listed);
        watched.see(vec![server(1, &new_and_old()), second], "08:00:00");
        watched.expectation = third();
        if patch {
            watched = watched.patched(&new_and_old(), OldTtl::Set(60), "09:00:00");
        }
        watched.see(vec![server(1, &all_three())], "10:00:00")
    };
    for patch in [false, true] {
        let verdict = gone(
            Listed {
                by_zone: true,
                ..Listed::default()
            },
            patch,
        );
        assert_eq!(verdict.safe_at, Some(at("10:00:00") + TimeDelta::hours(50)));
        found(&verdict, "server-departed", Severity::Note, None);
        // A hidden primary is asked by nobody else.
        let verdict = gone(
            Listed {
                by_user: true,
                ..Listed::default()
            },
            patch,
        );
        assert!(
            verdict
                .findings
                .iter()
                .all(|finding| finding.code != "server-departed"),
            "{verdict:#?}"
        );
    }
}

#[test]
fn a_set_that_could_not_be_verified_is_no_absence() {
    let unclear = spoiled(server(2, &[key("old")]), |s| {
        s.security = Security::Indeterminate
    });
    let mut watched = Watched::new(DEFAULT);
    watched.see(vec![server(1, &[]), unclear], "08:00:00");
    let hold = watched
        .see(
            vec![server(1, &[key("new")]), server(2, &[key("new")])],
            "09:00:00",
        )
        .hold
        .unwrap();
    assert_eq!(
        (hold.length, hold.basis),
        (Some(TimeDelta::hours(24)), Basis::FirstLook(at("09:00:00")))
    );
}

#[test]
fn what_a_resolver_holds_is_not_forgotten_for_another_key() {
    let mut seen = evidence(vec![server(1, &all_three())]);
    seen.resolvers = vec![resolver(&[key("old")], 3 * 3600)];
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::zero()),
        ..DEFAULT
    };
    let (_, memory) = check(
        &seen,
        &new(),
        &Memory::empty(&name("example.com")),
        &policy,
        at("08:00:00"),
    );
    seen.resolvers[0].outcome = Outcome::Unreachable;
    let verdict = check(&seen, &third(), &memory, &policy, at("09:00:00")).0;
    assert!(
        verdict.safe_at.is_some_and(|safe| safe >= at("11:00:00")),
        "{verdict:#?}"
    );
}

#[test]
fn servers_behind_an_alias_that_is_not_followed_this_time_have_not_left() {
    let behind = || {
        aliased(
            vec![alias(1, "tlsa.provider.example")],
            vec![server(2, &[key("old")])],
        )
    };
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::zero()),
        ..DEFAULT
    };
    let memory = Memory::empty(&name("example.com"));
    let (_, memory) = check(&behind(), &new(), &memory, &policy, at("08:00:00"));
    let mut lost = behind();
    lost.hops.pop();
    let (_, memory) = check(&lost, &new(), &memory, &policy, at("09:00:00"));
    assert_eq!(memory.of(&lost.owner, &new()).servers.len(), 2);
    let served = memory
        .owners
        .values()
        .flat_map(|owner| &owner.history.served);
    assert_eq!(
        served.filter(|served| served.asked_until.is_some()).count(),
        0
    );
}

#[test]
fn what_a_resolver_claims_counts_for_a_week_at_most() {
    let mut seen = evidence(vec![server(1, &new_and_old())]);
    seen.resolvers = vec![resolver(&[key("old")], (1 << 31) - 1)];
    let memory = Memory::empty(&name("example.com"));
    let (verdict, memory) = check(&seen, &new(), &memory, &NO_HOLD, at("10:00:00"));
    assert_eq!(verdict.safe_at, Some(at("10:00:00") + TimeDelta::days(7)));
    // Nor is that a trace of a clock that was ahead.
    let (verdict, _) = check(&seen, &new(), &memory, &NO_HOLD, at("10:00:00"));
    absent(&verdict, "clock-went-back");
}

#[test]
fn an_unproven_absence_teaches_nothing() {
    let forged = spoiled(server(1, &[]), |s| {
        (s.security, s.negative_ttl) = (Security::Bogus, Some(1))
    });
    let mut watched = Watched::new(DEFAULT);
    watched.see(vec![forged], "08:00:00");
    let hold = watched
        .see(vec![server(1, &new_and_old())], "12:00:00")
        .hold
        .unwrap();
    assert_eq!(
        (hold.length, hold.basis),
        (Some(TimeDelta::days(1)), Basis::FirstLook(at("12:00:00")))
    );
}

#[test]
fn a_clock_that_was_ahead_leaves_no_word_that_all_was_safe() {
    let old = with_ttl(server(1, &[key("old")]), 60);
    let mut watched =
        Watched::new(DEFAULT)
            .looked(vec![old])
            .patched(&[key("old")], OldTtl::Set(60), "09:00:00");
    let both = || vec![with_ttl(server(1, &new_and_old()), 60)];
    watched.see(both(), "10:00:00");
    assert_eq!(watched.see(both(), "22:00:00").decision, Decision::Safe);
    // The clock was twelve hours ahead; nobody was cleared to remove the old record.
    let verdict = watched.see(vec![with_ttl(server(1, &[key("new")]), 60)], "10:01:00");
    found(&verdict, "old-record-missing", Severity::Unsafe, NS1);
    found(&verdict, "clock-went-back", Severity::Note, None);
}

#[test]
fn without_the_deployed_key_it_is_said_what_was_not_checked() {
    let replaced = evidence(vec![server(1, &[key("new")])]);
    let verdict = once(&replaced, &new());
    let told = |verdict: &Verdict| {
        verdict
            .findings
            .iter()
            .find(|f| f.code == "current-not-named")
            .cloned()
    };
    assert!(told(&verdict).unwrap().message.ends_with("was not checked"));
    let mut patched = Watched::new(NO_HOLD).patched(&[key("old")], OldTtl::Set(60), "09:00:00");
    assert!(
        told(&patched.see(vec![server(1, &new_and_old())], "10:00:00"))
            .unwrap()
            .message
            .contains("what patch found")
    );
    let named = Expectation::new(vec![key("new")], Some(vec![key("old")]));
    assert_eq!(told(&once(&replaced, &named)), None);
}

#[test]
fn the_signature_of_an_earlier_set_is_not_that_of_the_set_that_patch_found() {
    let mut watched = Watched::new(Policy {
        hold: HoldWish::Signature,
        ..DEFAULT
    })
    .looked(vec![server(1, &[key("older")])]);
    let mut watched = {
        watched.memory = watched.memory.patched(
            &owner(),
            &[key("old")],
            OldTtl::Set(60),
            &[key("new")],
            at("09:00:00"),
        );
        watched
    };
    let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.decision, Decision::Unknown);
    found(&verdict, "old-signature-unknown", Severity::Unknown, None);
}

#[test]
fn an_alias_to_an_owner_that_was_looked_at_waits_no_longer_than_that_one() {
    let target = "_465._tcp.mail.example.com";
    let behind = |records: &[Tlsa]| {
        let mut seen = aliased(vec![alias(1, target)], vec![server(1, records)]);
        (seen.owner, seen.hops[0].owner) = (
            name("_587._tcp.mail.example.com"),
            name("_587._tcp.mail.example.com"),
        );
        (seen.hops[1].owner, seen.hops[1].zone) = (name(target), name("example.com"));
        seen.hops[1].chain = seen.hops[0].chain.clone();
        seen
    };
    let memory = Memory::empty(&name("example.com"));
    let before = at("00:00:00") - TimeDelta::days(2);
    let (_, memory) = check(
        &behind(&[key("old")]),
        &Expectation::new(vec![key("old")], None),
        &memory,
        &DEFAULT,
        before,
    );
    let (verdict, _) = check(
        &behind(&new_and_old()),
        &new(),
        &memory,
        &DEFAULT,
        at("10:00:00"),
    );
    assert_eq!(verdict.safe_at, Some(at("12:00:00")), "{verdict:#?}");
}

#[test]
fn what_was_seen_for_another_key_contradicts_a_since_that_is_stated() {
    let mut watched = Watched::new(Policy {
        since: Some(at("08:00:00")),
        ..DEFAULT
    })
    .looked(vec![server(1, &[key("old")])]);
    watched.expectation = third();
    watched.see(vec![server(1, &[key("old")])], "09:00:00");
    watched.expectation = new();
    let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.agreed_since, Some(at("10:00:00")));
    found(&verdict, "since-contradicted", Severity::Note, None);
}

/// What the walk tells of a silent server neither excuses it nor is excused with it.
#[test]
fn what_is_told_of_a_silent_server_decides_as_it_says() {
    let waiving = Policy {
        allow_unreachable: 1,
        ..NO_HOLD
    };
    for (code, severity, decision, waived) in [
        (
            "recursive",
            Severity::Note,
            Decision::Unknown,
            Decision::Safe,
        ),
        (
            "unreachable",
            Severity::Note,
            Decision::Unknown,
            Decision::Safe,
        ),
        (
            "no-route",
            Severity::Unknown,
            Decision::Unknown,
            Decision::Safe,
        ),
        (
            "bogus",
            Severity::Unsafe,
            Decision::Unsafe,
            Decision::Unsafe,
        ),
    ] {
        let told = spoiled(failing(2, Outcome::Unreachable), |s| {
            s.findings = vec![Finding::new(code, severity, "says the walk")];
        });
        let seen = evidence(vec![server(1, &new_and_old()), told]);
        let verdict = once(&seen, &new());
        assert_eq!(verdict.decision, decision, "{code}");
        let raised = if code == "unreachable" {
            Severity::Unknown
        } else {
            severity
        };
        found(&verdict, code, raised, NS2);
        // What it serves is not known, so nothing is said of that.
        absent(&verdict, "record-missing");
        assert_eq!(with(&seen, &new(), &waiving).decision, waived, "{code}");
    }
    // Of one that answered, what is told weighs as much as it says.
    let noted = spoiled(server(2, &new_and_old()), |s| {
        s.findings = vec![Finding::new("recursive", Severity::Note, "says the walk")];
    });
    let verdict = once(&evidence(vec![server(1, &new_and_old()), noted]), &new());
    assert_eq!(verdict.decision, Decision::Safe);
}

#[test]
fn the_silence_of_one_server_says_nothing_against_another() {
    let hold = HoldWish::For(TimeDelta::hours(1));
    let mut watched = Watched::new(Policy { hold, ..DEFAULT });
    let well = |number| server(number, &new_and_old());
    let mute = |number| {
        spoiled(failing(number, Outcome::Unreachable), |s| {
            s.findings = vec![Finding::new("unreachable", Severity::Note, "timed out")];
        })
    };
    watched.see(vec![well(1), well(2)], "08:00:00");
    let verdict = watched.see(vec![well(1), mute(2)], "10:00:00");
    assert_eq!(
        (verdict.decision, verdict.settled),
        (Decision::Unknown, true)
    );
    watched.policy.allow_unreachable = 1;
    assert_eq!(
        watched.see(vec![mute(1), well(2)], "10:00:01").decision,
        Decision::Safe
    );
}

#[test]
fn a_server_that_falls_silent_within_the_moment_is_not_waived() {
    let mut watched = Watched::new(Policy {
        allow_unreachable: 1,
        ..NO_HOLD
    });
    let well = || server(1, &new_and_old());
    watched.see(vec![well(), server(2, &[key("old")])], "10:00:00");
    let silent = || vec![well(), failing(2, Outcome::Unreachable)];
    assert_eq!(
        watched.see(silent(), "10:00:00").decision,
        Decision::Unknown
    );
}

/// That nobody publishes the record is said only where all were heard, proven.
#[test]
fn who_was_not_heard_may_publish() {
    let old = || server(1, &[key("old")]);
    for (what, other) in [
        (
            "not proven",
            spoiled(server(2, &[]), |s| s.security = Security::Indeterminate),
        ),
        ("an alias", alias(2, "tlsa.provider.example")),
        (
            "no answer but a serial",
            spoiled(server(2, &[]), |s| s.outcome = Outcome::ServFail),
        ),
    ] {
        let verdict = once(&evidence(vec![old(), other]), &new());
        assert!(!verdict.unpublished, "{what}");
        absent(&verdict, "not-published");
    }
    assert!(once(&evidence(vec![old(), server(2, &[])]), &new()).unpublished);
}

#[test]
fn a_serial_behind_is_a_note_only_where_equal_sets_are_proven() {
    let behind = |server| spoiled(server, |s| s.serial = s.serial.map(|serial| serial - 1));
    let unproven = |number| {
        spoiled(server(number, &new_and_old()), |s| {
            s.security = Security::Indeterminate
        })
    };
    for (first, second, severity) in [
        (
            server(1, &new_and_old()),
            server(2, &new_and_old()),
            Severity::Note,
        ),
        (unproven(1), unproven(2), Severity::Wait),
        (server(1, &[]), server(2, &[]), Severity::Wait),
    ] {
        let verdict = once(&evidence(vec![first, behind(second)]), &new());
        found(&verdict, "serial-behind", severity, NS2);
    }
}

/// What is told of a resolver, with what the walk said of it and what is said besides.
#[test]
fn a_resolver_is_told_of_once() {
    use Outcome::{Answered, NoData, Refused, ServFail, Unreachable};
    type Told = (&'static str, Severity);
    type Case = (Outcome, &'static [&'static str], bool, &'static [Told]);
    let cases: &[Case] = &[
        (Answered, &[], true, &[]),
        (
            Answered,
            &[],
            false,
            &[("resolver-not-validating", Severity::Note)],
        ),
        (
            Answered,
            &["resolver-not-validating"],
            false,
            &[("resolver-not-validating", Severity::Note)],
        ),
        (NoData, &[], true, &[("resolver-stale", Severity::Note)]),
        (Refused, &[], false, &[("refused", Severity::Note)]),
        (Refused, &["refused"], false, &[("refused", Severity::Note)]),
        (
            Unreachable,
            &["unreachable"],
            false,
            &[("unreachable", Severity::Note)],
        ),
        (ServFail, &[], false, &[("servfail", Severity::Unknown)]),
        (
            ServFail,
            &["servfail"],
            false,
            &[("servfail", Severity::Unknown)],
        ),
        (
            ServFail,
            &["recursive"],
            false,
            &[
                ("servfail", Severity::Unknown),
                ("recursive", Severity::Note),
            ],
        ),
        (
            ServFail,
            &["resolver-broken", "servfail"],
            false,
            &[
                ("servfail", Severity::Note),
                ("resolver-broken", Severity::Note),
            ],
        ),
    ];
    for (outcome, told, authenticated, expected) in cases {
        let mut seen = evidence(vec![server(1, &new_and_old())]);
        let mut one = resolver(&new_and_old(), 60);
        (one.outcome, one.authenticated) = (*outcome, *authenticated);
        one.findings = told
            .iter()
            .map(|code| Finding::new(code, Severity::Note, "says the walk"))
            .collect();
        seen.resolvers = vec![one];
        let verdict = once(&seen, &new());
        let of_it: Vec<(&str, Severity)> = verdict
            .findings
            .iter()
            .filter(|finding| finding.server.as_deref() == Some("127.0.0.1"))
            .map(|finding| (finding.code, finding.severity))
            .collect();
        assert_eq!(&of_it, expected, "{outcome:?} {told:?} {authenticated}");
    }
}

#[test]
fn it_is_said_what_a_server_lacks_and_how_it_failed() {
    let told = |server: ServerAnswer, code: &str| {
        let verdict = once(&evidence(vec![server]), &new());
        let finding = verdict.findings.iter().find(|finding| finding.code == code);
        finding.unwrap().message.clone()
    };
    let lacks = format!("lacks {}", crate::propagation::brief(&key("new")));
    for (records, outcome, text) in [
        (vec![], Outcome::NoName, "has no such name yet"),
        (vec![], Outcome::NoData, "has no TLSA record yet"),
        (vec![key("old")], Outcome::Answered, &lacks),
    ] {
        let server = spoiled(server(1, &records), |s| s.outcome = outcome);
        assert_eq!(told(server, "record-missing"), text);
    }
    let nowhere = spoiled(failing(1, Outcome::Unreachable), |s| s.address = None);
    assert_eq!(told(nowhere, "unreachable"), "has no address");
    let silent = failing(1, Outcome::Unreachable);
    assert_eq!(told(silent, "unreachable"), "did not answer");
}

/// What `patch` found is the deployed set; a server with another one before, or a forged
/// one, says nothing of it.
#[test]
fn the_set_before_is_what_patch_found_or_what_was_proven() {
    let other = || server(2, &[key("older"), key("old")]);
    let both = |records: &[Tlsa]| vec![server(1, records), server(2, records)];
    let mut watched = Watched::new(NO_HOLD).patched(&[key("old")], OldTtl::Set(60), "08:00:00");
    watched.see(vec![server(1, &new_and_old()), other()], "09:00:00");
    let verdict = watched.see(both(&new_and_old()), "10:00:00");
    assert_eq!(verdict.decision, Decision::Safe);
    let forged = spoiled(other(), |s| s.security = Security::Bogus);
    let mut watched = Watched::new(NO_HOLD);
    watched.see(vec![server(1, &[key("new")]), forged], "09:00:00");
    let verdict = watched.see(both(&[key("new")]), "10:00:00");
    absent(&verdict, "old-record-missing");
}

#[test]
fn a_resolver_that_had_the_new_set_holds_no_old_one() {
    let mut memory = Memory::empty(&name("example.com"));
    let mut see = |records: &[Tlsa], outcome, time| {
        let mut seen = evidence(vec![server(1, &new_and_old())]);
        seen.resolvers = vec![resolver(records, 7200)];
        seen.resolvers[0].outcome = outcome;
        let (verdict, after) = check(&seen, &new(), &memory, &NO_HOLD, at(time));
        memory = after;
        verdict.decision
    };
    let mut held = |records: &[Tlsa], time| see(records, Outcome::Answered, time);
    assert_eq!(held(&[key("old")], "10:00:00"), Decision::Wait);
    assert_eq!(held(&new_and_old(), "10:10:00"), Decision::Safe);
    assert_eq!(see(&[], Outcome::Unreachable, "10:20:00"), Decision::Safe);
}
