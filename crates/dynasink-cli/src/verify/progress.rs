//! What a running verification shows on stderr.

use std::future::Future;
use std::io::{Write, stderr};
use std::pin::pin;
use std::time::Duration;

use dynasink::{DynamoDb, Reader, VerifyTally};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The first line comes sooner, so that whoever started it sees that it runs.
const FIRST_LINE: Duration = Duration::from_secs(2);

/// Shows how a verification goes, beside it.
#[derive(Debug)]
pub(super) struct Progress {
    tally: VerifyTally,
    reader: Reader<DynamoDb>,
}

impl Progress {
    pub(super) fn new(tally: VerifyTally, reader: Reader<DynamoDb>) -> Self {
        Self { tally, reader }
    }

    /// Runs `verification` and shows its progress until it is done.
    pub(super) async fn beside<F: Future>(self, verification: F) -> F::Output {
        let mut verification = pin!(verification);
        let mut ticks = interval_at(Instant::now() + FIRST_LINE, LINE_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = (Instant::now(), 0.0);
        loop {
            tokio::select! {
                biased;
                done = &mut verification => return done,
                now = ticks.tick() => {
                    let units = self.reader.usage().read_units;
                    let elapsed = now.saturating_duration_since(last.0).as_secs_f64();
                    self.show((units - last.1) / elapsed.max(0.001));
                    last = (now, units);
                }
            }
        }
    }

    fn show(&self, units_per_second: f64) {
        let counts = self.tally.counts();
        let line = if counts.scanned > 0 {
            format!(
                "{} items scanned, {} extra, {units_per_second:.0} RCU/s",
                counts.scanned, counts.extra
            )
        } else if counts.rows() > 0 {
            format!(
                "{} rows compared, {} missing, {} different, {units_per_second:.0} RCU/s",
                counts.compared, counts.missing, counts.different
            )
        } else {
            "reading the keys of the source".to_owned()
        };
        // Where stderr is closed, nobody looks.
        let _shown = writeln!(stderr(), "{line}");
    }
}
