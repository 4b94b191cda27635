//! The facts that a verdict rests on: what each address of each authoritative
//! name server answered, how far it can be trusted, and what resolvers see.
//! The walk in `dns` fills these in; judging them is not their business.

use std::net::SocketAddr;

use chrono::{DateTime, Utc};

use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::tlsa::Tlsa;

/// How far an answer may be trusted (RFC 4035 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Security {
    /// An unbroken chain of signatures from a trust anchor.
    Secure,
    /// The chain could not be followed: somebody did not answer, or the
    /// algorithm is one we cannot verify.
    Indeterminate,
    /// The chain ends before the zone: a delegation without DS.
    Insecure,
    /// A signature that should be there is missing, expired or wrong.
    Bogus,
}

impl Security {
    /// The word in JSON and in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Secure => "secure",
            Self::Indeterminate => "indeterminate",
            Self::Insecure => "insecure",
            Self::Bogus => "bogus",
        }
    }
}

/// What came back when one address was asked one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An authoritative answer with records.
    Answered,
    /// An authoritative answer: the name is there, the type is not.
    NoData,
    /// An authoritative answer: there is no such name.
    NoName,
    /// An answer without AA, or a referral to somebody else.
    NotAuthoritative,
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// Any other response code.
    OtherCode(u16),
    /// Truncated over UDP, and TCP did not work.
    TruncatedWithoutTcp,
    /// An answer that is not one to the question, or cannot be read.
    Malformed,
    /// No answer within the time and tries allowed.
    Unreachable,
}

impl Outcome {
    /// The word in JSON and in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoData => "no-data",
            Self::NoName => "no-name",
            Self::NotAuthoritative => "not-authoritative",
            Self::ServFail => "servfail",
            Self::Refused => "refused",
            Self::OtherCode(_) => "error-code",
            Self::TruncatedWithoutTcp => "truncated-without-tcp",
            Self::Malformed => "malformed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// A response code as servers and their tools write it (RFC 6895 section 2.3).
#[must_use]
pub fn code_name(code: u16) -> String {
    const FIRST: [&str; 12] = [
        "NOERROR",
        "FORMERR",
        "SERVFAIL",
        "NXDOMAIN",
        "NOTIMP",
        "REFUSED",
        "YXDOMAIN",
        "YXRRSET",
        "NXRRSET",
        "NOTAUTH",
        "NOTZONE",
        "DSOTYPENI",
    ];
    const EXTENDED: [&str; 8] = [
        "BADVERS",
        "BADKEY",
        "BADTIME",
        "BADMODE",
        "BADNAME",
        "BADALG",
        "BADTRUNC",
        "BADCOOKIE",
    ];
    let extended = || EXTENDED.get(usize::from(code).checked_sub(16)?);
    match FIRST.get(usize::from(code)).or_else(extended) {
        Some(name) => (*name).to_owned(),
        None => format!("with response code {code}"),
    }
}

/// Where a name server is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Listed {
    /// In the parent's delegation.
    pub by_parent: bool,
    /// In the zone's own NS set, at one of its servers at least.
    pub by_zone: bool,
    /// By the user, with `--name-server`.
    pub by_user: bool,
}

/// One address of one authoritative name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAnswer {
    /// The name server's name.
    pub name: Name,
    /// The address that was asked. `None` when the name has no address: then
    /// the outcome is `Unreachable`.
    pub address: Option<SocketAddr>,
    /// Who names it.
    pub listed: Listed,
    /// What came back for TLSA (or for the alias) at the owner.
    pub outcome: Outcome,
    /// The weakest of the answer's own proof and that of the zone's keys as
    /// this server gives them. For `NoData` and `NoName`, that of the SOA.
    pub security: Security,
    /// Serial of the zone's SOA as this server gives it.
    pub serial: Option<u32>,
    /// TTL of the TLSA set as served, in seconds.
    pub ttl: Option<u32>,
    /// The original TTL that the signature states (RFC 4034 section 3.1.4);
    /// larger than `ttl` where a cache stands before the server.
    pub original_ttl: Option<u32>,
    /// How long absence is cached (RFC 2308 section 5), from the SOA: the
    /// smaller of its TTL and its minimum field, in seconds.
    pub negative_ttl: Option<u32>,
    /// The TLSA set, in a canonical order, without repeats.
    pub records: Vec<Tlsa>,
    /// Where the owner leads instead, when it is a CNAME.
    pub alias: Option<Name>,
    /// The first moment at which a signature that the answer needs expires.
    pub signature_expires: Option<DateTime<Utc>>,
    /// The last moment at which a signature over the TLSA set itself expires:
    /// until then the set can be replayed, whatever becomes of the other
    /// signatures. `None` where there is no set, or nobody looked.
    pub set_signature_expires: Option<DateTime<Utc>>,
    /// What is worth telling about this answer. `Bogus` and `Insecure` always
    /// have their reason here.
    pub findings: Vec<Finding>,
}

