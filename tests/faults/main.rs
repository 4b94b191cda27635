//! Faults of zones on real name servers, each in a zone of its own, all of them
//! at once: first nothing is wrong and every zone has to be *safe*, then each
//! zone has its fault and the verdict has to name it, at the server that has it,
//! and then nothing is wrong again. What real servers do not do is played in
//! `tests/walk`; what a whole key change has to survive, in `tests/system.rs`.
//!
//! | what goes wrong | played in |
//! | --- | --- |
//! | a secondary lags, is stopped, hangs, refuses; a lame delegation | `servers` |
//! | a server that only the delegation names, or only the zone | `servers`, `walk/crowd.rs` |
//! | signatures over TLSA, DNSKEY, SOA broken, missing, expired, not yet valid, soon to expire; two keys or one | `signatures`, `walk/forged.rs` |
//! | two algorithms, one of them damaged; one server with other keys | `signatures` |
//! | a DS without key, a key without DS, an unknown digest or algorithm, no DS | `delegations`, `walk/judged.rs` |
//! | an unsigned child; NSEC, NSEC3 and opt-out above | `delegations` |
//! | aliases into insecure and bogus zones; circles, too long a way | `owners`, `walk/judged.rs` |
//! | absence that is not proven | `owners`, `walk/denials.rs`, `walk/denying.rs` |
//! | several machines at one address; name servers that are not proven | `walk/machines.rs`, `walk/named.rs` |
//! | wildcards, with and without proof; their answers at another name | `wildcards`, `walk/forged.rs`, `src/dns/trust/denial.rs` |
//! | a set too big for UDP | `owners`, `walk/wire.rs` |
//! | AD set by a liar, and other resolvers | `walk/judged.rs` |
//! | a relapse during the hold; a clock before the build | `walk/judged.rs` |
//! | wrong id, question, class; AA or QR missing; garbage; records twice; TTLs unequal | `walk/wire.rs` |
//! | TCP that is endless, in single octets, of a wrong length; late answers; other addresses | `walk/wire.rs` |
//! | referrals in circles, upward, downward | `walk/wire.rs` |
//! | a thousand servers, addresses, keys, signatures; costly denials | `walk/crowd.rs`, `walk/forged.rs`, `src/dns/trust/signatures/tests.rs` |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../common/mod.rs"]
mod common;
mod world;
mod zones;

use danewright::finding::Finding;
use danewright::propagation::Decision;

use crate::world::World;
use crate::zones::{Case, Damage, Ds, EXPIRED, Keys, LATER, NEW, NOT_YET, Place, SOON, SecondKeys};

/// Signatures over the set and over the keys, at the second server only.
fn signatures() -> Vec<Case> {
    let mut cases = Vec::new();
    for keys in [Keys::Split, Keys::Combined] {
        for kind in ["TLSA", "DNSKEY", "SOA"] {
            for (damage, code) in [
                (Damage::Broken, "bogus"),
                (Damage::Missing, "bogus"),
                (Damage::Of(EXPIRED), "signature-expired"),
                (Damage::Of(NOT_YET), "bogus"),
                (Damage::Of(SOON), "signature-expires-soon"),
            ] {
                let what = format!("{keys:?}: {damage:?} over {kind}");
                let expected = (Decision::Unsafe, code, "ns2");
                cases.push(Case {
                    keys,
                    damage: Some((kind, damage, None)),
                    expected,
                    ..Case::sound(what)
                });
            }
        }
    }
    for (kind, damage, code) in [
        ("TLSA", Damage::Of(EXPIRED), "signature-expired"),
        ("DNSKEY", Damage::Missing, "bogus"),
        ("DNSKEY", Damage::Of(EXPIRED), "signature-expired"),
        ("DNSKEY", Damage::Of(NOT_YET), "bogus"),
        ("A", Damage::Broken, "host-address-insecure"),
    ] {
        let what = format!("{damage:?} over {kind} at both servers");
        let expected = (Decision::Unsafe, code, "");
        cases.push(Case {
            damage: Some((kind, damage, None)),
            at_both: true,
            expected,
            ..Case::sound(what)
        });
    }
    for kind in ["TLSA", "DNSKEY"] {
        let damage = Some((kind, Damage::Of(LATER), None));
        cases.push(Case {
            damage,
            ..Case::sound(format!("some life left over {kind}"))
        });
    }
    for algorithm in [8, 13] {
        let damage = Some(("TLSA", Damage::Broken, Some(algorithm)));
        let what = format!("two algorithms, {algorithm} damaged");
        let expected = (Decision::Unsafe, "bogus", "ns2");
        cases.push(Case {
            keys: Keys::TwoAlgorithms,
            damage,
            expected,
            ..Case::sound(what)
        });
    }
    let what = "two algorithms, nothing signed with one";
    let damage = Some(("TLSA", Damage::Missing, Some(8)));
    let expected = (Decision::Unknown, "algorithm-incomplete", "ns2");
    cases.push(Case {
        keys: Keys::TwoAlgorithms,
        damage,
        expected,
        ..Case::sound(what)
    });
    // A zone key that only one server publishes harms the answers of both: caches mix them.
    for (second_keys, at) in [(SecondKeys::Other, "ns2"), (SecondKeys::OtherZoneKey, "")] {
        let expected = (Decision::Unsafe, "bogus", at);
        cases.push(Case {
            second_keys,
            expected,
            ..Case::sound(format!("keys of the second server: {second_keys:?}"))
        });
    }
    cases
}

