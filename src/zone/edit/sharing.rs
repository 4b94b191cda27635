//! Who else reaches the records of an owner: aliases in the zone that lead there,
//! right away or over others. What is taken out there is gone for them as well.

use std::collections::{HashMap, HashSet};

use crate::name::Name;
use crate::text::source::Library;
use crate::tlsa::Tlsa;
use crate::zone::edit::error::PlanError;
use crate::zone::edit::plan::Zone;
use crate::zone::text::generate::Generate;
use crate::zone::text::rdata;
use crate::zone::text::reader::{ReadError, ReadErrorKind, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::Kind;

/// How many aliases may follow each other; no resolver follows as many.
const LONGEST: usize = 20;

/// Who leads to an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// An alias.
    Owner(Name),
    /// Aliases that a `$GENERATE` makes: its template.
    Template(String),
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "{owner}"),
            Self::Template(template) => write!(f, "{template} (made by $GENERATE)"),
        }
    }
}

/// An alias that leads to an owner in the end.
#[derive(Clone, Debug)]
pub(crate) struct Reaching {
    /// The alias.
    pub(crate) who: Who,
    /// Where it leads next.
    pub(crate) to: Name,
    /// The owner that has the records.
    pub(crate) end: Name,
}

impl Zone<'_> {
    /// The aliases that lead to the targets' owners, those asked for too.
    pub(super) fn reaching(&self) -> Result<&[Reaching], PlanError> {
        if let Some(known) = self.reaching.get() {
            return Ok(known);
        }
        let ends = self.targets().iter().filter_map(|target| target.owner().ok());
        let found = Survey::of(ends).run(self.library(), self.apex())?;
        Ok(self.reaching.get_or_init(|| found))
    }

    /// Refuses to take records away from names that reach them by alias and were not asked for.
    ///
    /// # Errors
    ///
    /// Who else would lose the records that are to `go`, target by target.
    pub fn reached_only_as_asked(&self, go: &[Vec<Tlsa>]) -> Result<(), PlanError> {
        for (target, _) in self.targets().iter().zip(go).filter(|(_, go)| !go.is_empty()) {
            let owner = target.owner().map_err(PlanError::Owner)?;
            let here: Vec<&Reaching> = self.reaching()?.iter().filter(|reaching| reaching.end == owner).collect();
            let passed = self.passed(&here);
            let asked = |who: &Who| match who {
                Who::Owner(name) => self.aliases().iter().any(|alias| alias.owner == *name) || passed.contains(name),
                Who::Template(_) => false,
            };
            let others: Vec<Who> = here.iter().map(|one| &one.who).filter(|who| !asked(who)).cloned().collect();
            if !others.is_empty() {
                let asked = self.aliases().iter().filter(|alias| alias.to == owner);
                let asked = asked.map(|alias| alias.owner.clone()).chain([owner.clone()]).collect();
                let owners = others.iter().filter_map(|who| if let Who::Owner(name) = who { Some(name) } else { None });
                return Err(PlanError::Shared {
                    asked,
                    owners: owners.cloned().collect(),
                    others: others.iter().map(ToString::to_string).collect(),
                    owner,
                });
            }
        }
        Ok(())
    }

    /// The names on the way from those asked for at which no service can be.
    fn passed(&self, here: &[&Reaching]) -> HashSet<Name> {
        let next: HashMap<&Name, &Name> = here
            .iter()
            .filter_map(|one| if let Who::Owner(name) = &one.who { Some((name, &one.to)) } else { None })
            .collect();
        let mut passed = HashSet::new();
        for alias in self.aliases() {
            let mut at = next.get(&alias.owner);
            while let Some(name) = at.filter(|name| !passed.contains(**name)) {
                passed.insert((*name).clone());
                at = next.get(*name);
            }
        }
        passed.retain(|name| !may_be_service(name));
        passed
    }
}

/// Whether clients may ask for TLSA records at the name: it begins with a port, or is a wildcard.
fn may_be_service(name: &Name) -> bool {
    let label = name.labels().next().unwrap_or(&[]);
    let port = label.strip_prefix(b"_").is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit));
    port || label == b"*"
}

/// What is known on the way back from the ends.
struct Survey {
    /// Each name that leads to an end, and which.
    known: HashMap<Name, Name>,
    /// The `$GENERATE`s that were found, by file and offset.
    generates: HashSet<(usize, u64)>,
    found: Vec<Reaching>,
}

impl Survey {
    fn of(ends: impl Iterator<Item = Name>) -> Self {
        let known = ends.map(|end| (end.clone(), end)).collect();
        Self { known, generates: HashSet::new(), found: Vec::new() }
    }

    /// Reads the zone until nobody new is found: each time, who leads to those known.
    fn run(mut self, library: &dyn Library, apex: &Name) -> Result<Vec<Reaching>, ReadError> {
        for _ in 0..LONGEST {
            let before = self.found.len();
            let mut reader = Reader::new(library, Some(apex.clone()));
            while reader.advance()? {
                self.look(&reader)?;
            }
            if self.found.len() == before {
                break;
            }
        }
        Ok(self.found)
    }

    fn look(&mut self, reader: &Reader<'_>) -> Result<(), ReadError> {
        let Some(entry) = reader.entry() else { return Ok(()) };
        let inherited = reader.inherited();
        let origin = inherited.origin.as_deref();
        match entry.kind {
            Kind::Record(fields) if fields.code == code::CNAME => {
                let Some(to) = rdata::leads_to(entry.text, fields, origin) else { return Ok(()) };
                let Some(end) = self.known.get(&to).cloned() else { return Ok(()) };
                let owner = inherited.owner_of(entry.text, fields);
                let owner = owner.map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
                if !self.known.contains_key(&owner) {
                    self.known.insert(owner.clone(), end.clone());
                    self.found.push(Reaching { who: Who::Owner(owner), to, end });
                }
            }
            Kind::Control { name, args } if name.of(entry.text).eq_ignore_ascii_case(b"$GENERATE") => {
                let Some(generate) = Generate::read(entry.text, args).filter(|made| made.code == code::CNAME) else {
                    return Ok(());
                };
                let led = self.known.iter().find(|(name, _)| generate.leads_to(name, origin));
                if let Some((to, end)) = led.filter(|_| !self.generates.contains(&(entry.file, entry.offset))) {
                    let template = String::from_utf8_lossy(generate.template).into_owned();
                    self.generates.insert((entry.file, entry.offset));
                    self.found.push(Reaching { who: Who::Template(template), to: to.clone(), end: end.clone() });
                }
            }
            _ => {}
        }
        Ok(())
    }
}
