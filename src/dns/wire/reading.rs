//! What an answer says, before it is asked whether that is true: records, an
//! alias, absence, a referral, or a refusal. Referrals and cached answers are
//! not authoritative, whatever their code (RFC 1034 section 4.3.1).

use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{DNSClass, Name as WireName, RData, Record, RecordType};

use crate::dns::wire::convert::{from_hickory, to_hickory};
use crate::dns::wire::exchange::Reply;
use crate::dns::wire::rrset::RrSet;
use crate::name::Name;
use crate::propagation::evidence::Outcome;

/// What an authority says to a question about a name in its zone.
pub(crate) enum Answer {
    /// These records.
    Records(RrSet),
    /// The name is an alias of another.
    Alias { set: RrSet, target: Name },
    /// The name lies below a DNAME (RFC 6672): an alias that is not proven here.
    Renamed { target: Option<Name> },
    /// The name is there, the type is not.
    NoData,
    /// There is no such name.
    NoName,
    /// Something else, or nothing.
    Failed(Outcome),
}

impl Answer {
    /// Reads the reply of a server of the zone.
    pub(crate) fn by_authority(reply: &Reply, zone: &Name, name: &Name, kind: RecordType) -> Self {
        let message = match reply {
            Ok(message) => message,
            Err(outcome) => return Self::Failed(*outcome),
        };
        let code = message.metadata.response_code;
        if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
            return Self::Failed(failure(code));
        }
        if !message.metadata.authoritative {
            return Self::Failed(Outcome::NotAuthoritative);
        }
        let wire = to_hickory(name);
        let records = RrSet::find(&message.answers, &wire, kind);
        let alias = RrSet::find(&message.answers, &wire, RecordType::CNAME);
        match (records, alias) {
            (Some(_), Some(_)) => Self::Failed(Outcome::Malformed),
            (Some(records), None) if code == ResponseCode::NoError => {
                Self::Records(records.with_denials(&message.authorities))
            }
            (Some(_), None) => Self::Failed(Outcome::Malformed),
            (None, Some(set)) => {
                let target = cname(&set);
                let renamed = message
                    .answers
                    .iter()
                    .any(|r| r.record_type() == RecordType::DNAME && r.name.zone_of(&wire));
                match target {
                    target if renamed => Self::Renamed { target },
                    Some(target) => Self::Alias {
                        set: set.with_denials(&message.authorities),
                        target,
                    },
                    None => Self::Failed(Outcome::Malformed),
                }
            }
            (None, None) => Self::absence(message, zone, code),
        }
    }

    fn absence(message: &Message, zone: &Name, code: ResponseCode) -> Self {
        if !message.answers.is_empty() {
            return Self::Failed(Outcome::Malformed);
        }
        let by_another = message
            .authorities
            .iter()
            .any(|record| match record.record_type() {
                RecordType::SOA => record.name != to_hickory(zone),
                // A referral by a server that sets AA all the same.
                RecordType::NS => record.name != to_hickory(zone),
                _ => false,
            });
        match code {
            _ if by_another => Self::Failed(Outcome::NotAuthoritative),
            ResponseCode::NXDomain => Self::NoName,
            _ => Self::NoData,
        }
    }

    /// The word for it in the evidence.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Records(_) | Self::Alias { .. } | Self::Renamed { .. } => Outcome::Answered,
            Self::NoData => Outcome::NoData,
            Self::NoName => Outcome::NoName,
            Self::Failed(outcome) => *outcome,
        }
    }
}

/// The outcome for a response code that is no answer.
pub(crate) fn failure(code: ResponseCode) -> Outcome {
    match code {
        ResponseCode::ServFail => Outcome::ServFail,
        ResponseCode::Refused => Outcome::Refused,
        other => Outcome::OtherCode(u16::from(other)),
    }
}

/// The one target of a CNAME set.
fn cname(set: &RrSet) -> Option<Name> {
    let [record] = set.records.as_slice() else {
        return None;
    };
    let RData::CNAME(target) = &record.data else {
        return None;
    };
    Some(from_hickory(&target.0))
}

/// The names in the NS records of this owner.
pub(crate) fn name_servers(section: &[Record], owner: &WireName) -> Vec<Name> {
    let target = |record: &Record| match &record.data {
        RData::NS(target) if record.name == *owner && record.dns_class == DNSClass::IN => {
            Some(from_hickory(&target.0))
        }
        _ => None,
    };
    section.iter().filter_map(target).collect()
}

/// Names in a referral, or in the answer of a server that serves both zones.
pub(crate) fn delegated_names(reply: &Reply, zone: &Name) -> Vec<Name> {
    let Ok(message) = reply else {
        return Vec::new();
    };
    let section = if message.metadata.authoritative {
        &message.answers
    } else {
        &message.authorities
    };
    name_servers(section, &to_hickory(zone))
}

