//! Key attributes of tables and indexes.

use std::borrow::Cow;

use dynasink_core::limits::{MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES};
use dynasink_core::{KeyAttribute, KeyType, Number, PrimaryKey, TableSchema};
use serde_json::{Map, Value};

use super::rejection::Rejection;
use super::value::{self, AttributeValue};

const OTHER_SCHEMA: &str = "The provided key element does not match the schema";

/// What a key attribute is in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyRole {
    Partition,
    Sort,
}

impl KeyRole {
    /// Of a table's or an index's key, which may have several attributes of either role.
    pub(super) fn of(attribute: &KeyAttribute) -> Self {
        if attribute.max_bytes() == MAX_PARTITION_KEY_BYTES {
            Self::Partition
        } else {
            Self::Sort
        }
    }
}

/// The value of a key attribute.
#[derive(Debug)]
pub(super) enum KeyValue<'a> {
    S(&'a str),
    N(Number),
    B(Vec<u8>),
}

impl<'a> KeyValue<'a> {
    /// Of an attribute of the type that the key schema says; `None` if it is of another.
    pub(super) fn of(key_type: KeyType, value: &'a Value) -> Option<Self> {
        match (key_type, AttributeValue::of(value).ok()?) {
            (KeyType::S, AttributeValue::S(text)) => Some(Self::S(text)),
            (KeyType::N, AttributeValue::N(text)) => value::number(text).ok().map(Self::N),
            (KeyType::B, AttributeValue::B(text)) => value::binary(text).ok().map(Self::B),
            _ => None,
        }
    }

    /// Bytes that are equal where the service takes two values for one.
    pub(super) fn canonical(&self) -> Cow<'_, [u8]> {
        match self {
            Self::S(text) => text.as_bytes().into(),
            Self::N(number) => number.to_string().into_bytes().into(),
            Self::B(bytes) => bytes.into(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            // Of 38 digits at most, so never empty and never too long.
            Self::N(_) => 1,
            Self::B(bytes) => bytes.len(),
        }
    }
}

/// The key of the item to put, whose values were checked.
///
/// Source: API reference, `BatchWriteItem`: "Primary key attributes specified on an item in the request do not
/// match those in the corresponding table's primary key schema".
pub(super) fn of_item(
    table: &TableSchema,
    item: &Map<String, Value>,
) -> Result<PrimaryKey, Rejection> {
    let mut values = Vec::with_capacity(2);
    for attribute in table.keys() {
        let value = item
            .get(attribute.name())
            .and_then(|value| KeyValue::of(attribute.key_type(), value))
            .ok_or_else(|| Rejection::Validation(OTHER_SCHEMA.to_owned()))?;
        if value.len() == 0 {
            return Err(Rejection::Validation(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
                 empty {} value. Key: {}",
                content(attribute),
                attribute.name()
            )));
        }
        check_length(attribute, &value)?;
        values.push((attribute.name(), value));
    }
    identity(table, &values)
}

/// The key of the item to delete: the key attributes of the table and no others.
pub(super) fn of_delete(
    table: &TableSchema,
    key: &Map<String, Value>,
) -> Result<PrimaryKey, Rejection> {
    if key.len() != table.keys().count() {
        return Err(Rejection::Validation(OTHER_SCHEMA.to_owned()));
    }
    of_item(table, key)
}

/// Checks the key attributes of the indexes: each may be absent, but not of another type, empty or too long.
///
/// Source: *Using Global Secondary Indexes in DynamoDB*.
pub(super) fn check_indexes(
    table: &TableSchema,
    item: &Map<String, Value>,
) -> Result<(), Rejection> {
    for index in table.indexes() {
        for attribute in index.keys() {
            let Some(value) = item.get(attribute.name()) else {
                continue;
            };
            let name = attribute.name();
            let Some(key_value) = KeyValue::of(attribute.key_type(), value) else {
                return Err(Rejection::Validation(format!(
                    "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {} \
                     Actual: {} IndexName: {}",
                    attribute.key_type().descriptor(),
                    AttributeValue::of(value)?.descriptor(),
                    index.name()
                )));
            };
            if key_value.len() == 0 {
                return Err(Rejection::Validation(format!(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not \
                     supported. The AttributeValue for a key attribute cannot contain an empty {} value. IndexName: \
                     {}, IndexKey: {name}",
                    content(attribute),
                    index.name()
                )));
            }
            check_length(attribute, &key_value)?;
        }
    }
    Ok(())
}

fn content(attribute: &KeyAttribute) -> &'static str {
    match attribute.key_type() {
        KeyType::B => "binary",
        KeyType::S | KeyType::N => "string",
    }
}

/// Source: *Quotas in Amazon DynamoDB*, "Partition key length" and "Sort key length".
fn check_length(attribute: &KeyAttribute, value: &KeyValue<'_>) -> Result<(), Rejection> {
    let (max, message) = match KeyRole::of(attribute) {
        // The missing space is the service's.
        KeyRole::Partition => (
            MAX_PARTITION_KEY_BYTES,
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 \
             bytes",
        ),
        KeyRole::Sort => (
            MAX_SORT_KEY_BYTES,
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit \
             of 1024 bytes",
        ),
    };
    if value.len() > max {
        return Err(Rejection::Validation(message.to_owned()));
    }
    Ok(())
}

/// The identity that the client gives the item of that key.
fn identity(table: &TableSchema, values: &[(&str, KeyValue<'_>)]) -> Result<PrimaryKey, Rejection> {
    table
        .item(|item| {
            for (name, value) in values {
                let attribute = item.attribute(name)?;
                match value {
                    KeyValue::S(text) => attribute.string(text)?,
                    KeyValue::N(number) => attribute.number(number)?,
                    KeyValue::B(bytes) => attribute.binary(bytes)?,
                }
            }
            Ok(())
        })
        .and_then(|item| table.primary_key(&item))
        .map_err(|error: dynasink_core::Error| Rejection::Validation(error.to_string()))
}
