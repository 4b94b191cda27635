//! The verdict against a simple model of caches: histories of edits, late
//! servers, clocks and checks, and for every *safe* the question whether any cache
//! could still hold a set that the new key does not match.
//!
//! A cache may have asked any machine of any listed server at any time, may go on
//! asking one that left for two days, and keeps what it got for its TTL. What
//! counts against a *safe*:
//!
//! - what a check met, for its whole TTL;
//! - what was served before its machine was first heard, for a day at most;
//! - what a server gave that left before anybody met it, until it left;
//! - what came and went between two looks, for no longer than what the look before
//!   met, unless that look met what is expected: a server that falls back and
//!   recovers while nobody looks is not noticed, nor is one that comes and leaves.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::propagation::evidence::{Evidence, Outcome, ServerAnswer};
use crate::propagation::fixtures::{alias, at, evidence, failing, hop, key_as, name, server};
use crate::propagation::memory::clock::Reading;
use crate::propagation::memory::{Memory, OldTtl};
use crate::propagation::{Decision, Expectation, Policy, check};
use crate::tlsa::{Params, Tlsa};

use super::config;

/// How long a cache goes on asking a server that left.
const LEFT: TimeDelta = TimeDelta::hours(48);
/// How long what nobody has looked at is kept.
const DAY: TimeDelta = TimeDelta::hours(24);
const NEGATIVE: u32 = 300;
const KEYS: [&str; 3] = ["a", "b", "c"];
const EXPECTED: [&[&str]; 5] = [&["b"], &["c"], &["b", "c"], &["a"], &["b"]];
/// The servers of the zone; those after them are of the zones that aliases lead to.
const OWN: usize = 3;
const ALL: usize = 6;
/// What an alias can lead to, with the places of its servers.
const TARGETS: [(&str, std::ops::Range<usize>); 2] = [
    ("tlsa.provider.example", 3..5),
    ("tlsa.other.example", 5..6),
];
/// The place where two machines answer.
const TWINS: usize = 1;

#[derive(Clone, Debug)]
enum Event {
    /// `patch` adds the records of what is expected; the primary has them at once.
    Patch(usize),
    /// `patch` was tried on another file, which has this TTL.
    PatchElsewhere(usize, u32),
    /// `prune` removes a key's records.
    Prune(usize),
    /// Somebody adds a record by hand, or removes it.
    Edit(usize, u8),
    /// Somebody edits the TTL.
    Ttl(u32),
    /// The owner becomes an alias of this target, or ceases to be one.
    Alias(Option<usize>),
    /// A machine takes in the zone file.
    Transfer(usize, usize),
    /// All machines do.
    TransferAll,
    /// A server of another zone gains or loses a record.
    Elsewhere(usize, usize, u8),
    /// A server is listed no more, or again.
    List(usize),
    /// A server falls silent, or speaks again.
    Silence(usize),
    /// The wall clock is set to be this many seconds ahead of what is true.
    Clock(i64),
    /// The machine is started again.
    Restart,
    /// `verify` for what is expected.
    Check(usize),
}

/// What stands at the owner: the records, or an alias, with the TTL.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    alias: Option<usize>,
    records: BTreeSet<Tlsa>,
    ttl: u32,
}

impl Content {
    fn cached(&self) -> TimeDelta {
        let none = self.records.is_empty() && self.alias.is_none();
        TimeDelta::seconds(i64::from(if none { NEGATIVE } else { self.ttl }))
    }

    /// Whether a cache that follows aliases to this target is well served with it.
    fn fits(&self, target: Option<usize>, index: usize) -> bool {
        match self.alias {
            Some(_) => self.alias == target,
            None => matches(&self.records, index),
        }
    }
}

#[derive(Clone)]
struct Machine {
    content: Content,
    from: DateTime<Utc>,
    /// Whether a check met this content.
    seen: bool,
    /// What the last check met here that met anything.
    known: Option<Content>,
}

