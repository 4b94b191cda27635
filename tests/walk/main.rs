//! The walk, over a signed tree in this process: no foreign program, no outside
//! network, a clock that stands still.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod apart;
mod bind;
mod crowd;
mod denials;
mod denying;
mod foreign;
mod forged;
mod gaps;
mod judged;
mod lab;
mod machines;
mod named;
mod script;
mod servers;
mod trust;
mod ways;
mod wire;
