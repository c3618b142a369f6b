//! What a resource can take, as far as its refusals tell.

use std::collections::VecDeque;
use std::time::Duration;

use super::last_second::LastSecond;

/// Refusals that are remembered. The oldest is as far back as a measurement reaches; with a refusal every five
/// seconds that is half a minute.
const REMEMBERED: usize = 8;

/// Shortest stretch that is a measurement by itself: well above a latency, which blurs both of its ends.
const LONG_ENOUGH: f64 = 0.25;

/// Fewest operations in it: ten more or less are then a quarter, and the next stretch mends it.
const ENOUGH_OPS: f64 = 150.0;

/// Fewest items of the largest size in it. A resource may be in debt by one of them at either end of the stretch.
const ENOUGH_ITEMS: f64 = 5.0;

/// The part of a stretch in which the rate must have been what held the load back.
const USED: f64 = 0.8;

/// What one answer leaves of the memory of the largest item or request: half is gone after some 350 answers without such.
const FADING: f64 = 0.998;

/// Without any measurement, a refusal leaves this much of the rate: the factor of CUBIC (RFC 9438, section 4.6).
const FALL: f64 = 0.7;

/// The capacity of a token bucket of unknown rate and depth, measured between its refusals.
///
/// A bucket that refuses is empty. So what was written between two refusals, over the time between them, is the rate at
/// which it fills: neither its depth nor the rates at which it was asked matter. That holds while the load was held back
/// by its rate; if it paused for reasons of its own, the bucket may have been full, and units were lost.
///
/// It is the shortest stretch that counts, if it is long enough for its grain: then a capacity that has changed is
/// known after the first refusals that follow.
#[derive(Clone, Debug, Default)]
pub(super) struct CapacityEstimate {
    units: Option<f64>,
    so_far: Totals,
    refusals: VecDeque<Totals>,
    last_second: LastSecond,
    largest_item: f64,
    largest_request: f64,
}

/// What has come together since the start.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    at: Duration,
    units: f64,
    ops: f64,
    /// Time in which the rate was what held the load back.
    held_back: Duration,
}

impl CapacityEstimate {
    /// What the description of the table or index says.
    pub(super) fn described(units: f64) -> Self {
        Self {
            units: Some(units),
            ..Self::default()
        }
    }

    /// The estimate, in units per second; none before the first refusal of a resource that was not described.
    pub(super) fn units(&self) -> Option<f64> {
        self.units
    }

    /// Units of about the largest item of late.
    pub(super) fn largest_item(&self) -> f64 {
        self.largest_item
    }

    /// Units of about the largest request of late.
    pub(super) fn largest_request(&self) -> f64 {
        self.largest_request
    }

    /// Takes note of what was written, and of how much of the time up to `now` the rate held the load back.
    pub(super) fn written(&mut self, now: Duration, units: f64, ops: usize, held_back: Duration) {
        let count = ops as f64;
        self.so_far.at = now;
        self.so_far.units += units;
        self.so_far.ops += count;
        self.so_far.held_back += held_back;
        self.last_second.add(now, units);
        if ops > 0 {
            self.largest_request = (self.largest_request * FADING).max(units);
            self.largest_item = (self.largest_item * FADING).max(units / count);
        }
    }

    /// Makes a new estimate of a refusal while the load went at `rate`.
    pub(super) fn refused(&mut self, now: Duration, rate: f64) -> f64 {
        self.so_far.at = now;
        let last_second = self.last_second.rate(now);
        let before = self.units;
        let guess = match before {
            // A description is trusted until there is something to measure.
            Some(units) if self.refusals.is_empty() => units,
            Some(units) if last_second > 0.0 => units.min(last_second),
            None if last_second > 0.0 => last_second.min(rate),
            _ => before.unwrap_or(rate) * FALL,
        };
        let stretches = self.refusals.iter().rev();
        let mut stretches = stretches.map(|start| Stretch::between(start, &self.so_far));
        let longest = self.refusals.front();
        let measured = stretches
            .find(|stretch| stretch.trust(self.largest_item) >= 1.0)
            .or_else(|| longest.map(|start| Stretch::between(start, &self.so_far)))
            .filter(|stretch| stretch.is_used() && stretch.units > 0.0);
        let estimate = match measured {
            Some(stretch) => {
                let trust = stretch.trust(self.largest_item);
                let otherwise = before.unwrap_or(guess);
                trust * stretch.units / stretch.seconds + (1.0 - trust) * otherwise
            }
            None => guess,
        };
        if self.refusals.len() == REMEMBERED {
            self.refusals.pop_front();
        }
        self.refusals.push_back(self.so_far);
        self.set(estimate)
    }

