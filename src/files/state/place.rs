//! Whose the state is: its folder, and each file in it.

use std::fs::{self, DirBuilder, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::{Problem, StateError};
use crate::files::lock::user;
use crate::files::open;

/// More than any document has.
const LARGEST: u64 = 256 << 20;

/// The mode of a new folder.
const PRIVATE: u32 = 0o700;

/// Makes the folder where there is none, and looks at the one that is there.
pub(super) fn make(folder: &Path) -> Result<(), StateError> {
    if look(folder)? {
        return Ok(());
    }
    let failed = |error| StateError::io(folder, error);
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE)
        .create(folder)
        .map_err(failed)?;
    // The umask may have taken something away.
    if fs::metadata(folder).map_err(failed)?.mode() & 0o777 != PRIVATE {
        fs::set_permissions(folder, Permissions::from_mode(PRIVATE)).map_err(failed)?;
    }
    look(folder).map(|_| ())
}

/// Whether the folder is there, and it is an error if it is somebody else's. It
/// may be a link, as systemd makes one for a service whose user comes and goes.
pub(super) fn look(folder: &Path) -> Result<bool, StateError> {
    let link = match fs::symlink_metadata(folder) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StateError::io(folder, error)),
    };
    let meta = fs::metadata(folder).map_err(|error| StateError::io(folder, error))?;
    let wrong = |problem| StateError {
        path: folder.to_owned(),
        problem,
    };
    if !meta.is_dir() {
        return Err(wrong(Problem::Io(io::ErrorKind::NotADirectory.into())));
    }
    for meta in [&link, &meta] {
        ours(meta).map_err(wrong)?;
    }
    Ok(true)
}

/// Reads a file of the state that is ours; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    let wrong = |problem| StateError {
        path: path.to_owned(),
        problem,
    };
    match fs::symlink_metadata(path) {
        Ok(meta) if !meta.is_file() => return Err(wrong(Problem::NoFile)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(Problem::Io(error))),
    }
    let flags = open::flags(OFlags::NOFOLLOW);
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(Problem::Io(error))),
    };
    let meta = file.metadata().map_err(|error| wrong(Problem::Io(error)))?;
    if !meta.is_file() {
        return Err(wrong(Problem::NoFile));
    }
    ours(&meta).map_err(wrong)?;
    let mut text = Vec::new();
    let read = file
        .take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| wrong(Problem::Io(error)))?;
    if read as u64 > LARGEST {
        return Err(wrong(Problem::Damaged(
            "it is larger than any that this program writes".to_owned(),
        )));
    }
    Ok(Some(text))
}

/// Whose a file is.
pub(super) fn owner(path: &Path) -> u32 {
    fs::symlink_metadata(path).map_or(0, |meta| meta.uid())
}

fn ours(meta: &Metadata) -> Result<(), Problem> {
    if meta.uid() != user() && meta.uid() != 0 {
        return Err(Problem::Foreign(meta.uid()));
    }
    // A link has no mode of its own.
    if !meta.is_symlink() && meta.mode() & 0o022 != 0 {
        return Err(Problem::Writable(meta.mode()));
    }
    Ok(())
}
