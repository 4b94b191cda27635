//! `danewright tlsa`: the TLSA records for keys and certificates, for every
//! host and port, in the form that the zone or its operator takes.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Map;

use crate::cli::options::{self, KeyArgs, ParamArgs, TargetArgs};
use crate::cli::{Answer, Failure, Ran, Status, Ui, inputs};
use crate::keys;
use crate::name::Name;
use crate::report::advice;
use crate::report::records::Records;
use crate::tlsa::{Params, Target, Tlsa};

/// The TTL in a script for nsupdate, which cannot leave it to the zone.
const UPDATE_TTL: u32 = 3600;

/// More records than this at one owner make answers that UDP may not carry.
const MANY: usize = 12;

/// Arguments of `tlsa`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example: danewright tlsa fullchain.pem --host mail.example.com --port 25,465,587 --ttl 1h"
)]
pub struct Args {
    /// The keys.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// Hosts and ports.
    #[command(flatten)]
    pub targets: TargetArgs,
    /// The three numbers.
    #[command(flatten)]
    pub params: ParamArgs,
    /// TTL, in seconds or as 1h30m; the zone's own when left out
    #[arg(long, value_name = "TTL", value_parser = options::ttl)]
    pub ttl: Option<u32>,
    /// Form of the records
    #[arg(long, value_enum, default_value = "zone", value_name = "FORMAT")]
    pub format: Format,
    /// Delete the records of this key in the nsupdate script; repeats
    #[arg(long, value_name = "FILE")]
    pub old: Vec<PathBuf>,
}

/// Forms of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines of a zone file
    Zone,
    /// Lines for programs that do not know TLSA (RFC 3597)
    Generic,
    /// A script for nsupdate
    Nsupdate,
    /// A table for people
    Table,
    /// The same document as with --json
    Json,
}

/// Runs the command.
///
/// # Errors
///
/// When a file or a host is wrong, or the parameters do not go with the files.
pub fn run(args: &Args, ui: &mut Ui<'_>) -> Ran {
    let params = args.params.params();
    let targets = args.targets.targets()?;
    let (new, old) = read(args, params, ui)?;
    options::warn_of_short_hosts(&targets, ui);
    warn(params, &targets, new.len(), ui);

    let owners = owners(&targets)?;
    let mut records = Records {
        owners: &owners,
        tlsa: &new,
        ttl: args.ttl,
    };
    if args.format == Format::Nsupdate {
        if records.ttl.is_none() {
            ui.talk(format!(
                "note: without --ttl the script uses {UPDATE_TTL} seconds"
            ));
            records.ttl = Some(UPDATE_TTL);
        }
        if !old.is_empty() {
            ui.warn("the script removes records: send it after every server has the new key, not before");
        }
    }
    if ui.json() {
        let mut json = Map::new();
        json.insert("records".to_owned(), records.json());
        if !args.old.is_empty() {
            json.insert(
                "delete".to_owned(),
                Records {
                    tlsa: &old,
                    ttl: None,
                    ..records
                }
                .json(),
            );
        }
        return Ok(Answer {
            status: Status::Good,
            text: String::new(),
            json,
        });
    }
    let text = match args.format {
        Format::Zone => records.zone(),
        Format::Generic => records.generic(),
        Format::Nsupdate => records.nsupdate(&old),
        Format::Table => records.table(ui.width()),
        // Asks for the document above.
        Format::Json => String::new(),
    };
    Ok(Answer {
        status: Status::Good,
        text,
        json: Map::new(),
    })
}

/// The records to publish, and those of old keys that are not among them.
fn read(args: &Args, params: Params, ui: &mut Ui<'_>) -> Result<(Vec<Tlsa>, Vec<Tlsa>), Failure> {
    if !args.old.is_empty() && args.format != Format::Nsupdate && !ui.json() {
        let failure = Failure::wrong("only a script for nsupdate can delete records").at("--old");
        return Err(
            failure.hint("add --format nsupdate; in a zone file, danewright prune removes them")
        );
    }
    let paths: Vec<PathBuf> = args.keys.files.iter().chain(&args.old).cloned().collect();
    let files = inputs::read_keys(&paths, args.keys.passphrase_file.as_deref())?;
    let (new, old) = files.split_at(args.keys.files.len());
    let new = inputs::records(new, params, ui)?;
    let mut old = keys::records(old, params).map_err(inputs::failure)?;
    let kept: HashSet<&Tlsa> = new.iter().collect();
    old.retain(|tlsa| !kept.contains(tlsa));
    Ok((new, old))
}

/// Warns of what is ill-advised about such records.
pub(crate) fn warn(params: Params, targets: &[Target], records: usize, ui: &mut Ui<'_>) {
    let mut said = Vec::new();
    for sentence in targets
        .iter()
        .flat_map(|target| advice::on(params, target.port()))
    {
        if !said.contains(&sentence) {
            ui.warn(&sentence);
            said.push(sentence);
        }
    }
    if records > MANY {
        ui.warn(format!(
            "{records} records at one owner; answers may outgrow UDP (RFC 7671 section 10.1)"
        ));
    }
}

fn owners(targets: &[Target]) -> Result<Vec<Name>, Failure> {
    targets
        .iter()
        .map(|target| {
            target
                .owner()
                .map_err(|error| Failure::wrong(error).at("--host"))
        })
        .collect()
}
