//! How large a batch should be: learnt from what the table takes.

use std::sync::{Arc, Mutex, PoisonError};

use dynasink_core::{
    BatchLimit, BatchSizer, CapacityFeedback, CapacityObserver, ConsumedCapacity, WriteUnits,
};

/// The units of the largest request there can be: 25 items of 400 KB.
const MAX_UNITS: f64 = 10_000.0;

/// Refusals never shrink a batch below this many units, or below one second of a smaller capacity: a request of
/// fewer small items costs as much time as a full one, and slowing down is the rate limiter's work.
const FLOOR_UNITS: f64 = 25.0;

/// What a refusal leaves of the limit. Gentler than a halving, since a batch is refused in part.
const SHRINK: f64 = 0.7;

/// What a clean batch that used its limit adds to it.
const GROWTH: f64 = 1.1;

/// A batch has used its limit if it came this close to it.
const USED: f64 = 0.8;

/// Weight of the newest request in the average of consumed to predicted units.
const SMOOTHING: f64 = 0.2;

/// The law of the batch size: a limit on the units of a batch, in what the service will charge.
///
/// - It starts at one second of the table's capacity, if that is known, so that a batch of 25 items of 400 KB
///   never asks a small table for 10,000 units at once; else at the most that a request can cost.
/// - A request with refused operations multiplies it by 0.7, down to 25 units or one second of capacity.
/// - A clean request that used at least 80 % of it multiplies it by 1.1.
/// - Consumed units, indexes included, are averaged against predicted ones, so that the limit holds in the
///   service's units though batches are filled by prediction.
///
/// It has no clock and does nothing by itself.
#[derive(Clone, Debug)]
pub struct SizerLaw {
    units: f64,
    floor: f64,
    /// Consumed units for each predicted one.
    cost_ratio: f64,
}

impl SizerLaw {
    /// The law for a table with that write capacity per second, as far as it is known.
    pub fn new(capacity: Option<WriteUnits>) -> Self {
        let second = capacity.map_or(MAX_UNITS, |units| units.get() as f64);
        Self {
            units: second.clamp(1.0, MAX_UNITS),
            floor: second.clamp(1.0, FLOOR_UNITS),
            cost_ratio: 1.0,
        }
    }

    /// Learns from one request.
    pub fn observe(&mut self, feedback: &CapacityFeedback) {
        let predicted = feedback.written.units().get() as f64;
        if predicted > 0.0 && !feedback.consumed.is_empty() {
            let consumed: WriteUnits = feedback.consumed.iter().map(ConsumedCapacity::total).sum();
            let ratio = (consumed.get() as f64 / predicted).max(f64::MIN_POSITIVE);
            self.cost_ratio += SMOOTHING * (ratio - self.cost_ratio);
        }
        if feedback.throttled_ops > 0 {
            self.units = (self.units * SHRINK).max(self.floor);
        } else if feedback.failed_ops == 0 && predicted * self.cost_ratio >= self.units * USED {
            self.units = (self.units * GROWTH).min(MAX_UNITS);
        }
    }

    /// The limit for the next batch.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the quotient is between 1 and u64"
    )]
    pub fn limit(&self) -> BatchLimit {
        BatchLimit {
            units: WriteUnits::new((self.units / self.cost_ratio).max(1.0) as u64),
            ..BatchLimit::REQUEST
        }
    }
}

/// A [`SizerLaw`] that the batcher asks and the writer teaches. Clones share it.
#[derive(Clone, Debug)]
pub struct AdaptiveSizer(Arc<Mutex<SizerLaw>>);

impl AdaptiveSizer {
    /// A sizer by that law.
    pub fn new(law: SizerLaw) -> Self {
        Self(Arc::new(Mutex::new(law)))
    }
}

impl BatchSizer for AdaptiveSizer {
    fn limit(&self) -> BatchLimit {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .limit()
    }
}

impl CapacityObserver for AdaptiveSizer {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .observe(feedback);
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{TableName, WriteCost};

    use super::*;

    fn written(predicted: u64, consumed: u64) -> CapacityFeedback {
        CapacityFeedback {
            written_ops: 1,
            written: WriteCost::of_table(WriteUnits::new(predicted)),
            consumed: vec![ConsumedCapacity {
                table: TableName::new("users").unwrap(),
                table_units: WriteUnits::new(consumed),
                index_units: Vec::new(),
            }],
            ..CapacityFeedback::default()
        }
    }

    fn refused() -> CapacityFeedback {
        CapacityFeedback {
            throttled_ops: 1,
            ..CapacityFeedback::default()
        }
    }

    fn units(law: &SizerLaw) -> u64 {
        law.limit().units.get()
    }

    #[test]
    fn a_batch_asks_for_no_more_than_a_second_of_capacity() {
        assert_eq!(units(&SizerLaw::new(Some(WriteUnits::new(500)))), 500);
        assert_eq!(units(&SizerLaw::new(Some(WriteUnits::new(5)))), 5);
        assert_eq!(units(&SizerLaw::new(None)), 10_000);
    }

    #[test]
    fn refusals_shrink_it_to_the_floor_and_clean_full_batches_grow_it_again() {
        let mut law = SizerLaw::new(Some(WriteUnits::new(1000)));
        for _ in 0..50 {
            law.observe(&refused());
        }
        assert_eq!(units(&law), 25);
        law.observe(&written(5, 5));
        assert_eq!(
            units(&law),
            25,
            "a batch far below the limit says nothing of it"
        );
        for _ in 0..20 {
            law.observe(&written(units(&law), units(&law)));
        }
        assert!(units(&law) > 100, "{}", units(&law));
    }

    #[test]
    fn the_limit_holds_in_the_units_that_the_service_charges() {
        let mut law = SizerLaw::new(Some(WriteUnits::new(1000)));
        for _ in 0..100 {
            law.observe(&written(100, 400));
        }
        assert!((230..=260).contains(&units(&law)), "{}", units(&law));
    }
}
