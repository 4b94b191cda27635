//! Edits of zones, planned and proven before anything is written.
//!
//! [`index`] keeps what an edit needs, [`alias`] finds where the owners asked for lead,
//! [`plan`] decides with [`style`], [`remove`], `insert` and [`serial`], and [`proof`]
//! reads the result again. [`journal`] says whether the file is ours to edit, [`error`]
//! why it is not edited, and `notes` with `dialects` what is worth knowing besides.
//!
//! A record added after its own RRset copies its neighbour's way with owner, TTL
//! and class, so that it means the same under every row of the table.

pub mod alias;
pub(crate) mod dialects;
pub mod error;
pub mod index;
mod insert;
pub mod journal;
mod notes;
pub mod patch;
pub mod plan;
pub mod proof;
pub(crate) mod reaching;
pub mod remove;
pub mod serial;
mod sharing;
pub mod style;
mod together;
