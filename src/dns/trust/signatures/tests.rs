//! Signatures made for the purpose, each wrong in one thing only, and otherwise
//! made by the right key over the right records.

use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::dnssec::rdata::sig::SigInput;
use hickory_proto::dnssec::{PublicKeyBuf, SigningKey, TBS};
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{RData, SerialNumber};

use crate::dns::wire::reading::Answer;

use super::*;

struct Lab {
    private: EcdsaSigningKey,
    key: DNSKEY,
    record: Record,
    now: DateTime<Utc>,
}

fn lab() -> Lab {
    let algorithm = Algorithm::ECDSAP256SHA256;
    let der = EcdsaSigningKey::generate_pkcs8(algorithm).unwrap();
    let private = EcdsaSigningKey::from_pkcs8(&der, algorithm).unwrap();
    let key = DNSKEY::from_key(&private.to_public_key().unwrap());
    let data = RData::try_from_str(RecordType::TLSA, "3 1 1 aabb").unwrap();
    let record = Record::from_rdata(wire("_25._tcp.a.example"), 300, data);
    Lab {
        private,
        key,
        record,
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
    }
}

fn wire(name: &str) -> WireName {
    to_hickory(&Name::from_user(name).unwrap())
}

impl Lab {
    fn input(&self) -> SigInput {
        SigInput {
            type_covered: RecordType::TLSA,
            algorithm: Algorithm::ECDSAP256SHA256,
            num_labels: 4,
            original_ttl: 300,
            sig_expiration: SerialNumber::new(moment(self.now) + 86_400),
            sig_inception: SerialNumber::new(moment(self.now) - 60),
            key_tag: self.key.calculate_key_tag().unwrap(),
            signer_name: wire("a.example"),
        }
    }

    fn signed(&self, input: SigInput) -> Record {
        let data = TBS::from_input(
            &self.record.name,
            DNSClass::IN,
            &input,
            [&self.record].into_iter(),
        );
        // What cannot be signed as it stands is signed as the good one is.
        let data = data.unwrap_or_else(|_| {
            TBS::from_input(
                &self.record.name,
                DNSClass::IN,
                &self.input(),
                [&self.record].into_iter(),
            )
            .unwrap()
        });
        let signature = RRSIG::from_sig(input, self.private.sign(&data).unwrap());
        Record::from_rdata(
            self.record.name.clone(),
            300,
            RData::DNSSEC(DNSSECRData::RRSIG(signature)),
        )
    }

    /// A signature that does not hold.
    fn damaged(&self, input: SigInput) -> Record {
        let mut signed = self.signed(input);
        if let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &signed.data {
            let octets: Vec<u8> = signature.sig().iter().map(|octet| !octet).collect();
            signed.data = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(
                signature.input().clone(),
                octets,
            )));
        }
        signed
    }

    fn prove(&self, section: &[Record], keys: &[DNSKEY]) -> Proof {
        let set = RrSet::find(section, &self.record.name, RecordType::TLSA).unwrap();
        prove(
            &set,
            &Name::from_user("a.example").unwrap(),
            keys,
            &Budget::at(self.now, None),
        )
    }

    fn security(&self, input: SigInput) -> Security {
        self.prove(
            &[self.record.clone(), self.signed(input)],
            std::slice::from_ref(&self.key),
        )
        .security
    }
}

#[test]
fn two_keys_with_one_tag_are_not_trusted_to_every_validator() {
    let lab = lab();
    let mut swapped = lab.key.public_key().public_bytes().to_vec();
    // The tag is a sum of words (RFC 4034 appendix B).
    swapped[..4].rotate_left(2);
    let other = DNSKEY::new(
        true,
        true,
        false,
        PublicKeyBuf::new(swapped, Algorithm::ECDSAP256SHA256),
    );
    assert_eq!(
        other.calculate_key_tag().unwrap(),
        lab.key.calculate_key_tag().unwrap()
    );
    let section = [lab.record.clone(), lab.signed(lab.input())];
    for keys in [[lab.key.clone(), other.clone()], [other, lab.key.clone()]] {
        let proof = lab.prove(&section, &keys);
        assert_eq!(proof.security, Security::Indeterminate);
        assert_eq!(proof.findings[0].code, "key-tag-collision");
    }
}

