//! Findings: one fact worth telling, with a stable code for scripts, a
//! severity for the verdict, and a sentence for people.

use std::fmt;

/// What a finding does to a verdict. The order is the order of weight: the
/// heaviest finding decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing, changes nothing.
    Note,
    /// It will be well when time has passed or servers have caught up.
    Wait,
    /// The truth could not be found out.
    Unknown,
    /// It is wrong now.
    Unsafe,
}

impl Severity {
    /// The word in JSON and in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Wait => "wait",
            Self::Unknown => "unknown",
            Self::Unsafe => "unsafe",
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
    /// Lower case, hyphenated, never renamed: `record-missing`.
    pub code: &'static str,
    /// What it does to the verdict.
    pub severity: Severity,
    /// The name server or resolver it is about, `ns2.example.net. 192.0.2.53`.
    pub server: Option<String>,
    /// A sentence for a person, lower case, without a full stop.
    pub message: String,
}

impl Finding {
    /// A finding about no particular server.
    #[must_use]
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            server: None,
            message: message.into(),
        }
    }

    /// The same finding, about this server.
    #[must_use]
    pub fn at(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }
}
