//! How many requests to have in flight.

use dynasink_core::{CapacityFeedback, WriteUnits};

/// The number of requests in flight: fixed, or found between bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// Always up to that many; at least one.
    Fixed(usize),
    /// Between the bounds, by [`ConcurrencyLaw`].
    Auto {
        /// Fewest, at least one.
        min: usize,
        /// Most.
        max: usize,
    },
}

impl Concurrency {
    /// The most requests that there can be in flight.
    pub fn max(self) -> usize {
        match self {
            Self::Fixed(requests) => requests.max(1),
            Self::Auto { min, max } => max.max(min).max(1),
        }
    }
}

impl Default for Concurrency {
    /// Found between 1 and 256: at 150 ms a request, 256 of 25 operations are more than 40,000 a second, which is the
    /// quota of a table.
    fn default() -> Self {
        Self::Auto { min: 1, max: 256 }
    }
}

/// Where the search starts: enough for most tables, little enough for the smallest.
const START: f64 = 8.0;

/// What a request that was refused as a whole, or failed, leaves of the limit.
const BACK_OFF: f64 = 0.7;

/// What is added to the product of rate and latency, for what both are off by.
const MARGIN: f64 = 1.3;

/// The number in flight of requests that come at random at a rate is Poisson's, whatever the latency's distribution:
/// so many of its standard deviations are seldom exceeded.
const DEVIATIONS: f64 = 2.0;

/// Requests that are allowed in any case beyond the product: one that is on its way, and one that is being filled.
const SPARE: f64 = 2.0;

/// Means are taken over the requests of a round, at least so many.
const SHORTEST_ROUND: f64 = 8.0;

/// Rounds of clean requests that make a decrease good again.
const ROUNDS_TO_RECOVER: f64 = 4.0;

/// The law of the number in flight: as many as the rate and the latency need.
///
/// By Little's law, requests at a rate of `r` that take `w` on average are `r × w` in flight. With the rate that the
/// admission lets pass, by the units of a request, and the mean latency, the limit is
///
/// `1.3 × r × w + 2 × √(r × w) + 2`
///
/// so that the rate is what holds the load back and never the number in flight. The mean counts, and not the median:
/// the slowest requests are in flight for longest.
///
/// - Means are over the last round: as many answers as there are requests in flight, at least eight. A latency of 1 ms
///   that becomes 150 ms is followed within a few answers. What was not written teaches nothing of latency: a
///   timeout is no reason for more requests.
/// - Where no rate is known: a clean request while the limit was reached adds `1 / limit`, one more after each round.
/// - A request of which nothing was written multiplies the limit by 0.7, once a round: the requests that were in
///   flight with it tell the same story. Four rounds of clean requests take the whole limit back.
/// - A request refused in part changes nothing: the table is used in full, and the rate is what should fall.
///
/// It has no clock and does nothing by itself.
///
/// Source: J. D. C. Little, *A Proof for the Queuing Formula: L = λW*.
#[derive(Clone, Debug)]
pub struct ConcurrencyLaw {
    limit: f64,
    min: f64,
    max: f64,
    /// What refusals and failures have left of the limit, at most one.
    left: f64,
    /// Mean latency of requests that wrote something, in seconds.
    latency: Option<f64>,
    /// Mean units of a request.
    units: Option<f64>,
    /// Answers to come of requests that were sent before the last decrease.
    echoes: usize,
}

impl ConcurrencyLaw {
    /// The law for that setting.
    pub fn new(concurrency: Concurrency) -> Self {
        let max = concurrency.max() as f64;
        let (min, limit) = match concurrency {
            Concurrency::Fixed(_) => (max, max),
            Concurrency::Auto { min, .. } => ((min as f64).clamp(1.0, max), START.min(max)),
        };
        Self {
            limit: limit.max(min),
            min,
            max,
            left: 1.0,
            latency: None,
            units: None,
            echoes: 0,
        }
    }

