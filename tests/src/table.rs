//! Tables of one claim.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use dynasink::{
    Cause, DynamoDb, KeyType, Pipeline, PipelineBuilder, TableSchema, Transport, WriterError,
};
use tokio::time::{sleep, timeout};

use crate::endpoint::{Endpoint, PATIENCE};
use crate::value::{Item, Items, Value, item};

/// Time between two looks at a table that is being created.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// An empty table with a fresh name, described as its endpoint describes it.
#[derive(Debug)]
pub struct TestTable {
    client: Client,
    schema: TableSchema,
}

impl TestTable {
    /// Creates a table whose keys are these attributes: a partition key, and perhaps a sort key.
    pub async fn create(endpoint: &Endpoint, keys: &[(&str, KeyType)]) -> Self {
        let mut table = TableSchema::builder(endpoint.fresh_table_name());
        table = table.partition_key(keys[0].0, keys[0].1);
        if let Some((name, key_type)) = keys.get(1) {
            table = table.sort_key(*name, *key_type);
        }
        let client = endpoint.client();
        let table = table.build().unwrap();
        dynasink::create_table(&client, &table, PATIENCE)
            .await
            .unwrap();
        let schema = DynamoDb::new(client.clone())
            .describe_table(table.name().as_str())
            .await
            .unwrap();
        assert!(schema.keys().eq(table.keys()));
        Self { client, schema }
    }

    /// Creates the table that `request` asks for, of a fresh name.
    pub async fn create_as(
        endpoint: &Endpoint,
        request: impl FnOnce(CreateTableFluentBuilder) -> CreateTableFluentBuilder,
    ) -> Self {
        let (client, name) = (endpoint.client(), endpoint.fresh_table_name());
        let request = request(client.create_table().table_name(&name));
        request.send().await.unwrap();
        let dynamodb = DynamoDb::new(client.clone());
        let active = async {
            loop {
                match dynamodb.describe_table(&name).await {
                    Ok(schema) => return schema,
                    Err(WriterError::UnusableTable { .. }) => {}
                    Err(error) if error.cause() == Some(&Cause::TableMissing) => {}
                    Err(error) => panic!("{error}: {error:?}"),
                }
                sleep(POLL_INTERVAL).await;
            }
        };
        let schema = timeout(PATIENCE, active).await.unwrap();
        Self { client, schema }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.schema.name().as_str()
    }

    /// What the endpoint says that it is.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// The standard pipe into it.
    pub fn pipe(&self) -> PipelineBuilder<DynamoDb> {
        Pipeline::builder(DynamoDb::new(self.client.clone()), &self.schema)
    }

    /// Items under their values of this table's keys.
    pub fn by_key(&self, items: impl IntoIterator<Item = Item>) -> Items {
        let mut by_key = Items::new();
        for item in items {
            let key: Vec<Value> = self
                .schema
                .keys()
                .map(|key| item[key.name()].clone())
                .collect();
            if let Some(twin) = by_key.insert(key, item) {
                panic!("two items have one key, one of them is {twin:?}");
            }
        }
        by_key
    }

    /// All its items, by a consistent scan.
    pub async fn items(&self) -> Items {
        let scan = self.client.scan().table_name(self.name());
        let mut stored = scan.consistent_read(true).into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(attributes) = stored.try_next().await.unwrap() {
            items.push(item(&attributes));
        }
        self.by_key(items)
    }
}
