//! The state folder: one JSON document per zone with what was seen and when.
//!
//! A document is replaced in one step, under a lock: killed at any moment, it is
//! the old one or the new one, whole. One that is damaged, of another version or
//! of another zone is an error and never a guess; a missing one is an empty
//! memory.
//!
//! What is remembered decides when it is safe, so nobody else may write it: the
//! folder is made with mode 0700, and it and the documents must belong to this
//! user or to root and be writable by nobody else. No link is followed inside
//! it, and a pipe or a device there is an error. A folder that others may read,
//! as older builds made it, stays as it is: the lock in it they cannot open.

mod place;
pub mod told;

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::files::NEW;
use crate::files::lock::{self, LockError, user};
use crate::files::spot::Spot;
use crate::name::Name;
use crate::propagation::memory::{Memory, VERSION};
use crate::tlsa::hex;

/// How often the lock is tried before somebody is told, and the pause between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);
/// Documents that are written at the same time: they share the waits for the disk.
const WRITERS: usize = 64;

/// What went wrong with the state.
#[derive(Debug)]
pub struct StateError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a file of the state.
#[derive(Debug)]
pub enum Problem {
    /// The environment names no place for it.
    NoFolder,
    /// It cannot be made, read, locked or written.
    Io(io::Error),
    /// Another run keeps it locked; trying again later may help.
    Locked,
    /// It belongs to somebody else, by number.
    Foreign(u32),
    /// Others may write it.
    Writable(u32),
    /// It is a link, a pipe, a device or a folder.
    NoFile,
    /// It does not read as what was written there.
    Damaged(String),
    /// Another version of this program wrote it.
    Version(u64),
    /// It is about another zone.
    Zone(String),
}

impl StateError {
    fn io(path: &Path, error: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            problem: Problem::Io(error),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self.problem {
            Problem::NoFolder => "name a folder with --state",
            Problem::Io(_) => "name another folder with --state, or give this user access to it",
            Problem::Locked => "another danewright may still be running; try again",
            Problem::Foreign(_) => "use it as its owner, or name a folder of your own with --state",
            Problem::Writable(_) => {
                "somebody else may have written what is there: look at it, then take that right from them (chmod go-w)"
            }
            Problem::NoFile => "see who put it there, and move it away",
            Problem::Damaged(_) | Problem::Zone(_) => {
                "move the file away to start the clock again, and state the time with --since if it is known"
            }
            Problem::Version(found) if found < u64::from(VERSION) => {
                "an older danewright wrote it, and what it says does not suffice: move the file away; \
                 the clock starts again"
            }
            Problem::Version(_) => {
                "use the version of danewright that wrote it, or name another folder with --state"
            }
        }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::NoFolder => {
                write!(
                    f,
                    "no folder for the state is known: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set"
                )
            }
            Problem::Io(error) if lock::no_locks(error) => {
                write!(
                    f,
                    "the state cannot be kept: the file system keeps no locks: {error}"
                )
            }
            Problem::Io(error) => write!(f, "the state cannot be kept: {error}"),
            Problem::Locked => write!(f, "the state is locked by another run"),
            Problem::Foreign(owner) => {
                write!(f, "the state belongs to somebody else (user {owner})")
            }
            Problem::Writable(mode) => {
                write!(f, "others may write the state (mode {:03o})", mode & 0o777)
            }
            Problem::NoFile => write!(f, "what stands in the place of the state is no file"),
            Problem::Damaged(reason) => write!(f, "the state is damaged: {reason}"),
            Problem::Version(found) => write!(
                f,
                "the state has version {found}, this program knows {VERSION}"
            ),
            Problem::Zone(found) => write!(f, "the state is about the zone {found:?}"),
        }
    }
}

impl std::error::Error for StateError {}

