//! A validating resolver: Unbound with the root of the tree as its only anchor.
//! Delegations carry no port, so it is told where each zone of the tree lives;
//! validation still goes from the root's key down.

use std::fs;
use std::path::{Path, PathBuf};

use super::place::{Place, Role};
use super::process::{Daemon, must};
use super::tree::TLD;
use super::zone_file::ZONE;

/// Unbound.
#[derive(Debug)]
pub(crate) struct Resolver {
    folder: PathBuf,
    daemon: Daemon,
}

impl Resolver {
    /// Starts Unbound with DS or DNSKEY records for anchors.
    pub(crate) fn start(place: Place, folder: &Path, anchor: &Path) -> Self {
        fs::create_dir_all(folder).expect("a temporary folder can be filled");
        fs::write(folder.join("unbound.conf"), config(place, anchor))
            .expect("a temporary folder can be filled");
        let mut daemon = Daemon::new(
            "unbound",
            folder,
            "unbound",
            &["-d", "-p", "-c", "unbound.conf"],
        );
        daemon.start();
        Self {
            folder: folder.to_owned(),
            daemon,
        }
    }

    /// Forgets every answer, every failure and every dead server.
    pub(crate) fn forget(&self) {
        for order in [
            &["flush_zone", "."][..],
            &["flush_bogus"],
            &["flush_negative"],
            &["flush_infra", "all"],
        ] {
            must(
                &self.folder,
                "unbound-control",
                &[&["-q", "-c", "unbound.conf"], order].concat(),
            );
        }
    }
}

fn config(place: Place, anchor: &Path) -> String {
    let (server, control) = (place.server(Role::Resolver), place.control(Role::Resolver));
    let mut text = format!(
        "server:
    interface: {}@{}
    port: {}
    outgoing-interface: {}
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
    module-config: \"validator iterator\"
    trust-anchor-file: \"{}\"
    val-bogus-ttl: 1
    do-not-query-localhost: no
    so-reuseport: no
    trust-anchor-signaling: no
remote-control:
    control-enable: yes
    control-use-cert: no
    control-interface: {}
    control-port: {}
",
        server.ip(),
        server.port(),
        server.port(),
        server.ip(),
        anchor.display(),
        control.ip(),
        control.port()
    );
    let zones: [(&str, &[Role]); 3] = [
        (".", &[Role::Root]),
        (TLD, &[Role::Tld]),
        (ZONE, &[Role::Bind, Role::Nsd, Role::Knot]),
    ];
    for (zone, servers) in zones {
        text.push_str(&format!(
            "stub-zone:\n    name: \"{zone}\"\n    stub-prime: no\n"
        ));
        for &role in servers {
            text.push_str(&format!(
                "    stub-addr: {}@{}\n",
                place.address(role),
                place.port
            ));
        }
    }
    text
}
