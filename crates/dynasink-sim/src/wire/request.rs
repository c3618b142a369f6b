//! Requests to write: a body becomes writes that keep every rule of the service, or a [`Rejection`].
//!
//! Source of the rules: API reference, `BatchWriteItem`: "If one or more of the following is true, DynamoDB rejects
//! the entire batch write operation"; *Quotas in Amazon DynamoDB*.

use std::collections::HashSet;
use std::sync::Arc;

use dynasink_core::limits::{MAX_BATCH_OPS, MAX_ITEM_BYTES, MAX_REQUEST_BYTES};
use dynasink_core::{PrimaryKey, WriteAction};
use serde_json::{Map, Value};

use super::json::{list, object, read, refuse_unknown, string, take};
use super::name::{is_legal, table_name_of};
use super::rejection::Rejection;
use super::value::{self, NO_TYPE, TWO_TYPES};
use super::{key, size};
use crate::footprint::Footprint;
use crate::table::SimulatedTable;

/// The writes of one request. They are independent of one another, and no two are of one item.
#[derive(Debug)]
pub(crate) struct BatchWrite {
    pub(crate) writes: Vec<Write>,
    pub(crate) returned: Returned,
}

/// What the request wants to know of the writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) capacity: ReturnCapacity,
    /// Whether the sizes of item collections are wanted.
    pub(crate) collections: bool,
}

/// `ReturnConsumedCapacity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ReturnCapacity {
    #[default]
    None,
    /// Of tables with their indexes.
    Total,
    /// Of tables and of each index.
    Indexes,
}

/// A put or a delete of one item.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) table: Arc<SimulatedTable>,
    /// The table as the request names it: by its name or its ARN.
    pub(crate) named: String,
    pub(crate) key: PrimaryKey,
    pub(crate) action: WriteAction,
    /// The item of a put, the key of a delete.
    pub(crate) attributes: Map<String, Value>,
    /// Of the item of a put.
    pub(crate) footprint: Option<Footprint>,
}

/// A request for a single write.
#[derive(Debug)]
pub(crate) enum SingleWrite {
    /// One write without conditions, which returns no items.
    Unconditional(BatchWrite),
    /// A write that depends on what is stored, or returns it: a conditional write, `ReturnValues`,
    /// `ReturnItemCollectionMetrics`. It was not checked.
    NotModelled,
}

/// Reads the body of a `BatchWriteItem`. `table` finds a table by its name; it never gets an ARN.
///
/// # Errors
///
/// The [`Rejection`] of the whole request.
pub(crate) fn batch_write(
    body: &[u8],
    table: impl Fn(&str) -> Option<Arc<SimulatedTable>>,
) -> Result<BatchWrite, Rejection> {
    let mut request = read_within_limit(body)?;
    let tables = match take(&mut request, "RequestItems") {
        Some(tables) => object(tables, "RequestItems")?,
        None => Map::new(),
    };
    if tables.is_empty() {
        return Err(Rejection::Validation(
            "The requestItems parameter is required for BatchWriteItem".to_owned(),
        ));
    }
    let tables = tables
        .into_iter()
        .map(|(named, requests)| Ok((named, list(requests, "a value of RequestItems")?)))
        .collect::<Result<Vec<_>, Rejection>>()?;
    let ops: usize = tables.iter().map(|(_, requests)| requests.len()).sum();
    if ops > MAX_BATCH_OPS || tables.iter().any(|(_, requests)| requests.is_empty()) {
        return Err(constraint(
            "requestItems",
            "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have \
             length greater than or equal to 1]",
        ));
    }
    let returned = take_returned(&mut request)?;
    refuse_unknown(&request, "BatchWriteItem")?;

    let mut asked = Vec::with_capacity(ops);
    for (named, requests) in tables {
        check_table_name(&named, "requestItems")?;
        for request in requests {
            let (action, attributes) = write_request(request)?;
            asked.push(Asked::checked(named.clone(), action, attributes)?);
        }
    }
    // The service looks at the values of all operations before it looks for a table.
    let writes = asked
        .into_iter()
        .map(|asked| asked.of_table(&table))
        .collect::<Result<Vec<_>, Rejection>>()?;
    let mut keys = HashSet::with_capacity(writes.len());
    if !writes.iter().all(|write| keys.insert(&write.key)) {
        return Err(Rejection::Validation(
            "Provided list of item keys contains duplicates".to_owned(),
        ));
    }
    Ok(BatchWrite { writes, returned })
}

/// Reads the body of a `PutItem`.
///
/// # Errors
///
/// The [`Rejection`] of the request.
pub(crate) fn put_item(
    body: &[u8],
    table: impl Fn(&str) -> Option<Arc<SimulatedTable>>,
) -> Result<SingleWrite, Rejection> {
    single_write(body, WriteAction::Put, table)
}

/// Reads the body of a `DeleteItem`.
///
/// # Errors
///
/// The [`Rejection`] of the request.
pub(crate) fn delete_item(
    body: &[u8],
    table: impl Fn(&str) -> Option<Arc<SimulatedTable>>,
) -> Result<SingleWrite, Rejection> {
    single_write(body, WriteAction::Delete, table)
}