#[test]
fn a_good_signature_proves_and_one_wrong_thing_is_enough_to_spoil_it() {
    let lab = lab();
    assert_eq!(lab.security(lab.input()), Security::Secure);
    let at = |seconds: i64| SerialNumber::new(moment(lab.now + TimeDelta::seconds(seconds)));
    for (what, input) in [
        (
            "signer above",
            SigInput {
                signer_name: wire("example"),
                ..lab.input()
            },
        ),
        (
            "signer below",
            SigInput {
                signer_name: wire("_tcp.a.example"),
                ..lab.input()
            },
        ),
        (
            "too many labels",
            SigInput {
                num_labels: 5,
                ..lab.input()
            },
        ),
        (
            "over",
            SigInput {
                sig_expiration: at(-1),
                ..lab.input()
            },
        ),
        (
            "not begun",
            SigInput {
                sig_inception: at(1),
                ..lab.input()
            },
        ),
        (
            "half a circle away",
            SigInput {
                sig_inception: at(-(1 << 31)),
                ..lab.input()
            },
        ),
        (
            "another tag",
            SigInput {
                key_tag: lab.input().key_tag ^ 1,
                ..lab.input()
            },
        ),
        (
            "another algorithm",
            SigInput {
                algorithm: Algorithm::ED25519,
                ..lab.input()
            },
        ),
    ] {
        assert_eq!(lab.security(input), Security::Bogus, "{what}");
    }
    assert_eq!(
        lab.security(SigInput {
            num_labels: 3,
            ..lab.input()
        }),
        Security::Indeterminate
    );
    assert_eq!(
        lab.security(SigInput {
            algorithm: Algorithm::from_u8(16),
            ..lab.input()
        }),
        Security::Indeterminate
    );
    assert_eq!(
        lab.security(SigInput {
            sig_expiration: at(0),
            sig_inception: at(0),
            ..lab.input()
        }),
        Security::Secure
    );
}

#[test]
fn only_an_unrevoked_zone_key_proves() {
    let lab = lab();
    let public = lab.key.public_key();
    for (flags, expected) in [
        (257, Security::Secure),
        (256, Security::Secure),
        (1, Security::Bogus),
        (385, Security::Bogus),
    ] {
        let key = DNSKEY::with_flags(flags, public.clone());
        let input = SigInput {
            key_tag: key.calculate_key_tag().unwrap(),
            ..lab.input()
        };
        assert_eq!(
            lab.prove(&[lab.record.clone(), lab.signed(input)], &[key])
                .security,
            expected,
            "{flags}"
        );
    }
}

#[test]
fn every_signature_must_hold_and_there_must_be_one() {
    let lab = lab();
    let keys = std::slice::from_ref(&lab.key);
    let good = lab.signed(lab.input());
    let bad = lab.damaged(lab.input());
    let record = lab.record.clone();
    assert_eq!(
        lab.prove(std::slice::from_ref(&record), keys).security,
        Security::Bogus
    );
    assert_eq!(
        lab.prove(&[record.clone(), good.clone(), bad], keys)
            .security,
        Security::Bogus
    );
    let many = std::iter::once(record)
        .chain(std::iter::repeat_n(good, limits::SIGNATURES + 1))
        .collect::<Vec<_>>();
    let proof = lab.prove(&many, keys);
    assert_eq!(
        (proof.security, proof.findings[0].code),
        (Security::Indeterminate, "limits-exceeded")
    );
    assert_eq!(
        lab.prove(&many[..2], &vec![lab.key.clone(); limits::KEYS + 1])
            .security,
        Security::Indeterminate
    );
}

#[test]
fn repeats_ttls_and_letter_case_do_not_spoil_what_was_signed() {
    let lab = lab();
    let mut aged = lab.record.clone();
    aged.ttl = 17;
    aged.name = WireName::from_labels([&b"_25"[..], b"_TCP", b"A", b"Example"]).unwrap();
    let section = [aged, lab.record.clone(), lab.signed(lab.input())];
    let proof = lab.prove(&section, std::slice::from_ref(&lab.key));
    assert_eq!(
        (proof.security, proof.original_ttl),
        (Security::Secure, Some(300))
    );
    let other = Record::from_rdata(
        lab.record.name.clone(),
        300,
        RData::try_from_str(RecordType::TLSA, "3 1 1 cc").unwrap(),
    );
    let section = [lab.record.clone(), other, lab.signed(lab.input())];
    assert_eq!(
        lab.prove(&section, std::slice::from_ref(&lab.key)).security,
        Security::Bogus
    );
}

