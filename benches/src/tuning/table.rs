//! The user's table, simulated.

use std::time::Duration;

use dynasink::{BillingMode, IndexKind, KeyType, TableSchema, WriteUnits};
use dynasink_sim::{Latency, SimulatedTable, Simulator};

use super::args::Args;
use super::error::Result;

/// What a new on-demand table takes. Source: Developer Guide, *`DynamoDB` on-demand capacity mode*.
const ON_DEMAND_START: u64 = 4_000;

/// What one partition takes. Source: Developer Guide, *Best practices for designing and using partition keys
/// effectively in `DynamoDB`*.
pub(super) const PARTITION_WCU: u64 = 1_000;

/// A table to try settings on.
#[derive(Clone, Debug)]
pub struct TunedTable {
    simulated: SimulatedTable,
    latency: Latency,
    wcu: u64,
    partitions: u64,
    indexes: Vec<(String, u64)>,
}

impl TunedTable {
    /// The table of `args` with these keys; attributes that indexes name have the types that `type_of` says.
    pub(super) fn new(
        args: &Args,
        partition_key: (&str, KeyType),
        sort_key: Option<(&str, KeyType)>,
        type_of: impl Fn(&str) -> Result<KeyType>,
    ) -> Result<Self> {
        let described = args.wcu.map(WriteUnits::new);
        let wcu = args.wcu.unwrap_or(ON_DEMAND_START);
        let billing = if args.on_demand {
            BillingMode::OnDemand {
                max_write: described,
            }
        } else {
            BillingMode::Provisioned {
                write: WriteUnits::new(wcu),
            }
        };
        let mut builder = TableSchema::builder(&args.table)
            .partition_key(partition_key.0, partition_key.1)
            .billing_mode(billing);
        if let Some((name, key_type)) = sort_key {
            builder = builder.sort_key(name, key_type);
        }
        for index in &args.index {
            let key = match &index.attribute {
                Some(name) => (name.as_str(), type_of(name)?),
                None => partition_key,
            };
            let write = Some(WriteUnits::new(index.wcu));
            builder = builder.index(&index.name, IndexKind::Global, [key], [], write);
        }
        // A load of any length is on a table in use before long: what it had saved up is gone.
        let mut simulated = SimulatedTable::new(builder.build()?).idle(Duration::ZERO);
        let partitions = args.partitions.map_or_else(
            || wcu.div_ceil(PARTITION_WCU),
            |partitions| partitions.get() as u64,
        );
        if let Some(partitions) = args.partitions {
            simulated = simulated.partitions(partitions.get());
        }
        Ok(Self {
            simulated,
            latency: args.latency,
            wcu,
            partitions,
            indexes: args
                .index
                .iter()
                .map(|index| (index.name.clone(), index.wcu))
                .collect(),
        })
    }

    /// The table as a client sees it.
    pub fn schema(&self) -> &TableSchema {
        self.simulated.schema()
    }

    /// What it takes per second, at first.
    pub fn wcu(&self) -> u64 {
        self.wcu
    }

    /// Its partitions, at first.
    pub fn partitions(&self) -> u64 {
        self.partitions
    }

    /// Its global indexes and what each takes per second.
    pub fn indexes(&self) -> &[(String, u64)] {
        &self.indexes
    }

    /// A service with this table, in which nothing was written yet. To be made where its time is to pass.
    pub(super) fn simulator(&self, seed: u64) -> Simulator {
        Simulator::builder()
            .seed(seed)
            .table(self.simulated.clone())
            .latency(self.latency)
            .totals_only()
            .sizes_only()
            .build()
    }
}
