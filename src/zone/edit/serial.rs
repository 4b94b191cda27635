//! The serial's next value, in the style that the present one shows. Never
//! backwards in the arithmetic of RFC 1982, never an eleventh digit.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use crate::serial::follows;

/// How to find the next serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// In the style of the present value.
    Auto,
    /// One more.
    Increment,
    /// `YYYYMMDDnn`.
    Date,
    /// Seconds since 1970.
    UnixTime,
    /// As it is; for zones whose signer or server counts.
    Keep,
}

/// Why there is no next serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backwards {
    /// The value that the asked style gives.
    pub wanted: u32,
    /// The value that it would have to follow.
    pub present: u32,
}

impl fmt::Display for Backwards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "serial {} would be older than {} to the secondaries (RFC 1982)",
            self.wanted, self.present
        )
    }
}

impl std::error::Error for Backwards {}

/// The next serial after `present`, and after `above` where a primary already
/// serves that one.
///
/// # Errors
///
/// When the asked style gives a value that does not follow.
pub fn next(
    present: u32,
    above: Option<u32>,
    policy: Policy,
    now: DateTime<Utc>,
) -> Result<u32, Backwards> {
    let base = above
        .filter(|above| follows(*above, present))
        .unwrap_or(present);
    let counted = match base.wrapping_add(1) {
        // Some servers take 0 for "no serial".
        0 => 1,
        serial => serial,
    };
    // Where today's numbers are used up, or the present value lies ahead, it is counted on.
    let styled_or_counted = |styled: u32| {
        if follows(styled, base) {
            styled
        } else {
            counted
        }
    };
    let styled = match policy {
        Policy::Keep => return Ok(present),
        Policy::Increment => counted,
        Policy::Auto if is_date(present, now) => styled_or_counted(dated(now)),
        Policy::Auto if is_unix_time(present, now) => styled_or_counted(clocked(now)),
        Policy::Auto => counted,
        Policy::Date if is_date(base, now) => styled_or_counted(dated(now)),
        Policy::Date => dated(now),
        Policy::UnixTime if is_unix_time(base, now) => styled_or_counted(clocked(now)),
        Policy::UnixTime => clocked(now),
    };
    if follows(styled, base) && follows(styled, present) {
        Ok(styled)
    } else {
        Err(Backwards {
            wanted: styled,
            present,
        })
    }
}

/// The first serial of today, `YYYYMMDD01`.
fn dated(now: DateTime<Utc>) -> u32 {
    u32::try_from(now.year())
        .unwrap_or(0)
        .saturating_mul(1_000_000)
        + now.month() * 10_000
        + now.day() * 100
        + 1
}

/// Seconds since 1970, in the 32 bits that a serial has; never 0.
fn clocked(now: DateTime<Utc>) -> u32 {
    u32::try_from(now.timestamp()).unwrap_or(0).max(1)
}

/// Whether the value reads as a date that a person may have written by now.
fn is_date(serial: u32, now: DateTime<Utc>) -> bool {
    let (year, month, day) = (
        serial / 1_000_000,
        serial / 10_000 % 100,
        serial / 100 % 100,
    );
    let date = i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    date.is_some_and(|date| date.year() >= 1980 && date <= now.date_naive() + TimeDelta::days(366))
}

/// Whether the value lies within ten years before now, or a day after.
fn is_unix_time(serial: u32, now: DateTime<Utc>) -> bool {
    let age = now.timestamp() - i64::from(serial);
    (-86_400..10 * 366 * 86_400).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_style_of_the_present_value_is_kept() {
        for (present, next_one) in [
            (2026111901, 2026112001),
            (2026112001, 2026112002),
            (2026112000, 2026112001),
            (2026112099, 2026112100),
            (2027010100, 2027010101),
            (1_795_000_000, 1_795_176_000),
            (1_795_176_000, 1_795_176_001),
            (1, 2),
            (0, 1),
            (42, 43),
            (4_294_967_294, 4_294_967_295),
            (4_294_967_295, 1),
            (2026133201, 2026133202),
            (3_000_000_000, 3_000_000_001),
            (20261120, 20261121),
        ] {
            assert_eq!(
                next(present, None, Policy::Auto, noon()),
                Ok(next_one),
                "{present}"
            );
        }
    }

    #[test]
    fn a_serial_that_is_served_already_is_passed() {
        assert_eq!(next(5, Some(9), Policy::Auto, noon()), Ok(10));
        assert_eq!(next(5, Some(3), Policy::Auto, noon()), Ok(6));
        assert_eq!(
            next(2026111901, Some(2026112007), Policy::Auto, noon()),
            Ok(2026112008)
        );
    }

    #[test]
    fn a_clock_that_was_never_set_gives_no_serial_of_zero() {
        let epoch = DateTime::UNIX_EPOCH;
        assert_eq!(next(3_000_000_000, None, Policy::UnixTime, epoch), Ok(1));
        assert_eq!(next(4_294_967_295, None, Policy::Auto, epoch), Ok(1));
    }

    #[test]
    fn an_asked_style_never_goes_backwards() {
        assert_eq!(next(42, None, Policy::Date, noon()), Ok(2026112001));
        assert_eq!(next(42, None, Policy::UnixTime, noon()), Ok(1_795_176_000));
        assert_eq!(next(42, None, Policy::Keep, noon()), Ok(42));
        let backwards = Backwards {
            wanted: 1_795_176_000,
            present: 2026112001,
        };
        assert_eq!(
            next(2026112001, None, Policy::UnixTime, noon()),
            Err(backwards)
        );
    }

    proptest::proptest! {
        #[test]
        fn the_next_serial_always_follows_and_is_never_zero(present: u32, above: Option<u32>, seconds in 0i64..4_000_000_000) {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            for policy in [Policy::Auto, Policy::Increment, Policy::Date, Policy::UnixTime] {
                if let Ok(serial) = next(present, above, policy, now) {
                    proptest::prop_assert!(follows(serial, present), "{present} {serial}");
                    proptest::prop_assert!(serial != 0);
                    if let Some(above) = above {
                        proptest::prop_assert!(follows(serial, above) || !follows(above, present));
                    }
                }
            }
        }
    }
}
