//! Algorithms, denials, lifetimes and signatures.

use super::{Case, case};
use crate::states::State::{self, Bogus, Insecure, Secure};
use crate::text::{LABELS, SIGNER, Text};
use crate::zones::{DIGEST, Made, Plan};

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [algorithms(), forms(), times(), signatures()]
        .into_iter()
        .flatten()
        .collect()
}

fn algorithms() -> Vec<Case> {
    vec![
        case("rsasha1.example", |z| z.algorithm("RSASHA1"), Secure),
        case(
            "nsec3rsasha1.example",
            |z| z.algorithm("NSEC3RSASHA1"),
            Secure,
        ),
        case("rsasha256.example", |z| z.algorithm("RSASHA256"), Secure),
        case("rsasha512.example", |z| z.algorithm("RSASHA512"), Secure),
        case("p256.example", |z| z, Secure),
        case("p384.example", |z| z.algorithm("ECDSAP384SHA384"), Secure),
        case("ed25519.example", |z| z.algorithm("ED25519"), Secure),
        case("ed448.example", |z| z.algorithm("ED448"), Secure),
        case(
            "rsa-single.example",
            |z| z.algorithm("RSASHA256").single_key(),
            Secure,
        ),
        case("p256-single.example", Plan::single_key, Secure),
        case(
            "p384-single.example",
            |z| z.algorithm("ECDSAP384SHA384").single_key(),
            Secure,
        ),
        case(
            "ed25519-single.example",
            |z| z.algorithm("ED25519").single_key(),
            Secure,
        ),
    ]
}

fn forms() -> Vec<Case> {
    vec![
        case("nsec3.example", |z| z.sign_with(&["-3", "-"]), Secure),
        case(
            "nsec3-salt.example",
            |z| z.sign_with(&["-3", "beef", "-H", "10"]),
            Secure,
        ),
        case(
            "nsec3-optout.example",
            |z| z.sign_with(&["-3", "beef", "-A"]),
            Secure,
        ),
        case("signed.opt", |z| z, Secure),
        case("unsigned.opt", Plan::unsigned, Insecure),
        case("ds-lost.opt", |z| z.ds(|_, _| Vec::new()), Insecure),
        case(
            "nodata.example",
            |z| z.records("mail A 127.0.0.1\n_25._tcp.mail TXT \"no TLSA\""),
            Secure,
        ),
        case(
            "nodata-nsec3.example",
            |z| {
                z.records("mail A 127.0.0.1\n_25._tcp.mail TXT \"no TLSA\"")
                    .sign_with(&["-3", "-"])
            },
            Secure,
        ),
        case("noname.example", |z| z.records("mail A 127.0.0.1"), Secure),
        case(
            "noname-nsec3.example",
            |z| z.records("mail A 127.0.0.1").sign_with(&["-3", "-"]),
            Secure,
        ),
        case(
            "noname-soa-unsigned.example",
            |z| {
                z.records("mail A 127.0.0.1")
                    .edit(|text, zone| text.drop_signatures(&zone.at("@"), "SOA", |_| true))
            },
            Bogus,
        ),
        case(
            "wildcard.example",
            |z| z.records("mail A 127.0.0.1\n*._tcp.mail TLSA 3 1 1 DIGEST"),
            Secure,
        ),
        case(
            "wildcard-nsec3.example",
            |z| {
                z.records("mail A 127.0.0.1\n*.mail TLSA 3 1 1 DIGEST")
                    .sign_with(&["-3", "-"])
            },
            Secure,
        ),
        case(
            "wildcard-itself.example",
            |z| z.and_record("* TLSA 3 1 1 DIGEST"),
            Secure,
        ),
        wildcard(
            "wildcard-optout.example",
            |z| z.sign_with(&["-3", "-", "-A"]),
            Insecure,
        ),
        wildcard(
            "wildcard-iterations.example",
            |z| z.sign_with(&["-3", "-", "-H", "150"]),
            Secure,
        ),
        wildcard(
            "wildcard-iterations-some.example",
            |z| z.sign_with(&["-3", "-", "-H", "60"]),
            Secure,
        ),
        wildcard(
            "wildcard-denial-expired.example",
            |z| {
                z.edit(|text, zone| {
                    text.take_signatures(zone.expired(), &zone.at("*.mail"), "NSEC")
                })
            },
            Bogus,
        ),
        wildcard(
            "wildcard-denial-broken.example",
            |z| z.edit(|text, zone| text.break_signatures(&zone.at("*.mail"), "NSEC", |_| true)),
            Bogus,
        ),
        wildcard(
            "wildcard-copied.example",
            |z| {
                z.edit(|text, zone| {
                    // As if the name were there, with the wildcard's signature.
                    let signature = text.signatures(&zone.at("*.mail"), "TLSA")[0]
                        .data
                        .join(" ");
                    text.add(&format!("{} 60 IN TLSA 3 1 1 {DIGEST}", zone.tlsa()));
                    text.add(&format!("{} 60 IN RRSIG {signature}", zone.tlsa()));
                })
            },
            Bogus,
        ),
        case(
            "wildcard-unproven.example",
            |z| {
                z.records("mail A 127.0.0.1\n*.mail TLSA 3 1 1 DIGEST")
                    .edit(|text, zone| text.drop_set(&zone.at("*.mail"), "NSEC"))
            },
            Bogus,
        ),
    ]
}

