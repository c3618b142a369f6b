//! What happened in a pipe over time, in bounded memory.

mod latencies;
mod point;
mod series;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynasink_core::{CapacityFeedback, CapacityObserver};
use dynasink_sink::RateLimiter;
use tokio::time::Instant;

use crate::tally::{Counts, Tally};
pub use latencies::{Latencies, LatencyQuantiles};
pub use point::{InFlight, IndexUse, TimelinePoint};
use series::Series;

/// Points are a second long at first: what capacity is given for.
const FIRST_LENGTH: Duration = Duration::from_secs(1);

/// So many points are kept at most, each for so many seconds that these suffice: enough for a chart, and some megabytes
/// with the latencies. An even number, since neighbours are merged.
const MOST_POINTS: usize = 720;

/// What happened in a pipe over time: points of equal length, and each says what was written, refused and awaited in its
/// time. Clones record together. A [`Pipeline`](crate::Pipeline) keeps one.
///
/// Points are a second long. When there would be more than 720, neighbours are merged, and all are twice as long from
/// then on. So memory is bounded, some five megabytes at most, however long a load takes.
///
/// It works when a request leaves or is answered, and not for each row: rows that were read or got their outcome between
/// two such moments count in the point of the later one. Time is tokio's, paused time included.
#[derive(Clone, Debug)]
pub struct Timeline {
    tally: Tally,
    limiter: RateLimiter,
    recording: Arc<Mutex<Recording>>,
}

#[derive(Debug)]
struct Recording {
    start: Option<Instant>,
    series: Series,
    /// What had been counted when it was last looked at.
    counted: Counts,
    in_flight: usize,
}

impl Timeline {
    /// Records what happens from the first request on, or from [`begin`](Self::begin).
    pub(crate) fn of(tally: Tally, limiter: RateLimiter) -> Self {
        let recording = Recording {
            start: None,
            series: Series::new(FIRST_LENGTH, MOST_POINTS),
            counted: tally.counts(),
            in_flight: 0,
        };
        Self {
            tally,
            limiter,
            recording: Arc::new(Mutex::new(recording)),
        }
    }

    /// Starts the first point, unless it has started.
    pub(crate) fn begin(&self) {
        self.recording().start.get_or_insert_with(Instant::now);
    }

    /// The points so far. The last is as long as it has lasted; one of less than half the length of the others is part
    /// of the one before.
    pub fn points(&self) -> Vec<TimelinePoint> {
        self.brought_up_to_now().series.points()
    }

    /// The points so far as one.
    pub fn whole(&self) -> TimelinePoint {
        self.brought_up_to_now().series.whole()
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn brought_up_to_now(&self) -> MutexGuard<'_, Recording> {
        let mut recording = self.recording();
        // Before the first request nothing has happened, and no time has passed.
        if let Some(start) = recording.start {
            recording.advance(start.elapsed());
            recording.count(self.tally.counts());
            recording.limit(&self.limiter);
        }
        recording
    }

    /// The point of this moment, with the rows that were counted since the last one.
    fn now(&self) -> MutexGuard<'_, Recording> {
        self.begin();
        self.brought_up_to_now()
    }
}

impl Recording {
    fn advance(&mut self, elapsed: Duration) {
        self.series.advance_to(elapsed, self.in_flight);
    }

    fn count(&mut self, counts: Counts) {
        self.series.current().count(&self.counted, &counts);
        self.counted = counts;
    }

    fn limit(&mut self, limiter: &RateLimiter) {
        let point = self.series.current();
        point.limit = Some(limiter.rate().get());
        for (index, rate) in limiter.index_rates() {
            point.index(&index).limit = Some(rate.get());
        }
    }
}

impl CapacityObserver for Timeline {
    fn observe(&self, feedback: &CapacityFeedback) {
        let mut recording = self.now();
        recording.in_flight = feedback.in_flight;
        recording.series.current().answer(feedback);
    }

    fn departed(&self, in_flight: usize) {
        let mut recording = self.now();
        recording.in_flight = in_flight;
        recording.series.current().in_flight.reach(in_flight);
    }
}

#[cfg(test)]
mod tests;
