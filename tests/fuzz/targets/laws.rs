//! The checks of the property tests, as the fuzz targets see them.

#![allow(dead_code, reason = "each target takes its part")]

#[path = "../../laws/check.rs"]
pub mod check;
#[path = "../../laws/dice.rs"]
pub mod dice;
#[path = "../../laws/invent.rs"]
pub mod invent;
#[path = "../../laws/pen.rs"]
pub mod pen;
#[path = "../../laws/plain.rs"]
pub mod plain;
