//! The world as `verify` needs it: the clock, the network, programs, and the
//! signals that end a wait. Tests hand in one of their own.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::verify::exec::Program;
use crate::dns::{self, Reach, Settings};
use crate::files::command::Unfit;
use crate::propagation::evidence::Evidence;
use crate::tlsa::Target;

/// The signal that somebody sent to end the program, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interrupted(pub(crate) &'static str);

/// What a check needs of the world.
pub(crate) trait World {
    /// The moment.
    fn now(&self) -> DateTime<Utc>;
    /// From now on, signals end what is under way instead of the process.
    ///
    /// # Errors
    ///
    /// When the system does not let them be caught.
    fn catch_signals(&mut self) -> io::Result<()>;
    /// Asks the name servers.
    ///
    /// # Errors
    ///
    /// When a signal came first.
    fn gather(&mut self, targets: &[Target], settings: &Settings, reach: &Reach) -> Result<Vec<Evidence>, Interrupted>;
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
        Self { ahead: now - Utc::now(), events: None }
    }
}

impl World for Clockwork {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().checked_add_signed(self.ahead).unwrap_or_else(Utc::now)
    }

    fn catch_signals(&mut self) -> io::Result<()> {
        let (say, hear) = channel();
        listen(say.clone())?;
        self.events = Some((say, hear));
        Ok(())
    }

    fn gather(&mut self, targets: &[Target], settings: &Settings, reach: &Reach) -> Result<Vec<Evidence>, Interrupted> {
        let Some((say, hear)) = &self.events else { return Ok(dns::gather_within(targets, settings, reach)) };
        // In a thread of its own, so that a signal need not wait for servers that
        // are silent. What it still does when nobody listens any more is to ask.
        let (say, targets) = (say.clone(), targets.to_vec());
        let (settings, reach) = (settings.clone(), reach.clone());
        let asking = thread::spawn(move || {
            let _ = say.send(Event::Gathered(dns::gather_within(&targets, &settings, &reach)));
        });
        first_word(hear, asking)
    }

    fn sleep(&mut self, length: Duration) -> Result<(), Interrupted> {
        let Some((_, hear)) = &self.events else {
            thread::sleep(length);
            return Ok(());
        };
        match hear.recv_timeout(length) {
            Ok(Event::Signal(name)) => Err(Interrupted(name)),
            Ok(Event::Gathered(_)) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
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

/// What comes first: the answers or a signal. This side holds a sender as well, so
/// that a thread which ended in a panic would be waited for without end; the panic
/// goes on here instead.
fn first_word(hear: &Receiver<Event>, asking: JoinHandle<()>) -> Result<Vec<Evidence>, Interrupted> {
    loop {
        // Looked at before the wait: what it said last is in the channel then.
        let ended = asking.is_finished();
        match hear.recv_timeout(Duration::from_secs(1)) {
            Ok(Event::Gathered(evidence)) => return Ok(evidence),
            Ok(Event::Signal(name)) => return Err(Interrupted(name)),
            Err(_) if ended => break,
            Err(_) => {}
        }
    }
    match asking.join() {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(()) => Err(Interrupted("nothing")),
    }
}

/// Tells of every signal that asks the program to end.
#[cfg(unix)]
fn listen(say: Sender<Event>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    // Caught from here on, not only once the thread runs.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
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
    Ok(())
}

/// Elsewhere the process ends as it always does; the state is whole at any moment.
#[cfg(not(unix))]
fn listen(_: Sender<Event>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_that_end_in_a_panic_are_not_waited_for() {
        let (_say, hear) = channel();
        let asking = thread::spawn(|| std::panic::resume_unwind(Box::new("on purpose")));
        let went_on = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| first_word(&hear, asking)));
        assert!(went_on.is_err());
    }
}