    /// Makes a new estimate of a refusal that came on the way back from a run of refusals: what was written in the last
    /// second, up to `most`. Measurements begin anew, since the resource may have been full in the pauses.
    pub(super) fn refused_in_a_return(&mut self, now: Duration, most: f64) -> f64 {
        self.so_far.at = now;
        self.refusals.clear();
        self.refusals.push_back(self.so_far);
        let last_second = self.last_second.rate(now);
        self.set(if last_second > 0.0 {
            last_second.min(most)
        } else {
            most
        })
    }

    /// Lowers the estimate without a measurement, down to `least`.
    pub(super) fn fall(&mut self, least: f64) -> f64 {
        self.set((self.units.unwrap_or_default() * FALL).max(least))
    }

    /// Replaces the estimate by somebody's choice.
    pub(super) fn set(&mut self, units: f64) -> f64 {
        let units = units.max(super::LEAST_RATE);
        self.units = Some(units);
        units
    }
}

/// What lies between a refusal and now.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    seconds: f64,
    units: f64,
    ops: f64,
    held_back: f64,
}

impl Stretch {
    fn between(start: &Totals, end: &Totals) -> Self {
        Self {
            seconds: end.at.saturating_sub(start.at).as_secs_f64(),
            units: end.units - start.units,
            ops: end.ops - start.ops,
            held_back: end.held_back.saturating_sub(start.held_back).as_secs_f64(),
        }
    }

    fn is_used(&self) -> bool {
        self.seconds > 0.0 && self.held_back >= self.seconds * USED
    }

    /// How far it is a measurement, up to one.
    fn trust(&self, largest_item: f64) -> f64 {
        (self.seconds / LONG_ENOUGH)
            .min(self.ops / ENOUGH_OPS)
            .min(self.units / (ENOUGH_ITEMS * largest_item.max(1.0)))
            .min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(10);

    /// Writes so many units a second in answers of ten milliseconds, one unit an operation.
    fn write(estimate: &mut CapacityEstimate, from: u32, to: u32, rate: usize, held_back: bool) {
        for tick in from * 100 + 1..=to * 100 {
            let ops = rate / 100;
            let held_back = if held_back { TICK } else { Duration::ZERO };
            estimate.written(TICK * tick, ops as f64, ops, held_back);
        }
    }

    fn about(units: f64, expected: f64) {
        assert!(
            (units / expected - 1.0).abs() < 0.05,
            "{units} for {expected}"
        );
    }

    #[test]
    fn what_is_written_between_two_refusals_is_the_capacity() {
        let mut estimate = CapacityEstimate::default();
        // A bucket that was full: the first second says nothing.
        write(&mut estimate, 0, 1, 4_000, true);
        estimate.refused(TICK * 100, 4_000.0);
        write(&mut estimate, 1, 3, 1_000, true);
        about(estimate.refused(TICK * 300, 4_000.0), 1_000.0);
        // It has changed: the stretch that counts is the last.
        write(&mut estimate, 3, 4, 500, true);
        about(estimate.refused(TICK * 400, 970.0), 500.0);
    }

    #[test]
    fn a_description_is_trusted_until_there_is_something_to_measure() {
        let mut estimate = CapacityEstimate::described(1_000.0);
        about(estimate.refused(Duration::ZERO, 1_000.0), 1_000.0);
        about(estimate.refused(TICK, 1_000.0), 700.0);
    }

    #[test]
    fn a_stretch_in_which_the_load_was_idle_measures_nothing() {
        let mut estimate = CapacityEstimate::described(1_000.0);
        estimate.refused(Duration::ZERO, 1_000.0);
        write(&mut estimate, 0, 10, 100, false);
        write(&mut estimate, 10, 11, 2_000, true);
        about(estimate.refused(TICK * 1_100, 2_000.0), 1_000.0);
    }

    #[test]
    fn a_few_large_items_move_the_estimate_by_a_part() {
        let mut estimate = CapacityEstimate::described(1_000.0);
        estimate.refused(Duration::ZERO, 1_000.0);
        for tick in 1..=100_u32 {
            let large = if tick == 50 { 400.0 } else { 0.0 };
            estimate.written(TICK * tick, 10.0 + large, 1, TICK);
        }
        let units = estimate.refused(TICK * 100, 1_000.0);
        assert!((1_000.0..1_400.0).contains(&units), "{units}");
    }
}
