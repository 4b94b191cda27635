//! A small signed tree in this process: the root, `example.` on two servers,
//! `leaf.example.` on two, `other.example.` on one, and a resolver. Everything
//! is well until a test spoils it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use danewright::demo::authority::{Authority, Key, Role, Window, Zone};
use danewright::dns::{Anchors, Family, Settings, gather};
use danewright::name::Name;
use danewright::propagation::evidence::{Evidence, ServerAnswer};
use danewright::propagation::memory::Memory;
use danewright::propagation::{Expectation, HoldWish, Policy, Verdict, check};
use danewright::tlsa::{Target, Tlsa};

pub(crate) const ROOT: IpAddr = at(1);
pub(crate) const TLD: IpAddr = at(2);
pub(crate) const TLD2: IpAddr = at(7);
pub(crate) const NS1: IpAddr = at(3);
pub(crate) const NS2: IpAddr = at(4);
pub(crate) const NS3: IpAddr = at(8);
pub(crate) const RESOLVER: IpAddr = at(5);
pub(crate) const OTHER: IpAddr = at(6);

const fn at(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 7, last))
}

/// 64 hexadecimal digits, all the same.
pub(crate) fn digest(digit: char) -> String {
    std::iter::repeat_n(digit, 64).collect()
}

pub(crate) struct Lab {
    pub(crate) authority: Authority,
    pub(crate) now: DateTime<Utc>,
    pub(crate) window: Window,
    pub(crate) root: Zone,
    pub(crate) tld: Zone,
    pub(crate) leaf: Zone,
    pub(crate) other: Zone,
    pub(crate) root_key: Key,
    pub(crate) tld_key: Key,
    pub(crate) leaf_key: Key,
    pub(crate) other_key: Key,
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_user(text).unwrap()
}

pub(crate) fn zone(apex: &str, records: &[(&str, &str, &str)]) -> Zone {
    let mut zone = Zone::new(&name(apex));
    for (owner, kind, data) in records {
        zone.add(owner, 3600, kind, data).unwrap();
    }
    zone
}

impl Lab {
    pub(crate) fn new() -> Self {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let [root_key, tld_key, leaf_key, other_key] =
            std::array::from_fn(|_| Key::generate().unwrap());
        let root = zone(
            ".",
            &[
                (".", "NS", "ns.root."),
                ("ns.root.", "A", "127.0.7.1"),
                ("example.", "NS", "ns.example."),
                ("example.", "NS", "ns-b.example."),
                ("ns.example.", "A", "127.0.7.2"),
                ("ns-b.example.", "A", "127.0.7.7"),
                ("example.", "DS", &tld_key.ds(&name("example.")).unwrap()),
            ],
        );
        let tld = zone(
            "example.",
            &[
                ("@", "NS", "ns.example."),
                ("@", "NS", "ns-b.example."),
                ("ns", "A", "127.0.7.2"),
                ("ns-b", "A", "127.0.7.7"),
                ("leaf", "NS", "ns1.leaf.example."),
                ("leaf", "NS", "ns2.leaf.example."),
                ("ns1.leaf", "A", "127.0.7.3"),
                ("ns2.leaf", "A", "127.0.7.4"),
                ("leaf", "DS", &leaf_key.ds(&name("leaf.example.")).unwrap()),
                ("other", "NS", "ns.other.example."),
                ("ns.other", "A", "127.0.7.6"),
                (
                    "other",
                    "DS",
                    &other_key.ds(&name("other.example.")).unwrap(),
                ),
            ],
        );
        let leaf = zone(
            "leaf.example.",
            &[
                ("@", "NS", "ns1.leaf.example."),
                ("@", "NS", "ns2.leaf.example."),
                ("ns1", "A", "127.0.7.3"),
                ("ns2", "A", "127.0.7.4"),
                ("mail", "A", "192.0.2.25"),
                ("_25._tcp.mail", "TLSA", &format!("3 1 1 {}", digest('a'))),
            ],
        );
        let other = zone(
            "other.example.",
            &[
                ("@", "NS", "ns.other.example."),
                ("ns", "A", "127.0.7.6"),
                ("_dane", "TLSA", &format!("3 1 1 {}", digest('d'))),
            ],
        );
        let authority =
            Authority::start(&[ROOT, TLD, TLD2, NS1, NS2, NS3, RESOLVER, OTHER]).unwrap();
        authority.role(
            RESOLVER,
            Role::Resolver {
                authenticated: true,
            },
        );
        let window = Window::around(now, 14);
        let lab = Self {
            authority,
            now,
            window,
            root,
            tld,
            leaf,
            other,
            root_key,
            tld_key,
            leaf_key,
            other_key,
        };
        lab.publish();
        lab
    }

