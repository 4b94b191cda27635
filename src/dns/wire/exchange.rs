//! One question to one server: UDP, then TCP when the answer says that it is
//! too long; as often, as many at a time and as long as the limits say.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_proto::op::Message;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use crate::dns::limits;
use crate::dns::wire::attempt::{Failed, over_tcp, over_udp, receiving, records};
use crate::dns::wire::clock::Clock;
use crate::dns::wire::convert::from_hickory;
use crate::dns::wire::question::{Question, Topic};
use crate::dns::wire::response::Response;
use crate::dns::wire::room::Room;
use crate::dns::wire::shared::Shared;
use crate::finding::{Finding, Severity};
use crate::propagation::evidence::Outcome;

/// A server that refuses the port is asked again after this long.
const PAUSE: Duration = Duration::from_millis(50);

/// An answer, or which kind of none.
pub(crate) type Reply = Result<Arc<Response>, Outcome>;

/// Asks questions within the limits of time and number, and none of them twice
/// unless it is to be.
pub(crate) struct Asker {
    timeout: Duration,
    tries: u32,
    /// Questions that may be asked, and those that were to be.
    limit: usize,
    wanted: AtomicUsize,
    /// Records and octets in all answers.
    records: AtomicUsize,
    octets: AtomicUsize,
    pub(crate) room: Arc<Room>,
    pub(crate) clock: Clock,
    places: Semaphore,
    places_each: Mutex<HashMap<SocketAddr, Arc<Semaphore>>>,
    receiving: Semaphore,
    replies: Shared<(SocketAddr, Question), Reply>,
    heard: Mutex<Silences>,
}

/// Who has ever answered, and who has let the time for a question run out.
#[derive(Default)]
struct Silences {
    answered: HashSet<(SocketAddr, Topic)>,
    silent: HashMap<(SocketAddr, Topic), Outcome>,
    /// Addresses to which this machine knows no way.
    no_route: HashSet<SocketAddr>,
}

impl Silences {
    /// The outcome of a question that need not be asked any more.
    fn silence(&self, server: SocketAddr, topics: &[Topic]) -> Option<Outcome> {
        let silence = |topic: &Topic| {
            let about = (server, *topic);
            self.silent
                .get(&about)
                .filter(|_| !self.answered.contains(&about))
                .copied()
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
    /// time; no more than `limit` questions are asked at all, none after the
    /// clock has run out, and what is kept has to fit the room.
    pub(crate) fn new(
        timeout: Duration,
        tries: u32,
        limit: usize,
        room: Arc<Room>,
        clock: Clock,
    ) -> Self {
        Self {
            timeout,
            tries: tries.max(1),
            limit,
            wanted: AtomicUsize::new(0),
            records: AtomicUsize::new(0),
            octets: AtomicUsize::new(0),
            room,
            clock,
            places: Semaphore::new(limits::QUESTIONS_AT_ONCE),
            places_each: Mutex::default(),
            receiving: receiving(),
            replies: Shared::default(),
            heard: Mutex::default(),
        }
    }

    /// Asks one server, unless it has been asked that already. One that has given
    /// no usable answer so far, at all or about TLSA, is not asked any more, so that
    /// it costs one timeout and not one for each question.
    pub(crate) async fn ask(self: &Arc<Self>, server: SocketAddr, question: &Question) -> Reply {
        let (this, key) = (Arc::clone(self), (server, question.clone()));
        // A task of its own: who asks may lose interest, and another may want it still.
        let task = tokio::spawn(async move {
            let reply = this
                .replies
                .get(key.clone(), this.ask_once(server, &key.1))
                .await;
            if reply
                .as_ref()
                .is_ok_and(|answer| answer.weight() > limits::KEPT)
            {
                this.replies.forget(&key);
            }
            reply
        });
        task.await.unwrap_or(Err(Outcome::Unreachable))
    }

    /// The findings that more was to be asked or kept than is permitted, or longer
    /// than it may take: what is missing then may be what matters.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let more = |what: String| Finding::new("limits-exceeded", Severity::Unknown, what);
        let mut findings = Vec::new();
        if self.wanted.load(Ordering::Relaxed) > self.limit {
            findings.push(more(format!(
                "more than {} questions were to be asked, so not everything was",
                self.limit
            )));
        } else if self.records.load(Ordering::Relaxed)
            > self.limit.saturating_mul(limits::RECORDS_EACH)
        {
            let limit = self.limit.saturating_mul(limits::RECORDS_EACH);
            findings.push(more(format!(
                "the answers have more than {limit} records, so not all were looked at"
            )));
        } else if self.octets.load(Ordering::Relaxed)
            > self.limit.saturating_mul(limits::OCTETS_EACH)
        {
            let limit = self.limit.saturating_mul(limits::OCTETS_EACH) >> 10;
            findings.push(more(format!(
                "the answers are larger than {limit} KiB, so not all were looked at"
            )));
        } else if self.room.was_full() {
            let limit = self.room.limit() >> 10;
            findings.push(more(format!(
                "what the answers hold takes more than {limit} KiB, so not all of it was kept"
            )));
        }
        findings.extend(self.clock.finding());
        findings
    }

    /// How long others are waited for before a way around them is tried beside.
    pub(crate) fn patience(&self) -> Duration {
        self.timeout / 4
    }

    /// Asks one server what it has answered before, from a new port: another machine
    /// may stand there. What comes is nobody else's.
    pub(crate) async fn ask_again(&self, server: SocketAddr, question: &Question) -> Reply {
        self.ask_once(server, question).await
    }

    /// Whether this machine knows no way to the address.
    pub(crate) fn no_route(&self, server: SocketAddr) -> bool {
        self.heard(|heard| heard.no_route.contains(&server))
    }

    /// The answer, as long as there is room for what it holds.
    fn keep(&self, (answer, octets): (Message, usize), question: &Question) -> Reply {
        let within = |counter: &AtomicUsize, more: usize, each: usize| {
            let all = counter
                .fetch_add(more, Ordering::Relaxed)
                .saturating_add(more);
            all <= self.limit.saturating_mul(each)
        };
        // Both are counted, whatever becomes of it.
        let (records, octets) = (
            within(&self.records, records(&answer), limits::RECORDS_EACH),
            within(&self.octets, octets, limits::OCTETS_EACH),
        );
        let kept = if records && octets {
            Response::of(answer, question, &self.room)
        } else {
            None
        };
        kept.ok_or(Outcome::Unreachable)
    }

    async fn ask_once(&self, server: SocketAddr, question: &Question) -> Reply {
        let silent = |heard: &mut Silences| heard.silence(server, question.topics());
        if let Some(outcome) = self.heard(silent) {
            return Err(outcome);
        }
        let of_server = {
            let mut each = self
                .places_each
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                each.entry(server)
                    .or_insert_with(|| Arc::new(Semaphore::new(limits::QUESTIONS_AT_ONCE_EACH))),
            )
        };
        let places = async {
            Ok::<_, tokio::sync::AcquireError>((
                of_server.acquire().await?,
                self.places.acquire().await?,
            ))
        };
        let Some(Ok(_places)) = self.in_time(places).await else {
            return self.too_late(server, question);
        };
        // Many may have waited for a place while it fell silent.
        if let Some(outcome) = self.heard(silent) {
            return Err(outcome);
        }
        if self.wanted.fetch_add(1, Ordering::Relaxed) >= self.limit
            || !self.room.fill(limits::ENTRY)
        {
            return Err(Outcome::Unreachable);
        }
        let reply = self
            .exchange(server, question)
            .await
            .and_then(|answer| self.keep(answer, question));
        if reply.is_err() && self.clock.is_over() {
            return self.too_late(server, question);
        }
        let silence = reply.as_ref().err().copied();
        let silence =
            silence.filter(|outcome| matches!(outcome, Outcome::Unreachable | Outcome::Malformed));
        self.heard(|heard| heard.note(server, question.topics(), silence));
        reply
    }

