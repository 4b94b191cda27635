//! What was seen before, per zone: what was served at each owner and when, and
//! the clock of each key change. Plain data; `files::state` keeps it on disk.
//!
//! Two things are kept apart. The *history* of an owner is what anybody saw
//! served there; it says how long caches may hold what. A *change* is one set of
//! expected records at one owner, with a clock of its own: a monitor of the
//! deployed key and a change to the next one do not disturb each other.
//!
//! The clock runs per server. It starts when a server is first seen to serve
//! the whole expected set, proven; it stops when the server gives any other
//! answer, proven or not, whoever looked; silence neither starts nor stops it.
//! All agree since the last of them does, and since the last time one was seen
//! that did not. A server leads elsewhere when its alias does: then it starts again.
//!
//! Every field must be there when a document is read: one that was left out
//! would be read as "never seen", which can shorten a hold.
//!
//! Between two checks nobody looks: a server that falls back and recovers in
//! between is not noticed.

pub mod clock;
mod departures;
pub mod history;
mod key_change;
mod old_set;
mod resolvers;
mod served;
mod server;
mod stored;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use key_change::Heard;
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::propagation::evidence::{Evidence, Hop, lacks_any};
use crate::propagation::memory::clock::{Clock, Reading};
use crate::propagation::memory::history::{Content, History};
use crate::propagation::memory::resolvers::WEEK;
use crate::propagation::{Decision, Expectation, Verdict, sorted};
use crate::tlsa::Tlsa;

pub(crate) use departures::Departures;
pub use key_change::KeyChange;
pub use old_set::{OldSet, OldTtl};
pub use resolvers::Resolvers;
pub(crate) use resolvers::{OVERLAP, held_until};
pub use server::{Amiss, ServerMemory};
/// The form of the document; another number is another form.
pub const VERSION: u32 = 2;

/// Changes kept per owner; beyond, the one that was looked at longest ago goes.
/// Its clock starts again when somebody comes back to it.
const CHANGES: usize = 8;

/// What is remembered about one zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// [`VERSION`], checked before anything else is read.
    pub version: u32,
    /// The zone's apex, absolute.
    pub zone: String,
    /// The clock that nobody sets; none where the system has none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub clock: Option<Clock>,
    /// The TLSA owners that were looked at, absolute, and those that aliases lead to.
    pub owners: BTreeMap<String, Owner>,
}

/// What is remembered of one owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// What was seen served there.
    pub history: History,
    /// What resolvers were seen to hold.
    pub resolvers: Resolvers,
    /// The key changes, each with its own clock.
    pub changes: Vec<KeyChange>,
}

impl Memory {
    /// No memory of this zone.
    #[must_use]
    pub fn empty(zone: &Name) -> Self {
        Self {
            version: VERSION,
            zone: zone.to_string(),
            clock: None,
            owners: BTreeMap::new(),
        }
    }

    /// What is remembered of one key change; nothing, if it was never looked at.
    #[must_use]
    pub fn of(&self, owner: &Name, expectation: &Expectation) -> KeyChange {
        self.watch(owner, expectation)
    }

    /// What was seen served at one owner.
    pub(crate) fn history(&self, owner: &Name) -> Option<&History> {
        self.owners
            .get(&owner.to_string())
            .map(|owner| &owner.history)
    }

    /// The same memory by the clocks as they are now: where the wall clock was set
    /// ahead since the last reading, every time that is remembered moves along,
    /// so that as much time has passed as did.
    #[must_use]
    pub fn read_at(&self, reading: Option<Reading>) -> Self {
        let mut memory = self.clone();
        let Some(reading) = reading else {
            return memory;
        };
        let step = match &mut memory.clock {
            Some(clock) => clock.read(reading),
            None => {
                memory.clock = Some(Clock::started(reading));
                None
            }
        };
        if let Some(step) = step {
            let times = memory.owners.values_mut().flat_map(Owner::times);
            times.for_each(|time| *time = time.checked_add_signed(step).unwrap_or(*time));
        }
        memory
    }

