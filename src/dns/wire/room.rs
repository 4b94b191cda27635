//! Room for what is kept of answers, counted in octets as they lie in memory.
//! Whoever is asked decides how much there is; what has no room is dropped, and
//! told of as `limits-exceeded`. What is dropped gives its room back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::dns::limits;

/// What may be kept, and how much of it is taken.
pub(crate) struct Room {
    limit: usize,
    taken: AtomicUsize,
    refused: AtomicBool,
}

/// A part of the room, until it is dropped.
pub(crate) struct Held {
    room: Arc<Room>,
    octets: usize,
}

impl Room {
    /// Room for what so many targets need.
    pub(crate) fn for_targets(targets: usize) -> Arc<Self> {
        Self::of(limits::ROOM.saturating_add(limits::ROOM_EACH.saturating_mul(targets)))
    }

    /// Room for so many octets.
    pub(crate) fn of(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            taken: AtomicUsize::new(0),
            refused: AtomicBool::new(false),
        })
    }

    /// Takes a part; `None`, and remembered, when there is not as much left.
    pub(crate) fn take(self: &Arc<Self>, octets: usize) -> Option<Held> {
        self.fill(octets).then(|| Held {
            room: Arc::clone(self),
            octets,
        })
    }

    /// Takes a part for what nobody misses when there is not as much left.
    pub(crate) fn spare(self: &Arc<Self>, octets: usize) -> Option<Held> {
        self.reserve(octets).then(|| Held {
            room: Arc::clone(self),
            octets,
        })
    }

    fn reserve(&self, octets: usize) -> bool {
        let more = |taken: usize| taken.checked_add(octets).filter(|all| *all <= self.limit);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// Takes a part for as long as there is a room at all; whether there was one.
    pub(crate) fn fill(&self, octets: usize) -> bool {
        let fits = self.reserve(octets);
        self.refused.fetch_or(!fits, Ordering::Relaxed);
        fits
    }

    /// Whether something had no room.
    pub(crate) fn was_full(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// The octets that may be kept.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.octets, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_remembered_and_what_is_dropped_makes_some() {
        let room = Room::of(10);
        let held = room.take(6);
        assert!(held.is_some() && room.spare(5).is_none() && !room.was_full());
        assert!(room.take(5).is_none() && room.was_full());
        drop(held);
        assert!(room.take(10).is_some());
        assert!(room.take(11).is_none() && room.take(usize::MAX).is_none());
    }
}
