//! Servers and addresses that only one side knows, and questions that only some
//! of them answer: nobody may be left out without a word.

use danewright::demo::authority::{Fault, Key, Zone};
use danewright::dns::{Family, Settings};
use danewright::finding::{Finding, Severity};
use danewright::propagation::Decision;
use danewright::propagation::evidence::{Evidence, Outcome, Security};

use crate::lab::{Lab, NS1, NS2, NS3, OTHER, TLD, TLD2, digest, name, server, zone};

/// The zone with the record of an older key, as a server that lags has it.
fn old(lab: &Lab) -> Zone {
    let mut old = zone(
        "leaf.example.",
        &[
            ("@", "NS", "ns1.leaf.example."),
            ("mail", "A", "192.0.2.25"),
        ],
    );
    old.add(
        "_25._tcp.mail",
        3600,
        "TLSA",
        &format!("3 1 1 {}", digest('0')),
    )
    .unwrap();
    lab.serve(NS3, &old, &[&lab.leaf_key]);
    old
}

fn found<'a>(findings: &'a [Finding], code: &str) -> Vec<&'a Finding> {
    findings
        .iter()
        .filter(|finding| finding.code == code)
        .collect()
}

fn records_at_ns3(evidence: &Evidence) -> String {
    server(evidence, 0, NS3).records[0].hex()
}

#[test]
fn a_delegation_that_the_parent_does_not_tell_is_unknown() {
    let lab = Lab::new();
    for server in [TLD, TLD2] {
        lab.authority
            .fault_for(server, "NS", Fault::Refuse)
            .unwrap();
    }
    let evidence = lab.gather();
    let unknown = found(&evidence.hops[0].findings, "delegation-unknown");
    assert_eq!(unknown.len(), 1, "{:#?}", evidence.hops[0].findings);
    assert_eq!(unknown[0].severity, Severity::Unknown);
}

#[test]
fn an_address_that_only_the_delegation_has_is_asked() {
    let mut lab = Lab::new();
    lab.tld
        .remove("ns2.leaf", "A")
        .unwrap()
        .add("ns2.leaf", 3600, "A", "127.0.7.8")
        .unwrap();
    lab.publish();
    old(&lab);
    let evidence = lab.gather();
    assert_eq!(records_at_ns3(&evidence), digest('0'));
    assert_eq!(server(&evidence, 0, NS2).outcome, Outcome::Answered);
    let differs = found(&evidence.hops[0].findings, "delegation-differs");
    assert_eq!((differs.len(), differs[0].severity), (1, Severity::Note));
    assert!(differs[0].message.contains("127.0.7.8"), "{differs:?}");
}

#[test]
fn an_address_that_the_resolver_does_not_know_yet_is_asked() {
    let mut lab = Lab::new();
    lab.leaf.add("ns2", 3600, "A", "127.0.7.8").unwrap();
    for server in [NS1, NS2] {
        lab.serve(server, &lab.leaf, &[&lab.leaf_key]);
    }
    old(&lab);
    assert_eq!(records_at_ns3(&lab.gather()), digest('0'));
}

#[test]
fn every_resolver_is_asked_for_addresses() {
    let mut lab = Lab::new();
    // A name outside of the zone, so that no server of the zone tells its address.
    lab.tld
        .add("leaf", 3600, "NS", "far.other.example.")
        .unwrap();
    lab.leaf.add("@", 3600, "NS", "far.other.example.").unwrap();
    lab.publish();
    lab.other.add("far", 3600, "A", "127.0.7.8").unwrap();
    lab.authority.role(
        OTHER,
        danewright::demo::authority::Role::Resolver {
            authenticated: true,
        },
    );
    lab.serve(OTHER, &lab.other, &[&lab.other_key]);
    lab.serve(OTHER, &lab.leaf, &[&lab.leaf_key]);
    old(&lab);
    let resolvers = vec![lab.socket(crate::lab::RESOLVER), lab.socket(OTHER)];
    assert_eq!(
        records_at_ns3(&lab.gather_with(&Settings {
            resolvers,
            ..lab.settings()
        })),
        digest('0')
    );
}