struct Server {
    machines: Vec<Machine>,
    listed: bool,
    silent: bool,
    /// Whether a check found it listed, heard or not.
    met: bool,
}

/// What a machine served, and when caches could get it.
#[derive(Clone, Debug)]
struct Span {
    place: usize,
    content: Content,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    seen: bool,
    /// What a check had met here before.
    known: Option<Content>,
}

impl Span {
    /// How long caches keep it, as far as that counts; `None` where it does not.
    fn cached(&self, target: Option<usize>, index: usize) -> Option<TimeDelta> {
        match &self.known {
            _ if self.seen => Some(self.content.cached()),
            None => Some(self.content.cached().min(DAY)),
            Some(known) if known.fits(target, index) => None,
            Some(known) => Some(self.content.cached().min(known.cached())),
        }
    }
}

struct World {
    now: DateTime<Utc>,
    /// How far the wall clock is ahead, now and at the last check.
    ahead: TimeDelta,
    ahead_then: TimeDelta,
    started: DateTime<Utc>,
    starts: usize,
    file: Content,
    servers: Vec<Server>,
    past: Vec<Span>,
    first_look: Option<DateTime<Utc>>,
    memory: Memory,
}

fn record(of: &str, matching: u8) -> Tlsa {
    key_as(of, 3, 1, matching)
}

fn records(index: usize) -> Vec<Tlsa> {
    EXPECTED[index].iter().map(|key| record(key, 1)).collect()
}

fn expectation(index: usize) -> Expectation {
    let strong: Vec<Vec<Tlsa>> = EXPECTED[index]
        .iter()
        .map(|key| vec![record(key, 2)])
        .collect();
    let params: Params = record("a", 2).params;
    Expectation::new(records(index), None).deriving([(params, strong)])
}

/// Whether senders with this set accept every expected key.
fn matches(set: &BTreeSet<Tlsa>, index: usize) -> bool {
    let strong = set
        .iter()
        .any(|found| found.params == record("a", 2).params);
    EXPECTED[index]
        .iter()
        .all(|key| set.contains(&record(key, 1)) && (!strong || set.contains(&record(key, 2))))
}

impl World {
    fn new(ttl: u32) -> Self {
        let now = at("00:00:00") + TimeDelta::days(2);
        let file = Content {
            alias: None,
            records: [record("a", 1)].into(),
            ttl,
        };
        let machine = Machine {
            content: file.clone(),
            from: now,
            seen: false,
            known: None,
        };
        let server = |place| Server {
            machines: vec![machine.clone(); if place == TWINS { 2 } else { 1 }],
            listed: true,
            silent: false,
            met: false,
        };
        let servers = (0..ALL).map(server).collect();
        let (ahead, ahead_then) = (TimeDelta::zero(), TimeDelta::zero());
        let memory = Memory::empty(&name("example.com"));
        Self {
            now,
            ahead,
            ahead_then,
            started: now,
            starts: 0,
            file,
            servers,
            past: Vec::new(),
            first_look: None,
            memory,
        }
    }

    fn owner() -> crate::name::Name {
        name("_25._tcp.mail.example.com")
    }

    fn wall(&self) -> DateTime<Utc> {
        self.now + self.ahead
    }

    /// The memory as a command finds it now.
    fn remembered(&self) -> Memory {
        let uptime = (self.now - self.started).num_milliseconds();
        self.memory.read_at(Some(Reading {
            boot: self.starts.to_string(),
            uptime,
            wall: self.wall(),
        }))
    }

    fn serve(&mut self, place: usize, machine: usize, content: Content) {
        let now = self.now;
        let listed = self.servers[place].listed;
        let machines = &mut self.servers[place].machines;
        let at = machine % machines.len();
        let machine = &mut machines[at];
        if machine.content == content || !listed {
            return;
        }
        let Machine {
            content: before,
            from,
            seen,
            known,
        } = machine.clone();
        self.past.push(Span {
            place,
            content: before,
            from,
            until: now,
            seen,
            known,
        });
        (machine.content, machine.from, machine.seen) = (content, now, false);
    }

