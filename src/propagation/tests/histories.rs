//! Histories of several looks, changes and servers that came out *safe* too early
//! once, or made people wait for nothing.

use crate::propagation::Basis;

use super::*;

fn day(days: i64, time: &str) -> DateTime<Utc> {
    at(time) + TimeDelta::days(30 + days)
}

fn living(mut seen: Evidence, now: DateTime<Utc>) -> Evidence {
    let servers = seen.hops.iter_mut().flat_map(|hop| &mut hop.servers);
    servers.for_each(|server| server.signature_expires = Some(now + TimeDelta::days(14)));
    seen
}

fn look(
    memory: &mut Memory,
    seen: Evidence,
    expectation: &Expectation,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Verdict {
    let (verdict, after) = check(&living(seen, now), expectation, memory, policy, now);
    *memory = after;
    verdict
}

/// A year ago the TTL was lowered for that roll-over; raised afterwards, lowered
/// again just now.
#[test]
fn a_look_of_a_year_ago_says_nothing_of_yesterday() {
    let mut memory = Memory::empty(&name("example.com"));
    let old = || evidence(vec![with_ttl(server(1, &[key("old")]), 300)]);
    let deployed = Expectation::new(vec![key("old")], None);
    look(&mut memory, old(), &deployed, &DEFAULT, day(0, "00:00:00"));
    look(&mut memory, old(), &deployed, &DEFAULT, day(1, "01:00:00"));
    let both = || evidence(vec![with_ttl(server(1, &new_and_old()), 300)]);
    memory = memory.patched(
        &owner(),
        &[key("old")],
        OldTtl::Set(300),
        &[key("new")],
        day(365, "10:00:00"),
    );
    look(&mut memory, both(), &new(), &DEFAULT, day(365, "10:01:00"));
    let verdict = look(&mut memory, both(), &new(), &DEFAULT, day(365, "10:12:00"));
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// `prune` took a wrong record away for an hour; it was put back by hand.
#[test]
fn what_prune_left_may_be_in_caches() {
    let mut memory = Memory::empty(&name("example.com"));
    let set = || evidence(vec![with_ttl(server(1, &new_and_old()), 86_400)]);
    look(
        &mut memory,
        evidence(vec![server(1, &[])]),
        &new(),
        &DEFAULT,
        day(-10, "00:00:00"),
    );
    look(&mut memory, set(), &new(), &DEFAULT, day(-9, "00:00:00"));
    assert_eq!(
        look(&mut memory, set(), &new(), &DEFAULT, day(-6, "00:00:00")).decision,
        Decision::Safe
    );
    memory = memory.pruned(&owner(), &[key("new")], day(0, "09:00:00"));
    let verdict = look(&mut memory, set(), &new(), &DEFAULT, day(0, "10:05:00"));
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// Absence seen once is taken for "there was no set": signatures.
#[test]
fn absence_seen_once_is_no_proof_that_nothing_can_be_replayed() {
    let policy = Policy {
        hold: HoldWish::Signature,
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    look(
        &mut memory,
        evidence(vec![server(1, &[])]),
        &new(),
        &policy,
        day(0, "11:59:00"),
    );
    look(
        &mut memory,
        evidence(vec![server(1, &[key("new")])]),
        &new(),
        &policy,
        day(0, "12:00:00"),
    );
    let verdict = look(
        &mut memory,
        evidence(vec![server(1, &[key("new")])]),
        &new(),
        &policy,
        day(1, "12:10:00"),
    );
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// The set was seen with its signature, by the monitor; after four TTLs it is forgotten.
#[test]
fn a_signature_that_was_seen_is_not_forgotten_after_four_ttls() {
    let policy = Policy {
        hold: HoldWish::Signature,
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let deployed = Expectation::new(vec![key("old")], None);
    let expires = day(20, "00:00:00");
    let old = spoiled(with_ttl(server(1, &[key("old")]), 60), |s| {
        s.set_signature_expires = Some(expires)
    });
    look(
        &mut memory,
        evidence(vec![old]),
        &deployed,
        &DEFAULT,
        day(0, "00:00:00"),
    );
    let none = || evidence(vec![server(1, &[])]);
    look(&mut memory, none(), &deployed, &DEFAULT, day(2, "00:00:00"));
    look(&mut memory, none(), &deployed, &DEFAULT, day(2, "00:10:00"));
    let fresh = || {
        evidence(vec![spoiled(server(1, &[key("new")]), |s| {
            s.set_signature_expires = Some(day(30, "00:00:00"))
        })])
    };
    look(&mut memory, none(), &new(), &policy, day(2, "00:20:00"));
    look(&mut memory, fresh(), &new(), &policy, day(2, "01:00:00"));
    let verdict = look(&mut memory, fresh(), &new(), &policy, day(2, "02:00:00"));
    assert_eq!(
        verdict.hold.and_then(|hold| hold.until),
        Some(expires),
        "{verdict:#?}"
    );
}

/// "It stops when the server gives any other answer, proven or not."
#[test]
fn an_alias_elsewhere_that_is_not_proven_stops_the_clock() {
    for security in [Security::Indeterminate, Security::Bogus] {
        let mut watched = Watched::new(Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
            ..DEFAULT
        });
        watched.see(vec![server(1, &new_and_old())], "08:00:00");
        let away = spoiled(alias(1, "tlsa.elsewhere.example"), |s| {
            s.security = security
        });
        assert_ne!(watched.see(vec![away], "09:00:00").decision, Decision::Safe);
        let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
        assert_ne!(
            verdict.decision,
            Decision::Safe,
            "{security:?} {verdict:#?}"
        );
    }
}

/// The TTL of a set that could not be verified at that moment counts for nothing.
#[test]
fn a_ttl_that_was_seen_without_proof_may_lengthen() {
    let mut watched = Watched::new(DEFAULT);
    let unclear = spoiled(with_ttl(server(1, &[key("old")]), 259_200), |s| {
        s.security = Security::Indeterminate
    });
    watched.see(vec![unclear], "10:00:00");
    let low = || vec![with_ttl(server(1, &new_and_old()), 60)];
    watched.see(low(), "11:00:00");
    let now = at("11:00:01") + TimeDelta::days(1);
    let (verdict, _) = check(&evidence(low()), &new(), &watched.memory, &DEFAULT, now);
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// A monitor that asks no resolver, or another, wipes what a change has seen.
#[test]
fn a_monitor_does_not_forget_what_the_resolver_of_a_change_holds() {
    let policy = NO_HOLD;
    let mut memory = Memory::empty(&name("example.com"));
    let mut seen = evidence(vec![server(1, &new_and_old())]);
    seen.resolvers = vec![resolver(&[key("old")], 7200)];
    look(
        &mut memory,
        seen.clone(),
        &new(),
        &policy,
        day(0, "10:00:00"),
    );
    let deployed = Expectation::new(vec![key("old")], None);
    look(
        &mut memory,
        evidence(vec![server(1, &new_and_old())]),
        &deployed,
        &policy,
        day(0, "10:01:00"),
    );
    seen.resolvers[0].outcome = Outcome::Unreachable;
    let verdict = look(&mut memory, seen, &new(), &policy, day(0, "10:02:00"));
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// One clock per owner and set: the guess of an earlier era of the same key.
#[test]
fn a_key_that_comes_back_is_not_cleared_by_its_earlier_life() {
    let mut memory = Memory::empty(&name("example.com"));
    let low = |records: &[Tlsa]| evidence(vec![with_ttl(server(1, records), 60)]);
    look(
        &mut memory,
        low(&[]),
        &new(),
        &DEFAULT,
        day(-10, "00:00:00"),
    );
    look(
        &mut memory,
        low(&[key("new")]),
        &new(),
        &DEFAULT,
        day(-9, "00:00:00"),
    );
    assert_eq!(
        look(
            &mut memory,
            low(&[key("new")]),
            &new(),
            &DEFAULT,
            day(-8, "00:00:00")
        )
        .decision,
        Decision::Safe
    );
    // Another key is deployed; the first one comes back in its place.
    look(
        &mut memory,
        low(&[key("old")]),
        &new(),
        &DEFAULT,
        day(-1, "00:00:00"),
    );
    let verdict = look(
        &mut memory,
        low(&[key("new")]),
        &new(),
        &DEFAULT,
        day(0, "00:00:00"),
    );
    found(&verdict, "old-record-missing", Severity::Unsafe, NS1);
}

/// False alarm: silence of the first zone makes the clock of the alias's target start again.
#[test]
fn silence_of_the_zone_with_the_alias_forgets_nothing_of_its_target() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let good = || {
        aliased(
            vec![alias(1, "tlsa.provider.example")],
            vec![server(3, &new_and_old())],
        )
    };
    look(&mut memory, good(), &new(), &policy, day(0, "08:00:00"));
    let silent = evidence(vec![failing(1, Outcome::Unreachable)]);
    look(&mut memory, silent, &new(), &policy, day(0, "09:00:00"));
    let verdict = look(&mut memory, good(), &new(), &policy, day(0, "10:00:00"));
    assert_eq!(
        (verdict.decision, verdict.agreed_since),
        (Decision::Safe, Some(day(0, "08:00:00")))
    );
}

/// False alarm: the TTL was lowered days ahead, as everybody advises, and seen.
#[test]
fn a_ttl_that_was_lowered_long_ago_is_over() {
    let mut memory = Memory::empty(&name("example.com"));
    let old = |ttl| evidence(vec![with_ttl(server(1, &[key("old")]), ttl)]);
    let deployed = Expectation::new(vec![key("old")], None);
    look(
        &mut memory,
        old(86_400),
        &deployed,
        &DEFAULT,
        day(-20, "00:00:00"),
    );
    for days in -10..0 {
        look(
            &mut memory,
            old(60),
            &deployed,
            &DEFAULT,
            day(days, "00:00:00"),
        );
    }
    let both = evidence(vec![with_ttl(server(1, &new_and_old()), 60)]);
    let verdict = look(&mut memory, both, &new(), &DEFAULT, day(0, "00:00:00"));
    assert!(
        verdict.hold.unwrap().length < Some(TimeDelta::hours(1)),
        "{verdict:#?}"
    );
}

/// False alarm: /proc/uptime that begins again under one boot id (lxcfs).
#[test]
fn an_uptime_that_begins_again_is_a_restart() {
    use crate::propagation::memory::clock::Reading;
    let reading = |uptime: i64, now: DateTime<Utc>| {
        Some(Reading {
            boot: "host".to_owned(),
            uptime: uptime * 1000,
            wall: now,
        })
    };
    let memory = Memory::empty(&name("example.com")).read_at(reading(864_000, day(0, "08:00:00")));
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let both = || {
        living(
            evidence(vec![server(1, &new_and_old())]),
            day(0, "08:00:00"),
        )
    };
    let (_, memory) = check(&both(), &new(), &memory, &policy, day(0, "08:00:00"));
    let memory = memory.read_at(reading(30, day(0, "10:00:00")));
    let (verdict, _) = check(&both(), &new(), &memory, &policy, day(0, "10:00:00"));
    assert_eq!(verdict.decision, Decision::Safe, "{verdict:#?}");
    let _ = Basis::Asked;
}

/// A relapse that cannot be verified starts a hold of no length at all.
#[test]
fn a_relapse_that_is_not_proven_starts_a_hold_and_not_a_moment() {
    for (records, security) in [
        (vec![key("other")], Security::Indeterminate),
        (vec![key("other")], Security::Bogus),
        (Vec::new(), Security::Bogus),
    ] {
        let mut memory = Memory::empty(&name("example.com"));
        let all = |records: &[Tlsa]| evidence(vec![server(1, records), server(2, records)]);
        look(&mut memory, all(&[]), &new(), &DEFAULT, day(0, "00:00:00"));
        look(
            &mut memory,
            all(&[key("new")]),
            &new(),
            &DEFAULT,
            day(1, "00:00:00"),
        );
        assert_eq!(
            look(
                &mut memory,
                all(&[key("new")]),
                &new(),
                &DEFAULT,
                day(2, "00:00:00")
            )
            .decision,
            Decision::Safe
        );
        let back = spoiled(with_ttl(server(2, &records), 86_400), |s| {
            s.security = security
        });
        let relapse = evidence(vec![server(1, &[key("new")]), back]);
        assert_ne!(
            look(&mut memory, relapse, &new(), &DEFAULT, day(5, "10:00:00")).decision,
            Decision::Safe
        );
        let verdict = look(
            &mut memory,
            all(&[key("new")]),
            &new(),
            &DEFAULT,
            day(5, "10:00:05"),
        );
        assert_ne!(
            verdict.decision,
            Decision::Safe,
            "{security:?} {verdict:#?}"
        );
    }
}

/// The same where the server leaves: resolvers ask it for two days more.
#[test]
fn a_server_that_leaves_with_an_unproven_other_set_is_waited_for() {
    let mut memory = Memory::empty(&name("example.com"));
    let all = |records: &[Tlsa]| evidence(vec![server(1, records), server(2, records)]);
    look(&mut memory, all(&[]), &new(), &DEFAULT, day(0, "00:00:00"));
    look(
        &mut memory,
        all(&[key("new")]),
        &new(),
        &DEFAULT,
        day(1, "00:00:00"),
    );
    look(
        &mut memory,
        all(&[key("new")]),
        &new(),
        &DEFAULT,
        day(2, "00:00:00"),
    );
    let back = spoiled(with_ttl(server(2, &[key("other")]), 86_400), |s| {
        s.security = Security::Indeterminate
    });
    look(
        &mut memory,
        evidence(vec![server(1, &[key("new")]), back]),
        &new(),
        &DEFAULT,
        day(5, "10:00:00"),
    );
    let verdict = look(
        &mut memory,
        evidence(vec![server(1, &[key("new")])]),
        &new(),
        &DEFAULT,
        day(5, "10:00:05"),
    );
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// False alarm: a monitor with `--ipv4` beside a change that asks both families.
#[test]
fn a_monitor_that_asks_one_family_does_not_disturb_a_change() {
    let mut memory = Memory::empty(&name("example.com"));
    let deployed = Expectation::new(vec![key("old")], None);
    let sixth = |records: &[Tlsa]| {
        spoiled(server(2, records), |s| {
            s.address = "[2001:db8::2]:53".parse().ok()
        })
    };
    let both = |records: &[Tlsa]| evidence(vec![server(1, records), sixth(records)]);
    let one = |records: &[Tlsa]| {
        let mut seen = evidence(vec![server(1, records)]);
        seen.hops[0].findings = vec![Finding::new(
            "family-not-asked",
            Severity::Note,
            "as the options demand",
        )];
        seen
    };
    let old = [key("old")];
    let mut last = None;
    for hours in 0..48 {
        let now = day(0, "00:00:00") + TimeDelta::hours(hours);
        look(&mut memory, both(&old), &new(), &DEFAULT, now);
        look(
            &mut memory,
            one(&old),
            &deployed,
            &DEFAULT,
            now + TimeDelta::minutes(30),
        );
    }
    for hours in 48..480 {
        let now = day(0, "00:00:00") + TimeDelta::hours(hours);
        last = Some(look(
            &mut memory,
            both(&new_and_old()),
            &new(),
            &DEFAULT,
            now,
        ));
        look(
            &mut memory,
            one(&new_and_old()),
            &deployed,
            &DEFAULT,
            now + TimeDelta::minutes(30),
        );
    }
    let last = last.unwrap();
    assert_eq!(last.decision, Decision::Safe, "{last:#?}");
}

/// Two processes: the one that judges last has looked at the clock first.
#[test]
fn the_second_of_two_that_waited_for_the_lock_sees_no_clock_go_back() {
    let mut memory = Memory::empty(&name("example.com"));
    let set = || evidence(vec![server(1, &new_and_old())]);
    for days in 0..5 {
        look(&mut memory, set(), &new(), &DEFAULT, day(days, "00:00:00"));
    }
    look(&mut memory, set(), &new(), &DEFAULT, day(5, "00:00:02"));
    let deployed = Expectation::new(vec![key("old")], None);
    look(&mut memory, set(), &deployed, &DEFAULT, day(5, "00:00:01"));
    let kept = memory.of(&owner(), &new());
    assert!(
        kept.found_safe().is_some() && kept.clock_went_back_at.is_none(),
        "{kept:#?}"
    );
}

/// A monitor sees a server leave; the change does not look meanwhile. When the server
/// is listed again it is a stranger to the history, and an old friend to the change.
#[test]
fn a_server_that_left_and_came_back_between_two_looks_of_a_change_is_a_stranger() {
    let mut memory = Memory::empty(&name("example.com"));
    let deployed = Expectation::new(vec![key("old")], None);
    let both = |records: &[Tlsa]| evidence(vec![server(1, records), server(2, records)]);
    look(
        &mut memory,
        both(&[key("old")]),
        &new(),
        &DEFAULT,
        day(0, "00:00:00"),
    );
    look(
        &mut memory,
        both(&new_and_old()),
        &new(),
        &DEFAULT,
        day(1, "00:00:00"),
    );
    assert_eq!(
        look(
            &mut memory,
            both(&new_and_old()),
            &new(),
            &DEFAULT,
            day(2, "00:00:00")
        )
        .decision,
        Decision::Safe
    );
    look(
        &mut memory,
        evidence(vec![server(1, &new_and_old())]),
        &deployed,
        &DEFAULT,
        day(4, "00:00:00"),
    );
    // Listed again at ten with a copy of the zone of last week, and put right at five past.
    let verdict = look(
        &mut memory,
        both(&new_and_old()),
        &new(),
        &DEFAULT,
        day(10, "10:06:00"),
    );
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// A hold is never of negative length (JSON `hold_seconds`, metrics).
#[test]
fn no_hold_is_shorter_than_nothing() {
    let mut memory = Memory::empty(&name("example.com"));
    for days in 0..10 {
        look(
            &mut memory,
            evidence(vec![server(1, &[])]),
            &new(),
            &DEFAULT,
            day(days, "00:00:00"),
        );
    }
    look(
        &mut memory,
        evidence(vec![server(1, &[key("new")])]),
        &new(),
        &DEFAULT,
        day(10, "00:00:00"),
    );
    let verdict = look(
        &mut memory,
        evidence(vec![server(1, &[key("new")])]),
        &new(),
        &DEFAULT,
        day(11, "00:00:00"),
    );
    assert!(
        verdict.hold.unwrap().length >= Some(TimeDelta::zero()),
        "{verdict:#?}"
    );
}

/// Holds today; fails with `self.times(2)` in `Served::is_over`, which no other test notices.
#[test]
fn a_hold_that_began_while_the_old_set_was_cached_is_served_to_its_end() {
    let mut memory = Memory::empty(&name("example.com"));
    let both = |number| with_ttl(server(number, &new_and_old()), 60);
    let old = server(1, &[key("old")]);
    look(
        &mut memory,
        evidence(vec![old, both(2)]),
        &new(),
        &DEFAULT,
        day(0, "10:00:00"),
    );
    let bogus = spoiled(both(2), |s| s.security = Security::Bogus);
    look(
        &mut memory,
        evidence(vec![both(1), bogus]),
        &new(),
        &DEFAULT,
        day(2, "10:00:00"),
    );
    let verdict = look(
        &mut memory,
        evidence(vec![both(1), both(2)]),
        &new(),
        &DEFAULT,
        day(2, "11:59:00"),
    );
    assert_eq!(verdict.safe_at, Some(day(2, "13:59:00")));
    let verdict = look(
        &mut memory,
        evidence(vec![both(1), both(2)]),
        &new(),
        &DEFAULT,
        day(2, "12:30:00"),
    );
    assert_eq!(
        (verdict.decision, verdict.safe_at),
        (Decision::Wait, Some(day(2, "13:59:00")))
    );
}

/// The servers behind the other alias are mute, so nothing is forgotten of the first ones.
#[test]
fn an_alias_that_led_where_nobody_answers_starts_a_hold() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let behind = |target: &str, last: ServerAnswer| {
        let mut seen = aliased(vec![alias(1, target)], vec![last]);
        seen.hops[1].owner = name(target);
        seen
    };
    let there = || behind("tlsa.provider.example", server(3, &new_and_old()));
    let mute = failing(4, Outcome::Unreachable);
    let away = behind("dane.provider.example", mute);
    look(&mut memory, there(), &new(), &policy, day(0, "08:00:00"));
    look(&mut memory, away, &new(), &policy, day(0, "09:00:00"));
    let verdict = look(&mut memory, there(), &new(), &policy, day(0, "10:00:00"));
    assert_eq!(
        (verdict.decision, verdict.agreed_since),
        (Decision::Wait, Some(day(0, "10:00:00")))
    );
}

#[test]
fn an_alias_that_leads_elsewhere_starts_a_hold_that_was_asked_for() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let behind = |target: &str| {
        let mut seen = aliased(vec![alias(1, target)], vec![server(3, &new_and_old())]);
        seen.hops[1].owner = name(target);
        seen
    };
    look(
        &mut memory,
        behind("tlsa.provider.example"),
        &new(),
        &policy,
        day(0, "08:00:00"),
    );
    let verdict = look(
        &mut memory,
        behind("dane.provider.example"),
        &new(),
        &policy,
        day(0, "09:00:00"),
    );
    assert_eq!(verdict.agreed_since, Some(day(0, "09:00:00")));
    look(
        &mut memory,
        behind("dane.provider.example"),
        &new(),
        &policy,
        day(0, "09:30:00"),
    );
    // And back: both targets' servers are known.
    let verdict = look(
        &mut memory,
        behind("tlsa.provider.example"),
        &new(),
        &policy,
        day(0, "10:00:00"),
    );
    assert_eq!(
        (verdict.decision, verdict.agreed_since),
        (Decision::Wait, Some(day(0, "10:00:00")))
    );
}

/// Two changes: another one sees the alias lead elsewhere and back.
#[test]
fn what_a_monitor_sees_of_an_alias_counts_for_a_change() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let deployed = Expectation::new(vec![key("old")], None);
    let good = || {
        aliased(
            vec![alias(1, "tlsa.provider.example")],
            vec![server(3, &new_and_old())],
        )
    };
    let mut away = aliased(
        vec![alias(1, "dane.provider.example")],
        vec![server(4, &[key("old")])],
    );
    away.hops[1].owner = name("dane.provider.example");
    look(&mut memory, good(), &new(), &policy, day(0, "08:00:00"));
    look(&mut memory, away, &deployed, &policy, day(0, "09:59:00"));
    let verdict = look(&mut memory, good(), &new(), &policy, day(0, "10:00:00"));
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// A monitor sees a lagging server leave; the change that comes next starts anew.
#[test]
fn what_a_monitor_sees_leave_counts_for_a_change() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let deployed = Expectation::new(vec![key("old")], None);
    let two = |second: &[Tlsa]| evidence(vec![server(1, &new_and_old()), server(2, second)]);
    look(
        &mut memory,
        two(&new_and_old()),
        &new(),
        &policy,
        day(0, "08:00:00"),
    );
    look(
        &mut memory,
        evidence(vec![server(1, &new_and_old())]),
        &deployed,
        &policy,
        day(0, "09:00:00"),
    );
    let verdict = look(
        &mut memory,
        two(&new_and_old()),
        &new(),
        &policy,
        day(0, "10:00:00"),
    );
    assert_ne!(verdict.decision, Decision::Safe, "{verdict:#?}");
}

/// Two owners share the target of an alias: a check of one sees a server leave there
/// and come back. To the other that server was never away.
#[test]
fn a_server_that_another_owner_saw_come_back_is_a_stranger() {
    let target = "tlsa.provider.example";
    let behind = |owner: &str, numbers: &[u8]| {
        let servers = numbers.iter().map(|number| server(*number, &new_and_old()));
        let mut seen = aliased(vec![alias(1, target)], servers.collect());
        (seen.owner, seen.hops[0].owner) = (name(owner), name(owner));
        seen
    };
    let (ours, other) = ("_25._tcp.a.example.com", "_25._tcp.b.example.com");
    let mut memory = Memory::empty(&name("example.com"));
    let mut see = |owner: &str, numbers: &[u8], policy: &Policy, now| {
        look(&mut memory, behind(owner, numbers), &new(), policy, now)
    };
    see(ours, &[3, 4], &DEFAULT, day(0, "00:00:00"));
    let verdict = see(ours, &[3, 4], &DEFAULT, day(2, "00:00:00"));
    assert_eq!((verdict.decision, verdict.rested), (Decision::Safe, true));
    see(other, &[3], &DEFAULT, day(4, "00:00:00"));
    see(other, &[3, 4], &DEFAULT, day(8, "10:00:00"));
    let verdict = see(ours, &[3, 4], &NO_HOLD, day(8, "11:00:00"));
    assert!(!verdict.rested, "{verdict:#?}");
    let verdict = see(ours, &[3, 4], &DEFAULT, day(8, "12:00:00"));
    assert_eq!(
        (verdict.decision, verdict.safe_at),
        (Decision::Wait, Some(day(9, "10:00:00")))
    );
}

/// The alias could not be followed once; it leads where it did.
#[test]
fn an_alias_that_is_not_followed_once_stops_no_clock() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let whole = || {
        aliased(
            vec![alias(1, "tlsa.provider.example")],
            vec![server(3, &new_and_old())],
        )
    };
    let mut half = whole();
    half.hops.pop();
    look(&mut memory, whole(), &new(), &policy, day(0, "08:00:00"));
    look(&mut memory, half, &new(), &policy, day(0, "09:00:00"));
    let verdict = look(&mut memory, whole(), &new(), &policy, day(0, "10:00:00"));
    assert_eq!(
        (verdict.decision, verdict.agreed_since),
        (Decision::Safe, Some(day(0, "08:00:00")))
    );
}

/// Silent for days, a server may have given until now what it gave last.
#[test]
fn what_a_silent_server_gave_last_counts_until_it_is_heard_again() {
    let low = |number, records: &[Tlsa]| with_ttl(server(number, records), 60);
    let mute = || failing(2, Outcome::Unreachable);
    // Also where so much was seen meanwhile that it was put together with the rest.
    for crowd in [0, 100] {
        let mut memory = Memory::empty(&name("example.com"));
        let mut see = |servers: Vec<ServerAnswer>, now| {
            look(&mut memory, evidence(servers), &new(), &DEFAULT, now)
        };
        see(
            vec![low(1, &[key("old")]), server(2, &[key("old")])],
            day(0, "00:00:00"),
        );
        for number in 0..crowd {
            let now = day(0, "01:00:00") + TimeDelta::seconds(number);
            see(vec![low(1, &[key(&format!("key {number}"))]), mute()], now);
        }
        for hours in 1..72 {
            let now = day(0, "02:00:00") + TimeDelta::hours(hours);
            see(vec![low(1, &new_and_old()), mute()], now);
        }
        let both = || vec![low(1, &new_and_old()), low(2, &new_and_old())];
        let verdict = see(both(), day(4, "00:00:00"));
        assert_eq!(
            (verdict.decision, verdict.safe_at),
            (Decision::Wait, Some(day(4, "02:00:00"))),
            "{crowd}"
        );
    }
}

/// Patched again, the server of the family that is not asked was not heard since, and leaves.
#[test]
fn a_server_that_leaves_before_it_was_heard_again_starts_the_hold() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let mut memory = Memory::empty(&name("example.com"));
    let sixth = spoiled(server(2, &new_and_old()), |s| {
        s.address = "[2001:db8::2]:53".parse().ok()
    });
    let one = || evidence(vec![server(1, &new_and_old())]);
    let mut partial = one();
    let note = Finding::new("family-not-asked", Severity::Note, "as the options demand");
    partial.hops[0].findings = vec![note];
    let both = evidence(vec![server(1, &new_and_old()), sixth]);
    look(&mut memory, both, &new(), &policy, day(0, "08:00:00"));
    let (old, ttl) = ([key("old")], OldTtl::Set(60));
    memory = memory.patched(&owner(), &old, ttl, &[key("new")], day(0, "08:30:00"));
    look(&mut memory, partial, &new(), &policy, day(0, "09:00:00"));
    let verdict = look(&mut memory, one(), &new(), &policy, day(0, "10:00:00"));
    assert_eq!(verdict.agreed_since, Some(day(0, "10:00:00")));
}

/// Who is named in one place only is asked by caches, too; whom only the user names, is not.
#[test]
fn a_lagging_server_that_leaves_counts_by_whomever_it_was_named() {
    use crate::propagation::evidence::Listed;
    for (by_parent, by_zone, by_user, counts) in [
        (true, true, false, true),
        (true, false, false, true),
        (false, true, false, true),
        (false, false, true, false),
    ] {
        let policy = Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
            ..DEFAULT
        };
        let second = |record| {
            spoiled(record, |s: &mut ServerAnswer| {
                s.listed = Listed {
                    by_parent,
                    by_zone,
                    by_user,
                }
            })
        };
        // Heard with the old set, never heard at all, in agreement.
        for (other, agrees) in [
            (server(2, &[key("old")]), false),
            (failing(2, Outcome::Unreachable), false),
            (server(2, &new_and_old()), true),
        ] {
            let mut memory = Memory::empty(&name("example.com"));
            let mut see = |servers: Vec<ServerAnswer>, now| {
                look(&mut memory, evidence(servers), &new(), &policy, now)
            };
            let well = || server(1, &new_and_old());
            see(vec![well(), second(other)], day(0, "08:00:00"));
            let verdict = see(vec![well()], day(0, "09:00:00"));
            let since = if counts && !agrees {
                "09:00:00"
            } else {
                "08:00:00"
            };
            assert_eq!(
                verdict.agreed_since,
                Some(day(0, since)),
                "{by_parent} {by_zone} {by_user} {agrees}"
            );
            let served = memory
                .owners
                .values()
                .flat_map(|owner| &owner.history.served);
            let asked = served.filter(|served| served.asked_until.is_some()).count();
            assert_eq!(
                asked > 0,
                counts,
                "{by_parent} {by_zone} {by_user} {agrees}"
            );
        }
    }
}

/// A monitor sees another set, or an alias elsewhere, and cannot verify it.
#[test]
fn what_a_monitor_sees_without_proof_stops_a_change() {
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    };
    let deployed = Expectation::new(vec![key("old")], None);
    for away in [server(1, &[key("old")]), alias(1, "tlsa.elsewhere.example")] {
        let away = spoiled(away, |s| s.security = Security::Indeterminate);
        let mut memory = Memory::empty(&name("example.com"));
        let well = || evidence(vec![server(1, &new_and_old())]);
        let away = evidence(vec![away]);
        look(&mut memory, well(), &new(), &policy, day(0, "08:00:00"));
        assert!(!memory.of(&owner(), &new()).relapsed);
        look(&mut memory, away, &deployed, &policy, day(0, "09:00:00"));
        assert!(memory.of(&owner(), &new()).relapsed);
        let verdict = look(&mut memory, well(), &new(), &policy, day(0, "10:00:00"));
        assert_eq!(
            (verdict.decision, verdict.agreed_since),
            (Decision::Wait, Some(day(0, "10:00:00")))
        );
    }
}
