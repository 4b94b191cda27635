//! What is worth telling of a set and its signatures beside what they prove.

use chrono::TimeDelta;

use crate::dns::wire::rrset::RrSet;
use crate::finding::{Finding, Severity};

/// A signature is to outlive the TTL by this long.
const MARGIN: TimeDelta = TimeDelta::hours(1);
/// As far apart clocks may well be: one of them in another zone of time.
const CLOCKS: TimeDelta = TimeDelta::hours(14);

/// What is told of a signature that is not used, beside one that holds.
pub(super) fn beside(mut finding: Finding) -> Finding {
    if finding.severity == Severity::Unsafe {
        finding.code = "signature-unused";
    }
    finding
        .message
        .push_str(", and is not needed: another one holds");
    Finding {
        severity: Severity::Note,
        ..finding
    }
}

/// A TTL above the one that was signed, which validators cut down (RFC 4035 section 5.3.3).
pub(super) fn raised(set: &RrSet, original: u32) -> Option<Finding> {
    let served = set.ttl();
    (served > original).then(|| {
        let message = format!(
            "{} is served with a TTL of {served}, above the signed {original}, to which validators cut it down",
            set.title()
        );
        Finding::new("ttl-above-signed", Severity::Note, message)
    })
}

/// A signature that expires before caches let go of the set, or soon after.
pub(super) fn life_left(set: &RrSet, left: TimeDelta, ttl: u32) -> Option<Finding> {
    let ttl = TimeDelta::seconds(i64::from(ttl));
    let severity = if left <= ttl {
        Severity::Unsafe
    } else {
        Severity::Note
    };
    (left < ttl + MARGIN).then(|| {
        let message = format!(
            "a signature over {} expires in {} seconds, and caches keep the set for {}",
            set.title(),
            left.num_seconds(),
            ttl.num_seconds()
        );
        Finding::new("signature-expires-soon", severity, message)
    })
}

/// Where so little is missing, it may be missing here.
pub(super) fn clock_question(apart: TimeDelta) -> &'static str {
    if apart <= CLOCKS {
        ": is this machine's clock right?"
    } else {
        ""
    }
}
