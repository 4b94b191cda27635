//! How long all servers must have agreed, and whether they have.
//!
//! A cache that took the old set just before the last server had the new one
//! keeps it for the old TTL. RFC 7671 section 8.1 waits for two of them; the
//! second covers what the clock and slow transfers take. Caches hold what was
//! served *before*, so its TTLs count, even where the same edit lowered them.
//!
//! What was served before is known only as far back as somebody looked. So the
//! hold ends no earlier than a day after every server was first heard at that
//! owner: whatever was served before that, with a TTL of a day at most, has left
//! the caches by then. Who looked a day ahead waits for twice the TTL alone. A TTL
//! in a zone file can make a hold longer and never shorter.

use chrono::{DateTime, TimeDelta, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::{Evidence, Hop, Outcome, lacks_any};
use crate::propagation::ledger::{Ledger, end};
use crate::propagation::memory::history::{Content, Look, Served};
use crate::propagation::memory::{KeyChange, Memory};
use crate::propagation::{Expectation, HoldWish, Policy, moment};

/// What was served before the first look is cached for as long as TTLs usually are.
const CAREFUL: TimeDelta = TimeDelta::hours(24);

/// Signatures live no longer than this, as signers are set up.
const SIGNED: TimeDelta = TimeDelta::days(30);

/// What the length of a hold rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The user said so.
    Asked,
    /// Twice this TTL, the largest of any set or alias before, in seconds.
    OldTtl(u32),
    /// Twice this negative TTL: there was no set before.
    NegativeTtl(u32),
    /// A day since this first look: what was served before is not known.
    FirstLook(DateTime<Utc>),
    /// A server is no longer listed, and resolvers may ask it until this moment.
    Departure(DateTime<Utc>),
    /// The last signature over the set before expires then, if it is known.
    Signature(Option<DateTime<Utc>>),
}

/// How long all servers must have agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The length. `None` when it cannot be known.
    pub length: Option<TimeDelta>,
    /// What it rests on.
    pub basis: Basis,
    /// When it has passed, counted from the agreement.
    pub until: Option<DateTime<Utc>>,
}

/// What the end of a hold depends on besides its start.
pub(crate) struct Terms {
    wish: HoldWish,
    /// What was served before, and until when.
    served: Vec<Lasting>,
    /// TTLs that count whenever the hold starts: those of the file, and those of
    /// the expected set itself.
    always: Vec<Basis>,
    /// The servers that caches may ask.
    looks: Vec<Look>,
    signature: Signature,
}

struct Lasting {
    seen_at: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Whether until then because a server left.
    departed: bool,
    basis: Basis,
}

/// What is known of the signatures over the set before.
enum Signature {
    /// There was no set, so there was no signature.
    NoSet,
    Expires(DateTime<Utc>),
    Unknown,
}

