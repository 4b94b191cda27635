//! A name server that can do on the wire what no library lets a server do. It
//! asks the real one, in the laboratory, and hands what that says to a script,
//! which decides about the octets that go out: other ones, none, too many, too
//! slowly, or from another place. Plain sockets and threads; it stops when it
//! is dropped.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use danewright::name::Name;
use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::{Name as WireName, RecordType};

use crate::lab::{Lab, NS2};

/// Where the scripted server answers, in place of the second one.
pub(crate) const SCRIPTED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 7, 9));

/// One question with the answer that a good server gives.
pub(crate) struct Asked {
    pub(crate) kind: RecordType,
    pub(crate) tcp: bool,
    pub(crate) good: Message,
}

/// What goes out.
pub(crate) enum Deed {
    /// These messages, one after the other; none of them is silence.
    Say(Vec<Vec<u8>>),
    /// One message, from another port of the same address.
    FromAnotherPort(Vec<u8>),
    /// One message, from another address.
    FromAnotherAddress(Vec<u8>),
    /// One message, late.
    Late(Duration, Vec<u8>),
    /// Over TCP: these octets, so many at a time; then the connection is closed, or not.
    Stream {
        octets: Vec<u8>,
        step: usize,
        close: bool,
    },
    /// These octets again and again, as long as somebody listens.
    Endless(Vec<u8>),
}

/// The script: what to do about a question.
pub(crate) type Act = Box<dyn Fn(Asked) -> Deed + Send>;

/// The good answer as it is.
pub(crate) fn good() -> Act {
    Box::new(|asked| say(&asked.good))
}

/// One message.
pub(crate) fn say(message: &Message) -> Deed {
    Deed::Say(vec![message.to_vec().unwrap()])
}

/// A laboratory whose second server is the scripted one.
pub(crate) struct Stage {
    pub(crate) lab: Lab,
    shared: Arc<Shared>,
}

struct Shared {
    act: Mutex<Act>,
    upstream: SocketAddr,
    /// Questions that came in.
    asked: AtomicUsize,
    /// Octets that went out in endless streams.
    poured: AtomicUsize,
    stop: AtomicBool,
}

impl Stage {
    pub(crate) fn new() -> Self {
        // The port of the laboratory may be taken at the one address that it does not use.
        for _ in 0..100 {
            let mut lab = Lab::new();
            let here = SocketAddr::new(SCRIPTED, lab.authority.port());
            let (Ok(udp), Ok(tcp)) = (UdpSocket::bind(here), TcpListener::bind(here)) else {
                continue;
            };
            lab.tld
                .remove("ns2.leaf", "A")
                .unwrap()
                .add("ns2.leaf", 3600, "A", &SCRIPTED.to_string())
                .unwrap();
            lab.leaf
                .remove("ns2", "A")
                .unwrap()
                .add("ns2", 3600, "A", &SCRIPTED.to_string())
                .unwrap();
            lab.publish();
            let shared = Arc::new(Shared {
                act: Mutex::new(good()),
                upstream: lab.socket(NS2),
                asked: AtomicUsize::new(0),
                poured: AtomicUsize::new(0),
                stop: AtomicBool::new(false),
            });
            let (for_udp, for_tcp) = (Arc::clone(&shared), Arc::clone(&shared));
            thread::spawn(move || datagrams(&udp, &for_udp));
            thread::spawn(move || connections(&tcp, &for_tcp));
            return Self { lab, shared };
        }
        unreachable!("one of a hundred ports is free at one more address")
    }

    /// What the server does from now on.
    pub(crate) fn act(&self, act: Act) {
        *self.shared.act.lock().unwrap() = act;
        self.shared.asked.store(0, Ordering::SeqCst);
    }

    /// The questions that came in since the script began.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// The octets that went out in endless streams.
    pub(crate) fn poured(&self) -> usize {
        self.shared.poured.load(Ordering::SeqCst)
    }

