//! The rules of the memory.

use chrono::TimeDelta;

use super::{Memory, OldTtl};
use crate::propagation::evidence::Outcome;
use crate::propagation::sample::{at, evidence, failing, key, name, server};
use crate::propagation::{Basis, Decision, Expectation, HoldWish, Policy, check};

fn owner() -> crate::name::Name {
    name("_25._tcp.mail.example.com")
}

#[test]
fn what_is_written_reads_back() {
    let expectation = Expectation::new(vec![key("new")], None);
    let seen = evidence(vec![server(1, &[key("old"), key("new")]), server(2, &[key("old")])]);
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(&owner(), &[key("old")], OldTtl::Set(60), &[key("new")], at("08:00:00"));
    let (_, memory) = check(&seen, &expectation, &memory, &Policy::default(), at("09:00:00"));
    let text = serde_json::to_string(&memory).unwrap();
    assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), memory);
}

#[test]
fn a_damaged_record_is_an_error() {
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(&owner(), &[], OldTtl::Absent(60), &[key("new")], at("08:00:00"));
    let text = serde_json::to_string(&memory).unwrap();
    let good = key("new").to_string();
    for bad in ["3 1 1", "3 1 1 abc", "3 1 1 zz", "256 1 1 00", ""] {
        assert!(serde_json::from_str::<Memory>(&text.replace(&good, bad)).is_err(), "{bad}");
    }
    assert!(serde_json::from_str::<Memory>(&text).is_ok());
}

#[test]
fn taking_in_the_same_twice_changes_nothing() {
    let expectation = Expectation::new(vec![key("new")], None);
    let seen = evidence(vec![server(1, &[key("old"), key("new")]), server(2, &[key("old")])]);
    let once = Memory::empty(&name("example.com")).after(&seen, &expectation, at("09:00:00"));
    assert_eq!(once.after(&seen, &expectation, at("09:00:00")), once);
}

#[test]
fn a_patch_that_changed_nothing_keeps_the_clock() {
    let expectation = Expectation::new(vec![key("new")], None);
    let both = [key("old"), key("new")];
    let seen = evidence(vec![server(1, &both)]);
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(&owner(), &[key("old")], OldTtl::Set(60), &[key("new")], at("08:00:00"));
    let memory = memory.after(&seen, &expectation, at("09:00:00"));
    assert_eq!(memory.patched(&owner(), &both, OldTtl::Set(60), &[key("new")], at("10:00:00")), memory);
    // Taken out by hand and put in again: caches may hold the set without it.
    let again = memory.patched(&owner(), &[key("old")], OldTtl::Set(60), &[key("new")], at("10:00:00"));
    assert!(again.owners[&owner().to_string()].servers.values().all(|seen| seen.since.is_none()));
}

#[test]
fn an_earlier_ttl_is_kept_for_twice_its_time_since_all_was_safe() {
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(&owner(), &[key("a")], OldTtl::Set(3600), &[key("b")], at("08:00:00"));
    let ttl_after = |memory: &Memory, time: &str| {
        let memory = memory.patched(&owner(), &[key("a"), key("b")], OldTtl::Set(60), &[key("c")], at(time));
        memory.owners[&owner().to_string()].old.ttl
    };
    assert_eq!(ttl_after(&memory, "23:00:00"), Some(3600));
    let mut cleared = memory.clone();
    cleared.owners.get_mut(&owner().to_string()).unwrap().cleared_at = Some(at("10:00:00"));
    assert_eq!(ttl_after(&cleared, "11:59:59"), Some(3600));
    assert_eq!(ttl_after(&cleared, "12:00:00"), Some(60));
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
    let policy = Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..Policy::default() };
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
    let watch = format!("/owners/{}", owner());
    let server = seen.hops[0].servers.first().map(|first| super::server_key(&seen.hops[0], first)).unwrap();
    let mut tried = 0;
    for place in [watch.clone(), format!("{watch}/old"), format!("{watch}/served"), format!("{watch}/servers/{server}")]
    {
        let fields: Vec<String> = whole.pointer(&place).unwrap().as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let mut lacking = whole.clone();
            lacking.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(&field);
            assert!(serde_json::from_value::<Memory>(lacking).is_err(), "{place} without {field}");
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried}");
}

