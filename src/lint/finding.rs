//! What lint has to say: one fact about a zone's text, with a stable code, its
//! weight, where it stands, and what to do about it.

use std::fmt;

use crate::name::Name;
use crate::zone::text::reader::Place;

/// How much a finding weighs. The order is the order of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; most of all that servers read it differently.
    Note,
    /// It will bite, one day or some clients.
    Warning,
    /// Mail breaks, or a server refuses the zone.
    Error,
}

impl Severity {
    /// The word in JSON and in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One fact, said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Lower case, hyphenated, never renamed: `odd-digest`.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The owner that it is about, where it is about one.
    pub owner: Option<Name>,
    /// Where it stands.
    pub place: Place,
    /// A sentence for a person, lower case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How many more places like this one are left out.
    pub more: u64,
}

/// A finding before it is known whose it is, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) hint: &'static str,
}

impl Remark {
    pub(super) fn new(
        code: &'static str,
        severity: Severity,
        message: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            hint,
        }
    }

    pub(super) fn at(self, place: Place, owner: Option<&Name>) -> Finding {
        let Self {
            code,
            severity,
            message,
            hint,
        } = self;
        Finding {
            code,
            severity,
            owner: owner.cloned(),
            place,
            message,
            hint: Some(hint.to_owned()),
            more: 0,
        }
    }
}
