//! Taking records out of a zone without changing what the lines after them
//! mean: the next record is given what it inherited from the ones that go.

use crate::name::Name;
use crate::text::source::{Library, read_span};
use crate::text::splice::Splice;
use crate::zone::edit::index::Found;
use crate::zone::edit::style::line_end;
use crate::zone::text::generate;
use crate::zone::text::reader::{Checkpoint, Place, ReadError, ReadErrorKind, Reader};
use crate::zone::text::scan::Kind;

/// A splice with the file it is for and a point before it to read from again.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The file's number.
    pub file: usize,
    /// The change.
    pub splice: Splice,
    /// A point in reading order at or before the change.
    pub before: Checkpoint,
}

/// What a removal comes to.
#[derive(Debug, Default)]
pub struct Removal {
    /// The splices.
    pub splices: Vec<Placed>,
    /// The first line without a record that begins with a blank, and will do so
    /// before any owner in its file.
    pub left_first: Option<Place>,
}

/// The splices that take these records out; they are in reading order.
///
/// # Errors
///
/// When the zone cannot be read on behind them.
pub fn take_out(library: &dyn Library, gone: &[Found]) -> Result<Removal, ReadError> {
    let Removal {
        mut splices,
        mut left_first,
    } = Removal::default();
    let mut at = 0;
    while at < gone.len() {
        let (count, heirs) = heirs_of(library, &gone[at..], &mut left_first)?;
        // A record that cannot be found again is a file that changed under us; the proof says so.
        let count = count.max(1);
        for run in gone[at..at + count]
            .chunk_by(|one, next| one.file == next.file && one.end() == next.offset)
        {
            let splice = cut(library, run);
            splices.extend(splice.map(|splice| Placed {
                file: run[0].file,
                splice,
                before: run[0].before.clone(),
            }));
        }
        splices.extend(heirs);
        at += count;
    }
    Ok(Removal {
        splices,
        left_first,
    })
}

/// How many of the records go before the lines behind them mean again what they
/// meant, and what the lines that stay are given for that.
fn heirs_of(
    library: &dyn Library,
    gone: &[Found],
    left_first: &mut Option<Place>,
) -> Result<(usize, Vec<Placed>), ReadError> {
    let Some(first) = gone.first() else {
        return Ok((0, Vec::new()));
    };
    let mut reader = Reader::from(library, first.before.clone());
    let mut owners = Owners::default();
    let mut ttl_text = Vec::new();
    // The TTL that later lines will inherit when the records have gone.
    let mut left_ttl = first.before.inherited.last_ttl;
    let (mut count, mut given) = (0, Vec::new());
    while reader.advance()? {
        let Some(entry) = reader.entry() else { break };
        let placed = |start: usize, end: usize, text: Vec<u8>| {
            let (start, end) = (entry.offset + start as u64, entry.offset + end as u64);
            let splice = Splice {
                start,
                end,
                text,
                line: entry.line,
            };
            Placed {
                file: entry.file,
                splice,
                before: first.before.clone(),
            }
        };
        let now = reader.inherited();
        let inherited = Inherits {
            name: now.inherited_owner().ok(),
            outside: now.owner_is_outside(),
            across: now.owner_is_across(),
        };
        let owner = owners.at(reader.depth(), &inherited);
        // Without $TTL, later lines inherit the last TTL stated (RFC 1035 section 5.1).
        let ttl_lost = now.default_ttl.is_none() && now.last_ttl != left_ttl;
        let fields = match entry.kind {
            Kind::Record(fields) => fields,
            Kind::Control { name, args }
                if name.of(entry.text).eq_ignore_ascii_case(b"$GENERATE") =>
            {
                // It makes records, which inherit a TTL, and hands its own on.
                if let Some((_, seconds)) = generate::stated_ttl(entry.text, args) {
                    left_ttl = Some(seconds);
                } else if let Some(word) = args.get(2).filter(|_| ttl_lost) {
                    given.push(placed(
                        word.start,
                        word.start,
                        [&ttl_text[..], b" "].concat(),
                    ));
                    left_ttl = now.last_ttl;
                }
                continue;
            }
            Kind::Blank => {
                let is_first = entry.text.starts_with(b" ") || entry.text.starts_with(b"\t");
                if is_first && owner.left.is_from_elsewhere() && !inherited.is_from_elsewhere() {
                    left_first.get_or_insert_with(|| reader.place(0));
                }
                continue;
            }
            Kind::Control { .. } | Kind::Unread(_) => continue,
        };
        let own = now
            .owner_of(entry.text, fields)
            .map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
        if gone
            .get(count)
            .is_some_and(|found| found.file == entry.file && found.offset == entry.offset)
        {
            count += 1;
            if fields.ttl.is_some()
                && (now.is_ttl_doubtful() || inherited.name.as_ref() != Some(&own))
            {
                // Which TTL BIND has from the lines before is not sure: of an owner's records of one type
                // that follow each other it takes the first one's for all, and hands that on.
                left_ttl = None;
            }
            owner.was = inherited.behind(own, fields.owner.is_some());
            if let Some((span, _)) = fields.ttl {
                ttl_text = span.of(entry.text).to_vec();
            }
            continue;
        }
        let lost = fields.owner.is_none() && !owner.left.does_for(&inherited);
        if lost {
            let text = now
                .owner_text()
                .unwrap_or_else(|| own.to_string().into_bytes());
            // Where there is room, the columns stay where they are.
            let blanks = entry
                .text
                .iter()
                .take_while(|octet| matches!(octet, b' ' | b'\t'))
                .count();
            let room =
                entry.text[..blanks].iter().all(|octet| *octet == b' ') && blanks > text.len();
            given.push(placed(0, if room { text.len() } else { 0 }, text));
        }
        let stated = fields.owner.is_some();
        owner.left = owner.left.behind(own.clone(), stated || lost);
        owner.was = inherited.behind(own, stated);
        match fields.ttl {
            Some((_, seconds)) => left_ttl = Some(seconds),
            None if ttl_lost => {
                let word = fields.class.map_or(fields.rtype, |(class, _)| class);
                let start = word.start.min(fields.rtype.start);
                given.push(placed(start, start, [&ttl_text[..], b" "].concat()));
                left_ttl = now.last_ttl;
            }
            None => {}
        }
        if owners.settled() {
            break;
        }
    }
    Ok((count, given))
}

