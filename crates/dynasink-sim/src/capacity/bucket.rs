//! Units that come at a rate and are saved up to a depth.

use std::time::Duration;

use dynasink_core::WriteUnits;

use super::settings::Admit;

/// One unit. Levels are counted in billionths, so that a rate in units per second times nanoseconds is exact: what
/// a bucket holds does not depend on how often it was looked at.
const UNIT: i128 = 1_000_000_000;

/// A token bucket of write units.
///
/// Its depth is a time: so much of its rate can be saved up. Its level can fall below zero, into debt, and then
/// nothing is admitted until the rate has paid it back.
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    rate: u64,
    depth: Duration,
    level: i128,
    filled_at: Duration,
}

impl TokenBucket {
    /// A bucket with `saved` of its rate in it, at most its depth. A rate of zero counts as one unit per second,
    /// and a depth below one second as one: less could never fill.
    pub(super) fn new(rate: WriteUnits, depth: Duration, saved: Duration, now: Duration) -> Self {
        let mut bucket = Self {
            rate: rate.get().max(1),
            depth: depth.max(Duration::from_secs(1)),
            level: 0,
            filled_at: now,
        };
        bucket.level = bucket.worth(saved).min(bucket.capacity());
        bucket
    }

    /// Units per second.
    pub(super) fn rate(&self) -> WriteUnits {
        WriteUnits::new(self.rate)
    }

    /// What `time` of its rate amounts to.
    fn worth(&self, time: Duration) -> i128 {
        let nanos = i128::try_from(time.as_nanos()).unwrap_or(i128::MAX);
        i128::from(self.rate).saturating_mul(nanos)
    }

    fn capacity(&self) -> i128 {
        self.worth(self.depth)
    }

