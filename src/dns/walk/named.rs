//! Who serves a zone, proven where that can be: its NS set as each server gives
//! it, under the zone's keys, and the addresses of its name servers, as the
//! servers of the zone that each name lies in give them, under that zone's keys.
//! Resolvers and delegations, which nobody signs, only say whom to ask: what
//! they leave out or change is missed here. Addresses in zones that are proven
//! to be unsigned rest on the resolvers, and a note says so.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::dnssec::rdata::DNSKEY;
use hickory_proto::rr::RecordType;

use crate::dns::trust::absence::Claim;
use crate::dns::trust::chain::{Delegation, delegation};
use crate::dns::trust::ds::{trust, usable};
use crate::dns::trust::negative::denied;
use crate::dns::trust::proof::Proof;
use crate::dns::trust::signatures::prove;
use crate::dns::walk::context::Walk;
use crate::dns::walk::facts::{Facts, Rest};
use crate::dns::walk::owner::under_all_keys;
use crate::dns::walk::zone_trust::soa_of;
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::exchange::Reply;
use crate::dns::wire::question::Question;
use crate::dns::wire::reading::{Answer, address, name_servers};
use crate::dns::wire::rrset::RrSet;
use crate::dns::{Family, limits};
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::{Security, label};

/// The kinds of addresses that are proven, by the name that has them.
type Known = BTreeSet<(Name, RecordType)>;

/// What the zone's own servers come to.
#[derive(Default)]
struct Own {
    findings: Vec<Finding>,
    known: Known,
    /// What is proven: these are to have been asked, whatever else was.
    names: BTreeSet<Name>,
    addresses: BTreeSet<IpAddr>,
}

/// The code of what is not proven and should be.
const UNPROVEN: &str = "name-servers-unproven";

impl Walk {
    /// What is not proven of these name servers of the zone.
    pub(crate) async fn unproven(self: &Arc<Self>, facts: &Facts, names: &[Name]) -> Vec<Finding> {
        // In a zone that is not secure there is nothing to prove by.
        if facts.ceiling.is_some() || facts.key_sets.is_empty() {
            return Vec::new();
        }
        let inside: Vec<Name> = names
            .iter()
            .filter(|name| name.is_within(&facts.zone))
            .cloned()
            .collect();
        let Own {
            mut findings,
            known,
            names: mut missed,
            mut addresses,
        } = self.by_own_servers(facts, &inside).await;
        let told = !findings.is_empty();
        let mut rests = Vec::new();
        for name in names {
            let open: Vec<RecordType> = self
                .kinds()
                .into_iter()
                .filter(|kind| !known.contains(&(name.clone(), *kind)))
                .collect();
            if open.is_empty() {
                continue;
            }
            let elsewhere = self
                .discovery
                .zones(name)
                .await
                .is_ok_and(|zones| zones.last() != Some(&facts.zone));
            if elsewhere {
                rests.push((name, self.rest(name).await));
            } else if !told {
                let kinds: Vec<String> = open.iter().map(ToString::to_string).collect();
                let why = format!(
                    "no server of {} gives its {} records",
                    facts.zone,
                    kinds.join(" and ")
                );
                rests.push((name, Rest::Nothing(why)));
            }
        }
        let mut unsigned = Vec::new();
        for (name, rest) in rests {
            match rest {
                Rest::Proof(proven) => addresses.extend(proven),
                Rest::Resolvers => unsigned.push(name.to_string()),
                Rest::Nothing(why) => {
                    let message =
                        format!("the addresses of the name server {name} are not proven: {why}");
                    findings.push(Finding::new(UNPROVEN, Severity::Unknown, message));
                }
            }
        }
        missed.retain(|name| !names.contains(name));
        let asked = |ip: &IpAddr| {
            facts
                .servers
                .iter()
                .any(|server| server.address.is_some_and(|at| at.ip() == *ip))
        };
        let unasked = addresses
            .iter()
            .filter(|ip| !asked(ip))
            .map(ToString::to_string);
        let missed: Vec<String> = missed
            .iter()
            .map(ToString::to_string)
            .chain(unasked)
            .collect();
        if !missed.is_empty() {
            let message = format!(
                "of the name servers of {} these are proven, and were not asked: {}",
                facts.zone,
                missed.join(", ")
            );
            findings.push(Finding::new(UNPROVEN, Severity::Unknown, message));
        }
        let message = format!(
            "the addresses of {} lie in zones that are not signed, so they rest on what resolvers say",
            unsigned.join(", ")
        );
        let note = Finding::new("name-server-address-unsigned", Severity::Note, message);
        findings.extend((!unsigned.is_empty()).then_some(note));
        findings
    }

