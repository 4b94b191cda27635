//! Zones signed by BIND's tools, served by BIND: other algorithms, split keys,
//! NSEC, upper-case names, and parent and child on one server that is also the
//! resolver.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::Utc;
use danewright::dns::{Anchors, Family, Settings, gather};
use danewright::finding::Severity;
use danewright::propagation::evidence::{Evidence, Outcome, Security};

use crate::lab::{digest, one, target};

/// named listens on addresses that an interface has, and not on all of 127.0.0.0/8.
const ADDRESS: &str = "127.0.0.1";

/// Stops the server when the test ends, however it ends.
struct Named(Child);

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Signs a zone with two new keys; its DS set is left for the parent to find.
fn sign(folder: &Path, zone: &str, file: &str, algorithm: &str, text: &str) {
    let soa =
        "$TTL 3600\n@ IN SOA NS.Example. Host\\.Master.Example. 2026112001 3600 600 86400 300\n";
    fs::write(folder.join(file), format!("$ORIGIN {zone}\n{soa}{text}")).unwrap();
    run(
        folder,
        "dnssec-keygen",
        &["-q", "-a", algorithm, "-f", "KSK", zone],
    );
    run(folder, "dnssec-keygen", &["-q", "-a", algorithm, zone]);
    run(
        folder,
        "dnssec-signzone",
        &[
            "-q",
            "-S",
            "-g",
            "-o",
            zone,
            "-f",
            &format!("{file}.signed"),
            file,
        ],
    );
}

fn serve(folder: &Path, algorithm: &str) -> (Named, u16) {
    let tlsa = format!("_25._tcp.MAIL IN TLSA 3 1 1 {}\n", digest('a'));
    let leaf = format!(
        "@ NS NS.Leaf.Example.\nNS A {ADDRESS}\nMail A 192.0.2.25\n MX 10 MAIL\n{tlsa}\
         Wild A 192.0.2.26\n*._TCP.wild TLSA 3 1 1 {}\n",
        digest('b')
    );
    sign(folder, "leaf.example.", "leaf", algorithm, &leaf);
    let delegation = format!("leaf NS ns.leaf\nns.leaf A {ADDRESS}\n");
    sign(
        folder,
        "example.",
        "example",
        algorithm,
        &format!("@ NS NS\nNS A {ADDRESS}\n{delegation}"),
    );
    let delegation = format!("Example NS ns.Example\nns.Example A {ADDRESS}\n");
    sign(
        folder,
        ".",
        "root",
        algorithm,
        &format!("@ NS ns.example.\n{delegation}"),
    );
    let port = TcpListener::bind((ADDRESS, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let zone = |name: &str, file: &str| {
        format!("zone \"{name}\" {{ type primary; file \"{file}.signed\"; }};\n")
    };
    let conf = format!(
        "options {{ directory \"{}\"; listen-on port {port} {{ {ADDRESS}; }}; listen-on-v6 {{ none; }};\n\
         pid-file none; session-keyfile none; recursion yes; dnssec-validation no; }};\ncontrols {{ }};\n{}{}{}",
        folder.display(),
        zone(".", "root"),
        zone("example", "example"),
        zone("leaf.example", "leaf"),
    );
    fs::write(folder.join("named.conf"), conf).unwrap();
    let child = Command::new("named")
        .args(["-g", "-c", "named.conf", "-p", &port.to_string()])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("named.log")).unwrap())
        .spawn()
        .unwrap();
    let named = Named(child);
    let log = || fs::read_to_string(folder.join("named.log")).unwrap();
    for _ in 0..400 {
        if log().contains("all zones loaded") {
            return (named, port);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("named does not start: {}", log());
}

fn walk(folder: &Path, port: u16, host: &str) -> Evidence {
    let resolver = SocketAddr::new(ADDRESS.parse::<IpAddr>().unwrap(), port);
    let settings = Settings {
        resolvers: vec![resolver],
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

#[test]
#[ignore = "needs named, dnssec-keygen, dnssec-signzone"]
fn zones_signed_by_bind_are_secure_with_every_algorithm() {
    let current = [
        "RSASHA256",
        "RSASHA512",
        "ECDSAP256SHA256",
        "ECDSAP384SHA384",
        "ED25519",
    ];
    let outdated = ["RSASHA1", "NSEC3RSASHA1"];
    for algorithm in current.into_iter().chain(outdated) {
        let folder = tempfile::tempdir().unwrap();
        let (_named, port) = serve(folder.path(), algorithm);
        let evidence = walk(folder.path(), port, "mail.leaf.example");
        let hop = one(evidence.hops);
        assert_eq!(hop.chain.len(), 3, "{algorithm}");
        assert!(
            hop.chain
                .iter()
                .all(|link| link.security == Security::Secure),
            "{algorithm}: {:#?}",
            hop.chain
        );
        for link in &hop.chain {
            let told: Vec<_> = link
                .findings
                .iter()
                .map(|finding| (finding.code, finding.severity))
                .collect();
            let note = outdated
                .contains(&algorithm)
                .then_some(("algorithm-outdated", Severity::Note));
            assert_eq!(told, Vec::from_iter(note), "{algorithm}: {}", link.zone);
        }
        let server = one(hop.servers);
        assert_eq!(
            (server.outcome, server.security),
            (Outcome::Answered, Security::Secure),
            "{server:#?}"
        );
        assert_eq!(
            (server.records.len(), server.serial),
            (1, Some(2_026_112_001)),
            "{algorithm}"
        );
        assert!(server.listed.by_parent && server.listed.by_zone);
        assert_eq!(evidence.host, Some(Security::Secure), "{algorithm}");
        let wild = one(one(walk(folder.path(), port, "wild.leaf.example").hops).servers);
        assert_eq!(
            (wild.outcome, wild.security),
            (Outcome::Answered, Security::Secure),
            "{algorithm}: {wild:#?}"
        );
        assert_eq!(wild.records[0].hex(), digest('b'));
    }
}

#[test]
#[ignore = "needs named, dnssec-keygen, dnssec-signzone"]
fn an_algorithm_without_a_verifier_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_named, port) = serve(folder.path(), "ED448");
    let evidence = walk(folder.path(), port, "mail.leaf.example");
    assert_eq!(evidence.findings, []);
    let hop = one(evidence.hops);
    assert_eq!(hop.chain[0].security, Security::Indeterminate);
    assert!(
        hop.chain[0].findings[0].message.contains("algorithm 16"),
        "{:#?}",
        hop.chain
    );
}
