//! How large a batch should be: what the table takes in a moment, and what the way there carries.

use std::sync::{Arc, Mutex, PoisonError};

use dynasink_core::limits::{MAX_BATCH_OPS, MAX_ITEM_BYTES, MAX_REQUEST_BYTES};
use dynasink_core::{
    Admission, BatchLimit, BatchSizer, CapacityFeedback, CapacityObserver, WriteUnits,
};

/// The units of the largest request there can be: 25 items of 400 KB.
const MAX_UNITS: f64 = 10_000.0;

/// A batch asks for no more than this part of a second at the rate. Ten requests a second or more keep a bucket's level
/// even, and so small a request still carries 25 operations wherever the table takes 250 units a second.
const TICK: f64 = 0.1;

/// Neither a tick nor refusals make a batch smaller than this many units, or than one second of a smaller rate: a
/// request of fewer small items costs as much time as a full one, and slowing down is the rate limiter's work.
const FLOOR_UNITS: f64 = MAX_BATCH_OPS as f64;

/// Units of the smallest items, and a bit: they are averaged.
const SMALLEST_ITEM: f64 = 1.5;

/// What a refusal leaves of the limit. Gentler than a halving, since a batch is refused in part.
const SHRINK: f64 = 0.7;

/// What a clean batch that used its limit adds to it.
const GROWTH: f64 = 1.1;

/// A batch has used its limit if it came this close to it.
const USED: f64 = 0.8;

/// Weight of the newest request in the average of consumed to predicted units.
const SMOOTHING: f64 = 0.2;

/// What a request without an answer leaves of the limit of bytes: it may have been cut off by a timeout because it was
/// too long for the way, and would be again.
const UNANSWERED: f64 = 0.5;

/// No request is limited to fewer bytes: twice what an item of 400 KB takes on the wire.
const FLOOR_BYTES: f64 = 4.0 * MAX_ITEM_BYTES as f64;

/// The law of the batch size: limits on the units and on the bytes of a batch.
///
/// Units, in what the service will charge:
///
/// - A tenth of a second at the rate, at most what a request can cost. Where items cost less than that, at least 25 units
///   or one second of a smaller rate. So a batch holds 25 items where they are small, and one where an item costs more
///   than a tenth of a second.
/// - A request with refused operations multiplies it by 0.7, down to that least; a clean request that used at least
///   80 % of it multiplies it by 1.1.
/// - The units that the table consumes are averaged against predicted ones, so that the limit holds in the service's
///   units though batches are filled by prediction. Those of global indexes are in the rate already, which is that of
///   the scarcest.
///
/// Bytes: 16 MB; a request that had no answer halves it, down to 1.6 MB, and a clean one that used 80 % of it
/// multiplies it by 1.1.
///
/// It has no clock and does nothing by itself.
#[derive(Clone, Debug)]
pub struct SizerLaw {
    /// The part of a tick that a batch may ask for.
    part: f64,
    bytes: f64,
    /// The rate, if nobody says what it is now.
    rate: Option<WriteUnits>,
    /// Consumed units for each predicted one.
    cost_ratio: f64,
    /// Units of an operation of late.
    op_units: f64,
}

impl SizerLaw {
    /// The law for a table with that write capacity per second, as far as it is known.
    pub fn new(capacity: Option<WriteUnits>) -> Self {
        Self {
            part: 1.0,
            bytes: MAX_REQUEST_BYTES as f64,
            rate: capacity,
            cost_ratio: 1.0,
            op_units: 1.0,
        }
    }

    /// The batch is for a service that takes so many units per second now.
    pub fn set_rate(&mut self, rate: WriteUnits) {
        self.rate = Some(rate);
    }

    /// Learns from one request.
    pub fn observe(&mut self, feedback: &CapacityFeedback) {
        let predicted = feedback.written.units().get() as f64;
        if predicted > 0.0 && !feedback.consumed.is_empty() {
            let consumed = feedback.table_units().get() as f64;
            let ratio = (consumed / predicted).max(f64::MIN_POSITIVE);
            self.cost_ratio += SMOOTHING * (ratio - self.cost_ratio);
        }
        if feedback.written_ops > 0 {
            let op_units = feedback.table_units().get() as f64 / feedback.written_ops as f64;
            self.op_units += SMOOTHING * (op_units - self.op_units);
        }
        if feedback.throttled_ops > feedback.hot_key_ops {
            let least = self.floor() / self.tick();
            self.part = (self.part * SHRINK).max(least);
        } else if feedback.failed_ops == 0
            && predicted * self.cost_ratio >= self.tick() * self.part * USED
        {
            self.part = (self.part * GROWTH).min(1.0);
        }
        if feedback.is_unanswered() {
            self.bytes = (self.bytes * UNANSWERED).max(FLOOR_BYTES);
        } else if feedback.wire_bytes as f64 >= self.bytes * USED {
            self.bytes = (self.bytes * GROWTH).min(MAX_REQUEST_BYTES as f64);
        }
    }

    /// Fewest units that a batch may have.
    fn floor(&self) -> f64 {
        let second = self.rate.map_or(MAX_UNITS, |rate| rate.get() as f64);
        // The smallest items go together however little the table takes: a request of one costs as much time.
        let goes_alone = self.op_units > SMALLEST_ITEM && self.op_units > second * TICK;
        if goes_alone {
            1.0
        } else {
            second.clamp(1.0, FLOOR_UNITS)
        }
    }

