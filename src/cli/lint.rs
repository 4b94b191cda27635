//! `danewright lint`: what is wrong with the DANE records of a zone file, and
//! what in its text servers read differently. Nothing is written or asked.

use std::path::{Path, PathBuf};

use crate::cli::edit::origin_of;
use crate::cli::refusal::{not_ours, soa_without_dot, unread, unreadable};
use crate::cli::{Answer, Failure, Ran, Status, Ui, inputs};
use crate::files::disk::Disk;
use crate::files::surroundings;
use crate::keys::KeyFile;
use crate::lint::{self, Finding, Lint, Severity};
use crate::name::Name;
use crate::report;
use crate::text::source::Library;
use crate::zone::edit::journal::NotOurs;
use crate::zone::text::reader::ReadError;

/// Arguments of `lint`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example: danewright lint /etc/bind/db.example.com --cert /etc/ssl/mail.pem"
)]
pub struct Args {
    /// Zone file to look at; - is stdin
    #[arg(value_name = "ZONE")]
    pub zone: PathBuf,
    /// Zone's name, where neither the file nor its name says it
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
    /// Folder in which relative $INCLUDE paths start [default: the zone file's]
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Certificate or key to compare with the records; repeats
    #[arg(long, value_name = "FILE")]
    pub cert: Vec<PathBuf>,
    /// File whose first line opens encrypted private keys
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
///
/// When a file cannot be read; what is wrong in the zone is the answer.
pub fn run(args: &Args, ui: &mut Ui<'_>) -> Ran {
    let keys = inputs::read_keys(&args.cert, args.passphrase_file.as_deref())?;
    let stdin = if args.zone == Path::new("-") {
        Some(spool()?)
    } else {
        None
    };
    let path = stdin
        .as_ref()
        .map_or(args.zone.as_path(), |spooled| spooled.path());
    let directory = args
        .directory
        .as_deref()
        .or(stdin.as_ref().map(|_| Path::new(".")));
    let disk = Named {
        disk: open(path, directory)?,
        main: stdin.is_some().then_some("stdin"),
    };
    let (lint, undotted) = look(&disk, args, &keys)?;
    let mut findings = syntax(&lint);
    findings.extend(undotted);
    findings.extend(lint.findings.iter().cloned());
    let worse = findings
        .iter()
        .any(|finding| finding.severity > Severity::Note);
    let status = if worse { Status::Bad } else { Status::Good };
    let with_keys = !args.cert.is_empty();
    let (text, json) = if ui.json() {
        let files: Vec<String> = lint.files.iter().map(|file| disk.label(*file)).collect();
        (
            String::new(),
            report::lint::json(&lint, &findings, &files, with_keys),
        )
    } else {
        let look = report::lint::Look {
            width: ui.width(),
            color: ui.color(),
            keys: with_keys,
        };
        let name = disk
            .main
            .map_or_else(|| path.display().to_string(), str::to_owned);
        (
            report::lint::text(&lint, &findings, &name, look),
            serde_json::Map::new(),
        )
    };
    Ok(Answer { status, text, json })
}

/// The zone's files, the main one perhaps under another name.
struct Named {
    disk: Disk,
    main: Option<&'static str>,
}

impl Library for Named {
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.disk.read_at(file, offset, buffer)
    }

    fn include(&self, path: &[u8]) -> std::io::Result<usize> {
        self.disk.include(path)
    }

    fn label(&self, file: usize) -> String {
        self.main
            .filter(|_| file == 0)
            .map_or_else(|| self.disk.label(file), str::to_owned)
    }
}

/// What stands on standard input, as a file: it is read more than once.
fn spool() -> Result<tempfile::NamedTempFile, Failure> {
    let copy = || {
        let mut file = tempfile::NamedTempFile::new()?;
        std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
        Ok(file)
    };
    copy().map_err(|error: std::io::Error| {
        Failure::wrong(format!("stdin cannot be read: {error}")).at("stdin")
    })
}

fn open(path: &Path, directory: Option<&Path>) -> Result<Disk, Failure> {
    let failed = |error| unreadable(path, &error);
    if path.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    let disk = Disk::open(path, directory).map_err(failed)?;
    if surroundings(path).map_err(failed)?.is_binary() {
        let mut failure = not_ours(path, NotOurs::Binary, "");
        failure.status = Status::Wrong;
        return Err(failure
            .hint("convert it with named-compilezone -f raw -F text, and look at the result"));
    }
    Ok(disk)
}

fn look(disk: &Named, args: &Args, keys: &[KeyFile]) -> Result<(Lint, Option<Finding>), Failure> {
    let stated = args.origin.as_deref();
    let stated = stated
        .map(|text| {
            Name::zone_from_user(text)
                .map_err(|error| Failure::wrong(error).at(format!("--origin {text}")))
        })
        .transpose()?;
    let origin = stated.clone().or_else(|| origin_of(&args.zone));
    let undotted = lint::soa_without_dot(disk, origin.clone());
    if let (Some((name, place)), true) = (&undotted, stated.is_some()) {
        return Err(soa_without_dot(name, place));
    }
    let apex = lint::apex(disk, origin.clone()).map_err(|error| unread(&error))?;
    if let (Some(stated), Some(apex)) = (&stated, &apex)
        && stated != apex
    {
        let message = format!("the SOA in the file is that of {apex}, not of {stated}");
        return Err(Failure::wrong(message)
            .at(args.zone.display())
            .hint("name the zone's own file, or leave --origin away"));
    }
    let known = apex.or(origin);
    let lint = lint::zone(disk, known.as_ref().unwrap_or(&Name::root()), keys)
        .map_err(|error| unread(&error))?;
    if known.is_none() && lint.faults.is_empty() {
        return Err(Failure::wrong(
            "the file has no SOA record, and nothing says what its names are relative to",
        )
        .at(args.zone.display())
        .hint("name the zone's main file, or say the zone's name with --origin"));
    }
    let undotted = undotted.map(|(name, place)| {
        let Failure { message, hint, .. } = soa_without_dot(&name, &place);
        let (code, severity) = ("soa-without-dot", Severity::Error);
        Finding {
            code,
            severity,
            owner: None,
            place,
            message,
            hint,
            more: 0,
        }
    });
    Ok((lint, undotted))
}

/// What no server would read, as findings: they come first.
fn syntax(lint: &Lint) -> Vec<Finding> {
    let finding = |error: &ReadError| {
        let failure = unread(error);
        Finding {
            code: "syntax",
            severity: Severity::Error,
            owner: None,
            place: error.place.clone(),
            message: failure.message,
            hint: failure.hint,
            more: 0,
        }
    };
    let mut findings: Vec<Finding> = lint.faults.iter().map(finding).collect();
    if let Some(last) = findings.last_mut() {
        last.more = lint.more_faults;
    }
    findings
}
