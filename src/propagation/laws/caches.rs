//! The verdict against a simple model of caches: histories of edits, late
//! servers and checks, and for every *safe* the question whether any cache could
//! still hold a set that the new key does not match.
//!
//! A cache may have asked any listed server at any time, may go on asking one
//! that left for two days, and keeps what it got for its TTL. Everything
//! that is served is seen by a check or recorded by a patch before it changes.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::config;
use crate::propagation::evidence::{Evidence, Outcome, ServerAnswer};
use crate::propagation::memory::{Memory, OldTtl};
use crate::propagation::sample::{alias, aliased, at, evidence, failing, key_as, name, server};
use crate::propagation::{Decision, Expectation, Policy, check};
use crate::tlsa::{Params, Tlsa};

/// How long a cache goes on asking a server that left.
const LEFT: TimeDelta = TimeDelta::hours(48);
const NEGATIVE: u32 = 300;
const KEYS: [&str; 3] = ["a", "b", "c"];
const EXPECTED: [&[&str]; 5] = [&["b"], &["c"], &["b", "c"], &["a"], &["b"]];
/// The servers of the zone; those after them are of the zone that the alias leads to.
const OWN: usize = 3;
const ALL: usize = 5;

#[derive(Clone, Debug)]
enum Event {
    /// `patch` adds the records of what is expected; the primary has them at once.
    Patch(usize),
    /// `prune` removes a key's records.
    Prune(usize),
    /// Somebody adds a record by hand, or removes it.
    Edit(usize, u8),
    /// Somebody edits the TTL.
    Ttl(u32),
    /// The owner becomes an alias, or ceases to be one.
    Alias,
    /// A server takes in the zone file.
    Transfer(usize),
    /// A server of the other zone gains or loses a record.
    Elsewhere(usize, usize, u8),
    /// A server is listed no more, or again.
    List(usize),
    /// A server falls silent, or speaks again.
    Silence(usize),
    /// `verify` for what is expected.
    Check(usize),
}

/// What stands at the owner: the records, or an alias, with the TTL.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    alias: bool,
    records: BTreeSet<Tlsa>,
    ttl: u32,
}

impl Content {
    fn cached(&self) -> TimeDelta {
        let none = self.records.is_empty() && !self.alias;
        TimeDelta::seconds(i64::from(if none { NEGATIVE } else { self.ttl }))
    }
}

struct Server {
    content: Content,
    from: DateTime<Utc>,
    listed: bool,
    silent: bool,
    /// Whether what it serves was seen by a check, or recorded.
    seen: bool,
}

/// What a server served, and when caches could get it.
#[derive(Clone, Debug)]
struct Span {
    place: usize,
    content: Content,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

struct World {
    now: DateTime<Utc>,
    file: Content,
    servers: Vec<Server>,
    past: Vec<Span>,
    listing_seen: bool,
    memory: Memory,
}

fn record(of: &str, matching: u8) -> Tlsa {
    key_as(of, 3, 1, matching)
}

fn records(index: usize) -> Vec<Tlsa> {
    EXPECTED[index].iter().map(|key| record(key, 1)).collect()
}

fn expectation(index: usize) -> Expectation {
    let strong: Vec<Vec<Tlsa>> = EXPECTED[index].iter().map(|key| vec![record(key, 2)]).collect();
    let params: Params = record("a", 2).params;
    Expectation::new(records(index), None).deriving([(params, strong)])
}

/// Whether senders with this set accept every expected key.
fn matches(set: &BTreeSet<Tlsa>, index: usize) -> bool {
    let strong = set.iter().any(|found| found.params == record("a", 2).params);
    EXPECTED[index].iter().all(|key| set.contains(&record(key, 1)) && (!strong || set.contains(&record(key, 2))))
}

impl World {
    fn new(ttl: u32) -> Self {
        let now = at("00:00:00");
        let file = Content { alias: false, records: [record("a", 1)].into(), ttl };
        let server = || Server { content: file.clone(), from: now, listed: true, silent: false, seen: false };
        let (servers, past) = ((0..ALL).map(|_| server()).collect(), Vec::new());
        let mut world =
            Self { now, file, servers, past, listing_seen: false, memory: Memory::empty(&name("example.com")) };
        // What stood there before anybody looked is not part of the question.
        world.check(3);
        world
    }

    fn owner() -> crate::name::Name {
        name("_25._tcp.mail.example.com")
    }

    fn serve(&mut self, place: usize, content: Content) {
        let now = self.now;
        let server = &mut self.servers[place];
        if server.content == content || !server.seen || !server.listed {
            return;
        }
        let until = now;
        let before = std::mem::replace(&mut server.content, content);
        self.past.push(Span { place, content: before, from: server.from, until });
        (server.from, server.seen) = (now, false);
    }

    fn aliased(&self) -> bool {
        self.servers[..OWN].iter().any(|server| server.listed && server.content.alias)
    }

