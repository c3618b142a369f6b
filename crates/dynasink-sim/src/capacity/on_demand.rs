//! What an on-demand table or index has grown to: twice its previous peak.

use std::collections::VecDeque;
use std::time::Duration;

use dynasink_core::WriteUnits;

use super::bucket::TokenBucket;
use super::settings::{Admit, CapacityModel};

/// \[assumption\] On demand, one second of capacity is saved up.
pub(super) const DEPTH: Duration = Duration::from_secs(1);

/// The capacity of an on-demand table or index. It only grows, to twice the peak once the peak is old enough.
///
/// \[assumption\] A peak is the most units that were written in one second, and no more than the capacity then: what
/// was saved up or is owed does not count.
///
/// Source: Developer Guide, *`DynamoDB` on-demand capacity mode*: up to double the previous peak; more within 30
/// minutes may be throttled. *Understanding `DynamoDB` warm throughput*: it only grows.
#[derive(Clone, Debug)]
pub(super) struct OnDemandRamp {
    ramp: Duration,
    capacity: WriteUnits,
    bucket: TokenBucket,
    /// The second that is being counted, since the start, and its units.
    second: (u64, u64),
    /// Peaks that do not count yet, each higher than the one before.
    peaks: VecDeque<Peak>,
}

#[derive(Clone, Copy, Debug)]
struct Peak {
    counts_from: Duration,
    units: u64,
}

impl OnDemandRamp {
    /// A table or index that is `warm` for so many units per second, at least those of a new one, and has been
    /// unused for `idle`.
    pub(super) fn new(
        model: &CapacityModel,
        warm: WriteUnits,
        idle: Duration,
        now: Duration,
    ) -> Self {
        let capacity = model.on_demand_start.max(warm);
        Self {
            ramp: model.on_demand_ramp,
            capacity,
            bucket: TokenBucket::new(capacity, DEPTH, idle, now),
            second: (now.as_secs(), 0),
            peaks: VecDeque::new(),
        }
    }

    /// Units per second that it can take, as of the last [`advance`](Self::advance).
    pub(super) fn capacity(&self) -> WriteUnits {
        self.capacity
    }

    /// Lets the peaks count that are old enough at `now`.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some(peak) = self.peaks.pop_front_if(|peak| peak.counts_from <= now) {
            self.capacity = self.capacity.max(doubled(peak.units));
            self.bucket.set_rate(peak.counts_from, self.capacity);
        }
        self.bucket.refill(now);
    }

    /// Whether `units` may be taken, as of the last [`advance`](Self::advance).
    pub(super) fn admits(&self, units: u64, admit: Admit, overdraft: Duration) -> bool {
        self.bucket.admits(units, admit, overdraft)
    }

    /// Takes `units`, and notes a new peak.
    pub(super) fn take(&mut self, now: Duration, units: u64) {
        self.bucket.take(units);
        if self.second.0 != now.as_secs() {
            self.second = (now.as_secs(), 0);
        }
        self.second.1 = self.second.1.saturating_add(units);
        let peak = Peak {
            counts_from: now.saturating_add(self.ramp),
            units: self.second.1.min(self.capacity.get()),
        };
        let highest = self.peaks.back().map_or(0, |peak| peak.units);
        if peak.units > highest && doubled(peak.units) > self.capacity {
            // Within one second, only its last count matters.
            let second_start = self.ramp.saturating_add(Duration::from_secs(self.second.0));
            self.peaks
                .pop_back_if(|earlier| earlier.counts_from >= second_start);
            self.peaks.push_back(peak);
        }
    }
}

fn doubled(units: u64) -> WriteUnits {
    WriteUnits::new(units.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn new_table() -> OnDemandRamp {
        let model = CapacityModel::default();
        OnDemandRamp::new(&model, WriteUnits::ZERO, DEPTH, Duration::ZERO)
    }

    fn capacity_at(ramp: &mut OnDemandRamp, now: Duration) -> u64 {
        ramp.advance(now);
        ramp.capacity().get()
    }

    #[test]
    fn a_peak_doubles_once_it_is_half_an_hour_old() {
        let mut ramp = new_table();
        ramp.take(Duration::ZERO, 4000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 29), 4000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 30), 8000);
        ramp.take(MINUTE * 30, 8000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 59), 8000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 60), 16_000);
    }

    #[test]
    fn a_peak_is_no_higher_than_the_capacity_and_need_not_reach_it() {
        let mut ramp = new_table();
        ramp.take(Duration::ZERO, 3000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 30), 6000);
        let mut ramp = new_table();
        ramp.take(Duration::ZERO, 100_000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 30), 8000);
        let mut ramp = new_table();
        ramp.take(Duration::ZERO, 2000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 30), 4000);
    }

    #[test]
    fn units_of_different_seconds_are_no_peak() {
        let mut ramp = new_table();
        for second in 0..10 {
            ramp.take(Duration::from_secs(second), 2000);
        }
        assert_eq!(capacity_at(&mut ramp, MINUTE * 60), 4000);
    }

    #[test]
    fn peaks_count_one_after_another_and_never_shrink_it() {
        let mut ramp = new_table();
        ramp.take(Duration::ZERO, 2500);
        ramp.take(MINUTE, 3500);
        ramp.take(MINUTE * 2, 3000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 30), 5000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 31), 7000);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 32), 7000);
    }

    #[test]
    fn a_second_leaves_one_peak_behind() {
        let mut ramp = new_table();
        for millis in 0..1000 {
            ramp.take(Duration::from_millis(millis), 4);
        }
        assert_eq!(ramp.peaks.len(), 1);
        assert_eq!(capacity_at(&mut ramp, MINUTE * 31), 8000);
    }

    #[test]
    fn a_warm_table_starts_from_its_warmth() {
        let model = CapacityModel::default();
        let warm = |units| OnDemandRamp::new(&model, WriteUnits::new(units), DEPTH, MINUTE);
        assert_eq!(warm(10_000).capacity().get(), 10_000);
        assert_eq!(warm(10).capacity().get(), 4000);
    }
}
