//! Steps over plain lines that an edit has nothing to do with, many at a time.
//! What is inherited, counted and remembered afterwards is what
//! [`advance`](Reader::advance) over each of them would have left.

use crate::zone::text::inherit::Inherited;
use crate::zone::text::reader::{ReadError, Reader, WINDOW};
use crate::zone::text::skim::{self, LONGEST_WORD, Plain, Record};
use crate::zone::text::words::Span;

/// What was stepped over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// How many records.
    pub(crate) records: u64,
    /// The last of them: offset, line, octets.
    pub(crate) last: Option<(u64, u64, usize)>,
    /// Whether one of them stated an owner.
    pub(crate) stated_owner: bool,
}

impl Reader<'_> {
    /// Leaves the present entry behind and steps over the plain entries after it,
    /// as long as `passes` says of each that it is to be stepped over. What it is
    /// asked about lies under the origin in force.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(crate) fn skip_plain(
        &mut self,
        mut passes: impl FnMut(&[u8], &Plain) -> bool,
    ) -> Result<Skipped, ReadError> {
        self.pass()?;
        #[cfg(test)]
        if tests::STEPS_THROUGH.get() {
            return Ok(Skipped::default());
        }
        let Some(level) = self.stack.last() else {
            return Ok(Skipped::default());
        };
        let (file, offset, line) = (level.file, level.offset, level.line);
        // The first entry of a file is looked at in full; and a word that is short
        // enough makes a name that is, only where the origin leaves room for it.
        let room = self
            .inherited
            .origin
            .as_ref()
            .is_some_and(|origin| origin.wire().len() + LONGEST_WORD < 254);
        if offset == 0 || !room {
            return Ok(Skipped::default());
        }
        self.fill(file, offset, WINDOW)
            .map_err(|error| self.failed(file, line, error))?;
        let Some((_, start, _)) = self.holds else {
            return Ok(Skipped::default());
        };
        let from = usize::try_from(offset - start).unwrap_or(usize::MAX);
        let (text, inherited, handed) = (&self.window, &mut self.inherited, &mut self.handed);
        let (origin, has_owner) = (inherited.origin.clone(), inherited.has_owner());
        let run = if inherited.default_ttl.is_some() {
            skim::run(text, origin.as_deref(), from, has_owner, passes)
        } else {
            handed.clear();
            let run = skim::run(text, origin.as_deref(), from, has_owner, |text, plain| {
                let passes = passes(text, plain);
                if let (
                    true,
                    Plain::Record(Record {
                        owner, ttl, code, ..
                    }),
                ) = (passes, *plain)
                {
                    handed.push(Handed { owner, ttl, code });
                }
                passes
            });
            hand_on(inherited, text, handed);
            run
        };
        inherited.pass_plain(run.owner.map(|span| span.of(text)), run.ttl);
        self.order += run.entries;
        self.after_directive &= run.entries == 0;
        if let Some(level) = self.stack.last_mut() {
            level.offset += run.len as u64;
            level.line += run.lines;
        }
        let last = run.last.map(|(span, lines)| {
            (
                start + span.start as u64,
                line + lines,
                span.end - span.start,
            )
        });
        Ok(Skipped {
            records: run.records,
            last,
            stated_owner: run.owner.is_some(),
        })
    }
}

/// A record that was stepped over, as far as its TTL matters to those behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handed {
    owner: Option<Span>,
    ttl: Option<u32>,
    code: u16,
}

/// Takes note of the TTLs of all records, in order, where there is no default.
///
/// Those before the last that begins another owner's lines and states its TTL
/// have no say in what is handed on, and in a large zone that is nearly all of them.
fn hand_on(inherited: &mut Inherited, text: &[u8], records: &[Handed]) {
    let stated = |records: &[Handed]| records.iter().rev().find_map(|record| record.owner);
    let begins = |at: &usize| {
        let (before, here) = records.split_at(*at);
        let owners = here
            .first()
            .filter(|record| record.ttl.is_some())
            .and_then(|record| record.owner);
        owners
            .zip(stated(before))
            .is_some_and(|(here, before)| is_other(here.of(text), before.of(text)))
    };
    let first = (0..records.len()).rev().find(begins).unwrap_or(0);
    let (before, rest) = records.split_at(first);
    let mut before = stated(before);
    for record in rest {
        let owner = record.owner.map(|span| span.of(text));
        inherited.hand_on(
            before.map(|span| span.of(text)),
            owner,
            record.ttl,
            record.code,
        );
        before = record.owner.or(before);
    }
}

