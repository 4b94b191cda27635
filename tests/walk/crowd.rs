//! More of everything than anybody needs: name servers, addresses, signatures,
//! keys, aliases. The work that one verdict takes is bounded, which is counted
//! in questions here and not in seconds; and whoever is left out for that is
//! told of, so that the verdict is never *safe*.

use std::time::Duration;

use danewright::demo::authority::Fault;
use danewright::dns::{Reach, Settings, gather_within};
use danewright::propagation::Decision;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_proto::dnssec::{Algorithm, PublicKeyBuf};
use hickory_proto::rr::{RData, Record, RecordType};

use crate::lab::{Lab, NS1, NS2, ROOT, TLD, TLD2, one, target};
use crate::script::{Stage, say, wire};
use crate::wire::{Fault as Wrong, every, judge_on, signature_record, signatures, tlsa};

/// Judges, and says which findings above a note there are.
fn judged(lab: &Lab) -> (Decision, Vec<&'static str>) {
    let evidence = lab.gather_with(&Settings {
        timeout: Duration::from_secs(1),
        tries: 1,
        ..lab.settings()
    });
    let verdict = lab.verdict(&evidence);
    let mut codes: Vec<&str> = verdict
        .findings
        .iter()
        .filter(|f| Decision::from(f.severity) > Decision::Safe)
        .map(|f| f.code)
        .collect();
    codes.sort_unstable();
    codes.dedup();
    (verdict.decision, codes)
}

fn safe(lab: &Lab) {
    assert_eq!(judged(lab), (Decision::Safe, vec![]));
}

#[test]
fn of_a_thousand_name_servers_some_are_asked_and_the_rest_is_told_of() {
    for (count, in_zone, in_parent, code) in [
        (100, true, false, "limits-exceeded"),
        (100, false, true, "limits-exceeded"),
        (400, true, true, "limits-exceeded"),
        (900, true, false, "limits-exceeded"),
        // These answers have more records than are read at all.
        (900, false, true, "delegation-unknown"),
        (1000, true, false, "name-servers-unknown"),
        (1000, true, true, "delegation-unknown"),
    ] {
        let mut lab = Lab::new();
        safe(&lab);
        for server in 0..count {
            let name = format!("n{server}.leaf.example.");
            // They all are one machine, which is up to date.
            if in_zone {
                lab.leaf.add("@", 3600, "NS", &name).unwrap();
                lab.leaf.add(&name, 3600, "A", "127.0.7.4").unwrap();
            }
            if in_parent {
                lab.tld
                    .add("leaf", 3600, "NS", &name)
                    .unwrap()
                    .add(&name, 3600, "A", "127.0.7.4")
                    .unwrap();
            }
        }
        lab.publish();
        let before = lab.authority.asked(NS1);
        let (decision, codes) = judged(&lab);
        assert_eq!(
            decision,
            Decision::Unknown,
            "{count} {in_zone} {in_parent}: {codes:?}"
        );
        assert!(
            codes.contains(&code),
            "{count} {in_zone} {in_parent}: {codes:?}"
        );
        let asked = lab.authority.asked(NS1) - before;
        // Two for each of 64 names, eleven about TLSA, and what is too large to be kept, or was
        // asked again because an answer took its time, once more; not some for each of a thousand.
        assert!(
            asked <= 300,
            "{count} {in_zone} {in_parent}: {asked} questions"
        );
    }
}

#[test]
fn of_a_thousand_addresses_some_are_asked_and_the_rest_is_told_of() {
    for (count, code) in [
        (300, "limits-exceeded"),
        (900, "limits-exceeded"),
        (1100, "unreachable"),
    ] {
        let mut lab = Lab::new();
        safe(&lab);
        // Outside of the zone, so that resolvers tell the addresses.
        for zone in [&mut lab.leaf, &mut lab.tld] {
            zone.add("leaf.example.", 3600, "NS", "many.other.example.")
                .unwrap();
        }
        for address in 0..count {
            lab.other
                .add(
                    "many",
                    3600,
                    "A",
                    &format!("127.9.{}.{}", address / 250, 1 + address % 250),
                )
                .unwrap();
        }
        lab.publish();
        let (decision, codes) = judged(&lab);
        assert_eq!(decision, Decision::Unknown, "{count}: {codes:?}");
        assert!(codes.contains(&code), "{count}: {codes:?}");
    }
}

