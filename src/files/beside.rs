//! A new text in the making: written under a hidden name beside the file that
//! it is for, with that file's attributes, and synced.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::PathBuf;
use std::{fmt, io};

use rustix::fs::OFlags;
use rustix::io::Errno;
use xattr::FileExt;

use crate::files::copy::copy_pieces;
use crate::files::spot::Spot;
use crate::text::splice::Splice;

/// The mode of what is nobody else's to read, until it gets another one.
pub(crate) const PRIVATE: u32 = 0o600;

/// What in particular went wrong, inside the error of the system.
#[derive(Debug)]
pub(crate) enum Unmade {
    /// The new file cannot be given the owner and group of the old one.
    Owner,
    /// A folder stands where the new file is to be written.
    Folder(PathBuf),
}

impl Unmade {
    /// That of an error, where there is one.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl fmt::Display for Unmade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => {
                f.write_str("the new file cannot be given the owner and group of the old one")
            }
            Self::Folder(_) => {
                f.write_str("a folder has the name that the new file is to have at first")
            }
        }
    }
}

impl std::error::Error for Unmade {}

/// A file written under a hidden name; dropped before it is put in its place, it is gone.
#[derive(Debug)]
pub(crate) struct Beside {
    /// Where it lies.
    pub(crate) spot: Spot,
    /// It is open as long as it is ours.
    pub(crate) file: File,
    ours: bool,
}

impl Beside {
    /// Writes an edited text with the attributes of the original, and syncs it.
    ///
    /// # Errors
    ///
    /// When that fails; nothing is left behind then.
    pub(crate) fn write(original: &File, splices: &[Splice], spot: Spot) -> io::Result<Self> {
        let new = Self::make(spot, PRIVATE)?;
        copy_pieces(original, splices, &new.file)?;
        copy_attributes(original, &new.file)?;
        sync(&new.file)?;
        Ok(new)
    }

    /// Makes an empty one with this mode, as far as the umask allows.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn make(spot: Spot, mode: u32) -> io::Result<Self> {
        // Under the file's lock, one that lies there already is left from a run that was killed.
        remove_leftover(&spot)?;
        let file = spot.open(OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode)?;
        Ok(Self {
            spot,
            file,
            ours: true,
        })
    }

    /// Renames it over `target`.
    ///
    /// # Errors
    ///
    /// When that fails; it is gone then.
    pub(crate) fn put(mut self, target: &Spot) -> io::Result<()> {
        self.spot.rename(target)?;
        self.ours = false;
        Ok(())
    }

    /// What lies at its spot is no longer this file.
    pub(crate) fn forget(&mut self) {
        self.ours = false;
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.ours {
            let _ = self.spot.remove();
        }
    }
}

/// Removes what may lie there.
///
/// # Errors
///
/// When it is there and cannot be removed.
pub(crate) fn remove_leftover(spot: &Spot) -> io::Result<()> {
    match spot.remove() {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Err(io::Error::new(
            error.kind(),
            Unmade::Folder(spot.path().to_owned()),
        )),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes what was written last, or says that this file system cannot.
///
/// # Errors
///
/// When it cannot be synced.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    file.sync_all().map_err(|error| {
        let without = [
            Errno::INVAL,
            Errno::NOSYS,
            Errno::NOTSUP,
            Errno::OPNOTSUPP,
            Errno::ROFS,
        ];
        if error
            .raw_os_error()
            .is_some_and(|code| without.iter().any(|errno| errno.raw_os_error() == code))
        {
            io::Error::new(
                error.kind(),
                format!("the file system does not let files be synced: {error}"),
            )
        } else {
            error
        }
    })
}

/// Gives the new file the owner, group, mode and extended attributes of the
/// old, which hold its access list, and no others.
fn copy_attributes(from: &File, to: &File) -> io::Result<()> {
    let meta = from.metadata()?;
    let present = to.metadata()?;
    if (meta.uid(), meta.gid()) != (present.uid(), present.gid()) {
        fchown(to, Some(meta.uid()), Some(meta.gid())).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => io::Error::new(error.kind(), Unmade::Owner),
            _ => error,
        })?;
    }
    let names: Vec<_> = match from.list_xattr() {
        Ok(names) => names.collect(),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Vec::new(),
        Err(error) => return Err(error),
    };
    // The folder may have given the new file an access list of its own.
    let given = to
        .list_xattr()
        .map(Iterator::collect::<Vec<_>>)
        .unwrap_or_default();
    for name in given.iter().filter(|name| !names.contains(name)) {
        to.remove_xattr(name)?;
    }
    for name in names {
        let value = from.get_xattr(&name)?;
        if let Some(value) =
            value.filter(|value| to.get_xattr(&name).ok().flatten().as_ref() != Some(value))
        {
            to.set_xattr(&name, &value)?;
        }
    }
    // After the owner, whose change clears the set-id bits, and after the
    // attributes, which a file that may not be written does not take.
    to.set_permissions(meta.permissions())
}
