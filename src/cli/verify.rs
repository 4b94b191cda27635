//! `danewright verify`: may this key be deployed now? Asks every name server,
//! judges what they serve with what was seen before, remembers it, and says so.

mod display;
mod dns_options;
mod exec;
mod jobs;
mod list;
mod patience;
mod system;
mod watch;

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, json};

use crate::cli::options::{self, ParamArgs};
use crate::cli::{Answer, Failure, Ran, Status, Ui, remember};
use crate::duration;
use crate::propagation::{BUILT, Decision, HoldWish, Judged, Policy, moment, overall};
use crate::report::advice;
use crate::report::{monitoring, verdict, verdict_json};
use crate::textfile;

use exec::Program;
use system::{Clockwork, Ended, Interrupted, World};
use watch::{Watched, Watching};

/// Arguments of `verify`.
#[derive(clap::Args, Debug)]
#[command(
    override_usage = "danewright verify [OPTIONS] FILE... --host HOST --port PORT\n       \
                      danewright verify [OPTIONS] --targets LIST",
    after_help = "The exit status is 0 when it is safe, 1 when it is not, 3 when that cannot be told, \
                  4 when it is not yet. SIGINT and SIGTERM end a wait with the last of these; \
                  a command that runs by then is waited for.\n\n\
                  A first look a day ahead (verify of the deployed key) keeps the wait at twice the TTL; whoever \
                  comes by once waits for a day, as nobody knows what was served before.\n\n\
                  Example: danewright verify new.pem --current old.pem --host mail.example.com --port smtp --wait"
)]
pub struct Args {
    /// Which keys, and where.
    #[command(flatten)]
    pub chosen: jobs::ChosenArgs,
    /// The three numbers.
    #[command(flatten)]
    pub params: ParamArgs,
    /// Whom to ask and whom to trust.
    #[command(flatten)]
    pub asking: dns_options::AskingArgs,
    /// How long all servers must have agreed: a duration, or "signature" until no
    /// signature over the old records is valid any more [default: twice the largest TTL
    /// that was seen served before, and a day from the first look at the least]
    #[arg(long, value_name = "DURATION", value_parser = hold)]
    pub hold: Option<HoldWish>,
    /// Since when all servers have agreed, if you know it (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<DateTime<Utc>>,
    /// Folder that keeps what was seen and when; patch and prune must name the
    /// same one [default: $STATE_DIRECTORY, else $XDG_STATE_HOME/danewright, else
    /// /var/lib/danewright for root and ~/.local/state/danewright for others]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Permit this many addresses to be silent
    #[arg(long, value_name = "N", default_value = "0")]
    pub allow_unreachable: usize,
    /// Stay until it is safe or unsafe, or nothing but a person can help
    #[arg(long)]
    pub wait: bool,
    /// Stay no longer than this; a check that is under way then is cut off
    #[arg(long, value_name = "DURATION", requires = "wait", value_parser = duration::parse)]
    pub deadline: Option<TimeDelta>,
    /// How long "cannot tell" may last before it ends the wait
    #[arg(long, value_name = "DURATION", requires = "wait", default_value = "15m", value_parser = duration::parse)]
    pub patience: TimeDelta,
    /// Run this command when it is safe, and only then; no shell is involved
    #[arg(long, value_name = "CMD")]
    pub exec: Option<Program>,
    /// Show the details of every target, also of those that are safe among many
    #[arg(long)]
    pub verbose: bool,
    /// Write figures for Prometheus here after each check, replacing the file
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Answer as a monitoring plugin: one line, and the status 0 when safe, 1 when
    /// not yet, 2 when unsafe, 3 when unknown. These are not the usual statuses
    #[arg(long, conflicts_with_all = ["json", "wait", "exec"])]
    pub monitoring: bool,
}

/// Runs the command.
///
/// # Errors
///
/// When a file, a name or the state is wrong, or the command to run fails.
pub fn run(args: &Args, ui: &mut Ui<'_>, now: DateTime<Utc>) -> Ran {
    run_in(args, ui, &mut Clockwork::started(now))
}

fn run_in(args: &Args, ui: &mut Ui<'_>, world: &mut dyn World) -> Ran {
    let ran = verify(args, ui, world);
    if args.monitoring {
        ran.or_else(|failure| Ok(plugin_failure(failure)))
    } else {
        ran
    }
}

