//! Text that is kept octet by octet: where it comes from, and the one way in which
//! it changes. Knows nothing of zones.

pub mod source;
pub mod splice;
