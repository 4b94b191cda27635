//! What we make of a zone, next to what Unbound, delv and the `domain` library
//! make of it, over a whole tree of zones with one thing wrong in each. We may be
//! stricter than they are, for a reason that is stated; we are never laxer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod differences;
mod observers;
mod servers;
mod states;
mod text;
mod zones;

use chrono::{DateTime, SubsecRound, Utc};
use danewright::propagation::{Decision, Verdict};

use cases::Case;
use differences::{DIFFERENCES, SECURE_AND_NOT_SAFE, UNKNOWN_TO_THE_LIBRARY};
use states::{State, Who};
use zones::Plan;

#[test]
#[ignore = "needs nsd, unbound, delv, dnssec-signzone, dnssec-keygen, dnssec-revoke, dnssec-dsfromkey, dig"]
fn we_are_never_laxer_than_unbound_delv_or_the_domain_library() {
    let cases = cases::cases();
    let plans: Vec<Plan> = cases::above()
        .into_iter()
        .chain(cases.iter().flat_map(|case| case.plans.clone()))
        .collect();
    let servers = servers::Servers::start(&plans, &["island.example"]);
    let ours = observers::ours(&servers, &cases, now());
    let others = observers::others(&servers, &cases);
    let library = observers::library(&servers, &cases);
    let mut wrong = Vec::new();
    for (index, (case, (state, verdict))) in cases.iter().zip(&ours).enumerate() {
        let (unbound, delv) = others[index];
        let said = [
            (Who::Ours, *state),
            (Who::Unbound, unbound),
            (Who::Delv, delv),
            (Who::Library, library[index]),
        ];
        println!(
            "{:37} {:8} {}",
            case.zone,
            case.truth,
            said.map(|(who, state)| format!("{who:?} {state:8}"))
                .join(" ")
        );
        wrong.extend(judge(case, &said, verdict));
    }
    let known = |zone: &&str| cases.iter().any(|case| case.zone == *zone);
    assert!(
        DIFFERENCES
            .iter()
            .flat_map(|difference| difference.zones)
            .all(known)
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as it should be with a case.
fn judge(case: &Case, said: &[(Who, State)], verdict: &Verdict) -> Vec<String> {
    let mut wrong = Vec::new();
    for (who, state) in said {
        let listed = DIFFERENCES
            .iter()
            .find(|known| known.who == *who && known.zones.contains(&case.zone));
        let expected = listed.map_or(case.truth, |known| known.state);
        if *state != expected {
            wrong.push(format!(
                "{}: {who:?} says {state}, and {expected} was expected",
                case.zone
            ));
        }
        if listed.is_some_and(|known| known.state == case.truth) {
            wrong.push(format!(
                "{}: that {who:?} says {expected} is no difference",
                case.zone
            ));
        }
    }
    let excused = |who| {
        DIFFERENCES.iter().any(|d| {
            d.reason == UNKNOWN_TO_THE_LIBRARY && d.who == who && d.zones.contains(&case.zone)
        })
    };
    let doubted = said
        .iter()
        .any(|(who, state)| *state != State::Secure && !excused(*who));
    if doubted && (said.contains(&(Who::Ours, State::Secure)) || verdict.decision == Decision::Safe)
    {
        wrong.push(format!(
            "{}: we are laxer than somebody: {said:?}, {:?}",
            case.zone, verdict.decision
        ));
    }
    let held_back = SECURE_AND_NOT_SAFE
        .iter()
        .any(|(zone, _)| *zone == case.zone);
    if !doubted && (verdict.decision == Decision::Safe) == held_back {
        wrong.push(format!(
            "{}: all say secure, and the verdict is {:#?}",
            case.zone, verdict
        ));
    }
    wrong
}

/// A whole second: what is safe now is safe at this moment.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}
