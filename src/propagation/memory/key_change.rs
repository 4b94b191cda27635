//! One key change at one owner: what is expected, and the clock of each server
//! that is to serve it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::propagation::Expectation;
use crate::propagation::evidence::Evidence;
use crate::propagation::memory::server::{says_something, shows_another_set};
use crate::propagation::memory::{Departures, OVERLAP, OldSet, ServerMemory, stored};
use crate::propagation::parameters::has_unmatched;
use crate::tlsa::Tlsa;

/// One key change at one owner: a set of expected records, and its clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// The records of the new key.
    #[serde(with = "stored")]
    pub expected: Vec<Tlsa>,
    /// The servers that were asked, by `Hop::server_key`.
    pub servers: BTreeMap<String, ServerMemory>,
    /// The last time a server was seen that did not serve them.
    #[serde(deserialize_with = "Option::deserialize")]
    pub disagreed_at: Option<DateTime<Utc>>,
    /// The last check.
    #[serde(deserialize_with = "Option::deserialize")]
    pub last_checked: Option<DateTime<Utc>>,
    /// The first verdict *safe* after the default hold, or the first since a
    /// server fell back: from then on the old records may go, whatever other hold
    /// was asked for.
    #[serde(deserialize_with = "Option::deserialize")]
    pub cleared_at: Option<DateTime<Utc>>,
    /// The last verdict *safe*, whatever hold it was given after.
    #[serde(deserialize_with = "Option::deserialize")]
    pub found_safe_at: Option<DateTime<Utc>>,
    /// The last time that `patch` put these records into the zone file.
    #[serde(deserialize_with = "Option::deserialize")]
    pub patched_at: Option<DateTime<Utc>>,
    /// The check that found this memory to be from the future.
    #[serde(deserialize_with = "Option::deserialize")]
    pub clock_went_back_at: Option<DateTime<Utc>>,
    /// Whether the clock has run before and was stopped: what was served then may
    /// have been cached, also where nobody saw it with its TTL.
    pub relapsed: bool,
    /// The largest TTL, in seconds, with which the expected set was served, where
    /// what was served before may have had the same.
    #[serde(deserialize_with = "Option::deserialize")]
    pub agreed_ttl: Option<u32>,
    /// The set that is being replaced.
    pub old: OldSet,
}

/// What was found this time, for the clocks.
pub(super) struct Heard<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) departures: &'a Departures,
    pub(super) led_elsewhere: &'a [String],
    pub(super) strays: &'a [String],
    pub(super) now: DateTime<Utc>,
}

impl KeyChange {
    /// The same change with a clock that has not begun.
    pub(super) fn anew(&self) -> Self {
        let servers = self.servers.iter().filter(|(_, seen)| seen.listed);
        let servers = servers
            .map(|(key, _)| {
                (
                    key.clone(),
                    ServerMemory {
                        listed: true,
                        ..ServerMemory::UNHEARD
                    },
                )
            })
            .collect();
        let Self {
            agreed_ttl,
            disagreed_at,
            patched_at,
            ..
        } = *self;
        let relapsed = self.relapsed || self.servers.values().any(|seen| seen.since.is_some());
        let (expected, old) = (self.expected.clone(), self.old.clone());
        Self {
            expected,
            servers,
            old,
            agreed_ttl,
            disagreed_at,
            patched_at,
            relapsed,
            ..Self::default()
        }
    }

    /// When it was last found safe, unless a server was seen to fall back since:
    /// then the key may be in use, and others may be removed.
    #[must_use]
    pub fn found_safe(&self) -> Option<DateTime<Utc>> {
        self.found_safe_at
            .filter(|found| self.disagreed_at.is_none_or(|at| at <= *found))
    }

    /// Stops the clock: not all servers agreed at this moment.
    pub(super) fn stop(&mut self, now: DateTime<Utc>) {
        self.disagreed_at = self.disagreed_at.max(Some(now));
        for seen in self.servers.values_mut() {
            self.relapsed |= seen.since.take().is_some();
        }
    }

    /// The time it was safe after the default hold, unless a server fell back later.
    pub(crate) fn calm_since(&self) -> Option<DateTime<Utc>> {
        self.cleared_at
            .filter(|cleared| self.disagreed_at.is_none_or(|at| at <= *cleared))
    }

