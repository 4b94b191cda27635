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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Finding, Severity};
    use crate::propagation::evidence::Outcome;
    use crate::propagation::fixtures::{alias, aliased, evidence, failing, key, server};

    const OWNER: &str = "_25._tcp.mail.example.com.";
    const TWO: &str = "ns2.example.net. 192.0.2.2:53";
    const SIX: &str = "ns2.example.net. [2001:db8::2]:53";
    const NAMELESS: &str = "ns2.example.net.";
    const BEHIND: &str = "tlsa.provider.example. ns3.example.net. 192.0.2.3:53";

    #[test]
    fn who_was_asked_about_and_not_found_has_left() {
        let set = [key("new")];
        let both = || evidence(vec![server(1, &set), server(2, &set)]);
        let one = || evidence(vec![server(1, &set)]);
        let nameless = |mut seen: Evidence| {
            seen.hops[0].servers[1].address = None;
            seen
        };
        let partial = |six: bool| {
            let mut seen = one();
            let note = Finding::new("family-not-asked", Severity::Note, "as asked for");
            seen.hops[0].findings.push(note);
            if six {
                seen.hops[0].servers[0].address = "[2001:db8::1]:53".parse().ok();
            }
            seen
        };
        let leads = || vec![alias(1, "tlsa.provider.example")];
        let followed = aliased(leads(), vec![server(4, &set)]);
        let mute = evidence(vec![failing(1, Outcome::Unreachable)]);
        let ours = |server: &str| format!("{OWNER} {server}");
        // The key, whether it has left, and whether it can be forgotten.
        for (what, seen, key, left, done) in [
            ("found", both(), ours(TWO), false, false),
            ("gone", one(), ours(TWO), true, true),
            ("no address now", nameless(both()), ours(TWO), false, false),
            ("an address now", both(), ours(NAMELESS), false, true),
            ("a name that is gone", one(), ours(NAMELESS), true, true),
            (
                "only IPv4 asked, gone",
                partial(false),
                ours(TWO),
                true,
                true,
            ),
            ("only IPv4 asked", partial(false), ours(SIX), false, false),
            ("only IPv6 asked", partial(true), ours(TWO), false, false),
            (
                "only IPv6 asked, gone",
                partial(true),
                ours(SIX),
                true,
                true,
            ),
            (
                "an alias not followed",
                evidence(leads()),
                ours(TWO),
                true,
                true,
            ),
            (
                "behind it",
                evidence(leads()),
                BEHIND.to_owned(),
                false,
                false,
            ),
            (
                "behind one that is mute",
                mute.clone(),
                BEHIND.to_owned(),
                false,
                false,
            ),
            ("gone beside one that is mute", mute, ours(TWO), true, true),
            ("behind it, gone", followed, BEHIND.to_owned(), true, true),
            (
                "no alias leads there",
                one(),
                BEHIND.to_owned(),
                false,
                true,
            ),
        ] {
            let departures = Departures::of(&seen);
            assert_eq!(
                (departures.has_left(&key), departures.is_done_with(&key)),
                (left, done),
                "{what}"
            );
        }
    }
}
