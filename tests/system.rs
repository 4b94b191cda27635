//! The whole key change on real name servers: a zone file kept by hand, signed
//! by BIND, with NSD and Knot behind it and Unbound in front. The mail server
//! moves to a new RSA key and from that to an ECDSA key, with what goes wrong
//! on the way, and danewright alone says when the next step may come.

mod common;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use common::danewright::{Seen, danewright};
use common::keys::{Identity, Kind, identity};
use common::leaf::Signing;
use common::place::Role;
use common::process::{Ran, must, wait_for};
use common::rig::{Damage, Rig, SERVERS};
use common::zone_file::{HOST, ZONE};
use serde_json::Value;

const OWNER: &str = "_25._tcp.mail.post.example";

/// The checks that stand before every write, one per kind of server.
const CHECKS: [&str; 3] = [
    "named-checkzone -q {zone} {file}",
    "nsd-checkzone {zone} {file}",
    "kzonecheck -o {zone} {file}",
];

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig, openssl, named-compilezone, nsd-checkzone, kzonecheck"]
fn a_mail_server_moves_to_a_new_rsa_key_and_on_to_ecdsa() {
    let keys = tempfile::tempdir().unwrap();
    let [first, second, third] = [
        ("first", Kind::Rsa),
        ("second", Kind::Rsa),
        ("third", Kind::Ecdsa),
    ]
    .map(|(name, kind)| identity(keys.path(), name, kind, HOST));
    let rig = Rig::start(Signing::Split, &[&first.tlsa]);
    let mut session = Session {
        anchor: rig.anchor(),
        rig,
    };
    session.publish(&first, &second);
    session.clean_up(&first, &second);
    session.publish(&second, &third);
    session.clean_up(&second, &third);
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig, openssl, named-compilezone, nsd-checkzone, kzonecheck"]
fn nothing_is_safe_while_a_signature_a_delegation_or_a_server_is_missing() {
    let keys = tempfile::tempdir().unwrap();
    let [first, second] = [("first", Kind::Rsa), ("second", Kind::Ecdsa)]
        .map(|(name, kind)| identity(keys.path(), name, kind, HOST));
    // One key for keys and zone, and the anchor as DNSKEY: the other ways to be signed and trusted.
    let rig = Rig::start(Signing::Combined, &[&first.tlsa]);
    let mut session = Session {
        anchor: rig.anchor_keys(),
        rig,
    };
    session.publish(&first, &second);
    session.break_and_mend(&first, &second);
    session.clean_up(&first, &second);
}

/// A person at work on the zone.
struct Session {
    rig: Rig,
    anchor: PathBuf,
}

impl Session {
    /// Adds the new key's record, and waits until it is safe to use that key.
    fn publish(&mut self, old: &Identity, new: &Identity) {
        let before = self.zone();
        assert_eq!(
            self.verify(new, Some(old)).status,
            4,
            "nothing is published yet"
        );

        self.rig.hold_back(Role::Nsd);
        let mut args = self.edit("patch");
        args.push(new.certificate.clone().into());
        let ran = self.run(&args);
        assert_eq!(ran.status, 0, "{ran:#?}");
        let after = self.zone();
        after.differs_from(&before, &[], &[&new.tlsa]);
        let line = after
            .text
            .lines()
            .find(|line| line.contains(digest(new)))
            .expect("the record is a line");
        let without = after.text.replacen(&format!("{line}\n"), "", 1);
        let without = without.replacen(&after.serial.to_string(), &before.serial.to_string(), 1);
        assert_eq!(
            without, before.text,
            "one line and the serial's digits, nothing else"
        );

        // The new key a second time: nothing to do, nothing touched.
        let ran = self.run(&args);
        assert_eq!(ran.status, 0, "{ran:#?}");
        assert_eq!(self.zone().text, after.text);

        for role in [Role::Bind, Role::Knot] {
            self.rig.wait_for_tlsa(role, OWNER, &[&old.tlsa, &new.tlsa]);
        }
        let seen = self.verify(new, Some(old));
        assert_eq!(
            (seen.status, seen.verdict()),
            (4, "wait"),
            "NSD is held back: {seen:#?}"
        );
        assert_eq!(seen.blamed("record-missing", "wait"), ["ns2"], "{seen:#?}");

        self.rig.release(Role::Nsd);
        self.rig
            .wait_for_tlsa(Role::Nsd, OWNER, &[&old.tlsa, &new.tlsa]);
        self.rig.wait_until_equal();
        let seen = self.verify(new, Some(old));
        let mut early = self.edit("prune");
        early.extend(["--no-probe", "--keep"].map(OsString::from));
        early.push(new.key.clone().into());
        let ran = self.run(&early);
        assert_eq!(ran.status, 4, "verify has not said safe: {ran:#?}");
        assert_eq!(self.zone().text, after.text);
        assert_eq!(
            (seen.status, seen.verdict()),
            (4, "wait"),
            "the hold has only begun: {seen:#?}"
        );
        assert!(seen.has("hold-not-elapsed", "wait"), "{seen:#?}");
        self.wait_until_safe(new, Some(old));
    }

    /// Breaks what safety rests on, one thing at a time, and mends it again.
    fn break_and_mend(&mut self, old: &Identity, new: &Identity) {
        self.rig.set_delegation_signed(false);
        self.unsafe_because(old, new, "insecure");
        self.rig.set_delegation_signed(true);

        for (role, damage) in [
            (Role::Nsd, Damage::Forged),
            (Role::Knot, Damage::Expired),
            (Role::Bind, Damage::Unsigned),
        ] {
            self.rig.damage(role, damage);
            let code = if damage == Damage::Expired {
                "signature-expired"
            } else {
                "bogus"
            };
            self.unsafe_because(old, new, code);
            self.rig.repair(role);
            self.rig.wait_until_equal();
        }

        self.rig.stop(Role::Nsd);
        self.unknown_without(old, new, "ns2");
        self.rig.repair(Role::Nsd);
        self.rig.pause(Role::Knot);
        self.unknown_without(old, new, "ns3");
        self.rig.resume(Role::Knot);

        self.rig.wait_until_equal();
        self.wait_until_safe(new, Some(old));
    }

    fn unsafe_because(&self, old: &Identity, new: &Identity, code: &str) {
        let seen = self.verify(new, Some(old));
        assert_eq!(
            (seen.status, seen.verdict()),
            (1, "unsafe"),
            "{code}: {seen:#?}"
        );
        assert!(seen.has(code, "unsafe"), "{code}: {seen:#?}");
    }

    fn unknown_without(&self, old: &Identity, new: &Identity, server: &str) {
        let seen = self.verify(new, Some(old));
        assert_eq!(
            (seen.status, seen.verdict()),
            (3, "unknown"),
            "{server}: {seen:#?}"
        );
        assert_eq!(seen.blamed("unreachable", "unknown"), [server], "{seen:#?}");
    }

    /// Removes what the new key does not need, and waits until that is
    /// everywhere too.
    fn clean_up(&mut self, old: &Identity, new: &Identity) {
        let before = self.zone();
        let mut args = self.edit("prune");
        args.extend(["--no-probe", "--keep"].map(OsString::from));
        args.push(new.key.clone().into());
        let ran = self.run(&args);
        assert_eq!(ran.status, 0, "{ran:#?}");
        let after = self.zone();
        after.differs_from(&before, &[&old.tlsa], &[]);
        // Whichever of the two lines named the owner, the one that is left does.
        let (left, rest) = after.tlsa_lines();
        assert_eq!(
            left.join(" "),
            format!("_25._tcp.mail IN TLSA {}", new.tlsa)
        );
        assert_eq!(
            rest.replacen(&after.serial.to_string(), &before.serial.to_string(), 1),
            before.tlsa_lines().1
        );

        // The last record that matches stays, whatever is asked.
        let mut args = self.edit("prune");
        args.extend(["--no-probe", "--keep"].map(OsString::from));
        args.push(old.key.clone().into());
        assert_eq!(
            self.run(&args).status,
            1,
            "pruning to a key without a record is refused"
        );
        assert_eq!(self.zone().text, after.text);

        for role in SERVERS {
            self.rig.wait_for_tlsa(role, OWNER, &[&new.tlsa]);
        }
        self.rig.wait_until_equal();
        self.wait_until_safe(new, None);
        // For the old key it is not safe any more.
        assert_ne!(self.verify(old, None).status, 0);
    }

    /// Asks until the answer is no longer "not yet", and wants it to be "safe",
    /// after the hold.
    fn wait_until_safe(&self, new: &Identity, current: Option<&Identity>) {
        let seen = wait_for("a verdict", || {
            Some(self.verify(new, current)).filter(|seen| seen.status != 4)
        });
        assert_eq!((seen.status, seen.verdict()), (0, "safe"), "{seen:#?}");
        let target = &seen.document["targets"][0];
        let moment = |value: &Value| {
            let text = value.as_str().unwrap_or_default();
            chrono::DateTime::parse_from_rfc3339(text)
                .unwrap_or_else(|error| unreachable!("{text:?}: {error}"))
        };
        let held = moment(&seen.document["checked_at"]) - moment(&target["agreed_since"]);
        assert_eq!(target["hold_seconds"], 3);
        assert!(
            held >= chrono::TimeDelta::seconds(3),
            "safe after {held}: {seen:#?}"
        );
        let servers = target["servers"]
            .as_array()
            .expect("the servers are listed");
        let names: BTreeSet<&str> = servers
            .iter()
            .filter_map(|server| server["name"].as_str())
            .collect();
        assert_eq!(
            names,
            BTreeSet::from([
                "ns1.post.example.",
                "ns2.post.example.",
                "ns3.post.example."
            ])
        );
        for server in servers {
            assert_eq!(
                (&server["outcome"], &server["security"]),
                (&"answered".into(), &"secure".into())
            );
        }
    }

    fn verify(&self, new: &Identity, current: Option<&Identity>) -> Seen {
        let (resolver, port) = (
            self.rig.at(Role::Resolver).to_string(),
            self.rig.at(Role::Bind).port().to_string(),
        );
        let mut args: Vec<OsString> = ["--json", "verify", "--host", HOST, "--port", "25"]
            .map(OsString::from)
            .into();
        args.extend(["--resolver", &resolver, "--dns-port", &port].map(OsString::from));
        args.extend(
            [
                "--hold",
                "3s",
                "--timeout",
                "1s",
                "--tries",
                "2",
                "--state",
                "state",
            ]
            .map(OsString::from),
        );
        args.extend([
            "--trust-anchor".into(),
            self.anchor.clone().into_os_string(),
        ]);
        if let Some(current) = current {
            args.extend([
                "--current".into(),
                current.certificate.clone().into_os_string(),
            ]);
        }
        args.push(new.certificate.clone().into());
        Seen::from(self.run(&args))
    }

    /// The arguments that `patch` and `prune` share.
    fn edit(&self, command: &str) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![command.into(), self.rig.zone_file().into()];
        args.extend(["--host", HOST, "--port", "smtp", "--state", "state"].map(OsString::from));
        for check in CHECKS {
            args.extend(["--check", check].map(OsString::from));
        }
        args.extend(["--reload".to_owned(), self.rig.reload_command()].map(OsString::from));
        args
    }

    fn run(&self, args: &[OsString]) -> Ran {
        danewright(&self.rig.work(), args)
    }

    fn zone(&self) -> Zone {
        Zone::read(&self.rig.zone_file(), &self.rig.work())
    }
}

