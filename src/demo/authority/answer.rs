//! What a name server says to a question, from its zones alone: authoritative
//! answers, referrals with glue, aliases, wildcards and plain negative answers
//! (RFC 1034 section 4.3.2, RFC 4035 section 3.1). As a resolver it says the
//! same without AA and without referrals, as if it had asked everybody already.

use std::collections::BTreeMap;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name as WireName, RData, Record, RecordType};

use super::denial;
use super::sets::{encloser, zone_cut};
use super::zone::SignedZone;

/// The zones of one server, by apex.
pub(super) type Zones = BTreeMap<WireName, SignedZone>;

/// The parts of an answer that depend on the question.
#[derive(Default)]
pub(super) struct Said {
    pub(super) code: Option<ResponseCode>,
    pub(super) authoritative: bool,
    pub(super) answers: Vec<Record>,
    pub(super) authorities: Vec<Record>,
    pub(super) additionals: Vec<Record>,
}

/// The answer of an authoritative server.
pub(super) fn authoritative(
    zones: &Zones,
    name: &WireName,
    kind: RecordType,
    signed: bool,
) -> Said {
    match zone_for(zones, name, kind) {
        Some(zone) => in_zone(zone, name, kind, signed),
        None => Said {
            code: Some(ResponseCode::Refused),
            ..Said::default()
        },
    }
}

/// The answer of a resolver to which all of these zones are known.
pub(super) fn recursive(zones: &Zones, name: &WireName, kind: RecordType, signed: bool) -> Said {
    let mut name = name.clone();
    let mut said = Said::default();
    for _ in 0..8 {
        let Some(zone) = zone_for(zones, &name, kind) else {
            break;
        };
        let next = in_zone(zone, &name, kind, signed);
        if !next.authoritative {
            break;
        }
        said.code = next.code;
        said.answers.extend(next.answers.iter().cloned());
        said.authorities = next.authorities;
        let alias = next.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == name && kind != RecordType::CNAME => {
                Some(target.0.clone())
            }
            _ => None,
        });
        match alias {
            Some(target) => name = target,
            None => return said,
        }
    }
    Said {
        code: Some(ResponseCode::ServFail),
        ..Said::default()
    }
}

/// The zone nearest to the name; for DS, the one above the cut if it is here.
fn zone_for<'a>(zones: &'a Zones, name: &WireName, kind: RecordType) -> Option<&'a SignedZone> {
    let own = name.to_lowercase();
    if kind == RecordType::DS && !own.is_root() {
        nearest(zones, own.base_name()).or_else(|| zones.get(&own))
    } else {
        nearest(zones, own)
    }
}

fn nearest(zones: &Zones, mut at: WireName) -> Option<&SignedZone> {
    loop {
        if let Some(zone) = zones.get(&at) {
            return Some(zone);
        }
        if at.is_root() {
            return None;
        }
        at = at.base_name();
    }
}

fn in_zone(zone: &SignedZone, name: &WireName, kind: RecordType, signed: bool) -> Said {
    let name = name.to_lowercase();
    if let Some(cut) = zone_cut(&zone.sets, &zone.apex, &name)
        && !(cut == name && kind == RecordType::DS)
    {
        return referral(zone, &cut, signed);
    }
    let mut said = Said {
        authoritative: true,
        ..Said::default()
    };
    if let Some(found) = pick(zone, &name, kind, signed) {
        said.answers = found;
    } else if let Some(found) = pick(zone, &name, RecordType::CNAME, signed) {
        said.answers = found;
    } else if let Some(found) = expanded(zone, &name, kind, signed) {
        said.answers = found;
    } else {
        let exists = |name: &WireName| zone.sets.keys().any(|(owner, _)| name.zone_of(owner));
        let wildcard =
            encloser(&zone.sets, &name).and_then(|encloser| encloser.prepend_label("*").ok());
        said.code = (!exists(&name) && !wildcard.is_some_and(|star| exists(&star)))
            .then_some(ResponseCode::NXDomain);
        said.authorities = pick(zone, &zone.apex, RecordType::SOA, signed).unwrap_or_default();
        if signed {
            said.authorities
                .extend(denial::about(&zone.sets, &zone.signatures, &name));
        }
    }
    said
}

fn referral(zone: &SignedZone, cut: &WireName, signed: bool) -> Said {
    let servers = pick(zone, cut, RecordType::NS, false).unwrap_or_default();
    let mut said = Said::default();
    for server in &servers {
        if let RData::NS(target) = &server.data {
            for kind in [RecordType::A, RecordType::AAAA] {
                said.additionals
                    .extend(pick(zone, &target.0.to_lowercase(), kind, false).unwrap_or_default());
            }
        }
    }
    said.authorities = servers;
    if signed {
        said.authorities
            .extend(pick(zone, cut, RecordType::DS, true).unwrap_or_default());
    }
    said
}

fn pick(
    zone: &SignedZone,
    owner: &WireName,
    kind: RecordType,
    signed: bool,
) -> Option<Vec<Record>> {
    let key = (owner.clone(), kind);
    let mut records = zone.sets.get(&key)?.clone();
    if signed {
        records.extend(zone.signatures.get(&key).into_iter().flatten().cloned());
    }
    Some(records)
}

/// What a wildcard next to the name gives (RFC 4592 section 3.3.1).
fn expanded(
    zone: &SignedZone,
    name: &WireName,
    kind: RecordType,
    signed: bool,
) -> Option<Vec<Record>> {
    let star = encloser(&zone.sets, name)
        .filter(|encloser| encloser != name)?
        .prepend_label("*")
        .ok()?;
    let found =
        pick(zone, &star, kind, signed).or_else(|| pick(zone, &star, RecordType::CNAME, signed))?;
    Some(
        found
            .into_iter()
            .map(|record| Record::from_rdata(name.clone(), record.ttl, record.data))
            .collect(),
    )
}
