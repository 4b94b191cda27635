//! Ways through the tree: aliases, wildcards, the host's addresses, resolvers.

use danewright::demo::authority::{Fault, Role};
use danewright::dns::{Family, Settings, gather};
use danewright::propagation::Decision;
use danewright::propagation::evidence::{Outcome, Security};

use crate::lab::{Lab, NS1, NS2, OTHER, RESOLVER, codes, digest, name, one, server, target};

/// The owner becomes an alias of this name at both servers.
fn alias(lab: &mut Lab, target: &str) {
    lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    lab.leaf
        .add("_25._tcp.mail", 1800, "CNAME", target)
        .unwrap();
    lab.publish();
}

#[test]
fn an_alias_leads_into_another_zone_and_both_must_be_secure() {
    let mut lab = Lab::new();
    alias(&mut lab, "_dane.other.example.");
    let evidence = lab.gather();
    assert_eq!(evidence.hops.len(), 2);
    let first = server(&evidence, 0, NS1);
    assert_eq!(
        (first.outcome, first.security, first.ttl),
        (Outcome::Answered, Security::Secure, Some(1800))
    );
    assert_eq!(
        (first.alias.clone(), first.records.len()),
        (Some(name("_dane.other.example")), 0)
    );
    let second = server(&evidence, 1, OTHER);
    assert_eq!(
        (second.security, second.records[0].hex()),
        (Security::Secure, digest('d'))
    );
    assert_eq!(evidence.hops[1].zone, name("other.example"));
    assert_eq!(evidence.resolvers[0].records.len(), 1);

    lab.tld.remove("other", "DS").unwrap();
    lab.publish();
    let evidence = lab.gather();
    assert_eq!(server(&evidence, 0, NS1).security, Security::Secure);
    assert_eq!(server(&evidence, 1, OTHER).security, Security::Insecure);
}

#[test]
fn a_signature_over_the_alias_counts_as_well() {
    let mut lab = Lab::new();
    alias(&mut lab, "_dane.other.example.");
    lab.authority.fault(NS2, Some(Fault::BadSignature));
    let evidence = lab.gather();
    assert_eq!(server(&evidence, 0, NS2).security, Security::Bogus);
    assert_eq!(server(&evidence, 1, OTHER).security, Security::Secure);
}

#[test]
fn of_two_aliases_the_proven_one_is_followed() {
    let mut lab = Lab::new();
    alias(&mut lab, "_dane.example.");
    lab.authority.fault(NS1, Some(Fault::BadSignature));
    lab.leaf.remove("_25._tcp.mail", "CNAME").unwrap();
    lab.leaf
        .add("_25._tcp.mail", 1800, "CNAME", "_dane.other.example.")
        .unwrap();
    lab.serve(NS2, &lab.leaf, &[&lab.leaf_key]);
    let evidence = lab.gather();
    assert_eq!(evidence.hops[1].owner, name("_dane.other.example"));
    assert_eq!(
        codes(&evidence.hops[0].findings),
        ["name-servers-unproven", "rrset-differs"]
    );
}

#[test]
fn servers_that_disagree_about_an_alias_are_told_of() {
    let mut lab = Lab::new();
    lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    lab.leaf
        .add("_25._tcp.mail", 1800, "CNAME", "_dane.other.example.")
        .unwrap();
    lab.serve(NS2, &lab.leaf, &[&lab.leaf_key]);
    let evidence = lab.gather();
    assert_eq!(codes(&evidence.hops[0].findings), ["rrset-differs"]);
}

#[test]
fn aliases_in_a_circle_end() {
    let mut lab = Lab::new();
    alias(&mut lab, "_x.leaf.example.");
    lab.leaf
        .add("_x", 60, "CNAME", "_25._tcp.mail.leaf.example.")
        .unwrap();
    lab.publish();
    let evidence = lab.gather();
    assert_eq!(evidence.hops.len(), 2);
    assert_eq!(codes(&evidence.findings), ["alias-loop"]);
}

