//! What is proven, and how: from a trust anchor down to sets, absences and who serves a zone.

pub(crate) mod absence;
pub(crate) mod anchors;
pub(crate) mod budget;
pub(crate) mod chain;
pub(crate) mod denial;
pub(crate) mod ds;
pub(crate) mod negative;
pub(crate) mod proof;
pub(crate) mod proof_cache;
pub(crate) mod signatures;
