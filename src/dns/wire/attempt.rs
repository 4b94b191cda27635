//! One try of one question: a message of our own, over UDP or TCP. Only a
//! message with our id and our question from the very address and port that
//! were asked is an answer (RFC 5452 section 9.1); anything else is waited past,
//! and called malformed when nothing better comes.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::DNSClass;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::dns::limits;
use crate::dns::wire::defuse::defuse;
use crate::dns::wire::question::{Question, Role};

thread_local! {
    /// Room for any datagram, so that no question has to make some.
    static DATAGRAM: RefCell<Vec<u8>> = RefCell::new(vec![0; usize::from(u16::MAX)]);
}

/// Room for what is being received: together no more than two mebibytes.
pub(crate) fn receiving() -> Semaphore {
    Semaphore::new(limits::UNITS)
}

/// Held by whoever reads a large message: most of what it becomes in memory is
/// let go at once.
static READING: Mutex<()> = Mutex::new(());

/// Why one try brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Nothing came in time.
    Silent,
    /// Something came that is no answer to the question.
    Malformed,
    /// The port is closed, or there is nobody at the address.
    Refused,
    /// This machine has no way to addresses of that kind.
    NoRoute,
}

impl From<io::Error> for Failed {
    fn from(_: io::Error) -> Self {
        Self::Refused
    }
}

/// What this machine itself says of a way there, before anything is sent: what
/// comes back later may be the word of a router far away.
fn at_home(error: &io::Error) -> Failed {
    use io::ErrorKind::{AddrNotAvailable, NetworkUnreachable};
    let no_route = matches!(error.kind(), NetworkUnreachable | AddrNotAvailable)
        || error.raw_os_error() == Some(NO_FAMILY);
    if no_route {
        Failed::NoRoute
    } else {
        Failed::Refused
    }
}

/// EAFNOSUPPORT, for which there is no kind.
const NO_FAMILY: i32 = 97;

/// What came, and on how many octets.
pub(crate) type Received = Result<(Message, usize), Failed>;

/// Asks over UDP.
pub(crate) async fn over_udp(server: SocketAddr, question: &Question, until: Instant) -> Received {
    let from: IpAddr = if server.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((from, 0))
        .await
        .map_err(|error| at_home(&error))?;
    // A connected socket takes datagrams from that address and port alone.
    socket
        .connect(server)
        .await
        .map_err(|error| at_home(&error))?;
    let asked = question.message();
    let octets = asked.to_vec().map_err(|_| Failed::Malformed)?;
    socket.send(&octets).await?;
    let mut failure = Failed::Silent;
    let mut looked_at = 0;
    while looked_at < limits::STRAYS {
        let Ok(ready) = timeout_at(until, socket.readable()).await else {
            return Err(failure);
        };
        ready?;
        let received = DATAGRAM.with_borrow_mut(|room| {
            let length = socket.try_recv(room)?;
            let answer = room
                .get_mut(..length)
                .and_then(|octets| question.answer_in(octets, &asked));
            Ok::<_, io::Error>(answer.map(|answer| (answer, length)))
        });
        match received {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {
                failure = Failed::Malformed;
                looked_at += 1;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(failure)
}

/// The connection is for this one question, so the first message on it is the
/// answer or nothing is: a server that never stops sending is not listened to.
/// What is received waits until there is `room` for it.
pub(crate) async fn over_tcp(
    server: SocketAddr,
    question: &Question,
    until: Instant,
    room: &Semaphore,
) -> Received {
    let asked = question.message();
    let octets = asked.to_vec().map_err(|_| Failed::Malformed)?;
    let length = u16::try_from(octets.len()).map_err(|_| Failed::Malformed)?;
    let framed = [&length.to_be_bytes(), octets.as_slice()].concat();
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&framed).await?;
        let length = stream.read_u16().await?;
        let units = usize::from(length).div_ceil(limits::UNIT).max(1);
        let held = room
            .acquire_many(u32::try_from(units).unwrap_or(u32::MAX))
            .await
            .map_err(|_| Failed::Refused)?;
        let mut received = vec![0; usize::from(length)];
        stream.read_exact(&mut received).await?;
        let answer = question
            .answer_in(&mut received, &asked)
            .ok_or(Failed::Malformed)?;
        drop(held);
        Ok((answer, received.len()))
    };
    timeout_at(until, exchange)
        .await
        .map_err(|_| Failed::Silent)?
}

impl Question {
    /// The message, with an id of its own.
    fn message(&self) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = self.role != Role::Authority;
        message.metadata.checking_disabled = self.role == Role::Finding;
        message.add_query(Query::query(self.name.clone(), self.kind));
        let mut edns = Edns::new();
        edns.set_max_payload(limits::PAYLOAD)
            .set_version(0)
            .set_dnssec_ok(true);
        message.set_edns(edns);
        message
    }

    /// The message in these octets, when it is an answer to this question as it was asked.
    fn answer_in(&self, octets: &mut [u8], asked: &Message) -> Option<Message> {
        defuse(octets, self.kind)?;
        let _alone = (octets.len() > limits::LARGE)
            .then(|| READING.lock().unwrap_or_else(PoisonError::into_inner));
        let message = Message::from_vec(octets).ok()?;
        (message.metadata.id == asked.metadata.id && self.is_answered_by(&message))
            .then_some(message)
    }

    fn is_answered_by(&self, message: &Message) -> bool {
        let [query] = message.queries.as_slice() else {
            return false;
        };
        message.metadata.message_type == MessageType::Response
            && message.metadata.op_code == OpCode::Query
            && query.name() == &self.name
            && query.query_type() == self.kind
            && query.query_class() == DNSClass::IN
    }
}

/// Its records, whatever they are.
pub(crate) fn records(message: &Message) -> usize {
    message.answers.len() + message.authorities.len() + message.additionals.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_way_there_is_told_from_a_closed_port() {
        for (number, expected) in [
            (101, Failed::NoRoute),
            (99, Failed::NoRoute),
            (97, Failed::NoRoute),
            (111, Failed::Refused),
            (113, Failed::Refused),
        ] {
            // ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, ECONNREFUSED, EHOSTUNREACH on Linux.
            assert_eq!(
                at_home(&io::Error::from_raw_os_error(number)),
                expected,
                "{number}"
            );
        }
    }
}
