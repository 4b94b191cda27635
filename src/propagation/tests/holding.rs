//! The hold: when it starts, how long it is, what starts it again.

use chrono::TimeDelta;

use crate::finding::Severity;
use crate::propagation::evidence::{Listed, Outcome, Security, ServerAnswer};
use crate::propagation::fixtures::{alias, aliased, at, evidence, failing, key, name, server};
use crate::propagation::memory::{Memory, OldTtl};
use crate::propagation::{Basis, Decision, Expectation, HoldWish, Policy, check};
use crate::tlsa::Tlsa;

use super::{DEFAULT, NO_HOLD, NS1, Watched, absent, found, new, new_and_old, spoiled, with_ttl};

#[test]
fn an_assumed_hold_is_not_shortened_by_a_server_that_falls_silent() {
    let mut watched = Watched::new(Policy {
        allow_unreachable: 1,
        ..DEFAULT
    });
    let long = spoiled(server(2, &new_and_old()), |s| s.ttl = Some(50_000));
    let both = watched.see(vec![server(1, &new_and_old()), long], "10:00:00");
    let one = watched.see(
        vec![server(1, &new_and_old()), failing(2, Outcome::Unreachable)],
        "10:00:01",
    );
    assert_eq!(both.hold.unwrap().length, Some(TimeDelta::seconds(100_000)));
    assert_eq!((one.decision, one.safe_at), (Decision::Wait, both.safe_at));
}

#[test]
fn the_hold_starts_with_the_last_server_and_ends_to_the_second() {
    let old = |number| server(number, &[key("old")]);
    let mut watched = Watched::new(DEFAULT).looked(vec![old(1), old(2)]);
    watched.see(vec![server(1, &new_and_old()), old(2)], "09:00:00");
    let both = || vec![server(1, &new_and_old()), server(2, &new_and_old())];
    let verdict = watched.see(both(), "10:00:00");
    assert_eq!(
        (verdict.decision, verdict.safe_at),
        (Decision::Wait, Some(at("12:00:00")))
    );
    assert_eq!(verdict.agreed_since, Some(at("10:00:00")));
    assert_eq!(verdict.hold.unwrap().basis, Basis::OldTtl(3600));
    found(&verdict, "hold-not-elapsed", Severity::Wait, None);
    assert_eq!(watched.see(both(), "11:59:59").decision, Decision::Wait);
    assert_eq!(watched.see(both(), "12:00:00").decision, Decision::Safe);
}

#[test]
fn a_relapse_starts_the_hold_again_and_silence_does_not() {
    let mut watched = Watched::new(Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    });
    let both = || vec![server(1, &new_and_old()), server(2, &new_and_old())];
    watched.see(both(), "08:00:00");
    watched.see(
        vec![server(1, &new_and_old()), failing(2, Outcome::Unreachable)],
        "08:30:00",
    );
    assert_eq!(
        watched.see(both(), "09:00:00").safe_at,
        Some(at("10:00:00"))
    );
    watched.see(
        vec![server(1, &new_and_old()), server(2, &[key("old")])],
        "09:30:00",
    );
    assert_eq!(
        watched.see(both(), "09:45:00").safe_at,
        Some(at("11:45:00"))
    );
}

#[test]
fn a_server_that_left_without_the_record_starts_the_hold_again() {
    let mut watched = Watched::new(Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    });
    watched.see(
        vec![server(1, &new_and_old()), server(2, &[key("old")])],
        "08:00:00",
    );
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "09:00:00")
            .safe_at,
        Some(at("11:00:00"))
    );
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "11:00:00")
            .decision,
        Decision::Safe
    );
}

#[test]
fn other_records_start_the_clock_again() {
    let mut watched = Watched::new(Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    });
    watched.see(vec![server(1, &new_and_old())], "08:00:00");
    watched.expectation = Expectation::new(new_and_old(), None);
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "11:00:00")
            .safe_at,
        Some(at("13:00:00"))
    );
}

