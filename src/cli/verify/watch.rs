//! One check after the other: ask, judge, remember, and come back while the
//! answer is "not yet". The world (clock, network, programs) is handed in, so
//! that tests need none of it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::verify::exec::Program;
use crate::cli::{Failure, Ui};
use crate::dns::{self, Settings};
use crate::files::state::{self, StateError};
use crate::name::Name;
use crate::propagation::evidence::Evidence;
use crate::propagation::memory::Memory;
use crate::propagation::{Decision, Expectation, Judged, Policy, check, overall};
use crate::report::verdict;
use crate::tlsa::{Params, Target, Tlsa};

/// The pause between two checks: the first, and the longest it grows to.
const SHORTEST: TimeDelta = TimeDelta::seconds(5);
const LONGEST: TimeDelta = TimeDelta::seconds(60);

/// What a check needs of the world.
pub(crate) trait World {
    /// The moment.
    fn now(&self) -> DateTime<Utc>;
    /// Asks the name servers.
    fn gather(&self, targets: &[Target], settings: &Settings) -> Vec<Evidence>;
    /// Lets time pass.
    fn sleep(&mut self, length: Duration);
    /// Runs a program; its exit status, or `None` after a signal.
    fn execute(&self, program: &Program) -> io::Result<Option<i32>>;
}

/// The real world, with a clock that may have been set for a test.
pub(crate) struct Clockwork {
    ahead: TimeDelta,
}

impl Clockwork {
    /// A clock that says `now` now.
    pub(crate) fn started(now: DateTime<Utc>) -> Self {
        Self { ahead: now - Utc::now() }
    }
}

impl World for Clockwork {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().checked_add_signed(self.ahead).unwrap_or_else(Utc::now)
    }

    fn gather(&self, targets: &[Target], settings: &Settings) -> Vec<Evidence> {
        dns::gather(targets, settings)
    }

    fn sleep(&mut self, length: Duration) {
        std::thread::sleep(length);
    }

    fn execute(&self, program: &Program) -> io::Result<Option<i32>> {
        program.run()
    }
}

/// What is checked, and how.
pub(crate) struct Watching<'a> {
    /// The owners.
    pub(crate) targets: Vec<Target>,
    /// What they should hold.
    pub(crate) expectation: Expectation,
    /// What the new keys come to under other parameters.
    pub(crate) derive: &'a dyn Fn(Params) -> Vec<Vec<Tlsa>>,
    /// Whom to ask.
    pub(crate) settings: Settings,
    /// The state folder.
    pub(crate) state: PathBuf,
    /// What the user decides.
    pub(crate) policy: Policy,
    /// Whether to stay while the answer is "not yet", and until when.
    pub(crate) deadline: Option<Option<DateTime<Utc>>>,
}

impl Watching<'_> {
    /// Checks until the answer is final, or once.
    pub(crate) fn run(&self, ui: &mut Ui<'_>, world: &mut dyn World) -> Result<(DateTime<Utc>, Vec<Judged>), Failure> {
        let mut interval = SHORTEST;
        loop {
            let (now, judged) = self.check(world)?;
            let (decision, safe_at) = overall(judged.iter().map(|target| &target.verdict));
            let Some(deadline) = self.deadline.filter(|_| decision == Decision::Wait) else {
                return Ok((now, judged));
            };
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok((now, judged));
            }
            if ui.shows_progress() {
                ui.talk(verdict::line(&judged, now));
            }
            let pause = [safe_at, deadline].into_iter().flatten().map(|moment| moment - now).min();
            world.sleep(pause.map_or(interval, |pause| pause.min(interval)).to_std().unwrap_or_default());
            interval = (interval * 3 / 2).min(LONGEST);
        }
    }

    /// Asks and judges once; the moment is that of the last answer, so that
    /// nobody is taken to have agreed before they said so.
    fn check(&self, world: &dyn World) -> Result<(DateTime<Utc>, Vec<Judged>), Failure> {
        let settings = Settings { now: world.now(), ..self.settings.clone() };
        let gathered = world.gather(&self.targets, &settings);
        let now = world.now();
        let mut waiting: Vec<(Evidence, Expectation)> = gathered
            .into_iter()
            .map(|evidence| {
                let open = self.expectation.to_derive(&evidence);
                let derived = open.into_iter().map(|params| (params, (self.derive)(params)));
                let expectation = self.expectation.clone().deriving(derived);
                (evidence, expectation)
            })
            .collect();
        let mut zones: Vec<Option<Name>> = waiting.iter().map(|(evidence, _)| zone_of(evidence)).collect();
        zones.sort();
        zones.dedup();
        let mut judged = Vec::new();
        for zone in zones {
            let (of_zone, others) = waiting.into_iter().partition(|(evidence, _)| zone_of(evidence) == zone);
            waiting = others;
            judged.extend(self.judge_zone(zone.as_ref(), of_zone, now)?);
        }
        // In the order of the targets again.
        let place = |target: &Judged| {
            self.targets.iter().position(|asked| asked.owner().is_ok_and(|owner| owner == target.evidence.owner))
        };
        judged.sort_by_key(place);
        Ok((now, judged))
    }

    /// Judges the targets of one zone, which share one document of the state.
    fn judge_zone(
        &self,
        zone: Option<&Name>,
        targets: Vec<(Evidence, Expectation)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Judged>, Failure> {
        let judge_all = |memory: &Memory| {
            let mut memory = memory.clone();
            let judge = |(evidence, expectation)| {
                let (verdict, after) = check(&evidence, &expectation, &memory, &self.policy, now);
                memory = after;
                Judged { evidence, expectation, verdict }
            };
            let judged: Vec<Judged> = targets.into_iter().map(judge).collect();
            (judged, memory)
        };
        match zone {
            Some(zone) => state::update(&self.state, zone, judge_all).map_err(failure),
            // What was not found has nothing to be remembered.
            None => Ok(judge_all(&Memory::empty(&Name::root())).0),
        }
    }
}

fn zone_of(evidence: &Evidence) -> Option<Name> {
    evidence.hops.first().map(|hop| hop.zone.clone())
}

/// What is wrong with the state, as a failure.
pub(crate) fn failure(error: StateError) -> Failure {
    let failure = Failure::wrong(&error).hint(error.hint());
    if error.path.as_os_str().is_empty() { failure } else { failure.at(error.path.display()) }
}
