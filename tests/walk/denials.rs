//! Absence that is claimed and not proven: what a sender's resolver calls bogus,
//! so that lookups fail. It is not "no such name yet", and teaches nothing.

use danewright::propagation::memory::Memory;
use danewright::propagation::{Decision, Expectation, HoldWish, Policy, check};
use danewright::tlsa::Tlsa;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Record, RecordType};

use crate::lab::{Lab, NS1, NS2, digest, name, server};
use crate::script::{Stage, say};
use crate::wire::{Fault, OWNER, judge_on, tlsa};

const UNPROVEN: (Decision, &str) = (Decision::Unsafe, "denial-unproven");

/// The zone's own SOA with its signature, as it comes with a negative answer.
fn genuine_soa(stage: &Stage) -> Vec<Record> {
    stage.look_up("leaf.example", RecordType::SOA).answers
}

fn absent(message: &mut Message, code: ResponseCode, authorities: &[Record]) {
    message.metadata.response_code = code;
    message.answers.clear();
    message.authorities = authorities.to_vec();
}

fn claimed(what: &'static str, code: ResponseCode, authorities: Vec<Record>) -> Fault {
    tlsa(what, UNPROVEN, move |message| {
        absent(message, code, &authorities)
    })
}

#[test]
fn an_absence_that_nothing_proves_is_a_lookup_that_fails() {
    let stage = Stage::new();
    let soa = genuine_soa(&stage);
    let elsewhere = stage
        .look_up("zz.leaf.example", RecordType::TLSA)
        .authorities;
    let above = stage
        .look_up("_1._tcp.aa.leaf.example", RecordType::TLSA)
        .authorities;
    judge_on(
        &stage,
        vec![
            claimed(
                "NXDOMAIN with the SOA alone",
                ResponseCode::NXDomain,
                soa.clone(),
            ),
            claimed("NODATA with the SOA alone", ResponseCode::NoError, soa),
            claimed(
                "NXDOMAIN with nothing at all",
                ResponseCode::NXDomain,
                Vec::new(),
            ),
            claimed(
                "the denial of another name",
                ResponseCode::NXDomain,
                elsewhere.clone(),
            ),
            claimed(
                "the denial of another name, as NODATA",
                ResponseCode::NoError,
                elsewhere,
            ),
            claimed(
                "the denial of a name before it",
                ResponseCode::NXDomain,
                above,
            ),
        ],
    );
}

#[test]
fn a_denial_without_a_good_signature_is_none() {
    let mut stage = Stage::new();
    stage.lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    stage
        .lab
        .serve(NS2, &stage.lab.leaf, &[&stage.lab.leaf_key]);
    let honest = stage.look_up(OWNER, RecordType::TLSA);
    assert_eq!(honest.metadata.response_code, ResponseCode::NXDomain);
    let signs_denial = |record: &Record| {
        use hickory_proto::dnssec::rdata::DNSSECRData;
        use hickory_proto::rr::RData;
        matches!(&record.data, RData::DNSSEC(DNSSECRData::RRSIG(s)) if s.input().type_covered == RecordType::NSEC)
    };
    let mut unsigned = honest.authorities.clone();
    unsigned.retain(|record| !signs_denial(record));
    let mut without = honest.authorities.clone();
    without.retain(|record| !signs_denial(record) && record.record_type() != RecordType::NSEC);
    stage.lab.publish();
    stage
        .lab
        .leaf
        .add(
            "_25._tcp.mail",
            3600,
            "TLSA",
            &format!("3 1 1 {}", digest('a')),
        )
        .unwrap();
    stage.lab.publish();
    judge_on(
        &stage,
        vec![
            tlsa("as it is", (Decision::Wait, "record-missing"), {
                let authorities = honest.authorities.clone();
                move |message| absent(message, ResponseCode::NXDomain, &authorities)
            }),
            claimed(
                "without the signature over it",
                ResponseCode::NXDomain,
                unsigned,
            ),
            claimed("without the denial", ResponseCode::NXDomain, without),
            claimed(
                "with another code",
                ResponseCode::NoError,
                honest.authorities,
            ),
        ],
    );
}

#[test]
fn an_unproven_denial_does_not_shorten_the_hold() {
    let rdata: Vec<u8> = [3, 1, 1].into_iter().chain([0xaa; 32]).collect();
    let expectation = Expectation::new(vec![Tlsa::from_rdata(&rdata).unwrap()], None);
    let policy = Policy {
        hold: HoldWish::TwiceTheOldTtl,
        ..Policy::default()
    };
    let length = |before: bool| {
        let stage = Stage::new();
        let mut memory = Memory::empty(&name("leaf.example"));
        let mut judge = || {
            let (verdict, next) = check(
                &stage.lab.gather(),
                &expectation,
                &memory,
                &policy,
                stage.lab.now,
            );
            memory = next;
            verdict
        };
        if before {
            let soa = genuine_soa(&stage);
            stage.act(Box::new(move |mut asked| {
                if asked.kind == RecordType::TLSA {
                    absent(&mut asked.good, ResponseCode::NXDomain, &soa);
                }
                say(&asked.good)
            }));
            assert_ne!(judge().decision, Decision::Safe);
            stage.act(crate::script::good());
        }
        judge().hold.unwrap().length
    };
    assert_eq!(length(true), length(false));
}

#[test]
fn a_host_without_a_proof_that_it_has_no_other_addresses_is_not_safe() {
    let stage = Stage::new();
    let soa = genuine_soa(&stage);
    stage.act(Box::new(move |mut asked| {
        if asked.kind == RecordType::AAAA {
            absent(&mut asked.good, ResponseCode::NoError, &soa);
        }
        say(&asked.good)
    }));
    let verdict = stage.lab.verdict(&stage.lab.gather());
    assert_eq!(
        verdict.decision,
        Decision::Unsafe,
        "{:#?}",
        verdict.findings
    );
    assert!(
        verdict
            .findings
            .iter()
            .any(|finding| finding.code == "denial-unproven"),
        "{:#?}",
        verdict.findings
    );
}

#[test]
fn an_absence_that_is_proven_is_secure_however_the_name_is_missing() {
    use danewright::propagation::evidence::{Outcome, Security};
    let mut lab = Lab::new();
    lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    for (owner, kind, data, outcome) in [
        ("_26._tcp.mail", "TXT", "\"a neighbour\"", Outcome::NoName),
        (
            "_25._tcp.mail",
            "TXT",
            "\"the name itself\"",
            Outcome::NoData,
        ),
        (
            "x._25._tcp.mail",
            "TXT",
            "\"a name below\"",
            Outcome::NoData,
        ),
        ("*._tcp.mail", "TXT", "\"a wildcard\"", Outcome::NoData),
        (
            "x.*._tcp.mail",
            "TXT",
            "\"below a wildcard that is nothing\"",
            Outcome::NoData,
        ),
        (
            "*._tcp.other",
            "TXT",
            "\"a wildcard elsewhere\"",
            Outcome::NoName,
        ),
    ] {
        lab.leaf.add(owner, 60, kind, data).unwrap();
        lab.publish();
        let evidence = lab.gather();
        for address in [NS1, NS2] {
            let server = server(&evidence, 0, address);
            assert_eq!(
                (server.outcome, server.security),
                (outcome, Security::Secure),
                "{data}: {server:#?}"
            );
        }
        lab.leaf.remove(owner, kind).unwrap();
    }
}
