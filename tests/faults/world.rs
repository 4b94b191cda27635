//! A tree of real name servers: NSD for the root and three top-level domains
//! (NSEC, NSEC3 and NSEC3 with opt-out), NSD and Knot for the zones of all cases
//! at once.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use danewright::dns::{Anchors, Family, Settings, gather};
use danewright::name::Name;
use danewright::propagation::evidence::Evidence;
use danewright::propagation::memory::Memory;
use danewright::propagation::{Expectation, HoldWish, Policy, Verdict, check};
use danewright::tlsa::{Target, Tlsa, unhex};

use crate::common::config;
use crate::common::danewright::danewright;
use crate::common::dig::ask;
use crate::common::place::{Place as Somewhere, Role};
use crate::common::process::{Daemon, must, wait_for};
use crate::zones::{Built, Case, KEY, NEW, Place, apex, build, make_keys};

/// The top-level domains, and how they deny.
const TLDS: [(&str, &[&str]); 3] = [
    ("example", &[]),
    ("three", &["-3", "-", "-H", "0"]),
    ("optout", &["-3", "-", "-H", "0", "-A"]),
];

/// The servers that are started.
const SERVERS: [(Place, &str); 7] = [
    (Place::Root, "root"),
    (Place::Tld, "tld"),
    (Place::First, "first"),
    (Place::Second, "second"),
    (Place::Side, "side"),
    (Place::Hanging, "hanging"),
    (Place::Oracle, "oracle"),
];

/// The servers and their zones. All stop when it is dropped.
pub(crate) struct World {
    daemons: BTreeMap<u8, Daemon>,
    somewhere: Somewhere,
    cases: Vec<Case>,
    sound: Option<Rc<Vec<Built>>>,
    folder: tempfile::TempDir,
}

