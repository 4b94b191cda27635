//! Taking records out of a zone without changing what the lines after them
//! mean: the next record is given what it inherited from the ones that go.

use crate::zone::index::Found;
use crate::zone::library::{Library, read_span};
use crate::zone::reader::{Checkpoint, ReadError, ReadErrorKind, Reader};
use crate::zone::scan::Kind;
use crate::zone::splice::Splice;
use crate::zone::style::line_end;

/// How far to look back for the start of a line, in octets; directives are shorter.
const LOOK_BACK: u64 = 4096;

/// A splice with the file it is for and a point before it to read from again.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The file's number.
    pub file: usize,
    /// The change.
    pub splice: Splice,
    /// A point in reading order at or before the change.
    pub before: Checkpoint,
}

/// The splices that take these records out; they are in reading order.
///
/// # Errors
///
/// When the zone cannot be read on behind them.
pub fn take_out(library: &dyn Library, gone: &[Found]) -> Result<Vec<Placed>, ReadError> {
    let mut splices = Vec::new();
    let mut at = 0;
    while at < gone.len() {
        let (count, heir) = heir_of(library, &gone[at..])?;
        // A record that cannot be found again is a file that changed under us; the proof says so.
        let count = count.max(1);
        for run in gone[at..at + count].chunk_by(|one, next| one.file == next.file && one.end() == next.offset) {
            let splice = cut(library, run);
            splices.extend(splice.map(|splice| Placed { file: run[0].file, splice, before: run[0].before.clone() }));
        }
        splices.extend(heir);
        at += count;
    }
    Ok(splices)
}

/// How many of the records go before the next one that stays, and what that one is given.
fn heir_of(library: &dyn Library, gone: &[Found]) -> Result<(usize, Vec<Placed>), ReadError> {
    let Some(first) = gone.first() else { return Ok((0, Vec::new())) };
    let mut reader = Reader::from(library, first.before.clone());
    let mut count = 0;
    let (mut owner_text, mut owner_origin, mut ttl_text) = (Vec::new(), None, Vec::new());
    while reader.advance()? {
        let Some(entry) = reader.entry() else { break };
        let Kind::Record(fields) = entry.kind else { continue };
        let goes = gone.get(count).is_some_and(|found| found.file == entry.file && found.offset == entry.offset);
        if goes {
            count += 1;
            if let Some(owner) = fields.owner {
                owner_text = owner.of(entry.text).to_vec();
                owner_origin = reader.inherited().origin.clone();
            }
            if let Some((ttl, _)) = fields.ttl {
                ttl_text = ttl.of(entry.text).to_vec();
            }
            continue;
        }
        let (now, before) = (reader.inherited(), &first.before.inherited);
        let mut given = Vec::new();
        let placed = |start: usize, end: usize, text: Vec<u8>| {
            let (start, end) = (entry.offset + start as u64, entry.offset + end as u64);
            Placed {
                file: entry.file,
                splice: Splice { start, end, text, line: entry.line },
                before: first.before.clone(),
            }
        };
        let blanks = entry.text.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let inherited = now.inherited_owner();
        if fields.owner.is_none() && inherited != before.inherited_owner() {
            if owner_origin != now.origin {
                let owner = inherited.map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
                owner_text = owner.to_string().into_bytes();
            }
            // Where there is room, the columns stay where they are.
            let room = entry.text[..blanks].iter().all(|octet| *octet == b' ') && blanks > owner_text.len();
            given.push(placed(0, if room { owner_text.len() } else { 0 }, owner_text));
        }
        // Without $TTL, later lines inherit the last TTL stated (RFC 1035 section 5.1).
        if fields.ttl.is_none() && now.default_ttl.is_none() && now.last_ttl != before.last_ttl {
            let word = fields
                .class
                .map_or(fields.rtype, |(class, _)| if class.start < fields.rtype.start { class } else { fields.rtype });
            ttl_text.push(b' ');
            given.push(placed(word.start, word.start, ttl_text));
        }
        return Ok((count, given));
    }
    Ok((count, Vec::new()))
}

/// Cuts whole logical lines that follow each other. The last line of a file
/// without a line end takes the one before it along, so that the file ends as
/// it did.
fn cut(library: &dyn Library, run: &[Found]) -> Option<Splice> {
    let (first, last) = (run.first()?, run.last()?);
    let mut start = first.offset;
    if !last.text.ends_with(b"\n") {
        let before = read_span(library, first.file, start.saturating_sub(LOOK_BACK), start).unwrap_or_default();
        let above = before.strip_suffix(b"\n").unwrap_or(&before);
        let line = above.rsplit(|octet| *octet == b'\n').next().unwrap_or(&[]);
        // A directive needs its line end: BIND does not read one without.
        if before.ends_with(b"\n") && !line.starts_with(b"$") {
            start -= line_end(&before).len() as u64;
        }
    }
    Some(Splice { start, end: last.end(), text: Vec::new(), line: first.line })
}
