//! What was seen served at an owner, by whomever, since the first look at it:
//! sets, aliases and absences with the largest TTL of each, and when each may
//! last have been handed out. It knows nothing of any key change, so that what
//! one change saw counts for the next.
//!
//! What is taught can only lengthen a hold: times move on, and nothing is dropped
//! before every cache that could have it has had twice its time. What is not proven
//! counts for a week at most, and an absence that is not proven for nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::propagation::evidence::{Hop, Outcome, Security, ServerAnswer, lacks_any};
use crate::propagation::memory::resolvers::WEEK;
use crate::propagation::memory::{Departures, OVERLAP};
use crate::propagation::sorted;
use crate::tlsa::Tlsa;

/// Resolvers go on asking a server that left for as long as they keep the NS
/// set: usually two days at most, the TTL of delegations in large zones.
const ASKED_ON: TimeDelta = TimeDelta::hours(48);

/// Who looks once in so long looks on: what was served in between had about the
/// same TTLs. After a longer gap the first look after it is a first look again.
const GAP: TimeDelta = TimeDelta::days(8);

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

/// One content with one TTL, as long as caches may hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// What.
    pub content: Content,
    /// Its TTL in seconds; of an absence the negative TTL (RFC 2308 section 5).
    pub ttl: u32,
    /// Whether it was seen with proof; a word of a file, or an answer that could not be
    /// verified, makes holds longer and says nothing else.
    pub proven: bool,
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

    /// Whether it matters to no hold that has not passed: one that began while it
    /// was cached has ended, too.
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        let signed = self.signature_expires.is_some_and(|expires| expires > now);
        !signed
            && self
                .given_until()
                .checked_add_signed(self.times(4))
                .is_some_and(|end| end <= now)
    }
}

/// What is known of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// When it was first heard, with a proven answer.
    #[serde(deserialize_with = "Option::deserialize")]
    pub first_heard: Option<DateTime<Utc>>,
    /// When it was first heard since the last long gap.
    #[serde(deserialize_with = "Option::deserialize")]
    pub heard_since: Option<DateTime<Utc>>,
    /// When it was last heard.
    #[serde(deserialize_with = "Option::deserialize")]
    pub last_heard: Option<DateTime<Utc>>,
    /// Whether the parent or the zone has ever named it, so that caches may know it.
    pub listed: bool,
    /// What it gave when it was last heard, with the TTL; several where several
    /// machines answer.
    pub last: Vec<(Content, u32)>,
}

impl Look {
    fn hear(&mut self, now: DateTime<Utc>) {
        self.first_heard.get_or_insert(now);
        if self.last_heard.is_none_or(|last| now - last > GAP) {
            self.heard_since = Some(now);
        }
        self.last_heard = Some(now);
    }

    /// From when on it is known what the server gave, for an agreement that began
    /// at this moment.
    pub(crate) fn known_since(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.heard_since
            .filter(|since| *since <= start)
            .or(self.first_heard)
    }
}

/// What was seen at one owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The servers, by `Hop::server_key`.
    pub servers: BTreeMap<String, Look>,
    /// What they gave, each content once, in order.
    pub served: Vec<Served>,
}

/// What an answer says, and for how many seconds it is cached: of one that is not
/// proven a week at most, and nothing of absence.
fn content(server: &ServerAnswer) -> Option<(Content, u32)> {
    let proven = server.security == Security::Secure;
    let said = said(server).filter(|(content, _)| proven || *content != Content::Absent)?;
    Some((said.0, if proven { said.1 } else { said.1.min(WEEK) }))
}

fn said(server: &ServerAnswer) -> Option<(Content, u32)> {
    if !server.answered() {
        return None;
    }
    let ttl = server.ttl.max(server.original_ttl);
    match &server.alias {
        Some(target) => Some((Content::Alias(target.to_string()), ttl?)),
        None if server.outcome == Outcome::Answered => {
            Some((Content::Set(sorted(server.records.clone())), ttl?))
        }
        None => Some((Content::Absent, server.negative_ttl?)),
    }
}

