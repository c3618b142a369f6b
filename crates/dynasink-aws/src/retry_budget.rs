//! How many requests may carry operations that have failed, so that a failing endpoint is not stormed.

use std::time::Duration;

use tokio::time::Instant;

use crate::classify::{Cause, Retry};
use crate::retry::later;

/// The grain of tokio's timer.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The slowest that a balance grows by itself: what waits for it does not wait for ever.
const LEAST_PER_SECOND: f64 = 0.1;

/// Bounds the requests that carry operations again after a failure: a status of 500 and above, a timeout, a broken
/// connection. Refusals for want of capacity are the rate limiter's affair and are not counted.
///
/// The law: there is a balance, full at the start.
///
/// - A request with an operation in it that has failed takes one from the balance. Where there is less than
///   one, such operations wait, and others go without them.
/// - The request gives it back if it does not fail in its turn.
/// - Each request that the service takes adds `per_success`, each second adds `per_second`, up to `reserve`.
///
/// So an endpoint that does nothing but fail sees at most `reserve + per_second × t` such requests in `t` seconds,
/// however many there are in flight and whatever the backoff. While fewer than a third of the requests fail, at
/// random, the balance stays full and nobody waits. After an outage each success pays for the next, so that the
/// waiting operations go out ever faster.
///
/// An operation that waits is tried as often and as long as [`Backoff`](crate::Backoff) has it; the wait counts.
///
/// Source: the budgets of Finagle (`RetryBudget`) and tower (`retry::budget`), and the AWS SDKs' retry quota, which
/// gives back in the same way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// What a request adds that the service takes.
    pub per_success: f64,
    /// What a second adds. Less than one in ten seconds counts as that.
    pub per_second: f64,
    /// The most there can be, and what there is at the start; at least one. [`f64::INFINITY`] is no bound.
    pub reserve: f64,
}

impl Default for RetryBudget {
    /// One retry for five successes, as Finagle and tower have it; two a second, enough to notice soon that an
    /// endpoint is back; and a reserve of 50, which is the AWS SDKs' quota of 500 at 10 for a timeout.
    fn default() -> Self {
        Self {
            per_success: 0.2,
            per_second: 2.0,
            reserve: 50.0,
        }
    }
}

/// What is left of a [`RetryBudget`].
#[derive(Clone, Debug)]
pub(crate) struct RetryBalance {
    budget: RetryBudget,
    balance: f64,
    /// When `per_second` was last added.
    counted: Option<Instant>,
}

impl Default for RetryBalance {
    fn default() -> Self {
        Self::new(RetryBudget::default())
    }
}

impl RetryBalance {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        // `max` also turns what is not a number into one.
        let budget = RetryBudget {
            per_success: budget.per_success.max(0.0),
            per_second: budget.per_second.max(LEAST_PER_SECOND),
            reserve: budget.reserve.max(1.0),
        };
        Self {
            budget,
            balance: budget.reserve,
            counted: None,
        }
    }

    /// Whether a request with failed operations may go at `now`, or when to ask again.
    pub(crate) fn check(&mut self, now: Instant) -> Result<(), Instant> {
        let last = self.counted.replace(now).unwrap_or(now);
        let elapsed = now.saturating_duration_since(last);
        self.add(elapsed.as_secs_f64() * self.budget.per_second);
        if self.balance >= 1.0 {
            return Ok(());
        }
        let wait = (1.0 - self.balance) / self.budget.per_second;
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(SHORTEST_WAIT);
        Err(later(now, wait.max(SHORTEST_WAIT)))
    }

    /// Notes that a request with failed operations goes.
    pub(crate) fn withdraw(&mut self) {
        self.balance = (self.balance - 1.0).max(0.0);
    }

    /// Notes what became of a request, which had `withdrawn` or not.
    pub(crate) fn settle(&mut self, withdrawn: bool, failure: Option<&Cause>) {
        if failure.is_some_and(is_failure) {
            return;
        }
        if withdrawn {
            self.add(1.0);
        }
        if failure.is_none() {
            self.add(self.budget.per_success);
        }
    }

    fn add(&mut self, amount: f64) {
        self.balance = (self.balance + amount).min(self.budget.reserve);
    }
}

