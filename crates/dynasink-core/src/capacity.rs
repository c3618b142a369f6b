//! What stages tell one another about capacity.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::cost::WriteCost;
use crate::item_collection::ItemCollectionSize;
use crate::limits::{MAX_BATCH_OPS, MAX_REQUEST_BYTES};
use crate::table::TableName;
use crate::throttle::Throttle;
use crate::units::WriteUnits;

/// What a request consumed of one table and its indexes, as the service says.
///
/// Source: API reference, `ConsumedCapacity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedCapacity {
    /// The table.
    pub table: TableName,
    /// Units drawn from the table's own capacity, its local indexes included.
    pub table_units: WriteUnits,
    /// Units of each global index by its name: each has a capacity of its own.
    pub index_units: Vec<(String, WriteUnits)>,
}

impl ConsumedCapacity {
    /// The units of the table and of all its indexes: what is paid for.
    pub fn total(&self) -> WriteUnits {
        self.table_units + self.index_units.iter().map(|(_, units)| *units).sum()
    }
}

/// What a request asked for and what became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CapacityFeedback {
    /// Operations that the service applied.
    pub written_ops: usize,
    /// Their predicted cost.
    pub written: WriteCost,
    /// Operations that the service refused for want of capacity.
    pub throttled_ops: usize,
    /// Of these, the operations of partition keys to which more is written than to others, and more than one partition
    /// takes: a lower rate of all would not help them.
    pub hot_key_ops: usize,
    /// Why, where the service says so. It does not for operations that are left unprocessed.
    pub throttles: Vec<Throttle>,
    /// Operations that failed for another reason.
    pub failed_ops: usize,
    /// Operations that will be sent again, for whatever reason.
    pub retried_ops: usize,
    /// The predicted cost of all operations that were surely not applied: those of a request whose answer was lost
    /// may have drawn their units.
    pub unwritten: WriteCost,
    /// What the service says it consumed; empty if it says nothing.
    pub consumed: Vec<ConsumedCapacity>,
    /// The item collections that the applied operations belong to; empty unless the requests ask for them.
    pub item_collections: Vec<ItemCollectionSize>,
    /// Bytes of the request's body, at most.
    pub wire_bytes: usize,
    /// Why the request failed, if it did for another reason than want of capacity.
    pub failure: Option<RequestFailure>,
    /// From the request's departure to its answer.
    pub latency: Duration,
    /// Requests still in flight when this one was answered.
    pub in_flight: usize,
}

/// Why a request failed, other than for want of capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestFailure {
    /// The service failed, or gave an answer that cannot be read.
    Service,
    /// No answer came: the connection broke, or it took too long.
    Unanswered,
    /// Something else, such as an operation that is not valid.
    Other,
}

impl CapacityFeedback {
    /// The operations that the request carried.
    pub fn ops(&self) -> usize {
        self.written_ops + self.throttled_ops + self.failed_ops
    }

    /// Whether no answer came: the connection broke, or it took too long.
    pub fn is_unanswered(&self) -> bool {
        self.failure == Some(RequestFailure::Unanswered)
    }

    /// Units drawn from the tables' own capacity, or their prediction where the service says nothing.
    pub fn table_units(&self) -> WriteUnits {
        if self.consumed.is_empty() {
            self.written.units()
        } else {
            self.consumed
                .iter()
                .map(|consumed| consumed.table_units)
                .sum()
        }
    }
}

/// Learns from every answer of the service: rate limiters, batch sizers, progress.
pub trait CapacityObserver: fmt::Debug + Send + Sync {
    /// Takes note of one request.
    fn observe(&self, feedback: &CapacityFeedback);

    /// Takes note that a request has left, with which `in_flight` are under way. Most learn nothing of it.
    fn departed(&self, in_flight: usize) {
        let _unheeded = in_flight;
    }
}

impl<T: CapacityObserver + ?Sized> CapacityObserver for Arc<T> {
    fn observe(&self, feedback: &CapacityFeedback) {
        (**self).observe(feedback);
    }

    fn departed(&self, in_flight: usize) {
        (**self).departed(in_flight);
    }
}

/// Admits operations at a rate. Retries pay at the same counter as fresh operations.
///
/// What admits also learns: whoever sends the operations tells it every answer.
pub trait Admission: CapacityObserver {
    /// Takes `cost`, or says how long to wait before asking again.
    ///
    /// # Errors
    ///
    /// The time to wait; nothing was taken then.
    fn try_admit(&self, cost: &WriteCost) -> Result<(), Duration>;

    /// Takes `cost` back that was admitted for operations which cannot be sent yet. It is admitted again when they
    /// are sent.
    fn give_back(&self, cost: &WriteCost);

    /// The rate of the tables' own capacity at which it admits now, in units per second; none if it does not know.
    fn rate(&self) -> Option<WriteUnits> {
        None
    }
}

impl<T: Admission + ?Sized> Admission for Arc<T> {
    fn try_admit(&self, cost: &WriteCost) -> Result<(), Duration> {
        (**self).try_admit(cost)
    }

    fn give_back(&self, cost: &WriteCost) {
        (**self).give_back(cost);
    }

    fn rate(&self) -> Option<WriteUnits> {
        (**self).rate()
    }
}

/// How large a batch should be now. A single operation may exceed `bytes` and `units`: it goes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimit {
    /// Most operations, 1 to 25.
    pub ops: usize,
    /// Most bytes on the wire.
    pub bytes: usize,
    /// Most predicted units.
    pub units: WriteUnits,
}

impl BatchLimit {
    /// What a request may have at most, with no limit on units.
    pub const REQUEST: Self = Self {
        ops: MAX_BATCH_OPS,
        bytes: MAX_REQUEST_BYTES,
        units: WriteUnits::new(u64::MAX),
    };
}

/// Says how large a batch should be now.
///
/// What sizes also learns: whoever sends the batches tells it every answer. A [`BatchLimit`] is a sizer that learns
/// nothing.
pub trait BatchSizer: CapacityObserver {
    /// The limit for the next batch.
    fn limit(&self) -> BatchLimit;
}

impl<T: BatchSizer + ?Sized> BatchSizer for Arc<T> {
    fn limit(&self) -> BatchLimit {
        (**self).limit()
    }
}

impl CapacityObserver for BatchLimit {
    fn observe(&self, _: &CapacityFeedback) {}
}

impl BatchSizer for BatchLimit {
    fn limit(&self) -> BatchLimit {
        *self
    }
}
