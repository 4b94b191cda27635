//! What an edit comes to: splices, the records they add and remove, the serial,
//! and the check that the splices mean just that.

use crate::finding::Finding;
use crate::name::Name;
use crate::text::splice::Splice;
use crate::tlsa::Tlsa;
use crate::zone::edit::proof::{Difference, Meaning};
use crate::zone::text::rdata;
use crate::zone::text::rtype::code;
use crate::zone::text::words::Span;

/// One record added or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its owner.
    pub owner: Name,
    /// Its TTL in seconds, as BIND reads it.
    pub ttl: Option<u32>,
    /// Its data.
    pub tlsa: Tlsa,
}

/// Splices in order, disjoint, and proven to mean what was asked.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub(crate) splices: Vec<(usize, Vec<Splice>)>,
    /// The records added.
    pub added: Vec<Edit>,
    /// The records removed.
    pub removed: Vec<Edit>,
    /// The serial before and after, when anything changed.
    pub serial: Option<(u32, u32)>,
    /// What is worth knowing about the zone or the edit.
    pub notes: Vec<Finding>,
}

impl Patch {
    /// Whether the zone is already as asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.splices.is_empty()
    }

    /// The splices of each file that changes, in order.
    #[must_use]
    pub fn splices(&self) -> &[(usize, Vec<Splice>)] {
        &self.splices
    }

    /// Whether what the edit did to the zone's meaning is what the patch says:
    /// the records added, the records removed, and the serial alone in the SOA.
    ///
    /// # Errors
    ///
    /// What it would have done besides.
    pub(crate) fn confirm(&self, mut difference: Difference) -> Result<(), String> {
        let edits = self
            .added
            .iter()
            .map(|edit| (edit, -1))
            .chain(self.removed.iter().map(|edit| (edit, 1)));
        for (edit, by) in edits {
            let meaning = Meaning {
                owner: Some(edit.owner.clone()),
                ttl: edit.ttl,
                code: code::TLSA,
                rdata: edit.tlsa.rdata(),
                origin: None,
            };
            *difference.entry(meaning).or_insert(0) += by;
        }
        let serials = self.serial.filter(|(old, new)| old != new);
        let mut rest = Difference::new();
        let mut bumped = false;
        for (meaning, count) in difference.into_iter().filter(|(_, count)| *count != 0) {
            // There may be several SOA records; the TTLs of equal ones may differ.
            let serial = serials.map(|(old, new)| if count < 0 { old } else { new });
            let alone = serial.and_then(|serial| without_serial(&meaning, serial));
            bumped |= alone.is_some();
            *rest.entry(alone.unwrap_or(meaning)).or_insert(0) += count;
        }
        rest.retain(|_, count| *count != 0);
        let proven = rest.is_empty() && bumped == serials.is_some();
        if proven {
            return Ok(());
        }
        let owners = rest
            .keys()
            .filter_map(|meaning| meaning.owner.as_ref())
            .map(Name::to_string);
        Err(format!(
            "the new text would also change what stands at {}",
            owners.collect::<Vec<_>>().join(", ")
        ))
    }
}

/// An SOA's meaning with this serial taken out; `None` when it has another.
fn without_serial(meaning: &Meaning, serial: u32) -> Option<Meaning> {
    let text = &meaning.rdata;
    let mut start = 0;
    let mut words: Vec<Span> = Vec::new();
    for end in memchr::memchr_iter(0, text) {
        words.push(Span { start, end });
        start = end + 1;
    }
    let soa = (meaning.code == code::SOA)
        .then(|| rdata::soa_in(text, &words, 0).ok())
        .flatten()?;
    let mut rdata = text.clone();
    for span in soa.digits.iter().rev() {
        rdata.drain(span.start..span.end);
    }
    (soa.serial == serial).then(|| Meaning {
        rdata,
        ..meaning.clone()
    })
}
