//! What each server serves, alone and next to the others, and what resolvers
//! still hold.
//!
//! A server without the new record is waited for. A server whose set lacks a
//! record of the *deployed* key is unsafe: senders that ask it refuse to
//! deliver. Which records those are is known from the user (`--current`), else
//! from `patch`, which recorded the set it found, else guessed: a set that holds
//! nothing but new records where another server held others before was replaced
//! instead of joined. The guess ends with the first *safe*, because then the new
//! key may be deployed and the old records pruned.
//!
//! A server with no set at all is waited for in any case: senders then deliver
//! without DANE, as they do before the first publication.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::{
    Evidence, Hop, Outcome, Security, ServerAnswer, address_text, lacks_any,
};
use crate::propagation::ledger::Ledger;
use crate::propagation::memory::{KeyChange, Resolvers, held_until};
use crate::propagation::silence::Waived;
use crate::propagation::{Expectation, brief_list};
use crate::serial;
use crate::tlsa::Tlsa;

/// Judges what the servers that answered serve.
pub(crate) fn judge(
    evidence: &Evidence,
    expectation: &Expectation,
    watch: &KeyChange,
    waived: &Waived,
    ledger: &mut Ledger,
) {
    if expectation.current().is_none() {
        ledger.add(unnamed(watch));
    }
    for (index, hop) in evidence.hops.iter().enumerate() {
        let next = evidence.hops.get(index + 1);
        for server in hop
            .servers
            .iter()
            .filter(|server| server.answered() && !waived.contains(hop, server))
        {
            let findings = match next {
                Some(next) => alias_missing(server, next),
                None => records_missing(server, expectation.expected()),
            };
            for finding in findings
                .into_iter()
                .chain(old_missing(server, expectation, watch))
            {
                ledger.add(finding.at(server.label()));
            }
            if server.serial.is_none() {
                let text = format!("gave no serial for {}", hop.zone);
                ledger.add(
                    Finding::new("serial-unknown", Severity::Unknown, text).at(server.label()),
                );
            }
        }
        differing(hop, ledger);
        behind(hop, is_same_everywhere(hop), ledger);
    }
}

/// What is not checked, or only by what is known otherwise, without `--current`.
fn unnamed(watch: &KeyChange) -> Finding {
    let text = if watch.old.by_patch {
        "the deployed key is not named: whether its records are still there was judged by what patch found in the zone"
    } else {
        "the deployed key is not named, so whether its records are still published was not checked"
    };
    Finding::new("current-not-named", Severity::Note, text)
}

/// Whether nobody publishes any of the records, although every server was heard
/// and all have the same serial: then there is nothing to wait for, unless `patch`
/// has put the records into the zone since.
pub(crate) fn judge_unpublished(
    evidence: &Evidence,
    expectation: &Expectation,
    watch: &KeyChange,
    ledger: &mut Ledger,
) -> bool {
    let Some(hop) = evidence.hops.last() else {
        return false;
    };
    let serials: BTreeSet<Option<u32>> = hop.servers.iter().map(|server| server.serial).collect();
    let without = |server: &ServerAnswer| {
        let none = !expectation
            .expected()
            .iter()
            .any(|record| server.records.contains(record));
        server.answered() && server.security == Security::Secure && server.alias.is_none() && none
    };
    let expects = !expectation.expected().is_empty();
    let all = expects && !hop.servers.is_empty() && hop.servers.iter().all(without);
    let unpublished =
        all && serials.len() == 1 && !serials.contains(&None) && watch.patched_at.is_none();
    if unpublished {
        let text = format!(
            "no server of {} has any of the records, and all have the same serial",
            hop.zone
        );
        ledger.add(Finding::new("not-published", Severity::Wait, text));
    }
    unpublished
}