/// The folder that the user names, else the first of `$STATE_DIRECTORY`, which
/// systemd sets, else `$XDG_STATE_HOME/danewright`, else `/var/lib/danewright`
/// for root and `~/.local/state/danewright` for others.
///
/// # Errors
///
/// When none of these is known.
pub fn folder(named: Option<&Path>) -> Result<PathBuf, StateError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let absolute = |path: OsString| Some(path).filter(|path| Path::new(path).is_absolute());
    let variable = |name: &str| std::env::var_os(name);
    let service = variable("STATE_DIRECTORY").and_then(|paths| absolute(first_of(&paths)));
    default_folder(
        service,
        variable("XDG_STATE_HOME").and_then(absolute),
        variable("HOME").and_then(absolute),
        user() == 0,
    )
    .ok_or(StateError {
        path: PathBuf::new(),
        problem: Problem::NoFolder,
    })
}

/// The first path of several with colons between them (systemd.exec(5)).
fn first_of(paths: &OsString) -> OsString {
    std::env::split_paths(paths)
        .next()
        .unwrap_or_default()
        .into_os_string()
}

fn default_folder(
    service: Option<OsString>,
    state_home: Option<OsString>,
    home: Option<OsString>,
    root: bool,
) -> Option<PathBuf> {
    match (service, state_home, home) {
        (Some(service), ..) => Some(PathBuf::from(service)),
        (None, Some(state_home), _) => Some(Path::new(&state_home).join("danewright")),
        _ if root => Some(PathBuf::from("/var/lib/danewright")),
        (None, None, Some(home)) => Some(Path::new(&home).join(".local/state/danewright")),
        (None, None, None) => None,
    }
}

/// What is remembered about the zone.
///
/// # Errors
///
/// When the document cannot be read, or is not what was written there.
pub fn load(folder: &Path, zone: &Name) -> Result<Memory, StateError> {
    if place::look(folder)? {
        read(&document(folder, zone), zone)
    } else {
        Ok(Memory::empty(zone))
    }
}

/// Replaces what is remembered about the zone.
///
/// # Errors
///
/// When the document cannot be written.
pub fn store(folder: &Path, zone: &Name, memory: &Memory) -> Result<(), StateError> {
    let _lock = lock(folder)?;
    write(&document(folder, zone), memory)?;
    sync_folder(folder).map_err(|error| StateError::io(folder, error))
}

/// Changes what is remembered about the zone, with nobody else in between, and
/// hands on what the change comes to.
///
/// # Errors
///
/// When the document cannot be read or written.
pub fn update<T>(
    folder: &Path,
    zone: &Name,
    change: impl FnOnce(&Memory) -> (T, Memory),
) -> Result<T, StateError> {
    let _lock = lock(folder)?;
    let path = document(folder, zone);
    let memory = read(&path, zone)?;
    let (result, changed) = change(&memory);
    write(&path, &changed)?;
    sync_folder(folder).map_err(|error| StateError::io(folder, error))?;
    Ok(result)
}

/// Changes what is remembered about several zones, one after the other, with
/// nobody else in between. All are read before the first is written, and the
/// disk is waited for once and not once for each.
///
/// # Errors
///
/// When a document cannot be read (then nothing has changed) or written (then
/// each document is the old or the new one).
pub fn update_all<T>(
    folder: &Path,
    zones: &[Name],
    mut change: impl FnMut(&Name, &Memory) -> (T, Memory),
) -> Result<Vec<T>, StateError> {
    let _lock = lock(folder)?;
    let mut memories = Vec::new();
    for zone in zones {
        let path = document(folder, zone);
        let memory = read(&path, zone)?;
        memories.push((zone, path, memory));
    }
    let mut results = Vec::new();
    let mut changed = Vec::new();
    for (zone, path, memory) in memories {
        let (result, memory) = change(zone, &memory);
        results.push(result);
        changed.push((path, memory));
    }
    write_all(folder, &changed)?;
    sync_folder(folder).map_err(|error| StateError::io(folder, error))?;
    Ok(results)
}

/// Writes documents, several at a time: the disk makes one effort of their syncs.
fn write_all(folder: &Path, documents: &[(PathBuf, Memory)]) -> Result<(), StateError> {
    let next = AtomicUsize::new(0);
    let some = || {
        while let Some((path, memory)) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
            write(path, memory)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        // Where there is no thread to be had, there are fewer of them.
        let helper = |_| thread::Builder::new().spawn_scoped(scope, some).ok();
        let helpers: Vec<_> = (1..WRITERS.min(documents.len()))
            .map_while(helper)
            .collect();
        let own = some();
        let gave_up = |_| Err(StateError::io(folder, io::Error::other("a thread gave up")));
        let ended = helpers
            .into_iter()
            .map(|helper| helper.join().unwrap_or_else(gave_up));
        ended.fold(own, Result::and)
    })
}

