//! Faults of zones, delegations, aliases and resolvers, each alone in a world
//! that was safe just before, followed to the verdict.

use chrono::TimeDelta;
use danewright::demo::authority::{Fault, Key, Role, Window};
use danewright::dns::Settings;
use danewright::finding::Finding;
use danewright::propagation::evidence::Evidence;
use danewright::propagation::memory::Memory;
use danewright::propagation::{
    BUILT, Decision, Expectation, HoldWish, Policy, Verdict, check, judge,
};
use danewright::tlsa::Tlsa;

use crate::lab::{Lab, NS1, NS2, OTHER, RESOLVER, digest, name};

struct Case {
    what: &'static str,
    decision: Decision,
    /// A reason that must be among those that make it so.
    code: &'static str,
    spoil: fn(&mut Lab),
}

const fn case(
    what: &'static str,
    decision: Decision,
    code: &'static str,
    spoil: fn(&mut Lab),
) -> Case {
    Case {
        what,
        decision,
        code,
        spoil,
    }
}

fn told(findings: &[Finding], decision: Decision, code: &str) -> bool {
    findings
        .iter()
        .any(|finding| finding.code == code && Decision::from(finding.severity) == decision)
}

fn run(cases: &[Case]) {
    let mut wrong = Vec::new();
    for Case {
        what,
        decision,
        code,
        spoil,
    } in cases
    {
        let mut lab = Lab::new();
        let verdict = lab.verdict(&lab.gather());
        assert_eq!(
            verdict.decision,
            Decision::Safe,
            "before {what}: {:#?}",
            verdict.findings
        );
        spoil(&mut lab);
        let verdict = lab.verdict(&lab.gather_with(&lab.impatient()));
        if verdict.decision != *decision
            || (*decision != Decision::Safe && !told(&verdict.findings, *decision, code))
        {
            wrong.push(format!(
                "{what}: {:?}, {:#?}",
                verdict.decision, verdict.findings
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The owner becomes an alias of this name, everywhere.
fn alias(lab: &mut Lab, target: &str) {
    lab.leaf
        .remove("_25._tcp.mail", "TLSA")
        .unwrap()
        .add("_25._tcp.mail", 60, "CNAME", target)
        .unwrap();
    lab.publish();
}

/// The owner becomes an alias into the other zone, which has the record.
fn alias_elsewhere(lab: &mut Lab) {
    lab.other
        .add("_dane", 3600, "TLSA", &format!("3 1 1 {}", digest('a')))
        .unwrap();
    alias(lab, "_dane.other.example.");
}

#[test]
fn aliases_are_as_good_as_where_they_lead() {
    run(&[
        case("into a secure zone", Decision::Safe, "", alias_elsewhere),
        case("to itself", Decision::Unknown, "alias-loop", |lab| {
            alias(lab, "_25._tcp.mail.leaf.example.")
        }),
        case("in a circle", Decision::Unknown, "alias-loop", |lab| {
            lab.leaf
                .add("_x", 60, "CNAME", "_25._tcp.mail.leaf.example.")
                .unwrap();
            alias(lab, "_x.leaf.example.");
        }),
        case("too far", Decision::Unknown, "alias-loop", |lab| {
            for n in 0..20 {
                lab.leaf
                    .add(
                        &format!("_{n}"),
                        60,
                        "CNAME",
                        &format!("_{}.leaf.example.", n + 1),
                    )
                    .unwrap();
            }
            lab.leaf
                .add("_20", 60, "TLSA", &format!("3 1 1 {}", digest('a')))
                .unwrap();
            alias(lab, "_0.leaf.example.");
        }),
        case(
            "into an insecure zone",
            Decision::Unsafe,
            "cname-target-insecure",
            |lab| {
                lab.tld.remove("other", "DS").unwrap();
                alias_elsewhere(lab);
            },
        ),
        case("into a bogus zone", Decision::Unsafe, "bogus", |lab| {
            alias_elsewhere(lab);
            lab.serve(OTHER, &lab.other, &[&Key::generate().unwrap()]);
        }),
        case(
            "into a zone with an expired signature",
            Decision::Unsafe,
            "signature-expired",
            |lab| {
                alias_elsewhere(lab);
                lab.authority
                    .fault_for(OTHER, "TLSA", Fault::ExpiredSignature)
                    .unwrap();
            },
        ),
        case(
            "into a zone that nobody serves",
            Decision::Unknown,
            "no-servers",
            |lab| {
                alias_elsewhere(lab);
                lab.authority.fault(OTHER, Some(Fault::Refuse));
            },
        ),
        case(
            "to a name that is not there",
            Decision::Wait,
            "record-missing",
            |lab| alias(lab, "_no.other.example."),
        ),
        case(
            "at one server only",
            Decision::Wait,
            "rrset-differs",
            |lab| {
                let plain = lab.leaf.clone();
                alias_elsewhere(lab);
                lab.serve(NS2, &plain, &[&lab.leaf_key]);
            },
        ),
        case(
            "to a wildcard",
            Decision::Unknown,
            "denial-unproven",
            |lab| {
                lab.other
                    .add("*._star", 60, "TLSA", &format!("3 1 1 {}", digest('a')))
                    .unwrap();
                alias(lab, "_dane._star.other.example.");
            },
        ),
        case(
            "the host is one, and its other name has no record",
            Decision::Safe,
            "",
            |lab| {
                lab.leaf
                    .remove("mail", "A")
                    .unwrap()
                    .add("mail", 60, "CNAME", "ns1.leaf.example.")
                    .unwrap();
                lab.publish();
            },
        ),
        case(
            "the host is one, and its other name has one",
            Decision::Unknown,
            "host-is-alias",
            |lab| {
                lab.leaf
                    .add(
                        "_25._tcp.ns1",
                        60,
                        "TLSA",
                        &format!("3 1 1 {}", digest('0')),
                    )
                    .unwrap();
                lab.leaf
                    .remove("mail", "A")
                    .unwrap()
                    .add("mail", 60, "CNAME", "ns1.leaf.example.")
                    .unwrap();
                lab.publish();
            },
        ),
    ]);
}

#[test]
fn a_delegation_that_does_not_hold_is_never_safe() {
    run(&[
        case("no DS", Decision::Unsafe, "insecure", |lab| {
            lab.tld.remove("leaf", "DS").unwrap();
            lab.publish();
        }),
        case("no DS above", Decision::Unsafe, "insecure", |lab| {
            lab.root.remove("example.", "DS").unwrap();
            lab.publish();
        }),
        case("a DS without its key", Decision::Unsafe, "bogus", |lab| {
            let ds = Key::generate().unwrap().ds(&name("leaf.example")).unwrap();
            lab.tld
                .remove("leaf", "DS")
                .unwrap()
                .add("leaf", 3600, "DS", &ds)
                .unwrap();
            lab.publish();
        }),
        case("a DS and no key at all", Decision::Unsafe, "bogus", |lab| {
            let unsigned = lab.leaf.sign(&[], lab.window).unwrap();
            [NS1, NS2]
                .into_iter()
                .for_each(|server| lab.authority.publish(server, &unsigned));
        }),
        case(
            "a DS of an unknown algorithm",
            Decision::Unknown,
            "algorithm-unsupported",
            |lab| {
                lab.tld
                    .remove("leaf", "DS")
                    .unwrap()
                    .add("leaf", 3600, "DS", &format!("1 200 2 {}", digest('0')))
                    .unwrap();
                lab.publish();
            },
        ),
        case(
            "a DS of an unknown digest",
            Decision::Unknown,
            "algorithm-unsupported",
            |lab| {
                lab.tld
                    .remove("leaf", "DS")
                    .unwrap()
                    .add("leaf", 3600, "DS", &format!("1 13 200 {}", digest('0')))
                    .unwrap();
                lab.publish();
            },
        ),
        case(
            "a hundred DS records",
            Decision::Unknown,
            "limits-exceeded",
            |lab| {
                for tag in 0..100 {
                    lab.tld
                        .add("leaf", 3600, "DS", &format!("{tag} 13 2 {}", digest('0')))
                        .unwrap();
                }
                lab.publish();
            },
        ),
        case(
            "another key set at one server, entered by the DS",
            Decision::Unsafe,
            "bogus",
            |lab| {
                let second = Key::generate().unwrap();
                lab.tld
                    .add(
                        "leaf",
                        3600,
                        "DS",
                        &second.ds(&name("leaf.example")).unwrap(),
                    )
                    .unwrap();
                lab.publish();
                lab.serve(NS2, &lab.leaf, &[&second]);
            },
        ),
        case(
            "another key set at one server, by nobody's DS",
            Decision::Unsafe,
            "bogus",
            |lab| {
                lab.serve(NS2, &lab.leaf, &[&Key::generate().unwrap()]);
            },
        ),
        case("signatures of tomorrow", Decision::Unsafe, "bogus", |lab| {
            let tomorrow = lab.now + TimeDelta::days(1);
            let window = Window {
                inception: tomorrow,
                expiration: tomorrow + TimeDelta::days(14),
            };
            lab.authority
                .publish(NS2, &lab.leaf.sign(&[&lab.leaf_key], window).unwrap());
        }),
        case(
            "signatures with less life than the TTL",
            Decision::Unsafe,
            "signature-expires-soon",
            |lab| {
                let window = Window {
                    expiration: lab.now + TimeDelta::minutes(59),
                    ..lab.window
                };
                lab.authority
                    .publish(NS2, &lab.leaf.sign(&[&lab.leaf_key], window).unwrap());
            },
        ),
        case(
            "no trust in the keys at one server",
            Decision::Unknown,
            "servfail",
            |lab| {
                lab.authority
                    .fault_for(NS2, "DNSKEY", Fault::ServFail)
                    .unwrap();
            },
        ),
    ]);
}

#[test]
fn what_resolvers_say_does_not_make_it_better() {
    run(&[
        case(
            "a liar with AD, and nobody has the record",
            Decision::Wait,
            "record-missing",
            |lab| {
                let mut without = lab.leaf.clone();
                without.remove("_25._tcp.mail", "TLSA").unwrap();
                [NS1, NS2]
                    .into_iter()
                    .for_each(|server| lab.serve(server, &without, &[&lab.leaf_key]));
            },
        ),
        case(
            "a liar with AD, and the zone is bogus",
            Decision::Unsafe,
            "bogus",
            |lab| {
                for server in [NS1, NS2] {
                    lab.authority
                        .fault_for(server, "TLSA", Fault::BadSignature)
                        .unwrap();
                }
            },
        ),
        case(
            "a liar with AD, and the zone is insecure",
            Decision::Unsafe,
            "insecure",
            |lab| {
                lab.tld.remove("leaf", "DS").unwrap();
                lab.publish();
            },
        ),
        case(
            "a liar with AD that denies the record",
            Decision::Safe,
            "",
            |lab| {
                let mut without = lab.leaf.clone();
                without.remove("_25._tcp.mail", "TLSA").unwrap();
                lab.serve(RESOLVER, &without, &[&lab.leaf_key]);
            },
        ),
        case("one that strips signatures", Decision::Safe, "", |lab| {
            lab.authority.role(
                RESOLVER,
                Role::Resolver {
                    authenticated: false,
                },
            );
            lab.authority.fault(RESOLVER, Some(Fault::DropSignatures));
        }),
        case(
            "one that keeps another set",
            Decision::Wait,
            "resolver-stale",
            |lab| {
                let mut old = lab.leaf.clone();
                old.remove("_25._tcp.mail", "TLSA").unwrap();
                old.add(
                    "_25._tcp.mail",
                    3600,
                    "TLSA",
                    &format!("3 1 1 {}", digest('0')),
                )
                .unwrap();
                lab.serve(RESOLVER, &old, &[&lab.leaf_key]);
            },
        ),
    ]);
}

/// Checks made one after the other with the memory of those before.
struct Watch {
    lab: Lab,
    memory: Memory,
    hold: HoldWish,
}

impl Watch {
    fn check(&mut self) -> Verdict {
        let rdata: Vec<u8> = [3, 1, 1].into_iter().chain([0xaa; 32]).collect();
        let expectation = Expectation::new(vec![Tlsa::from_rdata(&rdata).unwrap()], None);
        let policy = Policy {
            hold: self.hold,
            ..Policy::default()
        };
        let evidence: Evidence = self.lab.gather_with(&self.lab.impatient());
        let (verdict, memory) = check(&evidence, &expectation, &self.memory, &policy, self.lab.now);
        self.memory = memory;
        verdict
    }

    fn after(&mut self, time: TimeDelta) -> Verdict {
        self.lab.now += time;
        self.check()
    }
}

#[test]
fn a_relapse_during_the_hold_starts_it_again() {
    // One that fails for a while says nothing of what it serves, and does not count as one.
    let relapses: [fn(&mut Lab); 2] = [
        |lab| {
            let mut without = lab.leaf.clone();
            without.remove("_25._tcp.mail", "TLSA").unwrap();
            lab.serve(NS2, &without, &[&lab.leaf_key]);
        },
        |lab| {
            lab.authority
                .fault_for(NS2, "TLSA", Fault::BadSignature)
                .unwrap()
        },
    ];
    for relapse in relapses {
        let hold = HoldWish::For(TimeDelta::hours(1));
        let mut watch = Watch {
            lab: Lab::new(),
            memory: Memory::empty(&name("leaf.example")),
            hold,
        };
        assert_eq!(watch.check().decision, Decision::Wait);
        assert_ne!(
            watch.after(TimeDelta::minutes(30)).agreed_since,
            Some(watch.lab.now)
        );
        relapse(&mut watch.lab);
        assert_ne!(watch.after(TimeDelta::minutes(1)).decision, Decision::Safe);
        watch.lab.authority.fault(NS2, None);
        watch.lab.publish();
        let again = watch.after(TimeDelta::minutes(1));
        assert_eq!(
            (again.decision, again.agreed_since),
            (Decision::Wait, Some(watch.lab.now))
        );
        assert_eq!(watch.after(TimeDelta::minutes(59)).decision, Decision::Wait);
        assert_eq!(watch.after(TimeDelta::minutes(1)).decision, Decision::Safe);
    }
}

#[test]
fn a_clock_from_before_the_program_was_made_judges_nothing() {
    let lab = Lab::new();
    let evidence = lab.gather();
    let memory = Memory::empty(&name("leaf.example"));
    let verdict = judge(
        &evidence,
        &Expectation::default(),
        &memory,
        &Policy::default(),
        BUILT - TimeDelta::seconds(1),
    );
    assert_eq!(
        (verdict.decision, verdict.findings[0].code),
        (Decision::Unknown, "clock-before-build")
    );
    // Asked with that clock, too: nothing that is found makes it better.
    let then = BUILT - TimeDelta::days(1);
    let evidence = lab.gather_with(&Settings {
        now: then,
        ..lab.settings()
    });
    let verdict = judge(
        &evidence,
        &Expectation::default(),
        &memory,
        &Policy::default(),
        then,
    );
    assert_eq!(
        (verdict.decision, verdict.findings[0].code),
        (Decision::Unknown, "clock-before-build")
    );
}
