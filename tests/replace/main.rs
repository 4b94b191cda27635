//! Replacing the files of a zone when things go wrong: killed at random and at
//! each step, with what a killed run leaves, on a full disk, in a folder that
//! may not be written, beside other runs and other writers. Each file is the
//! old or the new one, whole, and the next run ends what was begun.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

mod bounds;
mod checked;
mod faults;
mod guarded;
mod killed;
mod leftovers;
mod meanwhile;
mod place;
mod refused;
mod together;
mod told;
