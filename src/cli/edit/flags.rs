//! The flags that `patch` and `prune` share.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::cli::{Failure, remember};
use crate::command;
use crate::duration;
use crate::zone::edit::serial::Policy;

/// Nobody waits longer for a command; a longer limit is this one.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// The file to edit and how.
#[derive(clap::Args, Debug)]
pub struct EditArgs {
    /// Zone's name, where neither the file nor its name says it
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
    /// Folder in which relative $INCLUDE paths start [default: the zone file's]
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Style of the next serial
    #[arg(long, value_enum, default_value = "auto", value_name = "STYLE")]
    pub serial: SerialStyle,
    /// Serial that the next one must exceed too
    #[arg(long, value_name = "N")]
    pub serial_above: Option<u32>,
    /// Folder in which verify finds what stood there before; both must name the
    /// same one [default: $STATE_DIRECTORY, else $XDG_STATE_HOME/danewright, else
    /// /var/lib/danewright for root and ~/.local/state/danewright for others]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Print the diff that would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the diff, and write
    #[arg(long)]
    pub diff: bool,
    /// Write the new zone there instead; - is stdout
    #[arg(long, value_name = "FILE", conflicts_with_all = ["backup", "check", "reload"])]
    pub output: Option<PathBuf>,
    /// Keep the old file under its name with this suffix
    #[arg(long, value_name = "SUFFIX")]
    pub backup: Option<String>,
    /// Command that must approve the new file before it is put in place; repeats.
    /// {file} and {zone} are filled in; {file} includes the new text of other files
    #[arg(long, value_name = "CMD")]
    pub check: Vec<String>,
    /// Command to run when the file is in place; repeats. {file} and {zone} are filled in
    #[arg(long, value_name = "CMD")]
    pub reload: Vec<String>,
    /// How long each of these commands may take before it is ended
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = limit)]
    pub command_timeout: Duration,
    /// As root, also write files that are not the zone file's owner's
    #[arg(long)]
    pub write_foreign: bool,
}

fn limit(text: &str) -> Result<Duration, String> {
    let length = duration::parse(text).map_err(|error| error.to_string())?;
    match length.to_std() {
        Ok(length) if length.as_secs() >= 1 => Ok(length.min(LONGEST)),
        _ => Err(format!("{text:?} is less than a second")),
    }
}

/// `--serial`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SerialStyle {
    /// In the style of the present value.
    Auto,
    /// One more.
    Increment,
    /// `YYYYMMDDnn`.
    Date,
    /// Seconds since 1970.
    Unixtime,
    /// As it is.
    Keep,
}

impl EditArgs {
    /// Whether the zone's own files are to be changed.
    #[must_use]
    pub fn in_place(&self) -> bool {
        !self.dry_run && self.output.is_none()
    }

    /// The policy for the serial.
    #[must_use]
    pub fn policy(&self) -> Policy {
        match self.serial {
            SerialStyle::Auto => Policy::Auto,
            SerialStyle::Increment => Policy::Increment,
            SerialStyle::Date => Policy::Date,
            SerialStyle::Unixtime => Policy::UnixTime,
            SerialStyle::Keep => Policy::Keep,
        }
    }

    /// Checks what can be checked before any file is touched.
    ///
    /// # Errors
    ///
    /// A command that cannot be run, a state that cannot be kept, a suffix that is none.
    pub fn validate(&self) -> Result<(), Failure> {
        for (flag, line) in self
            .check
            .iter()
            .map(|line| ("--check", line))
            .chain(self.reload.iter().map(|line| ("--reload", line)))
        {
            command::fit(line).map_err(|unfit| Failure::unfit(&unfit, flag, line))?;
        }
        // What is named is wanted; the default folder may well be missing, which is said when it matters.
        if let Some(state) = self
            .state
            .as_deref()
            .filter(|_| !self.dry_run && self.output.is_none())
        {
            remember::probe(state)?;
        }
        if self
            .backup
            .as_ref()
            .is_some_and(|suffix| suffix.is_empty() || suffix.contains('/'))
        {
            return Err(Failure::wrong("a backup needs a suffix without a slash")
                .at("--backup")
                .hint("say --backup .bak"));
        }
        Ok(())
    }
}
