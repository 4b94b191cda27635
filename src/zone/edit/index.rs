//! One pass over a zone that keeps what an edit needs and lets the rest stream
//! by: the SOA, the records at the owners asked for and their kin, and whatever
//! stands in the way of an edit.

mod hint;
mod near;

use crate::name::Name;
use crate::text::source::{Library, read_span};
use crate::tlsa::Target;
use crate::zone::text::dialect::{self, Difference};
use crate::zone::text::generate::Generate;
use crate::zone::text::rdata::{self, SoaData};
use crate::zone::text::reader::{
    Checkpoint, Entry, Place, ReadError, ReadErrorKind, Reader, Skipped,
};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{self, Fields, Kind};
use crate::zone::text::skim::{Plain, Record};
use crate::zone::text::words::Span;

use hint::Hint;
use near::{Asked, Relation, Seen};
pub use near::{AtTarget, Obstacle, ObstacleKind};

/// A record in its place, kept for an edit.
#[derive(Clone, Debug)]
pub struct Found {
    /// The point before the record.
    pub before: Checkpoint,
    /// Its file's number.
    pub file: usize,
    /// Offset of its first octet.
    pub offset: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Its octets, line end included.
    pub text: Vec<u8>,
    /// Its head.
    pub fields: Fields,
    /// The TTL in force for it, in seconds, as BIND reads it.
    pub ttl: Option<u32>,
    /// The largest TTL that any server reads for it.
    pub longest_ttl: Option<u32>,
    /// Whether other servers read another TTL, for want of a `$TTL`.
    pub doubtful_ttl: bool,
}

impl Found {
    /// Offset behind the record.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.text.len() as u64
    }
}

/// An SOA record and its serial.
#[derive(Clone, Debug)]
pub struct Soa {
    /// The record.
    pub found: Found,
    /// Its owner, the zone's apex.
    pub owner: Name,
    /// Its serial and minimum, and where the serial stands in the record's text.
    pub data: SoaData,
}

/// What one pass found.
#[derive(Debug)]
pub struct Index {
    /// The SOA records; a good zone has one, or the same one twice.
    pub soas: Vec<Soa>,
    /// The first record that only a signed zone has.
    pub signed: Option<Place>,
    /// The first digest of the zone: a ZONEMD record at the apex (RFC 8976 section 2).
    pub digest: Option<Place>,
    /// For each target, in order.
    pub targets: Vec<AtTarget>,
    /// The last record of the main file.
    pub last: Option<Found>,
    /// The end of the main file.
    pub end: Checkpoint,
    /// Each file read, and how many times.
    pub files: Vec<(usize, u32)>,
    /// How many records the zone has.
    pub records: u64,
    /// What servers read differently in the directives and right behind them, each kind where it first stands.
    pub directives: Vec<(Difference, Place)>,
    /// Whether there is a `$TTL`.
    pub has_ttl: bool,
}

/// Reads a zone once, with these targets in mind.
///
/// # Errors
///
/// The first thing that a name server would not read.
pub fn read(
    library: &dyn Library,
    origin: Option<Name>,
    targets: &[Target],
) -> Result<Index, ReadError> {
    let mut reader = Reader::new(library, origin);
    let mut index = Index {
        soas: Vec::new(),
        signed: None,
        digest: None,
        targets: vec![AtTarget::default(); targets.len()],
        last: None,
        end: reader.checkpoint(),
        files: Vec::new(),
        records: 0,
        directives: Vec::new(),
        has_ttl: false,
    };
    let asked = targets.iter().map(Asked::of).collect();
    let mut watch = Watch {
        targets,
        asked,
        hint: Hint::default(),
        relations: None,
        digests: Vec::new(),
    };
    let mut last_record: Option<(u64, u64, usize)> = None;
    let mut file = usize::MAX;
    let mut after_include = false;
    while reader.advance()? {
        let Some(entry) = reader.entry() else { break };
        if entry.file != file || entry.offset == 0 {
            after_include = entry.offset != 0;
            file = entry.file;
            watch.relations = None;
            if entry.offset == 0 {
                match index.files.iter_mut().find(|(known, _)| *known == file) {
                    Some((_, times)) => *times += 1,
                    None => index.files.push((file, 1)),
                }
            }
        }
        match entry.kind {
            Kind::Record(fields) => {
                index.records += 1;
                if std::mem::take(&mut after_include) && fields.owner.is_none() {
                    index.note(Difference::OwnerAfterInclude, || {
                        reader.place(fields.rtype.start)
                    });
                }
                if file == 0 {
                    last_record = Some((entry.offset, entry.line, entry.text.len()));
                }
                watch.record(&reader, &entry, fields, &mut index)?;
            }
            Kind::Control { name, args } => watch.control(&reader, &entry, *name, args, &mut index),
            Kind::Blank | Kind::Unread(_) => {}
        }
        let skipped = watch.skip(&mut reader)?;
        index.records += skipped.records;
        after_include &= skipped.records == 0;
        last_record = skipped.last.filter(|_| file == 0).or(last_record);
    }
    index.end = reader.checkpoint();
    index.digest = index
        .soas
        .first()
        .and_then(|soa| watch.digest_at(&soa.owner));
    if let Some((offset, line, len)) = last_record {
        let text = read_span(library, 0, offset, offset + len as u64)
            .map_err(|error| reader.failed(0, line, error))?;
        let Some(Kind::Record(fields)) = scan::entry(&text, true).map(|scanned| scanned.kind)
        else {
            // It was a record when it was read.
            return Err(reader.failed(0, line, std::io::ErrorKind::InvalidData.into()));
        };
        index.last = Some(Found {
            before: index.end.clone(),
            file: 0,
            offset,
            line,
            text,
            fields,
            ttl: None,
            longest_ttl: None,
            doubtful_ttl: false,
        });
    }
    index.know_apex();
    Ok(index)
}

