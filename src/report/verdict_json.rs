//! The verdict for programs: the fields of the document of `verify`. Names and
//! meanings are promised; what is not known is null, never left out.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::address_text;
use crate::propagation::evidence::{Hop, ResolverAnswer, ServerAnswer};
use crate::propagation::memory::KeyChange;
use crate::propagation::{Judged, moment, overall};
use crate::report::sentence::worst;
use crate::tlsa::Tlsa;

/// The fields `verdict`, `checked_at`, `safe_at`, `why` and `targets`.
#[must_use]
pub fn fields(targets: &[Judged], checked_at: DateTime<Utc>) -> Map<String, Value> {
    let (decision, safe_at) = overall(targets.iter().map(|target| &target.verdict));
    let mut fields = Map::new();
    fields.insert("verdict".to_owned(), json!(decision.word()));
    fields.insert("checked_at".to_owned(), json!(moment(checked_at)));
    fields.insert("safe_at".to_owned(), json!(safe_at.map(moment)));
    fields.insert("why".to_owned(), why(targets, true));
    fields.insert("targets".to_owned(), targets.iter().map(target).collect());
    fields
}

/// The finding that decides, if anything is in the way; of several targets with the owner.
fn why(targets: &[Judged], with_owner: bool) -> Value {
    let Some((target, decides)) =
        worst(targets).filter(|(_, finding)| finding.severity > Severity::Note)
    else {
        return Value::Null;
    };
    let mut why = finding(decides);
    if with_owner {
        why["owner"] = json!(target.evidence.owner.to_string());
    }
    why
}

