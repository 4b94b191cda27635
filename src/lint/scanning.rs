//! The first pass of lint: collects the TLSA records, the SOA, what servers
//! read differently, and what none would read. Goes on after an entry that is
//! wrong, as far as the lines after it still mean what they say.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::lint::finding::{Finding, Remark, Severity};
use crate::lint::record::{self, Record};
use crate::name::Name;
use crate::text::source::Library;
use crate::zone::text::dialect::{self, Difference};
use crate::zone::text::rdata::{self, rdata_words};
use crate::zone::text::reader::{Entry, Place, ReadError, ReadErrorKind, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{Fields, Kind};
use crate::zone::text::skim::Plain;
use crate::zone::text::words::Wrong;

/// How many places of one kind of difference are told one by one.
const FEW: usize = 3;

/// How many faults are told one by one.
const FEW_FAULTS: usize = 10;

/// What the first pass found.
pub(super) struct Read {
    pub(super) files: Vec<usize>,
    pub(super) total: u64,
    pub(super) records: Vec<Record>,
    pub(super) has_soa: bool,
    pub(super) findings: Vec<Finding>,
    pub(super) faults: Vec<ReadError>,
    pub(super) more_faults: u64,
}

/// Reads the zone to its end, or to where nothing after has a meaning.
pub(super) fn read(library: &dyn Library, apex: &Name) -> Result<Read, ReadError> {
    let mut reader = Reader::new(library, Some(apex.clone()));
    let mut pass = Pass::new(apex);
    loop {
        match pass.skip(&mut reader).and_then(|()| reader.advance()) {
            Ok(true) => pass.entry(&reader),
            Ok(false) => break,
            Err(error) if super::is_fatal(&error.what) => return Err(error),
            Err(error) => {
                // What has a finding of its own is told once.
                pass.told = matches!(error.what, ReadErrorKind::Syntax(Wrong::QuotedLineEnd, _));
                pass.entry(&reader);
                // Of a TLSA record its own finding says more.
                if !pass.told {
                    pass.fault(error);
                }
                if reader.entry().is_none() {
                    break;
                }
            }
        }
    }
    Ok(pass.finish())
}

struct Pass<'a> {
    apex: &'a Name,
    /// The apex as text, to compare absolute owners with.
    apex_text: Vec<u8>,
    read: Read,
    differences: BTreeMap<Difference, (Vec<Finding>, u64)>,
    soas: Vec<(Name, Vec<Vec<u8>>)>,
    /// The serial of the first of them.
    serial: Option<u32>,
    /// Digests of the zone at its apex, with their serials.
    digests: Vec<(Place, u32)>,
    file: usize,
    /// Whether a `$TTL` was in the text so far.
    has_ttl: bool,
    /// Whether the owner that a blank stands for is known.
    owner_known: bool,
    /// Whether the last owner is in the zone; `None` when that has to be found out.
    inside: Option<bool>,
    /// Whether an included file ended right before.
    after_include: bool,
    /// Whether a finding says already what is wrong with the present entry.
    told: bool,
    /// The origin met last, and whether it is in the zone.
    origin: Option<(Rc<Name>, bool)>,
}

impl<'a> Pass<'a> {
    fn new(apex: &'a Name) -> Self {
        let read = Read {
            files: Vec::new(),
            total: 0,
            records: Vec::new(),
            has_soa: false,
            findings: Vec::new(),
            faults: Vec::new(),
            more_faults: 0,
        };
        Self {
            apex,
            apex_text: apex.to_string().into_bytes(),
            read,
            differences: BTreeMap::new(),
            soas: Vec::new(),
            serial: None,
            digests: Vec::new(),
            file: usize::MAX,
            has_ttl: false,
            owner_known: true,
            inside: None,
            after_include: false,
            told: false,
            origin: None,
        }
    }

    /// Steps over plain entries of which there is nothing to say.
    fn skip(&mut self, reader: &mut Reader<'_>) -> Result<(), ReadError> {
        reader.pass()?;
        let relative = self.is_origin_inside(reader);
        let mut inside = self.inside == Some(true) && !self.after_include;
        let skipped = reader.skip_plain(|text, plain| {
            let record = match plain {
                Plain::Blank(line) => return dialect::is_beyond_doubt(line.of(text)),
                Plain::Record(record) => record,
            };
            if let Some(owner) = record.owner {
                inside = says_inside(owner.of(text), &self.apex_text, relative);
            }
            inside
                && record.code != code::TLSA
                && (record.ttl.is_some() || self.has_ttl)
                && !record.is_compound
                && dialect::is_plain_beyond_doubt(text, record)
        })?;
        self.read.total += skipped.records;
        self.after_include &= skipped.records == 0;
        if skipped.stated_owner {
            (self.owner_known, self.inside) = (true, Some(true));
        }
        Ok(())
    }

