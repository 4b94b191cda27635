//! Where the owners asked for lead: a TLSA owner may be an alias (RFC 7671
//! section 7), and then the records stand where it leads. Within the zone it is
//! followed; out of the zone nobody here knows what is there.

use crate::name::Name;
use crate::text::source::Library;
use crate::tlsa::Target;
use crate::zone::edit::error::PlanError;
use crate::zone::edit::index::{self, AtTarget, Index, Obstacle, ObstacleKind};
use crate::zone::text::reader::{Place, ReadError, ReadErrorKind, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::Kind;

/// How many aliases may follow each other; resolvers follow about as many.
const LONGEST: usize = 12;

/// How many names are looked at besides those asked for: every record near them costs as many looks.
const MOST: usize = 64;

/// An owner that was asked for and leads to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The owner asked for.
    pub owner: Name,
    /// Where its records stand.
    pub to: Name,
    /// Where the first CNAME stands.
    pub place: Place,
}

/// A zone read with all the owners in mind to which those asked for lead.
#[derive(Debug)]
pub(crate) struct Led {
    pub(crate) index: Index,
    /// One for each of the index: those asked for, then those led to.
    pub(crate) watched: Vec<Target>,
}

impl Led {
    /// Reads the zone as often as aliases lead on; nearly always once.
    pub(crate) fn read(
        library: &dyn Library,
        origin: Option<Name>,
        asked: &[Target],
    ) -> Result<Self, PlanError> {
        let mut watched: Vec<Target> = Vec::new();
        for target in asked {
            let target = Target::of_owner(target.owner().map_err(PlanError::Owner)?);
            if !watched.contains(&target) {
                watched.push(target);
            }
        }
        let (asked_for, mut rounds) = (watched.len(), 0);
        loop {
            let index = index::read(library, origin.clone(), &watched)?;
            let apex = index.soas.first().map(|soa| soa.owner.clone());
            let leads = index.targets.iter().flat_map(|at| {
                let wild = at.wildcards().filter_map(|wildcard| match &wildcard.what {
                    ObstacleKind::WildcardAlias(to) => Some(to),
                    _ => None,
                });
                the_one(at.aliases.iter().map(|(to, _)| to))
                    .into_iter()
                    .chain(the_one(wild))
            });
            let mut more: Vec<Target> = leads
                .filter(|to| apex.as_ref().is_some_and(|apex| to.is_within(apex)))
                .map(|to| Target::of_owner(to.clone()))
                .filter(|target| !watched.contains(target))
                .collect();
            more.sort_unstable();
            more.dedup();
            rounds += 1;
            if more.is_empty() || rounds > LONGEST {
                return Ok(Self { index, watched });
            }
            watched.extend(more);
            if watched.len() > asked_for + MOST {
                return Err(PlanError::TooManyAliases { most: MOST });
            }
        }
    }

    /// The number of the owner that holds the records asked for at `target`, and the alias that leads there.
    pub(crate) fn follow(
        &self,
        target: &Target,
        apex: &Name,
    ) -> Result<(usize, Option<Alias>), PlanError> {
        let owner = target.owner().map_err(PlanError::Owner)?;
        let start = self.position(&owner).ok_or(PlanError::NoSoa)?;
        let Some((_, place)) = self.index.targets[start].aliases.first().cloned() else {
            return Ok((start, None));
        };
        let too_long = || PlanError::AliasLoop {
            owner: owner.clone(),
            place: place.clone(),
        };
        let (mut at, mut seen) = (start, Vec::new());
        while let Some((to, place)) = self.index.targets[at].aliases.first() {
            let here = &self.index.targets[at];
            if let Some(obstacle) = here.obstacles.first() {
                return Err(PlanError::Blocked(obstacle.clone()));
            }
            if here.aliases.iter().any(|(other, _)| other != to) || !here.tlsa.is_empty() {
                let owner = self.watched[at].owner().map_err(PlanError::Owner)?;
                return Err(PlanError::BesideAlias {
                    owner,
                    place: place.clone(),
                });
            }
            if !to.is_within(apex) {
                let (owner, to, place) = (owner, to.clone(), place.clone());
                return Err(PlanError::AliasLeaves { owner, to, place });
            }
            seen.push(at);
            at = self
                .position(to)
                .filter(|next| !seen.contains(next))
                .ok_or_else(too_long)?;
        }
        let to = self.watched[at].owner().map_err(PlanError::Owner)?;
        Ok((at, Some(Alias { owner, to, place })))
    }

