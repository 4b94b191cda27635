//! The command line: arguments in, words and an exit status out. One file per
//! command below; what they share (files, targets, output) is in `cli/`.

pub mod demo;
pub mod edit;
pub mod inputs;
pub mod lint;
pub mod options;
pub mod patch;
pub mod prune;
mod refusal;
mod remember;
pub mod spki;
pub mod tlsa;
pub mod ui;
mod unparsed;
pub mod verify;

use std::ffi::OsString;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};

pub use ui::{Answer, Color, Failure, Ran, Status, Streams, Ui};

/// Change the TLS key of a DANE mail server without losing mail
#[derive(Debug, Parser)]
#[command(
    name = "danewright",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where help lists the flags that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// Flags that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Answer with one JSON document on stdout
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Print the answer only, without remarks on stderr
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Use colour: always, never, or when stdout is a terminal
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, hide_possible_values = true, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what is in key and certificate files, and which share a key
    Spki(spki::Args),
    /// Print TLSA records in zone-file syntax
    Tlsa(tlsa::Args),
    /// Add TLSA records to a zone file, next to the old ones
    Patch(patch::Args),
    /// Say whether the key may be deployed now
    Verify(Box<verify::Args>),
    /// Remove TLSA records that no key in use matches
    Prune(prune::Args),
    /// Say what is wrong with the DANE records of a zone file
    ///
    /// Looks at DANE: the TLSA records, what stands around them, and text that name
    /// servers read differently. For the rest of a zone there is named-checkzone.
    Lint(lint::Args),
    /// Walk through a whole key change on an embedded signed name server
    Demo(demo::Args),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Spki(_) => "spki",
            Self::Tlsa(_) => "tlsa",
            Self::Patch(_) => "patch",
            Self::Verify(_) => "verify",
            Self::Prune(_) => "prune",
            Self::Lint(_) => "lint",
            Self::Demo(_) => "demo",
        }
    }

    /// Whether an option of the command itself asks for JSON.
    fn answers_in_json(&self) -> bool {
        matches!(self, Self::Tlsa(args) if args.format == tlsa::Format::Json)
    }
}

/// Runs one command line and answers on the streams.
pub fn main(arguments: impl IntoIterator<Item = OsString>, streams: Streams<'_>) -> Status {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match Cli::try_parse_from(&arguments) {
        Ok(mut cli) => {
            cli.global.json |= cli.command.answers_in_json();
            let mut ui = Ui::new(&cli.global, streams);
            let command = cli.command.name();
            let ran = run(cli.command, &mut ui, Utc::now());
            ui.finish(command, ran)
        }
        Err(error) => unparsed::finish(&error, &arguments, streams),
    }
}

/// Runs one command at a stated moment.
///
/// # Errors
///
/// What kept the command from answering.
pub fn run(command: Command, ui: &mut Ui<'_>, now: DateTime<Utc>) -> Ran {
    match command {
        Command::Spki(args) => spki::run(&args, ui),
        Command::Tlsa(args) => tlsa::run(&args, ui),
        Command::Patch(args) => patch::run(&args, ui, now),
        Command::Verify(args) => verify::run(&args, ui, now),
        Command::Prune(args) => prune::run(&args, ui, now),
        Command::Lint(args) => lint::run(&args, ui),
        Command::Demo(args) => demo::run(&args, ui, now),
    }
}
