//! Keys that the user names, compared with the zone's records: which record is
//! which key's, which key has none, which lacks one of a set's parameters. What
//! cannot be compared is said to be so; nothing is concluded from it.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::keys::{self, KeyFile};
use crate::lint::finding::{Finding, Remark, Severity};
use crate::lint::record::Record;
use crate::tlsa::{Params, Selector, Tlsa};
use crate::zone::text::reader::Place;

/// One key of the given files.
struct Key<'k> {
    /// What to call it: its file, with the line where the file has several keys.
    label: String,
    place: Place,
    file: &'k KeyFile,
    spki: &'k [u8],
    /// The records that it has with given parameters; `None` when the files do not say.
    made: RefCell<HashMap<Params, Option<Vec<Tlsa>>>>,
}

/// The keys of the given files.
pub(super) struct Keys<'k> {
    keys: Vec<Key<'k>>,
    files: &'k [KeyFile],
}

impl<'k> Keys<'k> {
    /// Takes the files apart into keys: certificates of issuers are none.
    pub(super) fn of(files: &'k [KeyFile]) -> Self {
        let mut keys: Vec<Key<'k>> = Vec::new();
        for file in files {
            let full = Params {
                matching: crate::tlsa::Matching::FULL,
                ..Params::default()
            };
            // The leaves, as `tlsa` would take them; a file that it refuses is one key per block.
            let leaves = keys::records(std::slice::from_ref(file), full).ok();
            let is_leaf = |spki: &[u8]| {
                leaves
                    .as_ref()
                    .is_none_or(|leaves| leaves.iter().any(|leaf| leaf.data == spki))
            };
            let several = leaves.as_ref().is_some_and(|leaves| leaves.len() > 1);
            for item in file.items.iter().filter(|item| is_leaf(&item.spki)) {
                if keys
                    .iter()
                    .any(|key| key.spki == item.spki && std::ptr::eq(key.file, file))
                {
                    continue;
                }
                let label = if several {
                    file.place(item)
                } else {
                    file.name.clone()
                };
                let line = item.line.map_or(1, |line| line as u64);
                let place = Place {
                    file: file.name.clone(),
                    line,
                    column: 1,
                };
                keys.push(Key {
                    label,
                    place,
                    file,
                    spki: &item.spki,
                    made: RefCell::default(),
                });
            }
        }
        Self { keys, files }
    }

    /// The keys that a record matches.
    pub(super) fn matches(&self, record: &Tlsa) -> Vec<String> {
        self.keys
            .iter()
            .filter(|key| self.is_of(key, record) == Some(true))
            .map(|key| key.label.clone())
            .collect()
    }

    /// Whether a record is this key's; `None` when that cannot be told.
    fn is_of(&self, key: &Key<'_>, record: &Tlsa) -> Option<bool> {
        let Params {
            usage,
            selector,
            matching,
        } = record.params;
        if usage.0 > 3 || selector.0 > 1 || matching.0 > 2 {
            return Some(false);
        }
        let mut made = key.made.borrow_mut();
        let records = made
            .entry(record.params)
            .or_insert_with(|| self.make(key, record.params));
        records.as_ref().map(|records| records.contains(record))
    }

    fn make(&self, key: &Key<'_>, params: Params) -> Option<Vec<Tlsa>> {
        if params.usage.names_an_authority() {
            return keys::records(std::slice::from_ref(key.file), params).ok();
        }
        match params.selector {
            Selector::SPKI => Tlsa::of(key.spki, params).ok().map(|record| vec![record]),
            Selector::CERT => {
                let items = self
                    .files
                    .iter()
                    .flat_map(|file| &file.items)
                    .filter(|item| item.spki == key.spki);
                let records =
                    items.filter_map(|item| Tlsa::of(&item.certificate()?.der, params).ok());
                Some(records.collect::<Vec<_>>()).filter(|records| !records.is_empty())
            }
            _ => None,
        }
    }

    /// Keys that no record of the zone matches; where some records could not be
    /// compared, only that is said.
    pub(super) fn without_record(&self, records: &[Record]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for key in &self.keys {
            let answers: Vec<Option<bool>> = records
                .iter()
                .map(|record| self.is_of(key, &record.tlsa))
                .collect();
            if answers.contains(&Some(true)) {
                continue;
            }
            let unknown = answers.iter().filter(|answer| answer.is_none()).count();
            let (code, severity, hint) = match unknown {
                0 => (
                    "key-without-record",
                    Severity::Warning,
                    "add its records with danewright patch",
                ),
                _ => (
                    "key-not-compared",
                    Severity::Note,
                    "give the certificate with its whole chain",
                ),
            };
            let left = format!("; {unknown} of them could not be compared");
            let message = format!(
                "no TLSA record of the zone is seen to be that of the key in {}{}",
                key.label,
                if unknown == 0 { "" } else { &left }
            );
            findings.push(Remark::new(code, severity, message, hint).at(key.place.clone(), None));
        }
        findings
    }

    /// Keys that have a record in a set, and none with other parameters of the
    /// set that could name them as well (RFC 7671 section 8), each with the
    /// index of a record with those parameters.
    pub(super) fn unequal(&self, set: &[&Record]) -> Vec<(usize, Remark)> {
        let mut params: Vec<(usize, Params)> = Vec::new();
        for (at, record) in set.iter().enumerate() {
            if !params.iter().any(|(_, known)| *known == record.tlsa.params) {
                params.push((at, record.tlsa.params));
            }
        }
        let mut remarks = Vec::new();
        for key in &self.keys {
            // By parameters: has a record, has none, cannot be told.
            let has = |wanted: Params| {
                let with = set.iter().filter(|record| record.tlsa.params == wanted);
                with.map(|record| self.is_of(key, &record.tlsa))
                    .reduce(|one, other| match (one, other) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    })
            };
            for (at, lacking) in params
                .iter()
                .filter(|(_, params)| has(*params) == Some(Some(false)))
            {
                let kin = |other: &&(usize, Params)| {
                    other.1.usage.names_an_authority() == lacking.usage.names_an_authority()
                        && has(other.1) == Some(Some(true))
                };
                if let Some((_, present)) = params.iter().find(kin) {
                    let message = format!(
                        "the key in {} has a record with {present} here and none with {lacking}",
                        key.label
                    );
                    let hint = "add the missing record with danewright patch (RFC 7671 section 8)";
                    remarks.push((
                        *at,
                        Remark::new("unequal-parameter-sets", Severity::Warning, message, hint),
                    ));
                }
            }
        }
        remarks
    }
}
