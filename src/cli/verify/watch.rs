//! One check after the other: ask, judge, remember, and come back while waiting
//! may help. The world (clock, network, programs) is handed in, so
//! that tests need none of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::verify::display::Display;
use crate::cli::verify::jobs::Job;
use crate::cli::verify::patience::Patience;
use crate::cli::verify::system::{Ended, Interrupted, World};
use crate::cli::{Failure, Ui};
use crate::dns::{Reach, Settings};
use crate::files::state::{self, Problem, StateError};
use crate::name::Name;
use crate::propagation::evidence::Evidence;
use crate::propagation::memory::Memory;
use crate::propagation::memory::clock::Reading;
use crate::propagation::{Decision, Expectation, Judged, Policy, Verdict, check_in, overall};
use crate::report::metrics;
use crate::textfile;
use crate::tlsa::Target;

/// The pause between two checks: the first, and the longest it grows to.
const SHORTEST: TimeDelta = TimeDelta::seconds(5);
const LONGEST: TimeDelta = TimeDelta::seconds(60);

/// The least time that a check has, so that there is one at the deadline as well.
const LEAST: Duration = Duration::from_secs(2);

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
    /// Whether to stay while waiting may help, and until when.
    pub(crate) deadline: Option<Option<DateTime<Utc>>>,
    /// How long *cannot tell* may last before that ends the wait.
    pub(crate) patience: TimeDelta,
}

/// What the last check came to.
pub(crate) struct Watched {
    /// When that was.
    pub(crate) checked_at: DateTime<Utc>,
    /// The targets, in the order given.
    pub(crate) judged: Vec<Judged>,
    /// What came before the wait was over, if anything did.
    pub(crate) ended: Option<Ended>,
}

/// One check.
struct Checked {
    at: DateTime<Utc>,
    judged: Vec<Judged>,
}

impl Checked {
    /// This is the last one.
    fn ended(self, ended: Option<Ended>) -> Watched {
        Watched {
            checked_at: self.at,
            judged: self.judged,
            ended,
        }
    }
}

/// Why a check came to nothing.
enum Missed {
    /// It was cut off.
    Cut(Ended),
    /// Somebody else has the state; it may be free the next time.
    Busy(Failure),
    /// It would fail the next time as well.
    Failed(Failure),
}

impl Watching {
    /// Checks until the answer is final, or once.
    pub(crate) fn run(&self, ui: &mut Ui<'_>, world: &mut dyn World) -> Result<Watched, Failure> {
        if self.deadline.is_some() {
            world
                .catch_signals()
                .map_err(|error| Failure::wrong(format!("signals cannot be caught: {error}")))?;
        }
        let mut display = Display::of(ui);
        let watched = self.wait(&mut display, ui, world);
        display.end(ui);
        watched
    }

    fn wait(
        &self,
        display: &mut Display,
        ui: &mut Ui<'_>,
        world: &mut dyn World,
    ) -> Result<Watched, Failure> {
        let mut interval = SHORTEST;
        let mut patience = Patience::of(self.patience);
        let mut last: Option<Checked> = None;
        loop {
            let checked = self.check(world, last.is_none());
            let now = world.now();
            match checked {
                Ok(checked) => {
                    let verdicts: Vec<&Verdict> = checked
                        .judged
                        .iter()
                        .map(|target| &target.verdict)
                        .collect();
                    patience.note(verdicts.iter().copied(), checked.at);
                    self.publish(&checked, display, ui);
                    if self.is_the_last(now) || patience.is_over(&verdicts, &self.sizes(), now) {
                        return Ok(checked.ended(None));
                    }
                    last = Some(checked);
                }
                Err(Missed::Failed(failure)) => return Err(failure),
                Err(Missed::Cut(ended)) => {
                    return last
                        .map(|last| last.ended(Some(ended)))
                        .ok_or(too_early(ended));
                }
                Err(Missed::Busy(failure)) => {
                    let first = patience.is_idle();
                    if !patience.note_busy(now) || self.is_the_last(now) {
                        return last
                            .filter(|_| self.is_late(now))
                            .map(|last| last.ended(None))
                            .ok_or(failure);
                    }
                    if first {
                        display.warn(&format!("{}; it is tried again", failure.message), ui);
                    }
                }
            }
            if patience.is_surprised() {
                interval = SHORTEST;
            }
            let judged = last.as_ref().map_or(&[][..], |last| &last.judged);
            let pause = self.pause(judged, &patience, interval, now);
            if let Err(signal) = pass(pause, judged, display, ui, world) {
                let ended = Ended::Signal(signal);
                return last
                    .map(|last| last.ended(Some(ended)))
                    .ok_or(too_early(ended));
            }
            interval = (interval * 3 / 2).min(LONGEST);
        }
    }

    /// Whether there is no other check after this one, whatever it says.
    fn is_the_last(&self, now: DateTime<Utc>) -> bool {
        self.deadline.is_none() || self.is_late(now)
    }

    fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.deadline
            .flatten()
            .is_some_and(|deadline| now >= deadline)
    }

    /// How many targets each key change has.
    fn sizes(&self) -> Vec<usize> {
        self.jobs.iter().map(|job| job.targets.len()).collect()
    }

    /// How long to let things be: until something is due, and not for ever.
    fn pause(
        &self,
        judged: &[Judged],
        patience: &Patience,
        interval: TimeDelta,
        now: DateTime<Utc>,
    ) -> Duration {
        let waiting = judged
            .iter()
            .map(|target| &target.verdict)
            .filter(|verdict| verdict.decision == Decision::Wait);
        let due = [
            overall(waiting).1,
            self.deadline.flatten(),
            patience.next_end(now),
        ];
        let pause = due
            .into_iter()
            .flatten()
            .map(|moment| moment - now)
            .chain([interval])
            .min();
        pause.unwrap_or(interval).to_std().unwrap_or_default()
    }

    /// Writes the figures. It could be done at the start, so a failure now is no
    /// reason to give up the wait: whoever reads the file sees that it is old.
    fn publish(&self, checked: &Checked, display: &mut Display, ui: &mut Ui<'_>) {
        let Some(path) = &self.metrics else { return };
        if let Err(error) = textfile::replace(path, &metrics::text(&checked.judged, checked.at)) {
            display.warn(
                &format!(
                    "the figures cannot be written to {}: {error}",
                    path.display()
                ),
                ui,
            );
        }
    }

    fn check(&self, world: &mut dyn World, first: bool) -> Result<Checked, Missed> {
        let gathered = self.gather(world, first).map_err(Missed::Cut)?;
        let now = world.now();
        let (at, judged) =
            self.judge(gathered, world.clock(now), now)
                .map_err(|error| match error.problem {
                    Problem::Locked => Missed::Busy(failure(error)),
                    Problem::NoFolder
                    | Problem::NoFile
                    | Problem::Io(_)
                    | Problem::Damaged(_)
                    | Problem::Version(_)
                    | Problem::Zone(_)
                    | Problem::Foreign(_)
                    | Problem::Writable(_) => Missed::Failed(failure(error)),
                })?;
        Ok(Checked { at, judged })
    }

    /// Asks, until the deadline at the longest. The first time, what has been heard
    /// by then says more than nothing; later the last verdict does.
    fn gather(&self, world: &mut dyn World, first: bool) -> Result<Vec<Evidence>, Ended> {
        let targets: Vec<Target> = self
            .jobs
            .iter()
            .flat_map(|job| &job.targets)
            .cloned()
            .collect();
        let now = world.now();
        let left = self
            .deadline
            .flatten()
            .map(|deadline| (deadline - now).to_std().unwrap_or_default().max(LEAST));
        let check = left
            .filter(|_| first)
            .map_or(self.reach.check, |left| left.min(self.reach.check));
        let limit = if first {
            left.map(|left| left + LEAST)
        } else {
            left
        };
        let reach = Reach {
            check,
            ..self.reach.clone()
        };
        world.gather(
            &targets,
            &Settings {
                now,
                ..self.settings.clone()
            },
            &reach,
            limit,
        )
    }

    /// Judges what was gathered by `now`: the moment is that of the last answer,
    /// so that nobody is taken to have agreed before they said so.
    fn judge(
        &self,
        gathered: Vec<Evidence>,
        clock: Option<Reading>,
        now: DateTime<Utc>,
    ) -> Result<(DateTime<Utc>, Vec<Judged>), StateError> {
        let jobs = self
            .jobs
            .iter()
            .flat_map(|job| job.targets.iter().map(move |_| job));
        let mut zones: BTreeMap<Option<Name>, Vec<Asked>> = BTreeMap::new();
        for (place, (evidence, job)) in gathered.into_iter().zip(jobs).enumerate() {
            let open = job.expectation.to_derive(&evidence);
            let derived = open.into_iter().map(|params| (params, job.derive(params)));
            let expectation = job.expectation.clone().deriving(derived);
            let zone = evidence.hops.first().map(|hop| hop.zone.clone());
            zones.entry(zone).or_default().push(Asked {
                place,
                evidence,
                expectation,
            });
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
            judged.extend(
                state::update_all(&self.state, &names, change)?
                    .into_iter()
                    .flatten(),
            );
        }
        // In the order of the targets again.
        judged.sort_by_key(|(place, _)| *place);
        Ok((now, judged.into_iter().map(|(_, judged)| judged).collect()))
    }

    /// Judges the targets of one zone.
    fn judge_zone(
        &self,
        asked: Vec<Asked>,
        memory: &Memory,
        now: DateTime<Utc>,
    ) -> (Vec<(usize, Judged)>, Memory) {
        let mut memory = memory.clone();
        let judge = |Asked {
                         place,
                         evidence,
                         expectation,
                     }: Asked| {
            let verdict = check_in(&mut memory, &evidence, &expectation, &self.policy, now);
            let watch = memory.of(&evidence.owner, &expectation);
            (
                place,
                Judged {
                    evidence,
                    expectation,
                    verdict,
                    watch,
                },
            )
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
        let next = TimeDelta::from_std(left)
            .ok()
            .and_then(|left| now.checked_add_signed(left))
            .unwrap_or(now);
        display.show(judged, now, next, ui);
        let step = display.beat().map_or(left, |beat| beat.min(left));
        world.sleep(step)?;
        left = left.saturating_sub(step);
        if left.is_zero() {
            return Ok(());
        }
    }
}

fn too_early(ended: Ended) -> Failure {
    let (what, hint) = match ended {
        Ended::Signal(Interrupted(signal)) => {
            (signal, "nothing was changed; what was seen before is kept")
        }
        Ended::Late => (
            "the deadline",
            "see whether name servers and resolvers answer from here, or move --deadline",
        ),
    };
    Failure::unknown(format!("{what} came before the name servers had answered")).hint(hint)
}

/// What is wrong with the state, as a failure.
pub(crate) fn failure(error: StateError) -> Failure {
    let failure = Failure::wrong(&error).hint(error.hint());
    if error.path.as_os_str().is_empty() {
        failure
    } else {
        failure.at(error.path.display())
    }
}
