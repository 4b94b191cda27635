//! What is remembered of the set that a change replaces.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::propagation::evidence::{Security, ServerAnswer};
use crate::propagation::sorted;
use crate::tlsa::Tlsa;

/// What is known of the set that is being replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldSet {
    /// Its records.
    #[serde(with = "crate::propagation::memory::stored")]
    pub records: Vec<Tlsa>,
    /// Whether `patch` recorded them, rather than a check that met them.
    pub by_patch: bool,
    /// The largest TTL that `patch` read in the zone file, in seconds.
    #[serde(deserialize_with = "Option::deserialize")]
    pub ttl: Option<u32>,
    /// The largest negative TTL that `patch` read there, where there was no set.
    #[serde(deserialize_with = "Option::deserialize")]
    pub negative_ttl: Option<u32>,
    /// When `patch` did.
    #[serde(deserialize_with = "Option::deserialize")]
    pub seen_at: Option<DateTime<Utc>>,
    /// When the last signature seen over any set before expires.
    #[serde(deserialize_with = "Option::deserialize")]
    pub signature_expires: Option<DateTime<Utc>>,
    /// Whether there is a set that `patch` found and nobody has seen signed.
    pub unsigned: bool,
    /// Whether it was seen that there was no set.
    pub absence_seen: bool,
}

impl OldSet {
    /// What `patch` found in the zone file, and what was known before of the same change.
    pub(crate) fn by_patch(
        records: Vec<Tlsa>,
        ttl: OldTtl,
        signed: bool,
        before: Option<&Self>,
        now: DateTime<Utc>,
    ) -> Self {
        let before = before.cloned().unwrap_or_default();
        let (ttl, negative_ttl) = match ttl {
            OldTtl::Set(ttl) => (before.ttl.max(Some(ttl)), before.negative_ttl),
            OldTtl::Absent(ttl) => (before.ttl, before.negative_ttl.max(Some(ttl))),
        };
        let (unsigned, absence_seen) = (
            !signed && !records.is_empty(),
            before.absence_seen || records.is_empty(),
        );
        let signature_expires = before.signature_expires;
        Self {
            records,
            by_patch: true,
            ttl,
            negative_ttl,
            seen_at: Some(now),
            signature_expires,
            unsigned,
            absence_seen,
        }
    }

    /// Learns which records there were from a server that does not serve the
    /// expected set. Only what is signed teaches anything.
    pub(crate) fn learn(&mut self, server: &ServerAnswer) {
        if server.security == Security::Secure && !self.by_patch {
            self.records.extend(server.records.iter().cloned());
            self.records = sorted(std::mem::take(&mut self.records));
        }
    }
}

/// How long answers of the time before a change are cached, as a zone file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldTtl {
    /// There was a set, with this TTL in seconds.
    Set(u32),
    /// There was none; its absence is cached this long, in seconds: the smaller
    /// of the SOA's TTL and its minimum field (RFC 2308 section 5).
    Absent(u32),
}
