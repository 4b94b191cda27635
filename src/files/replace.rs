//! Replacing files in one step: the new text is written beside the old file
//! with the same mode, owner, group and extended attributes, synced, and
//! renamed over it. Several files: all are written before the first rename,
//! and a rename that fails puts the earlier ones back.
//!
//! A run that is killed leaves each file old or new, whole. Between two renames
//! some are old and some are new; the file with the serial goes first, so that
//! the next run still finds something to change and moves the serial again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use xattr::FileExt;

use crate::files::copy::copy_pieces;
use crate::files::disk::{Disk, Fingerprint};
use crate::files::{BACKUP, NEW, OLD, beside, hidden};
use crate::zone::splice::Splice;

/// Why a file was not replaced; it is as it was.
#[derive(Debug)]
pub enum ReplaceError {
    /// The file changed since it was read.
    Changed(PathBuf),
    /// The backup would take the place of one of the zone's own files.
    OverZone(PathBuf),
    /// Something failed on the way.
    Io(PathBuf, io::Error),
    /// The files are replaced, but the folder could not be synced: a crash of
    /// the machine may still undo that.
    NotSynced(PathBuf, io::Error),
    /// A rename failed, and so did putting an earlier file back.
    HalfDone(PathBuf, io::Error),
}

/// New files that lie ready beside the old ones; dropped, they are gone.
#[derive(Debug, Default)]
pub struct Staged {
    files: Vec<StagedFile>,
}

#[derive(Debug)]
struct StagedFile {
    target: PathBuf,
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
    pub fn write(disk: &Disk, splices: &[(usize, Vec<Splice>)], first: usize) -> Result<Self, ReplaceError> {
        let mut staged = Self::default();
        let (leading, rest): (Vec<_>, Vec<_>) = splices.iter().partition(|(file, _)| *file == first);
        for (file, splices) in leading.into_iter().chain(rest) {
            let found = disk.with(*file, |opened| {
                let failed = |error| ReplaceError::Io(opened.path.clone(), error);
                let new = Beside::write(&opened.file, splices, hidden(&opened.path, NEW)).map_err(failed)?;
                Ok(StagedFile { target: opened.path.clone(), new, read_as: opened.fingerprint })
            });
            staged.files.extend(found.transpose()?);
        }
        Ok(staged)
    }

    /// Where the new text of a file lies before it is put in place.
    #[must_use]
    pub fn new_path(&self, target: &Path) -> Option<&Path> {
        self.files.iter().find(|file| file.target == target).map(|file| file.new.path.as_path())
    }

    /// Keeps a copy of each old file under its name with `suffix`.
    ///
    /// # Errors
    ///
    /// When that fails; the zone is untouched.
    pub fn back_up(&self, disk: &Disk, suffix: &str) -> Result<(), ReplaceError> {
        let kept = |file: &StagedFile| beside(&file.target, suffix);
        if let Some(over) = self.files.iter().map(kept).find(|kept| disk.holds(kept)) {
            return Err(ReplaceError::OverZone(over));
        }
        for file in &self.files {
            let copied = File::open(&file.target)
                .and_then(|old| Beside::write(&old, &[], hidden(&file.target, BACKUP)))
                .and_then(|copy| copy.put(&kept(file)).map_err(|(_, error)| error));
            copied.map_err(|error| ReplaceError::Io(kept(file), error))?;
        }
        Ok(())
    }

