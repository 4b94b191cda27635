//! The clock that nobody sets: the time since the machine was started, asleep or
//! not (`CLOCK_BOOTTIME`), and which start that was. Where the system does not
//! tell, the time since this process was started has to do: a wall clock that is
//! set is then noticed within one run and not between two.

use std::fs;
use std::sync::OnceLock;
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::propagation::memory::clock::Reading;

/// Both clocks, when the wall clock says this.
#[must_use]
pub fn read(wall: DateTime<Utc>) -> Reading {
    let system = boot().zip(uptime());
    let (boot, uptime) = system.unwrap_or_else(|| {
        static START: OnceLock<(String, Instant)> = OnceLock::new();
        let (boot, start) = START.get_or_init(|| {
            let moment = wall.timestamp_micros();
            (
                format!("process {} of {moment}", std::process::id()),
                Instant::now(),
            )
        });
        (
            boot.clone(),
            i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX),
        )
    });
    Reading { boot, uptime, wall }
}

fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// In milliseconds; the file has hundredths of seconds.
fn uptime() -> Option<i64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_ascii_whitespace().next()?.split_once('.')?;
    seconds
        .parse::<i64>()
        .ok()?
        .checked_mul(1000)?
        .checked_add(hundredths.parse::<i64>().ok()?.checked_mul(10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_the_start_goes_on_whatever_the_wall_clock_says() {
        let first = read(Utc::now());
        std::thread::sleep(std::time::Duration::from_millis(30));
        let second = read(DateTime::UNIX_EPOCH);
        assert_eq!(first.boot, second.boot);
        assert!(
            (20..60_000).contains(&(second.uptime - first.uptime)),
            "{first:?} {second:?}"
        );
        assert_eq!(second.wall, DateTime::UNIX_EPOCH);
    }
}