impl World {
    /// Makes the keys; nothing is served yet.
    pub(crate) fn new(cases: Vec<Case>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dane-faults-")
            .tempdir()
            .unwrap();
        let path = folder.path();
        for (zone, _) in TLDS.iter().chain(&[(".", &[][..])]) {
            for role in [&["-f", "KSK"][..], &[]] {
                must(
                    path,
                    "dnssec-keygen",
                    &[&["-q", "-a", "ECDSAP256SHA256"], role, &[zone]].concat(),
                );
            }
        }
        for (number, case) in cases.iter().enumerate() {
            make_keys(path, number, case);
        }
        let daemons = SERVERS.map(|(place, name)| {
            let folder = path.join(name);
            fs::create_dir(&folder).unwrap();
            let daemon = match place {
                Place::Second => Daemon::new(name, &folder, "knotd", &["-c", "knot.conf"]),
                _ => Daemon::new(name, &folder, "nsd", &["-d", "-c", "nsd.conf"]),
            };
            (place as u8, daemon)
        });
        Self {
            daemons: daemons.into(),
            somewhere: Somewhere::find(),
            cases,
            sound: None,
            folder,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn at(&self, place: Place) -> SocketAddr {
        let IpAddr::V4(base) = self.somewhere.server(Role::Root).ip() else {
            unreachable!("addresses are IPv4")
        };
        let [net, x, y, _] = base.octets();
        SocketAddr::from(([net, x, y, place as u8], self.somewhere.port))
    }

    /// Serves every zone as it is before anything goes wrong, or after.
    pub(crate) fn serve(&mut self, broken: bool) {
        let built = self.built(broken);
        // By the folder of each server: the zones it has.
        let mut zones: BTreeMap<u8, Vec<(String, PathBuf)>> = BTreeMap::new();
        let mut lay = |place: Place, zone: &str, file: PathBuf| {
            zones
                .entry(place as u8)
                .or_default()
                .push((zone.to_owned(), file))
        };
        let mut root = format!(
            "$TTL 3600\n. SOA ns.root-server. nobody. 1 3600 600 86400 300\n. NS ns.root-server.\nns.root-server. A {}\n",
            self.at(Place::Root).ip()
        );
        for (tld, denial) in TLDS {
            let server = self.at(Place::Tld).ip();
            let mut text = format!(
                "$TTL 3600\n{tld}. SOA ns.{tld}. nobody.{tld}. 1 3600 600 86400 300\n{tld}. NS ns.{tld}.\nns.{tld}. A {server}\n"
            );
            let below = built.iter().filter(|zone| zone.apex.ends_with(tld));
            text.extend(below.map(|zone| zone.delegation.as_str()));
            let file = self.sign(tld, denial, &text);
            lay(Place::Tld, tld, file.clone());
            lay(Place::Oracle, tld, file);
            let ds = fs::read_to_string(self.path().join(format!("dsset-{tld}."))).unwrap();
            root.push_str(&format!("{tld}. NS ns.{tld}.\nns.{tld}. A {server}\n{ds}"));
        }
        let file = self.sign(".", &[], &root);
        lay(Place::Root, ".", file.clone());
        lay(Place::Oracle, ".", file);
        for (zone, case) in built.iter().zip(&self.cases) {
            for (copy, places) in zone.copies.iter().zip([
                &[Place::First, Place::Oracle][..],
                &[Place::Second, Place::Hanging],
                &[Place::Side],
            ]) {
                let third = case.third != (false, false) && broken;
                for place in places
                    .iter()
                    .filter(|place| **place != Place::Side || third)
                {
                    let file = self.path().join(format!("{}.{}", zone.apex, *place as u8));
                    fs::write(&file, copy).unwrap();
                    lay(*place, &zone.apex, file);
                }
            }
        }
        self.daemons
            .values()
            .for_each(|daemon| daemon.signal("TERM"));
        for (place, name) in SERVERS {
            self.restart(
                place,
                name,
                &zones.remove(&(place as u8)).unwrap_or_default(),
            );
        }
        let ready = |place: Place, zone: &str| {
            wait_for("a name server", || {
                ask(self.at(place), zone, "SOA", false).filter(|reply| reply.has("aa"))
            });
        };
        let last = built.last().map_or("example", |zone| &zone.apex);
        for place in [Place::First, Place::Second, Place::Hanging, Place::Oracle] {
            ready(place, last);
        }
        ready(Place::Root, ".");
        ready(Place::Tld, "optout");
        wait_for("the server at the side", || {
            ask(self.at(Place::Side), ".", "SOA", false)
        });
    }

    /// The zones of all cases. What is sound is built once.
    fn built(&mut self, broken: bool) -> Rc<Vec<Built>> {
        if let Some(sound) = self.sound.as_ref().filter(|_| !broken) {
            return Rc::clone(sound);
        }
        let case = |case: &Case| if broken { case.clone() } else { case.before() };
        let cases = self.cases.iter().map(case).enumerate();
        let built = cases
            .map(|(number, case)| build(self.path(), number, &case, |place| self.at(place).ip()));
        let built = Rc::new(built.collect());
        if !broken {
            self.sound = Some(Rc::clone(&built));
        }
        built
    }

    /// Signs a zone above those of the cases.
    fn sign(&self, zone: &str, denial: &[&str], text: &str) -> PathBuf {
        let name = if zone == "." { "root" } else { zone };
        fs::write(self.path().join(format!("{name}.plain")), text).unwrap();
        let (plain, signed) = (format!("{name}.plain"), format!("{name}.signed"));
        let args = [
            &["-q", "-S", "-x", "-o", zone, "-f", &signed],
            denial,
            &[&plain],
        ]
        .concat();
        must(self.path(), "dnssec-signzone", &args);
        self.path().join(signed)
    }

    fn restart(&mut self, place: Place, name: &str, zones: &[(String, PathBuf)]) {
        let (folder, server) = (self.path().join(name), self.at(place));
        // NSD wants one zone at least; this one nobody asks for.
        let aside = ("aside.invalid".to_owned(), folder.join("aside"));
        fs::write(
            &aside.1,
            "aside.invalid. 60 SOA a. b. 1 1 1 1 1\naside.invalid. 60 NS a.\n",
        )
        .unwrap();
        let file = |file: &Path| vec![format!("zonefile: \"{}\"", file.display())];
        let mut text = config::nsd(&folder, server, &aside.0, &file(&aside.1));
        for (zone, path) in zones {
            text.push_str(&format!(
                "zone:\n    name: \"{zone}\"\n    {}\n",
                file(path).join("")
            ));
        }
        fs::write(folder.join("nsd.conf"), text).unwrap();
        if place == Place::Second {
            fs::write(folder.join("knot.conf"), knot(&folder, server, zones)).unwrap();
        }
        let daemon = self.daemons.get_mut(&(place as u8)).unwrap();
        daemon.stop();
        daemon.start();
    }

    /// The server that hangs takes questions and does not answer, or answers again.
    pub(crate) fn hang(&self, hang: bool) {
        // NSD is several processes, all in the folder that it was started in.
        let here = self.path().join("hanging");
        let order = if hang { "STOP" } else { "CONT" };
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let at_home =
                fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder == here);
            if let Some(id) = process
                .file_name()
                .to_str()
                .filter(|id| at_home && id.parse::<u32>().is_ok())
            {
                must(self.path(), "sh", &["-c", &format!("kill -{order} {id}")]);
            }
        }
    }