    fn entry(&mut self, reader: &Reader<'_>) {
        let Some(entry) = reader.entry() else { return };
        if entry.file != self.file || entry.offset == 0 {
            (self.file, self.inside, self.after_include) = (entry.file, None, entry.offset != 0);
            if !self.read.files.contains(&entry.file) {
                self.read.files.push(entry.file);
            }
        }
        let differences = &mut self.differences;
        dialect::of_entry(entry.text, entry.kind, entry.file != 0, |difference, at| {
            tally(differences, difference, || reader.place(at));
        });
        match entry.kind {
            Kind::Record(fields) => self.record(reader, &entry, fields),
            Kind::Control { name, .. } => {
                self.has_ttl |= name.of(entry.text).eq_ignore_ascii_case(b"$TTL");
            }
            Kind::Unread(_) => self.owner_known = false,
            Kind::Blank => {
                let inherited = reader.inherited();
                let is_first = !inherited.has_owner() || inherited.owner_is_outside();
                if is_first && (entry.text.starts_with(b" ") || entry.text.starts_with(b"\t")) {
                    tally(&mut self.differences, Difference::BlankBeforeOwner, || {
                        reader.place(0)
                    });
                }
            }
        }
    }

    fn record(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) {
        self.read.total += 1;
        self.owner_known |= fields.owner.is_some();
        if fields.ttl.is_none() && !self.has_ttl {
            tally(&mut self.differences, Difference::ImplicitTtl, || {
                reader.place(fields.rtype.start)
            });
        }
        if std::mem::take(&mut self.after_include) && fields.owner.is_none() {
            tally(&mut self.differences, Difference::OwnerAfterInclude, || {
                reader.place(fields.rtype.start)
            });
        }
        let inside = self.is_inside(reader, entry, fields);
        if !inside {
            tally(&mut self.differences, Difference::OutOfZone, || {
                reader.place(0)
            });
        }
        match fields.code {
            code::TLSA if self.owner_known => self.tlsa(reader, entry, fields, inside),
            code::SOA => self.soa(reader, entry, fields),
            code::ZONEMD => self.digest(reader, entry, fields),
            _ => {}
        }
    }

    fn tlsa(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields, inside: bool) {
        let inherited = reader.inherited();
        let owner = match inherited.owner_of(entry.text, fields) {
            Ok(owner) => owner,
            Err(error) => {
                let at = fields.owner.map_or(0, |span| span.start);
                return self.fault(reader.error_at(at, ReadErrorKind::Name(error)));
            }
        };
        let place = reader.place(fields.rtype.start);
        if !inside {
            let message = format!(
                "{owner} is outside the zone {}, so the record is not served",
                self.apex
            );
            let hint = "is a $ORIGIN left in force, or the record in the wrong file?";
            let remark = Remark::new("tlsa-out-of-zone", Severity::Warning, message, hint);
            self.read
                .findings
                .push(remark.at(place.clone(), Some(&owner)));
        }
        match record::read(entry.text, fields) {
            Ok(tlsa) => {
                let ttl = inherited.ttl_of(entry.text, fields);
                self.read.records.push(Record {
                    owner,
                    place,
                    ttl,
                    tlsa,
                });
            }
            Err((at, remark)) => {
                self.told = true;
                self.read
                    .findings
                    .push(remark.at(reader.place(at), Some(&owner)));
            }
        }
    }

    fn soa(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) {
        self.read.has_soa = true;
        self.serial = self
            .serial
            .or_else(|| rdata::soa(entry.text, fields).ok().map(|soa| soa.serial));
        let Ok(owner) = reader.inherited().owner_of(entry.text, fields) else {
            return;
        };
        let words = rdata_words(entry.text, fields);
        let data = words
            .iter()
            .map(|word| word.of(entry.text).to_ascii_lowercase())
            .collect();
        let place = || reader.place(fields.rtype.start);
        match self.soas.first() {
            None => self.soas.push((owner, data)),
            Some((first, same)) if *first == owner && *same == data => {
                tally(&mut self.differences, Difference::TwoSoas, place);
            }
            Some((first, _)) => {
                let message = format!(
                    "there is another SOA record, at {first}, and this one differs from it"
                );
                let remark = Remark::new(
                    "unequal-soas",
                    Severity::Error,
                    message,
                    "leave only one of them",
                );
                self.read.findings.push(remark.at(place(), Some(&owner)));
            }
        }
    }

