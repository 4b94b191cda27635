//! Finding zones and addresses without a resolver: from the root servers down,
//! referral by referral (RFC 1034 section 5.3.3), over the same transport as
//! every other question. What is found are hints whom to ask, like those of a
//! resolver; nothing here is proof.
//!
//! Bounded: a name has at most 127 cuts above it, each cut asks at most
//! [`limits::DESCENT_SERVERS`] servers, name servers without glue are looked up at most
//! [`limits::DEPTH`] levels deep and [`limits::GLUELESS`] at a time, and each question counts
//! against the limit of the whole walk. A referral that does not lead down is
//! not followed.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::task::JoinSet;

use crate::dns::limits;
use crate::dns::trust::anchors::{Anchors, Trust};
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::Asker;
use crate::dns::wire::question::Question;
use crate::dns::wire::reading::{address, delegated_names, glue, name_servers};
use crate::dns::wire::response::Response;
use crate::name::Name;

/// The root servers `a` to `m` of `root-servers.net`, as IANA publishes them.
const HINTS: [(&str, &str); 13] = [
    ("198.41.0.4", "2001:503:ba3e::2:30"),
    ("170.247.170.2", "2801:1b8:10::b"),
    ("192.33.4.12", "2001:500:2::c"),
    ("199.7.91.13", "2001:500:2d::d"),
    ("192.203.230.10", "2001:500:a8::e"),
    ("192.5.5.241", "2001:500:2f::f"),
    ("192.112.36.4", "2001:500:12::d0d"),
    ("198.97.190.53", "2001:500:1::53"),
    ("192.36.148.17", "2001:7fe::53"),
    ("192.58.128.30", "2001:503:c27::2:30"),
    ("193.0.14.129", "2001:7fd::1"),
    ("199.7.83.42", "2001:500:9f::42"),
    ("202.12.27.33", "2001:dc3::35"),
];

/// When the walk goes from the root servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FromRoot {
    /// When no resolver delivers DNSSEC records.
    #[default]
    AsFallback,
    /// In any case.
    Always,
}

/// The addresses of the root servers, IPv4 first.
#[must_use]
pub fn root_hints(port: u16) -> Vec<SocketAddr> {
    let first = HINTS.iter().map(|(v4, _)| v4);
    let all = first.chain(HINTS.iter().map(|(_, v6)| v6));
    let address = |text: &&str| text.parse::<IpAddr>().ok();
    all.filter_map(address)
        .map(|ip| SocketAddr::new(ip, port))
        .collect()
}

/// Whether trust starts at the zone that those root servers serve: a key of
/// IANA's root is among the anchors.
#[must_use]
pub fn trusts_iana(anchors: &Anchors) -> bool {
    let (root, iana) = (anchors.of(&Name::root()), Anchors::iana().of(&Name::root()));
    let same = |trust: &Trust| match trust {
        Trust::Digest(_) => iana.contains(trust),
        Trust::Key(key) => iana.iter().any(|digest| digest.names(&Name::root(), key)),
    };
    root.iter().any(same)
}

/// Which addresses may be asked.
type Wanted = fn(SocketAddr) -> bool;

/// The way down, with what is known of it so far.
pub(crate) struct Descent {
    asker: Arc<Asker>,
    servers: Vec<SocketAddr>,
    port: u16,
    wanted: Wanted,
    /// By name: the zone it is in.
    known: Mutex<HashMap<Name, Arc<Cut>>>,
}

