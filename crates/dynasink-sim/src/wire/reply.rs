//! The answers of the write operations.

use dynasink_core::WriteAction;
use serde_json::{Map, Value, json};

use super::request::{ReturnCapacity, Returned, Write};
use crate::operation::Reply;

/// Write capacity units that a request consumed of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableUnits {
    /// As the request names the table.
    pub(crate) named: String,
    /// Of the table itself, without its indexes.
    pub(crate) table: u64,
    /// Of each local index that was written to.
    pub(crate) local: Vec<(String, u64)>,
    /// Of each global index that was written to.
    pub(crate) global: Vec<(String, u64)>,
}

/// How large the items of one partition key value are, in a table with local indexes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CollectionSize {
    /// As the request names the table.
    pub(crate) named: String,
    /// The table's partition key: attribute and value.
    pub(crate) key: (String, Value),
    /// The estimate: at least and at most.
    pub(crate) gigabytes: [f64; 2],
}

/// The answer of a `BatchWriteItem` of which some operations may not have been applied.
///
/// Source: API reference, `BatchWriteItem`, "Response Syntax".
pub(crate) fn batch_written(
    unprocessed: &[&Write],
    consumed: &[TableUnits],
    collections: &[CollectionSize],
    returned: &Returned,
) -> Reply {
    let mut tables = Map::new();
    for write in unprocessed {
        push(&mut tables, &write.named, as_requested(write));
    }
    let mut members = Map::new();
    // The service sends it even if it is empty.
    members.insert("UnprocessedItems".to_owned(), tables.into());
    if returned.capacity != ReturnCapacity::None {
        let consumed: Vec<Value> = consumed
            .iter()
            .map(|units| consumed_capacity(units, returned.capacity))
            .collect();
        members.insert("ConsumedCapacity".to_owned(), consumed.into());
    }
    if returned.collections && !collections.is_empty() {
        let mut tables = Map::new();
        for collection in collections {
            let (attribute, value) = &collection.key;
            let metrics = json!({
                "ItemCollectionKey": {attribute: value},
                "SizeEstimateRangeGB": collection.gigabytes,
            });
            push(&mut tables, &collection.named, metrics);
        }
        members.insert("ItemCollectionMetrics".to_owned(), tables.into());
    }
    Reply::json(200, Value::Object(members).to_string())
}

/// The answer of a `PutItem` or `DeleteItem` that was applied. Both return nothing else than what they consumed.
pub(crate) fn single_written(consumed: Option<&TableUnits>, returned: &Returned) -> Reply {
    let mut members = Map::new();
    if let Some(units) = consumed
        && returned.capacity != ReturnCapacity::None
    {
        members.insert(
            "ConsumedCapacity".to_owned(),
            consumed_capacity(units, returned.capacity),
        );
    }
    Reply::json(200, Value::Object(members).to_string())
}

fn push(tables: &mut Map<String, Value>, named: &str, element: Value) {
    let elements = tables
        .entry(named)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(elements) = elements {
        elements.push(element);
    }
}

/// The operation as an element of `RequestItems`.
fn as_requested(write: &Write) -> Value {
    match write.action {
        WriteAction::Put => json!({"PutRequest": {"Item": write.attributes}}),
        WriteAction::Delete => json!({"DeleteRequest": {"Key": write.attributes}}),
    }
}

/// Source: API reference, `ConsumedCapacity`. Its `CapacityUnits` are those of the table and of all its indexes.
fn consumed_capacity(units: &TableUnits, detail: ReturnCapacity) -> Value {
    let indexes = units.local.iter().chain(&units.global);
    let total = units.table + indexes.map(|(_, units)| units).sum::<u64>();
    let mut members = Map::new();
    members.insert("TableName".to_owned(), units.named.as_str().into());
    members.insert("CapacityUnits".to_owned(), (total as f64).into());
    if detail == ReturnCapacity::Indexes {
        members.insert("Table".to_owned(), capacity(units.table));
        for (member, indexes) in [
            ("LocalSecondaryIndexes", &units.local),
            ("GlobalSecondaryIndexes", &units.global),
        ] {
            if !indexes.is_empty() {
                let indexes: Map<String, Value> = indexes
                    .iter()
                    .map(|(index, units)| (index.clone(), capacity(*units)))
                    .collect();
                members.insert(member.to_owned(), indexes.into());
            }
        }
    }
    members.into()
}

