//! What is wrong with the host's addresses only, most of all where the TLSA owner
//! is in a zone of its own below: it counts all the same, as senders start there.

use chrono::TimeDelta;
use danewright::demo::authority::{Fault, Key, Window};
use danewright::propagation::{Decision, Verdict};
use hickory_proto::rr::RecordType;

use crate::lab::{Lab, NS1, NS2, OTHER, RESOLVER, digest, name, zone};
use crate::script::{Stage, say};

/// Moves the owner into `_tcp.mail.leaf.example.`, which another server has.
fn apart(lab: &mut Lab) {
    let key = Key::generate().unwrap();
    let apex = "_tcp.mail.leaf.example.";
    let below = zone(
        apex,
        &[
            ("@", "NS", "ns.other.example."),
            ("_25", "TLSA", &format!("3 1 1 {}", digest('a'))),
        ],
    );
    lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    lab.leaf
        .add("_tcp.mail", 3600, "NS", "ns.other.example.")
        .unwrap();
    lab.leaf
        .add("_tcp.mail", 3600, "DS", &key.ds(&name(apex)).unwrap())
        .unwrap();
    lab.publish();
    [OTHER, RESOLVER]
        .into_iter()
        .for_each(|server| lab.serve(server, &below, &[&key]));
}

fn verdict(lab: &Lab) -> Verdict {
    let verdict = lab.verdict(&lab.gather());
    assert!(
        !verdict
            .findings
            .iter()
            .any(|finding| finding.code == "zone-not-found"),
        "{:#?}",
        verdict.findings
    );
    verdict
}

fn told(verdict: &Verdict, code: &str) -> bool {
    verdict
        .findings
        .iter()
        .any(|finding| finding.code == code && Decision::from(finding.severity) == verdict.decision)
}

#[test]
fn a_host_whose_zone_is_well_is_safe() {
    let mut lab = Lab::new();
    apart(&mut lab);
    let verdict = verdict(&lab);
    assert_eq!(verdict.decision, Decision::Safe, "{:#?}", verdict.findings);
}

#[test]
fn a_host_whose_zone_may_have_more_servers_is_unknown() {
    let mut lab = Lab::new();
    apart(&mut lab);
    lab.authority.fault_for(NS2, "NS", Fault::Refuse).unwrap();
    let verdict = verdict(&lab);
    assert_eq!(
        verdict.decision,
        Decision::Unknown,
        "{:#?}",
        verdict.findings
    );
    assert!(
        told(&verdict, "name-servers-unknown"),
        "{:#?}",
        verdict.findings
    );
}

#[test]
fn keys_that_expire_soon_weigh_more_at_the_host_than_on_the_way() {
    let mut stage = Stage::new();
    apart(&mut stage.lab);
    // So that nobody else is the first whose keys prove the way.
    stage
        .lab
        .authority
        .fault_for(NS1, "DNSKEY", Fault::Refuse)
        .unwrap();
    assert_eq!(verdict(&stage.lab).decision, Decision::Unknown);
    let window = Window {
        expiration: stage.lab.now + TimeDelta::minutes(30),
        ..stage.lab.window
    };
    stage.lab.authority.publish(
        NS2,
        &stage.lab.leaf.sign(&[&stage.lab.leaf_key], window).unwrap(),
    );
    let keys = stage.look_up("leaf.example", RecordType::DNSKEY).answers;
    stage
        .lab
        .serve(NS2, &stage.lab.leaf, &[&stage.lab.leaf_key]);
    stage.act(Box::new(move |mut asked| {
        if asked.kind == RecordType::DNSKEY {
            asked.good.answers.clone_from(&keys);
        }
        say(&asked.good)
    }));
    let verdict = verdict(&stage.lab);
    assert_eq!(
        verdict.decision,
        Decision::Unsafe,
        "{:#?}",
        verdict.findings
    );
    assert!(
        told(&verdict, "signature-expires-soon"),
        "{:#?}",
        verdict.findings
    );
}

#[test]
fn a_server_that_fails_to_give_addresses_is_unknown() {
    for (own_zone, kind, fault, code) in [
        (false, "A", Fault::ServFail, "servfail"),
        (false, "AAAA", Fault::NotAuthoritative, "not-authoritative"),
        (true, "A", Fault::Refuse, "refused"),
    ] {
        let mut lab = Lab::new();
        if own_zone {
            apart(&mut lab);
        }
        assert_eq!(verdict(&lab).decision, Decision::Safe);
        lab.authority.fault_for(NS2, kind, fault).unwrap();
        let verdict = verdict(&lab);
        assert_eq!(
            verdict.decision,
            Decision::Unknown,
            "{kind}: {:#?}",
            verdict.findings
        );
        assert!(told(&verdict, code), "{kind}: {:#?}", verdict.findings);
    }
}

#[test]
fn a_server_that_fails_altogether_is_told_of_once() {
    let lab = Lab::new();
    lab.authority.fault(NS2, Some(Fault::Refuse));
    let findings = verdict(&lab).findings;
    let of_it = findings
        .iter()
        .filter(|finding| finding.code == "refused" && finding.message.contains("addresses"));
    assert_eq!(of_it.count(), 0, "{findings:#?}");
}