/// Whether two plain owners under one origin are beyond doubt two names.
fn is_other(one: &[u8], other: &[u8]) -> bool {
    let alike = one.ends_with(b".") == other.ends_with(b".");
    alike && one != b"@" && other != b"@" && !one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use crate::name::Name;
    use crate::text::source::Texts;
    use crate::tlsa::Target;
    use crate::zone::edit::index;
    use crate::zone::text::reader::Reader;
    use crate::zone::text::scan::Kind;

    thread_local! {
        /// Lets nothing be stepped over, so that tests can compare.
        pub(super) static STEPS_THROUGH: Cell<bool> = const { Cell::new(false) };
    }

    /// What comes out when every entry is read in full.
    pub(crate) fn stepping_through<T>(what: impl FnOnce() -> T) -> T {
        STEPS_THROUGH.set(true);
        let result = what();
        STEPS_THROUGH.set(false);
        result
    }

    /// Reads a zone to its end: with what state, how many records, and where the last of them is.
    fn read(text: &str, skips: bool) -> (u64, u64, String, Option<(u64, u64, usize)>) {
        let library = Texts::one("zone", text);
        let mut reader = Reader::new(&library, Name::from_user("example.com").ok());
        let (mut records, mut last) = (0, None);
        while let Ok(true) = reader.advance() {
            let Some(entry) = reader.entry() else { break };
            if matches!(entry.kind, Kind::Record(_)) {
                records += 1;
                last = Some((entry.offset, entry.line, entry.text.len()));
            }
            if skips && let Ok(skipped) = reader.skip_plain(|_, _| true) {
                records += skipped.records;
                last = skipped.last.or(last);
            }
        }
        let end = reader.checkpoint();
        (end.order, records, format!("{:?}", end.inherited), last)
    }

    #[test]
    fn a_zone_larger_than_the_window_is_read_to_the_same_end() {
        let line = |n: u64| {
            format!(
                "host{n} {}A 192.0.2.{}\n",
                if n.is_multiple_of(7) { "60 " } else { "" },
                n % 256
            )
        };
        let text: String = (0..40_000).map(line).collect();
        assert_eq!(read(&text, true), read(&text, false));
    }

    /// The wildcard that answers for a host's records in a zone with this one record more.
    fn wildcard(owner: &str, host: &str) -> Option<String> {
        let ahead = "zz A 192.0.2.3\n".repeat(9);
        let text = format!("$TTL 1h\n@ SOA ns h 1 2 3 4 5\n{owner} CNAME b\n{ahead}");
        let library = Texts::one("zone", text.as_str());
        let host = Name::from_user(&format!("{host}.example.com")).unwrap();
        let targets = Target::combine(&[host], &["25".parse().unwrap()]);
        let index = index::read(&library, Name::from_user("example.com").ok(), &targets).unwrap();
        assert_eq!(index.records, 11, "{text}");
        index.targets[0]
            .wildcards()
            .next()
            .map(|wildcard| wildcard.owner.clone())
    }

    #[test]
    fn a_wildcard_above_a_host_is_not_stepped_over() {
        for (owner, found) in [
            ("*.a", true),
            ("*.a.example.com.", true),
            ("*.b.a", true),
            ("*.c", false),
            ("*.il.a", false),
        ] {
            assert_eq!(wildcard(owner, "mail.b.a").is_some(), found, "{owner}");
        }
    }

    proptest! {
        /// An escape sends a line the long way.
        #[test]
        fn a_wildcard_means_the_same_however_it_is_read(
            below in "([abAB]{1,2}\\.){0,2}[ab]{1,2}(\\.example\\.com\\.)?",
            host in "([ab]{1,2}\\.){0,2}[ab]",
        ) {
            prop_assert_eq!(wildcard(&format!("*.{below}"), &host), wildcard(&format!("\\*.{below}"), &host));
        }

        #[test]
        fn stepping_over_leaves_what_stepping_through_leaves(
            default in proptest::sample::select(vec!["$TTL 1h\n", "a 5 NS b\n", ""]),
            lines in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a A 192.0.2.1\n", " A 192.0.2.2\n", "A 60 A 192.0.2.3\n", "a 5 MX 10 b\n", "a.example.com. 7 A 192.0.2.4\n", "b 60 IN MX 10 a\n", "\n", "; comment\n", "c NS d ; why\n",
                    "$TTL 1h\n", "$ORIGIN sub.example.com.\n", "d TXT ( \"a\"\n \"b\" )\n", "*.a 6 A 192.0.2.5\n", "*.a A 192.0.2.6\n", "@ 8 A 192.0.2.7\n", "@ NS a\n", "B 9 A 192.0.2.8\n", "b MX 10 a\n", "\te NS f\n", "e NS f", "\tSRV ( 1 2 ; )\n\n 3 a\n)\n", "f TXT (\n",
                ]),
                0..16,
            ),
        ) {
            let text = format!("{default}{}{}", lines.concat(), "z A 192.0.2.3\n".repeat(lines.len() % 9));
            prop_assert_eq!(read(&text, true), read(&text, false));
        }
    }
}
