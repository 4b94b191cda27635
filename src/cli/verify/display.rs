//! What is seen while `verify` waits: on a terminal a few lines that are kept
//! up to date, elsewhere one line whenever the state has changed, and nothing
//! with `--quiet` or `--json`.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::cli::Ui;
use crate::propagation::Judged;
use crate::report::{self, progress, verdict};

/// Lines that fit on any screen.
const LINES: usize = 20;
/// How often the lines on a terminal are made anew.
const BEAT: Duration = Duration::from_secs(1);

/// What is seen of the wait.
pub(crate) enum Display {
    /// Nothing.
    Nothing,
    /// A line when something has changed.
    Changes {
        last: Vec<(String, &'static str, Option<String>)>,
    },
    /// Lines that are kept up to date.
    Live(Live),
}

impl Display {
    /// The display that the user's streams and wishes allow.
    pub(crate) fn of(ui: &Ui<'_>) -> Self {
        if ui.json() || ui.quiet() {
            Self::Nothing
        } else if ui.shows_progress() {
            Self::Live(Live::new())
        } else {
            Self::Changes { last: Vec::new() }
        }
    }

    /// How long the display may be left alone.
    pub(crate) fn beat(&self) -> Option<Duration> {
        matches!(self, Self::Live(_)).then_some(BEAT)
    }

    /// Shows what the last check came to.
    pub(crate) fn show(
        &mut self,
        judged: &[Judged],
        now: DateTime<Utc>,
        next: DateTime<Utc>,
        ui: &mut Ui<'_>,
    ) {
        match self {
            Self::Nothing => {}
            Self::Changes { last } => {
                let state = progress::state(judged);
                if *last != state {
                    ui.talk(verdict::line(judged, now));
                    *last = state;
                }
            }
            Self::Live(live) => {
                // A line that wraps would not be found again.
                let room = report::terminal_width().saturating_sub(1);
                live.show(&progress::lines(judged, now, next, LINES, room), ui);
            }
        }
    }

    /// Warns, with the lines out of the way.
    pub(crate) fn warn(&mut self, sentence: &str, ui: &mut Ui<'_>) {
        if let Self::Live(live) = self {
            std::mem::replace(live, Live::new()).end(ui);
        }
        ui.warn(sentence);
    }

    /// Takes the lines off the terminal: the answer follows.
    pub(crate) fn end(self, ui: &mut Ui<'_>) {
        if let Self::Live(live) = self {
            live.end(ui);
        }
    }
}

/// Lines that are drawn over each other. They are drawn into memory and go
/// through the user's stream from there, in one piece.
pub(crate) struct Live {
    screen: Screen,
    bar: ProgressBar,
}

impl Live {
    fn new() -> Self {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let style =
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            screen,
            bar: ProgressBar::with_draw_target(None, target).with_style(style),
        }
    }

    fn show(&self, lines: &[String], ui: &mut Ui<'_>) {
        self.bar.set_message(lines.join("\n"));
        self.screen.hand_on(ui);
    }

    fn end(self, ui: &mut Ui<'_>) {
        self.bar.finish_and_clear();
        self.screen.hand_on(ui);
    }
}

/// A terminal in memory that keeps what is drawn until it is handed on.
#[derive(Clone, Debug, Default)]
struct Screen {
    drawn: Arc<Mutex<String>>,
}

impl Screen {
    fn draw(&self, text: &str) -> io::Result<()> {
        self.drawn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(text);
        Ok(())
    }

    fn hand_on(&self, ui: &mut Ui<'_>) {
        let drawn = std::mem::take(&mut *self.drawn.lock().unwrap_or_else(PoisonError::into_inner));
        // Nobody is left to tell when stderr is gone.
        let _ = ui
            .err()
            .write_all(drawn.as_bytes())
            .and_then(|()| ui.err().flush());
    }

    fn go(&self, count: usize, way: char) -> io::Result<()> {
        if count == 0 {
            Ok(())
        } else {
            self.draw(&format!("\u{1b}[{count}{way}"))
        }
    }
}

impl TermLike for Screen {
    /// Measured each time: a window may change its size meanwhile.
    fn width(&self) -> u16 {
        u16::try_from(report::terminal_width()).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::try_from(LINES + 2).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.draw(s)?;
        self.draw("\n")
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.draw(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw("\r\u{1b}[2K")
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