    /// Which addresses the zone's own servers prove, and what they say without proof.
    async fn by_own_servers(self: &Arc<Self>, facts: &Facts, inside: &[Name]) -> Own {
        let budget = self.budget();
        let prove = |set: &RrSet| under_all_keys(facts, set, &budget);
        let mut all = Own::default();
        // Those beyond the limit have not been asked, which is told of elsewhere.
        let mut left = limits::OWN_ADDRESSES;
        for server in &facts.servers {
            let Some(address) = server
                .address
                .filter(|_| soa_of(server, &facts.zone).is_ok())
            else {
                continue;
            };
            let mut wrong: Option<String> = None;
            // All of it has been asked before, so that none of it takes time.
            let own = Question::authority(&to_hickory(&facts.zone), RecordType::NS);
            if let Answer::Records(set) = Answer::by_authority(
                &self.asker.ask(address, &own).await,
                &facts.zone,
                &facts.zone,
                RecordType::NS,
            ) {
                wrong = why_not(&prove(&set));
                if wrong.is_none() {
                    all.names
                        .extend(name_servers(&set.records, &to_hickory(&facts.zone)));
                }
            }
            for name in inside.iter().take(left) {
                for kind in self.kinds() {
                    let question = Question::authority(&to_hickory(name), kind);
                    let reply = self.asker.ask(address, &question).await;
                    match given(&reply, &facts.zone, name, kind, prove) {
                        Given::Proven(addresses) => {
                            all.known.insert((name.clone(), kind));
                            all.addresses.extend(addresses);
                        }
                        Given::Unproven(why) => wrong = wrong.or(Some(why)),
                        Given::Nothing => {}
                    }
                }
            }
            left = left.saturating_sub(inside.len());
            if let Some(why) = wrong {
                let message = format!(
                    "what it says of the name servers of {} is not proven: {why}",
                    facts.zone
                );
                let finding = Finding::new(UNPROVEN, Severity::Unknown, message);
                all.findings
                    .push(finding.at(label(&server.name, server.address)));
            }
        }
        all
    }

    /// What the addresses of a name server rest on, found out once for each.
    pub(crate) async fn rest(self: &Arc<Self>, name: &Name) -> Rest {
        let (walk, at) = (Arc::clone(self), name.clone());
        self.rests
            .get(name.clone(), async move { walk.find_rest(&at).await })
            .await
    }

    async fn find_rest(self: &Arc<Self>, name: &Name) -> Rest {
        let zones: Arc<[Name]> = match self.discovery.zones(name).await {
            Ok(zones) => zones.into(),
            Err(at) => return Rest::Nothing(format!("nobody answers about {at}")),
        };
        let Some((zone, index)) = zones.last().zip(zones.len().checked_sub(1)) else {
            return Rest::Nothing("nobody knows a zone above it".to_owned());
        };
        if zones.iter().all(|zone| self.anchors.of(zone).is_empty()) {
            return Rest::Resolvers;
        }
        let chain = self.chain(Arc::clone(&zones), index).await;
        let Some(weak) = chain
            .links
            .iter()
            .find(|link| link.security != Security::Secure)
        else {
            return self.by_zone(zone, &chain.keys, name).await;
        };
        let cut = zones.iter().position(|zone| *zone == weak.zone);
        match weak.security {
            Security::Insecure | Security::Indeterminate if self.is_beyond(&zones, cut).await => {
                Rest::Resolvers
            }
            Security::Insecure => {
                Rest::Nothing(format!("that {} is not signed is not proven", weak.zone))
            }
            _ => {
                let why = weak
                    .findings
                    .first()
                    .map(|finding| finding.message.as_str())
                    .unwrap_or_default();
                Rest::Nothing(format!(
                    "the zone {} is {}: {why}",
                    weak.zone,
                    weak.security.word()
                ))
            }
        }
    }

