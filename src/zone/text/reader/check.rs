//! Whether an entry is one that name servers read: its form, its owner, its data.

use crate::zone::text::presentation;
use crate::zone::text::reader::{Entry, ReadError, ReadErrorKind, Reader, lossy};
use crate::zone::text::scan::Kind;
use crate::zone::text::words::{Span, Wrong, words};

impl Reader<'_> {
    /// Whether the entry can be read at all.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        let Some(Entry {
            file,
            line,
            text,
            kind,
            ..
        }) = self.entry()
        else {
            return Ok(());
        };
        self.check_entry(text, kind).map_err(|(at, what)| {
            let hash = if text.starts_with(b"#") {
                Some(0)
            } else {
                Some(at).filter(|at| text.get(*at) == Some(&b'#'))
            };
            match hash {
                Some(hash) => {
                    let what = ReadErrorKind::Syntax(Wrong::HashComment, String::new());
                    self.error_in(text, file, line, hash, what)
                }
                None => self.error_in(text, file, line, at, what),
            }
        })
    }

    /// What is wrong with an entry, and at which of its octets.
    fn check_entry(&self, text: &[u8], kind: &Kind) -> Result<(), (usize, ReadErrorKind)> {
        match kind {
            Kind::Unread(fault) => {
                let word = words(text)
                    .find(|word| word.start >= fault.at)
                    .map_or(&[][..], |word| word.of(text));
                Err((fault.at, ReadErrorKind::Syntax(fault.what, lossy(word))))
            }
            Kind::Record(fields) if fields.owner.is_none() && !self.inherited.has_owner() => {
                Err((0, ReadErrorKind::NoOwner))
            }
            Kind::Record(fields) => {
                let origin = self.inherited.origin.as_deref();
                // The scan knows owners without their origin; few need a second look.
                if let Some(owner) = fields.owner
                    && origin
                        .is_none_or(|origin| origin.wire().len() + owner.end - owner.start > 254)
                    && let Err(error) = self.inherited.owner_of(text, fields)
                {
                    return Err((owner.start, ReadErrorKind::Name(error)));
                }
                presentation::check(text, fields, origin)
                    .map_err(|error| (error.at, ReadErrorKind::Data(error.what)))?;
                quoted_line_end(text).map_or(Ok(()), |at| {
                    Err((
                        at,
                        ReadErrorKind::Syntax(Wrong::QuotedLineEnd, String::new()),
                    ))
                })
            }
            Kind::Blank | Kind::Control { .. } => Ok(()),
        }
    }
}

/// Where a quoted string that goes over a line end begins.
fn quoted_line_end(text: &[u8]) -> Option<usize> {
    let ends = memchr::memchr(b'\n', text).is_some_and(|end| end + 1 < text.len());
    if !ends || memchr::memchr(b'"', text).is_none() {
        return None;
    }
    let over = |word: &Span| word.of(text).first() == Some(&b'"') && word.of(text).contains(&b'\n');
    words(text).find(over).map(|word| word.start)
}
