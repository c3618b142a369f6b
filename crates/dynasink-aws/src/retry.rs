//! When to send an operation again, and when to give up.

use std::time::Duration;

use tokio::time::Instant;

use crate::classify::Cause;
use crate::retry_budget::RetryBudget;

/// Waits between attempts: full jitter, so that clients that failed together do not come back together.
///
/// The nth wait is drawn between zero and `base × 2ⁿ`, at most `cap`.
///
/// Source: *Error retries and exponential backoff in AWS*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound of the first wait.
    pub base: Duration,
    /// The bound of all waits.
    pub cap: Duration,
    /// Most failures of this kind that one operation may have.
    pub max_attempts: u32,
    /// Longest time for which one operation may fail in this way again and again. Each request that fails in
    /// another way starts it anew.
    pub max_elapsed: Duration,
}

impl Backoff {
    /// The wait after `attempts` failures, with `jitter` drawn evenly from 0 to 1.
    pub fn wait(&self, attempts: u32, jitter: f64) -> Duration {
        let doublings = attempts.saturating_sub(1).min(30);
        let bound = self.base.saturating_mul(1 << doublings).min(self.cap);
        Duration::try_from_secs_f64(bound.as_secs_f64() * jitter.clamp(0.0, 1.0)).unwrap_or(bound)
    }

    /// Whether an operation that has failed `attempts` times, for `elapsed` without a break, is given up.
    pub fn is_exhausted(&self, attempts: u32, elapsed: Duration) -> bool {
        attempts >= self.max_attempts || elapsed >= self.max_elapsed
    }
}

/// How often and how long to try, by cause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// For operations refused for want of capacity, which comes back by itself.
    pub throttled: Backoff,
    /// For failures of the service or of the way to it.
    pub failed: Backoff,
    /// How many requests may carry operations that have failed.
    pub budget: RetryBudget,
    /// The longest wait that the service is granted where it asks for one, as with `Retry-After`. The backoff's wait
    /// comes on top, so that clients that were sent away together do not come back together.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// Refused operations are tried for 15 minutes, failed ones for 5.
    ///
    /// A refusal ends when capacity comes back, as after a table's scaling, which takes minutes; a failure of
    /// the service for minutes is an outage, and whoever runs the load should know.
    ///
    /// A wait that the service asks for is granted up to a minute: no fault of a proxy's parks a load for hours.
    fn default() -> Self {
        Self {
            throttled: Backoff {
                base: Duration::from_millis(50),
                cap: Duration::from_secs(20),
                max_attempts: 500,
                max_elapsed: Duration::from_mins(15),
            },
            failed: Backoff {
                base: Duration::from_millis(50),
                cap: Duration::from_secs(10),
                max_attempts: 50,
                max_elapsed: Duration::from_mins(5),
            },
            budget: RetryBudget::default(),
            max_retry_after: Duration::from_mins(1),
        }
    }
}

impl RetryPolicy {
    /// The backoff for a failure of that cause.
    pub fn backoff(&self, cause: &Cause) -> &Backoff {
        match FailureKind::of(cause) {
            FailureKind::Throttled => &self.throttled,
            FailureKind::Failed => &self.failed,
        }
    }
}

/// The kinds of failures that have a [`Backoff`] of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureKind {
    Throttled,
    Failed,
}

impl FailureKind {
    fn of(cause: &Cause) -> Self {
        match cause {
            Cause::Throttled(_) | Cause::Conflict => Self::Throttled,
            _ => Self::Failed,
        }
    }
}

/// The failures of one operation, counted by kind: an operation that was refused for minutes has not used up
/// the patience for a connection that breaks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    throttled: u32,
    failed: u32,
    /// The kind of the last failures, and when the request of the first of them was sent.
    run: Option<(FailureKind, Instant)>,
}

impl Failures {
    /// Counts the failure of a request that was sent at `sent`.
    pub(crate) fn note(&mut self, cause: &Cause, sent: Instant) {
        let kind = FailureKind::of(cause);
        match kind {
            FailureKind::Throttled => self.throttled += 1,
            FailureKind::Failed => self.failed += 1,
        }
        if self.run.is_none_or(|(last, _)| last != kind) {
            self.run = Some((kind, sent));
        }
    }