/// What the zones above say.
fn delegations() -> Vec<Case> {
    let mut cases = Vec::new();
    for tld in ["example", "three", "optout"] {
        for nsec3 in [false, true] {
            cases.push(Case {
                tld,
                nsec3,
                ..Case::sound(format!("{tld}, NSEC3 {nsec3}, sound"))
            });
        }
        let insecure = (Decision::Unsafe, "insecure", "");
        cases.push(Case {
            tld,
            ds: Ds::None,
            expected: insecure,
            ..Case::sound(format!("{tld}: a key without DS"))
        });
        let what = format!("{tld}: an unsigned child");
        cases.push(Case {
            tld,
            ds: Ds::None,
            unsigned: true,
            expected: insecure,
            ..Case::sound(what)
        });
        let what = format!("{tld}: a DS without any key");
        cases.push(Case {
            tld,
            unsigned: true,
            expected: (Decision::Unsafe, "bogus", ""),
            ..Case::sound(what)
        });
    }
    let unsupported = (Decision::Unknown, "algorithm-unsupported", "");
    for (ds, expected) in [
        (Ds::OfNobody, (Decision::Unsafe, "bogus", "")),
        (Ds::Algorithm(200), unsupported),
        (Ds::Algorithm(5), (Decision::Unsafe, "bogus", "")),
        (Ds::Digest(200), unsupported),
    ] {
        cases.push(Case {
            ds,
            expected,
            ..Case::sound(format!("a DS that is {ds:?}"))
        });
    }
    cases
}

/// What single servers do.
fn servers() -> Vec<Case> {
    let lags: fn(&str) -> String = |text| {
        text.replace(&format!("_25._tcp.mail TLSA {NEW}\n"), "")
            .replace("hostmaster 2", "hostmaster 1")
    };
    let mut cases = vec![
        Case {
            second_plain: lags,
            expected: (Decision::Wait, "record-missing", "ns2"),
            ..Case::sound("a secondary that lags")
        },
        // With an equal set it is no sign that the secondary lags (RFC 8901).
        Case {
            second_plain: |text| text.replace("hostmaster 2", "hostmaster 1"),
            ..Case::sound("a secondary with another serial")
        },
        Case {
            second_plain: |text| {
                let older = text.replace("hostmaster 2", "hostmaster 1");
                let (set, more) = (
                    format!("_25._tcp.mail TLSA {NEW}\n"),
                    format!("_25._tcp.mail TLSA 3 1 1 {}\n", "ab".repeat(32)),
                );
                older.replace(&set, &format!("{set}{more}"))
            },
            expected: (Decision::Wait, "serial-behind", "ns2"),
            ..Case::sound("a secondary with an older serial and another set")
        },
    ];
    for (second, code, what) in [
        (Place::Nobody, "unreachable", "a stopped secondary"),
        (Place::Hanging, "unreachable", "a hanging secondary"),
        (Place::Side, "refused", "a refusing secondary"),
        (Place::Tld, "not-authoritative", "a lame delegation"),
    ] {
        cases.push(Case {
            second,
            expected: (Decision::Unknown, code, "ns2"),
            ..Case::sound(what)
        });
    }
    for (third, what) in [
        ((true, false), "only the delegation"),
        ((false, true), "only the zone"),
        ((true, true), "both"),
    ] {
        let expected = (Decision::Wait, "record-missing", "ns3");
        cases.push(Case {
            third,
            expected,
            ..Case::sound(format!("a server that lags, which {what} names"))
        });
        let what = format!("a server that is up to date, which {what} names");
        cases.push(Case {
            third,
            third_lags: false,
            ..Case::sound(what)
        });
    }
    cases
}

