//! A zone's files on disk, read at any offset, with what is needed to tell
//! later whether somebody changed them meanwhile. A zone may have more files
//! than a process may have open: some stay open, the others are opened again
//! when they are needed, and must still be what they were.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::files::foreign::{Foreign, strange};
use crate::files::lock::{Lock, LockError};
use crate::files::spot::{Link, Spot};
use crate::files::{BACKUP, CHECK, LOCK, NEW, OLD, hidden, open};
use crate::text::source::Library;

/// What the names end in that are ours beside a zone's file.
const OURS: [&str; 4] = [NEW, OLD, BACKUP, CHECK];

/// How many files stay open, and how many are locked from the first look on: a
/// process may have 1,024 open, or far fewer, and a lock takes two. A file beyond
/// that is locked when it is to be written, and must still be what was read.
const OPEN: usize = 32;
const LOCKED: usize = 32;

/// The longest step of the clock by which file systems date changes.
const TICK: Duration = Duration::from_millis(11);

/// What tells a file's state from any other state of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    mode: u32,
    owner: (u32, u32),
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

    /// Whose it is.
    pub(crate) fn owner(self) -> u32 {
        self.owner.0
    }

    /// Whether two states differ at most in what another name for the file changes.
    pub(crate) fn same_text(self, other: Self) -> bool {
        Self {
            changed: other.changed,
            ..self
        } == other
    }
}

impl From<&fs::Metadata> for Fingerprint {
    fn from(meta: &fs::Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
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
    /// Its path as it was named, before links were followed.
    pub named: PathBuf,
    /// Where it lies, links followed.
    pub path: PathBuf,
    /// Its state when it was opened.
    pub fingerprint: Fingerprint,
    /// The links that led to it.
    pub(crate) links: Vec<Link>,
}

/// What became of a text that a killed run left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// It is gone: it may be what stood there before that run.
    Old(PathBuf),
    /// It lies here now: somebody may have written to it, who took it for the file.
    Kept(PathBuf),
}

impl Opened {
    /// Removes what a killed run left beside the file. The second name that it
    /// gave the old text may be one of this very file: taking it away changes the
    /// file's state, which is then taken anew, if that is all that changed.
    fn sweep(&mut self, spot: &Spot) -> Vec<Swept> {
        let state = || spot.look().map(|meta| Fingerprint::from(&meta));
        let untouched = state().is_ok_and(|now| now == self.fingerprint);
        let mut swept = Vec::new();
        for suffix in OURS {
            let left = spot.hidden(suffix);
            // What cannot be removed is in the way of a write, which then says so.
            let Ok(meta) = left.look() else { continue };
            let text = Fingerprint::from(&meta);
            let has_text = meta.is_file() && meta.len() > 0 && [NEW, OLD].contains(&suffix);
            if !has_text
                || (text.device, text.inode) == (self.fingerprint.device, self.fingerprint.inode)
            {
                let _ = left.remove();
            } else if text.modified < self.fingerprint.modified {
                swept.extend(
                    left.remove()
                        .ok()
                        .map(|()| Swept::Old(left.path().to_owned())),
                );
            } else if suffix == OLD {
                // Older than what took its place, if nobody wrote to it since.
                swept.extend(
                    left.keep(spot)
                        .ok()
                        .map(|kept| Swept::Kept(kept.path().to_owned())),
                );
            } else {
                let _ = left.remove();
            }
        }
        if let (true, Ok(now)) = (untouched, state())
            && now.same_text(self.fingerprint)
        {
            self.fingerprint = now;
        }
        swept
    }

    fn has_leftovers(&self) -> bool {
        let is_there = |suffix: &str| fs::symlink_metadata(hidden(&self.path, suffix)).is_ok();
        OURS.into_iter().any(is_there) || is_there(LOCK)
    }
}

/// Why a zone file was not opened.
#[derive(Debug)]
pub enum OpenError {
    /// It cannot be read.
    Io(io::Error),
    /// Its lock cannot be had.
    Lock(LockError),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => error,
            OpenError::Lock(error) => Self::new(io::ErrorKind::WouldBlock, error.to_string()),
        }
    }
}

