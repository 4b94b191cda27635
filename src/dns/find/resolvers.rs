//! What a sender of mail would be told now: each resolver asked for the TLSA
//! set as a sender asks. Information about caches, never proof.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};

use crate::dns::wire::convert::{tlsa, to_hickory};
use crate::dns::wire::exchange::Asker;
use crate::dns::wire::question::{Question, Role};
use crate::dns::wire::reading::failure;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Outcome, ResolverAnswer};

/// Looks at an answer again, with a zone above the owner's, if one is known: one
/// that has an answer to nothing is not one about the owner.
pub(crate) async fn weigh(
    asker: &Arc<Asker>,
    mut answer: ResolverAnswer,
    above: Option<&Name>,
) -> ResolverAnswer {
    let resolver = answer.address;
    if answer.outcome == Outcome::ServFail && is_broken(asker, resolver, above).await {
        let words = "this resolver answers SERVFAIL to other questions as well, so it is broken, and is not counted";
        answer
            .findings
            .push(Finding::new("resolver-broken", Severity::Note, words).at(resolver.to_string()));
    }
    answer
}

/// Whether the resolver has no answer about zones that have nothing to do with the owner's.
async fn is_broken(asker: &Arc<Asker>, resolver: SocketAddr, above: Option<&Name>) -> bool {
    let root = Name::root();
    for zone in std::iter::once(&root).chain(above) {
        let question = Question {
            name: to_hickory(zone),
            kind: RecordType::SOA,
            role: Role::Sender,
        };
        let reply = asker.ask(resolver, &question).await;
        if reply.is_ok_and(|answer| {
            matches!(
                answer.metadata.response_code,
                ResponseCode::NoError | ResponseCode::NXDomain
            )
        }) {
            return false;
        }
    }
    true
}

/// What the resolver gives for the owner.
pub(crate) async fn ask(asker: &Arc<Asker>, resolver: SocketAddr, owner: &Name) -> ResolverAnswer {
    let question = Question {
        name: to_hickory(owner),
        kind: RecordType::TLSA,
        role: Role::Sender,
    };
    let reply = asker.ask(resolver, &question).await;
    let mut answer = ResolverAnswer {
        address: resolver,
        outcome: Outcome::Unreachable,
        authenticated: false,
        ttl: None,
        records: Vec::new(),
        findings: Vec::new(),
    };
    let message = match reply {
        Ok(message) => message,
        Err(outcome) => {
            answer.outcome = outcome;
            return answer;
        }
    };
    answer.records = message.answers.iter().filter_map(tlsa).collect();
    answer.records.sort();
    answer.records.dedup();
    answer.outcome = match message.metadata.response_code {
        ResponseCode::NoError if answer.records.is_empty() => Outcome::NoData,
        ResponseCode::NoError => Outcome::Answered,
        ResponseCode::NXDomain => Outcome::NoName,
        code => failure(code),
    };
    if !matches!(
        answer.outcome,
        Outcome::Answered | Outcome::NoData | Outcome::NoName
    ) {
        return answer;
    }
    // Of an alias and its target, the one that is kept longer leads to the old set longer.
    answer.ttl = match answer.outcome {
        Outcome::Answered => {
            let kept = |kind| matches!(kind, RecordType::TLSA | RecordType::CNAME);
            message
                .answers
                .iter()
                .filter(|record| kept(record.record_type()))
                .map(|record| record.ttl)
                .max()
        }
        _ => message
            .authorities
            .iter()
            .find_map(|record| match &record.data {
                RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
                _ => None,
            }),
    };
    answer.authenticated = message.metadata.authentic_data;
    if !answer.authenticated {
        let words = "the resolver does not say that it has validated the answer";
        answer.findings.push(
            Finding::new("resolver-not-validating", Severity::Note, words).at(resolver.to_string()),
        );
    }
    answer
}
