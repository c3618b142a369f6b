//! What a running load shows on stderr: a bar on a terminal, plain lines elsewhere.

mod line;

use std::future::Future;
use std::io::{IsTerminal, Write, stderr};
use std::pin::pin;
use std::time::Duration;

use dynasink::{RateLimiter, Tally};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use line::{Pace, Stretch};

const BAR_INTERVAL: Duration = Duration::from_millis(250);
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The first line comes sooner, so that whoever started the load sees that it runs.
const FIRST_LINE: Duration = Duration::from_secs(2);

/// Shows how a load goes, beside it.
#[derive(Debug)]
pub(crate) struct Progress {
    tally: Tally,
    limiter: RateLimiter,
    total_rows: u64,
    pace: Pace,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows `tally` on its way to `total_rows`. With `logs` on stderr too, a bar would be torn by them.
    pub(crate) fn new(tally: Tally, limiter: RateLimiter, total_rows: u64, logs: bool) -> Self {
        let bar = (stderr().is_terminal() && !logs).then(|| {
            let bar = ProgressBar::with_draw_target(Some(total_rows), ProgressDrawTarget::stderr());
            let template =
                "{bar:30} {percent:>3}% {human_pos} of {human_len} rows, {prefix}\n{msg}";
            // The template is a constant that indicatif accepts; its default would do as well.
            bar.with_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        });
        Self {
            tally,
            limiter,
            total_rows,
            pace: Pace::default(),
            bar,
        }
    }

    /// Runs `load` and shows its progress until it is done.
    pub(crate) async fn beside<F: Future>(mut self, load: F) -> F::Output {
        let (first, period) = match self.bar {
            Some(_) => (BAR_INTERVAL, BAR_INTERVAL),
            None => (FIRST_LINE, LINE_INTERVAL),
        };
        let mut ticks = interval_at(Instant::now() + first, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        done
    }

    fn draw(&mut self, stretch: &Stretch) {
        let resolved = stretch.now.resolved();
        let newly = resolved.saturating_sub(stretch.before.resolved());
        self.pace.note(newly, stretch.elapsed);
        let left = self
            .pace
            .time_left(self.total_rows.saturating_sub(resolved));
        let message = stretch.describe();
        if let Some(bar) = &self.bar {
            bar.set_prefix(left);
            bar.set_message(message);
            bar.set_position(resolved);
        } else {
            let rows = line::rows(resolved, self.total_rows);
            // Progress that cannot be shown is no reason to stop.
            let _shown = writeln!(stderr(), "{rows}, {message}, {left}");
        }
    }
}
