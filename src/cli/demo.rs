//! `danewright demo`: a whole key change, watched. Every command in it is the
//! real one: the line that is shown is the line that is parsed and run, in this
//! process, and what it prints is printed. Each has a status that it must end
//! with, so the demo is a test of itself.

mod show;
mod stage;
mod story;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::cli::{Answer, Ran, Status, Ui};

use show::Show;

/// Arguments of `demo`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: danewright demo --keep /tmp/demo")]
pub struct Args {
    /// Use this new or empty folder, and leave the files in it
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Runs the command. The process works in the demo's folder meanwhile.
///
/// # Errors
///
/// When the stage cannot be set, or a step did not end as it should.
pub fn run(args: &Args, ui: &mut Ui<'_>, now: DateTime<Utc>) -> Ran {
    let mut show = Show::new(ui);
    let played = story::play(args.keep.as_deref(), &mut show, now);
    let steps = json!(show.into_steps());
    match played {
        Ok(mut json) => {
            json.insert("steps".to_owned(), steps);
            Ok(Answer {
                status: Status::Good,
                text: String::new(),
                json,
            })
        }
        Err(mut failure) => {
            failure.json.insert("steps".to_owned(), steps);
            Err(failure)
        }
    }
}
