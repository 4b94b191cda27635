//! What was seen before, per zone: the clock of each key change, and what is
//! known of the set it replaces. Plain data; `files::state` keeps it on disk.
//!
//! The clock runs per server. It starts when a server is first seen to serve
//! the whole expected set, proven; it stops when the server gives any other
//! answer, proven or not; silence neither starts nor stops it. All agree since
//! the last of them does, and since the last time one was seen that did not.
//! When other records are expected, every clock starts again.
//!
//! Every field must be there when a document is read: one that was left out
//! would be read as "never seen", which can shorten a hold.
//!
//! Between two checks nobody looks: a server that falls back and recovers in
//! between is not noticed.

mod old;
mod seen;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::propagation::evidence::{Evidence, Hop, Outcome, ServerAnswer};
use crate::propagation::memory::seen::{says_something, shows_another_set};
use crate::propagation::servers::{lacks_any, serves, stale_until};
use crate::propagation::sets::has_unmatched;
use crate::propagation::silence::silent;
use crate::propagation::{Decision, Expectation, Verdict, label, sorted};
use crate::tlsa::Tlsa;

pub use old::Old;
pub use seen::{Amiss, Seen};

/// The form of the document; another number is another form.
pub const VERSION: u32 = 1;

/// What is remembered about one zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// [`VERSION`], checked before anything else is read.
    pub version: u32,
    /// The zone's apex, absolute.
    pub zone: String,
    /// The watched TLSA owners, absolute.
    pub owners: BTreeMap<String, Watch>,
}

/// One owner's key change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The records of the new key.
    #[serde(with = "stored")]
    pub expected: Vec<Tlsa>,
    /// The servers that were asked, by [`server_key`].
    pub servers: BTreeMap<String, Seen>,
    /// The last time a server was seen that did not serve them.
    #[serde(deserialize_with = "Option::deserialize")]
    pub disagreed_at: Option<DateTime<Utc>>,
    /// The last time one of those was no longer there.
    #[serde(deserialize_with = "Option::deserialize")]
    pub departed_at: Option<DateTime<Utc>>,
    /// The last time one was no longer there, whatever it served: it agreed with
    /// what was expected then, and does not with other records.
    #[serde(deserialize_with = "Option::deserialize")]
    pub left_at: Option<DateTime<Utc>>,
    /// The last check.
    #[serde(deserialize_with = "Option::deserialize")]
    pub last_checked: Option<DateTime<Utc>>,
    /// The first verdict *safe* after the default hold, or the first since a
    /// server fell back: from then on the old records may go, whatever other hold
    /// was asked for.
    #[serde(deserialize_with = "Option::deserialize")]
    pub cleared_at: Option<DateTime<Utc>>,
    /// The check that found this memory to be from the future.
    #[serde(deserialize_with = "Option::deserialize")]
    pub clock_went_back_at: Option<DateTime<Utc>>,
    /// The last check that expected other records, when those were not safe yet.
    #[serde(deserialize_with = "Option::deserialize")]
    pub others_expected_at: Option<DateTime<Utc>>,
    /// When resolvers drop a set without the new records, by address.
    pub stale: BTreeMap<String, DateTime<Utc>>,
    /// The set that is being replaced.
    pub old: Old,
    /// What is known of the sets that are served with all new records.
    pub served: Served,
}

/// What counts of a set that agrees, once other records are expected: caches
/// hold it then. Only grows while the same records are expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// The largest TTL seen, in seconds.
    #[serde(deserialize_with = "Option::deserialize")]
    pub ttl: Option<u32>,
    /// When the last signature seen over it expires.
    #[serde(deserialize_with = "Option::deserialize")]
    pub signature_expires: Option<DateTime<Utc>>,
}

/// How long answers of the time before a change are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldTtl {
    /// There was a set, with this TTL in seconds.
    Set(u32),
    /// There was none; its absence is cached this long, in seconds: the smaller
    /// of the SOA's TTL and its minimum field (RFC 2308 section 5).
    Absent(u32),
}

