//! What the servers of a zone and of its parent have said, put together: which
//! servers the zone has, at which addresses, and where the two sides differ.
//! No asking here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::dns::find::discovery::Addresses;
use crate::dns::limits;
use crate::dns::wire::exchange::Reply;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Listed, label};

/// What the servers of a zone and of its parent have said.
#[derive(Default)]
pub(crate) struct ServerList {
    /// By each address of the parent: its reply about DS.
    pub(crate) digests: Vec<(String, Reply)>,
    /// By each address of the parent: its reply about the parent's own keys.
    pub(crate) parent_keys: Vec<(String, Reply)>,
    pub(crate) names: BTreeMap<Name, Listed>,
    pub(crate) by_user: Vec<(Name, SocketAddr)>,
    /// What resolvers and the zone's own servers say.
    pub(crate) addresses: BTreeMap<Name, Addresses>,
    pub(crate) glue: BTreeSet<(Name, SocketAddr)>,
    /// What the parent's servers say of the servers that are looked at.
    pub(crate) from_glue: BTreeMap<Name, Addresses>,
    pub(crate) asked: BTreeMap<SocketAddr, Asked>,
    /// Those of the asked that are through.
    pub(crate) replied: BTreeSet<SocketAddr>,
    /// Who has been asked for the addresses of whom.
    pub(crate) own_asked: BTreeSet<(SocketAddr, Name)>,
    pub(crate) delegation: BTreeSet<Name>,
    pub(crate) own: BTreeSet<Name>,
    /// Those that answer for the zone and do not tell its name servers.
    pub(crate) unnamed: BTreeSet<SocketAddr>,
    /// There is more than is looked at.
    pub(crate) over_limit: bool,
    /// The parent has more servers than are asked.
    pub(crate) parent_over_limit: bool,
}

/// What one address gave.
pub(crate) struct Asked {
    pub(crate) soa: Reply,
    pub(crate) keys: Reply,
}

impl ServerList {
    /// Adds addresses of a server to those that are known.
    pub(crate) fn note_addresses(&mut self, name: &Name, more: Addresses) {
        let all = self.addresses.entry(name.clone()).or_default();
        all.unite(more);
        // More than are asked of the whole zone need not be kept of one server.
        self.over_limit |= all.found.len() > limits::ADDRESSES;
        all.found.truncate(limits::ADDRESSES);
        all.other.truncate(limits::ADDRESSES);
    }

    /// Adds addresses that a server of the parent gives with the delegation.
    pub(crate) fn note_glue(&mut self, glue: Vec<(Name, SocketAddr)>) {
        for glue in glue {
            if self.glue.len() >= limits::GLUE {
                self.over_limit = true;
                return;
            }
            self.glue.insert(glue);
        }
    }

    /// Every address that is known by now and to be asked.
    pub(crate) fn every_address(&self) -> Vec<SocketAddr> {
        self.addresses
            .values()
            .chain(self.from_glue.values())
            .flat_map(|of| of.found.clone())
            .collect()
    }

    fn all_of(&self, name: &Name) -> Addresses {
        let mut all = self.addresses.get(name).cloned().unwrap_or_default();
        all.unite(self.from_glue.get(name).cloned().unwrap_or_default());
        all
    }

    /// Every server with each of its addresses, each address once.
    pub(crate) fn servers(&self) -> Vec<(Name, Option<SocketAddr>, Listed)> {
        let mut servers: Vec<(Name, Option<SocketAddr>, Listed)> = Vec::new();
        let mut add = |name: &Name, address: Option<SocketAddr>, listed: Listed| {
            let same = servers
                .iter_mut()
                .find(|(_, known, _)| address.is_some() && *known == address);
            if let Some((_, _, known)) = same {
                known.by_parent |= listed.by_parent;
                known.by_zone |= listed.by_zone;
                known.by_user |= listed.by_user;
            } else {
                servers.push((name.clone(), address, listed));
            }
        };
        for (name, listed) in &self.names {
            let addresses = self.all_of(name);
            // Those beyond the limit are not asked for anything.
            for address in addresses
                .found
                .iter()
                .filter(|address| self.asked.contains_key(address))
            {
                add(name, Some(*address), *listed);
            }
            // An address that could not be looked up may be the one that lags.
            if addresses.incomplete || addresses.found.is_empty() {
                add(name, None, *listed);
            }
        }
        for (name, address) in &self.by_user {
            add(
                name,
                Some(*address),
                Listed {
                    by_user: true,
                    ..Listed::default()
                },
            );
        }
        servers
    }

