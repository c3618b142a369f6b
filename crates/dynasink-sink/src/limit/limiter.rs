//! One budget of units per second for all who write: fresh batches and retries.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynasink_core::{
    Admission, CapacityFeedback, CapacityObserver, TableName, WriteCost, WriteUnits,
};

use super::budget::Budget;
use super::law::{AutoRate, GREATEST_RATE, RateLaw, YieldingRate};

/// How much of a second's units passes at once, unless set, and how much that has come back may be spent again.
///
/// That keeps every second close to the rate, and each is well above the millisecond of tokio's timer.
const BURST: Duration = Duration::from_millis(50);

/// A budget of write capacity units per second, on [`governor`]. Clones share it.
///
/// - **Buckets**: one for the tables' own units, and one for each global index that is drawn on. An operation is
///   admitted when all that it draws on have its units; the scarcest rules.
/// - **Rate and burst**: units per second, and what passes at once: a burst that a rested limiter has, and as much again
///   that has come back. Each is a twentieth of a second's units, and at least two
///   ([`with_burst`](Self::with_burst)). So no second sees more than 1.1 times the rate, or four units more, plus one
///   request. A request that costs more than a burst waits until the whole of its cost has been saved up; it never
///   hangs, and passes on credit only where it is the first to draw on an index, whose price is not known.
/// - **Prices**: what operations are predicted to draw is charged at the rate at which the service has been charging
///   for predicted units, per table and index. So indexes count with what they hold, and overwrites with what they
///   replace.
/// - **Settling**: the service's `ConsumedCapacity` corrects what was charged. Units of refused operations and
///   overestimates come back, up to half a burst; underestimates are paid by whoever comes next.
/// - **Laws**: a rate is given, or found by [`AutoRate`] or [`YieldingRate`]. A refusal is told to the law of the
///   resource that is short, by the service's reasons, or else by which operations were refused.
/// - **Clones** draw at one counter, first come, first served. While a request saves up that costs more than a burst, those
///   of lesser cost get at most half of the rate; of two that save up, the one that costs less comes first.
/// - **Retries** pay at the same counter, so that a storm of them cannot pass the rate.
///
/// Time is tokio's, paused time included.
///
/// ```
/// use dynasink_core::{Admission, WriteCost, WriteUnits};
/// use dynasink_sink::RateLimiter;
///
/// let limiter = RateLimiter::fixed(WriteUnits::new(100));
/// let cost = WriteCost::of_table(WriteUnits::new(5));
/// assert!(limiter.try_admit(&cost).is_ok());
/// let wait = limiter.try_admit(&cost).unwrap_err();
/// assert!(wait.as_millis() <= 50);
/// ```
#[derive(Clone, Debug)]
pub struct RateLimiter(Arc<Mutex<Budget>>);

impl RateLimiter {
    /// A fixed rate, in units per second. A rate of zero counts as one.
    pub fn fixed(rate: WriteUnits) -> Self {
        Self::by(RateLaw::Fixed(rate))
    }

    /// A rate that finds the table's capacity and follows it.
    pub fn auto(law: AutoRate) -> Self {
        Self::by(law)
    }

    /// A rate that leaves room for others.
    pub fn yielding(law: YieldingRate) -> Self {
        Self::by(law)
    }

    /// The rate by that law. A global index has no limit until it refuses, and then one that is found, unless
    /// [`with_index`](Self::with_index) says otherwise.
    pub fn by(law: impl Into<RateLaw>) -> Self {
        Self(Arc::new(Mutex::new(Budget::new(law.into(), BURST))))
    }

    /// Sets the law of a global index.
    #[must_use]
    pub fn with_index(self, table: &TableName, index: &str, law: impl Into<RateLaw>) -> Self {
        self.budget().set_index_law(table, index, law.into());
        self
    }

    /// Sets the burst: the units of so much time pass at once after a rest, and as many again of those that have come back.
    /// A twentieth of a second, unless set, and no more than a second. It is at least two units. To be set before the first
    /// use: the limiter starts rested.
    ///
    /// While somebody waits, half a burst is taken at a time, and tokio's timer has a grain of a millisecond: a burst below
    /// some five milliseconds loses a part of the rate.
    #[must_use]
    pub fn with_burst(self, burst: Duration) -> Self {
        self.budget().set_burst(burst.min(Duration::from_secs(1)));
        self
    }

    /// The rate of the tables' own units now, in units per second.
    pub fn rate(&self) -> WriteUnits {
        WriteUnits::from_consumed(self.budget().table_rate())
    }

    /// The rates of the global indexes that are held to one now, by name, in units per second.
    pub fn index_rates(&self) -> Vec<(Arc<str>, WriteUnits)> {
        let budget = self.budget();
        let limited = budget
            .index_rates()
            .filter(|(_, rate)| *rate < GREATEST_RATE);
        limited
            .map(|(name, rate)| (name, WriteUnits::from_consumed(rate)))
            .collect()
    }

    /// Changes the rate of the tables' own units while batches pass. A rate that is found goes on from here and does not
    /// go above it, so that one that is lowered stays lowered; one that yields does not go above its ceiling for it.
    pub fn set_rate(&self, rate: WriteUnits) {
        self.budget().set_rate(rate);
    }

    /// Changes how the rate of the tables' own units is found while batches pass. What a law of the same kind has learnt is
    /// kept, and a rate that was set is forgotten: so that a rate that was lowered may rise again.
    pub fn change_law(&self, law: impl Into<RateLaw>) {
        self.budget().change_law(law.into());
    }

    /// [`change_law`](Self::change_law) for a global index.
    pub fn change_index_law(&self, table: &TableName, index: &str, law: impl Into<RateLaw>) {
        self.budget().change_index_law(table, index, law.into());
    }

    /// Admits nothing until [`resume`](Self::resume). Requests in flight end, and what is refused of them waits. Nothing is
    /// saved up beyond a burst meanwhile.
    ///
    /// An operation that the service has been refusing for long before the pause has its time run on: see the writer's
    /// patience.
    pub fn pause(&self) {
        self.budget().set_paused(true);
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.budget().set_paused(false);
    }

    /// Whether nothing is admitted.
    pub fn is_paused(&self) -> bool {
        self.budget().is_paused()
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission for RateLimiter {
    fn try_admit(&self, cost: &WriteCost) -> Result<(), Duration> {
        self.budget().try_take(cost)
    }

    fn give_back(&self, cost: &WriteCost) {
        self.budget().give_back(cost);
    }

    /// The rate at which the tables' own units pass: that of the scarcest resource, in the tables' units.
    fn rate(&self) -> Option<WriteUnits> {
        let rate = self.budget().effective_rate().max(1.0);
        Some(WriteUnits::from_consumed(rate))
    }
}

impl CapacityObserver for RateLimiter {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.budget().settle(feedback);
    }
}

#[cfg(test)]
mod tests;
