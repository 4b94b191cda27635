//! Whether a removal brings records of one owner and type together that have
//! different TTLs. Time grows with the zone and with what goes, not with their product.

use std::collections::{BTreeMap, HashSet};

use crate::name::Name;
use crate::text::source::Library;
use crate::zone::edit::index::Found;
use crate::zone::text::labels::Labels;
use crate::zone::text::reader::{ReadError, ReadErrorKind, Reader};
use crate::zone::text::scan::Kind;
use crate::zone::text::skim::Plain;

/// An owner whose records of one type would follow each other with different
/// TTLs when these are gone: BIND takes the last TTL of those that stand apart,
/// and the first of those that follow each other. What goes is in reading order.
///
/// # Errors
///
/// When the zone cannot be read.
pub(crate) fn brought_together(
    library: &dyn Library,
    apex: &Name,
    gone: &[Found],
) -> Result<Option<Name>, ReadError> {
    let places: HashSet<(usize, u64)> = gone
        .iter()
        .map(|found| (found.file, found.offset))
        .collect();
    let gaps = Gaps::around(library, gone, &places)?;
    if !gaps.closed {
        return Ok(None);
    }
    // Rare: what stands above is known only from the top.
    let mut reader = Reader::new(library, Some(apex.clone()));
    let (mut owner, mut block, mut seen) = (None, 0u64, Seen::default());
    while reader.advance()? {
        let Some(entry) = reader.entry() else { break };
        let Kind::Record(fields) = entry.kind else {
            continue;
        };
        let now = reader.inherited();
        let own = now
            .owner_of(entry.text, fields)
            .map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
        if places.contains(&(entry.file, entry.offset)) {
            block += u64::from(!now.repeats_owner(entry.text, fields));
            continue;
        }
        if owner.as_ref() != Some(&own) {
            seen.0.clear();
        }
        let ttl = now.ttl_of(entry.text, fields);
        if seen.differs(
            fields.code,
            block,
            ttl,
            now.has_doubtful_ttl(entry.text, fields),
        ) {
            return Ok(Some(own));
        }
        owner = Some(own);
        let mut far = false;
        let skipped = reader.skip_plain(|text, plain| match plain {
            Plain::Blank(_) => true,
            Plain::Record(record) => {
                far = record
                    .owner
                    .map_or(far, |owner| !gaps.near.may_begin(owner.of(text)));
                far
            }
        })?;
        if skipped.records > 0 {
            owner = None;
        }
    }
    Ok(None)
}

/// The places from where records go.
struct Gaps {
    /// Whether, somewhere, the owner above is that of the next record that stays.
    closed: bool,
    /// The first labels of those that go and of the next ones that stay: only owners
    /// that stand there have records on both sides.
    near: Labels,
}

impl Gaps {
    fn around(
        library: &dyn Library,
        gone: &[Found],
        places: &HashSet<(usize, u64)>,
    ) -> Result<Self, ReadError> {
        let mut gaps = Self {
            closed: false,
            near: Labels::default(),
        };
        let mut at = 0;
        while let Some(first) = gone.get(at) {
            let mut reader = Reader::from(library, first.before.clone());
            let (mut above, mut passed) = (HashSet::new(), 0);
            while reader.advance()? {
                let Some(entry) = reader.entry() else { break };
                let Kind::Record(fields) = entry.kind else {
                    continue;
                };
                let now = reader.inherited();
                let own = now.owner_of(entry.text, fields).ok();
                let label = own.as_ref().and_then(|own| own.labels().next());
                gaps.near.insert(label.unwrap_or(&[]));
                if !places.contains(&(entry.file, entry.offset)) {
                    gaps.closed |= own.is_some_and(|own| above.contains(&own));
                    break;
                }
                passed += 1;
                // Other letters are enough for BIND to take them for lines that stand apart.
                if !now.repeats_owner(entry.text, fields) {
                    above.extend(now.inherited_owner().ok());
                }
            }
            // A record that cannot be found again is a file that changed under us; the proof says so.
            at += passed.max(1);
        }
        Ok(gaps)
    }
}

/// The records of one owner so far, by type.
#[derive(Default)]
struct Seen(BTreeMap<u16, OfType>);

/// What matters of an owner's records of one type.
struct OfType {
    /// The last block that has one.
    block: u64,
    /// Its TTLs, and those of all blocks before; none where there is no such block.
    here: Ttls,
    before: Ttls,
}

/// Up to two different TTLs: more say no more.
#[derive(Default)]
struct Ttls(Vec<Option<u32>>);

impl Ttls {
    fn push(&mut self, ttl: Option<u32>) {
        if self.0.len() < 2 && !self.0.contains(&ttl) {
            self.0.push(ttl);
        }
    }

    fn differ(&self, ttl: Option<u32>, doubtful: bool) -> bool {
        self.0.iter().any(|other| doubtful || *other != ttl)
    }
}

impl Seen {
    /// Notes a record; says whether one of its type stands in an earlier block and has, or may have, another TTL.
    fn differs(&mut self, code: u16, block: u64, ttl: Option<u32>, doubtful: bool) -> bool {
        let fresh = || OfType {
            block,
            here: Ttls::default(),
            before: Ttls::default(),
        };
        let known = self.0.entry(code).or_insert_with(fresh);
        if known.block != block {
            known.block = block;
            for ttl in std::mem::take(&mut known.here).0 {
                known.before.push(ttl);
            }
        }
        known.here.push(ttl);
        known.before.differ(ttl, doubtful)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same said of all records, each looked at.
    fn plainly(records: &[(u16, u64, Option<u32>, bool)]) -> bool {
        let Some(((code, block, ttl, doubtful), before)) = records.split_last() else {
            return false;
        };
        before.iter().any(|(other, there, old, _)| {
            other == code && there != block && (*doubtful || old != ttl)
        })
    }

    #[test]
    fn what_is_kept_of_an_owner_says_the_same_as_all_its_records_and_does_not_grow_with_them() {
        // Every sequence of four records of two types, three TTLs, with blocks that end or go on.
        let choices = |number: u32| {
            let (code, rest) = (number % 2, number / 2);
            (
                u16::try_from(code).unwrap(),
                rest % 2,
                [None, Some(60), Some(61)][rest as usize / 2 % 3],
            )
        };
        let mut said = [0, 0];
        for case in 0..12_u32.pow(4) * 2 {
            let (mut seen, mut all, mut block) = (Seen::default(), Vec::new(), 0);
            for at in 0..4 {
                let (code, ends, ttl) = choices(case / 2 / 12_u32.pow(at) % 12);
                block += u64::from(ends);
                let doubtful = case % 2 == 1;
                all.push((code, block, ttl, doubtful));
                let differs = seen.differs(code, block, ttl, doubtful);
                assert_eq!(differs, plainly(&all), "{all:?}");
                said[usize::from(differs)] += 1;
            }
        }
        assert!(said.iter().all(|times| *times > 1000), "{said:?}");
        let mut seen = Seen::default();
        for at in 0..5000 {
            seen.differs(52, u64::from(at / 3), Some(at), false);
        }
        let kept: usize = seen
            .0
            .values()
            .map(|known| known.here.0.len() + known.before.0.len())
            .sum();
        assert_eq!((seen.0.len(), kept), (1, 4));
    }
}
