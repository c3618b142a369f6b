//! Where progress is shown: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::line::{self, Pace};

const BAR_INTERVAL: Duration = Duration::from_millis(250);
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The first line comes sooner, so that whoever started the command sees that it runs.
const FIRST_LINE: Duration = Duration::from_secs(2);

/// Shows of how many rows something is done.
#[derive(Debug)]
pub(super) struct Display {
    total_rows: u64,
    pace: Pace,
    bar: Option<ProgressBar>,
}

impl Display {
    /// Shows the way to `total_rows`. With `logs` on stderr too, a bar would be torn by them.
    pub(super) fn new(total_rows: u64, logs: bool) -> Self {
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
            total_rows,
            pace: Pace::default(),
            bar,
        }
    }

    /// When to show something.
    pub(super) fn ticks(&self) -> Interval {
        let (first, period) = match self.bar {
            Some(_) => (BAR_INTERVAL, BAR_INTERVAL),
            None => (FIRST_LINE, LINE_INTERVAL),
        };
        let mut ticks = interval_at(Instant::now() + first, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    /// Shows that `rows` are done, `newly` of them in the time that has `elapsed`, and what else there is to say.
    pub(super) fn draw(&mut self, rows: u64, newly: u64, elapsed: Duration, message: String) {
        self.pace.note(newly, elapsed);
        let left = self.pace.time_left(self.total_rows.saturating_sub(rows));
        if let Some(bar) = &self.bar {
            bar.set_prefix(left);
            bar.set_message(message);
            bar.set_position(rows);
        } else {
            let rows = line::rows(rows, self.total_rows);
            // Progress that cannot be shown is no reason to stop.
            let _shown = writeln!(stderr(), "{rows}, {message}, {left}");
        }
    }

    /// Leaves nothing on a terminal.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
