//! Several machines behind one address: one of them lags, fails or is another's,
//! and a single question may see any of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use danewright::propagation::evidence::{Evidence, Outcome, Security};
use danewright::propagation::{Decision, Verdict};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;

use crate::lab::{NS1, NS2, digest, server};
use crate::script::{Act, Asked, Deed, SCRIPTED, Stage, good, say};
use crate::wire::OWNER;

/// A change that is through, and what a second machine says of the owner that
/// has the set before it.
fn changed() -> (Stage, Message) {
    let mut stage = Stage::new();
    let before = format!("3 1 1 {}", digest('0'));
    let mut old = stage.lab.leaf.clone();
    old.remove("_25._tcp.mail", "TLSA")
        .unwrap()
        .add("_25._tcp.mail", 3600, "TLSA", &before)
        .unwrap();
    stage.lab.serve(NS2, &old, &[&stage.lab.leaf_key]);
    let said = stage.look_up(OWNER, RecordType::TLSA);
    stage
        .lab
        .leaf
        .add("_25._tcp.mail", 3600, "TLSA", &before)
        .unwrap();
    stage.lab.publish();
    (stage, said)
}

/// A script in which the machine with this number, of the questions about
/// TLSA so far, answers in another way.
fn balanced(
    second: impl Fn(usize) -> bool + Send + 'static,
    other: impl Fn(Asked) -> Deed + Send + 'static,
) -> Act {
    let count = AtomicUsize::new(0);
    Box::new(move |asked| {
        if asked.kind == RecordType::TLSA && second(count.fetch_add(1, Ordering::SeqCst)) {
            return other(asked);
        }
        say(&asked.good)
    })
}

/// This message, as the answer to what was asked.
fn instead(message: &Message) -> impl Fn(Asked) -> Deed + Send + 'static {
    let message = message.clone();
    move |asked| {
        let mut reply = message.clone();
        reply.metadata.id = asked.good.metadata.id;
        say(&reply)
    }
}

fn run(stage: &Stage, act: Act) -> (Evidence, Verdict) {
    stage.act(act);
    let evidence = stage.lab.gather_with(&stage.lab.impatient());
    let verdict = stage.lab.verdict(&evidence);
    (evidence, verdict)
}

fn entries(evidence: &Evidence) -> Vec<(Outcome, Security, usize)> {
    let here = evidence.hops[0]
        .servers
        .iter()
        .filter(|server| server.address.map(|a| a.ip()) == Some(SCRIPTED));
    here.map(|server| (server.outcome, server.security, server.records.len()))
        .collect()
}

fn told(verdict: &Verdict, code: &str) -> bool {
    let here = |at: &String| at.contains(&SCRIPTED.to_string());
    verdict
        .findings
        .iter()
        .any(|finding| finding.code == code && finding.server.as_ref().is_some_and(here))
}

#[test]
fn two_machines_behind_one_address_are_both_seen() {
    let (stage, older) = changed();
    assert_eq!(run(&stage, good()).1.decision, Decision::Safe);
    for first in [0, 1] {
        let (evidence, verdict) = run(&stage, balanced(move |n| n % 2 == first, instead(&older)));
        assert_ne!(
            verdict.decision,
            Decision::Safe,
            "{first}: {:#?}",
            verdict.findings
        );
        if first == 1 {
            // The first question sees the new one, and all servers seem to agree.
            assert_eq!(entries(&evidence).len(), 2, "{evidence:#?}");
            assert!(told(&verdict, "machines-differ"), "{:#?}", verdict.findings);
            assert!(told(&verdict, "record-missing"), "{:#?}", verdict.findings);
            assert_eq!(verdict.decision, Decision::Wait, "{:#?}", verdict.findings);
        }
        let right = server(&evidence, 0, NS1);
        assert_eq!(
            (right.outcome, right.security),
            (Outcome::Answered, Security::Secure)
        );
    }
}