fn verify(args: &Args, ui: &mut Ui<'_>, world: &mut dyn World) -> Ran {
    let now = world.now();
    if now < BUILT {
        let message = format!(
            "the clock says {}, which is before this program was made",
            moment(now)
        );
        return Err(Failure::unknown(message).hint("set the clock, then try again"));
    }
    if let Some(since) = args.since.filter(|since| *since > now) {
        return Err(
            Failure::wrong("this time is still to come").at(format!("--since {}", moment(since)))
        );
    }
    if let Some(program) = &args.exec {
        world
            .finds(program)
            .map_err(|unfit| Failure::unfit(&unfit, "--exec", &program.to_string()))?;
    }
    let params = args.params.params();
    let jobs = args.chosen.jobs(params, ui)?;
    options::warn_of_short_hosts(jobs.iter().flat_map(|job| &job.targets), ui);
    let mut said = Vec::new();
    for sentence in jobs
        .iter()
        .flat_map(|job| &job.targets)
        .flat_map(|target| advice::on(params, target.port()))
    {
        if !said.contains(&sentence) {
            ui.warn(&sentence);
            said.push(sentence);
        }
    }
    let settings = args.asking.settings(now)?;
    let watching = Watching {
        jobs,
        reach: args.asking.reach(&settings.anchors)?,
        settings,
        state: crate::files::state::folder(args.state.as_deref()).map_err(watch::failure)?,
        policy: Policy {
            hold: args.hold.unwrap_or_default(),
            since: args.since,
            allow_unreachable: args.allow_unreachable,
        },
        metrics: args.metrics.clone(),
        deadline: args.wait.then(|| {
            args.deadline
                .and_then(|length| now.checked_add_signed(length))
        }),
        patience: args.patience,
    };
    remember::probe(&watching.state)?;
    if let Some(path) = &args.metrics {
        probe_metrics(path, ui)?;
    }
    let Watched {
        checked_at,
        judged,
        ended,
    } = watching.run(ui, world)?;
    match ended {
        Some(Ended::Signal(Interrupted(signal))) => {
            ui.warn(format!("{signal} ended the wait; what was seen is kept, so a new run goes on from here"));
        }
        Some(Ended::Late) => ui.warn(format!(
            "the deadline came before the name servers had answered again; this is what they said at {}",
            moment(checked_at)
        )),
        None => {}
    }
    answer(args, ui, world, checked_at, &judged)
}

fn probe_metrics(path: &Path, ui: &mut Ui<'_>) -> Result<(), Failure> {
    textfile::probe(path).map_err(|error| {
        let message = format!("the figures cannot be written there: {error}");
        Failure::wrong(message).at(format!("--metrics {}", path.display()))
    })?;
    if path.extension().is_none_or(|ending| ending != "prom") {
        ui.warn(format!(
            "the textfile collector of Prometheus reads files that end in .prom, and {} does not",
            path.display()
        ));
    }
    Ok(())
}

fn answer(
    args: &Args,
    ui: &mut Ui<'_>,
    world: &mut dyn World,
    checked_at: DateTime<Utc>,
    judged: &[Judged],
) -> Ran {
    let (decision, _) = overall(judged.iter().map(|target| &target.verdict));
    if args.monitoring {
        let (text, json) = (
            monitoring::line(judged, checked_at),
            verdict_json::fields(judged, checked_at),
        );
        return Ok(Answer {
            status: plugin_status(decision),
            text,
            json,
        });
    }
    let look = verdict::Look {
        width: ui.width(),
        color: ui.color(),
        verbose: args.verbose,
    };
    let text = verdict::text(judged, checked_at, look);
    let mut json = verdict_json::fields(judged, checked_at);
    let status = match decision {
        Decision::Safe => Status::Good,
        Decision::Unsafe => Status::Bad,
        Decision::Unknown => Status::Unknown,
        Decision::Wait => Status::NotYet,
    };
    let Some(program) = &args.exec else {
        return Ok(Answer { status, text, json });
    };
    json.insert("exec".to_owned(), json!(null));
    if decision != Decision::Safe {
        return Ok(Answer { status, text, json });
    }
    // Whoever wants the program to end does not want it to begin with something.
    if let Some(Interrupted(signal)) = world.interrupted() {
        return failed(
            ui,
            text,
            format!("it is safe, but {signal} came before the command was run"),
            json,
            program,
        );
    }
    let ran = world.execute(program);
    let code = ran.as_ref().ok().copied().flatten();
    json.insert(
        "exec".to_owned(),
        json!({ "command": program.to_string(), "status": code }),
    );
    let reason = match ran {
        Ok(Some(0)) => return Ok(Answer { status, text, json }),
        Ok(Some(code)) => format!("it is safe, but the command ended with status {code}"),
        Ok(None) => "it is safe, but the command was ended by a signal".to_owned(),
        Err(error) => format!("it is safe, but the command could not be run: {error}"),
    };
    failed(ui, text, reason, json, program)
}

/// The exit status that monitoring plugins have, by its number.
fn plugin_status(decision: Decision) -> Status {
    match decision {
        Decision::Safe => Status::Good,
        Decision::Wait => Status::Bad,
        Decision::Unsafe => Status::Wrong,
        Decision::Unknown => Status::Unknown,
    }
}

/// Without a verdict, a plugin's state is not known, whatever was wrong.
fn plugin_failure(failure: Failure) -> Answer {
    let place = failure
        .place
        .map(|place| format!(" ({place})"))
        .unwrap_or_default();
    let text = monitoring::failure(&format!("{}{place}", failure.message));
    Answer {
        status: Status::Unknown,
        text,
        json: failure.json,
    }
}

fn failed(
    ui: &mut Ui<'_>,
    text: String,
    reason: String,
    json: Map<String, serde_json::Value>,
    program: &Program,
) -> Ran {
    if !ui.json() {
        // The failure that follows tells what matters if stdout is gone.
        let _ = ui.out().write_all(text.as_bytes());
    }
    let hint = "the verdict stands: see to the command, and run it by hand";
    let failure = Failure::refused(reason)
        .at(format!("--exec {program}"))
        .hint(hint);
    Err(Failure { json, ..failure })
}

fn hold(text: &str) -> Result<HoldWish, String> {
    if text == "signature" {
        return Ok(HoldWish::Signature);
    }
    duration::parse(text)
        .map(HoldWish::For)
        .map_err(|error| format!("{error}, nor is it \"signature\""))
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let read = DateTime::parse_from_rfc3339(text);
    read.map(|time| time.to_utc())
        .map_err(|_| format!("{text:?} is no time such as 2026-11-20T12:00:00Z"))
}

#[cfg(test)]
mod tests;
