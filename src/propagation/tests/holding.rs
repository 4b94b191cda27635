//! The hold: when it starts, how long it is, what starts it again.

use chrono::TimeDelta;

use super::{DEFAULT, NS1, Watched, absent, found, new_and_old, spoiled};
use crate::finding::Severity;
use crate::propagation::evidence::{Outcome, Security, ServerAnswer};
use crate::propagation::memory::OldTtl;
use crate::propagation::sample::{alias, at, failing, key, server};
use crate::propagation::{Basis, Decision, Expectation, HoldWish, Policy};

#[test]
fn an_assumed_hold_is_not_shortened_by_a_server_that_falls_silent() {
    let mut watched = Watched::new(Policy { allow_unreachable: 1, ..DEFAULT });
    let long = spoiled(server(2, &new_and_old()), |s| s.ttl = Some(50_000));
    let both = watched.see(vec![server(1, &new_and_old()), long], "10:00:00");
    let one = watched.see(vec![server(1, &new_and_old()), failing(2, Outcome::Unreachable)], "10:00:01");
    assert_eq!(both.hold.unwrap().length, Some(TimeDelta::seconds(100_000)));
    assert_eq!((one.decision, one.safe_at), (Decision::Wait, both.safe_at));
}

#[test]
fn the_hold_starts_with_the_last_server_and_ends_to_the_second() {
    let mut watched = Watched::new(DEFAULT);
    watched.see(vec![server(1, &new_and_old()), server(2, &[key("old")])], "09:00:00");
    let both = || vec![server(1, &new_and_old()), server(2, &new_and_old())];
    let verdict = watched.see(both(), "10:00:00");
    assert_eq!((verdict.decision, verdict.safe_at), (Decision::Wait, Some(at("12:00:00"))));
    assert_eq!(verdict.agreed_since, Some(at("10:00:00")));
    assert_eq!(verdict.hold.unwrap().basis, Basis::OldTtl(3600));
    found(&verdict, "hold-not-elapsed", Severity::Wait, None);
    assert_eq!(watched.see(both(), "11:59:59").decision, Decision::Wait);
    assert_eq!(watched.see(both(), "12:00:00").decision, Decision::Safe);
}

#[test]
fn a_relapse_starts_the_hold_again_and_silence_does_not() {
    let mut watched = Watched::new(Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..DEFAULT });
    let both = || vec![server(1, &new_and_old()), server(2, &new_and_old())];
    watched.see(both(), "08:00:00");
    watched.see(vec![server(1, &new_and_old()), failing(2, Outcome::Unreachable)], "08:30:00");
    assert_eq!(watched.see(both(), "09:00:00").safe_at, Some(at("10:00:00")));
    watched.see(vec![server(1, &new_and_old()), server(2, &[key("old")])], "09:30:00");
    assert_eq!(watched.see(both(), "09:45:00").safe_at, Some(at("11:45:00")));
}

#[test]
fn a_server_that_left_without_the_record_starts_the_hold_again() {
    let mut watched = Watched::new(Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..DEFAULT });
    watched.see(vec![server(1, &new_and_old()), server(2, &[key("old")])], "08:00:00");
    assert_eq!(watched.see(vec![server(1, &new_and_old())], "09:00:00").safe_at, Some(at("11:00:00")));
    assert_eq!(watched.see(vec![server(1, &new_and_old())], "11:00:00").decision, Decision::Safe);
}

#[test]
fn other_records_start_the_clock_again() {
    let mut watched = Watched::new(Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..DEFAULT });
    watched.see(vec![server(1, &new_and_old())], "08:00:00");
    watched.expectation = Expectation::new(new_and_old(), None);
    assert_eq!(watched.see(vec![server(1, &new_and_old())], "11:00:00").safe_at, Some(at("13:00:00")));
}

#[test]
fn the_length_of_the_hold_comes_from_the_old_set() {
    let length = |watched: &mut Watched, servers: Vec<ServerAnswer>| {
        let hold = watched.see(servers, "12:00:00").hold.unwrap();
        (hold.length.unwrap(), hold.basis)
    };
    let lowered = || spoiled(server(1, &new_and_old()), |s| (s.ttl, s.original_ttl) = (Some(60), Some(60)));
    let mut patched = Watched::new(DEFAULT).patched(&[key("old")], OldTtl::Set(86_400), "09:00:00");
    assert_eq!(length(&mut patched, vec![lowered()]), (TimeDelta::days(2), Basis::OldTtl(86_400)));
    let mut first = Watched::new(DEFAULT).patched(&[], OldTtl::Absent(900), "09:00:00");
    assert_eq!(length(&mut first, vec![server(1, &[key("new")])]), (TimeDelta::seconds(1800), Basis::NegativeTtl(900)));
    // A cache before the server counts its TTL down; the signature has the original.
    let cached = spoiled(server(2, &[key("old")]), |s| (s.ttl, s.original_ttl) = (Some(7), Some(7200)));
    let mut seen = Watched::new(DEFAULT);
    assert_eq!(length(&mut seen, vec![lowered(), cached]), (TimeDelta::hours(4), Basis::OldTtl(7200)));
    // A server without a set proves nothing where others had one.
    let mut mixed = Watched::new(DEFAULT);
    assert_eq!(length(&mut mixed, vec![lowered(), server(2, &[])]), (TimeDelta::hours(24), Basis::Assumed));
    let mut unknown = Watched::new(DEFAULT);
    assert_eq!(length(&mut unknown, vec![lowered()]), (TimeDelta::hours(24), Basis::Assumed));
    let week = spoiled(server(1, &new_and_old()), |s| s.ttl = Some(604_800));
    assert_eq!(length(&mut Watched::new(DEFAULT), vec![week]).0, TimeDelta::days(14));
}