/// Length and basis of the hold that a look at noon comes to.
fn hold_at_noon(mut watched: Watched, servers: Vec<ServerAnswer>) -> (TimeDelta, Basis) {
    let hold = watched.see(servers, "12:00:00").hold.unwrap();
    (hold.length.unwrap(), hold.basis)
}

fn lowered(number: u8) -> ServerAnswer {
    with_ttl(server(number, &new_and_old()), 60)
}

#[test]
fn the_length_of_the_hold_comes_from_what_was_seen_before() {
    let watched = |server| Watched::new(DEFAULT).looked(vec![server]);
    let day = watched(with_ttl(server(1, &[key("old")]), 86_400));
    assert_eq!(
        hold_at_noon(day, vec![lowered(1)]),
        (TimeDelta::days(2), Basis::OldTtl(86_400))
    );
    let absence = watched(spoiled(server(1, &[]), |s| s.negative_ttl = Some(900)));
    let first = hold_at_noon(absence, vec![server(1, &[key("new")])]);
    assert_eq!(first, (TimeDelta::seconds(1800), Basis::NegativeTtl(900)));
    // A cache before the server counts its TTL down; the signature has the original.
    let cached = spoiled(server(1, &[key("old")]), |s| {
        (s.ttl, s.original_ttl) = (Some(7), Some(7200))
    });
    assert_eq!(
        hold_at_noon(watched(cached), vec![lowered(1)]),
        (TimeDelta::hours(4), Basis::OldTtl(7200))
    );
}

#[test]
fn without_a_look_a_day_ahead_the_hold_is_a_day_at_least() {
    let noon = at("12:00:00");
    let fresh = || Watched::new(DEFAULT);
    let day = (TimeDelta::days(1), Basis::FirstLook(noon));
    assert_eq!(hold_at_noon(fresh(), vec![lowered(1)]), day);
    let verdict = fresh().see(vec![lowered(1)], "12:00:00");
    let told = verdict
        .findings
        .iter()
        .find(|finding| finding.code == "old-ttl-unknown")
        .unwrap();
    assert!(
        told.message
            .contains("a day covers TTLs up to a day, and what had a longer one"),
        "{}",
        told.message
    );
    // A record that is gone for a minute was there before: absence proves nothing.
    let absent = |minutes: i64| {
        let mut watched = fresh();
        let then = noon - TimeDelta::minutes(minutes);
        let seen = evidence(vec![server(1, &[])]);
        watched.memory = check(&seen, &watched.expectation, &watched.memory, &DEFAULT, then).1;
        hold_at_noon(watched, vec![lowered(1)])
    };
    let then = noon - TimeDelta::minutes(1);
    assert_eq!(
        absent(1),
        (
            TimeDelta::days(1) - TimeDelta::minutes(1),
            Basis::FirstLook(then)
        )
    );
    assert_eq!(
        absent(24 * 60),
        (TimeDelta::seconds(600), Basis::NegativeTtl(300))
    );
    // One that lags shows its own TTL, not that of the others.
    let lags = with_ttl(server(3, &[key("old")]), 60);
    let long = |number| with_ttl(server(number, &new_and_old()), 86_400);
    let mut watched = fresh();
    watched.see(vec![long(1), long(2), lags], "11:00:00");
    let hold = hold_at_noon(
        watched,
        vec![long(1), long(2), with_ttl(server(3, &new_and_old()), 60)],
    );
    assert_eq!(hold, (TimeDelta::days(2), Basis::OldTtl(86_400)));
    // One that is heard late may have served anything until then.
    let mut watched = fresh().looked(vec![lowered(1)]);
    watched.see(
        vec![lowered(1), failing(2, Outcome::Unreachable)],
        "11:00:00",
    );
    assert_eq!(hold_at_noon(watched, vec![lowered(1), lowered(2)]), day);
    // A hidden primary that is named later is asked by nobody else.
    let hidden = spoiled(lowered(2), |s| {
        s.listed = Listed {
            by_user: true,
            ..Listed::default()
        }
    });
    let watched = fresh().looked(vec![with_ttl(server(1, &[key("old")]), 60)]);
    assert_eq!(
        hold_at_noon(watched, vec![lowered(1), hidden]),
        (TimeDelta::seconds(120), Basis::OldTtl(60))
    );
    let week = with_ttl(server(1, &new_and_old()), 604_800);
    assert_eq!(
        hold_at_noon(fresh(), vec![week]),
        (TimeDelta::days(14), Basis::OldTtl(604_800))
    );
}

