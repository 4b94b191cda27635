//! The lock that keeps runs of this program apart: an advisory lock on the
//! file itself, which leaves nothing behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for another run that holds the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// The error of a lock that needs a handle for writing, the same on every Unix.
const EBADF: i32 = 9;

/// Opens a file and locks it until the handle is dropped. The handle is that
/// of the file which stands at the path when the lock is held.
///
/// # Errors
///
/// When it cannot be opened or is no regular file; `WouldBlock` when another
/// run holds it too long.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, File::try_lock)
}

fn open_with(path: &Path, lock: impl Fn(&File) -> Result<(), TryLockError>) -> io::Result<File> {
    // Closing a handle for writing wakes those who watch the file, so it comes second.
    let mut for_writing = false;
    let deadline = Instant::now() + PATIENCE;
    loop {
        // Before it is opened: a pipe would wait for somebody who writes.
        let meta = fs::metadata(path)?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !meta.is_file() {
            return Err(io::Error::other("it is a device, a pipe or a socket"));
        }
        let file = File::options().read(true).write(for_writing).open(path)?;
        match lock(&file) {
            Ok(()) => {
                // The run before may have put another file in this one's place.
                let (there, ours) = (fs::metadata(path)?, file.metadata()?);
                if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) {
                    return Ok(file);
                }
            }
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            // NFS makes a lock on a range of it, which a handle for reading alone does not get.
            Err(TryLockError::Error(error)) if error.raw_os_error() == Some(EBADF) && !for_writing => {
                for_writing = true;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn where_a_lock_needs_a_handle_for_writing_it_gets_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zone");
        fs::write(&path, "text").unwrap();
        // Writing nothing fails on a handle for reading as such a lock does.
        let lock = |mut file: &File| {
            file.write(b"").map_err(TryLockError::Error)?;
            file.try_lock()
        };
        let held = open_with(&path, lock).unwrap();
        assert!(matches!(File::open(&path).unwrap().try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        assert_eq!(fs::read(&path).unwrap(), b"text");
        let refuses = |_: &File| Err(TryLockError::Error(io::Error::from_raw_os_error(EBADF)));
        assert_eq!(open_with(&path, refuses).unwrap_err().raw_os_error(), Some(EBADF));
    }
}
