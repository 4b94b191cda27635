//! Servers that send as much as they can: what is kept of it, and of what is
//! being received, is bounded in octets.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_proto::rr::rdata::{NULL, TLSA};
use hickory_proto::rr::{Name as WireName, RData, Record, RecordType};

use crate::lab::{LONG_AGO, Lab, NS1, RESOLVER, Said};

const SERVERS: u8 = 30;
/// What the whole process may take, in KiB.
const MOST: usize = 64 << 10;

/// What is added to a good answer, by the number of the question.
type Bulk = fn(&mut Message, usize);

struct Flood {
    upstream: SocketAddr,
    bulk: Bulk,
    /// Whether all goes over TCP.
    tcp: bool,
    asked: AtomicUsize,
    stop: AtomicBool,
}

impl Flood {
    fn answer(&self, request: &[u8], tcp: bool) -> Option<Vec<u8>> {
        let mut message = Message::from_vec(&ask(self.upstream, request)?).ok()?;
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        if self.tcp && !tcp {
            message.metadata.truncation = true;
            message.answers.clear();
        } else {
            (self.bulk)(&mut message, number);
        }
        message.to_vec().ok()
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

struct Stop(Arc<Flood>);

fn ask(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(server).ok()?;
    stream.write_all(&framed(request)).ok()?;
    read(&mut stream)
}

fn framed(message: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(message.len()).unwrap().to_be_bytes(),
        message,
    ]
    .concat()
}

fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

fn datagrams(socket: &UdpSocket, flood: &Flood) {
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let mut buffer = [0; 4096];
    while !flood.stop.load(Ordering::SeqCst) {
        let Ok((length, client)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        if let Some(answer) = flood.answer(&buffer[..length], false) {
            let _ = socket.send_to(&answer, client);
        }
    }
}

fn connections(listener: &TcpListener, flood: &Arc<Flood>) {
    listener.set_nonblocking(true).unwrap();
    while !flood.stop.load(Ordering::SeqCst) {
        let Ok((mut stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        let flood = Arc::clone(flood);
        thread::spawn(move || {
            stream.set_nonblocking(false).unwrap();
            let answer = read(&mut stream).and_then(|request| flood.answer(&request, true));
            let _ = answer.map(|answer| stream.write_all(&framed(&answer)));
        });
    }
}

/// A laboratory whose zone has thirty servers more, all of which flood.
fn flooded(bulk: Bulk, tcp: bool) -> (Lab, Stop) {
    for _ in 0..20 {
        let mut lab = Lab::new();
        let addresses: Vec<IpAddr> = (101..101 + SERVERS)
            .map(|last| IpAddr::from([127, 0, 9, last]))
            .collect();
        let sockets: Option<Vec<(UdpSocket, TcpListener)>> = addresses
            .iter()
            .map(|address| {
                let here = SocketAddr::new(*address, lab.authority.port());
                Some((UdpSocket::bind(here).ok()?, TcpListener::bind(here).ok()?))
            })
            .collect();
        let Some(sockets) = sockets else { continue };
        for (number, address) in addresses.iter().enumerate() {
            let server = format!("f{number}.leaf.example.");
            lab.tld.add("leaf", 3600, "NS", &server).unwrap();
            lab.tld
                .add(&server, 3600, "A", &address.to_string())
                .unwrap();
        }
        lab.publish();
        let (asked, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let flood = Arc::new(Flood {
            upstream: lab.authority.socket(NS1),
            bulk,
            tcp,
            asked,
            stop,
        });
        for (udp, listener) in sockets {
            let (for_udp, for_tcp) = (Arc::clone(&flood), Arc::clone(&flood));
            thread::spawn(move || datagrams(&udp, &for_udp));
            thread::spawn(move || connections(&listener, &for_tcp));
        }
        return (lab, Stop(flood));
    }
    unreachable!("one of twenty ports is free at thirty more addresses")
}

/// The most memory that the process ever had, in KiB, and what it said.
fn peak(mut child: Child) -> (usize, Said) {
    let status = format!("/proc/{}/status", child.id());
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = thread::spawn(move || text(&mut out));
    let err = thread::spawn(move || text(&mut err));
    let mut most = 0;
    let ended = loop {
        let said = fs::read_to_string(&status).unwrap_or_default();
        let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line
            .and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
            .unwrap_or(0);
        most = most.max(now);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let said = Said {
        status: ended.code().unwrap_or(-1),
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    };
    assert!(most > 0, "{said:?}");
    (most, said)
}

fn text(from: &mut impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}

fn name(message: &Message) -> WireName {
    message.queries[0].name().clone()
}

/// As many TLSA records of the owner as fit, all of them new.
fn records(message: &mut Message, number: usize) {
    let owner = name(message);
    for record in 0..900_usize {
        let data = [&number.to_be_bytes()[..], &record.to_be_bytes(), &[7; 16]].concat();
        let data = TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, data);
        message
            .answers
            .push(Record::from_rdata(owner.clone(), 1, RData::TLSA(data)));
    }
}

/// Name servers with the longest names there can be, which a message tells in a few octets.
fn names(message: &mut Message, number: usize) {
    let apex = WireName::from_ascii("leaf.example.").unwrap();
    for server in 0..190 {
        let labels = [
            format!("{number:0>60}"),
            format!("{server:0>60}"),
            "x".repeat(60),
        ];
        let labels = labels
            .iter()
            .map(String::as_bytes)
            .chain([&b"leaf"[..], b"example"]);
        let target = WireName::from_labels(labels).unwrap();
        let data = RData::NS(hickory_proto::rr::rdata::NS(target));
        let section = if message.answers.is_empty() {
            &mut message.authorities
        } else {
            &mut message.answers
        };
        section.push(Record::from_rdata(apex.clone(), 60, data));
    }
}

/// Denials that are sets of very many types, which are trees of them in memory.
fn denials(message: &mut Message, number: usize) {
    // The root as the next name, and sixteen windows that are full (RFC 4034 section 4.1.2).
    let windows = (0..16_u8).flat_map(|window| [&[window, 32][..], &[0xff; 32]].concat());
    let data: Vec<u8> = std::iter::once(0).chain(windows).collect();
    for denial in 0..90 {
        let owner = WireName::from_ascii(format!("n{number}-{denial}.leaf.example.")).unwrap();
        let data = RData::Unknown {
            code: RecordType::NSEC,
            rdata: NULL::with(data.clone()),
        };
        message
            .authorities
            .push(Record::from_rdata(owner, 60, data));
    }
}

/// What nobody asked about.
fn other(message: &mut Message, number: usize) {
    let owner = name(message);
    for text in 0..190 {
        let data =
            RData::try_from_str(RecordType::TXT, &format!("\"{number:0>240} {text}\"")).unwrap();
        message
            .additionals
            .push(Record::from_rdata(owner.clone(), 60, data));
    }
}

#[test]
fn thirty_servers_that_flood_cost_little_memory_and_are_never_safe_by_it() {
    // What fits is as much either way; over TCP it is received piece by piece.
    let floods: [(&str, Bulk, bool); 4] = [
        ("records", records, true),
        ("names", names, true),
        ("denials", denials, false),
        ("other", other, false),
    ];
    for (what, bulk, tcp) in floods {
        let (lab, flood) = flooded(bulk, tcp);
        let list: String = (0..3)
            .map(|host| format!("new.pem m{host}.leaf.example 25,465,587\n"))
            .collect();
        fs::write(
            lab.path().join("list"),
            format!("new.pem mail.leaf.example 25\n{list}"),
        )
        .unwrap();
        let more = [
            "--resolver",
            &lab.socket(RESOLVER),
            "--hold",
            "0",
            "--since",
            LONG_AGO,
            "--json",
        ];
        let (most, said) = peak(lab.begin(&[&["--targets", "list"], &more[..]].concat()));
        let asked = flood.0.asked.load(Ordering::SeqCst);
        println!("{what}: {most} KiB, {asked} answers");
        assert!(asked > 200, "{what}: {asked} answers");
        assert!(most < MOST, "{what}: {most} KiB after {asked} answers");
        assert!(matches!(said.status, 1 | 3 | 4), "{what}: {}", said.err);
    }
}

#[test]
fn a_thousand_ordinary_targets_fit() {
    let zones: Vec<String> = (0..50).map(|zone| format!("z{zone}")).collect();
    let names: Vec<&str> = zones.iter().map(String::as_str).collect();
    let mut lab = Lab::with(&names);
    lab.more_hosts(20);
    let mut list = String::new();
    for zone in &zones {
        (0..20).for_each(|host| list.push_str(&format!("new.pem m{host}.{zone}.example 25\n")));
    }
    fs::write(lab.path().join("list"), list).unwrap();
    let more = [
        "--resolver",
        &lab.socket(RESOLVER),
        "--hold",
        "0",
        "--since",
        LONG_AGO,
        "--json",
    ];
    let (most, said) = peak(lab.begin(&[&["--targets", "list"], &more[..]].concat()));
    let document = said.json();
    let targets = document["targets"].as_array().unwrap();
    let safe = targets
        .iter()
        .filter(|target| target["verdict"] == "safe")
        .count();
    assert_eq!(
        (said.status, targets.len(), safe),
        (0, 1000, 1000),
        "{}",
        targets[0]
    );
    println!("a thousand targets: {most} KiB");
    assert!(most < MOST, "{most} KiB");
}
