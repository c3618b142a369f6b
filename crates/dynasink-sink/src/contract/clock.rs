//! Paused Tokio time for stages with timers; nothing for the others.

use std::time::Duration;

use fastrand::Rng;
use tokio::runtime::{Builder, EnterGuard, Runtime};

/// The granularity of Tokio's timers.
const TICK: Duration = Duration::from_millis(1);

/// The longest wait is passed in about this many steps, so that time stops soon after a wake.
const SLICES: u32 = 8;

pub(super) struct Clock {
    timed: Option<Timed>,
}

struct Timed {
    runtime: Runtime,
    /// The longest wait. Time moves by whole ticks: a timer fires at a tick, and a stage that reads the
    /// clock in between would see time pass without a wake.
    max_ticks: u32,
}

impl Clock {
    /// # Panics
    ///
    /// When the operating system refuses a runtime.
    pub(super) fn new(max_wait: Option<Duration>) -> Self {
        let timed = max_wait.map(|max_wait| {
            let runtime = match Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
            {
                Ok(runtime) => runtime,
                Err(error) => panic!("a timed contract check needs a tokio runtime: {error}"),
            };
            let max_ticks =
                u32::try_from(max_wait.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u32::MAX);
            Timed { runtime, max_ticks }
        });
        Self { timed }
    }

    /// Makes the runtime the current one, so that timers can be made.
    pub(super) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.timed.as_ref().map(|timed| timed.runtime.enter())
    }

    /// Lets up to a third of the longest wait pass. `None` without time.
    pub(super) fn pass_some(&self, rng: &mut Rng) -> Option<Duration> {
        let timed = self.timed.as_ref()?;
        Some(timed.advance(rng.u32(1..=(timed.max_ticks / 3).max(1))))
    }

    /// Lets time pass until `done`, at most the longest wait. `None` without time.
    pub(super) fn pass_until(&self, done: impl Fn() -> bool) -> Option<Duration> {
        let timed = self.timed.as_ref()?;
        let slice = (timed.max_ticks / SLICES).max(1);
        let mut passed = Duration::ZERO;
        // One tick more than the wait, since a sleep ends at a full tick.
        let mut left = timed.max_ticks.saturating_add(1);
        while left > 0 && !done() {
            passed += timed.advance(slice.min(left));
            left = left.saturating_sub(slice);
        }
        Some(passed)
    }
}

impl Timed {
    fn advance(&self, ticks: u32) -> Duration {
        let step = TICK * ticks;
        self.runtime.block_on(async {
            tokio::time::advance(step).await;
            // The timers fire, then the tasks that they woke run.
            tokio::task::yield_now().await;
        });
        step
    }
}
