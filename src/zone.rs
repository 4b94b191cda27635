//! Zone files, read without loss and edited without printing anything back:
//! entries, fields and records are views of the text, and an edit is a list of
//! splices. See RFC 1035 section 5, RFC 2308 section 4, RFC 3597 section 5.
//!
//! [`text`] reads zones as name servers do; [`edit`] plans what changes in one, and
//! proves it. What is wrong with a zone is said by `lint`, which stands beside both.

pub mod edit;
pub mod text;
