//! How the demo is told: headings, sentences, command lines with what they
//! print and what their exit status means; with `--json` the steps as a list.

use std::fmt;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::stage::{Performed, perform};
use crate::cli::{Failure, Status, Ui};

/// Columns of sentences, and of command lines before they are broken.
const SENTENCE: usize = 78;
const COMMAND: usize = 98;

/// The pause before a step where a person watches.
const BREATH: Duration = Duration::from_millis(900);

const BOLD: &str = "1";
const CYAN: &str = "1;36";

/// The show so far.
pub(super) struct Show<'u, 's> {
    ui: &'u mut Ui<'s>,
    steps: Vec<Map<String, Value>>,
}

impl<'u, 's> Show<'u, 's> {
    /// A show on these streams.
    pub(super) fn new(ui: &'u mut Ui<'s>) -> Self {
        Self {
            ui,
            steps: Vec::new(),
        }
    }

    /// The steps that were shown.
    pub(super) fn into_steps(self) -> Vec<Map<String, Value>> {
        self.steps
    }

    /// Prints a heading.
    pub(super) fn heading(&mut self, text: &str) -> Result<(), Failure> {
        let heading = self.painted(BOLD, text);
        self.print(&format!("{heading}\n\n"))
    }

    /// Prints sentences, broken into lines, with an empty line after them.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.print(&format!("{}\n", wrapped(text)))
    }

    /// Prints lines as they are, indented.
    pub(super) fn list<L: fmt::Display>(&mut self, lines: &[L]) -> Result<(), Failure> {
        let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
        self.print(&format!("{lines}\n"))
    }

    /// Opens a step.
    pub(super) fn step(&mut self, title: &str, why: &str) -> Result<(), Failure> {
        if self.ui.shows_progress() {
            thread::sleep(BREATH);
        }
        let mut step = Map::new();
        step.insert("title".to_owned(), json!(title));
        step.insert("why".to_owned(), json!(why));
        self.steps.push(step);
        let number = self.steps.len();
        self.heading(&format!("{number}. {title}"))?;
        self.say(why)
    }

    /// Runs the line in this step, and shows it with all that it prints. It has
    /// to end with this status.
    pub(super) fn run(&mut self, line: &str, expected: Status) -> Result<Performed, Failure> {
        let prompt = self.painted(CYAN, &broken(line));
        self.print(&format!("$ {prompt}\n"))?;
        let performed = perform(line, self.ui.width().is_some(), self.ui.color());
        self.print(&String::from_utf8_lossy(&performed.shown))?;
        let status = self.painted(
            colour(performed.status),
            &format!("exit status {}", performed.status as u8),
        );
        self.print(&format!("\n{status}: {}\n\n", meaning(performed.status)))?;
        self.note("command_line", json!(line));
        self.note("status", json!(performed.status as u8));
        self.note("expected_status", json!(expected as u8));
        self.note("stdout", json!(String::from_utf8_lossy(&performed.stdout)));
        self.note("stderr", json!(String::from_utf8_lossy(&performed.stderr)));
        if performed.status == expected {
            return Ok(performed);
        }
        let (found, expected) = (performed.status as u8, expected as u8);
        Err(self
            .went_wrong(&format!(
                "it ended with exit status {found} instead of {expected}"
            ))
            .at(line))
    }

    /// Adds something to the JSON form of this step.
    pub(super) fn note(&mut self, key: &str, value: Value) {
        if let Some(step) = self.steps.last_mut() {
            step.insert(key.to_owned(), value);
        }
    }

    /// The failure of this step.
    pub(super) fn went_wrong(&self, how: &str) -> Failure {
        let title = self
            .steps
            .last()
            .and_then(|step| step.get("title"))
            .and_then(Value::as_str)
            .unwrap_or("opening");
        Failure::refused(format!(
            "step {} of the demo ({title}) went wrong: {how}",
            self.steps.len()
        ))
        .hint("the demo is a test of danewright itself: please report this, with the output above")
    }

    /// Lets time pass until then, with a countdown where a person watches.
    pub(super) fn wait_until(&mut self, moment: DateTime<Utc>) -> Result<(), Failure> {
        let counts = self.ui.shows_progress() && self.ui.width().is_some();
        loop {
            let left = (moment - Utc::now()).to_std().unwrap_or_default();
            if counts {
                let line = if left.is_zero() {
                    String::new()
                } else {
                    format!("    waiting, {} s ", left.as_secs() + 1)
                };
                self.print(&format!("\r\u{1b}[K{line}"))?;
            }
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(if counts {
                left.min(Duration::from_millis(200))
            } else {
                left
            });
        }
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.ui.color() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        if self.ui.json() {
            return Ok(());
        }
        let out = self.ui.out();
        let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        printed.map_err(|error| {
            Failure::wrong(format!("the demo cannot be shown: {error}")).at("stdout")
        })
    }
}