#[test]
fn of_a_thousand_servers_of_the_parent_some_are_asked_and_the_rest_is_told_of() {
    for (names, addresses) in [(100, 1), (3, 200)] {
        let mut lab = Lab::new();
        safe(&lab);
        for name in 0..names {
            lab.tld
                .add("@", 3600, "NS", &format!("n{name}.example."))
                .unwrap();
            for address in 0..addresses {
                let data = if addresses == 1 {
                    "127.0.7.2".to_owned()
                } else {
                    format!("127.8.{name}.{}", address + 1)
                };
                lab.tld.add(&format!("n{name}"), 3600, "A", &data).unwrap();
            }
        }
        lab.publish();
        let (decision, codes) = judged(&lab);
        assert_eq!(
            (decision, &codes[..]),
            (Decision::Unknown, &["limits-exceeded"][..]),
            "{names} × {addresses}"
        );
        assert!(
            lab.authority.asked(TLD) < 100
                && lab.authority.asked(TLD2) < 100
                && lab.authority.asked(ROOT) < 100
        );
    }
}

#[test]
fn a_zone_whose_own_servers_do_not_tell_its_servers_is_not_safe() {
    for fault in [
        Fault::Refuse,
        Fault::ServFail,
        Fault::Garbage,
        Fault::NotAuthoritative,
        Fault::TruncateUdpNoTcp,
    ] {
        let lab = Lab::new();
        safe(&lab);
        // One of them may name a server that nobody else does.
        lab.authority.fault_for(NS2, "NS", fault).unwrap();
        assert_eq!(
            judged(&lab),
            (Decision::Unknown, vec!["name-servers-unknown"]),
            "{fault:?}"
        );
        lab.authority.fault_for(NS1, "NS", fault).unwrap();
        assert_eq!(
            judged(&lab),
            (Decision::Unknown, vec!["name-servers-unknown"]),
            "{fault:?} at both"
        );
    }
}

#[test]
fn more_signatures_and_keys_than_anybody_needs_are_not_tried() {
    let unknown = |code| (Decision::Unknown, code);
    let many = |count: usize| {
        move |message: &mut hickory_proto::op::Message| {
            let signature = signatures(message).remove(0);
            for tag in 0..count {
                // By the same key, over the same records, and each another one that does not hold.
                let octets: Vec<u8> = signature
                    .sig()
                    .iter()
                    .map(|octet| octet.wrapping_add(tag as u8))
                    .collect();
                let wrong = RRSIG::from_sig(signature.input().clone(), octets);
                message.answers.push(signature_record(message, wrong));
            }
        }
    };
    let stage = Stage::new();
    judge_on(
        &stage,
        vec![
            tlsa("20 signatures", unknown("limits-exceeded"), many(20)),
            tlsa("500 signatures", unknown("limits-exceeded"), many(500)),
            // 64 KiB full of them.
            tlsa("as many as fit", unknown("malformed"), |message| {
                let mut input = signatures(message).remove(0).input().clone();
                input.signer_name = wire(".");
                for _ in 0..1050 {
                    let empty = RRSIG::from_sig(input.clone(), Vec::new());
                    message.answers.push(signature_record(message, empty));
                }
            }),
            dnskeys("20 keys", unknown("limits-exceeded"), 20),
            dnskeys("400 keys", unknown("limits-exceeded"), 400),
        ],
    );
}

#[test]
fn answers_that_are_all_as_large_as_can_be_are_not_kept() {
    let stage = Stage::new();
    let gathered = |stage: &Stage| {
        let reach = Reach {
            questions: 100,
            ..Reach::default()
        };
        let evidence = one(gather_within(
            &[target("mail.leaf.example")],
            &stage.lab.impatient(),
            &reach,
        ));
        stage.lab.verdict(&evidence)
    };
    assert_eq!(gathered(&stage).decision, Decision::Safe);
    stage.act(Box::new(|asked| {
        let mut message = asked.good;
        let data = RData::try_from_str(RecordType::A, "192.0.2.1").unwrap();
        let record = Record::from_rdata(wire("leaf.example"), 60, data);
        message.additionals.extend(std::iter::repeat_n(record, 900));
        say(&message)
    }));
    // A few of them are nothing but odd.
    assert_eq!(
        stage.lab.verdict(&stage.lab.gather()).decision,
        Decision::Safe
    );
    let verdict = gathered(&stage);
    assert_eq!(
        verdict.decision,
        Decision::Unknown,
        "{:#?}",
        verdict.findings
    );
    assert!(
        verdict
            .findings
            .iter()
            .any(|finding| finding.code == "limits-exceeded"),
        "{:#?}",
        verdict.findings
    );
}

/// More keys beside the zone's own, as answers about DNSKEY tell them.
fn dnskeys(what: &'static str, expected: (Decision, &'static str), count: u16) -> Wrong {
    every(what, expected, move |message| {
        if message.queries[0].query_type() != RecordType::DNSKEY {
            return;
        }
        for number in 0..count {
            let octets = number.to_be_bytes().repeat(32);
            let key = DNSKEY::new(
                true,
                true,
                false,
                PublicKeyBuf::new(octets, Algorithm::ECDSAP256SHA256),
            );
            let data = RData::DNSSEC(DNSSECRData::DNSKEY(key));
            message
                .answers
                .push(Record::from_rdata(wire("leaf.example"), 3600, data));
        }
    })
}
