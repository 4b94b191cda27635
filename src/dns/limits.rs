//! How much is asked, read, kept and tried, whatever the servers do.
//!
//! Whoever is asked decides what there is to do, so all of it has limits: 64
//! name servers and 256 addresses of a zone, with 1,024 addresses of glue and
//! 1,024 pairs of questions about the addresses of servers inside the zone; 8
//! aliases; 1,000 records in an answer, and 32 in all answers for each question
//! that may be asked; one message on a TCP connection, and 64 datagrams in one
//! try of a question; 32 DS records or anchors of a zone, 16 keys, 8 different
//! sets of either, 8 signatures over a set, 4 keys with one tag, and 8,192
//! signatures tried for a zone's standing or for one owner; 4,000 questions for
//! a target, none of them twice but those that look for more machines and those
//! whose answers are too large to be kept, 64 under way at one server and 512 in
//! all; 8 denials in an answer, and 8 different answers of one address; 16
//! targets at once; 4 KiB that come in for each question that may be asked, and
//! 8 MiB, with 24 KiB more for each target, of what is kept in memory; and one
//! clock for all of it. A question is sent as often as the settings say. What is
//! beyond a limit is not looked at, is told of as `limits-exceeded` (an answer
//! that is too large as `malformed`, what came too late as `check-timeout`), and
//! leaves the verdict unknown; a ninth different answer is no worse than the eight.

use std::time::Duration;

// What is asked.

/// Questions for one target, unless the user says otherwise: a zone with two
/// servers costs some 60, one with thirteen that have two addresses each some 1,300.
pub const QUESTIONS: usize = 4000;
/// How long a check may take, unless the user says otherwise.
pub const CHECK: Duration = Duration::from_secs(60);
/// Targets that are looked at at once.
pub(crate) const TARGETS_AT_ONCE: usize = 16;
/// Questions under way at once; each needs a socket.
pub(crate) const QUESTIONS_AT_ONCE: usize = 512;
/// Questions under way at once to one server, which may have a rate limit.
pub(crate) const QUESTIONS_AT_ONCE_EACH: usize = 64;
/// Servers asked at once for what one of them suffices.
pub(crate) const SERVERS_AT_ONCE: usize = 8;
/// Servers asked where resolvers fail.
pub(crate) const FALLBACK_SERVERS: usize = 8;
/// Servers of one zone that are asked for one thing, a few at a time.
pub(crate) const DESCENT_SERVERS: usize = 12;
/// So many of them at once.
pub(crate) const DESCENT_AT_ONCE: usize = 3;
/// How deep name servers without glue may depend on each other.
pub(crate) const DEPTH: usize = 4;
/// Name servers without glue that are looked up for one referral.
pub(crate) const GLUELESS: usize = 4;
/// Name servers of one zone that are looked at.
pub(crate) const NAME_SERVERS: usize = 64;
/// Addresses of one zone's servers that are asked.
pub(crate) const ADDRESSES: usize = 256;
/// Addresses in a zone's delegation that are kept.
pub(crate) const GLUE: usize = 1024;
/// Questions to a zone's servers about their own addresses, in pairs.
pub(crate) const OWN_ADDRESSES: usize = 1024;
/// Answers of one address that are compared.
pub(crate) const SAMPLES: usize = 11;
/// Different answers of one address that are told of.
pub(crate) const MACHINES: usize = 8;
/// Aliases followed from one owner.
pub(crate) const ALIASES: usize = 8;

// What comes in, and what is kept of it.

/// What fits through nearly every path unfragmented (DNS flag day 2020).
pub(crate) const PAYLOAD: u16 = 1232;
/// Datagrams looked at in one try: whoever sends more that are no answer is
/// guessing ids, or broken.
pub(crate) const STRAYS: usize = 64;
/// Messages over TCP that are being received at once, in units of [`UNIT`] octets.
pub(crate) const UNITS: usize = 2048;
/// Octets in a unit.
pub(crate) const UNIT: usize = 1024;
/// Messages larger than this are read one at a time.
pub(crate) const LARGE: usize = 8192;
/// More records than any answer that we ask for has use of.
pub(crate) const RECORDS: usize = 1000;
/// Denials in one message that are read.
pub(crate) const DENIALS_READ: usize = 16;
/// Octets that one of them may have: the longest name, and more types than there are.
pub(crate) const DENIAL: usize = 512;
/// Records of all answers as they come, for each question that may be asked: answers
/// are small, and whoever makes all of them large is after our memory or our time.
pub(crate) const RECORDS_EACH: usize = 32;
/// Octets of all answers as they come, for each question that may be asked.
pub(crate) const OCTETS_EACH: usize = 4096;
/// What is kept of a question whatever the answer: that it was asked, and its
/// share in the evidence.
pub(crate) const ENTRY: usize = 512;
/// Answers that weigh more than this are not kept for whoever asks the same.
pub(crate) const KEPT: usize = 16 << 10;
/// Octets for the first target.
pub(crate) const ROOM: usize = 8 << 20;
/// Octets more for each target: an ordinary one takes half of it.
pub(crate) const ROOM_EACH: usize = 24 << 10;

// What is proven.

/// Digests and anchors of one zone that are looked at.
pub(crate) const DIGESTS: usize = 32;
/// Keys of one zone that are looked at.
pub(crate) const KEYS: usize = 16;
/// Keys with one tag that are tried for one signature.
pub(crate) const COLLIDING: usize = 4;
/// Signatures over one set that are looked at.
pub(crate) const SIGNATURES: usize = 8;
/// Signatures tried for the standing of one zone, or for one owner at all of
/// its servers: eight for each of a thousand addresses.
pub(crate) const TRIALS: usize = 8192;
/// Different key sets, and different DS sets, of one zone that are looked at.
pub(crate) const KEY_SETS: usize = 8;
/// Different sets of one owner and type that are kept.
pub(crate) const VARIANTS: usize = 16;
/// Denials in one answer that are looked at; there is a use for three.
pub(crate) const DENIALS: usize = 8;
/// Rounds of hashing that are computed for one name.
pub(crate) const ROUNDS: u16 = 100;

// What is told.

/// Questions that are told by name.
pub(crate) const NAMED: usize = 3;
/// Names or addresses that one finding lists.
pub(crate) const LISTED: usize = 8;
