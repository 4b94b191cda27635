//! Finding things: where zones begin, who serves them, and at which addresses.
//! Hints for whom to ask, never proof. Resolvers are asked first; where they
//! fail, or all of them strip what DNSSEC needs, the way goes down from the root
//! servers, if there are any.
//!
//! Who serves the zone of the answer is proven afterwards, in `named`: its own
//! NS set, and each address of a name server that lies in a signed zone. So a
//! resolver that lies about these makes the walk fail. Not proven by nature are
//! the delegation, which nobody signs, and addresses in unsigned zones, which
//! rest on the resolvers. Nor is it known that an answer came from the address
//! that was asked: whoever sits on the path to the servers can give one
//! server's answers as those of another, signatures and all, and hide that the
//! other one lags. Asking from another place helps against that; DNSSEC does not.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Record, RecordType};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout, timeout_at};

use crate::dns::find::roots::Descent;
use crate::dns::wire::convert::{from_hickory, to_hickory};
use crate::dns::wire::exchange::{Asker, Reply};
use crate::dns::wire::question::{Question, Role};
use crate::dns::wire::reading::{address, delegated_names, glue, name_servers};
use crate::dns::wire::response::Response;
use crate::dns::wire::shared::{Shared, together};
use crate::dns::{Family, FromRoot, Reach, Settings, limits};
use crate::finding::{Finding, Severity};
use crate::name::Name;

/// What resolvers have been asked so far, and whom to ask.
pub(crate) struct Discovery {
    asker: Arc<Asker>,
    resolvers: Vec<SocketAddr>,
    /// Those that deliver DNSSEC records, as far as that matters.
    usable: OnceCell<Arc<[SocketAddr]>>,
    /// A zone that trust starts at, so that it must be signed.
    signed: Name,
    roots: Option<Descent>,
    from_root: FromRoot,
    pub(crate) family: Family,
    pub(crate) port: u16,
    answers: Shared<(Name, RecordType), Option<Arc<Response>>>,
    from_all: Shared<(Name, RecordType), Arc<[Arc<Response>]>>,
    /// The apex of the zone that a name is in, where an answer has told it.
    inside: Mutex<HashMap<Name, Name>>,
    /// Zones that were found without the resolvers, which took too long.
    passed_by: Mutex<HashSet<Name>>,
}

/// Addresses of a name server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    /// Those of the family that is asked for.
    pub(crate) found: Vec<SocketAddr>,
    /// Those of the other family.
    pub(crate) other: Vec<SocketAddr>,
    /// Whether there may be more, because a question had no answer.
    pub(crate) incomplete: bool,
}

/// The addresses at which a zone's servers can be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Servers {
    pub(crate) addresses: Vec<SocketAddr>,
    /// There are more than are looked at.
    pub(crate) over_limit: bool,
}

impl Addresses {
    /// Adds what somebody else says.
    pub(crate) fn unite(&mut self, more: Self) {
        for (all, more) in [(&mut self.found, more.found), (&mut self.other, more.other)] {
            all.extend(more);
            all.sort();
            all.dedup();
        }
        self.incomplete |= more.incomplete;
    }

    /// Whether the address is among them.
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        self.found.contains(&address) || self.other.contains(&address)
    }

    /// Whether there is no address at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && self.other.is_empty()
    }
}

impl Discovery {
    pub(crate) fn new(asker: Arc<Asker>, settings: &Settings, reach: &Reach) -> Self {
        let family = settings.family;
        let wanted = match family {
            Family::Both => |_: SocketAddr| true,
            Family::V4 => |address: SocketAddr| address.is_ipv4(),
            Family::V6 => |address: SocketAddr| address.is_ipv6(),
        };
        let roots = (!reach.roots.is_empty())
            .then(|| Descent::new(Arc::clone(&asker), &reach.roots, settings.dns_port, wanted));
        Self {
            asker,
            resolvers: settings.resolvers.clone(),
            usable: OnceCell::new(),
            signed: settings
                .anchors
                .zones()
                .min_by_key(|zone| zone.labels().count())
                .cloned()
                .unwrap_or(Name::root()),
            roots,
            from_root: reach.from_root,
            family,
            port: settings.dns_port,
            answers: Shared::default(),
            from_all: Shared::default(),
            inside: Mutex::default(),
            passed_by: Mutex::default(),
        }
    }

