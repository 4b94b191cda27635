//! The servers of the zone: BIND signs the file that a person keeps, or takes
//! updates; NSD and Knot fetch the signed zone from it. Each can be held back,
//! stopped, or made to serve a damaged copy instead, and Knot can sign as well.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::config;
use super::dig::transfer;
use super::place::{Place, Role};
use super::process::{Daemon, must, run, wait_for};
use super::zone_file::ZONE;

/// The keys that BIND signs the zone with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// A key-signing key and a zone-signing key.
    Split,
    /// One key for both, as in BIND's default policy.
    Combined,
}

/// How the zone changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upkeep {
    /// A person edits the file.
    ByHand,
    /// BIND takes dynamic updates, from anybody.
    ByUpdates,
}

/// What a server of the zone serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// What BIND signs; the secondaries fetch it.
    Live,
    /// A fixed file, `copy.zone` in the server's folder.
    Copy,
    /// What Knot signs with its own keys, by a policy.
    Own(&'static str),
}

/// The three servers.
#[derive(Debug)]
pub(crate) struct Leaf {
    place: Place,
    folder: PathBuf,
    upkeep: Upkeep,
    held_back: Vec<Role>,
    servers: Vec<(Role, Daemon)>,
}

impl Leaf {
    /// Makes the zone's keys and writes its file; starts nothing yet.
    pub(crate) fn new(
        place: Place,
        folder: &Path,
        signing: Signing,
        upkeep: Upkeep,
        zone_text: &str,
    ) -> Self {
        for name in ["bind/keys", "bind/zones", "nsd", "knot"] {
            fs::create_dir_all(folder.join(name)).expect("a temporary folder can be filled");
        }
        let named = ["-4", "-g", "-n", "1", "-U", "1", "-c", "named.conf"];
        let servers = vec![
            (
                Role::Bind,
                Daemon::new("named (primary)", &folder.join("bind"), "named", &named),
            ),
            (
                Role::Nsd,
                Daemon::new("nsd", &folder.join("nsd"), "nsd", &["-d", "-c", "nsd.conf"]),
            ),
            (
                Role::Knot,
                Daemon::new("knotd", &folder.join("knot"), "knotd", &["-c", "knot.conf"]),
            ),
        ];
        let leaf = Self {
            place,
            folder: folder.to_owned(),
            upkeep,
            held_back: Vec::new(),
            servers,
        };
        leaf.write("bind/policy.conf", &config::bind_policy(signing));
        leaf.write("bind/rndc.conf", &config::rndc(place.control(Role::Bind)));
        leaf.write(&format!("bind/zones/{ZONE}.zone"), zone_text);
        leaf.write_transfers();
        must(
            &folder.join("bind"),
            "dnssec-keygen",
            &["-q", "-k", "rig", "-l", "policy.conf", "-K", "keys", ZONE],
        );
        leaf
    }

    /// The file that a person keeps.
    pub(crate) fn zone_file(&self) -> PathBuf {
        self.folder.join(format!("bind/zones/{ZONE}.zone"))
    }

    /// The DS records for the delegation.
    pub(crate) fn ds(&self) -> String {
        let script =
            "for key in $(grep -l 'DNSKEY 257' keys/K*.key); do dnssec-dsfromkey -2 $key; done";
        must(&self.folder.join("bind"), "sh", &["-c", script])
    }

    /// The command line for `rndc`, without the order.
    pub(crate) fn rndc(&self) -> String {
        format!("rndc -c {}", self.folder.join("bind/rndc.conf").display())
    }

    /// Gives BIND an order.
    pub(crate) fn order(&self, order: &[&str]) -> String {
        must(
            &self.folder.join("bind"),
            "rndc",
            &[&["-c", "rndc.conf"], order].concat(),
        )
    }

    /// Lets a secondary fetch nothing from now on, or fetch again.
    pub(crate) fn hold_back(&mut self, role: Role, hold: bool) {
        self.held_back.retain(|&held| held != role);
        if hold {
            self.held_back.push(role);
        }
        self.write_transfers();
        self.order(&["reconfig"]);
        if !hold {
            self.order(&["notify", ZONE]);
        }
    }

