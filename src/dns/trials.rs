//! The moment at which signatures must be valid, and how many may be tried.
//! Trying one costs a hundred microseconds and is asked for by whoever sends
//! records: a zone made for the purpose could keep us busy for hours (KeyTrap,
//! CVE-2023-50387). What goes beyond the limit is not called secure.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};

use crate::dns::proof::Proof;
use crate::finding::{Finding, Severity};
use crate::propagation::evidence::Security;

/// Signatures tried for the standing of one zone, or for one owner at all of
/// its servers: eight for each of a thousand addresses.
const TRIALS: usize = 8192;

/// One piece of work that signatures are tried for.
pub(crate) struct Trials {
    pub(crate) now: DateTime<Utc>,
    left: AtomicUsize,
}

impl Trials {
    /// As many as one piece of work may take.
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        Self { now, left: AtomicUsize::new(TRIALS) }
    }

    /// Counts one signature that is about to be tried with one key.
    ///
    /// # Errors
    ///
    /// When the limit is reached; it must not be tried then.
    pub(crate) fn take(&self) -> Result<(), Proof> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| limit("more signatures have to be tried than one verdict may take"))
    }

    /// How many have been tried.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> usize {
        TRIALS - self.left.load(Ordering::Relaxed)
    }
}

/// Too much to look at, so nothing is proven.
pub(crate) fn limit(message: impl Into<String>) -> Proof {
    Proof::only(Security::Indeterminate, Finding::new("limits-exceeded", Severity::Unknown, message))
}
