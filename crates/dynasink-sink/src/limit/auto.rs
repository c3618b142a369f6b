//! A rate that finds out what the table can take.

use std::time::Duration;

use dynasink_core::{CapacityFeedback, WriteUnits};

/// What on-demand tables take when they are new, in units per second: the start where nothing else is known.
///
/// Source: *DynamoDB on-demand capacity mode*, "Initial throughput".
const NEW_ON_DEMAND_TABLE: u64 = 4_000;

/// After a refusal the rate is this much of what was written in the period.
const BACK_OFF: f64 = 0.9;

/// A clean period that used most of the rate raises it by this factor, or by [`LEAST_RAISE`].
const RAISE: f64 = 1.05;

/// Least raise in units per second, so that a small rate does not crawl.
const LEAST_RAISE: f64 = 1.0;

/// A period has used most of the rate if it came this close to it.
const USED: f64 = 0.85;

/// The quota of a table, unless AWS has raised it, in units per second.
///
/// Source: *Quotas in Amazon DynamoDB*, "Default throughput quotas".
const TABLE_QUOTA: f64 = 40_000.0;

/// The law of the automatic rate: one decision a second, from what was written and what was refused in it.
///
/// - Refusals: the rate falls to 0.9 times what the service wrote in the period, which is the best measure of
///   what it can take; never below one unit.
/// - No refusal, and at least 85 % of the rate used: the rate rises by 5 %, at least by one unit per second.
/// - No refusal, and less used: the rate is not what holds the load back, and stays.
///
/// It has no clock: whoever owns it says when a period ends.
#[derive(Clone, Debug)]
pub struct AutoRate {
    rate: f64,
    written: f64,
    throttled_ops: usize,
}

impl AutoRate {
    /// The length of a period between two decisions.
    pub const PERIOD: Duration = Duration::from_secs(1);

    /// Starts at the capacity that the table's description names, else at what a new on-demand table takes.
    pub fn starting_at(capacity: Option<WriteUnits>) -> Self {
        let start = capacity.unwrap_or(WriteUnits::new(NEW_ON_DEMAND_TABLE));
        Self {
            rate: (start.get() as f64).clamp(1.0, TABLE_QUOTA),
            written: 0.0,
            throttled_ops: 0,
        }
    }

    /// The rate, in units per second.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rate is between 1 and the quota"
    )]
    pub fn rate(&self) -> WriteUnits {
        WriteUnits::new(self.rate as u64)
    }

    /// Goes on from `rate`, which somebody else has chosen.
    pub fn set_rate(&mut self, rate: WriteUnits) {
        self.rate = (rate.get() as f64).clamp(1.0, TABLE_QUOTA);
    }

    /// Takes note of one request.
    pub fn observe(&mut self, feedback: &CapacityFeedback) {
        self.written += feedback.table_units().get() as f64;
        self.throttled_ops += feedback.throttled_ops;
    }

    /// Decides on the rate after a period of `length`, and starts the next one.
    pub fn end_period(&mut self, length: Duration) -> WriteUnits {
        let written = self.written / length.as_secs_f64().max(f64::EPSILON);
        if self.throttled_ops > 0 {
            self.rate = (written * BACK_OFF).clamp(1.0, self.rate);
        } else if written >= self.rate * USED {
            self.rate = (self.rate * RAISE)
                .max(self.rate + LEAST_RAISE)
                .min(TABLE_QUOTA);
        }
        self.written = 0.0;
        self.throttled_ops = 0;
        self.rate()
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::WriteCost;

    use super::*;

    /// Runs the law for `seconds` against a table that takes `capacity` units a second, and gives what was
    /// written and the seconds in which something was refused.
    fn run(law: &mut AutoRate, capacity: u64, seconds: u64) -> (u64, u64) {
        let (mut written, mut refused_seconds) = (0, 0);
        for _ in 0..seconds {
            let asked = law.rate().get();
            let took = asked.min(capacity);
            law.observe(&CapacityFeedback {
                written: WriteCost::of_table(WriteUnits::new(took)),
                throttled_ops: usize::from(asked > took),
                ..CapacityFeedback::default()
            });
            law.end_period(AutoRate::PERIOD);
            written += took;
            refused_seconds += u64::from(asked > took);
        }
        (written, refused_seconds)
    }

    #[test]
    fn an_unknown_capacity_is_found_from_above_and_from_below() {
        for (start, capacity) in [
            (None, 100),
            (None, 30_000),
            (Some(5), 1_000),
            (Some(10_000), 20),
        ] {
            let mut law = AutoRate::starting_at(start.map(WriteUnits::new));
            run(&mut law, capacity, 120);
            let (written, refused_seconds) = run(&mut law, capacity, 300);
            assert!(
                written >= capacity * 300 * 85 / 100,
                "{start:?} to {capacity}: {written}"
            );
            assert!(
                refused_seconds <= 110,
                "{start:?} to {capacity}: refused in {refused_seconds} of 300 seconds"
            );
        }
    }

    #[test]
    fn a_rate_that_is_not_used_does_not_rise() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(1000)));
        for _ in 0..100 {
            law.observe(&CapacityFeedback {
                written: WriteCost::of_table(WriteUnits::new(300)),
                ..CapacityFeedback::default()
            });
            assert_eq!(law.end_period(AutoRate::PERIOD), WriteUnits::new(1000));
        }
    }

    #[test]
    fn a_period_in_which_nothing_was_written_leaves_a_rate_to_go_on_with() {
        let mut law = AutoRate::starting_at(Some(WriteUnits::new(1000)));
        law.observe(&CapacityFeedback {
            throttled_ops: 25,
            ..CapacityFeedback::default()
        });
        assert_eq!(law.end_period(AutoRate::PERIOD), WriteUnits::new(1));
    }
}
