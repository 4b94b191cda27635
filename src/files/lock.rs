//! The lock that keeps runs of this program apart: an advisory lock on the
//! file itself, which leaves nothing behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for another run that holds the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a file and locks it until the handle is dropped. The handle is that
/// of the file which stands at the path when the lock is held.
///
/// # Errors
///
/// When it cannot be opened or is no regular file; `WouldBlock` when another
/// run holds it too long.
pub fn open(path: &Path) -> io::Result<File> {
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
        let file = File::open(path)?;
        match file.try_lock() {
            Ok(()) => {
                // The run before may have put another file in this one's place.
                let (there, ours) = (fs::metadata(path)?, file.metadata()?);
                if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) {
                    return Ok(file);
                }
            }
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
