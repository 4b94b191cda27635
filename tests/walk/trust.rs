//! Where trust comes from, and each way in which it can be missing.

use chrono::TimeDelta;
use danewright::demo::authority::{Fault, Key, Window};
use danewright::dns::{Anchors, Settings};
use danewright::finding::{Finding, Severity};
use danewright::propagation::Decision;
use danewright::propagation::evidence::{Evidence, Outcome, Security};

use crate::lab::{Lab, NS1, NS2, RESOLVER, ROOT, TLD, TLD2, codes, digest, name, server};

/// The chain's last link, and what both servers come to.
fn standing(evidence: &Evidence) -> (Security, Vec<&'static str>, Security) {
    let link = evidence.hops[0].chain.last().unwrap();
    let servers = [NS1, NS2].map(|address| server(evidence, 0, address));
    assert_eq!(servers[0].security, servers[1].security);
    assert_eq!(servers[0].outcome, Outcome::Answered);
    if servers[0].security == Security::Bogus || servers[0].security == Security::Insecure {
        assert!(
            servers.iter().all(|server| !server.findings.is_empty()),
            "a reason is missing: {servers:#?}"
        );
    }
    (link.security, codes(&link.findings), servers[0].security)
}

#[test]
fn without_a_ds_the_zone_is_insecure() {
    let mut lab = Lab::new();
    lab.tld.remove("leaf", "DS").unwrap();
    lab.publish();
    let evidence = lab.gather();
    assert_eq!(
        standing(&evidence),
        (Security::Insecure, vec!["insecure"], Security::Insecure)
    );
    assert_eq!(evidence.host, Some(Security::Insecure));
    assert_eq!(server(&evidence, 0, NS1).records.len(), 1);
}

#[test]
fn a_missing_ds_counts_only_when_the_parent_proves_who_says_so() {
    let mut lab = Lab::new();
    lab.tld.remove("leaf", "DS").unwrap();
    lab.publish();
    for server in [TLD, TLD2] {
        lab.authority
            .fault_for(server, "DS", Fault::DropSignatures)
            .unwrap();
    }
    assert_eq!(
        standing(&lab.gather()),
        (Security::Bogus, vec!["bogus"], Security::Bogus)
    );
}

#[test]
fn insecure_above_is_insecure_below() {
    let mut lab = Lab::new();
    lab.root.remove("example.", "DS").unwrap();
    lab.publish();
    let evidence = lab.gather();
    let chain: Vec<Security> = evidence.hops[0]
        .chain
        .iter()
        .map(|link| link.security)
        .collect();
    assert_eq!(
        chain,
        [Security::Secure, Security::Insecure, Security::Insecure]
    );
    assert_eq!(standing(&evidence).2, Security::Insecure);
}

#[test]
fn a_ds_of_another_key_is_bogus() {
    let mut lab = Lab::new();
    let own = lab.leaf_key.ds(&name("leaf.example")).unwrap();
    let other = Key::generate().unwrap().ds(&name("leaf.example")).unwrap();
    let elsewhere = lab.leaf_key.ds(&name("other.example")).unwrap();
    assert_eq!(
        elsewhere.split(' ').next(),
        own.split(' ').next(),
        "the tag is the same"
    );
    for wrong in [other, elsewhere] {
        lab.tld
            .remove("leaf", "DS")
            .unwrap()
            .add("leaf", 3600, "DS", &wrong)
            .unwrap();
        lab.publish();
        assert_eq!(
            standing(&lab.gather()),
            (Security::Bogus, vec!["bogus"], Security::Bogus)
        );
    }
}

#[test]
fn what_cannot_be_verified_is_named_and_not_called_bogus_or_insecure() {
    let mut lab = Lab::new();
    lab.leaf_key = lab.leaf_key.claiming(16);
    let unknown_algorithm = lab.leaf_key.ds(&name("leaf.example")).unwrap();
    let unknown_digest = format!("1 13 1 {}", &digest('0')[..40]);
    for (ds, named) in [
        (unknown_algorithm, "algorithm 16"),
        (unknown_digest, "digest type 1"),
    ] {
        lab.tld
            .remove("leaf", "DS")
            .unwrap()
            .add("leaf", 3600, "DS", &ds)
            .unwrap();
        lab.publish();
        let evidence = lab.gather();
        let expected = (
            Security::Indeterminate,
            vec!["algorithm-unsupported"],
            Security::Indeterminate,
        );
        assert_eq!(standing(&evidence), expected);
        assert!(
            evidence.hops[0].chain[2].findings[0]
                .message
                .contains(named)
        );
    }
}

