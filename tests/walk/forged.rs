//! Signatures that are real and prove something else: of another moment,
//! another name, another key, or a wildcard. One server of a safe world gives
//! them, and the verdict is never *safe*.

use danewright::demo::authority::{Key, Zone};
use danewright::propagation::Decision;
use hickory_proto::dnssec::Nsec3HashAlgorithm;
use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC3, RRSIG};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name as WireName, RData, Record, RecordType};

use crate::lab::{NS2, digest};
use crate::script::{Asked, Stage, say, wire};
use crate::wire::{
    Fault, HARMLESS, OWNER, judge_on, signature_record, signatures, signatures_in, tlsa,
};

/// Answers about TLSA, replaced by what another question brought.
fn replayed(what: &'static str, expected: (Decision, &'static str), section: Vec<Record>) -> Fault {
    tlsa(what, expected, move |message| {
        message.answers = section.clone()
    })
}

/// The records under another name.
fn renamed(records: &[Record], owner: &str) -> Vec<Record> {
    let named = |record: &Record| Record::from_rdata(wire(owner), record.ttl, record.data.clone());
    records.iter().map(named).collect()
}

/// The leaf zone with more in it, at both servers.
fn stage_with(more: &[(&str, &str, &str)]) -> Stage {
    let mut stage = Stage::new();
    for (owner, kind, data) in more {
        stage.lab.leaf.add(owner, 3600, kind, data).unwrap();
    }
    stage.lab.publish();
    stage
}

/// What the upstream says when it serves this zone for a while.
fn said_of(stage: &Stage, zone: &Zone, key: &Key, owner: &str) -> Message {
    stage.lab.serve(NS2, zone, &[key]);
    let said = stage.look_up(owner, RecordType::TLSA);
    stage.lab.publish();
    said
}

#[test]
fn a_set_of_another_name_is_not_the_owners() {
    let record = format!("3 1 1 {}", digest('a'));
    let stage = stage_with(&[
        ("*._tcp.mail", "TLSA", &record),
        ("_465._tcp.mail", "TLSA", &record),
    ]);
    let wildcard = stage
        .look_up("_26._tcp.mail.leaf.example", RecordType::TLSA)
        .answers;
    assert_eq!(wildcard.len(), 2, "{wildcard:?}");
    let other = stage
        .look_up("_465._tcp.mail.leaf.example", RecordType::TLSA)
        .answers;
    let bogus = (Decision::Unsafe, "bogus");
    let more_labels: Vec<Record> = renamed(&wildcard, OWNER)
        .into_iter()
        .map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::RRSIG(signature)) => {
                let mut input = signature.input().clone();
                input.num_labels = record.name.num_labels();
                let data = RRSIG::from_sig(input, signature.sig().to_vec());
                Record::from_rdata(
                    record.name.clone(),
                    record.ttl,
                    RData::DNSSEC(DNSSECRData::RRSIG(data)),
                )
            }
            _ => record,
        })
        .collect();
    judge_on(
        &stage,
        vec![
            replayed(
                "a wildcard's",
                (Decision::Unknown, "denial-unproven"),
                renamed(&wildcard, OWNER),
            ),
            replayed("a wildcard's, as if it were none", bogus, more_labels),
            replayed(
                "a wildcard's, at a third name",
                (Decision::Unknown, "malformed"),
                wildcard.clone(),
            ),
            replayed(
                "the wildcard itself",
                (Decision::Unknown, "malformed"),
                renamed(&wildcard, "*._tcp.mail.leaf.example"),
            ),
            replayed("a neighbour's", bogus, renamed(&other, OWNER)),
            replayed(
                "a neighbour's, by its own name",
                (Decision::Unknown, "malformed"),
                other,
            ),
        ],
    );
}

