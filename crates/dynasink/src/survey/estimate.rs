//! How long a load would take, and what it would be charged at.

use dynasink_core::{TableSchema, WriteUnits};
use serde::Serialize;

use super::{Measured, Prices};

/// Most units per second that the items of one partition key take, whatever the table has.
///
/// Source: *Best practices for designing and using partition keys effectively in DynamoDB*, "a partition in DynamoDB is
/// designed to deliver a maximum capacity of 3,000 read units per second and 1,000 write units per second".
pub(super) const PARTITION_UNITS: u64 = 1000;

/// What a new on-demand table takes at once, in units per second.
///
/// Source: *DynamoDB on-demand capacity mode*, "Initial throughput for on-demand capacity mode".
pub(super) const NEW_ON_DEMAND_UNITS: u64 = 4000;

/// What an on-demand table takes at most unless AWS raises it, in units per second.
///
/// Source: *Quotas in Amazon DynamoDB*, "Default throughput quotas".
const ON_DEMAND_QUOTA: u64 = 40_000;

/// Rates that times are told for where none was asked for and none is known.
const USUAL_RATES: [u64; 4] = [
    PARTITION_UNITS,
    NEW_ON_DEMAND_UNITS,
    10_000,
    ON_DEMAND_QUOTA,
];

const BYTES_PER_GB: f64 = 1_073_741_824.0;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// Times and costs of a load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// How long it takes at the rate that was asked for, else at the table's capacity, else at some usual ones.
    pub times: Vec<TimeAtRate>,
    /// What it costs.
    pub costs: Costs,
}

/// How long a load takes at a rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeAtRate {
    /// Write units per second.
    pub rate: u64,
    /// Seconds.
    pub seconds: f64,
    /// What keeps it from being shorter.
    pub bound_by: BoundBy,
    /// What table and global indexes cost if they are provisioned for that rate and that time, started hours counted
    /// whole. None if the price is not known.
    pub provisioned_cost: Option<f64>,
}

/// What decides how long a load takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// The rate.
    Rate,
    /// The table's capacity, which is less.
    TableCapacity,
    /// The capacity of that global index.
    Index(String),
    /// The partition key with the most units, which take 1,000 per second at most.
    PartitionKey,
}

/// What writing costs, in the currency of the prices. What is none is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Costs {
    /// The write request units of the table and its global indexes, on demand.
    pub on_demand: Option<f64>,
    /// `ImportTable` of the same items. None also if there are deletes, which it cannot do.
    pub import_table: Option<f64>,
    /// `StartBulkPutItems` of the same items. None also if there are deletes, which it cannot do.
    pub bulk_put: Option<f64>,
}

impl Estimate {
    /// The estimate of writing what was `measured` into `table`, at `rate` if one is given.
    pub fn of(
        measured: &Measured,
        table: &TableSchema,
        rate: Option<WriteUnits>,
        prices: &Prices,
    ) -> Self {
        let capacity = table.billing_mode().write_capacity();
        let rates = match rate.or(capacity) {
            Some(rate) => vec![rate.get()],
            None => USUAL_RATES.to_vec(),
        };
        let times = rates.into_iter().map(|rate| {
            let (seconds, bound_by) = time_at(measured, table, rate);
            TimeAtRate {
                rate,
                seconds,
                bound_by,
                provisioned_cost: prices
                    .provisioned_per_write_unit_hour
                    .map(|price| price * provisioned_unit_hours(measured, rate, seconds)),
            }
        });
        let gigabytes = measured.import_bytes as f64 / BYTES_PER_GB;
        let by_gigabyte = |price: Option<f64>| {
            price
                .filter(|_| measured.deletes == 0)
                .map(|price| price * gigabytes)
        };
        Self {
            times: times.collect(),
            costs: Costs {
                on_demand: prices
                    .on_demand_per_million_write_units
                    .map(|price| price * measured.expected_units().total as f64 / 1e6),
                import_table: by_gigabyte(prices.import_table_per_gb),
                bulk_put: by_gigabyte(prices.bulk_put_per_gb),
            },
        }
    }
}

/// The seconds that writing takes at `rate` units per second, and why not less.
fn time_at(measured: &Measured, table: &TableSchema, rate: u64) -> (f64, BoundBy) {
    let seconds = |units: u64, per_second: u64| units as f64 / per_second.max(1) as f64;
    let capacity = table.billing_mode().write_capacity().map(WriteUnits::get);
    let mut longest = match capacity.filter(|capacity| *capacity < rate) {
        Some(capacity) => (
            seconds(measured.expected_units().table, capacity),
            BoundBy::TableCapacity,
        ),
        None => (
            seconds(measured.expected_units().table, rate),
            BoundBy::Rate,
        ),
    };
    let mut consider = |time: f64, bound_by: BoundBy| {
        if time > longest.0 {
            longest = (time, bound_by);
        }
    };
    for (index, capacity) in index_capacities(measured, table) {
        consider(
            seconds(index.units, capacity),
            BoundBy::Index(index.index.clone()),
        );
    }
    if let Some(heaviest) = measured.heavy_keys.first() {
        consider(
            seconds(heaviest.at_least, PARTITION_UNITS),
            BoundBy::PartitionKey,
        );
    }
    longest
}

