//! One question to one server: UDP, then TCP when the answer says that it is
//! too long. Only a message with our id and our question from the very address
//! and port that were asked is an answer (RFC 5452 section 9.1); anything else
//! is waited past, and remembered as malformed when nothing better comes.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name as WireName, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use crate::dns::discovery::Shared;
use crate::finding::{Finding, Severity};
use crate::propagation::evidence::Outcome;

/// What fits through nearly every path unfragmented (DNS flag day 2020).
const PAYLOAD: u16 = 1232;
thread_local! {
    /// Room for any datagram, so that no question has to make some.
    static DATAGRAM: RefCell<Vec<u8>> = RefCell::new(vec![0; usize::from(u16::MAX)]);
}
/// Questions under way at once; each needs a socket.
const AT_ONCE: usize = 512;
/// Questions under way at once to one server, which may have a rate limit.
const AT_ONCE_EACH: usize = 64;
/// A server that refuses the port is asked again after this long.
const PAUSE: Duration = Duration::from_millis(50);
/// More records than any answer that we ask for has use of.
const RECORDS: usize = 1000;
/// Records kept of all answers, for each question that may be asked: answers are
/// small, and whoever makes all of them large is after our memory.
const RECORDS_EACH: usize = 32;
/// Datagrams looked at in one try: whoever sends more that are no answer is
/// guessing ids, or broken.
const STRAYS: usize = 64;

/// Answers with more records than this are not kept for whoever asks the same:
/// memory is bounded by the questions and this.
const KEPT: usize = 64;

/// What to ask, and in which role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) name: WireName,
    pub(crate) kind: RecordType,
    pub(crate) manner: Manner,
}

/// In which role a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Manner {
    /// As an authority: RD clear.
    Authority,
    /// As a resolver that is to hand out what it cannot validate, too: RD and CD.
    Finding,
    /// As a resolver, as a sender of mail asks it: RD.
    Sender,
}

/// An answer, or which kind of none.
pub(crate) type Reply = Result<Message, Outcome>;

/// Asks questions within the limits of time and number, and none of them twice
/// unless it is to be.
pub(crate) struct Asker {
    timeout: Duration,
    tries: u32,
    /// Questions that may be asked, and those that were to be.
    limit: usize,
    wanted: AtomicUsize,
    /// Records in all answers.
    records: AtomicUsize,
    places: Semaphore,
    places_each: Mutex<HashMap<SocketAddr, Arc<Semaphore>>>,
    replies: Shared<(SocketAddr, Question), Reply>,
    heard: Mutex<Heard>,
}

/// What a server may be silent about while it answers otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Topic {
    /// Everything.
    Any,
    /// TLSA: some authorities drop questions about types that they do not know.
    Tlsa,
    /// What is asked over TCP, which a firewall may hold back.
    Tcp,
}

/// Who has ever answered, and who has let the time for a question run out.
#[derive(Default)]
struct Heard {
    answered: HashSet<(SocketAddr, Topic)>,
    silent: HashMap<(SocketAddr, Topic), Outcome>,
}

impl Heard {
    /// The outcome of a question that need not be asked any more.
    fn silence(&self, server: SocketAddr, topics: &[Topic]) -> Option<Outcome> {
        let silence = |topic: &Topic| {
            let about = (server, *topic);
            self.silent.get(&about).filter(|_| !self.answered.contains(&about)).copied()
        };
        topics.iter().find_map(silence)
    }

    fn note(&mut self, server: SocketAddr, topics: &[Topic], silence: Option<Outcome>) {
        for about in topics.iter().map(|topic| (server, *topic)) {
            match silence {
                Some(outcome) => drop(self.silent.insert(about, outcome)),
                None => drop(self.answered.insert(about)),
            }
        }
    }
}

impl Asker {
    /// Each question is sent up to `tries` times and waited for `timeout` each
    /// time; no more than `limit` questions are asked at all.
    pub(crate) fn new(timeout: Duration, tries: u32, limit: usize) -> Self {
        Self {
            timeout,
            tries: tries.max(1),
            limit,
            wanted: AtomicUsize::new(0),
            records: AtomicUsize::new(0),
            places: Semaphore::new(AT_ONCE),
            places_each: Mutex::default(),
            replies: Shared::default(),
            heard: Mutex::default(),
        }
    }

