//! An edit finds what it needs by stepping over lines that are plain and far
//! from it. Whoever looks at every line must come to the same end.

use danewright::name::Name;
use danewright::text::source::Texts;
use danewright::tlsa::Target;
use danewright::zone::edit::index;
use danewright::zone::text::reader::Reader;
use danewright::zone::text::scan::Kind;

use super::invent::Files;

/// Compares both ways to read a zone, once with a host in it and once without.
pub(crate) fn stepping(files: &Files, origin: &Name) {
    let library = Texts::of(files.clone());
    let mut reader = Reader::new(&library, Some(origin.clone()));
    let (mut records, mut last) = (0, None);
    let read = loop {
        match (reader.advance(), reader.entry()) {
            (Ok(true), Some(entry)) if matches!(entry.kind, Kind::Record(_)) => {
                records += 1;
                if entry.file == 0 {
                    last = Some((entry.offset, entry.line, entry.text.to_vec()));
                }
            }
            (Ok(true), _) => {}
            (Ok(false), _) => break Ok(reader.checkpoint()),
            (Err(error), _) => break Err(error),
        }
    };
    for host in [origin.prepend(b"mail"), Name::from_user("mail.far.test")] {
        let targets = Target::combine(
            &[host.expect("short labels")],
            &["25".parse().expect("a port")],
        );
        match (index::read(&library, Some(origin.clone()), &targets), &read) {
            (Ok(index), Ok(end)) => {
                assert_eq!(index.records, records, "how many records there are");
                assert_eq!(
                    index.last.map(|last| (last.offset, last.line, last.text)),
                    last,
                    "the last record"
                );
                assert_eq!(
                    format!("{:?}", index.end),
                    format!("{end:?}"),
                    "what is in force at the end"
                );
            }
            (Ok(_), Err(error)) => panic!("an error was stepped over: {error:?}"),
            // Of the SOA, the TLSA records and the owners near the host, the index reads more.
            (Err(error), Ok(_)) => assert!(
                format!("{:?}", error.what).starts_with(['D', 'N']),
                "{error:?}"
            ),
            (Err(ours), Err(theirs)) => assert!(
                ours.place.line <= theirs.place.line || ours.place.file != theirs.place.file,
                "{ours:?} is found, and {theirs:?} before it"
            ),
        }
    }
}
