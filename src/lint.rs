//! Says what is wrong with the DANE records of a zone, and what in its text
//! servers read differently, without touching the file or the network. Reads
//! the zone a few times as a stream: memory grows with the TLSA records and the
//! aliases alone. A
//! record that is wrong does not keep the others from being looked at, and
//! nothing is said to be missing where a part could not be read.

mod around;
mod finding;
mod keys;
mod mail;
mod names;
mod record;
mod scanning;
mod set;

pub use finding::{Finding, Severity};
pub use record::Record;

use std::collections::HashMap;

use crate::keys::KeyFile;
use crate::name::Name;
use crate::text::source::Library;
use crate::zone::text::author;
use crate::zone::text::reader::{Place, ReadError, ReadErrorKind, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::Kind;
use around::Around;
use finding::Remark;
use keys::Keys;
use mail::Mail;
use names::Form;

/// What lint found.
#[derive(Debug)]
pub struct Lint {
    /// The zone's name; `None` when it has no SOA record.
    pub apex: Option<Name>,
    /// The files that were read, the main file first.
    pub files: Vec<usize>,
    /// How many records the zone has.
    pub total: u64,
    /// The TLSA records that could be read, in the order of the zone.
    pub records: Vec<Record>,
    /// For each of them, the given keys that it matches.
    pub matches: Vec<Vec<String>>,
    /// The findings, the heaviest first, then in the order of the files.
    pub findings: Vec<Finding>,
    /// What no server would read: the first few.
    pub faults: Vec<ReadError>,
    /// How many more of them there are.
    pub more_faults: u64,
}

/// Finds the zone's name, the owner of its first SOA record.
///
/// # Errors
///
/// A file that cannot be read, or an SOA whose owner needs an origin to be one.
pub fn apex(library: &dyn Library, origin: Option<Name>) -> Result<Option<Name>, ReadError> {
    let mut reader = Reader::new(library, origin);
    loop {
        match reader.advance() {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) if is_fatal(&error.what) => return Err(error),
            Err(_) if reader.entry().is_none() => return Ok(None),
            Err(_) => {}
        }
        let Some(entry) = reader.entry() else {
            return Ok(None);
        };
        if let Kind::Record(fields) = entry.kind
            && fields.code == code::SOA
        {
            let owner = reader.inherited().owner_of(entry.text, fields);
            let at = fields.owner.map_or(0, |span| span.start);
            return owner
                .map(Some)
                .map_err(|error| reader.error_at(at, ReadErrorKind::Name(error)));
        }
    }
}

/// The place of an SOA whose owner would be the zone's name, were there a dot at
/// its end: `example.org` under the origin `example.org.`
#[must_use]
pub fn soa_without_dot(library: &dyn Library, origin: Option<Name>) -> Option<(Name, Place)> {
    let mut reader = Reader::new(library, origin);
    while let Ok(true) = reader.advance() {
        let entry = reader.entry()?;
        let Kind::Record(fields) = entry.kind else {
            continue;
        };
        if fields.code != code::SOA {
            continue;
        }
        let owner = fields.owner?;
        let token = owner.of(entry.text);
        let origin = reader.inherited().origin.as_deref()?;
        let whole = Name::from_zone_text(token, Some(&Name::root())).ok()?;
        let lacks = token.last() != Some(&b'.') && token != b"@" && whole == *origin;
        return lacks.then(|| (whole, reader.place(owner.start)));
    }
    None
}