#[test]
fn a_set_of_another_time_or_key_is_not_the_zones() {
    let record = format!("3 1 1 {}", digest('0'));
    let stage = stage_with(&[("_25._tcp.mail", "TLSA", &record)]);
    let mut old = stage.lab.leaf.clone();
    old.remove("_25._tcp.mail", "TLSA")
        .unwrap()
        .add("_25._tcp.mail", 3600, "TLSA", &record)
        .unwrap();
    let before = said_of(&stage, &old, &stage.lab.leaf_key, OWNER).answers;
    let stranger = Key::generate().unwrap();
    let elsewhere = said_of(&stage, &stage.lab.leaf, &stranger, OWNER).answers;
    let bogus = (Decision::Unsafe, "bogus");
    judge_on(
        &stage,
        vec![
            replayed(
                "of the day before",
                (Decision::Wait, "record-missing"),
                before,
            ),
            replayed("by a key of nobody", bogus, elsewhere.clone()),
            tlsa("one of two TTLs lower", HARMLESS, |message| {
                message.answers[1].ttl = 5
            }),
            tlsa("one of two TTLs higher", HARMLESS, |message| {
                message.answers[0].ttl += 1
            }),
            tlsa("one of two records missing", bogus, |message| {
                drop(message.answers.remove(0))
            }),
            tlsa(
                "by a key of nobody, beside the good one",
                HARMLESS,
                move |message| {
                    let signature = signatures_in(&elsewhere).remove(0);
                    message.answers.push(signature_record(message, signature));
                },
            ),
        ],
    );
}

#[test]
fn a_signature_counts_by_what_it_says() {
    let bogus = (Decision::Unsafe, "bogus");
    let changed = |change: fn(&mut hickory_proto::dnssec::rdata::sig::SigInput)| {
        move |message: &mut Message| {
            let signature = signatures(message).remove(0);
            let mut input = signature.input().clone();
            change(&mut input);
            message
                .answers
                .retain(|record| record.record_type() != RecordType::RRSIG);
            message.answers.push(signature_record(
                message,
                RRSIG::from_sig(input, signature.sig().to_vec()),
            ));
        }
    };
    judge_on(
        &Stage::new(),
        vec![
            tlsa(
                "another signer",
                bogus,
                changed(|input| input.signer_name = wire("example")),
            ),
            tlsa(
                "a longer life",
                bogus,
                changed(|input| {
                    input.sig_expiration = (input.sig_expiration.get() + 86_400).into()
                }),
            ),
            tlsa(
                "an earlier birth",
                bogus,
                changed(|input| input.sig_inception = (input.sig_inception.get() - 1).into()),
            ),
            tlsa(
                "another TTL",
                bogus,
                changed(|input| input.original_ttl += 1),
            ),
            tlsa(
                "another algorithm",
                (Decision::Unknown, "algorithm-unsupported"),
                changed(|input| {
                    input.algorithm = hickory_proto::dnssec::Algorithm::from_u8(16);
                }),
            ),
            tlsa("another key", bogus, changed(|input| input.key_tag ^= 1)),
            tlsa("twice", HARMLESS, |message| {
                let signature = signatures(message).remove(0);
                message.answers.push(signature_record(message, signature));
            }),
        ],
    );
}

#[test]
fn denials_are_not_computed_whatever_they_ask_for() {
    // Over TCP: it is as large as a message can be, nearly.
    let act = |spoil: fn(&mut Message)| {
        move |asked: Asked| {
            let mut message = asked.good;
            if asked.tcp {
                spoil(&mut message);
            } else {
                message.metadata.truncation = true;
            }
            say(&message)
        }
    };
    // What comes with a negative answer must hold, and nobody has to read what comes with records.
    let beside: fn(&mut Message) = |message| {
        if !message.answers.is_empty() {
            add_costly(message);
        }
    };
    let instead: fn(&mut Message) = |message| {
        if message.queries[0].query_type() == RecordType::TLSA {
            message.answers.clear();
        }
        add_costly(message);
    };
    judge_on(
        &Stage::new(),
        vec![
            Fault {
                what: "beside the records",
                expected: HARMLESS,
                act: Box::new(act(beside)),
            },
            Fault {
                what: "instead",
                expected: (Decision::Unsafe, "denial-unproven"),
                act: Box::new(act(instead)),
            },
        ],
    );
}

fn add_costly(message: &mut Message) {
    let nsec3 = NSEC3::new(
        Nsec3HashAlgorithm::SHA1,
        true,
        u16::MAX,
        vec![0xff; 255],
        vec![0; 20],
        [RecordType::A],
    );
    for number in 0..150 {
        let owner =
            WireName::from_labels([format!("{number:0>32}").as_str(), "leaf", "example"]).unwrap();
        let data = RData::DNSSEC(DNSSECRData::NSEC3(nsec3.clone()));
        message
            .authorities
            .push(Record::from_rdata(owner, 60, data));
    }
}