#[test]
fn a_signature_that_cannot_be_verified_is_a_note_unless_the_parent_names_its_algorithm() {
    let mut lab = Lab::new();
    let foreign = Key::generate().unwrap().claiming(16);
    let signed = lab
        .leaf
        .sign(&[&lab.leaf_key, &foreign], lab.window)
        .unwrap();
    for server in [NS1, NS2] {
        lab.authority.publish(server, &signed);
    }
    let evidence = lab.gather();
    let first = server(&evidence, 0, NS1);
    assert_eq!(first.security, Security::Secure);
    let told = |finding: &Finding| {
        finding.code == "algorithm-unsupported" && finding.severity == Severity::Note
    };
    assert!(first.findings.iter().any(told), "{first:#?}");
    assert_eq!(lab.verdict(&evidence).decision, Decision::Safe);
    lab.tld
        .add("leaf", 3600, "DS", &format!("4711 16 2 {}", digest('1')))
        .unwrap();
    lab.publish();
    for server in [NS1, NS2] {
        lab.authority.publish(server, &signed);
    }
    let verdict = lab.verdict(&lab.gather());
    assert_eq!(verdict.decision, Decision::Unknown, "{verdict:#?}");
    assert!(
        codes(&verdict.findings).contains(&"algorithm-incomplete"),
        "{verdict:#?}"
    );
}

#[test]
fn a_key_set_whose_one_signature_has_expired_is_bogus() {
    let lab = Lab::new();
    for server in [NS1, NS2] {
        lab.authority
            .fault_for(server, "DNSKEY", Fault::ExpiredSignature)
            .unwrap();
    }
    let (link, _, servers) = standing(&lab.gather());
    assert_eq!((link, servers), (Security::Bogus, Security::Bogus));
}

#[test]
fn a_key_set_not_signed_by_the_key_that_the_ds_names_is_bogus() {
    let lab = Lab::new();
    let second = Key::generate().unwrap();
    let zone = lab
        .leaf
        .sign_publishing(&[&second], &[&lab.leaf_key, &second], lab.window)
        .unwrap();
    for server in [NS1, NS2] {
        lab.authority.publish(server, &zone);
    }
    let (link, _, servers) = standing(&lab.gather());
    assert_eq!((link, servers), (Security::Bogus, Security::Bogus));
}

#[test]
fn a_revoked_key_signs_its_revocation_without_harm_and_nothing_else() {
    let lab = Lab::new();
    let old = Key::generate().unwrap().revoked();
    let zone = lab
        .root
        .sign_publishing(&[&lab.root_key], &[&lab.root_key, &old], lab.window)
        .unwrap();
    lab.authority.publish(ROOT, &zone);
    assert_eq!(standing(&lab.gather()).0, Security::Secure);
    // Signed with the revoked key too: fine over the key set, wrong over all else.
    let zone = lab.root.sign(&[&lab.root_key, &old], lab.window).unwrap();
    lab.authority.publish(ROOT, &zone);
    let evidence = lab.gather();
    let chain: Vec<Security> = evidence.hops[0]
        .chain
        .iter()
        .map(|link| link.security)
        .collect();
    assert_eq!(chain, [Security::Secure, Security::Bogus, Security::Bogus]);
}

#[test]
fn a_parent_that_says_nothing_leaves_the_zone_undecided() {
    let lab = Lab::new();
    for server in [TLD, TLD2] {
        lab.authority.fault(server, Some(Fault::Refuse));
    }
    let evidence = lab.gather();
    // The delegation is unknown too; the resolver's word finds the servers all the same.
    assert_eq!(standing(&evidence).0, Security::Indeterminate);
    assert_eq!(standing(&evidence).2, Security::Indeterminate);
}

#[test]
fn one_parent_server_that_proves_it_is_enough_when_the_other_is_silent() {
    let lab = Lab::new();
    lab.authority.fault(TLD2, Some(Fault::Silent));
    let evidence = lab.gather_with(&lab.impatient());
    assert_eq!(
        standing(&evidence),
        (Security::Secure, vec!["parent-silent"], Security::Secure)
    );
    let told = &evidence.hops[0].chain[2].findings[0];
    assert_eq!(told.severity, Severity::Note);
    assert!(
        told.server.as_deref().unwrap().contains("127.0.7.7"),
        "{told:?}"
    );
}

