//! Plans an edit: where each record goes, what it looks like, what its removal
//! leaves behind, the next serial; and proves the whole before handing it out.
//! Planning may fail, and then nothing has happened.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::tlsa::{Target, Tlsa};
use crate::zone::index::{self, AtTarget, Found, Index, ObstacleKind, Soa};
use crate::zone::library::{Library, read_span};
use crate::zone::obstruction::PlanError;
use crate::zone::patch::{Edit, Patch};
use crate::zone::proof::{self, ProofError};
use crate::zone::rdata;
use crate::zone::reader::{Checkpoint, Place};
use crate::zone::remarks::Remarks;
use crate::zone::remove::{self, Placed};
use crate::zone::serial::{self, Policy};
use crate::zone::splice::{Splice, in_order};
use crate::zone::style::{self, Ttl};

/// A zone that was read with some targets in mind.
pub struct Zone<'l> {
    library: &'l dyn Library,
    targets: Vec<Target>,
    index: Index,
    apex: Name,
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
        f.debug_struct("Zone").field("apex", &self.apex).field("index", &self.index).finish_non_exhaustive()
    }
}

impl<'l> Zone<'l> {
    /// Reads a zone once, with these targets in mind. `origin` completes
    /// relative names until the file says otherwise.
    ///
    /// # Errors
    ///
    /// A zone that cannot be read, has no SOA, or does not hold the targets.
    pub fn read(library: &'l dyn Library, origin: Option<Name>, targets: &[Target]) -> Result<Self, PlanError> {
        let index = index::read(library, origin, targets)?;
        let first = index.soas.first().ok_or(PlanError::NoSoa)?;
        let apex = first.owner.clone();
        for other in &index.soas[1..] {
            let wire = |soa: &Soa| {
                rdata::soa_wire(&soa.found.text, &soa.found.fields, soa.found.before.inherited.origin.as_deref())
            };
            if other.owner != apex || wire(other) != wire(first) {
                let place = Place { file: library.label(other.found.file), line: other.found.line, column: 1 };
                return Err(PlanError::UnequalSoas(place));
            }
        }
        if let Some(target) = targets.iter().find(|target| !target.host.is_within(&apex)) {
            return Err(PlanError::Outside { host: target.host.clone(), apex });
        }
        Ok(Self { library, targets: targets.to_vec(), index, apex })
    }

