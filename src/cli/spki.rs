//! `danewright spki`.

use crate::cli::{Failure, Ran, Ui};

/// Arguments of `spki`.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
///
/// Not there yet.
pub fn run(args: &Args, ui: &mut Ui<'_>) -> Ran {
    let _ = (args, ui);
    Err(Failure::unknown("not there yet"))
}