    /// The resolvers to find things with. One that leaves signatures out, or gives
    /// no answer about a zone that must be signed, is not among them when the root
    /// servers can be asked instead.
    async fn usable(&self) -> Arc<[SocketAddr]> {
        let choose = async {
            match (&self.roots, self.from_root) {
                (None, _) => self.resolvers.clone().into(),
                (Some(_), FromRoot::Always) => Arc::default(),
                (Some(_), FromRoot::AsFallback) => {
                    let replies = self
                        .resolvers_asked(&self.signed, RecordType::SOA, &self.resolvers)
                        .await;
                    let signed = |reply: &Reply| {
                        let answers = reply
                            .as_ref()
                            .map(|message| message.answers.as_slice())
                            .unwrap_or_default();
                        answers
                            .iter()
                            .any(|record| record.record_type() == RecordType::RRSIG)
                    };
                    let usable = self
                        .resolvers
                        .iter()
                        .zip(&replies)
                        .filter(|(_, reply)| signed(reply));
                    usable.map(|(resolver, _)| *resolver).collect()
                }
            }
        };
        Arc::clone(self.usable.get_or_init(|| Box::pin(choose)).await)
    }

    /// What is to be told of the way that was taken.
    pub(crate) fn finding(&self) -> Option<Finding> {
        let none =
            self.roots.is_some() && self.usable.get().is_some_and(|usable| usable.is_empty());
        let message = match self.from_root {
            _ if !none => return None,
            FromRoot::Always => return None,
            FromRoot::AsFallback => {
                "no resolver delivers DNSSEC records, so the walk went from the root servers"
            }
        };
        Some(Finding::new("walked-from-root", Severity::Note, message))
    }

    /// The first usable answer of a resolver, else that of the zone's servers;
    /// `None` when there is none.
    async fn find(&self, name: &Name, kind: RecordType) -> Option<Arc<Response>> {
        let question = Question {
            name: to_hickory(name),
            kind,
            role: Role::Finding,
        };
        let search = async {
            for resolver in self.usable().await.iter() {
                if let Ok(answer) = self.asker.ask(*resolver, &question).await
                    && is_usable(&answer)
                {
                    return Some(answer);
                }
            }
            self.descend(name, kind).await
        };
        self.answers
            .get((name.clone(), kind), Box::pin(search))
            .await
    }

    /// Whether the name is in a zone about which resolvers have no answer in the end.
    async fn is_dark(&self, name: &Name) -> bool {
        let zone = self
            .passed_by()
            .iter()
            .find(|zone| name.is_within(zone))
            .cloned();
        match zone {
            Some(zone) => self.find(&zone, RecordType::SOA).await.is_none(),
            None => false,
        }
    }

    fn passed_by(&self) -> std::sync::MutexGuard<'_, HashSet<Name>> {
        self.passed_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn descend(&self, name: &Name, kind: RecordType) -> Option<Arc<Response>> {
        match &self.roots {
            Some(roots) => roots.lookup(name, kind).await,
            None => None,
        }
    }

    async fn resolvers_asked(
        &self,
        name: &Name,
        kind: RecordType,
        resolvers: &[SocketAddr],
    ) -> Vec<Reply> {
        let asking = resolvers.iter().map(|resolver| {
            let question = Question {
                name: to_hickory(name),
                kind,
                role: Role::Finding,
            };
            let (asker, resolver) = (Arc::clone(&self.asker), *resolver);
            async move { asker.ask(resolver, &question).await }
        });
        together(asking).await
    }

