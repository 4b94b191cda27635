//! Addresses as inet_pton(3) reads them, which every server uses: four decimal
//! numbers without leading zeros, and the text forms of RFC 4291 section 2.2;
//! address prefixes (RFC 3123), locators (RFC 6742) and EUIs (RFC 7043).

/// Whether a word is an IPv4 address.
pub(in crate::zone) fn ipv4(word: &[u8]) -> bool {
    let (mut dots, mut value, mut digits) = (0, 0u32, 0);
    for &octet in word {
        match octet {
            b'0'..=b'9' if digits > 0 && value == 0 => return false,
            b'0'..=b'9' => {
                (value, digits) = (value * 10 + u32::from(octet - b'0'), digits + 1);
                if value > 255 {
                    return false;
                }
            }
            b'.' if digits > 0 && dots < 3 => (dots, value, digits) = (dots + 1, 0, 0),
            _ => return false,
        }
    }
    dots == 3 && digits > 0
}

/// Whether a word is an IPv6 address.
pub(in crate::zone) fn ipv6(word: &[u8]) -> bool {
    let mut gap = word.starts_with(b"::");
    let mut rest = if gap {
        word.get(2..).unwrap_or(&[])
    } else {
        word
    };
    let mut groups = 0;
    if rest.is_empty() {
        return gap;
    }
    loop {
        let digits = rest
            .iter()
            .take_while(|octet| octet.is_ascii_hexdigit())
            .count();
        if !(1..=4).contains(&digits) {
            return false;
        }
        match rest.get(digits) {
            None => {
                groups += 1;
                break;
            }
            Some(b'.') => {
                groups += 2;
                if !ipv4(rest) {
                    return false;
                }
                break;
            }
            Some(b':') => groups += 1,
            Some(_) => return false,
        }
        rest = rest.get(digits + 1..).unwrap_or(&[]);
        if let Some(after) = rest.strip_prefix(b":") {
            if gap {
                return false;
            }
            (gap, rest) = (true, after);
            if rest.is_empty() {
                break;
            }
        }
    }
    if gap { groups <= 7 } else { groups == 8 }
}

/// Whether a word is an item of an APL: `!1:192.0.2.0/24`.
pub(super) fn prefix(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"!").unwrap_or(word);
    let (address, most): (fn(&[u8]) -> bool, u32) = match word {
        [b'1', b':', ..] => (ipv4, 32),
        [b'2', b':', ..] => (ipv6, 128),
        _ => return false,
    };
    let Some(slash) = memchr::memchr(b'/', word) else {
        return false;
    };
    let bits = word.get(slash + 1..).unwrap_or(&[]);
    // NSD takes an absent number for 0.
    let bits = if bits.is_empty() {
        Some(0)
    } else {
        std::str::from_utf8(bits).ok().and_then(|n| n.parse().ok())
    };
    bits.is_some_and(|bits: u32| bits <= most) && word.get(2..slash).is_some_and(address)
}

/// Whether a word is four groups of hex digits, as in `0014:4fff:ff20:ee64`.
pub(super) fn locator(word: &[u8]) -> bool {
    let groups: Vec<&[u8]> = word.split(|octet| *octet == b':').collect();
    groups.len() == 4 && groups.iter().all(|group| hex_group(group, 4))
}

/// Whether a word is an NSAP address: `0x47.0005.80` (RFC 1706 section 5).
pub(super) fn nsap(word: &[u8]) -> bool {
    let Some((b"0x" | b"0X", digits)) = word.split_at_checked(2) else {
        return false;
    };
    let count = digits
        .iter()
        .filter(|octet| octet.is_ascii_hexdigit())
        .count();
    // BIND wants digits behind 0x, NSD none at all or some.
    count.is_multiple_of(2)
        && (count > 0 || digits.is_empty())
        && digits
            .iter()
            .all(|octet| octet.is_ascii_hexdigit() || *octet == b'.')
}

