//! Finding things: zones, their name servers, and the addresses of those. Never proof.

pub(crate) mod discovery;
pub(crate) mod resolvers;
pub(crate) mod roots;
pub(crate) mod server_list;
