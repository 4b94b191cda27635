//! What was seen served at an owner, by whomever, since the first look at it:
//! sets, aliases and absences with the largest TTL of each, and when each may
//! last have been handed out. It knows nothing of any key change, so that what
//! one change saw counts for the next.
//!
//! Only proven answers teach anything, and what is taught can only lengthen a
//! hold: TTLs grow, times move on, and nothing is dropped before every cache
//! that could have it has had twice its time.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::propagation::evidence::{Hop, Outcome, Security, ServerAnswer};
use crate::propagation::memory::{Departures, server_key};
use crate::propagation::servers::lacks_any;
use crate::propagation::silence::answered;
use crate::propagation::sorted;
use crate::tlsa::Tlsa;

/// Resolvers go on asking a server that left for as long as they keep the NS
/// set: usually two days at most, the TTL of delegations in large zones.
const ASKED_ON: TimeDelta = TimeDelta::hours(48);

/// The TTL taken for what a server served that was never heard, in seconds:
/// twice of it is a day, as for everything before the first look.
const UNHEARD_TTL: u32 = 43_200;

/// Contents remembered of one owner; an owner that had more in the time of its
/// caches has the rest put together.
const CONTENTS: usize = 64;

/// What stands at an owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Content {
    /// These records, in order.
    Set(#[serde(with = "crate::propagation::memory::stored")] Vec<Tlsa>),
    /// An alias of this name, absolute.
    Alias(String),
    /// No such record, or no such name.
    Absent,
    /// Nobody knows what.
    Unknown,
}

/// One content, as long as caches may hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// What.
    pub content: Content,
    /// The largest TTL it was seen with, in seconds; of an absence the negative
    /// TTL (RFC 2308 section 5).
    pub ttl: u32,
    /// When it was last seen; the time of the word, where `patch` read it in a file.
    pub seen_at: DateTime<Utc>,
    /// When a server may last have given it: when it was next seen to give something else.
    pub until: DateTime<Utc>,
    /// Until when resolvers may go on asking a server that left with it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub asked_until: Option<DateTime<Utc>>,
    /// When the last signature seen over it expires.
    #[serde(deserialize_with = "Option::deserialize")]
    pub signature_expires: Option<DateTime<Utc>>,
}

impl Served {
    /// The last moment at which a cache may have been given it.
    #[must_use]
    pub fn given_until(&self) -> DateTime<Utc> {
        self.until.max(self.asked_until.unwrap_or(self.until))
    }

    /// So many times its TTL.
    fn times(&self, factor: i64) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.ttl) * factor)
    }

    /// Whether caches may hold it, their time doubled, at this moment or later.
    #[must_use]
    pub fn may_be_cached_at(&self, moment: DateTime<Utc>) -> bool {
        self.given_until().checked_add_signed(self.times(2)).is_none_or(|end| end > moment)
    }

    /// Whether it matters to no hold that has not passed: one that began while it
    /// was cached has ended, too.
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.given_until().checked_add_signed(self.times(4)).is_some_and(|end| end <= now)
    }
}

/// What is known of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// When it was first heard, with a proven answer.
    #[serde(deserialize_with = "Option::deserialize")]
    pub first_heard: Option<DateTime<Utc>>,
    /// Whether the parent or the zone has ever named it, so that caches may know it.
    pub listed: bool,
    /// What it gave when it was last heard; several where several machines answer.
    pub last: Vec<Content>,
}

/// What was seen at one owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The servers, by [`server_key`].
    pub servers: BTreeMap<String, Look>,
    /// What they gave, each content once, in order.
    pub served: Vec<Served>,
}

/// What a proven answer says, and for how many seconds it is cached.
fn content(server: &ServerAnswer) -> Option<(Content, u32)> {
    if server.security != Security::Secure || !answered(server) {
        return None;
    }
    let ttl = server.ttl.max(server.original_ttl);
    match &server.alias {
        Some(target) => Some((Content::Alias(target.to_string()), ttl?)),
        None if server.outcome == Outcome::Answered => Some((Content::Set(sorted(server.records.clone())), ttl?)),
        None => Some((Content::Absent, server.negative_ttl?)),
    }
}

impl History {
    /// Takes in what the servers of one hop were found to give. Returns those
    /// that lead elsewhere than when they were last heard.
    pub(crate) fn learn(&mut self, hop: &Hop, departures: &Departures, now: DateTime<Utc>) -> Vec<String> {
        self.forget_departed(departures, now);
        let mut led_elsewhere = Vec::new();
        let mut heard: BTreeMap<String, Vec<Content>> = BTreeMap::new();
        for server in &hop.servers {
            let key = server_key(hop, server);
            let look = self.servers.entry(key.clone()).or_default();
            look.listed |= server.listed.by_parent || server.listed.by_zone;
            let Some((content, ttl)) = content(server) else { continue };
            look.first_heard.get_or_insert(now);
            heard.entry(key).or_default().push(content.clone());
            self.serve(content, ttl, now, server.set_signature_expires);
        }
        for (key, mut contents) in heard {
            contents.sort();
            contents.dedup();
            let Some(look) = self.servers.get_mut(&key) else { continue };
            // It may have been given until just now.
            let gone: Vec<Content> = look.last.drain(..).filter(|last| !contents.contains(last)).collect();
            look.last = contents;
            if gone.iter().any(|content| matches!(content, Content::Alias(_))) {
                led_elsewhere.push(key);
            }
            for content in gone {
                self.serve_until(&content, now);
            }
        }
        self.tidy(now);
        led_elsewhere
    }

    /// Takes in what `patch` read in a file, as the set that is being replaced.
    pub(crate) fn word(&mut self, content: Content, ttl: u32, now: DateTime<Utc>) {
        self.serve(content, ttl, now, None);
        self.tidy(now);
    }