#[test]
fn parent_servers_that_disagree_leave_it_undecided() {
    let mut lab = Lab::new();
    lab.tld.remove("leaf", "DS").unwrap();
    lab.serve(TLD2, &lab.tld, &[&lab.tld_key]);
    let (link, findings, servers) = standing(&lab.gather());
    assert_eq!(
        (link, servers),
        (Security::Indeterminate, Security::Indeterminate)
    );
    assert_eq!(findings, ["ds-differs"]);
}

#[test]
fn a_parent_server_that_gives_no_ds_and_no_soa_is_not_silent() {
    for delegated in [true, false] {
        let mut lab = Lab::new();
        lab.tld
            .remove("leaf", "DS")
            .unwrap()
            .remove("@", "SOA")
            .unwrap();
        if !delegated {
            lab.tld.remove("leaf", "NS").unwrap();
        }
        lab.serve(TLD2, &lab.tld, &[&lab.tld_key]);
        let (link, findings, servers) = standing(&lab.gather());
        assert_eq!(
            (link, servers),
            (Security::Indeterminate, Security::Indeterminate),
            "delegated {delegated}"
        );
        assert_eq!(findings, ["ds-differs"]);
    }
}

#[test]
fn parent_servers_with_different_digests_are_fine_when_the_keys_satisfy_both() {
    let mut lab = Lab::new();
    let second = Key::generate().unwrap();
    lab.tld
        .add(
            "leaf",
            3600,
            "DS",
            &second.ds(&name("leaf.example")).unwrap(),
        )
        .unwrap();
    lab.serve(TLD2, &lab.tld, &[&lab.tld_key]);
    assert_eq!(
        standing(&lab.gather()),
        (Security::Secure, vec!["ds-differs"], Security::Secure)
    );
    lab.tld.remove("leaf", "DS").unwrap();
    lab.tld
        .add(
            "leaf",
            3600,
            "DS",
            &second.ds(&name("leaf.example")).unwrap(),
        )
        .unwrap();
    lab.serve(TLD2, &lab.tld, &[&lab.tld_key]);
    assert_eq!(standing(&lab.gather()).2, Security::Bogus);
}

#[test]
fn trust_starts_at_the_nearest_anchor_and_only_there() {
    let lab = Lab::new();
    let with = |text: String| Settings {
        anchors: Anchors::parse(&text).unwrap(),
        ..lab.settings()
    };
    let leaf = lab.leaf_key.anchor(&name("leaf.example")).unwrap();
    let evidence = lab.gather_with(&with(leaf.clone()));
    assert_eq!(
        standing(&evidence),
        (Security::Secure, vec![], Security::Secure)
    );
    assert_eq!(evidence.hops[0].chain.len(), 1);
    let stranger = Key::generate().unwrap().anchor(&name(".")).unwrap();
    assert_eq!(
        standing(&lab.gather_with(&with(stranger.clone() + &leaf))).2,
        Security::Secure
    );
    let evidence = lab.gather_with(&with(stranger));
    assert_eq!(evidence.hops[0].chain[0].security, Security::Bogus);
    assert_eq!(standing(&evidence).2, Security::Bogus);
    let elsewhere = lab.other_key.anchor(&name("other.example")).unwrap();
    assert_eq!(
        standing(&lab.gather_with(&with(elsewhere))).2,
        Security::Indeterminate
    );
}

#[test]
fn signatures_count_from_inception_to_expiration_in_serial_arithmetic() {
    let mut lab = Lab::new();
    let (first, last) = (lab.window.inception, lab.window.expiration);
    let second = TimeDelta::seconds(1);
    for (now, expected, code) in [
        (first - second, Security::Bogus, "bogus"),
        (first, Security::Secure, ""),
        (last - TimeDelta::days(1), Security::Secure, ""),
        (last + second, Security::Bogus, "signature-expired"),
    ] {
        lab.now = now;
        let evidence = lab.gather();
        assert_eq!(standing(&evidence).2, expected, "{now}");
        let root = &evidence.hops[0].chain[0];
        assert_eq!(
            codes(&root.findings).first().copied().unwrap_or_default(),
            code,
            "{now}"
        );
    }
    // Past the 32 bits of seconds since 1970 the numbers start again.
    lab.now = "2106-02-07T06:00:00Z".parse().unwrap();
    lab.window = Window::around(lab.now, 14);
    lab.publish();
    assert_eq!(standing(&lab.gather()).2, Security::Secure);
}

