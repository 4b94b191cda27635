//! `danewright prune`: records that no key in use matches leave the zone file;
//! what the lines after them inherited stays as it was.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::cli::edit::{EditArgs, Opened, cleared};
use crate::cli::inputs::read_keys;
use crate::cli::options::TargetArgs;
use crate::cli::{Failure, Ran, Ui, remember};
use crate::keys::{self, KeyFile};
use crate::tlsa::{Params, Target, Tlsa};
use crate::zone::edit::plan::{Change, Request};

/// Arguments of `prune`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example: danewright prune /etc/bind/db.example.com --host mail.example.com --port 25 --no-probe --keep new.pem"
)]
pub struct Args {
    /// Zone file to edit in place
    #[arg(value_name = "ZONE")]
    pub zone: PathBuf,
    /// Hosts and ports.
    #[command(flatten)]
    pub targets: TargetArgs,
    /// Certificate or key that is in use; repeats
    #[arg(long, value_name = "FILE")]
    pub keep: Vec<PathBuf>,
    /// Do not ask the live services; the keys in use are those of --keep
    #[arg(long)]
    pub no_probe: bool,
    /// Remove the records also where verify has not found the kept keys safe, or other names reach them by alias
    #[arg(long, requires = "no_probe")]
    pub force: bool,
    /// File whose first line opens encrypted private keys
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// How to edit.
    #[command(flatten)]
    pub edit: EditArgs,
}

/// Runs the command.
///
/// # Errors
///
/// Why nothing was removed; the file is as it was.
pub fn run(args: &Args, ui: &mut Ui<'_>, now: DateTime<Utc>) -> Ran {
    args.edit.validate()?;
    let targets = args.targets.targets()?;
    if !args.no_probe {
        let hint = "name the keys in use with --no-probe --keep FILE";
        return Err(Failure::unknown(
            "this version cannot ask the live services which keys they present",
        )
        .hint(hint));
    }
    if args.keep.is_empty() {
        return Err(Failure::wrong("--no-probe needs the keys in use")
            .at("--no-probe")
            .hint("name each with --keep FILE"));
    }
    let keep = read_keys(&args.keep, args.passphrase_file.as_deref())?;
    let opened = Opened::open(&args.zone, &args.edit)?;
    let zone = opened.zone(&targets)?;
    let mut stale = Vec::new();
    for (at, target) in zone.targets().iter().enumerate() {
        zone.holds(at).map_err(|error| opened.plan_failure(error))?;
        let published: Vec<Tlsa> = zone.published(at).map(|(tlsa, ..)| tlsa.clone()).collect();
        stale.push(stale_at(target, &published, &keep, ui)?);
    }
    if !args.force {
        zone.reached_only_as_asked(&stale)
            .map_err(|error| opened.plan_failure(error))?;
        cleared::keys_in_use(args.edit.state.as_deref(), &zone, &stale, &keep)?;
    }
    let request = Request {
        change: Change::Remove(stale),
        ttl: None,
        serial: args.edit.policy(),
        serial_above: args.edit.serial_above,
    };
    let patch = zone
        .plan(&request, now)
        .map_err(|error| opened.plan_failure(error))?;
    opened.carry_out(&zone, &patch, &args.edit, ui, |ui| {
        remember::pruned(args.edit.state.as_deref(), &zone, &patch.removed, now, ui)
    })
}

/// The records that match none of the keys. Those that the given files cannot
/// be compared with stay.
fn stale_at(
    target: &Target,
    published: &[Tlsa],
    keep: &[KeyFile],
    ui: &mut Ui<'_>,
) -> Result<Vec<Tlsa>, Failure> {
    let mut stale = Vec::new();
    let mut matched = false;
    for record in published {
        match keys::records(keep, record.params) {
            Ok(ours) if ours.contains(record) => matched = true,
            Ok(_) => stale.push(record.clone()),
            Err(error) => ui.warn(format!(
                "{} {} stays: {error}, so nobody can say whether it is in use",
                target.base(),
                record.params
            )),
        }
    }
    if !stale.is_empty() && !matched {
        let owner = target.owner().unwrap_or_else(|_| target.base().clone());
        return Err(Failure::refused(format!(
            "none of the records at {owner} matches a key in use; nothing was removed"
        ))
        .at("--keep")
        .hint("add the record of the key in use first, with danewright patch, and wait until verify says safe"));
    }
    unmatched_keys(target, published, &stale, keep, ui);
    Ok(stale)
}

/// Warns where a key in use has no match in a parameter set that stays in use
/// (RFC 7671 section 8): prune does not cause that, and should not hide it.
fn unmatched_keys(
    target: &Target,
    published: &[Tlsa],
    stale: &[Tlsa],
    keep: &[KeyFile],
    ui: &mut Ui<'_>,
) {
    let mut params: Vec<Params> = published
        .iter()
        .filter(|record| !stale.contains(record))
        .map(|record| record.params)
        .collect();
    params.sort_unstable();
    params.dedup();
    for set in params {
        for file in keep {
            let ours = keys::records(std::slice::from_ref(file), set).unwrap_or_default();
            if !ours.is_empty() && !ours.iter().any(|record| published.contains(record)) {
                ui.warn(format!(
                    "no {set} record at {} matches {}",
                    target.owner().unwrap_or_else(|_| target.base().clone()),
                    file.name
                ));
            }
        }
    }
}
