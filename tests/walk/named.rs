//! Who serves a zone is proven as well: a resolver that lies about it, with
//! machines of its own that repeat what the true ones say, gets no *safe*.

use std::sync::atomic::{AtomicUsize, Ordering};

use danewright::demo::authority::{Fault, Key};
use danewright::finding::Severity;
use danewright::propagation::evidence::Evidence;
use danewright::propagation::{Decision, Verdict};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, Record, RecordType};

use crate::lab::{Lab, NS2, NS3, OTHER, RESOLVER, TLD, TLD2, digest, zone};
use crate::script::{Asked, SCRIPTED, Stage, say, wire};

const NS1: std::net::IpAddr = crate::lab::NS1;

/// A server that lags at the third address.
fn lagging(lab: &Lab) {
    let mut old = lab.leaf.clone();
    old.remove("_25._tcp.mail", "TLSA").unwrap();
    old.add(
        "_25._tcp.mail",
        3600,
        "TLSA",
        &format!("3 1 1 {}", digest('0')),
    )
    .unwrap();
    lab.serve(NS3, &old, &[&lab.leaf_key]);
}

/// Whether the server that lags was found.
fn lags(verdict: &Verdict) -> bool {
    let here = |at: &String| at.contains(&NS3.to_string());
    verdict
        .findings
        .iter()
        .any(|f| f.code == "record-missing" && f.server.as_ref().is_some_and(here))
}

fn told(verdict: &Verdict, code: &str) -> bool {
    verdict
        .findings
        .iter()
        .any(|finding| finding.code == code && Decision::from(finding.severity) == verdict.decision)
}

fn unproven(verdict: &Verdict, what: &str) {
    assert_eq!(
        verdict.decision,
        Decision::Unknown,
        "{what}: {:#?}",
        verdict.findings
    );
    assert!(
        told(verdict, "name-servers-unproven"),
        "{what}: {:#?}",
        verdict.findings
    );
}

fn judged(lab: &Lab) -> (Evidence, Verdict) {
    let evidence = lab.gather_with(&lab.impatient());
    let verdict = lab.verdict(&evidence);
    (evidence, verdict)
}

/// The world as a liar shows it: of three servers only the scripted one is to be
/// found, and `tell` is what the liar makes of its answers.
fn liar(tell: fn(Asked) -> Asked) -> Stage {
    let mut stage = Stage::new();
    for zone in [&mut stage.lab.leaf, &mut stage.lab.tld] {
        zone.add("leaf.example.", 3600, "NS", "ns3.leaf.example.")
            .unwrap();
        zone.add("ns3.leaf.example.", 3600, "A", &NS3.to_string())
            .unwrap();
    }
    stage.lab.publish();
    lagging(&stage.lab);
    assert!(lags(&judged(&stage.lab).1));
    let mut shown = stage.lab.tld.clone();
    shown
        .remove("leaf", "NS")
        .unwrap()
        .add("leaf", 3600, "NS", "ns2.leaf.example.")
        .unwrap();
    [TLD, TLD2, RESOLVER]
        .into_iter()
        .for_each(|server| stage.lab.serve(server, &shown, &[&stage.lab.tld_key]));
    let mut shown = stage.lab.leaf.clone();
    shown
        .remove("@", "NS")
        .unwrap()
        .add("@", 3600, "NS", "ns2.leaf.example.")
        .unwrap();
    stage.lab.serve(RESOLVER, &shown, &[&stage.lab.leaf_key]);
    stage.act(Box::new(move |asked| say(&tell(asked).good)));
    stage
}

#[test]
fn a_server_left_out_of_the_signed_set_is_missed() {
    let shorter = |mut asked: Asked| {
        if asked.kind == RecordType::NS {
            let other = |record: &Record| matches!(&record.data, RData::NS(to) if to.0 != wire("ns2.leaf.example"));
            asked.good.answers.retain(|record| !other(record));
        }
        asked
    };
    unproven(
        &judged(&liar(shorter).lab).1,
        "with the signature over all of them",
    );
    let unsigned = |mut asked: Asked| {
        if asked.kind == RecordType::NS {
            asked.good.answers.truncate(2);
            asked
                .good
                .answers
                .retain(|record| record.record_type() == RecordType::NS);
        }
        asked
    };
    let (_, verdict) = judged(&liar(unsigned).lab);
    assert_ne!(verdict.decision, Decision::Safe, "{:#?}", verdict.findings);
}