    /// The zone's name.
    #[must_use]
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// The serial in the file.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.index.soas.first().map_or(0, |soa| soa.data.serial)
    }

    /// The number of the file with the serial.
    #[must_use]
    pub fn serial_file(&self) -> usize {
        self.index.soas.first().map_or(0, |soa| soa.found.file)
    }

    /// How long absence is cached (RFC 2308 section 5): the smaller of the
    /// SOA's TTL and its minimum field, in seconds.
    #[must_use]
    pub fn negative_ttl(&self) -> u32 {
        let soa = self.index.soas.first();
        soa.map_or(0, |soa| soa.found.ttl.map_or(soa.data.minimum, |ttl| ttl.min(soa.data.minimum)))
    }

    /// The targets that the zone was read for.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// How many records the zone has.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.index.records
    }

    /// The numbers of the files that were read, the main file first.
    pub fn files(&self) -> impl Iterator<Item = usize> {
        self.index.files.iter().map(|(file, _)| *file)
    }

    /// The TLSA records at the owner of a target, each with its TTL and place.
    pub fn published(&self, target: usize) -> impl Iterator<Item = (&Tlsa, Option<u32>, Place)> {
        let records = self.index.targets.get(target).map_or(&[][..], |at| &at.tlsa);
        records.iter().map(|(found, tlsa)| {
            let place = Place { file: self.library.label(found.file), line: found.line, column: 1 };
            (tlsa, found.ttl, place)
        })
    }

    /// The hosts of the targets that have neither an address nor an alias in the zone,
    /// and that no `$GENERATE` may have made.
    #[must_use]
    pub fn hosts_without_address(&self) -> Vec<&Name> {
        let generated = |at: &AtTarget| at.obstacles.iter().any(|obstacle| obstacle.what == ObstacleKind::Generate);
        let lacking = |at: &AtTarget| !at.host_answers && !generated(at);
        let mut hosts: Vec<&Name> = Vec::new();
        for (_, target) in self.index.targets.iter().zip(&self.targets).filter(|(at, _)| lacking(at)) {
            if !hosts.contains(&&target.host) {
                hosts.push(&target.host);
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
        if let Some(place) = &self.index.signed {
            return Err(PlanError::Signed(place.clone()));
        }
        let mut patch = Patch::default();
        let mut placed = Vec::new();
        let mut left_first = None;
        match &request.change {
            Change::Add(records) => {
                // Beside its own RRset first: where two records go to one place, that one
                // may have a blank owner.
                let mut asked: Vec<_> = self.index.targets.iter().zip(&self.targets).zip(records).collect();
                asked.sort_by_key(|((found, _), _)| found.tlsa.is_empty());
                for ((found, target), add) in asked {
                    placed.extend(self.add(found, target, add, request.ttl, &mut patch)?);
                }
            }
            Change::Remove(records) => {
                let mut gone = Vec::new();
                for ((found, target), remove) in self.index.targets.iter().zip(&self.targets).zip(records) {
                    gone.extend(self.remove(found, target, remove, &mut patch)?);
                }
                gone.sort_by_key(|found| found.before.order);
                if let Some(owner) = remove::brought_together(self.library, &self.apex, &gone)? {
                    return Err(PlanError::UnequalTtls(owner));
                }
                let removal = remove::take_out(self.library, &gone)?;
                placed.extend(removal.splices);
                left_first = removal.left_first;
            }
        }
        patch.notes.extend(self.remarks(&placed, left_first.as_ref()));
        if placed.is_empty() {
            return Ok(patch);
        }
        placed.extend(self.bump(request, now, &mut patch)?);
        self.finish(placed, patch)
    }

    /// What another name server would read differently in what is there or placed.
    fn remarks(&self, placed: &[Placed], left_first: Option<&Place>) -> Vec<Finding> {
        let mut remarks = Remarks::of(self.library, &self.index);
        for (record, _) in self.index.targets.iter().flat_map(|target| &target.tlsa) {
            remarks.found(record);
        }
        for Placed { splice, .. } in placed.iter().filter(|placed| placed.splice.start == placed.splice.end) {
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
        let missing: Vec<&Tlsa> =
            wanted.iter().filter(|tlsa| !found.tlsa.iter().any(|(_, there)| there == *tlsa)).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        self.refuse_obstacles(found)?;
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
        for (record, tlsa) in found.tlsa.iter().filter(|(_, tlsa)| unwanted.contains(tlsa)) {
            if found.tlsa.iter().any(|(other, _)| other.ttl != record.ttl) {
                return Err(PlanError::UnequalTtls(owner));
            }
            if found.tlsa.iter().any(|(other, _)| other.doubtful_ttl) {
                return Err(PlanError::DoubtfulTtl(owner));
            }
            self.refuse_shared(record)?;
            gone.push(record.clone());
            patch.removed.push(Edit { owner: owner.clone(), ttl: record.ttl, tlsa: tlsa.clone() });
        }
        Ok(gone)
    }

    fn refuse_obstacles(&self, found: &AtTarget) -> Result<(), PlanError> {
        let blocked = found.obstacles.first().or_else(|| found.last.is_none().then(|| found.wildcard()).flatten());
        blocked.map_or(Ok(()), |obstacle| Err(PlanError::Blocked(obstacle.clone())))
    }

    /// A file that stands in the zone twice cannot take an edit meant for one place.
    fn refuse_shared(&self, found: &Found) -> Result<(), PlanError> {
        if self.is_shared(found.file) { Err(PlanError::SharedFile(self.library.label(found.file))) } else { Ok(()) }
    }

    fn is_shared(&self, file: usize) -> bool {
        self.index.files.iter().any(|(number, times)| *number == file && *times > 1)
    }

    fn note(&self, found: &AtTarget, owner: &Name, patch: &mut Patch) {
        let first = found.tlsa.first().and_then(|(found, _)| found.ttl);
        if found.tlsa.iter().any(|(record, _)| record.ttl != first) {
            let message = format!(
                "the records at {owner} have different TTLs; servers disagree on which one counts (RFC 2181 section 5.2)"
            );
            patch.notes.push(Finding::new("ttl-differs", Severity::Note, message));
        }
    }

    /// Inserts records at one owner: after the last of their RRset, else after
    /// the last at the owner, at a sibling, at the host, else at the end.
    fn insert(
        &self,
        found: &AtTarget,
        owner: &Name,
        add: &[&Tlsa],
        ttl: Option<u32>,
        patch: &mut Patch,
    ) -> Result<Placed, PlanError> {
        if let Some((kin, _)) = found.tlsa.last() {
            self.refuse_shared(kin)?;
            let lines = add.iter().map(|tlsa| style::beside(kin, tlsa)).collect();
            for tlsa in add {
                patch.added.push(Edit { owner: owner.clone(), ttl: kin.ttl, tlsa: (*tlsa).clone() });
            }
            return Ok(self.after(kin, lines));
        }
        let kin =
            [&found.last, &found.sibling, &found.host].into_iter().flatten().find(|kin| !self.is_shared(kin.file));
        let (template, before) = match (kin, &self.index.last) {
            (Some(kin), _) => (Some(kin), &kin.before),
            (None, last) => (last.as_ref(), &self.index.end),
        };
        let origin = before.inherited.origin.as_deref();
        let stated = template.and_then(|kin| kin.fields.ttl).map(|(_, seconds)| seconds);
        // Without $TTL, what is stated here would be inherited by the lines behind it, and what
        // the kin states may not be what BIND takes for it (the first TTL of its RRset counts).
        let inherits = kin.is_some() && before.inherited.default_ttl.is_none();
        if inherits && ttl.is_some() {
            return Err(PlanError::SpreadingTtl(owner.clone()));
        }
        let lines: Vec<Vec<u8>> =
            add.iter()
                .map(|tlsa| match template {
                    Some(kin) => style::fresh(
                        kin,
                        owner,
                        origin,
                        if inherits { Ttl::Inherit } else { ttl.map_or(Ttl::AsKin, Ttl::State) },
                        tlsa,
                    ),
                    None => format!("{owner} {}IN TLSA {tlsa}", ttl.map_or(String::new(), |ttl| format!("{ttl} ")))
                        .into_bytes(),
                })
                .collect();
        let effective = ttl
            .or(stated)
            .or(before.inherited.default_ttl)
            .or_else(|| kin.map_or(before.inherited.last_ttl, |kin| kin.ttl));
        for tlsa in add {
            patch.added.push(Edit { owner: owner.clone(), ttl: effective, tlsa: (*tlsa).clone() });
        }
        match kin {
            Some(kin) => Ok(self.after(kin, lines)),
            None => self.at_end(lines),
        }
    }

    /// Lines behind a record. Where it has no line end to copy, the SOA has.
    fn after(&self, kin: &Found, lines: Vec<Vec<u8>>) -> Placed {
        let ended = kin.text.ends_with(b"\n");
        let model = self.index.soas.first().filter(|_| !ended).map_or(kin, |soa| &soa.found);
        let text = joined(lines, style::line_end(&model.text), &kin.text);
        let line = kin.line + memchr::memchr_iter(b'\n', &kin.text).count() as u64;
        Placed {
            file: kin.file,
            splice: Splice { start: kin.end(), end: kin.end(), text, line },
            before: kin.before.clone(),
        }
    }

    /// At the end of the main file, which keeps or lacks its last line end as before.
    fn at_end(&self, lines: Vec<Vec<u8>>) -> Result<Placed, PlanError> {
        let (file, end) = self.index.end.position();
        let eol = self.index.soas.first().map_or(&b"\n"[..], |soa| style::line_end(&soa.found.text));
        let tail = read_span(self.library, file, end.saturating_sub(1), end);
        let tail = tail.map_err(|error| PlanError::Unproven(error.to_string()))?;
        let line = self.index.last.as_ref().map_or(1, |last| last.line);
        let text = joined(lines, eol, &tail);
        Ok(Placed { file, splice: Splice { start: end, end, text, line }, before: self.index.end.clone() })
    }

    /// New digits for every SOA that the zone has.
    fn bump(&self, request: &Request, now: DateTime<Utc>, patch: &mut Patch) -> Result<Vec<Placed>, PlanError> {
        let mut placed = Vec::new();
        for soa in &self.index.soas {
            let next =
                serial::next(soa.data.serial, request.serial_above, request.serial, now).map_err(PlanError::Serial)?;
            patch.serial = Some((soa.data.serial, next));
            if next == soa.data.serial {
                continue;
            }
            self.refuse_shared(&soa.found)?;
            let Found { offset, line, text, .. } = &soa.found;
            for (span, digits) in soa.data.with_serial(text, next) {
                let line = line + memchr::memchr_iter(b'\n', &text[..span.start]).count() as u64;
                let (start, end) = (offset + span.start as u64, offset + span.end as u64);
                let splice = Splice { start, end, text: digits, line };
                placed.push(Placed { file: soa.found.file, splice, before: soa.found.before.clone() });
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
        let mut checkpoints: Vec<Checkpoint> = placed.iter().map(|placed| placed.before.clone()).collect();
        checkpoints.sort_by_key(|checkpoint| checkpoint.order);
        for file in files {
            let splices =
                placed.iter().filter(|placed| placed.file == file).map(|placed| placed.splice.clone()).collect();
            patch.splices.push((file, in_order(splices).map_err(|_| PlanError::Overlap)?));
        }
        let difference =
            proof::difference(self.library, &patch.splices, &checkpoints).map_err(|error| match error {
                ProofError::Read(error) => {
                    PlanError::Unproven(format!("the new text would not be read: {:?} at {}", error.what, error.place))
                }
                ProofError::Apart => PlanError::Unproven("an included file would be read differently".to_owned()),
            })?;
        patch.confirm(difference).map_err(PlanError::Unproven)?;
        Ok(patch)
    }
}

/// Lines with their line ends: behind each where the text `before` ends with
/// one or is empty, otherwise in front of each.
fn joined(lines: Vec<Vec<u8>>, eol: &[u8], before: &[u8]) -> Vec<u8> {
    let ended = before.is_empty() || before.ends_with(b"\n");
    // With a bare LF behind it, the CR that ends a comment would look like a part of the line end.
    let eol = if before.ends_with(b"\r") { b"\r\n" } else { eol };
    let mut text = Vec::new();
    for line in lines {
        if !ended {
            text.extend_from_slice(eol);
        }
        text.extend(line);
        if ended {
            text.extend_from_slice(eol);
        }
    }
    text
}