/// How a server is remembered: the owner that was asked, the name, the address.
#[must_use]
pub fn server_key(hop: &Hop, server: &ServerAnswer) -> String {
    match server.address {
        Some(address) => format!("{} {} {address}", hop.owner, server.name),
        None => format!("{} {}", hop.owner, server.name),
    }
}

impl Memory {
    /// No memory of this zone.
    #[must_use]
    pub fn empty(zone: &Name) -> Self {
        Self { version: VERSION, zone: zone.to_string(), owners: BTreeMap::new() }
    }

    /// What is remembered of one owner; nothing, if it was never watched.
    #[must_use]
    pub fn of(&self, owner: &Name) -> Watch {
        self.owners.get(&owner.to_string()).cloned().unwrap_or_default()
    }

    /// Records that the zone file was patched: `old` stood at the owner before,
    /// cached for `ttl`, and `expected` are the records of the new key, which
    /// were added or were there already. The clock starts again, unless the
    /// same records were expected before and `old` had them all: then nothing
    /// changed. A larger TTL remembered from before is kept while caches may
    /// hold its set.
    #[must_use]
    pub fn patched(&self, owner: &Name, old: &[Tlsa], ttl: OldTtl, expected: &[Tlsa], now: DateTime<Utc>) -> Self {
        let expected = sorted(expected.to_vec());
        let mut memory = self.clone();
        let watch = memory.owners.entry(owner.to_string()).or_default();
        if watch.expected == expected && !lacks_any(old, &expected) {
            return memory;
        }
        let mut known = watch.still_cached(now);
        match ttl {
            OldTtl::Set(ttl) => known.ttl = known.ttl.max(Some(ttl)),
            OldTtl::Absent(ttl) => known.negative_ttl = known.negative_ttl.max(Some(ttl)),
        }
        // With the new records in it already, it is not the set before.
        let inherited = !lacks_any(old, &expected);
        let old = Old { records: sorted(old.to_vec()), by_patch: true, seen_at: Some(now), inherited, ..known };
        *watch = watch.anew(expected, old);
        memory
    }

    /// Records that these records were removed from the zone file on purpose:
    /// they are not missed any more. Where expected ones were among them, the
    /// clock starts again, as they may be put back before the next check.
    #[must_use]
    pub fn pruned(&self, owner: &Name, removed: &[Tlsa], now: DateTime<Utc>) -> Self {
        let mut memory = self.clone();
        if let Some(watch) = memory.owners.get_mut(&owner.to_string()) {
            watch.old.records.retain(|record| !removed.contains(record));
            if watch.expected.iter().any(|record| removed.contains(record)) {
                let (records, by_patch) = (watch.old.records.clone(), watch.old.by_patch);
                let old = Old { records, by_patch, ..watch.still_cached(now) };
                *watch = watch.anew(watch.expected.clone(), old);
            }
        }
        memory
    }

    /// Takes in what was just found. The same evidence at the same moment
    /// changes nothing more when it is taken in again.
    #[must_use]
    pub fn after(&self, evidence: &Evidence, expectation: &Expectation, now: DateTime<Utc>) -> Self {
        let mut memory = self.clone();
        memory.learn(evidence, expectation, now);
        memory
    }

    /// Takes in what was just found, in place: a zone may have thousands of owners.
    pub(crate) fn learn(&mut self, evidence: &Evidence, expectation: &Expectation, now: DateTime<Utc>) {
        let mut watch = self.watch(&evidence.owner, expectation, now);
        watch.correct(now);
        watch.listen(evidence, expectation, now);
        watch.last_checked = Some(now);
        self.owners.insert(evidence.owner.to_string(), watch);
    }

    /// Takes in what the evidence came to, in place.
    pub(crate) fn learn_verdict(&mut self, evidence: &Evidence, verdict: &Verdict, now: DateTime<Utc>) {
        let Some(watch) = self.owners.get_mut(&evidence.owner.to_string()) else { return };
        for hop in &evidence.hops {
            for server in &hop.servers {
                let seen = watch.servers.entry(server_key(hop, server)).or_insert(Seen::UNHEARD);
                seen.learn_amiss(&verdict.findings, &label(server), now);
                if !silent(server) {
                    seen.heard_at = Some(now);
                    seen.sound = verdict.settled;
                }
            }
        }
        if verdict.decision == Decision::Safe && verdict.rested {
            watch.cleared_at = watch.calm_since().or(Some(now));
        }
    }