/// The zone file: its bytes, and what the name servers read in it.
struct Zone {
    text: String,
    serial: u32,
    records: BTreeSet<String>,
}

impl Zone {
    fn read(file: &Path, work: &Path) -> Self {
        let text = fs::read_to_string(file).expect("the zone file is text");
        let path = file.to_str().expect("temporary folders have plain names");
        must(work, "nsd-checkzone", &[ZONE, path]);
        must(work, "kzonecheck", &["-o", ZONE, path]);
        must(work, "named-checkzone", &["-q", ZONE, path]);
        must(
            work,
            "named-compilezone",
            &["-q", "-s", "full", "-o", "canonical", ZONE, path],
        );
        let canonical =
            fs::read_to_string(work.join("canonical")).expect("named-compilezone wrote the zone");
        let records = canonical
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let records: BTreeSet<String> = records.collect();
        let soa = records
            .iter()
            .find(|record| record.contains(" SOA "))
            .expect("a zone has a SOA");
        let serial = soa
            .split(' ')
            .nth(6)
            .and_then(|word| word.parse().ok())
            .expect("a SOA has a serial");
        Self {
            text,
            serial,
            records,
        }
    }

    /// Demands that BIND reads exactly this difference, and a higher serial.
    fn differs_from(&self, before: &Self, removed: &[&str], added: &[&str]) {
        assert!(
            self.serial > before.serial,
            "{} after {}",
            self.serial,
            before.serial
        );
        let record = |data: &&str| format!("{OWNER}. 2 IN TLSA {}", spaced(data));
        let mut expected: BTreeSet<String> = before.records.clone();
        for data in removed {
            assert!(expected.remove(&record(data)), "{data} was there before");
        }
        expected.extend(added.iter().map(record));
        let old_soa = format!(" {} ", before.serial);
        let expected: BTreeSet<String> = expected
            .into_iter()
            .map(|line| {
                if line.contains(" SOA ") {
                    line.replace(&old_soa, &format!(" {} ", self.serial))
                } else {
                    line
                }
            })
            .collect();
        assert_eq!(self.records, expected);
    }

    /// The words of the one TLSA line or of all of them, and the text without them.
    fn tlsa_lines(&self) -> (Vec<&str>, String) {
        let (tlsa, rest): (Vec<&str>, Vec<&str>) = self
            .text
            .split_inclusive('\n')
            .partition(|l| l.contains("TLSA"));
        (
            tlsa.iter()
                .flat_map(|line| line.split_whitespace())
                .collect(),
            rest.concat(),
        )
    }
}

/// TLSA data as named-compilezone prints it: upper case, a blank after 56 digits.
fn spaced(data: &str) -> String {
    let (numbers, hex) = data.rsplit_once(' ').expect("TLSA data has four fields");
    let hex = hex.to_ascii_uppercase();
    let (start, end) = hex.split_at(hex.len().min(56));
    format!("{numbers} {start} {end}").trim_end().to_owned()
}

fn digest(identity: &Identity) -> &str {
    identity.tlsa.rsplit(' ').next().unwrap_or_default()
}
