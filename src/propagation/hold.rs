//! How long all servers must have agreed, and whether they have.
//!
//! A cache that took the old set just before the last server had the new one
//! keeps it for the old TTL. RFC 7671 section 8.1 waits for two of them; the
//! second covers what the clock and slow transfers take. Caches hold the *old*
//! set, so the old TTL counts, even where the same edit lowered it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::{Evidence, Outcome};
use crate::propagation::ledger::{Ledger, end};
use crate::propagation::memory::{Watch, server_key};
use crate::propagation::servers::{lacks_any, serves};
use crate::propagation::{Expectation, HoldWish, Policy, moment};

/// The hold where nothing is known of the old set: as long as TTLs usually are.
const CAREFUL: TimeDelta = TimeDelta::hours(24);

/// Resolvers go on asking a server that left for as long as they keep the NS
/// set: usually two days at most, the TTL of delegations in large zones. What it
/// gave them last is cached from then on, so that the hold follows.
const DEPARTED: TimeDelta = TimeDelta::hours(48);

/// What the length of a hold rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The user said so.
    Asked,
    /// Twice this TTL, the largest of the set before, in seconds.
    OldTtl(u32),
    /// Twice this negative TTL: there was no set before.
    NegativeTtl(u32),
    /// Nothing is known of the set before.
    Assumed,
    /// The last signature over the set before expires then, if it is known.
    Signature(Option<DateTime<Utc>>),
}

/// How long all servers must have agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The length; with `Basis::Signature` the least one. `None` when it
    /// cannot be known.
    pub length: Option<TimeDelta>,
    /// What it rests on.
    pub basis: Basis,
    /// When it has passed, counted from the agreement.
    pub until: Option<DateTime<Utc>>,
}

/// The length of the hold.
pub(crate) fn length(evidence: &Evidence, expectation: &Expectation, watch: &Watch, policy: &Policy) -> Hold {
    let hold = |length, basis| Hold { length: Some(length), basis, until: None };
    match policy.hold {
        HoldWish::For(length) => hold(length, Basis::Asked),
        HoldWish::TwiceTheOldTtl => default_length(evidence, expectation, watch),
        HoldWish::Signature => {
            let least = default_length(evidence, expectation, watch);
            match watch.old.signature_expires {
                Some(expires) => Hold { basis: Basis::Signature(Some(expires)), ..least },
                // No set before, no signature over it.
                None if matches!(least.basis, Basis::NegativeTtl(_)) => least,
                None => Hold { length: None, basis: Basis::Signature(None), until: None },
            }
        }
    }
}

fn default_length(evidence: &Evidence, expectation: &Expectation, watch: &Watch) -> Hold {
    let twice = |ttl: u32| TimeDelta::seconds(i64::from(ttl) * 2);
    let hold = |length, basis| Hold { length: Some(length), basis, until: None };
    let servers = || evidence.hops.iter().flat_map(|hop| &hop.servers);
    let strangers = servers().any(|s| s.records.iter().any(|record| !expectation.expected.contains(record)));
    match (watch.old.ttl, watch.old.negative_ttl) {
        inherited if watch.old.inherited => assumed(evidence, [inherited.0, inherited.1, watch.served.ttl]),
        (Some(ttl), negative) if negative.is_none_or(|negative| negative <= ttl) => {
            hold(twice(ttl), Basis::OldTtl(ttl))
        }
        // A server had no set while others had one: that one was not seen.
        (None, Some(negative)) if watch.old.by_patch || !strangers => {
            hold(twice(negative), Basis::NegativeTtl(negative))
        }
        (Some(_), Some(negative)) => hold(twice(negative), Basis::NegativeTtl(negative)),
        (_, negative) => assumed(evidence, [None, negative, watch.served.ttl]),
    }
}

/// The set before was not seen: at least a day, and more if any TTL that is
/// known asks for more, also that of a server that is silent by now.
fn assumed(evidence: &Evidence, known: [Option<u32>; 3]) -> Hold {
    let servers = evidence.hops.iter().flat_map(|hop| &hop.servers);
    let ttls = servers.flat_map(|server| [server.ttl, server.original_ttl, server.negative_ttl]);
    let largest = ttls.chain(known).flatten().max().unwrap_or(0);
    let length = TimeDelta::seconds(i64::from(largest) * 2).max(CAREFUL);
    Hold { length: Some(length), basis: Basis::Assumed, until: None }
}

