//! One budget of units per second for all who write: fresh batches and retries.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynasink_core::{Admission, CapacityFeedback, CapacityObserver, WriteCost, WriteUnits};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter as Governor};
use tokio::time::Instant;

use super::auto::AutoRate;

/// The part of a second whose units the bucket holds, and as many may have come back to be spent again: together a
/// tenth of a second's units may pass at once.
///
/// That keeps every second close to the rate, and each half is well above the millisecond of tokio's timer.
const BURST_PER_SECOND: u32 = 20;

/// A budget of write capacity units per second, on [`governor`]. Clones share it.
///
/// - **Rate and burst**: units per second; at most a tenth of a second's units pass at once, so that no second
///   sees more than 1.1 times the rate, plus one request. Half of that is what a rested limiter has, and half is
///   for units that come back. A request that costs more than its half waits until the whole of its cost has been
///   saved up; it never hangs and never passes on credit.
/// - **Settling**: the service's `ConsumedCapacity` corrects the prediction. Units of refused operations and
///   overestimates come back, up to half a burst; underestimates are paid by whoever comes next.
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
        Self::new(rate, None)
    }

    /// A rate that finds the table's capacity and follows it: see [`AutoRate`].
    pub fn auto(law: AutoRate) -> Self {
        Self::new(law.rate(), Some(law))
    }

    fn new(rate: WriteUnits, law: Option<AutoRate>) -> Self {
        let clock = TokioClock {
            start: Instant::now(),
        };
        let auto = law.map(|law| Auto {
            law,
            period_start: Instant::now(),
        });
        Self(Arc::new(Mutex::new(Budget {
            bucket: bucket(rate, clock),
            clock,
            rate,
            saved: 0,
            debt: 0,
            auto,
        })))
    }

    /// The rate now, in units per second.
    pub fn rate(&self) -> WriteUnits {
        self.budget().rate
    }

    /// Changes the rate while batches pass. An automatic rate stays automatic and goes on from here.
    pub fn set_rate(&self, rate: WriteUnits) {
        let mut budget = self.budget();
        if let Some(auto) = &mut budget.auto {
            auto.law.set_rate(rate);
        }
        budget.change_rate(rate);
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission for RateLimiter {
    fn try_admit(&self, cost: &WriteCost) -> Result<(), Duration> {
        self.budget().try_take(cost.units().get())
    }

    fn give_back(&self, cost: &WriteCost) {
        self.budget().take_back(cost.units().get());
    }

    fn rate(&self) -> Option<WriteUnits> {
        Some(self.budget().rate)
    }
}

impl CapacityObserver for RateLimiter {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.budget().settle(feedback);
    }
}

type Bucket = Governor<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;

#[derive(Debug)]
struct Budget {
    bucket: Bucket,
    clock: TokioClock,
    rate: WriteUnits,
    /// Units taken from the bucket and not yet spent: savings for a large cost, and what came back.
    saved: u64,
    /// Units spent beyond what was taken from the bucket.
    debt: u64,
    auto: Option<Auto>,
}

#[derive(Debug)]
struct Auto {
    law: AutoRate,
    period_start: Instant,
}

impl Budget {
    fn burst(&self) -> u64 {
        u64::from(burst(self.rate).get())
    }

    fn try_take(&mut self, cost: u64) -> Result<(), Duration> {
        let cost = cost + self.debt;
        while self.saved < cost {
            let portion = u32::try_from((cost - self.saved).min(self.burst()))
                .ok()
                .and_then(NonZeroU32::new);
            let Some(portion) = portion else { break };
            match self.bucket.check_n(portion) {
                Ok(Ok(())) => self.saved += u64::from(portion.get()),
                Ok(Err(not_until)) => return Err(not_until.wait_time_from(self.clock.now())),
                // A portion is never above the burst.
                Err(_insufficient) => break,
            }
        }
        self.saved = self.saved.saturating_sub(cost);
        self.debt = 0;
        Ok(())
    }

    fn settle(&mut self, feedback: &CapacityFeedback) {
        let (predicted, consumed) = (feedback.written.units().get(), feedback.table_units().get());
        self.debt += consumed.saturating_sub(predicted);
        let returned = feedback.unwritten.units().get() + predicted.saturating_sub(consumed);
        self.take_back(returned);
        let now = Instant::now();
        if let Some(auto) = &mut self.auto {
            auto.law.observe(feedback);
            let elapsed = now - auto.period_start;
            if elapsed >= AutoRate::PERIOD {
                auto.period_start = now;
                let rate = auto.law.end_period(elapsed);
                self.change_rate(rate);
            }
        }
    }

    /// What comes back is spent again, up to a burst.
    fn take_back(&mut self, units: u64) {
        self.saved += units.min(self.burst().saturating_sub(self.saved));
    }

