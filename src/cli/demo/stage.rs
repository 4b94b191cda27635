//! Runs a command line inside this process, with the streams caught in the
//! order in which they were written.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::rc::Rc;

use chrono::Utc;
use clap::Parser;
use serde_json::{Map, Value};

use crate::cli::{self, Cli, Color, Status, Streams, Ui, unparsed};
use crate::command::split;

/// What a command line came to.
#[derive(Debug)]
pub(super) struct Performed {
    /// Its exit status.
    pub(super) status: Status,
    /// What it printed, both streams, in order.
    pub(super) shown: Vec<u8>,
    /// What it printed on stdout.
    pub(super) stdout: Vec<u8>,
    /// What it printed on stderr.
    pub(super) stderr: Vec<u8>,
    /// The fields of its answer.
    pub(super) json: Map<String, Value>,
}

/// Runs the line as if it had been typed: on a terminal, in colour, or neither.
pub(super) fn perform(line: &str, terminal: bool, color: bool) -> Performed {
    let caught = Rc::new(RefCell::new(Caught::default()));
    let mut json = Map::new();
    let mut out = Tap {
        caught: Rc::clone(&caught),
        is_out: true,
    };
    let mut err = Tap {
        caught: Rc::clone(&caught),
        is_out: false,
    };
    let streams = Streams {
        out: &mut out,
        err: &mut err,
        out_is_terminal: terminal,
        err_is_terminal: false,
    };
    let words: Vec<OsString> = split(line)
        .unwrap_or_default()
        .into_iter()
        .map(OsString::from)
        .collect();
    let status = match Cli::try_parse_from(&words) {
        Ok(mut cli) => {
            cli.global.color = if color { Color::Always } else { Color::Never };
            let mut ui = Ui::new(&cli.global, streams);
            let command = cli.command.name();
            let ran = cli::run(cli.command, &mut ui, Utc::now());
            json.clone_from(
                ran.as_ref()
                    .map_or_else(|failure| &failure.json, |answer| &answer.json),
            );
            ui.finish(command, ran)
        }
        Err(error) => unparsed::finish(&error, &words, streams),
    };
    let Caught {
        shown,
        stdout,
        stderr,
    } = caught.take();
    Performed {
        status,
        shown,
        stdout,
        stderr,
        json,
    }
}

#[derive(Default)]
struct Caught {
    shown: Vec<u8>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

struct Tap {
    caught: Rc<RefCell<Caught>>,
    is_out: bool,
}

impl Write for Tap {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut caught = self.caught.borrow_mut();
        caught.shown.extend_from_slice(octets);
        if self.is_out {
            &mut caught.stdout
        } else {
            &mut caught.stderr
        }
        .extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_parsed_and_its_streams_are_caught() {
        let performed = perform(
            "danewright tlsa /nowhere/new.pem --host 'mail.example' --port 25",
            false,
            false,
        );
        assert_eq!(performed.status, Status::Wrong);
        assert!(performed.stdout.is_empty());
        let said = String::from_utf8(performed.stderr).unwrap();
        assert!(
            said.starts_with("error: there is no such file\n  --> /nowhere/new.pem\n"),
            "{said}"
        );
        assert_eq!(performed.shown, said.into_bytes());
    }

    #[test]
    fn a_line_that_is_no_command_ends_with_the_status_for_that() {
        assert_eq!(
            perform("danewright tlsa --no-such-flag", false, false).status,
            Status::Wrong
        );
    }
}