    /// How often it has failed in the way of `cause`.
    pub(crate) fn attempts(&self, cause: &Cause) -> u32 {
        match FailureKind::of(cause) {
            FailureKind::Throttled => self.throttled,
            FailureKind::Failed => self.failed,
        }
    }

    /// Takes `wait` off the time for which it has failed: it was held back, and nobody tried.
    pub(crate) fn excuse(&mut self, wait: Duration) {
        if let Some((_, since)) = &mut self.run {
            *since = later(*since, wait);
        }
    }

    /// Whether its last request failed, and was not refused.
    pub(crate) fn last_was_a_failure(&self) -> bool {
        matches!(self.run, Some((FailureKind::Failed, _)))
    }

    /// For how long it has failed in the way of the last failure.
    pub(crate) fn elapsed(&self) -> Duration {
        self.run
            .map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }
}

/// `wait` after `now`, or as late as a clock can tell.
pub(crate) fn later(now: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_hours(24 * 365);
    now.checked_add(wait).unwrap_or_else(|| now + FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_jitter_is_full() {
        let backoff = RetryPolicy::default().throttled;
        for (attempts, bound) in [
            (1, 50),
            (2, 100),
            (5, 800),
            (10, 20_000),
            (u32::MAX, 20_000),
        ] {
            assert_eq!(
                backoff.wait(attempts, 1.0),
                Duration::from_millis(bound),
                "{attempts}"
            );
            assert_eq!(backoff.wait(attempts, 0.0), Duration::ZERO);
            assert_eq!(
                backoff.wait(attempts, 0.5),
                Duration::from_millis(bound / 2)
            );
        }
    }

    #[test]
    fn no_setting_makes_a_wait_panic() {
        let endless = Backoff {
            base: Duration::MAX,
            cap: Duration::MAX,
            max_attempts: u32::MAX,
            max_elapsed: Duration::MAX,
        };
        for jitter in [0.0, 0.999_999, 1.0, f64::INFINITY, f64::NAN, -1.0] {
            let (now, wait) = (Instant::now(), endless.wait(u32::MAX, jitter));
            assert!(later(now, wait) >= now);
        }
    }

    #[test]
    fn no_failures_wait_like_one() {
        let backoff = RetryPolicy::default().failed;
        assert_eq!(backoff.wait(0, 1.0), backoff.wait(1, 1.0));
    }

    #[test]
    fn conflicts_wait_like_refusals_and_all_else_like_failures() {
        let policy = RetryPolicy::default();
        for cause in [Cause::Throttled(Vec::new()), Cause::Conflict] {
            assert_eq!(policy.backoff(&cause), &policy.throttled);
        }
        for cause in [Cause::Internal, Cause::Unreachable] {
            assert_eq!(policy.backoff(&cause), &policy.failed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_of_failure_is_counted_for_itself() {
        let (throttled, broken) = (Cause::Throttled(Vec::new()), Cause::Unreachable);
        let mut failures = Failures::default();
        for _ in 0..100 {
            failures.note(&throttled, Instant::now());
            tokio::time::advance(Duration::from_secs(6)).await;
        }
        assert_eq!(failures.elapsed(), Duration::from_mins(10));
        let sent = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        failures.note(&broken, sent);
        assert_eq!(failures.attempts(&throttled), 100);
        assert_eq!(failures.attempts(&broken), 1);
        assert_eq!(failures.elapsed(), Duration::from_secs(1));
        let policy = RetryPolicy::default();
        let backoff = policy.backoff(&broken);
        assert!(!backoff.is_exhausted(failures.attempts(&broken), failures.elapsed()));
    }

    #[test]
    fn giving_up_is_bounded_by_attempts_and_by_time() {
        let backoff = RetryPolicy::default().failed;
        assert!(!backoff.is_exhausted(49, Duration::from_secs(299)));
        assert!(backoff.is_exhausted(50, Duration::ZERO));
        assert!(backoff.is_exhausted(1, Duration::from_mins(5)));
    }
}
