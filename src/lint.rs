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
use crate::tlsa::Port;
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
    let mut by_owner: Vec<&Record> = read.records.iter().collect();
    by_owner.sort_by_key(|record| &record.owner);
    let around = Around::read(library, Some(apex.clone()), apex, &read.records)?;
    if whole && read.has_soa {
        findings.extend(Mail::read(library, apex, &read.records, &around)?.findings());
    }
    findings.extend(written_by_a_program(library)?);
    for set in by_owner.chunk_by(|one, next| one.owner == next.owner) {
        let Some(first) = set.first() else { continue };
        let form = Form::of(&first.owner);
        findings.extend(of_set(&first.owner, form.port(), set, &keys));
        if first.owner.is_within(apex) {
            findings.extend(around.findings(first, &form, apex, whole && read.has_soa));
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
            // A file that is included twice has more than one owner at a place.
            finding.owner.clone(),
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
fn of_set(owner: &Name, port: Option<Port>, set: &[&Record], keys: &Keys<'_>) -> Vec<Finding> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::source::Texts;
    use crate::zone::text::reader::stepping_through;

    const LINES: &[&str] = &[
        "a A 192.0.2.1\n",
        " A 192.0.2.2\n",
        "\tAAAA 2001:db8::1\n",
        "a.example.com. AAAA 2001:db8::1\n",
        "mail 1h A 192.0.2.3\n",
        "mail 1h30m A 192.0.2.3\n",
        "mail.example.com.example.com. A 192.0.2.3\n",
        "@ MX 10 mail\n",
        " MX 10 a.example.com.\n",
        "d MX 10 x.sub\n",
        "sub NS a\n",
        "x.sub A 192.0.2.4\n",
        "other.example. A 192.0.2.5\n",
        "A CNAME b ; why\\\n",
        "c CNAME mail\n",
        "c TXT \"x;\" ; \\y\n",
        "www CNAME c\n",
        "* CNAME @\n",
        "*.a AAAA 2001:db8::2\n",
        "_25._tcp.mail TLSA 3 1 1 DIGEST\n",
        " TLSA 3 1 1 ( DIGEST )\n",
        "_25._tcp.a 90000 TLSA 3 1 1 DIGEST\n",
        "_25._tcp.x.sub TLSA 3 1 1 DIGEST\n",
        "_25._tcp.b TLSA 3 1 1 DIGEST\n",
        "*.b TLSA 3 1 1 DIGEST\n",
        "*.a TLSA 3 1 1 DIGEST\n",
        "_dane TLSA 3 1 1 DIGEST\n",
        "_dane.www TLSA 3 1 1 00\n",
        "_25._tcp.c CNAME _dane\n",
        "_465._tcp.c CNAME ( _none )\n",
        "*._tcp.www CNAME _dane.www\n",
        "_tcp.mail TXT x\n",
        "b DNAME example.net.\n",
        "_25._tcp.mail CNAME c\n",
        "c NS a\r\n",
        "; x\r\n",
        ";\\\n",
        "; \0\n",
        "\n",
        "  ; blank\n",
        "e TXT \"\\\"\" \"+\"\n",
        "e LOC 52 22 23.000 N 4 53 32.000 E +2.00m\n",
        "e LOC \"52\" N 4 E 2m\n",
        "e HTTPS 1 . alpn=\"h2\"\n",
        "e HTTPS 1 . key1=h2\n",
        "e URI 1 1 \"a\"\"b\"\n",
        "\\101 A 192.0.2.6\n",
        "w\\119w TXT x\n",
        "@ 60 SOA ns h 8 2 3 4 5\n",
        "@ ZONEMD 7 1 241 00\n",
        "$TTL 1h\n",
        "$ORIGIN sub.example.com.\n",
        "$ORIGIN example.com.\n",
        "$ORIGIN net.\n",
        "$INCLUDE part\n",
        "$INCLUDE part sub.example.com.\n",
        "$GENERATE 1-3 a$ CNAME _dane\n",
        "$WRONG\n",
        "a WRONG\n",
        "a A 192.0.2.256\n",
        "x TYPE1 \\# 4 c0000201\n",
    ];

    fn lines(most: usize) -> impl Strategy<Value = String> {
        let lines = proptest::collection::vec(proptest::sample::select(LINES), 0..most);
        // The end is not near, for there nothing is stepped over any more.
        let end = "z A 192.0.2.7\n".repeat(9);
        lines.prop_map(move |lines| lines.concat() + &end)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_stepped_over_takes_nothing_from_what_is_said(
            ttl in proptest::sample::select(vec!["$TTL 1h\n", ""]),
            zone in lines(30),
            part in lines(9).prop_map(|part| part.replace("$INCLUDE", ";")),
        ) {
            let digest = "8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";
            let zone = format!("{ttl}@ 60 SOA ns h 7 2 3 4 5\n@ 60 NS a\n{zone}").replace("DIGEST", digest);
            let part = part.replace("DIGEST", digest);
            let library = Texts::of([("zone".to_owned(), zone.into_bytes()), ("part".to_owned(), part.into_bytes())]);
            let apex = Name::from_user("example.com").unwrap();
            let look = || format!("{:#?}", super::zone(&library, &apex, &[]));
            prop_assert_eq!(look(), stepping_through(look));
        }
    }
}