impl Terms {
    /// The terms under which this hold ends.
    pub(crate) fn of(
        evidence: &Evidence,
        expectation: &Expectation,
        memory: &Memory,
        watch: &KeyChange,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Self {
        let lasting = |served: &Served| Lasting {
            seen_at: served.seen_at,
            until: served.given_until(),
            departed: served.given_until() > served.until,
            basis: match served.content {
                Content::Absent => Basis::NegativeTtl(served.ttl),
                _ => Basis::OldTtl(served.ttl),
            },
        };
        let old = &watch.old;
        let sets = [old.ttl, watch.agreed_ttl]
            .into_iter()
            .flatten()
            .map(Basis::OldTtl);
        let looks = |hop: &Hop| {
            let history = memory.history(&hop.owner);
            history
                .into_iter()
                .flat_map(|history| history.looks(hop).cloned())
                .collect::<Vec<Look>>()
        };
        let watched = |hop: &Hop| {
            looks(hop)
                .iter()
                .all(|look| look.first_heard.is_some_and(|first| now - first >= SIGNED))
        };
        Self {
            wish: policy.hold,
            served: memory
                .served_before(evidence, expectation)
                .into_iter()
                .map(lasting)
                .collect(),
            always: sets
                .chain(old.negative_ttl.map(Basis::NegativeTtl))
                .collect(),
            looks: evidence.hops.iter().flat_map(looks).collect(),
            signature: match old.signature_expires {
                _ if old.unsigned => Signature::Unknown,
                Some(expires) => Signature::Expires(expires),
                None if old.absence_seen
                    && old.records.is_empty()
                    && evidence.hops.iter().all(watched) =>
                {
                    Signature::NoSet
                }
                None => Signature::Unknown,
            },
        }
    }

    /// When a hold that starts at this moment ends, and what that rests on. `None`
    /// when it is not known. Whether the user vouches for the time before.
    pub(crate) fn end(
        &self,
        start: DateTime<Utc>,
        vouched: bool,
    ) -> (Option<DateTime<Utc>>, Basis) {
        let default = self.default_end(start, vouched);
        match (self.wish, &self.signature) {
            (HoldWish::For(length), _) => (Some(later(start, length)), Basis::Asked),
            (HoldWish::TwiceTheOldTtl, _) | (HoldWish::Signature, Signature::NoSet) => {
                (Some(default.0), default.1)
            }
            (HoldWish::Signature, Signature::Unknown) => (None, Basis::Signature(None)),
            (HoldWish::Signature, Signature::Expires(expires)) => (
                Some(default.0.max(*expires)),
                Basis::Signature(Some(*expires)),
            ),
        }
    }

    fn default_end(&self, start: DateTime<Utc>, vouched: bool) -> (DateTime<Utc>, Basis) {
        let look = self
            .looks
            .iter()
            .filter_map(|look| look.known_since(start))
            .max()
            .unwrap_or(start);
        // Who states since when all agreed vouches for the time before the first look.
        let look = if vouched { look.min(start) } else { look };
        let look = (later(look, CAREFUL), Basis::FirstLook(look));
        let always = self
            .always
            .iter()
            .map(|basis| (later(start, twice(*basis)), *basis));
        let served = self.served.iter().filter_map(
            |Lasting {
                 until,
                 departed,
                 basis,
                 ..
             }| {
                let length = twice(*basis);
                let basis = if *departed && *until > start {
                    Basis::Departure(*until)
                } else {
                    *basis
                };
                (later(*until, length) > start).then(|| (later(start.max(*until), length), basis))
            },
        );
        // Of equals, a TTL says more than the first look.
        let says = |basis: Basis| match basis {
            Basis::OldTtl(ttl) => (3, ttl),
            Basis::NegativeTtl(ttl) => (2, ttl),
            Basis::Departure(_) => (1, 0),
            Basis::FirstLook(_) | Basis::Asked | Basis::Signature(_) => (0, 0),
        };
        always.chain(served).fold(look, |last, next| {
            if (next.0, says(next.1)) > (last.0, says(last.1)) {
                next
            } else {
                last
            }
        })
    }
}

fn twice(basis: Basis) -> TimeDelta {
    match basis {
        Basis::OldTtl(ttl) | Basis::NegativeTtl(ttl) => TimeDelta::seconds(i64::from(ttl) * 2),
        Basis::Asked | Basis::FirstLook(_) | Basis::Departure(_) | Basis::Signature(_) => {
            TimeDelta::zero()
        }
    }
}

fn later(start: DateTime<Utc>, length: TimeDelta) -> DateTime<Utc> {
    start
        .checked_add_signed(length)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Judges whether the hold has passed: since when all agree, and the hold with
/// its end.
pub(crate) fn judge(
    evidence: &Evidence,
    expectation: &Expectation,
    (watch, terms): (&KeyChange, &Terms),
    policy: &Policy,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) -> (Option<DateTime<Utc>>, Hold) {
    let agreed = agreed_since(evidence, expectation, watch, now);
    let stated = agreed.map(|agreed| stated(agreed, watch, terms, policy, now, ledger));
    let (agreed, vouched) = (
        stated.map(|(agreed, _)| agreed),
        stated.is_some_and(|(_, vouched)| vouched),
    );
    let start = agreed.unwrap_or(now);
    let (until, basis) = terms.end(start, vouched);
    let length = until.map(|until| (until - start).max(TimeDelta::zero()));
    let Some(until) = until else {
        let text = "no signature over the set before was seen, so it is not known when the last one expires";
        ledger.add(Finding::new(
            "old-signature-unknown",
            Severity::Unknown,
            text,
        ));
        return (
            agreed,
            Hold {
                length,
                basis,
                until,
            },
        );
    };
    let Some(agreed) = agreed else {
        return (
            None,
            Hold {
                length,
                basis,
                until: None,
            },
        );
    };
    // Whole seconds are for people: a hold of none has passed at once.
    let shown = end(until, TimeDelta::zero());
    if until > now {
        ledger.add_until(shown, not_elapsed(agreed, shown));
        ledger.add_all(reasons(basis));
    }
    (
        Some(agreed),
        Hold {
            length,
            basis,
            until: Some(shown),
        },
    )
}

fn not_elapsed(agreed: DateTime<Utc>, until: DateTime<Utc>) -> Finding {
    let text = format!(
        "all servers agree since {}, which is to last until {}",
        moment(agreed),
        moment(until)
    );
    Finding::new("hold-not-elapsed", Severity::Wait, text)
}

/// Why a hold lasts longer than the TTLs that are known.
fn reasons(basis: Basis) -> Option<Finding> {
    let (code, text) = match basis {
        Basis::FirstLook(look) => (
            "old-ttl-unknown",
            format!(
                "this owner was first looked at at {}, so what was served before is not known; a day covers TTLs up \
                 to a day, and what had a longer one then is not covered",
                moment(look)
            ),
        ),
        Basis::Departure(until) => (
            "server-departed",
            format!(
                "a name server is no longer listed, and resolvers may go on asking it until {}",
                moment(until)
            ),
        ),
        Basis::Asked | Basis::OldTtl(_) | Basis::NegativeTtl(_) | Basis::Signature(_) => {
            return None;
        }
    };
    Some(Finding::new(code, Severity::Note, text))
}

/// Whether the hold that nobody shortened has passed too.
pub(crate) fn rested(
    terms: &Terms,
    agreed: Option<DateTime<Utc>>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> bool {
    let vouched = agreed.is_some() && agreed == policy.since;
    agreed.is_some_and(|agreed| terms.default_end(agreed, vouched).0 <= now)
}

/// The moment at which the last server was first seen to serve what is
/// expected; `None` while one does not. A server that fell silent counts with
/// the time it agreed before.
fn agreed_since(
    evidence: &Evidence,
    expectation: &Expectation,
    watch: &KeyChange,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let mut agreed = watch.disagreed_at.map(|moment| moment.min(now));
    let mut any = false;
    for (index, hop) in evidence.hops.iter().enumerate() {
        for server in &hop.servers {
            let since = watch
                .servers
                .get(&hop.server_key(server))
                .and_then(|seen| seen.since);
            if evidence.serves(index, server, expectation.expected()) {
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

/// The user's `--since`, and that it counts, unless something else was seen after it, or `patch`
/// found the zone without the new records.
fn stated(
    agreed: DateTime<Utc>,
    watch: &KeyChange,
    terms: &Terms,
    policy: &Policy,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) -> (DateTime<Utc>, bool) {
    let Some(since) = policy.since.filter(|since| *since <= now) else {
        return (agreed, false);
    };
    let unpatched = watch.old.by_patch && lacks_any(&watch.old.records, &watch.expected);
    let patched_at = watch.old.seen_at.filter(|_| unpatched);
    let seen_at = terms
        .served
        .iter()
        .map(|served| served.seen_at)
        .max()
        .max(watch.disagreed_at);
    let text = if let Some(seen) = seen_at.filter(|seen| *seen > since) {
        format!(
            "not all servers agreed at {}, so {} is not counted",
            moment(seen),
            moment(since)
        )
    } else if let Some(seen) = patched_at.filter(|seen| *seen > since) {
        format!(
            "the zone had no new record before {}, so {} is not counted",
            moment(seen),
            moment(since)
        )
    } else {
        return (since, true);
    };
    ledger.add(Finding::new("since-contradicted", Severity::Note, text));
    (agreed, false)
}