    /// The process of a server.
    pub(crate) fn daemon(&mut self, role: Role) -> &mut Daemon {
        let found = self.servers.iter_mut().find(|(of, _)| *of == role);
        &mut found.expect("BIND, NSD and Knot serve the zone").1
    }

    /// Starts a server with what BIND signs, whatever it did before.
    pub(crate) fn serve_live(&mut self, role: Role) {
        self.restart(role, Source::Live);
    }

    /// Makes a server serve these lines and nothing else.
    pub(crate) fn serve_copy(&mut self, role: Role, lines: &[String]) {
        self.write(
            &format!("{}/copy.zone", folder_of(role)),
            &(lines.join("\n") + "\n"),
        );
        self.restart(role, Source::Copy);
    }

    /// Makes Knot sign this text, with keys of its own beside those of BIND. Returns
    /// the DS records for a delegation to both.
    pub(crate) fn sign_on_knot(&mut self, zone_text: &str) -> String {
        self.daemon(Role::Knot).stop();
        self.configure(Role::Knot, Source::Own("joint"));
        self.write("knot/own.zone", zone_text);
        let script = format!(
            "manage() {{ keymgr -c knot.conf {ZONE} \"$@\"; }}; manage generate ksk=yes >&2 && \
             manage generate zsk=yes >&2 && for key in ../bind/keys/K*.key; do manage import-pub $key >&2; done; manage ds"
        );
        let ds = must(&self.folder.join("knot"), "sh", &["-c", &script]);
        self.daemon(Role::Knot).start();
        ds
    }

    /// Makes Knot sign this text, and roll to keys of another algorithm. Returns the
    /// zone of each phase in between, with what tells it from the others: the
    /// algorithms of the keys, and of the signatures over a set of this type.
    pub(crate) fn roll_on_knot(
        &mut self,
        zone_text: &str,
        rtype: &str,
    ) -> Vec<(String, Vec<String>)> {
        self.write("knot/own.zone", zone_text);
        self.restart(Role::Knot, Source::Own("before"));
        let (server, folder) = (self.place.server(Role::Knot), self.folder.join("knot"));
        let look = || Some(transfer(server, ZONE)).filter(|lines| !lines.is_empty());
        let before = algorithms(&wait_for("a zone that Knot has signed", look), rtype);
        self.write_knot_signer("after");
        must(&folder, "knotc", &["-s", "control", "reload"]);
        let mut phases: Vec<(String, Vec<String>)> = Vec::new();
        wait_for("Knot's roll", || {
            // Refused until the new key waits for its DS record.
            run(
                &folder,
                "knotc",
                &["-s", "control", "zone-ksk-submitted", ZONE],
            );
            let zone = look()?;
            let phase = algorithms(&zone, rtype);
            if phase != before && phases.iter().all(|(seen, _)| *seen != phase) {
                phases.push((phase, zone));
            }
            (phases.len() == 3).then_some(())
        });
        phases
    }

    /// Signs these lines anew with the zone's keys, from and until moments
    /// relative to now, as `dnssec-signzone` reads them.
    pub(crate) fn sign(&self, lines: &[String], from: &str, until: &str) -> Vec<String> {
        let folder = self.folder.join("bind");
        fs::write(folder.join("resign.plain"), lines.join("\n") + "\n")
            .expect("a temporary folder can be filled");
        // With -z a key signs what its flags would leave to another key: there may be one only.
        let args = [
            "-q",
            "-S",
            "-P",
            "-z",
            "-K",
            "keys",
            "-s",
            from,
            "-e",
            until,
            "-O",
            "full",
            "-f",
            "resign.signed",
        ];
        must(
            &folder,
            "dnssec-signzone",
            &[&args[..], &["-o", ZONE, "resign.plain"]].concat(),
        );
        let text = fs::read_to_string(folder.join("resign.signed"))
            .expect("dnssec-signzone wrote the zone");
        text.lines()
            .filter(|line| !line.starts_with(';'))
            .map(str::to_owned)
            .collect()
    }

