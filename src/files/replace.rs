//! Replacing files in one step: the new text is written beside the old file
//! with the same mode, owner, group and extended attributes, synced, and
//! renamed over it. Several files: all are written before the first rename,
//! and a rename that fails puts the earlier ones back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use crate::files::beside;
use crate::files::disk::{Disk, Fingerprint};
use crate::zone::splice::{Piece, Splice, pieces};

/// Why a file was not replaced; it is as it was.
#[derive(Debug)]
pub enum ReplaceError {
    /// The file changed since it was read.
    Changed(PathBuf),
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
    new: PathBuf,
    read_as: Fingerprint,
    renamed: bool,
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.new);
        }
    }
}

impl Staged {
    /// Writes the edited text of each file beside it, and syncs it.
    ///
    /// # Errors
    ///
    /// When that fails; nothing is left behind then.
    pub fn write(disk: &Disk, splices: &[(usize, Vec<Splice>)]) -> Result<Self, ReplaceError> {
        let mut staged = Self::default();
        for (file, splices) in splices {
            let found = disk.with(*file, |opened| {
                let failed = |error| ReplaceError::Io(opened.path.clone(), error);
                let new = hidden(&opened.path, ".danewright-new");
                // Under the file's lock, one that lies there already is left from a run that was killed.
                match fs::remove_file(&new) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
                let mut out = OpenOptions::new().write(true).create_new(true).open(&new).map_err(failed)?;
                let entry =
                    StagedFile { target: opened.path.clone(), new, read_as: opened.fingerprint, renamed: false };
                copy_pieces(&opened.file, splices, &mut out).map_err(failed)?;
                copy_attributes(&opened.file, &entry.new, &out).map_err(failed)?;
                out.sync_all().map_err(failed)?;
                Ok(entry)
            });
            staged.files.extend(found.transpose()?);
        }
        Ok(staged)
    }

    /// Where the new text of a file lies before it is put in place.
    #[must_use]
    pub fn new_path(&self, target: &Path) -> Option<&Path> {
        self.files.iter().find(|file| file.target == target).map(|file| file.new.as_path())
    }

    /// Keeps a copy of each old file under its name with `suffix`.
    ///
    /// # Errors
    ///
    /// When that fails; the zone is untouched.
    pub fn back_up(&self, suffix: &str) -> Result<(), ReplaceError> {
        for file in &self.files {
            let failed = |error| ReplaceError::Io(beside(&file.target, suffix), error);
            let copy = hidden(&file.target, ".danewright-backup");
            fs::copy(&file.target, &copy).map_err(failed)?;
            let synced = File::open(&copy).and_then(|copied| copied.sync_all());
            synced.and_then(|()| fs::rename(&copy, beside(&file.target, suffix))).map_err(|error| {
                let _ = fs::remove_file(&copy);
                failed(error)
            })?;
        }
        Ok(())
    }

    /// Puts the new files in place, if the old ones are still what was read.
    ///
    /// # Errors
    ///
    /// When one changed meanwhile, or a rename fails; then all are as they were.
    pub fn commit(mut self) -> Result<(), ReplaceError> {
        for file in &self.files {
            let now = File::open(&file.target).and_then(|opened| Fingerprint::of(&opened));
            if now.map_err(|error| ReplaceError::Io(file.target.clone(), error))? != file.read_as {
                return Err(ReplaceError::Changed(file.target.clone()));
            }
        }
        let many = self.files.len() > 1;
        for at in 0..self.files.len() {
            let file = &self.files[at];
            let old = hidden(&file.target, ".danewright-old");
            let kept = if many { keep_old(&file.target, &old) } else { Ok(()) };
            if let Err(error) = kept.and_then(|()| fs::rename(&file.new, &file.target)) {
                let failed = file.target.clone();
                return Err(self.put_back(at, &failed, error));
            }
            self.files[at].renamed = true;
        }
        for file in &self.files {
            let _ = fs::remove_file(hidden(&file.target, ".danewright-old"));
            let folder = file.target.parent().unwrap_or(Path::new("/"));
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| ReplaceError::NotSynced(folder.to_owned(), error))?;
        }
        Ok(())
    }

    fn put_back(&self, count: usize, failed: &Path, error: io::Error) -> ReplaceError {
        let _ = fs::remove_file(hidden(failed, ".danewright-old"));
        for file in &self.files[..count] {
            if let Err(error) = fs::rename(hidden(&file.target, ".danewright-old"), &file.target) {
                return ReplaceError::HalfDone(file.target.clone(), error);
            }
        }
        ReplaceError::Io(failed.to_owned(), error)
    }
}

/// A second name for the old file, to put it back under.
fn keep_old(target: &Path, old: &Path) -> io::Result<()> {
    match fs::remove_file(old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::hard_link(target, old)
}

/// A hidden name in the same folder.
fn hidden(path: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}

/// Writes a file's edited text: kept pieces are copied by the system where it can.
///
/// # Errors
///
/// When reading or writing fails.
pub fn copy_pieces(original: &File, splices: &[Splice], out: &mut File) -> io::Result<()> {
    let mut original = original;
    let length = original.metadata()?.len();
    for piece in pieces(splices, length) {
        match piece {
            Piece::New(text) => out.write_all(text)?,
            Piece::Kept(start, end) => {
                original.seek(SeekFrom::Start(start))?;
                if io::copy(&mut original.take(end - start), out)? != end - start {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
    Ok(())
}

/// Gives the new file the owner, group, mode and extended attributes of the old.
fn copy_attributes(from: &File, new: &Path, to: &File) -> io::Result<()> {
    let meta = from.metadata()?;
    let present = to.metadata()?;
    if (meta.uid(), meta.gid()) != (present.uid(), present.gid()) {
        fchown(to, Some(meta.uid()), Some(meta.gid()))?;
    }
    // After the owner: changing that clears the set-id bits.
    to.set_permissions(meta.permissions())?;
    use xattr::FileExt;
    let Ok(names) = from.list_xattr() else { return Ok(()) };
    for name in names {
        if let Some(value) = from.get_xattr(&name)? {
            xattr::set(new, &name, &value)?;
        }
    }
    Ok(())
}
