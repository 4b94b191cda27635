//! Keys, and how the zone above names them.

use super::{Case, case};
use crate::states::State::{Bogus, Insecure, Secure};
use crate::text::Text;
use crate::zones::{Made, Plan, ds_line};

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [keys(), delegations()].into_iter().flatten().collect()
}

fn keys() -> Vec<Case> {
    vec![
        case("keys-by-all.example", |z| z, Secure),
        case("keys-by-ksk.example", |z| z.sign_with(&["-x"]), Secure),
        case(
            "keys-by-zsk.example",
            |z| {
                z.edit(|text, zone| {
                    let zsk = tag(&zone.keys("DNSKEY 256")[0]);
                    text.drop_signatures(&zone.at("@"), "DNSKEY", |line| line.tag() != zsk);
                })
            },
            Bogus,
        ),
        case(
            "keys-broken-by-zsk.example",
            |z| {
                z.edit(|text, zone| {
                    let zsk = tag(&zone.keys("DNSKEY 256")[0]);
                    text.break_signatures(&zone.at("@"), "DNSKEY", |line| line.tag() == zsk);
                })
            },
            Secure,
        ),
        case(
            "revoked-beside-new.example",
            |z| {
                z.and_key(&["-f", "KSK"])
                    .edit(|text, zone| {
                        zone.tool(
                            "dnssec-revoke",
                            &["-r", &format!("{}.key", zone.keys("DNSKEY 257")[0])],
                        );
                        *text = zone.signed(&[]);
                    })
                    .ds(|ds, zone| by_key(ds, &zone.keys("DNSKEY 257")[1]))
            },
            Secure,
        ),
        case(
            "revoked-only.example",
            |z| {
                z.edit(|text, zone| {
                    zone.tool(
                        "dnssec-revoke",
                        &["-r", &format!("{}.key", zone.keys("DNSKEY 257")[0])],
                    );
                    *text = zone.signed(&[]);
                })
            },
            Bogus,
        ),
        case(
            "not-a-zone-key.example",
            |z| {
                z.edit(|text, zone| {
                    text.set(&zone.at("@"), "DNSKEY")
                        .into_iter()
                        .filter(|key| key.data[0] == "256")
                        .for_each(|key| key.data[0] = "0".to_owned());
                })
            },
            Bogus,
        ),
        case(
            "tag-collision.example",
            |z| z.algorithm("RSASHA256").edit(collision),
            Secure,
        ),
        case(
            "two-algorithms.example",
            |z| z.and_algorithm("RSASHA256"),
            Secure,
        ),
        case(
            "two-algorithms-tlsa-broken.example",
            |z| {
                z.and_algorithm("RSASHA256").edit(|text, zone| {
                    text.break_signatures(&zone.tlsa(), "TLSA", |line| line.algorithm() == "8");
                })
            },
            Secure,
        ),
        case(
            "two-algorithms-tlsa-by-one.example",
            |z| {
                z.and_algorithm("RSASHA256").edit(|text, zone| {
                    text.drop_signatures(&zone.tlsa(), "TLSA", |line| line.algorithm() == "8");
                })
            },
            Secure,
        ),
        case(
            "two-algorithms-dnskey-broken.example",
            |z| {
                z.and_algorithm("RSASHA256").edit(|text, zone| {
                    text.break_signatures(&zone.at("@"), "DNSKEY", |line| line.algorithm() == "8");
                })
            },
            Secure,
        ),
        case(
            "two-algorithms-dnskey-by-one.example",
            |z| {
                z.and_algorithm("RSASHA256").edit(|text, zone| {
                    text.drop_signatures(&zone.at("@"), "DNSKEY", |line| line.algorithm() == "8");
                })
            },
            Secure,
        ),
        case(
            "two-algorithms-both-broken.example",
            |z| {
                z.and_algorithm("RSASHA256").edit(|text, zone| {
                    text.break_signatures(&zone.tlsa(), "TLSA", |_| true);
                })
            },
            Bogus,
        ),
        case(
            "algorithm-known-and-not.example",
            |z| z.and_algorithm("ED448"),
            Secure,
        ),
        case(
            "algorithm-not-named.example",
            |z| {
                z.and_algorithm("ED448").ds(|all, _| {
                    all.into_iter()
                        .filter(|ds| !ds.contains(" 16 2 "))
                        .collect()
                })
            },
            Secure,
        ),
    ]
}

