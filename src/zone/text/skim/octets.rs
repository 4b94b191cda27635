//! How far a word goes, sixteen octets at a time: what is asked of one octet is
//! asked of all without branches, so that the compiler takes them at once.
//!
//! Where fewer than that are left of a text, nothing is said.

/// Octets of a name without escapes and without empty labels but the last, 64
/// when there are that many or more. A dot in front is not looked at.
#[inline]
pub(super) fn name(text: &[u8], at: usize) -> Option<usize> {
    // With fixed bounds, so that none is checked on the way.
    let ahead: &[u8; 65] = text.get(at..)?.first_chunk()?;
    for start in [0, 16, 32, 48] {
        let mut others = [0; 16];
        for at in 0..16 {
            let octet = ahead[start + at];
            let letter = (octet | 0x20).wrapping_sub(b'a') < 26;
            // - . / and the digits follow each other.
            let digit = octet.wrapping_sub(b'-') < 13;
            let empty_label = (octet == b'.') & (ahead[start + at + 1] == b'.');
            others[at] = spread(!(letter | digit | (octet == b'_')) | empty_label);
        }
        let found = first(others);
        if found < 16 {
            return Some(start + found);
        }
    }
    Some(64)
}

/// Hex digits.
#[inline(never)]
pub(super) fn hex(text: &[u8], at: usize) -> Option<usize> {
    count(text, at, |octet| {
        (octet.wrapping_sub(b'0') < 10) | ((octet | 0x20).wrapping_sub(b'a') < 6)
    })
}

/// Base64 digits, without the `=` behind them.
#[inline(never)]
pub(super) fn base64(text: &[u8], at: usize) -> Option<usize> {
    count(text, at, |octet| {
        let letter = (octet | 0x20).wrapping_sub(b'a') < 26;
        // / and the digits follow each other.
        letter | (octet.wrapping_sub(b'/') < 11) | (octet == b'+')
    })
}

/// What stands in a quoted string for itself: all of ASCII that is printed, but `"` and `\`.
#[inline(never)]
pub(super) fn quotable(text: &[u8], at: usize) -> Option<usize> {
    count(text, at, |octet| {
        (octet.wrapping_sub(b' ') < 95) & (octet != b'"') & (octet != b'\\')
    })
}

/// Spaces and tabs.
#[inline]
pub(super) fn blanks(text: &[u8], at: usize) -> Option<usize> {
    let [first, second] = text.get(at..)?.first_chunk()?;
    match (is_blank(*first), is_blank(*second)) {
        (false, _) => Some(0),
        (true, false) => Some(1),
        (true, true) => many_blanks(text, at),
    }
}

#[inline(never)]
fn many_blanks(text: &[u8], at: usize) -> Option<usize> {
    count(text, at, is_blank)
}

#[inline]
fn is_blank(octet: u8) -> bool {
    (octet == b' ') | (octet == b'\t')
}

/// How many of sixteen octets come before the first blank.
#[inline]
pub(super) fn unblank(octets: &[u8; 16]) -> usize {
    let both = u128::from_le_bytes(*octets);
    match (first_blank(both as u64), first_blank((both >> 64) as u64)) {
        (8, high) => 8 + high,
        (low, _) => low,
    }
}

/// The first of eight octets, lowest first, that is a blank; 8 when none is.
#[inline]
fn first_blank(octets: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The lowest bit that this leaves is that of the first octet which is zero.
    let zeros = |octets: u64| octets.wrapping_sub(ONES) & !octets & (ONES << 7);
    let found = zeros(octets ^ (ONES * 0x20)) | zeros(octets ^ (ONES * 0x09));
    found.trailing_zeros() as usize / 8
}

/// Is to be inlined into functions of their own, where the compiler sees sixteen octets and nothing else.
#[inline(always)]
fn count(text: &[u8], at: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let mut len = 0;
    for sixteen in text.get(at..)?.as_chunks::<16>().0 {
        let mut others = [0; 16];
        for at in 0..16 {
            others[at] = spread(!is(sixteen[at]));
        }
        let found = first(others);
        len += found;
        if found < 16 {
            return Some(len);
        }
    }
    None
}

/// All bits of an octet, or none.
#[inline]
fn spread(is: bool) -> u8 {
    u8::from(is).wrapping_neg()
}

/// The first of sixteen octets that is not zero; 16 when all are.
#[inline]
fn first(octets: [u8; 16]) -> usize {
    u128::from_le_bytes(octets).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is counted of a text that has one octet at one place among those of the class.
    fn counted(
        count: fn(&[u8], usize) -> Option<usize>,
        member: u8,
        octet: u8,
        place: usize,
    ) -> Option<usize> {
        let mut text = [member; 128];
        text[1 + place] = octet;
        text[40..].fill(b'\n');
        count(&text, 1)
    }

    #[test]
    fn every_octet_is_told_wherever_it_stands() {
        let in_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-./_".contains(&octet);
        let in_base64 = |octet: u8| octet.is_ascii_alphanumeric() || b"+/".contains(&octet);
        for octet in 0..=255u8 {
            for place in 0..39 {
                for (count, is, class) in [
                    (
                        name as fn(&[u8], usize) -> Option<usize>,
                        in_name(octet),
                        "name",
                    ),
                    (hex, octet.is_ascii_hexdigit(), "hex"),
                    (base64, in_base64(octet), "base64"),
                    (
                        quotable,
                        (b' '..=b'~').contains(&octet) && octet != b'"' && octet != b'\\',
                        "quotable",
                    ),
                ] {
                    let expected = Some(if is { 39 } else { place });
                    assert_eq!(
                        counted(count, b'a', octet, place),
                        expected,
                        "{octet:#x} at {place}: {class}"
                    );
                }
                let blank = octet == b' ' || octet == b'\t';
                let mut word = [b'a'; 16];
                word[place % 16] = octet;
                assert_eq!(
                    unblank(&word),
                    if blank { place % 16 } else { 16 },
                    "{octet:#x}"
                );
            }
        }
    }

    #[test]
    fn an_empty_label_ends_a_name() {
        for (text, len) in [
            ("a.b c", 3),
            ("a.b. c", 4),
            ("a..b", 1),
            ("a.. ", 1),
            ("0123456789abcde..", 15),
            ("", 0),
        ] {
            assert_eq!(
                name(format!("{text}{}", "\n".repeat(65)).as_bytes(), 0),
                Some(len),
                "{text:?}"
            );
        }
    }

    #[test]
    fn nothing_is_said_of_the_last_octets_of_a_text() {
        for len in 0..64 {
            let text = vec![b'a'; len];
            assert_eq!(
                [name, hex, base64, quotable].map(|count| count(&text, 0)),
                [None; 4],
                "{len}"
            );
        }
        assert_eq!(hex(b"a", 9), None);
        assert_eq!(name(&[b'a'; 65], 0), Some(64));
    }
}
