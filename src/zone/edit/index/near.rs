//! What a pass notes around one target: its own records, its kin, what stands in
//! the way of records there, and which names exist above it.

use crate::name::Name;
use crate::tlsa::{Target, Tlsa};
use crate::zone::edit::index::Found;
use crate::zone::text::reader::Place;
use crate::zone::text::rtype::code;

/// What was found for one target.
#[derive(Clone, Debug, Default)]
pub struct AtTarget {
    /// TLSA records at the owner, in the order of the zone.
    pub tlsa: Vec<(Found, Tlsa)>,
    /// CNAME records at the owner: where each leads, and where it stands.
    pub aliases: Vec<(Name, Place)>,
    /// The last record of any type at the owner.
    pub last: Option<Found>,
    /// The last record at a sibling: the same host, another port.
    pub sibling: Option<Found>,
    /// The last record at the host or below it.
    pub host: Option<Found>,
    /// Whether the host has an address or an alias.
    pub host_answers: bool,
    /// DNAME, zone cuts and `$GENERATE`s that own the name.
    pub obstacles: Vec<Obstacle>,
    /// Labels of the longest name that exists at or above the owner.
    encloser: usize,
    /// Wildcards above the owner that may answer for it or its host, with the labels of their parent.
    wildcards: Vec<(usize, Obstacle)>,
}

impl AtTarget {
    /// Whether something else than its own records may give the host an address: a
    /// wildcard above it, or a `$GENERATE`.
    #[must_use]
    pub fn host_may_answer(&self) -> bool {
        let generated = self
            .obstacles
            .iter()
            .any(|obstacle| obstacle.what == ObstacleKind::Generate);
        self.host_answers || generated || !self.wildcards.is_empty()
    }

    /// Takes note of the zone's name: NS records there are no cut, and aliases may lead out of it.
    pub(super) fn in_zone(&mut self, apex: &Name) {
        let text = apex.to_string();
        self.obstacles
            .retain(|obstacle| obstacle.what != ObstacleKind::Cut || obstacle.owner != text);
        for (_, Obstacle { what, .. }) in &mut self.wildcards {
            if let ObstacleKind::WildcardAlias(to) = what
                && !to.is_within(apex)
            {
                *what = ObstacleKind::WildcardLeaves(to.clone());
            }
        }
    }

    /// The wildcards that answer for the owner as long as the owner does not
    /// exist (RFC 4592 section 3.3.1), one for each of their records.
    pub fn wildcards(&self) -> impl Iterator<Item = &Obstacle> {
        let answers =
            |(labels, _): &&(usize, Obstacle)| *labels == self.encloser && self.last.is_none();
        self.wildcards
            .iter()
            .filter(answers)
            .map(|(_, obstacle)| obstacle)
    }
}

/// Something that keeps a record from being added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is.
    pub what: ObstacleKind,
    /// Its owner, or the template of a `$GENERATE`.
    pub owner: String,
    /// Where it stands.
    pub place: Place,
}

/// What can stand in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObstacleKind {
    /// A DNAME above the owner: nothing exists below it (RFC 6672 section 2.4).
    Dname,
    /// NS records above the owner: the name belongs to another zone.
    Cut,
    /// A `$GENERATE` that makes records at the owner.
    Generate,
    /// A wildcard that answers for the host now, and would no longer.
    HostWildcard,
    /// A wildcard whose TLSA records answer for the owner now, and would no longer.
    Wildcard,
    /// A wildcard alias that answers for the owner now, and where it leads.
    WildcardAlias(Name),
    /// The same, and it leads out of the zone.
    WildcardLeaves(Name),
}

/// The owner of one target, and the name at and below which its kin stands.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) owner: Name,
    pub(super) base: Name,
    /// How many labels of the owner nobody asks for anything but TLSA records.
    room: usize,
}

impl Asked {
    pub(super) fn of(target: &Target) -> Self {
        let room = if target.host().is_some() { 2 } else { 1 };
        Self {
            owner: target.owner().unwrap_or_else(|_| Name::root()),
            base: target.base().clone(),
            room,
        }
    }

    pub(super) fn relation(&self, owner: &Name) -> Relation {
        if *owner == self.owner {
            Relation::Same
        } else if owner.is_within(&self.base) {
            let sibling = owner
                .parent()
                .is_some_and(|up| up.parent().as_ref() == Some(&self.base))
                && owner
                    .labels()
                    .next()
                    .is_some_and(|label| label.starts_with(b"_"));
            if sibling {
                Relation::Sibling
            } else {
                Relation::AtHost
            }
        } else if self.base.is_within(owner) || is_wildcard_above(owner, &self.owner) {
            Relation::Above
        } else {
            Relation::Far
        }
    }
}

/// How an owner stands to one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Nothing to do with it.
    Far,
    /// The very owner.
    Same,
    /// The same host, another port.
    Sibling,
    /// The host, or below it.
    AtHost,
    /// Above the host.
    Above,
}

/// A record whose being there matters to a target.
pub(super) struct Seen<'s> {
    pub(super) owner: &'s Name,
    pub(super) code: u16,
    /// Where a CNAME leads.
    pub(super) leads: Option<Name>,
    pub(super) place: Place,
}

impl AtTarget {
    /// Notes what a record's being there means: that names above the owner exist,
    /// that it is a wildcard, that it is an obstacle.
    pub(super) fn note(&mut self, asked: &Asked, seen: Seen<'_>) {
        let Seen {
            owner,
            code,
            leads,
            place,
        } = seen;
        let shared = owner
            .ancestors()
            .find(|name| asked.owner.is_within(name))
            .map_or(0, |name| name.labels().count());
        let obstacle = |what| Obstacle {
            what,
            owner: owner.to_string(),
            place: place.clone(),
        };
        if is_wildcard_above(owner, &asked.owner) {
            // Once the owner exists, so does its host, and loses all that a wildcard above it gave
            // (RFC 4592 section 2.2.2). Names below the host are asked for TLSA only.
            let above_host = shared + asked.room < asked.owner.labels().count();
            let what = match (above_host, code, leads.clone()) {
                (true, ..) => Some(ObstacleKind::HostWildcard),
                (false, code::CNAME, Some(to)) => Some(ObstacleKind::WildcardAlias(to)),
                (false, code::TLSA | code::CNAME, _) => Some(ObstacleKind::Wildcard),
                (false, ..) => None,
            };
            self.wildcards
                .extend(what.map(|what| (shared, obstacle(what))));
        }
        self.encloser = self.encloser.max(shared);
        let same = *owner == asked.owner;
        let above = !same && asked.owner.is_within(owner);
        match code {
            code::DNAME if above => self.obstacles.push(obstacle(ObstacleKind::Dname)),
            code::NS if above || same => self.obstacles.push(obstacle(ObstacleKind::Cut)),
            code::CNAME if same => self.aliases.extend(leads.map(|to| (to, place))),
            _ => {}
        }
    }
}

/// Whether `owner` is `*.x` and `asked` lies below `x`.
fn is_wildcard_above(owner: &Name, asked: &Name) -> bool {
    owner.labels().next() == Some(b"*") && owner.parent().is_some_and(|up| asked.is_within(&up))
}
