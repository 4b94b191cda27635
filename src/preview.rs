//! What a check is shown of an edit that is not in place yet. The new text of
//! the main file includes other files by name, and those are still the old
//! ones; so each file that leads to a changed one is copied with its `$INCLUDE`
//! naming the new text. Nothing else differs: a check sees the zone as it will
//! be, never half of the edit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::files::beside::Beside;
use crate::files::disk::Disk;
use crate::files::replace::Staged;
use crate::files::{CHECK, hidden, open};
use crate::name::Name;
use crate::text::source::Library;
use crate::text::splice::{Edited, Splice};
use crate::zone::text::reader::{ReadError, Reader, unquoted};
use crate::zone::text::scan::Kind;

/// Why a check cannot be shown the whole edit.
#[derive(Debug)]
pub enum ViewError {
    /// The new text cannot be read.
    Read(ReadError),
    /// A copy cannot be written beside this file.
    Io(PathBuf, io::Error),
    /// This path cannot stand in a zone file.
    Path(PathBuf),
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(
                f,
                "the new text cannot be read at {}: {:?}",
                error.place, error.what
            ),
            Self::Io(_, error) => write!(f, "the copy for the check cannot be written: {error}"),
            Self::Path(_) => write!(
                f,
                "the path has a quote, a backslash or a line end, which no $INCLUDE can name"
            ),
        }
    }
}

impl std::error::Error for ViewError {}

/// The new zone from its main file; dropped, its copies are gone.
#[derive(Debug)]
pub struct View {
    main: PathBuf,
    _copies: Vec<Beside>,
}

/// The word that names an included file: where it starts and ends in the
/// including one, and the number of the included one.
type Mention = (u64, u64, usize);

impl View {
    /// Shows staged files, and whatever includes them.
    ///
    /// # Errors
    ///
    /// When a copy cannot be made.
    pub fn of(
        disk: &Disk,
        staged: &Staged,
        splices: &[(usize, Vec<Splice>)],
        apex: &Name,
    ) -> Result<Self, ViewError> {
        let path_of = |file: usize| {
            disk.with(file, |opened| opened.path.clone())
                .unwrap_or_default()
        };
        let lies_at = |file: usize| {
            let path = path_of(file);
            staged.new_path(&path).map_or(path.clone(), Path::to_owned)
        };
        if splices.iter().all(|(file, _)| *file == 0) {
            return Ok(Self {
                main: lies_at(0),
                _copies: Vec::new(),
            });
        }
        let mentions = mentions(disk, splices, apex).map_err(ViewError::Read)?;
        let leading = leading(&mentions, splices);
        let mut copies = Vec::new();
        for file in &leading {
            let shown_new = |file: &usize| {
                leading.contains(file) || splices.iter().any(|(changed, _)| changed == file)
            };
            let wanted = |(start, end, included): &Mention| {
                let shown = if leading.contains(included) {
                    hidden(&path_of(*included), CHECK)
                } else {
                    lies_at(*included)
                };
                let text = word(&shown).ok_or(ViewError::Path(shown))?;
                Ok(Splice {
                    start: *start,
                    end: *end,
                    text,
                    line: 1,
                })
            };
            let renamed = mentions[file]
                .iter()
                .filter(|mention| shown_new(&mention.2))
                .map(wanted)
                .collect::<Result<Vec<_>, _>>()?;
            let failed = |error| ViewError::Io(path_of(*file), error);
            let source = open::regular(&lies_at(*file)).map_err(failed)?;
            let place = disk.spot(*file).map_err(failed)?.hidden(CHECK);
            copies.push(Beside::write(&source, &renamed, place).map_err(failed)?);
        }
        Ok(Self {
            main: hidden(&path_of(0), CHECK),
            _copies: copies,
        })
    }

    /// The main file to be checked.
    #[must_use]
    pub fn main(&self) -> &Path {
        &self.main
    }
}

/// Where the edited files include others, in order.
fn mentions(
    disk: &Disk,
    splices: &[(usize, Vec<Splice>)],
    apex: &Name,
) -> Result<BTreeMap<usize, Vec<Mention>>, ReadError> {
    let edited = Edited::new(disk, splices);
    let mut reader = Reader::new(&edited, Some(apex.clone()));
    let mut found: BTreeMap<usize, BTreeSet<Mention>> = BTreeMap::new();
    while reader.advance()? {
        let Some(entry) = reader.entry() else {
            continue;
        };
        if let Kind::Control { name, args } = entry.kind
            && name.of(entry.text).eq_ignore_ascii_case(b"$INCLUDE")
            && let Some(path) = args.first()
            && let Ok(included) = edited.include(&unquoted(path.of(entry.text)))
        {
            let (start, end) = entry.in_file(*path);
            found
                .entry(entry.file)
                .or_default()
                .insert((start, end, included));
        }
    }
    Ok(found
        .into_iter()
        .map(|(file, mentions)| (file, mentions.into_iter().collect()))
        .collect())
}

/// The files that include a changed one, directly or through others.
fn leading(
    mentions: &BTreeMap<usize, Vec<Mention>>,
    splices: &[(usize, Vec<Splice>)],
) -> BTreeSet<usize> {
    let mut leading = BTreeSet::new();
    loop {
        let shown_new = |file: &usize| {
            leading.contains(file) || splices.iter().any(|(changed, _)| changed == file)
        };
        let more: BTreeSet<usize> = mentions
            .iter()
            .filter(|(_, mentions)| mentions.iter().any(|(_, _, included)| shown_new(included)))
            .map(|(file, _)| *file)
            .collect();
        if more == leading {
            return leading;
        }
        leading = more;
    }
}

/// A path as a word of a zone file, in quotes where it needs them.
fn word(path: &Path) -> Option<Vec<u8>> {
    let octets = path.as_os_str().as_bytes();
    if octets
        .iter()
        .any(|octet| matches!(octet, b'"' | b'\\' | b'\n' | b'\r'))
    {
        return None;
    }
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"/._-+=:,".contains(octet);
    if octets.iter().all(plain) {
        Some(octets.to_vec())
    } else {
        Some([b"\"", octets, b"\""].concat())
    }
}