/// What stands at the owner.
fn owners() -> Vec<Case> {
    let alias = |what, expected| Case {
        alias: true,
        expected,
        ..Case::sound(what)
    };
    let goal = |what| Case {
        goal: true,
        ..Case::sound(what)
    };
    let absent: fn(&str) -> String = |text| text.replace("_25._tcp.mail TLSA", "_x TLSA");
    let unproven = (Decision::Unsafe, "denial-unproven", "ns2");
    let denying = |nsec3, damage, what: &str| {
        let damage = Some((if nsec3 { "NSEC3" } else { "NSEC" }, damage, None));
        Case {
            second_plain: absent,
            nsec3,
            damage,
            expected: unproven,
            ..Case::sound(format!("{what}, NSEC3 {nsec3}"))
        }
    };
    vec![
        Case {
            plain: absent,
            expected: (Decision::Wait, "record-missing", ""),
            ..Case::sound("no record yet, denied with NSEC")
        },
        Case {
            plain: absent,
            nsec3: true,
            expected: (Decision::Wait, "record-missing", ""),
            ..Case::sound("no record yet, denied with NSEC3")
        },
        denying(false, Damage::Missing, "denials lost their signatures"),
        denying(true, Damage::Missing, "denials lost their signatures"),
        denying(false, Damage::Of(EXPIRED), "denials have expired"),
        denying(true, Damage::Broken, "denials are damaged"),
        goal("sound"),
        alias("an alias into a sound zone", (Decision::Safe, "", "")),
        Case {
            ds: Ds::None,
            ..goal("insecure")
        },
        alias(
            "an alias into an insecure zone",
            (Decision::Unsafe, "cname-target-insecure", ""),
        ),
        Case {
            damage: Some(("TLSA", Damage::Broken, None)),
            ..goal("bogus")
        },
        alias(
            "an alias into a zone that is bogus at one server",
            (Decision::Unsafe, "bogus", "ns2"),
        ),
        Case {
            ds: Ds::OfNobody,
            ..goal("bogus")
        },
        alias(
            "an alias into a bogus zone",
            (Decision::Unsafe, "bogus", ""),
        ),
        Case {
            plain: |text| text.replace("_25._tcp.mail TLSA", "_x TLSA") + "_tcp.mail DNAME _tcp\n",
            expected: (Decision::Unknown, "alias-unsupported", "ns1"),
            ..Case::sound("a DNAME above")
        },
        Case {
            plain: |text| {
                let more = (0..80).map(|n| format!("_25._tcp.mail TLSA 3 1 1 {n:064x}\n"));
                text.to_owned() + &more.collect::<String>()
            },
            ..Case::sound("a set too big for UDP")
        },
        Case {
            plain: |text| text.replace("_25._tcp.mail TLSA", "_25._tcp.mail 0 TLSA"),
            ..Case::sound("a TTL of nothing")
        },
        Case {
            plain: |text| text.replace("mail A 192.0.2.25", ""),
            expected: (Decision::Unknown, "host-without-address", ""),
            ..Case::sound("a host without address")
        },
    ]
}

