//! How a load goes, in one line.

use std::fmt::Write;
use std::time::Duration;

use dynasink::Counts;

/// How a load went between two moments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) before: Counts,
    pub(super) now: Counts,
    pub(super) elapsed: Duration,
    /// The rate that the table is held to, in units per second.
    pub(super) limit: u64,
    pub(super) in_flight: u64,
    /// Whether nothing is to be written for now.
    pub(super) paused: bool,
}

impl Stretch {
    /// Everything but the rows and the time left.
    pub(super) fn describe(&self) -> String {
        let (now, before) = (&self.now, &self.before);
        let items = |counts: &Counts| counts.items_written + counts.items_deleted;
        // The limit is the table's: what its global indexes draw has limits of its own.
        let of_table = |counts: &Counts| {
            counts
                .consumed_write_units
                .saturating_sub(counts.consumed_index_units)
        };
        let mut line = format!(
            "{}{:.0} items/s, {:.0} of {} WCU/s, {} refused",
            if self.paused { "paused, " } else { "" },
            self.per_second(items(now), items(before)),
            self.per_second(of_table(now), of_table(before)),
            self.limit,
            now.throttled_ops,
        );
        // Writing to a string cannot fail.
        if now.throttled_ops > 0 {
            let _infallible = write!(line, " ({})", now.refused);
        }
        let failed = &now.failed_requests;
        if failed.total() > 0 {
            let _infallible = write!(line, ", {} requests failed ({failed})", failed.total());
        }
        let _infallible = write!(line, ", {} in flight", self.in_flight);
        if let Some(ops) = self.ops_per_request() {
            let _infallible = write!(line, " of {ops:.1} rows");
        }
        let _infallible = write!(line, ", {} dead", now.dead);
        line
    }

    /// Operations per request of late, or else of the whole load.
    fn ops_per_request(&self) -> Option<f64> {
        let requests = self.now.requests - self.before.requests;
        let ops = self.now.sent_ops - self.before.sent_ops;
        if requests > 0 {
            Some(ops as f64 / requests as f64)
        } else {
            self.now.ops_per_request()
        }
    }

    fn per_second(&self, now: u64, before: u64) -> f64 {
        now.saturating_sub(before) as f64 / self.elapsed.as_secs_f64().max(0.001)
    }
}

/// Rows that have their outcome, of all of them. A hundred percent are all rows and not nearly all.
pub(super) fn rows(resolved: u64, total: u64) -> String {
    let percent = u128::from(resolved) * 100 / u128::from(total.max(1));
    let percent = if total == 0 { 100 } else { percent.min(100) };
    format!("{resolved} of {total} rows ({percent}%)")
}

/// In how many seconds the past counts for a third of what it did.
const MEMORY: Duration = Duration::from_secs(20);

/// Rows per second, smoothed: a load that is held up for a moment is not said to take forever.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    rows_per_second: Option<f64>,
    /// For how long no row has had its outcome.
    idle: Duration,
}

impl Pace {
    pub(super) fn note(&mut self, rows: u64, elapsed: Duration) {
        self.idle = if rows == 0 {
            self.idle + elapsed
        } else {
            Duration::ZERO
        };
        let newest = rows as f64 / elapsed.as_secs_f64().max(0.001);
        let weight = 1.0 - (-elapsed.as_secs_f64() / MEMORY.as_secs_f64()).exp();
        let pace = self.rows_per_second.get_or_insert(newest);
        *pace += weight * (newest - *pace);
    }

    /// When that many rows will have their outcome.
    pub(super) fn time_left(&self, rows: u64) -> String {
        if rows == 0 {
            return "0s left".to_owned();
        }
        let pace = self
            .rows_per_second
            .filter(|pace| *pace > 0.0 && self.idle < MEMORY);
        let left =
            pace.and_then(|pace| Duration::try_from_secs_f64((rows as f64 / pace).ceil()).ok());
        match left {
            Some(left) => format!("{} left", humantime::format_duration(left)),
            None => "no end in sight".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use dynasink::{FailedRequests, Refusals};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_line_says_what_happened_since_the_last_one_and_what_went_wrong_in_all() {
        let before = Counts {
            items_written: 1_000,
            consumed_write_units: 1_000,
            requests: 40,
            sent_ops: 1_000,
            ..Counts::default()
        };
        let now = Counts {
            items_written: 3_000,
            consumed_write_units: 7_000,
            consumed_index_units: 2_000,
            requests: 140,
            sent_ops: 3_400,
            throttled_ops: 30,
            refused: Refusals {
                table: 10,
                hot_key: 20,
                ..Refusals::default()
            },
            failed_requests: FailedRequests {
                unanswered: 2,
                ..FailedRequests::default()
            },
            dead: 4,
            ..Counts::default()
        };
        let stretch = Stretch {
            before,
            now,
            elapsed: SECOND * 2,
            limit: 2_500,
            in_flight: 7,
            paused: false,
        };
        assert_eq!(
            stretch.describe(),
            "1000 items/s, 2000 of 2500 WCU/s, 30 refused (10 table, 20 hot partition key), 2 requests failed (2 no answer), \
             7 in flight of 24.0 rows, 4 dead"
        );
    }

    #[test]
    fn what_has_not_happened_is_not_told() {
        let stretch = Stretch {
            before: Counts::default(),
            now: Counts::default(),
            elapsed: Duration::ZERO,
            limit: 100,
            in_flight: 0,
            paused: true,
        };
        assert_eq!(
            stretch.describe(),
            "paused, 0 items/s, 0 of 100 WCU/s, 0 refused, 0 in flight, 0 dead"
        );
    }

    #[test]
    fn a_hundred_percent_are_all_rows() {
        assert_eq!(rows(0, 10), "0 of 10 rows (0%)");
        assert_eq!(rows(999_999, 1_000_000), "999999 of 1000000 rows (99%)");
        assert_eq!(rows(10, 10), "10 of 10 rows (100%)");
        assert_eq!(rows(0, 0), "0 of 0 rows (100%)");
    }

    #[test]
    fn the_time_left_follows_the_pace_slowly() {
        let mut pace = Pace::default();
        assert_eq!(pace.time_left(5), "no end in sight");
        pace.note(100, SECOND);
        assert_eq!(pace.time_left(9_000), "1m 30s left");
        pace.note(0, SECOND);
        assert_eq!(pace.time_left(9_000), "1m 35s left");
        pace.note(100, SECOND * 100);
        assert!(
            pace.rows_per_second
                .is_some_and(|pace| (1.0..2.0).contains(&pace))
        );
        assert_eq!(pace.time_left(0), "0s left");
    }

    #[test]
    fn a_load_that_stands_still_has_no_end_in_sight_until_it_goes_on() {
        let mut pace = Pace::default();
        pace.note(100, SECOND);
        for _ in 0..20 {
            pace.note(0, SECOND);
        }
        assert_eq!(pace.time_left(9_000), "no end in sight");
        pace.note(100, SECOND);
        assert!(
            pace.time_left(9_000).ends_with("s left"),
            "{}",
            pace.time_left(9_000)
        );
    }
}
