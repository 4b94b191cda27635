//! The first law as a check that stops where it is broken: reading is total, and
//! does not depend on how the text comes in.

use danewright::name::Name;
use danewright::text::source::{Library, Texts};
use danewright::zone::edit::error::PlanError;
use danewright::zone::edit::plan::Zone;
use danewright::zone::text::reader::{ReadErrorKind, Reader};
use danewright::zone::text::scan::{self, Kind};

use super::check::apex;
use super::invent::Files;
use super::plain;

/// Reading is total: entries are never empty, joined they are the text, they
/// do not depend on how the text comes in, and a second reader reads the same.
/// Says whether the zone could be read to its end.
pub(crate) fn reading(files: &Files, origin: &Name, pad: usize, step: usize) -> bool {
    let library = Texts::of(files.clone());
    let whole = walk(&library, origin);
    for (number, (_, text)) in files.iter().enumerate() {
        let spans: Vec<(u64, u64)> = whole
            .entries
            .iter()
            .filter(|entry| entry.file == number)
            .map(|entry| (entry.start, entry.end))
            .collect();
        let mut expected = 0;
        for (start, end) in spans {
            // A file may be read several times, each time from its start to its end.
            if start == 0 && expected == text.len() as u64 {
                expected = 0;
            }
            assert_eq!(
                start, expected,
                "entries of file {number} leave a gap or overlap"
            );
            assert!(end > start, "an entry of file {number} is empty");
            let lines = text[..start as usize]
                .iter()
                .filter(|octet| **octet == b'\n')
                .count() as u64;
            let entry = whole
                .entries
                .iter()
                .find(|entry| entry.file == number && entry.start == start);
            assert_eq!(
                entry.map(|entry| entry.line),
                Some(lines + 1),
                "the line of the entry at {start}"
            );
            expected = end;
        }
        let read = whole.entries.iter().any(|entry| entry.file == number);
        assert!(
            !read || whole.error.is_some() || expected == text.len() as u64,
            "the end of file {number} was not read"
        );
    }
    known_early(files, &whole, step);
    super::stepping::stepping(files, origin);
    let byte_order_mark = files[0].1.first().is_some_and(|octet| *octet >= 0xef);
    for (pad, step) in [
        (0, step % 61 + 1),
        (if byte_order_mark { 0 } else { pad }, 100_003),
    ] {
        let trickle = Trickle {
            texts: Texts::of(files.clone()),
            pad: padding(pad),
            step,
        };
        let other = walk(&trickle, origin).without(&trickle.pad);
        assert_eq!(
            other, whole,
            "read behind {pad} octets of comment, {step} octets at a time"
        );
    }
    // Stepping quickly over what is far from all targets misses nothing.
    let indexed = Zone::read(&library, Some(origin.clone()), &[]);
    if let Some((file, line, column, what)) = &whole.error {
        match indexed {
            Err(PlanError::Read(error)) if matches!(error.what, ReadErrorKind::Data(_)) => {}
            Err(PlanError::Read(error)) => {
                let place = (&error.place.file, error.place.line, error.place.column);
                assert_eq!((place, &kind(&error.what)), ((file, *line, *column), what));
            }
            other => panic!("{what} at {file}:{line}:{column} was missed: {other:?}"),
        }
        return false;
    }
    let plain = plain::records(files, origin.wire());
    let plain: Vec<_> = plain.iter().filter(|record| record.code != 0).collect();
    let read: Vec<_> = whole
        .entries
        .iter()
        .filter_map(|entry| entry.record.as_ref())
        .collect();
    // Without an SOA in order, what is inherited from its minimum field means nothing.
    let in_order = apex(files, origin).is_some();
    for ((owner, ttl, code), theirs) in read.iter().zip(&plain) {
        assert_eq!(
            (owner.wire(), *code),
            (theirs.owner.as_slice(), theirs.code),
            "{theirs:?}"
        );
        assert!(
            !in_order || *ttl == theirs.ttl,
            "{theirs:?} is read with the TTL {ttl:?}"
        );
    }
    assert_eq!(
        read.len(),
        plain.len(),
        "the two readers find different numbers of records"
    );
    true
}