#[test]
fn a_ttl_in_a_file_makes_a_hold_longer_and_never_shorter() {
    let old = [key("old")];
    let looked = |ttl| Watched::new(DEFAULT).looked(vec![with_ttl(server(1, &old), ttl)]);
    let long = looked(60).patched(&old, OldTtl::Set(86_400), "09:00:00");
    assert_eq!(
        hold_at_noon(long, vec![lowered(1)]),
        (TimeDelta::days(2), Basis::OldTtl(86_400))
    );
    let long = looked(3600).patched(&[], OldTtl::Absent(7200), "09:00:00");
    assert_eq!(
        hold_at_noon(long, vec![lowered(1)]),
        (TimeDelta::hours(4), Basis::NegativeTtl(7200))
    );
    let short = looked(3600).patched(&old, OldTtl::Set(60), "09:00:00");
    assert_eq!(
        hold_at_noon(short, vec![lowered(1)]),
        (TimeDelta::hours(2), Basis::OldTtl(3600))
    );
    let unseen = Watched::new(DEFAULT).patched(&old, OldTtl::Set(60), "09:00:00");
    assert_eq!(hold_at_noon(unseen, vec![lowered(1)]).0, TimeDelta::days(1));
    // No cache keeps what it did not validate for longer than a week.
    let endless = looked(60).patched(&old, OldTtl::Set(u32::MAX), "09:00:00");
    assert_eq!(
        hold_at_noon(endless, vec![lowered(1)]).0,
        TimeDelta::days(14)
    );
}

#[test]
fn the_ttl_of_an_alias_counts_after_it_leads_elsewhere() {
    let behind = |target: &str, number: u8, ttl: u32| {
        let leads = |number| with_ttl(alias(number, target), ttl);
        let mut seen = aliased(
            vec![leads(1), leads(2)],
            vec![server(number, &new_and_old())],
        );
        seen.hops[1].owner = name(target);
        seen
    };
    let (first, other) = ("tlsa.provider.example", "dane.provider.example");
    let mut memory = Memory::empty(&name("example.com"));
    for (seen, hours, decision) in [
        (behind(first, 3, 345_600), 0, Decision::Wait),
        (behind(other, 4, 300), 100, Decision::Wait),
        (behind(other, 4, 300), 100 + 191, Decision::Wait),
        (behind(other, 4, 300), 100 + 192, Decision::Safe),
    ] {
        let mut seen = seen;
        let now = at("00:00:00") + TimeDelta::hours(hours);
        let servers = seen.hops.iter_mut().flat_map(|hop| &mut hop.servers);
        servers.for_each(|server| server.signature_expires = Some(now + TimeDelta::days(14)));
        let (verdict, after) = check(
            &seen,
            &Expectation::new(vec![key("new")], None),
            &memory,
            &DEFAULT,
            now,
        );
        assert_eq!(verdict.decision, decision, "{hours}: {verdict:#?}");
        absent(&verdict, "server-departed");
        memory = after;
    }
}

#[test]
fn a_hold_of_nothing_has_passed_at_once() {
    let mut watched = Watched::new(NO_HOLD);
    let now = at("12:00:00") + TimeDelta::milliseconds(300);
    let seen = evidence(vec![server(1, &new_and_old())]);
    let (verdict, memory) = check(&seen, &watched.expectation, &watched.memory, &NO_HOLD, now);
    assert_eq!((verdict.decision, verdict.safe_at), (Decision::Safe, None));
    watched.memory = memory;
    assert_eq!(
        watched
            .see(vec![server(1, &new_and_old())], "12:00:01")
            .decision,
        Decision::Safe
    );
}

