//! What a command says: the answer on stdout, the talk on stderr, one JSON
//! document instead when asked, and the exit status.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::cli::Global;
use crate::command::Unfit;
use crate::report;

/// The exit status, with the same meaning for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it should be: done, safe, matching.
    Good = 0,
    /// Definitely not: unsafe, mismatching, refused for safety.
    Bad = 1,
    /// The request or an input is wrong, or a file could not be read or written.
    Wrong = 2,
    /// Cannot tell: no answer, timeout, indeterminate.
    Unknown = 3,
    /// Not yet: the time until it is safe is known.
    NotYet = 4,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// What a command found out, for people and for programs.
#[derive(Debug)]
pub struct Answer {
    /// The exit status.
    pub status: Status,
    /// The text for stdout, with its line ends.
    pub text: String,
    /// The fields of the JSON document, without `schema`, `command`, `status`.
    pub json: Map<String, Value>,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    /// What is wrong: lower case, without a full stop.
    pub message: String,
    /// Where: `file`, `file:line:column`, an address.
    pub place: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// Fields that the JSON document has all the same.
    pub json: Map<String, Value>,
}

/// What running a command comes to.
pub type Ran = Result<Answer, Failure>;

impl Failure {
    /// The request or an input is wrong (status 2).
    pub fn wrong(message: impl fmt::Display) -> Self {
        Self::with_status(Status::Wrong, message)
    }

    /// Refused for safety, or definitely not so (status 1).
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::with_status(Status::Bad, message)
    }

    /// Cannot tell (status 3).
    pub fn unknown(message: impl fmt::Display) -> Self {
        Self::with_status(Status::Unknown, message)
    }

    /// Not yet (status 4).
    pub fn not_yet(message: impl fmt::Display) -> Self {
        Self::with_status(Status::NotYet, message)
    }

    /// A command of the user's that cannot be run (status 2).
    pub(crate) fn unfit(why: &Unfit, flag: &str, line: &str) -> Self {
        Self::wrong(why)
            .at(format!("{flag} {line}"))
            .hint(why.hint())
    }

    fn with_status(status: Status, message: impl fmt::Display) -> Self {
        Self {
            status,
            message: message.to_string(),
            place: None,
            hint: None,
            json: Map::new(),
        }
    }

    /// The same failure, with the place it happened.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    /// The same failure, with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// When stdout is a terminal that knows colours, and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether there is colour, on a stdout that is a terminal or not, with what
    /// the environment says.
    fn applies(self, terminal: bool, no_color: Option<OsString>, term: Option<OsString>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                terminal
                    && no_color.is_none_or(|value| value.is_empty())
                    && !is_dumb(term.as_deref())
            }
        }
    }
}

fn is_dumb(term: Option<&OsStr>) -> bool {
    term.is_some_and(|term| term == "dumb")
}

/// Where a command's words go.
pub struct Streams<'a> {
    /// The answer.
    pub out: &'a mut dyn Write,
    /// The talk.
    pub err: &'a mut dyn Write,
    /// Whether a person sees `out` directly.
    pub out_is_terminal: bool,
    /// Whether a person sees `err` directly.
    pub err_is_terminal: bool,
}

/// The streams with the user's wishes for them.
pub struct Ui<'a> {
    streams: Streams<'a>,
    json: bool,
    quiet: bool,
    color: bool,
    /// Whether the terminal can do nothing but print lines.
    dumb: bool,
    warnings: Vec<String>,
}

impl<'a> Ui<'a> {
    /// The streams, obeying these flags and `NO_COLOR`.
    #[must_use]
    pub fn new(global: &Global, streams: Streams<'a>) -> Self {
        let variable = |name: &str| std::env::var_os(name);
        let color = global.color.applies(
            streams.out_is_terminal,
            variable("NO_COLOR"),
            variable("TERM"),
        );
        Self {
            json: global.json,
            quiet: global.quiet,
            color: color && !global.json,
            dumb: is_dumb(variable("TERM").as_deref()),
            warnings: Vec::new(),
            streams,
        }
    }

    /// Whether the answer is to be a JSON document.
    #[must_use]
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether the answer may be coloured.
    #[must_use]
    pub fn color(&self) -> bool {
        self.color
    }

