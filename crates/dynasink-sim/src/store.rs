//! Where a simulator keeps tables and items.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use dynasink_core::{PrimaryKey, WriteAction, WriteUnits};
use serde_json::{Map, Value, json};

use crate::described;
use crate::embedded::EmbeddedStore;
use crate::exchange::Request;
use crate::footprint::Footprint;
use crate::operation::Reply;
use crate::table::SimulatedTable;

/// One operation, ready to be applied.
#[derive(Clone, Debug)]
pub(crate) struct PlannedWrite {
    pub(crate) table: Arc<SimulatedTable>,
    pub(crate) key: PrimaryKey,
    pub(crate) action: WriteAction,
    /// The item of a put, the key of a delete, as DynamoDB JSON.
    pub(crate) json: Bytes,
    /// Of a put.
    pub(crate) footprint: Option<Footprint>,
}

/// Items, and where they are.
#[derive(Debug)]
pub(crate) enum Store {
    /// In this process, without an API to read them.
    Memory(BTreeMap<PrimaryKey, (Bytes, Footprint)>),
    /// In an embedded store, which also answers everything that is not a write.
    Embedded(EmbeddedStore),
}

/// The embedded store does not take what the simulator found legal: one of the two is wrong about a rule.
#[derive(Debug)]
pub(crate) struct Disagreement(pub(crate) Reply);

impl Store {
    /// The table of that name, if the store knows it, with `provisioned` capacity in place of its own.
    pub(crate) fn describe(
        &self,
        name: &str,
        provisioned: Option<WriteUnits>,
    ) -> Option<SimulatedTable> {
        let Self::Embedded(store) = self else {
            return None;
        };
        let request = json!({ "TableName": name });
        let mut reply = run(store, "DescribeTable", &request).ok()?;
        let description = reply.get_mut("Table")?;
        if let Some(write) = provisioned {
            described::provision(description, write);
        }
        described::table(description)
    }

    /// What the stored item of that key takes up, if there is one.
    pub(crate) fn footprint(&self, write: &PlannedWrite) -> Option<Footprint> {
        match self {
            Self::Memory(items) => items
                .get(&write.key)
                .map(|(_, footprint)| footprint.clone()),
            Self::Embedded(store) => {
                let item = serde_json::from_slice(&write.json).ok()?;
                let request = json!({
                    "TableName": write.table.schema().name().as_str(),
                    "Key": key_attributes(&write.table, &item),
                    "ConsistentRead": true,
                });
                let reply = run(store, "GetItem", &request).ok()?;
                let stored = reply.get("Item")?.as_object()?;
                Some(Footprint::of(&write.table, &write.key, stored))
            }
        }
    }

    /// Applies the operations. In memory the items' content is kept only if `keeps_items`.
    ///
    /// # Errors
    ///
    /// [`Disagreement`], and nothing is applied.
    pub(crate) fn apply(
        &mut self,
        writes: &[&PlannedWrite],
        keeps_items: bool,
    ) -> Result<(), Disagreement> {
        match self {
            Self::Memory(items) => {
                for write in writes {
                    match &write.footprint {
                        Some(footprint) => {
                            let json = keeps_items.then(|| write.json.clone());
                            let stored = (json.unwrap_or_default(), footprint.clone());
                            items.insert(write.key.clone(), stored);
                        }
                        None => {
                            items.remove(&write.key);
                        }
                    }
                }
                Ok(())
            }
            Self::Embedded(_) if writes.is_empty() => Ok(()),
            Self::Embedded(store) => {
                let mut tables: Map<String, Value> = Map::new();
                for write in writes {
                    let attributes: Value = serde_json::from_slice(&write.json).unwrap_or_default();
                    let request = match write.action {
                        WriteAction::Put => json!({ "PutRequest": { "Item": attributes } }),
                        WriteAction::Delete => json!({ "DeleteRequest": { "Key": attributes } }),
                    };
                    let name = write.table.schema().name().as_str();
                    let requests = tables.entry(name).or_insert_with(|| json!([]));
                    requests
                        .as_array_mut()
                        .into_iter()
                        .for_each(|requests| requests.push(request.clone()));
                }
                run(store, "BatchWriteItem", &json!({ "RequestItems": tables }))
                    .map(drop)
                    .map_err(Disagreement)
            }
        }
    }

    /// Forgets a table and its items.
    pub(crate) fn delete_table(&mut self, name: &str) {
        match self {
            Self::Memory(items) => items.retain(|key, _| key.table().as_str() != name),
            Self::Embedded(store) => {
                let request = json!({ "TableName": name });
                if let Err(reply) = run(store, "DeleteTable", &request) {
                    tracing::warn!(table = name, reply.body, "the table was not deleted");
                }
            }
        }
    }
}

/// Runs an operation of the embedded store on this thread: a simulation's order must not depend on others.
fn run(store: &EmbeddedStore, operation: &str, request: &Value) -> Result<Value, Reply> {
    let request = Request {
        target: format!("DynamoDB_20120810.{operation}"),
        signed: true,
        body: request.to_string().into(),
    };
    let reply = store.answer_here(&request);
    if reply.status == 200 {
        serde_json::from_str(&reply.body).map_err(|_| reply)
    } else {
        Err(reply)
    }
}

fn key_attributes(table: &SimulatedTable, item: &Map<String, Value>) -> Map<String, Value> {
    let keys = table.schema().keys();
    keys.filter_map(|key| item.get_key_value(key.name()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