fn capacity(units: u64) -> Value {
    json!({"CapacityUnits": units as f64})
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_sdk_dynamodb::types::AttributeValue;
    use dynasink_core::{KeyType, TableSchema};

    use super::*;
    use crate::table::SimulatedTable;
    use crate::wire::canned::{batch_write, client_that_gets};
    use crate::wire::name::table_arn;
    use crate::wire::request;

    const INDEXES: Returned = Returned {
        capacity: ReturnCapacity::Indexes,
        collections: true,
    };

    fn units(named: &str) -> TableUnits {
        TableUnits {
            named: named.to_owned(),
            table: 3,
            local: vec![("by-age".to_owned(), 1)],
            global: vec![("by-mail".to_owned(), 4), ("by-city".to_owned(), 2)],
        }
    }

    fn writes() -> Vec<Write> {
        let schema = TableSchema::builder("users")
            .partition_key("id", KeyType::S)
            .build()
            .unwrap();
        let table = Arc::new(SimulatedTable::new(schema));
        let body = json!({"RequestItems": {
            "users": [
                {"PutRequest": {"Item": {"id": {"S": "a"}, "n": {"N": "1.50"}}}},
                {"DeleteRequest": {"Key": {"id": {"S": "b"}}}},
            ],
            table_arn("users"): [{"DeleteRequest": {"Key": {"id": {"S": "c"}}}}],
        }});
        request::batch_write(body.to_string().as_bytes(), |_| Some(Arc::clone(&table)))
            .unwrap()
            .writes
    }

    #[test]
    fn what_is_unprocessed_can_be_sent_again_as_it_is() {
        let writes = writes();
        let unprocessed: Vec<&Write> = writes.iter().collect();
        let reply = batch_written(&unprocessed, &[], &[], &Returned::default());
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(
            body,
            json!({"UnprocessedItems": {
                "users": [
                    {"PutRequest": {"Item": {"id": {"S": "a"}, "n": {"N": "1.50"}}}},
                    {"DeleteRequest": {"Key": {"id": {"S": "b"}}}},
                ],
                table_arn("users"): [{"DeleteRequest": {"Key": {"id": {"S": "c"}}}}],
            }})
        );
    }

    #[tokio::test]
    async fn the_sdk_reads_an_answer_with_all_that_it_can_hold() {
        let writes = writes();
        let put = writes.iter().find(|write| write.action == WriteAction::Put);
        let put = put.unwrap();
        let collection = CollectionSize {
            named: "users".to_owned(),
            key: ("id".to_owned(), json!({"S": "a"})),
            gigabytes: [0.0, 1.0],
        };
        let reply = batch_written(&[put], &[units("users")], &[collection], &INDEXES);

        let output = batch_write(&client_that_gets(reply)).await.unwrap();

        let unprocessed = output.unprocessed_items().unwrap();
        assert_eq!(unprocessed.len(), 1);
        let put = unprocessed["users"][0].put_request().unwrap();
        assert_eq!(put.item()["n"], AttributeValue::N("1.50".to_owned()));
        let consumed = &output.consumed_capacity()[0];
        assert_eq!(consumed.table_name(), Some("users"));
        assert_eq!(consumed.capacity_units(), Some(10.0));
        assert_eq!(consumed.table().unwrap().capacity_units(), Some(3.0));
        let local = consumed.local_secondary_indexes().unwrap();
        assert_eq!(local["by-age"].capacity_units(), Some(1.0));
        let global = consumed.global_secondary_indexes().unwrap();
        assert_eq!(global["by-mail"].capacity_units(), Some(4.0));
        assert_eq!(global["by-city"].capacity_units(), Some(2.0));
        let metrics = &output.item_collection_metrics().unwrap()["users"][0];
        assert_eq!(
            metrics.item_collection_key().unwrap()["id"],
            AttributeValue::S("a".to_owned())
        );
        assert_eq!(metrics.size_estimate_range_gb(), [0.0, 1.0]);
    }

    #[test]
    fn only_what_was_asked_for_is_returned() {
        let body = |capacity| {
            let returned = Returned {
                capacity,
                collections: false,
            };
            let collection = CollectionSize {
                named: "users".to_owned(),
                key: ("id".to_owned(), json!({"S": "a"})),
                gigabytes: [0.0, 1.0],
            };
            batch_written(&[], &[units("users")], &[collection], &returned).body
        };
        assert_eq!(body(ReturnCapacity::None), r#"{"UnprocessedItems":{}}"#);
        assert_eq!(
            body(ReturnCapacity::Total),
            r#"{"ConsumedCapacity":[{"CapacityUnits":10.0,"TableName":"users"}],"UnprocessedItems":{}}"#
        );
    }

    #[test]
    fn a_single_write_returns_its_units_in_one_object() {
        let units = units("users");
        let total = Returned {
            capacity: ReturnCapacity::Total,
            collections: false,
        };
        assert_eq!(
            single_written(Some(&units), &total).body,
            r#"{"ConsumedCapacity":{"CapacityUnits":10.0,"TableName":"users"}}"#
        );
        assert_eq!(
            single_written(Some(&units), &Returned::default()).body,
            "{}"
        );
        assert_eq!(single_written(None, &INDEXES).body, "{}");
    }
}