/// A zone and servers of it.
struct Cut {
    zone: Name,
    servers: Vec<SocketAddr>,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Descent {
    pub(crate) fn new(
        asker: Arc<Asker>,
        servers: &[SocketAddr],
        port: u16,
        wanted: Wanted,
    ) -> Self {
        let servers = servers
            .iter()
            .copied()
            .filter(|server| wanted(*server))
            .collect();
        Self {
            asker,
            servers,
            port,
            wanted,
            known: Mutex::default(),
        }
    }

    /// What a server of the zone that the name is in says to the question.
    pub(crate) async fn lookup(&self, name: &Name, kind: RecordType) -> Option<Arc<Response>> {
        let cut = self.cut(name, limits::DEPTH).await?;
        self.ask(&cut, name, kind).await
    }

    /// The zone that the name is in. `None` when nobody on the way answers.
    fn cut<'a>(&'a self, name: &'a Name, depth: usize) -> Boxed<'a, Option<Arc<Cut>>> {
        Box::pin(async move {
            let mut names: Vec<Name> = name.ancestors().collect();
            names.reverse();
            let mut cut = Arc::new(Cut {
                zone: Name::root(),
                servers: self.servers.clone(),
            });
            for at in names.into_iter().skip(1) {
                let known = self.known().get(&at).cloned();
                cut = match known {
                    Some(known) => known,
                    None => {
                        let found = self
                            .below(&cut, &at, depth)
                            .await?
                            .unwrap_or_else(|| Arc::clone(&cut));
                        self.known().insert(at, Arc::clone(&found));
                        found
                    }
                };
            }
            Some(cut)
        })
    }

    /// The zone that begins at this name, if one does; `None` on the outside when
    /// nobody says, or none of its servers is found.
    async fn below(&self, above: &Cut, at: &Name, depth: usize) -> Option<Option<Arc<Cut>>> {
        let message = self.ask(above, at, RecordType::NS).await?;
        let authoritative = message.metadata.authoritative;
        let glue = glue(&message, self.port);
        let names = delegated_names(&Ok(message), at);
        if names.is_empty() {
            return Some(None);
        }
        let zone = at.clone();
        if authoritative {
            // The same servers serve both.
            return Some(Some(Arc::new(Cut {
                zone,
                servers: above.servers.clone(),
            })));
        }
        let ours = |name: &Name| names.contains(name) && name.is_within(&above.zone);
        let mut servers: Vec<SocketAddr> = glue
            .into_iter()
            .filter(|(name, address)| ours(name) && (self.wanted)(*address))
            .map(|(_, a)| a)
            .collect();
        for name in names.iter().take(limits::GLUELESS) {
            if servers.is_empty() && depth > 0 && !name.is_within(at) {
                servers = self.addresses(name, depth - 1).await;
            }
        }
        (!servers.is_empty()).then(|| Some(Arc::new(Cut { zone, servers })))
    }

    async fn addresses(&self, name: &Name, depth: usize) -> Vec<SocketAddr> {
        let Some(cut) = self.cut(name, depth).await else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            let message = self.ask(&cut, name, kind).await;
            let answers = message
                .as_ref()
                .map(|message| message.answers.as_slice())
                .unwrap_or_default();
            let wire = to_hickory(name);
            let ips = answers
                .iter()
                .filter(|record| record.name == wire)
                .filter_map(address);
            found.extend(
                ips.map(|ip| SocketAddr::new(ip, self.port))
                    .filter(|address| (self.wanted)(*address)),
            );
        }
        found
    }

    /// The first useful answer: an authoritative one, or a referral to the name.
    async fn ask(&self, cut: &Cut, name: &Name, kind: RecordType) -> Option<Arc<Response>> {
        let question = Question::authority(&to_hickory(name), kind);
        let useful = |message: &Message| {
            let code = message.metadata.response_code;
            let refers = || !name_servers(&message.authorities, &question.name).is_empty();
            matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
                && (message.metadata.authoritative || refers())
        };
        let servers: Vec<SocketAddr> = cut
            .servers
            .iter()
            .copied()
            .take(limits::DESCENT_SERVERS)
            .collect();
        for few in servers.chunks(limits::DESCENT_AT_ONCE) {
            let mut asking = JoinSet::new();
            for server in few {
                let (asker, server, question) =
                    (Arc::clone(&self.asker), *server, question.clone());
                asking.spawn(async move { asker.ask(server, &question).await });
            }
            while let Some(reply) = asking.join_next().await {
                if let Ok(Ok(message)) = reply
                    && useful(&message)
                {
                    return Some(message);
                }
            }
        }
        None
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<Cut>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_thirteen_root_servers_are_known_with_both_addresses() {
        let hints = root_hints(53);
        assert_eq!(hints.len(), 26);
        assert!(
            hints[..13].iter().all(SocketAddr::is_ipv4)
                && hints[13..].iter().all(SocketAddr::is_ipv6)
        );
        assert_eq!(
            (hints[0].to_string(), hints[25].to_string()),
            ("198.41.0.4:53".into(), "[2001:dc3::35]:53".into())
        );
    }

    #[test]
    fn a_root_of_ones_own_is_not_looked_for_at_ianas_servers() {
        let parse = |text: &str| Anchors::parse(text).unwrap();
        let digest = "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
        for (anchors, expected) in [
            (Anchors::iana(), true),
            (parse(&format!(". IN DS 20326 8 2 {digest}")), true),
            (parse(&format!("example. IN DS 20326 8 2 {digest}")), false),
            (parse(&format!(". IN DS 20327 8 2 {digest}")), false),
        ] {
            assert_eq!(trusts_iana(&anchors), expected, "{anchors:?}");
        }
    }
}