    fn restart(&mut self, role: Role, source: Source) {
        self.daemon(role).stop();
        self.configure(role, source);
        self.daemon(role).start();
    }

    fn configure(&self, role: Role, source: Source) {
        let (server, primary) = (self.place.server(role), self.place.server(Role::Bind));
        let folder = self.folder.join(folder_of(role));
        // What a secondary knew must not outlive a restart; the first time there is nothing.
        for name in ["live.zone", "xfrd.state"] {
            let _ = fs::remove_file(folder.join(name));
        }
        let _ = fs::remove_dir_all(folder.join("db"));
        match (role, source) {
            (Role::Nsd, Source::Live) => {
                let zone = config::nsd_secondary(server, primary);
                self.write("nsd/nsd.conf", &config::nsd(&folder, server, ZONE, &zone));
            }
            (Role::Nsd, Source::Copy) => {
                let zone = ["zonefile: \"copy.zone\"".to_owned()];
                self.write("nsd/nsd.conf", &config::nsd(&folder, server, ZONE, &zone));
            }
            (Role::Knot, Source::Live) => {
                let zone = [
                    "file: live.zone",
                    "master: primary",
                    "acl: [ notify, transfer ]",
                ];
                self.write(
                    "knot/knot.conf",
                    &config::knot(&folder, server, primary, &zone),
                );
            }
            (Role::Knot, Source::Copy) => {
                let zone = ["file: copy.zone", "acl: transfer"];
                self.write(
                    "knot/knot.conf",
                    &config::knot(&folder, server, primary, &zone),
                );
            }
            (_, Source::Own(policy)) => {
                // Knot makes no folder for keys.
                fs::create_dir(folder.join("db")).expect("a temporary folder can be filled");
                self.write_knot_signer(policy);
            }
            (_, Source::Live) => self.write_named_conf(&config::bind_signer(self.upkeep)),
            (_, Source::Copy) => self.write_named_conf("file \"copy.zone\"; notify no;"),
        }
    }

    fn write_named_conf(&self, zone: &str) {
        let (server, control) = (
            self.place.server(Role::Bind),
            self.place.control(Role::Bind),
        );
        self.write("bind/named.conf", &config::bind(server, control, zone));
    }

    fn write_knot_signer(&self, policy: &str) {
        let (server, primary) = (self.place.server(Role::Knot), self.place.server(Role::Bind));
        let zone = config::knot_signer(policy);
        self.write(
            "knot/knot.conf",
            &config::knot(&self.folder.join("knot"), server, primary, &[&zone]),
        );
    }

    fn write_transfers(&self) {
        let address = |&role: &Role| self.place.address(role);
        let secondaries: Vec<_> = [Role::Nsd, Role::Knot].iter().map(address).collect();
        let held_back: Vec<_> = self.held_back.iter().map(address).collect();
        self.write(
            "bind/transfers.conf",
            &config::bind_transfers(self.place.port, &secondaries, &held_back),
        );
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("a temporary folder can be filled");
    }
}

/// The algorithms of the keys of a zone, and of the signatures over its sets of a type.
fn algorithms(zone: &[String], rtype: &str) -> String {
    let fields = |line: &String| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let records = zone.iter().map(fields).filter(|fields| fields.len() > 6);
    let (mut keys, mut signatures) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        match record[3].as_str() {
            "DNSKEY" => keys.insert(record[6].clone()),
            "RRSIG" if record[4] == rtype => signatures.insert(record[5].clone()),
            _ => false,
        };
    }
    let list = |of: BTreeSet<String>| of.into_iter().collect::<Vec<_>>().join(" ");
    format!("keys {} signatures {}", list(keys), list(signatures))
}

fn folder_of(role: Role) -> &'static str {
    match role {
        Role::Nsd => "nsd",
        Role::Knot => "knot",
        _ => "bind",
    }
}
