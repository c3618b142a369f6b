//! What a running command shows on stderr: a bar on a terminal, plain lines elsewhere.

mod display;
mod line;
mod reading;

use std::future::Future;
use std::pin::pin;

use dynasink::{RateLimiter, Tally};
use tokio::time::Instant;

use display::Display;
use line::Stretch;
pub(crate) use reading::ReadingProgress;

/// Shows how a load goes, beside it.
#[derive(Debug)]
pub(crate) struct Progress {
    tally: Tally,
    limiter: RateLimiter,
    display: Display,
}

impl Progress {
    /// Shows `tally` on its way to `total_rows`. With `logs` on stderr too, a bar would be torn by them.
    pub(crate) fn new(tally: Tally, limiter: RateLimiter, total_rows: u64, logs: bool) -> Self {
        Self {
            tally,
            limiter,
            display: Display::new(total_rows, logs),
        }
    }

    /// Runs `load` and shows its progress until it is done.
    pub(crate) async fn beside<F: Future>(mut self, load: F) -> F::Output {
        let mut ticks = self.display.ticks();
        let mut load = pin!(load);
        let mut last = (Instant::now(), self.tally.counts());
        let done = loop {
            tokio::select! {
                biased;
                done = &mut load => break done,
                _ = ticks.tick() => {
                    let now = (Instant::now(), self.tally.counts());
                    self.draw(&Stretch {
                        before: last.1,
                        now: now.1,
                        elapsed: now.0 - last.0,
                        limit: self.limiter.rate().get(),
                        in_flight: self.tally.in_flight(),
                        paused: self.limiter.is_paused(),
                    });
                    last = now;
                }
            }
        };
        self.display.clear();
        done
    }

    fn draw(&mut self, stretch: &Stretch) {
        let resolved = stretch.now.resolved();
        let newly = resolved.saturating_sub(stretch.before.resolved());
        self.display
            .draw(resolved, newly, stretch.elapsed, stretch.describe());
    }
}
