//! danewright changes the TLS key of a DANE mail server without losing mail.
//!
//! Data flows one way: *bytes → key → TLSA → patch → file → name servers →
//! answers → verdict → report*. Each row may use the rows above it.
//!
//! | row | modules | what they are |
//! | --- | --- | --- |
//! | values | [`name`], [`tlsa`], [`duration`], [`finding`] | plain data |
//! | readers | [`keys`], [`zone`] | bytes in, data out |
//! | decisions | `zone::plan`, [`propagation`] | facts and a moment in, the next step out |
//! | edges | [`files`], [`dns`], [`endpoint`] | one kind of I/O each, no opinion |
//! | shell | [`cli`], [`report`], [`demo`] | wiring, words, exit status |
//!
//! Values, readers and decisions open nothing, read no clock and no
//! environment, await nothing and print nothing. clap and exit codes are known
//! to [`cli`] alone, hickory types stay inside [`dns`] and the demo's name
//! server, certificate types inside [`keys`], table types inside [`report`].

pub mod cli;
pub mod demo;
pub mod dns;
pub mod duration;
pub mod endpoint;
pub mod files;
pub mod finding;
pub mod keys;
pub mod name;
pub mod propagation;
pub mod report;
pub mod tlsa;
pub mod zone;
