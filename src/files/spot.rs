//! A name in a folder that is held open. Who owns a folder on the way to a file
//! may put a link in its place at any moment, and root, who may write everywhere,
//! must not be led away by it. So the way to a file is gone once, from one open
//! folder to the next, and the links on it are noted with who made them. Whatever
//! is then made, renamed or removed there happens in the folder that was found,
//! wherever its path leads by now. The path is for messages and commands.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, linkat, openat, readlinkat, renameat, unlinkat};
use rustix::io::{Errno, retry_on_intr};

use crate::files::{KEPT, beside, hidden, open};

/// How many links a path may have (Linux has the same limit).
const LINKS: usize = 40;

/// How many texts may be kept beside one file.
const MOST_KEPT: u32 = 1000;

/// How a thing is opened that is only held: without the right to read it, and a link as itself.
#[cfg(any(target_os = "linux", target_os = "android"))]
const HELD: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW);
/// Elsewhere it takes that right, and a link is an error.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const HELD: OFlags = OFlags::NONBLOCK
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW);

/// A link that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// The user who made it.
    pub(crate) maker: u32,
}

/// A name in a folder that is held open; what has the name may be anything, or nothing.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    folder: Arc<File>,
    path: PathBuf,
}

impl Spot {
    /// Where a file lies, and the links that lead there.
    ///
    /// # Errors
    ///
    /// When there is no file.
    pub(crate) fn find(named: &Path) -> io::Result<(Self, Vec<Link>)> {
        let mut path = PathBuf::from("/");
        let mut way = vec![File::from(openat(
            rustix::fs::CWD,
            "/",
            HELD | OFlags::CLOEXEC,
            Mode::empty(),
        )?)];
        let start = if named.is_absolute() {
            PathBuf::new()
        } else {
            std::env::current_dir()?
        };
        let mut ahead = parts(&start.join(named));
        let mut links = Vec::new();
        while let Some(part) = ahead.pop() {
            if part.has_root() {
                way.truncate(1);
                path = part;
                continue;
            }
            if part == Path::new("..") {
                if path.pop() {
                    way.pop();
                }
                continue;
            }
            let folder = way.last().ok_or(io::ErrorKind::NotFound)?;
            let found = hold(folder, part.as_os_str())?;
            let meta = found.metadata()?;
            path.push(&part);
            if meta.is_dir() {
                way.push(found);
            } else if meta.is_symlink() {
                // Of the link that is held, whatever has its name by now.
                let target = readlinkat(&found, "", Vec::new())?.into_bytes();
                ahead.extend(parts(&PathBuf::from(std::ffi::OsString::from_vec(target))));
                links.push(Link {
                    path: path.clone(),
                    maker: meta.uid(),
                });
                path.pop();
                if links.len() > LINKS {
                    return Err(Errno::LOOP.into());
                }
            } else if ahead.is_empty() {
                let folder = Arc::new(way.pop().ok_or(io::ErrorKind::NotFound)?);
                return Ok((Self { folder, path }, links));
            } else {
                return Err(io::ErrorKind::NotADirectory.into());
            }
        }
        Err(io::ErrorKind::IsADirectory.into())
    }

    /// The spot of a file that was found there before.
    ///
    /// # Errors
    ///
    /// When it is gone, or somebody has put a link in its way.
    pub(crate) fn again(path: &Path) -> io::Result<Self> {
        match Self::find(path)? {
            (spot, links) if links.is_empty() => Ok(spot),
            _ => Err(io::Error::other("a link has come in the way to it")),
        }
    }

    /// A name in a folder, links to that folder followed; there need be nothing yet.
    ///
    /// # Errors
    ///
    /// When there is no such folder.
    pub(crate) fn named(path: &Path) -> io::Result<Self> {
        path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let flags = HELD.difference(OFlags::NOFOLLOW) | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(rustix::fs::CWD, folder, flags, Mode::empty())?;
        Ok(Self {
            folder: Arc::new(folder.into()),
            path: path.to_owned(),
        })
    }

