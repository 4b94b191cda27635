//! The checks of the property tests, as the fuzz targets see them.

#![allow(dead_code, reason = "each target takes its part")]

#[path = "../../laws/check.rs"]
pub(crate) mod check;
#[path = "../../laws/dice.rs"]
pub(crate) mod dice;
#[path = "../../laws/invent.rs"]
pub(crate) mod invent;
#[path = "../../laws/pen.rs"]
pub(crate) mod pen;
#[path = "../../laws/plain.rs"]
pub(crate) mod plain;
#[path = "../../laws/stepping.rs"]
pub(crate) mod stepping;
#[path = "../../laws/whole.rs"]
pub(crate) mod whole;