#[test]
fn addresses_of_the_other_family_are_counted_and_a_server_without_any_is_unreachable() {
    let mut lab = Lab::new();
    lab.leaf.add("ns2", 3600, "AAAA", "::1").unwrap();
    lab.leaf
        .add("@", 3600, "NS", "ns6.leaf.example.")
        .unwrap()
        .add("ns6", 3600, "AAAA", "2001:db8::6")
        .unwrap();
    lab.publish();
    let evidence = lab.gather_with(&Settings {
        family: Family::V4,
        ..lab.impatient()
    });
    let hop = &evidence.hops[0];
    let unasked = found(&hop.findings, "family-not-asked");
    assert_eq!((unasked.len(), unasked[0].severity), (1, Severity::Note));
    assert!(
        unasked[0].message.starts_with("2 IPv6 addresses"),
        "{unasked:?}"
    );
    let six = hop
        .servers
        .iter()
        .find(|server| server.name == name("ns6.leaf.example"))
        .unwrap();
    assert_eq!((six.address, six.outcome), (None, Outcome::Unreachable));
}

#[test]
fn more_addresses_than_the_limit_are_told_of_and_not_asked() {
    let mut lab = Lab::new();
    for host in 0..10 {
        lab.leaf
            .add("@", 3600, "NS", &format!("n{host}.leaf.example."))
            .unwrap();
        for last in 1..31 {
            lab.leaf
                .add(
                    &format!("n{host}"),
                    3600,
                    "A",
                    &format!("127.9.{host}.{last}"),
                )
                .unwrap();
        }
    }
    lab.publish();
    let timeout = std::time::Duration::from_secs(1);
    let evidence = lab.gather_with(&Settings {
        timeout,
        tries: 1,
        ..lab.settings()
    });
    let asked = evidence.hops[0]
        .servers
        .iter()
        .filter(|server| server.address.is_some())
        .count();
    assert_eq!(asked, 256);
    assert_eq!(
        found(&evidence.hops[0].findings, "limits-exceeded").len(),
        1
    );
}

/// A host that is an alias into the other zone, which two servers have.
fn aliased() -> Lab {
    let mut lab = Lab::new();
    lab.leaf
        .remove("mail", "A")
        .unwrap()
        .add("mail", 3600, "CNAME", "mx.other.example.")
        .unwrap();
    for zone in [&mut lab.other, &mut lab.tld] {
        zone.add("other.example.", 3600, "NS", "ns-b.other.example.")
            .unwrap();
        zone.add("ns-b.other.example.", 3600, "A", &NS3.to_string())
            .unwrap();
    }
    lab.other.add("mx", 3600, "A", "192.0.2.26").unwrap();
    lab.publish();
    lab.serve(NS3, &lab.other, &[&lab.other_key]);
    lab
}

/// What is told of the alias, and the verdict.
fn told_of_alias(lab: &Lab) -> (Severity, String, Decision) {
    let evidence = lab.gather_with(&lab.impatient());
    let alias = found(&evidence.findings, "host-is-alias");
    assert_eq!(alias.len(), 1, "{:#?}", evidence.findings);
    (
        alias[0].severity,
        alias[0].message.clone(),
        lab.verdict(&evidence).decision,
    )
}

#[test]
fn a_host_that_is_an_alias_counts_when_its_other_name_has_no_records() {
    let (severity, message, decision) = told_of_alias(&aliased());
    assert_eq!(
        (severity, decision),
        (Severity::Note, Decision::Safe),
        "{message}"
    );
    assert!(message.contains("mx.other.example."), "{message}");
    // Of this port: another one says nothing.
    let mut lab = aliased();
    lab.other
        .add(
            "_465._tcp.mx",
            3600,
            "TLSA",
            &format!("3 1 1 {}", digest('a')),
        )
        .unwrap();
    lab.publish();
    lab.serve(NS3, &lab.other, &[&lab.other_key]);
    assert_eq!(told_of_alias(&lab).2, Decision::Safe);
}

#[test]
fn a_host_that_is_an_alias_is_to_be_verified_by_its_other_name_where_that_has_records() {
    for (owner, kind, data) in [
        ("_25._tcp.mx", "TLSA", format!("3 1 1 {}", digest('a'))),
        ("*._tcp.mx", "TLSA", format!("3 1 1 {}", digest('a'))),
        ("_25._tcp.mx", "CNAME", "_dane.other.example.".to_owned()),
    ] {
        // At both servers, or at one of them only.
        for both in [true, false] {
            let mut lab = aliased();
            lab.other.add(owner, 3600, kind, &data).unwrap();
            lab.serve(NS3, &lab.other, &[&lab.other_key]);
            if both {
                lab.publish();
            }
            let (severity, message, decision) = told_of_alias(&lab);
            assert_eq!(
                (severity, decision),
                (Severity::Unknown, Decision::Unknown),
                "{owner} {kind}: {message}"
            );
            assert!(
                message.contains("verify with mx.other.example. as the host"),
                "{message}"
            );
        }
    }
}