#[test]
fn the_signed_set_is_asked_whatever_the_resolver_says() {
    let stage = liar(|asked| asked);
    let (evidence, verdict) = judged(&stage.lab);
    assert!(
        evidence.hops[0]
            .servers
            .iter()
            .any(|server| server.address.map(|a| a.ip()) == Some(NS3))
    );
    assert!(lags(&verdict), "{:#?}", verdict.findings);
}

/// The first server is at the address of the one that lags; the liar says that
/// it is at its own.
fn moved(tell: fn(Asked) -> Asked) -> Stage {
    let mut stage = Stage::new();
    stage
        .lab
        .leaf
        .remove("ns1", "A")
        .unwrap()
        .add("ns1", 3600, "A", &NS3.to_string())
        .unwrap();
    stage.lab.publish();
    let mut shown = stage.lab.tld.clone();
    shown
        .remove("ns1.leaf", "A")
        .unwrap()
        .add("ns1.leaf", 3600, "A", &SCRIPTED.to_string())
        .unwrap();
    [TLD, TLD2, RESOLVER]
        .into_iter()
        .for_each(|server| stage.lab.serve(server, &shown, &[&stage.lab.tld_key]));
    let mut shown = stage.lab.leaf.clone();
    shown
        .remove("ns1", "A")
        .unwrap()
        .add("ns1", 3600, "A", &SCRIPTED.to_string())
        .unwrap();
    stage.lab.serve(RESOLVER, &shown, &[&stage.lab.leaf_key]);
    lagging(&stage.lab);
    stage.act(Box::new(move |asked| say(&tell(asked).good)));
    stage
}

#[test]
fn an_address_that_is_not_the_signed_one_is_not_believed() {
    let changed = |mut asked: Asked| {
        for record in asked
            .good
            .answers
            .iter_mut()
            .filter(|record| record.name == wire("ns1.leaf.example"))
        {
            if record.record_type() == RecordType::A {
                record.data = RData::try_from_str(RecordType::A, &SCRIPTED.to_string()).unwrap();
            }
        }
        asked
    };
    unproven(&judged(&moved(changed).lab).1, "changed");
    let denied = |mut asked: Asked| {
        if asked.kind == RecordType::A && asked.good.queries[0].name() == &wire("ns1.leaf.example")
        {
            asked.good.answers.clear();
        }
        asked
    };
    unproven(&judged(&moved(denied).lab).1, "denied without proof");
    let refused = |mut asked: Asked| {
        if asked.kind == RecordType::A && asked.good.queries[0].name() == &wire("ns1.leaf.example")
        {
            asked.good.answers.clear();
            asked.good.metadata.response_code = ResponseCode::Refused;
        }
        asked
    };
    unproven(&judged(&moved(refused).lab).1, "refused by all");
    // An honest machine gives the signed one, and that is asked.
    assert!(lags(&judged(&moved(|asked| asked).lab).1));
}

/// What is too large is not kept, so it is asked twice.
#[test]
fn whoever_gives_the_signed_address_only_when_asked_again_gains_nothing() {
    let in_turn = |mut asked: Asked| {
        static TIMES: AtomicUsize = AtomicUsize::new(0);
        if asked.kind == RecordType::A && asked.good.queries[0].name() == &wire("ns1.leaf.example")
        {
            if TIMES.fetch_add(1, Ordering::SeqCst) > 0 {
                return asked;
            }
            let data = |text: &str| RData::try_from_str(RecordType::A, text).unwrap();
            asked
                .good
                .answers
                .iter_mut()
                .filter(|r| r.record_type() == RecordType::A)
                .for_each(|record| {
                    record.data = data(&SCRIPTED.to_string());
                });
            let again: Vec<Record> = asked.good.answers.clone();
            asked
                .good
                .answers
                .extend(again.iter().cycle().take(200).cloned());
        }
        asked
    };
    let (_, verdict) = judged(&moved(in_turn).lab);
    unproven(&verdict, "in turn");
    let told = |finding: &danewright::finding::Finding| finding.message.contains(&NS3.to_string());
    assert!(verdict.findings.iter().any(told), "{:#?}", verdict.findings);
}

/// Both servers have names in the other zone: one at NS1, the other at NS2.
fn elsewhere() -> Lab {
    let mut lab = Lab::new();
    for zone in [&mut lab.leaf, &mut lab.tld] {
        zone.remove("leaf.example.", "NS").unwrap();
        for server in ["near", "far"] {
            zone.add(
                "leaf.example.",
                3600,
                "NS",
                &format!("{server}.other.example."),
            )
            .unwrap();
        }
    }
    for (server, address) in [("near", NS1), ("far", NS2)] {
        lab.other
            .add(server, 3600, "A", &address.to_string())
            .unwrap();
    }
    lab.publish();
    lab
}

