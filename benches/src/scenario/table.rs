//! The table of a scenario: as the service has it, and as the client sees it.

use std::time::Duration;

use dynasink::{BillingMode, IndexKind, KeyType, Projection, TableSchema, WriteUnits};
use dynasink_sim::{CapacityModel, SimulatedTable};
use serde::Deserialize;

use super::{duration, some_duration};
use crate::error::Result;

/// The table. Its partition key is `pk` and its sort key `sk`, both strings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Table {
    /// What it can take.
    pub capacity: Capacity,
    /// How many partitions it starts with; as many as its capacity needs if not said.
    #[serde(default)]
    pub partitions: Option<usize>,
    /// For how long it was unused before the load: so much is saved up, at most five minutes of a provisioned table.
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    pub idle: Duration,
    /// Whether the client's description of the table says what it can take.
    #[serde(default = "yes")]
    pub known: bool,
    /// Its global indexes.
    #[serde(default, rename = "index")]
    pub indexes: Vec<Index>,
}

/// What a table can take, in units per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Capacity {
    /// A rate that is set.
    Provisioned(u64),
    /// It grows to twice its peak.
    #[serde(rename_all = "kebab-case")]
    OnDemand {
        /// What it can take at the start.
        #[serde(default = "new_on_demand")]
        start: u64,
        /// How long after a peak it can take twice as much.
        #[serde(default, deserialize_with = "some_duration")]
        ramp: Option<Duration>,
        /// `MaxWriteRequestUnits`.
        #[serde(default)]
        max: Option<u64>,
    },
}

/// A global index that holds every item. Its partition key is an attribute of its own name, another for each item.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its own capacity: provisioned, or its maximum on demand.
    #[serde(default)]
    pub capacity: Option<u64>,
    /// Whether it holds only keys, and not all attributes.
    #[serde(default)]
    pub keys_only: bool,
}

/// How long after a peak an on-demand table can take twice as much.
///
/// Source: Developer Guide, *DynamoDB on-demand capacity mode*.
const ON_DEMAND_RAMP: Duration = Duration::from_mins(30);

impl Capacity {
    /// What a description of the table says, in units per second.
    pub(crate) fn described(self) -> Option<WriteUnits> {
        self.billing_mode().write_capacity()
    }

    /// How long after a peak the table can take twice as much.
    pub(crate) fn ramp(self) -> Duration {
        match self {
            Self::OnDemand { ramp, .. } => ramp.unwrap_or(ON_DEMAND_RAMP),
            Self::Provisioned(_) => ON_DEMAND_RAMP,
        }
    }

    fn billing_mode(self) -> BillingMode {
        match self {
            Self::Provisioned(write) => BillingMode::Provisioned {
                write: WriteUnits::new(write),
            },
            Self::OnDemand { max, .. } => BillingMode::OnDemand {
                max_write: max.map(WriteUnits::new),
            },
        }
    }
}

impl Table {
    /// Its name at the service.
    pub const NAME: &str = "load";

    /// The table as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Table`](crate::Error::Table) for an index without a name, and the like.
    pub fn schema(&self) -> Result<TableSchema> {
        self.described(self.capacity.billing_mode(), true)
    }

    /// The table as the client sees it: on demand and without any limit if its capacity is not known.
    ///
    /// # Errors
    ///
    /// As [`schema`](Self::schema).
    pub fn seen(&self) -> Result<TableSchema> {
        if self.known {
            return self.schema();
        }
        self.described(BillingMode::OnDemand { max_write: None }, false)
    }

    fn described(&self, billing_mode: BillingMode, with_capacity: bool) -> Result<TableSchema> {
        let mut table = TableSchema::builder(Self::NAME)
            .partition_key("pk", KeyType::S)
            .sort_key("sk", KeyType::S)
            .billing_mode(billing_mode);
        for index in &self.indexes {
            let key = [(index.name.as_str(), KeyType::S)];
            let capacity = index.capacity.filter(|_| with_capacity);
            let capacity = capacity.map(WriteUnits::new);
            table = table.index(&index.name, IndexKind::Global, key, [], capacity);
            if index.keys_only {
                table = table.projecting(&index.name, Projection::KeysOnly);
            }
        }
        Ok(table.build()?)
    }

    pub(super) fn simulated(&self) -> Result<SimulatedTable> {
        let mut table = SimulatedTable::new(self.schema()?).idle(self.idle);
        if let Some(partitions) = self.partitions {
            table = table.partitions(partitions);
        }
        Ok(table)
    }

    pub(super) fn model(&self) -> CapacityModel {
        let model = CapacityModel::default();
        match self.capacity {
            Capacity::OnDemand { start, .. } => model
                .on_demand_start(WriteUnits::new(start))
                .on_demand_ramp(self.capacity.ramp()),
            Capacity::Provisioned(_) => model,
        }
    }
}

const fn five_minutes() -> Duration {
    Duration::from_mins(5)
}

const fn new_on_demand() -> u64 {
    4000
}

const fn yes() -> bool {
    true
}
