//! The rules of the memory.

use chrono::TimeDelta;

use crate::propagation::evidence::Outcome;
use crate::propagation::fixtures::{at, evidence, failing, key, name, server};
use crate::propagation::memory::OldTtl;
use crate::propagation::{Decision, Expectation, HoldWish, Policy, check};

use super::{KeyChange, Memory};

fn owner() -> crate::name::Name {
    name("_25._tcp.mail.example.com")
}

/// The change to this key at the usual owner.
fn change(memory: &Memory, to: &str) -> KeyChange {
    memory.of(&owner(), &Expectation::new(vec![key(to)], None))
}

#[test]
fn what_is_written_reads_back() {
    let expectation = Expectation::new(vec![key("new")], None);
    let seen = evidence(vec![
        server(1, &[key("old"), key("new")]),
        server(2, &[key("old")]),
    ]);
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(
        &owner(),
        &[key("old")],
        OldTtl::Set(60),
        &[key("new")],
        at("08:00:00"),
    );
    let (_, memory) = check(
        &seen,
        &expectation,
        &memory,
        &Policy::default(),
        at("09:00:00"),
    );
    let text = serde_json::to_string(&memory).unwrap();
    assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), memory);
}

#[test]
fn a_damaged_record_is_an_error() {
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(
        &owner(),
        &[],
        OldTtl::Absent(60),
        &[key("new")],
        at("08:00:00"),
    );
    let text = serde_json::to_string(&memory).unwrap();
    let good = key("new").to_string();
    for bad in ["3 1 1", "3 1 1 abc", "3 1 1 zz", "256 1 1 00", ""] {
        assert!(
            serde_json::from_str::<Memory>(&text.replace(&good, bad)).is_err(),
            "{bad}"
        );
    }
    assert!(serde_json::from_str::<Memory>(&text).is_ok());
}

#[test]
fn taking_in_the_same_twice_changes_nothing() {
    let expectation = Expectation::new(vec![key("new")], None);
    let seen = evidence(vec![
        server(1, &[key("old"), key("new")]),
        server(2, &[key("old")]),
    ]);
    let once = Memory::empty(&name("example.com")).after(&seen, &expectation, at("09:00:00"));
    assert_eq!(once.after(&seen, &expectation, at("09:00:00")), once);
}

#[test]
fn a_patch_that_changed_nothing_keeps_the_clock() {
    let expectation = Expectation::new(vec![key("new")], None);
    let both = [key("old"), key("new")];
    let seen = evidence(vec![server(1, &both)]);
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(
        &owner(),
        &[key("old")],
        OldTtl::Set(60),
        &[key("new")],
        at("08:00:00"),
    );
    let memory = memory.after(&seen, &expectation, at("09:00:00"));
    assert_eq!(
        memory.patched(
            &owner(),
            &both,
            OldTtl::Set(60),
            &[key("new")],
            at("10:00:00")
        ),
        memory
    );
    // Taken out by hand and put in again: caches may hold the set without it.
    let again = memory.patched(
        &owner(),
        &[key("old")],
        OldTtl::Set(60),
        &[key("new")],
        at("10:00:00"),
    );
    assert!(
        change(&again, "new")
            .servers
            .values()
            .all(|seen| seen.since.is_none())
    );
}

#[test]
fn a_server_whose_address_is_not_found_this_time_is_not_forgotten() {
    let expectation = Expectation::new(vec![key("new")], None);
    let seen = evidence(vec![server(1, &[key("new")]), server(2, &[key("new")])]);
    let memory = Memory::empty(&name("example.com")).after(&seen, &expectation, at("08:00:00"));
    let mut lost = seen.clone();
    lost.hops[0].servers[1].address = None;
    lost.hops[0].servers[1].outcome = Outcome::Unreachable;
    let memory = memory.after(&lost, &expectation, at("09:00:00"));
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..Policy::default()
    };
    let (verdict, _) = check(&seen, &expectation, &memory, &policy, at("10:00:00"));
    assert_eq!(verdict.agreed_since, Some(at("08:00:00")));
}