    /// Signs everything as it is now, and serves it everywhere.
    pub(crate) fn publish(&self) {
        for (zone, key, servers) in [
            (&self.root, &self.root_key, &[ROOT][..]),
            (&self.tld, &self.tld_key, &[TLD, TLD2]),
            (&self.leaf, &self.leaf_key, &[NS1, NS2]),
            (&self.other, &self.other_key, &[OTHER]),
        ] {
            for server in servers.iter().chain([&RESOLVER]) {
                self.serve(*server, zone, &[key]);
            }
        }
    }

    /// Serves one zone at one address, signed with these keys.
    pub(crate) fn serve(&self, server: IpAddr, zone: &Zone, keys: &[&Key]) {
        self.authority
            .publish(server, &zone.sign(keys, self.window).unwrap());
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            resolvers: vec![self.socket(RESOLVER)],
            anchors: Anchors::parse(&self.root_key.anchor(&Name::root()).unwrap()).unwrap(),
            name_servers: Vec::new(),
            dns_port: self.authority.port(),
            family: Family::Both,
            timeout: Duration::from_secs(5),
            tries: 2,
            now: self.now,
        }
    }

    /// Settings that give up soon, where an answer is not to be expected.
    pub(crate) fn impatient(&self) -> Settings {
        Settings {
            timeout: Duration::from_millis(1500),
            tries: 1,
            ..self.settings()
        }
    }

    pub(crate) fn socket(&self, server: IpAddr) -> SocketAddr {
        self.authority.socket(server)
    }

    /// The evidence about `mail.leaf.example`, port 25.
    pub(crate) fn gather(&self) -> Evidence {
        self.gather_with(&self.settings())
    }

    pub(crate) fn gather_with(&self, settings: &Settings) -> Evidence {
        one(gather(&[target("mail.leaf.example")], settings))
    }

    /// What this evidence comes to when the key `a…a` is to be deployed, all
    /// servers have to agree, and the time that they have to do so is nothing.
    pub(crate) fn verdict(&self, evidence: &Evidence) -> Verdict {
        let rdata: Vec<u8> = [3, 1, 1].into_iter().chain([0xaa; 32]).collect();
        let expectation = Expectation::new(vec![Tlsa::from_rdata(&rdata).unwrap()], None);
        let policy = Policy {
            hold: HoldWish::For(chrono::TimeDelta::zero()),
            ..Policy::default()
        };
        check(
            evidence,
            &expectation,
            &Memory::empty(&name("leaf.example")),
            &policy,
            self.now,
        )
        .0
    }
}

pub(crate) fn target(host: &str) -> Target {
    Target::Service {
        host: name(host),
        port: "25".parse().unwrap(),
    }
}

pub(crate) fn one<T>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// What the server at this address said in a hop.
pub(crate) fn server(evidence: &Evidence, hop: usize, address: IpAddr) -> &ServerAnswer {
    let found = evidence.hops[hop]
        .servers
        .iter()
        .find(|server| server.address.map(|a| a.ip()) == Some(address));
    found.unwrap_or_else(|| panic!("{address} was not asked: {evidence:#?}"))
}

pub(crate) fn codes(findings: &[danewright::finding::Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code).collect()
}