    fn change_rate(&mut self, rate: WriteUnits) {
        if rate == self.rate {
            return;
        }
        self.rate = rate;
        self.bucket = bucket(rate, self.clock);
        // A new bucket is full, and a change of rate is no reason for a burst.
        let emptied = self.bucket.check_n(burst(rate));
        debug_assert!(matches!(emptied, Ok(Ok(()))));
        self.saved = self.saved.min(self.burst());
    }
}

fn bucket(rate: WriteUnits, clock: TokioClock) -> Bucket {
    let per_second =
        NonZeroU32::new(u32::try_from(rate.get()).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
    Governor::direct_with_clock(
        Quota::per_second(per_second).allow_burst(burst(rate)),
        clock,
    )
}

fn burst(rate: WriteUnits) -> NonZeroU32 {
    let per_second = u32::try_from(rate.get()).unwrap_or(u32::MAX);
    NonZeroU32::new(per_second / BURST_PER_SECOND).unwrap_or(NonZeroU32::MIN)
}

/// Tokio's clock for the governor, so that paused time works.
#[derive(Clone, Copy, Debug)]
struct TokioClock {
    start: Instant,
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{ConsumedCapacity, TableName};

    use super::*;

    fn units(units: u64) -> WriteUnits {
        WriteUnits::new(units)
    }

    fn of_table(units: u64) -> WriteCost {
        WriteCost::of_table(WriteUnits::new(units))
    }

    /// Takes `cost` as often as it is to be had in `seconds`, and says how often.
    async fn admissions(limiter: &RateLimiter, cost: u64, seconds: u64) -> u64 {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut admitted = 0;
        loop {
            match limiter.try_admit(&of_table(cost)) {
                Ok(()) => admitted += 1,
                Err(wait) => {
                    if Instant::now() + wait >= end {
                        return admitted;
                    }
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_kept_and_used() {
        for (rate, cost) in [(100, 1), (100, 25), (1000, 25), (7, 3), (40_000, 25)] {
            let limiter = RateLimiter::fixed(units(rate));
            let used = admissions(&limiter, cost, 60).await * cost;
            let (least, most) = (rate * 60 * 98 / 100 - cost, rate * 60 + rate / 10 + 1);
            assert!(
                (least..=most).contains(&used),
                "rate {rate}, cost {cost}: used {used} of {least}..={most}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cost_above_the_burst_waits_for_the_whole_of_it() {
        let limiter = RateLimiter::fixed(units(5));
        let start = Instant::now();
        while let Err(wait) = limiter.try_admit(&of_table(400)) {
            assert!(wait > Duration::ZERO);
            tokio::time::sleep(wait).await;
        }
        let waited = start.elapsed().as_secs();
        assert!(
            (79..=81).contains(&waited),
            "{waited} s for 400 units at 5 a second"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_comes_back_up_to_a_burst() {
        let limiter = RateLimiter::fixed(units(100));
        limiter.try_admit(&of_table(5)).unwrap();
        assert!(limiter.try_admit(&of_table(5)).is_err());
        let refused = CapacityFeedback {
            throttled_ops: 1,
            unwritten: WriteCost::of_table(units(1000)),
            ..CapacityFeedback::default()
        };
        limiter.observe(&refused);
        assert!(limiter.try_admit(&of_table(5)).is_ok());
        assert!(
            limiter.try_admit(&of_table(5)).is_err(),
            "of a thousand units, five came back"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_cost_more_than_predicted_is_paid_later() {
        let limiter = RateLimiter::fixed(units(100));
        limiter.try_admit(&of_table(5)).unwrap();
        let dearer = CapacityFeedback {
            written_ops: 1,
            written: WriteCost::of_table(units(5)),
            consumed: vec![ConsumedCapacity {
                table: TableName::new("users").unwrap(),
                table_units: units(105),
                index_units: Vec::new(),
            }],
            ..CapacityFeedback::default()
        };
        limiter.observe(&dearer);
        let start = Instant::now();
        while let Err(wait) = limiter.try_admit(&of_table(1)) {
            tokio::time::sleep(wait).await;
        }
        let waited = start.elapsed().as_millis();
        assert!(
            (900..=1100).contains(&waited),
            "{waited} ms for a debt of 100 units at 100 a second"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_of_rate_takes_effect_without_a_burst() {
        let limiter = RateLimiter::fixed(units(10));
        admissions(&limiter, 1, 5).await;
        limiter.set_rate(units(1000));
        assert!(limiter.try_admit(&of_table(20)).is_err());
        let used = admissions(&limiter, 10, 10).await * 10;
        assert!((9_800..=10_100).contains(&used), "{used}");
    }
}