    fn position(&self, owner: &Name) -> Option<usize> {
        let target = Target::of_owner(owner.clone());
        self.watched.iter().position(|watched| *watched == target)
    }

    /// What keeps records from being added at an owner, or would lose what clients get there now.
    pub(crate) fn obstacle<'o>(&'o self, at: &'o AtTarget, apex: &Name) -> Option<&'o Obstacle> {
        at.obstacles
            .first()
            .or_else(|| at.wildcards().find(|wildcard| self.gives(wildcard, apex)))
    }

    /// Whether a wildcard that answers now gives something that it would give no
    /// longer. An alias without TLSA records behind it gives none.
    fn gives(&self, wildcard: &Obstacle, apex: &Name) -> bool {
        let ObstacleKind::WildcardAlias(to) = &wildcard.what else {
            return true;
        };
        let end = self
            .follow(&Target::of_owner(to.clone()), apex)
            .ok()
            .map(|(end, _)| &self.index.targets[end]);
        // What cannot be followed may give anything.
        end.is_none_or(|end| {
            !end.tlsa.is_empty() || !end.obstacles.is_empty() || end.wildcards().next().is_some()
        })
    }
}

/// Where all of these lead; `None` when there are none, or two that differ: those no server loads.
fn the_one<'n>(mut leads: impl Iterator<Item = &'n Name>) -> Option<&'n Name> {
    let first = leads.next()?;
    leads.all(|other| other == first).then_some(first)
}

/// Reads every record of a zone once more: for what is asked rarely.
///
/// # Errors
///
/// When the zone cannot be read.
fn survey(
    library: &dyn Library,
    origin: Option<Name>,
    wanted: u16,
    mut each: impl FnMut(Name) -> bool,
) -> Result<(), ReadError> {
    let mut reader = Reader::new(library, origin);
    while reader.advance()? {
        let Some(entry) = reader.entry() else { break };
        let Kind::Record(fields) = entry.kind else {
            continue;
        };
        if fields.code != wanted {
            continue;
        }
        let inherited = reader.inherited();
        let owner = inherited.owner_of(entry.text, fields);
        let owner = owner.map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
        if !each(owner) {
            break;
        }
    }
    Ok(())
}

/// The owners of TLSA records that look most like this one, the likest first.
pub(crate) fn likest(
    library: &dyn Library,
    apex: &Name,
    owner: &Name,
) -> Result<Vec<Name>, ReadError> {
    let mut found: Vec<Name> = Vec::new();
    survey(library, Some(apex.clone()), code::TLSA, |owner| {
        if !found.contains(&owner) {
            found.push(owner);
        }
        found.len() < MANY
    })?;
    let text = owner.to_string();
    found.sort_by_cached_key(|other| distance(text.as_bytes(), other.to_string().as_bytes()));
    found.truncate(3);
    Ok(found)
}

/// So many names are enough for a remark.
const MANY: usize = 200;

/// How many octets have to be put in, taken out or changed to make one text of the other.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, octet) in one.iter().enumerate() {
        let mut corner = line;
        row[0] = line + 1;
        for (column, against) in other.iter().enumerate() {
            let changed = corner + usize::from(octet != against);
            corner = row[column + 1];
            row[column + 1] = changed.min(corner + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::Texts;

    #[test]
    fn the_distance_counts_octets_put_in_taken_out_or_changed() {
        for (one, other, count) in [
            ("", "", 0),
            ("mail", "mial", 2),
            ("mail", "mai", 1),
            ("", "ab", 2),
            ("ab", "xab", 1),
        ] {
            assert_eq!(
                distance(one.as_bytes(), other.as_bytes()),
                count,
                "{one} {other}"
            );
            assert_eq!(
                distance(other.as_bytes(), one.as_bytes()),
                count,
                "{other} {one}"
            );
        }
    }

    #[test]
    fn of_many_aliases_at_one_owner_none_is_followed() {
        let target = |name: &str| Target::of_owner(Name::from_user(name).unwrap());
        for owner in ["_25._tcp.mail", "*._tcp.mail"] {
            let lines: String = (0..300)
                .map(|at| format!("{owner} CNAME x{at}\nx{at} CNAME _dane\n"))
                .collect();
            let text = format!(
                "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nmail A 192.0.2.2\n{lines}"
            );
            let library = Texts::one("z", text);
            let origin = Name::from_user("example.com").ok();
            let led = Led::read(&library, origin, &[target("_25._tcp.mail.example.com")]).unwrap();
            assert_eq!(
                led.watched,
                [target("_25._tcp.mail.example.com")],
                "{owner}"
            );
        }
    }
}