/// A public key of random octets whose DNSKEY has this tag: what matters is
/// that somebody has to try it.
fn of_tag(tag: u16, seed: u8) -> DNSKEY {
    let make = |last: u16| {
        let octets = [&[seed; 62][..], &last.to_be_bytes()].concat();
        DNSKEY::with_flags(257, PublicKeyBuf::new(octets, Algorithm::ECDSAP256SHA256))
    };
    (0..=u16::MAX)
        .map(make)
        .find(|key| key.calculate_key_tag().unwrap() == tag)
        .unwrap()
}

#[test]
fn keys_of_one_tag_and_many_signatures_are_tried_a_few_times_only() {
    let lab = lab();
    let tag = lab.key.calculate_key_tag().unwrap();
    let keys: Vec<DNSKEY> = (1..=limits::KEYS as u8)
        .map(|seed| of_tag(tag, seed))
        .collect();
    let signatures = (0..limits::SIGNATURES).map(|index| {
        let expires = SerialNumber::new(moment(lab.now) + 1000 + index as u32);
        lab.signed(SigInput {
            sig_expiration: expires,
            ..lab.input()
        })
    });
    let section: Vec<Record> = std::iter::once(lab.record.clone())
        .chain(signatures)
        .collect();
    let set = RrSet::find(&section, &lab.record.name, RecordType::TLSA).unwrap();
    let zone = Name::from_user("a.example").unwrap();
    let budget = Budget::at(lab.now, None);
    assert_eq!(prove(&set, &zone, &keys, &budget).security, Security::Bogus);
    assert_eq!(budget.spent(), limits::SIGNATURES * limits::COLLIDING);
    // Asked again and again, as by very many servers, it comes to an end.
    let proofs: Vec<Proof> = (0..1000)
        .map(|_| prove(&set, &zone, &keys, &budget))
        .collect();
    assert_eq!(budget.spent(), 8192);
    let last = &proofs[999];
    assert_eq!(
        (last.security, last.findings[0].code),
        (Security::Indeterminate, "limits-exceeded")
    );
    // What was fine before is not fine when nothing may be tried any more.
    let good = RrSet::find(
        &[lab.record.clone(), lab.signed(lab.input())],
        &lab.record.name,
        RecordType::TLSA,
    )
    .unwrap();
    let keys = std::slice::from_ref(&lab.key);
    assert_eq!(
        prove(&good, &zone, keys, &Budget::at(lab.now, None)).security,
        Security::Secure
    );
    assert_eq!(
        prove(&good, &zone, keys, &budget).security,
        Security::Indeterminate
    );
}

#[test]
fn no_changed_bit_makes_other_records_secure() {
    let lab = lab();
    let [zone, owner] =
        ["a.example", "_25._tcp.a.example"].map(|name| Name::from_user(name).unwrap());
    let mut good = Message::new(7, MessageType::Response, OpCode::Query);
    good.metadata.authoritative = true;
    good.add_query(Query::query(lab.record.name.clone(), RecordType::TLSA));
    good.answers = vec![lab.record.clone(), lab.signed(lab.input())];
    let octets = good.to_vec().unwrap();
    let said = |octets: &[u8]| {
        let message = Message::from_vec(octets).ok()?;
        match Answer::by_authority(
            &Ok(std::sync::Arc::new(message.into())),
            &zone,
            &owner,
            RecordType::TLSA,
        ) {
            Answer::Records(set) => Some(set),
            _ => None,
        }
    };
    let secure = |set: &RrSet| {
        prove(
            set,
            &zone,
            std::slice::from_ref(&lab.key),
            &Budget::at(lab.now, None),
        )
        .security
            == Security::Secure
    };
    assert!(said(&octets).is_some_and(|set| secure(&set)));
    let mut still_secure = 0;
    for bit in 0..octets.len() * 8 {
        let mut changed = octets.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Some(set) = said(&changed).filter(secure) {
            assert_eq!(set.records.len(), 1, "bit {bit}");
            assert_eq!(set.records[0].data, lab.record.data, "bit {bit}: {set:?}");
            still_secure += 1;
        }
    }
    // Letter case, most of the header and the TTL, which is cut down, are free; not more.
    assert!(
        (1..400).contains(&still_secure),
        "{still_secure} of {} bits may change",
        octets.len() * 8
    );
    // What is cut off may be read to its end, and is then not secure.
    let cut = (0..octets.len())
        .filter_map(|length| said(&octets[..length]))
        .filter(secure)
        .count();
    assert_eq!(cut, 0);
}