#[test]
fn a_field_that_was_left_out_is_an_error() {
    let expectation = Expectation::new(vec![key("new")], None);
    let seen = evidence(vec![server(1, &[key("new")]), server(2, &[key("old")])]);
    let memory = Memory::empty(&name("example.com")).after(&seen, &expectation, at("09:00:00"));
    let whole = serde_json::to_value(&memory).unwrap();
    assert!(serde_json::from_value::<Memory>(whole.clone()).is_ok());
    let owner = format!("/owners/{}", owner());
    let server = seen.hops[0]
        .servers
        .first()
        .map(|first| seen.hops[0].server_key(first))
        .unwrap();
    let mut tried = 0;
    for place in [
        String::new(),
        owner.clone(),
        format!("{owner}/history"),
        format!("{owner}/history/served/0"),
        format!("{owner}/history/servers/{server}"),
        format!("{owner}/changes/0"),
        format!("{owner}/changes/0/old"),
        format!("{owner}/changes/0/servers/{server}"),
    ] {
        let fields: Vec<String> = whole
            .pointer(&place)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        for field in fields {
            let mut lacking = whole.clone();
            lacking
                .pointer_mut(&place)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(&field);
            assert!(
                serde_json::from_value::<Memory>(lacking).is_err(),
                "{place} without {field}"
            );
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}

#[test]
fn a_server_that_left_is_remembered_when_other_records_are_expected() {
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(
        &owner(),
        &[key("a")],
        OldTtl::Set(60),
        &[key("b")],
        at("01:00:00"),
    );
    let (expectation, policy) = (Expectation::new(vec![key("b")], None), Policy::default());
    let both = [key("a"), key("b")];
    let seen = evidence(vec![server(1, &both), server(2, &[key("a")])]);
    let (_, memory) = check(&seen, &expectation, &memory, &policy, at("02:00:00"));
    let (_, memory) = check(
        &evidence(vec![server(1, &both)]),
        &expectation,
        &memory,
        &policy,
        at("03:00:00"),
    );
    let patched = memory.patched(
        &owner(),
        &both,
        OldTtl::Set(60),
        &[key("c")],
        at("04:00:00"),
    );
    let three = evidence(vec![server(1, &[key("a"), key("b"), key("c")])]);
    for (memory, hours) in [(memory, 50), (patched, 50)] {
        let (verdict, _) = check(
            &three,
            &Expectation::new(vec![key("c")], None),
            &memory,
            &policy,
            at("04:00:00"),
        );
        assert_eq!(
            verdict.safe_at,
            Some(at("03:00:00") + TimeDelta::hours(hours))
        );
    }
}

#[test]
fn what_is_amiss_at_a_server_is_dated_from_the_first_check_that_found_it() {
    let expectation = Expectation::new(vec![key("new")], None);
    let well = || server(2, &[key("new")]);
    let refusing = || failing(2, Outcome::Refused);
    let failing_otherwise = || failing(2, Outcome::ServFail);
    let since = |time: &str, code: &str| Some((code.to_owned(), at(time)));
    let mut memory = Memory::empty(&name("example.com"));
    for (now, second, expected) in [
        ("08:00:00", well(), None),
        ("09:00:00", refusing(), since("09:00:00", "refused")),
        ("10:00:00", refusing(), since("09:00:00", "refused")),
        (
            "11:00:00",
            failing_otherwise(),
            since("11:00:00", "servfail"),
        ),
        ("12:00:00", refusing(), since("12:00:00", "refused")),
        ("13:00:00", well(), None),
    ] {
        let seen = evidence(vec![server(1, &[key("new")]), second]);
        let policy = Policy {
            hold: HoldWish::For(TimeDelta::zero()),
            ..Policy::default()
        };
        (_, memory) = check(&seen, &expectation, &memory, &policy, at(now));
        let amiss = |index: usize| {
            let servers = change(&memory, "new").servers;
            let seen = &servers[&seen.hops[0].server_key(&seen.hops[0].servers[index])];
            seen.amiss
                .as_ref()
                .map(|amiss| (amiss.code.clone(), amiss.since))
        };
        assert_eq!((amiss(0), amiss(1)), (None, expected), "{now}");
    }
}

/// The old set with an hour's TTL, joined by `b` at one, and safe at four.
fn safe_at_four(second: bool) -> Memory {
    let memory = Memory::empty(&name("example.com"));
    let before = [server(1, &[key("a")]), server(2, &[key("a")])];
    let before = evidence(
        before
            .into_iter()
            .take(if second { 2 } else { 1 })
            .collect(),
    );
    let memory = memory.after(
        &before,
        &Expectation::new(vec![key("a")], None),
        at("00:00:00") - TimeDelta::days(1),
    );
    let mut memory = memory.patched(
        &owner(),
        &[key("a")],
        OldTtl::Set(3600),
        &[key("b")],
        at("01:00:00"),
    );
    let both = [key("a"), key("b")];
    let servers = if second {
        vec![server(1, &both), server(2, &both)]
    } else {
        vec![server(1, &both)]
    };
    let expectation = Expectation::new(vec![key("b")], None);
    for (time, decision) in [("01:00:00", Decision::Wait), ("04:00:00", Decision::Safe)] {
        let checked = check(
            &evidence(servers.clone()),
            &expectation,
            &memory,
            &Policy::default(),
            at(time),
        );
        assert_eq!(checked.0.decision, decision);
        memory = checked.1;
    }
    memory
}

#[test]
fn a_record_that_is_pruned_and_put_back_starts_the_clock_again() {
    let memory = safe_at_four(false).pruned(&owner(), &[key("b")], at("05:00:00"));
    let again = evidence(vec![server(1, &[key("a"), key("b")])]);
    let (verdict, _) = check(
        &again,
        &Expectation::new(vec![key("b")], None),
        &memory,
        &Policy::default(),
        at("06:00:00"),
    );
    assert_eq!(
        (verdict.decision, verdict.agreed_since),
        (Decision::Wait, Some(at("06:00:00")))
    );
}

#[test]
fn a_server_that_left_in_agreement_does_not_agree_with_other_records() {
    let (both, three) = ([key("a"), key("b")], [key("a"), key("b"), key("c")]);
    let left = evidence(vec![server(1, &both)]);
    let policy = Policy::default();
    let (_, memory) = check(
        &left,
        &Expectation::new(vec![key("b")], None),
        &safe_at_four(true),
        &policy,
        at("05:00:00"),
    );
    let memory = memory.patched(
        &owner(),
        &both,
        OldTtl::Set(3600),
        &[key("c")],
        at("05:01:00"),
    );
    let expectation = Expectation::new(vec![key("c")], None);
    let (verdict, _) = check(
        &evidence(vec![server(1, &three)]),
        &expectation,
        &memory,
        &policy,
        at("05:02:00"),
    );
    assert_eq!(verdict.safe_at, Some(at("05:00:00") + TimeDelta::hours(50)));
}

#[test]
fn a_set_with_a_digest_of_another_key_only_is_waited_for() {
    let strong = crate::propagation::fixtures::key_as("a", 3, 1, 2);
    let ours = crate::propagation::fixtures::key_as("b", 3, 1, 2);
    let expectation =
        Expectation::new(vec![key("b")], None).deriving([(ours.params, vec![vec![ours.clone()]])]);
    let policy = Policy::default();
    let half = evidence(vec![server(1, &[key("a"), key("b"), strong.clone()])]);
    let (verdict, memory) = check(
        &half,
        &expectation,
        &safe_at_four(false),
        &policy,
        at("08:00:00"),
    );
    assert_eq!(verdict.decision, Decision::Unsafe);
    for whole in [
        vec![key("a"), key("b"), strong, ours],
        vec![key("a"), key("b")],
    ] {
        let (verdict, _) = check(
            &evidence(vec![server(1, &whole)]),
            &expectation,
            &memory,
            &policy,
            at("08:01:00"),
        );
        assert_eq!(
            (verdict.decision, verdict.safe_at),
            (Decision::Wait, Some(at("10:01:00")))
        );
    }
}

#[test]
fn what_changes_at_once_is_kept_within_bounds() {
    let mut memory = Memory::empty(&name("example.com"));
    for number in 0..200 {
        let now = at("00:00:00") + TimeDelta::seconds(number);
        let other = key(&format!("key {number}"));
        let seen = evidence(vec![server(1, std::slice::from_ref(&other))]);
        memory = memory.after(&seen, &Expectation::new(vec![other], None), now);
    }
    let of = &memory.owners[&owner().to_string()];
    assert_eq!(
        (of.changes.len(), of.history.served.len()),
        (super::CHANGES, 64)
    );
    // Put together, they are waited for as any of them would have been.
    let both = evidence(vec![server(1, &[key("key 199"), key("new")])]);
    let later = at("00:00:00") + TimeDelta::days(1);
    let (verdict, _) = check(
        &both,
        &Expectation::new(vec![key("new")], None),
        &memory,
        &Policy::default(),
        later,
    );
    assert_eq!(verdict.safe_at, Some(later + TimeDelta::hours(2)));
}

#[test]
fn a_wall_clock_that_is_set_ahead_moves_what_is_remembered_along() {
    let expectation = Expectation::new(vec![key("new")], None);
    let seen = evidence(vec![server(1, &[key("new")])]);
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::hours(2)),
        ..Policy::default()
    };
    let reading = |boot: &str, minutes: i64, wall: &str| {
        Some(super::clock::Reading {
            boot: boot.to_owned(),
            uptime: minutes * 60_000,
            wall: at(wall),
        })
    };
    let look = |memory: &Memory, boot: &str, minutes: i64, wall: &str| {
        let (verdict, memory) = check(
            &seen,
            &expectation,
            &memory.read_at(reading(boot, minutes, wall)),
            &policy,
            at(wall),
        );
        (
            verdict.decision,
            verdict.safe_at,
            memory,
            verdict.findings.iter().any(|f| f.code == "clock-stepped"),
        )
    };
    let empty = Memory::empty(&name("example.com"));
    // Three hours behind at first; put right before the second look.
    let (_, safe_at, memory, _) = look(&empty, "boot", 10, "09:00:00");
    assert_eq!(safe_at, Some(at("11:00:00")));
    let (decision, safe_at, after, told) = look(&memory, "boot", 11, "12:01:00");
    assert_eq!(
        (decision, safe_at, told),
        (Decision::Wait, Some(at("14:00:00")), true)
    );
    // Nothing more passes by setting it again and again.
    let (_, safe_at, after, _) = look(&after, "boot", 12, "10:02:00");
    assert_eq!(safe_at, Some(at("12:02:00")));
    let (decision, safe_at, ..) = look(&after, "boot", 13, "13:03:00");
    assert_eq!((decision, safe_at), (Decision::Wait, Some(at("15:02:00"))));
    // Where the machine was started again there is only the wall clock.
    let (decision, _, _, told) = look(&memory, "another", 1, "12:00:00");
    assert_eq!((decision, told), (Decision::Safe, false));
    // Two hours that passed are two hours.
    assert_eq!(look(&memory, "boot", 130, "11:00:00").0, Decision::Safe);
}
