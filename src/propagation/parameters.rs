//! The records in the sets beside the expected ones.
//!
//! "Each and every parameter combination that appears in the TLSA RRset is, on
//! its own, sufficient to match the server's current certificate chain" (RFC
//! 7671 section 8): a client may know only one usage, or only one digest, or
//! drop weaker digests where there is a stronger one (section 9). So a usage,
//! selector and matching type that stands in the set without a record of the
//! new key is unsafe as soon as that key is deployed, unless another server has
//! it right already: then this one is waited for. Where the files do not tell
//! what the new chain comes to under those parameters (a CA record, and only a
//! key was given), the answer is unknown.
//!
//! Records that no client can use (unknown numbers, digests of a wrong length)
//! match nothing and spoil nothing: a note.

use std::collections::{BTreeMap, BTreeSet};

use crate::dane::is_usable;
use crate::finding::{Finding, Severity};
use crate::propagation::evidence::{Evidence, Outcome, ServerAnswer};
use crate::propagation::ledger::Ledger;
use crate::propagation::{Expectation, brief};
use crate::tlsa::{Params, Tlsa};

/// The parameters in use at the last owner that no expected record has.
pub(crate) fn open_parameters(evidence: &Evidence, expectation: &Expectation) -> BTreeSet<Params> {
    let used = final_sets(evidence)
        .flat_map(|server| &server.records)
        .filter(|record| is_usable(record));
    let known: BTreeSet<Params> = expectation
        .expected
        .iter()
        .map(|record| record.params)
        .collect();
    used.map(|record| record.params)
        .filter(|params| !known.contains(params))
        .collect()
}

/// Whether the set has a record of parameters that no new key is known to match
/// with: caches that hold it are waited for as those are that hold the old set.
pub(crate) fn has_unmatched(records: &[Tlsa], expectation: &Expectation) -> bool {
    let known = |params: Params| {
        expectation
            .expected
            .iter()
            .any(|record| record.params == params)
    };
    let open = records
        .iter()
        .filter(|record| is_usable(record) && !known(record.params));
    open.into_iter().any(|record| {
        let keys = expectation
            .derived
            .get(&record.params)
            .map(Vec::as_slice)
            .unwrap_or_default();
        keys.is_empty()
            || !keys
                .iter()
                .all(|key| key.iter().any(|record| records.contains(record)))
    })
}

/// Judges the records that were not asked for.
pub(crate) fn judge(evidence: &Evidence, expectation: &Expectation, ledger: &mut Ledger) {
    for params in open_parameters(evidence, expectation) {
        judge_parameters(evidence, expectation, params, ledger);
    }
    let mut odd: BTreeMap<&Tlsa, &ServerAnswer> = BTreeMap::new();
    for server in final_sets(evidence) {
        for record in server
            .records
            .iter()
            .filter(|r| !is_usable(r) || r.is_digest_of_nothing())
        {
            odd.entry(record).or_insert(server);
        }
    }
    for record in odd.into_keys() {
        ledger.add(oddity(record));
    }
}

fn judge_parameters(
    evidence: &Evidence,
    expectation: &Expectation,
    params: Params,
    ledger: &mut Ledger,
) {
    let keys = expectation
        .derived
        .get(&params)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if keys.is_empty() {
        let text = format!(
            "the set has {params} records, and the files do not tell which of them the new key matches"
        );
        ledger.add(Finding::new(
            "parameter-set-unmatched",
            Severity::Unknown,
            text,
        ));
        return;
    }
    let unmatched = |server: &&ServerAnswer| {
        let used = server
            .records
            .iter()
            .any(|record| record.params == params && is_usable(record));
        used && !keys
            .iter()
            .all(|key| key.iter().any(|record| server.records.contains(record)))
    };
    let has_all = |server: &ServerAnswer| {
        expectation
            .expected
            .iter()
            .all(|record| server.records.contains(record))
    };
    let right_somewhere = final_sets(evidence).any(|server| has_all(server) && !unmatched(&server));
    let severity = if right_somewhere {
        Severity::Wait
    } else {
        Severity::Unsafe
    };
    for server in final_sets(evidence).filter(unmatched) {
        let text = format!("has {params} records and none for the new key");
        ledger.add(Finding::new("parameter-set-unmatched", severity, text).at(server.label()));
    }
}

fn final_sets(evidence: &Evidence) -> impl Iterator<Item = &ServerAnswer> {
    let servers = evidence
        .hops
        .last()
        .map(|hop| hop.servers.as_slice())
        .unwrap_or_default();
    servers
        .iter()
        .filter(|server| server.outcome == Outcome::Answered && !server.records.is_empty())
}

fn oddity(record: &Tlsa) -> Finding {
    let name = brief(record);
    let (code, text) = if record.is_digest_of_nothing() {
        (
            "digest-of-nothing",
            format!("{name} is the digest of empty input, which no key has"),
        )
    } else if record
        .params
        .matching
        .octets()
        .is_some_and(|octets| octets != record.data.len())
    {
        (
            "wrong-length",
            format!(
                "{name} has {} octets, which its matching type does not give",
                record.data.len()
            ),
        )
    } else {
        (
            "unknown-parameters",
            format!("{name} has numbers that no client knows"),
        )
    };
    Finding::new(code, Severity::Note, text)
}
