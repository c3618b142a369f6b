//! What the transport reads from an answer, and how it sends.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::result::ConnectorError;
use dynasink_aws::{BatchResponse, Cause, DynamoDb, RequestError, Transport};
use dynasink_core::{KeyType, PrimaryKey, TableSchema, WriteBatch, WriteUnits};
use tokio::time::Instant;

use crate::endpoint::{Endpoint, Reply, batch, key_only, put, table};

async fn answer(request: &WriteBatch, body: &str) -> Result<BatchResponse, RequestError> {
    let endpoint = Endpoint::new(Reply::json(200, body));
    endpoint.transport().batch_write(request).await
}

fn sorted(mut keys: Vec<PrimaryKey>) -> Vec<PrimaryKey> {
    keys.sort();
    keys
}

#[tokio::test]
async fn refused_operations_are_found_by_key_whatever_the_spelling_of_its_number() {
    let (users, orders) = (table("users"), table("orders"));
    let delete = users.delete(&key_only(&users, -25)).unwrap();
    let ops = [put(&users, 1), put(&users, 10), delete, put(&orders, 1)];
    let request = batch(ops.clone());
    let body = r#"{"UnprocessedItems":{
        "users":[{"PutRequest":{"Item":{"name":{"S":"x"},"id":{"N":"1.0e1"}}}},
                 {"DeleteRequest":{"Key":{"id":{"N":"-25.00"}}}}],
        "orders":[{"PutRequest":{"Item":{"id":{"N":"0.1E1"}}}}]}}"#;
    let refused = answer(&request, body).await.unwrap().unprocessed;
    let expected = [&ops[1], &ops[2], &ops[3]].map(|op| op.key().clone());
    assert_eq!(sorted(refused), sorted(expected.to_vec()));
}

#[tokio::test]
async fn keys_of_each_type_are_found() {
    let table = TableSchema::builder("pairs")
        .partition_key("p", KeyType::S)
        .sort_key("s", KeyType::B)
        .build()
        .unwrap();
    let op = |p: &str, s: &[u8]| {
        let item = table.item(|item| {
            item.attribute("s")?.binary(s)?;
            item.attribute("p")?.string(p)
        });
        table.put(item.unwrap()).unwrap()
    };
    let ops = [op("a\"é", &[0, 255]), op("a", &[0])];
    let body = r#"{"UnprocessedItems":{"pairs":[{"PutRequest":{"Item":{"p":{"S":"a\"\u00e9"},"s":{"B":"AP8="},"x":{"SS":[]}}}}]}}"#;
    let refused = answer(&batch(ops.clone()), body).await.unwrap().unprocessed;
    assert_eq!(refused, [ops[0].key().clone()]);
}

#[tokio::test]
async fn a_table_named_by_its_arn_may_be_answered_by_either_name() {
    let arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/users";
    let op = put(&table(arn), 1);
    for name in [arn, "users"] {
        let body = format!(
            r#"{{"UnprocessedItems":{{"{name}":[{{"PutRequest":{{"Item":{{"id":{{"N":"1"}}}}}}}}]}}}}"#
        );
        let response = answer(&batch([op.clone()]), &body).await.unwrap();
        assert_eq!(response.unprocessed, [op.key().clone()], "{name}");
    }
    // Another table's name that is the end of this one's is not its name.
    let body = r#"{"UnprocessedItems":{"sers":[{"PutRequest":{"Item":{"id":{"N":"1"}}}}]}}"#;
    let error = answer(&batch([op]), body).await.unwrap_err();
    assert_eq!(error.cause, Cause::Internal);
}

#[tokio::test]
async fn one_table_under_two_names_is_told_apart_by_the_name_that_is_the_same() {
    let arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/users";
    let (by_arn, by_name) = (put(&table(arn), 1), put(&table("users"), 2));
    let body = r#"{"UnprocessedItems":{"users":[{"PutRequest":{"Item":{"id":{"N":"2"}}}}]},
        "ConsumedCapacity":[{"TableName":"users","CapacityUnits":1.0}]}"#;
    let response = answer(&batch([by_arn, by_name.clone()]), body).await;
    let response = response.unwrap();
    assert_eq!(response.unprocessed, [by_name.key().clone()]);
    assert_eq!(response.consumed[0].table.as_str(), "users");
}

