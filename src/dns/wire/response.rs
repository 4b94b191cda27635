//! What is kept of an answer: the records that the question is about, what
//! signs them, and what says that there are none. The rest is let go before
//! anybody keeps the answer, and what stays is counted.

use std::mem::size_of;
use std::ops::Deref;
use std::sync::Arc;

use hickory_proto::dnssec::PublicKey;
use hickory_proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name as WireName, RData, Record, RecordType};

use crate::dns::wire::question::{Question, Role};
use crate::dns::wire::room::{Held, Room};

/// An answer that somebody keeps, with the room that it takes.
pub(crate) struct Response {
    message: Message,
    /// Given back when nobody has the answer any more.
    _room: Option<Held>,
}

impl Deref for Response {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

#[cfg(test)]
impl From<Message> for Response {
    fn from(message: Message) -> Self {
        Self {
            message,
            _room: None,
        }
    }
}

impl Response {
    /// What the question needs of the message; `None` when there is no room for it.
    pub(crate) fn of(message: Message, question: &Question, room: &Arc<Room>) -> Option<Arc<Self>> {
        let message = needed(message, question);
        let room = room.take(weight(&message))?;
        Some(Arc::new(Self {
            message,
            _room: Some(room),
        }))
    }

    /// What it weighs.
    pub(crate) fn weight(&self) -> usize {
        weight(&self.message)
    }
}

/// The message without what nobody looks at.
fn needed(mut message: Message, question: &Question) -> Message {
    let servers: Vec<WireName> = match question.kind {
        RecordType::NS => message
            .answers
            .iter()
            .chain(&message.authorities)
            .filter_map(server)
            .cloned()
            .collect(),
        _ => Vec::new(),
    };
    let answers = std::mem::take(&mut message.answers);
    let empty = answers.is_empty();
    message.answers = answers
        .into_iter()
        .filter_map(|record| answer(record, question))
        .collect();
    if message.answers.is_empty() && !empty {
        // An answer with something else in it is not one that says that nothing is there.
        message
            .answers
            .push(Record::update0(WireName::root(), 0, RecordType::NULL));
    }
    message.authorities.retain(|record| {
        let about = |kind| {
            matches!(
                kind,
                RecordType::SOA | RecordType::NS | RecordType::NSEC | RecordType::NSEC3
            )
        };
        record.dns_class == DNSClass::IN && about(covered(record).unwrap_or(record.record_type()))
    });
    message.additionals.retain(|record| {
        matches!(record.record_type(), RecordType::A | RecordType::AAAA)
            && servers.contains(&record.name)
    });
    for section in [
        &mut message.answers,
        &mut message.authorities,
        &mut message.additionals,
    ] {
        section.shrink_to_fit();
    }
    (message.queries, message.edns, message.signature) = (Vec::new(), None, None);
    message
}

fn server(record: &Record) -> Option<&WireName> {
    match &record.data {
        RData::NS(name) => Some(&name.0),
        _ => None,
    }
}

/// The record, when the question is about it. Of a DNAME it matters that it is there.
fn answer(record: Record, question: &Question) -> Option<Record> {
    if record.dns_class != DNSClass::IN {
        return None;
    }
    let kind = record.record_type();
    if kind == RecordType::DNAME {
        return Some(Record::update0(record.name, 0, RecordType::DNAME));
    }
    let kind = covered(&record).unwrap_or(kind);
    // A resolver follows aliases.
    let named = question.role != Role::Authority || record.name == question.name;
    (named && (kind == question.kind || kind == RecordType::CNAME)).then_some(record)
}

/// The type that a signature covers.
fn covered(record: &Record) -> Option<RecordType> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature.input().type_covered),
        _ => None,
    }
}

/// The octets that it takes, about.
fn weight(message: &Message) -> usize {
    let sections = [&message.answers, &message.authorities, &message.additionals];
    records_weight(sections.into_iter().flatten()) + size_of::<Response>()
}

/// The octets that records take, about.
pub(crate) fn records_weight<'a>(records: impl Iterator<Item = &'a Record>) -> usize {
    records
        .map(|record| size_of::<Record>() + name(&record.name) + data(&record.data))
        .sum()
}

/// The octets that a signature takes, about.
pub(crate) fn signature_weight(signature: &RRSIG) -> usize {
    size_of::<RRSIG>() + signature.sig().len() + name(&signature.input().signer_name)
}