    /// Most requests to have in flight now.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the limit is at least one and small"
    )]
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Learns from one answer, where `rate` is the units per second that are admitted, if that is known.
    pub fn observe(&mut self, feedback: &CapacityFeedback, rate: Option<WriteUnits>) {
        let echo = self.echoes > 0;
        self.echoes = self.echoes.saturating_sub(1);
        let nothing_written = feedback.written_ops == 0;
        let decrease = nothing_written && !echo;
        if decrease {
            self.echoes = feedback.in_flight;
        }
        let clean = !nothing_written && feedback.throttled_ops == 0;
        if !nothing_written {
            self.learn(feedback);
        }
        let limit = match rate.and_then(|rate| self.product(rate)) {
            Some(in_flight) => {
                if decrease {
                    self.left *= BACK_OFF;
                } else if clean {
                    let step = 1.0 / (ROUNDS_TO_RECOVER * self.limit);
                    self.left = (self.left + step).min(1.0);
                }
                let needed = MARGIN * in_flight + DEVIATIONS * in_flight.sqrt() + SPARE;
                self.left = self.left.max(self.min / needed.max(self.min));
                needed.min(self.max) * self.left
            }
            None if decrease => self.limit * BACK_OFF,
            None if clean && feedback.in_flight + 1 >= self.limit() => {
                self.limit + 1.0 / self.limit
            }
            None => self.limit,
        };
        self.limit = limit.clamp(self.min, self.max);
    }

    /// Units are those that the service charged where it says so: the rate is in these.
    fn learn(&mut self, feedback: &CapacityFeedback) {
        let units = feedback.table_units() + feedback.unwritten.units();
        let round = ((feedback.in_flight + 1) as f64).max(SHORTEST_ROUND);
        let mean = |mean: Option<f64>, seen: f64| match mean {
            Some(mean) => mean + (seen - mean) / round,
            None => seen,
        };
        self.latency = Some(mean(self.latency, feedback.latency.as_secs_f64()));
        self.units = Some(mean(self.units, units.get() as f64));
    }

    /// The product of the rate of requests and their latency, if both are known.
    fn product(&self, rate: WriteUnits) -> Option<f64> {
        let requests = rate.get() as f64 / self.units?.max(1.0);
        Some(requests * self.latency?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dynasink_core::{ConsumedCapacity, KeyType, TableSchema, WriteCost};

    use super::*;

    fn answer(written_ops: usize, throttled_ops: usize, in_flight: usize) -> CapacityFeedback {
        CapacityFeedback {
            written_ops,
            throttled_ops,
            in_flight,
            ..CapacityFeedback::default()
        }
    }

    #[test]
    fn a_fixed_number_stays() {
        let mut law = ConcurrencyLaw::new(Concurrency::Fixed(4));
        for feedback in [answer(25, 0, 3), answer(0, 25, 3), answer(0, 0, 3)] {
            law.observe(&feedback, None);
            assert_eq!(law.limit(), 4);
        }
        assert_eq!(ConcurrencyLaw::new(Concurrency::Fixed(0)).limit(), 1);
    }

    #[test]
    fn it_grows_only_while_it_is_reached() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 1, max: 16 });
        (0..1000).for_each(|_| law.observe(&answer(25, 0, 2), None));
        assert_eq!(law.limit(), 8);
        for _ in 0..1000 {
            law.observe(&answer(25, 0, law.limit() - 1), None);
        }
        assert_eq!(law.limit(), 16);
    }

    #[test]
    fn a_round_of_refusals_counts_once() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 1, max: 100 });
        (0..8)
            .rev()
            .for_each(|in_flight| law.observe(&answer(0, 25, in_flight), None));
        assert_eq!(law.limit(), 5);
        (0..200).for_each(|_| law.observe(&answer(0, 25, 0), None));
        assert_eq!(law.limit(), 1);
    }

    #[test]
    fn the_search_starts_within_its_bounds() {
        let start = |min, max| ConcurrencyLaw::new(Concurrency::Auto { min, max }).limit();
        assert_eq!(start(1, 256), 8);
        assert_eq!(start(20, 256), 20);
        assert_eq!(start(1, 4), 4);
        assert_eq!(start(0, 0), 1);
        assert_eq!(start(5, 2), 5);
    }

    #[test]
    fn bounds_are_never_left() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 3, max: 10 });
        (0..100).for_each(|_| law.observe(&answer(0, 25, 0), None));
        assert_eq!(law.limit(), 3);
        for _ in 0..1000 {
            law.observe(&answer(25, 0, law.limit() - 1), None);
        }
        assert_eq!(law.limit(), 10);
    }

    #[test]
    fn after_the_echoes_of_a_refusal_the_next_one_counts() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 1, max: 100 });
        law.observe(&answer(0, 25, 3), None);
        assert_eq!(law.limit(), 5);
        // A failure counts like a refusal.
        (0..3).for_each(|_| law.observe(&answer(0, 0, 3), None));
        assert_eq!(law.limit(), 5);
        law.observe(&answer(0, 0, 0), None);
        assert_eq!(law.limit(), 3);
    }

    #[test]
    fn a_refusal_in_part_changes_nothing() {
        let mut law = ConcurrencyLaw::new(Concurrency::default());
        (0..100).for_each(|_| law.observe(&answer(20, 5, 7), None));
        assert_eq!(law.limit(), 8);
    }

    #[test]
    fn requests_are_as_large_as_they_were_charged() {
        let table = TableSchema::builder("users").partition_key("id", KeyType::N);
        let table = table.build().unwrap();
        let item = table.item(|item| item.attribute("id")?.integer(1)).unwrap();
        let op = table.put(item).unwrap();
        let of_units = |units| CapacityFeedback {
            written: WriteCost::of([&op]),
            consumed: vec![ConsumedCapacity {
                table: op.table().clone(),
                table_units: WriteUnits::new(units),
                index_units: Vec::new(),
            }],
            latency: Duration::from_millis(100),
            ..answer(1, 0, 0)
        };
        let limit = |units| {
            let mut law = ConcurrencyLaw::new(Concurrency::default());
            law.observe(&of_units(units), Some(WriteUnits::new(1_000)));
            law.limit()
        };
        assert!(limit(1) > 130, "{}", limit(1));
        assert!(limit(10) < 24, "{}", limit(10));
    }
}
