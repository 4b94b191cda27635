//! Bytes to logical lines. Total: every octet belongs to exactly one entry, and
//! an entry that cannot be understood says why and where. RFC 1035 section 5.1
//! names the special characters; `text.rs` lists where name servers differ and
//! which reading is taken here.
//!
//! Nothing but the head of a record (owner, TTL, class, type) is kept; its RDATA
//! is split on demand with [`words`](crate::zone::text::words::words), for the few records that matter.

use crate::zone::text::words::{Fault, Span, Step, Words, Wrong};
use crate::zone::text::{rtype, ttl};

/// The head of a record, as spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The owner as written; `None` when it is inherited (a leading blank).
    pub owner: Option<Span>,
    /// The TTL as written, and in seconds.
    pub ttl: Option<(Span, u32)>,
    /// The class as written, and its code.
    pub class: Option<(Span, u16)>,
    /// The type as written.
    pub rtype: Span,
    /// The type's code.
    pub code: u16,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// White space and comments only.
    Blank,
    /// `$ORIGIN`, `$TTL`, `$INCLUDE`, `$GENERATE`, or one we do not know.
    Control {
        /// The word with the dollar sign.
        name: Span,
        /// The words after it.
        args: Vec<Span>,
    },
    /// A resource record.
    Record(Fields),
    /// Kept, never edited, and a reason not to write.
    Unread(Fault),
}

/// How long one logical line may be, in octets.
pub const LONGEST_ENTRY: usize = 4 << 20;

/// One entry: how many octets it has, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Octets up to and with the line end; never 0.
    pub len: usize,
    /// How many line ends there are in them.
    pub lines: u64,
    /// What it is.
    pub kind: Kind,
}

/// Scans the entry at the start of `text`; `None` when more text is needed to
/// know where it ends. `last` says that the file ends where `text` does.
#[must_use]
pub fn entry(text: &[u8], last: bool) -> Option<Scanned> {
    if text.is_empty() {
        return None;
    }
    if let Some(scanned) = plain_line(text) {
        return Some(scanned);
    }
    let mut head = Head::default();
    let mut words = Words::new(text, last);
    let mut fault = None;
    loop {
        match words.next() {
            Step::Word(word) if fault.is_none() => fault = head.take(text, word).err(),
            Step::Word(_) => {}
            Step::Wrong(found) => fault = fault.or(Some(found)),
            Step::Comment => {}
            // What is wrong already is not made right by what follows.
            Step::More if fault.is_some() => break,
            Step::More if !last && text.len() <= LONGEST_ENTRY => return None,
            Step::More => {
                let at = words.opened_at.unwrap_or(0);
                fault = Some(Fault {
                    at,
                    what: if last {
                        words.unclosed()
                    } else {
                        Wrong::TooLong
                    },
                });
                break;
            }
            Step::End => break,
        }
    }
    let len = words.at;
    let kind = match fault {
        Some(fault) => Kind::Unread(fault),
        None => head.kind(len),
    };
    Some(Scanned {
        len,
        lines: memchr::memchr_iter(b'\n', &text[..len]).count() as u64,
        kind,
    })
}

/// The common case, a record or directive on one line without special
/// characters, in one quick pass. `None` leaves the entry to the full reading.
fn plain_line(text: &[u8]) -> Option<Scanned> {
    let end = memchr::memchr(b'\n', text)?;
    let line = text.get(..end)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() || has_special(line) {
        return None;
    }
    let mut head = Head::default();
    let mut at = 0;
    while at < line.len() && !head.complete() {
        let start = at
            + line[at..]
                .iter()
                .take_while(|octet| is_blank(**octet))
                .count();
        let end = start
            + line[start..]
                .iter()
                .take_while(|octet| !is_blank(**octet))
                .count();
        if start == end {
            break;
        }
        head.take(text, Span { start, end }).ok()?;
        at = end;
    }
    if head.control.is_some() {
        return Some(Scanned {
            len: end + 1,
            lines: 1,
            kind: head.kind(end + 1),
        });
    }
    let rest = line.get(at..)?;
    let rdata = rest.iter().any(|octet| !is_blank(*octet));
    if !head.complete() || !rdata {
        return None;
    }
    head.rdata = true;
    let Kind::Record(fields) = head.kind(end + 1) else {
        return None;
    };
    Some(Scanned {
        len: end + 1,
        lines: 1,
        kind: Kind::Record(fields),
    })
}

