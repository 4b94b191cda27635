//! `danewright verify`.

use crate::cli::{Failure, Ran, Ui};
use chrono::{DateTime, Utc};

/// Arguments of `verify`.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
///
/// Not there yet.
pub fn run(args: &Args, ui: &mut Ui<'_>, now: DateTime<Utc>) -> Ran {
    let _ = (args, ui, now);
    Err(Failure::unknown("not there yet"))
}
