//! The zone that holds an answer, at every address of every server that the
//! parent, the zone itself or the user names: its keys and SOA as each gives
//! them, and how far each one's keys are proven. All are asked at once, and a
//! server that one of them names is asked as soon as it is known.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hickory_proto::dnssec::rdata::DNSKEY;
use hickory_proto::rr::RecordType;
use tokio::task::JoinSet;

use crate::dns::chain::Chain;
use crate::dns::convert::to_hickory;
use crate::dns::discovery::Addresses;
use crate::dns::exchange::{Question, Reply};
use crate::dns::proof::Proof;
use crate::dns::reading::{delegated_names, glue, name_servers};
use crate::dns::walk::Walk;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Link, Listed, Outcome};

/// Name servers of one zone that are looked at.
const NAMES: usize = 64;

/// What is known of a zone and its servers.
pub(crate) struct Facts {
    pub(crate) zone: Name,
    /// From the anchor down to this zone.
    pub(crate) chain: Vec<Link>,
    /// What no server's answer can be more than, whatever its signatures.
    pub(crate) ceiling: Option<Proof>,
    /// When the first signature over its parent's digests expires.
    pub(crate) expires: Option<DateTime<Utc>>,
    /// The key sets that are proven, each once.
    pub(crate) key_sets: Vec<KeySet>,
    pub(crate) servers: Vec<Server>,
    pub(crate) findings: Vec<Finding>,
}

/// A zone's keys, as some of its servers give them.
pub(crate) struct KeySet {
    /// One of those servers.
    pub(crate) from: String,
    pub(crate) keys: Vec<DNSKEY>,
}

/// One address of a server of the zone.
pub(crate) struct Server {
    pub(crate) name: Name,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) listed: Listed,
    /// What it gives as the zone's SOA.
    pub(crate) soa: Reply,
    /// How far its keys are proven.
    pub(crate) keys: Proof,
}

/// What the servers of a zone and of its parent have said.
#[derive(Default)]
pub(crate) struct Heard {
    /// By each address of the parent: its reply about DS.
    pub(crate) digests: Vec<(String, Reply)>,
    names: BTreeMap<Name, Listed>,
    by_user: Vec<(Name, SocketAddr)>,
    addresses: BTreeMap<Name, Addresses>,
    glue: BTreeSet<(Name, SocketAddr)>,
    pub(crate) asked: BTreeMap<SocketAddr, Asked>,
    delegation: BTreeSet<Name>,
    own: BTreeSet<Name>,
}

/// What one address gave.
pub(crate) struct Asked {
    pub(crate) soa: Reply,
    pub(crate) keys: Reply,
}

enum Event {
    Parent { label: String, digests: Reply, names: Reply },
    Addresses { name: Name, addresses: Addresses },
    Server { address: SocketAddr, asked: Asked, names: Reply },
}

impl Walk {
    /// The facts about `zones[last]`, gathered once.
    pub(crate) async fn facts(self: &Arc<Self>, zones: Arc<[Name]>, with_user: bool) -> Option<Arc<Facts>> {
        let zone = zones.last()?.clone();
        let this = Arc::clone(self);
        let key = (zone.clone(), with_user);
        Some(self.zones.get(key, async move { Arc::new(this.collect_facts(&zone, zones, with_user).await) }).await)
    }

    async fn collect_facts(self: &Arc<Self>, zone: &Name, zones: Arc<[Name]>, with_user: bool) -> Facts {
        let above = zones.len().checked_sub(2);
        let parent = above.and_then(|index| zones.get(index)).cloned();
        let trusted = self.anchors.of(zone);
        let chain = async {
            match above {
                Some(index) if trusted.is_empty() => self.chain(Arc::clone(&zones), index).await,
                _ => Arc::new(Chain::default()),
            }
        };
        let (chain, heard) = tokio::join!(chain, self.hear(zone, parent.as_ref(), with_user));
        self.judge_zone(zone, parent.as_ref(), &trusted, &chain, heard)
    }

