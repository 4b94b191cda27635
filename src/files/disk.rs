//! A zone's files on disk, locked and read at any offset, with what is needed
//! to tell later whether somebody changed them meanwhile.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::files::{BACKUP, CHECK, NEW, OLD, hidden, lock};
use crate::zone::library::Library;

/// What the names end in that are ours beside a zone's file.
const OURS: [&str; 4] = [NEW, OLD, BACKUP, CHECK];

/// What tells a file's state from any other state of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Fingerprint {
    /// The state of a file that is there.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at.
    pub fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|meta| Self::from(&meta))
    }

    /// The state of the file that stands at a path, links followed.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|meta| Self::from(&meta))
    }

    /// Whether two states differ at most in when names or attributes changed.
    fn same_text(self, other: Self) -> bool {
        Self { changed: other.changed, ..self } == other
    }
}

impl From<&fs::Metadata> for Fingerprint {
    fn from(meta: &fs::Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// One file of a zone.
#[derive(Debug)]
pub struct Opened {
    /// What it was called, for messages.
    pub label: String,
    /// Where it lies, links followed.
    pub path: PathBuf,
    /// The open file, which holds its lock.
    pub file: File,
    /// Its state when it was opened.
    pub fingerprint: Fingerprint,
}

impl Opened {
    fn open(path: &Path, resolved: PathBuf) -> io::Result<Self> {
        let file = lock::open(&resolved)?;
        let fingerprint = Fingerprint::of(&file)?;
        Ok(Self { label: path.display().to_string(), path: resolved, file, fingerprint })
    }

    /// Removes what a killed run left beside the file. The second name that it
    /// gave the old text may be one of this very file: taking it away changes the
    /// file's state, which is then taken anew, if that is all that changed.
    fn sweep(&mut self) {
        let untouched = Fingerprint::of(&self.file).is_ok_and(|now| now == self.fingerprint);
        let mut gone = false;
        for suffix in OURS {
            // What cannot be removed is in the way of a write, which then says so.
            gone |= fs::remove_file(hidden(&self.path, suffix)).is_ok();
        }
        if let (true, true, Ok(now)) = (untouched, gone, Fingerprint::of(&self.file))
            && now.same_text(self.fingerprint)
        {
            self.fingerprint = now;
        }
    }
}

/// The files of one zone on disk.
#[derive(Debug)]
pub struct Disk {
    directory: PathBuf,
    files: RefCell<Vec<Opened>>,
}

impl Disk {
    /// Opens a zone file. Relative `$INCLUDE` paths start in `directory`, else
    /// in the zone file's own folder.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(zone: &Path, directory: Option<&Path>) -> io::Result<Self> {
        let own = zone.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = directory.unwrap_or(own).to_owned();
        Ok(Self { directory, files: RefCell::new(vec![Opened::open(zone, zone.canonicalize()?)?]) })
    }

    /// Looks at one of the files.
    pub fn with<T>(&self, file: usize, look: impl FnOnce(&Opened) -> T) -> Option<T> {
        self.files.borrow().get(file).map(look)
    }

    /// Whether one of the files that were opened lies at this path.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|path| self.files.borrow().iter().any(|file| file.path == path))
    }

    /// A file of the zone that has a name which a run uses for itself: sweeping,
    /// or writing, would take it away.
    #[must_use]
    pub fn in_the_way(&self) -> Option<PathBuf> {
        let paths: Vec<PathBuf> = self.files.borrow().iter().map(|file| file.path.clone()).collect();
        let ours = paths.iter().flat_map(|path| OURS.map(|suffix| hidden(path, suffix)));
        // What a killed run leaves is no link, so that only a link of the user's leads to a file of the zone.
        ours.into_iter().find(|path| self.holds(path))
    }

    /// Removes what a run that was killed left beside the files. Their locks
    /// are held, so no other run is at work there.
    pub fn sweep(&self) {
        self.files.borrow_mut().iter_mut().for_each(Opened::sweep);
    }
}

impl Library for Disk {
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let files = self.files.borrow();
        let opened = files.get(file).ok_or(io::ErrorKind::NotFound)?;
        loop {
            match opened.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn include(&self, path: &[u8]) -> io::Result<usize> {
        let path = self.directory.join(std::ffi::OsStr::from_bytes(path));
        let resolved = path.canonicalize()?;
        let mut files = self.files.borrow_mut();
        // Not opened twice: a second handle would wait for the first one's lock.
        if let Some(known) = files.iter().position(|file| file.path == resolved) {
            return Ok(known);
        }
        files.push(Opened::open(&path, resolved)?);
        Ok(files.len() - 1)
    }

    fn label(&self, file: usize) -> String {
        self.with(file, |opened| opened.label.clone()).unwrap_or_default()
    }
}