#[test]
fn a_ttl_of_a_relapse_after_all_was_safe_is_kept_until_all_is_safe_again() {
    let new = Expectation::new(vec![key("b")], None);
    let policy = Policy::default();
    let memory = Memory::empty(&name("example.com"));
    let mut memory = memory.patched(&owner(), &[key("a")], OldTtl::Set(60), &[key("b")], at("01:00:00"));
    let good = || server(1, &[key("a"), key("b")]);
    let mut back = server(1, &[key("a")]);
    back.original_ttl = Some(43_200);
    let later = TimeDelta::days(2);
    let mut see = |server, time| {
        let (verdict, after) = check(&evidence(vec![server]), &new, &memory, &policy, time);
        memory = after;
        (verdict.decision, memory.clone())
    };
    see(good(), at("01:00:00"));
    assert_eq!(see(good(), at("02:00:00")).0, Decision::Safe);
    assert_eq!(see(back, at("02:00:00") + later).0, Decision::Wait);
    let (_, relapsed) = see(good(), at("04:00:00") + later);
    assert_eq!(see(good(), at("04:00:00") + later * 2).0, Decision::Safe);
    let (_, safe_again) = see(good(), at("05:00:00") + later * 2);
    let ttl_after = |memory: &Memory, time| {
        let memory = memory.patched(&owner(), &[key("a"), key("b")], OldTtl::Set(60), &[key("c")], time);
        memory.owners[&owner().to_string()].old.ttl
    };
    assert_eq!(ttl_after(&relapsed, at("04:00:00") + later), Some(43_200));
    assert_eq!(ttl_after(&safe_again, at("05:00:00") + later * 2), Some(43_200));
    assert_eq!(ttl_after(&safe_again, at("05:00:00") + later * 3), Some(3600));
}

#[test]
fn a_patch_that_found_the_new_records_in_the_file_did_not_see_the_set_before() {
    let both = [key("a"), key("b")];
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(&owner(), &both, OldTtl::Set(60), &[key("b")], at("01:00:00"));
    let mut lowered = server(1, &both);
    (lowered.ttl, lowered.original_ttl) = (Some(60), Some(60));
    let expectation = Expectation::new(vec![key("b")], None);
    let (verdict, _) = check(&evidence(vec![lowered]), &expectation, &memory, &Policy::default(), at("01:00:00"));
    let hold = verdict.hold.unwrap();
    assert_eq!((hold.length, hold.basis), (Some(TimeDelta::hours(24)), Basis::Assumed));
}

#[test]
fn a_server_that_left_is_remembered_when_other_records_are_expected() {
    let memory = Memory::empty(&name("example.com"));
    let memory = memory.patched(&owner(), &[key("a")], OldTtl::Set(60), &[key("b")], at("01:00:00"));
    let (expectation, policy) = (Expectation::new(vec![key("b")], None), Policy::default());
    let both = [key("a"), key("b")];
    let seen = evidence(vec![server(1, &both), server(2, &[key("a")])]);
    let (_, memory) = check(&seen, &expectation, &memory, &policy, at("02:00:00"));
    let (_, memory) = check(&evidence(vec![server(1, &both)]), &expectation, &memory, &policy, at("03:00:00"));
    let patched = memory.patched(&owner(), &both, OldTtl::Set(60), &[key("c")], at("04:00:00"));
    let three = evidence(vec![server(1, &[key("a"), key("b"), key("c")])]);
    for (memory, hours) in [(memory, 72), (patched, 50)] {
        let (verdict, _) = check(&three, &Expectation::new(vec![key("c")], None), &memory, &policy, at("04:00:00"));
        assert_eq!(verdict.safe_at, Some(at("03:00:00") + TimeDelta::hours(hours)));
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
        ("11:00:00", failing_otherwise(), since("11:00:00", "servfail")),
        ("12:00:00", refusing(), since("12:00:00", "refused")),
        ("13:00:00", well(), None),
    ] {
        let seen = evidence(vec![server(1, &[key("new")]), second]);
        let policy = Policy { hold: HoldWish::For(TimeDelta::zero()), ..Policy::default() };
        (_, memory) = check(&seen, &expectation, &memory, &policy, at(now));
        let amiss = |index: usize| {
            let servers = &memory.owners[&owner().to_string()].servers;
            let seen = &servers[&super::server_key(&seen.hops[0], &seen.hops[0].servers[index])];
            seen.amiss.as_ref().map(|amiss| (amiss.code.clone(), amiss.since))
        };
        assert_eq!((amiss(0), amiss(1)), (None, expected), "{now}");
    }
}

