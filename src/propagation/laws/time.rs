//! What time and memory may do to the verdict: never make it lighter than the
//! evidence of the whole time allows.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::propagation::evidence::{Evidence, Outcome, Security};
use crate::propagation::fixtures::{key, name, server};
use crate::propagation::memory::{Memory, OldTtl};
use crate::propagation::{Decision, HoldWish, Policy, Verdict, check, judge};

use super::cases::{
    Case, any_case, any_server, bare, lagging, last_servers, signatures_live, silence,
};
use super::config;

/// The memory of everything before the check and of the check itself, and its verdict.
fn checked(case: &Case) -> (Verdict, Memory) {
    check(
        &case.evidence,
        &case.expectation,
        &case.before(),
        &case.policy,
        case.now(),
    )
}

fn again(case: &Case, evidence: &Evidence, memory: &Memory, now: DateTime<Utc>) -> Verdict {
    check(evidence, &case.expectation, memory, &case.policy, now).0
}

/// Not better, and not sooner.
fn no_better(after: &Verdict, before: &Verdict) -> bool {
    after.decision >= before.decision
        && (after.safe_at.is_none() || after.safe_at >= before.safe_at)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn more_time_never_makes_wait_of_safe(case in any_case(), seconds in 0i64..10_000_000) {
        let memory = case.before().after(&case.evidence, &case.expectation, case.now());
        let verdict = |now| judge(&case.evidence, &case.expectation, &memory, &case.policy, now).decision;
        let later = case.now() + TimeDelta::seconds(seconds);
        if verdict(case.now()) != Decision::Safe {
            return Ok(());
        }
        let expected = if signatures_live(&case.evidence, later) { Decision::Safe } else { Decision::Unsafe };
        prop_assert_eq!(verdict(later), expected);
    }

    #[test]
    fn waiting_until_the_time_that_was_named_is_enough(case in any_case()) {
        let memory = case.before().after(&case.evidence, &case.expectation, case.now());
        let verdict = judge(&case.evidence, &case.expectation, &memory, &case.policy, case.now());
        let Some(safe_at) = verdict.safe_at else { return Ok(()) };
        prop_assert!(safe_at > case.now());
        if !signatures_live(&case.evidence, safe_at) {
            return Ok(());
        }
        let then = judge(&case.evidence, &case.expectation, &memory, &case.policy, safe_at);
        prop_assert_eq!(then.decision, Decision::Safe, "{:#?}", then);
        let just_before = judge(&case.evidence, &case.expectation, &memory, &case.policy, safe_at - TimeDelta::seconds(1));
        prop_assert_eq!(just_before.decision, Decision::Wait);
    }

    #[test]
    fn looking_in_between_moves_nothing(case in any_case(), part in 0.0..1.0f64) {
        let (before, memory) = checked(&case);
        let Some(safe_at) = before.safe_at else { return Ok(()) };
        // A resolver that is asked later has counted down meanwhile.
        let mut seen = case.evidence.clone();
        seen.resolvers.iter_mut().for_each(|resolver| resolver.outcome = Outcome::Unreachable);
        let between = case.now() + TimeDelta::seconds(((safe_at - case.now()).num_seconds() as f64 * part) as i64);
        if !signatures_live(&seen, safe_at) {
            return Ok(());
        }
        let (verdict, memory) = check(&seen, &case.expectation, &memory, &case.policy, between);
        prop_assert_eq!((verdict.decision, verdict.safe_at), (Decision::Wait, Some(safe_at)));
        prop_assert_eq!(again(&case, &seen, &memory, safe_at).decision, Decision::Safe);
    }

    #[test]
    fn the_same_check_twice_is_one_check(case in any_case()) {
        let (verdict, memory) = checked(&case);
        let taken = memory.after(&case.evidence, &case.expectation, case.now());
        prop_assert_eq!(&taken, &memory);
        prop_assert_eq!(again(&case, &case.evidence, &memory, case.now()).decision, verdict.decision);
    }

    #[test]
    fn a_larger_ttl_of_the_set_before_never_shortens_the_wait(case in any_case(), more in 1u32..1_000_000, index: Index) {
        let before = case.verdict(&case.evidence);
        let mut longer = case.clone();
        match (&mut longer.patched, longer.earlier.is_empty()) {
            (Some(OldTtl::Set(ttl) | OldTtl::Absent(ttl)), _) => *ttl += more,
            (None, true) => return Ok(()),
            (None, false) => {
                let (evidence, _) = index.get_mut(&mut longer.earlier);
                for server in evidence.hops.iter_mut().flat_map(|hop| &mut hop.servers) {
                    for ttl in [&mut server.ttl, &mut server.original_ttl, &mut server.negative_ttl] {
                        *ttl = ttl.map(|ttl| ttl + more);
                    }
                }
            }
        }
        let after = longer.verdict(&longer.evidence);
        prop_assert!(no_better(&after, &before), "{before:#?} became {after:#?}");
    }

    #[test]
    fn a_longer_hold_never_shortens_the_wait(mut case in any_case(), short in 0i64..100_000, more in 0i64..100_000) {
        let mut verdict = |seconds| {
            case.policy.hold = HoldWish::For(TimeDelta::seconds(seconds));
            case.verdict(&case.evidence)
        };
        let (before, after) = (verdict(short), verdict(short + more));
        prop_assert!(no_better(&after, &before), "{before:#?} became {after:#?}");
    }

    #[test]
    fn waiting_for_signatures_is_never_shorter_than_the_default(mut case in any_case()) {
        case.policy.hold = HoldWish::TwiceTheOldTtl;
        let before = case.verdict(&case.evidence);
        case.policy.hold = HoldWish::Signature;
        let after = case.verdict(&case.evidence);
        prop_assert!(no_better(&after, &before), "{before:#?} became {after:#?}");
    }

    #[test]
    fn a_relapse_restarts_the_clock(case in any_case(), index: Index, ago in 0i64..100_000) {
        let relapse = case.now() - TimeDelta::seconds(ago);
        let mut earlier = case.clone();
        earlier.earlier.retain(|(_, seconds)| *seconds > ago);
        let mut worse = case.evidence.clone();
        let Some(servers) = last_servers(&mut worse) else { return Ok(()) };
        lagging(index.get_mut(servers.as_mut_slice()));
        let (verdict, memory) = check(&worse, &case.expectation, &earlier.before(), &case.policy, relapse);
        prop_assert!(verdict.decision > Decision::Safe);
        prop_assert_eq!(verdict.agreed_since, None);
        let after = again(&case, &case.evidence, &memory, case.now());
        prop_assert!(after.agreed_since.is_none_or(|since| since >= relapse), "{after:#?}");
        let hold = after.hold.and_then(|hold| hold.length);
        let passed = hold.is_some_and(|length| length <= TimeDelta::seconds(ago));
        prop_assert!(after.decision != Decision::Safe || passed, "{after:#?}");
    }

    #[test]
    fn one_more_check_that_fails_never_helps(mut case in any_case(), index: Index, ago in 1i64..100_000) {
        // What it would teach of the old set can do so rightly; the guess what
        // the deployed key is, too; and so can a server's leaving, if it is
        // noticed before the time that the user states.
        case.policy.since = None;
        case.policy.hold = HoldWish::For(TimeDelta::hours(3));
        case.expectation = case.naming_current();
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        // Others that are heard in it could show that they agreed already.
        worse.resolvers.clear();
        worse.hops.iter_mut().flat_map(|hop| &mut hop.servers).for_each(silence);
        let Some(servers) = last_servers(&mut worse) else { return Ok(()) };
        lagging(index.get_mut(servers.as_mut_slice()));
        case.earlier.push((worse, ago));
        case.earlier.sort_by_key(|(_, seconds)| -seconds);
        let after = case.verdict(&case.evidence);
        prop_assert!(no_better(&after, &before), "{before:#?} became {after:#?}");
    }

    #[test]
    fn a_worse_answer_in_the_first_look_never_helps(
        mut case in any_case(), index: Index, how in 0..4, same in 0u32..21_600,
    ) {
        // The deployed key is guessed by what was seen; a time that is stated can be contradicted by it.
        case.policy.since = None;
        case.expectation = case.naming_current();
        // A look can also teach that a TTL is longer than the others were: here there is
        // one. What was served before a server is first heard is covered for a day, which
        // is four times the largest: twice for the hold, twice for what it follows.
        if let Some(OldTtl::Set(ttl) | OldTtl::Absent(ttl)) = &mut case.patched {
            *ttl = same;
        }
        let all = case.earlier.iter_mut().map(|(evidence, _)| evidence).chain([&mut case.evidence]);
        for server in all.flat_map(|evidence| &mut evidence.hops).flat_map(|hop| &mut hop.servers) {
            for ttl in [&mut server.ttl, &mut server.original_ttl, &mut server.negative_ttl] {
                *ttl = ttl.map(|_| same);
            }
        }
        if case.earlier.is_empty() || matches!(case.policy.hold, HoldWish::Signature) {
            return Ok(());
        }
        let before = case.verdict(&case.evidence);
        let mut worse = case.clone();
        // In a later one it may hide that a server fell back, which nobody knows then.
        let Some(server) = any_server(&mut worse.earlier[0].0, &index) else { return Ok(()) };
        match how {
            0 => silence(server),
            1 => server.security = Security::Bogus,
            2 => {
                bare(server);
                (server.security, server.negative_ttl) = (Security::Bogus, Some(0));
            }
            _ => server.outcome = Outcome::ServFail,
        }
        let after = worse.verdict(&worse.evidence);
        prop_assert!(no_better(&after, &before), "{before:#?} became {after:#?}");
    }

    #[test]
    fn a_server_that_lags_and_leaves_is_not_forgotten(case in any_case(), ago in 0i64..200_000) {
        let mut with = case.evidence.clone();
        let Some(hop) = with.hops.last_mut() else { return Ok(()) };
        hop.servers.push(server(9, &[key("old")]));
        let then = case.now() - TimeDelta::seconds(ago);
        let mut earlier = case.clone();
        earlier.earlier.retain(|(_, seconds)| *seconds > ago);
        let memory = check(&with, &case.expectation, &earlier.before(), &case.policy, then).1;
        let (first, memory) = check(&case.evidence, &case.expectation, &memory, &case.policy, case.now());
        prop_assert!(first.decision > Decision::Safe || case.policy.hold == HoldWish::For(TimeDelta::zero()));
        let later = again(&case, &case.evidence, &memory, case.now() + TimeDelta::hours(47));
        prop_assert!(later.decision > Decision::Safe || matches!(case.policy.hold, HoldWish::For(_)));
    }

    #[test]
    fn a_lost_state_is_never_safe_and_never_older(mut case in any_case()) {
        case.policy.since = None;
        let kept = case.verdict(&case.evidence);
        let none = Memory::empty(&name("example.com"));
        let lost = check(&case.evidence, &case.expectation, &none, &case.policy, case.now()).0;
        prop_assert!(lost.decision > Decision::Safe);
        prop_assert!(lost.agreed_since.is_none() || lost.agreed_since >= kept.agreed_since);
        // Whoever looks for the first time waits a day at least, and as long as
        // what is seen now asks for.
        let Some((agreed, hold)) = lost.agreed_since.zip(lost.hold) else { return Ok(()) };
        let default = matches!(case.policy.hold, HoldWish::TwiceTheOldTtl);
        prop_assert!(!default || hold.until >= Some(agreed + TimeDelta::hours(24)), "{lost:#?}");
    }

    #[test]
    fn a_clock_that_goes_back_makes_nothing_safe(mut case in any_case(), back in 1i64..100_000) {
        // A time that the user states can be later than the one that was seen.
        case.policy.since = None;
        let (before, memory) = checked(&case);
        // What has expired now had not then.
        if !signatures_live(&case.evidence, case.now()) {
            return Ok(());
        }
        let past = case.now() - TimeDelta::seconds(back);
        let after = again(&case, &case.evidence, &memory, past);
        prop_assert!(after.decision > Decision::Safe || before.decision == Decision::Safe, "{before:#?} became {after:#?}");
    }

    #[test]
    fn a_later_since_never_helps(case in any_case(), start in 0i64..100_000, more in 0i64..100_000) {
        let start = case.now() - TimeDelta::seconds(start + more);
        let verdict = |since| {
            let memory = case.before().after(&case.evidence, &case.expectation, case.now());
            let policy = Policy { since: Some(since), ..case.policy };
            judge(&case.evidence, &case.expectation, &memory, &policy, case.now())
        };
        let (early, late) = (verdict(start), verdict(start + TimeDelta::seconds(more)));
        // What had left every cache by the later time counts for the earlier one alone.
        let basis = |verdict: &Verdict| verdict.hold.map(|hold| hold.basis);
        if case.policy.hold == HoldWish::TwiceTheOldTtl && basis(&early) != basis(&late) {
            return Ok(());
        }
        // One that memory contradicts is not counted, and nothing is lost by that.
        let counted = |verdict: &Verdict| verdict.findings.iter().all(|finding| finding.code != "since-contradicted");
        prop_assert!(!counted(&early) || no_better(&late, &early), "{early:#?} became {late:#?}");
    }
}