/// The files of one zone on disk.
#[derive(Debug)]
pub struct Disk {
    directory: PathBuf,
    files: RefCell<Vec<Opened>>,
    numbers: RefCell<HashMap<PathBuf, usize>>,
    /// Those that are open, the one used last behind.
    handles: RefCell<VecDeque<(usize, Rc<File>)>>,
    /// Whether this run may change the files.
    writes: bool,
    /// Another zone may include a file too.
    locks: RefCell<HashMap<usize, Lock>>,
}

impl Disk {
    /// Opens a zone file for reading. Relative `$INCLUDE` paths start in
    /// `directory`, else in the zone file's own folder.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(zone: &Path, directory: Option<&Path>) -> io::Result<Self> {
        Ok(Self::new(zone, directory, false)?)
    }

    /// Opens a zone file to change it, under its lock. A folder in which none can
    /// be made is no reason not to read: it is said when there is something to write.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or another run is at work.
    pub fn locked(zone: &Path, directory: Option<&Path>) -> Result<Self, OpenError> {
        Self::new(zone, directory, true)
    }

    fn new(zone: &Path, directory: Option<&Path>, writes: bool) -> Result<Self, OpenError> {
        let own = zone
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let disk = Self {
            directory: directory.unwrap_or(own).to_owned(),
            files: RefCell::default(),
            numbers: RefCell::default(),
            handles: RefCell::default(),
            writes,
            locks: RefCell::default(),
        };
        disk.add(zone, Spot::find(zone)?)?;
        Ok(disk)
    }

    /// Opens one more file.
    fn add(&self, named: &Path, (spot, links): (Spot, Vec<Link>)) -> Result<usize, OpenError> {
        let number = self.files.borrow().len();
        if self.writes {
            self.lock_early(number, &spot, &links)?;
        }
        let file = spot.read()?;
        let mut fingerprint = Fingerprint::of(&file)?;
        if self.writes {
            fingerprint = settled(&file, fingerprint)?;
        }
        let path = spot.path().to_owned();
        let mut files = self.files.borrow_mut();
        self.numbers.borrow_mut().insert(path.clone(), number);
        files.push(Opened {
            label: named.display().to_string(),
            named: named.to_owned(),
            path,
            fingerprint,
            links,
        });
        self.keep(number, Rc::new(file));
        Ok(number)
    }

    /// Locks a file before it is read, where that may be; else that waits until it is written.
    fn lock_early(&self, number: usize, spot: &Spot, links: &[Link]) -> Result<(), OpenError> {
        if number > 0 && (!self.changes() || self.locks.borrow().len() > LOCKED) {
            return Ok(());
        }
        let meta = spot.look()?;
        // What is no file gets no lock beside it, and what is somebody else's none before they are asked for.
        open::check(&meta)?;
        let zone = self
            .with(0, |opened| opened.fingerprint.owner())
            .unwrap_or(meta.uid());
        if strange(spot.path(), meta.uid(), zone, links).is_some() {
            return Ok(());
        }
        match Lock::hold(spot) {
            Ok(lock) => drop(self.locks.borrow_mut().insert(number, lock)),
            // Where this user may not write, a file may be read all the same.
            Err(LockError::Io(..)) => {}
            Err(error) => return Err(OpenError::Lock(error)),
        }
        Ok(())
    }

    /// Whether this run may change the files, and no other one.
    fn changes(&self) -> bool {
        self.locks.borrow().contains_key(&0)
    }

    fn keep(&self, number: usize, file: Rc<File>) {
        let mut handles = self.handles.borrow_mut();
        if handles.len() >= OPEN {
            handles.pop_front();
        }
        handles.push_back((number, file));
    }

    /// The open file of this number.
    ///
    /// # Errors
    ///
    /// When it is not open any more, and cannot be opened or is not what it was.
    pub(crate) fn handle(&self, number: usize) -> io::Result<Rc<File>> {
        {
            let mut handles = self.handles.borrow_mut();
            match handles.iter().rposition(|(file, _)| *file == number) {
                Some(at) if at + 1 == handles.len() => return Ok(Rc::clone(&handles[at].1)),
                Some(at) => {
                    let found = handles.remove(at).ok_or(io::ErrorKind::NotFound)?;
                    let file = Rc::clone(&found.1);
                    handles.push_back(found);
                    return Ok(file);
                }
                None => {}
            }
        }
        let known = self.with(number, |opened| (opened.path.clone(), opened.fingerprint));
        let (path, fingerprint) = known.ok_or(io::ErrorKind::NotFound)?;
        let file = Rc::new(open::regular(&path)?);
        if Fingerprint::of(&file)? != fingerprint {
            return Err(io::Error::other("it changed while the zone was being read"));
        }
        self.keep(number, Rc::clone(&file));
        Ok(file)
    }

    /// Looks at one of the files.
    pub fn with<T>(&self, file: usize, look: impl FnOnce(&Opened) -> T) -> Option<T> {
        self.files.borrow().get(file).map(look)
    }

    /// Takes the lock of a file that will be written, where it is not held yet, and
    /// says where the file is to be written.
    ///
    /// # Errors
    ///
    /// When it cannot be had.
    pub(crate) fn lock(&self, file: usize) -> Result<Spot, OpenError> {
        let spot = self.spot(file)?;
        if !self.locks.borrow().contains_key(&file) {
            let lock = Lock::hold(&spot).map_err(OpenError::Lock)?;
            self.locks.borrow_mut().insert(file, lock);
        }
        Ok(spot)
    }

    /// Where a file lies: in the folder in which its lock is, if that is held.
    ///
    /// # Errors
    ///
    /// When it is not there any more.
    pub(crate) fn spot(&self, file: usize) -> io::Result<Spot> {
        match self.locks.borrow().get(&file) {
            Some(lock) => Ok(lock.target().clone()),
            None => Spot::again(
                &self
                    .with(file, |opened| opened.path.clone())
                    .unwrap_or_default(),
            ),
        }
    }

    /// Whether one of the files that were opened lies at this path.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        path.canonicalize()
            .is_ok_and(|path| self.numbers.borrow().contains_key(&path))
    }

    /// A file of the zone that has a name which a run uses for itself: sweeping,
    /// or writing, would take it away.
    #[must_use]
    pub fn in_the_way(&self) -> Option<PathBuf> {
        let files = self.files.borrow();
        let names = OURS.into_iter().chain([LOCK]);
        let mut ours = files
            .iter()
            .flat_map(|file| names.clone().map(|suffix| hidden(&file.path, suffix)));
        // What a killed run leaves is no link, so that only a link of the user's leads to a file of the zone.
        ours.find(|path| self.holds(path))
    }

    /// Whether one of the zone's files is somebody else's, for root: others cannot
    /// give a file away, and fail by themselves.
    #[must_use]
    pub fn foreign(&self, file: usize) -> Option<Foreign> {
        let zone = self.with(0, |opened| opened.fingerprint.owner())?;
        self.with(file, |opened| {
            strange(
                &opened.path,
                opened.fingerprint.owner(),
                zone,
                &opened.links,
            )
        })?
    }

    /// Removes what a run that was killed left beside the files, where no other
    /// run is at work, and for root only beside those that are not somebody else's,
    /// unless told otherwise. What may be missed is said.
    pub fn sweep(&self, foreign_too: bool) -> Vec<Swept> {
        let ours = |file: &usize| foreign_too || self.foreign(*file).is_none();
        let count = self.files.borrow().len();
        let files: Vec<usize> = (0..count).filter(ours).collect();
        let mut swept = Vec::new();
        for number in files {
            let held = self.locks.borrow().contains_key(&number);
            if !held && self.with(number, Opened::has_leftovers) != Some(true) {
                continue;
            }
            let Ok(spot) = self.spot(number) else {
                continue;
            };
            let lock = if held { None } else { Lock::take(&spot).ok() };
            if held || lock.is_some() {
                let mut files = self.files.borrow_mut();
                swept.extend(
                    files
                        .get_mut(number)
                        .map(|file| file.sweep(&spot))
                        .unwrap_or_default(),
                );
            }
        }
        swept
    }
}

