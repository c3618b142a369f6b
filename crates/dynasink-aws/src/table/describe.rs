//! What a table is, as its description says.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    BillingMode as SdkBillingMode, KeySchemaElement, KeyType as KeyRole, OnDemandThroughput,
    Projection as SdkProjection, ProjectionType, ProvisionedThroughputDescription,
    ScalarAttributeType, TableDescription, TableStatus, TableWarmThroughputDescription,
    TimeToLiveStatus,
};
use dynasink_core::{
    AttributeName, BillingMode, IndexKind, KeyType, Projection, TableSchema, WriteUnits,
};

use super::unknown::unless_not_known;
use super::wait::wait_until_active;
use crate::classify::classify;
use crate::error::{Error, Result};
use crate::preflight::Preflight;
use crate::refusal::said_by_the_service;

/// Describes `table` by `DescribeTable`, and the attribute of its time to live by `DescribeTimeToLive`.
///
/// Where the credentials do not permit the latter, or the endpoint does not have it, no time to live is known.
///
/// # Errors
///
/// [`Error::Describe`] if the service does not answer or there is no such table, [`Error::UnusableTable`] if it
/// is not active or has keys that are not known here.
pub async fn describe(client: &Client, table: &str) -> Result<TableSchema> {
    let description = fetch(client, table).await?;
    match description.table_status() {
        None | Some(TableStatus::Active | TableStatus::Updating) => {}
        Some(status) => {
            return Err(Error::UnusableTable {
                table: table.to_owned(),
                reason: match status {
                    TableStatus::Creating => format!("it is {status}: wait until it is ACTIVE"),
                    _ => format!("it is {status}, and takes no writes"),
                },
            });
        }
    }
    let ttl_attribute = ttl_attribute(client, table).await?;
    schema_of(table, &description, ttl_attribute)
}

/// As [`describe`], of a table that may be being made: that is waited for.
///
/// # Errors
///
/// As [`describe`], and [`Error::NotActive`] if it is not there after `patience`.
pub async fn describe_once_made(
    client: &Client,
    table: &str,
    patience: Duration,
) -> Result<TableSchema> {
    if fetch(client, table).await?.table_status() == Some(&TableStatus::Creating) {
        wait_until_active(client, table, patience).await?;
    }
    describe(client, table).await
}

/// The description of `table`, whatever its status.
pub(super) async fn fetch(client: &Client, table: &str) -> Result<TableDescription> {
    let output = client
        .describe_table()
        .table_name(table)
        .customize()
        .interceptor(Preflight)
        .send()
        .await
        .map_err(|error| Error::Describe {
            table: table.to_owned(),
            cause: Box::new(classify(&error)),
            source: said_by_the_service(error),
        })?;
    output.table().cloned().ok_or_else(|| Error::UnusableTable {
        table: table.to_owned(),
        reason: "the service sent no description of it".to_owned(),
    })
}

/// The attribute by which the service deletes items of `table` that have expired, if there is one and it is known.
///
/// Source: API reference, `TimeToLiveDescription`.
pub(super) async fn ttl_attribute(client: &Client, table: &str) -> Result<Option<String>> {
    let asked = client
        .describe_time_to_live()
        .table_name(table)
        .customize()
        .interceptor(Preflight)
        .send()
        .await;
    match asked {
        Ok(output) => {
            let enabled = output.time_to_live_description.filter(|ttl| {
                matches!(
                    ttl.time_to_live_status(),
                    Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
                )
            });
            Ok(enabled.and_then(|ttl| ttl.attribute_name))
        }
        Err(error) => unless_not_known(table, "the attribute of the time to live", error),
    }
}

