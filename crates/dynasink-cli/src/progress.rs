//! What a running load shows on stderr: a bar on a terminal, plain lines elsewhere.

use std::future::Future;
use std::io::{IsTerminal, Write, stderr};
use std::pin::pin;
use std::time::Duration;

use dynasink::{Counts, RateLimiter, Tally};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

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
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows `tally` on its way to `total_rows`. With `logs` on stderr too, a bar would be torn by them.
    pub(crate) fn new(tally: Tally, limiter: RateLimiter, total_rows: u64, logs: bool) -> Self {
        let bar = (stderr().is_terminal() && !logs).then(|| {
            let bar = ProgressBar::with_draw_target(Some(total_rows), ProgressDrawTarget::stderr());
            let template =
                "{bar:30} {percent:>3}% {human_pos} of {human_len} rows, {msg}, {eta} left";
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
            bar,
        }
    }

    /// Runs `load` and shows its progress until it is done.
    pub(crate) async fn beside<F: Future>(self, load: F) -> F::Output {
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
                    self.draw(&now.1, &last.1, now.0 - last.0);
                    last = now;
                }
            }
        };
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        done
    }

    fn draw(&self, counts: &Counts, before: &Counts, elapsed: Duration) {
        let per_second =
            |now: u64, before: u64| (now - before) as f64 / elapsed.as_secs_f64().max(0.001);
        let message = format!(
            "{}{:.0} items/s, {:.0} of {} WCU/s, {} refused, {} in flight, {} dead",
            if self.limiter.is_paused() {
                "paused, "
            } else {
                ""
            },
            per_second(counts.items_written, before.items_written),
            per_second(counts.consumed_write_units, before.consumed_write_units),
            self.limiter.rate().get(),
            counts.throttled_ops,
            self.tally.in_flight(),
            counts.dead,
        );
        if let Some(bar) = &self.bar {
            bar.set_message(message);
            bar.set_position(counts.resolved());
        } else {
            let rows_per_second = per_second(counts.resolved(), before.resolved());
            let left = self.total_rows.saturating_sub(counts.resolved()) as f64
                / rows_per_second.max(0.001);
            let left = match Duration::try_from_secs_f64(left.round()) {
                Ok(left) if rows_per_second > 0.0 => format!("{left:?} left"),
                _ => "no end in sight".to_owned(),
            };
            // Progress that cannot be shown is no reason to stop.
            let _shown = writeln!(
                stderr(),
                "{} of {} rows, {message}, {left}",
                counts.resolved(),
                self.total_rows
            );
        }
    }
}
