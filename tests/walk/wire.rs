//! What a name server can do wrong on the wire, one thing at a time, at one
//! server of a world that is otherwise safe: what must be found there, and that
//! the verdict is never *safe* when the answer is none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use danewright::dns::{Settings, gather};
use danewright::finding::{Finding, Severity};
use danewright::propagation::evidence::{Evidence, Outcome, Security};
use danewright::propagation::{Decision, Verdict};
use hickory_proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, RData, Record, RecordType};

use crate::lab::{NS1, server, target};
use crate::script::{Act, Asked, Deed, SCRIPTED, Stage, framed, good, say, wire};

/// The owner that is asked for.
pub(crate) const OWNER: &str = "_25._tcp.mail.leaf.example";

/// A thing to go wrong, and what is to be said of it.
pub(crate) struct Fault {
    pub(crate) what: &'static str,
    /// The verdict, and the finding about the server that must be among the reasons.
    pub(crate) expected: (Decision, &'static str),
    pub(crate) act: Act,
}

/// What must not do any harm.
pub(crate) const HARMLESS: (Decision, &str) = (Decision::Safe, "");
/// SOA, DNSKEY and NS, both servers' addresses of two kinds, TLSA eleven times and
/// the host's addresses of two kinds, each over UDP and over TCP; NS and the servers'
/// addresses once more where the answers are too large to be kept.
const QUESTIONS: usize = 50;
/// Targets that are looked at at once.
const AT_ONCE: usize = 16;
const MALFORMED: (Decision, &str) = (Decision::Unknown, "malformed");
const NO_TCP: (Decision, &str) = (Decision::Unknown, "truncated-without-tcp");
const SILENT: (Decision, &str) = (Decision::Unknown, "unreachable");

/// Every answer, spoiled in the same way.
pub(crate) fn every(
    what: &'static str,
    expected: (Decision, &'static str),
    spoil: impl Fn(&mut Message) + Send + 'static,
) -> Fault {
    let act = move |asked: Asked| {
        let mut message = asked.good;
        spoil(&mut message);
        say(&message)
    };
    Fault {
        what,
        expected,
        act: Box::new(act),
    }
}

/// The answers about TLSA, spoiled.
pub(crate) fn tlsa(
    what: &'static str,
    expected: (Decision, &'static str),
    spoil: impl Fn(&mut Message) + Send + 'static,
) -> Fault {
    let act = move |asked: Asked| {
        let mut message = asked.good;
        if asked.kind == RecordType::TLSA {
            spoil(&mut message);
        }
        say(&message)
    };
    Fault {
        what,
        expected,
        act: Box::new(act),
    }
}

/// Every answer as octets of its own making.
fn octets(
    what: &'static str,
    expected: (Decision, &'static str),
    make: fn(Vec<u8>) -> Vec<u8>,
) -> Fault {
    Fault {
        what,
        expected,
        act: Box::new(move |asked| Deed::Say(vec![make(asked.good.to_vec().unwrap())])),
    }
}

/// Every answer as a deed.
fn deed(what: &'static str, expected: (Decision, &'static str), act: fn(Vec<u8>) -> Deed) -> Fault {
    Fault {
        what,
        expected,
        act: Box::new(move |asked| act(asked.good.to_vec().unwrap())),
    }
}

/// Too long for UDP, and this over TCP.
fn over_tcp(
    what: &'static str,
    expected: (Decision, &'static str),
    act: fn(Vec<u8>) -> Deed,
) -> Fault {
    let act = move |asked: Asked| {
        let octets = asked.good.to_vec().unwrap();
        if asked.tcp {
            act(octets)
        } else {
            truncated(asked.good)
        }
    };
    Fault {
        what,
        expected,
        act: Box::new(act),
    }
}

fn truncated(mut message: Message) -> Deed {
    message.metadata.truncation = true;
    message.answers.clear();
    say(&message)
}

/// Each of the faults alone, between a world that is safe and one that is again.
pub(crate) fn judge_each(faults: Vec<Fault>) {
    let stage = Stage::new();
    judge_on(&stage, faults);
}

/// The same, on a stage that is there already.
pub(crate) fn judge_on(stage: &Stage, faults: Vec<Fault>) {
    let last = Fault {
        what: "nothing",
        expected: HARMLESS,
        act: good(),
    };
    let first = Fault {
        what: "nothing yet",
        expected: HARMLESS,
        act: good(),
    };
    let settings = Settings {
        timeout: Duration::from_secs(1),
        ..stage.lab.impatient()
    };
    let mut wrong = Vec::new();
    for Fault {
        what,
        expected,
        act,
    } in std::iter::once(first).chain(faults).chain([last])
    {
        stage.act(act);
        let evidence = stage.lab.gather_with(&settings);
        let verdict = stage.lab.verdict(&evidence);
        if let Err(why) = judge(&evidence, &verdict, expected) {
            wrong.push(format!(
                "{what}: {why}, not {expected:?}: {:#?}",
                verdict.findings
            ));
        }
        // Nobody is asked more than a sound server would be.
        if stage.asked() > QUESTIONS {
            wrong.push(format!("{what}: {} questions", stage.asked()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the verdict over a fault at the scripted server.
fn judge(
    evidence: &Evidence,
    verdict: &Verdict,
    (decision, code): (Decision, &str),
) -> Result<(), &'static str> {
    if verdict.decision != decision {
        return Err(verdict.decision.word());
    }
    let here = |finding: &&Finding| {
        finding
            .server
            .as_ref()
            .is_some_and(|at| at.contains(&SCRIPTED.to_string()))
    };
    let told = verdict
        .findings
        .iter()
        .filter(here)
        .any(|f| f.code == code && Decision::from(f.severity) == decision);
    if decision != Decision::Safe && !told {
        return Err("the reason is not told");
    }
    let mut elsewhere = verdict
        .findings
        .iter()
        .filter(|finding| finding.server.is_some() && !here(finding));
    if elsewhere.any(|finding| finding.severity > Severity::Note) {
        return Err("others are blamed");
    }
    let right = server(evidence, 0, NS1);
    if (right.outcome, right.security) != (Outcome::Answered, Security::Secure) {
        return Err("the good server suffers");
    }
    Ok(())
}

#[test]
fn a_message_that_is_no_answer_to_the_question_is_none() {
    judge_each(vec![
        every("another id", MALFORMED, |m| m.metadata.id ^= 1),
        every("another name in the question", MALFORMED, |m| {
            m.queries = vec![Query::query(wire("elsewhere"), m.queries[0].query_type())];
        }),
        every("another type in the question", MALFORMED, |m| {
            m.queries = vec![Query::query(m.queries[0].name().clone(), RecordType::TXT)];
        }),
        every("another class in the question", MALFORMED, |m| {
            m.queries[0].set_query_class(DNSClass::CH);
        }),
        every("no question", MALFORMED, |m| m.queries.clear()),
        every("the question twice", MALFORMED, |m| {
            m.queries = [m.queries.clone(), m.queries.clone()].concat()
        }),
        every("QR missing", MALFORMED, |m| {
            m.metadata.message_type = MessageType::Query
        }),
        every("another opcode", MALFORMED, |m| {
            m.metadata.op_code = OpCode::Notify
        }),
    ]);
}

#[test]
fn octets_that_are_no_message_are_no_answer() {
    judge_each(vec![
        octets("nothing at all", MALFORMED, |_| Vec::new()),
        octets("half a header", MALFORMED, |good| good[..6].to_vec()),
        octets("a header that promises more", MALFORMED, |good| {
            good[..12].to_vec()
        }),
        octets("cut in the middle", MALFORMED, |good| {
            good[..good.len() / 2].to_vec()
        }),
        octets("noise", MALFORMED, |good| {
            good.iter()
                .map(|octet| octet.wrapping_mul(167).wrapping_add(13))
                .collect()
        }),
        octets("more records than follow", MALFORMED, |mut good| {
            good[6..8].copy_from_slice(&[0xff, 0xff]);
            good
        }),
        octets("a name that points to itself", MALFORMED, |good| {
            // The question's name is a pointer to where it stands.
            [&good[..12], &[0xc0, 12, 0, 52, 0, 1]].concat()
        }),
        octets("two pointers at each other", MALFORMED, |good| {
            [&good[..12], &[0xc0, 14, 0xc0, 12, 0, 52, 0, 1]].concat()
        }),
        octets("a name of more than 255 octets", MALFORMED, |good| {
            let label = [&[63][..], &[b'a'; 63]].concat();
            [&good[..12], &label.repeat(5), &[0, 0, 52, 0, 1]].concat()
        }),
        octets("a label of an unknown kind", MALFORMED, |good| {
            [&good[..12], &[0x41, 1, 0, 0, 52, 0, 1]].concat()
        }),
    ]);
}

#[test]
fn a_datagram_from_elsewhere_is_not_heard() {
    judge_each(vec![
        deed("silence", SILENT, |_| Deed::Say(Vec::new())),
        deed("from another port", SILENT, Deed::FromAnotherPort),
        deed("from another address", SILENT, Deed::FromAnotherAddress),
        deed("too late", SILENT, |good| {
            Deed::Late(Duration::from_secs(4), good)
        }),
        deed("late, and in time", HARMLESS, |good| {
            Deed::Late(Duration::from_millis(50), good)
        }),
        deed("noise, then the answer", HARMLESS, |good| {
            Deed::Say(vec![vec![0; 30], good])
        }),
        deed("noise sixty times, then the answer", HARMLESS, |good| {
            noise(60, good)
        }),
        deed(
            "noise a hundred times, then the answer",
            MALFORMED,
            |good| noise(100, good),
        ),
        deed("the answer twice", HARMLESS, |good| {
            Deed::Say(vec![good.clone(), good])
        }),
    ]);
}

fn noise(times: usize, good: Vec<u8>) -> Deed {
    Deed::Say(
        std::iter::repeat_n(vec![0; 30], times)
            .chain([good])
            .collect(),
    )
}

#[test]
fn tcp_that_does_not_deliver_is_told_of_and_slow_tcp_is_fine() {
    judge_each(vec![
        over_tcp("whole messages", HARMLESS, |good| Deed::Say(vec![good])),
        over_tcp("one octet at a time", HARMLESS, |good| Deed::Stream {
            octets: framed(&good),
            step: 1,
            close: true,
        }),
        over_tcp("silence", NO_TCP, |_| Deed::Stream {
            octets: Vec::new(),
            step: 1,
            close: false,
        }),
        over_tcp("closed at once", NO_TCP, |_| Deed::Stream {
            octets: Vec::new(),
            step: 1,
            close: true,
        }),
        over_tcp("half a message, then nothing", NO_TCP, |good| {
            let octets = framed(&good);
            Deed::Stream {
                octets: octets[..octets.len() / 2].to_vec(),
                step: 100,
                close: false,
            }
        }),
        over_tcp("half a message, then the end", NO_TCP, |good| {
            let octets = framed(&good);
            Deed::Stream {
                octets: octets[..octets.len() / 2].to_vec(),
                step: 100,
                close: true,
            }
        }),
        over_tcp("a length that is too large", NO_TCP, |good| Deed::Stream {
            octets: [&[0xff, 0xff], &good[..]].concat(),
            step: 100,
            close: false,
        }),
        over_tcp("a length that is too small", MALFORMED, |good| {
            Deed::Stream {
                octets: [&[0, 20], &good[..]].concat(),
                step: 100,
                close: true,
            }
        }),
        over_tcp("a length of nothing", MALFORMED, |_| Deed::Stream {
            octets: vec![0, 0],
            step: 2,
            close: true,
        }),
        over_tcp("truncated here too", NO_TCP, |good| {
            let mut message = Message::from_vec(&good).unwrap();
            message.metadata.truncation = true;
            say(&message)
        }),
        over_tcp("another id", MALFORMED, |mut good| {
            good[0] ^= 1;
            Deed::Stream {
                octets: framed(&good),
                step: 100,
                close: true,
            }
        }),
        over_tcp("another question", MALFORMED, |good| {
            let mut message = Message::from_vec(&good).unwrap();
            message.queries = vec![Query::query(wire("elsewhere"), RecordType::TLSA)];
            say(&message)
        }),
    ]);
}

/// The zone's keys show it; what is asked after them has no need to wait again.
#[test]
fn a_server_whose_tcp_hangs_is_waited_for_once() {
    let stage = Stage::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let act: Act = Box::new(move |asked| {
        if !asked.tcp {
            return truncated(asked.good);
        }
        seen.lock().unwrap().push(asked.kind);
        Deed::Stream {
            octets: Vec::new(),
            step: 1,
            close: false,
        }
    });
    judge_on(
        &stage,
        vec![Fault {
            what: "all over TCP, and TCP hangs",
            expected: NO_TCP,
            act,
        }],
    );
    let asked = asked.lock().unwrap();
    for kind in [RecordType::SOA, RecordType::DNSKEY, RecordType::NS] {
        assert!(asked.contains(&kind), "{asked:?}");
    }
    for later in [RecordType::TLSA, RecordType::A, RecordType::AAAA] {
        assert!(!asked.contains(&later), "{asked:?}");
    }
}

#[test]
fn a_server_that_drops_one_type_is_waited_for_once() {
    let stage = Stage::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    stage.act(Box::new(move |asked| match asked.kind {
        RecordType::TLSA => {
            seen.fetch_add(1, Ordering::SeqCst);
            Deed::Say(Vec::new())
        }
        _ => say(&asked.good),
    }));
    let targets: Vec<_> = (0..200)
        .map(|number| target(&format!("host{number}.leaf.example")))
        .collect();
    let all = gather(&targets, &stage.lab.impatient());
    let outcomes = all
        .iter()
        .map(|evidence| server(evidence, 0, SCRIPTED).outcome);
    assert!(
        outcomes
            .into_iter()
            .all(|outcome| outcome == Outcome::Unreachable)
    );
    assert_eq!(asked.load(Ordering::SeqCst), AT_ONCE);
}

#[test]
fn an_endless_stream_is_read_for_a_while_only() {
    let stage = Stage::new();
    judge_on(
        &stage,
        vec![
            over_tcp("other messages for ever", MALFORMED, |mut good| {
                good[0] ^= 1;
                Deed::Endless(framed(&good))
            }),
            over_tcp("noise for ever", MALFORMED, |_| {
                Deed::Endless(vec![0x55; 4096])
            }),
            over_tcp("nothing at all for ever", MALFORMED, |_| {
                Deed::Endless(vec![0; 4096])
            }),
        ],
    );
    // What a socket buffers is beyond us; what is read is not.
    assert!(
        stage.poured() < 64 << 20,
        "{} octets went out",
        stage.poured()
    );
    judge_on(
        &stage,
        vec![deed("datagrams for ever", MALFORMED, |_| {
            Deed::Endless(vec![0x55; 40])
        })],
    );
}

#[test]
fn a_code_that_is_an_error_is_one_whatever_comes_with_it() {
    let unknown = |code| (Decision::Unknown, code);
    judge_each(vec![
        every("SERVFAIL with records", unknown("servfail"), |m| {
            m.metadata.response_code = ResponseCode::ServFail
        }),
        every("REFUSED with records", unknown("refused"), |m| {
            m.metadata.response_code = ResponseCode::Refused
        }),
        every("FORMERR without EDNS", unknown("error-code"), |m| {
            m.metadata.response_code = ResponseCode::FormErr;
            m.edns = None;
        }),
        every("NOTIMP", unknown("error-code"), |m| {
            m.metadata.response_code = ResponseCode::NotImp
        }),
        every("BADVERS", unknown("error-code"), |m| {
            m.metadata.response_code = ResponseCode::BADVERS
        }),
        every("BADVERS and no records", unknown("error-code"), |m| {
            m.metadata.response_code = ResponseCode::BADVERS;
            m.answers.clear();
            m.authorities.clear();
        }),
        tlsa("records of a name that does not exist", MALFORMED, |m| {
            m.metadata.response_code = ResponseCode::NXDomain
        }),
        every("AA missing", unknown("not-authoritative"), |m| {
            m.metadata.authoritative = false
        }),
    ]);
}

#[test]
fn referrals_lead_nowhere() {
    let not_authoritative = (Decision::Unknown, "not-authoritative");
    let refer = |m: &mut Message, to: &str, authoritative: bool| {
        m.metadata.authoritative = authoritative;
        m.answers.clear();
        let data = RData::try_from_str(RecordType::NS, "ns2.leaf.example.").unwrap();
        m.authorities = vec![Record::from_rdata(wire(to), 60, data)];
    };
    judge_each(vec![
        every("to itself", not_authoritative, move |m| {
            refer(m, "leaf.example", false)
        }),
        every("upward", not_authoritative, move |m| refer(m, ".", false)),
        every("upward, with AA", not_authoritative, move |m| {
            refer(m, ".", true)
        }),
        every("downward", not_authoritative, move |m| {
            refer(m, "mail.leaf.example", false)
        }),
        tlsa("downward, with AA", not_authoritative, move |m| {
            refer(m, "mail.leaf.example", true)
        }),
    ]);
}

/// The signatures in an answer.
pub(crate) fn signatures(message: &Message) -> Vec<RRSIG> {
    signatures_in(&message.answers)
}

pub(crate) fn signatures_in(records: &[Record]) -> Vec<RRSIG> {
    let signature = |record: &Record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature.clone()),
        _ => None,
    };
    records.iter().filter_map(signature).collect()
}

/// A signature as a record beside those of the answer.
pub(crate) fn signature_record(message: &Message, signature: RRSIG) -> Record {
    Record::from_rdata(
        message.answers[0].name.clone(),
        3600,
        RData::DNSSEC(DNSSECRData::RRSIG(signature)),
    )
}

#[test]
fn an_answer_section_is_read_with_care() {
    let bogus = (Decision::Unsafe, "bogus");
    let unproven = (Decision::Unsafe, "denial-unproven");
    let other = |owner: &str, kind, data: &str| {
        Record::from_rdata(wire(owner), 3600, RData::try_from_str(kind, data).unwrap())
    };
    let foreign = other("_25._tcp.other.leaf.example", RecordType::TLSA, "3 1 1 bb");
    let alias = other(OWNER, RecordType::CNAME, "mail.leaf.example.");
    let digest = crate::lab::digest('b');
    let second = other(OWNER, RecordType::TLSA, &format!("3 1 1 {digest}"));
    let foreign_too = foreign.clone();
    judge_each(vec![
        tlsa("every record twice", HARMLESS, |m| {
            m.answers = [m.answers.clone(), m.answers.clone()].concat()
        }),
        tlsa("records of another name beside", HARMLESS, move |m| {
            m.answers.push(foreign.clone())
        }),
        tlsa("records of another name only", MALFORMED, move |m| {
            m.answers = vec![foreign_too.clone()]
        }),
        tlsa("records of another class only", MALFORMED, |m| {
            m.answers
                .iter_mut()
                .for_each(|r| r.dns_class = DNSClass::CH)
        }),
        tlsa("an alias beside the records", MALFORMED, move |m| {
            m.answers.push(alias.clone())
        }),
        tlsa("a record that nobody signed", bogus, move |m| {
            m.answers.push(second.clone())
        }),
        tlsa("the records among the authorities", unproven, |m| {
            m.authorities = std::mem::take(&mut m.answers);
        }),
        tlsa("nothing", unproven, |m| m.answers.clear()),
        tlsa("a lower TTL", HARMLESS, |m| {
            m.answers.iter_mut().for_each(|r| r.ttl -= 1000)
        }),
        tlsa("a higher TTL", HARMLESS, |m| {
            m.answers.iter_mut().for_each(|r| r.ttl += 1)
        }),
        tlsa("no signature", bogus, |m| {
            m.answers.retain(|r| r.record_type() != RecordType::RRSIG)
        }),
        tlsa("no EDNS", HARMLESS, |m| m.edns = None),
        tlsa("a signature over another type only", bogus, |m| {
            let signature = signatures(m).remove(0);
            let mut input = signature.input().clone();
            input.type_covered = RecordType::A;
            m.answers.retain(|r| r.record_type() != RecordType::RRSIG);
            m.answers.push(signature_record(
                m,
                RRSIG::from_sig(input, signature.sig().to_vec()),
            ));
        }),
    ]);
}