#[test]
fn addresses_in_another_signed_zone_are_proven_there() {
    let lab = elsewhere();
    let (evidence, verdict) = judged(&lab);
    assert_eq!(
        (verdict.decision, evidence.hops[0].findings.len()),
        (Decision::Safe, 0),
        "{:#?}",
        verdict.findings
    );
    for (what, fault) in [
        ("bad signatures", Fault::BadSignature),
        ("no signatures", Fault::DropSignatures),
        ("expired ones", Fault::ExpiredSignature),
        ("no answer", Fault::Refuse),
    ] {
        for kind in ["A", "AAAA"] {
            let lab = elsewhere();
            lab.authority.fault_for(OTHER, kind, fault).unwrap();
            unproven(&judged(&lab).1, what);
        }
    }
    let lab = elsewhere();
    lab.serve(OTHER, &lab.other, &[&Key::generate().unwrap()]);
    unproven(&judged(&lab).1, "by a key of nobody");
}

#[test]
fn addresses_in_an_unsigned_zone_rest_on_the_resolver() {
    let mut lab = elsewhere();
    lab.tld.remove("other", "DS").unwrap();
    lab.publish();
    let (evidence, verdict) = judged(&lab);
    assert_eq!(verdict.decision, Decision::Safe, "{:#?}", verdict.findings);
    let notes: Vec<_> = evidence.hops[0]
        .findings
        .iter()
        .filter(|finding| finding.code == "name-server-address-unsigned")
        .collect();
    assert_eq!((notes.len(), notes[0].severity), (1, Severity::Note));
    assert!(
        notes[0].message.contains("near.other.example.")
            && notes[0].message.contains("far.other.example.")
    );
}

#[test]
fn addresses_in_a_zone_that_cannot_be_verified_rest_on_the_resolver_when_its_parent_says_so() {
    let mut lab = elsewhere();
    let ds = format!("1 200 2 {}", digest('0'));
    lab.tld
        .remove("other", "DS")
        .unwrap()
        .add("other", 3600, "DS", &ds)
        .unwrap();
    lab.publish();
    let (evidence, verdict) = judged(&lab);
    assert_eq!(verdict.decision, Decision::Safe, "{:#?}", verdict.findings);
    assert!(
        evidence.hops[0]
            .findings
            .iter()
            .any(|finding| finding.code == "name-server-address-unsigned")
    );
    // The zone's own servers say so, and may be anybody's.
    let lab = elsewhere();
    let foreign = lab.other_key.claiming(16);
    lab.authority.publish(
        OTHER,
        &lab.other
            .sign_publishing(&[&foreign], &[&lab.other_key], lab.window)
            .unwrap(),
    );
    unproven(
        &judged(&lab).1,
        "an algorithm that only its signatures have",
    );
}

#[test]
fn a_zone_that_only_the_resolver_knows_is_not_called_unsigned() {
    // The signed address is that of the server that lags.
    let mut lab = elsewhere();
    lab.other
        .remove("far", "A")
        .unwrap()
        .add("far", 3600, "A", &NS3.to_string())
        .unwrap();
    lab.publish();
    lagging(&lab);
    assert!(lags(&judged(&lab).1));
    let apex = "far.other.example.";
    // Its server is a machine of the liar's, which the resolver points to as well.
    let at = NS2.to_string();
    let invented = zone(
        apex,
        &[
            ("@", "NS", "ns.far.other.example."),
            ("@", "A", &at),
            ("ns", "A", &at),
        ],
    );
    for server in [RESOLVER, NS2] {
        lab.authority
            .publish(server, &invented.sign(&[], lab.window).unwrap());
    }
    unproven(&judged(&lab).1, "an invented cut");
}

#[test]
fn a_name_that_only_the_parent_gives_and_the_zone_denies_is_fine() {
    let mut lab = Lab::new();
    lab.tld
        .add("leaf", 3600, "NS", "gone.leaf.example.")
        .unwrap();
    lab.tld
        .add("gone.leaf", 3600, "A", &NS2.to_string())
        .unwrap();
    lab.publish();
    let (_, verdict) = judged(&lab);
    assert!(
        !verdict
            .findings
            .iter()
            .any(|finding| finding.code == "name-servers-unproven"),
        "{:#?}",
        verdict.findings
    );
}
