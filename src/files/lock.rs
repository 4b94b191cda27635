//! The lock that keeps runs of this program apart.
//!
//! It lives beside the file, in a hidden file of ours, and nowhere else:
//!
//! * Not on the zone file itself. An advisory lock can be taken by everybody who
//!   may open the file, a shared one by everybody who may read it: then any
//!   local user stops all edits for as long as they like. The lock file has mode
//!   0600, so only its owner and root can open it.
//! * Not in the state folder. Two users who edit one zone have two of those.
//! * Not in `/run/lock` or `/tmp`, where everybody may make files.
//! * In the zone's folder (of the file that links lead to), because whoever may
//!   make a file there may replace the zone anyway. It works over NFS too: the
//!   handle is one for writing, as its locks need.
//!
//! It is gone when the run ends. One that a killed run left is empty and free,
//! and the next run of that user or of root takes it over. Another user cannot
//! even open it: they wait as for a run of their own, and are told then which
//! file it is.

use std::fmt;
use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use crate::files::LOCK;
use crate::files::spot::Spot;

/// How long to wait for another run that holds the lock.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(20);

/// How often a lock file that vanishes on the way is looked for again.
const TRIES: u32 = 4;

/// Why there is no lock.
#[derive(Debug)]
pub enum LockError {
    /// Another run holds it; trying again later may help.
    Locked(PathBuf),
    /// Another user holds it, or a run of theirs that was killed left it.
    Foreign(PathBuf),
    /// Something else stands in its place.
    InTheWay(PathBuf),
    /// It cannot be made, as this user may not write the folder, or cannot.
    Io(PathBuf, io::Error),
}

impl LockError {
    /// Where the lock is, or should be.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Locked(path) | Self::Foreign(path) | Self::InTheWay(path) | Self::Io(path, _) => {
                path
            }
        }
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(_) => f.write_str("another run is at work on this file"),
            Self::Foreign(_) => {
                f.write_str("another user is at work on this file, or left a lock there")
            }
            Self::InTheWay(_) => f.write_str("something else stands in the place of the lock"),
            Self::Io(_, error) if no_locks(error) => {
                write!(f, "the file system keeps no locks: {error}")
            }
            Self::Io(_, error) => write!(f, "the lock cannot be made: {error}"),
        }
    }
}

impl std::error::Error for LockError {}

/// Whether a file system says that it has no locks, or nobody who keeps them.
pub(crate) fn no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let without = [Errno::NOLCK, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS];
    error
        .raw_os_error()
        .is_some_and(|code| without.iter().any(|errno| errno.raw_os_error() == code))
}

/// A lock that is held; dropped, its file is gone.
#[derive(Debug)]
pub struct Lock {
    target: Spot,
    file: File,
}

impl Lock {
    /// Takes the lock of a file, and waits a little for another run.
    ///
    /// # Errors
    ///
    /// When it cannot be had.
    pub(crate) fn hold(target: &Spot) -> Result<Self, LockError> {
        Self::hold_for(target, PATIENCE)
    }

    /// Takes the lock of a file if nobody has it.
    ///
    /// # Errors
    ///
    /// When it cannot be had.
    pub(crate) fn take(target: &Spot) -> Result<Self, LockError> {
        Self::hold_for(target, Duration::ZERO)
    }

    /// What is locked.
    pub(crate) fn target(&self) -> &Spot {
        &self.target
    }