    /// Where aliases lead that somebody serves.
    fn leads_to(&self, target: usize) -> bool {
        let own = self.servers[..OWN]
            .iter()
            .filter(|server| server.listed)
            .flat_map(|server| &server.machines);
        own.into_iter()
            .any(|machine| machine.content.alias == Some(target))
    }

    fn apply(&mut self, event: &Event) -> Option<(usize, Decision)> {
        match *event {
            Event::Patch(index) if self.file.alias.is_none() => {
                let ttl = if self.file.records.is_empty() {
                    OldTtl::Absent(NEGATIVE)
                } else {
                    OldTtl::Set(self.file.ttl)
                };
                self.patched(index, ttl);
                self.file.records.extend(records(index));
                self.serve(0, 0, self.file.clone());
            }
            Event::PatchElsewhere(index, ttl) => self.patched(index, OldTtl::Set(ttl)),
            Event::Prune(key) if self.file.alias.is_none() => {
                let gone: Vec<Tlsa> = [1, 2].map(|matching| record(KEYS[key], matching)).into();
                let gone: Vec<Tlsa> = gone
                    .into_iter()
                    .filter(|record| self.file.records.contains(record))
                    .collect();
                if !gone.is_empty() && gone.len() < self.file.records.len() {
                    self.file.records.retain(|record| !gone.contains(record));
                    self.memory = self.remembered().pruned(&Self::owner(), &gone, self.wall());
                }
            }
            Event::Edit(key, matching) => {
                toggle(&mut self.file.records, record(KEYS[key], matching))
            }
            Event::Ttl(ttl) => self.file.ttl = ttl,
            Event::Alias(alias) => self.file.alias = alias,
            Event::Transfer(place, machine) => self.serve(place, machine, self.file.clone()),
            Event::TransferAll => {
                for (place, machine) in [(0, 0), (1, 0), (1, 1), (2, 0)] {
                    self.serve(place, machine, self.file.clone());
                }
            }
            Event::Elsewhere(place, key, matching)
                if (0..TARGETS.len())
                    .any(|to| TARGETS[to].1.contains(&place) && self.leads_to(to)) =>
            {
                let mut content = self.servers[place].machines[0].content.clone();
                toggle(&mut content.records, record(KEYS[key], matching));
                self.serve(place, 0, content);
            }
            Event::List(place) => self.list(place),
            Event::Silence(place) => self.servers[place].silent ^= true,
            Event::Clock(seconds) => self.ahead = TimeDelta::seconds(seconds),
            Event::Restart => {
                // What the wall clock did since the last look, nobody can tell then.
                self.ahead = self.ahead_then;
                (self.starts, self.started) = (self.starts + 1, self.now);
            }
            Event::Check(index) => return Some((index, self.check(index))),
            _ => {}
        }
        None
    }

    fn patched(&mut self, index: usize, ttl: OldTtl) {
        let old: Vec<Tlsa> = self.file.records.iter().cloned().collect();
        self.memory =
            self.remembered()
                .patched(&Self::owner(), &old, ttl, &records(index), self.wall());
        self.ahead_then = self.ahead;
    }

    fn list(&mut self, place: usize) {
        let others = self.servers[..OWN]
            .iter()
            .filter(|server| server.listed)
            .count();
        let server = &mut self.servers[place];
        if server.listed && others < 2 {
            return;
        }
        if server.listed {
            let until = if server.met {
                self.now + LEFT
            } else {
                self.now
            };
            let came = self.first_look.filter(|_| !server.met);
            let left = server
                .machines
                .iter()
                .filter(|machine| came.is_none_or(|first| machine.from < first))
                .cloned();
            let spans = left.map(
                |Machine {
                     content,
                     from,
                     seen,
                     known,
                 }| Span {
                    place,
                    content,
                    from,
                    until,
                    seen,
                    known,
                },
            );
            self.past.extend(spans);
        } else {
            server
                .machines
                .iter_mut()
                .for_each(|machine| (machine.from, machine.seen) = (self.now, false));
            // What it gives from now on is its own again.
            let left = self
                .past
                .iter_mut()
                .filter(|span| span.place == place && span.until > self.now);
            left.for_each(|span| span.until = self.now);
        }
        server.listed ^= true;
    }

