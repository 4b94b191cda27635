//! Files: read, and replaced in one step.

pub mod state;
