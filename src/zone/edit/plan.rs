//! Plans an edit: where each record goes, what it looks like, what its removal
//! leaves behind, the next serial; and proves the whole before handing it out.
//! Planning may fail, and then nothing has happened.

use std::cell::OnceCell;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::text::source::Library;
use crate::text::splice::{Splice, in_order};
use crate::tlsa::{Target, Tlsa};
use crate::zone::edit::alias::{self, Alias, Led};
use crate::zone::edit::dialects::Remarks;
use crate::zone::edit::error::PlanError;
use crate::zone::edit::index::{AtTarget, Found, Index, ObstacleKind, Soa};
use crate::zone::edit::patch::{Edit, Patch};
use crate::zone::edit::proof::{self, ProofError};
use crate::zone::edit::reaching::Reaching;
use crate::zone::edit::remove::{self, Placed};
use crate::zone::edit::serial::{self, Policy};
use crate::zone::edit::together;
use crate::zone::text::rdata;
use crate::zone::text::reader::{Checkpoint, Place};

/// A zone that was read with some targets in mind.
pub struct Zone<'l> {
    library: &'l dyn Library,
    led: Led,
    /// Where records are edited, each with its number among the owners looked at.
    targets: Vec<Target>,
    chosen: Vec<usize>,
    aliases: Vec<Alias>,
    apex: Name,
    /// Who leads to the targets; read when it is asked for.
    pub(super) reaching: OnceCell<Vec<Reaching>>,
}

/// What is to change at the zone's targets: for each, in order, some records.
/// One edit adds or removes; a key change needs both, and a wait in between.
#[derive(Clone, Debug)]
pub enum Change {
    /// These shall be there.
    Add(Vec<Vec<Tlsa>>),
    /// These shall not be there.
    Remove(Vec<Vec<Tlsa>>),
}

/// An edit.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is to change.
    pub change: Change,
    /// The TTL of an RRset that does not exist yet, in seconds.
    pub ttl: Option<u32>,
    /// How to find the next serial.
    pub serial: Policy,
    /// A serial that the next one has to follow as well.
    pub serial_above: Option<u32>,
}

impl fmt::Debug for Zone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zone")
            .field("apex", &self.apex)
            .field("led", &self.led)
            .finish_non_exhaustive()
    }
}

impl<'l> Zone<'l> {
    /// Reads a zone with these targets in mind. `origin` completes relative names
    /// until the file says otherwise. A target that is an alias stands for the
    /// owner in the zone to which it leads; two may come to the same.
    ///
    /// # Errors
    ///
    /// A zone that cannot be read, has no SOA, or does not hold the targets.
    pub fn read(
        library: &'l dyn Library,
        origin: Option<Name>,
        targets: &[Target],
    ) -> Result<Self, PlanError> {
        let led = Led::read(library, origin, targets)?;
        let index = &led.index;
        let first = index.soas.first().ok_or(PlanError::NoSoa)?;
        let apex = first.owner.clone();
        for other in &index.soas[1..] {
            let wire = |soa: &Soa| {
                rdata::soa_wire(
                    &soa.found.text,
                    &soa.found.fields,
                    soa.found.before.inherited.origin.as_deref(),
                )
            };
            if other.owner != apex || wire(other) != wire(first) {
                let place = Place {
                    file: library.label(other.found.file),
                    line: other.found.line,
                    column: 1,
                };
                return Err(PlanError::UnequalSoas(place));
            }
        }
        if let Some(target) = targets
            .iter()
            .find(|target| !target.base().is_within(&apex))
        {
            return Err(PlanError::Outside {
                host: target.base().clone(),
                apex,
            });
        }
        let (mut chosen, mut aliases) = (Vec::new(), Vec::new());
        for target in targets {
            let (at, alias) = led.follow(target, &apex)?;
            if !chosen.contains(&at) {
                chosen.push(at);
            }
            aliases.extend(alias);
        }
        let targets = chosen.iter().map(|at| led.watched[*at].clone()).collect();
        Ok(Self {
            library,
            led,
            targets,
            chosen,
            aliases,
            apex,
            reaching: OnceCell::new(),
        })
    }