    /// What is worth telling of the zone's servers as a whole.
    pub(crate) fn findings(&self, zone: &Name, parent: Option<&Name>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.differences(zone).into_iter().collect();
        findings.extend(self.other_glue(zone));
        if let Some(parent) = parent.filter(|_| self.delegation.is_empty()) {
            let message = format!(
                "no server of {parent} says which name servers {zone} has, so there may be more than were asked"
            );
            findings.push(Finding::new(
                "delegation-unknown",
                Severity::Unknown,
                message,
            ));
        }
        let other: BTreeSet<SocketAddr> = self
            .names
            .keys()
            .flat_map(|name| self.all_of(name).other)
            .collect();
        if !other.is_empty() {
            let of = if other.iter().all(SocketAddr::is_ipv6) {
                "IPv6"
            } else {
                "IPv4"
            };
            let message = format!(
                "{} {of} addresses of the name servers of {zone} were not asked, as the options demand",
                other.len()
            );
            findings.push(Finding::new("family-not-asked", Severity::Note, message));
        }
        for (name, address, _) in self.servers() {
            if address.is_some_and(|address| self.unnamed.contains(&address)) {
                let message = format!(
                    "does not say which name servers {zone} has, so there may be more of them than were asked"
                );
                let finding = Finding::new("name-servers-unknown", Severity::Unknown, message);
                findings.push(finding.at(label(&name, address)));
            }
        }
        if let Some(parent) = parent.filter(|_| self.parent_over_limit) {
            let message =
                format!("{parent}, the parent of {zone}, has more servers than are asked");
            findings.push(Finding::new("limits-exceeded", Severity::Unknown, message));
        }
        if self.over_limit {
            let message =
                format!("{zone} has more name servers, or addresses of them, than are looked at");
            findings.push(Finding::new("limits-exceeded", Severity::Unknown, message));
        }
        findings
    }

    /// Says where the delegation and the zone's own NS set differ.
    fn differences(&self, zone: &Name) -> Option<Finding> {
        if self.own.is_empty() || self.delegation.is_empty() {
            return None;
        }
        let only_above: Vec<&Name> = self.delegation.difference(&self.own).collect();
        let only_below: Vec<&Name> = self.own.difference(&self.delegation).collect();
        let mut sides = Vec::new();
        if !only_above.is_empty() {
            sides.push(format!("only its parent names {}", some(&only_above)));
        }
        if !only_below.is_empty() {
            sides.push(format!("only the zone itself names {}", some(&only_below)));
        }
        let message = format!("the name servers of {zone} differ: {}", sides.join("; "));
        (!sides.is_empty()).then(|| Finding::new("delegation-differs", Severity::Note, message))
    }

    /// Addresses that only the parent's servers give.
    fn other_glue(&self, zone: &Name) -> Option<Finding> {
        let mut only = Vec::new();
        for (name, glue) in &self.from_glue {
            let Some(known) = self
                .addresses
                .get(name)
                .filter(|known| !known.incomplete && !known.is_empty())
            else {
                continue;
            };
            let apart = glue
                .found
                .iter()
                .chain(&glue.other)
                .filter(|address| !known.has(**address));
            only.extend(apart.map(|address| format!("{} for {name}", address.ip())));
        }
        let message = format!(
            "the addresses in the delegation of {zone} differ: only its parent gives {}",
            some(&only)
        );
        (!only.is_empty()).then(|| Finding::new("delegation-differs", Severity::Note, message))
    }
}

/// The first of them, and how many there are besides: whoever names thousands is
/// told of all the same.
fn some(all: &[impl ToString]) -> String {
    let mut listed = all
        .iter()
        .take(limits::LISTED)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if all.len() > limits::LISTED {
        listed.push_str(&format!(" and {} more", all.len() - limits::LISTED));
    }
    listed
}
