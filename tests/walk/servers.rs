//! What single name servers do, and that each is told apart from the others.

use std::time::Duration;

use danewright::demo::authority::Fault;
use danewright::dns::gather;
use danewright::finding::Severity;
use danewright::propagation::evidence::{Listed, Outcome, Security};

use crate::lab::{Lab, NS1, NS2, NS3, TLD, TLD2, codes, digest, name, one, server, target};

#[test]
fn a_sound_tree_is_secure_at_every_server() {
    let lab = Lab::new();
    let evidence = lab.gather();
    assert_eq!(evidence.findings, []);
    assert_eq!(evidence.owner, name("_25._tcp.mail.leaf.example"));
    assert_eq!(evidence.host, Some(Security::Secure));
    let hop = one(evidence.hops.clone());
    assert_eq!(hop.zone, name("leaf.example"));
    assert_eq!(hop.findings, []);
    let chain: Vec<_> = hop
        .chain
        .iter()
        .map(|link| (link.zone.to_string(), link.security, codes(&link.findings)))
        .collect();
    let secure = |zone: &str| (zone.to_owned(), Security::Secure, vec![]);
    assert_eq!(
        chain,
        [secure("."), secure("example."), secure("leaf.example.")]
    );
    assert_eq!(hop.servers.len(), 2);
    for address in [NS1, NS2] {
        let server = server(&evidence, 0, address);
        assert_eq!(
            (server.outcome, server.security),
            (Outcome::Answered, Security::Secure)
        );
        assert_eq!(
            server.listed,
            Listed {
                by_parent: true,
                by_zone: true,
                by_user: false
            }
        );
        assert_eq!(
            (server.serial, server.ttl, server.original_ttl),
            (Some(1), Some(3600), Some(3600))
        );
        assert_eq!(server.negative_ttl, Some(300));
        assert_eq!(
            server.records[0].to_string(),
            format!("3 1 1 {}", digest('a'))
        );
        assert_eq!(server.signature_expires, Some(lab.window.expiration));
        assert_eq!(server.set_signature_expires, Some(lab.window.expiration));
        assert_eq!(server.findings, []);
    }
    let resolver = one(evidence.resolvers);
    assert_eq!(
        (resolver.outcome, resolver.authenticated, resolver.ttl),
        (Outcome::Answered, true, Some(3600))
    );
    assert_eq!(resolver.findings, []);
}

#[test]
fn each_way_to_go_wrong_has_its_own_outcome_and_touches_nobody_else() {
    let lab = Lab::new();
    let bogus = |code| (Outcome::Answered, Security::Bogus, Some(code));
    let failed = |outcome| (outcome, Security::Indeterminate, None);
    for (fault, expected) in [
        (Fault::Silent, failed(Outcome::Unreachable)),
        (Fault::Refuse, failed(Outcome::Refused)),
        (Fault::ServFail, failed(Outcome::ServFail)),
        (Fault::FormErr, failed(Outcome::OtherCode(1))),
        (Fault::NotAuthoritative, failed(Outcome::NotAuthoritative)),
        (Fault::DropSignatures, bogus("bogus")),
        (Fault::BadSignature, bogus("bogus")),
        (
            Fault::ForeignSignature,
            (
                Outcome::Answered,
                Security::Secure,
                Some("signature-unused"),
            ),
        ),
        (Fault::ExpiredSignature, bogus("signature-expired")),
        (
            Fault::RaiseTtl,
            (
                Outcome::Answered,
                Security::Secure,
                Some("ttl-above-signed"),
            ),
        ),
        (Fault::WrongId, failed(Outcome::Malformed)),
        (Fault::WrongQuestion, failed(Outcome::Malformed)),
        (Fault::Garbage, failed(Outcome::Malformed)),
        (
            Fault::TruncateUdp,
            (Outcome::Answered, Security::Secure, None),
        ),
        (
            Fault::TruncateUdpNoTcp,
            failed(Outcome::TruncatedWithoutTcp),
        ),
        (
            Fault::Delay(Duration::from_millis(20)),
            (Outcome::Answered, Security::Secure, None),
        ),
    ] {
        lab.authority.fault(NS2, Some(fault));
        let evidence = lab.gather_with(&lab.impatient());
        let (outcome, security, code) = expected;
        let wrong = server(&evidence, 0, NS2);
        assert_eq!(
            (wrong.outcome, wrong.security),
            (outcome, security),
            "{fault:?}: {wrong:#?}"
        );
        let all_of_it = codes(&wrong.findings)
            .iter()
            .all(|found| Some(*found) == code);
        assert!(
            all_of_it && wrong.findings.is_empty() == code.is_none(),
            "{fault:?}: {:#?}",
            wrong.findings
        );
        let right = server(&evidence, 0, NS1);
        assert_eq!(
            (right.outcome, right.security, &right.findings[..]),
            (Outcome::Answered, Security::Secure, &[][..])
        );
        assert_eq!(
            evidence.hops[0].chain[2].security,
            Security::Secure,
            "{fault:?}"
        );
    }
}

