//! A new text takes the place of the old one, in one step that can be undone:
//! the two exchange their names, so that the old text lies under a hidden name
//! until all is done, at once under one that says what it is. Where a file system knows no exchange, the old text gets a
//! second name first and the new one is renamed over it.
//!
//! Between the last look at a file and the step itself somebody may write to it,
//! or put another file there. So the old text is looked at again where it lies
//! after the step, and if it is not what was read, everything goes back. What a
//! rename took away nobody sees again: without an exchange, an editor that puts
//! a new file there between the second name and the rename loses it.

use std::io;
use std::path::PathBuf;

use crate::files::OLD;
use crate::files::beside::{Beside, remove_leftover};
use crate::files::disk::Fingerprint;
use crate::files::spot::Spot;

/// A file whose place a new text has taken.
#[derive(Debug)]
pub(crate) struct Swapped {
    target: Spot,
    /// Where the old text lies; `None` where the file system has neither exchange nor hard links.
    old: Option<Spot>,
    exchanged: bool,
    read_as: Fingerprint,
    new: Beside,
    written_as: Fingerprint,
}

/// Why a file did not go back.
#[derive(Debug)]
pub(crate) struct Stuck {
    /// The file.
    pub(crate) target: PathBuf,
    /// Where its old text lies.
    pub(crate) old: Option<PathBuf>,
    /// What went wrong.
    pub(crate) error: io::Error,
}

impl Swapped {
    /// Puts a new text in the place of a file. With `must_go_back`, only if that can be undone.
    ///
    /// # Errors
    ///
    /// When that fails; the file is as it was.
    pub(crate) fn swap(
        mut new: Beside,
        target: &Spot,
        read_as: Fingerprint,
        must_go_back: bool,
    ) -> io::Result<Self> {
        let written_as = Fingerprint::of(&new.file)?;
        let old = target.hidden(OLD);
        let (old, exchanged) = match new.spot.exchange(target) {
            Ok(()) => {
                // What is under the name of a new text the next run removes without a look.
                let renamed = new.spot.rename(&old);
                (
                    Some(if renamed.is_ok() {
                        old
                    } else {
                        new.spot.clone()
                    }),
                    true,
                )
            }
            Err(error) if without_exchange(&error) => {
                let old = match keep_old(target, &old) {
                    Ok(()) => Some(old),
                    Err(error) if must_go_back => return Err(error),
                    Err(_) => None,
                };
                if let Err(error) = new.spot.rename(target) {
                    old.map(|old| old.remove());
                    return Err(error);
                }
                (old, false)
            }
            Err(error) => return Err(error),
        };
        new.forget();
        Ok(Self {
            target: target.to_owned(),
            old,
            exchanged,
            read_as,
            new,
            written_as,
        })
    }

    /// The file.
    pub(crate) fn target(&self) -> &Spot {
        &self.target
    }

    /// Whether the old text is still what was read.
    pub(crate) fn is_untouched(&self) -> bool {
        let Some(old) = &self.old else { return true };
        old.look()
            .is_ok_and(|meta| Fingerprint::from(&meta).same_text(self.read_as))
    }

    /// Puts the old text back.
    ///
    /// # Errors
    ///
    /// When that fails, or somebody has written to the new text.
    pub(crate) fn put_back(self) -> Result<(), Stuck> {
        let Self {
            target,
            old,
            exchanged,
            new,
            written_as,
            ..
        } = self;
        let path = |spot: Spot| spot.path().to_owned();
        let stuck = |target: Spot, old: Option<Spot>, error| {
            Err(Stuck {
                target: path(target),
                old: old.map(path),
                error,
            })
        };
        let Some(old) = old else {
            return stuck(
                target,
                None,
                io::Error::other("the file system keeps no second name of a file"),
            );
        };
        let now = target.look().map(|meta| Fingerprint::from(&meta));
        match now {
            Ok(now) if now.same_text(written_as) => {}
            Ok(_) => {
                // Both have something that is nowhere else.
                let old = old.keep(&target).unwrap_or(old);
                let error =
                    io::Error::other("somebody changed the file before and after it was replaced");
                return stuck(target, Some(old), error);
            }
            Err(error) => return stuck(target, Some(old), error),
        }
        let back = if exchanged {
            old.exchange(&target)
        } else {
            old.rename(&target)
        };
        if let Err(error) = back {
            // The next run sweeps it, but not before somebody has read what is said.
            return stuck(target, Some(old), error);
        }
        if exchanged {
            // The new text lies there now.
            let _ = old.remove();
        }
        drop(new);
        Ok(())
    }

