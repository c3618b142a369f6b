//! The answer of `DescribeTable` for a table that lies in memory only.

use std::collections::BTreeSet;

use dynasink_core::{
    AttributeName, BillingMode, IndexKind, IndexSchema, KeyAttribute, Projection, WriteUnits,
};
use serde_json::{Map, Value, json};

use super::key::KeyRole;
use super::name::{index_arn, table_arn, table_name_of};
use crate::operation::Reply;
use crate::table::SimulatedTable;

/// Reads are not modelled: a provisioned table has the least read capacity that there is.
const READ_UNITS: u64 = 1;

/// What stands for "no maximum" among the on-demand maxima.
const NO_MAXIMUM: i64 = -1;

/// Describes `table`, whose `TableStatus` is `status`. Sizes and counts are those of a table that was just made:
/// the service brings them up to date every six hours or so.
///
/// Source: API reference, `TableDescription`.
pub(crate) fn describe_table(table: &SimulatedTable, status: &str) -> Reply {
    let schema = &table.schema;
    let name = table_name_of(schema.name().as_str());
    let provisioned = matches!(schema.billing_mode(), BillingMode::Provisioned { .. });
    let mut description = as_map(json!({
        "TableName": name,
        "TableArn": table_arn(schema.name().as_str()),
        "TableStatus": status,
        "CreationDateTime": 0.0,
        "ItemCount": 0,
        "TableSizeBytes": 0,
        "KeySchema": key_schema(schema.keys()),
        "AttributeDefinitions": attribute_definitions(table),
    }));
    let mut set = |member: &str, value: Value| {
        description.insert(member.to_owned(), value);
    };
    match schema.billing_mode() {
        BillingMode::Provisioned { write } => set("ProvisionedThroughput", throughput(Some(write))),
        BillingMode::OnDemand { max_write } => {
            set("ProvisionedThroughput", throughput(None));
            set(
                "BillingModeSummary",
                json!({"BillingMode": "PAY_PER_REQUEST"}),
            );
            if let Some(max_write) = max_write {
                let maxima = json!({
                    "MaxReadRequestUnits": NO_MAXIMUM,
                    "MaxWriteRequestUnits": max_write.get(),
                });
                set("OnDemandThroughput", maxima);
            }
        }
    }
    for (member, kind) in [
        ("LocalSecondaryIndexes", IndexKind::Local),
        ("GlobalSecondaryIndexes", IndexKind::Global),
    ] {
        let indexes = schema.indexes().iter().filter(|index| index.kind() == kind);
        let indexes: Vec<Value> = indexes
            .map(|index| describe_index(table, index, provisioned))
            .collect();
        if !indexes.is_empty() {
            set(member, indexes.into());
        }
    }
    Reply::json(200, json!({"Table": description}).to_string())
}

fn describe_index(table: &SimulatedTable, index: &IndexSchema, provisioned: bool) -> Value {
    let mut description = as_map(json!({
        "IndexName": index.name(),
        "IndexArn": index_arn(table.schema.name().as_str(), index.name()),
        "IndexSizeBytes": 0,
        "ItemCount": 0,
        "KeySchema": key_schema(index.keys()),
        "Projection": projection(index.projection()),
    }));
    if index.kind() == IndexKind::Global {
        description.insert("IndexStatus".to_owned(), "ACTIVE".into());
        let write = index.write_capacity();
        description.insert(
            "ProvisionedThroughput".to_owned(),
            throughput(write.filter(|_| provisioned)),
        );
    }
    description.into()
}

fn as_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Without provisioned capacity the service says zero.
fn throughput(write: Option<WriteUnits>) -> Value {
    json!({
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": write.map_or(0, |_| READ_UNITS),
        "WriteCapacityUnits": write.map_or(0, WriteUnits::get),
    })
}