    fn hold_for(target: &Spot, patience: Duration) -> Result<Self, LockError> {
        let spot = target.hidden(LOCK);
        let deadline = Instant::now() + patience;
        loop {
            let file = match private(&spot) {
                // Nobody can tell whether that is held: it is waited for like one that is.
                Err(LockError::Foreign(_)) if Instant::now() < deadline => {
                    thread::sleep(PAUSE);
                    continue;
                }
                opened => opened?,
            };
            match file.try_lock() {
                // The run before may have taken the file away with it.
                Ok(()) if is_at(&file, &spot) => {
                    return Ok(Self {
                        target: target.clone(),
                        file,
                    });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Locked(spot.path().to_owned()));
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => {
                    // Where there are no locks, nobody else holds it either.
                    let path = spot.path().to_owned();
                    drop(Self {
                        target: target.clone(),
                        file,
                    });
                    return Err(LockError::Io(path, error));
                }
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is held, so that nobody else's is taken away. What is not empty is none of ours.
        let spot = self.target.hidden(LOCK);
        if is_at(&self.file, &spot) && self.file.metadata().is_ok_and(|meta| meta.len() == 0) {
            let _ = spot.remove();
        }
    }
}

/// Opens a lock file that nobody else can open, or makes it.
///
/// # Errors
///
/// When that fails, or what stands there is not ours.
pub(crate) fn private(spot: &Spot) -> Result<File, LockError> {
    let path = spot.path();
    let wrong = |error: io::Error| {
        let Ok(meta) = spot.look() else {
            return LockError::Io(path.to_owned(), error);
        };
        if !meta.is_file() {
            LockError::InTheWay(path.to_owned())
        } else if meta.uid() != user() && error.kind() == io::ErrorKind::PermissionDenied {
            LockError::Foreign(path.to_owned())
        } else {
            LockError::Io(path.to_owned(), error)
        }
    };
    let open = || spot.open(OFlags::RDWR | OFlags::CREATE, 0o600);
    let opened = (0..TRIES).find_map(|_| match open() {
        // It was another user's, and is gone by now; or the folder takes no file from this user.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && spot.look().is_err() => {
            None
        }
        opened => Some(opened),
    });
    let file = opened.unwrap_or_else(open).map_err(wrong)?;
    let meta = file.metadata().map_err(wrong)?;
    if !meta.is_file() {
        return Err(LockError::InTheWay(path.to_owned()));
    }
    // Older builds let others read theirs, and whoever may open one may lock it.
    if meta.uid() == user() && meta.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(wrong)?;
    }
    Ok(file)
}

/// The user that this process acts as.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn is_at(file: &File, spot: &Spot) -> bool {
    match (spot.look(), file.metadata()) {
        (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn take(zone: &Path) -> Result<Lock, LockError> {
        Lock::take(&Spot::named(zone).unwrap())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_lock_is_a_file_that_nobody_else_opens_and_goes_with_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("zone");
        fs::write(&zone, "text").unwrap();
        let held = take(&zone).unwrap();
        let path = folder.path().join(".zone.danewright-lock");
        assert_eq!(mode(&path), 0o600);
        assert!(matches!(take(&zone), Err(LockError::Locked(at)) if at == path));
        drop(held);
        assert!(!path.exists());
        drop(take(&zone).unwrap());
    }

    #[test]
    fn whoever_reads_the_file_itself_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("zone");
        fs::write(&zone, "text").unwrap();
        let reader = File::open(&zone).unwrap();
        reader.lock_shared().unwrap();
        drop(take(&zone).unwrap());
    }

    #[test]
    fn what_a_killed_run_left_is_taken_over_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let (zone, left) = (
            folder.path().join("zone"),
            folder.path().join(".zone.danewright-lock"),
        );
        fs::write(&left, "").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o666)).unwrap();
        let held = take(&zone).unwrap();
        assert_eq!(mode(&left), 0o600);
        drop(held);
        assert!(!left.exists());
    }

    #[test]
    fn what_is_no_lock_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (zone, place) = (
            folder.path().join("zone"),
            folder.path().join(".zone.danewright-lock"),
        );
        let precious = folder.path().join("precious");
        fs::write(&precious, "").unwrap();
        for target in [
            precious.as_path(),
            Path::new("/dev/null"),
            Path::new("nowhere"),
        ] {
            symlink(target, &place).unwrap();
            assert!(
                matches!(take(&zone), Err(LockError::InTheWay(_))),
                "{}",
                target.display()
            );
            fs::remove_file(&place).unwrap();
        }
        fs::create_dir(&place).unwrap();
        assert!(matches!(take(&zone), Err(LockError::InTheWay(_))));
        fs::remove_dir(&place).unwrap();
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&place)
                .status()
                .unwrap()
                .success()
        );
        assert!(matches!(take(&zone), Err(LockError::InTheWay(_))));
        fs::remove_file(&place).unwrap();
        fs::write(&place, "somebody's text").unwrap();
        drop(take(&zone).unwrap());
        assert_eq!(fs::read(&place).unwrap(), b"somebody's text");
        assert!(precious.exists());
    }

    #[test]
    fn of_many_at_once_one_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("zone");
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let held = Lock::hold(&Spot::named(&zone).unwrap()).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(held);
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
