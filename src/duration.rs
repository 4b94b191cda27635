//! Durations as people write them: `90s`, `2h`, `1d12h`, or plain seconds.

use std::fmt;

use chrono::TimeDelta;

/// The longest duration taken: a century, in seconds.
const LONGEST: i64 = 100 * 366 * 86_400;

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError {
    /// What was given.
    pub found: String,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no duration such as 90s, 2h, 1d12h or plain seconds",
            self.found
        )
    }
}

impl std::error::Error for DurationError {}

/// Reads a duration; units are `w d h m s`, in any order, each with its number.
///
/// # Errors
///
/// Anything else, and durations of more than a century.
pub fn parse(text: &str) -> Result<TimeDelta, DurationError> {
    let wrong = || DurationError {
        found: text.to_owned(),
    };
    let mut total: i64 = 0;
    let mut number: Option<i64> = None;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            let sum = number
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|n| n.checked_add(i64::from(digit)));
            number = Some(sum.ok_or_else(wrong)?);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            'w' => 604_800,
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let part = number
            .take()
            .and_then(|n| n.checked_mul(unit))
            .ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
    }
    if let Some(seconds) = number {
        // A number without a unit stands alone: "90", never "1h30".
        if text.chars().any(|c| !c.is_ascii_digit()) {
            return Err(wrong());
        }
        total = seconds;
    } else if text.is_empty() {
        return Err(wrong());
    }
    if total > LONGEST {
        Err(wrong())
    } else {
        Ok(TimeDelta::seconds(total))
    }
}

/// Writes a duration the way it is read: `1d12h`, `45s`; what has passed is `0s`.
#[must_use]
pub fn text(duration: TimeDelta) -> String {
    let mut rest = duration.num_seconds().max(0);
    let mut text = String::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= seconds {
            text.push_str(&format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        for (given, seconds, written) in [
            ("90s", 90, "1m30s"),
            ("2h", 7200, "2h"),
            ("1d12h", 129_600, "1d12h"),
            ("3600", 3600, "1h"),
            ("1W", 604_800, "7d"),
            ("0", 0, "0s"),
        ] {
            let read = parse(given).unwrap();
            assert_eq!(read, TimeDelta::seconds(seconds), "{given}");
            assert_eq!(text(read), written);
            assert_eq!(parse(written).unwrap(), read);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for wrong in [
            "",
            "h",
            "1h30",
            "-5",
            "1.5h",
            "1 h",
            "2y",
            "99999999999999999999",
            "9999999999w",
        ] {
            assert_eq!(
                parse(wrong),
                Err(DurationError {
                    found: wrong.to_owned()
                })
            );
        }
    }
}
