//! One check after the other: ask, judge, remember, and come back while the
//! answer is "not yet". The world (clock, network, programs) is handed in, so
//! that tests need none of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::verify::chosen::Job;
use crate::cli::verify::display::Display;
use crate::cli::verify::world::{Interrupted, World};
use crate::cli::{Failure, Ui};
use crate::dns::{Reach, Settings};
use crate::files::page;
use crate::files::state::{self, StateError};
use crate::name::Name;
use crate::propagation::evidence::Evidence;
use crate::propagation::memory::Memory;
use crate::propagation::memory::clock::Reading;
use crate::propagation::{Decision, Expectation, Judged, Policy, check_in, overall};
use crate::report::metrics;
use crate::tlsa::Target;

/// The pause between two checks: the first, and the longest it grows to.
const SHORTEST: TimeDelta = TimeDelta::seconds(5);
const LONGEST: TimeDelta = TimeDelta::seconds(60);

/// What is checked, and how.
pub(crate) struct Watching {
    /// What is expected, and where.
    pub(crate) jobs: Vec<Job>,
    /// Whom to ask.
    pub(crate) settings: Settings,
    /// How far the questions may go.
    pub(crate) reach: Reach,
    /// The state folder.
    pub(crate) state: PathBuf,
    /// What the user decides.
    pub(crate) policy: Policy,
    /// Where figures are written after each check.
    pub(crate) metrics: Option<PathBuf>,
    /// Whether to stay while the answer is "not yet", and until when.
    pub(crate) deadline: Option<Option<DateTime<Utc>>>,
}

/// What the last check came to.
pub(crate) struct Watched {
    /// When that was.
    pub(crate) checked_at: DateTime<Utc>,
    /// The targets, in the order given.
    pub(crate) judged: Vec<Judged>,
    /// The signal that ended the wait, if one did.
    pub(crate) interrupted: Option<Interrupted>,
}

impl Watching {
    /// Checks until the answer is final, or once.
    pub(crate) fn run(&self, ui: &mut Ui<'_>, world: &mut dyn World) -> Result<Watched, Failure> {
        if self.deadline.is_some() {
            world.catch_signals().map_err(|error| Failure::wrong(format!("signals cannot be caught: {error}")))?;
        }
        let mut display = Display::of(ui);
        let watched = self.wait(&mut display, ui, world);
        display.end(ui);
        watched
    }

    fn wait(&self, display: &mut Display, ui: &mut Ui<'_>, world: &mut dyn World) -> Result<Watched, Failure> {
        let mut interval = SHORTEST;
        let mut last: Option<(DateTime<Utc>, Vec<Judged>)> = None;
        loop {
            let (now, judged) = match (self.gather(world), last) {
                (Ok(evidence), _) => {
                    let now = world.now();
                    self.judge(evidence, world.clock(now), now)?
                }
                (Err(signal), Some((checked_at, judged))) => {
                    return Ok(Watched { checked_at, judged, interrupted: Some(signal) });
                }
                (Err(signal), None) => return Err(too_early(signal)),
            };
            self.publish(&judged, now, ui);
            let (decision, safe_at) = overall(judged.iter().map(|target| &target.verdict));
            let deadline = self.deadline.filter(|_| decision == Decision::Wait);
            let Some(deadline) = deadline.filter(|deadline| deadline.is_none_or(|deadline| now < deadline)) else {
                return Ok(Watched { checked_at: now, judged, interrupted: None });
            };
            let pause = [safe_at, deadline].into_iter().flatten().map(|moment| moment - now).min();
            let pause = pause.map_or(interval, |pause| pause.min(interval));
            if let Err(signal) = pass(pause.to_std().unwrap_or_default(), &judged, display, ui, world) {
                return Ok(Watched { checked_at: now, judged, interrupted: Some(signal) });
            }
            interval = (interval * 3 / 2).min(LONGEST);
            last = Some((now, judged));
        }
    }

    /// Writes the figures. It could be done at the start, so a failure now is no
    /// reason to give up the wait: whoever reads the file sees that it is old.
    fn publish(&self, judged: &[Judged], now: DateTime<Utc>, ui: &mut Ui<'_>) {
        let Some(path) = &self.metrics else { return };
        if let Err(error) = page::replace(path, &metrics::text(judged, now)) {
            ui.warn(format!("the figures cannot be written to {}: {error}", path.display()));
        }
    }

