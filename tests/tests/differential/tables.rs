//! The tables of the script.

use aws_sdk_dynamodb::Client;
use dynasink::{TableSchema, Transport};
use dynasink_sim::SimulatedTable;
use serde_json::{Value, json};

use crate::answer::send;

/// The tables as the script names them, with their key attributes.
pub(crate) const TABLES: [(&str, &[&str]); 4] = [
    ("things", &["customer", "number"]),
    ("plain", &["id"]),
    ("numbers", &["id"]),
    ("blobs", &["id", "sort"]),
];

/// What the tables are called at the peers.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    names: Vec<(String, String)>,
}

impl Tables {
    pub(crate) fn named(name: impl Fn(&str) -> String) -> Self {
        let names = TABLES.map(|(table, _)| (format!("@{table}"), name(table)));
        Self {
            names: names.into(),
        }
    }

    /// The name of the table that the script calls `@table`.
    pub(crate) fn name(&self, table: &str) -> &str {
        let mut names = self.names.iter();
        let found = names.find(|(script, _)| script.strip_prefix('@') == Some(table));
        &found.unwrap().1
    }

    /// A request as the peers understand it.
    pub(crate) fn to_peer(&self, body: &str) -> String {
        let names = self.names.iter();
        names.fold(body.to_owned(), |body, (script, name)| {
            body.replace(script, name)
        })
    }

    /// An answer in the words of the script.
    pub(crate) fn in_words_of_the_script(&self, body: &str) -> String {
        let names = self.names.iter();
        names.fold(body.to_owned(), |body, (script, name)| {
            body.replace(name, script)
        })
    }

    /// Creates the tables, and waits until they can be written to.
    pub(crate) async fn create(&self, client: &Client) {
        for request in self.requests() {
            let (status, answer) = send(client, "CreateTable", request.to_string()).await;
            assert_eq!(status, 200, "{answer}");
        }
        let dynamodb = dynasink::DynamoDb::new(client.clone());
        let active = async {
            for (_, name) in &self.names {
                while dynamodb.describe_table(name).await.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        };
        let patience = std::time::Duration::from_mins(2);
        tokio::time::timeout(patience, active).await.unwrap();
    }

    /// The tables for a simulator that has them in memory.
    pub(crate) async fn simulated(&self, created: &Client) -> Vec<SimulatedTable> {
        let dynamodb = dynasink::DynamoDb::new(created.clone());
        let mut tables = Vec::new();
        for (_, name) in &self.names {
            let schema: TableSchema = dynamodb.describe_table(name).await.unwrap();
            tables.push(SimulatedTable::new(schema));
        }
        tables
    }

    fn requests(&self) -> [Value; 4] {
        let key = |partition: &str, sort: Option<&str>| {
            let sort = sort.map(|name| json!({"AttributeName": name, "KeyType": "RANGE"}));
            let partition = json!({"AttributeName": partition, "KeyType": "HASH"});
            [Some(partition), sort]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        let attributes = |types: &[(&str, &str)]| {
            let types = types.iter();
            types
                .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
                .collect::<Vec<_>>()
        };
        let index = |name: &str, keys: Vec<Value>, projection: Value| json!({"IndexName": name, "KeySchema": keys, "Projection": projection});
        let all = json!({"ProjectionType": "ALL"});
        let keys_only = json!({"ProjectionType": "KEYS_ONLY"});
        let text_too = json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]});
        let table = |name: &str, keys: Vec<Value>, types: &[(&str, &str)]| {
            json!({
                "TableName": self.name(name),
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": keys,
                "AttributeDefinitions": attributes(types),
            })
        };
        let mut things = table(
            "things",
            key("customer", Some("number")),
            &[
                ("customer", "S"),
                ("number", "N"),
                ("age", "N"),
                ("note", "S"),
                ("mail", "S"),
                ("day", "S"),
                ("code", "B"),
            ],
        );
        things["LocalSecondaryIndexes"] = json!([
            index("by-age", key("customer", Some("age")), keys_only.clone()),
            index("by-note", key("customer", Some("note")), all.clone()),
        ]);
        things["GlobalSecondaryIndexes"] = json!([
            index("by-mail", key("mail", None), all),
            index("by-day", key("day", Some("number")), text_too),
            index("by-code", key("code", None), keys_only),
        ]);
        [
            things,
            table("plain", key("id", None), &[("id", "S")]),
            table("numbers", key("id", None), &[("id", "N")]),
            table(
                "blobs",
                key("id", Some("sort")),
                &[("id", "B"), ("sort", "S")],
            ),
        ]
    }
}