/// One zone on the way from the trust anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The zone's apex.
    pub zone: Name,
    /// How far its keys can be trusted, everything above included.
    pub security: Security,
    /// Why, where it is not secure.
    pub findings: Vec<Finding>,
}

/// What was found at one owner: the asked one, or where an alias led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The owner that was asked for.
    pub owner: Name,
    /// The zone that holds it.
    pub zone: Name,
    /// The zones from the trust anchor down to `zone`, in that order.
    pub chain: Vec<Link>,
    /// Every address of every authoritative server of `zone`.
    pub servers: Vec<ServerAnswer>,
    /// About the hop as a whole: `delegation-differs`, say.
    pub findings: Vec<Finding>,
}

/// What one resolver answers now. Information, never proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverAnswer {
    /// The resolver.
    pub address: SocketAddr,
    /// What came back.
    pub outcome: Outcome,
    /// Whether the resolver says it has validated the answer (AD).
    pub authenticated: bool,
    /// The seconds for which it will still give this answer.
    pub ttl: Option<u32>,
    /// The TLSA set it gives.
    pub records: Vec<Tlsa>,
    /// What is worth telling.
    pub findings: Vec<Finding>,
}

/// All that was found out about one owner at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The owner of the TLSA set.
    pub owner: Name,
    /// The asked owner first, then each alias target in turn. Empty when not
    /// even the zone was found; the reason is in `findings`.
    pub hops: Vec<Hop>,
    /// The resolvers that were asked.
    pub resolvers: Vec<ResolverAnswer>,
    /// How the host's own address records are protected (RFC 7672 section
    /// 2.2.2): without that, senders do not look for TLSA at all. `None` when
    /// nobody asked.
    pub host: Option<Security>,
    /// About the whole: that no resolver answered, say.
    pub findings: Vec<Finding>,
}

impl ServerAnswer {
    /// Whether the server answered the question, rightly or wrongly.
    #[must_use]
    pub fn answered(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Answered | Outcome::NoData | Outcome::NoName
        )
    }

    /// Whether nothing at all is known from the server: it did not answer, gave no
    /// serial either, and none of its other answers was wrong.
    #[must_use]
    pub fn silent(&self) -> bool {
        self.outcome == Outcome::Unreachable
            && self.serial.is_none()
            && !matches!(self.security, Security::Bogus | Security::Insecure)
            && self
                .findings
                .iter()
                .all(|finding| finding.severity < Severity::Unsafe)
    }

    /// How the server is named in findings: `ns2.example.net. 192.0.2.53`.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.name, self.address)
    }
}

impl Evidence {
    /// Whether a server of this hop serves what is expected of it, secure: the whole
    /// expected set, or the alias that leads there.
    #[must_use]
    pub fn serves(&self, hop: usize, server: &ServerAnswer, expected: &[Tlsa]) -> bool {
        server.outcome == Outcome::Answered
            && server.security == Security::Secure
            && match self.hops.get(hop + 1) {
                Some(next) => server.alias.as_ref() == Some(&next.owner),
                None => server.alias.is_none() && !lacks_any(&server.records, expected),
            }
    }
}

impl Hop {
    /// How one of its servers is remembered: the owner that was asked, the name, the address.
    #[must_use]
    pub fn server_key(&self, server: &ServerAnswer) -> String {
        match server.address {
            Some(address) => format!("{} {} {address}", self.owner, server.name),
            None => format!("{} {}", self.owner, server.name),
        }
    }
}

/// Whether a set lacks one of these records.
#[must_use]
pub fn lacks_any(records: &[Tlsa], expected: &[Tlsa]) -> bool {
    expected.iter().any(|record| !records.contains(record))
}

/// How a server is named in findings: `ns2.example.net. 192.0.2.53`.
#[must_use]
pub fn label(name: &Name, address: Option<SocketAddr>) -> String {
    match address {
        Some(address) => format!("{name} {}", address_text(address)),
        None => name.to_string(),
    }
}

/// An address, with its port only when that is not the one of the DNS.
#[must_use]
pub fn address_text(address: SocketAddr) -> String {
    if address.port() == 53 {
        address.ip().to_string()
    } else {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_codes_have_the_names_that_people_know() {
        for (code, name) in [
            (1, "FORMERR"),
            (4, "NOTIMP"),
            (9, "NOTAUTH"),
            (11, "DSOTYPENI"),
            (12, "with response code 12"),
            (16, "BADVERS"),
            (23, "BADCOOKIE"),
            (24, "with response code 24"),
            (3841, "with response code 3841"),
        ] {
            assert_eq!(code_name(code), name);
        }
    }
}
