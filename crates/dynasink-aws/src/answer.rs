//! What the service says of a request that it took.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::types::{self, AttributeValue};
use aws_smithy_types::base64;
use dynasink_core::{
    ConsumedCapacity, ItemCollectionSize, PrimaryKey, TableName, TableSchema, WriteBatch, WriteOp,
    WriteUnits,
};

use crate::attributes::AttributeValueExt;
use crate::classify::Cause;
use crate::transport::{BatchResponse, RequestError};

/// Reads an answer to `batch`, whose tables go by the names that they have in `batch`.
pub(crate) fn read_response(
    batch: &WriteBatch,
    output: &BatchWriteItemOutput,
) -> Result<BatchResponse, RequestError> {
    // The service always sends the key, though empty; an answer without it is not the service's.
    let Some(unprocessed_items) = output.unprocessed_items() else {
        return Err(ambiguous(
            "the answer has no UnprocessedItems, so it does not say what was written",
        ));
    };
    let mut unprocessed = Vec::new();
    for (table, requests) in unprocessed_items {
        for request in requests {
            match key_of(batch, table, request) {
                Some(key) => unprocessed.push(key),
                None => {
                    return Err(ambiguous(
                        "UnprocessedItems holds an item that was not in the request",
                    ));
                }
            }
        }
    }
    let consumed = output.consumed_capacity().iter();
    Ok(BatchResponse {
        unprocessed,
        consumed: consumed
            .filter_map(|capacity| consumed_of(batch, capacity))
            .collect(),
        item_collections: item_collections(batch, output),
    })
}

/// An answer that cannot be taken for one: the operations may be applied, and are sent again.
fn ambiguous(problem: &str) -> RequestError {
    RequestError {
        cause: Cause::Internal,
        retry_after: None,
        source: BoxError::from(problem),
    }
}

/// The key of a refused operation, if it is one of `batch`.
fn key_of(batch: &WriteBatch, table: &str, request: &types::WriteRequest) -> Option<PrimaryKey> {
    let attributes = match (request.put_request(), request.delete_request()) {
        (Some(put), _) => put.item(),
        (None, Some(delete)) => delete.key(),
        (None, None) => return None,
    };
    let mut tables: Vec<&TableSchema> = Vec::with_capacity(1);
    for schema in batch.ops().iter().map(WriteOp::schema) {
        if is_same_table(schema.name(), table)
            && tables.iter().all(|seen| seen.name() != schema.name())
        {
            tables.push(schema);
        }
    }
    tables.into_iter().find_map(|schema| {
        let key: HashMap<String, AttributeValue> = schema
            .keys()
            .filter_map(|key| attributes.get_key_value(key.name()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let key = schema
            .primary_key(&schema.item_from_attributes(&key).ok()?)
            .ok()?;
        batch.ops().iter().any(|op| op.key() == &key).then_some(key)
    })
}

/// Whether the service's `table` is `ours`: where a request names a table by its ARN, the answer may name it alone,
/// and the other way round.
fn is_same_table(ours: &TableName, table: &str) -> bool {
    let ours = ours.as_str();
    match (name_in_arn(ours), name_in_arn(table)) {
        (Some(name), None) => name == table,
        (None, Some(name)) => name == ours,
        _ => ours == table,
    }
}

fn name_in_arn(table: &str) -> Option<&str> {
    table.rsplit_once(":table/").map(|(_, name)| name)
}

/// The name of the service's `table` in `batch`, or that of the service where `batch` has none.
fn name_in(batch: &WriteBatch, table: &str) -> Option<TableName> {
    let ours = || batch.ops().iter().map(WriteOp::table);
    ours()
        .find(|ours| ours.as_str() == table)
        .or_else(|| ours().find(|ours| is_same_table(ours, table)))
        .cloned()
        .or_else(|| TableName::new(table).ok())
}

fn consumed_of(batch: &WriteBatch, capacity: &types::ConsumedCapacity) -> Option<ConsumedCapacity> {
    let table = name_in(batch, capacity.table_name()?)?;
    let units = |capacity: &types::Capacity| {
        WriteUnits::from_consumed(
            capacity
                .capacity_units()
                .or_else(|| capacity.write_capacity_units())
                .unwrap_or_default(),
        )
    };
    let global = capacity.global_secondary_indexes();
    let local = capacity.local_secondary_indexes();
    let table_units = match capacity.table() {
        Some(table) => units(table) + local.into_iter().flat_map(HashMap::values).map(units).sum(),
        None => WriteUnits::from_consumed(capacity.capacity_units().unwrap_or_default()),
    };
    Some(ConsumedCapacity {
        table,
        table_units,
        index_units: global
            .into_iter()
            .flatten()
            .map(|(name, capacity)| (name.clone(), units(capacity)))
            .collect(),
    })
}

fn item_collections(batch: &WriteBatch, output: &BatchWriteItemOutput) -> Vec<ItemCollectionSize> {
    let mut sizes = Vec::new();
    for (table, metrics) in output.item_collection_metrics().into_iter().flatten() {
        let Some(table) = name_in(batch, table) else {
            continue;
        };
        sizes.extend(metrics.iter().filter_map(|metrics| {
            let key = metrics.item_collection_key()?.values().next()?;
            let [lower_gb, upper_gb] = metrics.size_estimate_range_gb().try_into().ok()?;
            Some(ItemCollectionSize {
                table: table.clone(),
                partition_key: text_of(key)?,
                lower_gb,
                upper_gb,
            })
        }));
    }
    // The SDK's maps have no order of their own.
    sizes.sort_by(|a, b| (&a.table, &a.partition_key).cmp(&(&b.table, &b.partition_key)));
    sizes
}

/// A key value as text.
fn text_of(key: &AttributeValue) -> Option<String> {
    match key {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text.clone()),
        AttributeValue::B(bytes) => Some(base64::encode(bytes)),
        _ => None,
    }
}
