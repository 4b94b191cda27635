//! Opening what somebody else may have put there. Nothing here waits for ever:
//! a pipe, a device or a file of the kernel in a file's place is an error, and
//! so is one that took its place between the look and the opening.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

/// How long a pipe may be silent: with somebody at its other end, and before anybody came.
const SILENCE: Duration = Duration::from_secs(60);
const NOBODY: Duration = Duration::from_secs(5);

const PAUSE: Duration = Duration::from_millis(5);

/// How things are opened that may be anything: without waiting, and without
/// becoming the terminal's process.
pub(crate) fn flags(more: OFlags) -> i32 {
    (OFlags::NONBLOCK | OFlags::NOCTTY | more)
        .bits()
        .cast_signed()
}

/// Opens a regular file for reading, links followed.
///
/// # Errors
///
/// When it cannot be opened, or is something else.
pub fn regular(path: &Path) -> io::Result<File> {
    // Before it is opened: opening a device may already do something.
    check(&fs::metadata(path)?)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::empty()))
        .open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Whether this is a regular file.
pub(crate) fn check(meta: &Metadata) -> io::Result<()> {
    if meta.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if meta.is_file() {
        Ok(())
    } else {
        Err(io::Error::other("it is a device, a pipe or a socket"))
    }
}

/// Reads at most `limit` octets of a regular file or of a pipe that somebody
/// fills, as `<(command)` makes one in a shell.
///
/// # Errors
///
/// When it is neither, cannot be read, or nothing comes.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let is_pipe = fs::metadata(path)?.file_type().is_fifo();
    if !is_pipe {
        let mut bytes = Vec::new();
        regular(path)?
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(explained)?;
        return Ok(bytes);
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::empty()))
        .open(path)?;
    if !file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other(
            "it was replaced while it was being opened",
        ));
    }
    read_pipe(&file, limit, NOBODY, SILENCE)
}

fn read_pipe(
    mut pipe: &File,
    limit: u64,
    nobody: Duration,
    silence: Duration,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut block = vec![0; 64 << 10];
    let mut heard = Instant::now();
    // Somebody may have opened it and said nothing yet.
    let mut met = false;
    loop {
        let wanted = usize::try_from(limit - bytes.len() as u64)
            .unwrap_or(usize::MAX)
            .min(block.len());
        if wanted == 0 {
            return Ok(bytes);
        }
        let patience = match pipe.read(&mut block[..wanted]) {
            Ok(0) if met || !bytes.is_empty() => return Ok(bytes),
            // Nobody has it open for writing yet.
            Ok(0) => nobody,
            Ok(count) => {
                bytes.extend_from_slice(&block[..count]);
                heard = Instant::now();
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                met = true;
                silence
            }
            Err(error) => return Err(error),
        };
        if heard.elapsed() >= patience {
            return Err(io::Error::other(
                "it is a pipe, and nothing comes through it",
            ));
        }
        thread::sleep(PAUSE);
    }
}

/// What the kernel says of its own files that have nothing to read now.
pub(crate) fn explained(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        io::Error::other("there is nothing to read in it now, and nobody knows when there will be")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Command;

    use super::*;

    fn pipe(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        path
    }

    #[test]
    fn what_is_no_file_is_an_error_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(folder.path());
        std::os::unix::fs::symlink(&pipe, folder.path().join("link")).unwrap();
        for path in [
            pipe.as_path(),
            &folder.path().join("link"),
            Path::new("/dev/zero"),
            folder.path(),
        ] {
            assert!(regular(path).is_err(), "{}", path.display());
        }
        for path in [Path::new("/dev/zero"), Path::new("/dev/tty"), folder.path()] {
            assert!(read(path, 10).is_err(), "{}", path.display());
        }
        assert_eq!(
            regular(folder.path()).unwrap_err().kind(),
            io::ErrorKind::IsADirectory
        );
    }

    #[test]
    fn a_pipe_is_read_to_its_end_and_one_without_a_writer_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let nothing = OpenOptions::new()
            .read(true)
            .custom_flags(flags(OFlags::empty()))
            .open(&path)
            .unwrap();
        let short = Duration::from_millis(30);
        assert!(read_pipe(&nothing, 99, short, SILENCE).is_err());
        // Somebody who has it open and says nothing is waited for longer, and not for ever.
        let silent = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        assert!(read_pipe(&nothing, 99, SILENCE, short).is_err());
        drop((nothing, silent));
        let writing = path.clone();
        let writer = thread::spawn(move || {
            let mut pipe = OpenOptions::new().write(true).open(writing).unwrap();
            // What is beyond the limit may find nobody to read it.
            let _ = pipe.write_all(&vec![b'x'; 200_000]);
        });
        assert_eq!(read(&path, 100_000).unwrap().len(), 100_000);
        writer.join().unwrap();
    }
}
