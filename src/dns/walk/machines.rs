//! One question shows one machine, and several may stand behind an address, of
//! which one lags or fails. Where all servers seem to agree, each address is
//! asked again, every time from another port, until eleven answers are known:
//! one of two machines that take turns by chance is missed then once in 1,024
//! times, which leaves 999 of 1,000 in which both are seen. Silence says nothing
//! of a second machine, as rate limits are silent, too, or truncate.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::rr::RecordType;

use crate::dns::limits;
use crate::dns::walk::context::Walk;
use crate::dns::walk::facts::Facts;
use crate::dns::walk::owner::answer;
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::Reply;
use crate::dns::wire::question::Question;
use crate::dns::wire::shared::together;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Outcome, Security, ServerAnswer, label};
use crate::tlsa::Tlsa;

impl Walk {
    /// What other machines at these servers' addresses answer: each that differs
    /// has an entry of its own after that of the first, and there is a finding.
    pub(crate) async fn machines(
        self: &Arc<Self>,
        facts: &Arc<Facts>,
        owner: &Name,
        first: Vec<ServerAnswer>,
    ) -> (Vec<ServerAnswer>, Vec<Finding>) {
        if !agree(&first) {
            return (first, Vec::new());
        }
        let sampling = first.into_iter().enumerate().map(|(index, first)| {
            let (walk, facts, owner) = (Arc::clone(self), Arc::clone(facts), owner.clone());
            async move {
                match first.address.filter(|_| first.answered()) {
                    Some(address) => walk.at_address(&facts, index, &owner, address, first).await,
                    None => vec![first],
                }
            }
        });
        let all = together(sampling).await;
        let several = all
            .iter()
            .filter(|entries| entries.len() > 1)
            .filter_map(|entries| entries.first());
        let findings = several.map(differ).collect();
        (all.into_iter().flatten().collect(), findings)
    }

    async fn at_address(
        self: &Arc<Self>,
        facts: &Arc<Facts>,
        index: usize,
        owner: &Name,
        address: SocketAddr,
        first: ServerAnswer,
    ) -> Vec<ServerAnswer> {
        let question = Question::authority(&to_hickory(owner), RecordType::TLSA);
        let samples = (1..limits::SAMPLES).map(|_| {
            let (walk, question) = (Arc::clone(self), question.clone());
            async move { walk.asker.ask_again(address, &question).await }
        });
        let samples: Vec<Reply> = together(samples).await;
        let budget = self.budget();
        let mut answers = vec![first];
        for reply in samples.into_iter().filter(is_answer) {
            let Some(server) = facts.servers.get(index) else {
                break;
            };
            let sample = answer(facts, server, owner, &reply, &budget);
            if let Some(known) = answers.iter_mut().find(|known| is_same(known, &sample)) {
                unite(known, sample);
            } else if answers.len() < limits::MACHINES {
                answers.push(sample);
            }
        }
        // Which of them was the first to answer is chance.
        answers.sort_by_cached_key(rank);
        answers
    }
}

/// Whether those that answered give one set or one alias, secure all of them:
/// otherwise more answers make no difference.
fn agree(first: &[ServerAnswer]) -> bool {
    let mut heard = first.iter().filter(|server| server.answered());
    let Some(one) = heard.next() else {
        return false;
    };
    let here = |server: &ServerAnswer| server.security == Security::Secure;
    let there_is_something = !one.records.is_empty() || one.alias.is_some();
    there_is_something
        && here(one)
        && heard.all(|s| here(s) && s.records == one.records && s.alias == one.alias)
}

/// Their order: by all in which two of them can differ.
fn rank(answer: &ServerAnswer) -> (String, Security, Vec<Tlsa>, Option<Name>, Option<u32>) {
    let outcome = format!("{:?}", answer.outcome);
    (
        outcome,
        answer.security,
        answer.records.clone(),
        answer.alias.clone(),
        answer.original_ttl,
    )
}

/// Not silence, of whatever kind.
fn is_answer(reply: &Reply) -> bool {
    !matches!(
        reply,
        Err(Outcome::Unreachable | Outcome::TruncatedWithoutTcp)
    )
}

/// Whether one machine may have given both: all but the time that is left is equal.
fn is_same(one: &ServerAnswer, other: &ServerAnswer) -> bool {
    one.outcome == other.outcome
        && one.security == other.security
        && one.records == other.records
        && one.alias == other.alias
        && one.original_ttl == other.original_ttl
}

