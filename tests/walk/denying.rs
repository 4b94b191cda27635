//! Names and types that are not there, at real servers: BIND, NSD and Knot with
//! NSEC, with NSEC3 and with spans that opt out, and Knot signing as it is asked.
//! What they deny is proven, so that nobody who is well is called unsafe.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::Utc;
use danewright::dns::{Anchors, Family, Settings, gather};
use danewright::finding::Severity;
use danewright::propagation::evidence::{Evidence, Outcome, Security};

use crate::lab::{one, target};

const BIND: &str = "127.0.0.1";
const NSD: &str = "127.0.0.2";
const KNOT: &str = "127.0.0.3";

/// The zones of `example.`, and how they are signed.
const STYLES: [(&str, &[&str]); 4] = [
    ("nsec", &[]),
    ("hashed", &["-3", "ab", "-H", "0"]),
    ("ten-times", &["-3", "abcd", "-H", "10"]),
    ("optout", &["-3", "-", "-H", "0", "-A"]),
];
/// Signed by Knot when it is asked.
const ONLINE: &str = "online";

/// Hosts, and what their servers say of `_25._tcp` below.
const HOSTS: [(&str, Outcome); 4] = [
    ("mail", Outcome::NoName),
    ("data", Outcome::NoData),
    ("empty", Outcome::NoData),
    ("star", Outcome::NoData),
];

/// Stops the server when the test ends, however it ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Path, program: &str, arguments: &[&str]) -> Server {
    let log = fs::File::create(folder.join(format!("{program}.log"))).unwrap();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(log);
    Server(command.spawn().unwrap())
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(zone: &str, more: &str) -> String {
    format!("$ORIGIN {zone}\n$TTL 3600\n@ SOA ns hostmaster 1 3600 600 86400 300\n{more}")
}

/// Signs a zone with new keys; its DS set is left for the parent to find.
fn sign(folder: &Path, zone: &str, denial: &[&str], more: &str) {
    let file = zone.trim_end_matches('.').replace('.', "-") + "zone";
    fs::write(folder.join(&file), text(zone, more)).unwrap();
    for role in [&["-f", "KSK"][..], &[]] {
        run(
            folder,
            "dnssec-keygen",
            &[&["-q", "-a", "ECDSAP256SHA256"], role, &[zone]].concat(),
        );
    }
    let signed = format!("{file}.signed");
    run(
        folder,
        "dnssec-signzone",
        &[
            &["-q", "-S", "-g", "-x", "-o", zone, "-f", &signed],
            denial,
            &[&file],
        ]
        .concat(),
    );
}

fn leaf() -> String {
    format!(
        "@ NS ns\n@ NS nsd\n@ NS knot\nns A {BIND}\nnsd A {NSD}\nknot A {KNOT}\n\
         mail A 192.0.2.1\ndata A 192.0.2.2\n_25._tcp.data TXT here\n\
         empty A 192.0.2.3\nx._25._tcp.empty TXT below\nstar A 192.0.2.4\n*._tcp.star TXT star\n"
    )
}