    /// All cases, in order.
    pub(crate) fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Gathers the evidence about every case, and judges it.
    pub(crate) fn verdicts(&self) -> Vec<(Case, Evidence, Verdict)> {
        // Holds end with whole seconds.
        let now = DateTime::from_timestamp(Utc::now().timestamp(), 0).unwrap();
        let settings = Settings {
            resolvers: vec![self.at(Place::Oracle)],
            anchors: Anchors::parse(&fs::read_to_string(self.path().join("dsset-.")).unwrap())
                .unwrap(),
            name_servers: Vec::new(),
            dns_port: self.somewhere.port,
            family: Family::Both,
            timeout: Duration::from_secs(2),
            tries: 2,
            now,
        };
        let host = |(number, case): (usize, &Case)| {
            let host = Name::from_user(&format!("mail.{}", apex(number, case))).unwrap();
            Target::Service {
                host,
                port: "25".parse().unwrap(),
            }
        };
        let targets: Vec<Target> = self.cases.iter().enumerate().map(host).collect();
        let octets = unhex(NEW.rsplit(' ').next().unwrap()).unwrap();
        let rdata: Vec<u8> = [3, 1, 1].into_iter().chain(octets).collect();
        let expectation = Expectation::new(vec![Tlsa::from_rdata(&rdata).unwrap()], None);
        let policy = Policy {
            hold: HoldWish::For(chrono::TimeDelta::zero()),
            ..Policy::default()
        };
        let judged = gather(&targets, &settings)
            .into_iter()
            .zip(&self.cases)
            .map(|(evidence, case)| {
                let memory = Memory::empty(
                    &evidence
                        .hops
                        .first()
                        .map_or_else(Name::root, |hop| hop.zone.clone()),
                );
                let (verdict, _) = check(&evidence, &expectation, &memory, &policy, now);
                (case.clone(), evidence, verdict)
            });
        judged.collect()
    }
}

impl World {
    /// What the command says of one case, and with which status.
    pub(crate) fn verify(&self, number: usize) -> (i32, String) {
        fs::write(self.path().join("new.pem"), KEY).unwrap();
        let (resolver, port) = (
            self.at(Place::Oracle).to_string(),
            self.somewhere.port.to_string(),
        );
        let host = format!("mail.{}", apex(number, &self.cases[number]));
        let state = format!("state{number}");
        let mut args = vec![
            "--json", "verify", "new.pem", "--host", &host, "--port", "25", "--state", &state,
        ];
        args.extend([
            "--resolver",
            &resolver,
            "--dns-port",
            &port,
            "--trust-anchor",
            "dsset-.",
        ]);
        args.extend([
            "--hold",
            "0s",
            "--since",
            "2026-11-20T00:00:00Z",
            "--timeout",
            "2s",
            "--tries",
            "2",
        ]);
        let ran = danewright(self.path(), &args);
        (ran.status, ran.out)
    }
}

/// `knot.conf` for zones that are served as they stand in their files.
fn knot(folder: &Path, server: SocketAddr, zones: &[(String, PathBuf)]) -> String {
    let (folder, address, port) = (folder.display(), server.ip(), server.port());
    let mut text = format!(
        "server:\n    rundir: \"{folder}\"\n    listen: {address}@{port}\n    udp-workers: 1\n    tcp-workers: 1\n\
         \u{20}   background-workers: 1\nlog:\n  - target: stderr\n    any: warning\n\
         control:\n    listen: \"{folder}/control\"\n\
         database:\n    storage: \"{folder}/db\"\n    journal-db-max-size: 64M\n\
         template:\n  - id: default\n    journal-content: none\n    semantic-checks: off\nzone:\n"
    );
    for (zone, file) in zones {
        text.push_str(&format!(
            "  - domain: {zone}\n    file: \"{}\"\n",
            file.display()
        ));
    }
    text
}

impl Drop for World {
    fn drop(&mut self) {
        self.hang(false);
    }
}
