//! What resolvers were seen to hold. Nothing here is proven: it can make a wait
//! longer by a week at most, and only while that resolver is asked.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::propagation::Expectation;
use crate::propagation::evidence::{Outcome, ResolverAnswer, lacks_any};
use crate::propagation::ledger::end;
use crate::tlsa::Tlsa;

/// Sets remembered of one resolver.
const SETS: usize = 8;

/// Resolvers remembered at one owner.
const RESOLVERS: usize = 64;

/// As far ahead as times of processes may lie that waited for each other.
pub(crate) const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// One set in a resolver's cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Held {
    /// The set.
    #[serde(with = "crate::propagation::memory::stored")]
    pub records: Vec<Tlsa>,
    /// When it leaves the cache.
    pub until: DateTime<Utc>,
}

/// What each resolver holds, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resolvers(BTreeMap<String, Vec<Held>>);

/// When a cached answer is gone.
pub(crate) fn held_until(now: DateTime<Utc>, ttl: u32) -> DateTime<Utc> {
    end(now, TimeDelta::seconds(i64::from(ttl.min(WEEK))))
}

impl Resolvers {
    /// Until when the resolver holds a set that lacks one of these records.
    pub(crate) fn stale_until(&self, address: &str, expected: &[Tlsa]) -> Option<DateTime<Utc>> {
        let held = self.0.get(address).map(Vec::as_slice).unwrap_or_default();
        held.iter()
            .filter(|held| lacks_any(&held.records, expected))
            .map(|held| held.until)
            .max()
    }

    /// A resolver that held another set does so until its time ends, whatever it
    /// says in between, unless it has the new one. One that a check does not ask
    /// decides nothing there, and is remembered for those that do.
    pub(crate) fn listen(
        &mut self,
        answers: &[ResolverAnswer],
        expectation: &Expectation,
        now: DateTime<Utc>,
    ) {
        self.0.retain(|_, held| {
            held.retain(|held| held.until > now);
            !held.is_empty()
        });
        let expected = expectation.expected();
        for answer in answers
            .iter()
            .filter(|answer| answer.outcome == Outcome::Answered)
        {
            let mut held = self
                .0
                .remove(&answer.address.to_string())
                .unwrap_or_default();
            if !lacks_any(&answer.records, expected) {
                held.retain(|held| !lacks_any(&held.records, expected));
            } else if let Some(ttl) = answer.ttl {
                let until = held_until(now, ttl);
                match held.iter_mut().find(|held| held.records == answer.records) {
                    Some(held) => held.until = held.until.max(until),
                    None => held.push(Held {
                        records: answer.records.clone(),
                        until,
                    }),
                }
                held.sort_by(|a, b| {
                    b.until
                        .cmp(&a.until)
                        .then_with(|| a.records.cmp(&b.records))
                });
                held.truncate(SETS);
            }
            if !held.is_empty() && self.0.len() < RESOLVERS {
                self.0.insert(answer.address.to_string(), held);
            }
        }
    }

    /// Every time in it that a set clock moves along.
    pub(crate) fn times(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        self.0.values_mut().flatten().map(|held| &mut held.until)
    }

    /// Nothing lasts longer than a week from now.
    pub(crate) fn correct(&mut self, now: DateTime<Utc>) -> bool {
        let latest = held_until(now + OVERLAP, WEEK);
        let ahead: Vec<_> = self.times().filter(|until| **until > latest).collect();
        let wrong = !ahead.is_empty();
        ahead.into_iter().for_each(|until| *until = latest);
        wrong
    }
}

/// No cache keeps an answer longer than this, in seconds, unless it validated it
/// (BIND's `max-cache-ttl`): the most that an unproven TTL can mean.
pub(crate) const WEEK: u32 = 604_800;
