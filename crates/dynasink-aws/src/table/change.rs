//! Tables changed by `UpdateTable`, one change at a time.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{self, retry::RetryConfig};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndexUpdate, OnDemandThroughput, TableDescription,
    UpdateGlobalSecondaryIndexAction,
};
use dynasink_core::WriteUnits;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::capacity::{CapacitySettings, TableCapacity, warm_throughput};
use super::describe::fetch;
use super::index::NewIndex;
use super::wait::{is_settled, wait_until_settled};
use crate::classify::{Cause, classify};
use crate::error::{Error, Result};
use crate::preflight::Preflight;
use crate::refusal::said_by_the_service;

/// The wait after the first refusal of a change. Each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How often a change that is done is looked for. Descriptions follow a change with a delay.
const LOOKS: u32 = 2;

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a load has changed about its table or has still to change, so that another process can undo or finish it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableChanges {
    /// What the capacity was set to before it was raised; none if it was not.
    pub before: Option<CapacitySettings>,
    /// The global indexes that are made once all rows are written.
    pub deferred_indexes: Vec<NewIndex>,
}

/// Sets the capacity of `table` and of its global indexes to `wanted`, and waits until it is so. Whether anything was
/// to be changed is returned; indexes that are gone are passed over.
///
/// The service refuses a change while another goes on, and lets capacity be lowered only so often in a day: both are
/// tried again until `patience` is over.
///
/// Source: API reference, `UpdateTable`; *Service, account, and table quotas in Amazon DynamoDB*, "Decreasing
/// provisioned throughput".
///
/// # Errors
///
/// [`Error::Change`] if the service refuses, [`Error::UnusableTable`] if the billing mode is another by now,
/// [`Error::NotActive`] if the change is not done in time, [`Error::NotAsAsked`] if the service has taken it and the table
/// is not so all the same, [`Error::Describe`] if the table is not there.
pub async fn set_capacity(
    client: &Client,
    table: &str,
    wanted: &CapacitySettings,
    patience: Duration,
) -> Result<bool> {
    let change = |description: &TableDescription| {
        let now = CapacitySettings::of(description);
        capacity_request(client, table, &now, wanted)
    };
    let done = change_table(client, table, "capacity", patience, change).await?;
    done.or_not_as_asked(table, "capacity")
}

/// Has `table` take `write` units per second at once, if it does not yet, and waits until it does. Whether anything
/// was to be changed is returned. It cannot be undone, and is paid for once. An endpoint that does not know of it may pass
/// it over: [`TableState::warm_write`](super::TableState::warm_write) says what it is then.
///
/// Source: *Increase your existing DynamoDB table's warm throughput*.
///
/// # Errors
///
/// As [`set_capacity`], but for [`Error::NotAsAsked`].
pub async fn warm_up(
    client: &Client,
    table: &str,
    write: WriteUnits,
    patience: Duration,
) -> Result<bool> {
    let change = |description: &TableDescription| {
        let warm = description.warm_throughput();
        let warm = warm.and_then(|warm| u64::try_from(warm.write_units_per_second()?).ok());
        Ok((warm.unwrap_or_default() < write.get()).then(|| {
            client
                .update_table()
                .table_name(table)
                .warm_throughput(warm_throughput(write))
        }))
    };
    let done = change_table(client, table, "warm throughput", patience, change).await?;
    Ok(done != Done::Before)
}

/// Adds a global index to `table`, and waits until it holds all items. Whether it was not there yet is returned.
///
/// Source: *Managing Global Secondary Indexes in DynamoDB*.
///
/// # Errors
///
/// As [`set_capacity`].
pub async fn add_index(
    client: &Client,
    table: &str,
    index: &NewIndex,
    patience: Duration,
) -> Result<bool> {
    let change = |description: &TableDescription| {
        let mut indexes = description.global_secondary_indexes().iter();
        if indexes.any(|there| there.index_name() == Some(&index.name)) {
            return Ok(None);
        }
        let of_table = match CapacitySettings::of(description).table {
            TableCapacity::Provisioned(units) => Some(units),
            TableCapacity::OnDemand { .. } => None,
        };
        let action = |of_table| {
            let update = GlobalSecondaryIndexUpdate::builder().create(index.added(of_table)?);
            Ok(client
                .update_table()
                .table_name(table)
                .set_attribute_definitions(Some(index.definitions()?))
                .global_secondary_index_updates(update.build()))
        };
        action(of_table)
            .map(Some)
            .map_err(|error| not_a_request(table, &error))
    };
    let done = change_table(client, table, "indexes", patience, change).await?;
    done.or_not_as_asked(table, "indexes")
}

