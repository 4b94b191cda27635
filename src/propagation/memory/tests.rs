//! The rules of the memory.

use chrono::TimeDelta;

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::Outcome;
use crate::propagation::fixtures::{at, evidence, failing, key, name, server};
use crate::propagation::{Decision, Expectation, HoldWish, Policy, check};

use super::{Content, KeyChange, Memory, OldTtl};

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
    let noted = || {
        let mut noted = well();
        noted.findings = vec![Finding::new("recursive", Severity::Note, "says the walk")];
        noted
    };
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
        ("14:00:00", noted(), None),
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
    // What is still there by itself does not move the rest along.
    let rest = |memory: &Memory| {
        let served = &memory.owners[&owner().to_string()].history.served;
        let rest = |served: &&super::history::Served| served.content == Content::Unknown;
        served.iter().find(rest).map(|rest| rest.until)
    };
    assert!(rest(&memory) < Some(at("00:02:30")), "{:?}", rest(&memory));
    let looked_later = memory.after(
        &evidence(vec![server(1, &[key("key 199")])]),
        &Expectation::new(vec![key("new")], None),
        at("12:00:00") + TimeDelta::days(30),
    );
    assert_eq!(rest(&looked_later), None);
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

#[test]
fn nothing_is_expected_but_what_is_looked_for() {
    let memory = Memory::empty(&name("example.com"));
    assert_eq!(change(&memory, "new").expected, [key("new")]);
}

#[test]
fn changes_stand_in_order_however_they_were_looked_at() {
    let seen = evidence(vec![server(1, &[key("old")])]);
    let mut memory = Memory::empty(&name("example.com"));
    for turn in 0..super::CHANGES {
        let looked_for = key(&format!("key {}", turn * 5 % super::CHANGES));
        let now = at("08:00:00") + TimeDelta::minutes(turn as i64);
        memory = memory.after(&seen, &Expectation::new(vec![looked_for], None), now);
    }
    let changes = &memory.owners[&owner().to_string()].changes;
    assert_eq!(changes.len(), super::CHANGES);
    assert!(changes.is_sorted_by(|a, b| a.expected < b.expected));
}

/// Each kind of time in the memory, as a clock that was a year ahead has left it.
#[test]
fn whatever_is_from_the_future_is_found_and_put_right() {
    let expectation = Expectation::new(vec![key("new")], None);
    let mut seen = evidence(vec![server(1, &[key("new")]), server(2, &[key("old")])]);
    seen.resolvers = vec![crate::propagation::fixtures::resolver(&[key("old")], 3600)];
    let now = at("12:00:00");
    let before = Memory::empty(&name("example.com")).after(&seen, &expectation, at("11:00:00"));
    type Spoil = fn(&mut super::Owner, chrono::DateTime<chrono::Utc>);
    let looks: Spoil = |owner, ahead| {
        for look in owner.history.servers.values_mut() {
            look.first_heard = Some(ahead);
        }
    };
    let served: Spoil = |owner, ahead| owner.history.served[0].until = ahead;
    let asked: Spoil = |owner, ahead| owner.history.served[0].asked_until = Some(ahead);
    let resolvers: Spoil = |owner, ahead| {
        owner.resolvers.times().for_each(|time| *time = ahead);
    };
    let changes: Spoil = |owner, ahead| owner.changes[0].disagreed_at = Some(ahead);
    for (what, spoils) in [
        ("nothing", &[][..]),
        ("looks", &[looks]),
        ("served", &[served]),
        ("asked", &[asked]),
        ("resolvers", &[resolvers]),
        ("changes", &[changes]),
        ("history and resolvers", &[looks, resolvers]),
        ("all", &[looks, served, asked, resolvers, changes]),
    ] {
        let mut memory = before.clone();
        for owner in memory.owners.values_mut() {
            spoils
                .iter()
                .for_each(|spoil| spoil(owner, now + TimeDelta::days(365)));
        }
        let mut after = memory.after(&seen, &expectation, now);
        let told = change(&after, "new").clock_went_back_at;
        assert_eq!(told.is_some(), !spoils.is_empty(), "{what}");
        let times = after.owners.values_mut().flat_map(super::Owner::times);
        let last = times.max().map(|time| *time);
        assert!(last <= Some(now + TimeDelta::days(8)), "{what}: {last:?}");
    }
}

/// The last moment at which a cache can have been given the set, and what is remembered then.
#[test]
fn a_set_is_forgotten_when_no_hold_needs_it_and_no_earlier() {
    let deployed = Expectation::new(vec![key("old")], None);
    let gone = at("12:00:00");
    for (signed_for, after, remembered) in [
        (0, 4 * 3600 - 1, true),
        (0, 4 * 3600, false),
        (5 * 3600, 5 * 3600 - 1, true),
        (5 * 3600, 5 * 3600, false),
    ] {
        let mut old = server(1, &[key("old")]);
        old.set_signature_expires = Some(gone + TimeDelta::seconds(signed_for));
        let mut memory = Memory::empty(&name("example.com"));
        let absent = || {
            let mut none = server(1, &[]);
            none.negative_ttl = old.ttl;
            evidence(vec![none])
        };
        for (seen, now) in [
            (evidence(vec![old.clone()]), gone - TimeDelta::hours(1)),
            (absent(), gone),
            (absent(), gone + TimeDelta::seconds(after)),
        ] {
            memory = memory.after(&seen, &deployed, now);
        }
        let served = &memory.owners[&owner().to_string()].history.served;
        let old = Content::Set(vec![key("old")]);
        assert_eq!(
            served.iter().any(|served| served.content == old),
            remembered,
            "{signed_for} {after}"
        );
    }
}