/// The zone's document: its name in lower case, with `%` escapes for what has a
/// meaning in file names, and a digest where that would be too long.
fn document(folder: &Path, zone: &Name) -> PathBuf {
    file_of(folder, zone, "json")
}

fn file_of(folder: &Path, zone: &Name, ending: &str) -> PathBuf {
    let labels = zone.labels().map(|label| {
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
        let text = |&octet: &u8| {
            if plain(octet) {
                char::from(octet).to_string()
            } else {
                format!("%{octet:02x}")
            }
        };
        label.iter().map(text).collect::<String>()
    });
    let mut name = labels.collect::<Vec<_>>().join(".");
    if zone.is_root() {
        // No escape of an octet reads like this.
        name.push_str("%root");
    }
    if name.len() > 200 {
        name = format!("{}%{}", &name[..100], hex(&Sha256::digest(zone.wire())));
    }
    folder.join(format!("{name}.{ending}"))
}

/// The lock lasts as long as the file is open. It is a file of its own, because
/// the documents are replaced and not written to, and stays for the next run.
fn lock(folder: &Path) -> Result<File, StateError> {
    place::make(folder)?;
    let path = folder.join("lock");
    let wrong = |problem| StateError {
        path: path.clone(),
        problem,
    };
    let spot = Spot::named(&path).map_err(|error| wrong(Problem::Io(error)))?;
    let file = lock::private(&spot).map_err(|error| match error {
        LockError::Io(_, error) => wrong(Problem::Io(error)),
        LockError::InTheWay(_) => wrong(Problem::NoFile),
        LockError::Locked(_) => wrong(Problem::Locked),
        LockError::Foreign(_) => wrong(Problem::Foreign(place::owner(&path))),
    })?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(wrong(Problem::Io(error))),
        }
    }
    Err(wrong(Problem::Locked))
}

fn read(path: &Path, zone: &Name) -> Result<Memory, StateError> {
    let wrong = |problem| StateError {
        path: path.to_owned(),
        problem,
    };
    let Some(text) = place::read(path)? else {
        return Ok(Memory::empty(zone));
    };
    let damaged = |error: serde_json::Error| wrong(Problem::Damaged(error.to_string()));
    let value: Value = serde_json::from_slice(&text).map_err(damaged)?;
    // Another version may have another form, so its number comes first.
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => return Err(wrong(Problem::Version(version))),
        None => return Err(wrong(Problem::Damaged("it has no version".to_owned()))),
    }
    let memory: Memory = serde_json::from_value(value).map_err(damaged)?;
    if memory.zone == zone.to_string() {
        Ok(memory)
    } else {
        Err(wrong(Problem::Zone(memory.zone)))
    }
}

fn write(path: &Path, document: &impl Serialize) -> Result<(), StateError> {
    let wrong = |error: io::Error| StateError::io(path, error);
    let text = serde_json::to_vec_pretty(document).map_err(|error| wrong(error.into()))?;
    let mut file = beside(path).map_err(wrong)?;
    file.write_all(&text)
        .and_then(|()| file.write_all(b"\n"))
        .map_err(wrong)?;
    file.as_file().sync_all().map_err(wrong)?;
    file.persist(path).map_err(|error| wrong(error.error))?;
    Ok(())
}

/// A new file beside the document that others may read, as far as the umask
/// allows: a report made as another user reads it. Under the lock nobody else
/// has one of this name, so that one which lies there is left from a run that
/// was killed.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(NEW);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&name).rand_bytes(0);
    match fs::remove_file(folder.join(&name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    builder.permissions(fs::Permissions::from_mode(0o644));
    builder.tempfile_in(folder)
}

/// Makes the rename last. Only Unix opens folders as files.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
