//! The test rig does what it says: the private tree resolves and validates, and
//! each thing that can be done to it shows in what BIND's own tools see.

mod common;

use common::dig::Reply;
use common::leaf::Signing;
use common::place::Role;
use common::process::{must, run, wait_for};
use common::rig::{Damage, Rig, SERVERS};
use common::zone_file::{self, FIRST_SERIAL, HOST, ZONE};

const OWNER: &str = "_25._tcp.mail.post.example";
const TLSA: &str = "3 1 1 8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";

/// What the resolver says about the TLSA set when nothing is cached.
fn resolved(rig: &Rig) -> Reply {
    rig.forget();
    wait_for("the resolver", || rig.ask(Role::Resolver, OWNER, "TLSA"))
}

/// Whether BIND's checker finds every signature of the zone in order, as a server hands it out.
fn verifies(rig: &Rig, role: Role) -> bool {
    let file = rig.work().join("transferred");
    std::fs::write(&file, rig.transfer(role).join("\n") + "\n")
        .expect("a temporary folder can be filled");
    run(
        &rig.work(),
        "dnssec-verify",
        &["-q", "-o", ZONE, "transferred"],
    )
    .status
        == 0
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig, delv"]
fn the_tree_resolves_and_validates() {
    let rig = Rig::start(Signing::Split, &[TLSA]);
    let reply = resolved(&rig);
    assert_eq!(
        (reply.code.as_str(), reply.has("ad")),
        ("NOERROR", true),
        "{reply:?}"
    );
    assert_eq!(reply.data("TLSA").join(" ").to_ascii_lowercase(), TLSA);
    let at = rig.at(Role::Resolver);
    let keys = std::fs::read_to_string(rig.anchor_keys()).unwrap();
    let key: Vec<&str> = keys
        .split_whitespace()
        .skip_while(|word| *word != "DNSKEY")
        .skip(1)
        .collect();
    let (numbers, key) = key.split_at(3);
    let anchor = format!(
        "trust-anchors {{ . static-key {} \"{}\"; }};\n",
        numbers.join(" "),
        key.concat()
    );
    std::fs::write(rig.work().join("delv.conf"), anchor).unwrap();
    let (server, port) = (format!("@{}", at.ip()), at.port().to_string());
    let said = must(
        &rig.work(),
        "delv",
        &[
            "-a",
            "delv.conf",
            &server,
            "-p",
            &port,
            OWNER,
            "TLSA",
            "+root=.",
        ],
    );
    assert!(said.contains("; fully validated"), "{said}");
    for role in SERVERS {
        assert_eq!(rig.tlsa(role, OWNER), [TLSA]);
        assert!(rig.ask(role, HOST, "A").unwrap().has("aa"));
        assert!(verifies(&rig, role), "{role:?}");
    }
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig"]
fn a_secondary_is_held_back_stopped_and_silenced() {
    let mut rig = Rig::start(Signing::Combined, &[TLSA]);
    let before = rig.wait_until_equal();
    for (held, other) in [(Role::Nsd, Role::Knot), (Role::Knot, Role::Nsd)] {
        let behind = rig.serial(held);
        rig.hold_back(held);
        let (from, to) = if held == Role::Nsd {
            (FIRST_SERIAL, before + 10)
        } else {
            (before + 10, before + 20)
        };
        zone_file::set_serial(&rig.zone_file(), from, to);
        rig.order(&["reload", ZONE]);
        wait_for("the other secondary", || {
            rig.serial(other).filter(|&now| now >= to)
        });
        assert_eq!(rig.serial(held), behind);
        rig.release(held);
        rig.wait_until_equal_and_above(to - 1);
    }
    for role in [Role::Nsd, Role::Knot] {
        rig.stop(role);
        assert_eq!(rig.ask(role, ZONE, "SOA"), None);
        rig.repair(role);
    }
    rig.pause(Role::Knot);
    assert_eq!(rig.ask(Role::Knot, ZONE, "SOA"), None);
    rig.resume(Role::Knot);
    rig.wait_until_equal_and_above(before + 19);
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig"]
fn damage_is_seen_and_repaired() {
    let mut rig = Rig::start(Signing::Split, &[TLSA]);
    damage_everything(&mut rig);
    rig.set_delegation_signed(false);
    let reply = resolved(&rig);
    assert_eq!(
        (reply.code.as_str(), reply.has("ad")),
        ("NOERROR", false),
        "{reply:?}"
    );
    rig.set_delegation_signed(true);
    assert!(resolved(&rig).has("ad"));
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig"]
fn damage_is_the_same_with_one_signing_key() {
    damage_everything(&mut Rig::start(Signing::Combined, &[TLSA]));
}

fn damage_everything(rig: &mut Rig) {
    let serial = rig.wait_until_equal();
    let kinds = [
        (Role::Nsd, Damage::Expired),
        (Role::Knot, Damage::Forged),
        (Role::Bind, Damage::Unsigned),
    ];
    for (role, damage) in kinds {
        rig.damage(role, damage);
        assert!(!verifies(rig, role), "{role:?} {damage:?}");
        assert_eq!(rig.tlsa(role, OWNER), [TLSA]);
        assert_eq!(rig.serial(role), Some(serial));
        for (name, rtype) in [(OWNER, "TLSA"), (ZONE, "SOA"), (ZONE, "DNSKEY")] {
            let signatures = rig
                .ask(role, name, rtype)
                .expect("a damaged server answers")
                .data("RRSIG");
            assert_eq!(
                signatures.is_empty(),
                damage == Damage::Unsigned,
                "{damage:?} {rtype}: {signatures:?}"
            );
        }
    }
    // Now no server is left with a good copy.
    assert_eq!(resolved(rig).code, "SERVFAIL");
    for role in SERVERS {
        rig.repair(role);
    }
    rig.wait_until_equal();
    assert!(resolved(rig).has("ad"));
}
