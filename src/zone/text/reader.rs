//! Walks the entries of a zone in reading order, included files in their
//! place, through a small window: memory does not grow with the files. Knows
//! what each entry inherits; says what is wrong with the first that is.

mod check;
mod skip;
mod window;

use std::fmt;

use crate::name::{Name, NameError};
use crate::text::source::Library;
use crate::zone::text::generate;
use crate::zone::text::inherit::Inherited;
use crate::zone::text::scan::{self, Kind, LONGEST_ENTRY, Scanned};
use crate::zone::text::ttl;
use crate::zone::text::words::{Span, Wrong};

pub(crate) use skip::Skipped;
#[cfg(test)]
pub(crate) use skip::tests::stepping_through;
use window::WINDOW;

/// How deep includes may nest below the main file, as in NSD; BIND has no limit.
const DEEPEST: usize = 10;

/// How many includes there may be in one reading. Ten files that include the next
/// one thirty times each would never come to an end.
pub const MOST_INCLUDES: usize = 20_000;

/// Where something stands: file, line and column, both counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's label.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in octets, from 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a zone cannot be read, and where.
#[derive(Debug)]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// What.
    pub what: ReadErrorKind,
}

/// What is wrong with a zone's text.
#[derive(Debug)]
pub enum ReadErrorKind {
    /// An entry is wrong.
    Syntax(Wrong, String),
    /// An owner or origin is no name.
    Name(NameError),
    /// The first record has no owner to inherit.
    NoOwner,
    /// The data of a record is not what its type takes.
    Data(String),
    /// A directive has the wrong words after it.
    Directive(String),
    /// One on a last line without a line end.
    UnendedDirective,
    /// A directive that no name server knows.
    UnknownDirective(String),
    /// An included file cannot be read.
    Include(String, std::io::Error),
    /// Includes go around in a circle, or deeper than 10 files.
    IncludeDepth,
    /// There are more includes than any zone has.
    IncludeCount,
    /// A file cannot be read.
    Io(std::io::Error),
}

/// One entry in its place.
#[derive(Debug)]
pub struct Entry<'r> {
    /// The file's number in the library.
    pub file: usize,
    /// Offset of the entry's first octet in the file.
    pub offset: u64,
    /// Line of that octet, from 1.
    pub line: u64,
    /// The entry's octets.
    pub text: &'r [u8],
    /// What the entry is.
    pub kind: &'r Kind,
}

impl Entry<'_> {
    /// Offset behind the entry's last octet.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.text.len() as u64
    }

    /// A span of this entry, in offsets of the file.
    #[must_use]
    pub fn in_file(&self, span: Span) -> (u64, u64) {
        (
            self.offset + span.start as u64,
            self.offset + span.end as u64,
        )
    }
}

/// Where reading can go on later: the files that are open and how far, and
/// what is inherited there.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    stack: Vec<Level>,
    /// How many entries lie before it, in reading order.
    pub order: u64,
    /// Whether the entry right before it in its file is a directive.
    pub after_directive: bool,
    /// What is inherited at this point.
    pub inherited: Inherited,
}

impl Checkpoint {
    /// The file and offset where reading would go on.
    #[must_use]
    pub fn position(&self) -> (usize, u64) {
        self.stack
            .last()
            .map_or((0, 0), |level| (level.file, level.offset))
    }

    /// Whether every later line means the same from both points: also after
    /// the included files that are open have ended.
    #[must_use]
    pub fn same_ahead(&self, other: &Self) -> bool {
        self.inherited == other.inherited
            && self.stack.len() == other.stack.len()
            && self.stack.iter().zip(&other.stack).all(|(ours, theirs)| {
                match (&ours.outside, &theirs.outside) {
                    (Some(ours), Some(theirs)) => ours.same_names(theirs),
                    (None, None) => true,
                    _ => false,
                }
            })
    }

    /// How many files are open: 1 in the main file.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.stack.len()
    }

    /// The same point with offsets changed: for reading an edited text from
    /// the place that corresponds to one in the original.
    #[must_use]
    pub fn moved(&self, shift: impl Fn(usize, u64) -> u64) -> Self {
        let mut moved = self.clone();
        for level in &mut moved.stack {
            level.offset = shift(level.file, level.offset);
        }
        moved
    }
}

/// One file that is being read.
#[derive(Clone, Debug)]
struct Level {
    file: usize,
    offset: u64,
    line: u64,
    /// What comes back into force when the file ends.
    outside: Option<Box<Inherited>>,
}

/// Reads a zone entry by entry.
pub struct Reader<'l> {
    library: &'l dyn Library,
    stack: Vec<Level>,
    inherited: Inherited,
    window: Vec<u8>,
    /// What the window holds: file, offset of its first octet, and whether the file ends with it.
    holds: Option<(usize, u64, bool)>,
    /// What was stepped over since TTLs are handed on, to be used again.
    handed: Vec<skip::Handed>,
    /// The entry that was handed out last, not yet passed.
    current: Option<Scanned>,
    /// How many entries were passed.
    order: u64,
    /// Whether the last of them was a directive.
    after_directive: bool,
    /// How many files were included by this reader.
    included: usize,
}