    fn digest(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) {
        let Ok(owner) = reader.inherited().owner_of(entry.text, fields) else {
            return;
        };
        if let (Some(serial), true) = (
            rdata::zonemd_serial(entry.text, fields),
            owner == *self.apex,
        ) {
            self.digests
                .push((reader.place(fields.rtype.start), serial));
        }
    }

    /// What a digest of the zone is worth (RFC 8976 section 4).
    fn of_digests(&mut self) {
        for (place, serial) in &self.digests {
            let remark = match self.serial {
                Some(zone) if zone != *serial => Remark::new(
                    "zonemd-serial",
                    Severity::Warning,
                    format!(
                        "the digest of the zone (ZONEMD) is for serial {serial}, and the SOA has {zone}: who checks it takes the zone for unverified or refuses it"
                    ),
                    "make the digest anew, as a last step after every edit, or take the record out",
                ),
                _ => Remark::new(
                    "zonemd",
                    Severity::Note,
                    "the zone has a digest of its records (ZONEMD), which any edit makes wrong; it was not computed here",
                    "edit the source from which the digest is made; danewright patch refuses this file",
                ),
            };
            self.read
                .findings
                .push(remark.at(place.clone(), Some(self.apex)));
        }
    }

    /// Whether a record's owner is in the zone, without making a name of it
    /// where its text says so already.
    fn is_inside(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) -> bool {
        let Some(span) = fields.owner else {
            let inside = self
                .inside
                .unwrap_or_else(|| self.is_name_inside(reader, entry, fields));
            self.inside = Some(inside);
            return inside;
        };
        let relative = self.is_origin_inside(reader);
        let inside = says_inside(span.of(entry.text), &self.apex_text, relative)
            || self.is_name_inside(reader, entry, fields);
        self.inside = Some(inside);
        inside
    }

    /// Whether the origin in force is in the zone.
    fn is_origin_inside(&mut self, reader: &Reader<'_>) -> bool {
        match (&self.origin, &reader.inherited().origin) {
            (Some((known, inside)), Some(origin)) if Rc::ptr_eq(known, origin) => *inside,
            (_, Some(origin)) => {
                let inside = origin.is_within(self.apex);
                self.origin = Some((Rc::clone(origin), inside));
                inside
            }
            (_, None) => false,
        }
    }

    /// The same by the name itself; one that cannot be made is another matter.
    fn is_name_inside(&self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) -> bool {
        reader
            .inherited()
            .owner_of(entry.text, fields)
            .map_or(true, |owner| owner.is_within(self.apex))
    }

    fn fault(&mut self, error: ReadError) {
        if self.read.faults.len() < FEW_FAULTS {
            self.read.faults.push(error);
        } else {
            self.read.more_faults += 1;
        }
    }

    fn finish(mut self) -> Read {
        self.of_digests();
        for (findings, more) in self.differences.into_values() {
            let mut findings = findings;
            if let Some(last) = findings.last_mut() {
                last.more = more;
            }
            self.read.findings.append(&mut findings);
        }
        self.read
    }
}

/// Whether the text of an owner shows that it is in the zone; `relative` says so of
/// names that are completed with the origin.
fn says_inside(token: &[u8], apex: &[u8], relative: bool) -> bool {
    if token.contains(&b'\\') {
        return false;
    }
    if token.last() != Some(&b'.') {
        return relative;
    }
    token.len().checked_sub(apex.len()).is_some_and(|start| {
        token[start..].eq_ignore_ascii_case(apex) && (start == 0 || token[start - 1] == b'.')
    })
}

fn tally(
    differences: &mut BTreeMap<Difference, (Vec<Finding>, u64)>,
    difference: Difference,
    place: impl FnOnce() -> Place,
) {
    let (findings, more) = differences.entry(difference).or_default();
    if findings.len() >= FEW {
        *more += 1;
        return;
    }
    let severity = match difference {
        difference if difference.is_refused() => Severity::Error,
        difference if difference.loses_records() => Severity::Warning,
        _ => Severity::Note,
    };
    let (code, message, hint) = (difference.code(), difference.message(), difference.hint());
    findings.push(Remark::new(code, severity, message, hint).at(place(), None));
}