fn target(judged: &Judged) -> Value {
    let Judged {
        evidence,
        expectation,
        verdict,
        watch,
    } = judged;
    let servers = evidence
        .hops
        .iter()
        .flat_map(|hop| hop.servers.iter().map(move |answer| (hop, answer)));
    json!({
        "owner": evidence.owner.to_string(),
        "zone": evidence.hops.first().map(|hop| hop.zone.to_string()),
        "verdict": verdict.decision.word(),
        "expected": texts(expectation.expected()),
        "current": expectation.current().map(texts),
        "agreed_since": verdict.agreed_since.map(moment),
        "hold_seconds": verdict.hold.and_then(|hold| hold.length).map(|length| length.num_seconds()),
        "safe_at": verdict.safe_at.map(moment),
        "why": why(std::slice::from_ref(judged), false),
        "servers": servers.map(|(hop, answer)| server(hop, answer, watch, &verdict.findings)).collect::<Vec<_>>(),
        "resolvers": evidence.resolvers.iter().map(resolver).collect::<Vec<_>>(),
        "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// One server; `findings` has the codes of the target's findings about it.
fn server(hop: &Hop, answer: &ServerAnswer, watch: &KeyChange, findings: &[Finding]) -> Value {
    let name = answer.label();
    let seen = watch.servers.get(&hop.server_key(answer));
    let mut codes: Vec<&str> = findings
        .iter()
        .filter(|f| f.server.as_deref() == Some(name.as_str()))
        .map(|f| f.code)
        .collect();
    codes.dedup();
    json!({
        "name": answer.name.to_string(),
        "address": answer.address.map(address_text),
        "owner": hop.owner.to_string(),
        "outcome": answer.outcome.word(),
        "security": answer.security.word(),
        "serial": answer.serial,
        "ttl": answer.ttl,
        "records": texts(&answer.records),
        "alias": answer.alias.as_ref().map(ToString::to_string),
        "signature_expires": answer.signature_expires.map(moment),
        "agreed_since": seen.and_then(|seen| seen.since).map(moment),
        "last_heard": seen.and_then(|seen| seen.heard_at).map(moment),
        "amiss_since": seen.and_then(|seen| seen.amiss.as_ref()).map(|amiss| moment(amiss.since)),
        "findings": codes,
    })
}

/// One resolver. It is secure as far as it says so itself; what it does not
/// say is not known.
fn resolver(answer: &ResolverAnswer) -> Value {
    json!({
        "address": address_text(answer.address),
        "outcome": answer.outcome.word(),
        "security": if answer.authenticated { "secure" } else { "indeterminate" },
        "ttl": answer.ttl,
        "records": texts(&answer.records),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code,
        "severity": finding.severity.word(),
        "server": finding.server,
        "message": finding.message,
    })
}

fn texts(records: &[Tlsa]) -> Vec<String> {
    records.iter().map(Tlsa::to_string).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::propagation::evidence::Outcome;
    use crate::propagation::fixtures::{at, evidence, failing, key, name, resolver, server};
    use crate::propagation::memory::Memory;
    use crate::propagation::{Expectation, HoldWish, Policy, check};

    fn keys(value: &Value) -> Vec<&str> {
        value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    #[test]
    fn every_promised_field_is_there_in_its_order() {
        let both = [key("new"), key("old")];
        let mut seen = evidence(vec![server(1, &both), failing(2, Outcome::Unreachable)]);
        seen.resolvers = vec![resolver(&[key("old")], 1200)];
        let expectation = Expectation::new(vec![key("new")], Some(vec![key("old")]));
        let policy = Policy {
            hold: HoldWish::For(TimeDelta::hours(2)),
            since: None,
            allow_unreachable: 1,
        };
        let memory = Memory::empty(&name("example.com"));
        let (verdict, memory) = check(&seen, &expectation, &memory, &policy, at("12:00:00"));
        let watch = memory.of(&seen.owner, &expectation);
        let judged = Judged {
            evidence: seen,
            expectation,
            verdict,
            watch,
        };
        let document = Value::Object(fields(&[judged], at("12:00:00")));
        assert_eq!(
            keys(&document),
            ["verdict", "checked_at", "safe_at", "why", "targets"]
        );
        assert_eq!(document["safe_at"], "2026-11-21T14:00:00Z");
        let target = &document["targets"][0];
        let promised = [
            "owner",
            "zone",
            "verdict",
            "expected",
            "current",
            "agreed_since",
            "hold_seconds",
            "safe_at",
        ];
        assert_eq!(
            keys(target),
            [&promised[..], &["why", "servers", "resolvers", "findings"]].concat()
        );
        assert_eq!(target["owner"], "_25._tcp.mail.example.com.");
        assert_eq!(target["hold_seconds"], 7200);
        assert_eq!(
            keys(&target["why"]),
            ["code", "severity", "server", "message"]
        );
        assert_eq!(
            keys(&document["why"]),
            ["code", "severity", "server", "message", "owner"]
        );
        let decides = target["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["severity"] == "wait")
            .unwrap();
        assert_eq!(
            (&target["why"], &document["why"]["owner"]),
            (decides, &target["owner"])
        );
        assert_eq!(target["expected"], json!([key("new").to_string()]));
        let server = &target["servers"][0];
        for field in [
            "name",
            "address",
            "outcome",
            "security",
            "serial",
            "ttl",
            "records",
            "signature_expires",
            "last_heard",
            "findings",
        ] {
            assert!(
                server.get(field).is_some_and(|value| !value.is_null()),
                "{field}"
            );
        }
        assert_eq!(server["address"], "192.0.2.1");
        assert_eq!(server["agreed_since"], "2026-11-21T12:00:00Z");
        let silent = &target["servers"][1];
        assert_eq!(
            (&silent["serial"], &silent["findings"]),
            (&Value::Null, &json!(["unreachable"]))
        );
        assert_eq!(
            (&silent["amiss_since"], &server["amiss_since"]),
            (&Value::Null, &Value::Null),
            "one is permitted"
        );
        assert_eq!(
            keys(&target["resolvers"][0]),
            ["address", "outcome", "security", "ttl", "records"]
        );
        assert_eq!(
            keys(&target["findings"][0]),
            ["code", "severity", "server", "message"]
        );
    }

    #[test]
    fn what_is_not_known_is_null() {
        let mut seen = evidence(Vec::new());
        seen.hops.clear();
        let expectation = Expectation::new(vec![key("new")], None);
        let memory = Memory::empty(&name("example.com"));
        let verdict = check(
            &seen,
            &expectation,
            &memory,
            &Policy::default(),
            at("12:00:00"),
        )
        .0;
        let document = Value::Object(fields(
            &[Judged {
                evidence: seen,
                expectation,
                verdict,
                watch: KeyChange::default(),
            }],
            at("12:00:00"),
        ));
        assert_eq!(
            (&document["verdict"], &document["safe_at"]),
            (&json!("unknown"), &Value::Null)
        );
        for field in ["zone", "current", "agreed_since", "safe_at"] {
            assert_eq!(document["targets"][0][field], Value::Null, "{field}");
            assert!(keys(&document["targets"][0]).contains(&field));
        }
    }
}
