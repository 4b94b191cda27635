//! Serials of zones, which go round in a circle (RFC 1982 section 3).

use std::cmp::Ordering;

/// How two serials stand to each other (RFC 1982 section 3.2); half the circle apart, the
/// order is not defined.
#[must_use]
pub fn compare(a: u32, b: u32) -> Option<Ordering> {
    match b.wrapping_sub(a) {
        0 => Some(Ordering::Equal),
        0x8000_0000 => None,
        1..0x8000_0000 => Some(Ordering::Less),
        _ => Some(Ordering::Greater),
    }
}

/// Whether `a` follows `b`, so that a server that has `b` takes `a` for the newer one.
#[must_use]
pub fn follows(a: u32, b: u32) -> bool {
    compare(a, b) == Some(Ordering::Greater)
}

/// The digits of `serial` in the width of the present ones, zeros in front.
#[must_use]
pub fn digits(serial: u32, present: &str) -> String {
    // Only a present zero in front asks for one.
    let width = if present.starts_with('0') && present.len() <= 10 {
        present.len()
    } else {
        1
    };
    format!("{serial:0width$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_go_round_in_a_circle() {
        for (a, b, order) in [
            (7, 7, Some(Ordering::Equal)),
            (8, 7, Some(Ordering::Greater)),
            (7, 8, Some(Ordering::Less)),
            (0, u32::MAX, Some(Ordering::Greater)),
            (u32::MAX, 0, Some(Ordering::Less)),
            (0x8000_0006, 7, Some(Ordering::Greater)),
            (0x8000_0007, 7, None),
            (7, 0x8000_0007, None),
            (0x8000_0008, 7, Some(Ordering::Less)),
        ] {
            assert_eq!(compare(a, b), order, "{a} and {b}");
            assert_eq!(
                follows(a, b),
                order == Some(Ordering::Greater),
                "{a} and {b}"
            );
        }
    }
    #[test]
    fn leading_zeros_stay() {
        assert_eq!(digits(43, "0000000042"), "0000000043");
        assert_eq!(digits(10, "9"), "10");
        assert_eq!(digits(100, "099"), "100");
    }
}
