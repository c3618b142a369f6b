//! A rate that leaves room for others.

use std::time::Duration;

use dynasink_core::WriteUnits;

use super::estimate::CapacityEstimate;
use super::{AutoRate, FIRST_PAUSE, GREATEST_RATE, LEAST_RATE, Observation, Pauses};

/// What a refusal leaves of the rate. Whoever else writes has come without warning, and is to find room at once.
const YIELD: f64 = 0.5;

/// Seconds from half of the ceiling to the whole: slow enough that the next refusal is far, and what others see of it
/// is few operations.
const RETURN: f64 = 20.0;

/// What is left of the greatest estimate after so many seconds is half of it, where a later one is less. A capacity that
/// is lowered is known after minutes, and one that others draw on meanwhile is not forgotten at once.
const HALF_LIFE: f64 = 600.0;

/// The law of a good neighbour: a share of the capacity, and less while others want theirs.
///
/// - **Never above** `1 - headroom` of the capacity that is described. It does not ask for more.
/// - **A refusal** means that others are there, since this rate alone is below the capacity: the rate halves, after a
///   pause of 0.1 s, which doubles like that of [`AutoRate`].
/// - **Without refusals** it grows in a straight line, from half of its ceiling to the whole in 20 s.
/// - **Where nothing is described**, [`AutoRate::unknown`] searches up to the first refusal. The capacity is the
///   greatest estimate of late, of which half counts after ten minutes: what is measured while others write is what they
///   leave. It is looked at when there are refusals.
///
/// It has no clock.
#[derive(Clone, Debug)]
pub struct YieldingRate {
    headroom: f64,
    capacity: Capacity,
    /// A limit besides the capacity.
    limit: f64,
    /// What somebody has chosen, which is another.
    chosen: f64,
    rate: f64,
    pauses: Pauses,
    seen: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Capacity {
    Described(f64),
    Searched(Box<AutoRate>),
    Measured(Box<Greatest>),
}

/// The greatest estimate, and when it was made or last looked at.
#[derive(Clone, Debug)]
struct Greatest {
    estimate: CapacityEstimate,
    units: f64,
    at: Duration,
}

impl Greatest {
    fn refused(&mut self, now: Duration, rate: f64) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        let left = self.units * (-passed / HALF_LIFE).exp2();
        self.units = left.max(self.estimate.refused(now, rate));
        self.at = now;
    }
}

impl YieldingRate {
    /// The law that leaves `headroom` of `capacity` to others, as a part of one; of a capacity that it finds if none is
    /// known. What is no number leaves nothing.
    pub fn new(capacity: Option<WriteUnits>, headroom: f64) -> Self {
        let capacity = match capacity {
            Some(units) => Capacity::Described(units.get() as f64),
            None => Capacity::Searched(Box::new(AutoRate::unknown())),
        };
        let mut law = Self {
            headroom: if headroom.is_nan() {
                0.0
            } else {
                headroom.clamp(0.0, 1.0)
            },
            capacity,
            limit: GREATEST_RATE,
            chosen: GREATEST_RATE,
            rate: GREATEST_RATE,
            pauses: Pauses::default(),
            seen: None,
        };
        law.stay_below_the_ceiling();
        law
    }

    /// Never goes above `limit`, whatever the capacity is.
    #[must_use]
    pub fn below(mut self, limit: WriteUnits) -> Self {
        self.limit = limit.get() as f64;
        self.stay_below_the_ceiling();
        self
    }

    /// The rate now, in units per second.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The capacity of which it leaves a part, in units per second.
    pub fn capacity(&self) -> Option<f64> {
        match &self.capacity {
            Capacity::Described(units) => Some(*units),
            Capacity::Measured(greatest) => Some(greatest.units),
            Capacity::Searched(search) => search.capacity(),
        }
    }

    /// Goes on from `rate`, which somebody else has chosen, or from its ceiling if that is lower. It does not go above it
    /// until another is chosen.
    pub fn set_rate(&mut self, rate: WriteUnits) {
        self.chosen = rate.get() as f64;
        self.rate = self.chosen;
        self.stay_below_the_ceiling();
    }

    /// Goes on with the headroom and below the limit of `law`, and above what somebody has chosen.
    pub(super) fn change_to(&mut self, law: &Self) {
        self.headroom = law.headroom;
        self.limit = law.limit;
        self.chosen = GREATEST_RATE;
        self.stay_below_the_ceiling();
    }

