//! Evidence for tests: a zone that is as it should be, to be spoiled.

use std::net::SocketAddr;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use crate::name::Name;
use crate::propagation::BUILT;
use crate::propagation::evidence::{
    Evidence, Hop, Link, Listed, Outcome, ResolverAnswer, Security, ServerAnswer,
};
use crate::tlsa::{Matching, Params, Selector, Tlsa, Usage};

pub(crate) const TTL: u32 = 3600;

pub(crate) fn name(text: &str) -> Name {
    Name::from_user(text).unwrap()
}

/// A time on the day after the build.
pub(crate) fn at(time: &str) -> DateTime<Utc> {
    let time: NaiveTime = time.parse().unwrap();
    (BUILT + TimeDelta::days(1))
        .date_naive()
        .and_time(time)
        .and_utc()
}

/// The `3 1 1` record of a key with this name.
pub(crate) fn key(name: &str) -> Tlsa {
    Tlsa::of(name.as_bytes(), Params::default()).unwrap()
}

/// The record of a key with other parameters.
pub(crate) fn key_as(name: &str, usage: u8, selector: u8, matching: u8) -> Tlsa {
    let params = Params {
        usage: Usage(usage),
        selector: Selector(selector),
        matching: Matching(matching),
    };
    Tlsa::of(name.as_bytes(), params).unwrap()
}

/// The address of a server by its number.
pub(crate) fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 53))
}

/// A server that serves these records, secure, with life in its signatures.
pub(crate) fn server(number: u8, records: &[Tlsa]) -> ServerAnswer {
    let mut records = records.to_vec();
    records.sort();
    let listed = Listed {
        by_parent: true,
        by_zone: true,
        by_user: false,
    };
    ServerAnswer {
        name: name(&format!("ns{number}.example.net")),
        address: Some(address(number)),
        listed,
        outcome: if records.is_empty() {
            Outcome::NoData
        } else {
            Outcome::Answered
        },
        security: Security::Secure,
        serial: Some(2_026_112_001),
        ttl: (!records.is_empty()).then_some(TTL),
        original_ttl: (!records.is_empty()).then_some(TTL),
        negative_ttl: Some(300),
        records,
        alias: None,
        signature_expires: Some(BUILT + TimeDelta::days(14)),
        set_signature_expires: Some(BUILT + TimeDelta::days(15)),
        findings: Vec::new(),
    }
}

/// A server that gave no answer to judge.
pub(crate) fn failing(number: u8, outcome: Outcome) -> ServerAnswer {
    let none = server(number, &[]);
    ServerAnswer {
        outcome,
        security: Security::Indeterminate,
        serial: None,
        signature_expires: None,
        ..none
    }
}

/// A server with an alias at the owner.
pub(crate) fn alias(number: u8, target: &str) -> ServerAnswer {
    let none = server(number, &[]);
    ServerAnswer {
        outcome: Outcome::Answered,
        ttl: Some(TTL),
        alias: Some(name(target)),
        ..none
    }
}

/// What these servers say about `_25._tcp.<host>` in `zone`.
pub(crate) fn hop(owner: &str, zone: &str, servers: Vec<ServerAnswer>) -> Hop {
    let link = |zone: Name| Link {
        zone,
        security: Security::Secure,
        findings: Vec::new(),
    };
    let chain = vec![link(Name::root()), link(name(zone))];
    Hop {
        owner: name(owner),
        zone: name(zone),
        chain,
        servers,
        findings: Vec::new(),
    }
}

/// What these servers say about the usual owner.
pub(crate) fn evidence(servers: Vec<ServerAnswer>) -> Evidence {
    let hop = hop("_25._tcp.mail.example.com", "example.com", servers);
    Evidence {
        owner: hop.owner.clone(),
        hops: vec![hop],
        resolvers: Vec::new(),
        host: None,
        findings: Vec::new(),
    }
}

/// The usual owner as an alias into another zone, with that zone's servers.
pub(crate) fn aliased(first: Vec<ServerAnswer>, second: Vec<ServerAnswer>) -> Evidence {
    let mut evidence = evidence(first);
    evidence
        .hops
        .push(hop("tlsa.provider.example", "provider.example", second));
    evidence
}

/// A validating resolver that gives these records for so many seconds.
pub(crate) fn resolver(records: &[Tlsa], ttl: u32) -> ResolverAnswer {
    ResolverAnswer {
        address: SocketAddr::from(([127, 0, 0, 1], 53)),
        outcome: if records.is_empty() {
            Outcome::NoData
        } else {
            Outcome::Answered
        },
        authenticated: true,
        ttl: Some(ttl),
        records: records.to_vec(),
        findings: Vec::new(),
    }
}