/// The old set with an hour's TTL, joined by `b` at one, and safe at four.
fn safe_at_four(second: bool) -> Memory {
    let memory = Memory::empty(&name("example.com"));
    let mut memory = memory.patched(&owner(), &[key("a")], OldTtl::Set(3600), &[key("b")], at("01:00:00"));
    let both = [key("a"), key("b")];
    let servers = if second { vec![server(1, &both), server(2, &both)] } else { vec![server(1, &both)] };
    let expectation = Expectation::new(vec![key("b")], None);
    for (time, decision) in [("01:00:00", Decision::Wait), ("04:00:00", Decision::Safe)] {
        let checked = check(&evidence(servers.clone()), &expectation, &memory, &Policy::default(), at(time));
        assert_eq!(checked.0.decision, decision);
        memory = checked.1;
    }
    memory
}

#[test]
fn a_record_that_is_pruned_and_put_back_starts_the_clock_again() {
    let memory = safe_at_four(false).pruned(&owner(), &[key("b")], at("05:00:00"));
    let again = evidence(vec![server(1, &[key("a"), key("b")])]);
    let (verdict, _) =
        check(&again, &Expectation::new(vec![key("b")], None), &memory, &Policy::default(), at("06:00:00"));
    assert_eq!((verdict.decision, verdict.agreed_since), (Decision::Wait, Some(at("06:00:00"))));
}

#[test]
fn a_server_that_left_in_agreement_does_not_agree_with_other_records() {
    let (both, three) = ([key("a"), key("b")], [key("a"), key("b"), key("c")]);
    let left = evidence(vec![server(1, &both)]);
    let policy = Policy::default();
    let (_, memory) =
        check(&left, &Expectation::new(vec![key("b")], None), &safe_at_four(true), &policy, at("05:00:00"));
    let memory = memory.patched(&owner(), &both, OldTtl::Set(3600), &[key("c")], at("05:01:00"));
    let expectation = Expectation::new(vec![key("c")], None);
    let (verdict, _) = check(&evidence(vec![server(1, &three)]), &expectation, &memory, &policy, at("05:02:00"));
    assert_eq!(verdict.safe_at, Some(at("05:00:00") + TimeDelta::hours(50)));
}

#[test]
fn a_set_with_a_digest_of_another_key_only_is_waited_for() {
    let strong = crate::propagation::sample::key_as("a", 3, 1, 2);
    let ours = crate::propagation::sample::key_as("b", 3, 1, 2);
    let expectation = Expectation::new(vec![key("b")], None).deriving([(ours.params, vec![vec![ours.clone()]])]);
    let policy = Policy::default();
    let half = evidence(vec![server(1, &[key("a"), key("b"), strong.clone()])]);
    let (verdict, memory) = check(&half, &expectation, &safe_at_four(false), &policy, at("08:00:00"));
    assert_eq!(verdict.decision, Decision::Unsafe);
    for whole in [vec![key("a"), key("b"), strong, ours], vec![key("a"), key("b")]] {
        let (verdict, _) = check(&evidence(vec![server(1, &whole)]), &expectation, &memory, &policy, at("08:01:00"));
        assert_eq!((verdict.decision, verdict.safe_at), (Decision::Wait, Some(at("10:01:00"))));
    }
}
