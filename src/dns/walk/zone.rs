//! The zone that holds an answer, at every address of every server that the
//! parent, the zone itself or the user names: its keys and SOA as each gives
//! them, and how far each one's keys are proven. All are asked at once, and a
//! server that one of them names is asked as soon as it is known. How far it is
//! proven that these are the servers is found out in `named`.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::rr::RecordType;
use tokio::task::JoinSet;

use crate::dns::find::discovery::Addresses;
use crate::dns::find::server_list::{Asked, ServerList};
use crate::dns::limits;
use crate::dns::trust::chain::Chain;
use crate::dns::walk::context::Walk;
use crate::dns::walk::facts::Facts;
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::Reply;
use crate::dns::wire::question::Question;
use crate::dns::wire::reading::{Answer, address, delegated_names, glue, name_servers};
use crate::dns::wire::shared::together;
use crate::name::Name;
use crate::propagation::evidence::{Listed, Outcome, label};

enum Event {
    Parent {
        label: String,
        digests: Reply,
        names: Reply,
        keys: Reply,
    },
    Addresses {
        name: Name,
        addresses: Addresses,
    },
    Server {
        address: SocketAddr,
        asked: Asked,
        names: Reply,
    },
    Own {
        name: Name,
        addresses: Vec<SocketAddr>,
    },
}

impl Walk {
    /// The facts about `zones[last]`, gathered once.
    pub(crate) async fn facts(
        self: &Arc<Self>,
        zones: Arc<[Name]>,
        with_user: bool,
    ) -> Option<Arc<Facts>> {
        let zone = zones.last()?.clone();
        let this = Arc::clone(self);
        let key = (zone.clone(), with_user);
        Some(
            self.zones
                .get(key, async move {
                    Arc::new(this.collect_facts(&zone, zones, with_user).await)
                })
                .await,
        )
    }

    async fn collect_facts(
        self: &Arc<Self>,
        zone: &Name,
        zones: Arc<[Name]>,
        with_user: bool,
    ) -> Facts {
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
        let names: Vec<Name> = heard.names.keys().cloned().collect();
        let mut facts = self.judge_zone(zone, parent.as_ref(), &trusted, &chain, heard);
        let unproven = self.unproven(&facts, &names).await;
        facts.findings.extend(unproven);
        facts
    }

    /// Asks the parent's servers and the zone's until none is left.
    async fn hear(
        self: &Arc<Self>,
        zone: &Name,
        parent: Option<&Name>,
        with_user: bool,
    ) -> ServerList {
        let mut heard = ServerList::default();
        let mut events = JoinSet::new();
        if with_user {
            for (name, address) in &self.name_servers {
                heard.by_user.push((name.clone(), *address));
                self.ask_server(zone, *address, &mut heard, &mut events);
            }
        }
        if let Some(parent) = parent {
            self.ask_parent(zone, parent, &mut heard, &mut events).await;
        }
        let mut resolvers_asked = false;
        loop {
            let Some(event) = events.join_next().await else {
                // Without a delegation the resolvers' word is better than nothing.
                if heard.delegation.is_empty() && !std::mem::replace(&mut resolvers_asked, true) {
                    for name in self.discovery.name_servers(zone).await {
                        self.note_name(zone, &name, |_| {}, &mut heard, &mut events);
                    }
                    continue;
                }
                return heard;
            };
            let Ok(event) = event else { continue };
            match event {
                Event::Parent {
                    label,
                    digests,
                    names,
                    keys,
                } => {
                    for name in delegated_names(&names, zone) {
                        heard.delegation.insert(name.clone());
                        self.note_name(
                            zone,
                            &name,
                            |listed| listed.by_parent = true,
                            &mut heard,
                            &mut events,
                        );
                    }
                    if let Ok(referral) = &names {
                        heard.note_glue(glue(referral, self.discovery.port));
                    }
                    heard.parent_keys.push((label.clone(), keys));
                    heard.digests.push((label, digests));
                }
                Event::Addresses { name, addresses } => {
                    heard.note_addresses(&name, addresses);
                }
                Event::Own { name, addresses } => {
                    let (found, other) = addresses
                        .into_iter()
                        .partition(|address| self.discovery.wants(*address));
                    heard.note_addresses(
                        &name,
                        Addresses {
                            found,
                            other,
                            incomplete: false,
                        },
                    );
                }
                Event::Server {
                    address,
                    asked,
                    names,
                } => {
                    let own = own_names(&names, zone);
                    let answers = matches!(
                        Answer::by_authority(&asked.soa, zone, zone, RecordType::SOA),
                        Answer::Records(_)
                    );
                    if own.is_empty() && answers {
                        heard.unnamed.insert(address);
                    }
                    heard.asked.insert(address, asked);
                    heard.replied.insert(address);
                    for name in own {
                        heard.own.insert(name.clone());
                        self.note_name(
                            zone,
                            &name,
                            |listed| listed.by_zone = true,
                            &mut heard,
                            &mut events,
                        );
                    }
                }
            }
            self.ask_glue(&mut heard);
            for address in heard.every_address() {
                self.ask_server(zone, address, &mut heard, &mut events);
            }
            self.ask_own(zone, &mut heard, &mut events);
        }
    }

