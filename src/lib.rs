//! danewright changes the TLS key of a DANE mail server without losing mail.
//!
//! Data flows one way: *bytes → key → TLSA → patch → file → name servers →
//! answers → verdict → report*. Each row may use the rows above it.
//!
//! | row | modules | what they are |
//! | --- | --- | --- |
//! | ground | [`text`], [`command`], [`duration`], [`finding`], [`serial`] | know nothing of DNS or DANE |
//! | values | [`name`], [`tlsa`], [`dane`] | plain data, and the rules of DANE over it |
//! | readers | [`keys`], [`zone`] | bytes in, data out |
//! | decisions | [`lint`], [`propagation`], `zone::edit` | facts and a moment in, the next step out |
//! | edges | [`files`], [`textfile`], [`preview`], [`dns`], [`endpoint`] | one kind of I/O each, no opinion |
//! | shell | [`demo`], [`report`], [`cli`] | wiring, words, exit status |
//!
//! Inside `zone`, `edit` stands above `text`; inside `dns`, `walk` above `find`, that above
//! `trust`, that above `wire`. `tests/house.rs` holds the code against this.
//!
//! Values, readers and decisions open nothing, read no clock and no
//! environment, await nothing and print nothing. clap and exit codes are known
//! to [`cli`] alone, hickory types stay inside [`dns`] and the demo's name
//! server, certificate types inside [`keys`], table types inside [`report`].
//!
//! The feature `tool` (on by default) is everything but names, records and zone
//! files; without it the library needs few packages and builds in seconds.

#[cfg(feature = "tool")]
pub mod cli;
#[cfg(feature = "tool")]
pub mod command;
pub mod dane;
#[cfg(feature = "tool")]
pub mod demo;
#[cfg(feature = "tool")]
pub mod dns;
pub mod duration;
#[cfg(feature = "tool")]
pub mod endpoint;
#[cfg(feature = "tool")]
pub mod files;
pub mod finding;
#[cfg(feature = "tool")]
pub mod keys;
#[cfg(feature = "tool")]
pub mod lint;
pub mod name;
#[cfg(feature = "tool")]
pub mod preview;
#[cfg(feature = "tool")]
pub mod propagation;
#[cfg(feature = "tool")]
pub mod report;
pub mod serial;
pub mod text;
#[cfg(feature = "tool")]
pub mod textfile;
pub mod tlsa;
pub mod zone;
