//! Messages as octets, before anybody reads them: records that nobody looks at
//! become ones of a type without a meaning, which are read as so many octets. A
//! list of types takes sixty times as much memory as octets on the wire, and a
//! good while to read, and whoever is asked decides how many there are.

use hickory_proto::rr::RecordType;

use crate::dns::limits;

/// For private use (RFC 6895 section 3.1).
const MEANINGLESS: u16 = 65_280;

/// Makes the message harmless to read for whoever asked for this type; `None`
/// when it is none, or has too many records.
pub(crate) fn defuse(message: &mut [u8], kind: RecordType) -> Option<()> {
    let [questions, answers, authorities, additionals] =
        [4, 6, 8, 10].map(|at| Some(usize::from(short(message, at)?)));
    let sections = [answers?, authorities?, additionals?];
    if sections.iter().sum::<usize>() > limits::RECORDS {
        return None;
    }
    let (mut at, mut denials) = (12, 0);
    for _ in 0..questions? {
        // Its type and class.
        at = after_name(message, at)? + 4;
    }
    for (section, records) in sections.into_iter().enumerate() {
        for _ in 0..records {
            let fields = after_name(message, at)?;
            let length = usize::from(short(message, fields + 8)?);
            let this = RecordType::from(short(message, fields)?);
            let denies = matches!(this, RecordType::NSEC | RecordType::NSEC3);
            denials += usize::from(denies);
            let bounded = !denies || denials <= limits::DENIALS_READ && length <= limits::DENIAL;
            if !(bounded && is_read(section, this, kind)) {
                message
                    .get_mut(fields..fields + 2)?
                    .copy_from_slice(&MEANINGLESS.to_be_bytes());
            }
            at = fields + 10 + length;
        }
    }
    (at <= message.len()).then_some(())
}

/// Whether anybody looks at records of this type in the section with this number.
fn is_read(section: usize, this: RecordType, kind: RecordType) -> bool {
    use RecordType::{A, AAAA, CNAME, DNAME, NS, NSEC, NSEC3, OPT, RRSIG, SOA};
    match section {
        0 => this == kind || matches!(this, CNAME | DNAME | RRSIG),
        1 => matches!(this, SOA | NS | NSEC | NSEC3 | RRSIG),
        _ => this == OPT || kind == NS && matches!(this, A | AAAA),
    }
}

/// Where the name that begins here ends (RFC 1035 section 4.1.4).
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match message.get(at)? {
            0 => return Some(at + 1),
            length if *length < 64 => at += usize::from(*length) + 1,
            length if *length >= 192 => return Some(at + 2),
            _ => return None,
        }
    }
}

fn short(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(
        message.get(at..at + 2)?.try_into().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
    use hickory_proto::rr::rdata::NULL;
    use hickory_proto::rr::{Name as WireName, RData, Record};

    use super::*;

    fn record(kind: RecordType, data: &[u8]) -> Record {
        let data = RData::Unknown {
            code: kind,
            rdata: NULL::with(data.to_vec()),
        };
        Record::from_rdata(WireName::from_ascii("a.example.").unwrap(), 60, data)
    }

    fn message(answers: Vec<Record>, authorities: Vec<Record>) -> Vec<u8> {
        let mut message = Message::new(1, MessageType::Response, OpCode::Query);
        message.add_query(Query::query(
            WireName::from_ascii("a.example.").unwrap(),
            RecordType::TLSA,
        ));
        (message.answers, message.authorities, message.edns) =
            (answers, authorities, Some(Edns::new()));
        message.additionals = vec![record(RecordType::A, &[192, 0, 2, 1])];
        message.to_vec().unwrap()
    }

    fn kinds(section: &[Record]) -> Vec<u16> {
        section
            .iter()
            .map(|record| record.record_type().into())
            .collect()
    }

    #[test]
    fn what_nobody_reads_is_no_more_than_octets() {
        let denial = |length: usize| {
            record(
                RecordType::NSEC,
                &[&[0][..], &[0].repeat(length)].concat()[..length],
            )
        };
        let tlsa = record(RecordType::TLSA, &[3, 1, 1, 7]);
        let text = record(RecordType::TXT, &[1, 65]);
        let mut octets = message(
            vec![tlsa, text.clone()],
            vec![text, denial(1), denial(limits::DENIAL + 1)],
        );
        assert!(defuse(&mut octets, RecordType::TLSA).is_some());
        let read = Message::from_vec(&octets).unwrap();
        assert_eq!(kinds(&read.answers), [52, MEANINGLESS]);
        assert_eq!(kinds(&read.authorities), [MEANINGLESS, 47, MEANINGLESS]);
        assert_eq!(
            (kinds(&read.additionals), read.edns.is_some()),
            (vec![MEANINGLESS], true)
        );
        // Of an answer about name servers the addresses are looked at.
        let mut octets = message(Vec::new(), Vec::new());
        assert!(defuse(&mut octets, RecordType::NS).is_some());
        assert_eq!(kinds(&Message::from_vec(&octets).unwrap().additionals), [1]);
    }

    #[test]
    fn denials_and_records_are_counted() {
        let mut octets = message(
            Vec::new(),
            vec![record(RecordType::NSEC, &[0]); limits::DENIALS_READ + 2],
        );
        assert!(defuse(&mut octets, RecordType::TLSA).is_some());
        let read = kinds(&Message::from_vec(&octets).unwrap().authorities);
        assert_eq!(
            read.iter().filter(|kind| **kind == 47).count(),
            limits::DENIALS_READ
        );
        for (count, expected) in [(limits::RECORDS - 2, true), (limits::RECORDS - 1, false)] {
            let mut octets = message(vec![record(RecordType::TXT, &[0]); count], Vec::new());
            assert_eq!(
                defuse(&mut octets, RecordType::TLSA).is_some(),
                expected,
                "{count}"
            );
        }
    }

    #[test]
    fn what_is_cut_off_or_is_no_message_is_none() {
        let whole = message(vec![record(RecordType::TLSA, &[3, 1, 1, 7])], Vec::new());
        assert!(defuse(&mut whole.clone(), RecordType::TLSA).is_some());
        for length in 0..whole.len() {
            assert!(
                defuse(&mut whole[..length].to_vec(), RecordType::TLSA).is_none(),
                "{length}"
            );
        }
        // A label of a kind that there is not, in the question.
        let mut odd = whole;
        odd[12] = 128;
        assert!(defuse(&mut odd, RecordType::TLSA).is_none());
    }
}
