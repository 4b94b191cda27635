//! The cases of the laws: arbitrary evidence, mostly good, spoiled here and
//! there, with a memory made of arbitrary earlier checks.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::{Evidence, Outcome, ResolverAnswer, Security, ServerAnswer};
use crate::propagation::fixtures::{
    self, alias, aliased, at, evidence, key, key_as, name, resolver, server,
};
use crate::propagation::memory::{Memory, OldTtl};
use crate::propagation::{Decision, Expectation, HoldWish, Policy, Verdict, check, judge};
use crate::tlsa::Tlsa;

pub(super) const TARGET: &str = "tlsa.provider.example";

/// One law's input: earlier checks, the present one, and the user's wishes.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) earlier: Vec<(Evidence, i64)>,
    pub(super) patched: Option<OldTtl>,
    pub(super) evidence: Evidence,
    pub(super) expectation: Expectation,
    pub(super) policy: Policy,
}

impl Case {
    pub(super) fn now(&self) -> DateTime<Utc> {
        at("12:00:00")
    }

    /// The memory of everything before this check.
    pub(super) fn before(&self) -> Memory {
        let mut memory = Memory::empty(&name("example.com"));
        if let Some(ttl) = self.patched {
            let start = self.now() - TimeDelta::days(5);
            memory = memory.patched(
                &self.evidence.owner,
                &[key("old")],
                ttl,
                self.expectation.expected(),
                start,
            );
        }
        for (evidence, seconds) in &self.earlier {
            let then = self.now() - TimeDelta::seconds(*seconds);
            memory = check(evidence, &self.expectation, &memory, &self.policy, then).1;
        }
        memory
    }

    /// The same expectation with the deployed key named.
    pub(super) fn naming_current(&self) -> Expectation {
        let extra = key_as("new", 3, 1, 2);
        let derived = [(extra.params, vec![vec![extra]])];
        Expectation::new(self.expectation.expected().to_vec(), Some(vec![key("old")]))
            .deriving(derived)
    }

    /// The verdict on other evidence with the memory of this case's.
    pub(super) fn verdict(&self, evidence: &Evidence) -> Verdict {
        let memory = self
            .before()
            .after(&self.evidence, &self.expectation, self.now());
        judge(
            evidence,
            &self.expectation,
            &memory,
            &self.policy,
            self.now(),
        )
    }
}

pub(super) fn records() -> impl Strategy<Value = Vec<Tlsa>> {
    let all = vec![
        key("new"),
        key("old"),
        key("second"),
        key_as("new", 3, 1, 2),
        key_as("old", 3, 1, 2),
    ];
    prop_oneof![10 => Just(vec![key("new"), key("old")]), 1 => Just(vec![key("old")]), 2 => subsequence(all, 0..=5)]
}

pub(super) fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        40 => Just(Outcome::Answered),
        1 => select(vec![
            Outcome::NoData, Outcome::NoName, Outcome::NotAuthoritative, Outcome::ServFail, Outcome::Refused,
            Outcome::OtherCode(9), Outcome::TruncatedWithoutTcp, Outcome::Malformed,
        ]),
        2 => Just(Outcome::Unreachable),
    ]
}

pub(super) fn security() -> impl Strategy<Value = Security> {
    prop_oneof![
        50 => Just(Security::Secure),
        1 => select(vec![Security::Indeterminate, Security::Insecure, Security::Bogus]),
    ]
}

pub(super) fn finding() -> impl Strategy<Value = Finding> {
    select(vec![
        Finding::new("unreachable", Severity::Note, "as the walk says"),
        Finding::new("delegation-differs", Severity::Wait, "as the walk says"),
        Finding::new("denial-unproven", Severity::Unknown, "as the walk says"),
        Finding::new("bogus", Severity::Unsafe, "as the walk says"),
    ])
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    prop_oneof![50 => Just(Vec::new()), 1 => finding().prop_map(|finding| vec![finding])]
}

