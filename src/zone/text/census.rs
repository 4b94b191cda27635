//! The aliases and mail hosts of a zone, and what is wrong with them by
//! themselves: an alias beside other records keeps every server from loading the
//! zone (RFC 1034 section 3.6.2). Two passes; the second only where there are
//! aliases or names in question. Memory grows with the aliases and the hosts.

use std::collections::{HashMap, HashSet};

use crate::name::Name;
use crate::text::source::Library;
use crate::zone::text::labels::{Labels, Names};
use crate::zone::text::rdata::{self, rdata_words};
use crate::zone::text::reader::{Entry, Place, ReadError, ReadErrorKind, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{Fields, Kind};
use crate::zone::text::skim::Plain;

/// One alias.
#[derive(Clone, Debug)]
pub(crate) struct Aliased {
    /// Where it leads, if its data is a name.
    pub(crate) to: Option<Name>,
    /// Where its CNAME stands.
    pub(crate) spot: Spot,
    /// The first record beside it that may not be there.
    pub(crate) beside: Option<Box<Spot>>,
}

/// A place without the name of its file: there may be many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    file: usize,
    line: u64,
    column: u64,
}

impl Spot {
    /// The spot of an octet of the present entry.
    fn of(reader: &Reader<'_>, file: usize, at: usize) -> Self {
        let Place { line, column, .. } = reader.place(at);
        Self { file, line, column }
    }

    /// The place.
    pub(crate) fn place(&self, library: &dyn Library) -> Place {
        Place {
            file: library.label(self.file),
            line: self.line,
            column: self.column,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    /// Each alias by its owner.
    pub(crate) aliases: HashMap<Name, Aliased>,
    /// Hosts that MX records name, with the first that does.
    pub(crate) mail: HashMap<Name, Spot>,
    /// Of the names asked about, those with NS records.
    pub(crate) cuts: HashSet<Name>,
}

/// Names about which something is to be known, and their first labels.
#[derive(Debug, Default)]
struct Asked {
    labels: Labels,
    names: Names,
}

impl Roll {
    /// Reads the zone. `near` says, of the hosts that MX records name and of where
    /// aliases lead, whether it is to be known about those names, and each above
    /// them, whether they are cut off.
    pub(crate) fn read(
        library: &dyn Library,
        apex: &Name,
        near: impl Fn(&Name) -> bool,
    ) -> Result<Self, ReadError> {
        let mut roll = Self::default();
        let steps_over = |_: Option<&[u8]>, code, _| !matches!(code, code::CNAME | code::MX);
        each_record(
            library,
            apex,
            steps_over,
            |reader, entry, fields| match fields.code {
                code::CNAME => roll.alias(reader, entry, fields),
                _ => {
                    let host = exchange(entry.text, fields, reader.inherited().origin.as_deref());
                    if let Some(host) = host {
                        let spot = || Spot::of(reader, entry.file, fields.rtype.start);
                        roll.mail.entry(host).or_insert_with(spot);
                    }
                }
            },
        )?;
        roll.look_around(library, apex, near)?;
        Ok(roll)
    }

    /// The second pass.
    fn look_around(
        &mut self,
        library: &dyn Library,
        apex: &Name,
        near: impl Fn(&Name) -> bool,
    ) -> Result<(), ReadError> {
        let mut asked = Asked::default();
        let led = self.aliases.values().filter_map(|alias| alias.to.as_ref());
        for name in self.mail.keys().chain(led).filter(|name| near(name)) {
            let names = name.ancestors().take_while(|name| name != apex);
            for name in names.take_while(|name| asked.names.insert(name)) {
                asked.labels.insert(name.labels().next().unwrap_or(&[]));
            }
        }
        let mut labels = Labels::default();
        for name in self.aliases.keys() {
            labels.insert(name.labels().next().unwrap_or(&[]));
        }
        if self.aliases.is_empty() && asked.names.is_empty() {
            return Ok(());
        }
        // Whether the last owner written may be an alias, and one asked about.
        let mut near = (true, true);
        let steps_over = |owner: Option<&[u8]>, code, fresh| {
            if fresh {
                near = (true, true);
            }
            if let Some(owner) = owner {
                near = (labels.may_begin(owner), asked.labels.may_begin(owner));
            }
            may_be_beside(code) || !(near.0 || (near.1 && code == code::NS))
        };
        each_record(library, apex, steps_over, |reader, entry, fields| {
            let Ok(owner) = reader.inherited().owner_of(entry.text, fields) else {
                return;
            };
            if let Some(alias) = self.aliases.get_mut(&owner) {
                let spot = || Box::new(Spot::of(reader, entry.file, fields.rtype.start));
                alias.beside.get_or_insert_with(spot);
            }
            if fields.code == code::NS && asked.names.contains(&owner) {
                self.cuts.insert(owner);
            }
        })
    }

    /// The aliases that have other records beside them, each with its place and the
    /// other's, in order.
    pub(crate) fn clashes(&self, library: &dyn Library) -> Vec<(&Name, Place, Place)> {
        let beside = self.aliases.iter().filter_map(|(owner, alias)| {
            let beside = alias.beside.as_deref()?.place(library);
            Some((owner, alias.spot.place(library), beside))
        });
        let mut all: Vec<_> = beside.collect();
        all.sort_by_key(|(_, place, _)| (place.file.clone(), place.line));
        all
    }

    fn alias(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) {
        let inherited = reader.inherited();
        let Ok(owner) = inherited.owner_of(entry.text, fields) else {
            return;
        };
        let to = rdata::leads_to(entry.text, fields, inherited.origin.as_deref());
        let spot = Spot::of(reader, entry.file, fields.rtype.start);
        match self.aliases.get_mut(&owner) {
            // The same alias twice is one for all servers.
            Some(known) if known.to == to => {}
            Some(known) => {
                known.beside.get_or_insert(Box::new(spot));
            }
            None => {
                self.aliases.insert(
                    owner,
                    Aliased {
                        to,
                        spot,
                        beside: None,
                    },
                );
            }
        }
    }
}

/// Whether records of a type may stand beside an alias: DNSSEC's own (RFC 4035
/// section 2.5), and a KEY for BIND.
fn may_be_beside(code: u16) -> bool {
    let may = [
        code::CNAME,
        code::RRSIG,
        code::NSEC,
        code::SIG,
        code::NXT,
        code::KEY,
    ];
    may.contains(&code)
}

/// Goes over the records that can be read and that `steps_over` does not step over: it
/// is asked with the owner as written, the type, and whether another file begins or
/// goes on there.
fn each_record(
    library: &dyn Library,
    apex: &Name,
    mut steps_over: impl FnMut(Option<&[u8]>, u16, bool) -> bool,
    mut each: impl FnMut(&Reader<'_>, &Entry<'_>, &Fields),
) -> Result<(), ReadError> {
    let mut reader = Reader::new(library, Some(apex.clone()));
    let (mut file, mut fresh) = (0, true);
    loop {
        let skipped = reader.skip_plain(|text, plain| match plain {
            Plain::Blank(_) => true,
            Plain::Record(record) => {
                let owner = record.owner.map(|owner| owner.of(text));
                steps_over(owner, record.code, std::mem::take(&mut fresh))
            }
        });
        match skipped.and_then(|_| reader.advance()) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error)
                if matches!(
                    error.what,
                    ReadErrorKind::Io(_) | ReadErrorKind::Include(..)
                ) =>
            {
                return Err(error);
            }
            Err(_) if reader.entry().is_none() => return Ok(()),
            Err(_) => {
                fresh = true;
                continue;
            }
        }
        let Some(entry) = reader.entry() else {
            return Ok(());
        };
        if entry.file != file || entry.offset == 0 {
            (file, fresh) = (entry.file, true);
        }
        if let Kind::Record(fields) = entry.kind {
            let owner = fields.owner.map(|owner| owner.of(entry.text));
            if !steps_over(owner, fields.code, std::mem::take(&mut fresh)) {
                each(&reader, &entry, fields);
            }
        }
    }
}

