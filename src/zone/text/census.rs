//! The aliases and mail hosts of a zone, and what is wrong with them by
//! themselves: an alias beside other records keeps every server from loading the
//! zone (RFC 1034 section 3.6.2). Two passes; the second only where there are
//! aliases or names in question. Memory grows with the aliases.

use std::collections::HashMap;

use crate::name::Name;
use crate::text::source::Library;
use crate::zone::text::rdata::{self, rdata_words};
use crate::zone::text::reader::{Entry, Place, ReadError, ReadErrorKind, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{Fields, Kind};

/// One alias.
#[derive(Clone, Debug)]
pub(crate) struct Aliased {
    /// Where it leads, if its data is a name.
    pub(crate) to: Option<Name>,
    /// Where its CNAME stands.
    pub(crate) place: Place,
    /// The first record beside it that may not be there.
    pub(crate) beside: Option<Place>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    /// Each alias by its owner.
    pub(crate) aliases: HashMap<Name, Aliased>,
    /// Hosts that MX records name, with the first that does.
    pub(crate) mail: Vec<(Name, Place)>,
    /// Of the names asked about, those with NS records.
    pub(crate) cuts: Vec<Name>,
    /// A bit per hash of a first label that matters in the second pass.
    labels: Vec<u64>,
}

impl Roll {
    /// Reads the zone. `near` says, of the hosts that MX records name and of where
    /// aliases lead, about which names it is to be known whether they are cut off.
    pub(crate) fn read(
        library: &dyn Library,
        apex: &Name,
        near: impl Fn(&Self) -> Vec<Name>,
    ) -> Result<Self, ReadError> {
        let mut roll = Self {
            labels: vec![0; 1 << 10],
            ..Self::default()
        };
        let mut hosts = HashMap::new();
        each_record(library, apex, |reader, entry, fields, _| {
            match fields.code {
                code::CNAME => roll.alias(reader, entry, fields),
                code::MX => {
                    let host = exchange(entry.text, fields, reader.inherited().origin.as_deref());
                    if let Some(host) = host.filter(|host| !hosts.contains_key(host)) {
                        hosts.insert(host.clone(), ());
                        roll.mail.push((host, reader.place(fields.rtype.start)));
                    }
                }
                _ => {}
            }
        })?;
        let asked = near(&roll);
        let (known, labels): (Vec<Name>, &mut Vec<u64>) =
            (roll.aliases.keys().cloned().collect(), &mut roll.labels);
        for name in known.iter().chain(&asked) {
            let bit = bit_of(name.labels().next().unwrap_or(&[]));
            labels[bit / 64] |= 1 << (bit % 64);
        }
        if known.is_empty() && asked.is_empty() {
            return Ok(roll);
        }
        let mut near = true;
        each_record(library, apex, |reader, entry, fields, fresh| {
            if fresh {
                near = true;
            }
            if let Some(span) = fields.owner {
                near = roll.may_matter(span.of(entry.text));
            }
            // DNSSEC's own records may stand beside an alias (RFC 4035 section 2.5), and a KEY for BIND.
            let may = [
                code::CNAME,
                code::RRSIG,
                code::NSEC,
                code::SIG,
                code::NXT,
                25,
            ];
            if !near || may.contains(&fields.code) {
                return;
            }
            let Ok(owner) = reader.inherited().owner_of(entry.text, fields) else {
                return;
            };
            if let Some(alias) = roll.aliases.get_mut(&owner) {
                alias
                    .beside
                    .get_or_insert_with(|| reader.place(fields.rtype.start));
            }
            if fields.code == code::NS && asked.contains(&owner) && !roll.cuts.contains(&owner) {
                roll.cuts.push(owner);
            }
        })?;
        Ok(roll)
    }

    /// The aliases that have other records beside them, in order of their place.
    pub(crate) fn clashes(&self) -> Vec<(&Name, &Place, &Place)> {
        let beside = self
            .aliases
            .iter()
            .filter_map(|(owner, alias)| Some((owner, &alias.place, alias.beside.as_ref()?)));
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
        let place = reader.place(fields.rtype.start);
        match self.aliases.get_mut(&owner) {
            // The same alias twice is one for all servers.
            Some(known) if known.to == to => {}
            Some(known) => {
                known.beside.get_or_insert(place);
            }
            None => {
                self.aliases.insert(
                    owner,
                    Aliased {
                        to,
                        place,
                        beside: None,
                    },
                );
            }
        }
    }

    /// Whether an owner as written may be one that matters.
    fn may_matter(&self, token: &[u8]) -> bool {
        if token == b"@" || token.contains(&b'\\') {
            return true;
        }
        let end = memchr::memchr(b'.', token).unwrap_or(token.len());
        let bit = bit_of(&token[..end]);
        self.labels[bit / 64] & (1 << (bit % 64)) != 0
    }
}

/// Goes over every record that can be read; `fresh` says that another file begins or goes on.
fn each_record(
    library: &dyn Library,
    apex: &Name,
    mut each: impl FnMut(&Reader<'_>, &Entry<'_>, &Fields, bool),
) -> Result<(), ReadError> {
    let mut reader = Reader::new(library, Some(apex.clone()));
    let (mut file, mut fresh) = (0, true);
    loop {
        match reader.advance() {
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
            each(&reader, &entry, fields, std::mem::take(&mut fresh));
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

/// Which bit stands for a label, whatever the case of its letters.
fn bit_of(label: &[u8]) -> usize {
    // FNV-1a; a clash costs one name that is made for nothing.
    let hash = label.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 48).unwrap_or(0)
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
            Vec::new()
        })
        .unwrap();
        let line = |(owner, alias, beside): (&Name, &Place, &Place)| {
            format!("{owner} {} {}", alias.line, beside.line)
        };
        roll.clashes().into_iter().map(line).collect()
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
}