impl Index {
    /// Notes what servers read differently, each kind where it first stands.
    fn note(&mut self, difference: Difference, place: impl FnOnce() -> Place) {
        if self
            .directives
            .iter()
            .all(|(known, _)| *known != difference)
        {
            self.directives.push((difference, place()));
        }
    }

    /// What the targets know only when the SOA has been seen.
    fn know_apex(&mut self) {
        let Some(soa) = self.soas.first() else { return };
        for target in &mut self.targets {
            target.in_zone(&soa.owner);
        }
    }
}

/// The targets, and how the present owner stands to them.
struct Watch<'t> {
    targets: &'t [Target],
    asked: Vec<Asked>,
    hint: Hint,
    /// How the last owner stands to each target; empty when it is far from all,
    /// `None` when a file began or ended since.
    relations: Option<Vec<Relation>>,
    /// The ZONEMD records that may be the zone's: which is its apex the SOA says, and that may come late.
    digests: Vec<(Name, Place)>,
}

impl Watch<'_> {
    /// Steps over plain records that are far from every target.
    fn skip(&mut self, reader: &mut Reader<'_>) -> Result<Skipped, ReadError> {
        reader.pass()?;
        self.hint
            .follow(reader.inherited().origin.as_ref(), self.targets);
        let mut inherits = self.relations.as_ref().is_some_and(Vec::is_empty);
        let skipped = reader.skip_plain(|text, plain| match plain {
            Plain::Blank(_) => true,
            Plain::Record(Record { owner: None, .. }) => inherits,
            Plain::Record(Record {
                owner: Some(owner), ..
            }) => {
                inherits = self.hint.is_far(text, *owner);
                inherits
            }
        })?;
        if skipped.stated_owner {
            self.relations = Some(Vec::new());
        }
        Ok(skipped)
    }

    fn record(
        &mut self,
        reader: &Reader<'_>,
        entry: &Entry<'_>,
        fields: &Fields,
        index: &mut Index,
    ) -> Result<(), ReadError> {
        let inherited = reader.inherited();
        if let Some(span) = fields.owner {
            self.hint.follow(inherited.origin.as_ref(), self.targets);
            let near = self.hint.may_be_near(span.of(entry.text));
            self.relations = Some(if near {
                self.relate(&owner_of(reader, entry, fields)?)
            } else {
                Vec::new()
            });
        } else if self.relations.is_none() {
            self.relations = Some(self.relate(&owner_of(reader, entry, fields)?));
        }
        match fields.code {
            code::SOA => {
                let read = rdata::soa(entry.text, fields);
                let data = read
                    .map_err(|error| reader.error_at(error.at, ReadErrorKind::Data(error.what)))?;
                let owner = owner_of(reader, entry, fields)?;
                index.soas.push(Soa {
                    found: keep(reader, entry, fields),
                    owner,
                    data,
                });
            }
            code::RRSIG | code::NSEC | code::NSEC3 | code::SIG | code::NXT
                if index.signed.is_none() =>
            {
                index.signed = Some(reader.place(fields.rtype.start));
            }
            code::ZONEMD => {
                let owner = owner_of(reader, entry, fields)?;
                // One for each name is enough.
                let known = self.digests.last().is_some_and(|(last, _)| *last == owner);
                if !known && index.soas.first().is_none_or(|soa| soa.owner == owner) {
                    self.digests.push((owner, reader.place(fields.rtype.start)));
                }
            }
            _ => {}
        }
        let relations = self.relations.as_deref().unwrap_or(&[]);
        if relations.is_empty() {
            return Ok(());
        }
        let owner = owner_of(reader, entry, fields)?;
        for (at, relation) in relations.iter().enumerate() {
            let target = &mut index.targets[at];
            let leads = || rdata::leads_to(entry.text, fields, inherited.origin.as_deref());
            let leads = if fields.code == code::CNAME {
                leads()
            } else {
                None
            };
            let place = reader.place(fields.rtype.start);
            target.note(
                &self.asked[at],
                Seen {
                    owner: &owner,
                    code: fields.code,
                    leads,
                    place,
                },
            );
            let kept = || keep(reader, entry, fields);
            match relation {
                Relation::Far | Relation::Above => {}
                Relation::Same => {
                    if fields.code == code::TLSA {
                        let read = rdata::tlsa(entry.text, fields);
                        let tlsa = read.map_err(|error| {
                            reader.error_at(error.at, ReadErrorKind::Data(error.what))
                        })?;
                        target.tlsa.push((kept(), tlsa));
                    }
                    target.last = Some(kept());
                }
                Relation::Sibling => target.sibling = Some(kept()),
                Relation::AtHost => {
                    let answers = matches!(fields.code, code::A | code::AAAA | code::CNAME);
                    target.host_answers |= answers && Some(&owner) == self.targets[at].host();
                    target.host = Some(kept());
                }
            }
        }
        Ok(())
    }

    fn digest_at(&mut self, apex: &Name) -> Option<Place> {
        let at = self.digests.iter().position(|(owner, _)| owner == apex)?;
        Some(self.digests.swap_remove(at).1)
    }

    fn relate(&self, owner: &Name) -> Vec<Relation> {
        let relations: Vec<Relation> = self
            .asked
            .iter()
            .map(|asked| asked.relation(owner))
            .collect();
        if relations.iter().all(|relation| *relation == Relation::Far) {
            Vec::new()
        } else {
            relations
        }
    }

    fn control(
        &mut self,
        reader: &Reader<'_>,
        entry: &Entry<'_>,
        name: Span,
        args: &[Span],
        index: &mut Index,
    ) {
        dialect::of_entry(entry.text, entry.kind, entry.file != 0, |difference, at| {
            index.note(difference, || reader.place(at));
        });
        let word = name.of(entry.text);
        index.has_ttl |= word.eq_ignore_ascii_case(b"$TTL");
        if !word.eq_ignore_ascii_case(b"$GENERATE") {
            return;
        }
        let Some(generate) = Generate::read(entry.text, args) else {
            return;
        };
        let origin = reader.inherited().origin.as_deref();
        for (target, asked) in index.targets.iter_mut().zip(&self.asked) {
            for owner in asked.owner.ancestors() {
                let wildcard = owner.parent().and_then(|up| up.prepend(b"*").ok());
                if generate.makes(&owner, origin) {
                    let place = reader.place(0);
                    if owner == asked.owner {
                        let template = String::from_utf8_lossy(generate.template).into_owned();
                        let what = ObstacleKind::Generate;
                        target.obstacles.push(Obstacle {
                            what,
                            owner: template,
                            place: place.clone(),
                        });
                    }
                    target.note(
                        asked,
                        Seen {
                            owner: &owner,
                            code: generate.code,
                            leads: None,
                            place,
                        },
                    );
                }
                if let Some(wildcard) = wildcard.filter(|wildcard| generate.makes(wildcard, origin))
                {
                    let (code, place) = (generate.code, reader.place(0));
                    target.note(
                        asked,
                        Seen {
                            owner: &wildcard,
                            code,
                            leads: None,
                            place,
                        },
                    );
                }
            }
        }
    }
}

fn owner_of(reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) -> Result<Name, ReadError> {
    let at = fields.owner.map_or(0, |span| span.start);
    reader
        .inherited()
        .owner_of(entry.text, fields)
        .map_err(|error| reader.error_at(at, ReadErrorKind::Name(error)))
}

fn keep(reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) -> Found {
    Found {
        before: reader.checkpoint(),
        file: entry.file,
        offset: entry.offset,
        line: entry.line,
        text: entry.text.to_vec(),
        fields: *fields,
        ttl: reader.inherited().ttl_of(entry.text, fields),
        longest_ttl: reader.inherited().longest_ttl(entry.text, fields),
        doubtful_ttl: reader.inherited().has_doubtful_ttl(entry.text, fields),
    }
}
