//! Whether a zone file is ours to edit. A zone that takes dynamic updates has
//! its truth in a journal, and its server writes the file anew at will; under
//! inline-signing the file stays the operator's, journal or not. Both were
//! tried with named 9.18.

/// The head of a BIND journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// A journal whose last change leads to this serial.
    UpTo(u32),
    /// A file in the journal's place that is not understood.
    Strange,
}

impl Journal {
    /// Reads the first 28 octets: 16 that start `;BIND LOG V9`, then begin
    /// serial, begin offset, end serial, end offset, each in network order.
    #[must_use]
    pub fn read(header: &[u8]) -> Self {
        let end = header.get(24..28).and_then(|octets| octets.try_into().ok()).map(u32::from_be_bytes);
        match end {
            Some(serial) if header.starts_with(b";BIND LOG V9") => Self::UpTo(serial),
            _ => Self::Strange,
        }
    }
}

/// What lies beside a zone file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// `NAME.jnl`
    pub journal: Option<Journal>,
    /// Whether there is a `NAME.signed`, which inline-signing keeps.
    pub signed: bool,
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
    /// There is a journal and no inline-signing: the zone takes updates.
    Dynamic,
}

impl Surroundings {
    /// Whether the file is in named's raw or map format: a format number in
    /// four octets where text would be.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        matches!(self.head.as_slice(), [0, 0, 0, 1..=9, ..])
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
            Some(Journal::UpTo(journal)) if crate::zone::serial::follows(journal, serial) => {
                Err(NotOurs::JournalAhead { journal, file: serial })
            }
            Some(Journal::UpTo(_)) if self.signed => Ok(()),
            Some(_) => Err(NotOurs::Dynamic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(end: u32) -> Vec<u8> {
        [
            &b";BIND LOG V9.2\n\0"[..],
            &7u32.to_be_bytes(),
            &64u32.to_be_bytes(),
            &end.to_be_bytes(),
            &900u32.to_be_bytes(),
        ]
        .concat()
    }

    #[test]
    fn a_journal_ahead_of_the_file_or_without_a_signed_copy_makes_the_file_the_servers() {
        let beside = |journal, signed| Surroundings { journal, signed, head: b"$TTL 1h\n".to_vec() };
        let to = |serial| Some(Journal::read(&header(serial)));
        assert_eq!(beside(None, false).allow(9), Ok(()));
        assert_eq!(beside(to(9), true).allow(9), Ok(()));
        assert_eq!(beside(to(8), true).allow(9), Ok(()));
        assert_eq!(beside(to(10), true).allow(9), Err(NotOurs::JournalAhead { journal: 10, file: 9 }));
        assert_eq!(beside(to(9), false).allow(9), Err(NotOurs::Dynamic));
        assert_eq!(beside(Some(Journal::read(b"what")), true).allow(9), Err(NotOurs::Dynamic));
        let raw = Surroundings { journal: None, signed: false, head: vec![0, 0, 0, 2, 0, 0, 0, 1] };
        assert_eq!(raw.allow(9), Err(NotOurs::Binary));
    }
}