    /// Whether the parent proves that this zone exists and is not signed, or in ways
    /// only that are not known here. Its own servers' word is nothing to go by, and
    /// that it exists is a resolver's.
    async fn is_beyond(self: &Arc<Self>, zones: &Arc<[Name]>, cut: Option<usize>) -> bool {
        let above = cut.and_then(|cut| cut.checked_sub(1));
        let (Some(index), Some(cut)) = (above, cut.and_then(|cut| zones.get(cut))) else {
            return false;
        };
        let Some(above) = zones.get(index) else {
            return false;
        };
        let keys = self.chain(Arc::clone(zones), index).await.keys.clone();
        let (budget, question) = (
            self.budget(),
            Question::authority(&to_hickory(cut), RecordType::DS),
        );
        for address in self.discovery.servers(above).await.addresses {
            let reply = self.asker.ask(address, &question).await;
            let authorities = reply
                .as_ref()
                .map(|message| message.authorities.as_slice())
                .unwrap_or_default();
            let proven = match delegation(&reply, above, cut, &keys, &budget) {
                Delegation::Signed { digests, .. } => usable(cut, &trust(digests)).is_err(),
                Delegation::Unsigned => {
                    let prove = |set: &RrSet| prove(set, above, &keys, &budget);
                    denied(authorities, above, cut, Claim::Unsigned, prove).security
                        == Security::Secure
                }
                Delegation::Unproven(_) | Delegation::Silent => continue,
            };
            if proven {
                return true;
            }
        }
        false
    }

    /// Whether the servers of the name's own zone prove its addresses.
    async fn by_zone(self: &Arc<Self>, zone: &Name, keys: &[DNSKEY], name: &Name) -> Rest {
        let budget = self.budget();
        let servers = self.discovery.servers(zone).await.addresses;
        let mut all = BTreeSet::new();
        for kind in self.kinds() {
            let question = Question::authority(&to_hickory(name), kind);
            let mut proven = false;
            for address in &servers {
                let reply = self.asker.ask(*address, &question).await;
                match given(&reply, zone, name, kind, |set| {
                    prove(set, zone, keys, &budget)
                }) {
                    Given::Proven(addresses) => {
                        proven = true;
                        all.extend(addresses);
                    }
                    Given::Unproven(why) => {
                        return Rest::Nothing(format!(
                            "{} gives this: {why}",
                            label(zone, Some(*address))
                        ));
                    }
                    Given::Nothing => {}
                }
            }
            if !proven {
                return Rest::Nothing(format!("no server of {zone} gives its {kind} records"));
            }
        }
        Rest::Proof(all)
    }

    /// The kinds of addresses that are asked.
    fn kinds(&self) -> Vec<RecordType> {
        match self.discovery.family {
            Family::Both => vec![RecordType::A, RecordType::AAAA],
            Family::V4 => vec![RecordType::A],
            Family::V6 => vec![RecordType::AAAA],
        }
    }
}

/// What a server gives about a name's addresses.
enum Given {
    /// These, or none, proven.
    Proven(Vec<IpAddr>),
    /// Something that does not hold, and why.
    Unproven(String),
    /// No answer.
    Nothing,
}

fn given(
    reply: &Reply,
    zone: &Name,
    name: &Name,
    kind: RecordType,
    prove: impl Fn(&RrSet) -> Proof,
) -> Given {
    let authorities = reply
        .as_ref()
        .map(|message| message.authorities.as_slice())
        .unwrap_or_default();
    let (proof, addresses) = match Answer::by_authority(reply, zone, name, kind) {
        Answer::Records(set) => (
            prove(&set),
            set.records.iter().filter_map(address).collect(),
        ),
        Answer::NoData => (
            denied(authorities, zone, name, Claim::NoData(kind), prove),
            Vec::new(),
        ),
        Answer::NoName => (
            denied(authorities, zone, name, Claim::NoName, prove),
            Vec::new(),
        ),
        Answer::Alias { .. } | Answer::Renamed { .. } => {
            return Given::Unproven(format!("the name server {name} is an alias"));
        }
        Answer::Failed(_) => return Given::Nothing,
    };
    why_not(&proof).map_or(Given::Proven(addresses), Given::Unproven)
}

/// Why it is not secure, if it is not.
fn why_not(proof: &Proof) -> Option<String> {
    let worst = proof.findings.iter().max_by_key(|finding| finding.severity);
    (proof.security != Security::Secure).then(|| {
        worst
            .map(|finding| finding.message.clone())
            .unwrap_or_default()
    })
}
