//! The laws of the verdict, over arbitrary evidence: mostly good, spoiled here
//! and there, with a memory made of arbitrary earlier checks.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::evidence::{Evidence, Outcome, ResolverAnswer, Security, ServerAnswer};
use super::memory::{Memory, OldTtl};
use super::sample::{alias, aliased, at, evidence, key, key_as, name, resolver, server};
use super::silence::answered;
use super::{Decision, Expectation, HoldWish, Policy, Verdict, check, judge};
use crate::finding::{Finding, Severity};
use crate::tlsa::Tlsa;

const TARGET: &str = "tlsa.provider.example";

/// One law's input: earlier checks, the present one, and the user's wishes.
#[derive(Clone, Debug)]
struct Case {
    earlier: Vec<(Evidence, i64)>,
    patched: Option<OldTtl>,
    evidence: Evidence,
    expectation: Expectation,
    policy: Policy,
}

impl Case {
    fn now(&self) -> DateTime<Utc> {
        at("12:00:00")
    }

    /// The memory of everything before this check.
    fn before(&self) -> Memory {
        let mut memory = Memory::empty(&name("example.com"));
        if let Some(ttl) = self.patched {
            let start = at("00:00:00");
            memory = memory.patched(&self.evidence.owner, &[key("old")], ttl, self.expectation.expected(), start);
        }
        for (evidence, seconds) in &self.earlier {
            let then = self.now() - TimeDelta::seconds(*seconds);
            memory = check(evidence, &self.expectation, &memory, &self.policy, then).1;
        }
        memory
    }

    /// The verdict on other evidence with the memory of this case's.
    fn verdict(&self, evidence: &Evidence) -> Verdict {
        let memory = self.before().after(&self.evidence, &self.expectation, self.now());
        judge(evidence, &self.expectation, &memory, &self.policy, self.now())
    }
}

fn records() -> impl Strategy<Value = Vec<Tlsa>> {
    let all = vec![key("new"), key("old"), key("second"), key_as("new", 3, 1, 2), key_as("old", 3, 1, 2)];
    prop_oneof![6 => Just(vec![key("new"), key("old")]), 1 => Just(vec![key("old")]), 2 => subsequence(all, 0..=5)]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        20 => Just(Outcome::Answered),
        1 => select(vec![
            Outcome::NoData, Outcome::NoName, Outcome::NotAuthoritative, Outcome::ServFail, Outcome::Refused,
            Outcome::OtherCode(9), Outcome::TruncatedWithoutTcp, Outcome::Malformed,
        ]),
        2 => Just(Outcome::Unreachable),
    ]
}

fn security() -> impl Strategy<Value = Security> {
    prop_oneof![
        30 => Just(Security::Secure),
        1 => select(vec![Security::Indeterminate, Security::Insecure, Security::Bogus]),
    ]
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let finding = select(vec![
        Finding::new("unreachable", Severity::Note, "as the walk says"),
        Finding::new("delegation-differs", Severity::Wait, "as the walk says"),
        Finding::new("denial-unproven", Severity::Unknown, "as the walk says"),
        Finding::new("bogus", Severity::Unsafe, "as the walk says"),
    ]);
    prop_oneof![30 => Just(Vec::new()), 1 => finding.prop_map(|finding| vec![finding])]
}

prop_compose! {
    fn answer()(
        records in records(), outcome in outcome(), security in security(), findings in findings(),
        serial in prop_oneof![12 => Just(Some(7)), 1 => select(vec![None, Some(6), Some(u32::MAX), Some(0x8000_0007)])],
        ttl in select(vec![0u32, 60, 3600]), life in prop_oneof![20 => Just(14 * 86_400i64), 1 => select(vec![-1i64, 0, 60])],
        leads in prop_oneof![20 => Just(false), 1 => Just(true)], homeless in prop_oneof![30 => Just(false), 1 => Just(true)],
    ) -> ServerAnswer {
        let mut answer = server(1, if outcome == Outcome::Answered { &records } else { &[] });
        answer.outcome = outcome;
        if homeless {
            (answer.address, answer.outcome) = (None, Outcome::Unreachable);
        }
        if leads {
            answer.alias = Some(name(TARGET));
        }
        (answer.ttl, answer.original_ttl) = (Some(ttl), Some(ttl));
        (answer.security, answer.serial, answer.findings) = (security, serial, findings);
        answer.signature_expires = Some(at("12:00:00") + TimeDelta::seconds(life));
        answer
    }
}

/// Servers that each have a name and an address of their own.
fn servers() -> impl Strategy<Value = Vec<ServerAnswer>> {
    prop::collection::vec(answer(), 0..4).prop_map(|mut servers| {
        for (number, answer) in (1u8..).zip(&mut servers) {
            let good = server(number, &[]);
            answer.name = good.name;
            answer.address = answer.address.and(good.address);
        }
        servers
    })
}