fn single_write(
    body: &[u8],
    action: WriteAction,
    table: impl Fn(&str) -> Option<Arc<SimulatedTable>>,
) -> Result<SingleWrite, Rejection> {
    let mut request = read_within_limit(body)?;
    if depends_on_stored_items(&request) {
        return Ok(SingleWrite::NotModelled);
    }
    take(&mut request, "ReturnValues");
    let returned = take_returned(&mut request)?;
    let named = take(&mut request, "TableName")
        .ok_or_else(|| constraint("tableName", "Member must not be null"))?;
    let named = string(named, "TableName")?;
    check_table_name(&named, "tableName")?;
    let (member, operation) = match action {
        WriteAction::Put => ("Item", "PutItem"),
        WriteAction::Delete => ("Key", "DeleteItem"),
    };
    let attributes = take_attributes(&mut request, member)?;
    refuse_unknown(&request, operation)?;
    let write = Asked::checked(named, action, attributes)?.of_table(&table)?;
    Ok(SingleWrite::Unconditional(BatchWrite {
        writes: vec![write],
        returned,
    }))
}

fn depends_on_stored_items(request: &Map<String, Value>) -> bool {
    let given = |name: &str| request.get(name).filter(|value| !value.is_null());
    let conditions = [
        "ConditionExpression",
        "ConditionalOperator",
        "Expected",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    ];
    let returns = ["ReturnValues", "ReturnItemCollectionMetrics"];
    conditions.into_iter().any(|name| given(name).is_some())
        || returns
            .into_iter()
            .any(|name| given(name).is_some_and(|value| value != "NONE"))
}

/// An operation whose values were checked, before its table is known.
struct Asked {
    named: String,
    action: WriteAction,
    attributes: Map<String, Value>,
}

impl Asked {
    fn checked(
        named: String,
        action: WriteAction,
        attributes: Map<String, Value>,
    ) -> Result<Self, Rejection> {
        value::check_attributes(&attributes)?;
        if action == WriteAction::Put && size::of_attributes(&attributes) > MAX_ITEM_BYTES {
            return Err(Rejection::Validation(
                "Item size has exceeded the maximum allowed size".to_owned(),
            ));
        }
        Ok(Self {
            named,
            action,
            attributes,
        })
    }

    fn of_table(
        self,
        table: impl Fn(&str) -> Option<Arc<SimulatedTable>>,
    ) -> Result<Write, Rejection> {
        let name = table_name_of(&self.named);
        let table = table(name).ok_or_else(|| Rejection::TableMissing(name.to_owned()))?;
        let (key, footprint) = match self.action {
            WriteAction::Put => {
                let key = key::of_item(&table.schema, &self.attributes)?;
                key::check_indexes(&table.schema, &self.attributes)?;
                let footprint = Footprint::of(&table, &key, &self.attributes);
                (key, Some(footprint))
            }
            WriteAction::Delete => (key::of_delete(&table.schema, &self.attributes)?, None),
        };
        Ok(Write {
            table,
            named: self.named,
            key,
            action: self.action,
            attributes: self.attributes,
            footprint,
        })
    }
}

fn read_within_limit(body: &[u8]) -> Result<Map<String, Value>, Rejection> {
    if body.len() > MAX_REQUEST_BYTES {
        return Err(Rejection::BodyTooLarge(body.len()));
    }
    read(body)
}

fn take_returned(request: &mut Map<String, Value>) -> Result<Returned, Rejection> {
    let mut take_text = |name| {
        take(request, name)
            .map(|value| string(value, name))
            .transpose()
    };
    let capacity = match take_text("ReturnConsumedCapacity")?.as_deref() {
        None | Some("NONE") => ReturnCapacity::None,
        Some("TOTAL") => ReturnCapacity::Total,
        Some("INDEXES") => ReturnCapacity::Indexes,
        Some(_) => {
            return Err(constraint(
                "returnConsumedCapacity",
                "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]",
            ));
        }
    };
    let collections = match take_text("ReturnItemCollectionMetrics")?.as_deref() {
        None | Some("NONE") => false,
        Some("SIZE") => true,
        Some(_) => {
            return Err(constraint(
                "returnItemCollectionMetrics",
                "Member must satisfy enum value set: [SIZE, NONE]",
            ));
        }
    };
    Ok(Returned {
        capacity,
        collections,
    })
}

/// An element of `RequestItems`: exactly one of put and delete.
fn write_request(request: Value) -> Result<(WriteAction, Map<String, Value>), Rejection> {
    let mut request = object(request, "a WriteRequest")?;
    let put = take(&mut request, "PutRequest");
    let delete = take(&mut request, "DeleteRequest");
    refuse_unknown(&request, "WriteRequest")?;
    let (action, asked, member, what) = match (put, delete) {
        (Some(put), None) => (WriteAction::Put, put, "Item", "PutRequest"),
        (None, Some(delete)) => (WriteAction::Delete, delete, "Key", "DeleteRequest"),
        (Some(_), Some(_)) => return Err(Rejection::Validation(TWO_TYPES.to_owned())),
        (None, None) => return Err(Rejection::Validation(NO_TYPE.to_owned())),
    };
    let mut asked = object(asked, what)?;
    let attributes = take_attributes(&mut asked, member)?;
    refuse_unknown(&asked, what)?;
    Ok((action, attributes))
}

fn take_attributes(
    members: &mut Map<String, Value>,
    name: &str,
) -> Result<Map<String, Value>, Rejection> {
    let attributes = take(members, name)
        .ok_or_else(|| constraint(&name.to_lowercase(), "Member must not be null"))?;
    object(attributes, name)
}

fn check_table_name(named: &str, member: &str) -> Result<(), Rejection> {
    if is_legal(named) {
        return Ok(());
    }
    Err(constraint(
        member,
        "[Member must have length less than or equal to 255, Member must have length greater than or equal to 3, \
         Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]",
    ))
}

/// The service repeats the value, however large it is. Here the message does without.
fn constraint(member: &str, rule: &str) -> Rejection {
    Rejection::Validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: {rule}"
    ))
}

#[cfg(test)]
mod tests;