/// Looks at a zone. `apex` is its name, and completes relative names until the
/// file says otherwise; `keys` are to be compared with its records.
///
/// # Errors
///
/// A file that cannot be read; anything else is a finding.
pub fn zone(library: &dyn Library, apex: &Name, keys: &[KeyFile]) -> Result<Lint, ReadError> {
    let read = scanning::read(library, apex)?;
    let whole = read.faults.is_empty();
    let mut findings = read.findings;
    if !read.has_soa && whole {
        let place = Place {
            file: library.label(0),
            line: 1,
            column: 1,
        };
        let remark = Remark::new(
            "no-soa",
            Severity::Error,
            "there is no SOA record, so no server loads the file as a zone",
            "name the zone's main file, not one that it includes",
        );
        findings.push(remark.at(place, None));
    }
    let keys = Keys::of(keys);
    let mut sets: HashMap<&Name, Vec<&Record>> = HashMap::new();
    for record in &read.records {
        sets.entry(&record.owner).or_default().push(record);
    }
    let around = Around::read(library, Some(apex.clone()), apex, &read.records)?;
    if whole && read.has_soa {
        findings.extend(Mail::read(library, apex, &read.records, &around)?.findings());
    }
    findings.extend(written_by_a_program(library)?);
    for (owner, set) in &sets {
        findings.extend(of_set(owner, set, &keys));
        if let Some(first) = set.first().filter(|_| owner.is_within(apex)) {
            findings.extend(around.findings(first, apex, whole && read.has_soa));
        }
    }
    if whole {
        findings.extend(keys.without_record(&read.records));
    }
    // Files in the order in which they were met; those of keys last.
    let order: HashMap<String, usize> = read
        .files
        .iter()
        .rev()
        .map(|file| (library.label(*file), *file))
        .collect();
    findings.sort_by_cached_key(|finding| {
        let Place { line, column, .. } = finding.place;
        let file = order
            .get(&finding.place.file)
            .copied()
            .unwrap_or(usize::MAX);
        (
            std::cmp::Reverse(finding.severity),
            file,
            line,
            column,
            finding.code,
        )
    });
    let matches = read
        .records
        .iter()
        .map(|record| keys.matches(&record.tlsa))
        .collect();
    Ok(Lint {
        apex: read.has_soa.then(|| apex.clone()),
        files: read.files,
        total: read.total,
        records: read.records,
        matches,
        findings,
        faults: read.faults,
        more_faults: read.more_faults,
    })
}

/// Whether the main file says on top that a program writes it.
fn written_by_a_program(library: &dyn Library) -> Result<Option<Finding>, ReadError> {
    let mut head = vec![0; author::HEAD];
    let read = library.read_at(0, 0, &mut head);
    let count = read.map_err(|error| Reader::new(library, None).failed(0, 1, error))?;
    Ok(author::written_by_a_program(head.get(..count).unwrap_or(&[])).map(|(line, said)| {
        let message = format!("the file says that a program writes it (\"{said}\")");
        let hint = "make changes in that program: it may write the file anew and drop what was changed by hand";
        let place = Place { file: library.label(0), line, column: 1 };
        Remark::new("generated-file", Severity::Note, message, hint).at(place, None)
    }))
}

/// The findings about one owner's records by themselves.
fn of_set(owner: &Name, set: &[&Record], keys: &Keys<'_>) -> Vec<Finding> {
    let port = Form::of(owner).port();
    let mut remarks: Vec<(usize, Remark)> = Vec::new();
    for (at, record) in set.iter().enumerate() {
        remarks.extend(
            record::remarks(&record.tlsa, port)
                .into_iter()
                .map(|remark| (at, remark)),
        );
    }
    let exact = keys.unequal(set);
    // What is known of the keys says more than counting can.
    let counted = set::remarks(set).into_iter();
    remarks.extend(
        counted.filter(|(_, remark)| exact.is_empty() || remark.code != "unequal-parameter-sets"),
    );
    remarks.extend(exact);
    let place = |at: usize| set.get(at).map(|record| record.place.clone());
    remarks
        .into_iter()
        .filter_map(|(at, remark)| Some(remark.at(place(at)?, Some(owner))))
        .collect()
}

/// Whether reading cannot be of use any more: a file is missing or fails.
fn is_fatal(what: &ReadErrorKind) -> bool {
    matches!(what, ReadErrorKind::Io(_) | ReadErrorKind::Include(..))
}