#[test]
fn a_forged_ttl_does_not_shorten_the_hold() {
    let forged = spoiled(server(2, &[key("old")]), |s| {
        (s.ttl, s.original_ttl, s.security) = (Some(1), Some(1), Security::Bogus);
    });
    let mut watched = Watched::new(DEFAULT);
    watched.see(vec![server(1, &new_and_old()), forged], "11:00:00");
    let verdict = watched.see(vec![server(1, &new_and_old()), server(2, &new_and_old())], "12:00:00");
    assert_eq!(verdict.hold.unwrap().basis, Basis::Assumed);
}

#[test]
fn the_signature_hold_lasts_until_the_old_set_cannot_be_replayed() {
    let mut watched = Watched::new(Policy { hold: HoldWish::Signature, ..DEFAULT });
    let expires = at("12:00:00") + TimeDelta::days(3);
    let old = spoiled(server(2, &[key("old")]), |s| s.set_signature_expires = Some(expires));
    watched.see(vec![server(1, &new_and_old()), old], "09:00:00");
    let verdict = watched.see(vec![server(1, &new_and_old()), server(2, &new_and_old())], "10:00:00");
    assert_eq!((verdict.decision, verdict.safe_at), (Decision::Wait, Some(expires)));
    let mut never_seen = Watched::new(Policy { hold: HoldWish::Signature, ..DEFAULT });
    let verdict = never_seen.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.decision, Decision::Unknown);
    found(&verdict, "old-signature-unknown", Severity::Unknown, None);
}

#[test]
fn since_states_the_agreement_unless_something_else_was_seen() {
    let hold = HoldWish::For(TimeDelta::hours(2));
    let mut watched = Watched::new(Policy { hold, since: Some(at("08:00:00")), ..DEFAULT });
    let verdict = watched.see(vec![server(1, &new_and_old())], "09:00:00");
    assert_eq!((verdict.agreed_since, verdict.safe_at), (Some(at("08:00:00")), Some(at("10:00:00"))));
    watched.see(vec![server(1, &[key("old")])], "09:10:00");
    let verdict = watched.see(vec![server(1, &new_and_old())], "09:20:00");
    assert_eq!(verdict.safe_at, Some(at("11:20:00")));
    found(&verdict, "since-contradicted", Severity::Note, None);
}

#[test]
fn a_clock_that_went_back_does_not_count_as_agreement() {
    let mut watched = Watched::new(Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..DEFAULT });
    watched.see(vec![server(1, &new_and_old())], "20:00:00");
    let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
    assert_eq!(verdict.safe_at, Some(at("12:00:00")));
    found(&verdict, "clock-went-back", Severity::Note, None);
    let verdict = watched.see(vec![server(1, &new_and_old())], "12:00:00");
    assert_eq!(verdict.decision, Decision::Safe);
    absent(&verdict, "clock-went-back");
}

#[test]
fn what_shows_no_other_set_or_was_not_followed_is_no_relapse() {
    let unclear = spoiled(server(1, &new_and_old()), |s| s.security = Security::Indeterminate);
    for blink in [unclear, alias(1, "tlsa.provider.example"), failing(1, Outcome::ServFail)] {
        let mut watched = Watched::new(Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..DEFAULT });
        watched.see(vec![server(1, &new_and_old())], "08:00:00");
        let verdict = watched.see(vec![blink], "09:00:00");
        assert_eq!(verdict.decision, Decision::Unknown);
        assert!(verdict.findings.iter().any(|f| f.server.as_deref() == NS1));
        assert_eq!(watched.see(vec![server(1, &new_and_old())], "10:00:00").decision, Decision::Safe);
    }
}

#[test]
fn another_set_is_a_relapse_also_when_it_cannot_be_verified() {
    for records in [vec![key("old")], Vec::new()] {
        let mut watched = Watched::new(Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..DEFAULT });
        watched.see(vec![server(1, &new_and_old())], "08:00:00");
        watched.see(vec![spoiled(server(1, &records), |s| s.security = Security::Indeterminate)], "09:00:00");
        let verdict = watched.see(vec![server(1, &new_and_old())], "10:00:00");
        assert_eq!((verdict.decision, verdict.agreed_since), (Decision::Wait, Some(at("10:00:00"))));
    }
}

#[test]
fn keys_that_are_verified_in_turn_are_told_why_the_wait_does_not_end() {
    let both = || vec![server(1, &[key("old"), key("rsa"), key("ecdsa")])];
    let mut watched = Watched::new(Policy { hold: HoldWish::For(TimeDelta::hours(2)), ..DEFAULT });
    watched.expectation = Expectation::new(vec![key("rsa")], None);
    absent(&watched.see(both(), "08:00:00"), "expectation-changed");
    watched.expectation = Expectation::new(vec![key("ecdsa")], None);
    found(&watched.see(both(), "09:00:00"), "expectation-changed", Severity::Note, None);
    let safe = watched.see(both(), "11:00:00");
    assert_eq!(safe.decision, Decision::Safe);
    absent(&safe, "expectation-changed");
}