/// The addresses that a referral adds (RFC 1034 section 4.2.1).
pub(crate) fn glue(message: &Message, port: u16) -> Vec<(Name, SocketAddr)> {
    let found = |record: &Record| {
        Some((
            from_hickory(&record.name),
            SocketAddr::new(address(record)?, port),
        ))
    };
    message.additionals.iter().filter_map(found).collect()
}

/// The address in a record that is one.
pub(crate) fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(address.0.into()),
        _ => None,
    }
}

/// Serial, and for how long absence is cached (RFC 2308 section 5), of a SOA set.
pub(crate) fn soa(set: &RrSet) -> Option<(u32, u32)> {
    let RData::SOA(soa) = &set.records.first()?.data else {
        return None;
    };
    Some((soa.serial, soa.minimum.min(set.ttl())))
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{MessageType, OpCode};
    use hickory_proto::rr::rdata::NULL;

    use super::*;

    fn record(owner: &str, kind: RecordType, data: &str) -> Record {
        let owner = to_hickory(&Name::from_user(owner).unwrap());
        let data = match kind {
            RecordType::DNAME => RData::Unknown {
                code: kind,
                rdata: NULL::with(vec![0]),
            },
            _ => RData::try_from_str(kind, data).unwrap(),
        };
        Record::from_rdata(owner, 60, data)
    }

    fn said(answers: &[Record], authorities: &[Record], code: ResponseCode) -> Answer {
        let mut message = Message::new(1, MessageType::Response, OpCode::Query);
        message.metadata.authoritative = true;
        message.metadata.response_code = code;
        message.answers = answers.to_vec();
        message.authorities = authorities.to_vec();
        let [zone, name] = ["z.example", "a.z.example"].map(|text| Name::from_user(text).unwrap());
        Answer::by_authority(
            &Ok(std::sync::Arc::new(message.into())),
            &zone,
            &name,
            RecordType::TLSA,
        )
    }

    #[test]
    fn an_answer_is_what_its_sections_make_it() {
        use ResponseCode::{NXDomain, NoError, NotAuth};
        let tlsa = record("a.z.example", RecordType::TLSA, "3 1 1 aa");
        let alias = record("A.Z.example", RecordType::CNAME, "b.example.");
        let second = record("a.z.example", RecordType::CNAME, "c.example.");
        let dname = record("z.example", RecordType::DNAME, "");
        let elsewhere = record("b.z.example", RecordType::TLSA, "3 1 1 aa");
        let soa = |owner| record(owner, RecordType::SOA, "a. b. 1 2 3 4 5");
        let referral = record("a.z.example", RecordType::NS, "ns.example.");
        for (answers, authorities, code, outcome) in [
            (vec![tlsa.clone()], vec![], NoError, Outcome::Answered),
            (vec![alias.clone()], vec![], NoError, Outcome::Answered),
            (vec![alias.clone()], vec![], NXDomain, Outcome::Answered),
            (
                vec![alias.clone(), dname],
                vec![],
                NoError,
                Outcome::Answered,
            ),
            (
                vec![alias.clone(), second],
                vec![],
                NoError,
                Outcome::Malformed,
            ),
            (
                vec![alias, tlsa.clone()],
                vec![],
                NoError,
                Outcome::Malformed,
            ),
            (vec![tlsa], vec![], NXDomain, Outcome::Malformed),
            (vec![elsewhere], vec![], NoError, Outcome::Malformed),
            (vec![], vec![soa("z.example")], NoError, Outcome::NoData),
            (vec![], vec![soa("z.example")], NXDomain, Outcome::NoName),
            (
                vec![],
                vec![soa("example")],
                NXDomain,
                Outcome::NotAuthoritative,
            ),
            (vec![], vec![referral], NoError, Outcome::NotAuthoritative),
            (vec![], vec![], NotAuth, Outcome::OtherCode(9)),
        ] {
            assert_eq!(
                said(&answers, &authorities, code).outcome(),
                outcome,
                "{answers:?} {authorities:?}"
            );
        }
    }

    #[test]
    fn an_alias_that_a_dname_makes_is_told_from_one_that_stands_in_the_zone() {
        let alias = record("a.z.example", RecordType::CNAME, "b.example.");
        let dname = record("z.example", RecordType::DNAME, "");
        let code = ResponseCode::NoError;
        assert!(matches!(
            said(std::slice::from_ref(&alias), &[], code),
            Answer::Alias { .. }
        ));
        assert!(matches!(
            said(&[dname, alias], &[], code),
            Answer::Renamed { target: Some(_) }
        ));
    }
}
