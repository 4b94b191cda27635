//! The world as `verify` needs it: the clock, the network, programs, and the
//! signals that end a wait. Tests hand in one of their own.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::verify::exec::Program;
use crate::command::Unfit;
use crate::dns::{self, Reach, Settings};
use crate::files::clock;
use crate::propagation::evidence::Evidence;
use crate::propagation::memory::clock::Reading;
use crate::tlsa::Target;

/// The signal that somebody sent to end the program, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interrupted(pub(crate) &'static str);

/// What ended a question to the name servers before they had answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// A signal.
    Signal(Interrupted),
    /// The time it was given.
    Late,
}

/// What a check needs of the world.
pub(crate) trait World {
    /// The moment.
    fn now(&self) -> DateTime<Utc>;
    /// The clock that nobody sets, beside that moment.
    fn clock(&self, now: DateTime<Utc>) -> Option<Reading>;
    /// From now on, signals end what is under way instead of the process, where
    /// there can be a thread that waits for them.
    ///
    /// # Errors
    ///
    /// When the system does not let them be caught.
    fn catch_signals(&mut self) -> io::Result<()>;
    /// Asks the name servers, for no longer than `limit`.
    ///
    /// # Errors
    ///
    /// When a signal came first, or the time was over.
    fn gather(
        &mut self,
        targets: &[Target],
        settings: &Settings,
        reach: &Reach,
        limit: Option<Duration>,
    ) -> Result<Vec<Evidence>, Ended>;
    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// When a signal came first.
    fn sleep(&mut self, length: Duration) -> Result<(), Interrupted>;
    /// The signal that came meanwhile, if one did.
    fn interrupted(&mut self) -> Option<Interrupted>;
    /// Whether a program can be run.
    ///
    /// # Errors
    ///
    /// Why not.
    fn finds(&self, program: &Program) -> Result<(), Unfit>;
    /// Runs a program; its exit status, or `None` after a signal.
    fn execute(&self, program: &Program) -> io::Result<Option<i32>>;
}

/// The real world, with a clock that may have been set for a test.
pub(crate) struct Clockwork {
    ahead: TimeDelta,
    events: Option<(Sender<Event>, Receiver<Event>)>,
}

enum Event {
    Signal(&'static str),
    Gathered(Vec<Evidence>),
}

impl Clockwork {
    /// A clock that says `now` now.
    pub(crate) fn started(now: DateTime<Utc>) -> Self {
        Self {
            ahead: now - Utc::now(),
            events: None,
        }
    }
}

impl World for Clockwork {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
            .checked_add_signed(self.ahead)
            .unwrap_or_else(Utc::now)
    }

    fn clock(&self, now: DateTime<Utc>) -> Option<Reading> {
        Some(clock::read(now))
    }

    fn catch_signals(&mut self) -> io::Result<()> {
        let (say, hear) = channel();
        if listen(say.clone())? {
            self.events = Some((say, hear));
        }
        Ok(())
    }

    fn gather(
        &mut self,
        targets: &[Target],
        settings: &Settings,
        reach: &Reach,
        limit: Option<Duration>,
    ) -> Result<Vec<Evidence>, Ended> {
        let Some((say, hear)) = &self.events else {
            return Ok(dns::gather_within(targets, settings, reach));
        };
        // In a thread of its own, so that neither a signal nor a deadline need wait for
        // servers that are silent. What it still does when nobody listens any more is to ask.
        let (say, asked) = (
            say.clone(),
            (targets.to_vec(), settings.clone(), reach.clone()),
        );
        let asking = thread::Builder::new().spawn(move || {
            let (targets, settings, reach) = asked;
            let _ = say.send(Event::Gathered(dns::gather_within(
                &targets, &settings, &reach,
            )));
        });
        match asking {
            Ok(asking) => first_word(hear, asking, limit),
            // Where there can be no other thread, both have to wait for the clock of the check.
            Err(_) => Ok(dns::gather_within(targets, settings, reach)),
        }
    }

