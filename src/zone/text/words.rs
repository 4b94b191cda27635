//! An entry's octets to words: blanks, comments, quotes, escapes and parentheses
//! of zone files (RFC 1035 section 5.1), and what can be wrong with them.

/// A stretch of an entry's text: offsets from the entry's first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first octet.
    pub start: usize,
    /// Offset behind the last octet.
    pub end: usize,
}

impl Span {
    /// The octets of the span.
    #[must_use]
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start..self.end).unwrap_or(&[])
    }
}

/// What is wrong with an entry, and at which of its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset from the entry's first octet.
    pub at: usize,
    /// What is wrong.
    pub what: Wrong,
}

/// What can be wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// `(` without `)` until the end of the file.
    OpenGroup,
    /// `)` without `(`.
    CloseWithoutOpen,
    /// `((`: BIND accepts it, NSD and Knot do not.
    NestedGroup,
    /// `"` without its partner until the end of the line or file.
    OpenQuote,
    /// A backslash before the end of a line or file, or `\` with digits above 255.
    BadEscape,
    /// An octet that no name server reads: NUL, or a carriage return of its own.
    Octet(u8),
    /// The byte order mark of UTF-8 or UTF-16 at the start of the file.
    ByteOrderMark,
    /// A number where the TTL stands that is no TTL.
    BadTtl,
    /// A record without a type.
    NoType,
    /// A word where the type stands that is no type.
    UnknownType,
    /// A type without data.
    NoRdata,
    /// A class other than IN.
    ForeignClass,
    /// A word with `#` where a comment may have been meant.
    HashComment,
    /// A line end inside quotes: NSD takes it, BIND and mostly Knot refuse the zone.
    QuotedLineEnd,
    /// An owner that is no domain name.
    BadOwner,
    /// One logical line of more than [`LONGEST_ENTRY`](crate::zone::text::scan::LONGEST_ENTRY) octets.
    TooLong,
}

/// The words of an entry, comments and parentheses left out, quotes kept.
pub fn words(text: &[u8]) -> impl Iterator<Item = Span> {
    let mut words = Words::new(text, true);
    std::iter::from_fn(move || {
        loop {
            match words.next() {
                Step::Word(span) => return Some(span),
                Step::Comment | Step::Wrong(_) => {}
                Step::More | Step::End => return None,
            }
        }
    })
}

/// Whether an entry has a comment.
#[must_use]
pub fn has_comment(text: &[u8]) -> bool {
    let mut words = Words::new(text, true);
    loop {
        match words.next() {
            Step::Comment => return true,
            Step::More | Step::End => return false,
            Step::Word(_) | Step::Wrong(_) => {}
        }
    }
}

/// What [`Words::next`] came upon.
pub(crate) enum Step {
    Word(Span),
    Comment,
    Wrong(Fault),
    /// The text ends and the entry does not.
    More,
    /// The entry ends before `at`.
    End,
}

/// Splits an entry into words, group by group.
pub(crate) struct Words<'t> {
    text: &'t [u8],
    last: bool,
    pub(crate) at: usize,
    /// Whether we are inside parentheses.
    depth: u32,
    pub(crate) opened_at: Option<usize>,
    in_quote: bool,
    done: bool,
}

impl<'t> Words<'t> {
    pub(crate) fn new(text: &'t [u8], last: bool) -> Self {
        Self {
            text,
            last,
            at: 0,
            depth: 0,
            opened_at: None,
            in_quote: false,
            done: false,
        }
    }

    pub(crate) fn unclosed(&self) -> Wrong {
        if self.in_quote {
            Wrong::OpenQuote
        } else {
            Wrong::OpenGroup
        }
    }