/// Judges whether the hold has passed: since when all agree, and the hold with
/// its end.
pub(crate) fn judge(
    evidence: &Evidence,
    expectation: &Expectation,
    watch: &Watch,
    policy: &Policy,
    hold: Hold,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) -> (Option<DateTime<Utc>>, Hold) {
    if hold.basis == Basis::Assumed {
        let text = "the set before was not seen, so its TTL is not known and a longer hold is kept";
        ledger.add(Finding::new("old-ttl-unknown", Severity::Note, text));
    }
    if hold.length.is_none() {
        let text = "no signature over the set before was seen, so it is not known when the last one expires";
        ledger.add(Finding::new("old-signature-unknown", Severity::Unknown, text));
    }
    let Some(agreed) = agreed_since(evidence, expectation, watch, now) else { return (None, hold) };
    let agreed = stated(agreed, watch, policy, now, ledger);
    let Some(length) = hold.length else { return (Some(agreed), hold) };
    let mut until = end(agreed, length);
    if hold.basis != Basis::Asked && end_of_departure(watch, length) > until {
        until = end_of_departure(watch, length);
        let text = "a name server is no longer listed, and resolvers may go on asking it for two days";
        ledger.add(Finding::new("server-departed", Severity::Note, text));
    }
    if let Basis::Signature(Some(expires)) = hold.basis {
        until = until.max(end(expires, TimeDelta::zero()));
    }
    if until > now {
        let text = format!("all servers agree since {}, which is to last until {}", moment(agreed), moment(until));
        ledger.add_until(until, Finding::new("hold-not-elapsed", Severity::Wait, text));
        if let Some(at) = watch.others_expected_at {
            let text =
                format!("other records were expected until {}, and the clock began again with these", moment(at));
            ledger.add(Finding::new("expectation-changed", Severity::Note, text));
        }
    }
    (Some(agreed), Hold { until: Some(until), ..hold })
}

/// Whether the hold that nobody shortened has passed too.
pub(crate) fn rested(
    evidence: &Evidence,
    expectation: &Expectation,
    watch: &Watch,
    agreed: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    let length = default_length(evidence, expectation, watch).length;
    let until = agreed.zip(length).map(|(agreed, length)| end(agreed, length).max(end_of_departure(watch, length)));
    until.is_some_and(|until| until <= now)
}

fn end_of_departure(watch: &Watch, length: TimeDelta) -> DateTime<Utc> {
    watch.departed_at.map_or(DateTime::<Utc>::MIN_UTC, |departed| end(end(departed, DEPARTED), length))
}

/// The moment at which the last server was first seen to serve what is
/// expected; `None` while one does not. A server that fell silent counts with
/// the time it agreed before.
fn agreed_since(
    evidence: &Evidence,
    expectation: &Expectation,
    watch: &Watch,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let mut agreed = watch.disagreed_at.map(|moment| moment.min(now));
    let mut any = false;
    for (index, hop) in evidence.hops.iter().enumerate() {
        for server in &hop.servers {
            let since = watch.servers.get(&server_key(hop, server)).and_then(|seen| seen.since);
            if serves(evidence, index, server, &expectation.expected) {
                // A moment to come is the trace of a wrong clock.
                agreed = agreed.max(Some(since.filter(|since| *since <= now).unwrap_or(now)));
                any = true;
            } else if server.outcome == Outcome::Unreachable {
                agreed = agreed.max(since.map(|since| since.min(now)));
            } else {
                return None;
            }
        }
    }
    agreed.filter(|_| any)
}

/// The user's `--since`, unless a server was seen without the record after it,
/// or `patch` found the zone without it.
fn stated(
    agreed: DateTime<Utc>,
    watch: &Watch,
    policy: &Policy,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) -> DateTime<Utc> {
    let Some(since) = policy.since.filter(|since| *since <= now) else { return agreed };
    let unpatched = watch.old.by_patch && lacks_any(&watch.old.records, &watch.expected);
    let patched_at = watch.old.seen_at.filter(|_| unpatched);
    let text = if let Some(seen) = watch.disagreed_at.filter(|seen| *seen > since) {
        format!("not all servers agreed at {}, so {} is not counted", moment(seen), moment(since))
    } else if let Some(seen) = patched_at.filter(|seen| *seen > since) {
        format!("the zone had no new record before {}, so {} is not counted", moment(seen), moment(since))
    } else {
        return since;
    };
    ledger.add(Finding::new("since-contradicted", Severity::Note, text));
    agreed
}
