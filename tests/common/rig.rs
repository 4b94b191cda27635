//! The whole tree, ready for questions: root, top-level domain, a signed zone
//! on BIND, NSD and Knot, and a validating resolver. What goes wrong in real
//! life is done to it by name: a secondary held back, stopped or silent, a
//! damaged copy, a delegation without DS.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use super::dig::{Reply, ask, transfer};
use super::leaf::{Leaf, Signing, Upkeep};
use super::place::{Place, Role};
use super::process::{Daemon, must, wait_for};
use super::resolver::Resolver;
use super::tree::{TLD, Tree};
use super::zone_file::{self, FIRST_SERIAL, ZONE};

/// The servers of the zone.
pub(crate) const SERVERS: [Role; 3] = [Role::Bind, Role::Nsd, Role::Knot];

/// What is wrong with a copy of the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Signed by the right keys, until yesterday.
    Expired,
    /// One signature does not fit: that of the TLSA set.
    Forged,
    /// No signatures at all.
    Unsigned,
}

/// A running tree. Dropping it stops all of it.
#[derive(Debug)]
pub(crate) struct Rig {
    // In this order they are dropped: the servers stop before their folder goes.
    resolver: Resolver,
    leaf: Leaf,
    tree: Tree,
    place: Place,
    folder: Option<TempDir>,
}

impl Rig {
    /// Starts a tree with these TLSA records at port 25 of the mail server, and
    /// waits until all of it answers.
    pub(crate) fn start(signing: Signing, tlsa: &[&str]) -> Self {
        Self::start_as(signing, Upkeep::ByHand, tlsa)
    }

    /// The same with a zone that changes by dynamic updates.
    pub(crate) fn start_dynamic(tlsa: &[&str]) -> Self {
        Self::start_as(Signing::Split, Upkeep::ByUpdates, tlsa)
    }

    fn start_as(signing: Signing, upkeep: Upkeep, tlsa: &[&str]) -> Self {
        let place = Place::find();
        let folder = tempfile::Builder::new()
            .prefix("dane-rig-")
            .tempdir()
            .expect("there is a temporary folder");
        let path = folder.path();
        let mut leaf = Leaf::new(
            place,
            &path.join("leaf"),
            signing,
            upkeep,
            &zone_file::text(place, tlsa),
        );
        leaf.serve_live(Role::Bind);
        let tree = Tree::start(place, &path.join("tree"), leaf.ds());
        let resolver = Resolver::start(place, &path.join("unbound"), &tree.anchor());
        fs::create_dir(path.join("work")).expect("a temporary folder can be filled");
        let mut rig = Self {
            resolver,
            leaf,
            tree,
            place,
            folder: Some(folder),
        };
        // A secondary that finds no zone at its first try takes its time before the next.
        wait_for("the signed zone", || {
            rig.is_signed(Role::Bind).then_some(())
        });
        rig.leaf.serve_live(Role::Nsd);
        rig.leaf.serve_live(Role::Knot);
        rig.wait_until_equal();
        for (role, zone) in [(Role::Root, "."), (Role::Tld, TLD)] {
            wait_for("the tree above the zone", || rig.serial_of(role, zone));
        }
        wait_for("the resolver", || {
            ask(rig.at(Role::Resolver), ".", "SOA", true).filter(|reply| reply.has("ad"))
        });
        rig.resolver.forget();
        rig
    }

