//! Why a zone is not edited: what stands in the way, and where.

use crate::name::{Name, NameError};
use crate::zone::edit::index::{Obstacle, ObstacleKind};
use crate::zone::edit::serial::Backwards;
use crate::zone::text::reader::{Place, ReadError};

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
    /// The zone has a digest of its records (RFC 8976).
    Digest(Place),
    /// Something else owns the name.
    Blocked(Obstacle),
    /// The owner is an alias, and its TLSA records or another alias stand beside that.
    BesideAlias {
        /// The alias.
        owner: Name,
        /// Where it stands.
        place: Place,
    },
    /// The owner is an alias that leads out of the zone.
    AliasLeaves {
        /// The owner asked for.
        owner: Name,
        /// Where it leads.
        to: Name,
        /// The CNAME that leads out.
        place: Place,
    },
    /// The owner is an alias, and the way from it has no end.
    AliasLoop {
        /// The owner asked for.
        owner: Name,
        /// Where it stands.
        place: Place,
    },
    /// More names would have to be looked at than is sensible.
    TooManyAliases {
        /// How many may be looked at besides those asked for.
        most: usize,
    },
    /// Other names, which were not asked for, reach the records by alias.
    Shared {
        /// The owner that has the records.
        owner: Name,
        /// That owner, and the names that lead there and were asked for.
        asked: Vec<Name>,
        /// The others, as they are told.
        others: Vec<String>,
        /// Those of them that can be asked for.
        owners: Vec<Name>,
    },
    /// There is no TLSA record at the owner.
    NoTlsa {
        /// The owner.
        owner: Name,
        /// Owners of TLSA records that look like it, the likest first.
        likest: Vec<Name>,
    },
    /// What clients get at the owner comes from a wildcard.
    MadeByWildcard(Obstacle),
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
pub fn advice(kind: &ObstacleKind) -> String {
    match kind {
        ObstacleKind::Dname => "add the records below the DNAME's target".to_owned(),
        ObstacleKind::Cut => "patch the child zone's file instead".to_owned(),
        ObstacleKind::Generate => "write the records that $GENERATE makes there as lines of their own first".to_owned(),
        ObstacleKind::HostWildcard => {
            "write the wildcard's records at the host itself first: once a name below it exists, the wildcard no longer answers for it".to_owned()
        }
        ObstacleKind::Wildcard => {
            "write the wildcard's TLSA records at the name itself first: once the name exists, the wildcard no longer answers for it".to_owned()
        }
        ObstacleKind::WildcardAlias(to) => format!("edit the records where it leads, with --owner {to}"),
        ObstacleKind::WildcardLeaves(to) => format!(
            "run the command on the zone file that holds {to}, with --owner {to}; if there are no TLSA records, write \
             the first one at the name itself by hand"
        ),
    }
}
