//! A table as the simulator knows it: keys, indexes, and how it stands with its capacity at the start.

use std::time::Duration;

use dynasink_core::TableSchema;

/// A table to simulate.
///
/// The schema says the keys, the indexes and the capacity. What a schema does not say is set here.
///
/// ```
/// use dynasink_core::{BillingMode, KeyType, TableSchema, WriteUnits};
/// use dynasink_sim::SimulatedTable;
///
/// let schema = TableSchema::builder("orders")
///     .partition_key("id", KeyType::N)
///     .billing_mode(BillingMode::Provisioned { write: WriteUnits::new(500) })
///     .build()?;
/// let table = SimulatedTable::new(schema).partitions(4);
/// # Ok::<(), dynasink_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SimulatedTable {
    pub(crate) schema: TableSchema,
    pub(crate) partitions: Option<usize>,
    pub(crate) idle: Duration,
}

/// How long a table saves up capacity that it does not use.
///
/// Source: Developer Guide, *Burst capacity*: up to five minutes, 300 seconds, of unused capacity.
pub(crate) const LONGEST_IDLE: Duration = Duration::from_mins(5);

impl SimulatedTable {
    /// The table that `schema` describes, unused for long enough that all of its burst capacity is saved up, with
    /// as many partitions as its capacity needs.
    pub fn new(schema: TableSchema) -> Self {
        Self {
            schema,
            partitions: None,
            idle: LONGEST_IDLE,
        }
    }

    /// How many partitions it starts with; at least one.
    pub fn partitions(mut self, partitions: usize) -> Self {
        self.partitions = Some(partitions.max(1));
        self
    }

    /// For how long its capacity was unused before the simulation starts: that much is saved up as burst capacity,
    /// at most 300 seconds of it. Zero gives a table in use, without any.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle.min(LONGEST_IDLE);
        self
    }

    /// Its keys, indexes and capacity.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }
}
