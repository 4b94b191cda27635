//! A file that is written as a whole, whatever stood there before: under a
//! hidden name first, and renamed when it is complete. What a killed run left
//! of that is swept by the next one.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::files::NEW;
use crate::files::beside::{Beside, remove_leftover};
use crate::files::lock::{Lock, LockError};
use crate::files::spot::Spot;

/// Writes a file in one step, as `fill` says; it begins with this mode, as far as
/// the umask allows.
///
/// # Errors
///
/// When it cannot be written; then what stood there before still does.
pub fn write(path: &Path, mode: u32, fill: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    // Two runs with one name in common take turns.
    let (spot, _lock) = lock(path)?;
    let new = Beside::make(spot.hidden(NEW), mode)?;
    fill(&new.file)?;
    new.put(&spot)
}

/// Whether a file can be written there, before it is known what.
///
/// # Errors
///
/// When the folder is not there or may not be written.
pub fn probe(path: &Path) -> io::Result<()> {
    let (spot, _lock) = lock(path)?;
    remove_leftover(&spot.hidden(NEW))
}

fn lock(path: &Path) -> io::Result<(Spot, Lock)> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let spot = Spot::named(path)?;
    let lock = Lock::hold(&spot).map_err(|error| match error {
        LockError::Io(_, error) => error,
        error => io::Error::other(format!("{error} ({})", error.path().display())),
    })?;
    Ok((spot, lock))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::files::hidden;

    #[test]
    fn what_a_killed_run_left_is_swept_and_a_failure_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(hidden(&path, NEW), "half of").unwrap();
        probe(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(hidden(&path, NEW), "half of").unwrap();
        write(&path, 0o600, |mut file| file.write_all(b"all")).unwrap();
        assert!(write(&path, 0o600, |_| Err(io::ErrorKind::StorageFull.into())).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"all");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(folder.path(), 0o600, |_| Ok(())).is_err());
        assert!(probe(&folder.path().join("missing/out")).is_err());
    }
}
