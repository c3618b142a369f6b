//! Tokio's clock for the governor, so that paused time works.

use std::time::Duration;

use governor::clock::Clock;
use tokio::time::Instant;

/// What has passed since a limiter was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokioClock {
    start: Instant,
}

impl TokioClock {
    pub(super) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
