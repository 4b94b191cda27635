//! What others see, held against texts that stand beside this file: the help of
//! every command (`help/`), every JSON document (`json/`), every code with its
//! weight (`codes.txt`), and the document that `verify` and `patch` remember by
//! (`json/state-*` and `state.json`). Scripts, monitors and state folders rely on
//! these; code that only moves leaves every one of them as it is.
//!
//! `GOLDEN=write cargo test --test golden` writes the texts anew; what a commit
//! changes in them, its message and the changelog tell.
//!
//! The binary is called as a script would call it, against files in `input/` and
//! name servers of this process on loopback. `world` is the one file that uses the
//! library, `codes` the one that reads its source.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod codes;
mod documents;
mod golden;
mod help;
mod run;
mod shape;
mod state;
mod verdicts;
mod world;
