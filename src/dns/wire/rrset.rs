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

#[cfg(test)]
mod tests {
    use hickory_proto::dnssec::rdata::NSEC;
    use hickory_proto::dnssec::rdata::sig::SigInput;
    use hickory_proto::dnssec::{Algorithm, PublicKeyBuf};
    use hickory_proto::rr::SerialNumber;

    use super::*;
    use crate::dns::wire::convert::to_hickory;
    use crate::name::Name;

    fn wire(name: &str) -> WireName {
        to_hickory(&Name::from_user(name).unwrap())
    }

    fn record(owner: &str, data: RData) -> Record {
        Record::from_rdata(wire(owner), 300, data)
    }

    fn key(flags: u16) -> Record {
        let public = PublicKeyBuf::new(vec![7; 64], Algorithm::ECDSAP256SHA256);
        let key = DNSKEY::with_flags(flags, public);
        record("a.example", RData::DNSSEC(DNSSECRData::DNSKEY(key)))
    }

    fn signature(type_covered: RecordType) -> Record {
        let input = SigInput {
            type_covered,
            algorithm: Algorithm::ECDSAP256SHA256,
            num_labels: 2,
            original_ttl: 300,
            sig_expiration: SerialNumber::new(2),
            sig_inception: SerialNumber::new(1),
            key_tag: 1,
            signer_name: wire("a.example"),
        };
        let signature = RRSIG::from_sig(input, vec![7; 64]);
        record("a.example", RData::DNSSEC(DNSSECRData::RRSIG(signature)))
    }

    fn keys_in(section: &[Record]) -> RrSet {
        RrSet::find(section, &wire("a.example"), RecordType::DNSKEY).unwrap()
    }

    fn denial() -> Record {
        let nsec = NSEC::new(wire("c.a.example"), [RecordType::A]);
        record("a.example", RData::DNSSEC(DNSSECRData::NSEC(nsec)))
    }

    #[test]
    fn a_set_is_the_records_of_its_owner_and_type_and_their_signatures() {
        let mut elsewhere = key(257);
        elsewhere.name = wire("b.example");
        let mut chaos = key(256);
        chaos.dns_class = DNSClass::CH;
        let section = [
            key(257),
            key(257),
            elsewhere,
            chaos,
            denial(),
            signature(RecordType::DNSKEY),
            signature(RecordType::NSEC),
        ];
        let set = keys_in(&section);
        assert_eq!((set.records.len(), set.signatures.len()), (1, 1));
        let flags: Vec<u16> = set.keys().iter().map(DNSKEY::flags).collect();
        assert_eq!(flags, [257]);
        assert_eq!(set.title(), "the DNSKEY set of a.example.");
        assert!(RrSet::find(&section, &wire("c.example"), RecordType::DNSKEY).is_none());
    }

    #[test]
    fn sets_are_the_same_in_all_that_a_proof_looks_at() {
        let plain = || keys_in(&[key(257)]);
        let mut aged = key(257);
        aged.ttl = 17;
        let denying = || plain().with_denials(&[denial()]);
        let signed = keys_in(&[key(257), signature(RecordType::DNSKEY)]);
        assert!(plain().is_same(&plain()) && signed.is_same(&signed));
        for other in [keys_in(&[key(256)]), keys_in(&[aged]), signed, denying()] {
            assert!(!plain().is_same(&other) && !other.is_same(&plain()));
        }
        assert!(!denying().is_same(&denying()));
    }

    #[test]
    fn everything_that_is_kept_has_weight() {
        let plain = keys_in(&[key(257)]).weight();
        let signed = || keys_in(&[key(257), signature(RecordType::DNSKEY)]);
        let denial = denials(&[denial()])
            .iter()
            .map(RrSet::weight)
            .sum::<usize>();
        assert!(plain > 64 && denial > 1, "{plain} {denial}");
        assert!(signed().weight() > plain + 64);
        let whole = signed().with_denials(&[self::denial()]).weight();
        assert_eq!(whole, signed().weight() + denial);
    }
}