    /// Whether a person watches stderr, wants to see talk there, and has a terminal that
    /// can draw over what it shows.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        self.streams.err_is_terminal && !self.dumb && !self.quiet && !self.json
    }

    /// Whether remarks are not wanted.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Stderr itself, for what is drawn there while somebody waits.
    pub(crate) fn err(&mut self) -> &mut dyn Write {
        self.streams.err
    }

    /// Columns that tables may fill; `None` when stdout is no terminal.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.streams.out_is_terminal.then(report::terminal_width)
    }

    /// Says something on stderr that is not the answer.
    pub fn talk(&mut self, sentence: impl fmt::Display) {
        if !self.quiet {
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(
                self.streams.err,
                "{}",
                report::printable(&sentence.to_string())
            );
        }
    }

    /// Warns on stderr, and in the JSON document.
    pub fn warn(&mut self, sentence: impl fmt::Display) {
        let sentence = sentence.to_string();
        self.talk(format!("warning: {sentence}"));
        self.warnings.push(sentence);
    }

    /// Warns of what touches safety: `--quiet` does not drop it.
    pub fn caution(&mut self, sentence: impl fmt::Display) {
        let sentence = sentence.to_string();
        let line = report::printable(&format!("warning: {sentence}"));
        // Nobody is left to tell when stderr is gone; in JSON it stands in the document.
        if !(self.quiet && self.json) {
            let _ = writeln!(self.streams.err, "{line}");
        }
        self.warnings.push(sentence);
    }

    /// Stdout itself, for an answer too large to be kept in memory. Not with `--json`.
    pub fn out(&mut self) -> &mut dyn Write {
        self.streams.out
    }

    /// Prints the answer or the failure, and says the exit status.
    pub fn finish(self, command: &str, ran: Ran) -> Status {
        let (status, fields) = match ran {
            Ok(answer) => {
                if !self.json
                    && let Err(error) = self.streams.out.write_all(answer.text.as_bytes())
                {
                    return unprinted(&error, self.streams.err);
                }
                (answer.status, answer.json)
            }
            Err(failure) => {
                if !self.json {
                    print_failure(self.streams.err, &failure);
                }
                (failure.status, failure_fields(failure))
            }
        };
        if self.json {
            let mut document = opening(command, status);
            document.extend(fields);
            if !self.warnings.is_empty() {
                document.insert("warnings".to_owned(), json!(self.warnings));
            }
            if let Err(error) = writeln!(self.streams.out, "{}", Value::Object(document)) {
                return unprinted(&error, self.streams.err);
            }
        }
        match self.streams.out.flush() {
            Ok(()) => status,
            Err(error) => unprinted(&error, self.streams.err),
        }
    }
}

/// Says why nothing came out on stdout. A reader who has gone away knows that.
pub(crate) fn unprinted(error: &io::Error, err: &mut dyn Write) -> Status {
    if error.kind() != io::ErrorKind::BrokenPipe {
        print_failure(
            err,
            &Failure::wrong(format!("the answer cannot be printed: {error}")).at("stdout"),
        );
    }
    Status::Wrong
}

pub(crate) fn opening(command: &str, status: Status) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!(1));
    document.insert("command".to_owned(), json!(command));
    document.insert("status".to_owned(), json!(status as u8));
    document
}

fn failure_fields(failure: Failure) -> Map<String, Value> {
    let mut error = Map::new();
    error.insert("message".to_owned(), json!(failure.message));
    if let Some(place) = failure.place {
        error.insert("place".to_owned(), json!(place));
    }
    if let Some(hint) = failure.hint {
        error.insert("hint".to_owned(), json!(hint));
    }
    let mut fields = failure.json;
    fields.insert("error".to_owned(), Value::Object(error));
    fields
}

fn print_failure(err: &mut dyn Write, failure: &Failure) {
    let mut text = format!("error: {}\n", report::printable(&failure.message));
    if let Some(place) = &failure.place {
        text.push_str(&format!("  --> {}\n", report::printable(place)));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("hint: {}\n", report::printable(hint)));
    }
    // Nobody is left to tell when stderr is gone.
    let _ = err.write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_know_it_and_people_who_want_it() {
        let auto = |terminal, no_color: Option<&str>, term: Option<&str>| {
            Color::Auto.applies(
                terminal,
                no_color.map(OsString::from),
                term.map(OsString::from),
            )
        };
        assert!(auto(true, None, Some("xterm")) && auto(true, Some(""), None));
        for (terminal, no_color, term) in [
            (false, None, Some("xterm")),
            (true, Some("1"), Some("xterm")),
            (true, None, Some("dumb")),
        ] {
            assert!(
                !auto(terminal, no_color, term),
                "{terminal} {no_color:?} {term:?}"
            );
            assert!(Color::Always.applies(
                terminal,
                no_color.map(OsString::from),
                term.map(OsString::from)
            ));
        }
        assert!(!Color::Never.applies(true, None, None));
    }
}
