//! The whole cutover on loopback.

pub mod authority;
