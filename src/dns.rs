//! Name servers asked directly: the strict walk from a trust anchor down to
//! every address of every authoritative server of a zone (RFC 4035 section 5),
//! and what resolvers say meanwhile. What it cannot prove is never called secure:
//! not a set, not an absence, and not who serves the zone, as far as that is
//! signed anywhere. Where all servers seem to agree, each address is asked eleven
//! times, as several machines may stand behind it.
//! It fills in `propagation::evidence`; it does not judge. hickory's types go
//! no further than this module.

mod find;
pub(crate) mod limits;
mod trust;
mod walk;
pub(crate) mod wire;

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::runtime::{Builder, Runtime};

pub use find::roots::{FromRoot, root_hints, trusts_iana};
pub use limits::{CHECK, QUESTIONS};
pub use trust::anchors::{AnchorError, Anchors};

use crate::name::Name;
use crate::propagation::evidence::Evidence;
use crate::tlsa::Target;

/// Which addresses of name servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Family {
    /// IPv4 and IPv6.
    #[default]
    Both,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Whom to ask, whom to trust, and how long to wait.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Resolvers for finding name servers, and to be asked as a sender would.
    pub resolvers: Vec<SocketAddr>,
    /// Where trust starts.
    pub anchors: Anchors,
    /// Servers of the targets' zones that nobody lists: a hidden primary, say.
    pub name_servers: Vec<(Name, SocketAddr)>,
    /// The port of all authoritative servers: 53, except in a laboratory.
    pub dns_port: u16,
    /// Which addresses are asked.
    pub family: Family,
    /// How long one try of one question may take.
    pub timeout: Duration,
    /// How often a question is asked before silence is called silence.
    pub tries: u32,
    /// The moment at which signatures must be valid.
    pub now: DateTime<Utc>,
}

/// How far a walk may go.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Root servers to start from, with the port; none to rely on the resolvers.
    pub roots: Vec<SocketAddr>,
    /// When to start from them.
    pub from_root: FromRoot,
    /// Questions that may be asked for each target. When they are used up, the
    /// rest stays unasked and everything is unknown.
    pub questions: usize,
    /// How long all of it may take together. What has no answer then is unknown.
    pub check: Duration,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            from_root: FromRoot::AsFallback,
            questions: QUESTIONS,
            check: CHECK,
        }
    }
}

/// Gathers all there is to know about each target, in the order given, by what
/// the resolvers find.
///
/// Brings its own runtime, so it is not to be called from within one.
#[must_use]
pub fn gather(targets: &[Target], settings: &Settings) -> Vec<Evidence> {
    gather_within(targets, settings, &Reach::default())
}

/// Gathers all there is to know about each target, in the order given.
///
/// What several targets need is asked once, and every server is asked a bounded
/// number of questions at a time. Brings its own runtime, so it is not to be
/// called from within one.
#[must_use]
pub fn gather_within(targets: &[Target], settings: &Settings, reach: &Reach) -> Vec<Evidence> {
    match runtime() {
        Ok(runtime) => runtime.block_on(walk::all(targets, settings, reach)),
        Err(error) => {
            let nothing =
                |target| walk::nothing(target, format!("no question can be asked: {error}"));
            targets.iter().map(nothing).collect()
        }
    }
}

/// Several threads where the system lets us have them, as signatures are tried
/// on all of them. tokio panics when it gets none, so that is tried beforehand.
fn runtime() -> std::io::Result<Runtime> {
    let threads = thread::available_parallelism().map_or(1, |n| n.get().min(4));
    if threads > 1 && can_be_made(threads) {
        return Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build();
    }
    Builder::new_current_thread().enable_all().build()
}

/// Whether so many threads can be had at once.
fn can_be_made(threads: usize) -> bool {
    let mut made = Vec::new();
    for _ in 0..threads {
        let (end, wait) = channel::<()>();
        let Ok(thread) = thread::Builder::new().spawn(move || wait.recv().is_err()) else {
            return false;
        };
        made.push((end, thread));
    }
    made.into_iter().all(|(end, thread)| {
        drop(end);
        thread.join().is_ok()
    })
}

/// The resolvers that the system uses.
///
/// # Errors
///
/// When the system's configuration cannot be read or names none.
pub fn system_resolvers() -> Result<Vec<SocketAddr>, ResolverError> {
    let (config, _) =
        hickory_resolver::system_conf::read_system_conf().map_err(|error| ResolverError {
            reason: error.to_string(),
        })?;
    let port = |server: &hickory_resolver::config::NameServerConfig| {
        server.connections.first().map_or(53, |c| c.port)
    };
    let found: Vec<SocketAddr> = config
        .name_servers
        .iter()
        .map(|s| SocketAddr::new(s.ip, port(s)))
        .collect();
    if found.is_empty() {
        return Err(ResolverError {
            reason: "none is configured".to_owned(),
        });
    }
    Ok(found)
}

/// Why the system's resolvers are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverError {
    /// What the system says.
    pub reason: String,
}

impl std::fmt::Display for ResolverError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the system's resolvers cannot be found out: {}",
            self.reason
        )
    }
}

impl std::error::Error for ResolverError {}