    pub(crate) fn next(&mut self) -> Step {
        if self.done {
            return Step::End;
        }
        while let Some(&octet) = self.text.get(self.at) {
            let start = self.at;
            self.at += 1;
            match octet {
                b' ' | b'\t' => {}
                b'\n' if self.depth > 0 => {}
                b'\n' => {
                    self.done = true;
                    return Step::End;
                }
                b'\r' => match self.text.get(self.at) {
                    Some(b'\n') => {}
                    None if !self.last => return Step::More,
                    _ => {
                        return Step::Wrong(Fault {
                            at: start,
                            what: Wrong::Octet(octet),
                        });
                    }
                },
                b'(' => {
                    self.depth += 1;
                    if self.depth > 1 {
                        return Step::Wrong(Fault {
                            at: start,
                            what: Wrong::NestedGroup,
                        });
                    }
                    self.opened_at = Some(start);
                }
                b')' => match self.depth.checked_sub(1) {
                    Some(depth) => self.depth = depth,
                    None => {
                        return Step::Wrong(Fault {
                            at: start,
                            what: Wrong::CloseWithoutOpen,
                        });
                    }
                },
                b';' => {
                    let rest = &self.text[self.at..];
                    match memchr::memchr(b'\n', rest) {
                        Some(length) => self.at += length,
                        None if self.last => self.at = self.text.len(),
                        None => return Step::More,
                    }
                    return Step::Comment;
                }
                b'"' => return self.quoted(start),
                b'\0' | 0x1a | 0x0b | 0x0c => {
                    return Step::Wrong(Fault {
                        at: start,
                        what: Wrong::Octet(octet),
                    });
                }
                _ => return self.word(start),
            }
        }
        if self.depth > 0 || !self.last {
            Step::More
        } else {
            Step::End
        }
    }

    /// A word without quotes, from `start` to the next special character.
    fn word(&mut self, start: usize) -> Step {
        self.at = start;
        while let Some(&octet) = self.text.get(self.at) {
            match octet {
                b' ' | b'\t' | b'\n' | b'\r' | b'(' | b')' | b';' | b'"' | b'\0' | 0x1a | 0x0b
                | 0x0c => {
                    return Step::Word(Span {
                        start,
                        end: self.at,
                    });
                }
                b'\\' => match self.escape() {
                    Ok(()) => {}
                    Err(step) => return step,
                },
                _ => self.at += 1,
            }
        }
        if self.last {
            Step::Word(Span {
                start,
                end: self.at,
            })
        } else {
            Step::More
        }
    }

    fn quoted(&mut self, start: usize) -> Step {
        (self.in_quote, self.opened_at) = (true, Some(start));
        while let Some(&octet) = self.text.get(self.at) {
            match octet {
                b'"' => {
                    self.at += 1;
                    self.in_quote = false;
                    return Step::Word(Span {
                        start,
                        end: self.at,
                    });
                }
                b'\\' => match self.escape() {
                    Ok(()) => {}
                    Err(step) => return step,
                },
                // A line end is part of the string for NSD and RFC 1035; BIND refuses the zone.
                b'\0' => {
                    return Step::Wrong(Fault {
                        at: self.at,
                        what: Wrong::Octet(0),
                    });
                }
                _ => self.at += 1,
            }
        }
        Step::More
    }

    /// Steps over `\X` or `\DDD`.
    fn escape(&mut self) -> Result<(), Step> {
        let at = self.at;
        let wrong = |words: &mut Self, end: usize| {
            words.at = end;
            Err(Step::Wrong(Fault {
                at,
                what: Wrong::BadEscape,
            }))
        };
        match self.text.get(at + 1..at + 4.min(self.text.len() - at)) {
            Some(digits) if digits.first().is_some_and(u8::is_ascii_digit) => {
                if digits.len() < 3 && !self.last {
                    return Err(Step::More);
                }
                let value = digits.iter().try_fold(0u32, |sum, d| {
                    d.is_ascii_digit().then(|| sum * 10 + u32::from(d - b'0'))
                });
                match value {
                    Some(0..=255) if digits.len() == 3 => self.at = at + 4,
                    _ => return wrong(self, at + 2),
                }
            }
            Some([b'\n' | b'\r', ..]) => return wrong(self, at + 1),
            Some([_, ..]) => self.at = at + 2,
            _ if self.last => return wrong(self, self.text.len()),
            _ => return Err(Step::More),
        }
        Ok(())
    }
}