    /// What comes before the clock has run out.
    async fn in_time<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        match self.clock.end() {
            _ if self.clock.is_over() => None,
            Some(end) => timeout_at(end.into(), what).await.ok(),
            None => Some(what.await),
        }
    }

    fn too_late(&self, server: SocketAddr, question: &Question) -> Reply {
        self.clock.miss(|| {
            format!(
                "{} {} at {server}",
                from_hickory(&question.name),
                question.kind
            )
        });
        Err(Outcome::Unreachable)
    }

    fn heard<T>(&self, with: impl FnOnce(&mut Silences) -> T) -> T {
        with(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn exchange(
        &self,
        server: SocketAddr,
        question: &Question,
    ) -> Result<(Message, usize), Outcome> {
        let mut failure = Outcome::Unreachable;
        for attempt in 0..self.tries {
            match over_udp(server, question, self.until()).await {
                Ok((answer, _)) if answer.metadata.truncation => {
                    return self.over_tcp(server, question, attempt).await;
                }
                Ok(answer) => return Ok(answer),
                Err(Failed::Malformed) => failure = Outcome::Malformed,
                Err(Failed::Silent) => {}
                Err(Failed::Refused) => sleep(PAUSE.min(self.timeout)).await,
                Err(Failed::NoRoute) => {
                    self.heard(|heard| heard.no_route.insert(server));
                    break;
                }
            }
            if self.clock.is_over() {
                break;
            }
        }
        Err(failure)
    }

    /// When a try that begins now is over.
    fn until(&self) -> Instant {
        self.clock
            .no_later((Instant::now() + self.timeout).into_std())
            .into()
    }

    /// The tries that UDP has left, over TCP; one at least. A server whose TCP has
    /// been silent and nothing else costs no more time.
    async fn over_tcp(
        &self,
        server: SocketAddr,
        question: &Question,
        used: u32,
    ) -> Result<(Message, usize), Outcome> {
        let hangs = |heard: &mut Silences| heard.silence(server, &[Topic::Tcp]).is_some();
        let mut silent = false;
        for _ in used..self.tries {
            if self.heard(hangs) || self.clock.is_over() {
                break;
            }
            match over_tcp(server, question, self.until(), &self.receiving).await {
                Ok((answer, octets)) if !answer.metadata.truncation => {
                    self.heard(|heard| heard.note(server, &[Topic::Tcp], None));
                    return Ok((answer, octets));
                }
                Err(Failed::Malformed) => return Err(Outcome::Malformed),
                Err(Failed::Silent) => silent = true,
                Ok(_) | Err(Failed::Refused | Failed::NoRoute) => {}
            }
        }
        if silent {
            self.heard(|heard| {
                heard.note(server, &[Topic::Tcp], Some(Outcome::TruncatedWithoutTcp))
            });
        }
        Err(Outcome::TruncatedWithoutTcp)
    }
}
