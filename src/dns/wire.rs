//! What goes over the wire: one question to one server, and what is kept of the answer.

pub(crate) mod attempt;
pub(crate) mod clock;
pub(crate) mod convert;
pub(crate) mod defuse;
pub(crate) mod exchange;
pub(crate) mod question;
pub(crate) mod reading;
pub(crate) mod response;
pub(crate) mod room;
pub(crate) mod rrset;
pub(crate) mod shared;
