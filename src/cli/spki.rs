//! `danewright spki`: what is in key and certificate files, and which of them
//! share a key.

use serde_json::Map;

use crate::cli::options::KeyArgs;
use crate::cli::{Answer, Ran, Status, Ui, inputs};
use crate::report;

/// Arguments of `spki`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: danewright spki fullchain.pem privkey.pem new.csr")]
pub struct Args {
    /// The files.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// Runs the command.
///
/// # Errors
///
/// When a file cannot be read, or holds something else than keys and certificates.
pub fn run(args: &Args, ui: &mut Ui<'_>) -> Ran {
    let files = inputs::read_keys(&args.keys.files, args.keys.passphrase_file.as_deref())?;
    let (text, json) = if ui.json() {
        (String::new(), report::keys::json(&files))
    } else {
        (report::keys::text(&files, ui.width()), Map::new())
    };
    Ok(Answer {
        status: Status::Good,
        text,
        json,
    })
}
