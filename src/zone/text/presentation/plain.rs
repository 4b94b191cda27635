//! The data that most lines of a large zone have, an address or a name on one
//! line, told right without splitting it into words. Never says that something
//! is wrong: what is not plainly right goes to the full reading.

use super::address::{ipv4, ipv6};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{Fields, has_special};

/// Whether the data is right at first sight; `origin` is the length of the
/// name that completes relative ones.
pub(super) fn is_right(text: &[u8], fields: &Fields, origin: usize) -> bool {
    let word = text.get(fields.rtype.end..).unwrap_or(&[]).trim_ascii();
    match fields.code {
        1 => ipv4(word),
        28 => ipv6(word),
        code::NS | code::CNAME | code::DNAME | 12 => is_name(word, origin),
        15 => {
            let digits = word
                .iter()
                .take_while(|octet| octet.is_ascii_digit())
                .count();
            let (number, name) = word.split_at(digits);
            (1..5).contains(&number.len())
                && name
                    .first()
                    .is_some_and(|octet| *octet == b' ' || *octet == b'\t')
                && { is_name(name.trim_ascii_start(), origin) }
        }
        _ => false,
    }
}

/// Whether a word is a name without anything special in it.
fn is_name(word: &[u8], origin: usize) -> bool {
    let Some((first, rest)) = word.split_first() else {
        return false;
    };
    // No octet decides alone, so that the compiler takes many at once.
    let blank = word.iter().fold(0, |found, &octet| {
        found | u8::from((octet == b' ') | (octet == b'\t'))
    });
    let empty = word.iter().zip(rest).fold(0, |found, (&a, &b)| {
        found | u8::from((a == b'.') & (b == b'.'))
    });
    if (blank | empty) != 0 || has_special(word) || (*first == b'.' && !rest.is_empty()) {
        return false;
    }
    let completion = if matches!(word, b"@" | [.., b'.']) {
        0
    } else {
        origin
    };
    let long = word.len() > 63
        && word
            .split(|octet| *octet == b'.')
            .any(|label| label.len() > 63);
    !long && word.len() + 1 + completion <= 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_of_legal_length_are_right_at_once() {
        let (label, root) = ("a".repeat(63), 1);
        let three = [label.as_str(); 3].join(".");
        for (word, origin, right) in [
            ("ns", 13, true),
            ("ns.example.com.", 13, true),
            ("@", 13, true),
            (".", 13, true),
            ("", 13, false),
            ("..", 13, false),
            ("a..b", 13, false),
            (".a", 13, false),
            ("a b", 13, false),
            ("a\\.b", 13, false),
            ("\"a\"", 13, false),
            ("a;b", 13, false),
            (&format!("{label}a"), 13, false),
            (&three, 13, true),
            (&format!("{three}.{}.", &label[..61]), 13, true),
            (&format!("{three}.{}.", &label[..62]), 13, false),
            (&format!("{three}.{}", &label[..61]), root, true),
            (&format!("{three}.{}", &label[..62]), root, false),
            (&format!("{three}.{}", &label[..49]), 13, true),
            (&format!("{three}.{}", &label[..50]), 13, false),
        ] {
            assert_eq!(is_name(word.as_bytes(), origin), right, "{word}");
        }
    }
}
