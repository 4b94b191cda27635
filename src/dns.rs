//! Name servers asked directly.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::name::Name;
use crate::propagation::evidence::Evidence;
use crate::tlsa::Target;

/// Where trust starts.
#[derive(Clone, Debug)]
pub struct Anchors;

/// Why a text is no set of anchors.
#[derive(Clone, Debug)]
pub struct AnchorError;

impl std::fmt::Display for AnchorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stub")
    }
}

impl Anchors {
    /// The root keys of IANA.
    #[must_use]
    pub fn iana() -> Self {
        Self
    }

    /// Reads anchors.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, AnchorError> {
        if text.contains("DS") || text.contains("DNSKEY") { Ok(Self) } else { Err(AnchorError) }
    }
}

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
    /// Resolvers.
    pub resolvers: Vec<SocketAddr>,
    /// Where trust starts.
    pub anchors: Anchors,
    /// Servers that nobody lists.
    pub name_servers: Vec<(Name, SocketAddr)>,
    /// The port of all authoritative servers.
    pub dns_port: u16,
    /// Which addresses are asked.
    pub family: Family,
    /// How long one try of one question may take.
    pub timeout: Duration,
    /// How often a question is asked.
    pub tries: u32,
    /// The moment at which signatures must be valid.
    pub now: DateTime<Utc>,
}

/// Gathers nothing.
#[must_use]
pub fn gather(targets: &[Target], settings: &Settings) -> Vec<Evidence> {
    let _ = settings;
    let nothing = |target: &Target| Evidence {
        owner: target.owner().unwrap_or(Name::root()),
        hops: Vec::new(),
        resolvers: Vec::new(),
        host: None,
        findings: Vec::new(),
    };
    targets.iter().map(nothing).collect()
}

/// The resolvers that the system uses.
///
/// # Errors
///
/// Never.
pub fn system_resolvers() -> Result<Vec<SocketAddr>, std::convert::Infallible> {
    Ok(vec![SocketAddr::from(([127, 0, 0, 1], 53))])
}
