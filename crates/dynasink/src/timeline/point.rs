//! What happened in one stretch of time.

use std::collections::BTreeMap;
use std::time::Duration;

use dynasink_core::CapacityFeedback;
use serde::{Serialize, Serializer};

use super::latencies::Latencies;
use crate::refusals::{FailedRequests, Refusals};
use crate::tally::Counts;

/// What happened in one stretch of a load.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TimelinePoint {
    /// When it began, from the start of the load.
    #[serde(rename = "start_seconds", serialize_with = "in_seconds")]
    pub start: Duration,
    /// How long it lasted.
    #[serde(rename = "seconds", serialize_with = "in_seconds")]
    pub length: Duration,
    /// Write capacity units that were drawn from the table's own capacity, as the service says.
    pub table_units: u64,
    /// The rate that the table was held to at the end, in units per second; none before the first request.
    pub limit: Option<u64>,
    /// The same of each global index, by name.
    pub indexes: BTreeMap<String, IndexUse>,
    /// Rows that came out of the source.
    pub rows_read: u64,
    /// Rows that got their outcome.
    pub rows_resolved: u64,
    /// Of these, rows whose put or delete the service has acknowledged.
    pub rows_written: u64,
    /// Operations that were refused for want of capacity.
    pub refused: Refusals,
    /// Requests that were answered or failed.
    pub requests: u64,
    /// Of these, the requests that failed, other than for want of capacity.
    pub failed_requests: FailedRequests,
    /// Operations that these requests carried.
    pub sent_ops: u64,
    /// Requests that were under way.
    pub in_flight: InFlight,
    /// How long requests took that were answered or failed.
    #[serde(rename = "latency")]
    pub latencies: Latencies,
}

/// What a global index was drawn on for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IndexUse {
    /// Write capacity units, as the service says.
    pub units: u64,
    /// The rate that it was held to at the end, in units per second; none while nothing limits it.
    pub limit: Option<u64>,
}

/// Requests that were under way at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct InFlight {
    /// The most.
    pub most: u64,
    /// For how long all of them were under way, together: over the length of the point it is how many there were on
    /// average.
    #[serde(rename = "request_seconds", serialize_with = "in_seconds")]
    pub together: Duration,
}

impl InFlight {
    pub(super) fn reach(&mut self, requests: usize) {
        self.most = self.most.max(requests as u64);
    }
}

impl TimelinePoint {
    /// `amount` for each second of the point; none if it has not lasted.
    pub fn per_second(&self, amount: u64) -> Option<f64> {
        (!self.length.is_zero()).then(|| amount as f64 / self.length.as_secs_f64())
    }

    /// Requests that were under way on average; none if the point has not lasted.
    pub fn mean_in_flight(&self) -> Option<f64> {
        let together = self.in_flight.together;
        (!self.length.is_zero()).then(|| together.as_secs_f64() / self.length.as_secs_f64())
    }

    /// Operations per request, if there was any.
    pub fn ops_per_request(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.sent_ops as f64 / self.requests as f64)
    }

    /// A point that begins when this one ends, with what holds until something else is said.
    pub(super) fn successor(&self) -> Self {
        let indexes = self.indexes.iter().map(|(name, index)| {
            let limit = index.limit;
            (name.clone(), IndexUse { units: 0, limit })
        });
        Self {
            start: self.start + self.length,
            limit: self.limit,
            indexes: indexes.collect(),
            ..Self::default()
        }
    }

    /// Time passes with so many requests under way.
    pub(super) fn last(&mut self, time: Duration, in_flight: usize) {
        self.length += time;
        let requests = u32::try_from(in_flight).unwrap_or(u32::MAX);
        self.in_flight.together += time.saturating_mul(requests);
        if !time.is_zero() {
            self.in_flight.reach(in_flight);
        }
    }

    /// What was counted after `before`.
    pub(super) fn count(&mut self, before: &Counts, now: &Counts) {
        let written = |counts: &Counts| counts.items_written + counts.items_deleted;
        self.rows_read += now.rows_read.saturating_sub(before.rows_read);
        self.rows_resolved += now.resolved().saturating_sub(before.resolved());
        self.rows_written += written(now).saturating_sub(written(before));
    }

    pub(super) fn answer(&mut self, feedback: &CapacityFeedback) {
        for consumed in &feedback.consumed {
            self.table_units += consumed.table_units.get();
            for (name, units) in &consumed.index_units {
                self.index(name).units += units.get();
            }
        }
        self.refused.add(&Refusals::of(feedback));
        self.requests += 1;
        self.failed_requests.add(&FailedRequests::of(feedback));
        self.sent_ops += feedback.ops() as u64;
        self.latencies.record(feedback.latency);
    }

    pub(super) fn index(&mut self, name: &str) -> &mut IndexUse {
        self.indexes.entry(name.to_owned()).or_default()
    }

    /// Takes in the point that follows.
    pub(super) fn absorb(&mut self, later: &Self) {
        self.length += later.length;
        self.table_units += later.table_units;
        self.limit = later.limit.or(self.limit);
        for (name, of_later) in &later.indexes {
            let index = self.index(name);
            index.units += of_later.units;
            index.limit = of_later.limit.or(index.limit);
        }
        self.rows_read += later.rows_read;
        self.rows_resolved += later.rows_resolved;
        self.rows_written += later.rows_written;
        self.refused.add(&later.refused);
        self.requests += later.requests;
        self.failed_requests.add(&later.failed_requests);
        self.sent_ops += later.sent_ops;
        self.in_flight.most = self.in_flight.most.max(later.in_flight.most);
        self.in_flight.together += later.in_flight.together;
        self.latencies.add(&later.latencies);
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn in_seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
