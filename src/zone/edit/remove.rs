//! Taking records out of a zone without changing what the lines after them
//! mean: the next record is given what it inherited from the ones that go.

use crate::name::Name;
use crate::text::source::{Library, read_span};
use crate::text::splice::Splice;
use crate::zone::edit::index::Found;
use crate::zone::edit::style::line_end;
use crate::zone::text::generate;
use crate::zone::text::reader::{Checkpoint, Place, ReadError, ReadErrorKind, Reader};
use crate::zone::text::scan::Kind;

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

/// What a removal comes to.
#[derive(Debug, Default)]
pub struct Removal {
    /// The splices.
    pub splices: Vec<Placed>,
    /// The first line without a record that begins with a blank, and will do so
    /// before any owner in its file.
    pub left_first: Option<Place>,
}

/// The splices that take these records out; they are in reading order.
///
/// # Errors
///
/// When the zone cannot be read on behind them.
pub fn take_out(library: &dyn Library, gone: &[Found]) -> Result<Removal, ReadError> {
    let Removal {
        mut splices,
        mut left_first,
    } = Removal::default();
    let mut at = 0;
    while at < gone.len() {
        let (count, heirs) = heirs_of(library, &gone[at..], &mut left_first)?;
        // A record that cannot be found again is a file that changed under us; the proof says so.
        let count = count.max(1);
        for run in gone[at..at + count]
            .chunk_by(|one, next| one.file == next.file && one.end() == next.offset)
        {
            let splice = cut(library, run);
            splices.extend(splice.map(|splice| Placed {
                file: run[0].file,
                splice,
                before: run[0].before.clone(),
            }));
        }
        splices.extend(heirs);
        at += count;
    }
    Ok(Removal {
        splices,
        left_first,
    })
}

/// How many of the records go before the lines behind them mean again what they
/// meant, and what the lines that stay are given for that.
fn heirs_of(
    library: &dyn Library,
    gone: &[Found],
    left_first: &mut Option<Place>,
) -> Result<(usize, Vec<Placed>), ReadError> {
    let Some(first) = gone.first() else {
        return Ok((0, Vec::new()));
    };
    let mut reader = Reader::from(library, first.before.clone());
    let mut owners = Owners::default();
    let mut ttl_text = Vec::new();
    // The TTL that later lines will inherit when the records have gone.
    let mut left_ttl = first.before.inherited.last_ttl;
    let (mut count, mut given) = (0, Vec::new());
    while reader.advance()? {
        let Some(entry) = reader.entry() else { break };
        let placed = |start: usize, end: usize, text: Vec<u8>| {
            let (start, end) = (entry.offset + start as u64, entry.offset + end as u64);
            let splice = Splice {
                start,
                end,
                text,
                line: entry.line,
            };
            Placed {
                file: entry.file,
                splice,
                before: first.before.clone(),
            }
        };
        let now = reader.inherited();
        let inherited = Inherits {
            name: now.inherited_owner().ok(),
            outside: now.owner_is_outside(),
            across: now.owner_is_across(),
        };
        let owner = owners.at(reader.depth(), &inherited);
        // Without $TTL, later lines inherit the last TTL stated (RFC 1035 section 5.1).
        let ttl_lost = now.default_ttl.is_none() && now.last_ttl != left_ttl;
        let fields = match entry.kind {
            Kind::Record(fields) => fields,
            Kind::Control { name, args }
                if name.of(entry.text).eq_ignore_ascii_case(b"$GENERATE") =>
            {
                // It makes records, which inherit a TTL, and hands its own on.
                if let Some((_, seconds)) = generate::stated_ttl(entry.text, args) {
                    left_ttl = Some(seconds);
                } else if let Some(word) = args.get(2).filter(|_| ttl_lost) {
                    given.push(placed(
                        word.start,
                        word.start,
                        [&ttl_text[..], b" "].concat(),
                    ));
                    left_ttl = now.last_ttl;
                }
                continue;
            }
            Kind::Blank => {
                let is_first = entry.text.starts_with(b" ") || entry.text.starts_with(b"\t");
                if is_first && owner.left.is_from_elsewhere() && !inherited.is_from_elsewhere() {
                    left_first.get_or_insert_with(|| reader.place(0));
                }
                continue;
            }
            Kind::Control { .. } | Kind::Unread(_) => continue,
        };
        let own = now
            .owner_of(entry.text, fields)
            .map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
        if gone
            .get(count)
            .is_some_and(|found| found.file == entry.file && found.offset == entry.offset)
        {
            count += 1;
            if fields.ttl.is_some()
                && (now.is_ttl_doubtful() || inherited.name.as_ref() != Some(&own))
            {
                // Which TTL BIND has from the lines before is not sure: of an owner's records of one type
                // that follow each other it takes the first one's for all, and hands that on.
                left_ttl = None;
            }
            owner.was = inherited.behind(own, fields.owner.is_some());
            if let Some((span, _)) = fields.ttl {
                ttl_text = span.of(entry.text).to_vec();
            }
            continue;
        }
        let lost = fields.owner.is_none() && !owner.left.does_for(&inherited);
        if lost {
            let text = now
                .owner_text()
                .unwrap_or_else(|| own.to_string().into_bytes());
            // Where there is room, the columns stay where they are.
            let blanks = entry
                .text
                .iter()
                .take_while(|octet| matches!(octet, b' ' | b'\t'))
                .count();
            let room =
                entry.text[..blanks].iter().all(|octet| *octet == b' ') && blanks > text.len();
            given.push(placed(0, if room { text.len() } else { 0 }, text));
        }
        let stated = fields.owner.is_some();
        owner.left = owner.left.behind(own.clone(), stated || lost);
        owner.was = inherited.behind(own, stated);
        match fields.ttl {
            Some((_, seconds)) => left_ttl = Some(seconds),
            None if ttl_lost => {
                let word = fields.class.map_or(fields.rtype, |(class, _)| class);
                let start = word.start.min(fields.rtype.start);
                given.push(placed(start, start, [&ttl_text[..], b" "].concat()));
                left_ttl = now.last_ttl;
            }
            None => {}
        }
        if owners.settled() {
            break;
        }
    }
    Ok((count, given))
}