#[test]
fn a_denial_is_to_be_signed_with_each_algorithm_of_the_wildcard() {
    use hickory_proto::dnssec::rdata::NSEC;

    let lab = lab();
    let strong = Algorithm::ECDSAP384SHA384;
    let second =
        EcdsaSigningKey::from_pkcs8(&EcdsaSigningKey::generate_pkcs8(strong).unwrap(), strong)
            .unwrap();
    let other = DNSKEY::from_key(&second.to_public_key().unwrap());
    let sign = |record: &Record, num_labels: u8, private: &EcdsaSigningKey, key: &DNSKEY| {
        let (type_covered, key_tag) = (record.record_type(), key.calculate_key_tag().unwrap());
        let input = SigInput {
            type_covered,
            num_labels,
            key_tag,
            algorithm: key.public_key().algorithm(),
            ..lab.input()
        };
        let data =
            TBS::from_input(&record.name, DNSClass::IN, &input, [record].into_iter()).unwrap();
        let signature = RRSIG::from_sig(input, private.sign(&data).unwrap());
        Record::from_rdata(
            record.name.clone(),
            300,
            RData::DNSSEC(DNSSECRData::RRSIG(signature)),
        )
    };
    let nsec = NSEC::new(wire("z.a.example"), [RecordType::SOA]);
    let nsec = Record::from_rdata(
        wire("a.example"),
        300,
        RData::DNSSEC(DNSSECRData::NSEC(nsec)),
    );
    let both = |record: &Record| {
        [
            record.clone(),
            sign(record, 2, &lab.private, &lab.key),
            sign(record, 2, &second, &other),
        ]
    };
    let (answer, denial) = (both(&lab.record), both(&nsec));
    for (signatures, expected) in [(3, &[0, 1][..]), (2, &[0])] {
        let set = RrSet::find(&answer, &lab.record.name, RecordType::TLSA).unwrap();
        let set = set.with_denials(&denial[..signatures]);
        let keys = [lab.key.clone(), other.clone()];
        let proof = prove(
            &set,
            &Name::from_user("a.example").unwrap(),
            &keys,
            &Budget::at(lab.now, None),
        );
        // The owner's judge compares the signers with the algorithms that the parent names.
        assert_eq!(
            (proof.security, proof.signers.as_slice()),
            (Security::Secure, expected),
            "{:?}",
            proof.findings
        );
    }
}

#[test]
fn a_signature_that_nobody_tries_is_a_note_beside_one_that_holds_and_nothing_alone() {
    use Security::{Bogus, Indeterminate, Secure};

    let lab = lab();
    let at = |seconds: i64| SerialNumber::new(moment(lab.now + TimeDelta::seconds(seconds)));
    let stranger = SigInput {
        key_tag: lab.input().key_tag ^ 1,
        ..lab.input()
    };
    let early = SigInput {
        sig_inception: at(300),
        ..lab.input()
    };
    let over = SigInput {
        sig_expiration: at(-90),
        sig_inception: at(-900),
        ..lab.input()
    };
    let unknown = SigInput {
        algorithm: Algorithm::from_u8(16),
        ..lab.input()
    };
    let old_stranger = SigInput {
        key_tag: stranger.key_tag,
        ..over.clone()
    };
    let above = SigInput {
        signer_name: wire("example"),
        ..lab.input()
    };
    for (what, odd, alone, with_good, code) in [
        (
            "a key that is not there",
            lab.signed(stranger),
            Bogus,
            Secure,
            "signature-unused",
        ),
        (
            "expired, and its key is gone",
            lab.signed(old_stranger),
            Bogus,
            Secure,
            "signature-unused",
        ),
        (
            "not valid yet",
            lab.signed(early.clone()),
            Bogus,
            Secure,
            "signature-unused",
        ),
        (
            "not valid yet, and damaged",
            lab.damaged(early),
            Bogus,
            Secure,
            "signature-unused",
        ),
        (
            "an algorithm that is unknown here",
            lab.signed(unknown),
            Indeterminate,
            Secure,
            "algorithm-unsupported",
        ),
        (
            "expired",
            lab.signed(over),
            Bogus,
            Bogus,
            "signature-expired",
        ),
        ("wrong", lab.damaged(lab.input()), Bogus, Bogus, "bogus"),
        (
            "of another signer",
            lab.signed(above),
            Bogus,
            Bogus,
            "bogus",
        ),
    ] {
        let keys = std::slice::from_ref(&lab.key);
        let good = lab.signed(lab.input());
        assert_eq!(
            lab.prove(&[lab.record.clone(), odd.clone()], keys).security,
            alone,
            "{what} alone"
        );
        for section in [[odd.clone(), good.clone()], [good, odd]] {
            let proof = lab.prove(&[&[lab.record.clone()][..], &section].concat(), keys);
            let expected = if with_good == Secure {
                Severity::Note
            } else {
                Severity::Unsafe
            };
            let [finding] = proof.findings.as_slice() else {
                panic!("{what}: {:?}", proof.findings)
            };
            assert_eq!(
                (proof.security, finding.code, finding.severity),
                (with_good, code, expected),
                "{what}"
            );
            assert_eq!(proof.signers, [0], "{what}");
        }
    }
    // Two that nobody tries are no better than one.
    let [first, second] = [1, 2].map(|bit| SigInput {
        key_tag: lab.input().key_tag ^ bit,
        ..lab.input()
    });
    let section = [lab.record.clone(), lab.signed(first), lab.signed(second)];
    assert_eq!(
        lab.prove(&section, std::slice::from_ref(&lab.key)).security,
        Bogus
    );
}