/// A wildcard that answers for the owner.
fn wildcard(zone: &'static str, make: impl Fn(Plan) -> Plan, truth: State) -> Case {
    case(
        zone,
        |z| make(z.records("mail A 127.0.0.1\n*.mail TLSA 3 1 1 DIGEST")),
        truth,
    )
}

fn times() -> Vec<Case> {
    vec![
        case(
            "expired.example",
            |z| z.edit(|text, zone| *text = zone.expired()),
            Bogus,
        ),
        case(
            "early.example",
            |z| z.edit(|text, zone| *text = zone.early()),
            Bogus,
        ),
        case(
            "expired-tlsa.example",
            |z| z.edit(|text, zone| text.take_signatures(zone.expired(), &zone.tlsa(), "TLSA")),
            Bogus,
        ),
        case(
            "early-tlsa.example",
            |z| z.edit(|text, zone| text.take_signatures(zone.early(), &zone.tlsa(), "TLSA")),
            Bogus,
        ),
        case(
            "expired-dnskey.example",
            |z| z.edit(|text, zone| text.take_signatures(zone.expired(), &zone.at("@"), "DNSKEY")),
            Bogus,
        ),
        case(
            "expired-dnskey-single.example",
            |z| {
                z.single_key().edit(|text, zone| {
                    text.take_signatures(zone.expired(), &zone.at("@"), "DNSKEY")
                })
            },
            Bogus,
        ),
        case(
            "expired-beside-good.example",
            |z| {
                z.edit(|text, zone| {
                    let old = zone
                        .expired()
                        .signatures(&zone.tlsa(), "TLSA")
                        .pop()
                        .map(|line| line.data.join(" "));
                    text.add(&format!(
                        "{} 60 IN RRSIG {}",
                        zone.tlsa(),
                        old.expect("there is one")
                    ));
                })
            },
            Secure,
        ),
        case(
            "early-beside-good.example",
            |z| {
                z.edit(|text, zone| {
                    let next = zone
                        .early()
                        .signatures(&zone.tlsa(), "TLSA")
                        .pop()
                        .map(|line| line.data.join(" "));
                    text.add(&format!(
                        "{} 60 IN RRSIG {}",
                        zone.tlsa(),
                        next.expect("there is one")
                    ));
                })
            },
            Secure,
        ),
        case(
            "stranger-beside-good.example",
            |z| {
                z.edit(|text, zone| {
                    // By the tag of a key that the zone does not publish.
                    let mut signature = text.signatures(&zone.tlsa(), "TLSA")[0].data.clone();
                    let tag: u16 = signature[6].parse().expect("the seventh field is the tag");
                    signature[6] = (tag ^ 1).to_string();
                    text.add(&format!(
                        "{} 60 IN RRSIG {}",
                        zone.tlsa(),
                        signature.join(" ")
                    ));
                })
            },
            Secure,
        ),
        case(
            "expired-soa.example",
            |z| z.edit(|text, zone| text.take_signatures(zone.expired(), &zone.at("@"), "SOA")),
            Secure,
        ),
    ]
}

