//! Splices: the only way a zone's text changes. What lies outside them is
//! copied, never printed.

use std::io;

use crate::text::source::Library;

/// Replaces a stretch of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Offset of the first octet that goes.
    pub start: u64,
    /// Offset behind the last octet that goes; `start` for a pure insertion.
    pub end: u64,
    /// What comes in its place.
    pub text: Vec<u8>,
    /// The line of `start`, from 1.
    pub line: u64,
}

/// A stretch of the edited text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'s> {
    /// Copied from the original: from, to.
    Kept(u64, u64),
    /// New text.
    New(&'s [u8]),
}

/// The edited text of a file of `length` octets as pieces, in order.
/// The splices are in order and disjoint.
pub fn pieces(splices: &[Splice], length: u64) -> impl Iterator<Item = Piece<'_>> {
    let starts = std::iter::once(0).chain(splices.iter().map(|splice| splice.end));
    let ends = splices
        .iter()
        .map(|splice| splice.start)
        .chain(std::iter::once(length));
    let news = splices
        .iter()
        .map(|splice| Some(splice.text.as_slice()))
        .chain(std::iter::once(None));
    starts.zip(ends).zip(news).flat_map(|((start, end), new)| {
        let kept = (start < end).then_some(Piece::Kept(start, end));
        kept.into_iter()
            .chain(new.filter(|text| !text.is_empty()).map(Piece::New))
    })
}

/// Brings splices into order. Insertions at one place stay in the order given.
///
/// # Errors
///
/// The first pair that overlaps.
pub fn in_order(mut splices: Vec<Splice>) -> Result<Vec<Splice>, (Splice, Splice)> {
    splices.sort_by_key(|splice| (splice.start, splice.end));
    for pair in splices.windows(2) {
        if pair[0].end > pair[1].start {
            return Err((pair[0].clone(), pair[1].clone()));
        }
    }
    Ok(splices)
}

/// Where an offset of the original lies in the edited text: in front of text
/// inserted right there, and at the end of what replaces the stretch it lies in.
#[must_use]
pub fn moved(splices: &[Splice], offset: u64) -> u64 {
    let before = splices.iter().take_while(|splice| splice.start < offset);
    before.fold(offset, |at, splice| {
        at + splice.text.len() as u64 - (splice.end.min(offset) - splice.start)
    })
}

/// A library whose files show the edited text.
pub struct Edited<'l> {
    library: &'l dyn Library,
    splices: &'l [(usize, Vec<Splice>)],
}

impl<'l> Edited<'l> {
    /// The files of `library`, with these splices, in order, for each file number.
    #[must_use]
    pub fn new(library: &'l dyn Library, splices: &'l [(usize, Vec<Splice>)]) -> Self {
        Self { library, splices }
    }
}

impl Library for Edited<'_> {
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((_, splices)) = self.splices.iter().find(|(number, _)| *number == file) else {
            return self.library.read_at(file, offset, buffer);
        };
        let mut at: u64 = 0;
        for piece in pieces(splices, u64::MAX) {
            let length = match piece {
                Piece::Kept(start, end) => end - start,
                Piece::New(text) => text.len() as u64,
            };
            // The last piece is as long as a number can say: the original tells where it ends.
            if let Some(end) = at.checked_add(length)
                && offset >= end
            {
                at = end;
                continue;
            }
            let skip = offset - at;
            let wanted = usize::try_from(length - skip)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            return match piece {
                Piece::Kept(start, _) => {
                    self.library
                        .read_at(file, start + skip, &mut buffer[..wanted])
                }
                Piece::New(text) => {
                    let from = usize::try_from(skip).unwrap_or(usize::MAX);
                    buffer[..wanted].copy_from_slice(&text[from..from + wanted]);
                    Ok(wanted)
                }
            };
        }
        Ok(0)
    }

    fn include(&self, path: &[u8]) -> io::Result<usize> {
        self.library.include(path)
    }

    fn label(&self, file: usize) -> String {
        self.library.label(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::{Texts, read_span};

    fn splice(start: u64, end: u64, text: &str) -> Splice {
        Splice {
            start,
            end,
            text: text.as_bytes().to_vec(),
            line: 1,
        }
    }

    #[test]
    fn the_edited_text_is_the_kept_pieces_and_the_new_ones() {
        let library = Texts::one("z", "0123456789");
        let splices = vec![(
            0,
            in_order(vec![
                splice(4, 6, "ab"),
                splice(0, 0, "x"),
                splice(10, 10, "end"),
            ])
            .unwrap(),
        )];
        let edited = Edited::new(&library, &splices);
        assert_eq!(read_span(&edited, 0, 0, 14).unwrap(), b"x0123ab6789end");
        assert_eq!(read_span(&edited, 0, 3, 9).unwrap(), b"23ab67");
        assert_eq!(moved(&splices[0].1, 0), 0);
        assert_eq!(moved(&splices[0].1, 6), 7);
        assert_eq!(moved(&splices[0].1, 10), 11);
    }

    #[test]
    fn splices_that_overlap_are_no_patch() {
        assert!(in_order(vec![splice(0, 5, ""), splice(4, 6, "")]).is_err());
        assert!(in_order(vec![splice(5, 5, "a"), splice(5, 5, "b"), splice(0, 5, "")]).is_ok());
    }
}
