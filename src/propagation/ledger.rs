//! The findings of one judgement while they come together, with what they say
//! about time: a wait that only time ends, or one that somebody must end.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::{Decision, Hold, Verdict};

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    findings: Vec<Finding>,
    /// When the waits end that only time ends.
    until: Option<DateTime<Utc>>,
    /// Whether there is a wait that time alone does not end.
    open: bool,
    /// Whether anything but time and silence is in the way.
    unsettled: bool,
}

impl Ledger {
    /// Notes a fact that stays as it is while time passes.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.open |= finding.severity == Severity::Wait;
        self.unsettled |= finding.severity > Severity::Note;
        self.findings.push(finding);
    }

    /// Notes that an address was silent: that says nothing about what it serves.
    pub(crate) fn add_silence(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Notes a wait that ends by itself.
    pub(crate) fn add_until(&mut self, end: DateTime<Utc>, finding: Finding) {
        self.until = self.until.max(Some(end));
        self.findings.push(finding);
    }

    /// Sums up: the heaviest finding decides.
    pub(crate) fn verdict(mut self, agreed_since: Option<DateTime<Utc>>, hold: Option<Hold>) -> Verdict {
        self.findings.sort_by(|a, b| {
            let key = |f: &Finding| (f.code, f.server.clone(), f.message.clone());
            b.severity.cmp(&a.severity).then_with(|| key(a).cmp(&key(b)))
        });
        self.findings.dedup();
        let decision = self.findings.first().map_or(Decision::Safe, |worst| worst.severity.into());
        let safe_at = self.until.filter(|_| decision == Decision::Wait && !self.open);
        let (findings, settled) = (self.findings, !self.unsettled);
        Verdict {
            decision,
            safe_at,
            agreed_since,
            hold,
            findings,
            unpublished: false,
            settled,
            rested: false,
            cleared: false,
        }
    }
}

/// The end of a span as a whole second that is not before it, so that what is
/// printed is never too early.
pub(crate) fn end(start: DateTime<Utc>, length: TimeDelta) -> DateTime<Utc> {
    let end = start.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC);
    match end.duration_trunc(TimeDelta::seconds(1)) {
        Ok(whole) if whole < end => whole + TimeDelta::seconds(1),
        Ok(whole) => whole,
        // Out of the range that can be rounded, some centuries from now.
        Err(_) => end,
    }
}