fn signatures() -> Vec<Case> {
    vec![
        case(
            "broken-tlsa.example",
            |z| z.edit(|text, zone| text.break_signatures(&zone.tlsa(), "TLSA", |_| true)),
            Bogus,
        ),
        case(
            "broken-tlsa-single.example",
            |z| {
                z.single_key()
                    .edit(|text, zone| text.break_signatures(&zone.tlsa(), "TLSA", |_| true))
            },
            Bogus,
        ),
        case(
            "unsigned-tlsa.example",
            |z| z.edit(|text, zone| text.drop_signatures(&zone.tlsa(), "TLSA", |_| true)),
            Bogus,
        ),
        case(
            "changed-tlsa.example",
            |z| {
                z.edit(|text, zone| {
                    text.set(&zone.tlsa(), "TLSA")[0].data[3].replace_range(..1, "f")
                })
            },
            Bogus,
        ),
        case(
            "added-tlsa.example",
            |z| {
                z.edit(|text, zone| {
                    text.add(&format!(
                        "{} 60 IN TLSA 3 1 1 {}",
                        zone.tlsa(),
                        "ab".repeat(32)
                    ));
                })
            },
            Bogus,
        ),
        case(
            "broken-dnskey.example",
            |z| z.edit(|text, zone| text.break_signatures(&zone.at("@"), "DNSKEY", |_| true)),
            Bogus,
        ),
        case(
            "broken-dnskey-single.example",
            |z| {
                z.single_key()
                    .edit(|text, zone| text.break_signatures(&zone.at("@"), "DNSKEY", |_| true))
            },
            Bogus,
        ),
        case(
            "unsigned-dnskey.example",
            |z| z.edit(|text, zone| text.drop_signatures(&zone.at("@"), "DNSKEY", |_| true)),
            Bogus,
        ),
        case(
            "unsigned-dnskey-single.example",
            |z| {
                z.single_key()
                    .edit(|text, zone| text.drop_signatures(&zone.at("@"), "DNSKEY", |_| true))
            },
            Bogus,
        ),
        case(
            "broken-soa.example",
            |z| z.edit(|text, zone| text.break_signatures(&zone.at("@"), "SOA", |_| true)),
            Secure,
        ),
        case(
            "stripped.example",
            |z| z.edit(|text, zone| *text = Text::unsigned(zone.plain())),
            Bogus,
        ),
        case(
            "ttl-raised.example",
            |z| z.edit(|text, zone| text.set(&zone.tlsa(), "TLSA")[0].ttl = "86400".to_owned()),
            Secure,
        ),
        case(
            "ttl-lowered.example",
            |z| z.edit(|text, zone| text.set(&zone.tlsa(), "TLSA")[0].ttl = "5".to_owned()),
            Secure,
        ),
        case(
            "signer-parent.example",
            |z| z.edit(|text, zone| foreign(text, zone, "example")),
            Bogus,
        ),
        case(
            "signer-renamed.example",
            |z| {
                z.edit(|text, zone| {
                    text.signatures(&zone.tlsa(), "TLSA")[0].data[SIGNER] = "example.".to_owned()
                })
            },
            Bogus,
        ),
        case(
            "labels-more.example",
            |z| {
                z.edit(|text, zone| {
                    text.signatures(&zone.tlsa(), "TLSA")[0].data[LABELS] = "6".to_owned()
                })
            },
            Bogus,
        ),
        case(
            "labels-fewer.example",
            |z| {
                z.edit(|text, zone| {
                    text.signatures(&zone.tlsa(), "TLSA")[0].data[LABELS] = "4".to_owned()
                })
            },
            Bogus,
        ),
    ]
}

/// A signature that holds, by the keys of another zone.
fn foreign(text: &mut Text, zone: &Made, origin: &str) {
    let here = format!("$ORIGIN {}.", zone.name());
    let plain = zone.plain().replace(&here, &format!("$ORIGIN {origin}."));
    let plain = format!("{plain}\n{} TLSA 3 1 1 {DIGEST}\n", zone.tlsa());
    text.take_signatures(zone.signed_as(origin, &plain, &[]), &zone.tlsa(), "TLSA");
}