fn records_missing(server: &ServerAnswer, expected: &[Tlsa]) -> Option<Finding> {
    if let Some(alias) = &server.alias {
        let text = format!("has an alias to {alias}, which was not followed");
        return Some(Finding::new("alias-not-followed", Severity::Unknown, text));
    }
    let lacking: Vec<&Tlsa> = expected
        .iter()
        .filter(|record| !server.records.contains(record))
        .collect();
    if lacking.is_empty() {
        return None;
    }
    let text = match server.outcome {
        Outcome::NoName => "has no such name yet".to_owned(),
        _ if server.records.is_empty() => "has no TLSA record yet".to_owned(),
        _ => format!("lacks {}", brief_list(lacking)),
    };
    Some(Finding::new("record-missing", Severity::Wait, text))
}

fn alias_missing(server: &ServerAnswer, next: &Hop) -> Option<Finding> {
    match &server.alias {
        Some(alias) if *alias == next.owner => None,
        Some(alias) => {
            let text = format!(
                "has an alias to {alias} where others have one to {}",
                next.owner
            );
            Some(Finding::new("rrset-differs", Severity::Wait, text))
        }
        None => {
            let text = format!("lacks the alias to {} that others have", next.owner);
            Some(Finding::new("record-missing", Severity::Wait, text))
        }
    }
}

/// A set without the record of the deployed key loses mail now.
fn old_missing(
    server: &ServerAnswer,
    expectation: &Expectation,
    watch: &KeyChange,
) -> Option<Finding> {
    if server.records.is_empty() {
        return None;
    }
    let lacking = |records: &[Tlsa]| -> Vec<Tlsa> {
        records
            .iter()
            .filter(|record| !server.records.contains(record))
            .cloned()
            .collect()
    };
    let (lacking, whose) = match expectation.current() {
        Some(current) => (lacking(current), "the deployed key"),
        None if watch.calm_since().is_some() => return None,
        None if watch.old.by_patch => (lacking(&watch.old.records), "the set before the change"),
        None => {
            let only_new = server
                .records
                .iter()
                .all(|record| expectation.expected().contains(record));
            let gone = lacking(&watch.old.records);
            let replaced = only_new && gone.len() == watch.old.records.len();
            (
                if replaced { gone } else { Vec::new() },
                "the set before, which was replaced instead of joined",
            )
        }
    };
    if lacking.is_empty() {
        return None;
    }
    let text = format!("lacks {} of {whose}", brief_list(&lacking));
    Some(Finding::new("old-record-missing", Severity::Unsafe, text))
}

fn differing(hop: &Hop, ledger: &mut Ledger) {
    let heard = hop
        .servers
        .iter()
        .filter(|server| server.outcome == Outcome::Answered && server.alias.is_none());
    let sets: BTreeSet<BTreeSet<&Tlsa>> = heard
        .map(|server| server.records.iter().collect())
        .collect();
    if sets.len() > 1 {
        let text = format!(
            "the servers of {} serve {} different sets",
            hop.zone,
            sets.len()
        );
        ledger.add(Finding::new("rrset-differs", Severity::Wait, text));
    }
}

/// Whether every server answers with the same, proven.
fn is_same_everywhere(hop: &Hop) -> bool {
    let sorted = |server: &ServerAnswer| {
        (
            server.alias.clone(),
            server.records.iter().cloned().collect::<BTreeSet<_>>(),
        )
    };
    let first = hop.servers.first().map(sorted);
    hop.servers.iter().all(|server| {
        let proven = server.outcome == Outcome::Answered && server.security == Security::Secure;
        proven && Some(sorted(server)) == first
    })
}

/// A serial says that a server lags as long as sets differ. Where all give the
/// same, the zone may have several signers with serials of their own (RFC 8901),
/// or change all the time.
fn behind(hop: &Hop, same: bool, ledger: &mut Ledger) {
    let severity = if same { Severity::Note } else { Severity::Wait };
    // A server that gave its serial and no answer lags as any other does.
    let serials: BTreeSet<u32> = hop
        .servers
        .iter()
        .filter_map(|server| server.serial)
        .collect();
    for server in &hop.servers {
        let Some(serial) = server.serial else {
            continue;
        };
        let newer = |other: &&u32| serial::compare(serial, **other).is_none_or(Ordering::is_lt);
        if let Some(newer) = serials.iter().find(newer) {
            let text = format!(
                "has serial {serial} of {}, another server has {newer}",
                hop.zone
            );
            ledger.add(Finding::new("serial-behind", severity, text).at(server.label()));
        }
    }
}