#[test]
fn by_how_much_a_clock_is_off_is_said() {
    let lab = lab();
    let at = |seconds: i64| SerialNumber::new(moment(lab.now + TimeDelta::seconds(seconds)));
    for (from, to, expected) in [
        (
            300,
            86_400,
            "is not valid yet, but in 5m: is this machine's clock right?",
        ),
        (400_000, 500_000, "is not valid yet, but in 4d15h6m40s"),
        (
            -900,
            -90,
            "expired on 2026-11-20 at 11:58:30 UTC, 1m30s ago: is this machine's clock right?",
        ),
        (
            -900_000,
            -90_000,
            "expired on 2026-11-19 at 11:00:00 UTC, 1d1h ago",
        ),
    ] {
        let input = SigInput {
            sig_inception: at(from),
            sig_expiration: at(to),
            ..lab.input()
        };
        let proof = lab.prove(
            &[lab.record.clone(), lab.signed(input)],
            std::slice::from_ref(&lab.key),
        );
        assert!(
            proof.findings[0].message.ends_with(expected),
            "{:?}",
            proof.findings
        );
    }
}

#[test]
fn a_ttl_above_the_signed_one_is_a_note() {
    let lab = lab();
    let mut raised = lab.record.clone();
    raised.ttl = 86_400;
    let proof = lab.prove(
        &[raised, lab.signed(lab.input())],
        std::slice::from_ref(&lab.key),
    );
    let [finding] = proof.findings.as_slice() else {
        panic!("{:?}", proof.findings)
    };
    assert_eq!(
        (proof.security, proof.original_ttl),
        (Security::Secure, Some(300))
    );
    assert_eq!(
        (finding.code, finding.severity),
        ("ttl-above-signed", Severity::Note)
    );
    assert!(
        finding.message.contains("86400") && finding.message.contains("300"),
        "{finding:?}"
    );
}

#[test]
fn a_signature_that_ends_before_caches_let_go_is_told_of() {
    let lab = lab();
    let at = |seconds: i64| SerialNumber::new(moment(lab.now + TimeDelta::seconds(seconds)));
    for (left, expected) in [
        (299, Some(Severity::Unsafe)),
        (300, Some(Severity::Unsafe)),
        (301, Some(Severity::Note)),
        (3899, Some(Severity::Note)),
        (3900, None),
    ] {
        let input = SigInput {
            sig_expiration: at(left),
            ..lab.input()
        };
        let section = [lab.record.clone(), lab.signed(input)];
        let proof = lab.prove(&section, std::slice::from_ref(&lab.key));
        let told = proof.findings.iter().map(|f| (f.code, f.severity)).next();
        let expected = expected.map(|severity| ("signature-expires-soon", severity));
        assert_eq!(told, expected, "{left}");
        assert_eq!(proof.expires, Some(lab.now + TimeDelta::seconds(left)));
    }
}

