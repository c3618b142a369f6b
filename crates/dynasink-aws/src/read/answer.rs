//! What the service says of a read, from the bytes of its answer: numbers keep the text that the table holds.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BoxError;
use bytes::Bytes;
use dynasink_core::{Item, PrimaryKey, TableSchema};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::transport::{KeysAnswer, ScanAnswer, StoredItem};
use crate::classify::Cause;
use crate::transport::RequestError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetBody<'a> {
    #[serde(borrow)]
    responses: HashMap<String, Vec<&'a RawValue>>,
    #[serde(default)]
    unprocessed_keys: HashMap<String, KeysOfTable<'a>>,
    #[serde(default)]
    consumed_capacity: Vec<Consumed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeysOfTable<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScanBody<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    #[serde(borrow)]
    last_evaluated_key: Option<&'a RawValue>,
    consumed_capacity: Option<Consumed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Consumed {
    #[serde(default)]
    capacity_units: f64,
}

/// Reads the answer to a `BatchGetItem` of `table` alone.
pub(super) fn read_keys(table: &TableSchema, body: &Bytes) -> Result<KeysAnswer, RequestError> {
    let answer: BatchGetBody<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    let unprocessed = answer.unprocessed_keys.values();
    let consumed = answer.consumed_capacity.iter();
    Ok(KeysAnswer {
        // One table was asked for, by whichever of its names.
        items: stored(table, body, answer.responses.values().flatten())?,
        unprocessed: unprocessed
            .flat_map(|asked| &asked.keys)
            .map(|key| Ok(key_of(table, key)?.0))
            .collect::<Result<_, _>>()?,
        read_units: consumed.map(|consumed| consumed.capacity_units).sum(),
    })
}

/// Reads the answer to a `Scan` of `table`.
pub(super) fn read_page(table: &TableSchema, body: &Bytes) -> Result<ScanAnswer, RequestError> {
    let answer: ScanBody<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    let next = answer.last_evaluated_key;
    Ok(ScanAnswer {
        items: stored(table, body, answer.items.iter())?,
        next: next.map(|key| body.slice_ref(key.get().as_bytes())),
        read_units: answer
            .consumed_capacity
            .map_or(0.0, |consumed| consumed.capacity_units),
    })
}

fn stored<'a>(
    table: &TableSchema,
    body: &Bytes,
    items: impl Iterator<Item = &'a &'a RawValue>,
) -> Result<Vec<StoredItem>, RequestError> {
    let items = items.map(|item| {
        let (key, key_item) = key_of(table, item)?;
        Ok(StoredItem {
            key,
            key_item,
            json: body.slice_ref(item.get().as_bytes()),
        })
    });
    items.collect()
}

/// Which item of `table` that is, of which `json` has the key attributes at least.
fn key_of(table: &TableSchema, json: &RawValue) -> Result<(PrimaryKey, Item), RequestError> {
    let attributes: HashMap<String, &RawValue> =
        serde_json::from_str(json.get()).map_err(unreadable)?;
    let named = table.keys().filter_map(|key| {
        let value = attributes.get(key.name())?;
        Some((key.name(), *value))
    });
    let keys = serde_json::to_string(&named.collect::<HashMap<_, _>>()).map_err(unreadable)?;
    let key_item = table.item_from_dynamodb_json(&keys).map_err(unreadable)?;
    let key = table.primary_key(&key_item).map_err(unreadable)?;
    Ok((key, key_item))
}

/// An answer that cannot be taken for one: the request is sent again.
pub(super) fn unreadable(error: impl Into<BoxError>) -> RequestError {
    RequestError {
        cause: Cause::Internal,
        retry_after: None,
        source: error.into(),
    }
}
