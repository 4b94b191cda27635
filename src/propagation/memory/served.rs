//! What was served before a change, as far as it was seen: the question that a hold asks
//! of the memory.

use chrono::{DateTime, Utc};

use crate::propagation::Expectation;
use crate::propagation::evidence::{Evidence, Hop, lacks_any};
use crate::propagation::memory::history::{Content, Served};
use crate::propagation::memory::{KeyChange, Memory};
use crate::propagation::parameters::has_unmatched;

impl Memory {
    /// What was seen served before at the owners of this evidence, and is not what is expected now.
    pub(crate) fn served_before(
        &self,
        evidence: &Evidence,
        expectation: &Expectation,
    ) -> Vec<&Served> {
        let mut all = Vec::new();
        for (index, hop) in evidence.hops.iter().enumerate() {
            let next = evidence.hops.get(index + 1);
            let served = self
                .history(&hop.owner)
                .map(|history| history.served.as_slice())
                .unwrap_or_default();
            all.extend(
                served
                    .iter()
                    .filter(|served| !fits(&served.content, next, expectation)),
            );
        }
        all
    }

    /// The largest TTL with which servers give what is expected when they begin to, where
    /// that says something of what they gave before: the set before may have had the
    /// same. It says nothing where each of them was seen to have no set at all.
    pub(crate) fn agreed_ttl(
        &self,
        evidence: &Evidence,
        expectation: &Expectation,
        watch: &KeyChange,
        now: DateTime<Utc>,
    ) -> Option<u32> {
        let before = self.served_before(evidence, expectation);
        let joined = watch.relapsed
            || before
                .iter()
                .any(|served| served.content != Content::Absent);
        let mut largest = None;
        for hop in &evidence.hops {
            let Some(history) = self.history(&hop.owner) else {
                continue;
            };
            for key in hop.servers.iter().map(|server| hop.server_key(server)) {
                let since = watch.servers.get(&key).and_then(|seen| seen.since);
                let Some((look, since)) = history
                    .servers
                    .get(&key)
                    .zip(since.filter(|since| *since == now))
                else {
                    continue;
                };
                if joined || look.first_heard.is_none_or(|first| first >= since) {
                    largest = largest.max(look.last.iter().map(|(_, ttl)| *ttl).max());
                }
            }
        }
        largest
    }
}

/// Whether a cache that holds this content accepts the new key.
fn fits(content: &Content, next: Option<&Hop>, expectation: &Expectation) -> bool {
    match content {
        Content::Set(records) => {
            !lacks_any(records, expectation.expected()) && !has_unmatched(records, expectation)
        }
        Content::Alias(target) => next.is_some_and(|next| next.owner.to_string() == *target),
        Content::Absent | Content::Unknown => false,
    }
}
