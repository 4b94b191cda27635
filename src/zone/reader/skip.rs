//! Steps over plain lines that an edit has nothing to do with, many at a time.
//! What is inherited, counted and remembered afterwards is what
//! [`advance`](Reader::advance) over each of them would have left.

use crate::zone::plain::{self, LONGEST_NAME};
use crate::zone::reader::{ReadError, Reader, WINDOW};

/// What was stepped over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// How many records.
    pub(crate) records: u64,
    /// The last of them: offset, line, octets.
    pub(crate) last: Option<(u64, u64, usize)>,
    /// Whether one of them stated an owner.
    pub(crate) stated_owner: bool,
}

impl Reader<'_> {
    /// Leaves the present entry behind and steps over the plain lines after it,
    /// as long as the owners they state are `far` from all that matters.
    /// `inherits` says that the present owner is far as well.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(crate) fn skip_plain(&mut self, inherits: bool, far: impl Fn(&[u8]) -> bool) -> Result<Skipped, ReadError> {
        self.pass()?;
        let Some(level) = self.stack.last() else { return Ok(Skipped::default()) };
        let (file, offset, line) = (level.file, level.offset, level.line);
        // The first entry of a file is looked at in full; and a word that is short
        // enough makes a name that is, only where the origin leaves room for it.
        let room = self.inherited.origin.as_ref().is_some_and(|origin| origin.wire().len() + LONGEST_NAME < 254);
        if offset == 0 || !room {
            return Ok(Skipped::default());
        }
        self.fill(file, offset, WINDOW).map_err(|error| self.failed(file, line, error))?;
        let Some((_, start, _)) = self.holds else { return Ok(Skipped::default()) };
        if !self.marked {
            self.marks.set(&self.window);
            self.marked = true;
        }
        let from = usize::try_from(offset - start).unwrap_or(usize::MAX);
        let run = plain::run(&self.window, &self.marks, from, inherits, far);
        self.inherited.pass_plain(run.owner.map(|span| span.of(&self.window)), run.ttl);
        self.order += run.lines;
        if let Some(level) = self.stack.last_mut() {
            level.offset += run.len as u64;
            level.line += run.lines;
        }
        let last = run.last.map(|(span, lines)| (start + span.start as u64, line + lines, span.end - span.start));
        Ok(Skipped { records: run.records, last, stated_owner: run.owner.is_some() })
    }
}
