//! Tables from the answers of `DescribeTable`.

use dynasink_core::{
    AttributeName, BillingMode, IndexKind, KeyType, Projection, TableSchema, WriteUnits,
};
use serde_json::{Value, json};

use crate::table::SimulatedTable;

/// The table that `description` describes, or none if it is not one that can be written to.
///
/// Source: API reference, `TableDescription`.
pub(crate) fn table(description: &Value) -> Option<SimulatedTable> {
    let keys = |schema: &Value| key_attributes(schema, &description["AttributeDefinitions"]);
    let mut schema = TableSchema::builder(description["TableName"].as_str()?);
    for (name, key_type, is_partition_key) in keys(&description["KeySchema"])? {
        schema = if is_partition_key {
            schema.partition_key(name, key_type)
        } else {
            schema.sort_key(name, key_type)
        };
    }
    let is_on_demand = description["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST";
    let write = &description["ProvisionedThroughput"]["WriteCapacityUnits"];
    schema = schema.billing_mode(if is_on_demand {
        let max_write = &description["OnDemandThroughput"]["MaxWriteRequestUnits"];
        BillingMode::OnDemand {
            max_write: units(max_write),
        }
    } else {
        BillingMode::Provisioned {
            write: units(write).unwrap_or_default(),
        }
    });
    for (kind, member) in [
        (IndexKind::Local, "LocalSecondaryIndexes"),
        (IndexKind::Global, "GlobalSecondaryIndexes"),
    ] {
        for index in description[member].as_array().into_iter().flatten() {
            let name = index["IndexName"].as_str()?;
            let (partition_keys, sort_keys): (Vec<_>, Vec<_>) = keys(&index["KeySchema"])?
                .into_iter()
                .partition(|(_, _, is_partition_key)| *is_partition_key);
            let typed = |keys: Vec<(String, KeyType, bool)>| {
                keys.into_iter().map(|(name, key_type, _)| (name, key_type))
            };
            let write = units(&index["ProvisionedThroughput"]["WriteCapacityUnits"]);
            schema = schema.index(
                name,
                kind,
                typed(partition_keys),
                typed(sort_keys),
                write.filter(|_| kind == IndexKind::Global && !is_on_demand),
            );
            schema = schema.projecting(name, projection(&index["Projection"])?);
        }
    }
    Some(SimulatedTable::new(schema.build().ok()?))
}

/// Gives a described table, and each of its global indexes, `write` units of provisioned capacity.
pub(crate) fn provision(description: &mut Value, write: WriteUnits) {
    let throughput = json!({
        "ReadCapacityUnits": write.get(),
        "WriteCapacityUnits": write.get(),
        "NumberOfDecreasesToday": 0,
    });
    let Some(description) = description.as_object_mut() else {
        return;
    };
    let indexes = description
        .get_mut("GlobalSecondaryIndexes")
        .and_then(Value::as_array_mut);
    for index in indexes
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        index.insert("ProvisionedThroughput".to_owned(), throughput.clone());
    }
    description.insert("ProvisionedThroughput".to_owned(), throughput);
    description.insert(
        "BillingModeSummary".to_owned(),
        json!({ "BillingMode": "PROVISIONED" }),
    );
}

/// Names, types, and whether they are partition keys.
fn key_attributes(schema: &Value, definitions: &Value) -> Option<Vec<(String, KeyType, bool)>> {
    let key_attribute = |element: &Value| {
        let name = element["AttributeName"].as_str()?;
        let mut definitions = definitions.as_array()?.iter();
        let definition = definitions.find(|definition| definition["AttributeName"] == name)?;
        let key_type = match definition["AttributeType"].as_str()? {
            "S" => KeyType::S,
            "N" => KeyType::N,
            "B" => KeyType::B,
            _ => return None,
        };
        Some((name.to_owned(), key_type, element["KeyType"] == "HASH"))
    };
    schema.as_array()?.iter().map(key_attribute).collect()
}

fn units(value: &Value) -> Option<WriteUnits> {
    value
        .as_u64()
        .filter(|units| *units > 0)
        .map(WriteUnits::new)
}

fn projection(value: &Value) -> Option<Projection> {
    Some(match value["ProjectionType"].as_str() {
        Some("KEYS_ONLY") => Projection::KeysOnly,
        Some("INCLUDE") => {
            let names = value["NonKeyAttributes"].as_array().into_iter().flatten();
            let names = names.filter_map(Value::as_str).map(AttributeName::new);
            Projection::Include(names.collect::<Result<_, _>>().ok()?)
        }
        _ => Projection::All,
    })
}