    fn sleep(&mut self, length: Duration) -> Result<(), Interrupted> {
        let Some((_, hear)) = &self.events else {
            thread::sleep(length);
            return Ok(());
        };
        match hear.recv_timeout(length) {
            Ok(Event::Signal(name)) => Err(Interrupted(name)),
            Ok(Event::Gathered(_))
            | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }

    fn interrupted(&mut self) -> Option<Interrupted> {
        let (_, hear) = self.events.as_ref()?;
        hear.try_iter().find_map(|event| match event {
            Event::Signal(name) => Some(Interrupted(name)),
            Event::Gathered(_) => None,
        })
    }

    fn finds(&self, program: &Program) -> Result<(), Unfit> {
        program.fit()
    }

    fn execute(&self, program: &Program) -> io::Result<Option<i32>> {
        program.run()
    }
}

/// What comes first: the answers, a signal, or the end of the time. This side holds a
/// sender as well, so that a thread which ended in a panic would be waited for without
/// end; the panic goes on here instead.
fn first_word(
    hear: &Receiver<Event>,
    asking: JoinHandle<()>,
    limit: Option<Duration>,
) -> Result<Vec<Evidence>, Ended> {
    const LOOK: Duration = Duration::from_secs(1);
    let started = Instant::now();
    loop {
        // Looked at before the wait: what it said last is in the channel then.
        let ended = asking.is_finished();
        let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
        match hear.recv_timeout(left.map_or(LOOK, |left| left.min(LOOK))) {
            Ok(Event::Gathered(evidence)) => return Ok(evidence),
            Ok(Event::Signal(name)) => return Err(Ended::Signal(Interrupted(name))),
            Err(_) if ended => break,
            Err(_) if left.is_some_and(|left| left.is_zero()) => return Err(Ended::Late),
            Err(_) => {}
        }
    }
    match asking.join() {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(()) => Err(Ended::Signal(Interrupted("nothing"))),
    }
}

/// Tells of every signal that asks the program to end; `false` when there can be
/// no thread for it, and signals do what they always do.
#[cfg(unix)]
fn listen(say: Sender<Event>) -> io::Result<bool> {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    let (hand_over, take_over) = channel::<(tokio::runtime::Runtime, Signal, Signal)>();
    // The thread comes first: a signal that is caught and not listened to is lost.
    let listening = thread::Builder::new().spawn(move || {
        let Ok((runtime, mut interrupt, mut terminate)) = take_over.recv() else {
            return;
        };
        runtime.block_on(async move {
            loop {
                let name = tokio::select! {
                    _ = interrupt.recv() => "SIGINT",
                    _ = terminate.recv() => "SIGTERM",
                };
                if say.send(Event::Signal(name)).is_err() {
                    return;
                }
            }
        });
    });
    if listening.is_err() {
        return Ok(false);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    // Caught from here on, not only once the thread runs.
    let (interrupt, terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    Ok(hand_over.send((runtime, interrupt, terminate)).is_ok())
}

/// Elsewhere the process ends as it always does; the state is whole at any moment.
#[cfg(not(unix))]
fn listen(_: Sender<Event>) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_that_end_in_a_panic_are_not_waited_for() {
        let (_say, hear) = channel();
        let asking = thread::spawn(|| std::panic::resume_unwind(Box::new("on purpose")));
        let went_on = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            first_word(&hear, asking, None)
        }));
        assert!(went_on.is_err());
    }

    #[test]
    fn questions_without_an_answer_are_waited_for_no_longer_than_told() {
        let (_say, hear) = channel();
        // Silent until the test is over.
        let (over, silent) = channel::<()>();
        let asking = thread::spawn(move || {
            let _ = silent.recv();
        });
        assert_eq!(
            first_word(&hear, asking, Some(Duration::from_millis(30))),
            Err(Ended::Late)
        );
        drop(over);
    }
}