    /// Adds what has come since it was last filled. A time in the past adds nothing.
    pub(super) fn refill(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.filled_at);
        self.filled_at = self.filled_at.max(now);
        let filled = self.level.saturating_add(self.worth(elapsed));
        self.level = filled.min(self.capacity());
    }

    /// Whether `units` may be taken, as of the last refill, if the bucket may be overdrawn by `overdraft` of its
    /// rate: for [`Admit::Debt`] with one unit left, or the whole cost if that is less; for [`Admit::Strict`] with
    /// the whole cost.
    pub(super) fn admits(&self, units: u64, admit: Admit, overdraft: Duration) -> bool {
        let needed = match admit {
            Admit::Debt => units.min(1),
            Admit::Strict => units,
        };
        let available = self.level.saturating_add(self.worth(overdraft));
        available >= i128::from(needed) * UNIT
    }

    /// Takes `units`, into debt if there are fewer.
    pub(super) fn take(&mut self, units: u64) {
        self.level = self.level.saturating_sub(i128::from(units) * UNIT);
    }

    /// Takes `units` at `now` if they may be taken without an overdraft.
    #[cfg(test)]
    pub(super) fn try_take(&mut self, now: Duration, units: u64, admit: Admit) -> bool {
        self.refill(now);
        let admitted = self.admits(units, admit, Duration::ZERO);
        if admitted {
            self.take(units);
        }
        admitted
    }

    /// Changes the rate at `now`. What was saved stays, within the new depth; so does a debt.
    pub(super) fn set_rate(&mut self, now: Duration, rate: WriteUnits) {
        self.refill(now);
        self.rate = rate.get().max(1);
        self.level = self.level.min(self.capacity());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket(rate: u64, depth: u64, saved: u64) -> TokenBucket {
        let [depth, saved] = [depth, saved].map(Duration::from_secs);
        TokenBucket::new(WriteUnits::new(rate), depth, saved, Duration::ZERO)
    }

    /// Takes one unit after another until one is refused.
    fn drain(bucket: &mut TokenBucket, now: Duration) -> u64 {
        let mut taken = 0;
        while bucket.try_take(now, 1, Admit::Debt) {
            taken += 1;
        }
        taken
    }

    #[test]
    fn it_saves_its_rate_up_to_its_depth() {
        let mut bucket = bucket(10, 5, 0);
        assert_eq!(drain(&mut bucket, Duration::ZERO), 0);
        assert_eq!(drain(&mut bucket, SECOND), 10);
        assert_eq!(drain(&mut bucket, SECOND * 100), 50);
    }

    #[test]
    fn what_it_holds_does_not_depend_on_how_often_it_is_looked_at() {
        let mut often = bucket(7, 300, 0);
        let mut once = often.clone();
        for nanos in (0..=SECOND.as_nanos()).step_by(999_983) {
            often.refill(Duration::from_nanos(u64::try_from(nanos).unwrap()));
        }
        once.refill(SECOND);
        often.refill(SECOND);
        assert_eq!(once.level, often.level);
        assert_eq!(once.level, 7 * UNIT);
    }

    #[test]
    fn a_debt_is_paid_back_before_anything_is_admitted() {
        let mut bucket = bucket(5, 300, 1);
        assert!(bucket.try_take(Duration::ZERO, 400, Admit::Debt));
        assert!(!bucket.try_take(SECOND * 79, 1, Admit::Debt));
        assert!(!bucket.try_take(Duration::from_millis(79_199), 1, Admit::Debt));
        assert!(bucket.try_take(Duration::from_millis(79_200), 400, Admit::Debt));
    }

    #[test]
    fn a_strict_bucket_needs_the_whole_cost() {
        let mut bucket = bucket(5, 300, 1);
        assert!(!bucket.try_take(SECOND * 78, 400, Admit::Strict));
        assert!(bucket.try_take(SECOND * 79, 400, Admit::Strict));
        assert!(
            !bucket.try_take(SECOND * 10_000, 1501, Admit::Strict),
            "a cost above the depth is never admitted"
        );
    }

    #[test]
    fn an_overdraft_admits_so_much_of_the_rate_more() {
        let mut bucket = bucket(10, 5, 0);
        let mut taken = 0;
        while bucket.admits(1, Admit::Strict, SECOND * 3) {
            bucket.take(1);
            taken += 1;
        }
        assert_eq!(taken, 30);
    }

    #[test]
    fn a_new_rate_keeps_savings_within_its_depth_and_debts_whole() {
        let mut saved = bucket(100, 10, 10);
        saved.set_rate(SECOND, WriteUnits::new(10));
        assert_eq!(drain(&mut saved, SECOND), 100);

        let mut saved = bucket(10, 10, 10);
        saved.set_rate(Duration::ZERO, WriteUnits::new(1000));
        assert_eq!(
            drain(&mut saved, Duration::ZERO),
            100,
            "a higher rate is no reason for a burst"
        );

        let mut indebted = bucket(10, 10, 1);
        indebted.take(110);
        indebted.set_rate(Duration::ZERO, WriteUnits::new(100));
        assert_eq!(drain(&mut indebted, SECOND), 0);
        assert_eq!(drain(&mut indebted, SECOND * 2), 100);
    }

    #[test]
    fn time_that_goes_back_adds_nothing() {
        let mut bucket = bucket(10, 5, 0);
        bucket.refill(SECOND);
        bucket.refill(Duration::ZERO);
        bucket.refill(SECOND);
        assert_eq!(drain(&mut bucket, SECOND), 10);
    }

    #[test]
    fn extremes_neither_overflow_nor_admit_nothing() {
        let mut largest = TokenBucket::new(
            WriteUnits::new(u64::MAX),
            Duration::MAX,
            Duration::MAX,
            Duration::ZERO,
        );
        assert!(largest.try_take(Duration::MAX, u64::MAX, Admit::Strict));
        let mut smallest = bucket(0, 0, 300);
        assert_eq!(drain(&mut smallest, Duration::ZERO), 1);
    }

    #[test]
    fn no_window_sees_more_than_depth_and_rate_and_one_debt() {
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (rate, depth) = (random.u64(1..200), random.u64(1..20));
            let admit = [Admit::Debt, Admit::Strict][random.usize(..2)];
            let mut bucket = bucket(rate, depth, random.u64(..30));
            let mut now = Duration::ZERO;
            let mut admitted: Vec<(Duration, u64)> = Vec::new();
            for _ in 0..300 {
                now += Duration::from_nanos(random.u64(..500_000_000));
                let units = random.u64(1..=400);
                if bucket.try_take(now, units, admit) {
                    admitted.push((now, units));
                }
            }
            let debt = match admit {
                Admit::Debt => 400 - 1,
                Admit::Strict => 0,
            };
            for (start, (from, _)) in admitted.iter().enumerate() {
                let mut total = 0;
                for (to, units) in admitted.iter().skip(start) {
                    total += units;
                    let nanos = i128::try_from(to.saturating_sub(*from).as_nanos()).unwrap();
                    let most = i128::from(rate) * nanos + i128::from(rate * depth + debt) * UNIT;
                    assert!(i128::from(total) * UNIT <= most, "seed {seed}");
                }
            }
        }
    }
}
