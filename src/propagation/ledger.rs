//! The findings of one judgement while they come together, with what they say
//! about time: a wait that only time ends, or one that somebody must end.

use std::cmp::Reverse;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::{Decision, Hold, Verdict};

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Each with the end that only time brings, where it has one.
    findings: Vec<(Option<DateTime<Utc>>, Finding)>,
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
        self.findings.push((None, finding));
    }

    /// Notes several facts that stay as they are.
    pub(crate) fn add_all(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    /// Notes that an address was silent: that says nothing about what it serves.
    pub(crate) fn add_silence(&mut self, finding: Finding) {
        self.findings.push((None, finding));
    }

    /// Notes a wait that ends by itself.
    pub(crate) fn add_until(&mut self, end: DateTime<Utc>, finding: Finding) {
        self.until = self.until.max(Some(end));
        self.findings.push((Some(end), finding));
    }

    /// Sums up: the heaviest finding decides. Of those of one weight, what
    /// somebody has to see to stands before what time ends, and that by its end,
    /// the last one first: it is the one that decides.
    pub(crate) fn verdict(
        mut self,
        agreed_since: Option<DateTime<Utc>>,
        hold: Option<Hold>,
    ) -> Verdict {
        self.findings.sort_by(|(a_end, a), (b_end, b)| {
            let of_end = |end: &Option<DateTime<Utc>>| (end.is_some(), Reverse(*end));
            let key = |f: &Finding| (rank(f.code), f.code, f.server.clone(), f.message.clone());
            let weight = b.severity.cmp(&a.severity);
            weight
                .then_with(|| of_end(a_end).cmp(&of_end(b_end)))
                .then_with(|| key(a).cmp(&key(b)))
        });
        let mut findings: Vec<Finding> = self
            .findings
            .into_iter()
            .map(|(_, finding)| finding)
            .collect();
        findings.dedup();
        let decision = findings
            .first()
            .map_or(Decision::Safe, |worst| worst.severity.into());
        let safe_at = self
            .until
            .filter(|_| decision == Decision::Wait && !self.open);
        let settled = !self.unsettled;
        Verdict {
            decision,
            safe_at,
            agreed_since,
            hold,
            findings,
            settled,
            rested: false,
            cleared: false,
            unpublished: false,
        }
    }
}

/// Findings of one weight stand in this order: what causes others before what
/// follows from it, so that the first one is what somebody has to see to.
fn rank(code: &str) -> u8 {
    match code {
        "clock-before-build" | "nothing-expected" | "check-timeout" | "limits-exceeded"
        | "no-route" => 0,
        "signature-expired" | "insecure" => 1,
        // What is wrong with one server, or with what it gives.
        "bogus" | "denial-unproven" | "old-record-missing" | "not-published" | "unreachable" => 2,
        "servfail"
        | "refused"
        | "not-authoritative"
        | "malformed"
        | "error-code"
        | "truncated-without-tcp" => 3,
        "machines-differ"
        | "record-missing"
        | "parameter-set-unmatched"
        | "signature-expires-soon" => 4,
        // What follows from all that.
        "rrset-differs" | "serial-behind" | "serial-unknown" | "resolver-stale" => 6,
        "no-servers" | "zone-not-found" | "zone-unknown" | "chain-incomplete" | "indeterminate" => {
            7
        }
        "cname-target-insecure"
        | "host-address-insecure"
        | "host-address-unknown"
        | "old-signature-unknown" => 8,
        "hold-not-elapsed" => 9,
        _ => 5,
    }
}

/// The end of a span as a whole second that is not before it, so that what is
/// printed is never too early.
pub(crate) fn end(start: DateTime<Utc>, length: TimeDelta) -> DateTime<Utc> {
    let end = start
        .checked_add_signed(length)
        .unwrap_or(DateTime::<Utc>::MAX_UTC);
    match end.duration_trunc(TimeDelta::seconds(1)) {
        Ok(whole) if whole < end => whole + TimeDelta::seconds(1),
        Ok(whole) => whole,
        // Out of the range that can be rounded, some centuries from now.
        Err(_) => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::fixtures::at;

    #[test]
    fn causes_stand_before_what_follows_and_the_last_end_before_others() {
        let finding = |code, severity| Finding::new(code, severity, "as it is");
        let mut ledger = Ledger::default();
        for (code, severity) in [
            ("host-address-insecure", Severity::Unsafe),
            ("delegation-differs", Severity::Note),
            ("rrset-differs", Severity::Wait),
            ("bogus", Severity::Unsafe),
            ("record-missing", Severity::Wait),
            ("signature-expired", Severity::Unsafe),
        ] {
            ledger.add(finding(code, severity));
        }
        ledger.add_until(at("12:00:00"), finding("hold-not-elapsed", Severity::Wait));
        ledger.add_until(at("14:00:00"), finding("resolver-stale", Severity::Wait));
        let verdict = ledger.verdict(None, None);
        let codes: Vec<&str> = verdict
            .findings
            .iter()
            .map(|finding| finding.code)
            .collect();
        assert_eq!(
            codes,
            [
                "signature-expired",
                "bogus",
                "host-address-insecure",
                "record-missing",
                "rrset-differs",
                "resolver-stale",
                "hold-not-elapsed",
                "delegation-differs",
            ]
        );
    }

    #[test]
    fn each_kind_stands_before_what_may_follow_from_it() {
        let ranks: &[&[&str]] = &[
            &[
                "clock-before-build",
                "nothing-expected",
                "check-timeout",
                "limits-exceeded",
                "no-route",
            ],
            &["signature-expired", "insecure"],
            &[
                "bogus",
                "denial-unproven",
                "old-record-missing",
                "not-published",
                "unreachable",
            ],
            &[
                "servfail",
                "refused",
                "not-authoritative",
                "malformed",
                "error-code",
                "truncated-without-tcp",
            ],
            &[
                "machines-differ",
                "record-missing",
                "parameter-set-unmatched",
                "signature-expires-soon",
            ],
            &["alias-not-followed", "ds-differs", "ttl-above-signed"],
            &[
                "rrset-differs",
                "serial-behind",
                "serial-unknown",
                "resolver-stale",
            ],
            &[
                "no-servers",
                "zone-not-found",
                "zone-unknown",
                "chain-incomplete",
                "indeterminate",
            ],
            &[
                "cname-target-insecure",
                "host-address-insecure",
                "host-address-unknown",
                "old-signature-unknown",
            ],
            &["hold-not-elapsed"],
        ];
        for (at, (causes, follow)) in ranks.iter().zip(&ranks[1..]).enumerate() {
            for (cause, follows) in causes
                .iter()
                .flat_map(|c| follow.iter().map(move |f| (c, f)))
            {
                for codes in [[*cause, *follows], [*follows, *cause]] {
                    let mut ledger = Ledger::default();
                    ledger.add_all(codes.map(|code| Finding::new(code, Severity::Unknown, "so")));
                    let first = ledger.verdict(None, None).findings[0].code;
                    assert_eq!(first, *cause, "{at}: {codes:?}");
                }
            }
        }
    }

    #[test]
    fn an_end_is_a_whole_second_and_never_early() {
        let start = at("12:00:00");
        for (millis, seconds) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2)] {
            assert_eq!(
                end(start, TimeDelta::milliseconds(millis)),
                start + TimeDelta::seconds(seconds)
            );
        }
        let far = DateTime::<Utc>::MAX_UTC;
        assert_eq!(end(far, TimeDelta::days(1)), far);
    }
}
