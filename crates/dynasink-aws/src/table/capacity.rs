//! The capacity that a table and its global indexes are set to.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    BillingMode, OnDemandThroughput, ProvisionedThroughput, ProvisionedThroughputDescription,
    TableDescription, WarmThroughput,
};
use dynasink_core::WriteUnits;
use serde::{Deserialize, Serialize};

/// Units per second that are paid for whether they are used or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedUnits {
    /// Read capacity units per second.
    pub read: u64,
    /// Write capacity units per second.
    pub write: u64,
}

impl ProvisionedUnits {
    pub(super) fn throughput(self) -> Result<ProvisionedThroughput, BuildError> {
        ProvisionedThroughput::builder()
            .read_capacity_units(signed(self.read))
            .write_capacity_units(signed(self.write))
            .build()
    }

    fn at_least(self, write: WriteUnits) -> Self {
        Self {
            write: self.write.max(write.get()),
            ..self
        }
    }
}

/// What a table's own capacity is set to.
///
/// Source: API reference, `TableDescription`, `OnDemandThroughput`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableCapacity {
    /// A rate that is set.
    Provisioned(ProvisionedUnits),
    /// By request, up to a maximum if one is set.
    OnDemand {
        /// Most read request units per second.
        max_read: Option<u64>,
        /// Most write request units per second.
        max_write: Option<u64>,
    },
}

impl TableCapacity {
    /// The same with at least so many write units per second. None where there is nothing to raise: on demand without a
    /// maximum.
    pub fn raised_to(self, write: WriteUnits) -> Option<Self> {
        match self {
            Self::Provisioned(units) => Some(Self::Provisioned(units.at_least(write))),
            Self::OnDemand {
                max_read,
                max_write,
            } => Some(Self::OnDemand {
                max_read,
                max_write: Some(max_write?.max(write.get())),
            }),
        }
    }
}

/// What the capacity of a table and of its global indexes is set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacitySettings {
    /// The table's own.
    pub table: TableCapacity,
    /// That of each global index by name, where the table is provisioned.
    pub indexes: BTreeMap<String, ProvisionedUnits>,
}

impl CapacitySettings {
    pub(super) fn of(description: &TableDescription) -> Self {
        let on_demand = description
            .billing_mode_summary()
            .is_some_and(|summary| summary.billing_mode() == Some(&BillingMode::PayPerRequest));
        let own = description
            .provisioned_throughput()
            .map(provisioned)
            .filter(|units| !on_demand && units.write > 0);
        let table = if let Some(units) = own {
            TableCapacity::Provisioned(units)
        } else {
            let set = description.on_demand_throughput();
            // The service says -1 where there is no maximum.
            let units = |units: Option<i64>| units.and_then(|units| u64::try_from(units).ok());
            TableCapacity::OnDemand {
                max_read: units(set.and_then(OnDemandThroughput::max_read_request_units)),
                max_write: units(set.and_then(OnDemandThroughput::max_write_request_units)),
            }
        };
        let indexes = description.global_secondary_indexes().iter();
        let indexes = indexes.filter_map(|index| {
            let units = provisioned(index.provisioned_throughput()?);
            Some((index.index_name()?.to_owned(), units)).filter(|_| own.is_some())
        });
        Self {
            table,
            indexes: indexes.filter(|(_, units)| units.write > 0).collect(),
        }
    }

    /// The same with at least so many write units per second, for the table and each global index that has a capacity.
    /// None where the table has nothing to raise: see [`TableCapacity::raised_to`].
    pub fn raised_to(&self, write: WriteUnits) -> Option<Self> {
        let table = self.table.raised_to(write)?;
        let indexes = self.indexes.iter();
        Some(Self {
            table,
            indexes: indexes
                .map(|(name, units)| (name.clone(), units.at_least(write)))
                .collect(),
        })
    }
}

pub(super) fn on_demand_throughput(
    max_read: Option<u64>,
    max_write: Option<u64>,
) -> Option<OnDemandThroughput> {
    (max_read.is_some() || max_write.is_some()).then(|| {
        OnDemandThroughput::builder()
            .set_max_read_request_units(max_read.map(signed))
            .set_max_write_request_units(max_write.map(signed))
            .build()
    })
}

pub(super) fn warm_throughput(write: WriteUnits) -> WarmThroughput {
    WarmThroughput::builder()
        .write_units_per_second(signed(write.get()))
        .build()
}

/// The service's numbers are signed.
fn signed(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

fn provisioned(throughput: &ProvisionedThroughputDescription) -> ProvisionedUnits {
    let units = |units: Option<i64>| units.and_then(|units| u64::try_from(units).ok());
    ProvisionedUnits {
        read: units(throughput.read_capacity_units()).unwrap_or_default(),
        write: units(throughput.write_capacity_units()).unwrap_or_default(),
    }
}