    /// Records that the zone file was patched: `old` stood at the owner before,
    /// cached for `ttl` as the file says, and `expected` are the records of the
    /// new key, which were added or were there already. The clock starts again,
    /// unless the same records were expected before and `old` had them all: then
    /// nothing changed.
    #[must_use]
    pub fn patched(
        &self,
        owner: &Name,
        old: &[Tlsa],
        ttl: OldTtl,
        expected: &[Tlsa],
        now: DateTime<Utc>,
    ) -> Self {
        let (expected, records) = (sorted(expected.to_vec()), sorted(old.to_vec()));
        let mut memory = self.clone();
        let owner = memory.owners.entry(owner.to_string()).or_default();
        let whole = !lacks_any(&records, &expected);
        let before = owner
            .changes
            .iter()
            .find(|watch| watch.expected == expected)
            .cloned();
        if whole && before.is_some() {
            return memory;
        }
        let ttl = match ttl {
            OldTtl::Set(ttl) => OldTtl::Set(ttl.min(WEEK)),
            OldTtl::Absent(ttl) => OldTtl::Absent(ttl.min(WEEK)),
        };
        let signed = owner.history.signature_of(&records).is_some();
        let old = OldSet::by_patch(
            records.clone(),
            ttl,
            signed,
            before.as_ref().map(|watch| &watch.old),
            now,
        );
        let (content, seconds) = match ttl {
            OldTtl::Set(ttl) => (Content::Set(records), ttl),
            OldTtl::Absent(ttl) => (Content::Absent, ttl),
        };
        // What the file lacked, servers may have lacked.
        let lacking = owner
            .changes
            .iter_mut()
            .filter(|other| lacks_any(&old.records, &other.expected));
        lacking.for_each(|other| other.stop(now));
        owner.history.word(content, seconds, now);
        let watch = KeyChange {
            old,
            ..before
                .as_ref()
                .map_or_else(KeyChange::default, KeyChange::anew)
        };
        owner.put(KeyChange {
            expected,
            patched_at: Some(now),
            ..watch
        });
        memory
    }

    /// Records that these records were removed from the zone file on purpose:
    /// they are not missed any more. Where expected ones were among them, the
    /// clock starts again, as they may be put back before the next check.
    #[must_use]
    pub fn pruned(&self, owner: &Name, removed: &[Tlsa], _now: DateTime<Utc>) -> Self {
        let mut memory = self.clone();
        for watch in memory
            .owners
            .get_mut(&owner.to_string())
            .into_iter()
            .flat_map(|owner| &mut owner.changes)
        {
            watch.old.records.retain(|record| !removed.contains(record));
            if watch.expected.iter().any(|record| removed.contains(record)) {
                *watch = watch.anew();
            }
        }
        memory
    }

    /// Takes in what was just found. The same evidence at the same moment
    /// changes nothing more when it is taken in again.
    #[must_use]
    pub fn after(
        &self,
        evidence: &Evidence,
        expectation: &Expectation,
        now: DateTime<Utc>,
    ) -> Self {
        let mut memory = self.clone();
        memory.learn(evidence, expectation, now);
        memory
    }

    /// Takes in what was just found, in place: a zone may have thousands of owners.
    pub(crate) fn learn(
        &mut self,
        evidence: &Evidence,
        expectation: &Expectation,
        now: DateTime<Utc>,
    ) {
        let mut back = false;
        for owner in evidence
            .hops
            .iter()
            .map(|hop| &hop.owner)
            .chain([&evidence.owner])
        {
            back |= self
                .owners
                .entry(owner.to_string())
                .or_default()
                .correct(now);
        }
        let departures = Departures::of(evidence);
        let strays = self.strays(evidence);
        let mut led_elsewhere = Vec::new();
        for hop in &evidence.hops {
            let history = &mut self
                .owners
                .entry(hop.owner.to_string())
                .or_default()
                .history;
            led_elsewhere.extend(history.learn(hop, &departures, now));
        }
        let mut watch = self.watch(&evidence.owner, expectation);
        if back {
            watch.clock_went_back_at = Some(now);
        }
        let heard = Heard {
            evidence,
            departures: &departures,
            led_elsewhere: &led_elsewhere,
            strays: &strays,
            now,
        };
        if !evidence.hops.is_empty() {
            watch.listen(&heard, expectation);
            self.weigh_history(&mut watch, evidence, expectation, now);
        }
        watch.last_checked = Some(now);
        let owner = self.owners.entry(evidence.owner.to_string()).or_default();
        owner
            .resolvers
            .listen(&evidence.resolvers, expectation, now);
        // What one looks for tells of what others wait for, too.
        for other in owner
            .changes
            .iter_mut()
            .filter(|other| other.expected != watch.expected)
        {
            other.overhear(&heard);
        }
        owner.put(watch);
    }

    /// Servers with an alias that was not followed, or not proven, and that gave
    /// something else when they were last heard: that is another set for certain.
    fn strays(&self, evidence: &Evidence) -> Vec<String> {
        let mut strays = Vec::new();
        for hop in &evidence.hops {
            let Some(history) = self.history(&hop.owner) else {
                continue;
            };
            for server in &hop.servers {
                let (key, alias) = (hop.server_key(server), server.alias.as_ref());
                if alias.is_some_and(|alias| history.gave_no_alias_of(&key, &alias.to_string())) {
                    strays.push(key);
                }
            }
        }
        strays
    }

