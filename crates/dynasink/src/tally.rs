//! What a load has done so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynasink_core::{
    CapacityFeedback, CapacityObserver, ItemCollectionSize, ObserverError, Outcome, OutcomeEvent,
    OutcomeObserver, Unread, UnreadObserver, WriteAction,
};
use serde::{Deserialize, Serialize};

use crate::largest_collections::LargestCollections;
use crate::refusals::{FailedRequests, Refusals};

/// Counts what happens in a pipe. Clones count together.
///
/// It observes outcomes and capacity. Rows are counted by whoever reads them ([`Tally::count_rows`]); a
/// [`Pipeline`](crate::Pipeline) counts those that it loads and the operations that it is sent.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    rows_read: AtomicU64,
    items_written: AtomicU64,
    items_deleted: AtomicU64,
    superseded: AtomicU64,
    skipped: AtomicU64,
    dead: AtomicU64,
    unread: AtomicU64,
    unread_rows: AtomicU64,
    requests: AtomicU64,
    retried_ops: AtomicU64,
    sent_ops: AtomicU64,
    throttled_ops: AtomicU64,
    consumed_write_units: AtomicU64,
    consumed_index_units: AtomicU64,
    in_flight: AtomicU64,
    trouble: Mutex<Trouble>,
    first_dead: Mutex<Option<String>>,
    largest_collections: Mutex<LargestCollections>,
}

/// What went wrong on the way, by cause. It is seldom written to.
#[derive(Debug, Default)]
struct Trouble {
    refused: Refusals,
    refused_by_index: BTreeMap<String, u64>,
    failed: FailedRequests,
}

/// A [`Tally`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows that came out of the source, or were sent as operations.
    pub rows_read: u64,
    /// Rows whose put the service has acknowledged.
    pub items_written: u64,
    /// Rows whose delete the service has acknowledged.
    pub items_deleted: u64,
    /// Rows whose place another row of the same key took.
    pub superseded: u64,
    /// Rows of which the source says that they change no item.
    pub skipped: u64,
    /// Rows that cannot be written.
    pub dead: u64,
    /// Files and parts of row groups that could not be read and were passed over.
    pub unread: u64,
    /// The rows of these, where their number is known. They are not among those that were read.
    pub unread_rows: u64,
    /// Requests that were answered or failed.
    pub requests: u64,
    /// Of these, the requests that failed, other than for want of capacity.
    pub failed_requests: FailedRequests,
    /// Operations that these requests carried, counted each time.
    pub sent_ops: u64,
    /// Operations that were sent once more, counted each time.
    pub retried_ops: u64,
    /// Operations that were refused for want of capacity, counted each time.
    pub throttled_ops: u64,
    /// The same by cause.
    pub refused: Refusals,
    /// Write capacity units that the service says it consumed, indexes included.
    pub consumed_write_units: u64,
    /// Of these, the units of global indexes, which have capacities of their own.
    pub consumed_index_units: u64,
}

impl Counts {
    /// Rows that have an outcome.
    pub fn resolved(&self) -> u64 {
        self.items_written + self.items_deleted + self.superseded + self.skipped + self.dead
    }

    /// Rows that were read and have no outcome: none after a load that ended well. They may have been written or not.
    pub fn unresolved(&self) -> u64 {
        self.rows_read.saturating_sub(self.resolved())
    }

    /// Operations per request, of [`MAX_BATCH_OPS`](dynasink_core::limits::MAX_BATCH_OPS) at most; none before the first
    /// answer.
    pub fn ops_per_request(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.sent_ops as f64 / self.requests as f64)
    }
}

impl Tally {
    /// A tally that starts at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tally that counts on from `counts`, those of a load that goes on.
    pub fn starting_at(counts: Counts) -> Self {
        let tally = Self::new();
        let start = |counter: &AtomicU64, count| counter.store(count, Ordering::Relaxed);
        let counters = &tally.0;
        start(&counters.rows_read, counts.rows_read);
        start(&counters.items_written, counts.items_written);
        start(&counters.items_deleted, counts.items_deleted);
        start(&counters.superseded, counts.superseded);
        start(&counters.skipped, counts.skipped);
        start(&counters.dead, counts.dead);
        start(&counters.unread, counts.unread);
        start(&counters.unread_rows, counts.unread_rows);
        start(&counters.requests, counts.requests);
        start(&counters.sent_ops, counts.sent_ops);
        start(&counters.retried_ops, counts.retried_ops);
        start(&counters.throttled_ops, counts.throttled_ops);
        start(&counters.consumed_write_units, counts.consumed_write_units);
        start(&counters.consumed_index_units, counts.consumed_index_units);
        {
            let mut trouble = tally.trouble();
            trouble.refused = counts.refused;
            trouble.failed = counts.failed_requests;
        }
        tally
    }

    /// Counts rows that came out of the source.
    pub fn count_rows(&self, rows: u64) {
        self.0.rows_read.fetch_add(rows, Ordering::Relaxed);
    }

