//! Read units at a rate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// What may be read at once after a pause: a tenth of a second's units, so that no second is far above the rate.
const BURST: Duration = Duration::from_millis(100);

/// The shortest wait that the timer can tell from none.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// Holds reads to a number of read capacity units per second. Clones share one rate.
///
/// What a read costs is known when it is answered, so each may go while nothing is owed: it is charged for what it will
/// cost at least, and for the rest when it has come. On average the rate holds, whatever the size of the items.
#[derive(Clone, Debug, Default)]
pub struct ReadLimiter(Option<Arc<Mutex<Bucket>>>);

impl ReadLimiter {
    /// No limit but the service's own.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// At most that many units per second; a rate that is not above zero is no limit.
    pub fn new(units_per_second: f64) -> Self {
        let is_rate = units_per_second.is_finite() && units_per_second > 0.0;
        Self(is_rate.then(|| Arc::new(Mutex::new(Bucket::new(units_per_second, Instant::now())))))
    }

    /// Ready when a read may go that costs `least` units at least, which are spent then.
    pub(super) async fn admit(&self, least: f64) {
        let Some(bucket) = &self.0 else { return };
        loop {
            let taken = lock(bucket).try_take(least, Instant::now());
            match taken {
                Ok(()) => return,
                Err(wait) => sleep(wait.max(LEAST_WAIT)).await,
            }
        }
    }

    /// Settles a read that was admitted for `least` units and has consumed `consumed`.
    pub(super) fn settle(&self, least: f64, consumed: f64) {
        if let Some(bucket) = &self.0 {
            lock(bucket).balance += least - consumed.max(0.0);
        }
    }
}

fn lock(bucket: &Mutex<Bucket>) -> std::sync::MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Units that come at a rate and can be owed.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    balance: f64,
    at: Instant,
}

impl Bucket {
    fn new(rate: f64, now: Instant) -> Self {
        Self {
            rate,
            balance: rate * BURST.as_secs_f64(),
            at: now,
        }
    }

    /// Takes `units` if nothing is owed, or says how long it takes until that is so.
    fn try_take(&mut self, units: f64, now: Instant) -> Result<(), Duration> {
        let came = self.rate * now.saturating_duration_since(self.at).as_secs_f64();
        self.balance = (self.balance + came).min(self.rate * BURST.as_secs_f64());
        self.at = now;
        if self.balance > 0.0 {
            self.balance -= units;
            return Ok(());
        }
        let wait = Duration::try_from_secs_f64(-self.balance / self.rate);
        Err(wait.unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reads_keep_to_the_rate_by_what_they_turn_out_to_cost() {
        let limiter = ReadLimiter::new(100.0);
        let start = Instant::now();
        for _ in 0..50 {
            limiter.admit(5.0).await;
            limiter.settle(5.0, 20.0);
        }
        // 1,000 units, of which the last 20 are still owed, and the burst was there.
        let took = start.elapsed().as_secs_f64();
        assert!((9.5..10.1).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_saves_no_more_than_a_burst() {
        let limiter = ReadLimiter::new(100.0);
        sleep(Duration::from_hours(1)).await;
        let start = Instant::now();
        for _ in 0..30 {
            limiter.admit(10.0).await;
        }
        assert!(start.elapsed() >= Duration::from_millis(2_700));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits() {
        let start = Instant::now();
        for limiter in [ReadLimiter::unlimited(), ReadLimiter::new(0.0)] {
            for _ in 0..1_000 {
                limiter.admit(1_000.0).await;
            }
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
