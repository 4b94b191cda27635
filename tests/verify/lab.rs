//! A signed tree on loopback: the root, `example.`, and below it zones with two
//! name servers each; a resolver; and a folder with keys to call `verify` with.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::Utc;
use danewright::demo::authority::{Authority, Key, Role, Window, Zone};
use danewright::keys::{self, KeyFile};
use danewright::name::Name;
use danewright::tlsa::Params;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const ROOT: IpAddr = at(1);
pub(crate) const TLD: IpAddr = at(2);
pub(crate) const NS1: IpAddr = at(3);
pub(crate) const NS2: IpAddr = at(4);
pub(crate) const RESOLVER: IpAddr = at(5);
/// Where nobody answers.
pub(crate) const NOBODY: IpAddr = at(6);

/// Since when all agree, where the hold is of no interest.
pub(crate) const LONG_AGO: &str = "2026-11-20T00:00:00Z";

const fn at(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 9, last))
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_user(text).unwrap()
}

/// What the binary said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        let status = output.status.code().unwrap_or(-1);
        Self {
            status,
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The codes of the findings of a target.
    #[track_caller]
    pub(crate) fn codes(&self, target: usize) -> Vec<String> {
        let findings = self.json()["targets"][target]["findings"]
            .as_array()
            .unwrap()
            .clone();
        findings
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(crate) struct Lab {
    pub(crate) authority: Authority,
    pub(crate) folder: TempDir,
    pub(crate) root_key: Key,
    tld_key: Key,
    leaf_key: Key,
    root: Zone,
    pub(crate) tld: Zone,
    /// The zones below `example.`, by the host in them.
    leaves: Vec<Zone>,
    window: Window,
}

impl Lab {
    /// One zone, `leaf.example.`.
    pub(crate) fn new() -> Self {
        Self::with(&["leaf"])
    }

    /// These zones below `example.`; every one has `mail` with the TLSA records
    /// of the old and of the new key, and a TTL of one second.
    pub(crate) fn with(leaves: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for key in ["old", "new", "other"] {
            let pair = rcgen::KeyPair::generate().unwrap();
            fs::write(
                folder.path().join(format!("{key}.pem")),
                pair.serialize_pem(),
            )
            .unwrap();
        }
        let [root_key, tld_key, leaf_key] = std::array::from_fn(|_| Key::generate().unwrap());
        let authority = Authority::start(&[ROOT, TLD, NS1, NS2, RESOLVER]).unwrap();
        authority.role(
            RESOLVER,
            Role::Resolver {
                authenticated: true,
            },
        );
        let mut root = zone(".");
        add(&mut root, ".", "NS", "ns.root.");
        add(&mut root, "ns.root.", "A", &ROOT.to_string());
        add(&mut root, "example.", "NS", "ns.example.");
        add(&mut root, "ns.example.", "A", &TLD.to_string());
        add(
            &mut root,
            "example.",
            "DS",
            &tld_key.ds(&name("example")).unwrap(),
        );
        let mut tld = zone("example.");
        add(&mut tld, "@", "NS", "ns.example.");
        add(&mut tld, "ns", "A", &TLD.to_string());
        for leaf in leaves {
            for (server, address) in [("ns1", NS1), ("ns2", NS2)] {
                add(&mut tld, leaf, "NS", &format!("{server}.{leaf}.example."));
                add(
                    &mut tld,
                    &format!("{server}.{leaf}"),
                    "A",
                    &address.to_string(),
                );
            }
            let apex = name(&format!("{leaf}.example"));
            add(&mut tld, leaf, "DS", &leaf_key.ds(&apex).unwrap());
        }
        let mut lab = Self {
            authority,
            folder,
            root_key,
            tld_key,
            leaf_key,
            root,
            tld,
            leaves: Vec::new(),
            window: Window::around(Utc::now(), 14),
        };
        for leaf in leaves {
            let zone = lab.leaf(leaf, 1, &["old", "new"]);
            lab.leaves.push(zone);
        }
        fs::write(
            lab.path().join("anchor"),
            lab.root_key.anchor(&Name::root()).unwrap(),
        )
        .unwrap();
        lab.publish();
        lab
    }

    /// A zone with the records of these keys at its mail host.
    pub(crate) fn leaf(&self, leaf: &str, serial: u32, keys: &[&str]) -> Zone {
        let mut zone = zone(&format!("{leaf}.example."));
        for (server, address) in [("ns1", NS1), ("ns2", NS2)] {
            add(&mut zone, "@", "NS", &format!("{server}.{leaf}.example."));
            add(&mut zone, server, "A", &address.to_string());
        }
        add(&mut zone, "mail", "A", "192.0.2.25");
        for key in keys {
            for port in [25, 465] {
                let data = self.record(key);
                zone.add(&format!("_{port}._tcp.mail"), 1, "TLSA", &data)
                    .unwrap();
            }
        }
        zone.set_serial(serial);
        zone
    }

    /// As many hosts more in each zone, `m0` and so on, with the records of both keys.
    pub(crate) fn more_hosts(&mut self, count: usize) {
        let records = ["old", "new"].map(|key| self.record(key));
        for zone in &mut self.leaves {
            for host in 0..count {
                add(zone, &format!("m{host}"), "A", "192.0.2.26");
                for record in &records {
                    zone.add(&format!("_25._tcp.m{host}"), 1, "TLSA", record)
                        .unwrap();
                }
            }
        }
        self.publish();
    }

    /// The `3 1 1` record of a key.
    pub(crate) fn record(&self, key: &str) -> String {
        let file = format!("{key}.pem");
        let octets = fs::read(self.path().join(&file)).unwrap();
        let read = KeyFile::read(&file, &octets, None).unwrap();
        keys::records(&[read], Params::default()).unwrap()[0].to_string()
    }

    /// Signs everything and serves it everywhere.
    pub(crate) fn publish(&self) {
        self.serve(&self.root, &self.root_key, &[ROOT, RESOLVER]);
        self.serve(&self.tld, &self.tld_key, &[TLD, RESOLVER]);
        for leaf in &self.leaves {
            self.serve_leaf(leaf, &[NS1, NS2, RESOLVER]);
        }
    }

    pub(crate) fn serve_leaf(&self, leaf: &Zone, servers: &[IpAddr]) {
        self.serve(leaf, &self.leaf_key, servers);
    }

    fn serve(&self, zone: &Zone, key: &Key, servers: &[IpAddr]) {
        let signed = zone.sign(&[key], self.window).unwrap();
        servers
            .iter()
            .for_each(|server| self.authority.publish(*server, &signed));
    }

    /// Nothing was ever seen.
    pub(crate) fn forget(&self) {
        fs::remove_dir_all(self.path().join("state")).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self, address: IpAddr) -> String {
        self.authority.socket(address).to_string()
    }

    /// `verify` of the usual key at the usual host.
    pub(crate) fn verify(&self, more: &[&str]) -> Said {
        Said::of(
            self.start(
                &[
                    &["new.pem", "--host", "mail.leaf.example", "--port", "25"],
                    more,
                ]
                .concat(),
            ),
        )
    }

    /// `verify` with nothing but whom to ask and whom to trust.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.begin(&[&["--resolver", &self.socket(RESOLVER)], arguments].concat())
    }

    /// `verify` without a resolver.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        self.begin_with(Some("1"), arguments)
    }

    /// `verify` with as many tries, or as many as it makes by itself.
    pub(crate) fn begin_with(&self, tries: Option<&str>, arguments: &[&str]) -> Child {
        let port = self.authority.port().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
        command
            .env_clear()
            .env("COLUMNS", "80")
            .current_dir(self.path());
        command.args([
            "verify",
            "--state",
            "state",
            "--trust-anchor",
            "anchor",
            "--dns-port",
            &port,
        ]);
        command.args(tries.into_iter().flat_map(|tries| ["--tries", tries]));
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

fn zone(apex: &str) -> Zone {
    Zone::new(&name(apex))
}

fn add(zone: &mut Zone, owner: &str, kind: &str, data: &str) {
    zone.add(owner, 3600, kind, data).unwrap();
}