#[test]
fn a_monitor_of_the_deployed_key_and_a_change_do_not_disturb_each_other() {
    let deployed = Expectation::new(vec![key("old")], None);
    let mut watched = Watched::new(DEFAULT).looked(vec![server(1, &[key("old")])]);
    let mut see = |expectation: &Expectation, records: &[Tlsa], time: &str| {
        let seen = evidence(vec![server(1, records)]);
        let (verdict, memory) = check(&seen, expectation, &watched.memory, &DEFAULT, at(time));
        watched.memory = memory;
        (verdict.decision, verdict.agreed_since)
    };
    assert_eq!(
        see(&deployed, &[key("old")], "08:00:00"),
        (Decision::Safe, Some(at("08:00:00")))
    );
    for (expectation, time, decision, since) in [
        (new(), "09:00:00", Decision::Wait, "09:00:00"),
        (deployed.clone(), "09:30:00", Decision::Safe, "08:00:00"),
        (new(), "10:00:00", Decision::Wait, "09:00:00"),
        (deployed.clone(), "10:30:00", Decision::Safe, "08:00:00"),
        (new(), "11:00:00", Decision::Safe, "09:00:00"),
    ] {
        assert_eq!(
            see(&expectation, &new_and_old(), time),
            (decision, Some(at(since))),
            "{time}"
        );
    }
    // What the monitor sees stops the other clock, too.
    see(&deployed, &[key("old")], "12:00:00");
    assert_eq!(
        see(&new(), &new_and_old(), "13:00:00"),
        (Decision::Wait, Some(at("13:00:00")))
    );
}

#[test]
fn one_machine_that_lags_behind_an_address_stops_its_clock() {
    let hold = HoldWish::For(TimeDelta::hours(2));
    for second in [vec![key("old")], Vec::new()] {
        for turned in [false, true] {
            let mut watched = Watched::new(Policy { hold, ..DEFAULT });
            watched.see(vec![server(1, &new_and_old())], "08:00:00");
            let mut machines = vec![server(1, &new_and_old()), server(1, &second)];
            if turned {
                machines.reverse();
            }
            assert_ne!(watched.see(machines, "09:00:00").decision, Decision::Safe);
            let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
            assert_eq!(
                (verdict.decision, verdict.agreed_since),
                (Decision::Wait, Some(at("10:00:00")))
            );
        }
    }
}

#[test]
fn a_record_that_nobody_publishes_is_not_waited_for() {
    let unpublished = |watched: &mut Watched, servers| {
        let verdict = watched.see(servers, "10:00:00");
        assert_eq!(verdict.decision, Decision::Wait);
        let told = verdict
            .findings
            .first()
            .is_some_and(|first| first.code == "not-published");
        assert_eq!(told, verdict.unpublished);
        told
    };
    let old = |number| server(number, &[key("old")]);
    let fresh = || Watched::new(DEFAULT);
    assert!(unpublished(&mut fresh(), vec![old(1), old(2)]));
    assert!(unpublished(
        &mut fresh(),
        vec![server(1, &[]), server(2, &[])]
    ));
    // The next serial is on its way.
    let ahead = spoiled(old(2), |s| s.serial = s.serial.map(|serial| serial + 1));
    assert!(!unpublished(&mut fresh(), vec![old(1), ahead]));
    assert!(!unpublished(
        &mut fresh(),
        vec![old(1), server(2, &new_and_old())]
    ));
    // So is what patch has put into the file.
    let mut patched = fresh().patched(&[key("old")], OldTtl::Set(60), "09:00:00");
    assert!(!unpublished(&mut patched, vec![old(1), old(2)]));
}

#[test]
fn a_forged_ttl_does_not_shorten_the_hold() {
    let forged = spoiled(server(2, &[key("old")]), |s| {
        (s.ttl, s.original_ttl, s.security) = (Some(1), Some(1), Security::Bogus);
    });
    let mut watched = Watched::new(DEFAULT);
    watched.see(vec![server(1, &new_and_old()), forged], "11:00:00");
    let verdict = watched.see(
        vec![server(1, &new_and_old()), server(2, &new_and_old())],
        "12:00:00",
    );
    assert!(matches!(verdict.hold.unwrap().basis, Basis::FirstLook(_)));
}

