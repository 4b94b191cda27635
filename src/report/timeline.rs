//! The hold as a line of time: when all servers agreed, where now is, and when
//! it is over.

use chrono::{DateTime, Utc};

use crate::duration;
use crate::propagation::{Basis, Hold, moment};
use crate::report::servers::coarse;
use crate::report::wrap::wrapped;

/// Columns of the bar.
const BAR: usize = 40;
/// Where what belongs to a heading begins.
const INDENT: usize = 9;

/// The hold in words, and how much of it has passed. That *all* servers agree is
/// said only where all of them were heard.
#[must_use]
pub(crate) fn timeline(
    agreed: Option<DateTime<Utc>>,
    hold: Option<Hold>,
    all_heard: bool,
    now: DateTime<Utc>,
    width: Option<usize>,
) -> String {
    let Some(hold) = hold else {
        return String::new();
    };
    let length = hold
        .length
        .map_or_else(|| "unknown".to_owned(), duration::text);
    let line = format!("hold     {length}: {}", basis(hold.basis));
    let mut text = format!("\n{}\n", wrapped(&line, INDENT, width));
    let mut line = |words: &str| text.push_str(&format!("{:INDENT$}{words}\n", ""));
    let Some(agreed) = agreed else {
        line("it starts when the last server serves the new records");
        return text;
    };
    let who = if all_heard {
        "all servers agree"
    } else {
        "the servers that were heard agree"
    };
    let at = |moment_: DateTime<Utc>, what: &str| format!("{}  {what}", moment(moment_));
    match hold.until {
        Some(until) if until > now => {
            line(&bar(agreed, until, now));
            line(&at(agreed, who));
            line(&at(now, "now"));
            line(&at(
                until,
                &format!("hold over, in {}", duration::text(until - now)),
            ));
        }
        Some(until) => {
            line(&at(agreed, who));
            line(&at(until, "hold over"));
            line(&at(now, "now"));
        }
        None => {
            line(&at(agreed, who));
            line(&at(now, "now"));
        }
    }
    text
}

/// `|=====>----|  50 %, 1h left`
pub(crate) fn bar(agreed: DateTime<Utc>, until: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let (passed, whole) = (
        (now - agreed).num_seconds().max(0),
        (until - agreed).num_seconds().max(1),
    );
    let columns = i64::try_from(BAR).unwrap_or(0);
    // Rounded down: a full bar means that it is over.
    let filled = usize::try_from(passed.saturating_mul(columns) / whole)
        .unwrap_or(0)
        .min(BAR);
    let (done, rest) = (
        "=".repeat(filled),
        "-".repeat(BAR.saturating_sub(filled + 1)),
    );
    let head = if filled < BAR { ">" } else { "" };
    let share = (passed.saturating_mul(100) / whole).min(100);
    format!(
        "|{done}{head}{rest}|  {share} %, {} left",
        coarse(until - now)
    )
}

fn basis(basis: Basis) -> String {
    match basis {
        Basis::Asked => "as asked for".to_owned(),
        Basis::OldTtl(ttl) => format!("twice the TTL of the set before, {ttl} s"),
        Basis::NegativeTtl(ttl) => {
            format!("twice the negative TTL, {ttl} s, as there was no set before")
        }
        Basis::FirstLook(look) => format!("a day since the first look at {}", moment(look)),
        Basis::Departure(until) => {
            format!(
                "a server that left may be asked until {}, and twice its TTL",
                moment(until)
            )
        }
        Basis::Signature(Some(expires)) => {
            format!(
                "at least, and until the old signature expires at {}",
                moment(expires)
            )
        }
        Basis::Signature(None) => "until the old signature expires, which was not seen".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::fixtures::at;

    #[test]
    fn the_bar_is_full_only_when_the_hold_is_over() {
        let bar = |now| bar(at("12:00:00"), at("14:00:00"), at(now));
        assert_eq!(
            bar("12:00:00"),
            format!("|>{}|  0 %, 2h left", "-".repeat(39))
        );
        assert_eq!(
            bar("13:00:00"),
            format!("|{}>{}|  50 %, 1h left", "=".repeat(20), "-".repeat(19))
        );
        assert_eq!(
            bar("13:59:59"),
            format!("|{}>|  99 %, 1s left", "=".repeat(39))
        );
        assert_eq!(
            bar("14:00:00"),
            format!("|{}|  100 %, 0s left", "=".repeat(40))
        );
        // A clock that went back.
        assert_eq!(
            bar("11:00:00"),
            format!("|>{}|  0 %, 3h left", "-".repeat(39))
        );
    }
}