    /// The zones on the way from the root to the name, in that order. Where
    /// resolvers fail, as they do when all of a zone is broken, the servers of
    /// the zone above are asked, and where resolvers hesitate as well: they do when
    /// they wait for servers that are down. When those do not say either, there is
    /// taken to be no cut: a question to the wrong zone gets no authoritative answer.
    ///
    /// # Errors
    ///
    /// The name about which nobody has an answer.
    pub(crate) async fn zones(self: &Arc<Self>, name: &Name) -> Result<Vec<Name>, Name> {
        let patience = self.asker.patience();
        // Of a resolver that answers about the root it is known that it answers.
        let root = Name::root();
        let (apex, _) = tokio::join!(
            timeout(patience, self.apex(name)),
            timeout(patience, self.find(&root, RecordType::SOA))
        );
        let apex = apex.ok().flatten();
        let begins_none = |at: &Name| {
            apex.as_ref()
                .is_some_and(|apex| at != apex && at.is_within(apex))
        };
        let mut names: Vec<Name> = name.ancestors().filter(|at| !begins_none(at)).collect();
        names.reverse();
        let questions = names.iter().map(|name| {
            let (this, name) = (Arc::clone(self), name.clone());
            tokio::spawn(async move { this.find(&name, RecordType::SOA).await })
        });
        let answers: Vec<_> = questions.collect();
        let hesitates = Instant::now() + patience;
        let mut zones: Vec<Name> = Vec::new();
        // The servers of the last zone, where they are known from its delegation.
        let mut servers = None;
        for (at, answer) in names.into_iter().zip(answers) {
            let wire = to_hickory(&at);
            let in_time = match zones.last() {
                None => Ok(answer.await),
                Some(_) => timeout_at(hesitates, answer).await,
            };
            let hesitated = in_time.is_err();
            match (in_time.ok().and_then(Result::ok).flatten(), zones.last()) {
                (Some(answer), _) => {
                    let soa = |record: &Record| {
                        record.record_type() == RecordType::SOA && record.name == wire
                    };
                    if answer.answers.iter().any(soa) {
                        zones.push(at);
                        servers = None;
                    }
                }
                (None, None) => return Err(at),
                (None, Some(above)) => {
                    let asked = match servers.take() {
                        Some(servers) => servers,
                        None => self.servers(above).await.addresses,
                    };
                    servers = Some(match self.delegated(&asked, &at).await {
                        Some(below) => {
                            if hesitated {
                                self.passed_by().insert(at.clone());
                            }
                            zones.push(at);
                            below
                        }
                        None => asked,
                    });
                }
            }
        }
        Ok(zones)
    }

    /// The apex of the zone that the name is in, when the answer about the name
    /// tells: then no name in between begins a zone, and none has to be asked about.
    async fn apex(&self, name: &Name) -> Option<Name> {
        let inside = || self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let known = inside().get(name).cloned();
        if known.is_some() {
            return known;
        }
        let answer = self.find(name, RecordType::SOA).await?;
        let apex = negative_apex(&answer, name)?;
        let between = name.ancestors().take_while(|at| *at != apex);
        inside().extend(between.map(|at| (at, apex.clone())));
        Some(apex)
    }

    /// The addresses of a zone's servers, when one of these servers delegates it.
    async fn delegated(
        self: &Arc<Self>,
        servers: &[SocketAddr],
        zone: &Name,
    ) -> Option<Vec<SocketAddr>> {
        let question = Question::authority(&to_hickory(zone), RecordType::NS);
        let asking = servers.iter().take(limits::FALLBACK_SERVERS).map(|server| {
            let (asker, server, question) = (Arc::clone(&self.asker), *server, question.clone());
            async move { asker.ask(server, &question).await }
        });
        for (reply, server) in together(asking).await.into_iter().zip(servers) {
            let names = delegated_names(&reply, zone);
            let Ok(answer) = reply else { continue };
            if names.is_empty() {
                if answer.metadata.authoritative {
                    return None;
                }
                continue;
            }
            let glue = glue(&answer, self.port);
            let found = glue
                .into_iter()
                .filter(|(name, _)| names.contains(name))
                .map(|(_, address)| address);
            return Some(if answer.metadata.authoritative {
                vec![*server]
            } else {
                found.collect()
            });
        }
        None
    }

    /// The names of the zone's servers.
    pub(crate) async fn name_servers(&self, zone: &Name) -> Vec<Name> {
        let answer = self.find(zone, RecordType::NS).await;
        answer
            .map(|answer| name_servers(&answer.answers, &to_hickory(zone)))
            .unwrap_or_default()
    }

    /// What every resolver that has a usable answer says, else the zone's servers.
    async fn find_all(&self, name: &Name, kind: RecordType) -> Arc<[Arc<Response>]> {
        let search = async {
            let resolvers = if self.is_dark(name).await {
                Arc::default()
            } else {
                self.usable().await
            };
            let replies = self.resolvers_asked(name, kind, &resolvers).await;
            let mut answers: Vec<Arc<Response>> = replies
                .into_iter()
                .flatten()
                .filter(|answer| is_usable(answer))
                .collect();
            if answers.is_empty() {
                answers.extend(self.descend(name, kind).await);
            }
            answers.into()
        };
        self.from_all
            .get((name.clone(), kind), Box::pin(search))
            .await
    }