    /// The zone's name.
    #[must_use]
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// The serial in the file.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.led.index.soas.first().map_or(0, |soa| soa.data.serial)
    }

    /// The number of the file with the serial.
    #[must_use]
    pub fn serial_file(&self) -> usize {
        self.led.index.soas.first().map_or(0, |soa| soa.found.file)
    }

    /// How long absence is cached (RFC 2308 section 5): the smaller of the
    /// SOA's TTL, the largest that any server reads, and its minimum field, in seconds.
    #[must_use]
    pub fn negative_ttl(&self) -> u32 {
        let soa = self.led.index.soas.first();
        soa.map_or(0, |soa| {
            soa.found
                .longest_ttl
                .map_or(soa.data.minimum, |ttl| ttl.min(soa.data.minimum))
        })
    }

    /// Where records are edited: the targets that the zone was read for, aliases followed.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The targets asked for that are aliases.
    #[must_use]
    pub fn aliases(&self) -> &[Alias] {
        &self.aliases
    }

    pub(super) fn index(&self) -> &Index {
        &self.led.index
    }

    pub(super) fn library(&self) -> &'l dyn Library {
        self.library
    }

    /// What was found at each of the targets.
    fn found(&self) -> impl Iterator<Item = (&AtTarget, &Target)> {
        self.chosen
            .iter()
            .map(|at| &self.led.index.targets[*at])
            .zip(&self.targets)
    }

    /// Whether the zone holds TLSA records of a target, so that some may be removed.
    ///
    /// # Errors
    ///
    /// Why it holds none: nothing was looked at then.
    pub fn holds(&self, target: usize) -> Result<(), PlanError> {
        let Some((found, target)) = self.found().nth(target) else {
            return Ok(());
        };
        if let Some(obstacle) = found.obstacles.first() {
            return Err(PlanError::Blocked(obstacle.clone()));
        }
        if !found.tlsa.is_empty() {
            return Ok(());
        }
        if let Some(wildcard) = found
            .wildcards()
            .find(|wildcard| wildcard.what != ObstacleKind::HostWildcard)
        {
            return Err(PlanError::MadeByWildcard(wildcard.clone()));
        }
        let owner = target.owner().map_err(PlanError::Owner)?;
        let likest = alias::likest(self.library, &self.apex, &owner)?;
        Err(PlanError::NoTlsa { owner, likest })
    }

    /// How many records the zone has.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.led.index.records
    }

    /// The numbers of the files that were read, the main file first.
    pub fn files(&self) -> impl Iterator<Item = usize> {
        self.led.index.files.iter().map(|(file, _)| *file)
    }

    /// The largest TTL that any server reads for each of the records of [`published`](Self::published):
    /// so long may a cache have it.
    pub fn longest_ttls(&self, target: usize) -> impl Iterator<Item = Option<u32>> {
        self.found()
            .nth(target)
            .map_or(&[][..], |(at, _)| &at.tlsa)
            .iter()
            .map(|(found, _)| found.longest_ttl)
    }

    /// The TLSA records at the owner of a target, each with its TTL as BIND reads it and its place.
    pub fn published(&self, target: usize) -> impl Iterator<Item = (&Tlsa, Option<u32>, Place)> {
        let records = self.found().nth(target).map_or(&[][..], |(at, _)| &at.tlsa);
        records.iter().map(|(found, tlsa)| {
            let place = Place {
                file: self.library.label(found.file),
                line: found.line,
                column: 1,
            };
            (tlsa, found.ttl, place)
        })
    }

    /// The hosts of the targets that nothing in the zone gives an address or an alias.
    #[must_use]
    pub fn hosts_without_address(&self) -> Vec<&Name> {
        let mut hosts: Vec<&Name> = Vec::new();
        for (_, target) in self.found().filter(|(found, _)| !found.host_may_answer()) {
            if let Some(host) = target.host().filter(|host| !hosts.contains(host)) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// Plans an edit and proves it. What is already so yields an empty patch,
    /// and an empty patch no new serial.
    ///
    /// # Errors
    ///
    /// Why the zone cannot be edited so; nothing has happened then.
    pub fn plan(&self, request: &Request, now: DateTime<Utc>) -> Result<Patch, PlanError> {
        if let Some(place) = &self.led.index.signed {
            return Err(PlanError::Signed(place.clone()));
        }
        if let Some(place) = &self.led.index.digest {
            return Err(PlanError::Digest(place.clone()));
        }
        let mut patch = Patch::default();
        self.note_surroundings(&request.change, &mut patch)?;
        let mut placed = Vec::new();
        let mut left_first = None;
        match &request.change {
            Change::Add(records) => {
                // Beside its own RRset first: where two records go to one place, that one
                // may have a blank owner.
                let mut asked: Vec<_> = self.found().zip(records).collect();
                asked.sort_by_key(|((found, _), _)| found.tlsa.is_empty());
                for ((found, target), add) in asked {
                    placed.extend(self.add(found, target, add, request.ttl, &mut patch)?);
                }
            }
            Change::Remove(records) => {
                let mut gone = Vec::new();
                for ((found, target), remove) in self.found().zip(records) {
                    gone.extend(self.remove(found, target, remove, &mut patch)?);
                }
                gone.sort_by_key(|found| found.before.order);
                if let Some(owner) = together::brought_together(self.library, &self.apex, &gone)? {
                    return Err(PlanError::UnequalTtls(owner));
                }
                let removal = remove::take_out(self.library, &gone)?;
                placed.extend(removal.splices);
                left_first = removal.left_first;
            }
        }
        self.note_included(&placed, &mut patch);
        patch
            .notes
            .extend(self.remarks(&placed, left_first.as_ref()));
        if placed.is_empty() {
            return Ok(patch);
        }
        placed.extend(self.bump(request, now, &mut patch)?);
        self.finish(placed, patch)
    }

    /// What another name server would read differently in what is there or placed.
    fn remarks(&self, placed: &[Placed], left_first: Option<&Place>) -> Vec<Finding> {
        let mut remarks = Remarks::of(self.library, &self.led.index);
        for (record, _) in self.found().flat_map(|(at, _)| &at.tlsa) {
            remarks.found(record);
        }
        for Placed { splice, .. } in placed
            .iter()
            .filter(|placed| placed.splice.start == placed.splice.end)
        {
            remarks.written(&splice.text);
        }
        if let Some(place) = left_first {
            remarks.left_first(place);
        }
        remarks.findings()
    }

    /// The records that are missing at one target.
    fn add(
        &self,
        found: &AtTarget,
        target: &Target,
        wanted: &[Tlsa],
        ttl: Option<u32>,
        patch: &mut Patch,
    ) -> Result<Option<Placed>, PlanError> {
        let owner = target.owner().map_err(PlanError::Owner)?;
        self.note(found, &owner, patch);
        self.refuse_obstacles(found)?;
        let missing: Vec<&Tlsa> = wanted
            .iter()
            .filter(|tlsa| !found.tlsa.iter().any(|(_, there)| there == *tlsa))
            .collect();
        if missing.is_empty() {
            return Ok(None);
        }
        self.insert(found, &owner, &missing, ttl, patch).map(Some)
    }

    /// The records that have to go at one target, every copy of them.
    fn remove(
        &self,
        found: &AtTarget,
        target: &Target,
        unwanted: &[Tlsa],
        patch: &mut Patch,
    ) -> Result<Vec<Found>, PlanError> {
        let owner = target.owner().map_err(PlanError::Owner)?;
        self.note(found, &owner, patch);
        let mut gone = Vec::new();
        for (record, tlsa) in found
            .tlsa
            .iter()
            .filter(|(_, tlsa)| unwanted.contains(tlsa))
        {
            if found.tlsa.iter().any(|(other, _)| other.ttl != record.ttl) {
                return Err(PlanError::UnequalTtls(owner));
            }
            if found.tlsa.iter().any(|(other, _)| other.doubtful_ttl) {
                return Err(PlanError::DoubtfulTtl(owner));
            }
            self.refuse_shared(record)?;
            gone.push(record.clone());
            patch.removed.push(Edit {
                owner: owner.clone(),
                ttl: record.ttl,
                tlsa: tlsa.clone(),
            });
        }
        Ok(gone)
    }

    fn refuse_obstacles(&self, found: &AtTarget) -> Result<(), PlanError> {
        let blocked = self.led.obstacle(found, &self.apex);
        blocked.map_or(Ok(()), |obstacle| Err(PlanError::Blocked(obstacle.clone())))
    }

    /// A file that stands in the zone twice cannot take an edit meant for one place.
    pub(super) fn refuse_shared(&self, found: &Found) -> Result<(), PlanError> {
        if self.is_shared(found.file) {
            Err(PlanError::SharedFile(self.library.label(found.file)))
        } else {
            Ok(())
        }
    }

    pub(super) fn is_shared(&self, file: usize) -> bool {
        self.led
            .index
            .files
            .iter()
            .any(|(number, times)| *number == file && *times > 1)
    }

    fn note(&self, found: &AtTarget, owner: &Name, patch: &mut Patch) {
        let first = found.tlsa.first().and_then(|(found, _)| found.ttl);
        if found.tlsa.iter().any(|(record, _)| record.ttl != first) {
            let message = format!(
                "the records at {owner} have different TTLs; servers disagree on which one counts (RFC 2181 section 5.2)"
            );
            patch
                .notes
                .push(Finding::new("ttl-differs", Severity::Note, message));
        }
    }

    /// New digits for every SOA that the zone has.
    fn bump(
        &self,
        request: &Request,
        now: DateTime<Utc>,
        patch: &mut Patch,
    ) -> Result<Vec<Placed>, PlanError> {
        let mut placed = Vec::new();
        for soa in &self.led.index.soas {
            let next = serial::next(soa.data.serial, request.serial_above, request.serial, now)
                .map_err(PlanError::Serial)?;
            patch.serial = Some((soa.data.serial, next));
            if next == soa.data.serial {
                continue;
            }
            self.refuse_shared(&soa.found)?;
            let Found {
                offset, line, text, ..
            } = &soa.found;
            for (span, digits) in soa.data.with_serial(text, next) {
                let line = line + memchr::memchr_iter(b'\n', &text[..span.start]).count() as u64;
                let (start, end) = (offset + span.start as u64, offset + span.end as u64);
                let splice = Splice {
                    start,
                    end,
                    text: digits,
                    line,
                };
                placed.push(Placed {
                    file: soa.found.file,
                    splice,
                    before: soa.found.before.clone(),
                });
            }
        }
        Ok(placed)
    }

    fn finish(&self, placed: Vec<Placed>, mut patch: Patch) -> Result<Patch, PlanError> {
        let mut files: Vec<usize> = placed.iter().map(|placed| placed.file).collect();
        files.sort_unstable();
        files.dedup();
        if let Some(file) = files.iter().find(|file| self.is_shared(**file)) {
            return Err(PlanError::SharedFile(self.library.label(*file)));
        }
        let mut checkpoints: Vec<Checkpoint> =
            placed.iter().map(|placed| placed.before.clone()).collect();
        checkpoints.sort_by_key(|checkpoint| checkpoint.order);
        for file in files {
            let splices = placed
                .iter()
                .filter(|placed| placed.file == file)
                .map(|placed| placed.splice.clone())
                .collect();
            patch
                .splices
                .push((file, in_order(splices).map_err(|_| PlanError::Overlap)?));
        }
        let difference =
            proof::difference(self.library, &patch.splices, &checkpoints).map_err(|error| {
                match error {
                    ProofError::Read(error) => PlanError::Unproven(format!(
                        "the new text would not be read: {:?} at {}",
                        error.what, error.place
                    )),
                    ProofError::Apart => {
                        PlanError::Unproven("an included file would be read differently".to_owned())
                    }
                }
            })?;
        patch.confirm(difference).map_err(PlanError::Unproven)?;
        Ok(patch)
    }
}
