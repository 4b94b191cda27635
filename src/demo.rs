//! The whole cutover on loopback.