#[test]
fn a_chain_of_aliases_has_a_limit() {
    let mut lab = Lab::new();
    alias(&mut lab, "_0.leaf.example.");
    for n in 0..20 {
        lab.leaf
            .add(
                &format!("_{n}"),
                60,
                "CNAME",
                &format!("_{}.leaf.example.", n + 1),
            )
            .unwrap();
    }
    lab.publish();
    let evidence = lab.gather();
    assert_eq!(evidence.hops.len(), 9);
    assert_eq!(codes(&evidence.findings), ["alias-loop"]);
}

#[test]
fn an_expanded_wildcard_is_not_taken_for_proof() {
    let mut lab = Lab::new();
    lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    lab.leaf
        .add(
            "*._tcp.mail",
            3600,
            "TLSA",
            &format!("3 1 1 {}", digest('a')),
        )
        .unwrap();
    lab.publish();
    let evidence = lab.gather();
    let server = server(&evidence, 0, NS1);
    assert_eq!(
        (server.outcome, server.security),
        (Outcome::Answered, Security::Indeterminate)
    );
    assert_eq!(codes(&server.findings), ["denial-unproven"]);
}

#[test]
fn the_hosts_own_addresses_are_proven_too() {
    let lab = Lab::new();
    lab.authority
        .fault_for(NS2, "A", Fault::BadSignature)
        .unwrap();
    let evidence = lab.gather();
    assert_eq!(evidence.host, Some(Security::Bogus));
    assert_eq!(server(&evidence, 0, NS2).security, Security::Secure);
    assert_eq!(codes(&evidence.findings), ["bogus"]);
}

#[test]
fn a_host_that_is_an_alias_is_as_good_as_what_it_leads_to() {
    let mut lab = Lab::new();
    lab.leaf
        .remove("mail", "A")
        .unwrap()
        .add("mail", 3600, "CNAME", "mx.other.example.")
        .unwrap();
    lab.other.add("mx", 3600, "A", "192.0.2.26").unwrap();
    lab.publish();
    assert_eq!(lab.gather().host, Some(Security::Secure));
    lab.tld.remove("other", "DS").unwrap();
    lab.publish();
    assert_eq!(lab.gather().host, Some(Security::Insecure));
}

#[test]
fn without_any_resolver_there_is_no_zone_and_a_reason() {
    let lab = Lab::new();
    lab.authority.fault(RESOLVER, Some(Fault::ServFail));
    let evidence = lab.gather();
    assert_eq!(
        (evidence.hops.len(), codes(&evidence.findings)),
        (0, vec!["zone-unknown"])
    );
    assert_eq!(evidence.resolvers[0].outcome, Outcome::ServFail);
    let evidence = lab.gather_with(&Settings {
        resolvers: vec![],
        ..lab.settings()
    });
    assert_eq!(
        (evidence.hops.len(), codes(&evidence.findings)),
        (0, vec!["zone-unknown"])
    );
}

#[test]
fn where_resolvers_fail_the_parent_says_where_the_zone_is() {
    let lab = Lab::new();
    lab.authority.withdraw(RESOLVER, &name("leaf.example"));
    let evidence = lab.gather();
    let hop = one(evidence.hops.clone());
    assert_eq!(
        (hop.zone, evidence.host),
        (name("leaf.example"), Some(Security::Secure))
    );
    for address in [NS1, NS2] {
        let server = server(&evidence, 0, address);
        assert_eq!(
            (server.outcome, server.security),
            (Outcome::Answered, Security::Secure)
        );
    }
    // There may be addresses that are no glue.
    let unknown: Vec<_> = hop
        .servers
        .iter()
        .filter(|server| server.address.is_none())
        .collect();
    assert_eq!(unknown.len(), 2);
    assert!(
        unknown
            .iter()
            .all(|server| server.outcome == Outcome::Unreachable)
    );
}

