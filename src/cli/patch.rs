//! `danewright patch`: the missing records go into the zone file next to the
//! old ones; every other byte stays.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::cli::edit::{EditArgs, Opened};
use crate::cli::options::{KeyArgs, ParamArgs, TargetArgs, ttl};
use crate::cli::refusal::unreadable;
use crate::cli::tlsa::warn;
use crate::cli::{Ran, Ui, inputs, remember};
use crate::zone::edit::plan::{Change, Request, Zone};

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
    // Before the keys: where the zone is left out, one of them stands in its place.
    std::fs::metadata(&args.zone).map_err(|error| unreadable(&args.zone, &error))?;
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
    let patch = zone
        .plan(&request, now)
        .map_err(|error| opened.plan_failure(error))?;
    for host in zone.hosts_without_address() {
        ui.warn(format!(
            "{host} has neither an address nor an alias in this zone: is the host's name misspelt, or gone?"
        ));
    }
    warn_of_idle_ttl(&zone, args.ttl, ui);
    opened.carry_out(&zone, &patch, &args.edit, ui, |ui| {
        remember::patched(args.edit.state.as_deref(), &zone, &records, now, ui)
    })
}

/// A set has one TTL (RFC 2181 section 5.2), and records that join it take that of the set.
fn warn_of_idle_ttl(zone: &Zone<'_>, asked: Option<u32>, ui: &mut Ui<'_>) {
    let Some(asked) = asked else { return };
    for (at, target) in zone.targets().iter().enumerate() {
        let kept = zone
            .published(at)
            .find_map(|(_, ttl, _)| ttl)
            .filter(|ttl| *ttl != asked);
        if let (Some(kept), Ok(owner)) = (kept, target.owner()) {
            let longest = zone.longest_ttls(at).flatten().max().unwrap_or(kept);
            ui.warn(format!(
                "--ttl changes nothing at {owner}: the set there keeps its TTL of {kept} s; change it in the zone file, \
                 and remember that caches keep the old records for {longest} s from then on"
            ));
        }
    }
}