#[test]
fn the_signature_hold_lasts_until_the_old_set_cannot_be_replayed() {
    let mut watched = Watched::new(Policy {
        hold: HoldWish::Signature,
        ..DEFAULT
    });
    let expires = at("12:00:00") + TimeDelta::days(3);
    let old = spoiled(server(2, &[key("old")]), |s| {
        s.set_signature_expires = Some(expires)
    });
    watched.see(vec![server(1, &new_and_old()), old], "09:00:00");
    let verdict = watched.see(
        vec![server(1, &new_and_old()), server(2, &new_and_old())],
        "10:00:00",
    );
    assert_eq!(
        (verdict.decision, verdict.safe_at),
        (Decision::Wait, Some(expires))
    );
    let mut never_seen = Watched::new(Policy {
        hold: HoldWish::Signature,
        ..DEFAULT
    });
    let verdict = never_seen.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.decision, Decision::Unknown);
    found(&verdict, "old-signature-unknown", Severity::Unknown, None);
}

#[test]
fn since_states_the_agreement_unless_something_else_was_seen() {
    let hold = HoldWish::For(TimeDelta::hours(2));
    let mut watched = Watched::new(Policy {
        hold,
        since: Some(at("08:00:00")),
        ..DEFAULT
    });
    let verdict = watched.see(vec![server(1, &new_and_old())], "09:00:00");
    assert_eq!(
        (verdict.agreed_since, verdict.safe_at),
        (Some(at("08:00:00")), Some(at("10:00:00")))
    );
    watched.see(vec![server(1, &[key("old")])], "09:10:00");
    let verdict = watched.see(vec![server(1, &new_and_old())], "09:20:00");
    assert_eq!(verdict.safe_at, Some(at("11:20:00")));
    found(&verdict, "since-contradicted", Severity::Note, None);
}

#[test]
fn a_clock_that_went_back_does_not_count_as_agreement() {
    let mut watched = Watched::new(Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..DEFAULT
    });
    watched.see(vec![server(1, &new_and_old())], "20:00:00");
    let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.safe_at, Some(at("12:00:00")));
    found(&verdict, "clock-went-back", Severity::Note, None);
    let verdict = watched.see(vec![server(1, &new_and_old())], "12:00:00");
    assert_eq!(verdict.decision, Decision::Safe);
    absent(&verdict, "clock-went-back");
}

#[test]
fn what_shows_no_other_set_is_no_relapse() {
    let unclear = spoiled(server(1, &new_and_old()), |s| {
        s.security = Security::Indeterminate
    });
    for blink in [unclear, failing(1, Outcome::ServFail)] {
        let mut watched = Watched::new(Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
            ..DEFAULT
        });
        watched.see(vec![server(1, &new_and_old())], "08:00:00");
        let verdict = watched.see(vec![blink], "09:00:00");
        assert_eq!(verdict.decision, Decision::Unknown);
        assert!(verdict.findings.iter().any(|f| f.server.as_deref() == NS1));
        assert_eq!(
            watched
                .see(vec![server(1, &new_and_old())], "10:00:00")
                .decision,
            Decision::Safe
        );
    }
}

#[test]
fn another_set_is_a_relapse_also_when_it_cannot_be_verified() {
    for records in [vec![key("old")], Vec::new()] {
        let mut watched = Watched::new(Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
            ..DEFAULT
        });
        watched.see(vec![server(1, &new_and_old())], "08:00:00");
        watched.see(
            vec![spoiled(server(1, &records), |s| {
                s.security = Security::Indeterminate
            })],
            "09:00:00",
        );
        let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
        assert_eq!(
            (verdict.decision, verdict.agreed_since),
            (Decision::Wait, Some(at("10:00:00")))
        );
    }
}