/// What has become of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// It was so before.
    Before,
    /// It is so now.
    Now,
    /// The service has taken it, has nothing more to do, and does not tell of it.
    PassedOver,
}

impl Done {
    /// Whether anything was to be changed.
    fn or_not_as_asked(self, table: &str, what: &'static str) -> Result<bool> {
        match self {
            Self::Before => Ok(false),
            Self::Now => Ok(true),
            Self::PassedOver => Err(Error::NotAsAsked {
                table: table.to_owned(),
                what,
            }),
        }
    }
}

/// Sends what `change` makes of the table's description, once nothing else is changed, and waits until it is done.
async fn change_table(
    client: &Client,
    table: &str,
    what: &'static str,
    patience: Duration,
    change: impl Fn(&TableDescription) -> Result<Option<UpdateTableFluentBuilder>> + Send,
) -> Result<Done> {
    let deadline = Instant::now() + patience;
    let mut wait = FIRST_WAIT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let description = match fetch(client, table).await {
            Ok(description) if is_settled(&description) => description,
            Ok(_) => wait_until_settled(client, table, left).await?,
            Err(error) => return Err(error),
        };
        let Some(request) = change(&description)? else {
            return Ok(Done::Before);
        };
        let sent = request
            .customize()
            .interceptor(Preflight)
            // What is refused is tried again here, and nowhere else.
            .config_override(config::Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        let Err(error) = sent else {
            for look in 1..=LOOKS {
                let left = deadline.saturating_duration_since(Instant::now());
                let description = wait_until_settled(client, table, left).await?;
                if change(&description)?.is_none() {
                    return Ok(Done::Now);
                }
                if look < LOOKS {
                    sleep(FIRST_WAIT).await;
                }
            }
            return Ok(Done::PassedOver);
        };
        let cause = classify(&error);
        let may_pass = matches!(
            cause,
            Cause::TableInUse | Cause::Throttled(_) | Cause::Internal | Cause::Unreachable
        );
        if !may_pass || Instant::now() + wait > deadline {
            return Err(Error::Change {
                table: table.to_owned(),
                what,
                cause: Box::new(cause),
                source: said_by_the_service(error),
            });
        }
        tracing::debug!(table, %cause, ?wait, "the {what} cannot be changed yet");
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// The request that makes `wanted` of `now`; none where they are the same.
fn capacity_request(
    client: &Client,
    table: &str,
    now: &CapacitySettings,
    wanted: &CapacitySettings,
) -> Result<Option<UpdateTableFluentBuilder>> {
    let mut request = client.update_table().table_name(table);
    let mut is_other = now.table != wanted.table;
    let own = match (now.table, wanted.table) {
        (TableCapacity::Provisioned(_), TableCapacity::Provisioned(units)) if is_other => {
            let throughput = units.throughput();
            throughput.map(|throughput| request.clone().provisioned_throughput(throughput))
        }
        (
            TableCapacity::OnDemand { .. },
            TableCapacity::OnDemand {
                max_read,
                max_write,
            },
        ) if is_other => Ok(request
            .clone()
            .on_demand_throughput(maxima(max_read, max_write))),
        (TableCapacity::Provisioned(_), TableCapacity::OnDemand { .. })
        | (TableCapacity::OnDemand { .. }, TableCapacity::Provisioned(_)) => {
            return Err(Error::UnusableTable {
                table: table.to_owned(),
                reason: "somebody has changed its billing mode since its capacity was raised: set its capacity by hand"
                    .to_owned(),
            });
        }
        _ => Ok(request.clone()),
    };
    request = own.map_err(|error| not_a_request(table, &error))?;
    for (name, units) in &wanted.indexes {
        if now.indexes.get(name).is_none_or(|now| now == units) {
            continue;
        }
        is_other = true;
        let update = units.throughput().and_then(|throughput| {
            UpdateGlobalSecondaryIndexAction::builder()
                .index_name(name)
                .provisioned_throughput(throughput)
                .build()
        });
        let update = update.map_err(|error| not_a_request(table, &error))?;
        request = request.global_secondary_index_updates(
            GlobalSecondaryIndexUpdate::builder().update(update).build(),
        );
    }
    Ok(is_other.then_some(request))
}

/// What takes away a maximum is -1.
fn maxima(max_read: Option<u64>, max_write: Option<u64>) -> OnDemandThroughput {
    let signed =
        |units: Option<u64>| units.map_or(-1, |units| i64::try_from(units).unwrap_or(i64::MAX));
    OnDemandThroughput::builder()
        .max_read_request_units(signed(max_read))
        .max_write_request_units(signed(max_write))
        .build()
}

fn not_a_request(table: &str, error: &BuildError) -> Error {
    Error::UnusableTable {
        table: table.to_owned(),
        reason: error.to_string(),
    }
}
