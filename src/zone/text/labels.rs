//! Names that are looked for, in little room: their first labels, for in a large
//! zone nearly every owner begins with another and no name has to be made of it to
//! know that; and their hashes. Both only say what is not there beyond doubt.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use crate::name::Name;

/// A set of names, kept as hashes whose seed nobody knows: that it takes a name for
/// another that is in it does not happen in practice, and has to do no harm.
#[derive(Debug, Default)]
pub(crate) struct Names {
    seed: RandomState,
    hashes: HashSet<u64>,
}

impl Names {
    /// Takes a name in; `false` when it was there.
    pub(crate) fn insert(&mut self, name: &Name) -> bool {
        self.hashes.insert(self.seed.hash_one(name))
    }

    /// Whether there is no name.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether the name may be there.
    pub(crate) fn contains(&self, name: &Name) -> bool {
        !self.is_empty() && self.hashes.contains(&self.seed.hash_one(name))
    }
}

/// A set of labels that may take one for another that is in it, never the other way round.
#[derive(Debug)]
pub(crate) struct Labels {
    /// A bit for each hash.
    bits: Vec<u64>,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            bits: vec![0; 1 << 10],
        }
    }
}

impl Labels {
    /// Takes a label in, whatever the case of its letters.
    pub(crate) fn insert(&mut self, label: &[u8]) {
        let bit = bit_of(label);
        self.bits[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether a name, as written, may begin with one of the labels.
    pub(crate) fn may_begin(&self, name: &[u8]) -> bool {
        // The origin, the root and what has escapes say too little.
        if matches!(name, b"@" | b".") || name.contains(&b'\\') {
            return true;
        }
        let end = memchr::memchr(b'.', name).unwrap_or(name.len());
        let bit = bit_of(&name[..end]);
        self.bits[bit / 64] & (1 << (bit % 64)) != 0
    }
}

/// Which bit stands for a label.
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

    #[test]
    fn a_name_begins_with_a_label_however_it_is_written() {
        let mut labels = Labels::default();
        labels.insert(b"mail");
        for (name, may) in [
            ("mail", true),
            ("MAIL.example.com.", true),
            ("mai.l", false),
            ("www.mail", false),
            ("@", true),
            (".", true),
            ("\\109ail", true),
        ] {
            assert_eq!(labels.may_begin(name.as_bytes()), may, "{name}");
        }
    }
}
