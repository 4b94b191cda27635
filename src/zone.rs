//! Zone files.

pub mod dynamic;
pub mod generate;
pub mod index;
pub mod inherit;
pub mod library;
pub mod plan;
pub mod proof;
pub mod rdata;
pub mod reader;
pub mod remove;
pub mod rtype;
pub mod scan;
pub mod serial;
pub mod splice;
pub mod style;
pub mod ttl;
