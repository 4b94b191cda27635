//! What is remembered of one server, and what one of its answers says about it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::{Evidence, Security, ServerAnswer, lacks_any};
use crate::tlsa::Tlsa;

/// What is known of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerMemory {
    /// Since when it has served the expected set; `None` when it last did not.
    #[serde(deserialize_with = "Option::deserialize")]
    pub since: Option<DateTime<Utc>>,
    /// The last time it was heard; `None` when it never was.
    #[serde(deserialize_with = "Option::deserialize")]
    pub heard_at: Option<DateTime<Utc>>,
    /// Whether the parent or the zone has ever named it, so that caches may know it.
    pub listed: bool,
    /// When it was heard, whether nothing was amiss in that check, anywhere.
    pub sound: bool,
    /// What the last check held against it. For people; no verdict rests on it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub amiss: Option<Amiss>,
}

/// What a check held against a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amiss {
    /// The code of the heaviest finding.
    pub code: String,
    /// The first of the checks, without another in between, that found it.
    pub since: DateTime<Utc>,
}

impl ServerMemory {
    /// A server that was asked and not heard yet.
    pub(crate) const UNHEARD: Self = Self {
        since: None,
        heard_at: None,
        listed: false,
        sound: false,
        amiss: None,
    };

    /// Learns what a verdict holds against the server of this name: its findings
    /// come with the heaviest first.
    pub(crate) fn learn_amiss(&mut self, findings: &[Finding], name: &str, now: DateTime<Utc>) {
        let about = |finding: &&Finding| {
            finding.severity > Severity::Note && finding.server.as_deref() == Some(name)
        };
        let code = findings.iter().find(about).map(|finding| finding.code);
        let known = self
            .amiss
            .take()
            .filter(|amiss| Some(amiss.code.as_str()) == code);
        self.amiss = known.or(code.map(|code| Amiss {
            code: code.to_owned(),
            since: now,
        }));
    }

    /// Every time in it that a set clock moves along.
    pub(crate) fn times(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        let amiss = self.amiss.as_mut().map(|amiss| &mut amiss.since);
        self.since.iter_mut().chain(&mut self.heard_at).chain(amiss)
    }
}

/// Whether an answer says what the server serves: silence, errors and what
/// could not be verified do not, nor does an alias that was not followed.
pub(crate) fn says_something(evidence: &Evidence, hop: usize, server: &ServerAnswer) -> bool {
    let unfollowed = server.alias.is_some() && hop + 1 == evidence.hops.len();
    server.answered() && server.security != Security::Indeterminate && !unfollowed
}

/// Whether an answer that says nothing for certain, as its signatures could not be
/// verified, is not the expected one at any rate: so the clock must not run on.
pub(crate) fn shows_another_set(server: &ServerAnswer, expected: &[Tlsa]) -> bool {
    server.answered() && server.alias.is_none() && lacks_any(&server.records, expected)
}