    pub(super) fn listen(&mut self, heard: &Heard<'_>, expectation: &Expectation) {
        self.forget_departed(heard);
        let Heard { evidence, now, .. } = *heard;
        let mut agreed: BTreeMap<String, bool> = BTreeMap::new();
        for (index, hop) in evidence.hops.iter().enumerate() {
            for server in &hop.servers {
                let key = hop.server_key(server);
                let seen = self
                    .servers
                    .entry(key.clone())
                    .or_insert(ServerMemory::UNHEARD);
                seen.listed |= server.listed.by_parent || server.listed.by_zone;
                let agrees = if says_something(evidence, index, server) {
                    seen.heard_at = Some(now);
                    let whole = evidence.serves(index, server, &self.expected);
                    if !whole {
                        self.old.learn(server);
                    }
                    whole && !has_unmatched(&server.records, expectation)
                } else if shows_another_set(server, &self.expected) || heard.strays.contains(&key) {
                    false
                } else {
                    continue;
                };
                // Of several machines behind one address, all have to.
                *agreed.entry(key).or_insert(true) &= agrees;
            }
        }
        for (key, agrees) in agreed {
            let Some(seen) = self.servers.get_mut(&key) else {
                continue;
            };
            let since = seen.since.filter(|_| !heard.led_elsewhere.contains(&key));
            self.relapsed |= seen.since.is_some() && !(agrees && since.is_some());
            seen.since = agrees.then_some(since.unwrap_or(now));
            if !agrees {
                self.disagreed_at = Some(now);
            }
        }
    }

    /// Takes in what somebody found who expected other records: a server that is
    /// seen to lack one of these stops the clock, whoever looked.
    pub(super) fn overhear(&mut self, heard: &Heard<'_>) {
        self.forget_departed(heard);
        let Heard { evidence, now, .. } = *heard;
        for (index, hop) in evidence.hops.iter().enumerate() {
            for server in &hop.servers {
                let key = hop.server_key(server);
                let says = says_something(evidence, index, server);
                let lacks = if says {
                    !evidence.serves(index, server, &self.expected)
                } else {
                    shows_another_set(server, &self.expected) || heard.strays.contains(&key)
                };
                if lacks || heard.led_elsewhere.contains(&key) {
                    self.disagreed_at = Some(now);
                    if let Some(seen) = self.servers.get_mut(&key) {
                        self.relapsed |= seen.since.take().is_some();
                    }
                }
            }
        }
    }

    /// Forgets servers that are no longer there. One that did not agree, or was
    /// never heard, may have been asked until now.
    fn forget_departed(&mut self, heard: &Heard<'_>) {
        let left = |(key, seen): (&String, &ServerMemory)| {
            seen.listed && seen.since.is_none() && heard.departures.has_left(key)
        };
        if self.servers.iter().any(left) {
            self.disagreed_at = Some(heard.now);
        }
        self.servers
            .retain(|key, _| !heard.departures.is_done_with(key));
    }

    pub(super) fn times(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        let own = [
            &mut self.disagreed_at,
            &mut self.last_checked,
            &mut self.cleared_at,
            &mut self.found_safe_at,
            &mut self.patched_at,
            &mut self.clock_went_back_at,
            &mut self.old.seen_at,
        ];
        own.into_iter()
            .flatten()
            .chain(self.servers.values_mut().flat_map(ServerMemory::times))
    }

    pub(super) fn correct(&mut self, now: DateTime<Utc>) -> bool {
        let mut wrong = false;
        let mut ahead = |time: &Option<DateTime<Utc>>| {
            // Of two that waited for each other, the second may come with the earlier time.
            let ahead = time.is_some_and(|time| time - now > OVERLAP);
            wrong |= ahead;
            ahead
        };
        // These say that time has passed: without them it has not.
        for time in [
            &mut self.last_checked,
            &mut self.cleared_at,
            &mut self.found_safe_at,
            &mut self.clock_went_back_at,
        ] {
            if ahead(time) {
                *time = None;
            }
        }
        for seen in self.servers.values_mut() {
            for time in [&mut seen.since, &mut seen.heard_at] {
                if ahead(time) {
                    *time = None;
                }
            }
            seen.amiss
                .iter_mut()
                .for_each(|amiss| amiss.since = amiss.since.min(now));
        }
        // These start a hold again: no earlier than now.
        for time in [
            &mut self.disagreed_at,
            &mut self.patched_at,
            &mut self.old.seen_at,
        ] {
            if ahead(time) {
                *time = Some(now);
            }
        }
        wrong
    }
}
