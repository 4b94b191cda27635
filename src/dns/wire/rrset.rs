//! An RRset with the signatures over it, and the denials that came with it.

use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_proto::rr::{DNSClass, Name as WireName, RData, Record, RecordType};

use crate::dns::limits;
use crate::dns::wire::convert::from_hickory;
use crate::dns::wire::response::{records_weight, signature_weight};

/// Records of one owner and type, without repeats, and the signatures over them.
#[derive(Clone, Debug)]
pub(crate) struct RrSet {
    pub(crate) owner: WireName,
    pub(crate) kind: RecordType,
    /// Never empty.
    pub(crate) records: Vec<Record>,
    pub(crate) signatures: Vec<RRSIG>,
    /// What came with it to say which names are not there.
    pub(crate) denials: Vec<RrSet>,
}

impl RrSet {
    /// The set of this owner and type in a section, if there is one.
    pub(crate) fn find(section: &[Record], owner: &WireName, kind: RecordType) -> Option<Self> {
        let (records, signatures, denials) = (Vec::new(), Vec::new(), Vec::new());
        let mut set = Self {
            owner: owner.clone(),
            kind,
            records,
            signatures,
            denials,
        };
        for record in section
            .iter()
            .filter(|record| record.name == *owner && record.dns_class == DNSClass::IN)
        {
            match &record.data {
                RData::DNSSEC(DNSSECRData::RRSIG(signature))
                    if signature.input().type_covered == kind =>
                {
                    set.signatures.push(signature.clone());
                }
                data if data.record_type() == kind
                    && !set.records.iter().any(|r| r.data == *data) =>
                {
                    set.records.push(record.clone());
                }
                _ => {}
            }
        }
        (!set.records.is_empty()).then_some(set)
    }

    /// Its owner and type.
    pub(crate) fn key(&self) -> (WireName, RecordType) {
        (self.owner.clone(), self.kind)
    }

    /// Whether both are the same in all that a proof looks at. Denials, in which
    /// the letter case of a name counts, are not compared: with them it is not.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let ttls = |set: &Self| {
            set.records
                .iter()
                .map(|record| record.ttl)
                .collect::<Vec<_>>()
        };
        self.key() == other.key()
            && self.denials.is_empty()
            && other.denials.is_empty()
            && self.records == other.records
            && ttls(self) == ttls(other)
            && self.signatures == other.signatures
    }

    /// The set with the denials that came with it.
    pub(crate) fn with_denials(self, section: &[Record]) -> Self {
        Self {
            denials: denials(section),
            ..self
        }
    }

    /// The octets that it takes, about.
    pub(crate) fn weight(&self) -> usize {
        let denials: usize = self.denials.iter().map(Self::weight).sum();
        records_weight(self.records.iter())
            + self.signatures.iter().map(signature_weight).sum::<usize>()
            + denials
    }

    /// The largest TTL with which a record is served.
    pub(crate) fn ttl(&self) -> u32 {
        self.records
            .iter()
            .map(|record| record.ttl)
            .max()
            .unwrap_or_default()
    }

    /// The keys, of a DNSKEY set.
    pub(crate) fn keys(&self) -> Vec<DNSKEY> {
        let key = |record: &Record| match &record.data {
            RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key.clone()),
            _ => None,
        };
        self.records.iter().filter_map(key).collect()
    }

    /// How it is called in findings.
    pub(crate) fn title(&self) -> String {
        format!("the {} set of {}", self.kind, from_hickory(&self.owner))
    }
}

/// The denials in a section.
pub(crate) fn denials(section: &[Record]) -> Vec<RrSet> {
    let mut found: Vec<(&WireName, RecordType)> = Vec::new();
    for record in section {
        let this = (&record.name, record.record_type());
        let denies = matches!(this.1, RecordType::NSEC | RecordType::NSEC3);
        if denies && found.len() < limits::DENIALS && !found.contains(&this) {
            found.push(this);
        }
    }
    found
        .into_iter()
        .filter_map(|(owner, kind)| RrSet::find(section, owner, kind))
        .collect()
}
