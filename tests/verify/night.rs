//! What is said when something is down: who, and what to do, and soon.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use danewright::demo::authority::Fault;
use hickory_proto::op::Message;

use crate::lab::{LONG_AGO, Lab, NOBODY, NS1, NS2, RESOLVER, Said, name};

const MAIL: [&str; 9] = [
    "new.pem",
    "--host",
    "mail.leaf.example",
    "--port",
    "25",
    "--hold",
    "0",
    "--since",
    LONG_AGO,
];

/// A resolver that is silent about one zone, as one is that waits for its servers
/// itself, and otherwise the laboratory's.
struct Waiting {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Waiting {
    fn about(lab: &Lab, zone: &str) -> Self {
        let (upstream, zone) = (lab.authority.socket(RESOLVER), name(zone));
        let socket = UdpSocket::bind((NOBODY, 0)).unwrap();
        let (address, stop) = (
            socket.local_addr().unwrap(),
            Arc::new(AtomicBool::new(false)),
        );
        let stopped = Arc::clone(&stop);
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 65_535];
            while !stopped.load(Ordering::SeqCst) {
                let Ok((length, client)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let asked = Message::from_vec(&buffer[..length]).unwrap().queries[0]
                    .name()
                    .to_string();
                if name(&asked).is_within(&zone) {
                    continue;
                }
                let ask = UdpSocket::bind((RESOLVER, 0)).unwrap();
                ask.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
                ask.send_to(&buffer[..length], upstream).unwrap();
                let Ok(length) = ask.recv(&mut buffer) else {
                    continue;
                };
                socket.send_to(&buffer[..length], client).unwrap();
            }
        });
        Self { address, stop }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

#[test]
fn when_all_servers_of_the_zone_are_down_they_are_named_soon() {
    for waits in [false, true] {
        let lab = Lab::new();
        [NS1, NS2]
            .into_iter()
            .for_each(|server| lab.authority.fault(server, Some(Fault::Silent)));
        lab.authority.withdraw(RESOLVER, &name("leaf.example"));
        let waiting = Waiting::about(&lab, "leaf.example");
        let resolver = if waits {
            waiting.address.to_string()
        } else {
            lab.socket(RESOLVER)
        };
        let started = Instant::now();
        // As it is without any option.
        let more = ["--resolver", &resolver, "--json"];
        let said = Said::of(lab.begin_with(None, &[&MAIL[..], &more[..]].concat()));
        let took = started.elapsed();
        assert_eq!(said.status, 3, "{said:?}");
        let findings = said.json()["targets"][0]["findings"]
            .as_array()
            .unwrap()
            .clone();
        for (server, address) in [("ns1", NS1), ("ns2", NS2)] {
            let named = format!("{server}.leaf.example. {}", lab.socket(address));
            let told = |finding: &&serde_json::Value| {
                finding["server"] == named && finding["code"] == "unreachable"
            };
            assert!(
                findings.iter().any(|finding| told(&finding)),
                "{waits}: {findings:#?}"
            );
        }
        assert!(!said.out.contains("answers about ."), "{said:?}");
        assert!(took < Duration::from_secs(10), "{waits}: {took:?}");
    }
}

/// The findings about a server.
fn about(said: &Said, server: &str) -> Vec<(String, String)> {
    let findings = said.json()["targets"][0]["findings"]
        .as_array()
        .unwrap()
        .clone();
    let of = findings.iter().filter(|finding| {
        finding["server"]
            .as_str()
            .is_some_and(|named| named.starts_with(server))
    });
    of.map(|finding| {
        ["code", "message"]
            .map(|key| finding[key].as_str().unwrap().to_owned())
            .into()
    })
    .collect()
}

#[test]
fn an_address_of_a_family_that_this_machine_has_not_is_told_as_that() {
    let mut lab = Lab::new();
    for zone in ["leaf", "ns6.leaf"] {
        let (kind, data) = if zone == "leaf" {
            ("NS", "ns6.leaf.example.")
        } else {
            ("AAAA", "2001:db8::53")
        };
        lab.tld.add(zone, 3600, kind, data).unwrap();
    }
    lab.publish();
    let there = UdpSocket::bind("[::]:0").and_then(|socket| socket.connect("[2001:db8::53]:53"));
    let said = Said::of(lab.start(&[&MAIL[..], &["--timeout", "1s", "--json"]].concat()));
    assert_eq!(said.status, 3, "{said:?}");
    let told = about(&said, "ns6.leaf.example. [2001:db8::53]");
    // Where there is a way to it, nobody is there: it is an address for documents.
    let code = if there.is_ok() {
        "unreachable"
    } else {
        "no-route"
    };
    assert_eq!(
        told.iter()
            .map(|(code, _)| code.as_str())
            .collect::<Vec<_>>(),
        [code],
        "{told:?}"
    );
    if there.is_err() {
        assert!(told[0].1.contains("no IPv6 route"), "{told:?}");
        let text = Said::of(lab.start(&[&MAIL[..], &["--timeout", "1s"]].concat())).out;
        assert!(text.contains("--ipv4"), "{text}");
    }
    let permitted = Said::of(
        lab.start(
            &[
                &MAIL[..],
                &["--timeout", "1s", "--allow-unreachable", "2", "--json"],
            ]
            .concat(),
        ),
    );
    assert_eq!(permitted.status, 0, "{permitted:?}");
    let ipv4 = Said::of(lab.start(&[&MAIL[..], &["--timeout", "1s", "--ipv4", "--json"]].concat()));
    assert!(
        !ipv4.codes(0).contains(&code.to_owned()) || code == "unreachable",
        "{ipv4:?}"
    );
}

#[test]
fn response_codes_are_told_by_name() {
    let lab = Lab::new();
    lab.authority.fault(NS2, Some(Fault::FormErr));
    let said = Said::of(lab.start(&[&MAIL[..], &["--json"]].concat()));
    let told = about(&said, "ns2.leaf.example. ");
    assert!(
        told.iter()
            .any(|(code, message)| code == "error-code" && message == "answered FORMERR"),
        "{told:?}"
    );
}
