//! The world as `verify` needs it: the clock, the network, programs, and the
//! signals that end a wait. Tests hand in one of their own.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::verify::exec::Program;
use crate::dns::{self, Reach, Settings};
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
        thread::spawn(move || say.send(Event::Gathered(dns::gather_within(&targets, &settings, &reach))));
        match hear.recv() {
            Ok(Event::Gathered(evidence)) => Ok(evidence),
            Ok(Event::Signal(name)) => Err(Interrupted(name)),
            // Never: this side holds a sender, too.
            Err(_) => Err(Interrupted("nothing")),
        }
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

    fn execute(&self, program: &Program) -> io::Result<Option<i32>> {
        program.run()
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