#[test]
fn a_host_that_is_an_alias_is_unknown_where_its_other_name_cannot_be_looked_at() {
    for (fault, why) in [
        (Fault::Refuse, "refused"),
        (Fault::Silent, "unreachable"),
        (Fault::DropSignatures, "denial-unproven"),
        (Fault::BadSignature, "denial-unproven"),
    ] {
        let lab = aliased();
        lab.authority.fault_for(NS3, "TLSA", fault).unwrap();
        let (severity, message, decision) = told_of_alias(&lab);
        assert_eq!(
            (severity, decision),
            (Severity::Unknown, Decision::Unknown),
            "{fault:?}: {message}"
        );
        assert!(
            message.contains("ns-b.other.example.") && message.contains(why),
            "{fault:?}: {message}"
        );
    }
    let mut lab = aliased();
    lab.tld.remove("other", "DS").unwrap();
    lab.publish();
    assert_eq!(told_of_alias(&lab).0, Severity::Unknown);
}

#[test]
fn aliases_of_the_host_that_differ_are_not_followed_blindly() {
    let mut lab = Lab::new();
    lab.other.add("mx", 3600, "A", "192.0.2.26").unwrap();
    lab.leaf.add("www", 3600, "A", "192.0.2.1").unwrap();
    lab.leaf
        .remove("mail", "A")
        .unwrap()
        .add("mail", 3600, "CNAME", "www.leaf.example.")
        .unwrap();
    lab.publish();
    lab.leaf
        .remove("mail", "CNAME")
        .unwrap()
        .add("mail", 3600, "CNAME", "mx.other.example.")
        .unwrap();
    lab.serve(NS2, &lab.leaf, &[&lab.leaf_key]);
    let evidence = lab.gather();
    assert_eq!(evidence.host, Some(Security::Indeterminate));
    assert_eq!(found(&evidence.findings, "host-address-unknown").len(), 1);
}

#[test]
fn each_kind_of_address_must_be_answered_by_somebody() {
    for kind in ["A", "AAAA"] {
        for fault in [Fault::ServFail, Fault::Refuse, Fault::Garbage] {
            let lab = Lab::new();
            lab.authority.fault_for(NS1, kind, fault).unwrap();
            assert_eq!(
                lab.gather_with(&lab.impatient()).host,
                Some(Security::Secure),
                "{kind} {fault:?} at one"
            );
            lab.authority.fault_for(NS2, kind, fault).unwrap();
            let evidence = lab.gather_with(&lab.impatient());
            assert_eq!(
                evidence.host,
                Some(Security::Indeterminate),
                "{kind} {fault:?}"
            );
            assert_eq!(
                found(&evidence.findings, "host-address-unknown").len(),
                1,
                "{kind} {fault:?}"
            );
        }
    }
}

#[test]
fn a_host_without_any_address_is_told_of() {
    let mut lab = Lab::new();
    lab.leaf.remove("mail", "A").unwrap();
    lab.publish();
    let evidence = lab.gather();
    let without = found(&evidence.findings, "host-without-address");
    assert_eq!((without.len(), without[0].severity), (1, Severity::Unknown));
}

#[test]
fn every_usable_ds_must_be_as_good_as_the_best() {
    let leaf = name("leaf.example");
    let bad = "0".repeat(96);
    for standby in [false, true] {
        let mut lab = Lab::new();
        let key = if standby {
            Key::generate().unwrap().ds(&leaf)
        } else {
            lab.leaf_key.ds(&leaf)
        }
        .unwrap();
        let tag = key.split(' ').next().unwrap();
        lab.tld
            .add("leaf", 3600, "DS", &format!("{tag} 13 4 {bad}"))
            .unwrap();
        lab.publish();
        let evidence = lab.gather();
        assert_eq!(
            server(&evidence, 0, NS1).security,
            Security::Bogus,
            "standby {standby}"
        );
    }
    // A standby key with the same digest type does no harm.
    let mut lab = Lab::new();
    lab.tld
        .add(
            "leaf",
            3600,
            "DS",
            &Key::generate().unwrap().ds(&leaf).unwrap(),
        )
        .unwrap();
    lab.publish();
    let evidence = lab.gather();
    assert_eq!(
        (
            server(&evidence, 0, NS1).security,
            evidence.hops[0].findings.len()
        ),
        (Security::Secure, 0)
    );
    assert_eq!(server(&evidence, 0, NS1).findings, []);
}

