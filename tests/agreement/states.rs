//! What each validator calls an answer, and where they may differ.

use std::fmt;

/// How far an answer can be trusted (RFC 4035 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Secure,
    Insecure,
    Bogus,
    /// "Cannot tell", or no answer at all.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Secure => "secure",
            Self::Insecure => "insecure",
            Self::Bogus => "bogus",
            Self::Unknown => "unknown",
        })
    }
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// danewright.
    Ours,
    /// Unbound.
    Unbound,
    /// BIND's delv.
    Delv,
    /// The `domain` library.
    Library,
}
