//! From the trust anchor down: each zone's keys, proven by the digests at its
//! parent, which the parent's keys sign (RFC 4035 section 5.2). For zones on
//! the way the first server that proves it is enough; the zone that holds the
//! answer is looked at more closely in `zone`.

use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_proto::rr::{RData, RecordType};

use crate::dns::trust::budget::Budget;
use crate::dns::trust::proof::Proof;
use crate::dns::trust::signatures::prove;
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::Reply;
use crate::dns::wire::reading::Answer;
use crate::dns::wire::rrset::RrSet;
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Link, Security};

/// A zone's keys with the zones above it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    /// From the anchor down to the zone.
    pub(crate) links: Vec<Link>,
    /// The zone's keys; none unless it is secure.
    pub(crate) keys: Vec<DNSKEY>,
}

impl Chain {
    /// What the zone below cannot be more than; `None` when nothing is missing.
    pub(crate) fn ceiling(&self) -> Option<Proof> {
        let Some(link) = self.links.last() else {
            return Some(silence("no zone above is known"));
        };
        let code = match link.security {
            Security::Secure => return None,
            Security::Indeterminate => "chain-incomplete",
            Security::Insecure => "insecure",
            Security::Bogus => "bogus",
        };
        // The reason weighs where it was found; here it is only repeated.
        let message = format!("the zone {} above is {}", link.zone, link.security.word());
        Some(Proof::only(
            link.security,
            Finding::new(code, Severity::Note, message),
        ))
    }

    /// This chain and one more zone.
    pub(crate) fn with(&self, zone: &Name, proof: &Proof, keys: Vec<DNSKEY>) -> Self {
        let mut links = self.links.clone();
        links.push(Link {
            zone: zone.clone(),
            security: proof.security,
            findings: proof.findings.clone(),
        });
        Self {
            links,
            keys: if proof.security == Security::Secure {
                keys
            } else {
                Vec::new()
            },
        }
    }
}

/// What the parent says about a delegation.
pub(crate) enum Delegation {
    /// These digests, signed.
    Signed { digests: Vec<DS>, proof: Proof },
    /// There are none; the SOA that says so is signed.
    Unsigned,
    /// Something that is not proven.
    Unproven(Proof),
    /// Nothing that can be used.
    Silent,
}

/// Reads a reply about DS by a server of the parent, whose keys are proven.
pub(crate) fn delegation(
    reply: &Reply,
    parent: &Name,
    zone: &Name,
    keys: &[DNSKEY],
    budget: &Budget,
) -> Delegation {
    match Answer::by_authority(reply, parent, zone, RecordType::DS) {
        Answer::Records(set) => {
            let proof = prove(&set, parent, keys, budget);
            let digest = |data: &RData| match data {
                RData::DNSSEC(DNSSECRData::DS(ds)) => Some(ds.clone()),
                _ => None,
            };
            let mut digests: Vec<DS> = set
                .records
                .iter()
                .filter_map(|record| digest(&record.data))
                .collect();
            digests.sort_by_key(|ds| {
                (
                    ds.key_tag(),
                    u8::from(ds.digest_type()),
                    ds.digest().to_vec(),
                )
            });
            if proof.security == Security::Secure {
                Delegation::Signed { digests, proof }
            } else {
                Delegation::Unproven(proof)
            }
        }
        Answer::NoData => match reply.as_ref().ok().and_then(|message| {
            RrSet::find(&message.authorities, &to_hickory(parent), RecordType::SOA)
        }) {
            Some(soa) => match prove(&soa, parent, keys, budget) {
                proof if proof.security == Security::Secure => Delegation::Unsigned,
                proof => Delegation::Unproven(proof),
            },
            // A cache that asks there finds the zone bogus.
            None => Delegation::Unproven(silence(&format!(
                "no DS for {zone}, and nothing that proves it"
            ))),
        },
        Answer::NoName | Answer::Alias { .. } | Answer::Renamed { .. } => {
            let message = format!("the zone {parent} knows no delegation of {zone}");
            let finding = Finding::new("delegation-missing", Severity::Unknown, message);
            Delegation::Unproven(Proof::only(Security::Indeterminate, finding))
        }
        Answer::Failed(_) => Delegation::Silent,
    }
}

/// The parent has no DS for the zone.
pub(crate) fn insecure(zone: &Name) -> Proof {
    let message =
        format!("the parent of {zone} has no DS for it, so its signatures count for nothing");
    Proof::only(
        Security::Insecure,
        Finding::new("insecure", Severity::Unsafe, message),
    )
}

/// Nobody answered.
pub(crate) fn silence(message: &str) -> Proof {
    Proof::only(
        Security::Indeterminate,
        Finding::new("chain-incomplete", Severity::Unknown, message),
    )
}

/// Trust starts nowhere above the zone.
pub(crate) fn no_anchor(zone: &Name) -> Proof {
    silence(&format!("no trust anchor is at or above {zone}"))
}