    /// Puts the new files in place, if the old ones are still what was read.
    ///
    /// # Errors
    ///
    /// When one changed meanwhile, or a rename fails; then all are as they were.
    pub fn commit(self) -> Result<(), ReplaceError> {
        for file in &self.files {
            let now = Fingerprint::at(&file.target);
            if now.map_err(|error| ReplaceError::Io(file.target.clone(), error))? != file.read_as {
                return Err(ReplaceError::Changed(file.target.clone()));
            }
        }
        let many = self.files.len() > 1;
        let mut done: Vec<Done> = Vec::new();
        for StagedFile { target, new, .. } in self.files {
            let old = many.then(|| hidden(&target, OLD));
            let kept = old.as_deref().map_or(Ok(()), |old| keep_old(&target, old));
            let put = match kept {
                Ok(()) => new.put(&target).map_err(|(_, error)| error),
                Err(error) => Err(error),
            };
            match put {
                Ok(lock) => done.push(Done { target, old, _lock: lock }),
                Err(error) => {
                    old.map(fs::remove_file);
                    return Err(put_back(done).err().unwrap_or(ReplaceError::Io(target, error)));
                }
            }
        }
        for old in done.iter().filter_map(|file| file.old.as_ref()) {
            // One that stays does no harm, and the next run removes it.
            let _ = fs::remove_file(old);
        }
        for file in &done {
            let folder = file.target.parent().unwrap_or(Path::new("/"));
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| ReplaceError::NotSynced(folder.to_owned(), error))?;
        }
        Ok(())
    }
}

/// A file that is in place, locked until everything is done.
struct Done {
    target: PathBuf,
    /// The second name of the old text.
    old: Option<PathBuf>,
    _lock: File,
}

/// Undoes renames, the one with the serial last.
fn put_back(done: Vec<Done>) -> Result<(), ReplaceError> {
    for file in done.iter().rev() {
        let Some(old) = &file.old else { continue };
        fs::rename(old, &file.target).map_err(|error| ReplaceError::HalfDone(file.target.clone(), error))?;
    }
    Ok(())
}

/// A second name for the old file, to put it back under.
fn keep_old(target: &Path, old: &Path) -> io::Result<()> {
    remove_leftover(old)?;
    fs::hard_link(target, old)
}

/// A file written under a hidden name; dropped before it is put in its place, it is gone.
#[derive(Debug)]
pub(crate) struct Beside {
    /// Where it lies.
    pub(crate) path: PathBuf,
    file: Option<File>,
}

impl Beside {
    /// Writes an edited text with the attributes of the original, and syncs it.
    ///
    /// # Errors
    ///
    /// When that fails; nothing is left behind then.
    pub(crate) fn write(original: &File, splices: &[Splice], path: PathBuf) -> io::Result<Self> {
        // Under the file's lock, one that lies there already is left from a run that was killed.
        remove_leftover(&path)?;
        // Nobody else's to read until it has the original's mode.
        let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let mut new = Self { path, file: None };
        // Where it takes the original's place, a run that waits for that finds this one locked as well.
        match out.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        copy_pieces(original, splices, &out)?;
        copy_attributes(original, &out)?;
        out.sync_all()?;
        new.file = Some(out);
        Ok(new)
    }

    /// Renames it over `target` and hands over its lock.
    fn put(mut self, target: &Path) -> Result<File, (Self, io::Error)> {
        let Some(file) = self.file.take() else { return Err((self, io::ErrorKind::NotFound.into())) };
        match fs::rename(&self.path, target) {
            Ok(()) => {
                self.path = PathBuf::new();
                Ok(file)
            }
            Err(error) => Err((self, error)),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn remove_leftover(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives the new file the owner, group, mode and extended attributes of the
/// old, which hold its access list, and no others.
fn copy_attributes(from: &File, to: &File) -> io::Result<()> {
    let meta = from.metadata()?;
    let present = to.metadata()?;
    if (meta.uid(), meta.gid()) != (present.uid(), present.gid()) {
        fchown(to, Some(meta.uid()), Some(meta.gid()))?;
    }
    let names: Vec<_> = match from.list_xattr() {
        Ok(names) => names.collect(),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Vec::new(),
        Err(error) => return Err(error),
    };
    // The folder may have given the new file an access list of its own.
    let given = to.list_xattr().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    for name in given.iter().filter(|name| !names.contains(name)) {
        to.remove_xattr(name)?;
    }
    for name in names {
        let value = from.get_xattr(&name)?;
        if let Some(value) = value.filter(|value| to.get_xattr(&name).ok().flatten().as_ref() != Some(value)) {
            to.set_xattr(&name, &value)?;
        }
    }
    // After the owner, whose change clears the set-id bits, and after the
    // attributes, which a file that may not be written does not take.
    to.set_permissions(meta.permissions())
}