fn resolvers() -> impl Strategy<Value = Vec<ResolverAnswer>> {
    let one = (records(), outcome(), any::<bool>(), select(vec![None, Some(0u32), Some(90)]), findings());
    let one = one.prop_map(|(records, outcome, authenticated, ttl, findings)| ResolverAnswer {
        outcome,
        authenticated,
        ttl,
        findings,
        ..resolver(&records, 0)
    });
    prop::collection::vec(one, 0..2)
}

prop_compose! {
    fn any_evidence()(
        servers in servers(), second in servers(), through_alias in prop_oneof![5 => Just(false), 1 => Just(true)],
        resolvers in resolvers(), host in prop_oneof![20 => Just(None), 1 => security().prop_map(Some)],
        link in security(), findings in findings(), lost in prop_oneof![30 => Just(false), 1 => Just(true)],
    ) -> Evidence {
        let mut evidence = if through_alias {
            let leading = |(number, answer): (u8, &ServerAnswer)| ServerAnswer { address: answer.address, ..alias(number, TARGET) };
            aliased((1u8..).zip(&servers).map(leading).collect(), second)
        } else {
            evidence(servers)
        };
        evidence.hops[0].chain[1].security = link;
        (evidence.resolvers, evidence.host, evidence.findings) = (resolvers, host, findings);
        if lost {
            evidence.hops.clear();
        }
        evidence
    }
}

prop_compose! {
    fn any_policy()(
        hold in select(vec![
            HoldWish::TwiceTheOldTtl, HoldWish::For(TimeDelta::seconds(1)), HoldWish::For(TimeDelta::hours(3)), HoldWish::Signature,
        ]),
        since in prop_oneof![4 => Just(None), 1 => Just(Some(at("03:00:00")))],
        allow_unreachable in 0usize..3,
    ) -> Policy {
        Policy { hold, since, allow_unreachable }
    }
}

prop_compose! {
    fn any_case()(
        evidence in any_evidence(),
        mut earlier in prop::collection::vec((any_evidence(), select(vec![1i64, 60, 7_000, 40_000])), 0..3),
        repeated in any::<bool>(),
        patched in select(vec![None, None, Some(OldTtl::Set(3600)), Some(OldTtl::Absent(60))]),
        current in select(vec![None, Some(vec![key("old")])]),
        derivable: bool,
        policy in any_policy(),
    ) -> Case {
        if repeated {
            earlier.push((evidence.clone(), 30_000));
        }
        earlier.sort_by_key(|(_, seconds)| -seconds);
        let extra = key_as("new", 3, 1, 2);
        let derived = derivable.then(|| (extra.params, vec![vec![extra]]));
        let expectation = Expectation::new(vec![key("new")], current).deriving(derived);
        Case { earlier, patched, evidence, expectation, policy }
    }
}

/// The servers of the last hop, which is where the records are.
fn last_servers(evidence: &mut Evidence) -> Option<&mut Vec<ServerAnswer>> {
    evidence.hops.last_mut().map(|hop| &mut hop.servers).filter(|servers| !servers.is_empty())
}

fn any_server<'a>(evidence: &'a mut Evidence, index: &Index) -> Option<&'a mut ServerAnswer> {
    let all: Vec<&mut ServerAnswer> = evidence.hops.iter_mut().flat_map(|hop| &mut hop.servers).collect();
    let chosen = if all.is_empty() { return None } else { index.index(all.len()) };
    all.into_iter().nth(chosen)
}

fn silence(server: &mut ServerAnswer) {
    let quiet = ServerAnswer { name: server.name.clone(), address: server.address, ..super::sample::server(1, &[]) };
    let (outcome, security) = (Outcome::Unreachable, Security::Indeterminate);
    *server = ServerAnswer { outcome, security, serial: None, signature_expires: None, ..quiet };
}

/// Both say no, and neither is lighter than the other in this comparison.
fn weight(decision: Decision) -> Decision {
    decision.min(Decision::Unknown)
}

fn signatures_live(evidence: &Evidence, moment: DateTime<Utc>) -> bool {
    let servers = evidence.hops.iter().flat_map(|hop| &hop.servers).filter(|server| answered(server));
    servers.filter_map(|server| server.signature_expires).all(|end| end > moment)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

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
}

/// The laws say little when every case comes out the same.
#[test]
fn the_cases_come_out_in_every_way() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut count = [0; 5];
    for _ in 0..1_000 {
        let case = any_case().new_tree(&mut runner).unwrap().current();
        let verdict = case.verdict(&case.evidence);
        count[verdict.decision as usize] += 1;
        count[4] += usize::from(verdict.safe_at.is_some());
    }
    assert!(count.iter().all(|n| *n >= 30), "safe, wait, unknown, unsafe, wait with a time: {count:?}");
}