    fn apply(&mut self, event: &Event) -> Option<(usize, Decision)> {
        match *event {
            Event::Patch(index) if !self.file.alias => {
                let old: Vec<Tlsa> = self.file.records.iter().cloned().collect();
                let new = records(index);
                let ttl = if old.is_empty() { OldTtl::Absent(NEGATIVE) } else { OldTtl::Set(self.file.ttl) };
                self.memory = self.memory.patched(&Self::owner(), &old, ttl, &new, self.now);
                if new.iter().any(|record| !old.contains(record)) {
                    let file = self.file.clone();
                    self.servers[..OWN].iter_mut().filter(|s| s.content == file).for_each(|s| s.seen = true);
                }
                self.file.records.extend(new);
                self.serve(0, self.file.clone());
            }
            Event::Prune(key) if !self.file.alias => {
                let gone: Vec<Tlsa> = [1, 2].map(|matching| record(KEYS[key], matching)).into();
                let gone: Vec<Tlsa> = gone.into_iter().filter(|record| self.file.records.contains(record)).collect();
                if !gone.is_empty() && gone.len() < self.file.records.len() {
                    self.file.records.retain(|record| !gone.contains(record));
                    self.memory = self.memory.pruned(&Self::owner(), &gone, self.now);
                }
            }
            Event::Edit(key, matching) => toggle(&mut self.file.records, record(KEYS[key], matching)),
            Event::Ttl(ttl) => self.file.ttl = ttl,
            Event::Alias => self.file.alias = !self.file.alias,
            Event::Transfer(place) => self.serve(place, self.file.clone()),
            Event::Elsewhere(place, key, matching) if self.aliased() => {
                let mut content = self.servers[place].content.clone();
                toggle(&mut content.records, record(KEYS[key], matching));
                self.serve(place, content);
            }
            Event::List(place) if self.listing_seen && self.servers[place].seen => self.list(place),
            Event::Silence(place) => self.servers[place].silent ^= true,
            Event::Check(index) => return Some((index, self.check(index))),
            _ => {}
        }
        None
    }

    fn list(&mut self, place: usize) {
        let others = self.servers[..OWN].iter().filter(|server| server.listed).count();
        let server = &mut self.servers[place];
        if server.listed && others < 2 {
            return;
        }
        if server.listed {
            let until = self.now + LEFT;
            self.past.push(Span { place, content: server.content.clone(), from: server.from, until });
        } else {
            server.from = self.now;
        }
        server.listed ^= true;
        (self.listing_seen, server.seen) = (false, false);
    }

    fn answer(&self, place: usize) -> ServerAnswer {
        let Server { content, silent, .. } = &self.servers[place];
        let number = u8::try_from(place).unwrap();
        if *silent {
            return failing(number, Outcome::Unreachable);
        }
        let records: Vec<Tlsa> = content.records.iter().cloned().collect();
        let mut answer = if content.alias { alias(number, "tlsa.provider.example") } else { server(number, &records) };
        answer.ttl = answer.ttl.map(|_| content.ttl);
        answer.original_ttl = answer.ttl;
        answer.signature_expires = Some(self.now + TimeDelta::days(9));
        answer
    }

    fn evidence(&self) -> Evidence {
        let listed = (0..OWN).filter(|place| self.servers[*place].listed);
        let own: Vec<ServerAnswer> = listed.map(|place| self.answer(place)).collect();
        if own.iter().any(|answer| answer.alias.is_some()) {
            aliased(own, (OWN..ALL).map(|place| self.answer(place)).collect())
        } else {
            evidence(own)
        }
    }

    fn check(&mut self, index: usize) -> Decision {
        let seen = self.evidence();
        let (verdict, memory) = check(&seen, &expectation(index), &self.memory, &Policy::default(), self.now);
        self.memory = memory;
        let far = seen.hops.len() > 1;
        for (place, server) in self.servers.iter_mut().enumerate() {
            server.seen |= !server.silent && server.listed && (place < OWN || far);
        }
        self.listing_seen = true;
        verdict.decision
    }

    /// What caches can hold of these servers now, if they asked no earlier than then.
    fn held(&self, since: DateTime<Utc>, own: bool) -> Vec<Span> {
        let present = self.servers.iter().enumerate().filter(|(_, server)| server.listed).map(|(place, server)| Span {
            place,
            content: server.content.clone(),
            from: server.from,
            until: self.now,
        });
        let alive = |span: &Span| span.until > since && span.until + span.content.cached() > self.now;
        let here = |span: &Span| (span.place < OWN) == own;
        let past = self.past.iter().filter(|span| alive(span)).cloned();
        past.chain(present).filter(here).collect()
    }

    /// A set in a cache that senders would refuse a new key for.
    fn harm(&self, index: usize) -> Option<Span> {
        for span in self.held(DateTime::<Utc>::MIN_UTC, true) {
            let sets = if span.content.alias { self.held(span.from, false) } else { vec![span] };
            if let Some(wrong) = sets.into_iter().find(|span| !matches(&span.content.records, index)) {
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
    prop_oneof![
        3 => (0..EXPECTED.len()).prop_map(Event::Patch),
        1 => (0..KEYS.len()).prop_map(Event::Prune),
        1 => (0..KEYS.len(), matching()).prop_map(|(key, matching)| Event::Edit(key, matching)),
        1 => ttl().prop_map(Event::Ttl),
        1 => Just(Event::Alias),
        5 => (0..OWN).prop_map(Event::Transfer),
        1 => (OWN..ALL, 0..KEYS.len(), matching()).prop_map(|(place, key, by)| Event::Elsewhere(place, key, by)),
        1 => (0..OWN).prop_map(Event::List),
        1 => (0..ALL).prop_map(Event::Silence),
        9 => (0..EXPECTED.len()).prop_map(Event::Check),
    ]
}

fn history() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let pause = prop::sample::select(vec![1, 60, 3600, 86_400, 200_000]);
    prop::collection::vec((event(), pause), 5..60)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn safe_means_that_no_cache_holds_a_set_without_the_new_key(ttl in ttl(), history in history()) {
        let mut world = World::new(ttl);
        for (event, pause) in &history {
            let said = world.apply(event);
            if let Some((index, Decision::Safe)) = said {
                let harm = world.harm(index);
                prop_assert!(harm.is_none(), "{:?} at {}: a cache may hold {harm:#?}", EXPECTED[index], world.now);
            }
            world.now += TimeDelta::seconds(*pause);
        }
    }
}