/// What is said of an entry from a part of the text is what the whole text says.
fn known_early(files: &Files, whole: &Walk, step: usize) {
    for entry in whole.entries.iter().skip(step % 5).step_by(5).take(8) {
        let text = &files[entry.file].1[entry.start as usize..];
        let Some(known) = scan::entry(text, true) else {
            panic!("an entry needs more than the whole text")
        };
        for cut in 0..text.len().min(known.len + 3).min(200) {
            let early = scan::entry(&text[..cut], false);
            assert!(
                early.as_ref().is_none_or(|early| *early == known),
                "{early:?} after {cut} octets, {known:?} at last"
            );
        }
    }
}

/// All that a reader says of a zone.
#[derive(Debug, PartialEq)]
struct Walk {
    entries: Vec<Seen>,
    error: Option<(String, u64, u64, String)>,
}

#[derive(Debug, PartialEq)]
struct Seen {
    file: usize,
    start: u64,
    end: u64,
    line: u64,
    record: Option<(Name, Option<u32>, u16)>,
}

fn walk(library: &dyn Library, origin: &Name) -> Walk {
    let mut reader = Reader::new(library, Some(origin.clone()));
    let mut walk = Walk {
        entries: Vec::new(),
        error: None,
    };
    loop {
        match reader.advance() {
            Ok(true) => {}
            Ok(false) => return walk,
            Err(error) => {
                let place = error.place;
                walk.error = Some((place.file, place.line, place.column, kind(&error.what)));
                return walk;
            }
        }
        let Some(entry) = reader.entry() else {
            panic!("there is an entry after advance() said so")
        };
        let record = match entry.kind {
            Kind::Record(fields) => match reader.inherited().owner_of(entry.text, fields) {
                Ok(owner) => Some((
                    owner,
                    reader.inherited().ttl_of(entry.text, fields),
                    fields.code,
                )),
                Err(error) => panic!("{error:?} only when the owner is asked for"),
            },
            Kind::Blank | Kind::Control { .. } | Kind::Unread(_) => None,
        };
        let (file, line) = (entry.file, entry.line);
        walk.entries.push(Seen {
            file,
            start: entry.offset,
            end: entry.end(),
            line,
            record,
        });
    }
}

/// What is wrong; the word that is shown with it depends on how much was read.
fn kind(what: &ReadErrorKind) -> String {
    match what {
        ReadErrorKind::Syntax(wrong, _) => format!("{wrong:?}"),
        other => format!("{other:?}"),
    }
}

impl Walk {
    /// The same without the comments in front of the main file.
    fn without(mut self, pad: &[u8]) -> Self {
        let (octets, lines) = (
            pad.len() as u64,
            pad.iter().filter(|octet| **octet == b'\n').count() as u64,
        );
        self.entries
            .retain(|entry| entry.file != 0 || entry.start >= octets);
        for entry in self.entries.iter_mut().filter(|entry| entry.file == 0) {
            entry.start -= octets;
            entry.end -= octets;
            entry.line -= lines;
        }
        if let Some((file, line, ..)) = &mut self.error
            && file == "main"
        {
            *line -= lines;
        }
        self
    }
}

/// Comment lines, this many octets of them in all.
fn padding(octets: usize) -> Vec<u8> {
    let mut pad = Vec::with_capacity(octets);
    while pad.len() < octets {
        let line = (octets - pad.len()).min(40_000);
        pad.extend(std::iter::repeat_n(b';', line - 1));
        pad.push(b'\n');
    }
    pad
}

/// Files that come in small portions, the main one behind some comments.
struct Trickle {
    texts: Texts,
    pad: Vec<u8>,
    step: usize,
}

impl Library for Trickle {
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.step);
        let buffer = &mut buffer[..length];
        let pad: &[u8] = if file == 0 { &self.pad } else { &[] };
        match pad.get(offset as usize..) {
            Some(rest) if !rest.is_empty() => {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
            _ => self.texts.read_at(file, offset - pad.len() as u64, buffer),
        }
    }

    fn include(&self, path: &[u8]) -> std::io::Result<usize> {
        self.texts.include(path)
    }

    fn label(&self, file: usize) -> String {
        self.texts.label(file)
    }
}