    /// Learns from an answer that came at `now`. After a refusal it asks for a pause.
    pub fn observe(&mut self, now: Duration, observation: &Observation) -> Option<Duration> {
        let elapsed = now.saturating_sub(self.seen.replace(now).unwrap_or(now));
        if let Capacity::Searched(search) = &mut self.capacity {
            let pause = search.observe(now, observation);
            if pause.is_some() {
                let found = search.capacity().unwrap_or_else(|| search.rate());
                self.capacity = Capacity::Measured(Box::new(Greatest {
                    estimate: CapacityEstimate::default(),
                    units: found,
                    at: now,
                }));
                self.pauses.begin(now, FIRST_PAUSE);
                self.rate = self.ceiling() * YIELD;
            } else {
                self.rate = search.rate();
            }
            self.stay_below_the_ceiling();
            return pause;
        }
        if let Capacity::Measured(greatest) = &mut self.capacity {
            let held_back = if observation.waited {
                elapsed
            } else {
                Duration::ZERO
            };
            let estimate = &mut greatest.estimate;
            estimate.written(now, observation.units, observation.written_ops, held_back);
        }
        if observation.refused_ops > 0 {
            return (!self.pauses.is_echo(observation.sent)).then(|| self.give_way(now));
        }
        if observation.written_ops > 0 {
            self.pauses.clean(observation.sent);
        }
        self.rate += self.ceiling() * YIELD * elapsed.as_secs_f64() / RETURN;
        self.stay_below_the_ceiling();
        None
    }

    fn give_way(&mut self, now: Duration) -> Duration {
        let rate = self.rate;
        if let Capacity::Measured(greatest) = &mut self.capacity {
            greatest.refused(now, rate);
        }
        self.rate *= YIELD;
        self.stay_below_the_ceiling();
        self.pauses.begin(now, FIRST_PAUSE)
    }

    fn ceiling(&self) -> f64 {
        let share = match &self.capacity {
            Capacity::Described(units) => units * (1.0 - self.headroom),
            Capacity::Measured(greatest) => greatest.units * (1.0 - self.headroom),
            Capacity::Searched(search) => search.rate(),
        };
        share.min(self.limit).min(self.chosen)
    }

    fn stay_below_the_ceiling(&mut self) {
        self.rate = self.rate.min(self.ceiling()).max(LEAST_RATE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Duration = Duration::from_millis(100);

    fn answers(law: &mut YieldingRate, from: u32, to: u32) {
        for tenth in from..to {
            let observation = Observation {
                sent: TENTH * tenth,
                units: law.rate() / 10.0,
                written_ops: 100,
                waited: true,
                ..Observation::default()
            };
            assert_eq!(law.observe(TENTH * (tenth + 1), &observation), None);
        }
    }

    fn refuse(law: &mut YieldingRate, tenth: u32) -> Option<Duration> {
        let refused = Observation {
            sent: TENTH * tenth,
            refused_ops: 1,
            waited: true,
            ..Observation::default()
        };
        law.observe(TENTH * tenth + TENTH / 2, &refused)
    }

    fn about(rate: f64, expected: f64) {
        assert!(
            (rate / expected - 1.0).abs() < 0.03,
            "{rate} for {expected}"
        );
    }

    #[test]
    fn it_never_asks_for_the_headroom() {
        let mut law = YieldingRate::new(Some(WriteUnits::new(1_000)), 0.1);
        about(law.rate(), 900.0);
        answers(&mut law, 0, 1_000);
        about(law.rate(), 900.0);
    }

    #[test]
    fn a_refusal_halves_it_and_the_way_back_is_slow() {
        let mut law = YieldingRate::new(Some(WriteUnits::new(1_000)), 0.1);
        assert_eq!(refuse(&mut law, 10), Some(FIRST_PAUSE));
        about(law.rate(), 450.0);
        answers(&mut law, 11, 111);
        about(law.rate(), 675.0);
        answers(&mut law, 111, 311);
        about(law.rate(), 900.0);
    }

    #[test]
    fn an_unknown_capacity_is_searched_and_then_left_in_part() {
        let mut law = YieldingRate::new(None, 0.2);
        answers(&mut law, 0, 21);
        about(law.rate(), 1_600.0);
        assert!(refuse(&mut law, 22).is_some());
        let capacity = law.capacity().unwrap();
        about(law.rate(), capacity * 0.8 * YIELD);
        answers(&mut law, 23, 500);
        about(law.rate(), capacity * 0.8);
    }

    #[test]
    fn a_rate_that_is_chosen_is_the_most_until_another_is() {
        let mut law = YieldingRate::new(Some(WriteUnits::new(1_000)), 0.1);
        law.set_rate(WriteUnits::new(300));
        answers(&mut law, 0, 1_000);
        about(law.rate(), 300.0);
        law.set_rate(WriteUnits::new(5_000));
        about(law.rate(), 900.0);
    }

    #[test]
    fn a_headroom_that_is_no_number_leaves_nothing() {
        let law = YieldingRate::new(Some(WriteUnits::new(1_000)), f64::NAN);
        about(law.rate(), 1_000.0);
    }

    #[test]
    fn the_greatest_estimate_fades_over_minutes() {
        let mut greatest = Greatest {
            estimate: CapacityEstimate::described(500.0),
            units: 1_000.0,
            at: Duration::ZERO,
        };
        greatest.refused(Duration::from_mins(5), 500.0);
        about(greatest.units, 707.0);
        greatest.refused(Duration::from_hours(1), 500.0);
        assert!(greatest.units <= 500.0, "{}", greatest.units);
    }

    #[test]
    fn a_limit_holds_besides_the_capacity() {
        let law = YieldingRate::new(Some(WriteUnits::new(1_000)), 0.1);
        about(law.below(WriteUnits::new(500)).rate(), 500.0);
    }
}
