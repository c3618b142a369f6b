//! A token bucket that is written to, also by a neighbour.

use crate::scenario::{Neighbour, Service};

/// Items of the neighbour's requests.
const REQUEST: f64 = 25.0;

/// The bucket at a moment. An item is admitted if a unit is left, and the rest is owed.
#[derive(Debug)]
pub(crate) struct Bucket<'a> {
    settings: &'a Service,
    level: f64,
    at: f64,
    /// Units that have come since the start, what was saved included.
    pub(crate) given: f64,
    pub(crate) neighbour_asked: f64,
    pub(crate) neighbour_refused: f64,
    neighbour_owes: f64,
}

impl<'a> Bucket<'a> {
    pub(crate) fn new(settings: &'a Service) -> Self {
        let mut bucket = Self {
            settings,
            level: 0.0,
            at: 0.0,
            given: 0.0,
            neighbour_asked: 0.0,
            neighbour_refused: 0.0,
            neighbour_owes: 0.0,
        };
        bucket.level = settings.saved * bucket.capacity();
        bucket.given = bucket.level;
        bucket
    }

    pub(crate) fn capacity(&self) -> f64 {
        let steps = self.settings.capacity.iter();
        let begun = steps.filter(|(from, _)| *from <= self.at);
        begun.last().map_or(0.0, |(_, units)| *units)
    }

    /// Lets time pass to `now`, in which the neighbour writes.
    pub(crate) fn pass(&mut self, now: f64) {
        let elapsed = now - self.at;
        self.at = now;
        let capacity = self.capacity();
        self.given += capacity * elapsed;
        let deepest = capacity * self.settings.depth.max(1.0);
        self.level = (self.level + capacity * elapsed).min(deepest);
        if let Some(Neighbour { units, on, off }) = self.settings.neighbour
            && now % (on + off) < on
        {
            self.neighbour_owes += units * elapsed;
            // In requests of 25 items, as many writes do.
            if self.neighbour_owes < REQUEST {
                return;
            }
            while self.neighbour_owes >= 1.0 {
                self.neighbour_owes -= 1.0;
                self.neighbour_asked += 1.0;
                if self.take(1.0) {
                    self.given -= 1.0;
                } else {
                    self.neighbour_refused += 1.0;
                }
            }
        }
    }

    pub(crate) fn take(&mut self, units: f64) -> bool {
        let admitted = self.level >= units.min(1.0);
        if admitted {
            self.level -= units;
        }
        admitted
    }
}