    /// The owner's memory as it counts for this expectation: what was seen of
    /// other expected records does not, only what is known of the old set.
    pub(crate) fn watch(&self, owner: &Name, expectation: &Expectation, now: DateTime<Utc>) -> Watch {
        let expected = expectation.expected().to_vec();
        match self.owners.get(&owner.to_string()) {
            Some(watch) if watch.expected == expected => watch.clone(),
            None => Watch { expected, ..Watch::default() },
            Some(watch) => {
                let mut old = watch.still_cached(now);
                if watch.cleared_at.is_none() {
                    (old.records, old.by_patch) = (watch.old.records.clone(), watch.old.by_patch);
                }
                // What `patch` recorded is the set of the deployed key; what was
                // added since may have been a mistake.
                if !old.by_patch && watch.servers.values().any(|seen| seen.since.is_some()) {
                    let former = watch.expected.iter().filter(|record| !expected.contains(record));
                    old.records = sorted(old.records.into_iter().chain(former.cloned()).collect());
                }
                let others_expected_at = watch.last_checked.filter(|_| watch.cleared_at.is_none());
                Watch { others_expected_at, ..watch.anew(expected, old) }
            }
        }
    }
}

impl Watch {
    /// A clock that has not begun, for other records. Caches may still ask a server
    /// that has left since the last check, so the servers are not forgotten, and
    /// what a resolver held it holds.
    fn anew(&self, expected: Vec<Tlsa>, old: Old) -> Self {
        let listed = self.servers.iter().filter(|(_, seen)| seen.listed);
        let servers = listed.map(|(key, _)| (key.clone(), Seen { listed: true, ..Seen::UNHEARD })).collect();
        let departed_at = self.departed_at.max(self.left_at);
        let stale = self.stale.clone();
        Self { expected, old, servers, stale, departed_at, left_at: self.left_at, ..Self::default() }
    }

    /// Times to come are traces of a wrong clock: they become now.
    fn correct(&mut self, now: DateTime<Utc>) {
        if let Some(ahead) = self.last_checked.map(|last| last - now).filter(|ahead| *ahead > TimeDelta::zero()) {
            self.stale.values_mut().for_each(|until| *until = until.checked_sub_signed(ahead).unwrap_or(now));
        }
        let seen = self.servers.values_mut().flat_map(Seen::times);
        let own = [
            &mut self.disagreed_at,
            &mut self.departed_at,
            &mut self.left_at,
            &mut self.last_checked,
            &mut self.others_expected_at,
            &mut self.cleared_at,
            &mut self.old.seen_at,
        ];
        let times = own.into_iter().flatten().chain(seen);
        for time in times.filter(|time| **time > now) {
            *time = now;
            self.clock_went_back_at = Some(now);
        }
    }

    fn listen(&mut self, evidence: &Evidence, expectation: &Expectation, now: DateTime<Utc>) {
        if evidence.hops.is_empty() {
            return;
        }
        self.forget_departed(evidence, now);
        let (mut unclear, mut unmatched) = (Vec::new(), Vec::new());
        for (index, hop) in evidence.hops.iter().enumerate() {
            for server in &hop.servers {
                let seen = self.servers.entry(server_key(hop, server)).or_insert(Seen::UNHEARD);
                seen.listed |= server.listed.by_parent || server.listed.by_zone;
                if !says_something(evidence, index, server) {
                    if shows_another_set(server, expectation) {
                        unclear.push(server);
                        self.disagreed_at = Some(now);
                        seen.since = None;
                    }
                    continue;
                }
                let whole = serves(evidence, index, server, expectation.expected());
                let agrees = whole && !has_unmatched(server, expectation);
                if whole {
                    self.served.ttl = self.served.ttl.max(server.ttl).max(server.original_ttl);
                    self.served.signature_expires = self.served.signature_expires.max(server.set_signature_expires);
                }
                if !agrees {
                    self.disagreed_at = Some(now);
                }
                if !whole {
                    self.old.learn(server, self.cleared_at.is_none(), now);
                } else if !agrees {
                    unmatched.push(server);
                }
                seen.since = agrees.then_some(seen.since.unwrap_or(now));
                seen.heard_at = Some(now);
            }
        }
        // What these teach depends on what the others have, in whatever order they come.
        self.old.learn_unclear(&unclear);
        self.old.learn_unmatched(&unmatched);
        self.listen_to_resolvers(evidence, expectation, now);
    }