/// Makes and serves everything; the port that all of them answer at.
fn serve(folder: &Path) -> (Vec<Server>, u16) {
    let port = TcpListener::bind((BIND, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let path = folder.display();
    let mut below = String::new();
    for (style, denial) in STYLES {
        sign(folder, &format!("{style}.example."), denial, &leaf());
        for (server, address) in [("ns", BIND), ("nsd", NSD), ("knot", KNOT)] {
            below.push_str(&format!(
                "{style} NS {server}.{style}\n{server}.{style} A {address}\n"
            ));
        }
    }
    let own = leaf().replace("@ NS ns\n@ NS nsd\n", "");
    fs::write(folder.join("onlinezone"), text("online.example.", &own)).unwrap();
    let mut knot = format!(
        "server:\n    rundir: \"{path}\"\n    listen: {KNOT}@{port}\nlog:\n  - target: stderr\n    any: warning\n\
         control:\n    listen: \"{path}/control\"\ndatabase:\n    storage: \"{path}/db\"\n\
         template:\n  - id: default\n    storage: \"{path}\"\n    journal-content: none\n    semantic-checks: off\nzone:\n\
         \x20 - domain: online.example.\n    file: onlinezone\n    module: mod-onlinesign\n"
    );
    let mut nsd = format!(
        "server:\n    ip-address: {NSD}@{port}\n    port: {port}\n    do-ip6: no\n    server-count: 1\n    username: \"\"\n\
         \x20   chroot: \"\"\n    zonesdir: \"{path}\"\n    database: \"\"\n    pidfile: \"{path}/nsd.pid\"\n\
         \x20   xfrdfile: \"{path}/xfrd.state\"\n    zonelistfile: \"{path}/zone.list\"\nremote-control:\n    control-enable: no\n"
    );
    let mut bind = format!(
        "options {{ directory \"{path}\"; listen-on port {port} {{ {BIND}; }}; listen-on-v6 {{ none; }}; pid-file none;\n\
         session-keyfile none; recursion yes; dnssec-validation no; }};\ncontrols {{ }};\n\
         zone \"online.example\" {{ type forward; forward only; forwarders {{ {KNOT} port {port}; }}; }};\n"
    );
    for (style, _) in STYLES {
        nsd.push_str(&format!(
            "zone:\n    name: {style}.example.\n    zonefile: {style}-examplezone.signed\n"
        ));
        knot.push_str(&format!(
            "  - domain: {style}.example.\n    file: {style}-examplezone.signed\n"
        ));
    }
    fs::write(folder.join("knot.conf"), knot).unwrap();
    fs::write(folder.join("nsd.conf"), nsd).unwrap();
    fs::create_dir(folder.join("db")).unwrap();
    let key = ["algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes"];
    run(
        folder,
        "keymgr",
        &[
            &["-c", "knot.conf", "online.example.", "generate"][..],
            &key,
        ]
        .concat(),
    );
    below.push_str(&format!(
        "{ONLINE} NS knot.{ONLINE}\nknot.{ONLINE} A {KNOT}\n"
    ));
    let ds = run(
        folder,
        "keymgr",
        &["-c", "knot.conf", "online.example.", "ds"],
    );
    fs::write(folder.join("dsset-online.example."), ds).unwrap();
    sign(
        folder,
        "example.",
        &[],
        &format!("@ NS ns\nns A {BIND}\n{below}"),
    );
    sign(
        folder,
        ".",
        &[],
        &format!("@ NS ns.example.\nexample. NS ns.example.\nns.example. A {BIND}\n"),
    );
    let styles = STYLES.map(|(style, _)| format!("{style}.example"));
    for zone in styles.iter().map(String::as_str).chain(["example", ""]) {
        let file = zone.replace('.', "-") + "zone.signed";
        bind.push_str(&format!(
            "zone \"{zone}.\" {{ type primary; file \"{file}\"; }};\n"
        ));
    }
    fs::write(folder.join("named.conf"), bind).unwrap();
    let servers = vec![
        start(
            folder,
            "named",
            &["-g", "-n", "1", "-c", "named.conf", "-p", &port.to_string()],
        ),
        start(folder, "nsd", &["-d", "-c", "nsd.conf"]),
        start(folder, "knotd", &["-c", "knot.conf"]),
    ];
    (servers, port)
}

fn walk(folder: &Path, port: u16, host: &str) -> Evidence {
    let settings = Settings {
        resolvers: vec![SocketAddr::new(BIND.parse().unwrap(), port)],
        anchors: Anchors::parse(&fs::read_to_string(folder.join("dsset-.")).unwrap()).unwrap(),
        name_servers: Vec::new(),
        dns_port: port,
        family: Family::Both,
        timeout: Duration::from_secs(5),
        tries: 2,
        now: Utc::now(),
    };
    one(gather(&[target(host)], &settings))
}

/// Waits until all of the servers answer for the zone.
fn ready(folder: &Path, port: u16, zone: &str, servers: usize) {
    let answers = |evidence: &Evidence| {
        let servers = evidence.hops.iter().flat_map(|hop| &hop.servers);
        servers
            .filter(|server| matches!(server.outcome, Outcome::NoData | Outcome::NoName))
            .count()
    };
    for _ in 0..100 {
        let settled = answers(&walk(folder, port, &format!("data.{zone}.example"))) == servers;
        if settled {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let logs = ["named", "nsd", "knotd"]
        .map(|name| fs::read_to_string(folder.join(format!("{name}.log"))).unwrap());
    panic!("{zone} is not served: {}", logs.join("\n"));
}

#[test]
#[ignore = "needs named, nsd, knotd, keymgr, dnssec-keygen, dnssec-signzone"]
fn what_real_servers_deny_is_proven() {
    let folder = tempfile::tempdir().unwrap();
    let (_servers, port) = serve(folder.path());
    for (style, _) in STYLES {
        ready(folder.path(), port, style, 3);
        for (host, outcome) in HOSTS {
            let evidence = walk(folder.path(), port, &format!("{host}.{style}.example"));
            assert_eq!(
                evidence.host,
                Some(Security::Secure),
                "{host}.{style}: {evidence:#?}"
            );
            let hop = one(evidence.hops);
            assert_eq!(
                (hop.servers.len(), hop.findings),
                (3, vec![]),
                "{host}.{style}"
            );
            // The names that are not there lie in a span that opts out.
            let opts_out = style == "optout" && matches!(host, "mail" | "star");
            let (security, told) = match opts_out {
                true => (
                    Security::Indeterminate,
                    vec![("denial-unproven", Severity::Unknown)],
                ),
                false => (Security::Secure, vec![]),
            };
            for server in hop.servers {
                assert_eq!(
                    (server.outcome, server.security),
                    (outcome, security),
                    "{host}.{style}: {server:#?}"
                );
                let findings: Vec<_> = server
                    .findings
                    .iter()
                    .map(|f| (f.code, f.severity))
                    .collect();
                assert_eq!(findings, told, "{host}.{style}: {:#?}", server.findings);
            }
        }
    }
    ready(folder.path(), port, ONLINE, 1);
    for (host, _) in HOSTS {
        let evidence = walk(folder.path(), port, &format!("{host}.{ONLINE}.example"));
        assert_eq!(
            evidence.host,
            Some(Security::Secure),
            "{host}: {evidence:#?}"
        );
        let hop = one(evidence.hops);
        assert_eq!(hop.findings, vec![], "{host}");
        let server = one(hop.servers);
        assert!(
            matches!(server.outcome, Outcome::NoData | Outcome::NoName),
            "{host}: {server:#?}"
        );
        assert_eq!(
            (server.security, server.findings),
            (Security::Secure, vec![]),
            "{host}"
        );
    }
}
