//! The laws of the verdict, over arbitrary evidence: what answers may do to it
//! here, what time and memory may do to it in `laws/time`. Some hundred cases of
//! each, or as many as `PROPTEST_CASES` says.

mod caches;
mod cases;
mod time;

use cases::{any_case, any_server, finding, last_servers, resolvers, security, silence, weight};
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::propagation::fixtures::{address, key, server};

use super::evidence::{Evidence, Outcome, ResolverAnswer, Security, ServerAnswer};
use super::{Decision, check, overall};

/// How many cases, unless the environment says so.
const CASES: u32 = 300;

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn silence_in_place_of_an_answer_never_helps(mut case in any_case(), index: Index) {
        case.policy.allow_unreachable = 0;
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        let Some(server) = any_server(&mut worse, &index) else { return Ok(()) };
        silence(server);
        let after = case.verdict(&worse);
        prop_assert!(after.decision >= weight(before.decision), "{:?} became {after:#?}", before.decision);
        prop_assert!(after.decision >= Decision::Unknown);
    }

    #[test]
    fn silence_does_not_help_where_it_is_allowed_either(case in any_case(), index: Index) {
        let (before, memory) = check(&case.evidence, &case.expectation, &case.before(), &case.policy, case.now());
        let mut worse = case.evidence.clone();
        let Some(server) = any_server(&mut worse, &index) else { return Ok(()) };
        silence(server);
        let (after, _) = check(&worse, &case.expectation, &memory, &case.policy, case.now());
        prop_assert!(after.decision >= weight(before.decision), "{before:#?} became {after:#?}");
    }

    #[test]
    fn a_resolver_that_falls_silent_ends_no_wait(mut case in any_case()) {
        // What is in a cache has a TTL.
        case.evidence.resolvers.retain(|resolver| resolver.ttl.is_some());
        let (before, memory) = check(&case.evidence, &case.expectation, &case.before(), &case.policy, case.now());
        let mut worse = case.evidence.clone();
        worse.resolvers.iter_mut().for_each(|resolver| resolver.outcome = Outcome::Unreachable);
        let (after, _) = check(&worse, &case.expectation, &memory, &case.policy, case.now());
        prop_assert!(before.decision != Decision::Wait || after.decision >= Decision::Wait, "{before:#?} became {after:#?}");
    }

    #[test]
    fn an_error_in_place_of_an_answer_is_never_better_than_unknown(case in any_case(), index: Index) {
        for outcome in [Outcome::ServFail, Outcome::Refused, Outcome::NotAuthoritative, Outcome::Malformed,
            Outcome::OtherCode(4), Outcome::TruncatedWithoutTcp]
        {
            let mut worse = case.evidence.clone();
            let Some(server) = any_server(&mut worse, &index) else { return Ok(()) };
            silence(server);
            server.outcome = outcome;
            prop_assert!(case.verdict(&worse).decision >= Decision::Unknown);
        }
    }

    #[test]
    fn an_insecure_or_bogus_answer_is_always_unsafe(case in any_case(), index: Index, bogus: bool) {
        let mut worse = case.evidence.clone();
        let Some(server) = any_server(&mut worse, &index) else { return Ok(()) };
        server.security = if bogus { Security::Bogus } else { Security::Insecure };
        prop_assert_eq!(case.verdict(&worse).decision, Decision::Unsafe);
    }

    #[test]
    fn a_weaker_chain_never_helps(case in any_case(), index: Index, security in security()) {
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        let Some(hop) = worse.hops.first_mut() else { return Ok(()) };
        let link = index.get_mut(&mut hop.chain);
        link.security = link.security.max(security);
        prop_assert!(case.verdict(&worse).decision >= before.decision);
    }

    #[test]
    fn taking_a_new_record_from_a_set_never_helps(case in any_case(), index: Index) {
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        let Some(servers) = last_servers(&mut worse) else { return Ok(()) };
        let server = index.get_mut(servers.as_mut_slice());
        server.records.retain(|record| *record != key("new"));
        // Without any record left the set is gone, which is another thing.
        if server.records.is_empty() {
            return Ok(());
        }
        prop_assert!(case.verdict(&worse).decision >= before.decision);
    }

    #[test]
    fn taking_everything_from_a_server_is_never_safe(case in any_case(), index: Index) {
        let mut worse = case.evidence.clone();
        let Some(servers) = last_servers(&mut worse) else { return Ok(()) };
        let server = index.get_mut(servers.as_mut_slice());
        let unheard = server.outcome == Outcome::Unreachable;
        server.records.clear();
        prop_assert!(unheard || case.verdict(&worse).decision > Decision::Safe);
    }

    #[test]
    fn the_order_of_answers_does_not_matter(case in any_case(), by in 0usize..4) {
        let mut turned = case.evidence.clone();
        for hop in &mut turned.hops {
            hop.servers.reverse();
            let middle = by.min(hop.servers.len());
            hop.servers.rotate_left(middle);
            hop.servers.iter_mut().for_each(|server| server.records.reverse());
        }
        turned.resolvers.reverse();
        let run = |evidence: &Evidence| check(evidence, &case.expectation, &case.before(), &case.policy, case.now());
        prop_assert_eq!(run(&turned), run(&case.evidence));
    }

    #[test]
    fn one_more_server_that_lags_is_never_safe_and_never_helps(case in any_case()) {
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        // Where nobody answered, a server that does is news.
        let heard = worse.hops.iter().all(|hop| hop.servers.iter().any(ServerAnswer::answered));
        let Some(hop) = worse.hops.last_mut() else { return Ok(()) };
        hop.servers.push(server(9, &[key("old")]));
        let after = case.verdict(&worse).decision;
        prop_assert!(after > Decision::Safe);
        prop_assert!(!heard || after >= before.decision, "{:?} became {after:?}", before);
    }

    #[test]
    fn one_more_server_that_is_silent_never_helps(case in any_case(), index: Index) {
        let before = case.verdict(&case.evidence).decision;
        let mut worse = case.evidence.clone();
        if worse.hops.is_empty() {
            return Ok(());
        }
        let mut quiet = server(9, &[]);
        silence(&mut quiet);
        index.get_mut(&mut worse.hops).servers.push(quiet);
        prop_assert!(case.verdict(&worse).decision >= before);
    }

    #[test]
    fn one_more_finding_never_helps(case in any_case(), index: Index, place in 0..4, found in finding()) {
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        let Some(hop) = worse.hops.first_mut() else { return Ok(()) };
        match place {
            0 => worse.findings.push(found),
            1 => hop.findings.push(found),
            2 => index.get_mut(&mut hop.chain).findings.push(found),
            _ => {
                let Some(server) = any_server(&mut worse, &index) else { return Ok(()) };
                server.findings.push(found);
            }
        }
        prop_assert!(case.verdict(&worse).decision >= before.decision);
    }

    #[test]
    fn one_more_resolver_never_helps(case in any_case(), more in resolvers()) {
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        worse.resolvers.extend(more.into_iter().map(|resolver| ResolverAnswer { address: address(99), ..resolver }));
        let after = case.verdict(&worse);
        prop_assert!(after.decision >= before.decision);
        prop_assert!(after.safe_at.is_none() || after.safe_at >= before.safe_at);
    }

    #[test]
    fn a_weaker_host_never_helps(case in any_case(), security in security()) {
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        worse.host = worse.host.max(Some(security));
        prop_assert!(case.verdict(&worse).decision >= before.decision);
    }

    #[test]
    fn a_signature_that_expires_sooner_never_helps(case in any_case(), index: Index, seconds in 0i64..30 * 86_400) {
        let before = case.verdict(&case.evidence);
        let mut worse = case.evidence.clone();
        let Some(server) = any_server(&mut worse, &index) else { return Ok(()) };
        server.signature_expires = server.signature_expires.map(|end| end - TimeDelta::seconds(seconds));
        prop_assert!(case.verdict(&worse).decision >= before.decision);
    }

    #[test]
    fn an_answer_without_serial_is_never_better_than_unknown(case in any_case(), index: Index) {
        let mut worse = case.evidence.clone();
        let Some(server) = any_server(&mut worse, &index).filter(|server| server.answered()) else { return Ok(()) };
        server.serial = None;
        prop_assert!(case.verdict(&worse).decision >= Decision::Unknown);
    }

    #[test]
    fn permitting_less_silence_never_helps(mut case in any_case()) {
        let before = case.verdict(&case.evidence).decision;
        case.policy.allow_unreachable = case.policy.allow_unreachable.saturating_sub(1);
        prop_assert!(case.verdict(&case.evidence).decision >= before);
    }

    #[test]
    fn many_targets_are_as_bad_as_the_worst(cases in prop::collection::vec(any_case(), 0..4), index: Index) {
        let verdicts: Vec<_> = cases.iter().map(|case| case.verdict(&case.evidence)).collect();
        let (decision, safe_at) = overall(&verdicts);
        let worst = verdicts.iter().map(|verdict| verdict.decision).max();
        prop_assert_eq!(decision, worst.unwrap_or(Decision::Unknown));
        // Nobody is told to come back while one of them says less.
        let each = |end| verdicts.iter().all(|v| v.decision == Decision::Safe || v.safe_at.is_some_and(|own| own <= end));
        prop_assert!(safe_at.is_none_or(each));
        let mut turned = verdicts.clone();
        turned.rotate_left(index.index(verdicts.len().max(1)));
        prop_assert_eq!(overall(&turned), (decision, safe_at));
    }
}
