//! Ways for a name server to go wrong, on purpose.

use std::time::Duration;

use hickory_proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name as WireName, RData, Record, RecordType};

use super::answer::Zones;

/// One way to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Never answers.
    Silent,
    /// Answers REFUSED.
    Refuse,
    /// Answers SERVFAIL.
    ServFail,
    /// Answers FORMERR.
    FormErr,
    /// Answers without AA.
    NotAuthoritative,
    /// Leaves the signatures out.
    DropSignatures,
    /// Changes a bit of every signature.
    BadSignature,
    /// Gives signatures that were good once.
    ExpiredSignature,
    /// Adds a signature by a key that is not published to the good ones.
    ForeignSignature,
    /// Gives records a larger TTL than they were signed with.
    RaiseTtl,
    /// Answers with another id.
    WrongId,
    /// Answers another question.
    WrongQuestion,
    /// Answers with octets that are no message.
    Garbage,
    /// Says over UDP that the answer is too long.
    TruncateUdp,
    /// The same, and does not answer over TCP.
    TruncateUdpNoTcp,
    /// Answers late.
    Delay(Duration),
}

impl Fault {
    /// Makes a good answer wrong. `None` is no answer at all.
    pub(super) fn spoil(self, message: &mut Message, zones: &Zones, tcp: bool) -> Option<()> {
        match self {
            Self::Silent => return None,
            Self::Refuse => empty(message, ResponseCode::Refused),
            Self::ServFail => empty(message, ResponseCode::ServFail),
            Self::FormErr => empty(message, ResponseCode::FormErr),
            Self::NotAuthoritative => message.metadata.authoritative = false,
            Self::DropSignatures => {
                message
                    .answers
                    .retain(|record| record.record_type() != RecordType::RRSIG);
                message
                    .authorities
                    .retain(|record| record.record_type() != RecordType::RRSIG);
            }
            Self::BadSignature => each_signature(message, |signature, _| {
                let mut octets = signature.sig().to_vec();
                octets.iter_mut().take(1).for_each(|octet| *octet ^= 1);
                vec![RRSIG::from_sig(signature.input().clone(), octets)]
            }),
            Self::ExpiredSignature => each_signature(message, |signature, covered| {
                resigned(zones, signature, covered).unwrap_or_else(|| vec![signature.clone()])
            }),
            Self::ForeignSignature => each_signature(message, |signature, _| {
                let mut input = signature.input().clone();
                input.key_tag ^= 1;
                vec![
                    signature.clone(),
                    RRSIG::from_sig(input, signature.sig().to_vec()),
                ]
            }),
            Self::RaiseTtl => message
                .answers
                .iter_mut()
                .for_each(|record| record.ttl += 1),
            Self::WrongId => message.metadata.id ^= 1,
            Self::WrongQuestion => {
                let other = WireName::from_labels(["elsewhere"]).unwrap_or_default();
                message.queries = vec![Query::query(other, RecordType::TLSA)];
            }
            Self::TruncateUdp | Self::TruncateUdpNoTcp if !tcp => {
                empty(message, ResponseCode::NoError);
                message.metadata.truncation = true;
            }
            Self::TruncateUdpNoTcp => return None,
            Self::TruncateUdp | Self::Garbage | Self::Delay(_) => {}
        }
        Some(())
    }
}

fn empty(message: &mut Message, code: ResponseCode) {
    message.metadata.response_code = code;
    message.metadata.authoritative = false;
    message.answers.clear();
    message.authorities.clear();
    message.additionals.clear();
}

/// Replaces each signature by others, given the records that it covers.
fn each_signature(message: &mut Message, change: impl Fn(&RRSIG, &[Record]) -> Vec<RRSIG>) {
    for section in [&mut message.answers, &mut message.authorities] {
        let before = section.clone();
        *section = Vec::new();
        for record in &before {
            let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else {
                section.push(record.clone());
                continue;
            };
            let kind = signature.input().type_covered;
            let covered: Vec<Record> = before
                .iter()
                .filter(|r| r.name == record.name && r.record_type() == kind)
                .cloned()
                .collect();
            let changed = change(signature, &covered);
            section.extend(changed.into_iter().map(|signature| {
                let data = RData::DNSSEC(DNSSECRData::RRSIG(signature));
                Record::from_rdata(record.name.clone(), record.ttl, data)
            }));
        }
    }
}

/// Signatures by the same keys that had expired before the zone was signed.
fn resigned(zones: &Zones, signature: &RRSIG, covered: &[Record]) -> Option<Vec<RRSIG>> {
    let zone = zones.get(&signature.input().signer_name)?;
    let signed = zone.signatures_over(covered, zone.window.expired()).ok()?;
    let tag = signature.input().key_tag;
    let signatures = signed.into_iter().filter_map(|record| match record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(new)) if new.input().key_tag == tag => Some(new),
        _ => None,
    });
    Some(signatures.collect())
}