#[test]
fn nobody_left_where_the_old_set_was_given_after_the_stated_time() {
    let mut watched = Watched::new(Policy {
        since: Some(at("09:00:00")),
        ..DEFAULT
    })
    .looked(vec![server(1, &[key("old")])]);
    let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.safe_at, Some(at("12:00:00")));
    assert_eq!(verdict.hold.unwrap().basis, Basis::OldTtl(3600));
    absent(&verdict, "server-departed");
}

#[test]
fn the_signature_hold_ends_early_only_where_a_month_of_looks_saw_no_set() {
    let policy = Policy {
        hold: HoldWish::Signature,
        ..DEFAULT
    };
    let unsigned = |records: &[Tlsa]| {
        vec![spoiled(server(1, records), |s| {
            s.set_signature_expires = None
        })]
    };
    let now = at("12:00:00");
    let expectation = Expectation::new(vec![key("new")], Some(vec![key("new")]));
    let month = || vec![(31, vec![])];
    for (what, looks, patched, decision) in [
        ("absent for a month", month(), false, Decision::Safe),
        ("and in the file", month(), true, Decision::Safe),
        (
            "absent for less",
            vec![(29, vec![])],
            false,
            Decision::Unknown,
        ),
        (
            "a set whose signature nobody saw, between",
            vec![(40, vec![]), (35, vec![key("old")]), (3, vec![])],
            false,
            Decision::Unknown,
        ),
        (
            "there from the first look on",
            vec![(31, vec![key("new")])],
            false,
            Decision::Unknown,
        ),
    ] {
        let mut memory = Memory::empty(&name("example.com"));
        let published = [1, 0].map(|ago| (ago, vec![key("new")]));
        let mut last = None;
        for (ago, set) in looks.into_iter().chain(published) {
            let then = now - TimeDelta::days(ago);
            if patched && ago == 1 {
                let (owner, new) = (super::owner(), [key("new")]);
                memory = memory.patched(&owner, &[], OldTtl::Absent(300), &new, then);
            }
            let mut seen = evidence(unsigned(&set));
            seen.hops[0].servers[0].signature_expires = Some(then + TimeDelta::days(14));
            let (verdict, after) = check(&seen, &expectation, &memory, &policy, then);
            memory = after;
            last = Some(verdict);
        }
        assert_eq!(last.unwrap().decision, decision, "{what}");
    }
}

#[test]
fn a_since_after_the_last_contradiction_counts() {
    // The TTL in the file is short, so that the history forgets what patch found there.
    let patched = |since: &str| {
        let mut watched = Watched::new(Policy {
            since: Some(at(since)),
            ..DEFAULT
        })
        .patched(&[key("old")], OldTtl::Set(60), "10:00:00");
        watched.see(vec![server(1, &new_and_old())], "10:10:00")
    };
    let seen = |since: &str| {
        let mut watched = Watched::new(Policy {
            since: Some(at(since)),
            ..DEFAULT
        });
        watched.see(vec![server(1, &[key("old")])], "10:00:00");
        watched.see(vec![server(1, &new_and_old())], "10:10:00")
    };
    for (since, counts) in [
        ("09:59:59", false),
        ("10:00:00", true),
        ("10:00:01", true),
        ("10:10:01", false),
    ] {
        let expected = Some(at(if counts { since } else { "10:10:00" }));
        assert_eq!(patched(since).agreed_since, expected, "patched, {since}");
        assert_eq!(seen(since).agreed_since, expected, "seen, {since}");
    }
}

#[test]
fn a_since_that_counts_lets_the_old_records_go_a_day_later() {
    let since = at("12:00:00") - TimeDelta::days(2);
    let mut watched = Watched::new(Policy {
        since: Some(since),
        ..DEFAULT
    });
    let verdict = watched.see(vec![server(1, &new_and_old())], "12:00:00");
    assert_eq!((verdict.decision, verdict.rested), (Decision::Safe, true));
    let verdict = watched.see(vec![server(1, &[key("new")])], "12:01:00");
    absent(&verdict, "old-record-missing");
}