    /// Where it is, as far as is known.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// The same name with something appended.
    pub(crate) fn beside(&self, suffix: &str) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            path: beside(&self.path, suffix),
        }
    }

    /// A hidden name in the same folder.
    pub(crate) fn hidden(&self, suffix: &str) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            path: hidden(&self.path, suffix),
        }
    }

    /// What is there; a link is not followed.
    ///
    /// # Errors
    ///
    /// When there is nothing, or it cannot be looked at.
    pub(crate) fn look(&self) -> io::Result<Metadata> {
        hold(&self.folder, self.name())?.metadata()
    }

    /// Opens what is there, or makes it; a link is not followed, and nothing is waited for.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub(crate) fn open(&self, flags: OFlags, mode: u32) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = retry_on_intr(|| {
            openat(
                &*self.folder,
                self.name(),
                flags,
                Mode::from_bits_truncate(mode as _),
            )
        })?;
        Ok(file.into())
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is something else.
    pub(crate) fn read(&self) -> io::Result<File> {
        // Before it is opened: opening a device may already do something.
        open::check(&self.look()?)?;
        let file = self.open(OFlags::RDONLY, 0)?;
        open::check(&file.metadata()?)?;
        Ok(file)
    }

    /// Gives what is there another name in the same folder, over what has it.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub(crate) fn rename(&self, to: &Self) -> io::Result<()> {
        Ok(renameat(
            &*self.folder,
            self.name(),
            &*to.folder,
            to.name(),
        )?)
    }

    /// Lets two things exchange their names.
    ///
    /// # Errors
    ///
    /// When that fails, or the system knows no exchange.
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub(crate) fn exchange(&self, with: &Self) -> io::Result<()> {
        use rustix::fs::{RenameFlags, renameat_with};
        Ok(renameat_with(
            &*self.folder,
            self.name(),
            &*with.folder,
            with.name(),
            RenameFlags::EXCHANGE,
        )?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(crate) fn exchange(&self, _: &Self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives what is there a second name in the same folder.
    ///
    /// # Errors
    ///
    /// When that fails, or something has that name.
    pub(crate) fn link(&self, second: &Self) -> io::Result<()> {
        Ok(linkat(
            &*self.folder,
            self.name(),
            &*second.folder,
            second.name(),
            AtFlags::empty(),
        )?)
    }

    /// Removes what is there, if it is no folder.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub(crate) fn remove(&self) -> io::Result<()> {
        Ok(unlinkat(&*self.folder, self.name(), AtFlags::empty())?)
    }

    /// Renames what is there to a name beside `target` that no run touches, and that nothing has yet.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub(crate) fn keep(&self, target: &Self) -> io::Result<Self> {
        let number = |number| {
            if number == 1 {
                KEPT.to_owned()
            } else {
                format!("{KEPT}-{number}")
            }
        };
        for suffix in (1..MOST_KEPT).map(number) {
            let kept = target.beside(&suffix);
            match kept.look() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return self.rename(&kept).map(|()| kept);
                }
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The folder, to be synced.
    ///
    /// # Errors
    ///
    /// When it may not be read.
    pub(crate) fn folder(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&*self.folder, ".", flags, Mode::empty())?.into())
    }
}

fn hold(folder: &File, name: &OsStr) -> io::Result<File> {
    Ok(openat(folder, name, HELD | OFlags::CLOEXEC, Mode::empty())?.into())
}