    /// What the history says of the set before.
    fn weigh_history(
        &self,
        watch: &mut KeyChange,
        evidence: &Evidence,
        expectation: &Expectation,
        now: DateTime<Utc>,
    ) {
        for served in self.served_before(evidence, expectation) {
            match served.content {
                Content::Absent => watch.old.absence_seen = true,
                _ => {
                    watch.old.signature_expires =
                        watch.old.signature_expires.max(served.signature_expires)
                }
            }
        }
        let signature = |hop: &Hop| {
            self.history(&hop.owner)
                .and_then(|history| history.signature_of(&watch.old.records))
        };
        watch.old.unsigned &= evidence.hops.iter().all(|hop| signature(hop).is_none());
        let agreed = self.agreed_ttl(evidence, expectation, watch, now);
        watch.agreed_ttl = watch.agreed_ttl.max(agreed);
    }

    /// Takes in what the evidence came to, in place.
    pub(crate) fn learn_verdict(
        &mut self,
        evidence: &Evidence,
        expectation: &Expectation,
        verdict: &Verdict,
        now: DateTime<Utc>,
    ) {
        let Some(owner) = self.owners.get_mut(&evidence.owner.to_string()) else {
            return;
        };
        let expected = expectation.expected();
        let Some(watch) = owner
            .changes
            .iter_mut()
            .find(|watch| watch.expected == expected)
        else {
            return;
        };
        for hop in &evidence.hops {
            for server in &hop.servers {
                let seen = watch
                    .servers
                    .entry(hop.server_key(server))
                    .or_insert(ServerMemory::UNHEARD);
                seen.learn_amiss(&verdict.findings, &server.label(), now);
                if !server.silent() {
                    seen.heard_at = Some(now);
                    seen.sound = verdict.settled;
                }
            }
        }
        if verdict.decision == Decision::Safe {
            watch.found_safe_at = Some(now);
            if verdict.rested {
                watch.cleared_at = watch.calm_since().or(Some(now));
            }
        }
    }

    /// The change as it counts for this expectation. One that was never looked at
    /// takes over what is known of the set that is being replaced.
    pub(crate) fn watch(&self, owner: &Name, expectation: &Expectation) -> KeyChange {
        let expected = expectation.expected().to_vec();
        let Some(owner) = self.owners.get(&owner.to_string()) else {
            return KeyChange {
                expected,
                ..KeyChange::default()
            };
        };
        if let Some(watch) = owner
            .changes
            .iter()
            .find(|watch| watch.expected == expected)
        {
            return watch.clone();
        }
        // What `patch` recorded is the set of the deployed key, as long as no other
        // was deployed since.
        let pending = owner
            .changes
            .iter()
            .filter(|watch| watch.old.by_patch && watch.calm_since().is_none());
        let old = match pending.max_by_key(|watch| watch.old.seen_at) {
            Some(watch) => watch.old.clone(),
            None => OldSet {
                records: owner.history.records_without(&expected),
                ..OldSet::default()
            },
        };
        KeyChange {
            expected,
            old,
            ..KeyChange::default()
        }
    }
}

impl Owner {
    /// Keeps this change in the place of the one with the same records.
    fn put(&mut self, watch: KeyChange) {
        self.changes
            .retain(|other| other.expected != watch.expected);
        while self.changes.len() >= CHANGES {
            let looked_at = |at: &usize| {
                self.changes[*at]
                    .last_checked
                    .max(self.changes[*at].old.seen_at)
            };
            let Some(oldest) = (0..self.changes.len()).min_by_key(looked_at) else {
                break;
            };
            self.changes.remove(oldest);
        }
        let at = self
            .changes
            .partition_point(|other| other.expected < watch.expected);
        self.changes.insert(at, watch);
    }

    /// Every time in it that a set clock moves along.
    fn times(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        let changes = self.changes.iter_mut().flat_map(KeyChange::times);
        self.history
            .times()
            .chain(self.resolvers.times())
            .chain(changes)
    }

    /// Drops what lies in the future, the trace of a clock that was ahead; what
    /// makes a hold longer counts from now. Returns whether there was anything.
    fn correct(&mut self, now: DateTime<Utc>) -> bool {
        let mut wrong = self.history.correct(now) | self.resolvers.correct(now);
        for watch in &mut self.changes {
            wrong |= watch.correct(now);
        }
        wrong
    }
}

#[cfg(test)]
mod tests;
