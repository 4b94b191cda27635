//! Which octets of a text are blanks, and which are none that a plain name,
//! number or mnemonic is made of: one bit each, 64 octets at a time, so that a
//! word's end is found without looking at its octets one by one.
//!
//! A dot that stands where a label would be empty counts as odd too.

/// The marks of one text.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// For each 64 octets: blanks, odd octets.
    blocks: Vec<[u64; 2]>,
}

/// The marks of 64 octets from some offset on; the lowest bit is the first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Spaces and tabs.
    pub(crate) blank: u64,
    /// Line ends, and whatever is not `A-Z a-z 0-9 - . / _` or a blank.
    pub(crate) odd: u64,
}

impl Marks {
    /// Marks a text, in the place of the one before.
    pub(crate) fn set(&mut self, text: &[u8]) {
        self.blocks.clear();
        self.blocks.reserve(text.len() / 64 + 3);
        // A line begins where the text does, and a dot there is odd.
        let mut ended = 1;
        let (whole, rest) = text.as_chunks::<64>();
        for block in whole {
            self.blocks.push(mark(block, &mut ended));
        }
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        self.blocks.push(mark(&last, &mut ended));
        // So that a stretch may begin anywhere in the text.
        self.blocks.extend([[0, u64::MAX]; 2]);
    }

    /// The marks from an offset on; odd behind the text.
    #[inline]
    pub(crate) fn at(&self, offset: usize) -> Stretch {
        let (block, bit) = (offset / 64, offset % 64);
        let Some([low, high]) = self.blocks.get(block..).and_then(|rest| rest.first_chunk::<2>()) else {
            return Stretch { blank: 0, odd: u64::MAX };
        };
        // In two steps: a shift by 64 has no meaning.
        let join = |low: u64, high: u64| (low >> bit) | ((high << 1) << (63 - bit));
        Stretch { blank: join(low[0], high[0]), odd: join(low[1], high[1]) }
    }
}

/// Marks 64 octets. The lowest bit of `ended` says that a word ended right before.
#[inline]
fn mark(block: &[u8; 64], ended: &mut u64) -> [u64; 2] {
    let Classes { blank, plain, dot } = classes(block);
    let odd = !(blank | plain);
    let ends = dot | blank | odd;
    let empty_label = dot & ((ends << 1) | *ended);
    *ended = ends >> 63;
    [blank, odd | empty_label]
}

/// One bit for each of 64 octets.
#[derive(Debug, PartialEq, Eq)]
struct Classes {
    blank: u64,
    plain: u64,
    dot: u64,
}

/// Sorts 64 octets. Without branches, so that the compiler can take many at once.
#[inline]
fn classes(block: &[u8; 64]) -> Classes {
    const BLANK: u8 = 1;
    const PLAIN: u8 = 2;
    const DOT: u8 = 4;
    let sorted = block.map(|octet| {
        let letter = (octet | 0x20).wrapping_sub(b'a') < 26;
        // - . / and the digits follow each other.
        let digit = octet.wrapping_sub(b'-') < 13;
        let blank = (octet == b' ') | (octet == b'\t');
        let plain = letter | digit | (octet == b'_');
        (u8::from(blank) * BLANK) | (u8::from(plain) * PLAIN) | (u8::from(octet == b'.') * DOT)
    });
    let mut classes = Classes { blank: 0, plain: 0, dot: 0 };
    for (at, eight) in sorted.as_chunks::<8>().0.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        classes.blank |= gather(eight) << (at * 8);
        classes.plain |= gather(eight / 2) << (at * 8);
        classes.dot |= gather(eight / 4) << (at * 8);
    }
    classes
}

/// The lowest bit of each of eight octets, side by side.
#[inline]
fn gather(eight: u64) -> u64 {
    // Each bit is moved to a place of its own in the highest octet of the product.
    (eight & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_is_sorted_wherever_it_stands() {
        for octet in 0..=255u8 {
            for at in 0..64 {
                let mut block = [0; 64];
                block[at] = octet;
                let bit = |is| u64::from(is) << at;
                let expected = Classes {
                    blank: bit(octet == b' ' || octet == b'\t'),
                    plain: bit(octet.is_ascii_alphanumeric() || b"-./_".contains(&octet)),
                    dot: bit(octet == b'.'),
                };
                assert_eq!(classes(&block), expected, "{octet:#x} at {at}");
            }
        }
    }

    #[test]
    fn a_dot_is_odd_where_a_label_would_be_empty() {
        let text = ["a.b", ".a", "b..c", "d.", "e f.", "\n.g"].join(" ");
        let padded = "x".repeat(62) + ".." + &text;
        let mut marks = Marks::default();
        for text in [text, padded] {
            marks.set(text.as_bytes());
            for (at, octet) in text.bytes().enumerate() {
                let before = at.checked_sub(1).map_or(b' ', |before| text.as_bytes()[before]);
                let odd = octet == b'\n' || octet == b'.' && b" .\n".contains(&before);
                assert_eq!(marks.at(at).odd & 1 == 1, odd, "octet {at} of {text:?}");
                assert_eq!(marks.at(at).blank & 1 == 1, octet == b' ', "octet {at} of {text:?}");
            }
            assert_eq!(marks.at(text.len()), Stretch { blank: 0, odd: u64::MAX });
            assert_eq!(marks.at(text.len() + 500), Stretch { blank: 0, odd: u64::MAX });
        }
    }
}
