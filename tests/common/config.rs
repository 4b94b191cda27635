//! The settings files of BIND, NSD and Knot. Each server listens where the tree
//! wants it, keeps everything in its folder, changes to no other user and
//! leaves out every pause that a server on the Internet makes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use super::leaf::{Signing, Upkeep};
use super::zone_file::ZONE;

/// `nsd.conf` for one zone. `zone` holds its settings.
pub(crate) fn nsd(folder: &Path, server: SocketAddr, name: &str, zone: &[String]) -> String {
    let (folder, address, port) = (folder.display(), server.ip(), server.port());
    format!(
        "server:
    ip-address: {address}@{port}
    port: {port}
    do-ip6: no
    server-count: 1
    username: \"\"
    chroot: \"\"
    zonesdir: \"{folder}\"
    database: \"\"
    pidfile: \"{folder}/nsd.pid\"
    xfrdfile: \"{folder}/xfrd.state\"
    xfrdir: \"{folder}\"
    zonelistfile: \"{folder}/zone.list\"
    xfrd-reload-timeout: 0
    rrl-ratelimit: 0
    verbosity: 2
remote-control:
    control-enable: no
zone:
    name: \"{name}\"
    provide-xfr: 127.0.0.0/8 NOKEY
    {}
",
        zone.join("\n    ")
    )
}

/// What makes NSD a secondary.
pub(crate) fn nsd_secondary(server: SocketAddr, primary: SocketAddr) -> Vec<String> {
    vec![
        "zonefile: \"live.zone\"".to_owned(),
        format!("allow-notify: {} NOKEY", primary.ip()),
        format!(
            "request-xfr: AXFR {}@{} NOKEY",
            primary.ip(),
            primary.port()
        ),
        format!("outgoing-interface: {}", server.ip()),
        "min-retry-time: 1".to_owned(),
        "max-retry-time: 2".to_owned(),
    ]
}

/// `knot.conf` for the zone. `zone` holds its settings.
pub(crate) fn knot(
    folder: &Path,
    server: SocketAddr,
    primary: SocketAddr,
    zone: &[&str],
) -> String {
    let (folder, address, port) = (folder.display(), server.ip(), server.port());
    let (from, from_port) = (primary.ip(), primary.port());
    format!(
        "server:
    rundir: \"{folder}\"
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
control:
    listen: \"{folder}/control\"
database:
    storage: \"{folder}/db\"
    journal-db-max-size: 64M
remote:
  - id: primary
    address: {from}@{from_port}
    via: {address}
acl:
  - id: notify
    address: {from}
    action: notify
  - id: transfer
    address: 127.0.0.0/8
    action: transfer
  - id: update
    address: 127.0.0.0/8
    action: update
policy:
  - id: joint
    manual: on
    algorithm: ecdsap256sha256
    dnskey-ttl: 2
  - id: before
    algorithm: ecdsap256sha256
    dnskey-ttl: 1
    zone-max-ttl: 1
    propagation-delay: 1
  - id: after
    algorithm: ed25519
    dnskey-ttl: 1
    zone-max-ttl: 1
    propagation-delay: 1
zone:
  - domain: {ZONE}
    storage: \"{folder}\"
    semantic-checks: off
    retry-min-interval: 1
    retry-max-interval: 2
    {}
",
        zone.join("\n    ")
    )
}

/// `named.conf` for the zone. `zone` holds its settings.
pub(crate) fn bind(server: SocketAddr, control: SocketAddr, zone: &str) -> String {
    format!(
        "options {{
    directory \".\";
    listen-on port {} {{ {}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion no;
    dnssec-validation no;
    key-directory \"keys\";
    notify explicit;
    notify-delay 0;
    notify-source {};
    notify-rate 1000;
    startup-notify-rate 1000;
    serial-query-rate 1000;
    include \"transfers.conf\";
}};
{RNDC_KEY}
controls {{ inet {} port {} allow {{ any; }} keys {{ \"rig\"; }}; }};
include \"policy.conf\";
zone \"{ZONE}\" {{ type primary; {zone} }};
",
        server.port(),
        server.ip(),
        server.ip(),
        control.ip(),
        control.port()
    )
}

/// What makes Knot sign a file of its own by a policy, and take updates.
pub(crate) fn knot_signer(policy: &str) -> String {
    let rest = "file: own.zone\n    zonefile-sync: -1\n    dnssec-signing: on\n    acl: [ transfer, update ]";
    format!("{rest}\n    dnssec-policy: {policy}")
}

/// What makes BIND sign the file that a person keeps, or the zone that takes updates.
pub(crate) fn bind_signer(upkeep: Upkeep) -> String {
    let settings = match upkeep {
        Upkeep::ByHand => "inline-signing yes;",
        // Secondaries hear of a zone in motion with a delay; BIND's own is five seconds.
        Upkeep::ByUpdates => "inline-signing no; allow-update { any; }; notify-delay 1;",
    };
    format!("file \"zones/{ZONE}.zone\"; dnssec-policy \"rig\"; {settings}")
}

/// `policy.conf`: how BIND signs.
pub(crate) fn bind_policy(signing: Signing) -> String {
    let algorithm = "lifetime unlimited algorithm ecdsap256sha256;";
    let keys = match signing {
        Signing::Split => format!("ksk {algorithm} zsk {algorithm}"),
        Signing::Combined => format!("csk {algorithm}"),
    };
    format!(
        "dnssec-policy \"rig\" {{
    keys {{ {keys} }};
    dnskey-ttl 2;
    max-zone-ttl 1h;
    zone-propagation-delay 1;
    publish-safety 1;
    retire-safety 1;
    parent-ds-ttl 2;
    parent-propagation-delay 1;
}};
"
    )
}

/// `transfers.conf`: everybody may fetch the zone but the secondaries that are
/// held back; the others hear of changes.
pub(crate) fn bind_transfers(
    port: u16,
    secondaries: &[Ipv4Addr],
    held_back: &[Ipv4Addr],
) -> String {
    let deny: String = held_back
        .iter()
        .map(|address| format!("!{address}; "))
        .collect();
    let told = secondaries
        .iter()
        .filter(|address| !held_back.contains(address));
    let notify: String = told
        .map(|address| format!("{address} port {port}; "))
        .collect();
    format!("allow-transfer {{ {deny}any; }};\nalso-notify {{ {notify}}};\n")
}

/// `rndc.conf` for the BIND that takes orders at `control`.
pub(crate) fn rndc(control: SocketAddr) -> String {
    let (address, port) = (control.ip(), control.port());
    format!(
        "{RNDC_KEY}\noptions {{ default-server {address}; default-port {port}; default-key \"rig\"; }};\n"
    )
}

// Guards nothing: whoever reads it here may also run the tests.
const RNDC_KEY: &str = "key \"rig\" { algorithm hmac-sha256; secret \"ZGFuZXdyaWdodCB0ZXN0IHJpZyBrZXkgLi4uLi4uLi4=\"; };";
