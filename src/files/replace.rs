//! Replacing files in one step: the new text is written beside the old file
//! with the same mode, owner, group and extended attributes, synced, and takes
//! its place. Several files: all are written before the first one is put in
//! place, and a step that fails takes the earlier ones back. So does a file that
//! somebody changed in the last moment: the last look is behind the sync. Who
//! has it open then, and writes later, writes to a file that is gone.
//!
//! A run that is killed leaves each file old or new, whole. Between two steps
//! some are old and some are new; the file with the serial goes first, so that
//! the next run still finds something to change and moves the serial again.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::beside::{Beside, sync};
use crate::files::disk::{Disk, Fingerprint, OpenError};
use crate::files::lock::LockError;
use crate::files::spot::Spot;
use crate::files::swap::{Stuck, Swapped};
use crate::files::{BACKUP, NEW};
use crate::text::splice::Splice;

/// Why a file was not replaced; it is as it was.
#[derive(Debug)]
pub enum ReplaceError {
    /// The file changed since it was read.
    Changed(PathBuf),
    /// The backup would take the place of one of the zone's own files.
    OverZone(PathBuf),
    /// The lock of this file cannot be had.
    Lock(PathBuf, LockError),
    /// Something failed on the way.
    Io(PathBuf, io::Error),
    /// The files are replaced, but the folder could not be synced: a crash of
    /// the machine may still undo that.
    NotSynced(PathBuf, io::Error),
    /// A file was to be put back, and that failed.
    HalfDone {
        /// The file.
        path: PathBuf,
        /// Where its old text lies.
        old: Option<PathBuf>,
        /// What went wrong.
        error: io::Error,
    },
}

impl From<Stuck> for ReplaceError {
    fn from(Stuck { target, old, error }: Stuck) -> Self {
        Self::HalfDone {
            path: target,
            old,
            error,
        }
    }
}

/// New files that lie ready beside the old ones; dropped, they are gone.
#[derive(Debug, Default)]
pub struct Staged {
    files: Vec<StagedFile>,
}

#[derive(Debug)]
struct StagedFile {
    target: Spot,
    new: Beside,
    read_as: Fingerprint,
}

impl Staged {
    /// Writes the edited text of each file beside it, and syncs it. The file
    /// with the number `first`, which holds the serial, will be replaced first.
    ///
    /// # Errors
    ///
    /// When that fails; nothing is left behind then.
    pub fn write(
        disk: &Disk,
        splices: &[(usize, Vec<Splice>)],
        first: usize,
    ) -> Result<Self, ReplaceError> {
        let mut staged = Self::default();
        // Most are held since before the files were read; what was read of the others is looked at again.
        let mut places = Vec::new();
        for (file, splices) in splices {
            let Some((path, read_as)) =
                disk.with(*file, |opened| (opened.path.clone(), opened.fingerprint))
            else {
                continue;
            };
            let target = disk.lock(*file).map_err(|error| match error {
                OpenError::Io(error) => ReplaceError::Io(path, error),
                OpenError::Lock(error) => ReplaceError::Lock(path, error),
            })?;
            places.push((*file, splices, target, read_as));
        }
        let (leading, rest): (Vec<_>, Vec<_>) =
            places.into_iter().partition(|(file, ..)| *file == first);
        for (file, splices, target, read_as) in leading.into_iter().chain(rest) {
            let failed = |error| ReplaceError::Io(target.path().to_owned(), error);
            unchanged(&target, read_as)?;
            let original = disk.handle(file).map_err(failed)?;
            let new = Beside::write(&original, splices, target.hidden(NEW)).map_err(failed)?;
            staged.files.push(StagedFile {
                target,
                new,
                read_as,
            });
        }
        Ok(staged)
    }

    /// Where the new text of a file lies before it is put in place.
    #[must_use]
    pub fn new_path(&self, target: &Path) -> Option<&Path> {
        self.files
            .iter()
            .find(|file| file.target.path() == target)
            .map(|file| file.new.spot.path())
    }

    /// Keeps a copy of each old file under its name with `suffix`.
    ///
    /// # Errors
    ///
    /// When that fails; the zone is untouched.
    pub fn back_up(&self, disk: &Disk, suffix: &str) -> Result<(), ReplaceError> {
        let kept = |file: &StagedFile| file.target.beside(suffix);
        if let Some(over) = self
            .files
            .iter()
            .map(kept)
            .find(|kept| disk.holds(kept.path()))
        {
            return Err(ReplaceError::OverZone(over.path().to_owned()));
        }
        for file in &self.files {
            let copied = file
                .target
                .read()
                .and_then(|old| Beside::write(&old, &[], file.target.hidden(BACKUP)));
            let put = copied.and_then(|copy| copy.put(&kept(file)));
            put.map_err(|error| ReplaceError::Io(kept(file).path().to_owned(), error))?;
        }
        Ok(())
    }

    /// Puts the new files in place, if the old ones are still what was read.
    ///
    /// # Errors
    ///
    /// When one changed meanwhile, or a step fails; then all are as they were.
    pub fn commit(self) -> Result<(), ReplaceError> {
        for file in &self.files {
            unchanged(&file.target, file.read_as)?;
        }
        let many = self.files.len() > 1;
        let mut done: Vec<Swapped> = Vec::new();
        for StagedFile {
            target,
            new,
            read_as,
        } in self.files
        {
            match Swapped::swap(new, &target, read_as, many) {
                Ok(swapped) => done.push(swapped),
                Err(error) => {
                    put_back(done)?;
                    return Err(ReplaceError::Io(target.path().to_owned(), error));
                }
            }
        }
        let mut done = all_untouched(done)?;
        let synced = done.iter().try_for_each(|file| sync_folder(file.target()));
        // Somebody who had the file open may have written to it meanwhile.
        done = all_untouched(done)?;
        done.into_iter().for_each(Swapped::finish);
        synced
    }
}

/// Whether a file is what was read, also for whoever comes by its path.
fn unchanged(target: &Spot, read_as: Fingerprint) -> Result<(), ReplaceError> {
    match Fingerprint::at(target.path()) {
        Ok(now) if now == read_as => Ok(()),
        Ok(_) => Err(ReplaceError::Changed(target.path().to_owned())),
        Err(error) => Err(ReplaceError::Io(target.path().to_owned(), error)),
    }
}

/// Hands the files on, unless somebody changed an old text in the last moment:
/// then all go back.
fn all_untouched(done: Vec<Swapped>) -> Result<Vec<Swapped>, ReplaceError> {
    let Some(changed) = done
        .iter()
        .find(|file| !file.is_untouched())
        .map(|file| file.target().path().to_owned())
    else {
        return Ok(done);
    };
    put_back(done)?;
    Err(ReplaceError::Changed(changed))
}

/// Undoes steps, the one with the serial last.
fn put_back(done: Vec<Swapped>) -> Result<(), ReplaceError> {
    let mut stuck = Ok(());
    for file in done.into_iter().rev() {
        let target = file.target().clone();
        // One that is stuck is no reason to leave the others.
        stuck = stuck.and(file.put_back());
        // What is put back is what was there before, whether or not that is on the disk yet.
        let _ = sync_folder(&target);
    }
    Ok(stuck?)
}

/// Makes the step last.
fn sync_folder(target: &Spot) -> Result<(), ReplaceError> {
    let path = target.path().parent().unwrap_or(Path::new("/"));
    target
        .folder()
        .and_then(|folder| sync(&folder))
        .map_err(|error| ReplaceError::NotSynced(path.to_owned(), error))
}
