//! What we make of a zone, next to what Unbound and delv make of it, over a
//! whole tree of zones with one thing wrong in each. We may be stricter than
//! they are, for a stated reason; we are never laxer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

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
use states::State;
use zones::Plan;

#[test]
#[ignore = "needs nsd, unbound, delv, dnssec-signzone, dnssec-keygen, dnssec-revoke, dnssec-dsfromkey, dig"]
fn we_are_never_laxer_than_unbound_or_delv() {
    let cases = cases::cases();
    let plans: Vec<Plan> = cases::above().into_iter().chain(cases.iter().flat_map(|case| case.plans.clone())).collect();
    let start = std::time::Instant::now();
    let servers = servers::Servers::start(&plans, &["island.example"]);
    observers::write_delv_anchors(&servers);
    println!("{:?} servers", start.elapsed());
    let ours = observers::ours(&servers, &cases, now());
    println!("{:?} ours", start.elapsed());
    for (case, (state, verdict)) in cases.iter().zip(&ours) {
        let (unbound, delv) = (observers::unbound(&servers, case), observers::delv(&servers, case));
        let same = [*state, unbound, delv].iter().all(|s| *s == case.truth);
        println!(
            "{} {:36} {:9} ours {:9} unbound {:9} delv {:9} {:?} {}",
            if same { " " } else { "*" },
            case.zone,
            case.truth,
            state,
            unbound,
            delv,
            verdict.decision,
            verdict
                .findings
                .iter()
                .filter(|f| f.severity > danewright::finding::Severity::Note)
                .map(|f| format!("{}: {}", f.code, f.message))
                .collect::<Vec<_>>()
                .join(" | ")
        );
    }
    println!("{:?} all", start.elapsed());
    let _ = State::Unknown;
}

/// A whole second: what is safe now is safe at this moment.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}
