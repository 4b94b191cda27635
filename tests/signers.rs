//! Zones whose serials never agree, on real name servers: two signers that
//! count each for itself (RFC 8901), and updates that never stop. There only the
//! sets that the servers give say who lags.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::danewright::{Seen, danewright};
use common::keys::{Identity, Kind, identity};
use common::place::Role;
use common::process::wait_for;
use common::rig::{Rig, SERVERS};
use common::zone_file::{HOST, ZONE};
use tempfile::TempDir;

const OWNER: &str = "_25._tcp.mail.post.example";

/// A zone that takes updates, with the record of the old key, and a new key.
struct Session {
    rig: Rig,
    old: Identity,
    new: Identity,
    _keys: TempDir,
}

impl Session {
    fn start() -> Self {
        let keys = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| identity(keys.path(), name, Kind::Ecdsa, HOST));
        Self {
            rig: Rig::start_dynamic(&[&old.tlsa]),
            old,
            new,
            _keys: keys,
        }
    }

    /// Publishes the new key's record at a server, and waits until these have it.
    fn publish(&self, at: Role, seen_by: &[Role]) {
        self.rig
            .update(at, &[format!("add {OWNER} 2 TLSA {}", self.new.tlsa)]);
        for &role in seen_by {
            self.rig
                .wait_for_tlsa(role, OWNER, &[&self.old.tlsa, &self.new.tlsa]);
        }
    }

    /// Asks about the new key, without a hold.
    fn verify(&self) -> Seen {
        // What the resolver holds is not what this is about.
        self.rig.forget();
        let [resolver, root] =
            [Role::Resolver, Role::Root].map(|role| self.rig.at(role).to_string());
        let (port, anchor) = (
            self.rig.at(Role::Bind).port().to_string(),
            self.rig.anchor(),
        );
        let [new, old] = [&self.new, &self.old].map(|key| key.certificate.to_str().unwrap());
        let what = [
            "--json",
            "verify",
            new,
            "--current",
            old,
            "--host",
            HOST,
            "--port",
            "25",
            "--hold",
            "0s",
        ];
        let whom = [
            "--resolver",
            &resolver,
            "--root-server",
            &root,
            "--dns-port",
            &port,
            "--state",
            "state",
        ];
        let trust = ["--trust-anchor", anchor.to_str().unwrap()];
        Seen::from(danewright(
            &self.rig.work(),
            &[&what[..], &whom, &trust].concat(),
        ))
    }

    /// Demands *wait*, because these servers have no record of the new key.
    #[track_caller]
    fn waits_for(&self, lagging: &[&str]) {
        let seen = self.verify();
        assert_eq!((seen.status, seen.verdict()), (4, "wait"), "{seen:#?}");
        assert_eq!(seen.blamed("record-missing", "wait"), lagging, "{seen:#?}");
    }

    /// Demands *safe*. Returns the servers that are said to be behind in passing.
    #[track_caller]
    fn is_safe(&self) -> Vec<String> {
        let seen = self.verify();
        assert_eq!((seen.status, seen.verdict()), (0, "safe"), "{seen:#?}");
        seen.blamed("serial-behind", "note")
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

#[test]
#[ignore = "needs named, nsd, knotd, keymgr, unbound, nsupdate, dig, openssl"]
fn two_signers_with_serials_of_their_own_are_judged_by_what_they_serve() {
    let mut session = Session::start();
    session.rig.add_signer(7, &[&session.old.tlsa]);
    // Knot signs at ns3; BIND at ns1, with NSD behind it at ns2.
    let [bind, nsd, knot] = SERVERS.map(|role| session.rig.signer(role, OWNER, "TLSA"));
    assert!(
        bind == nsd && bind != knot && knot.is_some(),
        "{bind:?} {nsd:?} {knot:?}"
    );
    session.publish(Role::Knot, &[Role::Knot]);
    session.waits_for(&["ns1", "ns2"]);
    session.publish(Role::Bind, &SERVERS);
    assert_eq!(session.is_safe(), ["ns3"]);

    // The other way round, from 7 as far as a serial can go in one step.
    let soa =
        format!("add {ZONE} 2 SOA ns1.{ZONE} hostmaster.{ZONE} 2100000000 3600 300 2419200 2");
    session.rig.update(Role::Knot, &[soa]);
    wait_for("the other order of serials", || {
        session
            .rig
            .serial(Role::Knot)
            .filter(|&now| now >= 2_100_000_000)
    });
    assert_eq!(session.is_safe(), ["ns1", "ns2"]);
    session.rig.update(
        Role::Knot,
        &[format!("delete {OWNER} TLSA {}", session.new.tlsa)],
    );
    session
        .rig
        .wait_for_tlsa(Role::Knot, OWNER, &[&session.old.tlsa]);
    session.waits_for(&["ns3"]);
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, nsupdate, dig, openssl"]
fn a_zone_that_never_stands_still_is_judged_by_what_it_serves() {
    let mut session = Session::start();
    let _updates = session.rig.keep_changing();
    session.rig.hold_back(Role::Knot);
    session.publish(Role::Bind, &[Role::Bind, Role::Nsd]);
    session.waits_for(&["ns3"]);
    session.rig.release(Role::Knot);
    session
        .rig
        .wait_for_tlsa(Role::Knot, OWNER, &[&session.old.tlsa, &session.new.tlsa]);
    // The secondaries follow, and are behind again; at no moment does that matter.
    wait_for("a look in between", || {
        Some(session.is_safe()).filter(|behind| !behind.is_empty())
    });
    // Nor when one follows no more, with the record.
    session.rig.hold_back(Role::Knot);
    let serial = |role| session.rig.serial(role);
    wait_for("a change that Knot lacks", || {
        (serial(Role::Nsd)? > serial(Role::Knot)?).then_some(())
    });
    assert!(session.is_safe().contains(&"ns3".to_owned()));
}

#[test]
#[ignore = "needs named, nsd, knotd, knotc, unbound, dnssec-dsfromkey, dig, openssl"]
fn the_phases_of_an_algorithm_roll_by_knot_are_safe() {
    let mut session = Session::start();
    let phases = session.rig.roll(&[&session.old.tlsa, &session.new.tlsa]);
    let seen = phases.into_iter().map(|(phase, zone)| {
        session.rig.serve_everywhere(&zone);
        (phase, session.verify())
    });
    let told: Vec<String> = seen
        .map(|(phase, seen)| {
            assert_eq!(
                (seen.status, seen.verdict()),
                (0, "safe"),
                "{phase}: {seen:#?}"
            );
            let unused = if seen.has("signature-unused", "note") {
                ", some unused"
            } else {
                ""
            };
            format!("{phase}{unused}")
        })
        .collect();
    let expected = [
        "keys 13 signatures 13 15, some unused",
        "keys 13 15 signatures 13 15",
        "keys 15 signatures 13 15, some unused",
    ];
    assert_eq!(told, expected);
}