fn colour(status: Status) -> &'static str {
    match status {
        Status::Good => "1;32",
        Status::NotYet => "1;33",
        Status::Unknown => "1;35",
        Status::Bad | Status::Wrong => "1;31",
    }
}

fn meaning(status: Status) -> &'static str {
    match status {
        Status::Good => "as it should be",
        Status::Bad => "definitely not",
        Status::Wrong => "the request or an input is wrong",
        Status::Unknown => "cannot tell",
        Status::NotYet => "not yet",
    }
}

fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + 1 + word.len() > SENTENCE {
            lines.push('\n');
            column = 0;
        }
        if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += word.len();
    }
    lines.push('\n');
    lines
}

/// A long command line over several, as one types it: options begin the new ones.
fn broken(line: &str) -> String {
    let mut text = String::new();
    let mut column = "$ ".len();
    for (at, part) in line.split(" --").enumerate() {
        let part = if at == 0 {
            part.to_owned()
        } else {
            format!("--{part}")
        };
        if at > 0 && column + part.len() + " \\".len() >= COMMAND {
            text.push_str(" \\\n    ");
            column = 4;
        } else if at > 0 {
            text.push(' ');
            column += 1;
        }
        column += part.len();
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Color, Global, Streams};
    use crate::command::split;

    #[test]
    fn a_step_that_does_not_end_as_it_should_stops_the_demo_and_names_itself() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            out: &mut out,
            err: &mut err,
            out_is_terminal: false,
            err_is_terminal: false,
        };
        let mut ui = Ui::new(
            &Global {
                json: false,
                quiet: false,
                color: Color::Never,
            },
            streams,
        );
        let mut show = Show::new(&mut ui);
        show.step("Try", "It will not do.").unwrap();
        let line = "danewright spki /nowhere/new.pem";
        let failure = show.run(line, Status::Good).unwrap_err();
        assert_eq!(failure.status, Status::Bad);
        assert_eq!(
            failure.message,
            "step 1 of the demo (Try) went wrong: it ended with exit status 2 instead of 0"
        );
        assert_eq!(failure.place.as_deref(), Some(line));
        assert_eq!(show.into_steps()[0]["status"], 2);
        let out = String::from_utf8(out).unwrap();
        assert!(
            out.starts_with(
                "1. Try\n\nIt will not do.\n\n$ danewright spki /nowhere/new.pem\nerror: "
            ),
            "{out}"
        );
        assert!(
            out.ends_with("\nexit status 2: the request or an input is wrong\n\n"),
            "{out}"
        );
    }

    #[test]
    fn a_long_line_is_broken_before_an_option_and_means_the_same() {
        let line = format!(
            "danewright verify new.pem {}",
            "--name-server ns1.example=127.0.0.1 ".repeat(8)
        );
        let text = broken(line.trim_end());
        assert!(
            text.lines().count() > 2 && text.lines().all(|line| line.len() <= COMMAND),
            "{text}"
        );
        assert!(
            text.lines().skip(1).all(|line| line.starts_with("    --")),
            "{text}"
        );
        assert_eq!(split(&text.replace("\\\n", "")), split(&line));
    }

    #[test]
    fn sentences_fit_a_narrow_terminal_and_lose_no_word() {
        let text = "no word is lost ".repeat(20);
        let lines = wrapped(&text);
        assert!(
            lines
                .lines()
                .all(|line| line.len() <= SENTENCE && !line.starts_with(' '))
        );
        assert!(lines.split_whitespace().eq(text.split_whitespace()));
    }
}