    /// Requests in flight now.
    pub fn in_flight(&self) -> u64 {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// Operations that were refused for want of an index's capacity, by the index, counted each time.
    pub fn refused_by_index(&self) -> Vec<(String, u64)> {
        let trouble = self.trouble();
        let indexes = trouble.refused_by_index.iter();
        indexes.map(|(name, ops)| (name.clone(), *ops)).collect()
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.0
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the first dead row died, or the first part was not read, and where that was.
    pub fn first_dead(&self) -> Option<String> {
        self.0
            .first_dead
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The ten largest item collections that the service has told of, the largest first: see
    /// [`DynamoDb::with_item_collection_metrics`](crate::DynamoDb::with_item_collection_metrics).
    pub fn largest_item_collections(&self) -> Vec<ItemCollectionSize> {
        self.0
            .largest_collections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .to_vec()
    }

    /// The counts now.
    pub fn counts(&self) -> Counts {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (refused, failed_requests) = {
            let trouble = self.trouble();
            (trouble.refused, trouble.failed)
        };
        Counts {
            rows_read: now(&self.0.rows_read),
            items_written: now(&self.0.items_written),
            items_deleted: now(&self.0.items_deleted),
            superseded: now(&self.0.superseded),
            skipped: now(&self.0.skipped),
            dead: now(&self.0.dead),
            unread: now(&self.0.unread),
            unread_rows: now(&self.0.unread_rows),
            requests: now(&self.0.requests),
            failed_requests,
            sent_ops: now(&self.0.sent_ops),
            retried_ops: now(&self.0.retried_ops),
            throttled_ops: now(&self.0.throttled_ops),
            refused,
            consumed_write_units: now(&self.0.consumed_write_units),
            consumed_index_units: now(&self.0.consumed_index_units),
        }
    }
}

impl OutcomeObserver for Tally {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let counter = match event.outcome {
            Outcome::Written { .. } => match event.op.map(dynasink_core::WriteOp::action) {
                Some(WriteAction::Delete) => &self.0.items_deleted,
                _ => &self.0.items_written,
            },
            Outcome::Superseded { .. } => &self.0.superseded,
            Outcome::Skipped => &self.0.skipped,
            Outcome::Dead(reason) => {
                let mut first = self
                    .0
                    .first_dead
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(|| match event.position {
                    Some(position) => format!("{position}: {}", reason.message),
                    None => reason.message.clone(),
                });
                &self.0.dead
            }
            _ => return Ok(()),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn keeps_dead_rows(&self) -> bool {
        false
    }
}

impl UnreadObserver for Tally {
    fn observe(&self, unread: &Unread) -> Result<(), ObserverError> {
        self.0.unread.fetch_add(1, Ordering::Relaxed);
        let rows = unread.rows.unwrap_or(0);
        self.0.unread_rows.fetch_add(rows, Ordering::Relaxed);
        let mut first = self
            .0
            .first_dead
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| unread.to_string());
        Ok(())
    }

    fn keeps_unread(&self) -> bool {
        false
    }
}

impl CapacityObserver for Tally {
    fn observe(&self, feedback: &CapacityFeedback) {
        let add = |counter: &AtomicU64, amount: u64| counter.fetch_add(amount, Ordering::Relaxed);
        add(&self.0.requests, 1);
        add(&self.0.sent_ops, feedback.ops() as u64);
        add(&self.0.retried_ops, feedback.retried_ops as u64);
        add(&self.0.throttled_ops, feedback.throttled_ops as u64);
        if feedback.throttled_ops > 0 || feedback.failure.is_some() {
            let mut trouble = self.trouble();
            let refused = Refusals::of(feedback);
            trouble.refused.add(&refused);
            trouble.failed.add(&FailedRequests::of(feedback));
            if let Some(index) = Refusals::index_of(feedback) {
                *trouble
                    .refused_by_index
                    .entry(index.to_owned())
                    .or_default() += refused.index;
            }
        }
        let of_tables = feedback.consumed.iter();
        let of_tables: u64 = of_tables.map(|consumed| consumed.table_units.get()).sum();
        let of_indexes = feedback.consumed.iter();
        let of_indexes = of_indexes.flat_map(|consumed| &consumed.index_units);
        let of_indexes: u64 = of_indexes.map(|(_, units)| units.get()).sum();
        add(&self.0.consumed_write_units, of_tables + of_indexes);
        add(&self.0.consumed_index_units, of_indexes);
        if !feedback.item_collections.is_empty() {
            let mut largest = self
                .0
                .largest_collections
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            feedback
                .item_collections
                .iter()
                .for_each(|size| largest.note(size));
        }
        self.0
            .in_flight
            .store(feedback.in_flight as u64, Ordering::Relaxed);
    }

    fn departed(&self, in_flight: usize) {
        self.0.in_flight.store(in_flight as u64, Ordering::Relaxed);
    }
}
