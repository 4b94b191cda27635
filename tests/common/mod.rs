//! What the tests share that need real name servers: a private DNS tree on
//! loopback (`rig`), the servers in it (`tree`, `leaf`, `resolver`, `config`), the
//! processes they run in (`process`), questions to them (`dig`), and the binary
//! under test (`danewright`).
//!
//! Everything happens on 127.0.0.0/8 and in a temporary folder, with ports
//! chosen at run time, so that any number of trees stand side by side. Nothing
//! needs root, and root does no harm. Servers stop when their tree is dropped;
//! after a failed test the folder with their logs stays and is named.

// Each test crate uses its part of this.
#![allow(dead_code)]

pub(crate) mod config;
pub(crate) mod danewright;
pub(crate) mod dig;
pub(crate) mod keys;
pub(crate) mod leaf;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod resolver;
pub(crate) mod rig;
pub(crate) mod tree;
pub(crate) mod zone_file;