fn schema_of(
    table: &str,
    description: &TableDescription,
    ttl_attribute: Option<String>,
) -> Result<TableSchema> {
    let unusable = |reason: String| Error::UnusableTable {
        table: table.to_owned(),
        reason,
    };
    let types: HashMap<&str, &ScalarAttributeType> = description
        .attribute_definitions()
        .iter()
        .map(|definition| (definition.attribute_name(), definition.attribute_type()))
        .collect();
    let key_type = |name: &str| match types.get(name) {
        Some(ScalarAttributeType::S) => Ok(KeyType::S),
        Some(ScalarAttributeType::N) => Ok(KeyType::N),
        Some(ScalarAttributeType::B) => Ok(KeyType::B),
        Some(other) => Err(unusable(format!(
            "its key attribute {name:?} has the type {other}, which no key can have"
        ))),
        None => Err(unusable(format!("its key attribute {name:?} has no type"))),
    };
    let keys = |elements: &[KeySchemaElement], role: &KeyRole| {
        let of_role = elements.iter().filter(|element| element.key_type() == role);
        of_role
            .map(|element| {
                Ok((
                    element.attribute_name().to_owned(),
                    key_type(element.attribute_name())?,
                ))
            })
            .collect::<Result<Vec<_>>>()
    };
    let units = |units: Option<i64>| {
        units
            .and_then(|units| u64::try_from(units).ok())
            .map(WriteUnits::new)
    };

    let on_demand = description
        .billing_mode_summary()
        .is_some_and(|summary| summary.billing_mode() == Some(&SdkBillingMode::PayPerRequest));
    let provisioned = description
        .provisioned_throughput()
        .and_then(ProvisionedThroughputDescription::write_capacity_units);
    let billing_mode =
        match units(provisioned).filter(|write| !on_demand && *write > WriteUnits::ZERO) {
            Some(write) => BillingMode::Provisioned { write },
            None => BillingMode::OnDemand {
                // The service says -1 where there is no maximum.
                max_write: units(
                    description
                        .on_demand_throughput()
                        .and_then(OnDemandThroughput::max_write_request_units),
                ),
            },
        };

    let refused = |error: dynasink_core::Error| unusable(error.to_string());
    let mut builder = TableSchema::builder(table).billing_mode(billing_mode);
    for (name, key_type) in keys(description.key_schema(), &KeyRole::Hash)? {
        builder = builder.partition_key(name, key_type);
    }
    for (name, key_type) in keys(description.key_schema(), &KeyRole::Range)? {
        builder = builder.sort_key(name, key_type);
    }
    for index in description.local_secondary_indexes() {
        builder = builder.index(
            index.index_name().unwrap_or_default(),
            IndexKind::Local,
            keys(index.key_schema(), &KeyRole::Hash)?,
            keys(index.key_schema(), &KeyRole::Range)?,
            None,
        );
        let name = index.index_name().unwrap_or_default();
        builder = builder.projecting(name, projection_of(index.projection()).map_err(refused)?);
    }
    for index in description.global_secondary_indexes() {
        let write = index
            .provisioned_throughput()
            .and_then(ProvisionedThroughputDescription::write_capacity_units);
        builder = builder.index(
            index.index_name().unwrap_or_default(),
            IndexKind::Global,
            keys(index.key_schema(), &KeyRole::Hash)?,
            keys(index.key_schema(), &KeyRole::Range)?,
            units(write).filter(|write| *write > WriteUnits::ZERO),
        );
        let name = index.index_name().unwrap_or_default();
        builder = builder.projecting(name, projection_of(index.projection()).map_err(refused)?);
    }
    let warm = description
        .warm_throughput()
        .and_then(TableWarmThroughputDescription::write_units_per_second);
    if let Some(write) = units(warm).filter(|write| *write > WriteUnits::ZERO) {
        builder = builder.warm_throughput(write);
    }
    if let Some(attribute) = ttl_attribute {
        builder = builder.ttl_attribute(attribute);
    }
    builder.build().map_err(|error| unusable(error.to_string()))
}

/// What an index holds of an item; all of it where the endpoint does not say.
fn projection_of(described: Option<&SdkProjection>) -> dynasink_core::Result<Projection> {
    let Some(described) = described else {
        return Ok(Projection::All);
    };
    Ok(match described.projection_type() {
        Some(ProjectionType::KeysOnly) => Projection::KeysOnly,
        Some(ProjectionType::Include) => {
            let names = described.non_key_attributes().iter();
            Projection::Include(
                names
                    .map(|name| AttributeName::new(name))
                    .collect::<Result<_, _>>()?,
            )
        }
        _ => Projection::All,
    })
}
