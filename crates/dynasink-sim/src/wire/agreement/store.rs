//! What is refused here is what the embedded store refuses, by the same error: it has rules of its own.
//!
//! Not compared is what it is known to let through (a put and a delete in one `WriteRequest`, keys of global indexes
//! over 2048 bytes, names over 65535 bytes) and what it refuses against the documentation (tables by ARN).

use std::sync::Arc;

use dynasink_core::{IndexKind, KeyType, TableSchema};
use serde_json::{Value, json};

use crate::embedded::EmbeddedStore;
use crate::exchange::Request;
use crate::operation::Reply;
use crate::table::SimulatedTable;
use crate::wire::request::batch_write;

/// Whether a body is taken, and how it is refused.
fn verdict(reply: &Reply) -> (u16, Value) {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    (reply.status, body["__type"].clone())
}

/// The table `users` here and there.
struct Both {
    here: Arc<SimulatedTable>,
    there: EmbeddedStore,
}

impl Both {
    fn open() -> Self {
        let schema = TableSchema::builder("users")
            .partition_key("id", KeyType::S)
            .sort_key("sort", KeyType::N)
            .index(
                "by-mail",
                IndexKind::Global,
                [("mail", KeyType::S)],
                [],
                None,
            )
            .build()
            .unwrap();
        let both = Self {
            here: Arc::new(SimulatedTable::new(schema)),
            there: EmbeddedStore::in_memory().unwrap(),
        };
        let create = json!({
            "TableName": "users",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "sort", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "sort", "AttributeType": "N"},
                {"AttributeName": "mail", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-mail",
                "KeySchema": [{"AttributeName": "mail", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }],
        });
        assert_eq!(both.ask("CreateTable", &create.to_string()).0, 200);
        both
    }

    fn ask(&self, operation: &str, body: &str) -> (u16, Value) {
        let request = Request {
            target: format!("DynamoDB_20120810.{operation}"),
            signed: true,
            body: body.to_owned().into(),
        };
        let reply = self.there.answer_here(&request);
        verdict(&reply)
    }

    fn assert_agree(&self, body: &str) {
        let find = |name: &str| (name == "users").then(|| Arc::clone(&self.here));
        let here = match batch_write(body.as_bytes(), find) {
            Ok(_) => (200, Value::Null),
            Err(rejection) => verdict(&rejection.reply()),
        };
        let shown: String = body.chars().take(300).collect();
        assert_eq!(here, self.ask("BatchWriteItem", body), "{shown}");
    }
}

fn put(item: &Value) -> Value {
    json!({"PutRequest": {"Item": item}})
}

fn with(name: &str, value: Value) -> Value {
    let mut item = json!({"id": {"S": "a"}, "sort": {"N": "1"}});
    item[name] = value;
    item
}

#[test]
fn a_body_of_another_shape_is_refused_alike() {
    let both = Both::open();
    for body in [
        "",
        "{",
        "{}",
        "[]",
        r#"{"RequestItems":{}}"#,
        r#"{"RequestItems":{"users":[]}}"#,
    ] {
        both.assert_agree(body);
    }
}

#[test]
fn an_item_is_taken_or_refused_alike() {
    let both = Both::open();
    let nested =
        |levels: usize| (1..levels).fold(json!({"S": "a"}), |inner, _| json!({"L": [inner]}));
    for item in [
        with("x", json!({"S": ""})),
        with("x", json!({"B": ""})),
        with("x", json!({"B": "AQ"})),
        with("x", json!({"S": "y".repeat(409_600 - 10)})),
        with("x", json!({"S": "y".repeat(409_600 - 9)})),
        with("x", json!({"N": "9".repeat(38)})),
        with("x", json!({"N": "9".repeat(39)})),
        with("x", json!({"N": "1e125"})),
        with("x", json!({"N": "1e126"})),
        with("x", json!({"N": "1e-130"})),
        with("x", json!({"N": "1e-131"})),
        with("x", json!({"N": "Infinity"})),
        with("x", json!({"N": 5})),
        with("x", json!({"S": 5})),
        with("x", json!({"NULL": false})),
        with("x", json!({"SS": []})),
        with("x", json!({"SS": ["a", "a"]})),
        with("x", json!({"NS": ["1", "1.0"]})),
        with("x", json!({"BS": ["AQ==", "AQ=="]})),
        with("x", json!({"S": "a", "N": "1"})),
        with("x", json!({})),
        with("x", json!({"X": "a"})),
        with("x", nested(32)),
        with("x", nested(33)),
        with("x", nested(50)),
        with("x", nested(100)),
        with("", json!({"S": "a"})),
        with("x", json!({"M": {"": {"S": "a"}}})),
        with("id", json!({"S": ""})),
        with("id", json!({"N": "1"})),
        with("id", json!({"S": "x".repeat(2048)})),
        with("id", json!({"S": "x".repeat(2049)})),
        with("sort", json!({"S": "1"})),
        with("mail", json!({"S": ""})),
        with("mail", json!({"N": "1"})),
        with("mail", json!({"S": "x".repeat(2048)})),
        json!({"id": {"S": "a"}}),
    ] {
        both.assert_agree(&json!({"RequestItems": {"users": [put(&item)]}}).to_string());
        both.assert_agree(&json!({"RequestItems": {"userz": [put(&item)]}}).to_string());
        let delete = json!({"DeleteRequest": {"Key": item}});
        both.assert_agree(&json!({"RequestItems": {"users": [delete]}}).to_string());
    }
}

#[test]
fn a_batch_is_taken_or_refused_alike() {
    let both = Both::open();
    let numbered = |n: &str| put(&with("sort", json!({"N": n})));
    let many = |count: usize| {
        (0..count)
            .map(|n| numbered(&n.to_string()))
            .collect::<Vec<_>>()
    };
    for writes in [
        many(25),
        many(26),
        vec![numbered("1"), numbered("1.0")],
        vec![
            numbered("1"),
            json!({"DeleteRequest": {"Key": with("sort", json!({"N": "1e0"}))}}),
        ],
        vec![json!({})],
        vec![json!({"PutRequest": {}})],
    ] {
        both.assert_agree(&json!({"RequestItems": {"users": writes}}).to_string());
    }
}
