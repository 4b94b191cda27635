//! A signed tree on loopback, by the library's own name server: the root,
//! `example.`, and `leaf.example.` on two servers. All that these tests use of
//! the library stands here.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use chrono::Utc;
use danewright::demo::authority::{Authority, Fault, Key, Role, Window, Zone};
use danewright::name::Name;
use tempfile::TempDir;

use crate::run::{Said, danewright, folder};

const ROOT: IpAddr = at(1);
const TLD: IpAddr = at(2);
const NS1: IpAddr = at(3);
const NS2: IpAddr = at(4);
const RESOLVER: IpAddr = at(5);

const fn at(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 88, last))
}

/// The name servers, and the folder from which they are looked at.
pub(crate) struct World {
    authority: Authority,
    folder: TempDir,
    leaf_key: Key,
    window: Window,
}

impl World {
    /// Both servers have the records of both keys.
    pub(crate) fn new() -> Self {
        let folder = folder();
        let [root_key, tld_key, leaf_key] = std::array::from_fn(|_| Key::generate().unwrap());
        let authority = Authority::start(&[ROOT, TLD, NS1, NS2, RESOLVER]).unwrap();
        authority.role(
            RESOLVER,
            Role::Resolver {
                authenticated: true,
            },
        );
        let window = Window::around(Utc::now(), 14);
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
        for (server, address) in [("ns1.leaf", NS1), ("ns2.leaf", NS2)] {
            add(&mut tld, "leaf", "NS", &format!("{server}.example."));
            add(&mut tld, server, "A", &address.to_string());
        }
        add(
            &mut tld,
            "leaf",
            "DS",
            &leaf_key.ds(&name("leaf.example")).unwrap(),
        );
        for (zone, key, server) in [(&root, &root_key, ROOT), (&tld, &tld_key, TLD)] {
            let signed = zone.sign(&[key], window).unwrap();
            authority.publish(server, &signed);
            authority.publish(RESOLVER, &signed);
        }
        fs::write(
            folder.path().join("anchor"),
            root_key.anchor(&Name::root()).unwrap(),
        )
        .unwrap();
        let world = Self {
            authority,
            folder,
            leaf_key,
            window,
        };
        for server in [NS1, NS2, RESOLVER] {
            world.serve(server, 2, &["old.pem", "new.pem"]);
        }
        world
    }

    /// The second server has no record, and the resolver heard that one.
    pub(crate) fn second_has_none(&self) {
        self.serve(NS2, 0, &[]);
        self.serve(RESOLVER, 0, &[]);
    }

    /// The second server has not heard of the new key, and the resolver neither.
    pub(crate) fn second_lags(&self) {
        self.serve(NS2, 1, &["old.pem"]);
        self.serve(RESOLVER, 1, &["old.pem"]);
    }

    /// The second server lost the record of the old key.
    pub(crate) fn second_lost_the_old(&self) {
        self.serve(NS2, 2, &["new.pem"]);
    }

    /// The second server answers nothing.
    pub(crate) fn second_refuses(&self) {
        self.authority.fault(NS2, Some(Fault::Refuse));
    }

    fn serve(&self, server: IpAddr, serial: u32, keys: &[&str]) {
        let mut leaf = zone("leaf.example.");
        for (server, address) in [("ns1", NS1), ("ns2", NS2)] {
            add(&mut leaf, "@", "NS", &format!("{server}.leaf.example."));
            add(&mut leaf, server, "A", &address.to_string());
        }
        add(&mut leaf, "mail", "A", "192.0.2.25");
        for key in keys {
            add(&mut leaf, "_25._tcp.mail", "TLSA", &self.record(key));
        }
        leaf.set_serial(serial);
        self.authority
            .publish(server, &leaf.sign(&[&self.leaf_key], self.window).unwrap());
    }

    /// The `3 1 1` record of a key, as `tlsa` makes it.
    fn record(&self, key: &str) -> String {
        let said = danewright(
            self.path(),
            &[
                "tlsa",
                key,
                "--host",
                "mail.leaf.example",
                "--port",
                "25",
                "--json",
            ],
        );
        said.json()["records"][0]["record"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The port of all name servers.
    pub(crate) fn port(&self) -> u16 {
        self.authority.port()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `verify` of the new key, with the old one deployed.
    pub(crate) fn verify(&self, more: &[&str]) -> Said {
        let (port, resolver) = (
            self.port().to_string(),
            self.authority.socket(RESOLVER).to_string(),
        );
        let key = ["verify", "--json", "new.pem", "--current", "old.pem"];
        let at = [
            "--host",
            "mail.leaf.example",
            "--port",
            "25",
            "--state",
            "state",
            "--trust-anchor",
            "anchor",
        ];
        let ask = ["--resolver", &resolver, "--dns-port", &port, "--tries", "1"];
        danewright(self.path(), &[&key[..], &at, &ask, more].concat())
    }
}

fn name(text: &str) -> Name {
    Name::from_user(text).unwrap()
}

fn zone(apex: &str) -> Zone {
    Zone::new(&name(apex))
}

fn add(zone: &mut Zone, owner: &str, kind: &str, data: &str) {
    zone.add(owner, 3600, kind, data).unwrap();
}
