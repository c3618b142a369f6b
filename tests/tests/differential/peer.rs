//! What answers requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use dynasink::WriteUnits;
use dynasink_sim::{CapacityModel, EmbeddedStore, Latency, Simulator, SimulatorBuilder};
use dynasink_tests::{Endpoint, Item};
use serde_json::{Map, Value, json};

use crate::answer::{self, Answer, send};
use crate::script::Request;
use crate::tables::{TABLES, Tables};

/// A service with the tables of the script.
#[derive(Debug)]
pub(crate) struct Peer {
    client: Client,
    tables: Tables,
    /// Set where the service has no operation to read items by.
    in_memory: Option<Simulator>,
}

/// More than the script asks for in any second: here no request is refused for want of capacity.
const PLENTY: WriteUnits = WriteUnits::new(1_000_000);

fn simulator() -> SimulatorBuilder {
    let plenty = CapacityModel::default();
    let plenty = plenty.partition_rate(PLENTY).on_demand_start(PLENTY);
    Simulator::builder()
        .capacity_model(plenty)
        .latency(Latency::fixed(Duration::ZERO))
}

impl Peer {
    pub(crate) async fn simulator_in_memory(tables: &Tables) -> Self {
        let described = EmbeddedStore::in_memory().unwrap().client();
        tables.create(&described).await;
        let simulated = tables.simulated(&described).await;
        let simulator = simulated
            .into_iter()
            .fold(simulator(), SimulatorBuilder::table)
            .build();
        Self {
            client: simulator.client(),
            tables: tables.clone(),
            in_memory: Some(simulator),
        }
    }

    pub(crate) async fn simulator_on_embedded_store(tables: &Tables) -> Self {
        let store = EmbeddedStore::in_memory().unwrap();
        Self::with_tables(simulator().embedded(store).build().client(), tables).await
    }

    pub(crate) async fn embedded_store(tables: &Tables) -> Self {
        Self::with_tables(EmbeddedStore::in_memory().unwrap().client(), tables).await
    }

    pub(crate) async fn endpoint(endpoint: &Endpoint, tables: &Tables) -> Self {
        Self::with_tables(endpoint.client(), tables).await
    }

    async fn with_tables(client: Client, tables: &Tables) -> Self {
        tables.create(&client).await;
        Self {
            client,
            tables: tables.clone(),
            in_memory: None,
        }
    }

    /// The answer to `request`, whose items are stored before. Nothing is stored after.
    pub(crate) async fn ask(&self, request: &Request) -> Answer {
        if let Some(given) = &request.given {
            let given = json!({ "RequestItems": given });
            self.must("BatchWriteItem", &given, &request.name).await;
        }
        let body = self.tables.to_peer(&request.body);
        let (status, body) = send(&self.client, request.operation, body).await;
        let stored = self.stored(request).await;
        self.delete(&stored).await;
        let stored = stored.into_iter().map(|(table, items)| {
            let items: BTreeSet<Item> = items.iter().map(answer::item).collect();
            (table, items)
        });
        Answer::new(
            (status, &self.tables.in_words_of_the_script(&body)),
            stored.collect(),
        )
    }

    async fn must(&self, operation: &str, request: &Value, why: &str) -> Value {
        let request = self.tables.to_peer(&request.to_string());
        let (status, body) = send(&self.client, operation, request).await;
        assert_eq!(status, 200, "{why}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The items of the tables that `request` names.
    async fn stored(&self, request: &Request) -> BTreeMap<&'static str, Vec<Value>> {
        let mut stored = BTreeMap::new();
        for (table, _) in TABLES {
            if request.names(table) {
                stored.insert(table, self.items(table).await);
            }
        }
        stored
    }

    async fn items(&self, table: &str) -> Vec<Value> {
        if let Some(simulator) = &self.in_memory {
            let items = simulator.items(self.tables.name(table)).into_iter();
            return items.map(|(_, item)| item.into()).collect();
        }
        let mut items = Vec::new();
        let mut scan = json!({ "TableName": format!("@{table}"), "ConsistentRead": true });
        loop {
            let mut page = self.must("Scan", &scan, "a scan").await;
            items.extend(page["Items"].as_array().unwrap().iter().cloned());
            match page["LastEvaluatedKey"].take() {
                Value::Null => return items,
                last => scan["ExclusiveStartKey"] = last,
            }
        }
    }

    async fn delete(&self, stored: &BTreeMap<&'static str, Vec<Value>>) {
        for (table, key) in TABLES {
            for items in stored
                .get(table)
                .into_iter()
                .flat_map(|items| items.chunks(25))
            {
                let delete = |item: &Value| {
                    let key: Map<String, Value> = key
                        .iter()
                        .map(|name| ((*name).to_owned(), item[*name].clone()))
                        .collect();
                    json!({ "DeleteRequest": { "Key": key } })
                };
                let deletes: Vec<_> = items.iter().map(delete).collect();
                let request = json!({ "RequestItems": { format!("@{table}"): deletes } });
                self.must("BatchWriteItem", &request, "a delete").await;
            }
        }
    }
}