/// The parts of a path, the last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts
        .rev()
        .map(|part| PathBuf::from(part.as_os_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{lchown, symlink};

    use super::*;
    use crate::files::beside::Beside;
    use crate::files::disk::{Disk, Fingerprint};
    use crate::files::lock::{Lock, user};
    use crate::files::replace::{ReplaceError, Staged};
    use crate::files::swap::Swapped;
    use crate::files::{BACKUP, NEW};
    use crate::text::splice::Splice;

    /// A zone in the folder of somebody who wants to have root write elsewhere.
    struct Race(tempfile::TempDir);

    impl Race {
        fn new() -> Self {
            let race = Self(tempfile::tempdir().unwrap());
            for folder in ["zones", "elsewhere"] {
                fs::create_dir(race.at(folder)).unwrap();
                fs::write(race.at(folder).join("zone"), folder).unwrap();
            }
            race
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        /// Puts a link to the other folder in the place of the zone's.
        fn swap(&self) {
            fs::rename(self.at("zones"), self.at("moved")).unwrap();
            symlink("elsewhere", self.at("zones")).unwrap();
        }

        fn names(&self, folder: &str) -> Vec<String> {
            let entries = fs::read_dir(self.at(folder)).unwrap();
            let mut names: Vec<_> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }

        /// Nothing came of it elsewhere.
        fn was_in_vain(&self) {
            assert_eq!(self.names("elsewhere"), ["zone"]);
            assert_eq!(
                fs::read_to_string(self.at("elsewhere/zone")).unwrap(),
                "elsewhere"
            );
        }
    }

    #[test]
    fn what_is_done_is_done_in_the_folder_that_was_found() {
        let race = Race::new();
        let (spot, links) = Spot::find(&race.at("zones/zone")).unwrap();
        assert!(links.is_empty());
        race.swap();
        let held = Lock::take(&spot).unwrap();
        let mut new = Beside::make(spot.hidden(NEW), 0o600).unwrap();
        new.file.write_all(b"new").unwrap();
        race.was_in_vain();
        assert_eq!(
            race.names("moved"),
            [".zone.danewright-lock", ".zone.danewright-new", "zone"]
        );
        let read_as = Fingerprint::from(&spot.look().unwrap());
        let swapped = Swapped::swap(new, &spot, read_as, true).unwrap();
        race.was_in_vain();
        assert!(swapped.is_untouched());
        assert_eq!(
            race.names("moved"),
            [".zone.danewright-lock", ".zone.danewright-old", "zone"]
        );
        swapped.put_back().unwrap();
        assert_eq!(fs::read_to_string(race.at("moved/zone")).unwrap(), "zones");
        Beside::make(spot.hidden(BACKUP), 0o600)
            .unwrap()
            .put(&spot.beside(".bak"))
            .unwrap();
        spot.link(&spot.hidden("second")).unwrap();
        spot.hidden("second").keep(&spot).unwrap();
        assert_eq!(
            spot.folder().unwrap().metadata().unwrap().ino(),
            fs::metadata(race.at("moved")).unwrap().ino(),
            "the folder that is synced"
        );
        drop(Beside::make(spot.hidden(NEW), 0o600).unwrap());
        drop(held);
        assert_eq!(
            race.names("moved"),
            ["zone", "zone.bak", "zone.danewright-kept"]
        );
        race.was_in_vain();
    }

    #[test]
    fn a_folder_that_is_exchanged_at_any_step_of_a_run_leads_it_nowhere() {
        let splices = [(
            0,
            vec![Splice {
                start: 0,
                end: 1,
                text: b"Z".to_vec(),
                line: 1,
            }],
        )];
        for step in ["locked", "written", "backed up"] {
            let race = Race::new();
            let disk = Disk::locked(&race.at("zones/zone"), None).unwrap();
            if step == "locked" {
                race.swap();
                assert!(matches!(
                    Staged::write(&disk, &splices, 0),
                    Err(ReplaceError::Changed(_))
                ));
            } else {
                let staged = Staged::write(&disk, &splices, 0).unwrap();
                if step == "written" {
                    race.swap();
                }
                staged.back_up(&disk, ".bak").unwrap();
                if step == "backed up" {
                    race.swap();
                }
                race.was_in_vain();
                assert!(
                    matches!(staged.commit(), Err(ReplaceError::Changed(_))),
                    "{step}"
                );
            }
            drop(disk);
            race.was_in_vain();
            assert_eq!(
                race.names("moved"),
                if step == "locked" {
                    &["zone"][..]
                } else {
                    &["zone", "zone.bak"]
                }
            );
            assert_eq!(
                fs::read_to_string(race.at("moved/zone")).unwrap(),
                "zones",
                "{step}"
            );
        }
    }

    #[test]
    fn a_link_that_has_come_in_the_way_is_not_followed() {
        let race = Race::new();
        let (spot, _) = Spot::find(&race.at("zones/zone")).unwrap();
        assert_eq!(Spot::again(spot.path()).unwrap().path(), spot.path());
        race.swap();
        assert!(
            Spot::again(spot.path())
                .unwrap_err()
                .to_string()
                .contains("link")
        );
        // Nor is one in the place of the file.
        let spot = Spot::named(&race.at("moved/link")).unwrap();
        symlink("../elsewhere/zone", spot.path()).unwrap();
        assert!(spot.look().unwrap().is_symlink());
        assert!(spot.read().is_err() && spot.open(OFlags::WRONLY, 0).is_err());
    }

    #[test]
    fn the_way_is_the_systems_and_every_link_on_it_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(at("real/deep")).unwrap();
        fs::write(at("real/deep/zone"), "").unwrap();
        symlink("real", at("folder")).unwrap();
        symlink(at("folder/deep/../deep/zone"), at("zone")).unwrap();
        symlink("round", at("round")).unwrap();
        let links = |name: &str| -> Vec<PathBuf> {
            let (spot, links) = Spot::find(&at(name)).unwrap();
            assert_eq!(spot.path(), at(name).canonicalize().unwrap(), "{name}");
            assert_eq!(
                spot.look().unwrap().ino(),
                fs::metadata(at(name)).unwrap().ino(),
                "{name}"
            );
            assert!(links.iter().all(|link| link.maker == user()), "{name}");
            links.into_iter().map(|link| link.path).collect()
        };
        assert!(
            links("real/deep/zone").is_empty()
                && links("real/./deep/../../real/deep/zone").is_empty()
        );
        assert_eq!(links("folder/deep/zone"), [at("folder")]);
        assert_eq!(
            links("folder/../folder/deep/zone"),
            [at("folder"), at("folder")]
        );
        assert_eq!(links("zone"), [at("zone"), at("folder")]);
        assert!(
            Spot::find(Path::new("Cargo.toml"))
                .unwrap()
                .0
                .path()
                .is_absolute()
        );
        for (name, kind) in [
            ("nowhere", io::ErrorKind::NotFound),
            ("nowhere/zone", io::ErrorKind::NotFound),
            ("zone/zone", io::ErrorKind::NotADirectory),
            ("folder", io::ErrorKind::IsADirectory),
        ] {
            assert_eq!(Spot::find(&at(name)).unwrap_err().kind(), kind, "{name}");
        }
        assert_eq!(
            Spot::find(&at("round")).unwrap_err().raw_os_error(),
            Some(Errno::LOOP.raw_os_error())
        );
        assert_eq!(
            Spot::named(&at("nowhere/zone")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        if user() == 0 {
            lchown(at("folder"), Some(4444), None).unwrap();
            let makers: Vec<u32> = Spot::find(&at("zone"))
                .unwrap()
                .1
                .iter()
                .map(|link| link.maker)
                .collect();
            assert_eq!(makers, [0, 4444]);
        }
    }

    #[test]
    fn nothing_that_is_kept_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let spot = Spot::named(&folder.path().join("zone")).unwrap();
        for (text, name) in [
            ("one", "zone.danewright-kept"),
            ("two", "zone.danewright-kept-2"),
        ] {
            let left = spot.hidden("left");
            fs::write(left.path(), text).unwrap();
            assert_eq!(left.keep(&spot).unwrap().path(), folder.path().join(name));
        }
        assert_eq!(
            fs::read_to_string(folder.path().join("zone.danewright-kept")).unwrap(),
            "one"
        );
    }
}