#[test]
fn an_answer_without_the_rest_is_not_secure() {
    for (kind, fault, outcome, security, code) in [
        (
            "TLSA",
            Fault::BadSignature,
            Outcome::Answered,
            Security::Bogus,
            "bogus",
        ),
        (
            "SOA",
            Fault::BadSignature,
            Outcome::Answered,
            Security::Bogus,
            "bogus",
        ),
        (
            "SOA",
            Fault::ServFail,
            Outcome::Answered,
            Security::Indeterminate,
            "servfail",
        ),
        (
            "DNSKEY",
            Fault::Refuse,
            Outcome::Answered,
            Security::Indeterminate,
            "refused",
        ),
        (
            "DNSKEY",
            Fault::DropSignatures,
            Outcome::Answered,
            Security::Bogus,
            "bogus",
        ),
        (
            "DNSKEY",
            Fault::ExpiredSignature,
            Outcome::Answered,
            Security::Bogus,
            "signature-expired",
        ),
    ] {
        let lab = Lab::new();
        lab.authority.fault_for(NS2, kind, fault).unwrap();
        let evidence = lab.gather();
        let wrong = server(&evidence, 0, NS2);
        assert_eq!(
            (wrong.outcome, wrong.security),
            (outcome, security),
            "{kind} {fault:?}"
        );
        assert!(
            codes(&wrong.findings).contains(&code),
            "{kind} {fault:?}: {:#?}",
            wrong.findings
        );
        assert_eq!(
            server(&evidence, 0, NS1).security,
            Security::Secure,
            "{kind} {fault:?}"
        );
    }
}

#[test]
fn a_server_that_lags_is_seen_with_its_own_records_and_serial() {
    let lab = Lab::new();
    let mut newer = lab.leaf.clone();
    newer
        .add(
            "_25._tcp.mail",
            600,
            "TLSA",
            &format!("3 1 1 {}", digest('b')),
        )
        .unwrap()
        .set_serial(2);
    lab.serve(NS1, &newer, &[&lab.leaf_key]);
    let evidence = lab.gather();
    let (ahead, behind) = (server(&evidence, 0, NS1), server(&evidence, 0, NS2));
    assert_eq!(
        (ahead.records.len(), ahead.serial, ahead.ttl),
        (2, Some(2), Some(600))
    );
    assert_eq!(
        (behind.records.len(), behind.serial, behind.ttl),
        (1, Some(1), Some(3600))
    );
    assert_eq!(
        (ahead.security, behind.security),
        (Security::Secure, Security::Secure)
    );
}

#[test]
fn absence_is_proven_like_the_soa_and_says_how_long_it_is_kept() {
    let mut lab = Lab::new();
    lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    lab.leaf
        .add("_25._tcp.mail", 60, "TXT", "\"here\"")
        .unwrap();
    lab.serve(NS1, &lab.leaf, &[&lab.leaf_key]);
    lab.leaf.remove("_25._tcp.mail", "TXT").unwrap();
    lab.serve(NS2, &lab.leaf, &[&lab.leaf_key]);
    let evidence = lab.gather();
    for (address, outcome) in [(NS1, Outcome::NoData), (NS2, Outcome::NoName)] {
        let server = server(&evidence, 0, address);
        assert_eq!(
            (server.outcome, server.security),
            (outcome, Security::Secure)
        );
        assert_eq!(
            (server.negative_ttl, server.ttl, server.records.len()),
            (Some(300), None, 0)
        );
    }
    lab.authority.fault(NS2, Some(Fault::DropSignatures));
    assert_eq!(server(&lab.gather(), 0, NS2).security, Security::Bogus);
}

#[test]
fn a_silent_server_is_asked_about_its_zone_and_then_left_alone() {
    let lab = Lab::new();
    lab.authority.fault(NS2, Some(Fault::Silent));
    let targets = ["mail.leaf.example", "www.leaf.example", "leaf.example"].map(target);
    let all = gather(&targets, &lab.impatient());
    assert!(
        all.iter()
            .all(|evidence| server(evidence, 0, NS2).outcome == Outcome::Unreachable)
    );
    assert_eq!(
        lab.authority.asked(NS2),
        3,
        "SOA, DNSKEY and NS, one try each"
    );
}

#[test]
fn silence_is_called_silence_after_as_many_tries_as_are_allowed() {
    let lab = Lab::new();
    lab.authority.fault(NS2, Some(Fault::Silent));
    let settings = danewright::dns::Settings {
        tries: 3,
        timeout: Duration::from_millis(500),
        ..lab.settings()
    };
    assert_eq!(
        server(&lab.gather_with(&settings), 0, NS2).outcome,
        Outcome::Unreachable
    );
    assert_eq!(lab.authority.asked(NS2), 9);
}

