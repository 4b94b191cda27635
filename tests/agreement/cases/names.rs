//! Aliases, and names of every kind.

use super::{Case, case};
use crate::states::State::{self, Bogus, Insecure, Secure};

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [aliases(), names()].into_iter().flatten().collect()
}

fn alias(zone: &'static str, target: &str, truth: State) -> Case {
    let records = format!("mail A 127.0.0.1\n_25._tcp.mail CNAME {target}");
    case(zone, |z| z.records(&records), truth)
}

fn aliases() -> Vec<Case> {
    vec![
        alias(
            "alias-inside.example",
            "_dane\n_dane TLSA 3 1 1 DIGEST",
            Secure,
        ),
        alias("alias-secure.example", "_dane.p256.example.", Secure),
        alias("alias-other-tree.example", "_dane.signed.opt.", Secure),
        alias(
            "alias-insecure.example",
            "_dane.ds-missing.example.",
            Insecure,
        ),
        alias(
            "alias-bogus.example",
            "_25._tcp.mail.broken-tlsa.example.",
            Bogus,
        ),
        alias(
            "alias-bogus-zone.example",
            "_dane.broken-dnskey.example.",
            Bogus,
        ),
        alias(
            "alias-twice.example",
            "_25._tcp.mail.alias-secure.example.",
            Secure,
        ),
        alias(
            "alias-to-alias-insecure.example",
            "_25._tcp.mail.alias-insecure.example.",
            Insecure,
        ),
        case(
            "alias-out-of-insecure.example",
            |z| {
                z.records("mail A 127.0.0.1\n_25._tcp.mail CNAME _dane.p256.example.")
                    .ds(|_, _| Vec::new())
            },
            Insecure,
        ),
        case(
            "alias-broken.example",
            |z| {
                z.records("mail A 127.0.0.1\n_25._tcp.mail CNAME _dane.p256.example.")
                    .edit(|text, zone| text.break_signatures(&zone.tlsa(), "CNAME", |_| true))
            },
            Bogus,
        ),
        case(
            "alias-unsigned.example",
            |z| {
                z.records("mail A 127.0.0.1\n_25._tcp.mail CNAME _dane.p256.example.")
                    .edit(|text, zone| text.drop_signatures(&zone.tlsa(), "CNAME", |_| true))
            },
            Bogus,
        ),
        case(
            "alias-wildcard.example",
            |z| z.records("mail A 127.0.0.1\n*._tcp.mail CNAME _dane.p256.example."),
            Secure,
        ),
        alias("alias-to-nothing.example", "nothing.p256.example.", Secure),
        case(
            "dname.example",
            |z| z.records("mail A 127.0.0.1\n_tcp.mail DNAME _tcp.mail.p256.example."),
            Secure,
        ),
        case(
            "dname-broken.example",
            |z| {
                z.records("mail A 127.0.0.1\n_tcp.mail DNAME _tcp.mail.p256.example.")
                    .edit(|text, zone| {
                        text.break_signatures(&zone.at("_tcp.mail"), "DNAME", |_| true)
                    })
            },
            Bogus,
        ),
        case(
            "dname-insecure.example",
            |z| z.records("mail A 127.0.0.1\n_tcp.mail DNAME _tcp.mail.ds-missing.example."),
            Insecure,
        ),
    ]
}

fn names() -> Vec<Case> {
    let tlsa = |host: &str| format!("{host} A 127.0.0.1\n_25._tcp.{host} TLSA 3 1 1 DIGEST");
    vec![
        case("apex.example", |z| z.records("@ A 127.0.0.1\n_25._tcp TLSA 3 1 1 DIGEST"), Secure).at("@"),
        case("deep.example", |z| z.records(&tlsa("a.b.c.d.e.f.g.h")), Secure).at("a.b.c.d.e.f.g.h"),
        case("deep-nsec3.example", |z| z.records(&tlsa("a.b.c.d.e.f.g.h")).sign_with(&["-3", "-"]), Secure).at("a.b.c.d.e.f.g.h"),
        case("upper.example", |z| z.records(&tlsa("MAIL.Host")), Secure).at("mail.HOST"),
        case("escaped.example", |z| z.records(&tlsa("m\\.x\\032y\\200")), Secure).at("m\\.x\\032y\\200"),
        case("escaped-upper.example", |z| z.records(&tlsa("M\\065\\233")), Secure).at("ma\\233"),
        case("long.example", |z| z.records(&tlsa(&["a".repeat(63), "b".repeat(63), "c".repeat(63)].join("."))), Secure)
            .at("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"),
    ]
}
