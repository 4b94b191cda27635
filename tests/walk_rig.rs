//! The walk over real name servers: BIND signing inline, NSD and Knot as
//! secondaries, Unbound validating. What is done to them is seen, and at the
//! right one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fs;
use std::time::Duration;

use chrono::Utc;
use common::leaf::Signing;
use common::place::Role;
use common::rig::{Damage, Rig, SERVERS};
use common::zone_file::HOST;
use danewright::dns::{Anchors, Family, Settings, gather};
use danewright::name::Name;
use danewright::propagation::evidence::{Evidence, Outcome, Security, ServerAnswer};
use danewright::tlsa::Target;

const TLSA: &str = "3 1 1 8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";

fn walk(rig: &Rig, timeout: Duration) -> Evidence {
    let settings = Settings {
        resolvers: vec![rig.at(Role::Resolver)],
        anchors: Anchors::parse(&fs::read_to_string(rig.anchor()).unwrap()).unwrap(),
        name_servers: Vec::new(),
        dns_port: rig.at(Role::Root).port(),
        family: Family::Both,
        timeout,
        tries: 2,
        now: Utc::now(),
    };
    let target = Target::Service {
        host: Name::from_user(HOST).unwrap(),
        port: "25".parse().unwrap(),
    };
    gather(&[target], &settings).remove(0)
}

fn patiently(rig: &Rig) -> Evidence {
    walk(rig, Duration::from_secs(5))
}

fn at(evidence: &Evidence, rig: &Rig, role: Role) -> ServerAnswer {
    let found = evidence
        .hops
        .iter()
        .flat_map(|hop| &hop.servers)
        .find(|server| server.address == Some(rig.at(role)));
    found
        .unwrap_or_else(|| panic!("{role:?} was not asked: {evidence:#?}"))
        .clone()
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig"]
fn real_servers_are_secure_until_something_is_done_to_them() {
    for signing in [Signing::Split, Signing::Combined] {
        let mut rig = Rig::start(signing, &[TLSA]);
        let evidence = patiently(&rig);
        assert_eq!(evidence.findings, []);
        assert_eq!(evidence.host, Some(Security::Secure));
        assert!(
            evidence.hops[0]
                .chain
                .iter()
                .all(|link| link.security == Security::Secure),
            "{evidence:#?}"
        );
        for role in SERVERS {
            let server = at(&evidence, &rig, role);
            assert_eq!(
                (server.outcome, server.security),
                (Outcome::Answered, Security::Secure),
                "{server:#?}"
            );
            assert_eq!(
                server
                    .records
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
                [TLSA]
            );
            assert_eq!(server.serial, rig.serial(role));
        }
        assert!(evidence.resolvers[0].authenticated);

        for (role, damage, code) in [
            (Role::Nsd, Damage::Expired, "signature-expired"),
            (Role::Knot, Damage::Forged, "bogus"),
            (Role::Bind, Damage::Unsigned, "bogus"),
        ] {
            rig.damage(role, damage);
            let evidence = patiently(&rig);
            let server = at(&evidence, &rig, role);
            assert_eq!(
                (server.outcome, server.security),
                (Outcome::Answered, Security::Bogus),
                "{damage:?} {server:#?}"
            );
            assert!(
                server.findings.iter().any(|finding| finding.code == code),
                "{damage:?} {server:#?}"
            );
            for other in SERVERS.into_iter().filter(|other| *other != role) {
                assert_eq!(
                    at(&evidence, &rig, other).security,
                    Security::Secure,
                    "{damage:?} at {role:?}: {other:?}"
                );
            }
            rig.repair(role);
            rig.wait_until_equal();
        }

        // The resolver has nothing good to give then, and is not needed for that.
        SERVERS
            .iter()
            .for_each(|role| rig.damage(*role, Damage::Unsigned));
        rig.forget();
        let evidence = patiently(&rig);
        assert!(
            SERVERS
                .iter()
                .all(|role| at(&evidence, &rig, *role).security == Security::Bogus)
        );
        assert_eq!(evidence.resolvers[0].outcome, Outcome::ServFail);
        SERVERS.iter().for_each(|role| rig.repair(*role));
        rig.wait_until_equal();

        rig.set_delegation_signed(false);
        let evidence = patiently(&rig);
        assert!(
            SERVERS
                .iter()
                .all(|role| at(&evidence, &rig, *role).security == Security::Insecure)
        );
        rig.set_delegation_signed(true);

        rig.stop(Role::Nsd);
        rig.pause(Role::Knot);
        let evidence = walk(&rig, Duration::from_secs(1));
        for (role, outcome) in [
            (Role::Nsd, Outcome::Unreachable),
            (Role::Knot, Outcome::Unreachable),
            (Role::Bind, Outcome::Answered),
        ] {
            assert_eq!(at(&evidence, &rig, role).outcome, outcome, "{role:?}");
        }
        rig.resume(Role::Knot);
    }
}
