//! The proof: an edited zone is read again and must hold the old records, less
//! the removed, plus the added, TTLs included. What a line means depends on its
//! octets and on what it inherits, so both texts are read side by side from
//! before each edit until they stand at the same place and inherit the same;
//! from there on they cannot differ.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::name::Name;
use crate::text::source::Library;
use crate::text::splice::{Edited, Splice, moved};
use crate::zone::text::generate;
use crate::zone::text::rdata::{self, rdata_words};
use crate::zone::text::reader::{Checkpoint, ReadError, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::Kind;

/// One record's meaning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Meaning {
    /// Its owner; `None` for a `$GENERATE`, whose words say it all.
    pub owner: Option<Name>,
    /// Its TTL in seconds, as BIND reads it.
    pub ttl: Option<u32>,
    /// Its type's code, 0 for a `$GENERATE`.
    pub code: u16,
    /// TLSA data in wire form; for other types, the words as they stand.
    pub rdata: Vec<u8>,
    /// What relative names in `rdata` are completed with; `None` for TLSA.
    pub origin: Option<Name>,
}

/// What an edit did to the meaning of a zone: for each record that is there
/// more or less often than before, by how much.
pub type Difference = HashMap<Meaning, i64>;

/// Why there is no proof.
#[derive(Debug)]
pub enum ProofError {
    /// The original or the edited text cannot be read.
    Read(ReadError),
    /// The two readings went into different files.
    Apart,
}

impl From<ReadError> for ProofError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Finds out what splices did to the meaning of a zone. The checkpoints stand
/// before the splices, in reading order; the splices of each file are in order.
///
/// # Errors
///
/// When one of the texts cannot be read.
pub fn difference(
    library: &dyn Library,
    splices: &[(usize, Vec<Splice>)],
    checkpoints: &[Checkpoint],
) -> Result<Difference, ProofError> {
    let edited = Edited::new(library, splices);
    let mut difference = Difference::new();
    let mut covered: Option<u64> = None;
    for checkpoint in checkpoints {
        if covered.is_some_and(|end| checkpoint.order < end) {
            continue;
        }
        // What is inserted right at the end of a stretch was read with it.
        let read_already = covered == Some(checkpoint.order);
        let (file, offset) = checkpoint.position();
        let start = checkpoint.moved(|level_file, level_offset| {
            let here = of(splices, level_file);
            let now = read_already && (level_file, level_offset) == (file, offset);
            moved(here, level_offset)
                + if now {
                    inserted_at(here, level_offset)
                } else {
                    0
                }
        });
        let mut pair = Pair {
            old: Reader::from(library, checkpoint.clone()),
            new: Reader::from(&edited, start),
            splices,
        };
        covered = Some(pair.run(&mut difference)?);
    }
    difference.retain(|_, count| *count != 0);
    Ok(difference)
}

fn of(splices: &[(usize, Vec<Splice>)], file: usize) -> &[Splice] {
    splices
        .iter()
        .find(|(number, _)| *number == file)
        .map_or(&[], |(_, splices)| splices)
}

/// How much is inserted right at an offset, in octets.
fn inserted_at(splices: &[Splice], offset: u64) -> u64 {
    splices
        .iter()
        .filter(|splice| splice.start == offset && splice.end == offset)
        .map(|splice| splice.text.len() as u64)
        .sum()
}

/// The original and the edited text, read side by side.
struct Pair<'p> {
    old: Reader<'p>,
    new: Reader<'p>,
    splices: &'p [(usize, Vec<Splice>)],
}

impl Pair<'_> {
    fn run(&mut self, difference: &mut Difference) -> Result<u64, ProofError> {
        let mut old_more = self.old.advance()?;
        let mut new_more = self.new.advance()?;
        let mut moves = 0u64;
        loop {
            let (old, new) = (self.old.checkpoint(), self.new.checkpoint());
            let ((file, old_at), (new_file, new_at)) = (old.position(), new.position());
            let here = of(self.splices, file);
            // Behind what is inserted right here: the edited text has to be read up to there.
            let target = moved(here, old_at) + inserted_at(here, old_at);
            let cut_here = here
                .iter()
                .any(|splice| splice.start <= old_at && splice.end > old_at);
            let pending = here
                .iter()
                .any(|splice| splice.start >= old_at && moves == 0);
            if !old_more && !new_more {
                return Ok(old.order + 1);
            }
            if file != new_file {
                // One of them has left an included file at whose end the other still reads.
                match old.depth().cmp(&new.depth()) {
                    Ordering::Less => {
                        count(&self.new, 1, difference)?;
                        new_more = self.new.advance()?;
                    }
                    Ordering::Greater => {
                        count(&self.old, -1, difference)?;
                        old_more = self.old.advance()?;
                    }
                    Ordering::Equal => return Err(ProofError::Apart),
                }
                moves += 1;
                continue;
            }
            if new_more && (new_at < target || !old_more) {
                count(&self.new, 1, difference)?;
                new_more = self.new.advance()?;
            } else if old_more && (new_at > target || cut_here || !new_more) {
                count(&self.old, -1, difference)?;
                old_more = self.old.advance()?;
            } else if !pending && moves > 0 && old.same_ahead(&new) {
                return Ok(old.order);
            } else {
                count(&self.old, -1, difference)?;
                count(&self.new, 1, difference)?;
                old_more = self.old.advance()?;
                new_more = self.new.advance()?;
            }
            moves += 1;
        }
    }
}

fn count(reader: &Reader<'_>, by: i64, difference: &mut Difference) -> Result<(), ReadError> {
    let Some(entry) = reader.entry() else {
        return Ok(());
    };
    let inherited = reader.inherited();
    let origin = inherited.origin.as_deref().cloned();
    let meaning = match entry.kind {
        Kind::Record(fields) => {
            let tlsa = (fields.code == code::TLSA)
                .then(|| rdata::tlsa(entry.text, fields).ok())
                .flatten();
            let rdata = match &tlsa {
                Some(tlsa) => tlsa.rdata(),
                None => {
                    let words = rdata_words(entry.text, fields);
                    words
                        .iter()
                        .flat_map(|word| [word.of(entry.text), b"\0"].concat())
                        .collect()
                }
            };
            Meaning {
                owner: Some(inherited.owner_of(entry.text, fields).map_err(|error| {
                    reader.error_at(0, crate::zone::text::reader::ReadErrorKind::Name(error))
                })?),
                ttl: inherited.ttl_of(entry.text, fields),
                code: fields.code,
                rdata,
                origin: if tlsa.is_some() { None } else { origin },
            }
        }
        Kind::Control { name, args } if name.of(entry.text).eq_ignore_ascii_case(b"$GENERATE") => {
            let stated = generate::stated_ttl(entry.text, args);
            let words = args
                .iter()
                .filter(|word| stated.is_none_or(|(ttl, _)| ttl != **word));
            Meaning {
                owner: None,
                ttl: stated
                    .map(|(_, seconds)| seconds)
                    .or(inherited.default_ttl)
                    .or(inherited.last_ttl),
                code: 0,
                rdata: words
                    .flat_map(|word| [word.of(entry.text), b"\0"].concat())
                    .collect(),
                origin,
            }
        }
        Kind::Control { .. } | Kind::Blank | Kind::Unread(_) => return Ok(()),
    };
    *difference.entry(meaning).or_insert(0) += by;
    Ok(())
}