/// What a line with a leading blank inherits.
#[derive(Clone, Default)]
struct Inherits {
    name: Option<Name>,
    /// From the file that includes this one; Knot reads no such line.
    outside: bool,
    /// From before an included file; old NSD reads that otherwise.
    across: bool,
}

impl Inherits {
    /// What is inherited behind a record of this owner.
    fn behind(&self, owner: Name, stated: bool) -> Self {
        Self {
            name: Some(owner),
            outside: self.outside && !stated,
            across: self.across && !stated,
        }
    }

    /// Whether the file itself has stated no owner so far.
    fn is_from_elsewhere(&self) -> bool {
        self.name.is_none() || self.outside
    }

    /// Whether a line that inherited `other` may inherit this.
    fn does_for(&self, other: &Self) -> bool {
        self.name == other.name
            && (other.outside || !self.outside)
            && (other.across || !self.across)
    }
}

/// What is inherited before and after the removal.
#[derive(Clone, Default)]
struct Inheritance {
    was: Inherits,
    left: Inherits,
}

/// The inheritance in each open file, from where the removal began: when an
/// included file ends, the owner of the line before it is in force again.
#[derive(Default)]
struct Owners {
    base: usize,
    levels: Vec<Inheritance>,
}

impl Owners {
    /// The inheritance at this depth of files, where `inherited` is in force.
    fn at(&mut self, depth: usize, inherited: &Inherits) -> &mut Inheritance {
        if self.levels.is_empty() || depth < self.base {
            self.base = depth;
            self.levels = vec![Inheritance {
                was: inherited.clone(),
                left: inherited.clone(),
            }];
        }
        if self.levels.len() > depth + 1 - self.base {
            self.levels.truncate(depth + 1 - self.base);
            if let Some(back) = self.levels.last_mut() {
                (back.was.across, back.left.across) = (true, true);
            }
        }
        while let Some(above) = self
            .levels
            .last()
            .filter(|_| self.levels.len() < depth + 1 - self.base)
        {
            let mut entered = above.clone();
            (entered.was.outside, entered.left.outside) = (true, true);
            self.levels.push(entered);
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// Whether nothing is left that a later line would inherit otherwise.
    fn settled(&self) -> bool {
        self.levels
            .iter()
            .all(|level| level.left.does_for(&level.was))
    }
}

/// Cuts whole logical lines that follow each other. The last line of a file
/// without a line end takes the one before it along, so that the file ends as
/// it did.
fn cut(library: &dyn Library, run: &[Found]) -> Option<Splice> {
    let (first, last) = (run.first()?, run.last()?);
    let mut start = first.offset;
    if !last.text.ends_with(b"\n") {
        let before =
            read_span(library, first.file, start.saturating_sub(2), start).unwrap_or_default();
        // A directive needs its line end: BIND does not read one without.
        if before.ends_with(b"\n") && !first.before.after_directive {
            start -= line_end(&before).len() as u64;
        }
    }
    Some(Splice {
        start,
        end: last.end(),
        text: Vec::new(),
        line: first.line,
    })
}