#[test]
fn what_is_seen_in_one_look_is_kept_within_bounds_too() {
    let servers = (0..100).map(|number| server(number, &[key(&format!("key {number}"))]));
    let seen = evidence(servers.collect());
    let deployed = Expectation::new(vec![key("old")], None);
    let memory = Memory::empty(&name("example.com")).after(&seen, &deployed, at("08:00:00"));
    assert_eq!(memory.owners[&owner().to_string()].history.served.len(), 64);
}

#[test]
fn resolvers_are_remembered_within_bounds() {
    let mut seen = evidence(vec![server(1, &[key("new")])]);
    seen.resolvers = (0..100)
        .map(|number| {
            let mut resolver = crate::propagation::fixtures::resolver(&[key("old")], 3600);
            resolver.address = crate::propagation::fixtures::address(number);
            resolver
        })
        .collect();
    let expectation = Expectation::new(vec![key("new")], None);
    let mut memory = Memory::empty(&name("example.com"));
    for time in ["08:00:00", "08:10:00"] {
        memory = memory.after(&seen, &expectation, at(time));
        let owner = memory.owners.get_mut(&owner().to_string()).unwrap();
        assert_eq!(owner.resolvers.times().count(), 64, "{time}");
    }
}

#[test]
fn that_there_was_no_set_is_not_forgotten() {
    let patched = |memory: &Memory, old: &[crate::tlsa::Tlsa], ttl, time| {
        let memory = memory.patched(&owner(), old, ttl, &[key("new")], at(time));
        assert!(change(&memory, "new").old.absence_seen, "{time}");
        memory
    };
    let memory = Memory::empty(&name("example.com"));
    let memory = patched(&memory, &[], OldTtl::Absent(60), "08:00:00");
    patched(&memory, &[key("old")], OldTtl::Set(60), "09:00:00");
}

#[test]
fn a_clock_that_starts_again_keeps_what_is_known_of_the_time_before() {
    let memory = Memory::empty(&name("example.com"));
    let (set, ttl) = ([key("a")], OldTtl::Set(86_400));
    let memory = memory.patched(&owner(), &set, ttl, &[key("b")], at("01:00:00"));
    let expectation = Expectation::new(vec![key("b")], None);
    let lagging = evidence(vec![server(1, &[key("a")])]);
    let memory = memory.after(&lagging, &expectation, at("02:00:00"));
    let seen = evidence(vec![server(1, &[key("a"), key("b")])]);
    let memory = memory.after(&seen, &expectation, at("03:00:00"));
    let before = change(&memory, "b");
    let pruned = memory.pruned(&owner(), &[key("b")], at("04:00:00"));
    let after = change(&pruned, "b");
    assert_eq!(
        (&after.expected, &after.old),
        (&before.expected, &before.old)
    );
    assert_eq!(
        (after.agreed_ttl, after.disagreed_at, after.patched_at),
        (Some(3600), Some(at("02:00:00")), Some(at("01:00:00")))
    );
    assert!(after.relapsed && !before.relapsed);
    let kept = |seen: &super::ServerMemory| seen.listed && seen.since.is_none();
    assert!(after.servers.len() == 1 && after.servers.values().all(kept));
}

#[test]
fn what_a_file_lacks_stops_the_clock_of_every_key_that_it_lacks() {
    let memory = Memory::empty(&name("example.com"));
    let seen = evidence(vec![server(1, &[key("a"), key("b")])]);
    let memory = ["a", "b"].iter().fold(memory, |memory, named| {
        memory.after(
            &seen,
            &Expectation::new(vec![key(named)], None),
            at("08:00:00"),
        )
    });
    let (set, ttl) = ([key("b")], OldTtl::Set(60));
    let memory = memory.patched(&owner(), &set, ttl, &[key("c")], at("09:00:00"));
    for (named, stopped) in [("a", true), ("b", false)] {
        let change = change(&memory, named);
        let runs = change.servers.values().all(|seen| seen.since.is_some());
        let disagreed = change.disagreed_at == Some(at("09:00:00"));
        assert_eq!(
            (disagreed, !runs, change.relapsed),
            (stopped, stopped, stopped),
            "{named}"
        );
    }
}

#[test]
fn what_was_found_safe_is_so_until_a_server_falls_back() {
    let expectation = Expectation::new(vec![key("new")], None);
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::zero()),
        ..Policy::default()
    };
    let both = [key("old"), key("new")];
    let mut memory = Memory::empty(&name("example.com"));
    for (time, records, found) in [
        ("08:00:00", &both[..1], None),
        ("09:00:00", &both[..], Some("09:00:00")),
        ("10:00:00", &both[..1], None),
        ("11:00:00", &both[..], Some("11:00:00")),
    ] {
        let seen = evidence(vec![server(1, records)]);
        (_, memory) = check(&seen, &expectation, &memory, &policy, at(time));
        assert_eq!(change(&memory, "new").found_safe(), found.map(at), "{time}");
    }
}
