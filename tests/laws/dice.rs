//! Decisions drawn from octets: the property tests and the fuzz targets bring
//! the octets, so that both can make an input smaller. Without octets left,
//! every decision is the plainest one.

/// Octets to decide by.
pub(crate) struct Dice<'b> {
    octets: &'b [u8],
}

impl<'b> Dice<'b> {
    /// Decides by these octets, from the front.
    pub(crate) fn new(octets: &'b [u8]) -> Self {
        Self { octets }
    }

    /// A number below `count`; 0 when the octets are used up.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.octets.split_first() else {
            return 0;
        };
        self.octets = rest;
        usize::from(*first) % count.max(1)
    }

    /// True once in so many times; never when the octets are used up.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) + 1 == count
    }

    /// One of these; the first when the octets are used up.
    pub(crate) fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }
}

#[allow(dead_code, reason = "the differential test draws by seed")]
/// Octets without a pattern, always the same for one seed (xorshift).
pub(crate) fn octets(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}
