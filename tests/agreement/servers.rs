//! The servers of the test zones: one NSD with the root and the top-level
//! domains, one with everything below; and two Unbounds, one that validates and
//! one that hands out whatever it finds.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::common::config;
use super::common::dig::ask;
use super::common::place::{Place, Role};
use super::common::process::{Daemon, wait_for};
use super::zones::{ABOVE, BELOW, Plan, make};

/// Running servers; dropping it stops them.
pub(crate) struct Servers {
    // Dropped before the folder.
    _daemons: Vec<Daemon>,
    place: Place,
    folder: TempDir,
}

impl Servers {
    /// Signs the zones and serves them. `islands` have an anchor of their own.
    pub(crate) fn start(plans: &[Plan], islands: &[&str]) -> Self {
        let place = Place::find();
        let folder = tempfile::Builder::new()
            .prefix("dane-agree-")
            .tempdir()
            .expect("there is a temporary folder");
        let path = folder.path();
        let servers = [(ABOVE, Role::Root), (BELOW, Role::Nsd)];
        let addresses = servers
            .map(|(name, role)| format!("{name} A {}\n", place.address(role)))
            .concat();
        let zones = make(path, plans, &addresses);
        let (above, below): (Vec<_>, Vec<_>) =
            zones.iter().partition(|(name, _)| !name.contains('.'));
        let mut daemons = vec![
            nsd(path, place, Role::Root, &above),
            nsd(path, place, Role::Nsd, &below),
        ];
        let mut anchors = String::new();
        for name in islands.iter().chain(&[""]) {
            let file = path.join(format!("zone-{name}/dsset-{name}."));
            anchors += &fs::read_to_string(file).expect("dnssec-signzone left the DS set");
        }
        fs::write(path.join("anchors"), anchors).expect("a temporary folder can be filled");
        for (role, modules) in [
            (Role::Resolver, "validator iterator"),
            (Role::Tld, "iterator"),
        ] {
            daemons.push(unbound(path, place, role, modules, &zones));
        }
        daemons.iter_mut().for_each(Daemon::start);
        let servers = Self {
            _daemons: daemons,
            place,
            folder,
        };
        for (role, name) in [
            (Role::Root, "example"),
            (Role::Nsd, "p256.example"),
            (Role::Resolver, "example"),
            (Role::Tld, "example"),
        ] {
            wait_for("the servers", || {
                ask(servers.at(role), name, "SOA", true)?.serial()
            });
        }
        servers
    }

    /// Where a server answers.
    pub(crate) fn at(&self, role: Role) -> SocketAddr {
        self.place.server(role)
    }

    /// The resolver that validates.
    pub(crate) fn validator(&self) -> SocketAddr {
        self.at(Role::Resolver)
    }

    /// The resolver that does not.
    pub(crate) fn finder(&self) -> SocketAddr {
        self.at(Role::Tld)
    }

    /// The port of all authorities.
    pub(crate) fn port(&self) -> u16 {
        self.place.port
    }

    /// A place for files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The anchors: DS records of the root and of the islands.
    pub(crate) fn anchors(&self) -> PathBuf {
        self.folder().join("anchors")
    }
}

fn nsd(path: &Path, place: Place, role: Role, zones: &[(&String, &String)]) -> Daemon {
    let folder = path.join(format!("{role:?}"));
    fs::create_dir_all(&folder).expect("a temporary folder can be filled");
    let mut settings = String::new();
    for (name, text) in zones {
        let file = format!("zone.{name}");
        fs::write(folder.join(&file), text).expect("a temporary folder can be filled");
        let (apex, setting) = (format!("{name}."), format!("zonefile: \"{file}\""));
        if settings.is_empty() {
            settings = config::nsd(&folder, place.server(role), &apex, &[setting]);
        } else {
            settings += &format!("zone:\n    name: \"{apex}\"\n    {setting}\n");
        }
    }
    fs::write(folder.join("nsd.conf"), settings).expect("a temporary folder can be filled");
    Daemon::new("nsd", &folder, "nsd", &["-d", "-c", "nsd.conf"])
}

fn unbound(
    path: &Path,
    place: Place,
    role: Role,
    modules: &str,
    zones: &BTreeMap<String, String>,
) -> Daemon {
    let folder = path.join(format!("unbound-{role:?}"));
    fs::create_dir_all(&folder).expect("a temporary folder can be filled");
    let (address, port) = (place.address(role), place.port);
    let mut settings = format!(
        "server:
    interface: {address}@{port}
    port: {port}
    outgoing-interface: {address}
    access-control: 127.0.0.0/8 allow
    do-ip6: no
    num-threads: 1
    chroot: \"\"
    username: \"\"
    directory: \".\"
    pidfile: \"\"
    use-syslog: no
    logfile: \"\"
    verbosity: 1
    val-log-level: 2
    module-config: \"{modules}\"
    trust-anchor-file: \"../anchors\"
    do-not-query-localhost: no
    trust-anchor-signaling: no
    aggressive-nsec: no
    rrset-roundrobin: no
    minimal-responses: no
remote-control:
    control-enable: no
"
    );
    // Delegations carry no port, so it is told where each zone lives.
    for name in zones.keys() {
        let server = if name.contains('.') {
            Role::Nsd
        } else {
            Role::Root
        };
        let at = format!("{}@{port}", place.address(server));
        settings += &format!(
            "stub-zone:\n    name: \"{name}.\"\n    stub-prime: no\n    stub-addr: {at}\n"
        );
    }
    fs::write(folder.join("unbound.conf"), settings).expect("a temporary folder can be filled");
    Daemon::new(
        "unbound",
        &folder,
        "unbound",
        &["-d", "-p", "-c", "unbound.conf"],
    )
}