#[test]
fn every_server_that_somebody_names_is_asked() {
    let mut lab = Lab::new();
    lab.leaf.add("@", 3600, "NS", "ns3.leaf.example.").unwrap();
    lab.leaf.add("ns3", 3600, "A", "127.0.7.8").unwrap();
    lab.publish();
    lab.serve(NS3, &lab.leaf, &[&lab.leaf_key]);
    let evidence = lab.gather();
    let third = server(&evidence, 0, NS3);
    assert_eq!(
        third.listed,
        Listed {
            by_zone: true,
            ..Listed::default()
        }
    );
    assert_eq!(
        (third.outcome, third.security),
        (Outcome::Answered, Security::Secure)
    );
    let differs = one(evidence.hops[0].findings.clone());
    assert_eq!(
        (differs.code, differs.severity),
        ("delegation-differs", Severity::Note)
    );
    assert!(
        differs
            .message
            .contains("only the zone itself names ns3.leaf.example."),
        "{}",
        differs.message
    );
}

#[test]
fn a_name_in_the_delegation_without_an_address_is_unreachable() {
    let mut lab = Lab::new();
    lab.tld
        .add("leaf", 3600, "NS", "gone.leaf.example.")
        .unwrap();
    lab.publish();
    let evidence = lab.gather();
    let gone = evidence.hops[0]
        .servers
        .iter()
        .find(|server| server.name == name("gone.leaf.example"))
        .unwrap();
    assert_eq!((gone.address, gone.outcome), (None, Outcome::Unreachable));
    assert_eq!(
        gone.listed,
        Listed {
            by_parent: true,
            ..Listed::default()
        }
    );
    assert_eq!(codes(&evidence.hops[0].findings), ["delegation-differs"]);
}

#[test]
fn a_hidden_primary_is_asked_where_the_user_says() {
    let lab = Lab::new();
    lab.serve(NS3, &lab.leaf, &[&lab.leaf_key]);
    let mut settings = lab.settings();
    settings.name_servers = vec![
        (name("hidden.leaf.example"), lab.socket(NS3)),
        (name("ns1"), lab.socket(NS1)),
    ];
    let evidence = lab.gather_with(&settings);
    let hidden = server(&evidence, 0, NS3);
    assert_eq!(
        hidden.listed,
        Listed {
            by_user: true,
            ..Listed::default()
        }
    );
    assert_eq!(
        (hidden.outcome, hidden.security),
        (Outcome::Answered, Security::Secure)
    );
    assert!(server(&evidence, 0, NS1).listed.by_user);
    assert_eq!(evidence.hops[0].servers.len(), 3);
}

#[test]
fn signatures_must_hold_under_the_keys_of_every_server() {
    let mut lab = Lab::new();
    let second = danewright::demo::authority::Key::generate().unwrap();
    lab.tld
        .add(
            "leaf",
            3600,
            "DS",
            &second.ds(&name("leaf.example")).unwrap(),
        )
        .unwrap();
    lab.publish();
    lab.serve(NS2, &lab.leaf, &[&second]);
    let evidence = lab.gather();
    let (own, apart) = (server(&evidence, 0, NS1), server(&evidence, 0, NS2));
    assert_eq!(
        (own.security, apart.security),
        (Security::Bogus, Security::Bogus)
    );
    assert!(
        apart
            .findings
            .iter()
            .any(|f| f.message.contains("under the keys that ns1.leaf.example.")),
        "{apart:#?}"
    );
    // With a signature by either key, each holds under the keys of both; the other is not used.
    for (one, other) in [(NS1, NS2), (NS2, NS1)] {
        lab.serve(one, &lab.leaf, &[&lab.leaf_key, &second]);
        lab.serve(other, &lab.leaf, &[&lab.leaf_key]);
        let evidence = lab.gather();
        for address in [NS1, NS2] {
            let server = server(&evidence, 0, address);
            assert_eq!(server.security, Security::Secure, "{server:#?}");
            assert!(
                server
                    .findings
                    .iter()
                    .all(|finding| finding.severity == Severity::Note),
                "{server:#?}"
            );
        }
    }
}

#[test]
fn targets_of_one_zone_share_what_is_known_of_it() {
    let lab = Lab::new();
    let targets = ["mail.leaf.example", "www.leaf.example", "ftp.leaf.example"].map(target);
    assert_eq!(gather(&targets, &lab.settings()).len(), 3);
    // DS, NS and DNSKEY once; one may be asked again when whoever asked it first
    // has had enough from another server.
    for server in [TLD, TLD2] {
        assert!(
            (3..=4).contains(&lab.authority.asked(server)),
            "{}",
            lab.authority.asked(server)
        );
    }
}

#[test]
fn an_answer_to_another_question_of_the_same_type_is_none() {
    let lab = Lab::new();
    lab.authority
        .fault_for(NS2, "TLSA", Fault::WrongQuestion)
        .unwrap();
    let evidence = lab.gather_with(&lab.impatient());
    let wrong = server(&evidence, 0, NS2);
    assert_eq!(
        (wrong.outcome, wrong.security, wrong.serial),
        (Outcome::Malformed, Security::Indeterminate, Some(1))
    );
}