prop_compose! {
    pub(super) fn answer()(
        records in records(), outcome in outcome(), security in security(), findings in findings(),
        serial in prop_oneof![30 => Just(Some(7)), 1 => select(vec![None, Some(6), Some(u32::MAX), Some(0x8000_0007)])],
        ttl in prop_oneof![4 => select(vec![0u32, 60, 3600]), 1 => 0..100_000u32], life in prop_oneof![40 => Just(14 * 86_400i64), 1 => select(vec![-1i64, 0, 60])],
        leads in prop_oneof![40 => Just(false), 1 => Just(true)], homeless in prop_oneof![60 => Just(false), 1 => Just(true)],
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

/// Servers that each have a name and an address of their own, and usually the
/// same set.
fn servers() -> impl Strategy<Value = Vec<ServerAnswer>> {
    let number = prop_oneof![1 => Just(0usize), 6 => Just(1), 8 => Just(2), 4 => Just(3)];
    let answers = number.prop_flat_map(|number| prop::collection::vec(answer(), number));
    let shared = prop_oneof![4 => records().prop_map(Some), 1 => Just(None)];
    (answers, shared).prop_map(|(mut servers, shared)| {
        for (number, answer) in (1u8..).zip(&mut servers) {
            let good = server(number, &[]);
            answer.name = good.name;
            answer.address = answer.address.and(good.address);
            if let Some(shared) = shared
                .as_ref()
                .filter(|_| answer.outcome == Outcome::Answered)
            {
                answer.records = fixtures::server(1, shared).records;
            }
        }
        servers
    })
}

pub(super) fn resolvers() -> impl Strategy<Value = Vec<ResolverAnswer>> {
    let one = (
        records(),
        outcome(),
        any::<bool>(),
        select(vec![None, Some(0u32), Some(90)]),
        findings(),
    );
    let one = one.prop_map(
        |(records, outcome, authenticated, ttl, findings)| ResolverAnswer {
            outcome,
            authenticated,
            ttl,
            findings,
            ..resolver(&records, 0)
        },
    );
    prop::collection::vec(one, 0..2)
}

prop_compose! {
    pub(super) fn any_evidence()(
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
    pub(super) fn any_policy()(
        hold in prop_oneof![
            3 => Just(HoldWish::TwiceTheOldTtl),
            2 => Just(HoldWish::For(TimeDelta::seconds(1))),
            2 => Just(HoldWish::For(TimeDelta::hours(3))),
            1 => Just(HoldWish::Signature),
        ],
        since in prop_oneof![4 => Just(None), 1 => Just(Some(at("03:00:00")))],
        allow_unreachable in 0usize..3,
    ) -> Policy {
        Policy { hold, since, allow_unreachable }
    }
}

/// What an earlier check found, as against the present one.
#[derive(Clone, Debug)]
enum Then {
    Same,
    /// All servers had the old set.
    Before,
    /// One server lagged.
    Lagging(Index),
    /// One server was silent.
    Silent(Index),
    /// One server had no set.
    Bare(Index),
    Other(Evidence),
}

impl Then {
    fn evidence(self, now: &Evidence) -> Evidence {
        let mut then = now.clone();
        match self {
            Self::Same => {}
            Self::Before => last_servers(&mut then)
                .into_iter()
                .flatten()
                .for_each(lagging),
            Self::Lagging(index) => last_servers(&mut then)
                .into_iter()
                .for_each(|all| lagging(index.get_mut(all))),
            Self::Silent(index) => any_server(&mut then, &index).into_iter().for_each(silence),
            Self::Bare(index) => last_servers(&mut then)
                .into_iter()
                .for_each(|all| bare(index.get_mut(all))),
            Self::Other(other) => then = other,
        }
        then
    }
}

fn earlier() -> impl Strategy<Value = Vec<(Then, i64)>> {
    let then = prop_oneof![
        6 => Just(Then::Same),
        3 => any::<Index>().prop_map(Then::Lagging),
        1 => any::<Index>().prop_map(Then::Silent),
        1 => any::<Index>().prop_map(Then::Bare),
        1 => any_evidence().prop_map(Then::Other),
    ];
    let ago = prop_oneof![4 => select(vec![1i64, 60, 7_200, 30_000, 90_000, 200_000, 250_000, 300_000]), 1 => 0i64..400_000];
    prop::collection::vec((then, ago), 0..6)
}

prop_compose! {
    pub(super) fn any_case()(
        evidence in any_evidence(),
        earlier in earlier(),
        watched in prop_oneof![4 => Just(true), 1 => Just(false)],
        patched in select(vec![None, Some(OldTtl::Set(3600)), Some(OldTtl::Absent(60)), Some(OldTtl::Set(50_000))]),
        current in select(vec![None, Some(vec![key("old")])]),
        derivable: bool,
        policy in any_policy(),
    ) -> Case {
        // Whoever looked ahead of all that.
        let ahead = (Then::Before, 400_000);
        let mut earlier: Vec<_> = earlier.into_iter().chain(watched.then_some(ahead)).map(|(then, ago)| (then.evidence(&evidence), ago)).collect();
        earlier.sort_by_key(|(_, seconds)| -seconds);
        let extra = key_as("new", 3, 1, 2);
        let derived = derivable.then(|| (extra.params, vec![vec![extra]]));
        let expectation = Expectation::new(vec![key("new")], current).deriving(derived);
        Case { earlier, patched, evidence, expectation, policy }
    }
}

/// The servers of the last hop, which is where the records are.
pub(super) fn last_servers(evidence: &mut Evidence) -> Option<&mut Vec<ServerAnswer>> {
    evidence
        .hops
        .last_mut()
        .map(|hop| &mut hop.servers)
        .filter(|servers| !servers.is_empty())
}

pub(super) fn any_server<'a>(
    evidence: &'a mut Evidence,
    index: &Index,
) -> Option<&'a mut ServerAnswer> {
    let all: Vec<&mut ServerAnswer> = evidence
        .hops
        .iter_mut()
        .flat_map(|hop| &mut hop.servers)
        .collect();
    let chosen = if all.is_empty() {
        return None;
    } else {
        index.index(all.len())
    };
    all.into_iter().nth(chosen)
}

/// Serves no set.
pub(super) fn bare(server: &mut ServerAnswer) {
    let none = fixtures::server(1, &[]);
    *server = ServerAnswer {
        name: server.name.clone(),
        address: server.address,
        listed: server.listed,
        ..none
    };
}

/// Serves the old set, as one does that was not updated.
pub(super) fn lagging(server: &mut ServerAnswer) {
    let old = fixtures::server(1, &[key("old")]);
    *server = ServerAnswer {
        name: server.name.clone(),
        address: server.address,
        listed: server.listed,
        ..old
    };
}

pub(super) fn silence(server: &mut ServerAnswer) {
    let quiet = ServerAnswer {
        name: server.name.clone(),
        address: server.address,
        ..fixtures::server(1, &[])
    };
    let (outcome, security) = (Outcome::Unreachable, Security::Indeterminate);
    *server = ServerAnswer {
        outcome,
        security,
        serial: None,
        signature_expires: None,
        ..quiet
    };
}

/// Both say no, and neither is lighter than the other in this comparison.
pub(super) fn weight(decision: Decision) -> Decision {
    decision.min(Decision::Unknown)
}

pub(super) fn signatures_live(evidence: &Evidence, moment: DateTime<Utc>) -> bool {
    let servers = evidence
        .hops
        .iter()
        .flat_map(|hop| &hop.servers)
        .filter(|server| server.answered());
    servers
        .filter_map(|server| server.signature_expires)
        .all(|end| end > moment)
}

/// The laws say little when every case comes out the same.
#[test]
fn the_cases_come_out_in_every_way() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut count = [0; 7];
    for _ in 0..1_000 {
        let case = any_case().new_tree(&mut runner).unwrap().current();
        let verdict = case.verdict(&case.evidence);
        count[verdict.decision as usize] += 1;
        count[4] += usize::from(verdict.safe_at.is_some());
        let memory_counts = verdict.agreed_since.is_some_and(|since| since < case.now())
            && case.policy.since.is_none();
        count[5] += usize::from(memory_counts);
        count[6] += usize::from(verdict.cleared);
    }
    let what = "safe, wait, unknown, unsafe, wait with a time, agreed before, safe before";
    assert!(
        count.iter().all(|n| *n >= 40) && count[..4].iter().all(|n| *n >= 100),
        "{what}: {count:?}"
    );
}
