//! The stage of `danewright demo`, all of it inside the process and on
//! loopback: a folder with a zone file and two keys, a small signed name tree
//! that serves the zone from that very file, and a TLS service. What is played
//! on it, and the words, are in `cli::demo`.

pub mod authority;
pub mod folder;
pub mod service;
pub mod tree;

use std::fmt;

/// Why the stage could not be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoError {
    /// What could not be done.
    pub what: String,
    /// What went wrong.
    pub why: String,
}

impl DemoError {
    fn new(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self {
            what: what.into(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for DemoError {}