impl<'l> Reader<'l> {
    /// Starts at the top of the main file.
    #[must_use]
    pub fn new(library: &'l dyn Library, origin: Option<Name>) -> Self {
        let top = Level {
            file: 0,
            offset: 0,
            line: 1,
            outside: None,
        };
        Self::from(
            library,
            Checkpoint {
                stack: vec![top],
                order: 0,
                after_directive: false,
                inherited: Inherited::at_start(origin),
            },
        )
    }

    /// Goes on from a checkpoint.
    #[must_use]
    pub fn from(library: &'l dyn Library, checkpoint: Checkpoint) -> Self {
        let Checkpoint {
            stack,
            order,
            after_directive,
            inherited,
        } = checkpoint;
        Self {
            library,
            stack,
            inherited,
            window: Vec::new(),
            holds: None,
            handed: Vec::new(),
            current: None,
            order,
            after_directive,
            included: 0,
        }
    }

    /// What the entry that was read last inherits.
    #[must_use]
    pub fn inherited(&self) -> &Inherited {
        &self.inherited
    }

    /// How many files are open: 1 in the main file.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.stack.len()
    }

    /// The point before the entry that was read last.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            stack: self.stack.clone(),
            order: self.order,
            after_directive: self.after_directive,
            inherited: self.inherited.clone(),
        }
    }

    /// Steps to the next entry; `false` at the end of the zone.
    ///
    /// # Errors
    ///
    /// The first thing that a name server would not read, with its place.
    pub fn advance(&mut self) -> Result<bool, ReadError> {
        self.pass()?;
        loop {
            let Some(level) = self.stack.last() else {
                return Ok(false);
            };
            let (file, offset, line) = (level.file, level.offset, level.line);
            self.fill(file, offset, WINDOW)
                .map_err(|error| self.failed(file, line, error))?;
            let (text, last) = self.ahead(offset);
            if text.is_empty() {
                if self.stack.len() == 1 {
                    return Ok(false);
                }
                if let Some(level) = self.stack.pop()
                    && let Some(outside) = level.outside
                {
                    self.inherited = outside.returning(&self.inherited);
                    self.after_directive = true;
                }
                continue;
            }
            let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
            if offset == 0 && marks.iter().any(|mark| text.starts_with(mark)) {
                let what = ReadErrorKind::Syntax(Wrong::ByteOrderMark, String::new());
                return Err(self.error_in(text, file, line, 0, what));
            }
            let Some(scanned) = scan::entry(text, last) else {
                let wanted = (text.len() * 2).clamp(WINDOW, LONGEST_ENTRY + WINDOW);
                self.holds = None;
                self.fill(file, offset, wanted)
                    .map_err(|error| self.failed(file, line, error))?;
                continue;
            };
            self.current = Some(scanned);
            break;
        }
        self.check().map(|()| true)
    }

    /// The entry that [`advance`](Self::advance) stepped to.
    #[must_use]
    pub fn entry(&self) -> Option<Entry<'_>> {
        let level = self.stack.last()?;
        let scanned = self.current.as_ref()?;
        let text = self.ahead(level.offset).0.get(..scanned.len)?;
        Some(Entry {
            file: level.file,
            offset: level.offset,
            line: level.line,
            text,
            kind: &scanned.kind,
        })
    }

    /// An error at an octet of the entry that was read last.
    #[must_use]
    pub fn error_at(&self, at: usize, what: ReadErrorKind) -> ReadError {
        match self.entry() {
            Some(entry) => self.error_in(entry.text, entry.file, entry.line, at, what),
            None => self.error_in(&[], 0, 1, 0, what),
        }
    }

    /// Where an octet of the entry that was read last stands.
    #[must_use]
    pub fn place(&self, at: usize) -> Place {
        self.error_at(at, ReadErrorKind::NoOwner).place
    }

    /// Takes the last entry's effect on what is inherited, and steps behind it.
    pub(crate) fn pass(&mut self) -> Result<(), ReadError> {
        let Some(Scanned { len, lines, kind }) = self.current.take() else {
            return Ok(());
        };
        self.order += 1;
        self.after_directive = matches!(kind, Kind::Control { .. });
        let Some(level) = self.stack.last_mut() else {
            return Ok(());
        };
        let (file, offset, line) = (level.file, level.offset, level.line);
        level.offset += len as u64;
        level.line += lines;
        match kind {
            Kind::Blank | Kind::Unread(_) => Ok(()),
            Kind::Record(fields) => {
                // Not through `ahead`: the window and what is inherited are borrowed at once.
                let start = self.holds.map_or(0, |(_, start, _)| start);
                let at = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
                let text = self
                    .window
                    .get(at..)
                    .and_then(|rest| rest.get(..len))
                    .unwrap_or(&[]);
                self.inherited.pass(text, &fields);
                Ok(())
            }
            Kind::Control { name, args } => {
                // Taken out for as long as the directive is read, which asks for nothing of it.
                let window = std::mem::take(&mut self.window);
                let start = self.holds.map_or(0, |(_, start, _)| start);
                let at = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
                let text = window
                    .get(at..)
                    .and_then(|rest| rest.get(..len))
                    .unwrap_or(&[]);
                let passed = if text.ends_with(b"\n") || self.ends_with_include(text, name, &args) {
                    self.control(text, name, &args)
                } else {
                    // BIND reads it together with what follows the include, or not at all.
                    Err((name.start, ReadErrorKind::UnendedDirective))
                };
                let passed = passed.map_err(|(at, what)| self.error_in(text, file, line, at, what));
                self.window = window;
                passed
            }
        }
    }

    /// Whether the zone ends in an include that all servers read without a line end: BIND
    /// reads none with an origin there, NSD none in quotes.
    fn ends_with_include(&self, text: &[u8], name: Span, args: &[Span]) -> bool {
        let is_plain = matches!(args, [file] if !file.of(text).starts_with(b"\""));
        self.stack.len() == 1 && is_plain && name.of(text).eq_ignore_ascii_case(b"$INCLUDE")
    }

    fn control(
        &mut self,
        text: &[u8],
        name: Span,
        args: &[Span],
    ) -> Result<(), (usize, ReadErrorKind)> {
        let count = |wanted: std::ops::RangeInclusive<usize>, form: &str| {
            let found = wanted.contains(&args.len());
            if found {
                Ok(())
            } else {
                Err((name.start, ReadErrorKind::Directive(form.to_owned())))
            }
        };
        match name.of(text).to_ascii_uppercase().as_slice() {
            b"$ORIGIN" => {
                count(1..=1, "$ORIGIN takes one name")?;
                let origin = self.name(text, args[0])?;
                self.inherited.origin = Some(std::rc::Rc::new(origin));
            }
            b"$TTL" => {
                count(1..=1, "$TTL takes one TTL")?;
                let seconds = ttl::parse(args[0].of(text));
                let wrong = || {
                    (
                        args[0].start,
                        ReadErrorKind::Syntax(Wrong::BadTtl, lossy(args[0].of(text))),
                    )
                };
                self.inherited.pass_default(seconds.ok_or_else(wrong)?);
            }
            b"$INCLUDE" => {
                count(1..=2, "$INCLUDE takes a file and perhaps an origin")?;
                let origin = args.get(1).map(|span| self.name(text, *span)).transpose()?;
                let path = unquoted(args[0].of(text));
                let file = self.library.include(&path);
                let file = file.map_err(|error| {
                    (args[0].start, ReadErrorKind::Include(lossy(&path), error))
                })?;
                self.included += 1;
                if self.included > MOST_INCLUDES {
                    return Err((args[0].start, ReadErrorKind::IncludeCount));
                }
                if self.stack.len() > DEEPEST || self.stack.iter().any(|level| level.file == file) {
                    return Err((args[0].start, ReadErrorKind::IncludeDepth));
                }
                let inside = self.inherited.entering(origin);
                let outside = std::mem::replace(&mut self.inherited, inside);
                self.stack.push(Level {
                    file,
                    offset: 0,
                    line: 1,
                    outside: Some(Box::new(outside)),
                });
            }
            b"$GENERATE" => {
                generate::check(text, name, args, self.inherited.origin.as_deref())
                    .map_err(|error| (error.at, ReadErrorKind::Directive(error.what)))?;
                if let Some((_, seconds)) = generate::stated_ttl(text, args) {
                    self.inherited.pass_ttl(seconds);
                }
            }
            _ => {
                return Err((
                    name.start,
                    ReadErrorKind::UnknownDirective(lossy(name.of(text))),
                ));
            }
        }
        Ok(())
    }

    fn name(&self, text: &[u8], span: Span) -> Result<Name, (usize, ReadErrorKind)> {
        Name::from_zone_text(span.of(text), self.inherited.origin.as_deref())
            .map_err(|error| (span.start, ReadErrorKind::Name(error)))
    }

    fn error_in(
        &self,
        text: &[u8],
        file: usize,
        line: u64,
        at: usize,
        what: ReadErrorKind,
    ) -> ReadError {
        let before = &text[..at.min(text.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let line = line + memchr::memchr_iter(b'\n', before).count() as u64;
        let column = (before.len() - line_start) as u64 + 1;
        ReadError {
            place: Place {
                file: self.library.label(file),
                line,
                column,
            },
            what,
        }
    }

    /// A file that could not be read from this line on.
    #[must_use]
    pub fn failed(&self, file: usize, line: u64, error: std::io::Error) -> ReadError {
        self.error_in(&[], file, line, 0, ReadErrorKind::Io(error))
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// A word without the quotes around it.
pub(crate) fn unquoted(word: &[u8]) -> Vec<u8> {
    word.strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(word)
        .to_vec()
}