    async fn ask_parent(
        self: &Arc<Self>,
        zone: &Name,
        parent: &Name,
        heard: &mut ServerList,
        events: &mut JoinSet<Event>,
    ) {
        let servers = self.discovery.servers(parent).await;
        heard.parent_over_limit = servers.over_limit;
        for address in servers.addresses {
            let (walk, wire, above) = (Arc::clone(self), to_hickory(zone), to_hickory(parent));
            let label = label(parent, Some(address));
            events.spawn(async move {
                let ds = Question::authority(&wire, RecordType::DS);
                let ns = Question::authority(&wire, RecordType::NS);
                let dnskey = Question::authority(&above, RecordType::DNSKEY);
                let (digests, names, keys) = tokio::join!(
                    walk.asker.ask(address, &ds),
                    walk.asker.ask(address, &ns),
                    walk.asker.ask(address, &dnskey)
                );
                Event::Parent {
                    label,
                    digests,
                    names,
                    keys,
                }
            });
        }
    }

    /// Asks one address, unless it has been asked already.
    fn ask_server(
        self: &Arc<Self>,
        zone: &Name,
        address: SocketAddr,
        heard: &mut ServerList,
        events: &mut JoinSet<Event>,
    ) {
        let nothing = Asked {
            soa: Err(Outcome::Unreachable),
            keys: Err(Outcome::Unreachable),
        };
        if heard.asked.contains_key(&address) {
            return;
        }
        if heard.asked.len() >= limits::ADDRESSES {
            heard.over_limit = true;
            return;
        }
        heard.asked.insert(address, nothing);
        let (walk, wire) = (Arc::clone(self), to_hickory(zone));
        events.spawn(async move {
            let [soa, keys, ns] = [RecordType::SOA, RecordType::DNSKEY, RecordType::NS]
                .map(|kind| Question::authority(&wire, kind));
            let (soa, keys, names) = tokio::join!(
                walk.asker.ask(address, &soa),
                walk.asker.ask(address, &keys),
                walk.asker.ask(address, &ns)
            );
            Event::Server {
                address,
                asked: Asked { soa, keys },
                names,
            }
        });
    }

    /// Takes the parent's word for an address beside that of resolvers: whoever
    /// follows the delegation asks there, whatever the zone itself says.
    fn ask_glue(&self, heard: &mut ServerList) {
        for (name, address) in &heard.glue {
            if heard.addresses.contains_key(name) || heard.delegation.contains(name) {
                let addresses = heard.from_glue.entry(name.clone()).or_default();
                let to = if self.discovery.wants(*address) {
                    &mut addresses.found
                } else {
                    &mut addresses.other
                };
                if !to.contains(address) {
                    to.push(*address);
                }
            }
        }
    }