/// Judges what the resolvers answer: a set without the new record is waited
/// for until it leaves the cache, and SERVFAIL is what one that validates says
/// of an answer that it does not believe; anything else is worth a note. They
/// never make anything better.
pub(crate) fn judge_resolvers(
    evidence: &Evidence,
    expectation: &Expectation,
    remembered: &Resolvers,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) {
    judge_remembered(evidence, expectation, remembered, now, ledger);
    for resolver in &evidence.resolvers {
        let name = address_text(resolver.address);
        let failed = resolver.outcome == Outcome::ServFail;
        let broken = resolver
            .findings
            .iter()
            .any(|finding| finding.code == "resolver-broken");
        for finding in &resolver.findings {
            let code = finding.code == resolver.outcome.word();
            let severity = if failed && code && !broken {
                Severity::Unknown
            } else {
                Severity::Note
            };
            ledger.add(Finding {
                severity,
                server: Some(name.clone()),
                ..finding.clone()
            });
        }
        let told = |code: &str| resolver.findings.iter().any(|finding| finding.code == code);
        let note = |code, text: &str| Finding::new(code, Severity::Note, text).at(name.clone());
        match resolver.outcome {
            Outcome::Answered => {}
            Outcome::NoData | Outcome::NoName => {
                ledger.add(note("resolver-stale", "this resolver has no record yet"))
            }
            // To whoever asks it, it says nothing about this name.
            Outcome::ServFail if told("resolver-broken") => {}
            outcome if told(outcome.word()) => {}
            Outcome::ServFail => {
                let text =
                    "this resolver answers SERVFAIL: senders that ask one like it put off delivery";
                ledger.add(Finding::new("servfail", Severity::Unknown, text).at(name.clone()));
            }
            outcome => ledger.add(note(
                outcome.word(),
                "this resolver gave no answer to judge",
            )),
        }
        if matches!(
            resolver.outcome,
            Outcome::Answered | Outcome::NoData | Outcome::NoName
        ) && !resolver.authenticated
            && !told("resolver-not-validating")
        {
            ledger.add(note(
                "resolver-not-validating",
                "this resolver does not say that it has validated its answer",
            ));
        }
        if resolver.outcome != Outcome::Answered
            || !lacks_any(&resolver.records, expectation.expected())
        {
            continue;
        }
        let stale =
            |text: String| Finding::new("resolver-stale", Severity::Wait, text).at(name.clone());
        let seen = remembered.stale_until(&resolver.address.to_string(), expectation.expected());
        match seen.or_else(|| resolver.ttl.map(|ttl| held_until(now, ttl))) {
            Some(until) if until > now => {
                let text = format!(
                    "this resolver holds a set without the new record until {}",
                    super::moment(until)
                );
                ledger.add_until(until, stale(text));
            }
            Some(_) => {}
            None => ledger.add(stale(
                "this resolver holds a set without the new record".to_owned(),
            )),
        }
    }
}

/// A resolver that was seen with another set still has it, even if it gives no set now.
fn judge_remembered(
    evidence: &Evidence,
    expectation: &Expectation,
    remembered: &Resolvers,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) {
    for resolver in evidence
        .resolvers
        .iter()
        .filter(|resolver| resolver.outcome != Outcome::Answered)
    {
        let held = remembered.stale_until(&resolver.address.to_string(), expectation.expected());
        if let Some(until) = held.filter(|until| *until > now) {
            let text = format!(
                "this resolver held a set without the new record that lasts until {}",
                super::moment(until)
            );
            let name = address_text(resolver.address);
            ledger.add_until(
                until,
                Finding::new("resolver-stale", Severity::Wait, text).at(name),
            );
        }
    }
}
