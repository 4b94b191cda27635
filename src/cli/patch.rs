//! `danewright patch`: the missing records go into the zone file next to the
//! old ones; every other byte stays.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::cli::edit::{EditArgs, Opened};
use crate::cli::options::{KeyArgs, ParamArgs, TargetArgs, ttl};
use crate::cli::tlsa::warn;
use crate::cli::{Ran, Ui, inputs, remember};
use crate::zone::plan::{Change, Request};

/// Arguments of `patch`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example: danewright patch /etc/bind/db.example.com new.pem --host mail.example.com --port 25 \\
         --check 'named-checkzone {zone} {file}' --reload 'rndc reload {zone}'"
)]
pub struct Args {
    /// Zone file to edit in place
    #[arg(value_name = "ZONE")]
    pub zone: PathBuf,
    /// The keys.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Hosts and ports.
    #[command(flatten)]
    pub targets: TargetArgs,
    /// What the records say.
    #[command(flatten)]
    pub params: ParamArgs,
    /// TTL of an RRset that does not exist yet
    #[arg(long, value_name = "TTL", value_parser = ttl)]
    pub ttl: Option<u32>,
    /// How to edit.
    #[command(flatten)]
    pub edit: EditArgs,
}

/// Runs the command.
///
/// # Errors
///
/// Why the zone was not patched; the file is as it was.
pub fn run(args: &Args, ui: &mut Ui<'_>, now: DateTime<Utc>) -> Ran {
    args.edit.validate()?;
    let targets = args.targets.targets()?;
    let params = args.params.params();
    let files = inputs::read_keys(&args.keys.files, args.keys.passphrase_file.as_deref())?;
    let records = inputs::records(&files, params, ui)?;
    warn(params, &targets, records.len(), ui);

    let opened = Opened::open(&args.zone, &args.edit)?;
    let zone = opened.zone(&targets)?;
    let request = Request {
        change: Change::Add(vec![records.clone(); zone.targets().len()]),
        ttl: args.ttl,
        serial: args.edit.policy(),
        serial_above: args.edit.serial_above,
    };
    let patch = zone.plan(&request, now).map_err(|error| opened.plan_failure(error))?;
    opened.carry_out(&zone, &patch, &args.edit, ui, |ui| {
        remember::patched(args.edit.state.as_deref(), &zone, &records, now, ui)
    })
}