/// Records that a wildcard gives, with the proof that there is no closer name.
fn wildcards() -> Vec<Case> {
    let near: fn(&str) -> String = |text| text.replace("_25._tcp.mail TLSA", "*._tcp.mail TLSA");
    let far: fn(&str) -> String = |text| text.replace("_25._tcp.mail TLSA", "*.mail TLSA");
    let alias: fn(&str) -> String =
        |text| text.replace("_25._tcp.mail TLSA", "_x TLSA") + "*._tcp.mail CNAME _dane\n";
    let mut cases = Vec::new();
    for (nsec3, kind) in [(false, "NSEC"), (true, "NSEC3")] {
        for (plain, what) in [
            (near, "a wildcard next to it"),
            (far, "a wildcard further up"),
            (alias, "a wildcard alias"),
        ] {
            cases.push(Case {
                nsec3,
                plain,
                ..Case::sound(format!("{what}, {kind}"))
            });
            for (damage, decision, code) in [
                // That the host has no AAAA records is denied as well, and lookups of those fail.
                (Damage::Missing, Decision::Unsafe, "denial-unproven"),
                (Damage::Broken, Decision::Unsafe, "denial-unproven"),
                (Damage::Of(EXPIRED), Decision::Unsafe, "denial-unproven"),
                // Denials are kept for the negative TTL, which is five minutes.
                (Damage::Of(SOON), Decision::Safe, ""),
            ] {
                let what = format!("{what}, {damage:?} over {kind}");
                let (damage, expected) = (Some((kind, damage, None)), (decision, code, "ns2"));
                cases.push(Case {
                    nsec3,
                    plain,
                    damage,
                    expected,
                    ..Case::sound(what)
                });
            }
        }
    }
    cases
}

#[test]
#[ignore = "needs nsd, knotd, dig, dnssec-keygen, dnssec-signzone"]
fn each_fault_of_a_real_zone_is_found_and_never_safe() {
    let cases = [
        signatures(),
        delegations(),
        servers(),
        owners(),
        wildcards(),
    ]
    .concat();
    let mut world = World::new(cases);
    let mut wrong = Vec::new();
    // First nothing is wrong anywhere, then all of it, each in a zone of its own, then nothing again.
    for broken in [false, true, false] {
        world.serve(broken);
        world.hang(broken);
        for (case, _, verdict) in world.verdicts().into_iter().filter(|(case, ..)| !case.goal) {
            let expected = if broken {
                case.expected
            } else {
                (Decision::Safe, "", "")
            };
            if let Err(why) = judge(&verdict.findings, verdict.decision, expected) {
                wrong.push(format!(
                    "{}: {why}, not {expected:?}: {:#?}",
                    case.what, verdict.findings
                ));
            }
        }
        if broken {
            wrong.extend(said_by_the_command(&world));
        }
        world.hang(false);
        assert!(wrong.is_empty(), "broken {broken}: {}", wrong.join("\n"));
    }
}

/// The command itself, for one case of each kind: its status and its findings.
fn said_by_the_command(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for (number, case) in world
        .cases()
        .iter()
        .enumerate()
        .filter(|(_, case)| !case.goal)
    {
        let (decision, code, _) = case.expected;
        if seen.contains(&(decision, code)) {
            continue;
        }
        seen.push((decision, code));
        let (status, out) = world.verify(number);
        let expected = match decision {
            Decision::Safe => 0,
            Decision::Unsafe => 1,
            Decision::Unknown => 3,
            Decision::Wait => 4,
        };
        let verdict = format!("\"verdict\":\"{}\"", decision.word());
        if status != expected || !out.contains(code) || !out.contains(&verdict) {
            wrong.push(format!(
                "{}: status {status}, not {expected} with {code:?}: {out}",
                case.what
            ));
        }
    }
    assert!(seen.len() > 12, "{seen:?}");
    wrong
}

fn judge(
    findings: &[Finding],
    found: Decision,
    (decision, code, at): (Decision, &str, &str),
) -> Result<(), &'static str> {
    if found != decision {
        return Err(found.word());
    }
    let heavy = |finding: &&Finding| Decision::from(finding.severity) > Decision::Safe;
    let here = |finding: &Finding| {
        finding
            .server
            .as_ref()
            .is_some_and(|server| server.starts_with(at))
    };
    let told = findings.iter().filter(heavy).any(|f| {
        f.code == code && Decision::from(f.severity) == decision && (at.is_empty() || here(f))
    });
    if decision != Decision::Safe && !told {
        return Err("the reason is not told");
    }
    if !matches!(at, "" | "ns1")
        && findings
            .iter()
            .filter(heavy)
            .any(|f| f.server.is_some() && !here(f))
    {
        return Err("others are blamed");
    }
    Ok(())
}