#[test]
fn the_next_resolver_is_asked_when_one_fails() {
    let lab = Lab::new();
    lab.authority.role(
        OTHER,
        Role::Resolver {
            authenticated: false,
        },
    );
    lab.serve(OTHER, &lab.root, &[&lab.root_key]);
    lab.serve(OTHER, &lab.tld, &[&lab.tld_key]);
    lab.serve(OTHER, &lab.leaf, &[&lab.leaf_key]);
    lab.authority.fault(RESOLVER, Some(Fault::ServFail));
    let resolvers = vec![lab.socket(RESOLVER), lab.socket(OTHER)];
    let evidence = lab.gather_with(&Settings {
        resolvers,
        ..lab.settings()
    });
    assert_eq!(server(&evidence, 0, NS1).security, Security::Secure);
    assert_eq!(
        (evidence.resolvers[0].outcome, evidence.resolvers[1].outcome),
        (Outcome::ServFail, Outcome::Answered)
    );
    assert!(!evidence.resolvers[1].authenticated);
    assert_eq!(
        codes(&evidence.resolvers[1].findings),
        ["resolver-not-validating"]
    );
}

#[test]
fn a_resolver_that_strips_signatures_is_named_and_does_no_harm() {
    let lab = Lab::new();
    lab.authority.role(
        RESOLVER,
        Role::Resolver {
            authenticated: false,
        },
    );
    lab.authority.fault(RESOLVER, Some(Fault::DropSignatures));
    let evidence = lab.gather();
    assert!(
        evidence
            .hops
            .iter()
            .flat_map(|hop| &hop.servers)
            .all(|server| server.security == Security::Secure)
    );
    let resolver = one(evidence.resolvers);
    assert_eq!(
        (resolver.outcome, resolver.authenticated),
        (Outcome::Answered, false)
    );
    assert_eq!(codes(&resolver.findings), ["resolver-not-validating"]);
}

#[test]
fn what_a_resolver_still_keeps_is_told_with_its_ttl() {
    let mut lab = Lab::new();
    lab.leaf.remove("_25._tcp.mail", "TLSA").unwrap();
    lab.serve(RESOLVER, &lab.leaf, &[&lab.leaf_key]);
    let resolver = one(lab.gather().resolvers);
    assert_eq!(
        (resolver.outcome, resolver.ttl, resolver.records.len()),
        (Outcome::NoName, Some(300), 0)
    );
}

#[test]
fn the_family_limits_which_addresses_are_asked() {
    let mut lab = Lab::new();
    lab.leaf.add("ns2", 3600, "AAAA", "::1").unwrap();
    lab.publish();
    let v4 = lab.gather_with(&Settings {
        family: Family::V4,
        ..lab.impatient()
    });
    assert_eq!(v4.hops[0].servers.len(), 2);
    let both = lab.gather_with(&lab.impatient());
    assert_eq!(both.hops[0].servers.len(), 3);
}

#[test]
fn a_zone_is_found_with_as_many_questions_however_deep_the_name() {
    let lab = Lab::new();
    let asked = |host: &str| {
        let before = lab.authority.asked(RESOLVER);
        assert_eq!(
            one(gather(&[target(host)], &lab.settings())).hops[0].zone,
            name("leaf.example")
        );
        lab.authority.asked(RESOLVER) - before
    };
    assert_eq!(
        asked("a.b.c.d.mail.leaf.example"),
        asked("mail.leaf.example")
    );
}

#[test]
fn a_resolver_that_fails_on_everything_is_told_from_one_that_fails_on_the_owner() {
    let lab = Lab::new();
    lab.authority.role(
        OTHER,
        Role::Resolver {
            authenticated: true,
        },
    );
    let resolvers = vec![lab.socket(RESOLVER), lab.socket(OTHER)];
    let settings = Settings {
        resolvers,
        ..lab.settings()
    };
    // It knows the zones above, and fails on the leaf.
    for (zone, key) in [(&lab.root, &lab.root_key), (&lab.tld, &lab.tld_key)] {
        lab.serve(OTHER, zone, &[key]);
    }
    let evidence = lab.gather_with(&settings);
    let second = &evidence.resolvers[1];
    assert_eq!(
        (second.outcome, codes(&second.findings)),
        (Outcome::ServFail, vec![])
    );
    assert_eq!(lab.verdict(&evidence).decision, Decision::Unknown);
    lab.authority.fault(OTHER, Some(Fault::ServFail));
    let evidence = lab.gather_with(&settings);
    let second = &evidence.resolvers[1];
    assert_eq!(
        (second.outcome, codes(&second.findings)),
        (Outcome::ServFail, vec!["resolver-broken"])
    );
    assert_eq!(lab.verdict(&evidence).decision, Decision::Safe);
}