    /// What a server of the laboratory says to a question of the script's own.
    pub(crate) fn look_up(&self, name: &str, kind: RecordType) -> Message {
        let mut message = Message::query();
        message.add_query(Query::query(wire(name), kind));
        let mut edns = Edns::new();
        edns.set_max_payload(4096).set_dnssec_ok(true);
        message.set_edns(edns);
        Message::from_vec(&ask(self.shared.upstream, &message.to_vec().unwrap()).unwrap()).unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
    }
}

/// A name for the wire.
pub(crate) fn wire(name: &str) -> WireName {
    let name = Name::from_user(name).unwrap();
    WireName::from_labels(name.labels()).unwrap()
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// What the script makes of a request.
    fn deed(&self, request: &[u8], tcp: bool) -> Option<Deed> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let kind = Message::from_vec(request)
            .ok()?
            .queries
            .first()?
            .query_type();
        let good = Message::from_vec(&ask(self.upstream, request).ok()?).ok()?;
        Some((self.act.lock().ok()?)(Asked { kind, tcp, good }))
    }
}

fn datagrams(socket: &UdpSocket, shared: &Shared) {
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let mut buffer = [0; 4096];
    while !shared.stopped() {
        let Ok((length, client)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        // A client that has gone away is no concern of ours.
        let _ = match shared.deed(&buffer[..length], false) {
            Some(Deed::Say(messages)) => messages
                .iter()
                .try_for_each(|m| socket.send_to(m, client).map(drop)),
            Some(Deed::FromAnotherPort(message)) => from((SCRIPTED, 0).into(), &message, client),
            Some(Deed::FromAnotherAddress(message)) => {
                from((IpAddr::from([127, 0, 7, 10]), 0).into(), &message, client)
            }
            Some(Deed::Late(time, message)) => {
                let socket = socket.try_clone().unwrap();
                thread::spawn(move || {
                    thread::sleep(time);
                    let _ = socket.send_to(&message, client);
                });
                Ok(())
            }
            Some(Deed::Endless(message)) => {
                let (socket, until) = (
                    socket.try_clone().unwrap(),
                    std::time::Instant::now() + Duration::from_secs(2),
                );
                thread::spawn(move || {
                    while std::time::Instant::now() < until
                        && socket.send_to(&message, client).is_ok()
                    {}
                });
                Ok(())
            }
            Some(Deed::Stream { .. }) | None => Ok(()),
        };
    }
}

fn from(place: SocketAddr, message: &[u8], client: SocketAddr) -> io::Result<()> {
    UdpSocket::bind(place)?.send_to(message, client).map(drop)
}

fn connections(listener: &TcpListener, shared: &Arc<Shared>) {
    listener.set_nonblocking(true).unwrap();
    while !shared.stopped() {
        match listener.accept() {
            Ok((stream, _)) => {
                let shared = Arc::clone(shared);
                thread::spawn(move || connection(stream, &shared));
            }
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Serves one connection until either side has enough; the error is nobody's.
fn connection(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    loop {
        let request = read_message(&mut stream)?;
        let Some(deed) = shared.deed(&request, true) else {
            return Ok(());
        };
        match deed {
            Deed::Say(messages) => messages
                .iter()
                .try_for_each(|message| stream.write_all(&framed(message)))?,
            Deed::Late(time, message) => {
                thread::sleep(time);
                stream.write_all(&framed(&message))?;
            }
            Deed::FromAnotherPort(_) | Deed::FromAnotherAddress(_) => return Ok(()),
            Deed::Stream {
                octets,
                step,
                close,
            } => {
                for part in octets.chunks(step.max(1)) {
                    stream.write_all(part)?;
                }
                if close {
                    return Ok(());
                }
                stream.set_read_timeout(Some(Duration::from_secs(20)))?;
                return stream.read(&mut [0]).map(drop);
            }
            Deed::Endless(octets) => {
                while !shared.stopped() {
                    stream.write_all(&octets)?;
                    shared.poured.fetch_add(octets.len(), Ordering::SeqCst);
                }
            }
        }
    }
}

/// A message with its length before it (RFC 1035 section 4.2.2).
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes(), message].concat()
}

fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn ask(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(&framed(request))?;
    read_message(&mut stream)
}