    /// Asks the parent's servers and the zone's until none is left.
    async fn hear(self: &Arc<Self>, zone: &Name, parent: Option<&Name>, with_user: bool) -> Heard {
        let mut heard = Heard::default();
        let mut events = JoinSet::new();
        if with_user {
            for (name, address) in &self.name_servers {
                heard.by_user.push((name.clone(), *address));
                self.ask_server(zone, *address, &mut heard, &mut events);
            }
        }
        if let Some(parent) = parent {
            self.ask_parent(zone, parent, &mut events).await;
        }
        let mut resolvers_asked = false;
        loop {
            let Some(event) = events.join_next().await else {
                // Without a delegation the resolvers' word is better than nothing.
                if heard.delegation.is_empty() && !std::mem::replace(&mut resolvers_asked, true) {
                    for name in self.discovery.name_servers(zone).await {
                        self.note_name(&name, |_| {}, &mut heard, &mut events);
                    }
                    continue;
                }
                return heard;
            };
            let Ok(event) = event else { continue };
            match event {
                Event::Parent { label, digests, names } => {
                    for name in delegated_names(&names, zone) {
                        heard.delegation.insert(name.clone());
                        self.note_name(&name, |listed| listed.by_parent = true, &mut heard, &mut events);
                    }
                    if let Ok(referral) = &names {
                        heard.glue.extend(glue(referral, self.discovery.port));
                        self.ask_glue(zone, &mut heard, &mut events);
                    }
                    heard.digests.push((label, digests));
                }
                Event::Addresses { name, addresses } => {
                    for address in &addresses.found {
                        self.ask_server(zone, *address, &mut heard, &mut events);
                    }
                    heard.addresses.insert(name, addresses);
                    self.ask_glue(zone, &mut heard, &mut events);
                }
                Event::Server { address, asked, names } => {
                    heard.asked.insert(address, asked);
                    for name in own_names(&names, zone) {
                        heard.own.insert(name.clone());
                        self.note_name(&name, |listed| listed.by_zone = true, &mut heard, &mut events);
                    }
                }
            }
        }
    }

    async fn ask_parent(self: &Arc<Self>, zone: &Name, parent: &Name, events: &mut JoinSet<Event>) {
        for address in self.discovery.servers(parent).await {
            let (walk, wire) = (Arc::clone(self), to_hickory(zone));
            let label = label(parent, Some(address));
            events.spawn(async move {
                let ds = Question::authority(&wire, RecordType::DS);
                let ns = Question::authority(&wire, RecordType::NS);
                let (digests, names) = tokio::join!(walk.asker.ask(address, &ds), walk.asker.ask(address, &ns));
                Event::Parent { label, digests, names }
            });
        }
    }

    /// Asks one address, unless it has been asked already.
    fn ask_server(self: &Arc<Self>, zone: &Name, address: SocketAddr, heard: &mut Heard, events: &mut JoinSet<Event>) {
        let nothing = Asked { soa: Err(Outcome::Unreachable), keys: Err(Outcome::Unreachable) };
        if heard.asked.contains_key(&address) {
            return;
        }
        heard.asked.insert(address, nothing);
        let (walk, wire) = (Arc::clone(self), to_hickory(zone));
        events.spawn(async move {
            let [soa, keys, ns] =
                [RecordType::SOA, RecordType::DNSKEY, RecordType::NS].map(|kind| Question::authority(&wire, kind));
            let (soa, keys, names) = tokio::join!(
                walk.asker.ask(address, &soa),
                walk.asker.ask(address, &keys),
                walk.asker.ask(address, &ns)
            );
            Event::Server { address, asked: Asked { soa, keys }, names }
        });
    }