#[test]
fn an_algorithm_that_only_the_parent_has_is_told_of() {
    let mut lab = Lab::new();
    lab.tld
        .add("leaf", 3600, "DS", &format!("4711 8 2 {}", digest('1')))
        .unwrap();
    lab.publish();
    let evidence = lab.gather();
    for address in [NS1, NS2] {
        let told = found(
            &server(&evidence, 0, address).findings,
            "algorithm-incomplete",
        );
        assert_eq!((told.len(), told[0].severity), (1, Severity::Unknown));
    }
    let mut lab = Lab::new();
    lab.root
        .add("example.", 3600, "DS", &format!("4711 8 2 {}", digest('1')))
        .unwrap();
    lab.publish();
    let above = &lab.gather().hops[0].chain[1];
    assert_eq!(
        found(&above.findings, "algorithm-incomplete")[0].severity,
        Severity::Unknown
    );
}

#[test]
fn an_algorithm_of_the_parent_that_is_not_known_here_is_told_of() {
    let ds = format!("4711 16 2 {}", digest('1'));
    let mut lab = Lab::new();
    lab.tld.add("leaf", 3600, "DS", &ds).unwrap();
    lab.publish();
    let link = lab.gather().hops[0].chain[2].clone();
    let told = found(&link.findings, "algorithm-incomplete");
    assert_eq!(
        (link.security, told.len(), told[0].severity),
        (Security::Secure, 1, Severity::Unknown)
    );
    let mut lab = Lab::new();
    lab.root.add("example.", 3600, "DS", &ds).unwrap();
    lab.publish();
    let above = &lab.gather().hops[0].chain[1];
    assert_eq!(
        found(&above.findings, "algorithm-incomplete")[0].severity,
        Severity::Unknown
    );
    // Nobody looks at a digest with SHA-1 beside a better one (RFC 4509 section 3).
    let mut lab = Lab::new();
    lab.tld
        .add("leaf", 3600, "DS", &format!("4711 5 1 {}", "1".repeat(40)))
        .unwrap();
    lab.publish();
    assert_eq!(lab.gather().hops[0].chain[2].findings, []);
}

#[test]
fn keys_that_are_wrong_at_one_server_of_the_parent_are_told_of() {
    for fault in [
        Fault::ExpiredSignature,
        Fault::BadSignature,
        Fault::DropSignatures,
    ] {
        let lab = Lab::new();
        lab.authority.fault_for(TLD2, "DNSKEY", fault).unwrap();
        let link = lab.gather().hops[0].chain[2].clone();
        let told = found(&link.findings, "parent-keys-bogus");
        assert_eq!(
            (link.security, told.len(), told[0].severity),
            (Security::Secure, 1, Severity::Unknown),
            "{fault:?}"
        );
    }
}

#[test]
fn an_address_outside_of_the_zone_that_the_resolver_does_not_know_yet_is_asked() {
    let mut lab = Lab::new();
    for zone in [&mut lab.tld, &mut lab.leaf] {
        zone.add("leaf.example.", 3600, "NS", "far.other.example.")
            .unwrap();
    }
    // What the resolver keeps is the address of before.
    lab.other.add("far", 3600, "A", "127.0.7.4").unwrap();
    lab.publish();
    assert_eq!(lab.verdict(&lab.gather()).decision, Decision::Safe);
    lab.other
        .remove("far", "A")
        .unwrap()
        .add("far", 3600, "A", "127.0.7.8")
        .unwrap();
    lab.serve(OTHER, &lab.other, &[&lab.other_key]);
    old(&lab);
    let evidence = lab.gather();
    assert_eq!(records_at_ns3(&evidence), digest('0'));
    assert_ne!(lab.verdict(&evidence).decision, Decision::Safe);
    // Where nobody there answers, the resolver's word is what is left, and proves nothing.
    lab.authority.fault(OTHER, Some(Fault::Refuse));
    let evidence = lab.gather();
    assert_eq!(lab.verdict(&evidence).decision, Decision::Unknown);
    assert_eq!(
        found(&evidence.hops[0].findings, "name-servers-unproven").len(),
        1
    );
}