/// The global indexes whose capacity is known, with that.
pub(super) fn index_capacities<'m>(
    measured: &'m Measured,
    table: &TableSchema,
) -> Vec<(&'m super::IndexUnits, u64)> {
    let capacity_of = |name: &str| {
        let index = table.indexes().iter().find(|index| index.name() == name)?;
        Some(index.write_capacity()?.get())
    };
    let global = measured.expected_units().global();
    global
        .filter_map(|index| Some((index, capacity_of(&index.index)?)))
        .collect()
}

/// The units times hours of a table that is provisioned for `rate`, and of its global indexes for their part of it.
fn provisioned_unit_hours(measured: &Measured, rate: u64, seconds: f64) -> f64 {
    let hours = (seconds / SECONDS_PER_HOUR).ceil().max(1.0);
    let units = measured.expected_units();
    let of_indexes = units.global().map(|index| {
        let part = index.units as f64 / units.table.max(1) as f64;
        (rate as f64 * part).ceil()
    });
    hours * (rate as f64 + of_indexes.sum::<f64>())
}

#[cfg(test)]
mod tests {
    use dynasink_core::{BillingMode, IndexKind, KeyType, TableSchemaBuilder};
    use dynasink_sink::KeptRow;
    use futures::{FutureExt, SinkExt};
    use serde_json::json;

    use super::*;
    use crate::survey::Survey;

    fn builder() -> TableSchemaBuilder {
        TableSchema::builder("users").partition_key("id", KeyType::N)
    }

    fn provisioned(write: u64) -> BillingMode {
        BillingMode::Provisioned {
            write: WriteUnits::new(write),
        }
    }

    /// What is measured of `rows` items of two units, of which every tenth has the key 0.
    fn measured(table: &TableSchema, rows: u64) -> Measured {
        let mut survey = Survey::new(table, KeptRow::Last);
        let text = "x".repeat(1500);
        for row in 0..rows {
            let id = if row % 10 == 0 { 0 } else { row };
            let item = json!({ "id": id, "mail": "m", "text": text });
            let op = table.put_serde(&item).unwrap();
            survey.feed(op).now_or_never().unwrap().unwrap();
        }
        survey.measured()
    }

    fn time(table: &TableSchema, rate: Option<u64>) -> TimeAtRate {
        let estimate = Estimate::of(
            &measured(table, 1000),
            table,
            rate.map(WriteUnits::new),
            &Prices::built_in().unwrap(),
        );
        estimate.times[0].clone()
    }

    #[test]
    fn the_slowest_of_table_index_and_partition_key_decides() {
        let on_demand = builder().build().unwrap();
        let at = |rate| {
            let time = time(&on_demand, Some(rate));
            (time.seconds, time.bound_by)
        };
        assert_eq!(at(100), (20.0, BoundBy::Rate));
        // 200 units of one key take 0.2 seconds.
        assert_eq!(at(100_000), (0.2, BoundBy::PartitionKey));

        let small = builder().billing_mode(provisioned(50)).build().unwrap();
        let at_capacity = time(&small, None);
        assert_eq!((at_capacity.rate, at_capacity.seconds), (50, 40.0));
        assert_eq!(time(&small, Some(500)).bound_by, BoundBy::TableCapacity);

        let with_index = builder()
            .billing_mode(provisioned(1000))
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::S)],
                [],
                Some(WriteUnits::new(10)),
            )
            .build()
            .unwrap();
        let by_index = time(&with_index, None);
        assert!(
            (by_index.seconds - 200.0).abs() < 1e-9,
            "{}",
            by_index.seconds
        );
        assert_eq!(by_index.bound_by, BoundBy::Index("by-mail".to_owned()));
    }

    #[test]
    fn costs_are_those_of_units_of_started_hours_and_of_gigabytes() {
        let table = builder()
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::S)],
                [],
                None,
            )
            .build()
            .unwrap();
        let measured = measured(&table, 1000);
        let prices = Prices::built_in().unwrap();
        let estimate = Estimate::of(&measured, &table, Some(WriteUnits::new(10)), &prices);
        let near = |cost: Option<f64>, expected: f64| (cost.unwrap() - expected).abs() < 1e-9;
        assert!(near(estimate.costs.on_demand, 4000.0 * 0.625 / 1e6));
        // 200 seconds are one hour, of ten units for the table and ten for the index.
        assert!(near(estimate.times[0].provisioned_cost, 20.0 * 0.00065));
        let gigabytes = measured.import_bytes as f64 / f64::from(1 << 30);
        assert!(near(estimate.costs.import_table, gigabytes * 0.15));
        assert_eq!(estimate.costs.bulk_put, None);
    }

    #[test]
    fn what_an_import_cannot_do_has_no_price() {
        let table = builder().build().unwrap();
        let mut measured = measured(&table, 10);
        measured.deletes = 1;
        let estimate = Estimate::of(&measured, &table, None, &Prices::built_in().unwrap());
        assert_eq!(estimate.costs.import_table, None);
        assert_eq!(estimate.times.len(), USUAL_RATES.len());
    }
}