/// Of the same answer, what makes it hold for longest and be true for shortest.
fn unite(known: &mut ServerAnswer, sample: ServerAnswer) {
    known.ttl = known.ttl.max(sample.ttl);
    known.negative_ttl = known.negative_ttl.max(sample.negative_ttl);
    known.signature_expires = known
        .signature_expires
        .into_iter()
        .chain(sample.signature_expires)
        .min();
    known.set_signature_expires = known
        .set_signature_expires
        .max(sample.set_signature_expires);
    for finding in sample.findings {
        // Seconds in a message may differ.
        if known
            .findings
            .iter()
            .all(|told| (told.code, told.severity) != (finding.code, finding.severity))
        {
            known.findings.push(finding);
        }
    }
}

fn differ(server: &ServerAnswer) -> Finding {
    let message = "more than one machine answers at this address, and their answers differ";
    Finding::new("machines-differ", Severity::Wait, message).at(label(&server.name, server.address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::evidence::Listed;

    fn given(ttl: u32, records: &[&[u8]]) -> ServerAnswer {
        ServerAnswer {
            name: Name::from_user("ns.example").unwrap(),
            address: Some(([192, 0, 2, 53], 53).into()),
            listed: Listed::default(),
            outcome: Outcome::Answered,
            security: Security::Secure,
            serial: Some(1),
            ttl: Some(ttl),
            original_ttl: Some(3600),
            negative_ttl: Some(300),
            records: records
                .iter()
                .map(|rdata| Tlsa::from_rdata(rdata).unwrap())
                .collect(),
            alias: None,
            signature_expires: None,
            set_signature_expires: None,
            findings: Vec::new(),
        }
    }

    #[test]
    fn only_those_that_agree_in_something_secure_are_asked_again() {
        let one = given(60, &[&[3, 1, 1, 0xaa]]);
        let alias = ServerAnswer {
            alias: Name::from_user("a.example").ok(),
            ..given(60, &[])
        };
        let silent = ServerAnswer {
            outcome: Outcome::Unreachable,
            security: Security::Indeterminate,
            ..given(0, &[])
        };
        let bogus = ServerAnswer {
            security: Security::Bogus,
            ..one.clone()
        };
        for (what, servers, expected) in [
            ("nobody", vec![], false),
            ("one", vec![one.clone()], true),
            (
                "two",
                vec![one.clone(), given(50, &[&[3, 1, 1, 0xaa]])],
                true,
            ),
            ("beside silence", vec![one.clone(), silent.clone()], true),
            ("silence alone", vec![silent], false),
            ("an alias", vec![alias.clone(), alias.clone()], true),
            ("an alias beside a set", vec![alias, one.clone()], false),
            (
                "another set",
                vec![one.clone(), given(60, &[&[3, 1, 1, 0xbb]])],
                false,
            ),
            ("no set", vec![given(60, &[])], false),
            ("a bogus one", vec![one, bogus], false),
        ] {
            assert_eq!(agree(&servers), expected, "{what}");
        }
    }

    #[test]
    fn of_one_answer_the_longer_ttl_and_the_shorter_life_count() {
        let moment = |text: &str| Some(text.parse().unwrap());
        let (early, late) = (
            moment("2026-11-20T12:00:00Z"),
            moment("2026-11-21T12:00:00Z"),
        );
        let expiring =
            |severity, text: &str| Finding::new("signature-expires-soon", severity, text);
        let mut one = ServerAnswer {
            signature_expires: late,
            set_signature_expires: early,
            ..given(50, &[&[3, 1, 1]])
        };
        one.findings.push(expiring(Severity::Note, "in 10 seconds"));
        let mut other = ServerAnswer {
            signature_expires: early,
            set_signature_expires: late,
            ..given(60, &[&[3, 1, 1]])
        };
        other.findings.extend([
            expiring(Severity::Note, "in 9 seconds"),
            expiring(Severity::Unsafe, "in 9 seconds"),
        ]);
        assert!(is_same(&one, &other));
        unite(&mut one, other);
        assert_eq!(
            (one.ttl, one.signature_expires, one.set_signature_expires),
            (Some(60), early, late)
        );
        let told: Vec<Severity> = one
            .findings
            .iter()
            .map(|finding| finding.severity)
            .collect();
        assert_eq!(told, [Severity::Note, Severity::Unsafe]);
        let resigned = ServerAnswer {
            original_ttl: Some(60),
            ..given(60, &[&[3, 1, 1]])
        };
        assert!(
            !is_same(&one, &resigned),
            "signed with another TTL, it is of another time"
        );
    }
}
