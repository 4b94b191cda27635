//! What is known of a zone and of each of its servers.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use chrono::{DateTime, Utc};
use hickory_proto::dnssec::Algorithm;
use hickory_proto::dnssec::rdata::DNSKEY;

use crate::dns::trust::proof::Proof;
use crate::dns::trust::proof_cache::ProofCache;
use crate::dns::wire::exchange::Reply;
use crate::finding::Finding;
use crate::name::Name;
use crate::propagation::evidence::{Link, Listed};

/// What is known of a zone and its servers.
pub(crate) struct Facts {
    pub(crate) zone: Name,
    /// From the anchor down to this zone.
    pub(crate) chain: Vec<Link>,
    /// What no server's answer can be more than, whatever its signatures.
    pub(crate) ceiling: Option<Proof>,
    /// When the first signature over its parent's digests expires.
    pub(crate) expires: Option<DateTime<Utc>>,
    /// The algorithms that the parent names, each of which is to sign everything.
    pub(crate) algorithms: Vec<Algorithm>,
    /// The key sets that are proven, each once.
    pub(crate) key_sets: Vec<KeySet>,
    pub(crate) servers: Vec<Server>,
    pub(crate) findings: Vec<Finding>,
    /// What was found under these keys.
    pub(crate) proofs: ProofCache,
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

/// What the addresses of a name server rest on.
#[derive(Clone, Debug)]
pub(crate) enum Rest {
    /// Signatures, from the trust anchor down, over these.
    Proof(BTreeSet<IpAddr>),
    /// What resolvers say: no anchor is above, or the zone is proven to be unsigned.
    Resolvers,
    /// Nothing that holds, for this reason.
    Nothing(String),
}