/// Whether a word begins with so many groups of hex digits, as in
/// `00-00-5e-00-53-2a`. BIND does not look at what follows them.
pub(super) fn eui(word: &[u8], octets: usize) -> bool {
    let mut groups = word.splitn(octets, |octet| *octet == b'-');
    let whole = groups
        .by_ref()
        .take(octets - 1)
        .filter(|group| hex_group(group, 2))
        .count();
    whole == octets - 1
        && groups
            .next()
            .and_then(<[u8]>::first)
            .is_some_and(u8::is_ascii_hexdigit)
}

fn hex_group(group: &[u8], most: usize) -> bool {
    (1..=most).contains(&group.len()) && group.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_as_servers_read_them() {
        for (word, right) in [
            ("192.0.2.1", true),
            ("0.0.0.0", true),
            ("192.0.2.300", false),
            ("192.0.2", false),
            ("192.0.2.1.5", false),
            ("192.0.2.01", false),
            ("1.2.3.", false),
            (".1.2.3", false),
            ("1..2.3", false),
            ("", false),
            ("0xC0.0.2.1", false),
        ] {
            assert_eq!(ipv4(word.as_bytes()), right, "{word}");
        }
        for (word, right) in [
            ("::", true),
            ("::1", true),
            ("2001:DB8::1", true),
            ("1:2:3:4:5:6:7:8", true),
            ("1:2:3:4:5:6:7::", true),
            ("::1:2:3:4:5:6:7", true),
            ("::ffff:192.0.2.1", true),
            ("1:2:3:4:5:6:192.0.2.1", true),
            ("1:2:3:4:5:6:7:192.0.2.1", false),
            ("1::2:3:4:5:6:7:8", false),
            ("2001:db8::1::2", false),
            ("2001:db8:::1", false),
            ("2001:db8::12345", false),
            ("2001:db8::g", false),
            (":1:2:3:4:5:6:7", false),
            ("1:2:3:4:5:6:7:", false),
            ("::ffff:192.0.02.1", false),
            ("fe80::1%eth0", false),
            (":", false),
            ("", false),
        ] {
            assert_eq!(ipv6(word.as_bytes()), right, "{word}");
        }
    }

    #[test]
    fn prefixes_locators_and_euis_are_measured() {
        for (word, right) in [
            ("1:192.168.32.0/21", true),
            ("!2:ff00::/8", true),
            ("1:192.168.32.0/33", false),
            ("1:192.168.32.0", false),
            ("3:aa/1", false),
            ("!!1:1.2.3.4/5", false),
            ("2:ff00::/129", false),
        ] {
            assert_eq!(prefix(word.as_bytes()), right, "{word}");
        }
        assert!(
            locator(b"14:4fff:0:ee64")
                && !locator(b"0014:4fff:ff20")
                && !locator(b"00145:4fff:ff20:ee64")
        );
        assert!(
            eui(b"00-00-5e-00-53-2a", 6)
                && eui(b"00-00-5e-00-53-2", 6)
                && !eui(b"00-00-5e-00-53", 6)
        );
        assert!(nsap(b"0x47.0005.80") && !nsap(b"470005") && !nsap(b"0x4") && !nsap(b"0xg0"));
        assert!(!eui(b"00:00:5e:00:53:2a", 6) && !eui(b"", 6));
    }

    proptest! {
        #[test]
        fn the_standard_library_agrees(word in "[0-9a-f:.]{0,24}", four: [u8; 4], six: [u16; 8]) {
            prop_assert_eq!(ipv4(word.as_bytes()), word.parse::<Ipv4Addr>().is_ok(), "{}", word);
            prop_assert_eq!(ipv6(word.as_bytes()), word.parse::<Ipv6Addr>().is_ok(), "{}", word);
            prop_assert!(ipv4(Ipv4Addr::from(four).to_string().as_bytes()));
            prop_assert!(ipv6(Ipv6Addr::from(six).to_string().as_bytes()));
        }
    }
}
