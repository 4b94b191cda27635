//! Finding things through resolvers: where zones begin, who serves them, and
//! at which addresses. Hints for whom to ask, never proof: a resolver that lies
//! can make the walk fail, not succeed.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, RecordType};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::dns::Family;
use crate::dns::convert::to_hickory;
use crate::dns::exchange::{Asker, Manner, Question};
use crate::dns::reading::name_servers;
use crate::name::Name;

/// What resolvers have been asked so far, and whom to ask.
pub(crate) struct Discovery {
    asker: Arc<Asker>,
    resolvers: Vec<SocketAddr>,
    family: Family,
    port: u16,
    answers: Shared<(Name, RecordType), Option<Arc<Message>>>,
}

/// Addresses of a name server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    /// Those of the family that is asked for.
    pub(crate) found: Vec<SocketAddr>,
    /// Whether there may be more, because a question had no answer.
    pub(crate) incomplete: bool,
}

impl Discovery {
    pub(crate) fn new(asker: Arc<Asker>, resolvers: Vec<SocketAddr>, family: Family, port: u16) -> Self {
        Self { asker, resolvers, family, port, answers: Shared::default() }
    }

    /// The first usable answer of a resolver; `None` when none has one.
    async fn find(&self, name: &Name, kind: RecordType) -> Option<Arc<Message>> {
        let question = Question { name: to_hickory(name), kind, manner: Manner::Finding };
        let search = async {
            for resolver in &self.resolvers {
                if let Ok(answer) = self.asker.ask(*resolver, &question).await
                    && matches!(answer.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
                {
                    return Some(Arc::new(answer));
                }
            }
            None
        };
        self.answers.get((name.clone(), kind), search).await
    }

    /// The zones on the way from the root to the name, in that order. A name
    /// for which resolvers fail while they know those above (an alias in a
    /// circle, say) counts as part of the zone above: its servers know better.
    ///
    /// # Errors
    ///
    /// The name for which no resolver has an answer.
    pub(crate) async fn zones(self: &Arc<Self>, name: &Name) -> Result<Vec<Name>, Name> {
        let mut names: Vec<Name> = name.ancestors().collect();
        names.reverse();
        let questions = names.iter().map(|name| {
            let (this, name) = (Arc::clone(self), name.clone());
            async move { this.find(&name, RecordType::SOA).await }
        });
        let answers = together(questions).await;
        let mut zones = Vec::new();
        for (at, answer) in names.into_iter().zip(answers) {
            let Some(answer) = answer else {
                if at == *name && !zones.is_empty() {
                    break;
                }
                return Err(at);
            };
            let wire = to_hickory(&at);
            if answer.answers.iter().any(|record| record.record_type() == RecordType::SOA && record.name == wire) {
                zones.push(at);
            }
        }
        Ok(zones)
    }

    /// The names of the zone's servers.
    pub(crate) async fn name_servers(&self, zone: &Name) -> Vec<Name> {
        let answer = self.find(zone, RecordType::NS).await;
        answer.map(|answer| name_servers(&answer.answers, &to_hickory(zone))).unwrap_or_default()
    }

    /// The addresses of a server, with the port to ask at.
    pub(crate) async fn addresses(&self, name: &Name) -> Addresses {
        let wanted = |family| self.family == Family::Both || self.family == family;
        let of = async |family, kind| if wanted(family) { Some(self.find(name, kind).await) } else { None };
        let (v4, v6) = tokio::join!(of(Family::V4, RecordType::A), of(Family::V6, RecordType::AAAA));
        let mut addresses = Addresses::default();
        for answer in [v4, v6].into_iter().flatten() {
            let Some(answer) = answer else {
                addresses.incomplete = true;
                continue;
            };
            for record in &answer.answers {
                let address: IpAddr = match &record.data {
                    RData::A(address) => address.0.into(),
                    RData::AAAA(address) => address.0.into(),
                    _ => continue,
                };
                addresses.found.push(SocketAddr::new(address, self.port));
            }
        }
        addresses.found.sort();
        addresses.found.dedup();
        addresses
    }

    /// Every address of every server of the zone that can be found.
    pub(crate) async fn servers(self: &Arc<Self>, zone: &Name) -> Vec<SocketAddr> {
        let names = self.name_servers(zone).await;
        let addresses = names.into_iter().map(|name| {
            let this = Arc::clone(self);
            async move { this.addresses(&name).await.found }
        });
        let mut servers: Vec<SocketAddr> = together(addresses).await.into_iter().flatten().collect();
        servers.sort();
        servers.dedup();
        servers
    }
}

/// Values that many want and one makes.
pub(crate) struct Shared<K, V> {
    cells: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self { cells: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Shared<K, V> {
    /// The value of the key, made now if nobody has made it yet.
    pub(crate) async fn get(&self, key: K, make: impl Future<Output = V>) -> V {
        let cell = Arc::clone(self.cells.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        cell.get_or_init(|| make).await.clone()
    }
}

/// Runs all of them at once; results in the order given.
pub(crate) async fn together<T, F>(futures: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut running = JoinSet::new();
    for (index, future) in futures.into_iter().enumerate() {
        running.spawn(async move { (index, future.await) });
    }
    let mut results = running.join_all().await;
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