/// Whether the service, or the way to it, has failed. It has not where it refuses.
fn is_failure(cause: &Cause) -> bool {
    cause.retry() == Retry::Backoff && !matches!(cause, Cause::Throttled(_) | Cause::Conflict)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn balance(per_success: f64, per_second: f64, reserve: f64) -> RetryBalance {
        RetryBalance::new(RetryBudget {
            per_success,
            per_second,
            reserve,
        })
    }

    /// How many requests may go at `now`.
    fn withdrawals(balance: &mut RetryBalance, now: Instant) -> usize {
        let may_go = |balance: &mut RetryBalance| {
            let may = balance.check(now).is_ok();
            if may {
                balance.withdraw();
            }
            may
        };
        (0..1_000).take_while(|_| may_go(balance)).count()
    }

    #[test]
    fn nothing_but_failures_is_bounded_by_the_reserve_and_the_time() {
        let (mut balance, start) = (RetryBalance::default(), Instant::now());
        let mut requests = 0;
        for tick in 0..=6_000 {
            let now = start + tick * SECOND / 100;
            let sent = withdrawals(&mut balance, now);
            (0..sent).for_each(|_| balance.settle(true, Some(&Cause::Unreachable)));
            requests += sent;
        }
        assert_eq!(requests, 50 + 2 * 60);
    }

    #[test]
    fn an_empty_balance_says_when_there_is_one_again() {
        let (mut balance, now) = (balance(0.5, 4.0, 1.0), Instant::now());
        assert_eq!(withdrawals(&mut balance, now), 1);
        assert_eq!(balance.check(now), Err(now + SECOND / 4));
        balance.settle(false, None);
        assert_eq!(balance.check(now), Err(now + SECOND / 8));
        assert_eq!(balance.check(now + SECOND / 8), Ok(()));
    }

    #[test]
    fn answers_add_and_give_back_by_what_they_say() {
        let cases = [
            (None, true, 1.2),
            (None, false, 0.2),
            (Some(Cause::Throttled(Vec::new())), true, 1.0),
            (Some(Cause::Throttled(Vec::new())), false, 0.0),
            (Some(Cause::Conflict), true, 1.0),
            (Some(Cause::Invalid), true, 1.0),
            (Some(Cause::ItemCollectionFull), true, 1.0),
            (Some(Cause::Internal), true, 0.0),
            (Some(Cause::Unreachable), true, 0.0),
            (Some(Cause::Unreachable), false, 0.0),
        ];
        for (failure, withdrawn, expected) in cases {
            let mut balance = balance(0.2, 1.0, 10.0);
            balance.balance = 0.0;
            balance.settle(withdrawn, failure.as_ref());
            assert!(
                (balance.balance - expected).abs() < 1e-9,
                "{failure:?} {withdrawn}"
            );
        }
    }

    #[test]
    fn no_more_is_saved_than_the_reserve() {
        let (mut balance, now) = (balance(1.0, 10.0, 3.0), Instant::now());
        assert_eq!(balance.check(now), Ok(()));
        (0..100).for_each(|_| balance.settle(true, None));
        assert_eq!(withdrawals(&mut balance, now + 60 * SECOND), 3);
    }

    #[test]
    fn no_setting_lets_an_operation_wait_for_ever() {
        for odd in [f64::NAN, -1.0, 0.0, f64::INFINITY] {
            let mut balance = balance(odd, odd, odd);
            let mut now = Instant::now();
            for _ in 0..10 {
                if let Err(until) = balance.check(now) {
                    assert!(until <= now + 11 * SECOND, "{odd}");
                    now = until + SHORTEST_WAIT;
                    assert_eq!(balance.check(now), Ok(()), "{odd}");
                }
                balance.withdraw();
            }
        }
    }

    #[test]
    fn an_infinite_reserve_is_no_bound() {
        let (mut balance, now) = (balance(0.2, 2.0, f64::INFINITY), Instant::now());
        assert_eq!(withdrawals(&mut balance, now), 1_000);
    }
}