/// The state of a file once a change from now on would be dated otherwise: two
/// changes within one tick of the clock look the same.
fn settled(file: &File, fingerprint: Fingerprint) -> io::Result<Fingerprint> {
    let age = file
        .metadata()?
        .modified()
        .map(|modified| SystemTime::now().duration_since(modified));
    match age {
        Ok(Ok(age)) if age < TICK => {
            thread::sleep(TICK - age);
            Fingerprint::of(file)
        }
        _ => Ok(fingerprint),
    }
}

impl Library for Disk {
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = self.handle(file)?;
        loop {
            match file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(open::explained),
            }
        }
    }

    fn include(&self, path: &[u8]) -> io::Result<usize> {
        let path = self.directory.join(std::ffi::OsStr::from_bytes(path));
        let found = Spot::find(&path)?;
        let known = self.numbers.borrow().get(found.0.path()).copied();
        match known {
            Some(known) => Ok(known),
            None => Ok(self.add(&path, found)?),
        }
    }

    fn label(&self, file: usize) -> String {
        self.with(file, |opened| opened.label.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::read_span;

    #[test]
    fn more_files_than_stay_open_are_read_again_and_must_be_what_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = |number: usize| folder.path().join(format!("{number}.inc"));
        fs::write(folder.path().join("zone"), "main").unwrap();
        for number in 0..OPEN * 2 {
            fs::write(path(number), format!("{number:04}")).unwrap();
        }
        let disk = Disk::open(&folder.path().join("zone"), None).unwrap();
        let numbers: Vec<usize> = (0..OPEN * 2)
            .map(|number| disk.include(format!("{number}.inc").as_bytes()).unwrap())
            .collect();
        for (number, file) in numbers.iter().enumerate() {
            assert_eq!(
                read_span(&disk, *file, 0, 4).unwrap(),
                format!("{number:04}").into_bytes()
            );
            assert!(disk.handles.borrow().len() <= OPEN);
        }
        assert_eq!(disk.include(b"./7.inc").unwrap(), numbers[7]);
        fs::write(path(0), "9999").unwrap();
        assert!(
            read_span(&disk, numbers[0], 0, 4)
                .unwrap_err()
                .to_string()
                .contains("changed")
        );
    }

    #[test]
    fn those_who_only_read_take_no_lock_and_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("zone");
        fs::write(&zone, "main").unwrap();
        let writer = Disk::locked(&zone, None).unwrap();
        drop(Disk::open(&zone, None).unwrap());
        assert!(matches!(
            Lock::take(&Spot::named(&zone).unwrap()),
            Err(LockError::Locked(_))
        ));
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn root_makes_no_lock_beside_what_is_somebody_elses() {
        if rustix::process::geteuid().as_raw() != 0 {
            println!("only root can make files of other owners; not tried");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("elsewhere")).unwrap();
        fs::write(at("zone"), "main").unwrap();
        fs::write(at("elsewhere/file"), "text").unwrap();
        std::os::unix::fs::chown(at("zone"), Some(4444), None).unwrap();
        let disk = Disk::locked(&at("zone"), None).unwrap();
        let file = disk.include(b"elsewhere/file").unwrap();
        assert!(at(".zone.danewright-lock").exists());
        assert!(!at("elsewhere/.file.danewright-lock").exists());
        // Where it is told to write there, it is locked first.
        disk.lock(file).unwrap();
        assert!(at("elsewhere/.file.danewright-lock").exists());
        // The zone file itself, by a link of another.
        std::os::unix::fs::symlink(at("elsewhere/file"), at("link")).unwrap();
        std::os::unix::fs::lchown(at("link"), Some(4444), None).unwrap();
        drop(disk);
        let disk = Disk::locked(&at("link"), None).unwrap();
        assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 1);
        drop(disk);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_change_right_after_the_first_look_has_another_date() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("zone");
        for _ in 0..20 {
            fs::write(&zone, "old text").unwrap();
            let disk = Disk::locked(&zone, None).unwrap();
            let before = disk.with(0, |opened| opened.fingerprint).unwrap();
            fs::write(&zone, "new text").unwrap();
            assert!(!before.same_text(Fingerprint::at(&zone).unwrap()));
        }
    }
}
