//! How many requests to have in flight.

use dynasink_core::CapacityFeedback;

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
    /// Found between 1 and 128: at 10 ms a request, 128 of 25 operations are more than 300,000 a second.
    fn default() -> Self {
        Self::Auto { min: 1, max: 128 }
    }
}

/// Where the search starts: enough for most tables, little enough for the smallest.
const START: f64 = 8.0;

/// What a request that was refused as a whole, or failed, leaves of the limit.
const BACK_OFF: f64 = 0.7;

/// The law of the number in flight: additive increase, multiplicative decrease.
///
/// - A clean request while the limit was reached adds `1 / limit`: one more after each round.
/// - A request of which nothing was written multiplies the limit by 0.7, once a round: the requests that were in
///   flight with it tell the same story.
/// - A request refused in part changes nothing: the table is used in full, and the rate is what should fall.
///
/// It has no clock and does nothing by itself.
#[derive(Clone, Debug)]
pub struct ConcurrencyLaw {
    limit: f64,
    min: f64,
    max: f64,
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

    /// Learns from one answer.
    pub fn observe(&mut self, feedback: &CapacityFeedback) {
        let echo = self.echoes > 0;
        self.echoes = self.echoes.saturating_sub(1);
        let nothing_written = feedback.written_ops == 0;
        if nothing_written {
            if !echo {
                self.limit = (self.limit * BACK_OFF).max(self.min);
                self.echoes = feedback.in_flight;
            }
        } else if feedback.throttled_ops == 0 && feedback.in_flight + 1 >= self.limit() {
            self.limit = (self.limit + 1.0 / self.limit).min(self.max);
        }
    }
}

#[cfg(test)]
mod tests {
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
            law.observe(&feedback);
            assert_eq!(law.limit(), 4);
        }
        assert_eq!(ConcurrencyLaw::new(Concurrency::Fixed(0)).limit(), 1);
    }

    #[test]
    fn it_grows_only_while_it_is_reached() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 1, max: 16 });
        (0..1000).for_each(|_| law.observe(&answer(25, 0, 2)));
        assert_eq!(law.limit(), 8);
        for _ in 0..1000 {
            law.observe(&answer(25, 0, law.limit() - 1));
        }
        assert_eq!(law.limit(), 16);
    }

    #[test]
    fn a_round_of_refusals_counts_once() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 1, max: 100 });
        (0..8)
            .rev()
            .for_each(|in_flight| law.observe(&answer(0, 25, in_flight)));
        assert_eq!(law.limit(), 5);
        (0..200).for_each(|_| law.observe(&answer(0, 25, 0)));
        assert_eq!(law.limit(), 1);
    }

    #[test]
    fn the_search_starts_within_its_bounds() {
        let start = |min, max| ConcurrencyLaw::new(Concurrency::Auto { min, max }).limit();
        assert_eq!(start(1, 128), 8);
        assert_eq!(start(20, 128), 20);
        assert_eq!(start(1, 4), 4);
        assert_eq!(start(0, 0), 1);
        assert_eq!(start(5, 2), 5);
    }

    #[test]
    fn bounds_are_never_left() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 3, max: 10 });
        (0..100).for_each(|_| law.observe(&answer(0, 25, 0)));
        assert_eq!(law.limit(), 3);
        for _ in 0..1000 {
            law.observe(&answer(25, 0, law.limit() - 1));
        }
        assert_eq!(law.limit(), 10);
    }

    #[test]
    fn after_the_echoes_of_a_refusal_the_next_one_counts() {
        let mut law = ConcurrencyLaw::new(Concurrency::Auto { min: 1, max: 100 });
        law.observe(&answer(0, 25, 3));
        assert_eq!(law.limit(), 5);
        // A failure counts like a refusal.
        (0..3).for_each(|_| law.observe(&answer(0, 0, 3)));
        assert_eq!(law.limit(), 5);
        law.observe(&answer(0, 0, 0));
        assert_eq!(law.limit(), 3);
    }

    #[test]
    fn a_refusal_in_part_changes_nothing() {
        let mut law = ConcurrencyLaw::new(Concurrency::default());
        (0..100).for_each(|_| law.observe(&answer(20, 5, 7)));
        assert_eq!(law.limit(), 8);
    }
}