    /// Lets go of the old text.
    pub(crate) fn finish(self) {
        // One that stays does no harm, and the next run removes it.
        self.old.map(|old| old.remove());
    }
}

/// Whether these are the words of a file system that knows no exchange.
fn without_exchange(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let without = [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP];
    error.kind() == io::ErrorKind::Unsupported
        || error
            .raw_os_error()
            .is_some_and(|code| without.iter().any(|errno| errno.raw_os_error() == code))
}

/// A second name for the old file, to put it back under.
fn keep_old(target: &Spot, old: &Spot) -> io::Result<()> {
    remove_leftover(old)?;
    target.link(old)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::Path;

    use super::*;
    use crate::files::NEW;

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let place = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            fs::write(place.zone(), "old").unwrap();
            place
        }

        fn zone(&self) -> PathBuf {
            self.folder.path().join("zone")
        }

        fn spot(&self) -> Spot {
            Spot::named(&self.zone()).unwrap()
        }

        fn text(&self) -> String {
            fs::read_to_string(self.zone()).unwrap()
        }

        fn names(&self) -> usize {
            fs::read_dir(self.folder.path()).unwrap().count()
        }

        /// A swap in which somebody does something right before the step.
        fn swap(&self, meanwhile: impl FnOnce(&Path)) -> Swapped {
            let read_as = Fingerprint::at(&self.zone()).unwrap();
            let mut new = Beside::make(self.spot().hidden(NEW), 0o600).unwrap();
            new.file.write_all(b"new text").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(12));
            meanwhile(&self.zone());
            Swapped::swap(new, &self.spot(), read_as, true).unwrap()
        }
    }

    #[test]
    fn the_old_text_is_kept_until_all_is_done() {
        let place = Place::new();
        let swapped = place.swap(|_| {});
        assert!(swapped.is_untouched());
        assert_eq!((place.text().as_str(), place.names()), ("new text", 2));
        swapped.finish();
        assert_eq!((place.text().as_str(), place.names()), ("new text", 1));
    }

    #[test]
    fn what_somebody_did_in_the_last_moment_is_seen_and_comes_back() {
        let append: fn(&Path) = |zone| {
            OpenOptions::new()
                .append(true)
                .open(zone)
                .unwrap()
                .write_all(b", theirs")
                .unwrap();
        };
        let same_length: fn(&Path) = |zone| fs::write(zone, "OLD").unwrap();
        let replace: fn(&Path) = |zone| {
            fs::write(zone.with_file_name("x"), "old").unwrap();
            fs::rename(zone.with_file_name("x"), zone).unwrap();
        };
        let mode: fn(&Path) = |zone| {
            let mut permissions = fs::metadata(zone).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(zone, permissions).unwrap();
        };
        for (meanwhile, text) in [
            (append, "old, theirs"),
            (same_length, "OLD"),
            (replace, "old"),
            (mode, "old"),
        ] {
            let place = Place::new();
            let swapped = place.swap(meanwhile);
            assert!(!swapped.is_untouched(), "{text}");
            swapped.put_back().unwrap();
            assert_eq!((place.text().as_str(), place.names()), (text, 1));
        }
    }

    #[test]
    fn a_new_text_that_somebody_changed_is_not_taken_away() {
        let place = Place::new();
        let swapped = place.swap(|_| {});
        OpenOptions::new()
            .append(true)
            .open(place.zone())
            .unwrap()
            .write_all(b", theirs")
            .unwrap();
        let stuck = swapped.put_back().unwrap_err();
        assert_eq!(place.text(), "new text, theirs");
        let kept = stuck.old.unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "old");
        assert_eq!(
            kept,
            place.folder.path().join("zone.danewright-kept"),
            "which the next run does not sweep"
        );
    }

    #[test]
    fn only_what_a_file_system_without_it_says_is_taken_for_no_exchange() {
        use rustix::io::Errno;
        for (errno, without) in [
            (Errno::INVAL, true),
            (Errno::NOSYS, true),
            (Errno::NOSPC, false),
            (Errno::IO, false),
        ] {
            assert_eq!(without_exchange(&errno.into()), without);
        }
    }
}