    /// Asks one server, unless it has been asked that already. One that has given
    /// no usable answer so far, at all or about TLSA, is not asked any more, so that
    /// it costs one timeout and not one for each question.
    pub(crate) async fn ask(self: &Arc<Self>, server: SocketAddr, question: &Question) -> Reply {
        let key = (server, question.clone());
        let (this, asked) = (Arc::clone(self), question.clone());
        // A task of its own: who asks may lose interest, and another may want it still.
        let asking = async move {
            let task = tokio::spawn(async move { this.ask_once(server, &asked).await });
            task.await.unwrap_or(Err(Outcome::Unreachable))
        };
        let reply = self.replies.get(key.clone(), asking).await;
        if reply.as_ref().is_ok_and(|message| records(message) > KEPT) {
            self.replies.forget(&key);
        }
        reply
    }

    /// Asks one server what it has answered before, from a new port: another machine
    /// may stand there. What comes is nobody else's.
    pub(crate) async fn ask_again(&self, server: SocketAddr, question: &Question) -> Reply {
        self.ask_once(server, question).await
    }

    /// The finding that more was to be asked than is permitted: what is missing
    /// then may be what matters.
    pub(crate) fn finding(&self) -> Option<Finding> {
        let message = if self.wanted.load(Ordering::Relaxed) > self.limit {
            format!("more than {} questions were to be asked, so not everything was", self.limit)
        } else if self.records.load(Ordering::Relaxed) > self.records_limit() {
            format!("the answers have more than {} records, so not all were looked at", self.records_limit())
        } else {
            return None;
        };
        Some(Finding::new("limits-exceeded", Severity::Unknown, message))
    }

    fn records_limit(&self) -> usize {
        self.limit.saturating_mul(RECORDS_EACH)
    }

    /// The answer, as long as there is room for what it holds.
    fn keep(&self, answer: Message) -> Reply {
        let more = records(&answer);
        let all = self.records.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if all > self.records_limit() { Err(Outcome::Unreachable) } else { Ok(answer) }
    }

