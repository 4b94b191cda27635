//! The same question to each validator: what does it make of the TLSA set?

mod library;

use std::fs;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use danewright::dns::{Anchors, Family, Settings, gather};
use danewright::name::Name;
use danewright::propagation::evidence::{Evidence, Hop, Security};
use danewright::propagation::memory::Memory;
use danewright::propagation::{Expectation, HoldWish, Policy, Verdict, check};
use danewright::tlsa::{Params, Target, Tlsa, unhex};

use super::cases::Case;
use super::common::dig::ask;
use super::common::process::run;
use super::servers::Servers;
use super::states::State;
use super::zones::DIGEST;

pub(crate) use library::library;

/// Questions to programs under way at once.
const AT_ONCE: usize = 4;

/// The host of a case, absolute.
fn host(case: &Case) -> String {
    if case.host == "@" {
        format!("{}.", case.zone)
    } else {
        format!("{}.{}.", case.host, case.zone)
    }
}

fn owner(case: &Case) -> String {
    format!("_25._tcp.{}", host(case))
}

/// What we make of it, and the verdict when nothing has to be waited for.
pub(crate) fn ours(servers: &Servers, cases: &[Case], now: DateTime<Utc>) -> Vec<(State, Verdict)> {
    let settings = Settings {
        resolvers: vec![servers.finder()],
        anchors: Anchors::parse(&fs::read_to_string(servers.anchors()).unwrap()).unwrap(),
        name_servers: Vec::new(),
        dns_port: servers.port(),
        family: Family::V4,
        timeout: Duration::from_secs(5),
        tries: 3,
        now,
    };
    let host = |case: &Case| Name::from_zone_text(host(case).as_bytes(), None).unwrap();
    let targets: Vec<Target> = cases
        .iter()
        .map(|case| Target::Service {
            host: host(case),
            port: "25".parse().unwrap(),
        })
        .collect();
    let record = Tlsa {
        params: Params::default(),
        data: unhex(DIGEST).unwrap(),
    };
    let expectation = Expectation::new(vec![record], None);
    let policy = Policy {
        hold: HoldWish::For(TimeDelta::zero()),
        ..Policy::default()
    };
    let judged = gather(&targets, &settings).into_iter().map(|evidence| {
        let (verdict, _) = check(
            &evidence,
            &expectation,
            &Memory::empty(&Name::root()),
            &policy,
            now,
        );
        (state(&evidence), verdict)
    });
    judged.collect()
}

/// The weakest of all that the answer rests on.
fn state(evidence: &Evidence) -> State {
    let of = |hop: &Hop| {
        let links = hop.chain.iter().map(|link| link.security);
        links
            .chain(hop.servers.iter().map(|server| server.security))
            .max()
    };
    match evidence.hops.iter().filter_map(of).max() {
        Some(Security::Secure) => State::Secure,
        Some(Security::Insecure) => State::Insecure,
        Some(Security::Bogus) => State::Bogus,
        Some(Security::Indeterminate) | None => State::Unknown,
    }
}

/// Unbound's word: AD, none, or SERVFAIL where a resolver that does not validate has an answer.
fn unbound(servers: &Servers, case: &Case) -> State {
    let owner = owner(case);
    let Some(reply) = ask(servers.validator(), &owner, "TLSA", true) else {
        return State::Unknown;
    };
    match reply.code.as_str() {
        "NOERROR" | "NXDOMAIN" if reply.has("ad") => State::Secure,
        "NOERROR" | "NXDOMAIN" => State::Insecure,
        "SERVFAIL" => match ask(servers.finder(), &owner, "TLSA", true) {
            Some(reply) if matches!(reply.code.as_str(), "NOERROR" | "NXDOMAIN") => State::Bogus,
            _ => State::Unknown,
        },
        _ => State::Unknown,
    }
}

/// delv's word. It takes anchors of one name at a time, and of the root unless
/// it is told another; each answer on the way has a line of its own.
fn delv(servers: &Servers, case: &Case) -> State {
    let root = if case.zone.ends_with("island.example") {
        "island.example."
    } else {
        "."
    };
    let (at, port) = (
        format!("@{}", servers.finder().ip()),
        servers.port().to_string(),
    );
    let (anchors, root, owner) = (
        format!("delv.{}", root.trim_end_matches('.')),
        format!("+root={root}"),
        owner(case),
    );
    let ran = run(
        servers.folder(),
        "delv",
        &["-a", &anchors, &root, &at, "-p", &port, &owner, "TLSA"],
    );
    let failed = ran
        .err
        .lines()
        .filter_map(|line| line.strip_prefix(";; resolution failed: "));
    // That is how it says that there is no such record, which can be proven.
    if failed
        .chain(
            ran.out
                .lines()
                .filter_map(|line| line.strip_prefix(";; resolution failed: ")),
        )
        .any(|why| !why.starts_with("ncache"))
    {
        return State::Bogus;
    }
    let words = ran
        .out
        .lines()
        .filter(|line| line.starts_with("; "))
        .filter_map(|line| match line {
            _ if line.ends_with("pending validation") => Some(State::Bogus),
            _ if line.ends_with("fully validated") => Some(State::Secure),
            _ if line.ends_with("unsigned answer") => Some(State::Insecure),
            _ => None,
        });
    words.max().unwrap_or(State::Unknown)
}

/// What Unbound and delv say of each case, some at a time: most of it is waiting.
pub(crate) fn others(servers: &Servers, cases: &[Case]) -> Vec<(State, State)> {
    write_delv_anchors(servers);
    let ask = |case: &Case| (unbound(servers, case), delv(servers, case));
    thread::scope(|scope| {
        let share = |cases: &'_ [Case]| cases.iter().map(ask).collect::<Vec<_>>();
        let threads: Vec<_> = cases
            .chunks(cases.len().div_ceil(AT_ONCE))
            .map(|cases| scope.spawn(move || share(cases)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Writes the anchors in the form that delv reads.
fn write_delv_anchors(servers: &Servers) {
    let anchors = fs::read_to_string(servers.anchors()).unwrap();
    for line in anchors.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let at = fields.iter().position(|field| *field == "DS").unwrap();
        let (numbers, digest) = fields[at + 1..].split_at(3);
        let text = format!(
            "trust-anchors {{ \"{}\" static-ds {} \"{}\"; }};\n",
            fields[0],
            numbers.join(" "),
            digest.concat()
        );
        fs::write(
            servers
                .folder()
                .join(format!("delv.{}", fields[0].trim_end_matches('.'))),
            text,
        )
        .unwrap();
    }
}
