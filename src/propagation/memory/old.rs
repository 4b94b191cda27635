//! What is remembered of the set that is being replaced, and what each kind of
//! answer teaches about it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::propagation::evidence::{Outcome, Security, ServerAnswer};
use crate::propagation::sorted;
use crate::tlsa::Tlsa;

/// What is known of the set that is being replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Old {
    /// Its records.
    #[serde(with = "crate::propagation::memory::stored")]
    pub records: Vec<Tlsa>,
    /// Whether `patch` recorded them, rather than a check that met them.
    pub by_patch: bool,
    /// The largest TTL it had, in seconds.
    #[serde(deserialize_with = "Option::deserialize")]
    pub ttl: Option<u32>,
    /// The largest negative TTL, where there was no set.
    #[serde(deserialize_with = "Option::deserialize")]
    pub negative_ttl: Option<u32>,
    /// When the last signature seen over it expires.
    #[serde(deserialize_with = "Option::deserialize")]
    pub signature_expires: Option<DateTime<Utc>>,
    /// When it was last seen.
    #[serde(deserialize_with = "Option::deserialize")]
    pub seen_at: Option<DateTime<Utc>>,
    /// Whether the TTLs are those of other sets only, earlier ones or one with all
    /// new records: they can make a hold longer, and say nothing about the set
    /// right before.
    pub inherited: bool,
}

impl Old {
    /// Learns from a server that does not serve the expected set. Only what is
    /// signed teaches anything: a forged TTL could shorten the hold.
    pub(crate) fn learn(&mut self, server: &ServerAnswer, records_count: bool, now: DateTime<Utc>) {
        if server.security != Security::Secure {
            return;
        }
        if server.outcome == Outcome::Answered {
            self.ttl = self.ttl.max(server.ttl).max(server.original_ttl);
            self.signature_expires = self.signature_expires.max(server.set_signature_expires);
            self.inherited = false;
        } else {
            self.negative_ttl = self.negative_ttl.max(server.negative_ttl);
        }
        if records_count && !self.by_patch {
            self.records.extend(server.records.iter().cloned());
            self.records = sorted(std::mem::take(&mut self.records));
        }
        self.seen_at = Some(now);
    }

    /// Learns from sets that could not be verified only that there are some: where
    /// no TTL is known otherwise, it may be any.
    pub(crate) fn learn_unclear(&mut self, servers: &[&ServerAnswer]) {
        self.inherited |= self.ttl.is_none() && servers.iter().any(|server| server.outcome == Outcome::Answered);
    }

    /// Learns from sets that have all expected records and others that the new key
    /// does not match. They are not the set before, so they only make a hold longer.
    pub(crate) fn learn_unmatched(&mut self, servers: &[&ServerAnswer]) {
        let known = self.ttl.or(self.negative_ttl).is_some();
        for server in servers {
            if known {
                self.inherited |= self.ttl.is_none() && !self.by_patch;
                self.ttl = self.ttl.max(server.ttl).max(server.original_ttl);
            }
            self.signature_expires = self.signature_expires.max(server.set_signature_expires);
        }
    }
}
