//! TTLs as they stand in zone files: seconds, or numbers with the units
//! `w d h m s` (RFC 1035 allows seconds only; BIND, NSD and Knot take units).

/// The largest TTL (RFC 2181 section 8).
pub const LARGEST: u32 = 0x7fff_ffff;

/// Reads a TTL in seconds; `None` when the text is none. A bare number ends
/// the text or is the only part: NSD also takes `1h30`, BIND does not.
#[must_use]
pub fn parse(text: &[u8]) -> Option<u32> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let mut total: u64 = 0;
    let mut number: u64 = 0;
    let (mut digits, mut units) = (0, 0);
    for octet in text {
        let unit = match octet.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => {
                number = number * 10 + u64::from(digit - b'0');
                digits += 1;
                if number > u64::from(u32::MAX) {
                    return None;
                }
                continue;
            }
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        if digits == 0 {
            return None;
        }
        total = total.saturating_add(number * unit);
        (number, digits) = (0, 0);
        units += 1;
    }
    if digits > 0 && units > 0 {
        return None;
    }
    // RFC 2181 section 8 reads values with the top bit set as zero; servers warn and do that.
    u32::try_from(total.saturating_add(number))
        .ok()
        .map(|ttl| if ttl > LARGEST { 0 } else { ttl })
}

/// Whether a TTL has several units, as `1h30m`.
#[must_use]
pub fn is_compound(ttl: &[u8]) -> bool {
    ttl.first().is_some_and(u8::is_ascii_digit)
        && ttl
            .iter()
            .filter(|octet| octet.is_ascii_alphabetic())
            .count()
            > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_beyond_all_numbers_is_no_ttl() {
        assert_eq!(parse("4294967295w".repeat(9000).as_bytes()), None);
    }

    #[test]
    fn seconds_and_units_are_read_as_name_servers_do() {
        for (text, seconds) in [
            ("3600", Some(3600)),
            ("0", Some(0)),
            ("1h", Some(3600)),
            ("1H30M", Some(5400)),
            ("30m1h", Some(5400)),
            ("1w2d", Some(777_600)),
            ("2147483648", Some(0)),
            ("1h30", None),
            ("h", None),
            ("", None),
            ("-1", None),
            ("4294967296", None),
            ("99999999999w", None),
            ("1x", None),
            ("4294967295w4294967295w", None),
        ] {
            assert_eq!(parse(text.as_bytes()), seconds, "{text}");
        }
    }
}