#[expect(
    single_use_lifetimes,
    reason = "`impl Trait` arguments cannot elide it yet"
)]
fn key_schema<'a>(keys: impl IntoIterator<Item = &'a KeyAttribute>) -> Value {
    let elements = keys.into_iter().map(|key| {
        let role = match KeyRole::of(key) {
            KeyRole::Partition => "HASH",
            KeyRole::Sort => "RANGE",
        };
        json!({"AttributeName": key.name(), "KeyType": role})
    });
    elements.collect()
}

/// Each key attribute of the table and of its indexes once.
fn attribute_definitions(table: &SimulatedTable) -> Value {
    let of_indexes = table.schema.indexes().iter().flat_map(IndexSchema::keys);
    let definitions: BTreeSet<(&str, &str)> = table
        .schema
        .keys()
        .chain(of_indexes)
        .map(|key| (key.name(), key.key_type().descriptor()))
        .collect();
    definitions
        .into_iter()
        .map(|(name, key_type)| json!({"AttributeName": name, "AttributeType": key_type}))
        .collect()
}

fn projection(projection: &Projection) -> Value {
    match projection {
        Projection::All => json!({"ProjectionType": "ALL"}),
        Projection::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
        Projection::Include(attributes) => {
            let names: Vec<_> = attributes.iter().map(AttributeName::as_str).collect();
            json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names})
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{IndexStatus, ProjectionType, TableStatus};
    use dynasink_core::{KeyType, TableSchema, TableSchemaBuilder};

    use super::*;
    use crate::wire::canned::client_that_gets;

    fn users() -> TableSchemaBuilder {
        TableSchema::builder("users")
            .partition_key("id", KeyType::S)
            .sort_key("n", KeyType::N)
    }

    fn with_indexes(write: Option<WriteUnits>) -> TableSchemaBuilder {
        users()
            .index(
                "by-age",
                IndexKind::Local,
                [("id", KeyType::S)],
                [("age", KeyType::N)],
                None,
            )
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::B), ("city", KeyType::S)],
                [("age", KeyType::N)],
                write,
            )
    }

    #[tokio::test]
    async fn a_table_is_described_so_that_its_schema_is_read_back() {
        let write = WriteUnits::new(7);
        for schema in [
            users(),
            users().billing_mode(BillingMode::Provisioned { write }),
            users().billing_mode(BillingMode::OnDemand {
                max_write: Some(write),
            }),
            with_indexes(None),
            with_indexes(Some(WriteUnits::new(3))).billing_mode(BillingMode::Provisioned { write }),
        ] {
            let schema = schema.build().unwrap();
            let reply = describe_table(&SimulatedTable::new(schema.clone()), "ACTIVE");
            let client = client_that_gets(reply);
            let described = dynasink_aws::describe(&client, "users").await.unwrap();
            assert_eq!(described, schema);
        }
    }

    #[tokio::test]
    async fn a_description_says_what_else_clients_ask_for() {
        let included = Projection::Include(vec![AttributeName::new("name").unwrap()]);
        let schema = with_indexes(None)
            .projecting("by-age", Projection::KeysOnly)
            .projecting("by-mail", included);
        let table = SimulatedTable::new(schema.build().unwrap());
        let client = client_that_gets(describe_table(&table, "UPDATING"));
        let output = client.describe_table().table_name("users").send().await;
        let table = output.unwrap().table.unwrap();

        assert_eq!(table.table_status(), Some(&TableStatus::Updating));
        assert_eq!(table.table_arn(), Some(table_arn("users").as_str()));
        assert_eq!(table.attribute_definitions().len(), 5);
        let local = table.local_secondary_indexes()[0].projection().unwrap();
        assert_eq!(local.projection_type(), Some(&ProjectionType::KeysOnly));
        let global = &table.global_secondary_indexes()[0];
        assert_eq!(global.index_status(), Some(&IndexStatus::Active));
        assert_eq!(
            global.index_arn(),
            Some(index_arn("users", "by-mail").as_str())
        );
        let projected = global.projection().unwrap();
        assert_eq!(projected.projection_type(), Some(&ProjectionType::Include));
        assert_eq!(projected.non_key_attributes(), ["name"]);
    }
}
