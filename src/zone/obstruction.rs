//! Why a zone is not edited: what stands in the way, and where.

use crate::name::{Name, NameError};
use crate::zone::index::{Obstacle, ObstacleKind};
use crate::zone::reader::{Place, ReadError};
use crate::zone::serial::Backwards;

/// Why a zone cannot be edited as asked.
#[derive(Debug)]
pub enum PlanError {
    /// The zone cannot be read.
    Read(ReadError),
    /// There is no SOA record.
    NoSoa,
    /// There are two SOA records with different serials or owners.
    UnequalSoas(Place),
    /// A target does not lie in the zone.
    Outside {
        /// The target's host.
        host: Name,
        /// The zone.
        apex: Name,
    },
    /// The zone is signed in the file.
    Signed(Place),
    /// Something else owns the name.
    Blocked(Obstacle),
    /// The record stands in a file that is included more than once.
    SharedFile(String),
    /// The RRset has several TTLs, and the removal would choose one of them.
    UnequalTtls(Name),
    /// Without `$TTL`, name servers inherit different TTLs for these records.
    DoubtfulTtl(Name),
    /// A TTL stated here would be inherited by the lines after it.
    SpreadingTtl(Name),
    /// The asked style of serial goes backwards.
    Serial(Backwards),
    /// A target has no owner name.
    Owner(NameError),
    /// Two edits would change the same octets.
    Overlap,
    /// The edited text does not mean what was asked.
    Unproven(String),
}

impl From<ReadError> for PlanError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// What to do about an obstacle.
#[must_use]
pub fn advice(kind: ObstacleKind) -> &'static str {
    match kind {
        ObstacleKind::Cname => "add the records where the alias leads",
        ObstacleKind::Dname => "add the records below the DNAME's target",
        ObstacleKind::Cut => "patch the child zone's file instead",
        ObstacleKind::Generate => "write the records that $GENERATE makes there as lines of their own first",
        ObstacleKind::Wildcard => {
            "write the wildcard's records at the name itself first: once the name exists, the wildcard no longer answers for it"
        }
    }
}
