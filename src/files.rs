//! Files: zones read where they lie, and replaced in one step. A file that is
//! replaced is the old or the new one at any moment, whole.

pub(crate) mod beside;
pub mod clock;
pub mod copy;
pub mod disk;
pub mod foreign;
pub mod lock;
pub mod open;
pub mod output;
pub mod probe;
pub mod replace;
pub(crate) mod spot;
pub mod state;
mod swap;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::zone::edit::journal::{Journal, Surroundings};

/// What the names end in that a run uses beside a file: its lock, the new text, the
/// old one while files change, a backup in the making, what a check is shown.
pub(crate) const LOCK: &str = ".danewright-lock";
pub(crate) const NEW: &str = ".danewright-new";
pub(crate) const OLD: &str = ".danewright-old";
pub(crate) const BACKUP: &str = ".danewright-backup";
pub(crate) const CHECK: &str = ".danewright-check";

/// What a file ends in that somebody changed before and after it was replaced: no run removes it.
pub(crate) const KEPT: &str = ".danewright-kept";

/// How a zone file begins, and what lies beside it: the marks of a server that
/// writes there too.
///
/// # Errors
///
/// When a journal is there and cannot be read.
pub fn surroundings(zone: &Path) -> io::Result<Surroundings> {
    Ok(Surroundings {
        journal: journal(&beside(zone, ".jnl"))?,
        head: head(zone, Surroundings::HEAD)?,
    })
}

fn journal(path: &Path) -> io::Result<Option<Journal>> {
    match std::fs::metadata(path) {
        Ok(meta) if !meta.is_file() => Ok(Some(Journal::Strange)),
        Ok(meta) => {
            head(path, Journal::HEADER).map(|header| Some(Journal::read(&header, meta.len())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first octets of a file.
fn head(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    open::regular(path)?
        .take(length as u64)
        .read_to_end(&mut head)
        .map_err(open::explained)?;
    Ok(head)
}

/// The path with something appended to its last component.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A hidden name in the same folder.
pub(crate) fn hidden(path: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}