    fn gather(&self, world: &mut dyn World) -> Result<Vec<Evidence>, Interrupted> {
        let targets: Vec<Target> = self.jobs.iter().flat_map(|job| &job.targets).cloned().collect();
        world.gather(&targets, &Settings { now: world.now(), ..self.settings.clone() }, &self.reach)
    }

    /// Judges what was gathered by `now`: the moment is that of the last answer,
    /// so that nobody is taken to have agreed before they said so.
    fn judge(
        &self,
        gathered: Vec<Evidence>,
        clock: Option<Reading>,
        now: DateTime<Utc>,
    ) -> Result<(DateTime<Utc>, Vec<Judged>), Failure> {
        let jobs = self.jobs.iter().flat_map(|job| job.targets.iter().map(move |_| job));
        let mut zones: BTreeMap<Option<Name>, Vec<Asked>> = BTreeMap::new();
        for (place, (evidence, job)) in gathered.into_iter().zip(jobs).enumerate() {
            let open = job.expectation.to_derive(&evidence);
            let derived = open.into_iter().map(|params| (params, job.derive(params)));
            let expectation = job.expectation.clone().deriving(derived);
            let zone = evidence.hops.first().map(|hop| hop.zone.clone());
            zones.entry(zone).or_default().push(Asked { place, evidence, expectation });
        }
        // What was not found has nothing to be remembered.
        let lost = zones.remove(&None).unwrap_or_default();
        let mut judged = self.judge_zone(lost, &Memory::empty(&Name::root()), now).0;
        let names: Vec<Name> = zones.keys().flatten().cloned().collect();
        if !names.is_empty() {
            // One document of the state for all targets of a zone.
            let change = |zone: &Name, memory: &Memory| {
                let asked = zones.remove(&Some(zone.clone())).unwrap_or_default();
                self.judge_zone(asked, &memory.read_at(clock.clone()), now)
            };
            judged.extend(state::update_all(&self.state, &names, change).map_err(failure)?.into_iter().flatten());
        }
        // In the order of the targets again.
        judged.sort_by_key(|(place, _)| *place);
        Ok((now, judged.into_iter().map(|(_, judged)| judged).collect()))
    }

    /// Judges the targets of one zone.
    fn judge_zone(&self, asked: Vec<Asked>, memory: &Memory, now: DateTime<Utc>) -> (Vec<(usize, Judged)>, Memory) {
        let mut memory = memory.clone();
        let judge = |Asked { place, evidence, expectation }: Asked| {
            let verdict = check_in(&mut memory, &evidence, &expectation, &self.policy, now);
            let watch = memory.of(&evidence.owner, &expectation);
            (place, Judged { evidence, expectation, verdict, watch })
        };
        let judged = asked.into_iter().map(judge).collect();
        (judged, memory)
    }
}

/// What was found at one target, and its place among all.
struct Asked {
    place: usize,
    evidence: Evidence,
    expectation: Expectation,
}

/// Lets time pass, beat by beat where somebody watches.
fn pass(
    length: Duration,
    judged: &[Judged],
    display: &mut Display,
    ui: &mut Ui<'_>,
    world: &mut dyn World,
) -> Result<(), Interrupted> {
    let mut left = length;
    loop {
        let now = world.now();
        let next = TimeDelta::from_std(left).ok().and_then(|left| now.checked_add_signed(left)).unwrap_or(now);
        display.show(judged, now, next, ui);
        let step = display.beat().map_or(left, |beat| beat.min(left));
        world.sleep(step)?;
        left = left.saturating_sub(step);
        if left.is_zero() {
            return Ok(());
        }
    }
}

fn too_early(Interrupted(signal): Interrupted) -> Failure {
    Failure::unknown(format!("{signal} came before the name servers had answered"))
        .hint("nothing was changed; what was seen before is kept")
}

/// What is wrong with the state, as a failure.
pub(crate) fn failure(error: StateError) -> Failure {
    let failure = Failure::wrong(&error).hint(error.hint());
    if error.path.as_os_str().is_empty() { failure } else { failure.at(error.path.display()) }
}