impl History {
    /// Takes in what the servers of one hop were found to give. Returns those
    /// that lead elsewhere than when they were last heard.
    pub(crate) fn learn(
        &mut self,
        hop: &Hop,
        departures: &Departures,
        now: DateTime<Utc>,
    ) -> Vec<String> {
        self.forget_departed(departures, now);
        let mut led_elsewhere = Vec::new();
        let mut heard: BTreeMap<String, Vec<(Content, u32)>> = BTreeMap::new();
        for server in &hop.servers {
            let key = hop.server_key(server);
            let look = self.servers.entry(key.clone()).or_default();
            look.listed |= server.listed.by_parent || server.listed.by_zone;
            let Some((content, ttl)) = content(server) else {
                continue;
            };
            if server.security == Security::Secure {
                look.hear(now);
                heard.entry(key).or_default().push((content.clone(), ttl));
                self.serve(content, ttl, Some(server.set_signature_expires), now);
            } else {
                self.serve(content, ttl, None, now);
            }
        }
        for (key, mut contents) in heard {
            contents.sort();
            contents.dedup();
            let Some(look) = self.servers.get_mut(&key) else {
                continue;
            };
            // It may have been given until just now.
            let before = std::mem::replace(&mut look.last, contents.clone());
            let leads =
                |all: &[(Content, u32)], to: &Content| all.iter().any(|(content, _)| content == to);
            let alias = |(content, _): &&(Content, u32)| matches!(content, Content::Alias(_));
            if before
                .iter()
                .filter(alias)
                .any(|(content, _)| !leads(&contents, content))
            {
                led_elsewhere.push(key);
            }
            for gone in before.iter().filter(|before| !contents.contains(before)) {
                self.serve_until(gone, now);
            }
        }
        self.tidy(now);
        led_elsewhere
    }

    /// Takes in what `patch` read in a file, as the set that is being replaced.
    pub(crate) fn word(&mut self, content: Content, ttl: u32, now: DateTime<Utc>) {
        self.serve(content, ttl, None, now);
        self.tidy(now);
    }

    /// The servers of this hop that caches may ask. What only the user names, a
    /// hidden primary, no cache asks.
    pub(crate) fn looks<'h>(&'h self, hop: &'h Hop) -> impl Iterator<Item = &'h Look> {
        let looks = hop
            .servers
            .iter()
            .filter_map(|server| self.servers.get(&hop.server_key(server)));
        looks.filter(|look| look.listed)
    }

    /// Whether the server behind this key gave something else than an alias of this
    /// name when it was last heard.
    pub(crate) fn gave_no_alias_of(&self, key: &str, target: &str) -> bool {
        let alias = Content::Alias(target.to_owned());
        let look = self.servers.get(key);
        look.is_some_and(|look| {
            !look.last.is_empty() && look.last.iter().all(|(content, _)| *content != alias)
        })
    }

    /// The records of all sets that were seen and lack one of these.
    pub(crate) fn records_without(&self, expected: &[Tlsa]) -> Vec<Tlsa> {
        let sets = self
            .served
            .iter()
            .filter_map(|served| match &served.content {
                Content::Set(records) if served.proven && lacks_any(records, expected) => {
                    Some(records)
                }
                _ => None,
            });
        sorted(sets.flatten().cloned().collect())
    }

    /// When the last signature seen over this very set expires.
    pub(crate) fn signature_of(&self, records: &[Tlsa]) -> Option<DateTime<Utc>> {
        let is =
            |served: &&Served| matches!(&served.content, Content::Set(known) if known == records);
        self.served
            .iter()
            .filter(is)
            .filter_map(|served| served.signature_expires)
            .max()
    }

    /// Notes that it is given; with proof, when the signature over it expires.
    fn serve(
        &mut self,
        content: Content,
        ttl: u32,
        proof: Option<Option<DateTime<Utc>>>,
        now: DateTime<Utc>,
    ) {
        let served = self.entry(content, ttl, now);
        served.proven |= proof.is_some();
        served.seen_at = served.seen_at.max(now);
        served.until = served.until.max(now);
        served.signature_expires = served.signature_expires.max(proof.flatten());
    }

    /// Notes that it may have been given until now. What a file or an unproven answer
    /// said of the same content was, too.
    fn serve_until(&mut self, (content, ttl): &(Content, u32), now: DateTime<Utc>) {
        let same =
            |served: &Served| served.content == *content && (served.ttl == *ttl || !served.proven);
        // What was put together with the rest counts there.
        let rest = !self.served.iter().any(same);
        let meant = |served: &Served| same(served) || rest && served.content == Content::Unknown;
        for served in self.served.iter_mut().filter(|served| meant(served)) {
            served.until = served.until.max(now);
        }
    }

    fn entry(&mut self, content: Content, ttl: u32, now: DateTime<Utc>) -> &mut Served {
        let key = (content, ttl);
        let at = match self
            .served
            .binary_search_by(|served| (&served.content, served.ttl).cmp(&(&key.0, key.1)))
        {
            Ok(at) => at,
            Err(at) => {
                let (content, ttl) = key;
                let (proven, asked_until, signature_expires) = (false, None, None);
                let (seen_at, until) = (now, now);
                let fresh = Served {
                    content,
                    ttl,
                    proven,
                    seen_at,
                    until,
                    asked_until,
                    signature_expires,
                };
                self.served.insert(at, fresh);
                at
            }
        };
        &mut self.served[at]
    }

