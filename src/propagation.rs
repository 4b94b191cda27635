//! May the new key go live? Facts about what every name server serves, what was
//! seen before, and the moment, in; a verdict out. Nothing here asks anybody.
//!
//! The heaviest finding decides: *unsafe* before *unknown* before *wait* before
//! *safe*. What holds for every input, and is tested as such in `laws`:
//!
//! - silence in place of an answer never makes *safe* or *wait* of something
//!   heavier, and a worse answer never makes a lighter verdict;
//! - time alone never turns *safe* into *wait*;
//! - the order in which servers answered does not matter;
//! - *wait* with a time, judged again at that time on the same facts, is *safe*
//!   as long as the signatures live.
//!
//! Silence in place of a wrong answer may turn *unsafe* into *unknown*: what is
//! wrong cannot be shown any more. Neither lets a key through.

mod chain;
pub mod evidence;
#[cfg(test)]
pub(crate) mod fixtures;
mod hold;
#[cfg(test)]
mod laws;
mod ledger;
pub mod memory;
mod parameters;
mod servers;
pub(crate) mod silence;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::duration;
use crate::finding::{Finding, Severity};
use crate::tlsa::{Params, Tlsa};

use evidence::Evidence;
use hold::Terms;
use ledger::Ledger;
use memory::{KeyChange, Memory};

pub use hold::{Basis, Hold};

/// When this version was made. A clock that is behind it cannot be trusted with
/// the lifetime of a signature.
pub const BUILT: DateTime<Utc> = match DateTime::from_timestamp(1_795_132_800, 0) {
    Some(moment) => moment,
    None => DateTime::UNIX_EPOCH,
};

/// The verdict in a word. The order is the order of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Every server has served the expected set for long enough.
    Safe,
    /// Nothing is wrong; servers or caches need time.
    Wait,
    /// The truth could not be found out.
    Unknown,
    /// Deploying now would lose mail, or mail is being lost already.
    Unsafe,
}

impl Decision {
    /// The word in JSON and in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Wait => "wait",
            Self::Unknown => "unknown",
            Self::Unsafe => "unsafe",
        }
    }
}

impl From<Severity> for Decision {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Note => Self::Safe,
            Severity::Wait => Self::Wait,
            Severity::Unknown => Self::Unknown,
            Severity::Unsafe => Self::Unsafe,
        }
    }
}

/// What the servers are expected to serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The records of the key to be deployed, in order and without repeats.
    expected: Vec<Tlsa>,
    /// The records of the key that is deployed now, when the user names it.
    current: Option<Vec<Tlsa>>,
    /// What each new key comes to under parameters that were not asked for:
    /// one record of each list must stand in a set that uses them.
    derived: BTreeMap<Params, Vec<Vec<Tlsa>>>,
}

impl Expectation {
    /// The records of the new key, and those of the deployed one if it is named.
    #[must_use]
    pub fn new(expected: Vec<Tlsa>, current: Option<Vec<Tlsa>>) -> Self {
        Self {
            expected: sorted(expected),
            current: current.map(sorted),
            derived: BTreeMap::new(),
        }
    }

    /// The same expectation, with what each new key comes to under parameters
    /// that the servers use and the user did not ask for: for every key the
    /// records that match its chain. No list at all means that it is not known.
    #[must_use]
    pub fn deriving(mut self, derived: impl IntoIterator<Item = (Params, Vec<Vec<Tlsa>>)>) -> Self {
        self.derived = derived.into_iter().collect();
        self
    }

    /// The parameters in use at the last owner under which it has to be known
    /// what the new keys come to, before this evidence can be judged.
    #[must_use]
    pub fn to_derive(&self, evidence: &Evidence) -> BTreeSet<Params> {
        parameters::open_parameters(evidence, self)
    }

    /// The records of the key to be deployed.
    #[must_use]
    pub fn expected(&self) -> &[Tlsa] {
        &self.expected
    }

    /// The records of the deployed key, when it was named.
    #[must_use]
    pub fn current(&self) -> Option<&[Tlsa]> {
        self.current.as_deref()
    }
}

fn sorted(mut records: Vec<Tlsa>) -> Vec<Tlsa> {
    records.sort();
    records.dedup();
    records
}

/// How long all servers must have agreed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HoldWish {
    /// Twice the largest TTL of the set before (RFC 7671 section 8.1).
    #[default]
    TwiceTheOldTtl,
    /// This long.
    For(TimeDelta),
    /// Until no signature over the old set is valid any more.
    Signature,
}

/// What the user decides about the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How long all servers must have agreed.
    pub hold: HoldWish,
    /// Since when they have, as the user knows it.
    pub since: Option<DateTime<Utc>>,
    /// How many addresses may be silent.
    pub allow_unreachable: usize,
}

/// What the facts come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The verdict in a word.
    pub decision: Decision,
    /// When it will be safe if nothing changes; only with `Wait`, and only when
    /// nothing but time is missing.
    pub safe_at: Option<DateTime<Utc>>,
    /// Since when every server has served the expected set.
    pub agreed_since: Option<DateTime<Utc>>,
    /// How long they have to.
    pub hold: Option<Hold>,
    /// Everything found, the heaviest first.
    pub findings: Vec<Finding>,
    /// Whether nobody publishes the record: all servers were heard and agree on a
    /// serial without it. Waiting does not help then.
    pub unpublished: bool,
    /// Whether nothing but time and silence stands in the way.
    pub(crate) settled: bool,
    /// Whether the default hold has passed, whatever hold was asked for.
    pub(crate) rested: bool,
    /// Whether it was safe before, after the default hold.
    pub(crate) cleared: bool,
}

