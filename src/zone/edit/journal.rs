//! Whether a zone file is ours to edit. A zone that takes dynamic updates has
//! its truth in a journal, and named writes the file anew at will; then an edit
//! by hand is lost. Under inline-signing and `ixfr-from-differences` there is a
//! journal too, and the file stays the operator's. What tells them apart, tried
//! with named 9.18 (`tests/dynamic.rs`):
//!
//! | journal beside the file | the file looks | the file is |
//! | --- | --- | --- |
//! | none | | the operator's |
//! | not to be read | | nobody knows whose |
//! | leads further than the file's serial | | behind the zone |
//! | leads to the file's serial, or less far | as named writes files | named's |
//! | leads to the file's serial, or less far | otherwise | the operator's |
//!
//! named keeps no comment and begins each file that it writes in one of two
//! ways; a comment on top is therefore an operator's mark. A zone that takes
//! updates and never had one has no journal: nothing beside the file tells.

/// The head of a BIND journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// A journal whose last change leads to this serial.
    UpTo(u32),
    /// A journal without a change.
    Empty,
    /// A file in the journal's place that is not understood, or not whole.
    Strange,
}

impl Journal {
    /// How many octets [`read`](Self::read) needs.
    pub const HEADER: usize = 64;

    /// Reads the header of a journal of `length` octets: 16 that start
    /// `;BIND LOG V9`, then begin serial, begin offset, end serial, end offset,
    /// each in network order, and more that is not needed here.
    #[must_use]
    pub fn read(header: &[u8], length: u64) -> Self {
        let number = |at: usize| {
            let octets = header
                .get(at..at + 4)
                .and_then(|octets| octets.try_into().ok());
            octets.map_or(0, u32::from_be_bytes)
        };
        let (begin, end_serial, end) = (number(20), number(24), number(28));
        if header.len() < Self::HEADER
            || !header.starts_with(b";BIND LOG V9")
            || u64::from(end) > length
            || begin > end
        {
            Self::Strange
        } else if begin == end {
            Self::Empty
        } else {
            Self::UpTo(end_serial)
        }
    }
}

/// What lies beside a zone file, and how it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// `NAME.jnl`
    pub journal: Option<Journal>,
    /// The first octets of the file itself.
    pub head: Vec<u8>,
}

/// Why the file is not to be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// The file is in named's raw or map format.
    Binary,
    /// The journal holds changes that the file does not have.
    JournalAhead {
        /// The serial that the journal leads to.
        journal: u32,
        /// The serial in the file.
        file: u32,
    },
    /// What stands in the journal's place cannot be read as one.
    StrangeJournal,
    /// There is a journal, and named wrote the file: the zone takes updates.
    Dynamic,
}

impl Surroundings {
    /// How many octets of the file are worth having in `head`.
    pub const HEAD: usize = 1024;

    /// Whether the file is in named's raw or map format: a format number in
    /// four octets where text would be.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        matches!(self.head.as_slice(), [0, 0, 0, 1..=9, ..])
    }

    /// Whether the file begins as named writes it: with the origin of all names,
    /// or, in the full style, with an absolute owner, tabs, a TTL and the SOA.
    fn is_written_by_named(&self) -> bool {
        let first = self
            .head
            .split(|octet| *octet == b'\n')
            .next()
            .unwrap_or(&[]);
        if first == b"$ORIGIN ." {
            return true;
        }
        let words: Vec<&[u8]> = first
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            [owner, ttl, b"IN", b"SOA", ..] => {
                owner.ends_with(b".") && ttl.iter().all(u8::is_ascii_digit)
            }
            _ => false,
        }
    }

    /// Whether a zone file with this serial may be edited by hand.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn allow(&self, serial: u32) -> Result<(), NotOurs> {
        if self.is_binary() {
            return Err(NotOurs::Binary);
        }
        match self.journal {
            None => Ok(()),
            Some(Journal::Strange) => Err(NotOurs::StrangeJournal),
            // Half way around, neither serial follows the other: then nobody knows.
            Some(Journal::UpTo(journal))
                if journal != serial && !crate::serial::follows(serial, journal) =>
            {
                Err(NotOurs::JournalAhead {
                    journal,
                    file: serial,
                })
            }
            Some(Journal::UpTo(_) | Journal::Empty) if self.is_written_by_named() => {
                Err(NotOurs::Dynamic)
            }
            Some(Journal::UpTo(_) | Journal::Empty) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(end: u32) -> Vec<u8> {
        let numbers = [7, 64, end, 900].map(u32::to_be_bytes).concat();
        [&b";BIND LOG V9.2\n\0"[..], &numbers, &[0; 32]].concat()
    }

    fn beside(journal: Option<Journal>, head: &str) -> Surroundings {
        Surroundings {
            journal,
            head: head.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_journal_that_leads_further_or_a_file_that_named_wrote_makes_the_zone_the_servers() {
        let to = |serial| Some(Journal::read(&header(serial), 900));
        let by_hand = "$TTL 1h\n@ SOA a b 9 1 1 1 1\n";
        for (journal, head, answer) in [
            (None, by_hand, Ok(())),
            (None, "$ORIGIN .\n$TTL 1h\n", Ok(())),
            (to(9), by_hand, Ok(())),
            (to(8), by_hand, Ok(())),
            (
                to(10),
                by_hand,
                Err(NotOurs::JournalAhead {
                    journal: 10,
                    file: 9,
                }),
            ),
            (
                to(9 + (1 << 31)),
                by_hand,
                Err(NotOurs::JournalAhead {
                    journal: 9 + (1 << 31),
                    file: 9,
                }),
            ),
            (to(u32::MAX), by_hand, Ok(())),
            (
                to(9),
                "$ORIGIN .\n$TTL 3600\t; 1 hour\n",
                Err(NotOurs::Dynamic),
            ),
            (to(8), "$ORIGIN .\n", Err(NotOurs::Dynamic)),
            (
                to(9),
                "example.com.\t\t\t\t      3600 IN SOA\ta. b. 9 1 1 1 1\n",
                Err(NotOurs::Dynamic),
            ),
            (to(9), "; ours\n$ORIGIN .\n", Ok(())),
            (to(9), "$ORIGIN example.com.\n", Ok(())),
            (Some(Journal::Empty), by_hand, Ok(())),
            (Some(Journal::Empty), "$ORIGIN .\n", Err(NotOurs::Dynamic)),
            (
                Some(Journal::Strange),
                by_hand,
                Err(NotOurs::StrangeJournal),
            ),
        ] {
            assert_eq!(
                beside(journal, head).allow(9),
                answer,
                "{journal:?} {head:?}"
            );
        }
        assert_eq!(
            Surroundings {
                journal: None,
                head: vec![0, 0, 0, 2, 0, 0, 0, 1]
            }
            .allow(9),
            Err(NotOurs::Binary)
        );
    }

    #[test]
    fn a_journal_that_is_cut_short_or_is_none_is_not_believed() {
        let whole = header(8);
        assert_eq!(Journal::read(&whole, 900), Journal::UpTo(8));
        assert_eq!(Journal::read(&whole, 899), Journal::Strange);
        for length in 0..whole.len() {
            assert_eq!(
                Journal::read(&whole[..length], length as u64),
                Journal::Strange,
                "{length} octets"
            );
        }
        assert_eq!(
            Journal::read(&[b"what ever", &whole[9..]].concat(), 900),
            Journal::Strange
        );
        let empty = [&whole[..16], &[0; 48]].concat();
        assert_eq!(Journal::read(&empty, 64), Journal::Empty);
    }
}