    /// The addresses of a server, with the port to ask at: those that any of the
    /// resolvers gives, as one of them may keep an old set.
    pub(crate) async fn addresses(&self, name: &Name) -> Addresses {
        let (v4, v6) = tokio::join!(
            self.find_all(name, RecordType::A),
            self.find_all(name, RecordType::AAAA)
        );
        let mut addresses = Addresses::default();
        for (family, answers) in [(Family::V4, v4), (Family::V6, v6)] {
            addresses.incomplete |= answers.is_empty() && self.wanted(family);
            let found = answers
                .iter()
                .flat_map(|answer| &answer.answers)
                .filter_map(address);
            let (found, other) = found
                .map(|ip| SocketAddr::new(ip, self.port))
                .partition(|address| self.wants(*address));
            addresses.unite(Addresses {
                found,
                other,
                incomplete: false,
            });
        }
        addresses
    }

    /// Whether the address is of a family that is asked for.
    pub(crate) fn wants(&self, address: SocketAddr) -> bool {
        self.wanted(if address.is_ipv4() {
            Family::V4
        } else {
            Family::V6
        })
    }

    fn wanted(&self, family: Family) -> bool {
        self.family == Family::Both || self.family == family
    }

    /// Every address of every server of the zone that can be found.
    pub(crate) async fn servers(self: &Arc<Self>, zone: &Name) -> Servers {
        let names = self.name_servers(zone).await;
        let mut over_limit = names.len() > limits::NAME_SERVERS;
        let addresses = names.into_iter().take(limits::NAME_SERVERS).map(|name| {
            let this = Arc::clone(self);
            async move { this.addresses(&name).await.found }
        });
        let mut addresses: Vec<SocketAddr> =
            together(addresses).await.into_iter().flatten().collect();
        addresses.sort();
        addresses.dedup();
        over_limit |= addresses.len() > limits::ADDRESSES;
        addresses.truncate(limits::ADDRESSES);
        Servers {
            addresses,
            over_limit,
        }
    }
}

/// Whether the answer says what is there, or that nothing is.
fn is_usable(answer: &Message) -> bool {
    matches!(
        answer.metadata.response_code,
        ResponseCode::NoError | ResponseCode::NXDomain
    )
}

/// The zone that says that the name has no SOA. Behind an alias it may be another.
fn negative_apex(answer: &Message, name: &Name) -> Option<Name> {
    let soa = answer
        .authorities
        .iter()
        .find(|record| record.record_type() == RecordType::SOA)?;
    let apex = from_hickory(&soa.name);
    (answer.answers.is_empty() && apex != *name && name.is_within(&apex)).then_some(apex)
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::RData;

    use super::*;

    fn record(owner: &str, kind: RecordType, data: &str) -> Record {
        let owner = to_hickory(&Name::from_user(owner).unwrap());
        Record::from_rdata(owner, 60, RData::try_from_str(kind, data).unwrap())
    }

    #[test]
    fn only_a_negative_answer_without_an_alias_tells_the_zone() {
        let name = Name::from_user("_25._tcp.mail.leaf.example").unwrap();
        let soa = |owner: &str| {
            record(
                owner,
                RecordType::SOA,
                "ns.example. nobody.example. 1 1 1 1 1",
            )
        };
        let alias = record(
            "_25._tcp.mail.leaf.example",
            RecordType::CNAME,
            "_dane.example.",
        );
        let answer = |answers: &[Record], authority: &[Record]| {
            let mut message = Message::query();
            message.answers = answers.to_vec();
            message.authorities = authority.to_vec();
            negative_apex(&message, &name).map(|apex| apex.to_string())
        };
        assert_eq!(
            answer(&[], &[soa("leaf.example")]),
            Some("leaf.example.".to_owned())
        );
        assert_eq!(answer(&[], &[soa(".")]), Some(".".to_owned()));
        // `mail.leaf.example` may begin a zone that the alias leads out of.
        assert_eq!(answer(&[alias], &[soa("example")]), None);
        assert_eq!(answer(&[], &[soa("other.example")]), None);
        assert_eq!(answer(&[], &[soa("_25._tcp.mail.leaf.example")]), None);
        assert_eq!(answer(&[], &[]), None);
    }
}