/// One target with its facts and what they come to.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was found.
    pub evidence: Evidence,
    /// What was expected.
    pub expectation: Expectation,
    /// What it comes to.
    pub verdict: Verdict,
    /// What was seen of it until now, this check included.
    pub watch: memory::KeyChange,
}

/// Remembers the evidence and judges it: the verdict, and the memory to keep.
#[must_use]
pub fn check(
    evidence: &Evidence,
    expectation: &Expectation,
    memory: &Memory,
    policy: &Policy,
    now: DateTime<Utc>,
) -> (Verdict, Memory) {
    let mut memory = memory.clone();
    let verdict = check_in(&mut memory, evidence, expectation, policy, now);
    (verdict, memory)
}

/// Remembers the evidence in place and judges it. With many owners in a zone,
/// each costs as much as one alone.
pub fn check_in(
    memory: &mut Memory,
    evidence: &Evidence,
    expectation: &Expectation,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Verdict {
    memory.learn(evidence, expectation, now);
    let verdict = judge(evidence, expectation, memory, policy, now);
    memory.learn_verdict(evidence, expectation, &verdict, now);
    verdict
}

/// Judges the evidence by the rules of `servers`, `sets`, `chain`, `silence`
/// and `hold`. `memory` is to have been told of this evidence before
/// ([`Memory::after`]), else the hold starts now; [`check`] does both.
#[must_use]
pub fn judge(
    evidence: &Evidence,
    expectation: &Expectation,
    memory: &Memory,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Verdict {
    let mut ledger = Ledger::default();
    if now < BUILT {
        ledger.add(Finding::new(
            "clock-before-build",
            Severity::Unknown,
            format!(
                "the clock says {}, which is before this program was made",
                moment(now)
            ),
        ));
        return ledger.verdict(None, None);
    }
    if expectation.expected.is_empty() {
        ledger.add(Finding::new(
            "nothing-expected",
            Severity::Unsafe,
            "no record is expected, so nothing can be found",
        ));
    }
    let watch = memory.watch(&evidence.owner, expectation);
    let terms = Terms::of(evidence, expectation, memory, &watch, policy, now);
    clock_findings(memory, &watch, now, &mut ledger);
    let waived = silence::judge(evidence, &watch, policy, &terms, now, &mut ledger);
    chain::judge(evidence, now, &mut ledger);
    servers::judge(evidence, expectation, &watch, &waived, &mut ledger);
    parameters::judge(evidence, expectation, &mut ledger);
    let remembered = memory
        .owners
        .get(&evidence.owner.to_string())
        .map(|owner| owner.resolvers.clone());
    servers::judge_resolvers(
        evidence,
        expectation,
        &remembered.unwrap_or_default(),
        now,
        &mut ledger,
    );
    let unpublished = servers::judge_unpublished(evidence, expectation, &watch, &mut ledger);
    let (agreed_since, hold) = hold::judge(
        evidence,
        expectation,
        (&watch, &terms),
        policy,
        now,
        &mut ledger,
    );
    let (rested, cleared) = (
        hold::rested(&terms, agreed_since, policy, now),
        watch.calm_since().is_some(),
    );
    Verdict {
        rested,
        cleared,
        unpublished,
        ..ledger.verdict(agreed_since, Some(hold))
    }
}

/// Says that the wall clock was set, and what that did.
fn clock_findings(memory: &Memory, watch: &KeyChange, now: DateTime<Utc>, ledger: &mut Ledger) {
    if watch.clock_went_back_at == Some(now) {
        let text = "the state is from the future, so the clock went back: the time until now is not counted";
        ledger.add(Finding::new("clock-went-back", Severity::Note, text));
    }
    let step = memory
        .clock
        .as_ref()
        .and_then(|clock| clock.stepped.as_ref());
    if let Some(step) = step.filter(|step| step.found_at == now) {
        let by = duration::text(TimeDelta::milliseconds(step.by));
        let text = format!(
            "the clock was set ahead by {by} since the last look: that time is not counted"
        );
        ledger.add(Finding::new("clock-stepped", Severity::Note, text));
    }
}

/// The verdict over several targets: the heaviest, and the last time of all.
#[must_use]
pub fn overall<'a>(
    verdicts: impl IntoIterator<Item = &'a Verdict>,
) -> (Decision, Option<DateTime<Utc>>) {
    // Nothing judged is nothing known.
    let verdicts: Vec<&Verdict> = verdicts.into_iter().collect();
    let decision = verdicts
        .iter()
        .map(|verdict| verdict.decision)
        .max()
        .unwrap_or(Decision::Unknown);
    let waiting = verdicts
        .iter()
        .filter(|verdict| verdict.decision == Decision::Wait);
    let times: Option<Vec<DateTime<Utc>>> = waiting.map(|verdict| verdict.safe_at).collect();
    let latest = times.and_then(|times| times.into_iter().max());
    (decision, latest.filter(|_| decision == Decision::Wait))
}

/// A moment as it is printed: RFC 3339 in UTC, whole seconds.
#[must_use]
pub fn moment(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A record as findings name it, long data cut short: `3 1 1 8bd1a2b3c4d5e6f7...`.
#[must_use]
pub fn brief(record: &Tlsa) -> String {
    let text = record.to_string();
    match text
        .char_indices()
        .nth(record.params.to_string().len() + 17)
    {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn brief_list<'a>(records: impl IntoIterator<Item = &'a Tlsa>) -> String {
    let texts: Vec<String> = records.into_iter().map(brief).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests;