/// The host that an MX record names; `None` for the root, which is no host (RFC 7505).
fn exchange(text: &[u8], fields: &Fields, origin: Option<&Name>) -> Option<Name> {
    let words = rdata_words(text, fields);
    let host = if words.first()?.of(text) == b"\\#" {
        let digits: Vec<u8> = words
            .iter()
            .skip(2)
            .flat_map(|word| word.of(text).to_vec())
            .collect();
        let octets = crate::tlsa::unhex(std::str::from_utf8(&digits).ok()?).ok()?;
        Name::from_wire(octets.get(2..)?).ok()?
    } else {
        Name::from_zone_text(words.get(1)?.of(text), origin).ok()?
    };
    Some(host).filter(|host| !host.is_root())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::Texts;

    fn clashes(text: &str) -> Vec<String> {
        let library = Texts::one(
            "z",
            format!("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n{text}"),
        );
        let roll = Roll::read(&library, &Name::from_user("example.com").unwrap(), |_| {
            false
        })
        .unwrap();
        let line = |(owner, alias, beside): (&Name, Place, Place)| {
            format!("{owner} {} {}", alias.line, beside.line)
        };
        roll.clashes(&library).into_iter().map(line).collect()
    }

    #[test]
    fn an_alias_beside_other_data_is_found_wherever_the_two_stand() {
        for (text, found) in [
            ("q CNAME a\nq TXT x\n", "q.example.com. 5 6"),
            ("q TXT x\nb A 192.0.2.2\nq CNAME a\n", "q.example.com. 7 5"),
            ("q CNAME a\n\tTXT x\n", "q.example.com. 5 6"),
            (
                "q CNAME a\n$ORIGIN com.\nQ.Example TXT x\n",
                "q.example.com. 5 7",
            ),
            (
                "\\113 CNAME a\nq.example.com. TXT x\n",
                "q.example.com. 5 6",
            ),
            ("q CNAME a\nq CNAME b\n", "q.example.com. 5 6"),
            (
                "q TYPE5 \\# 3 016100\nq TYPE16 \\# 2 0161\n",
                "q.example.com. 5 6",
            ),
            ("a CNAME b\n", "a.example.com. 5 4"),
        ] {
            assert_eq!(clashes(text), [found], "{text}");
        }
        for fine in [
            "q CNAME a\nq CNAME a\n",
            "q CNAME a\nq NSEC r CNAME\n",
            "q CNAME a\nr.q TXT x\n",
            "q TXT x\n",
        ] {
            assert_eq!(clashes(fine), Vec::<String>::new(), "{fine}");
        }
    }

    #[test]
    fn a_line_behind_an_included_file_stands_beside_the_alias_before_it() {
        let zone = "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nq CNAME a\n$INCLUDE part\n\tTXT x\n";
        let part = "b A 192.0.2.2\n".repeat(9);
        let files = [("z", zone.to_owned()), ("part", part)];
        let library = Texts::of(files.map(|(label, text)| (label.to_owned(), text.into_bytes())));
        let roll = Roll::read(&library, &Name::from_user("example.com").unwrap(), |_| {
            false
        });
        let clashes = roll.as_ref().map(|roll| roll.clashes(&library).len());
        assert_eq!(clashes.unwrap(), 1);
    }
}