    /// An empty folder for keys, state and whatever else a test needs.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder().join("work")
    }

    /// The zone file that a person keeps.
    pub(crate) fn zone_file(&self) -> PathBuf {
        self.leaf.zone_file()
    }

    /// Where a server answers.
    pub(crate) fn at(&self, role: Role) -> SocketAddr {
        self.place.server(role)
    }

    /// The root's keys, as DS records.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.tree.anchor()
    }

    /// The root's keys, as DNSKEY records.
    pub(crate) fn anchor_keys(&self) -> PathBuf {
        self.tree.anchor_keys()
    }

    /// The command that makes BIND read the zone file again.
    pub(crate) fn reload_command(&self) -> String {
        format!("{} reload {ZONE}", self.leaf.rndc())
    }

    /// Gives BIND, the primary, an order.
    pub(crate) fn order(&self, order: &[&str]) -> String {
        self.leaf.order(order)
    }

    /// Asks a server, or the resolver.
    pub(crate) fn ask(&self, role: Role, name: &str, rtype: &str) -> Option<Reply> {
        ask(self.at(role), name, rtype, role == Role::Resolver)
    }

    /// The TLSA data that a server has at an owner, in order.
    pub(crate) fn tlsa(&self, role: Role, owner: &str) -> Vec<String> {
        let reply = self.ask(role, owner, "TLSA");
        let mut data = reply.map(|reply| reply.data("TLSA")).unwrap_or_default();
        for record in &mut data {
            record.make_ascii_lowercase();
        }
        data.sort();
        data
    }

    /// The serial of the zone at a server, when it is authoritative.
    pub(crate) fn serial(&self, role: Role) -> Option<u32> {
        self.serial_of(role, ZONE)
    }

    fn serial_of(&self, role: Role, zone: &str) -> Option<u32> {
        self.ask(role, zone, "SOA")
            .filter(|reply| reply.has("aa") && reply.code == "NOERROR")?
            .serial()
    }

    /// Waits until a server has exactly these TLSA records at an owner.
    pub(crate) fn wait_for_tlsa(&self, role: Role, owner: &str, expected: &[&str]) {
        let mut expected: Vec<String> = expected.iter().map(|&data| data.to_owned()).collect();
        expected.sort();
        wait_for(&format!("{expected:?} at {owner} on {role:?}"), || {
            (self.tlsa(role, owner) == expected).then_some(())
        });
    }

    /// Waits until all servers serve the same signed zone, and gives its serial.
    pub(crate) fn wait_until_equal(&self) -> u32 {
        self.wait_until_equal_and_above(0)
    }

    /// Waits until all servers serve the same signed zone with a serial above
    /// this one.
    pub(crate) fn wait_until_equal_and_above(&self, serial: u32) -> u32 {
        let mut last = Vec::new();
        wait_for("one signed zone on all servers", || {
            let now: Vec<Option<u32>> = SERVERS.iter().map(|&role| self.serial(role)).collect();
            let first = now
                .first()
                .copied()
                .flatten()
                .filter(|&first| first > serial)?;
            let equal = now.iter().all(|&other| other == Some(first));
            // BIND gives a zone that it signs several serials in a row: only one that lasts counts.
            let lasts = equal && last == now && SERVERS.iter().all(|&role| self.is_signed(role));
            last = now;
            lasts.then_some(first)
        })
    }

    fn is_signed(&self, role: Role) -> bool {
        let signed = |rtype| {
            self.ask(role, ZONE, rtype)
                .is_some_and(|reply| !reply.data("RRSIG").is_empty())
        };
        signed("SOA") && signed("DNSKEY")
    }

    /// Keeps a secondary from fetching the zone, while it goes on serving what
    /// it has.
    pub(crate) fn hold_back(&mut self, role: Role) {
        self.leaf.hold_back(role, true);
    }

    /// Lets a secondary fetch the zone again.
    pub(crate) fn release(&mut self, role: Role) {
        self.leaf.hold_back(role, false);
    }

    /// Stops a server of the zone: its port is closed.
    pub(crate) fn stop(&mut self, role: Role) {
        self.leaf.daemon(role).stop();
    }

    /// Starts a stopped server, or one with a damaged copy, with the real zone.
    pub(crate) fn repair(&mut self, role: Role) {
        self.leaf.serve_live(role);
        wait_for("a repaired server", || self.serial(role));
    }

    /// Makes a server silent: packets get in, nothing comes out. BIND and Knot
    /// only, which are one process each.
    pub(crate) fn pause(&mut self, role: Role) {
        self.leaf.daemon(role).signal("STOP");
    }

    /// Lets a silent server answer again.
    pub(crate) fn resume(&mut self, role: Role) {
        self.leaf.daemon(role).signal("CONT");
    }

    /// Makes a server serve a damaged copy of what it serves now, with the same serial.
    pub(crate) fn damage(&mut self, role: Role, damage: Damage) {
        let lines = transfer(self.at(Role::Bind), ZONE);
        assert!(lines.len() > 10, "the primary handed out only {lines:?}");
        let plain = || unsigned(&lines);
        let copy = match damage {
            Damage::Expired => self.leaf.sign(&plain(), "now-172800", "now-86400"),
            Damage::Forged => forged(&lines),
            Damage::Unsigned => plain(),
        };
        self.leaf.serve_copy(role, &copy);
        wait_for("a server with a damaged copy", || self.serial(role));
    }

    /// Publishes the delegation of the zone with its DS records, or without.
    pub(crate) fn set_delegation_signed(&mut self, signed: bool) {
        let serial = self.tree.set_delegation_signed(signed);
        self.wait_for_tld(serial);
    }

    fn wait_for_tld(&self, serial: u32) {
        wait_for("a new top-level domain", || {
            self.serial_of(Role::Tld, TLD).filter(|&now| now == serial)
        });
        self.resolver.forget();
    }

    /// Changes a zone that takes updates: `add NAME TTL TYPE DATA`, `delete NAME TYPE DATA`.
    pub(crate) fn update(&self, role: Role, changes: &[String]) {
        let changes: String = changes
            .iter()
            .map(|change| format!("update {change}\n"))
            .collect();
        let text = format!("{}{changes}send\n", self.update_head(role));
        fs::write(self.work().join("changes"), text).expect("a temporary folder can be filled");
        must(&self.work(), "nsupdate", &["changes"]);
    }

    fn update_head(&self, role: Role) -> String {
        format!(
            "server {} {}\nzone {ZONE}\n",
            self.at(role).ip(),
            self.at(role).port()
        )
    }

    /// Changes a record that nobody asks for, about twice a second, until it is dropped.
    pub(crate) fn keep_changing(&self) -> Daemon {
        let (head, busy) = (self.update_head(Role::Bind), format!("busy.{ZONE}"));
        let script = format!(
            "while n=$((n + 1)); do printf '{head}update delete {busy}\nupdate add {busy} 2 TXT %s\nsend\n' $n | \
             nsupdate; sleep 0.45; done"
        );
        let mut daemon = Daemon::new("updates", &self.work(), "sh", &["-c", &script]);
        daemon.start();
        daemon
    }

    /// Makes Knot a second signer of the zone, with keys and serials of its own:
    /// both have all keys, and the delegation names both (RFC 8901, model 2).
    pub(crate) fn add_signer(&mut self, serial: u32, tlsa: &[&str]) {
        let text = zone_file::text(self.place, tlsa)
            .replace(&FIRST_SERIAL.to_string(), &serial.to_string());
        let ds = self.leaf.sign_on_knot(&text);
        let all = |role| self.keys(role).filter(|keys| keys.len() == 4);
        let keys = wait_for("the keys of both signers", || all(Role::Knot));
        let add: Vec<String> = keys
            .iter()
            .map(|key| format!("add {ZONE} 2 DNSKEY {key}"))
            .collect();
        self.update(Role::Bind, &add);
        for role in SERVERS {
            wait_for("the same keys everywhere", || {
                all(role).filter(|all| *all == keys)
            });
        }
        let serial = self.tree.delegate(ds);
        self.wait_for_tld(serial);
    }

    /// Lets Knot sign the zone and roll to another algorithm, and keeps the zone of each phase in between.
    pub(crate) fn roll(&mut self, tlsa: &[&str]) -> Vec<(String, Vec<String>)> {
        self.leaf
            .roll_on_knot(&zone_file::text(self.place, tlsa), "TLSA")
    }

    /// Makes every server serve this, with a delegation to the keys in it.
    pub(crate) fn serve_everywhere(&mut self, lines: &[String]) {
        fs::write(self.work().join("served"), lines.join("\n") + "\n")
            .expect("a temporary folder can be filled");
        let ds = must(
            &self.work(),
            "dnssec-dsfromkey",
            &["-2", "-f", "served", ZONE],
        );
        for role in SERVERS {
            self.leaf.serve_copy(role, lines);
        }
        let serial = self.tree.delegate(ds);
        self.wait_for_tld(serial);
        for role in SERVERS {
            wait_for("the same everywhere", || self.serial(role));
        }
    }

    /// The keys of the zone at a server, in order.
    fn keys(&self, role: Role) -> Option<Vec<String>> {
        let mut keys = self.ask(role, ZONE, "DNSKEY")?.data("DNSKEY");
        keys.sort();
        Some(keys)
    }

    /// The tag of the key that signed a set, as a server gives it.
    pub(crate) fn signer(&self, role: Role, name: &str, rtype: &str) -> Option<u16> {
        let signatures = self.ask(role, name, rtype)?.data("RRSIG");
        signatures.first()?.split(' ').nth(6)?.parse().ok()
    }

    /// Makes the resolver forget all it knows.
    pub(crate) fn forget(&self) {
        self.resolver.forget();
    }

    /// The zone as a server hands it out, signatures included.
    pub(crate) fn transfer(&self, role: Role) -> Vec<String> {
        transfer(self.at(role), ZONE)
    }

    fn folder(&self) -> &Path {
        self.folder
            .as_ref()
            .expect("the folder stays until the tree is dropped")
            .path()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!(
                "the folder of the servers stays: {}",
                folder.keep().display()
            );
        }
    }
}

/// The lines of a zone without what signing added.
fn unsigned(lines: &[String]) -> Vec<String> {
    let added = [
        "RRSIG",
        "NSEC",
        "DNSKEY",
        "CDS",
        "CDNSKEY",
        "TYPE65534",
        "NSEC3",
        "NSEC3PARAM",
    ];
    let keep = |line: &&String| {
        line.split_whitespace()
            .nth(3)
            .is_some_and(|rtype| !added.contains(&rtype))
    };
    lines.iter().filter(keep).cloned().collect()
}

/// The lines of a zone with another first half in each signature over TLSA.
fn forged(lines: &[String]) -> Vec<String> {
    let forge = |line: &String| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.get(3..5) != Some(&["RRSIG", "TLSA"]) {
            return line.clone();
        }
        let (last, rest) = fields.split_last().expect("a signature has fields");
        let other: String = last
            .chars()
            .enumerate()
            .map(|(i, c)| if i < 40 { next_letter(c) } else { c })
            .collect();
        format!("{} {other}", rest.join(" "))
    };
    lines.iter().map(forge).collect()
}

fn next_letter(c: char) -> char {
    match c {
        'A'..='Y' | 'a'..='y' => char::from(c as u8 + 1),
        other => other,
    }
}
