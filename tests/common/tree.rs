//! The top of the tree: a root zone and the top-level domain `example`, signed
//! offline, each served by an NSD of its own. (BIND listens on addresses that an
//! interface has, so without root there is one BIND, on 127.0.0.1.)

use std::fs;
use std::path::{Path, PathBuf};

use super::config;
use super::place::{Place, Role};
use super::process::{Daemon, must};
use super::zone_file::ZONE;

/// The top-level domain.
pub(crate) const TLD: &str = "example";

/// The root and the top-level domain.
#[derive(Debug)]
pub(crate) struct Tree {
    place: Place,
    folder: PathBuf,
    /// The DS records of the zone, as lines.
    ds: String,
    tld_serial: u32,
    root: Daemon,
    tld: Daemon,
}

impl Tree {
    /// Makes the keys, signs both zones and starts the server. `ds` are the
    /// DS records that delegate the zone securely.
    pub(crate) fn start(place: Place, folder: &Path, ds: String) -> Self {
        fs::create_dir_all(folder.join("keys")).expect("a temporary folder can be filled");
        let daemon = |name, zone: &str| {
            fs::create_dir_all(folder.join(zone)).expect("a temporary folder can be filled");
            Daemon::new(name, &folder.join(zone), "nsd", &["-d", "-c", "nsd.conf"])
        };
        let (root, tld) = (
            daemon("nsd (root)", "root"),
            daemon("nsd (top-level domain)", TLD),
        );
        let mut tree = Self {
            place,
            folder: folder.to_owned(),
            ds,
            tld_serial: 1,
            root,
            tld,
        };
        for zone in [".", TLD] {
            for role in [&["-f", "KSK"][..], &[]] {
                let fixed = ["-q", "-a", "ECDSAP256SHA256", "-K", "keys"];
                must(folder, "dnssec-keygen", &[&fixed, role, &[zone]].concat());
            }
        }
        tree.sign_tld(true);
        tree.sign_root();
        tree.root.start();
        tree.tld.start();
        tree
    }

    /// The root's keys as DS records in zone-file syntax.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.folder.join("dsset-.")
    }

    /// The root's keys as DNSKEY records in zone-file syntax.
    pub(crate) fn anchor_keys(&self) -> PathBuf {
        self.folder.join("root.keys")
    }

    /// Publishes the delegation of the zone with its DS records, or without.
    /// Returns the serial of the new top-level domain.
    pub(crate) fn set_delegation_signed(&mut self, signed: bool) -> u32 {
        self.tld_serial += 1;
        self.sign_tld(signed);
        self.tld.stop();
        self.tld.start();
        self.tld_serial
    }

    /// Publishes the delegation of the zone with these DS records, if it has others.
    /// Returns the serial of the top-level domain.
    pub(crate) fn delegate(&mut self, ds: String) -> u32 {
        if self.ds == ds {
            return self.tld_serial;
        }
        self.ds = ds;
        self.set_delegation_signed(true)
    }

    fn sign_root(&self) {
        let ds = fs::read_to_string(self.folder.join(format!("dsset-{TLD}.")))
            .expect("dnssec-signzone left the DS set");
        let (root, tld) = (
            self.place.address(Role::Root),
            self.place.address(Role::Tld),
        );
        let text = format!(
            "$TTL 2\n. SOA ns.root-server. nobody.root-server. 1 3600 600 86400 2\n. NS ns.root-server.\n\
             ns.root-server. A {root}\n{TLD}. NS ns.nic.{TLD}.\nns.nic.{TLD}. A {tld}\n{ds}"
        );
        self.sign(".", "root", Role::Root, &text);
        let keys = must(
            &self.folder,
            "sh",
            &["-c", "grep -h 'DNSKEY 257' keys/K.+*.key"],
        );
        fs::write(self.anchor_keys(), keys).expect("a temporary folder can be filled");
    }

    fn sign_tld(&self, signed: bool) {
        let (serial, ds) = (self.tld_serial, if signed { self.ds.as_str() } else { "" });
        let mut text = format!(
            "$TTL 2\n{TLD}. SOA ns.nic.{TLD}. nobody.nic.{TLD}. {serial} 3600 600 86400 2\n{TLD}. NS ns.nic.{TLD}.\n\
             ns.nic.{TLD}. A {}\n{ds}",
            self.place.address(Role::Tld)
        );
        for (ns, role) in [("ns1", Role::Bind), ("ns2", Role::Nsd), ("ns3", Role::Knot)] {
            text.push_str(&format!(
                "{ZONE}. NS {ns}.{ZONE}.\n{ns}.{ZONE}. A {}\n",
                self.place.address(role)
            ));
        }
        self.sign(TLD, TLD, Role::Tld, &text);
    }

    /// Signs a zone into the folder of its server.
    fn sign(&self, zone: &str, folder: &str, role: Role, text: &str) {
        let (plain, signed) = (format!("{folder}/plain"), format!("{folder}/signed"));
        let zone_settings = ["zonefile: \"signed\"".to_owned()];
        let settings = config::nsd(
            &self.folder.join(folder),
            self.place.server(role),
            zone,
            &zone_settings,
        );
        fs::write(self.folder.join(folder).join("nsd.conf"), settings)
            .expect("a temporary folder can be filled");
        fs::write(self.folder.join(&plain), text).expect("a temporary folder can be filled");
        must(
            &self.folder,
            "dnssec-signzone",
            &["-q", "-S", "-K", "keys", "-o", zone, "-f", &signed, &plain],
        );
    }
}