    /// Asks each server that has replied for the addresses of the servers that
    /// lie in the zone itself: what resolvers keep of them may be old.
    fn ask_own(self: &Arc<Self>, zone: &Name, heard: &mut ServerList, events: &mut JoinSet<Event>) {
        let inside: Vec<Name> = heard
            .names
            .keys()
            .filter(|name| name.is_within(zone))
            .cloned()
            .collect();
        for server in heard.replied.clone() {
            for name in &inside {
                if heard.own_asked.contains(&(server, name.clone())) {
                    continue;
                }
                if heard.own_asked.len() >= limits::OWN_ADDRESSES {
                    heard.over_limit = true;
                    return;
                }
                heard.own_asked.insert((server, name.clone()));
                let (walk, zone, name) = (Arc::clone(self), zone.clone(), name.clone());
                events.spawn(async move {
                    let addresses = walk.own_addresses(server, &zone, &name).await;
                    Event::Own { name, addresses }
                });
            }
        }
    }

    /// The addresses that one server of the zone gives for a name in it.
    async fn own_addresses(
        self: &Arc<Self>,
        server: SocketAddr,
        zone: &Name,
        name: &Name,
    ) -> Vec<SocketAddr> {
        let kinds = [RecordType::A, RecordType::AAAA];
        let replies = together(kinds.map(|kind| {
            let (walk, question) = (
                Arc::clone(self),
                Question::authority(&to_hickory(name), kind),
            );
            async move { walk.asker.ask(server, &question).await }
        }));
        let mut found = Vec::new();
        for (reply, kind) in replies.await.iter().zip(kinds) {
            if let Answer::Records(set) = Answer::by_authority(reply, zone, name, kind) {
                let ips = set.records.iter().filter_map(address);
                found.extend(ips.map(|ip| SocketAddr::new(ip, self.discovery.port)));
            }
        }
        found
    }

    /// The addresses that the servers of the name's own zone give, where that is
    /// another zone: what resolvers keep of them may be old as well.
    async fn addresses_elsewhere(self: &Arc<Self>, zone: &Name, name: &Name) -> Addresses {
        let zones = self.discovery.zones(name).await.unwrap_or_default();
        let Some(at) = zones.last().filter(|at| *at != zone) else {
            return Addresses::default();
        };
        let asking = self
            .discovery
            .servers(at)
            .await
            .addresses
            .into_iter()
            .map(|server| {
                let (walk, at, name) = (Arc::clone(self), at.clone(), name.clone());
                async move { walk.own_addresses(server, &at, &name).await }
            });
        let all = together(asking).await.into_iter().flatten();
        let (found, other) = all.partition(|address| self.discovery.wants(*address));
        Addresses {
            found,
            other,
            incomplete: false,
        }
    }

    /// Notes who names a server; a new name's addresses are looked up.
    fn note_name(
        self: &Arc<Self>,
        zone: &Name,
        name: &Name,
        by: impl FnOnce(&mut Listed),
        heard: &mut ServerList,
        events: &mut JoinSet<Event>,
    ) {
        if let Some(listed) = heard.names.get_mut(name) {
            return by(listed);
        }
        if heard.names.len() >= limits::NAME_SERVERS {
            heard.over_limit = true;
            return;
        }
        by(heard.names.entry(name.clone()).or_default());
        let (walk, zone, name) = (Arc::clone(self), zone.clone(), name.clone());
        events.spawn(async move {
            // What the addresses rest on is wanted later, and may as well be found out now.
            let rest = async {
                if !name.is_within(&zone) {
                    drop(walk.rest(&name).await);
                }
            };
            let (mut addresses, more, ()) = tokio::join!(
                walk.discovery.addresses(&name),
                walk.addresses_elsewhere(&zone, &name),
                rest
            );
            addresses.unite(more);
            Event::Addresses { name, addresses }
        });
    }
}

fn own_names(reply: &Reply, zone: &Name) -> Vec<Name> {
    let Ok(message) = reply else {
        return Vec::new();
    };
    if message.metadata.authoritative {
        name_servers(&message.answers, &to_hickory(zone))
    } else {
        Vec::new()
    }
}