/// Adds another key with the tag of the zone's own: the tag is a sum, so that
/// parts of a key can change places (RFC 4034 appendix B).
fn collision(text: &mut Text, zone: &Made) {
    let records = text
        .set(&zone.at("@"), "DNSKEY")
        .into_iter()
        .filter(|line| line.data[0] == "256");
    let key = records
        .map(|line| line.data[3..].concat())
        .next()
        .expect("there is a key that signs the rest");
    let both = [swapped(&key), key]
        .map(|key| format!("@ DNSKEY 256 3 8 {key}\n"))
        .concat();
    // dnssec-signzone takes keys with one tag for one key, so it is not to see the real one.
    zone.tool(
        "sh",
        &[
            "-c",
            &format!("mkdir -p ksk && cp {}.* ksk", zone.keys("DNSKEY 257")[0]),
        ],
    );
    let keys = zone.signed_by("ksk", zone.name(), &format!("{}{both}", zone.plain()), &[]);
    text.take_set(&keys, &zone.at("@"), "DNSKEY");
}

/// The key with two of its parts exchanged, so that it comes before the real one
/// in the order of records, in which validators try them.
fn swapped(key: &str) -> String {
    let value = |digit: u8| {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".find(char::from(digit))
    };
    let order = |at: usize| {
        key.as_bytes()[at..at + 8]
            .iter()
            .map(|digit| value(*digit))
            .collect::<Vec<_>>()
    };
    // Eight digits are six octets, an even number.
    let at = (32..128)
        .step_by(8)
        .find(|at| order(at + 8) < order(*at))
        .expect("a key is not in order");
    format!(
        "{}{}{}{}",
        &key[..at],
        &key[at + 8..at + 16],
        &key[at..at + 8],
        &key[at + 16..]
    )
}

/// The tag in the name of a key's file.
fn tag(file: &str) -> String {
    let digits = file.rsplit('+').next().unwrap_or_default();
    digits
        .parse::<u16>()
        .expect("a key's file ends with its tag")
        .to_string()
}

/// The DS records for one key.
fn by_key(ds: Vec<String>, file: &str) -> Vec<String> {
    let tag = tag(file);
    ds.into_iter()
        .filter(|line| line.split_whitespace().any(|field| field == tag))
        .collect()
}

/// Changes one field of a DS record, counted from its key tag.
fn field(line: &str, number: usize, value: &str) -> String {
    let (owner, data) = line.split_once(" DS ").expect("a DS record");
    let mut fields: Vec<&str> = data.split_whitespace().collect();
    fields[number] = value;
    format!("{owner} DS {}", fields.join(" "))
}

/// Changes a digit of a DS record's digest.
fn wrong_digest(line: &str) -> String {
    let digest = line.split(' ').next_back().unwrap_or_default();
    field(
        line,
        3,
        &format!(
            "{}{}",
            if digest.starts_with('0') { '1' } else { '0' },
            &digest[1..]
        ),
    )
}

