//! The command `verify` as a person or a script calls it: the binary as a
//! child, against signed name servers of this process on loopback, with their
//! faults. Whatever else is claimed, none of these worlds is ever called safe
//! when it is not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod flood;
mod hiccup;
mod lab;
mod many;
mod monitoring;
mod night;
mod roots;
mod wait;