/// What a line with a leading blank inherits.
#[derive(Clone, Default)]
struct Inherits {
    name: Option<Name>,
    /// From the file that includes this one; Knot reads no such line.
    outside: bool,
    /// From before an included file; old NSD reads that otherwise.
    across: bool,
}

impl Inherits {
    /// What is inherited behind a record of this owner.
    fn behind(&self, owner: Name, stated: bool) -> Self {
        Self {
            name: Some(owner),
            outside: self.outside && !stated,
            across: self.across && !stated,
        }
    }

    /// Whether the file itself has stated no owner so far.
    fn is_from_elsewhere(&self) -> bool {
        self.name.is_none() || self.outside
    }

    /// Whether a line that inherited `other` may inherit this.
    fn does_for(&self, other: &Self) -> bool {
        self.name == other.name
            && (other.outside || !self.outside)
            && (other.across || !self.across)
    }
}

/// What is inherited before and after the removal.
#[derive(Clone, Default)]
struct Inheritance {
    was: Inherits,
    left: Inherits,
}

/// The inheritance in each open file, from where the removal began: when an
/// included file ends, the owner of the line before it is in force again.
#[derive(Default)]
struct Owners {
    base: usize,
    levels: Vec<Inheritance>,
}

impl Owners {
    /// The inheritance at this depth of files, where `inherited` is in force.
    fn at(&mut self, depth: usize, inherited: &Inherits) -> &mut Inheritance {
        if self.levels.is_empty() || depth < self.base {
            self.base = depth;
            self.levels = vec![Inheritance {
                was: inherited.clone(),
                left: inherited.clone(),
            }];
        }
        if self.levels.len() > depth + 1 - self.base {
            self.levels.truncate(depth + 1 - self.base);
            if let Some(back) = self.levels.last_mut() {
                (back.was.across, back.left.across) = (true, true);
            }
        }
        while let Some(above) = self
            .levels
            .last()
            .filter(|_| self.levels.len() < depth + 1 - self.base)
        {
            let mut entered = above.clone();
            (entered.was.outside, entered.left.outside) = (true, true);
            self.levels.push(entered);
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// Whether nothing is left that a later line would inherit otherwise.
    fn settled(&self) -> bool {
        self.levels
            .iter()
            .all(|level| level.left.does_for(&level.was))
    }
}

/// Cuts whole logical lines that follow each other. The last line of a file
/// without a line end takes the one before it along, so that the file ends as
/// it did.
fn cut(library: &dyn Library, run: &[Found]) -> Option<Splice> {
    let (first, last) = (run.first()?, run.last()?);
    let mut start = first.offset;
    if !last.text.ends_with(b"\n") {
        let before =
            read_span(library, first.file, start.saturating_sub(2), start).unwrap_or_default();
        // A directive needs its line end: BIND does not read one without.
        if before.ends_with(b"\n") && !first.before.after_directive {
            start -= line_end(&before).len() as u64;
        }
    }
    Some(Splice {
        start,
        end: last.end(),
        text: Vec::new(),
        line: first.line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::Texts;
    use crate::tlsa::Target;
    use crate::zone::edit::index;

    /// A file with these lines behind the top of a zone, and the file it may include.
    fn zone(lines: &str, part: &str) -> Texts {
        let top = "@ 60 SOA ns h 1 2 3 4 5\n";
        let file = |label: &str, text: String| (label.to_owned(), text.into_bytes());
        Texts::of([
            file("main", format!("{top}{lines}")),
            file("part", part.to_owned()),
        ])
    }

    /// The two files without the records that are marked, and the line that is left first.
    fn without_marked(lines: &str, part: &str) -> (String, String, Option<String>) {
        let library = zone(lines, part);
        let origin = Name::from_user("example.com").unwrap();
        let host = Name::from_user("m.example.com").unwrap();
        let targets = Target::combine(&[host], &["25".parse().unwrap()]);
        let found = index::read(&library, Some(origin), &targets).unwrap();
        let records = found.targets[0].tlsa.iter().map(|(found, _)| found);
        let gone: Vec<Found> = records
            .filter(|found| found.text.ends_with(b";-\n"))
            .cloned()
            .collect();
        let mut removal = take_out(&library, &gone).unwrap();
        // From the end on, so that no offset moves.
        removal
            .splices
            .sort_by_key(|placed| std::cmp::Reverse(placed.splice.start));
        let edited = |file: usize| {
            let mut text = vec![0; 4096];
            let length = library.read_at(file, 0, &mut text).unwrap();
            text.truncate(length);
            for Placed { splice, .. } in removal.splices.iter().filter(|placed| placed.file == file)
            {
                let span = splice.start as usize..splice.end as usize;
                text.splice(span, splice.text.iter().copied());
            }
            String::from_utf8(text).unwrap()
        };
        let main = edited(0).split_once('\n').unwrap().1.to_owned();
        let first = removal.left_first.map(|place| place.to_string());
        (main, edited(1), first)
    }

    const GONE: &str = "_25._tcp.m 60 TLSA 3 1 1 aa ;-\n";

    #[test]
    fn a_line_is_given_an_owner_only_where_it_would_lose_it() {
        for (lines, left, part, part_left) in [
            // An owner that is stated behind the record ends what it handed on.
            (
                "m 60 A 192.0.2.2\n$INCLUDE part\n",
                "m 60 A 192.0.2.2\n$INCLUDE part\n",
                "_25._tcp.m 60 TLSA 3 1 1 aa ;-\nx 60 A 192.0.2.1\n  60 TXT x\n",
                "x 60 A 192.0.2.1\n  60 TXT x\n",
            ),
            // One that is given ends it too.
            (
                "m 60 A 192.0.2.2\n$INCLUDE part\n",
                "m 60 A 192.0.2.2\n$INCLUDE part\n",
                "_25._tcp.m 60 TLSA 3 1 1 aa ;-\n 60 TXT x\n 60 TXT y\n",
                "_25._tcp.m 60 TXT x\n 60 TXT y\n",
            ),
            // The same name from outside does not do for a line that had it from its own file.
            (
                "_25._tcp.m 60 TXT m\n$INCLUDE part\n",
                "_25._tcp.m 60 TXT m\n$INCLUDE part\n",
                "_25._tcp.m 60 TLSA 3 1 1 aa ;-\n 60 TXT x\n",
                "_25._tcp.m 60 TXT x\n",
            ),
            // Nor from before an included file.
            (
                "_25._tcp.m 60 TXT m\n$INCLUDE part\n_25._tcp.m 60 TLSA 3 1 1 aa ;-\n 60 TXT x\n",
                "_25._tcp.m 60 TXT m\n$INCLUDE part\n_25._tcp.m 60 TXT x\n",
                "x 60 A 192.0.2.1\n",
                "x 60 A 192.0.2.1\n",
            ),
            // But it does for one that had it from there before.
            (
                "_25._tcp.m 60 TXT m\n$INCLUDE part\n 60 TLSA 3 1 1 aa ;-\n 60 TXT x\n",
                "_25._tcp.m 60 TXT m\n$INCLUDE part\n 60 TXT x\n",
                "x 60 A 192.0.2.1\n",
                "x 60 A 192.0.2.1\n",
            ),
        ] {
            let (main, included, _) = without_marked(lines, part);
            assert_eq!((main.as_str(), included.as_str()), (left, part_left));
        }
    }

    #[test]
    fn the_ttl_that_a_record_takes_along_is_given_where_another_may_be_in_force() {
        for (lines, left) in [
            // BIND may have another TTL from the records before, if they are of another owner.
            (
                format!("m 60 A 192.0.2.2\n{GONE} TXT x\n"),
                "m 60 A 192.0.2.2\n_25._tcp.m 60 TXT x\n",
            ),
            (
                format!("_25._tcp.m 60 TXT m\n{GONE}x TXT x\n"),
                "_25._tcp.m 60 TXT m\nx TXT x\n",
            ),
            (
                format!("_25._tcp.m 70 TXT m\n{GONE}x TXT x\n"),
                "_25._tcp.m 70 TXT m\nx 60 TXT x\n",
            ),
            (
                format!("m 60 A 192.0.2.2\n{GONE}x 70 TXT x\n"),
                "m 60 A 192.0.2.2\nx 70 TXT x\n",
            ),
            (
                format!("m 70 A 192.0.2.2\n{GONE}$GENERATE 1-2 h$ A 192.0.2.$\nx TXT x\n"),
                "m 70 A 192.0.2.2\n$GENERATE 1-2 h$ 60 A 192.0.2.$\nx TXT x\n",
            ),
            (
                format!("m 70 A 192.0.2.2\n{GONE}$GENERATE 1-2 h$ 80 A 192.0.2.$\nx TXT x\n"),
                "m 70 A 192.0.2.2\n$GENERATE 1-2 h$ 80 A 192.0.2.$\nx TXT x\n",
            ),
            (
                format!("$TTL 70\nm A 192.0.2.2\n{GONE}x TXT x\n"),
                "$TTL 70\nm A 192.0.2.2\nx TXT x\n",
            ),
        ] {
            assert_eq!(without_marked(&lines, "").0, left);
        }
    }

    #[test]
    fn a_blank_line_that_no_owner_precedes_any_more_is_told() {
        let main = "m 60 A 192.0.2.2\n$INCLUDE part\n";
        for (lines, part, first) in [
            (main, format!("{GONE} ; x\n"), Some("part:2:1")),
            (main, format!("{GONE}\t; x\n \n"), Some("part:2:1")),
            (main, format!("{GONE}; x\n\n"), None),
            (main, format!("{GONE}x 60 TXT x\n ; x\n"), None),
            (main, format!("{GONE} 60 TXT x\n ; x\n"), None),
            (main, format!("x 60 TXT x\n{GONE} ; x\n"), None),
            (main, format!(" 60 TXT x\n ; x\n{GONE}"), None),
            (&format!("m 60 TXT x\n{GONE} ; x\n"), String::new(), None),
        ] {
            assert_eq!(
                without_marked(lines, &part).2.as_deref(),
                first,
                "{lines}{part}"
            );
        }
    }

    #[test]
    fn whose_owner_a_line_inherits_is_told_by_where_it_stands() {
        let name = Name::from_user("m").unwrap();
        let inherits = |outside, across| Inherits {
            name: Some(name.clone()),
            outside,
            across,
        };
        for outside in [false, true] {
            for across in [false, true] {
                let before = inherits(outside, across);
                let kept = before.behind(name.clone(), false);
                assert_eq!((kept.outside, kept.across), (outside, across));
                let stated = before.behind(name.clone(), true);
                assert_eq!((stated.outside, stated.across), (false, false));
                assert_eq!(before.is_from_elsewhere(), outside);
                assert_eq!(
                    before.does_for(&inherits(false, false)),
                    !outside && !across
                );
                assert!(before.does_for(&before) && stated.does_for(&before));
                assert!(!before.does_for(&Inherits::default()));
            }
        }
        assert!(Inherits::default().is_from_elsewhere());
    }

    #[test]
    fn what_follows_is_read_only_until_all_inherit_what_they_did() {
        /// Fails behind some octets of the main file.
        struct Short(Texts, u64);
        impl Library for Short {
            fn read_at(&self, file: usize, offset: u64, to: &mut [u8]) -> std::io::Result<usize> {
                if offset >= self.1 {
                    return Err(std::io::ErrorKind::Other.into());
                }
                self.0.read_at(file, offset, to)
            }
            fn include(&self, path: &[u8]) -> std::io::Result<usize> {
                self.0.include(path)
            }
            fn label(&self, file: usize) -> String {
                self.0.label(file)
            }
        }
        let long = "x 60 TXT x\n".repeat(1 << 17);
        let library = zone(&format!("{GONE}{long}"), "");
        let origin = Name::from_user("example.com").unwrap();
        let host = Name::from_user("m.example.com").unwrap();
        let targets = Target::combine(&[host], &["25".parse().unwrap()]);
        let found = index::read(&library, Some(origin), &targets).unwrap();
        let gone = [found.targets[0].tlsa[0].0.clone()];
        let removal = take_out(&Short(library, 1 << 20), &gone).unwrap();
        assert_eq!(removal.splices.len(), 1);
    }
}