#[test]
fn a_machine_that_answers_by_chance_is_seen() {
    let (stage, older) = changed();
    for seed in 0..20_usize {
        let chance = move |n: usize| {
            let mut state = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ (n as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            state = (state ^ (state >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (state ^ (state >> 31)) & 1 == 1
        };
        let seen = (0..11).any(chance);
        let (_, verdict) = run(&stage, balanced(chance, instead(&older)));
        assert_eq!(
            verdict.decision != Decision::Safe,
            seen,
            "{seed}: {:#?}",
            verdict.findings
        );
        assert!(seen, "an unlucky seed says nothing: {seed}");
    }
}

#[test]
fn a_machine_that_fails_is_no_machine_that_agrees() {
    for (code, word) in [
        (ResponseCode::ServFail, "servfail"),
        (ResponseCode::Refused, "refused"),
    ] {
        let stage = Stage::new();
        let fails = move |mut asked: Asked| {
            asked.good.metadata.response_code = code;
            asked.good.answers.clear();
            say(&asked.good)
        };
        let (evidence, verdict) = run(&stage, balanced(|n| n % 3 == 2, fails));
        assert_eq!(
            verdict.decision,
            Decision::Unknown,
            "{word}: {:#?}",
            verdict.findings
        );
        assert!(
            told(&verdict, word) && told(&verdict, "machines-differ"),
            "{word}: {:#?}",
            verdict.findings
        );
        assert_eq!(entries(&evidence).len(), 2, "{evidence:#?}");
    }
}

#[test]
fn several_machines_are_told_in_one_order() {
    let (stage, older) = changed();
    let seen: Vec<_> = (1..5)
        .map(|shift| {
            let older = older.clone();
            let other = move |mut asked: Asked| {
                static TURN: AtomicUsize = AtomicUsize::new(0);
                if TURN.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                    return instead(&older)(asked);
                }
                asked.good.metadata.response_code = ResponseCode::Refused;
                asked.good.answers.clear();
                say(&asked.good)
            };
            entries(
                &run(
                    &stage,
                    balanced(move |n| n > 0 && (n + shift) % 3 > 0, other),
                )
                .0,
            )
        })
        .collect();
    assert_eq!(seen[0].len(), 3, "{seen:?}");
    assert!(seen.iter().all(|entries| *entries == seen[0]), "{seen:?}");
}

#[test]
fn a_server_that_limits_its_rate_stays_good() {
    let stage = Stage::new();
    for (what, limited) in [
        (
            "silence",
            Box::new(|_| Deed::Say(Vec::new())) as Box<dyn Fn(Asked) -> Deed + Send>,
        ),
        (
            "truncation, and TCP",
            Box::new(|asked| {
                if asked.tcp {
                    say(&asked.good)
                } else {
                    truncated(asked.good)
                }
            }),
        ),
        (
            "truncation, and no TCP",
            Box::new(|asked| match asked.tcp {
                true => Deed::Stream {
                    octets: Vec::new(),
                    step: 1,
                    close: true,
                },
                false => truncated(asked.good),
            }),
        ),
        (
            "late",
            Box::new(|asked| Deed::Late(Duration::from_millis(50), asked.good.to_vec().unwrap())),
        ),
    ] {
        // All but the first, then some: neither is a sign of another machine.
        let (evidence, verdict) = run(&stage, balanced(|n| n > 0, limited));
        assert_eq!(
            verdict.decision,
            Decision::Safe,
            "{what}: {:#?}",
            verdict.findings
        );
        assert_eq!(
            entries(&evidence),
            [(Outcome::Answered, Security::Secure, 1)],
            "{what}"
        );
    }
}

fn truncated(mut message: Message) -> Deed {
    message.metadata.truncation = true;
    message.answers.clear();
    say(&message)
}

#[test]
fn a_ttl_that_counts_down_is_no_other_machine() {
    let stage = Stage::new();
    let older = |mut asked: Asked| {
        asked
            .good
            .answers
            .iter_mut()
            .for_each(|record| record.ttl -= 1000);
        say(&asked.good)
    };
    for first in [0, 1] {
        let (evidence, verdict) = run(&stage, balanced(move |n| n % 2 == first, older));
        assert_eq!(verdict.decision, Decision::Safe, "{:#?}", verdict.findings);
        assert_eq!(entries(&evidence).len(), 1);
        assert_eq!(
            server(&evidence, 0, SCRIPTED).ttl,
            Some(3600),
            "the longer one counts"
        );
    }
}

#[test]
fn servers_that_differ_anyway_are_asked_once() {
    let mut stage = Stage::new();
    stage.lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    stage
        .lab
        .serve(NS1, &stage.lab.leaf, &[&stage.lab.leaf_key]);
    stage.act(good());
    let before = stage.asked();
    let _ = stage.lab.gather();
    assert!(stage.asked() - before <= 10, "{}", stage.asked() - before);
}
