//! What an edit should tell of: where the records that it writes or finds are
//! read differently by another name server. Only what touches those records,
//! the SOA and the directives above them; `lint` tells of the rest. Each kind
//! is told once, at the first place, and an ordinary zone has none.

use crate::finding::{Finding, Severity};
use crate::text::source::Library;
use crate::zone::edit::index::{Found, Index};
use crate::zone::text::dialect::{self, Difference};
use crate::zone::text::reader::Place;
use crate::zone::text::scan::{self, Kind};

/// Collects the remarks of one edit.
pub(crate) struct Remarks<'a> {
    library: &'a dyn Library,
    has_ttl: bool,
    seen: Vec<(Difference, String)>,
}

impl<'a> Remarks<'a> {
    /// Starts with the directives and the SOA.
    pub(crate) fn of(library: &'a dyn Library, index: &Index) -> Self {
        let mut remarks = Self {
            library,
            has_ttl: index.has_ttl,
            seen: Vec::new(),
        };
        for (difference, place) in &index.directives {
            // Which file was read is in the report, and what $GENERATE makes is refused where it matters.
            if !matches!(
                difference,
                Difference::RelativeInclude | Difference::QuotedInclude | Difference::Generate
            ) {
                remarks.add(*difference, || place.to_string());
            }
        }
        for soa in &index.soas {
            remarks.found(&soa.found);
        }
        if index.soas.len() > 1 {
            let second = &index.soas[1].found;
            remarks.add(Difference::TwoSoas, || place_in(library, second, 0));
        }
        remarks
    }

    /// A record that is there.
    pub(crate) fn found(&mut self, found: &Found) {
        let library = self.library;
        let kind = Kind::Record(found.fields);
        dialect::of_entry(&found.text, &kind, found.file != 0, |difference, at| {
            self.add(difference, || place_in(library, found, at));
        });
        if found.fields.ttl.is_none() && !self.has_ttl {
            self.add(Difference::ImplicitTtl, || {
                place_in(library, found, found.fields.rtype.start)
            });
        }
    }

    /// A line that is the first of its file with a blank, once a removal is done.
    pub(crate) fn left_first(&mut self, place: &Place) {
        self.add(Difference::BlankBeforeOwner, || place.to_string());
    }

    /// Text that is to be written: whole lines.
    pub(crate) fn written(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(scanned) = scan::entry(rest, true) {
            let (entry, after) = rest.split_at(scanned.len.min(rest.len()));
            dialect::of_entry(entry, &scanned.kind, false, |difference, _| {
                self.add(difference, || "the new line".to_owned());
            });
            if matches!(&scanned.kind, Kind::Record(fields) if fields.ttl.is_none())
                && !self.has_ttl
            {
                self.add(Difference::ImplicitTtl, || "the new line".to_owned());
            }
            rest = after;
        }
    }

    fn add(&mut self, difference: Difference, place: impl FnOnce() -> String) {
        // The missing line end is read alike, and kept as it is.
        if difference != Difference::NoFinalLineEnd
            && self.seen.iter().all(|(known, _)| *known != difference)
        {
            self.seen.push((difference, place()));
        }
    }

    /// The remarks as findings, in the order in which they were met.
    pub(crate) fn findings(self) -> Vec<Finding> {
        let finding = |(difference, place): (Difference, String)| {
            Finding::new(
                difference.code(),
                Severity::Note,
                format!("{place}: {}", difference.message()),
            )
        };
        self.seen.into_iter().map(finding).collect()
    }
}

/// Where an octet of a record stands.
fn place_in(library: &dyn Library, found: &Found, at: usize) -> String {
    let before = &found.text[..at.min(found.text.len())];
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let line = found.line + memchr::memchr_iter(b'\n', before).count() as u64;
    Place {
        file: library.label(found.file),
        line,
        column: (before.len() - start) as u64 + 1,
    }
    .to_string()
}
