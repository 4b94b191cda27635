//! The moment at which signatures must be valid, and how many may be tried.
//! Trying one costs a hundred microseconds and is asked for by whoever sends
//! records: a zone made for the purpose could keep us busy for hours (KeyTrap,
//! CVE-2023-50387). What goes beyond the limit is not called secure.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::dns::limits;
use crate::dns::trust::proof::Proof;
use crate::finding::{Finding, Severity};
use crate::propagation::evidence::Security;

/// One piece of work that signatures are tried for.
pub(crate) struct Budget {
    pub(crate) now: DateTime<Utc>,
    left: AtomicUsize,
    /// When the time for the whole check is over.
    end: Option<Instant>,
}

impl Budget {
    /// As many as one piece of work may take, and none after the end of the check.
    pub(crate) fn at(now: DateTime<Utc>, end: Option<Instant>) -> Self {
        Self {
            now,
            left: AtomicUsize::new(limits::TRIALS),
            end,
        }
    }

    /// Counts one signature that is about to be tried with one key.
    ///
    /// # Errors
    ///
    /// When the limit is reached or the time is over; it must not be tried then.
    pub(crate) fn take(&self) -> Result<(), Proof> {
        if self.end.is_some_and(|end| end <= Instant::now()) {
            let message = "the time for the check was over before all signatures were tried";
            let finding = Finding::new("check-timeout", Severity::Unknown, message);
            return Err(Proof::only(Security::Indeterminate, finding));
        }
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        taken
            .map(drop)
            .map_err(|_| limit("more signatures have to be tried than one verdict may take"))
    }

    /// How many have been tried.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> usize {
        limits::TRIALS - self.left.load(Ordering::Relaxed)
    }
}

/// Too much to look at, so nothing is proven.
pub(crate) fn limit(message: impl Into<String>) -> Proof {
    Proof::only(
        Security::Indeterminate,
        Finding::new("limits-exceeded", Severity::Unknown, message),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_end_of_the_check_nothing_is_tried() {
        let now = DateTime::UNIX_EPOCH;
        let later = Instant::now().checked_add(std::time::Duration::from_secs(3600));
        assert!(Budget::at(now, None).take().is_ok() && Budget::at(now, later).take().is_ok());
        let budget = Budget::at(now, Some(Instant::now()));
        let proof = budget.take().unwrap_err();
        assert_eq!(
            (proof.security, proof.findings[0].code),
            (Security::Indeterminate, "check-timeout")
        );
        assert_eq!(budget.spent(), 0);
    }
}
