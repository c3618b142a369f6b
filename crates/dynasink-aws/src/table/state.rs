//! What a table is like besides its keys and indexes: what a load over it costs, changes or cannot undo.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    ContinuousBackupsDescription, IndexStatus, PointInTimeRecoveryStatus, StreamSpecification,
    StreamViewType, TableStatus,
};

use super::capacity::CapacitySettings;
use super::describe::{fetch, ttl_attribute};
use super::unknown::unless_not_known;
use crate::error::Result;
use crate::preflight::Preflight;

/// What a stream tells of each write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamView {
    /// The key of the item.
    KeysOnly,
    /// The item after the write.
    NewImage,
    /// The item before the write.
    OldImage,
    /// The item before and after the write.
    NewAndOldImages,
    /// One that is not known here.
    Other,
}

/// Whether a table can be had back as it was.
///
/// Source: *Point-in-time backups for DynamoDB*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointInTimeRecovery {
    /// It can, for each second of the last days.
    On,
    /// It cannot: what is overwritten is gone.
    Off,
    /// The credentials do not permit `DescribeContinuousBackups`, or the endpoint does not have it.
    NotKnown,
}

/// What a table is like besides its [schema](dynasink_core::TableSchema).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    /// Its name.
    pub name: String,
    /// Its ARN; some endpoints give none.
    pub arn: Option<String>,
    /// What tells it from another table that had its name before; some endpoints give none.
    pub id: Option<String>,
    /// `ACTIVE`, `UPDATING` and so on.
    pub status: TableStatus,
    /// What the capacity of the table and of its global indexes is set to.
    pub capacity: CapacitySettings,
    /// What its stream tells of each write, if it has one.
    pub stream: Option<StreamView>,
    /// Whether it can be had back as it was.
    pub point_in_time_recovery: PointInTimeRecovery,
    /// The regions to which it is replicated, itself not among them as the service says it.
    pub replicas: Vec<String>,
    /// Whether it cannot be deleted.
    pub deletion_protection: bool,
    /// The attribute by which items expire. None if it has none, or if that is not known.
    pub ttl_attribute: Option<String>,
    /// Its items, as the service counted them some hours ago.
    pub items: u64,
    /// Their bytes, as of then.
    pub bytes: u64,
    /// Write units per second that it takes at once. None if that is not known.
    pub warm_write: Option<u64>,
    /// The global indexes that are being made or removed.
    pub indexes_in_change: Vec<String>,
}

/// Asks for what `table` is like now, whatever its status: `DescribeTable`, `DescribeTimeToLive` and
/// `DescribeContinuousBackups`.
///
/// Where the credentials do not permit the latter two, or the endpoint does not have them, what they tell is not known.
///
/// # Errors
///
/// [`Error::Describe`](crate::Error::Describe) if the service does not answer or there is no such table.
pub async fn describe_state(client: &Client, table: &str) -> Result<TableState> {
    let description = fetch(client, table).await?;
    let ttl_attribute = ttl_attribute(client, table).await?;
    let point_in_time_recovery = point_in_time_recovery(client, table).await?;
    let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let indexes = description.global_secondary_indexes().iter();
    let in_change = indexes.filter(|index| {
        matches!(
            index.index_status(),
            Some(IndexStatus::Creating | IndexStatus::Deleting)
        )
    });
    let replicas = description.replicas().iter();
    Ok(TableState {
        name: table.to_owned(),
        arn: description.table_arn().map(str::to_owned),
        id: description.table_id().map(str::to_owned),
        // Endpoints that know no status have tables that are there at once.
        status: description
            .table_status()
            .cloned()
            .unwrap_or(TableStatus::Active),
        capacity: CapacitySettings::of(&description),
        stream: description
            .stream_specification()
            .filter(|stream| stream.stream_enabled())
            .map(stream_view),
        point_in_time_recovery,
        replicas: replicas
            .filter_map(|replica| replica.region_name().map(str::to_owned))
            .collect(),
        deletion_protection: description.deletion_protection_enabled().unwrap_or(false),
        ttl_attribute,
        items: count(description.item_count()).unwrap_or_default(),
        bytes: count(description.table_size_bytes()).unwrap_or_default(),
        warm_write: description
            .warm_throughput()
            .and_then(|warm| count(warm.write_units_per_second()))
            .filter(|units| *units > 0),
        indexes_in_change: in_change
            .filter_map(|index| index.index_name().map(str::to_owned))
            .collect(),
    })
}

fn stream_view(stream: &StreamSpecification) -> StreamView {
    match stream.stream_view_type() {
        Some(StreamViewType::KeysOnly) => StreamView::KeysOnly,
        Some(StreamViewType::NewImage) => StreamView::NewImage,
        Some(StreamViewType::OldImage) => StreamView::OldImage,
        Some(StreamViewType::NewAndOldImages) => StreamView::NewAndOldImages,
        _ => StreamView::Other,
    }
}

/// Source: API reference, `DescribeContinuousBackups`.
async fn point_in_time_recovery(client: &Client, table: &str) -> Result<PointInTimeRecovery> {
    let asked = client
        .describe_continuous_backups()
        .table_name(table)
        .customize()
        .interceptor(Preflight)
        .send()
        .await;
    let description = match asked {
        Ok(output) => output.continuous_backups_description,
        Err(error) => unless_not_known(table, "whether it can be had back as it was", error)?,
    };
    let recovery = description
        .as_ref()
        .and_then(ContinuousBackupsDescription::point_in_time_recovery_description)
        .and_then(|recovery| recovery.point_in_time_recovery_status());
    Ok(match recovery {
        Some(PointInTimeRecoveryStatus::Enabled) => PointInTimeRecovery::On,
        Some(PointInTimeRecoveryStatus::Disabled) => PointInTimeRecovery::Off,
        _ => PointInTimeRecovery::NotKnown,
    })
}