    fn answers(&self, place: usize) -> Vec<ServerAnswer> {
        let Server {
            machines, silent, ..
        } = &self.servers[place];
        let number = u8::try_from(place).unwrap();
        if *silent {
            return vec![failing(number, Outcome::Unreachable)];
        }
        let mut answers: Vec<ServerAnswer> = Vec::new();
        for Machine { content, .. } in machines {
            let records: Vec<Tlsa> = content.records.iter().cloned().collect();
            let mut answer = match content.alias {
                Some(target) => alias(number, TARGETS[target].0),
                None => server(number, &records),
            };
            answer.ttl = answer.ttl.map(|_| content.ttl);
            answer.original_ttl = answer.ttl;
            answer.signature_expires = Some(self.wall() + TimeDelta::days(9));
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        }
        answers
    }

    /// What a check finds, and where the alias led that it followed.
    fn evidence(&self) -> (Evidence, Option<usize>) {
        let listed = (0..OWN).filter(|place| self.servers[*place].listed);
        let own: Vec<ServerAnswer> = listed.flat_map(|place| self.answers(place)).collect();
        let led = own.iter().find_map(|answer| answer.alias.clone());
        let mut found = evidence(own);
        let target = led.and_then(|led| TARGETS.iter().position(|(to, _)| name(to) == led));
        if let Some(target) = target {
            let (to, places) = TARGETS[target].clone();
            let zone = to.split_once('.').unwrap().1;
            found.hops.push(hop(
                to,
                zone,
                places.flat_map(|place| self.answers(place)).collect(),
            ));
        }
        (found, target)
    }

    fn check(&mut self, index: usize) -> Decision {
        let (found, target) = self.evidence();
        let (verdict, memory) = check(
            &found,
            &expectation(index),
            &self.remembered(),
            &Policy::default(),
            self.wall(),
        );
        (self.memory, self.ahead_then) = (memory, self.ahead);
        self.first_look.get_or_insert(self.now);
        for (place, server) in self.servers.iter_mut().enumerate() {
            let asked = server.listed
                && (place < OWN || target.is_some_and(|target| TARGETS[target].1.contains(&place)));
            server.met = asked;
            for machine in &mut server.machines {
                if asked && !server.silent {
                    (machine.seen, machine.known) = (true, Some(machine.content.clone()));
                } else if !server.listed {
                    // It will be a stranger when it is listed again.
                    (machine.seen, machine.known) = (false, None);
                }
            }
        }
        verdict.decision
    }

    /// What caches can hold of these servers now, if they asked no earlier than then.
    fn held(
        &self,
        since: DateTime<Utc>,
        places: std::ops::Range<usize>,
        target: Option<usize>,
        index: usize,
    ) -> Vec<Span> {
        let listed = self
            .servers
            .iter()
            .enumerate()
            .filter(|(_, server)| server.listed);
        let present = listed.flat_map(|(place, server)| {
            server.machines.iter().cloned().map(
                move |Machine {
                          content,
                          from,
                          seen,
                          known,
                      }| Span {
                    place,
                    content,
                    from,
                    until: self.now,
                    seen,
                    known,
                },
            )
        });
        let all = self
            .past
            .iter()
            .cloned()
            .chain(present)
            .filter(|span| places.contains(&span.place));
        let alive = |span: &Span| {
            span.cached(target, index)
                .is_some_and(|cached| span.until + cached > self.now)
        };
        all.filter(|span| span.until > since && alive(span))
            .collect()
    }

