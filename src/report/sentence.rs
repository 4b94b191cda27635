//! A finding as a sentence, and the one that decides.

use std::cmp::Reverse;

use crate::finding::Finding;
use crate::propagation::Judged;
use crate::report::hints;
use crate::report::table::cell;

/// The finding that decides, with its target: the first of the heaviest, and not
/// one that only follows from another.
pub(crate) fn worst(targets: &[Judged]) -> Option<(&Judged, &Finding)> {
    let all = targets.iter().flat_map(|target| {
        target
            .verdict
            .findings
            .iter()
            .map(move |finding| (target, finding))
    });
    all.min_by_key(|(target, finding)| {
        (
            Reverse(finding.severity),
            hints::follows(finding, &target.verdict.findings),
        )
    })
}

/// The finding with the server it is about, escaped.
pub(crate) fn sentence(finding: &Finding) -> String {
    let server = finding
        .server
        .as_ref()
        .map(|server| format!("{server}: "))
        .unwrap_or_default();
    cell(&format!("{server}{}", finding.message))
}