    /// A resolver that held another set does so until its time ends, whatever
    /// it says in between, unless it has the new one.
    fn listen_to_resolvers(&mut self, evidence: &Evidence, expectation: &Expectation, now: DateTime<Utc>) {
        self.stale.retain(|_, until| *until > now);
        for resolver in evidence.resolvers.iter().filter(|resolver| resolver.outcome == Outcome::Answered) {
            let address = resolver.address.to_string();
            if !lacks_any(&resolver.records, expectation.expected()) {
                self.stale.remove(&address);
            } else if let Some(ttl) = resolver.ttl {
                let until = stale_until(now, ttl);
                self.stale.entry(address).and_modify(|known| *known = until.max(*known)).or_insert(until);
            }
        }
    }

    /// The time it was safe after the default hold, unless a server fell back later.
    fn calm_since(&self) -> Option<DateTime<Utc>> {
        self.cleared_at.filter(|cleared| self.disagreed_at.is_none_or(|at| at <= *cleared))
    }

    /// What still matters once other records are expected: the TTLs, until caches
    /// have had twice their time since all was safe, and signatures until they
    /// expire. The records are not among it.
    fn still_cached(&self, now: DateTime<Utc>) -> Old {
        let matters = |ttl: &u32| {
            let length = TimeDelta::seconds(i64::from(*ttl) * 2);
            let end = self.calm_since().and_then(|cleared| cleared.checked_add_signed(length));
            end.is_none_or(|end| end > now)
        };
        let ttl = self.old.ttl.filter(matters).max(self.served.ttl);
        let negative_ttl = self.old.negative_ttl.filter(matters);
        let signature_expires = self.old.signature_expires.max(self.served.signature_expires);
        Old {
            ttl,
            negative_ttl,
            signature_expires: signature_expires.filter(|expires| *expires > now),
            seen_at: self.old.seen_at,
            inherited: ttl.or(negative_ttl).is_some(),
            ..Old::default()
        }
    }

    /// Forgets servers that are no longer there. One that did not agree, or was
    /// never heard, may have been asked until now. A name whose address was not
    /// found this time is still there, and so is one whose address now was.
    fn forget_departed(&mut self, evidence: &Evidence, now: DateTime<Utc>) {
        let listed = || evidence.hops.iter().flat_map(|hop| hop.servers.iter().map(move |server| (hop, server)));
        let keys: BTreeSet<String> = listed().map(|(hop, server)| server_key(hop, server)).collect();
        let nameless = listed().filter(|(_, server)| server.address.is_none());
        let names: Vec<String> = nameless.map(|(hop, server)| format!("{} ", server_key(hop, server))).collect();
        // Where an alias leads was not found out this time, and it may lead there still.
        let lost = evidence.hops.last().is_some_and(|hop| hop.servers.iter().any(|server| server.alias.is_some()));
        let asked = |key: &str| evidence.hops.iter().any(|hop| key.starts_with(&format!("{} ", hop.owner)));
        let stays = |key: &String| {
            keys.contains(key) || names.iter().any(|name| key.starts_with(name.as_str())) || (lost && !asked(key))
        };
        let found =
            |key: &str| keys.iter().any(|other| other.strip_prefix(key).is_some_and(|rest| rest.starts_with(' ')));
        let gone = |(key, seen): &(&String, &Seen)| seen.listed && !stays(key) && !found(key);
        if self.servers.iter().any(|entry| gone(&entry)) {
            self.left_at = Some(now);
        }
        if self.servers.iter().filter(gone).any(|(_, seen)| seen.since.is_none()) {
            self.disagreed_at = Some(now);
            self.departed_at = Some(now);
        }
        self.servers.retain(|key, _| stays(key));
    }
}

#[cfg(test)]
mod tests;
