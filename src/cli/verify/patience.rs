//! When a wait is over. It rides over what may pass by itself: servers that lag,
//! a hold that runs, and for a while *cannot tell*, as a name server restarts or
//! the resolver hangs. It ends where nothing but a person can help. Nothing here
//! makes a verdict lighter: it says when to look again, not what is seen.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, TimeDelta, Utc};

use crate::propagation::{Decision, Verdict};

/// How long *cannot tell* is put up with, and since when each target has been so.
pub(crate) struct Patience {
    length: TimeDelta,
    unknown: BTreeMap<usize, DateTime<Utc>>,
    /// Since when the state could not be locked.
    busy: Option<DateTime<Utc>>,
    /// Whether a target has become unknown with the last check.
    surprised: bool,
}

/// How a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Safe,
    /// It may become so without anybody's help.
    Waiting,
    /// It will not.
    Stuck,
}

impl Patience {
    pub(crate) fn of(length: TimeDelta) -> Self {
        Self {
            length,
            unknown: BTreeMap::new(),
            busy: None,
            surprised: false,
        }
    }

    /// Takes note of a check: the verdicts in the order of the targets.
    pub(crate) fn note<'a>(
        &mut self,
        verdicts: impl IntoIterator<Item = &'a Verdict>,
        now: DateTime<Utc>,
    ) {
        (self.busy, self.surprised) = (None, false);
        for (place, verdict) in verdicts.into_iter().enumerate() {
            if verdict.decision != Decision::Unknown {
                self.unknown.remove(&place);
            } else if let Entry::Vacant(vacant) = self.unknown.entry(place) {
                vacant.insert(now);
                self.surprised = true;
            }
        }
    }

    /// Takes note of a check that came to nothing, as somebody else had the state
    /// locked. Whether that may be put up with.
    pub(crate) fn note_busy(&mut self, now: DateTime<Utc>) -> bool {
        let since = *self.busy.get_or_insert(now);
        self.lasts(since, now)
    }

    /// Whether the check before had the state.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy.is_none()
    }

    /// Whether somebody who has just been well should be looked at again soon.
    pub(crate) fn is_surprised(&self) -> bool {
        self.surprised
    }

    /// Whether waiting brings nothing any more. `sizes` says how many targets each
    /// key change has: it is over as soon as one of them cannot become safe.
    pub(crate) fn is_over(
        &self,
        verdicts: &[&Verdict],
        sizes: &[usize],
        now: DateTime<Utc>,
    ) -> bool {
        let mut standings = verdicts
            .iter()
            .enumerate()
            .map(|(place, verdict)| self.standing(place, verdict, now));
        sizes.iter().all(|size| {
            let of_job: Vec<Standing> = standings.by_ref().take(*size).collect();
            of_job.contains(&Standing::Stuck) || !of_job.contains(&Standing::Waiting)
        })
    }

    /// The next moment at which it ends with a target.
    pub(crate) fn next_end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ends = self
            .unknown
            .values()
            .chain(&self.busy)
            .filter_map(|since| since.checked_add_signed(self.length));
        ends.filter(|end| *end > now).min()
    }

    fn standing(&self, place: usize, verdict: &Verdict, now: DateTime<Utc>) -> Standing {
        match verdict.decision {
            Decision::Safe => Standing::Safe,
            Decision::Wait if verdict.unpublished => Standing::Stuck,
            Decision::Wait => Standing::Waiting,
            Decision::Unknown => match self.unknown.get(&place) {
                Some(since) if self.lasts(*since, now) => Standing::Waiting,
                _ => Standing::Stuck,
            },
            Decision::Unsafe => Standing::Stuck,
        }
    }

    fn lasts(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now.signed_duration_since(since) < self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::fixtures::{at, evidence, name};
    use crate::propagation::memory::Memory;
    use crate::propagation::{Expectation, Policy, check};

    fn verdict(decision: Decision, unpublished: bool) -> Verdict {
        let memory = Memory::empty(&name("example.com"));
        let (any, _) = check(
            &evidence(Vec::new()),
            &Expectation::default(),
            &memory,
            &Policy::default(),
            at("12:00:00"),
        );
        Verdict {
            decision,
            unpublished,
            ..any
        }
    }

    /// Whether it is over after these checks, each with its time, of these verdicts.
    fn over(sizes: &[usize], checks: &[(&str, &str)]) -> bool {
        let mut patience = Patience::of(TimeDelta::minutes(15));
        let mut over = false;
        for (time, verdicts) in checks {
            let verdicts: Vec<Verdict> = verdicts
                .chars()
                .map(|c| match c {
                    's' => verdict(Decision::Safe, false),
                    'w' => verdict(Decision::Wait, false),
                    'p' => verdict(Decision::Wait, true),
                    '?' => verdict(Decision::Unknown, false),
                    _ => verdict(Decision::Unsafe, false),
                })
                .collect();
            patience.note(&verdicts, at(time));
            over = patience.is_over(&verdicts.iter().collect::<Vec<_>>(), sizes, at(time));
        }
        over
    }

    #[test]
    fn a_wait_is_over_when_nothing_but_a_person_can_help() {
        for (verdicts, is_over) in [
            ("s", true),
            ("w", false),
            ("p", true),
            ("?", false),
            ("!", true),
        ] {
            assert_eq!(over(&[1], &[("12:00:00", verdicts)]), is_over, "{verdicts}");
        }
        // One key change with several ports is over when one of them is.
        for (verdicts, is_over) in [
            ("sw", false),
            ("s?", false),
            ("ss", true),
            ("w!", true),
            ("wp", true),
        ] {
            assert_eq!(over(&[2], &[("12:00:00", verdicts)]), is_over, "{verdicts}");
        }
        // Of several changes each has its own end.
        for (verdicts, is_over) in [
            ("w!", false),
            ("s!", true),
            ("?p", false),
            ("sp", true),
            ("ws", false),
        ] {
            assert_eq!(
                over(&[1, 1], &[("12:00:00", verdicts)]),
                is_over,
                "{verdicts}"
            );
        }
        assert!(!over(&[2, 1], &[("12:00:00", "w!w")]) && over(&[2, 1], &[("12:00:00", "w!s")]));
    }

    #[test]
    fn patience_is_counted_for_each_target_and_from_anew_after_an_answer() {
        assert!(!over(&[1], &[("12:00:00", "?"), ("12:14:59", "?")]));
        assert!(over(&[1], &[("12:00:00", "?"), ("12:15:00", "?")]));
        assert!(!over(
            &[1],
            &[("12:00:00", "?"), ("12:10:00", "w"), ("12:15:00", "?")]
        ));
        assert!(
            !over(
                &[1, 1],
                &[("12:00:00", "?w"), ("12:10:00", "??"), ("12:16:00", "??")]
            ),
            "the second's lasts"
        );
        assert!(over(
            &[1, 1],
            &[("12:00:00", "?w"), ("12:10:00", "??"), ("12:25:00", "??")]
        ));
    }

    #[test]
    fn the_state_of_somebody_else_is_put_up_with_as_long() {
        let mut patience = Patience::of(TimeDelta::minutes(15));
        assert!(patience.is_idle() && patience.note_busy(at("12:00:00")) && !patience.is_idle());
        assert_eq!(patience.next_end(at("12:00:00")), Some(at("12:15:00")));
        assert!(patience.note_busy(at("12:14:59")) && !patience.note_busy(at("12:15:00")));
        patience.note([], at("12:15:01"));
        assert!(patience.is_idle() && patience.note_busy(at("12:15:02")));
    }
}