    async fn ask_once(&self, server: SocketAddr, question: &Question) -> Reply {
        let silent = |heard: &mut Heard| heard.silence(server, question.topics());
        if let Some(outcome) = self.heard(silent) {
            return Err(outcome);
        }
        let of_server = {
            let mut each = self.places_each.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(each.entry(server).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_EACH))))
        };
        let reply = match (of_server.acquire().await, self.places.acquire().await) {
            // Many may have waited for a place while it fell silent.
            (Ok(_place), Ok(_of_all)) => match self.heard(silent) {
                Some(outcome) => return Err(outcome),
                None if self.wanted.fetch_add(1, Ordering::Relaxed) >= self.limit => return Err(Outcome::Unreachable),
                None => self.exchange(server, question).await.and_then(|answer| self.keep(answer)),
            },
            _ => Err(Outcome::Unreachable),
        };
        let silence = reply.as_ref().err().copied();
        let silence = silence.filter(|outcome| matches!(outcome, Outcome::Unreachable | Outcome::Malformed));
        self.heard(|heard| heard.note(server, question.topics(), silence));
        reply
    }

    fn heard<T>(&self, with: impl FnOnce(&mut Heard) -> T) -> T {
        with(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn exchange(&self, server: SocketAddr, question: &Question) -> Reply {
        let mut failure = Outcome::Unreachable;
        for attempt in 0..self.tries {
            let until = Instant::now() + self.timeout;
            match over_udp(server, question, until).await {
                Ok(answer) if answer.metadata.truncation => return self.over_tcp(server, question, attempt).await,
                Ok(answer) => return Ok(answer),
                Err(Failed::Malformed) => failure = Outcome::Malformed,
                Err(Failed::Silent) => {}
                Err(Failed::Refused) => sleep(PAUSE.min(self.timeout)).await,
            }
        }
        Err(failure)
    }

    /// The tries that UDP has left, over TCP; one at least. A server whose TCP has
    /// been silent and nothing else costs no more time.
    async fn over_tcp(&self, server: SocketAddr, question: &Question, used: u32) -> Reply {
        let hangs = |heard: &mut Heard| heard.silence(server, &[Topic::Tcp]).is_some();
        let mut silent = false;
        for _ in used..self.tries {
            if self.heard(hangs) {
                break;
            }
            let until = Instant::now() + self.timeout;
            match over_tcp(server, question, until).await {
                Ok(answer) if !answer.metadata.truncation => {
                    self.heard(|heard| heard.note(server, &[Topic::Tcp], None));
                    return Ok(answer);
                }
                Err(Failed::Malformed) => return Err(Outcome::Malformed),
                Err(Failed::Silent) => silent = true,
                Ok(_) | Err(Failed::Refused) => {}
            }
        }
        if silent {
            self.heard(|heard| heard.note(server, &[Topic::Tcp], Some(Outcome::TruncatedWithoutTcp)));
        }
        Err(Outcome::TruncatedWithoutTcp)
    }
}

/// Why one try brought no answer.
enum Failed {
    /// Nothing came in time.
    Silent,
    /// Something came that is no answer to the question.
    Malformed,
    /// The port is closed, or the address cannot be reached from here.
    Refused,
}

async fn over_udp(server: SocketAddr, question: &Question, until: Instant) -> Result<Message, Failed> {
    let from: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((from, 0)).await.map_err(|_| Failed::Refused)?;
    // A connected socket takes datagrams from that address and port alone.
    socket.connect(server).await.map_err(|_| Failed::Refused)?;
    let asked = question.message();
    let octets = asked.to_vec().map_err(|_| Failed::Malformed)?;
    socket.send(&octets).await.map_err(|_| Failed::Refused)?;
    let mut failure = Failed::Silent;
    let mut looked_at = 0;
    while looked_at < STRAYS {
        let Ok(ready) = timeout_at(until, socket.readable()).await else { return Err(failure) };
        ready.map_err(|_| Failed::Refused)?;
        let received = DATAGRAM.with_borrow_mut(|room| {
            let length = socket.try_recv(room)?;
            Ok::<_, io::Error>(room.get(..length).and_then(|octets| question.answer_in(octets, &asked)))
        });
        match received {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {
                failure = Failed::Malformed;
                looked_at += 1;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(Failed::Refused),
        }
    }
    Err(failure)
}

/// The connection is for this one question, so the first message on it is the
/// answer or nothing is: a server that never stops sending is not listened to.
async fn over_tcp(server: SocketAddr, question: &Question, until: Instant) -> Result<Message, Failed> {
    let asked = question.message();
    let octets = asked.to_vec().map_err(|_| Failed::Malformed)?;
    let length = u16::try_from(octets.len()).map_err(|_| Failed::Malformed)?;
    let framed = [&length.to_be_bytes(), octets.as_slice()].concat();
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&framed).await?;
        let mut received = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut received).await?;
        Ok::<_, io::Error>(received)
    };
    let received = timeout_at(until, exchange).await.map_err(|_| Failed::Silent)?.map_err(|_| Failed::Refused)?;
    question.answer_in(&received, &asked).ok_or(Failed::Malformed)
}

impl Question {
    /// A question to an authority.
    pub(crate) fn authority(name: &WireName, kind: RecordType) -> Self {
        Self { name: name.clone(), kind, manner: Manner::Authority }
    }

    /// What an answer, or none, says about the server. Of a resolver it is nothing
    /// about TLSA: it may be silent about one zone and not about the next.
    fn topics(&self) -> &'static [Topic] {
        match (self.manner, self.kind) {
            (Manner::Authority, RecordType::TLSA) => &[Topic::Any, Topic::Tlsa],
            _ => &[Topic::Any],
        }
    }

    /// The message, with an id of its own.
    fn message(&self) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = self.manner != Manner::Authority;
        message.metadata.checking_disabled = self.manner == Manner::Finding;
        message.add_query(Query::query(self.name.clone(), self.kind));
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD).set_version(0).set_dnssec_ok(true);
        message.set_edns(edns);
        message
    }

    /// The message in these octets, when it is an answer to this question as it was asked.
    fn answer_in(&self, octets: &[u8], asked: &Message) -> Option<Message> {
        let message = Message::from_vec(octets).ok()?;
        (message.metadata.id == asked.metadata.id && self.is_answered_by(&message)).then_some(message)
    }

    fn is_answered_by(&self, message: &Message) -> bool {
        let [query] = message.queries.as_slice() else { return false };
        message.metadata.message_type == MessageType::Response
            && message.metadata.op_code == OpCode::Query
            && query.name() == &self.name
            && query.query_type() == self.kind
            && query.query_class() == DNSClass::IN
            && records(message) <= RECORDS
    }
}

fn records(message: &Message) -> usize {
    message.answers.len() + message.authorities.len() + message.additionals.len()
}
