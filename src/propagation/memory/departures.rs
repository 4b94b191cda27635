//! Which servers are no longer there, by what was found this time. A name whose
//! address was not found is still there, and so is one whose address now was.
//! Where an owner was not asked about at all, nobody has left, and nobody has of a
//! family of addresses that the user left out.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::propagation::evidence::{Evidence, ServerAnswer};

/// What tells whether a server that was asked before has left.
pub(crate) struct Departures {
    /// The owners that were asked about, each with the blank that follows it in a key.
    owners: Vec<String>,
    keys: BTreeSet<String>,
    /// Names that have no address this time, as the keys with one would begin.
    nameless: Vec<String>,
    /// Whether an alias was not followed, or may not have been found, so that what
    /// lies behind it was not asked.
    lost: bool,
    /// Whether addresses of IPv4, and of IPv6, were asked, where not all were.
    families: Option<[bool; 2]>,
}

impl Departures {
    /// By what was found this time.
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let all = || {
            evidence
                .hops
                .iter()
                .flat_map(|hop| hop.servers.iter().map(move |server| (hop, server)))
        };
        let last = evidence.hops.last();
        let aliased =
            last.is_some_and(|hop| hop.servers.iter().any(|server| server.alias.is_some()));
        let mute = last.is_some_and(|hop| !hop.servers.iter().any(ServerAnswer::answered));
        let mut findings = evidence.hops.iter().flat_map(|hop| &hop.findings);
        let partial = findings.any(|finding| finding.code == "family-not-asked");
        let asked = |v6: bool| {
            all().any(|(_, server)| {
                server
                    .address
                    .is_some_and(|address| address.is_ipv6() == v6)
            })
        };
        let nameless = all().filter(|(_, server)| server.address.is_none());
        Self {
            owners: evidence
                .hops
                .iter()
                .map(|hop| format!("{} ", hop.owner))
                .collect(),
            keys: all().map(|(hop, server)| hop.server_key(server)).collect(),
            nameless: nameless
                .map(|(hop, server)| format!("{} ", hop.server_key(server)))
                .collect(),
            lost: aliased || mute,
            families: partial.then(|| [asked(false), asked(true)]),
        }
    }

    /// Whether the server with this key was not found this time, and its owner was asked about.
    pub(crate) fn has_left(&self, key: &str) -> bool {
        self.asked(key) && !self.stays(key) && !self.found(key)
    }

    /// Whether the server with this key can be forgotten: another takes its place,
    /// it has left, or no alias leads to its owner any more.
    pub(crate) fn is_done_with(&self, key: &str) -> bool {
        !self.stays(key) && (self.asked(key) || !self.lost)
    }

    fn asked(&self, key: &str) -> bool {
        self.owners
            .iter()
            .any(|owner| key.starts_with(owner.as_str()))
    }

    fn stays(&self, key: &str) -> bool {
        self.keys.contains(key)
            || self
                .nameless
                .iter()
                .any(|name| key.starts_with(name.as_str()))
            || self.families.is_some_and(|[v4, v6]| match address(key) {
                Some(SocketAddr::V4(_)) => !v4,
                Some(SocketAddr::V6(_)) => !v6,
                None => false,
            })
    }

    /// Whether the key is of a name whose address was not known, and now is.
    fn found(&self, key: &str) -> bool {
        let begins = |other: &String| {
            other
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(' '))
        };
        self.keys
            .range(key.to_owned()..)
            .take_while(|other| other.starts_with(key))
            .any(begins)
    }
}

fn address(key: &str) -> Option<SocketAddr> {
    key.rsplit(' ').next()?.parse().ok()
}
