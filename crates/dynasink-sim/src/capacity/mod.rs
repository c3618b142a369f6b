//! What a table can take: a pure model of capacity, which has no clock and does nothing by itself.
//!
//! ```text
//!  WriteCost ──▶ account ──▶ table ──▶ partition ──▶ each global index ──▶ its partition
//! ```
//!
//! Every limit on the way must admit a write, then all are charged; the first that does not is the [`Refusal`], and
//! nothing is charged. Time is what the caller says has passed since the simulation's start, and should not go back.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `cost` | units that a write draws, and from where |
//! | `bucket` | units at a rate, saved up or owed |
//! | `partitions` | ranges of hashes, their limit, and how they split |
//! | `on_demand` | how an on-demand table grows |
//! | `resource` | a table or a global index: its buckets and partitions |
//! | `refusal` | the service's words for a refusal |
//! | `settings` | what can be set, with defaults and sources |

mod bucket;
mod cost;
mod on_demand;
mod partitions;
mod refusal;
mod resource;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use dynasink_core::{BillingMode, IndexKind, WriteUnits};

use self::bucket::TokenBucket;
pub(crate) use self::cost::{IndexCost, WriteCost};
pub(crate) use self::refusal::Exception;
pub use self::refusal::{Limit, Refusal};
use self::resource::{Resource, Start};
pub use self::settings::{Admit, CapacityModel};
use crate::table::SimulatedTable;

/// \[assumption\] An account saves up one second of its quota.
const ACCOUNT_DEPTH: Duration = Duration::from_secs(1);

/// What a table and its global indexes can take.
#[derive(Clone, Debug)]
pub(crate) struct TableCapacity {
    table: Resource,
    billing: BillingMode,
    /// One for each index of the schema, none for local ones: they have no capacity of their own.
    indexes: Vec<Option<GlobalIndex>>,
}

#[derive(Clone, Debug)]
struct GlobalIndex {
    resource: Resource,
    /// Its own capacity: provisioned, or its maximum on demand. Without it, it has the table's or no maximum.
    write: Option<WriteUnits>,
}

/// A write that was admitted and charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// The partition of the table that it was charged to. An id stays with its range until the range is split, and
    /// with the lower half then.
    pub(crate) partition: usize,
}

impl TableCapacity {
    /// The table at the start, as its description says.
    pub(crate) fn new(model: &CapacityModel, table: &SimulatedTable, now: Duration) -> Self {
        let schema = table.schema();
        let billing = schema.billing_mode();
        let indexes = schema.indexes().iter().map(|index| match index.kind() {
            IndexKind::Local => None,
            IndexKind::Global => {
                let write = index.write_capacity();
                let start = Start {
                    billing: index_billing(billing, write),
                    partitions: None,
                    idle: table.idle,
                    overdraft: model.index_backlog,
                };
                let resource = Resource::new(model, start, now);
                Some(GlobalIndex { resource, write })
            }
        });
        let start = Start {
            billing,
            partitions: table.partitions,
            idle: table.idle,
            overdraft: Duration::ZERO,
        };
        Self {
            table: Resource::new(model, start, now),
            billing,
            indexes: indexes.collect(),
        }
    }

    /// Charges a write to all that it touches, or to nothing.
    ///
    /// # Errors
    ///
    /// The first limit that does not admit it: the account's; then, of the table and of each index in the schema's
    /// order, the maximum on demand, the capacity and the partition.
    pub(crate) fn admit(
        &mut self,
        now: Duration,
        cost: &WriteCost,
        account: &mut AccountCapacity,
    ) -> Result<Admitted, Refusal> {
        let table_on_demand = self.table.is_on_demand();
        let refused_by_table = |limit| Refusal::new(limit, None, table_on_demand);
        if !account.admits(now, cost.total()) {
            return Err(refused_by_table(Limit::Account));
        }
        let table_draw = cost.table_draw();
        self.table
            .check(now, &std::iter::once(table_draw))
            .map_err(refused_by_table)?;
        for costs in cost.global.chunk_by(|a, b| a.index == b.index) {
            let Some((number, index)) = costs
                .first()
                .and_then(|cost| Some((cost.index, self.index_mut(cost.index)?)))
            else {
                continue;
            };
            let on_demand = index.resource.is_on_demand();
            index
                .resource
                .check(now, &costs.iter().map(IndexCost::draw))
                .map_err(|limit| Refusal::new(limit, Some(number), on_demand))?;
        }

        account.charge(cost.total());
        for cost in &cost.global {
            if let Some(index) = self.index_mut(cost.index) {
                index.resource.charge(now, cost.draw());
            }
        }
        Ok(Admitted {
            partition: self.table.charge(now, table_draw),
        })
    }

    /// Changes the table's capacity at `now`. What it has saved up stays, within the new depth.
    ///
    /// A global index without a capacity of its own follows. When the billing mode changes, none of them has one
    /// until [`set_index_capacity`](Self::set_index_capacity) says so.
    pub(crate) fn set_capacity(&mut self, now: Duration, billing: BillingMode) {
        let mode_changes =
            std::mem::discriminant(&self.billing) != std::mem::discriminant(&billing);
        self.billing = billing;
        self.table.set_billing(now, billing);
        for index in self.indexes.iter_mut().flatten() {
            if mode_changes {
                index.write = None;
            }
            let billing = index_billing(billing, index.write);
            index.resource.set_billing(now, billing);
        }
    }

    /// Changes the capacity of a global index at `now`: its rate, or its maximum on demand. A local index has none.
    pub(crate) fn set_index_capacity(&mut self, now: Duration, index: usize, write: WriteUnits) {
        let billing = index_billing(self.billing, Some(write));
        if let Some(index) = self.index_mut(index) {
            index.write = Some(write);
            index.resource.set_billing(now, billing);
        }
    }

    /// How many partitions the table has.
    pub(crate) fn partitions(&self) -> usize {
        self.table.partitions()
    }

    fn index_mut(&mut self, number: usize) -> Option<&mut GlobalIndex> {
        self.indexes.get_mut(number)?.as_mut()
    }
}

/// A global index is billed as its table is. On demand, a table's maximum is not that of its indexes.
fn index_billing(table: BillingMode, write: Option<WriteUnits>) -> BillingMode {
    match table {
        BillingMode::Provisioned { write: of_table } => BillingMode::Provisioned {
            write: write.unwrap_or(of_table),
        },
        BillingMode::OnDemand { .. } => BillingMode::OnDemand { max_write: write },
    }
}

/// What all tables of an account can take together.
///
/// Source: Developer Guide, *Quotas in Amazon `DynamoDB`*.
#[derive(Clone, Debug)]
pub(crate) struct AccountCapacity {
    bucket: Option<TokenBucket>,
    admit: Admit,
}

impl AccountCapacity {
    /// The account at the start, with a second of its quota saved up.
    pub(crate) fn new(model: &CapacityModel, now: Duration) -> Self {
        let bucket = |limit| TokenBucket::new(limit, ACCOUNT_DEPTH, ACCOUNT_DEPTH, now);
        Self {
            bucket: model.account_limit.map(bucket),
            admit: model.admit,
        }
    }

    fn admits(&mut self, now: Duration, units: u64) -> bool {
        self.bucket.as_mut().is_none_or(|bucket| {
            bucket.refill(now);
            bucket.admits(units, self.admit, Duration::ZERO)
        })
    }

    fn charge(&mut self, units: u64) {
        if let Some(bucket) = &mut self.bucket {
            bucket.take(units);
        }
    }
}