/// Whether a line has quotes, parentheses, comments, escapes or control
/// characters. Looks at every octet, so that the compiler takes many at once.
pub(crate) fn has_special(line: &[u8]) -> bool {
    let special = |octet: u8| {
        let control = (octet < b' ') & (octet != b'\t');
        let group = octet & !1 == b'(';
        control | group | (octet == b'"') | (octet == b';') | (octet == b'\\')
    };
    line.iter()
        .fold(0, |found, &octet| found | u8::from(special(octet)))
        != 0
}

fn is_blank(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// Collects the head of an entry word by word.
#[derive(Default)]
struct Head {
    started: bool,
    owner: Option<Span>,
    ttl: Option<(Span, u32)>,
    class: Option<(Span, u16)>,
    rtype: Option<(Span, u16)>,
    control: Option<Span>,
    args: Vec<Span>,
    rdata: bool,
}

impl Head {
    fn complete(&self) -> bool {
        self.rtype.is_some()
    }

    /// Takes the next word of the entry.
    fn take(&mut self, text: &[u8], word: Span) -> Result<(), Fault> {
        let octets = word.of(text);
        if !self.started {
            self.started = true;
            if !matches!(text.first(), Some(b' ' | b'\t')) {
                if octets.first() == Some(&b'$') {
                    self.control = Some(word);
                } else {
                    check_owner(octets).map_err(|()| Fault {
                        at: word.start,
                        what: Wrong::BadOwner,
                    })?;
                    self.owner = Some(word);
                }
                return Ok(());
            }
        }
        if self.control.is_some() {
            self.args.push(word);
            return Ok(());
        }
        if self.complete() {
            self.rdata = true;
            return Ok(());
        }
        if self.ttl.is_none() && octets.first().is_some_and(u8::is_ascii_digit) {
            let seconds = ttl::parse(octets).ok_or(Fault {
                at: word.start,
                what: Wrong::BadTtl,
            })?;
            self.ttl = Some((word, seconds));
            return Ok(());
        }
        if self.class.is_none()
            && let Some(class) = rtype::class_code(octets)
        {
            if class != 1 {
                return Err(Fault {
                    at: word.start,
                    what: Wrong::ForeignClass,
                });
            }
            self.class = Some((word, class));
            return Ok(());
        }
        let code = rtype::type_code(octets).ok_or(Fault {
            at: word.start,
            what: Wrong::UnknownType,
        })?;
        self.rtype = Some((word, code));
        Ok(())
    }

    fn kind(self, len: usize) -> Kind {
        if let Some(name) = self.control {
            return Kind::Control {
                name,
                args: self.args,
            };
        }
        if !self.started {
            return Kind::Blank;
        }
        let Some((rtype, code)) = self.rtype else {
            return Kind::Unread(Fault {
                at: self.owner.map_or(0, |owner| owner.start),
                what: Wrong::NoType,
            });
        };
        // An APL record may be empty (RFC 3123 section 4); nothing else may.
        if !self.rdata && code != 42 {
            return Kind::Unread(Fault {
                at: rtype.end.min(len - 1),
                what: Wrong::NoRdata,
            });
        }
        Kind::Record(Fields {
            owner: self.owner,
            ttl: self.ttl,
            class: self.class,
            rtype,
            code,
        })
    }
}

/// Label and name lengths, counting an escape as one octet (RFC 1035 section 2.3.4).
fn check_owner(octets: &[u8]) -> Result<(), ()> {
    if octets.first() == Some(&b'"') {
        return Err(());
    }
    if octets.len() < 64 && !octets.contains(&b'\\') && !octets.windows(2).any(|pair| pair == b"..")
    {
        let leading_dot = octets.first() == Some(&b'.') && octets.len() > 1;
        return if leading_dot { Err(()) } else { Ok(()) };
    }
    crate::name::Name::from_zone_text(octets, Some(&crate::name::Name::root()))
        .map(|_| ())
        .map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A comment sends a line the long way.
        #[test]
        fn the_quick_pass_reads_a_line_as_the_full_reading_does(
            line in "[a$]?[ \t]?(\\$?[A-Z]{1,3}|IN|NS|60|\\$TTL|\\$ORIGIN)([ \t]{1,2}[a-z$.0-9]{1,4}){0,3}[ \t]?",
            end in "\r?\n",
        ) {
            let (quick, full) = (entry(format!("{line}{end}").as_bytes(), true), entry(format!("{line} ;{end}").as_bytes(), true));
            let (quick, full) = (quick.map(|scanned| scanned.kind), full.map(|scanned| scanned.kind));
            prop_assert_eq!(quick, full);
        }
    }
}
