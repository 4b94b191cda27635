//! Zones to be served: unsigned content, keys, and the two made into a signed
//! zone (RFC 4035 section 2). ECDSA P-256 only, keys are made in the process
//! and never leave it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::sig::SigInput;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_proto::dnssec::{Algorithm, DigestType, PublicKeyBuf, SigningKey, TBS};
use hickory_proto::rr::{DNSClass, Name as WireName, RData, Record, RecordType, SerialNumber};
use hickory_proto::serialize::txt::Parser;

use crate::dns::wire::convert::to_hickory;
use crate::name::Name;

use super::denial;
use super::sets::{Sets, zone_cut};

/// Why a zone or a key could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    /// What was being done.
    pub what: String,
    /// What went wrong.
    pub why: String,
}

impl ZoneError {
    pub(crate) fn new(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self {
            what: what.into(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for ZoneError {}

/// What a zone holds, before it is signed.
#[derive(Clone, Debug)]
pub struct Zone {
    pub(super) apex: Name,
    pub(super) sets: Sets,
}

impl Zone {
    /// A zone with a SOA of serial 1 and nothing else.
    #[must_use]
    pub fn new(apex: &Name) -> Self {
        let mut zone = Self {
            apex: apex.clone(),
            sets: Sets::new(),
        };
        let data = "a.invalid. b.invalid. 1 3600 600 86400 300";
        zone.add("@", 3600, "SOA", data)
            .expect("the SOA is well formed");
        zone
    }

    /// Reads zone-file text; of the simple kind that the demo writes.
    ///
    /// # Errors
    ///
    /// What the reader does not understand.
    pub fn from_text(apex: &Name, text: &str) -> Result<Self, ZoneError> {
        let (_, read) = Parser::new(text, None, Some(to_hickory(apex)))
            .parse()
            .map_err(|error| ZoneError::new(format!("reading the zone {apex}"), error))?;
        let mut sets = Sets::new();
        for set in read.into_values() {
            let records: Vec<Record> = set.records_without_rrsigs().cloned().collect();
            sets.insert((set.name().to_lowercase(), set.record_type()), records);
        }
        Ok(Self {
            apex: apex.clone(),
            sets,
        })
    }

    /// Adds a record: owner as in a zone file (`@`, relative or absolute), data
    /// in presentation form with absolute names. `TYPE…` data is hexadecimal.
    ///
    /// # Errors
    ///
    /// What is wrong with the owner, the type or the data.
    pub fn add(
        &mut self,
        owner: &str,
        ttl: u32,
        kind: &str,
        data: &str,
    ) -> Result<&mut Self, ZoneError> {
        let what = || format!("adding {owner} {kind} {data}");
        let owner = self.owner(owner)?;
        let kind: RecordType = kind
            .parse()
            .map_err(|error| ZoneError::new(what(), error))?;
        let data = match kind {
            RecordType::DNSKEY => return Err(ZoneError::new(what(), "keys are added by signing")),
            _ => RData::try_from_str(kind, data).map_err(|error| ZoneError::new(what(), error))?,
        };
        let set = self.sets.entry((owner.clone(), kind)).or_default();
        if kind == RecordType::SOA {
            set.clear();
        }
        set.iter_mut().for_each(|record| record.ttl = ttl);
        set.push(Record::from_rdata(owner, ttl, data));
        Ok(self)
    }

    /// Removes all records of an owner and type.
    ///
    /// # Errors
    ///
    /// What is wrong with the owner or the type.
    pub fn remove(&mut self, owner: &str, kind: &str) -> Result<&mut Self, ZoneError> {
        let kind: RecordType = kind
            .parse()
            .map_err(|error| ZoneError::new(format!("removing {kind}"), error))?;
        let owner = self.owner(owner)?;
        self.sets.remove(&(owner, kind));
        Ok(self)
    }

    /// States another serial.
    pub fn set_serial(&mut self, serial: u32) -> &mut Self {
        for record in self.sets.values_mut().flatten() {
            if let RData::SOA(soa) = &mut record.data {
                soa.serial = serial;
            }
        }
        self
    }

    /// The zone's apex.
    #[must_use]
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// Signs the zone with every one of the keys.
    ///
    /// # Errors
    ///
    /// When signing fails.
    pub fn sign(&self, keys: &[&Key], window: Window) -> Result<SignedZone, ZoneError> {
        self.sign_publishing(keys, keys, window)
    }

    /// Signs the zone with some keys and publishes others.
    ///
    /// # Errors
    ///
    /// When signing fails.
    pub fn sign_publishing(
        &self,
        signing: &[&Key],
        published: &[&Key],
        window: Window,
    ) -> Result<SignedZone, ZoneError> {
        let apex = to_hickory(&self.apex);
        let mut sets = self.sets.clone();
        let ttl = sets
            .get(&(apex.clone(), RecordType::SOA))
            .and_then(|soa| soa.first())
            .map_or(3600, |soa| soa.ttl);
        if !published.is_empty() {
            let keys = published
                .iter()
                .map(|key| Record::from_rdata(apex.clone(), ttl, RData::from(key.public.clone())));
            sets.insert((apex.clone(), RecordType::DNSKEY), keys.collect());
        }
        if !signing.is_empty() {
            denial::link(&mut sets, &apex);
        }
        let mut zone = SignedZone {
            apex,
            sets: Sets::new(),
            signatures: Sets::new(),
            keys: signing.iter().map(|key| (*key).clone()).collect(),
            window,
        };
        for ((owner, kind), records) in &sets {
            let cut = zone_cut(&sets, &zone.apex, owner);
            let of_cut =
                matches!(*kind, RecordType::DS | RecordType::NSEC) && cut.as_ref() == Some(owner);
            let signed = cut.is_none() || of_cut;
            if signed && !signing.is_empty() {
                let signatures = zone.signatures_over(records, window)?;
                zone.signatures.insert((owner.clone(), *kind), signatures);
            }
        }
        zone.sets = sets;
        Ok(zone)
    }

    fn owner(&self, text: &str) -> Result<WireName, ZoneError> {
        let owner = Name::from_zone_text(text.as_bytes(), Some(&self.apex));
        owner
            .map(|name| to_hickory(&name))
            .map_err(|error| ZoneError::new(format!("the owner {text}"), error))
    }
}

/// From when until when signatures are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub inception: DateTime<Utc>,
    /// The last moment.
    pub expiration: DateTime<Utc>,
}

impl Window {
    /// From an hour before the moment until `days` after it.
    #[must_use]
    pub fn around(now: DateTime<Utc>, days: i64) -> Self {
        Self {
            inception: now - TimeDelta::hours(1),
            expiration: now + TimeDelta::days(days),
        }
    }

    /// As long as this one, and over before this one begins.
    #[must_use]
    pub fn expired(self) -> Self {
        let end = self.inception - TimeDelta::hours(1);
        Self {
            inception: end - (self.expiration - self.inception),
            expiration: end,
        }
    }
}

/// A key that signs a zone, ECDSA P-256 with the flags 257.
#[derive(Clone)]
pub struct Key {
    private: Arc<dyn SigningKey>,
    pub(super) public: DNSKEY,
}

impl Key {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, ZoneError> {
        let failed =
            |error: hickory_proto::dnssec::DnsSecError| ZoneError::new("making a key", error);
        let algorithm = Algorithm::ECDSAP256SHA256;
        let der = EcdsaSigningKey::generate_pkcs8(algorithm).map_err(failed)?;
        let private = EcdsaSigningKey::from_pkcs8(&der, algorithm).map_err(failed)?;
        let public = DNSKEY::from_key(&private.to_public_key().map_err(failed)?);
        Ok(Self {
            private: Arc::new(private),
            public,
        })
    }

    /// The same key, with another algorithm number than it has: to the reader,
    /// a key it cannot use.
    #[must_use]
    pub fn claiming(&self, algorithm: u8) -> Self {
        let octets =
            hickory_proto::dnssec::PublicKey::public_bytes(self.public.public_key()).to_vec();
        let public = PublicKeyBuf::new(octets, Algorithm::from_u8(algorithm));
        Self {
            private: Arc::clone(&self.private),
            public: DNSKEY::new(true, true, false, public),
        }
    }

    /// The same key, revoked (RFC 5011 section 2.1).
    #[must_use]
    pub fn revoked(&self) -> Self {
        let public = self.public.public_key().clone();
        Self {
            private: Arc::clone(&self.private),
            public: DNSKEY::new(true, true, true, public),
        }
    }

    /// Data for the DS record at the parent, with a SHA-256 digest.
    ///
    /// # Errors
    ///
    /// When the digest cannot be made.
    pub fn ds(&self, zone: &Name) -> Result<String, ZoneError> {
        let digest = self.public.to_digest(&to_hickory(zone), DigestType::SHA256);
        let digest = digest.map_err(|error| ZoneError::new("making a DS", error))?;
        let algorithm = hickory_proto::dnssec::PublicKey::algorithm(self.public.public_key());
        Ok(DS::new(
            self.tag()?,
            algorithm,
            DigestType::SHA256,
            digest.as_ref().to_vec(),
        )
        .to_string())
    }

    /// A line for a trust-anchor file.
    ///
    /// # Errors
    ///
    /// When the digest cannot be made.
    pub fn anchor(&self, zone: &Name) -> Result<String, ZoneError> {
        Ok(format!("{zone} IN DS {}\n", self.ds(zone)?))
    }

    fn tag(&self) -> Result<u16, ZoneError> {
        self.public
            .calculate_key_tag()
            .map_err(|error| ZoneError::new("computing a key tag", error))
    }
}

/// A zone with its signatures, ready to be served.
#[derive(Clone)]
pub struct SignedZone {
    pub(super) apex: WireName,
    pub(super) sets: Sets,
    pub(super) signatures: Sets,
    keys: Vec<Key>,
    pub(super) window: Window,
}

impl SignedZone {
    /// One signature by each key over records of one owner and type.
    pub(super) fn signatures_over(
        &self,
        records: &[Record],
        window: Window,
    ) -> Result<Vec<Record>, ZoneError> {
        self.keys
            .iter()
            .filter_map(|key| Some(self.signature(key, records.first()?, records, window)))
            .collect()
    }

    fn signature(
        &self,
        key: &Key,
        first: &Record,
        all: &[Record],
        window: Window,
    ) -> Result<Record, ZoneError> {
        let failed =
            |error: &dyn fmt::Display| ZoneError::new(format!("signing {}", first.name), error);
        let input = SigInput {
            type_covered: first.record_type(),
            algorithm: hickory_proto::dnssec::PublicKey::algorithm(key.public.public_key()),
            num_labels: first.name.num_labels(),
            original_ttl: first.ttl,
            sig_expiration: moment(window.expiration),
            sig_inception: moment(window.inception),
            key_tag: key.tag()?,
            signer_name: self.apex.clone(),
        };
        let data = TBS::from_input(&first.name, DNSClass::IN, &input, all.iter())
            .map_err(|error| failed(&error))?;
        let signature = key.private.sign(&data).map_err(|error| failed(&error))?;
        let data = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, signature)));
        Ok(Record::from_rdata(first.name.clone(), first.ttl, data))
    }
}

/// Seconds since 1970 as the 32 bits of a signature (RFC 4034 section 3.1.5).
fn moment(time: DateTime<Utc>) -> SerialNumber {
    let seconds = time.timestamp().rem_euclid(1 << 32);
    SerialNumber::new(u32::try_from(seconds).expect("a remainder of 2^32 fits 32 bits"))
}