#[tokio::test]
async fn an_answer_about_something_else_is_no_answer() {
    let request = batch([put(&table("users"), 1)]);
    let items = [
        r#"{"PutRequest":{"Item":{"id":{"N":"2"}}}}"#,
        r#"{"PutRequest":{"Item":{"id":{"S":"1"}}}}"#,
        r#"{"PutRequest":{"Item":{}}}"#,
        "{}",
    ];
    for item in items {
        let body = format!(r#"{{"UnprocessedItems":{{"users":[{item}]}}}}"#);
        let error = answer(&request, &body).await.unwrap_err();
        assert_eq!(error.cause, Cause::Internal, "{item}");
        assert_eq!(
            error.source.to_string(),
            "UnprocessedItems holds an item that was not in the request"
        );
    }
}

#[tokio::test]
async fn local_indexes_draw_on_the_table_and_global_ones_on_themselves() {
    let body = r#"{"UnprocessedItems":{},"ConsumedCapacity":[
        {"TableName":"users","CapacityUnits":15.0,"Table":{"CapacityUnits":5.0},
         "LocalSecondaryIndexes":{"by-age":{"CapacityUnits":3.0}},
         "GlobalSecondaryIndexes":{"by-mail":{"CapacityUnits":7.0}}},
        {"TableName":"orders","CapacityUnits":2.0}]}"#;
    let request = batch([put(&table("users"), 1), put(&table("orders"), 1)]);
    let consumed = answer(&request, body).await.unwrap().consumed;
    let units = |units| WriteUnits::new(units);
    assert_eq!(consumed.len(), 2);
    assert_eq!(consumed[0].table.as_str(), "users");
    assert_eq!(consumed[0].table_units, units(8));
    assert_eq!(consumed[0].index_units, [("by-mail".to_owned(), units(7))]);
    assert_eq!(consumed[1].table_units, units(2));
    assert_eq!(consumed[1].total(), units(2));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_once_whatever_the_client_would_do() {
    let request = batch([put(&table("users"), 1)]);
    let endpoint = Endpoint::new(Reply::error(500, "InternalServerError", "no"));
    let config = endpoint.config();
    let config = config.retry_config(RetryConfig::standard().with_max_attempts(5));
    let client = Client::from_conf(config.build());
    DynamoDb::new(client.clone())
        .batch_write(&request)
        .await
        .unwrap_err();
    assert_eq!(endpoint.requests().len(), 1);
    // The client itself is as it was.
    let listed = client.list_tables().send().await;
    assert!(listed.is_err());
    assert_eq!(endpoint.requests().len(), 5);
}

#[tokio::test]
async fn an_answer_that_asks_for_a_wait_is_heard_where_a_retry_makes_sense() {
    let request = batch([put(&table("users"), 1)]);
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let error = |status, code| Reply::error(status, code, "Later.");
    let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
    let cases = [
        (
            error(503, "ServiceUnavailable").header("Retry-After", "7"),
            seconds(7),
        ),
        (
            error(500, "InternalServerError").header("Retry-After", "7"),
            seconds(7),
        ),
        (
            error(400, "ThrottlingException").header("x-amz-retry-after", "3000"),
            seconds(3),
        ),
        (
            error(400, "ProvisionedThroughputExceededException")
                .header(date.0, date.1)
                .header("Retry-After", "Wed, 21 Oct 2026 07:29:00 GMT"),
            seconds(60),
        ),
        (Reply::json(429, "").header("Retry-After", "7"), seconds(7)),
        (error(503, "ServiceUnavailable"), None),
        (Reply::json(200, "{}").header("Retry-After", "7"), None),
        (Reply::json(200, "garbage").header("Retry-After", "7"), None),
        (Reply::Fail(|| ConnectorError::io("reset".into())), None),
    ];
    for (reply, expected) in cases {
        let endpoint = Endpoint::new(reply.clone());
        let error = endpoint
            .transport()
            .batch_write(&request)
            .await
            .unwrap_err();
        assert_eq!(error.retry_after, expected, "{reply:?}");
    }
}

/// How long a client with these timeouts waits for an answer that does not come.
async fn patience(timeouts: Option<TimeoutConfig>) -> Option<Duration> {
    let endpoint = Endpoint::new(Reply::Hang);
    let mut config = endpoint.config();
    config.set_timeout_config(timeouts);
    let transport = DynamoDb::new(Client::from_conf(config.build()));
    let request = batch([put(&table("users"), 1)]);
    let start = Instant::now();
    let answer = transport.batch_write(&request);
    // Not longer: the SDK's guard against stalled uploads polls all the while, by the clock of the machine.
    let answer = tokio::time::timeout(Duration::from_mins(5), answer).await;
    let error = answer.ok()?.unwrap_err();
    assert_eq!(error.cause, Cause::Unreachable);
    Some(start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_ends_after_the_clients_timeout_or_ours() {
    let second = Duration::from_secs(1);
    let timeouts = TimeoutConfig::builder;
    let cases = [
        (None, Some(60 * second)),
        (
            Some(timeouts().connect_timeout(second).build()),
            Some(60 * second),
        ),
        (
            Some(timeouts().operation_attempt_timeout(5 * second).build()),
            Some(5 * second),
        ),
        (
            Some(timeouts().operation_timeout(90 * second).build()),
            Some(90 * second),
        ),
        // The connector's affair, and this one knows no timeouts.
        (Some(timeouts().read_timeout(90 * second).build()), None),
        (Some(TimeoutConfig::disabled()), None),
    ];
    for (timeouts, expected) in cases {
        let waited = patience(timeouts.clone()).await;
        assert_eq!(waited, expected, "{timeouts:?}");
    }
}
