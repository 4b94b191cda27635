//! A clock that nobody sets, beside the wall clock: the time since the machine
//! was started. While that goes on, it says how much time has passed; where the
//! wall clock says more, it was set ahead, and what is remembered moves along with
//! it, so that no hold gets shorter. Where it says less, it was set back: then
//! less has passed than is true, which costs time and nothing else. After a
//! restart of the machine there is only the wall clock.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Both clocks at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Which start of which machine.
    pub boot: String,
    /// The time since then, in milliseconds.
    pub uptime: i64,
    /// What the wall clock says.
    pub wall: DateTime<Utc>,
}

/// By so much the two may differ before the wall clock counts as set: what reading
/// one after the other, and rounding, come to.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// The clock of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The reading that later ones are compared with: the first since the machine
    /// was started, or since the wall clock was set.
    pub reading: Reading,
    /// The last time it was found to have been set ahead.
    #[serde(deserialize_with = "Option::deserialize")]
    pub stepped: Option<Step>,
}

/// The wall clock was set ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When that was found, by the clock as it is now.
    pub found_at: DateTime<Utc>,
    /// By how many milliseconds.
    pub by: i64,
}

impl Clock {
    /// The clock that begins with this reading.
    pub(crate) fn started(reading: Reading) -> Self {
        Self {
            reading,
            stepped: None,
        }
    }

    /// Takes in a later reading: by how much the wall clock was set ahead since
    /// the last one, if it was.
    pub(crate) fn read(&mut self, reading: Reading) -> Option<TimeDelta> {
        // Where containers have an uptime of their own, it begins again under the same name.
        if reading.boot != self.reading.boot || reading.uptime < self.reading.uptime {
            self.reading = reading;
            return None;
        }
        let passed =
            TimeDelta::try_milliseconds(reading.uptime.saturating_sub(self.reading.uptime))
                .unwrap_or_default();
        let ahead = (reading.wall - self.reading.wall) - passed;
        if ahead.abs() <= TOLERANCE {
            return None;
        }
        let found_at = reading.wall;
        self.reading = reading;
        let step = (ahead > TimeDelta::zero()).then_some(ahead)?;
        self.stepped = Some(Step {
            found_at,
            by: step.num_milliseconds(),
        });
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::fixtures::at;

    fn reading(boot: &str, uptime: i64, wall: &str) -> Reading {
        Reading {
            boot: boot.to_owned(),
            uptime: uptime * 1000,
            wall: at(wall),
        }
    }

    #[test]
    fn only_a_wall_clock_that_says_too_much_was_set_ahead() {
        for (boot, uptime, wall, step) in [
            ("a", 100, "09:00:00", None),
            ("a", 3700, "10:00:00", None),
            // Within the tolerance.
            ("a", 3699, "10:00:00", None),
            ("a", 100, "12:00:00", Some(3 * 3600)),
            ("a", 160, "09:01:02", Some(2)),
            // Set back.
            ("a", 3700, "09:30:00", None),
            // Another start: the wall clock is all there is.
            ("b", 5, "12:00:00", None),
            ("a", 5, "12:00:00", None),
        ] {
            let mut clock = Clock::started(reading("a", 100, "09:00:00"));
            assert_eq!(
                clock.read(reading(boot, uptime, wall)),
                step.map(TimeDelta::seconds),
                "{boot} {uptime} {wall}"
            );
        }
    }

    #[test]
    fn small_steps_add_up() {
        let mut clock = Clock::started(reading("a", 0, "09:00:00"));
        assert_eq!(clock.read(reading("a", 59, "09:01:00")), None);
        assert_eq!(
            clock.read(reading("a", 118, "09:02:00")),
            Some(TimeDelta::seconds(2))
        );
        assert_eq!(clock.read(reading("a", 178, "09:03:00")), None);
    }

    #[test]
    fn a_clock_that_was_set_back_and_then_right_again_gains_nothing() {
        let mut clock = Clock::started(reading("a", 0, "09:00:00"));
        assert_eq!(clock.read(reading("a", 60, "06:01:00")), None);
        assert_eq!(
            clock.read(reading("a", 120, "09:02:00")),
            Some(TimeDelta::hours(3))
        );
    }
}
