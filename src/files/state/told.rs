//! What is known of a zone's file itself: where it lies, and whether the name
//! server has been told of what was written there.
//!
//! One zone may be kept in several files (views), and a copy of one may be
//! edited to see what happens. What is remembered of the zone is about the file
//! that was written first; when that one is gone, the next one takes its place.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Problem, StateError, file_of, lock, place, sync_folder, write};
use crate::name::Name;
use crate::tlsa::{hex, unhex};

/// The form of the document.
const VERSION: u32 = 1;

/// The document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    version: u32,
    zone: String,
    /// The zone's file.
    #[serde(deserialize_with = "Option::deserialize")]
    file: Option<String>,
    /// The files of which the name server does not know the newest text.
    untold: BTreeSet<String>,
}

/// Whether an edit of a file is one of the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is.
    Zones,
    /// It is one of a copy, or of another view: the zone's file is this one.
    Another(PathBuf),
}

/// Whether the file at this path is the zone's; from now on it is, when no other is known.
///
/// # Errors
///
/// When the state cannot be read or written.
pub fn claim(folder: &Path, zone: &Name, file: &Path) -> Result<Claim, StateError> {
    change(folder, zone, |known| {
        if let Some(other) = known
            .file
            .as_deref()
            .map(path_of)
            .filter(|other| other != file)
        {
            let gone = fs::symlink_metadata(&other)
                .is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            if !gone {
                return Claim::Another(other);
            }
        }
        known.file = Some(word_of(file));
        Claim::Zones
    })
}

/// Remembers that the name server has to be told of this file, or has been.
///
/// # Errors
///
/// When the state cannot be read or written.
pub fn mark(folder: &Path, zone: &Name, file: &Path, untold: bool) -> Result<(), StateError> {
    change(folder, zone, |known| {
        if untold {
            known.untold.insert(word_of(file));
        } else {
            known.untold.remove(&word_of(file));
        }
    })
}

/// Whether the name server has to be told of this file.
///
/// # Errors
///
/// When the state cannot be read.
pub fn is_untold(folder: &Path, zone: &Name, file: &Path) -> Result<bool, StateError> {
    Ok(place::look(folder)? && read(folder, zone)?.untold.contains(&word_of(file)))
}

fn change<T>(
    folder: &Path,
    zone: &Name,
    change: impl FnOnce(&mut Known) -> T,
) -> Result<T, StateError> {
    let _lock = lock(folder)?;
    let before = read(folder, zone)?;
    let mut known = before.clone();
    let result = change(&mut known);
    if known != before {
        write(&file_of(folder, zone, ENDING), &known)?;
        sync_folder(folder).map_err(|error| StateError::io(folder, error))?;
    }
    Ok(result)
}

/// What its name ends in, beside the zone's other document.
const ENDING: &str = "file";

fn read(folder: &Path, zone: &Name) -> Result<Known, StateError> {
    let path = file_of(folder, zone, ENDING);
    let Some(text) = place::read(&path)? else {
        return Ok(Known {
            version: VERSION,
            zone: zone.to_string(),
            file: None,
            untold: BTreeSet::new(),
        });
    };
    let wrong = |problem| StateError {
        path: path.clone(),
        problem,
    };
    let known: Known = serde_json::from_slice(&text)
        .map_err(|error| wrong(Problem::Damaged(error.to_string())))?;
    match known {
        known if known.version != VERSION => Err(wrong(Problem::Version(known.version.into()))),
        known if known.zone != zone.to_string() => Err(wrong(Problem::Zone(known.zone))),
        known => Ok(known),
    }
}

/// A path as a text that can be read back: a name need not be UTF-8.
fn word_of(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.starts_with("hex:") => text.to_owned(),
        _ => format!("hex:{}", hex(path.as_os_str().as_bytes())),
    }
}

fn path_of(word: &str) -> PathBuf {
    let octets = word
        .strip_prefix("hex:")
        .and_then(|digits| unhex(digits).ok());
    octets.map_or_else(
        || PathBuf::from(word),
        |octets| PathBuf::from(std::ffi::OsString::from_vec(octets)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_is_the_zones_until_it_is_gone() {
        let place = tempfile::tempdir().unwrap();
        let (state, zone) = (
            place.path().join("state"),
            Name::from_user("example.com").unwrap(),
        );
        let (one, two) = (place.path().join("one"), place.path().join("two"));
        for path in [&one, &two] {
            fs::write(path, "").unwrap();
        }
        assert_eq!(claim(&state, &zone, &one).unwrap(), Claim::Zones);
        assert_eq!(
            claim(&state, &zone, &two).unwrap(),
            Claim::Another(one.clone())
        );
        assert_eq!(claim(&state, &zone, &one).unwrap(), Claim::Zones);
        assert_eq!(
            claim(&state, &Name::from_user("example.org").unwrap(), &two).unwrap(),
            Claim::Zones
        );
        fs::remove_file(&one).unwrap();
        assert_eq!(claim(&state, &zone, &two).unwrap(), Claim::Zones);
        assert_eq!(claim(&state, &zone, &two).unwrap(), Claim::Zones);
    }

    #[test]
    fn what_is_to_be_told_is_remembered_for_each_file() {
        let place = tempfile::tempdir().unwrap();
        let (state, zone) = (
            place.path().join("state"),
            Name::from_user("example.com").unwrap(),
        );
        let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/a\xff\"b".to_vec()));
        let like = PathBuf::from("hex:00");
        assert!(!is_untold(&state, &zone, &odd).unwrap());
        for path in [&odd, &like] {
            mark(&state, &zone, path, true).unwrap();
            assert!(is_untold(&state, &zone, path).unwrap());
            assert_eq!(path_of(&word_of(path)), *path);
        }
        mark(&state, &zone, &odd, false).unwrap();
        assert_eq!(
            (
                is_untold(&state, &zone, &odd).unwrap(),
                is_untold(&state, &zone, &like).unwrap()
            ),
            (false, true)
        );
    }

    #[test]
    fn a_damaged_document_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        let zone = Name::from_user("example.com").unwrap();
        for text in [
            "",
            "{}",
            "{\"version\":1,\"zone\":\"example.com.\",\"untold\":[]}",
        ] {
            fs::write(file_of(place.path(), &zone, ENDING), text).unwrap();
            assert!(
                is_untold(place.path(), &zone, Path::new("/z")).is_err(),
                "{text}"
            );
            assert!(
                mark(place.path(), &zone, Path::new("/z"), true).is_err(),
                "{text}"
            );
        }
    }
}