fn delegations() -> Vec<Case> {
    vec![
        case("ds-missing.example", |z| z.ds(|_, _| Vec::new()), Insecure),
        case("unsigned.example", Plan::unsigned, Insecure),
        case(
            "ds-without-key.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 0, "4711")]),
            Bogus,
        ),
        case(
            "ds-without-key-beside.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 0, "4711"), ds[0].clone()]),
            Secure,
        ),
        case(
            "ds-to-zsk.example",
            |z| z.ds(|_, zone| vec![ds_of(zone, "DNSKEY 256", "SHA-256")]),
            Secure,
        ),
        case(
            "ds-wrong-digest.example",
            |z| z.ds(|ds, _| vec![wrong_digest(&ds[0])]),
            Bogus,
        ),
        case(
            "ds-wrong-beside-good.example",
            |z| z.ds(|ds, _| vec![wrong_digest(&ds[0]), ds[0].clone()]),
            Secure,
        ),
        case(
            "ds-sha384.example",
            |z| z.ds(|_, zone| vec![ds_of(zone, "DNSKEY 257", "SHA-384")]),
            Secure,
        ),
        case(
            "ds-sha1-only.example",
            |z| z.ds(|_, zone| vec![ds_of(zone, "DNSKEY 257", "SHA-1")]),
            Secure,
        ),
        case(
            "ds-sha1-beside.example",
            |z| z.ds(|ds, zone| vec![ds_of(zone, "DNSKEY 257", "SHA-1"), ds[0].clone()]),
            Secure,
        ),
        case(
            "ds-sha1-wrong-beside.example",
            |z| {
                z.ds(|ds, zone| {
                    vec![
                        wrong_digest(&ds_of(zone, "DNSKEY 257", "SHA-1")),
                        ds[0].clone(),
                    ]
                })
            },
            Secure,
        ),
        case(
            "ds-sha384-wrong-beside.example",
            |z| {
                z.ds(|ds, zone| {
                    vec![
                        wrong_digest(&ds_of(zone, "DNSKEY 257", "SHA-384")),
                        ds[0].clone(),
                    ]
                })
            },
            Secure,
        ),
        case(
            "ds-sha256-wrong-beside.example",
            |z| z.ds(|ds, zone| vec![wrong_digest(&ds[0]), ds_of(zone, "DNSKEY 257", "SHA-384")]),
            Secure,
        ),
        case(
            "ds-digest-unknown.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 2, "200")]),
            Insecure,
        ),
        case(
            "ds-digest-unknown-beside.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 2, "200"), ds[0].clone()]),
            Secure,
        ),
        case(
            "ds-algorithm-unknown.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 1, "200")]),
            Insecure,
        ),
        case(
            "ds-algorithm-unknown-beside.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 1, "200"), ds[0].clone()]),
            Secure,
        ),
        case(
            "ds-algorithm-without-key.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 1, "8"), ds[0].clone()]),
            Secure,
        ),
        case(
            "ds-algorithm-of-another.example",
            |z| z.ds(|ds, _| vec![field(&ds[0], 1, "8")]),
            Bogus,
        ),
        case(
            "ds-broken-signature.example",
            |z| z.above(|text, zone| text.break_signatures(&zone.at("@"), "DS", |_| true)),
            Bogus,
        ),
        case(
            "ds-unsigned.example",
            |z| z.above(|text, zone| text.drop_signatures(&zone.at("@"), "DS", |_| true)),
            Bogus,
        ),
        case(
            "ds-taken-away.example",
            |z| z.above(|text, zone| text.drop_set(&zone.at("@"), "DS")),
            Bogus,
        ),
        case(
            "ds-absence-unsigned.example",
            |z| {
                z.ds(|_, _| Vec::new())
                    .above(|text, zone| text.drop_signatures(&zone.at("@"), "NSEC", |_| true))
            },
            Bogus,
        ),
        case("cut.example", |z| z.records("mail A 127.0.0.1"), Secure)
            .and(Plan::new("_tcp.mail.cut.example").records("_25 TLSA 3 1 1 DIGEST")),
        case(
            "cut-unsigned.example",
            |z| z.records("mail A 127.0.0.1"),
            Insecure,
        )
        .and(
            Plan::new("_tcp.mail.cut-unsigned.example")
                .unsigned()
                .records("_25 TLSA 3 1 1 DIGEST"),
        ),
        case("child.ds-missing.example", |z| z, Insecure),
        case("child.broken-dnskey.example", |z| z, Bogus),
        case("child.ds-broken-signature.example", Plan::unsigned, Bogus),
        case("child.p256.example", |z| z.algorithm("ED25519"), Secure),
        case("island.example", |z| z.ds(|_, _| Vec::new()), Secure),
        case("child.island.example", |z| z, Secure),
    ]
}

fn ds_of(zone: &Made, key: &str, digest: &str) -> String {
    ds_line(&zone.tool("dnssec-dsfromkey", &["-a", digest, &zone.keys(key)[0]]))
}
