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
            } else if moves > 0 && old.same_ahead(&new) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::Texts;

    /// A library that fails in a stretch of the main file.
    struct Torn(Texts, std::ops::Range<u64>);

    impl Library for Torn {
        fn read_at(&self, file: usize, offset: u64, to: &mut [u8]) -> std::io::Result<usize> {
            if file == 0 && self.1.contains(&offset) {
                return Err(std::io::ErrorKind::Other.into());
            }
            self.0.read_at(file, offset, to)
        }
        fn include(&self, path: &[u8]) -> std::io::Result<usize> {
            self.0.include(path)
        }
        fn label(&self, file: usize) -> String {
            self.0.label(file)
        }
    }

    /// The files of a zone: `main`, and those that it may include.
    fn library(main: &str, parts: [&str; 2]) -> Texts {
        let file = |(label, text): (&str, &str)| (label.to_owned(), text.as_bytes().to_vec());
        Texts::of([("main", main), ("part", parts[0]), ("other", parts[1])].map(file))
    }

    /// What edits do to a zone, in words. Of each, this text of a file gives way to that one;
    /// what both begin with stays.
    fn edited(
        main: &str,
        parts: [&str; 2],
        edits: &[(usize, &str, &str)],
        torn: std::ops::Range<u64>,
    ) -> Result<Vec<String>, ProofError> {
        let whole = library(main, parts);
        let mut splices: Vec<(usize, Vec<Splice>)> = Vec::new();
        let mut checkpoints = Vec::new();
        for (file, old, new) in edits {
            let text = [main, parts[0], parts[1]][*file];
            let at = text.find(old).unwrap() as u64;
            let kept = if new.ends_with(old) { 0 } else { old.len() };
            let splice = Splice {
                start: at,
                end: at + kept as u64,
                text: new.as_bytes()[..new.len() - (old.len() - kept)].to_vec(),
                line: 1,
            };
            let mut reader = Reader::new(&whole, Some(Name::from_user("example.com").unwrap()));
            let mut before = reader.checkpoint();
            while reader.advance()? {
                let (there, offset) = reader.checkpoint().position();
                if there == *file && offset <= at {
                    before = reader.checkpoint();
                }
            }
            checkpoints.push(before);
            match splices.iter_mut().find(|(number, _)| number == file) {
                Some((_, there)) => there.push(splice),
                None => splices.push((*file, vec![splice])),
            }
        }
        let found = difference(&Torn(whole, torn), &splices, &checkpoints)?;
        let mut words: Vec<String> = found
            .iter()
            .map(|(meaning, by)| {
                let owner = meaning.owner.as_ref().map(Name::to_string);
                let owner = owner.unwrap_or_else(|| "generated".to_owned());
                let origin = meaning.origin.as_ref().map(Name::to_string);
                let data = String::from_utf8_lossy(&meaning.rdata).replace('\0', " ");
                format!(
                    "{by:+} {} {} {} {}({})",
                    owner.trim_end_matches(".example.com."),
                    meaning.ttl.unwrap_or(0),
                    meaning.code,
                    data,
                    origin.unwrap_or_default()
                )
                .replace("(example.com.)", "")
                .trim_end()
                .to_owned()
            })
            .collect();
        words.sort();
        Ok(words)
    }

    const MAIN: &str =
        "@ 60 SOA ns h 1 2 3 4 5\nm 60 A 192.0.2.1\nx 60 TXT x\n 60 TXT y\nz 60 TXT z\n";

    #[test]
    fn what_an_edit_does_is_counted_and_nothing_else() {
        for (edits, expected) in [
            (
                &[(0, "x 60 TXT x\n", "")][..],
                &["+1 m 60 16 y", "-1 x 60 16 x", "-1 x 60 16 y"][..],
            ),
            (
                &[(0, "x 60 TXT x\n 60 TXT y\n", "")],
                &["-1 x 60 16 x", "-1 x 60 16 y"],
            ),
            (
                &[(0, "x 60 TXT x\n", ""), (0, " 60 TXT y", "x 60 TXT y")],
                &["-1 x 60 16 x"],
            ),
            (&[(0, " 60 TXT y", "x 60 TXT y")], &[]),
            (&[(0, "z 60", "n 60 TXT n\nz 60")], &["+1 n 60 16 n"]),
            (
                &[(0, " 60 TXT y", "n 60 TXT n\n 60 TXT y")],
                &["+1 n 60 16 n", "+1 n 60 16 y", "-1 x 60 16 y"],
            ),
            (
                &[
                    (0, "x 60 TXT x\n", "n 60 TXT n\nx 60 TXT x\n"),
                    (0, "z 60", "n 60 TXT n\nz 60"),
                ],
                &["+2 n 60 16 n"],
            ),
            (
                &[(0, "TXT z\n", "TXT w\n")],
                &["+1 z 60 16 w", "-1 z 60 16 z"],
            ),
            (&[(0, "z 60 TXT z\n", "")], &["-1 z 60 16 z"]),
            (
                &[
                    (0, "x 60 TXT x\n", "; x\n"),
                    (0, "z 60 TXT z\n", "x 60 TXT x\n"),
                ],
                &["+1 m 60 16 y", "-1 x 60 16 y", "-1 z 60 16 z"],
            ),
            (
                &[(0, "m 60", "$TTL 9\n$ORIGIN sub\nm 60")],
                &[
                    "+1 m.sub 60 1 192.0.2.1 (sub.example.com.)",
                    "+1 x.sub 60 16 x (sub.example.com.)",
                    "+1 x.sub 60 16 y (sub.example.com.)",
                    "+1 z.sub 60 16 z (sub.example.com.)",
                    "-1 m 60 1 192.0.2.1",
                    "-1 x 60 16 x",
                    "-1 x 60 16 y",
                    "-1 z 60 16 z",
                ],
            ),
        ] {
            let found = edited(MAIN, ["", ""], edits, 0..0).unwrap();
            let expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(found, expected, "{edits:?}");
        }
    }

    #[test]
    fn ttls_are_followed_through_directives() {
        let main = "@ 60 SOA ns h 1 2 3 4 5\nx 70 TXT x\ny TXT y\n$GENERATE 1-2 h$ A 192.0.2.$\n\
            $GENERATE 1-2 i$ 80 A 192.0.2.$\nz TXT z\n";
        for (edits, expected) in [
            (
                &[(0, "x 70 TXT x\n", "")][..],
                &[
                    "+1 generated 60 0 1-2 h$ A 192.0.2.$",
                    "+1 y 60 16 y",
                    "-1 generated 70 0 1-2 h$ A 192.0.2.$",
                    "-1 x 70 16 x",
                    "-1 y 70 16 y",
                ][..],
            ),
            (
                &[(0, "x 70 TXT x\n", ""), (0, "TXT y\n", "70 TXT y\n")],
                &["-1 x 70 16 x"],
            ),
            (&[(0, " A 192.0.2.$\n$", " 70 A 192.0.2.$\n$")], &[]),
            (
                &[(0, "80 A", "90 A")],
                &[
                    "+1 generated 90 0 1-2 i$ A 192.0.2.$",
                    "+1 z 90 16 z",
                    "-1 generated 80 0 1-2 i$ A 192.0.2.$",
                    "-1 z 80 16 z",
                ],
            ),
            (
                &[(0, "y TXT", "$TTL 9\ny TXT")],
                &[
                    "+1 generated 9 0 1-2 h$ A 192.0.2.$",
                    "+1 y 9 16 y",
                    "+1 z 9 16 z",
                    "-1 generated 70 0 1-2 h$ A 192.0.2.$",
                    "-1 y 70 16 y",
                    "-1 z 80 16 z",
                ],
            ),
        ] {
            let found = edited(main, ["", ""], edits, 0..0).unwrap();
            let expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(found, expected, "{edits:?}");
        }
    }

    #[test]
    fn included_files_are_gone_into_and_left_at_their_ends() {
        let main =
            "@ 60 SOA ns h 1 2 3 4 5\nm 60 A 192.0.2.1\n$INCLUDE part\n 60 TXT m\nz 60 TXT z\n";
        let part = "p 60 TXT p\nq 60 TXT q\n";
        for (edits, expected) in [
            (&[(1, "q 60 TXT q\n", "")][..], &["-1 q 60 16 q"][..]),
            (&[(1, part, "")], &["-1 p 60 16 p", "-1 q 60 16 q"]),
            (&[(1, "TXT q\n", "TXT q\nr 60 TXT r\n")], &["+1 r 60 16 r"]),
            (
                &[(0, "m 60 A 192.0.2.1\n", ""), (1, "p 60 TXT p\n", "")],
                &[
                    "+1 @ 60 16 m",
                    "-1 m 60 1 192.0.2.1",
                    "-1 m 60 16 m",
                    "-1 p 60 16 p",
                ],
            ),
            (
                &[(1, "p 60 TXT p\n", ""), (0, "z 60 TXT z\n", "")],
                &["-1 p 60 16 p", "-1 z 60 16 z"],
            ),
            (
                &[(0, "$INCLUDE part\n", "")],
                &["-1 p 60 16 p", "-1 q 60 16 q"],
            ),
        ] {
            let found = edited(main, [part, ""], edits, 0..0).unwrap();
            let expected: Vec<String> = expected
                .iter()
                .map(|line| line.replace(" @ ", " example.com. "))
                .collect();
            assert_eq!(found, expected, "{edits:?}");
        }
        let other = [(0, "$INCLUDE part\n", "$INCLUDE other\n")];
        assert_eq!(edited(main, [part, part], &other, 0..0).unwrap(), [""; 0]);
    }

    #[test]
    fn only_what_an_edit_may_change_is_read() {
        let long = "x 60 TXT x\n".repeat(1 << 16);
        let main = format!("{MAIN}{long}w 60 TXT w\nv 60 TXT v\n");
        let middle = 300_000..600_000;
        for (edits, count) in [
            (&[(0, "z 60 TXT z\n", "")][..], 1),
            (&[(0, "z 60", "n 60 TXT n\nz 60")], 1),
            (&[(0, "TXT z\n", "TXT w\n"), (0, "w 60 TXT w\n", "")], 3),
            (&[(0, " 60 TXT y", "x 60 TXT y")], 0),
        ] {
            let found = edited(&main, ["", ""], edits, middle.clone()).unwrap();
            assert_eq!(found.len(), count, "{found:?}");
        }
        // Without a statement of its own, all that follows changes.
        let all = [(0, "z 60 TXT z\n", "z 60 TXT z\n$ORIGIN sub\n")];
        assert!(edited(&main, ["", ""], &all, middle).is_err());
    }
}