    /// The units of a tick, or the least that a batch may have.
    fn tick(&self) -> f64 {
        let tick = self.rate.map_or(MAX_UNITS, |rate| rate.get() as f64 * TICK);
        tick.clamp(self.floor(), MAX_UNITS)
    }

    /// The limit for the next batch.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the quotient is between 1 and u64, the bytes between two constants"
    )]
    pub fn limit(&self) -> BatchLimit {
        let units = (self.tick() * self.part).max(self.floor());
        BatchLimit {
            units: WriteUnits::new((units / self.cost_ratio).max(1.0) as u64),
            bytes: self.bytes as usize,
            ..BatchLimit::REQUEST
        }
    }
}

/// A [`SizerLaw`] that the batcher asks and the writer teaches. Clones share it.
#[derive(Clone, Debug)]
pub struct AdaptiveSizer {
    law: Arc<Mutex<SizerLaw>>,
    pace: Option<Arc<dyn Admission>>,
}

impl AdaptiveSizer {
    /// A sizer by that law.
    pub fn new(law: SizerLaw) -> Self {
        Self {
            law: Arc::new(Mutex::new(law)),
            pace: None,
        }
    }

    /// Sizes batches to the rate at which `admission` admits them, as it changes.
    #[must_use]
    pub fn paced_by(self, admission: impl Admission + 'static) -> Self {
        Self {
            pace: Some(Arc::new(admission)),
            ..self
        }
    }
}

impl BatchSizer for AdaptiveSizer {
    fn limit(&self) -> BatchLimit {
        let rate = self.pace.as_ref().and_then(Admission::rate);
        let mut law = self.law.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = rate {
            law.set_rate(rate);
        }
        law.limit()
    }
}

impl CapacityObserver for AdaptiveSizer {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.law
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .observe(feedback);
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{ConsumedCapacity, RequestFailure, TableName, WriteCost};

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
    fn a_batch_asks_for_no_more_than_a_tick_and_small_items_fill_it() {
        for (rate, limit) in [
            (40_000, 4_000),
            (1_000, 100),
            (250, 25),
            (100, 25),
            (5, 5),
            (0, 1),
        ] {
            let law = SizerLaw::new(Some(WriteUnits::new(rate)));
            assert_eq!(units(&law), limit, "at {rate} units a second");
        }
        assert_eq!(units(&SizerLaw::new(None)), 10_000);
    }

    #[test]
    fn items_that_cost_more_than_a_tick_go_alone() {
        for (rate, item, alone) in [
            (100, 12, true),
            (100, 8, false),
            (5, 2, true),
            (5, 1, false),
        ] {
            let mut law = SizerLaw::new(Some(WriteUnits::new(rate)));
            for _ in 0..50 {
                law.observe(&written(item, item));
            }
            let two = units(&law) >= 2 * item;
            assert_eq!(!two, alone, "items of {item} units at {rate} a second");
        }
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
        assert_eq!(units(&law), 100);
    }

    #[test]
    fn refusals_of_hot_keys_say_nothing_of_the_table() {
        let mut law = SizerLaw::new(Some(WriteUnits::new(1000)));
        law.observe(&CapacityFeedback {
            hot_key_ops: 1,
            ..refused()
        });
        assert_eq!(units(&law), 100);
    }

    #[test]
    fn a_request_without_an_answer_halves_the_bytes_and_full_ones_bring_them_back() {
        let mut law = SizerLaw::new(None);
        let answer = |wire_bytes, unanswered| CapacityFeedback {
            wire_bytes,
            failure: unanswered.then_some(RequestFailure::Unanswered),
            ..CapacityFeedback::default()
        };
        assert_eq!(law.limit().bytes, MAX_REQUEST_BYTES);
        law.observe(&answer(MAX_REQUEST_BYTES, true));
        assert_eq!(law.limit().bytes, MAX_REQUEST_BYTES / 2);
        for _ in 0..10 {
            law.observe(&answer(1_000, true));
        }
        assert_eq!(law.limit().bytes, 4 * 400 * 1024);
        law.observe(&answer(1_000, false));
        assert_eq!(law.limit().bytes, 4 * 400 * 1024);
        for _ in 0..50 {
            law.observe(&answer(law.limit().bytes, false));
        }
        assert_eq!(law.limit().bytes, MAX_REQUEST_BYTES);
    }

    #[derive(Debug)]
    struct Pace(u64);

    impl CapacityObserver for Pace {
        fn observe(&self, _: &CapacityFeedback) {}
    }

    impl Admission for Pace {
        fn try_admit(&self, _: &WriteCost) -> Result<(), std::time::Duration> {
            Ok(())
        }

        fn give_back(&self, _: &WriteCost) {}

        fn rate(&self) -> Option<WriteUnits> {
            Some(WriteUnits::new(self.0))
        }
    }

    #[test]
    fn it_follows_the_rate_of_what_admits() {
        let sizer = AdaptiveSizer::new(SizerLaw::new(Some(WriteUnits::new(5)))).paced_by(Pace(900));
        assert_eq!(sizer.limit().units, WriteUnits::new(90));
    }

    #[test]
    fn the_limit_holds_in_the_units_that_the_service_charges() {
        let mut law = SizerLaw::new(Some(WriteUnits::new(1000)));
        for _ in 0..100 {
            law.observe(&written(100, 400));
        }
        assert!((23..=26).contains(&units(&law)), "{}", units(&law));
    }
}