    /// When each of these servers had been heard: from then on it is known what
    /// was served. `None` when none of them ever was. What only the user names, a
    /// hidden primary, no cache asks.
    pub(crate) fn first_look(&self, hop: &Hop) -> Option<DateTime<Utc>> {
        let looks = hop.servers.iter().filter_map(|server| self.servers.get(&server_key(hop, server)));
        looks.filter(|look| look.listed).filter_map(|look| look.first_heard).max()
    }

    /// The records of all sets that were seen and lack one of these.
    pub(crate) fn records_without(&self, expected: &[Tlsa]) -> Vec<Tlsa> {
        let sets = self.served.iter().filter_map(|served| match &served.content {
            Content::Set(records) if lacks_any(records, expected) => Some(records),
            _ => None,
        });
        sorted(sets.flatten().cloned().collect())
    }

    /// When the last signature seen over this very set expires.
    pub(crate) fn signature_of(&self, records: &[Tlsa]) -> Option<DateTime<Utc>> {
        let is = |served: &&Served| matches!(&served.content, Content::Set(known) if known == records);
        self.served.iter().find(is)?.signature_expires
    }

    fn serve(&mut self, content: Content, ttl: u32, now: DateTime<Utc>, expires: Option<DateTime<Utc>>) {
        let served = self.entry(content, now);
        served.ttl = served.ttl.max(ttl);
        served.seen_at = served.seen_at.max(now);
        served.until = served.until.max(now);
        served.signature_expires = served.signature_expires.max(expires);
    }

    fn serve_until(&mut self, content: &Content, now: DateTime<Utc>) {
        let of = |content: &Content| self.served.binary_search_by(|served| served.content.cmp(content));
        // What was put together with the rest counts there.
        if let Ok(at) = of(content).or_else(|_| of(&Content::Unknown)) {
            self.served[at].until = self.served[at].until.max(now);
        }
    }

    fn entry(&mut self, content: Content, now: DateTime<Utc>) -> &mut Served {
        let at = match self.served.binary_search_by(|served| served.content.cmp(&content)) {
            Ok(at) => at,
            Err(at) => {
                let (asked_until, signature_expires) = (None, None);
                let fresh = Served { content, ttl: 0, seen_at: now, until: now, asked_until, signature_expires };
                self.served.insert(at, fresh);
                at
            }
        };
        &mut self.served[at]
    }

    /// Forgets servers that are no longer there. What each gave last, resolvers
    /// may still fetch there; of one that was never heard nobody knows what.
    fn forget_departed(&mut self, departures: &Departures, now: DateTime<Utc>) {
        let done: Vec<String> = self.servers.keys().filter(|key| departures.is_done_with(key)).cloned().collect();
        let until = now.checked_add_signed(ASKED_ON);
        // Of a name without an address, that takes its place.
        let gone = done.iter().filter_map(|key| self.servers.remove(key).filter(|_| departures.has_left(key)));
        let gone: Vec<Look> = gone.filter(|look| look.listed).collect();
        for look in gone {
            let contents = if look.last.is_empty() { vec![Content::Unknown] } else { look.last };
            for content in contents {
                let unknown = content == Content::Unknown;
                let served = self.entry(content, now);
                served.asked_until = served.asked_until.max(until);
                served.until = served.until.max(now);
                if unknown {
                    served.ttl = served.ttl.max(UNHEARD_TTL);
                }
            }
        }
    }

    /// Drops what no cache can hold any more; puts together what is too much.
    fn tidy(&mut self, now: DateTime<Utc>) {
        let current: Vec<Content> = self.servers.values().flat_map(|look| look.last.iter().cloned()).collect();
        self.served.retain(|served| current.contains(&served.content) || !served.is_over(now));
        while self.served.len() > CONTENTS {
            let spare = (0..self.served.len()).filter(|at| self.served[*at].content != Content::Unknown);
            let Some(first) = spare.min_by_key(|at| self.served[*at].given_until()) else { return };
            let Served { ttl, seen_at, until, asked_until, signature_expires, .. } = self.served.remove(first);
            let rest = self.entry(Content::Unknown, seen_at);
            rest.ttl = rest.ttl.max(ttl);
            rest.seen_at = rest.seen_at.max(seen_at);
            rest.until = rest.until.max(until);
            rest.asked_until = rest.asked_until.max(asked_until);
            rest.signature_expires = rest.signature_expires.max(signature_expires);
        }
    }

    /// Every time in it that a set clock moves along.
    pub(crate) fn times(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        let heard = self.servers.values_mut().filter_map(|look| look.first_heard.as_mut());
        let served = self.served.iter_mut();
        let given =
            served.flat_map(|served| [Some(&mut served.seen_at), Some(&mut served.until), served.asked_until.as_mut()]);
        heard.chain(given.flatten())
    }

    /// Takes times to come, which a clock that was ahead has left, for the latest
    /// that they can be.
    pub(crate) fn correct(&mut self, now: DateTime<Utc>) -> bool {
        let latest = now.checked_add_signed(ASKED_ON).unwrap_or(now);
        let mut wrong = false;
        let mut bound = |time: &mut DateTime<Utc>, bound: DateTime<Utc>| {
            if *time > bound {
                wrong = true;
                *time = bound;
            }
        };
        self.servers.values_mut().filter_map(|look| look.first_heard.as_mut()).for_each(|time| bound(time, now));
        for served in &mut self.served {
            bound(&mut served.seen_at, now);
            bound(&mut served.until, now);
            served.asked_until.iter_mut().for_each(|time| bound(time, latest));
        }
        wrong
    }
}