    /// A set in a cache that senders would refuse a new key for.
    fn harm(&self, index: usize) -> Option<Span> {
        let target = self.evidence().1;
        for span in self.held(DateTime::<Utc>::MIN_UTC, 0..OWN, target, index) {
            let sets = match span.content.alias {
                Some(to) => self.held(span.from, TARGETS[to].1.clone(), target, index),
                None => vec![span],
            };
            if let Some(wrong) = sets
                .into_iter()
                .find(|span| !matches(&span.content.records, index))
            {
                return Some(wrong);
            }
        }
        None
    }
}

fn toggle(records: &mut BTreeSet<Tlsa>, record: Tlsa) {
    if !records.remove(&record) {
        records.insert(record);
    }
}

fn ttl() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![60, 3600, 43_200, 172_800])
}

fn matching() -> impl Strategy<Value = u8> {
    prop::sample::select(vec![1, 1, 2])
}

fn event() -> impl Strategy<Value = Event> {
    let expected = || 0..EXPECTED.len();
    prop_oneof![
        3 => expected().prop_map(Event::Patch),
        1 => (expected(), ttl()).prop_map(|(index, ttl)| Event::PatchElsewhere(index, ttl)),
        1 => (0..KEYS.len()).prop_map(Event::Prune),
        1 => (0..KEYS.len(), matching()).prop_map(|(key, matching)| Event::Edit(key, matching)),
        1 => ttl().prop_map(Event::Ttl),
        1 => prop::sample::select(vec![None, None, Some(0), Some(1)]).prop_map(Event::Alias),
        4 => (0..OWN, 0..2usize).prop_map(|(place, machine)| Event::Transfer(place, machine)),
        4 => Just(Event::TransferAll),
        1 => (OWN..ALL, 0..KEYS.len(), matching()).prop_map(|(place, key, by)| Event::Elsewhere(place, key, by)),
        1 => (0..OWN).prop_map(Event::List),
        1 => (0..ALL).prop_map(Event::Silence),
        1 => prop::sample::select(vec![0, 0, -10_800, 10_800, 90_000]).prop_map(Event::Clock),
        1 => Just(Event::Restart),
        // Mostly the same is expected.
        9 => prop::sample::select(vec![0, 0, 0, 0, 1, 2, 3]).prop_map(Event::Check),
    ]
}

fn history() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let pause = prop::sample::select(vec![1, 60, 3600, 86_400, 200_000]);
    prop::collection::vec((event(), pause), 5..60)
}

/// Plays a history; how often it was safe, or what a cache held then.
fn play(ttl: u32, history: &[(Event, i64)]) -> Result<usize, String> {
    let mut world = World::new(ttl);
    let mut safe = 0;
    for (event, pause) in history {
        if let Some((index, Decision::Safe)) = world.apply(event) {
            safe += 1;
            if let Some(harm) = world.harm(index) {
                return Err(format!(
                    "{:?} at {}: a cache may hold {harm:#?}",
                    EXPECTED[index], world.now
                ));
            }
        }
        world.now += TimeDelta::seconds(*pause);
    }
    Ok(safe)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn safe_means_that_no_cache_holds_a_set_without_the_new_key(ttl in ttl(), history in history()) {
        let played = play(ttl, &history);
        prop_assert!(played.is_ok(), "{}", played.unwrap_err());
    }
}

/// A law about *safe* says little about histories that never get there.
#[test]
fn many_histories_are_safe_at_some_time() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let one = |runner: &mut TestRunner| {
        let (ttl, history) = (ttl(), history()).new_tree(runner).unwrap().current();
        play(ttl, &history)
    };
    let safe = (0..400)
        .filter(|_| one(&mut runner).is_ok_and(|safe| safe > 0))
        .count();
    assert!(safe >= 80, "{safe} of 400");
}
