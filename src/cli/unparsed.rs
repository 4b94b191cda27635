//! A command line that clap refused, or one that asked for help: the same
//! answer as everywhere else, with the whole of what clap has to say.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error};
use serde_json::{Value, json};

use crate::cli::ui::{opening, unprinted};
use crate::cli::{Cli, Status, Streams, options};
use crate::report;

/// Answers it.
pub(crate) fn finish(error: &Error, arguments: &[OsString], streams: Streams<'_>) -> Status {
    let print =
        |text: &str, status: Status, streams: Streams<'_>| match write!(streams.out, "{text}")
            .and_then(|()| streams.out.flush())
        {
            Ok(()) => status,
            Err(error) => unprinted(&error, streams.err),
        };
    let text = error.render().to_string();
    if !error.use_stderr() {
        return print(&text, Status::Good, streams);
    }
    let words: Vec<&str> = arguments
        .iter()
        .skip(1)
        .filter_map(|word| word.to_str())
        .collect();
    let command = command(&words);
    let said = Said::of(&text, port(error, &words));
    let asks_for = |flag: &str| {
        words
            .iter()
            .take_while(|word| **word != "--")
            .any(|word| *word == flag)
    };
    if asks_for("--monitoring") && command == "verify" {
        // A plugin that cannot run is not known to be well, and not critical either.
        return print(
            &report::monitoring::failure(&said.message),
            Status::Unknown,
            streams,
        );
    }
    if asks_for("--json") {
        let mut document = opening(&command, Status::Wrong);
        let hint = said
            .tip
            .unwrap_or_else(|| format!("see danewright {command} --help").replace("  ", " "));
        document.insert(
            "error".to_owned(),
            json!({ "message": said.message, "hint": hint }),
        );
        return print(
            &format!("{}\n", Value::Object(document)),
            Status::Wrong,
            streams,
        );
    }
    let tip = said
        .own
        .map(|tip| format!("\n  tip: {tip}\n"))
        .unwrap_or_default();
    // Nobody is left to tell when stderr is gone.
    let _ = match text.split_once("\n\n") {
        Some((head, rest)) => write!(streams.err, "{head}\n{tip}\n{rest}"),
        None => write!(streams.err, "{text}{tip}"),
    };
    Status::Wrong
}

/// What clap says, without the usage.
struct Said {
    message: String,
    /// What to do next, if anybody knows.
    tip: Option<String>,
    /// What only we know of that.
    own: Option<String>,
}

impl Said {
    /// Takes the text apart: paragraphs up to the usage, the first of them the
    /// message, perhaps with a list, others tips.
    fn of(text: &str, own: Option<String>) -> Self {
        let about = text
            .split("\n\n")
            .take_while(|part| !part.starts_with("Usage:") && !part.starts_with("For more"));
        let (tips, parts): (Vec<&str>, Vec<&str>) =
            about.partition(|part| part.trim_start().starts_with("tip:"));
        let lines: Vec<&str> = parts
            .iter()
            .flat_map(|part| part.lines())
            .map(str::trim)
            .collect();
        let (first, list) = lines
            .split_first()
            .map_or(("", &[][..]), |(first, list)| (*first, list));
        let joined = list.join(if first.ends_with(':') { ", " } else { " " });
        let message = format!("{} {joined}", first.trim_start_matches("error: "));
        let tips = tips
            .iter()
            .flat_map(|part| part.lines())
            .map(|tip| tip.trim().trim_start_matches("tip: "));
        let tip = own
            .clone()
            .or_else(|| tips.reduce(|one, _| one).map(str::to_owned));
        Self {
            message: message.trim_end().to_owned(),
            tip,
            own,
        }
    }
}

/// The command that was called, as far as that can be told: a word that names one.
fn command(words: &[&str]) -> String {
    let known = Cli::command();
    let named = words
        .iter()
        .find(|word| known.find_subcommand(word).is_some());
    named.map(|word| (*word).to_owned()).unwrap_or_default()
}

/// A word without a place that is a port, behind `--port`.
fn port(error: &Error, words: &[&str]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument
        || !words.iter().any(|word| word.starts_with("--port"))
    {
        return None;
    }
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) => options::ports_are_joined(word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn said(words: &[&str]) -> Said {
        let error = Cli::try_parse_from(["danewright"].iter().chain(words)).unwrap_err();
        Said::of(&error.render().to_string(), port(&error, words))
    }

    #[test]
    fn the_message_is_whole_and_on_one_line() {
        for (words, message) in [
            (
                &["tlsa"][..],
                "the following required arguments were not provided: --host <HOST>, --port <PORT>, <FILE>...",
            ),
            (
                &["tlsa", "a", "--host", "a", "--port", "25", "--format", "x"],
                "invalid value 'x' for '--format <FORMAT>' [possible values: zone, generic, nsupdate, table, json]",
            ),
            (
                &["spki"],
                "the following required arguments were not provided: <FILE>...",
            ),
            (
                &["spki", "a", "--frob"],
                "unexpected argument '--frob' found",
            ),
        ] {
            assert_eq!(said(words).message, message, "{words:?}");
        }
        let tip = said(&["tlsa", "a", "--hots", "x"]).tip.unwrap();
        assert!(tip.contains("'--host'"), "{tip}");
        assert_eq!(command(&["--color", "never", "tlsa", "spki"]), "tlsa");
        assert_eq!(command(&["--frob"]), "");
    }
}
