//! One clock for a whole check: when it has run out nobody is asked any more,
//! and whoever waits for an answer goes on without. What is missing then is
//! told of as `check-timeout`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::dns::limits;
use crate::finding::{Finding, Severity};

/// How long a check may take, and what it did not get to.
pub(crate) struct Clock {
    length: Duration,
    /// None when the end is too far away to be told.
    end: Option<Instant>,
    missed: Mutex<Missed>,
}

#[derive(Default)]
struct Missed {
    questions: usize,
    first: Vec<String>,
}

impl Clock {
    /// Starts now.
    pub(crate) fn started(length: Duration) -> Self {
        Self {
            length,
            end: Instant::now().checked_add(length),
            missed: Mutex::default(),
        }
    }

    /// The moment, but not after the end of the check.
    pub(crate) fn no_later(&self, moment: Instant) -> Instant {
        self.end.map_or(moment, |end| end.min(moment))
    }

    /// When it runs out.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.end
    }

    /// Whether it has run out.
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }

    /// Notes a question that has no answer for that reason.
    pub(crate) fn miss(&self, question: impl FnOnce() -> String) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.questions += 1;
        if missed.first.len() < limits::NAMED {
            missed.first.push(question());
        }
    }

    /// What is to be told of what is missing; `None` when nothing is.
    pub(crate) fn finding(&self) -> Option<Finding> {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, first) = (missed.questions, missed.first.join(", "));
        let length = seconds(self.length);
        let message = match count {
            0 => return None,
            1 => format!(
                "the check was not through after {length}: a question had no answer by then, {first}"
            ),
            _ => {
                let more = if count > missed.first.len() {
                    " and others"
                } else {
                    ""
                };
                format!(
                    "the check was not through after {length}: {count} questions had no answer by then, {first}{more}"
                )
            }
        };
        Some(Finding::new("check-timeout", Severity::Unknown, message))
    }
}

fn seconds(length: Duration) -> String {
    if length.subsec_millis() == 0 {
        format!("{} s", length.as_secs())
    } else {
        format!("{:.1} s", length.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_counted_and_some_of_it_named() {
        let clock = Clock::started(Duration::ZERO);
        assert!(clock.is_over());
        let told = || clock.finding().map(|finding| finding.message);
        assert_eq!(told(), None);
        clock.miss(|| "q0".to_owned());
        let before = "the check was not through after 0 s: ";
        assert_eq!(
            told(),
            Some(format!("{before}a question had no answer by then, q0"))
        );
        (1..5).for_each(|number| clock.miss(|| format!("q{number}")));
        assert_eq!(
            told(),
            Some(format!(
                "{before}5 questions had no answer by then, q0, q1, q2 and others"
            ))
        );
        let clock = Clock::started(Duration::from_millis(90_500));
        assert!(!clock.is_over() && clock.no_later(Instant::now()) < clock.end.unwrap());
        assert_eq!(seconds(clock.length), "90.5 s");
        assert!(!Clock::started(Duration::MAX).is_over());
    }
}