    /// Forgets servers that are no longer there. What each gave last, resolvers
    /// may still fetch there; of one that was never heard nobody knows what.
    fn forget_departed(&mut self, departures: &Departures, now: DateTime<Utc>) {
        let done: Vec<String> = self
            .servers
            .keys()
            .filter(|key| departures.is_done_with(key))
            .cloned()
            .collect();
        let until = now.checked_add_signed(ASKED_ON);
        // Of a name without an address, that takes its place.
        let gone = done.iter().filter_map(|key| {
            self.servers
                .remove(key)
                .filter(|_| departures.has_left(key))
        });
        let gone: Vec<Look> = gone.filter(|look| look.listed).collect();
        for look in gone {
            let contents = if look.last.is_empty() {
                vec![(Content::Unknown, UNHEARD_TTL)]
            } else {
                look.last
            };
            for (content, ttl) in contents {
                let served = self.entry(content, ttl, now);
                served.asked_until = served.asked_until.max(until);
                served.until = served.until.max(now);
            }
        }
    }

    /// Drops what no cache can hold any more; puts together what is too much.
    fn tidy(&mut self, now: DateTime<Utc>) {
        let current: Vec<(Content, u32)> = self
            .servers
            .values()
            .flat_map(|look| look.last.iter().cloned())
            .collect();
        let same = |served: &Served, (content, ttl): &(Content, u32)| {
            *content == served.content && (*ttl == served.ttl || !served.proven)
        };
        let is_current = |served: &Served| current.iter().any(|last| same(served, last));
        // What a silent server gave last may have been put together with the rest.
        let kept = |last| self.served.iter().any(|served| same(served, last));
        let all_kept = current.iter().all(kept);
        let needed = |served: &Served| {
            is_current(served) || (!all_kept && served.content == Content::Unknown)
        };
        self.served
            .retain(|served| needed(served) || !served.is_over(now));
        if self.served.len() <= CONTENTS {
            return;
        }
        // One entry for the rest, two at least, as long-lived as the longest of it.
        self.served.sort_by_key(Served::given_until);
        let rest = self.served.drain(..self.served.len() - CONTENTS + 1);
        let together = rest.reduce(|a, b| Served {
            content: Content::Unknown,
            ttl: a.ttl.max(b.ttl),
            proven: a.proven && b.proven,
            seen_at: a.seen_at.max(b.seen_at),
            until: a.until.max(b.until),
            asked_until: a.asked_until.max(b.asked_until),
            signature_expires: a.signature_expires.max(b.signature_expires),
        });
        self.served.extend(together);
        self.served
            .sort_by(|a, b| (&a.content, a.ttl).cmp(&(&b.content, b.ttl)));
    }

    /// Every time in it that a set clock moves along.
    pub(crate) fn times(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        let looks = self.servers.values_mut();
        let heard = looks
            .flat_map(|look| {
                [
                    &mut look.first_heard,
                    &mut look.heard_since,
                    &mut look.last_heard,
                ]
            })
            .flatten();
        let served = self.served.iter_mut();
        let given = served.flat_map(|served| {
            [
                Some(&mut served.seen_at),
                Some(&mut served.until),
                served.asked_until.as_mut(),
            ]
        });
        heard.chain(given.flatten())
    }

    /// Takes times to come, which a clock that was ahead has left, for the latest
    /// that they can be.
    pub(crate) fn correct(&mut self, now: DateTime<Utc>) -> bool {
        let now = now.checked_add_signed(OVERLAP).unwrap_or(now);
        let latest = now.checked_add_signed(ASKED_ON).unwrap_or(now);
        let mut wrong = false;
        let mut bound = |time: &mut DateTime<Utc>, bound: DateTime<Utc>| {
            if *time > bound {
                wrong = true;
                *time = bound;
            }
        };
        for look in self.servers.values_mut() {
            for time in [
                &mut look.first_heard,
                &mut look.heard_since,
                &mut look.last_heard,
            ]
            .into_iter()
            .flatten()
            {
                bound(time, now);
            }
        }
        for served in &mut self.served {
            bound(&mut served.seen_at, now);
            bound(&mut served.until, now);
            served
                .asked_until
                .iter_mut()
                .for_each(|time| bound(time, latest));
        }
        wrong
    }
}