/// What a name takes beside its record: short ones nothing.
fn name(name: &WireName) -> usize {
    let length = name.len();
    if length > 24 { 2 * length } else { 0 }
}

fn data(data: &RData) -> usize {
    /// Of a set of types, for each: the node of a tree, and the octets as they came.
    const TYPE: usize = 64;
    match data {
        RData::NS(target) => name(&target.0),
        RData::CNAME(target) => name(&target.0),
        RData::SOA(soa) => name(&soa.mname) + name(&soa.rname),
        RData::TLSA(tlsa) => tlsa.cert_data.len(),
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => {
            signature_weight(signature) - size_of::<RRSIG>()
        }
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => key.public_key().public_bytes().len(),
        RData::DNSSEC(DNSSECRData::DS(ds)) => ds.digest().len(),
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) => {
            name(nsec.next_domain_name()) + TYPE * nsec.type_bit_maps().count()
        }
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => {
            nsec3.salt().len()
                + nsec3.next_hashed_owner_name().len()
                + TYPE * nsec3.type_bit_maps().count()
        }
        // Nothing else is kept.
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{MessageType, OpCode};

    use super::*;

    fn wire(name: &str) -> WireName {
        WireName::from_ascii(name).unwrap()
    }

    fn record(owner: &str, kind: RecordType, data: &str) -> Record {
        Record::from_rdata(wire(owner), 60, RData::try_from_str(kind, data).unwrap())
    }

    fn message(sections: [&[Record]; 3]) -> Message {
        let mut message = Message::new(1, MessageType::Response, OpCode::Query);
        [message.answers, message.authorities, message.additionals] =
            sections.map(<[Record]>::to_vec);
        message
    }

    #[test]
    fn what_the_question_is_not_about_is_let_go() {
        let tlsa = record("a.example.", RecordType::TLSA, "3 1 1 aa");
        let elsewhere = record("b.example.", RecordType::TLSA, "3 1 1 aa");
        let alias = record("a.example.", RecordType::CNAME, "b.example.");
        let text = record("a.example.", RecordType::TXT, "long");
        let ns = record("example.", RecordType::NS, "ns.example.");
        let glue = record("ns.example.", RecordType::A, "192.0.2.1");
        let other_glue = record("nt.example.", RecordType::A, "192.0.2.2");
        let soa = record("example.", RecordType::SOA, "a. b. 1 2 3 4 5");
        let all = [tlsa.clone(), elsewhere.clone(), alias.clone(), text.clone()];
        let full = message([
            &all,
            &[soa.clone(), ns.clone(), text.clone()],
            &[glue.clone(), other_glue, text.clone()],
        ]);
        let mut question = Question::authority(&wire("a.example."), RecordType::TLSA);
        let kept = needed(full.clone(), &question);
        assert_eq!(kept.answers, [tlsa.clone(), alias.clone()]);
        assert_eq!(
            (kept.authorities, kept.additionals),
            (vec![soa, ns], vec![])
        );
        question.role = Role::Sender;
        assert_eq!(
            needed(full.clone(), &question).answers,
            [tlsa, elsewhere, alias]
        );
        assert_eq!(
            needed(
                full,
                &Question::authority(&wire("example."), RecordType::NS)
            )
            .additionals,
            [glue]
        );
        // What was there and is of no use is not the same as nothing.
        let only = needed(message([&[text], &[], &[]]), &question);
        assert_eq!(
            (only.answers.len(), only.answers[0].record_type()),
            (1, RecordType::NULL)
        );
        assert!(
            needed(message([&[], &[], &[]]), &question)
                .answers
                .is_empty()
        );
    }

    #[test]
    fn an_answer_weighs_at_least_what_it_holds_and_gives_its_room_back() {
        let question = Question::authority(&wire("a.example."), RecordType::TLSA);
        let large = record(
            "a.example.",
            RecordType::TLSA,
            &format!("3 0 0 {}", "ab".repeat(4000)),
        );
        let room = Room::of(6000);
        let kept = Response::of(
            message([std::slice::from_ref(&large), &[], &[]]),
            &question,
            &room,
        )
        .unwrap();
        assert!((4000..5000).contains(&kept.weight()), "{}", kept.weight());
        assert!(
            Response::of(
                message([std::slice::from_ref(&large), &[], &[]]),
                &question,
                &room
            )
            .is_none()
        );
        drop(kept);
        assert!(Response::of(message([&[large], &[], &[]]), &question, &room).is_some());
    }
}