    /// Where resolvers fail to find an address, the parent's word stands in.
    fn ask_glue(self: &Arc<Self>, zone: &Name, heard: &mut Heard, events: &mut JoinSet<Event>) {
        for (name, address) in heard.glue.clone() {
            let Some(addresses) = heard.addresses.get_mut(&name).filter(|addresses| addresses.incomplete) else {
                continue;
            };
            if self.discovery.wants(address) && !addresses.found.contains(&address) {
                addresses.found.push(address);
                self.ask_server(zone, address, heard, events);
            }
        }
    }

    /// Notes who names a server; a new name's addresses are looked up.
    fn note_name(
        self: &Arc<Self>,
        name: &Name,
        by: impl FnOnce(&mut Listed),
        heard: &mut Heard,
        events: &mut JoinSet<Event>,
    ) {
        if let Some(listed) = heard.names.get_mut(name) {
            return by(listed);
        }
        if heard.names.len() >= NAMES {
            return;
        }
        by(heard.names.entry(name.clone()).or_default());
        let (walk, name) = (Arc::clone(self), name.clone());
        events.spawn(async move {
            let addresses = walk.discovery.addresses(&name).await;
            Event::Addresses { name, addresses }
        });
    }
}

impl Heard {
    /// Every server with each of its addresses, each address once.
    pub(crate) fn servers(&self) -> Vec<(Name, Option<SocketAddr>, Listed)> {
        let mut servers: Vec<(Name, Option<SocketAddr>, Listed)> = Vec::new();
        let mut add = |name: &Name, address: Option<SocketAddr>, listed: Listed| {
            let same = servers.iter_mut().find(|(_, known, _)| address.is_some() && *known == address);
            if let Some((_, _, known)) = same {
                known.by_parent |= listed.by_parent;
                known.by_zone |= listed.by_zone;
                known.by_user |= listed.by_user;
            } else {
                servers.push((name.clone(), address, listed));
            }
        };
        for (name, listed) in &self.names {
            let addresses = self.addresses.get(name).cloned().unwrap_or_default();
            for address in &addresses.found {
                add(name, Some(*address), *listed);
            }
            // An address that could not be looked up may be the one that lags.
            if addresses.incomplete || addresses.found.is_empty() {
                add(name, None, *listed);
            }
        }
        for (name, address) in &self.by_user {
            add(name, Some(*address), Listed { by_user: true, ..Listed::default() });
        }
        servers
    }

    /// Says where the delegation and the zone's own NS set differ.
    pub(crate) fn differences(&self, zone: &Name) -> Vec<Finding> {
        if self.own.is_empty() || self.delegation.is_empty() {
            return Vec::new();
        }
        let list = |names: Vec<&Name>| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let only_above: Vec<&Name> = self.delegation.difference(&self.own).collect();
        let only_below: Vec<&Name> = self.own.difference(&self.delegation).collect();
        let mut sides = Vec::new();
        if !only_above.is_empty() {
            sides.push(format!("only its parent names {}", list(only_above)));
        }
        if !only_below.is_empty() {
            sides.push(format!("only the zone itself names {}", list(only_below)));
        }
        if sides.is_empty() {
            return Vec::new();
        }
        let message = format!("the name servers of {zone} differ: {}", sides.join("; "));
        vec![Finding::new("delegation-differs", Severity::Note, message)]
    }

    /// Whether the limit on name servers was reached.
    pub(crate) fn too_many(&self) -> bool {
        self.names.len() >= NAMES
    }
}

fn own_names(reply: &Reply, zone: &Name) -> Vec<Name> {
    let Ok(message) = reply else { return Vec::new() };
    if message.metadata.authoritative { name_servers(&message.answers, &to_hickory(zone)) } else { Vec::new() }
}

/// How a server is called in findings.
pub(crate) fn label(name: &Name, address: Option<SocketAddr>) -> String {
    match address {
        Some(address) if address.port() == 53 => format!("{name} {}", address.ip()),
        Some(address) => format!("{name} {address}"),
        None => name.to_string(),
    }
}
