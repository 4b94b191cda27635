//! What a command says: the answer on stdout, the talk on stderr, one JSON
//! document instead when asked, and the exit status.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::cli::Global;
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

    fn with_status(status: Status, message: impl fmt::Display) -> Self {
        Self { status, message: message.to_string(), place: None, hint: None, json: Map::new() }
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
    /// When stdout is a terminal and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
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
    warnings: Vec<String>,
}

impl<'a> Ui<'a> {
    /// The streams, obeying these flags and `NO_COLOR`.
    #[must_use]
    pub fn new(global: &Global, streams: Streams<'a>) -> Self {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => streams.out_is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Self { streams, json: global.json, quiet: global.quiet, color: color && !global.json, warnings: Vec::new() }
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

    /// Whether a person watches stderr and wants to see talk there.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        self.streams.err_is_terminal && !self.quiet && !self.json
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
            let _ = writeln!(self.streams.err, "{}", report::printable(&sentence.to_string()));
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
                if !self.json && self.streams.out.write_all(answer.text.as_bytes()).is_err() {
                    return Status::Wrong;
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
            if writeln!(self.streams.out, "{}", Value::Object(document)).is_err() {
                return Status::Wrong;
            }
        }
        if self.streams.out.flush().is_err() { Status::Wrong } else { status }
    }
}

/// Answers a command line that clap refused, or one that asked for help.
pub(crate) fn finish_unparsed(error: &clap::Error, arguments: &[OsString], streams: Streams<'_>) -> Status {
    if !error.use_stderr() {
        let printed = write!(streams.out, "{}", error.render());
        return if printed.is_ok() { Status::Good } else { Status::Wrong };
    }
    let words: Vec<&str> = arguments.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let flags = || words.iter().take_while(|word| **word != "--");
    if flags().any(|word| *word == "--monitoring") && flags().any(|word| *word == "verify") {
        // A plugin that cannot run is not known to be well, and not critical either.
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or("").trim_start_matches("error: ");
        let printed = write!(streams.out, "{}", report::monitoring::failure(message));
        return if printed.is_ok() { Status::Unknown } else { Status::Wrong };
    }
    if flags().any(|word| *word == "--json") {
        let command = words.iter().find(|word| !word.starts_with('-')).copied().unwrap_or("");
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or("").trim_start_matches("error: ");
        let mut document = opening(command, Status::Wrong);
        document.insert("error".to_owned(), json!({ "message": message, "hint": "see danewright --help" }));
        let _ = writeln!(streams.out, "{}", Value::Object(document));
    } else {
        let _ = write!(streams.err, "{}", error.render());
    }
    Status::Wrong
}

fn opening(command: &str, status: Status) -> Map<String, Value> {
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