#[test]
fn a_key_set_is_entered_by_a_key_that_is_trusted_and_signs_it() {
    let (lab, other) = (lab(), self::lab());
    let public = other.key.public_key();
    let revoked = DNSKEY::with_flags(385, public.clone());
    let set = |keys: &[DNSKEY], signers: &[(&Lab, &DNSKEY)]| {
        let record = |key: &DNSKEY| {
            let data = RData::DNSSEC(DNSSECRData::DNSKEY(key.clone()));
            Record::from_rdata(wire("a.example"), 300, data)
        };
        let records: Vec<Record> = keys.iter().map(record).collect();
        let sign = |(lab, key): &(&Lab, &DNSKEY)| {
            let input = SigInput {
                type_covered: RecordType::DNSKEY,
                num_labels: 2,
                key_tag: key.calculate_key_tag().unwrap(),
                ..lab.input()
            };
            let owner = wire("a.example");
            let data = TBS::from_input(&owner, DNSClass::IN, &input, records.iter()).unwrap();
            let signature = RRSIG::from_sig(input, lab.private.sign(&data).unwrap());
            Record::from_rdata(owner, 300, RData::DNSSEC(DNSSECRData::RRSIG(signature)))
        };
        let section: Vec<Record> = records
            .iter()
            .cloned()
            .chain(signers.iter().map(sign))
            .collect();
        RrSet::find(&section, &wire("a.example"), RecordType::DNSKEY).unwrap()
    };
    let both = [lab.key.clone(), other.key.clone()];
    let with_revoked = [lab.key.clone(), revoked.clone()];
    let crowd: Vec<DNSKEY> = (0..=limits::KEYS)
        .map(|seed| {
            let octets = vec![u8::try_from(seed).unwrap(); 64];
            DNSKEY::with_flags(257, PublicKeyBuf::new(octets, Algorithm::ECDSAP256SHA256))
        })
        .collect();
    let (ours, theirs) = ((&lab, &lab.key), (&other, &other.key));
    let theirs_revoked = (&other, &revoked);
    let none = "none of the keys of a.example. is one that its parent";
    let unsigned = "is not signed by a key that its parent";
    let never = "carries signatures by revoked keys only";
    let none_trusted: Option<&DNSKEY> = None;
    for (what, set, trusted, security, says) in [
        (
            "by the one",
            set(&both, &[ours]),
            Some(&lab.key),
            Security::Secure,
            "",
        ),
        (
            "by both",
            set(&both, &[ours, theirs]),
            Some(&lab.key),
            Security::Secure,
            "",
        ),
        (
            "nobody trusted",
            set(&both, &[ours]),
            none_trusted,
            Security::Bogus,
            none,
        ),
        (
            "by the other",
            set(&both, &[theirs]),
            Some(&lab.key),
            Security::Bogus,
            unsigned,
        ),
        (
            "a revoked one besides",
            set(&with_revoked, &[ours, theirs_revoked]),
            Some(&lab.key),
            Security::Secure,
            "",
        ),
        (
            "a revoked one alone",
            set(&with_revoked, &[theirs_revoked]),
            Some(&lab.key),
            Security::Bogus,
            never,
        ),
        (
            "the trusted one is revoked",
            set(&with_revoked, &[ours, theirs_revoked]),
            Some(&revoked),
            Security::Bogus,
            none,
        ),
        (
            "too many to try",
            set(&crowd, &[ours]),
            Some(&lab.key),
            Security::Indeterminate,
            "keys to try",
        ),
    ] {
        let zone = Name::from_user("a.example").unwrap();
        let trials = Budget::at(lab.now, None);
        let proof = prove_keys(&set, &zone, |key| Some(key) == trusted, &trials);
        assert_eq!(proof.security, security, "{what}: {:?}", proof.findings);
        let message = proof.findings.first().map(|f| f.message.as_str());
        assert!(
            message.unwrap_or_default().contains(says),
            "{what}: {message:?}"
        );
    }
}

#[test]
fn a_zone_that_is_signed_with_sha1_only_is_outdated() {
    let zone = Name::from_user("a.example").unwrap();
    for (algorithms, named) in [
        (&[][..], None),
        (&[5], Some("algorithm 5 (RSASHA1)")),
        (&[7, 5], Some("algorithm 7 (RSASHA1-NSEC3-SHA1)")),
        (&[5, 13], None),
        (&[13], None),
    ] {
        let all = algorithms.iter().map(|number| Algorithm::from_u8(*number));
        let told = outdated(&zone, all).map(|finding| finding.message);
        assert_eq!(told.is_some(), named.is_some(), "{algorithms:?}");
        let told = told.unwrap_or_default();
        assert!(told.contains(named.unwrap_or_default()), "{told}");
    }
    assert_eq!(algorithm_name(Algorithm::from_u8(99)), "algorithm 99");
}