#[test]
fn a_signature_that_caches_may_outlive_is_unsafe() {
    let mut lab = Lab::new();
    lab.now = lab.window.expiration - TimeDelta::seconds(3600);
    let soon = |lab: &Lab| {
        let evidence = lab.gather();
        let server = server(&evidence, 0, NS1).clone();
        assert_eq!(server.security, Security::Secure);
        server
            .findings
            .iter()
            .filter(|f| f.code == "signature-expires-soon")
            .map(|f| f.severity)
            .max()
    };
    assert_eq!(soon(&lab), Some(Severity::Unsafe));
    lab.now -= TimeDelta::seconds(1);
    assert_eq!(soon(&lab), Some(Severity::Note));
    lab.now -= TimeDelta::hours(1);
    assert_eq!(soon(&lab), None);
}

#[test]
fn the_first_signature_to_expire_is_told_and_the_last_over_the_set_itself() {
    let mut lab = Lab::new();
    let (shorter, own) = (Window::around(lab.now, 3), lab.window);
    lab.window = shorter;
    lab.serve(TLD, &lab.tld, &[&lab.tld_key]);
    let evidence = lab.gather();
    let answer = server(&evidence, 0, NS1);
    assert_eq!(answer.security, Security::Secure);
    assert_eq!(
        (answer.signature_expires, answer.set_signature_expires),
        (Some(shorter.expiration), Some(own.expiration))
    );
    lab.serve(NS1, &lab.leaf, &[&lab.leaf_key]);
    lab.authority.fault_for(NS1, "TLSA", Fault::Refuse).unwrap();
    assert_eq!(server(&lab.gather(), 0, NS1).set_signature_expires, None);
}

#[test]
fn resolvers_only_find_things() {
    let mut lab = Lab::new();
    // What a resolver says of the records themselves changes nothing.
    lab.leaf
        .add(
            "_25._tcp.mail",
            3600,
            "TLSA",
            &format!("3 1 1 {}", digest('f')),
        )
        .unwrap();
    lab.serve(RESOLVER, &lab.leaf, &[&Key::generate().unwrap()]);
    let evidence = lab.gather();
    assert!(
        evidence
            .hops
            .iter()
            .flat_map(|hop| &hop.servers)
            .all(|server| server.security == Security::Secure)
    );
    assert_ne!(
        evidence.resolvers[0].records,
        server(&evidence, 0, NS1).records
    );
}

#[test]
fn a_root_that_matches_no_anchor_names_the_flag() {
    let lab = Lab::new();
    let evidence = lab.gather_with(&Settings {
        anchors: Anchors::iana(),
        ..lab.settings()
    });
    let root = &evidence.hops[0].chain[0];
    assert_eq!(
        (root.security, codes(&root.findings)),
        (Security::Bogus, vec!["bogus"])
    );
    assert!(
        root.findings[0].message.contains("--trust-anchor"),
        "{root:?}"
    );
}

#[test]
fn a_ds_set_that_differs_is_told_of_at_its_server() {
    let mut lab = Lab::new();
    lab.tld
        .add(
            "leaf",
            3600,
            "DS",
            &Key::generate().unwrap().ds(&name("leaf.example")).unwrap(),
        )
        .unwrap();
    lab.serve(TLD2, &lab.tld, &[&lab.tld_key]);
    let link = lab.gather().hops[0].chain[2].clone();
    let differs: Vec<&Finding> = link
        .findings
        .iter()
        .filter(|finding| finding.code == "ds-differs")
        .collect();
    let [one] = differs.as_slice() else {
        panic!("{link:?}")
    };
    let named = |address| format!("example. {}", lab.socket(address));
    // Which of them answers first is chance; both are named.
    let (first, second) = (named(TLD), named(TLD2));
    let server = one.server.clone().unwrap();
    let other = if server == first { &second } else { &first };
    assert!(
        (server == first || server == second) && one.message.ends_with(other.as_str()),
        "{one:?}"
    );
}
