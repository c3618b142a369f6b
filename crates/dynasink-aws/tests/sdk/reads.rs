//! What the reader asks through the SDK, and what it reads from an answer.

use dynasink_aws::{
    Cause, DynamoDb, Error, KeyBatch, ReadLimiter, ReadTransport, Reader, RetryPolicy, ScanRequest,
};
use dynasink_core::Item;
use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Reply, key_only, table};

fn reader(endpoint: &Endpoint) -> Reader<DynamoDb> {
    let (transport, retry) = (endpoint.transport(), RetryPolicy::default());
    Reader::new(transport, false, ReadLimiter::unlimited(), retry)
}

fn keys(ids: impl IntoIterator<Item = i64>) -> Vec<Item> {
    let table = table("users");
    ids.into_iter().map(|id| key_only(&table, id)).collect()
}

/// The bodies of the requests since the last question.
fn bodies(endpoint: &Endpoint) -> Vec<Value> {
    let requests = endpoint.requests();
    requests
        .iter()
        .map(|request| serde_json::from_slice(request.body().bytes().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn keys_go_out_as_they_are_encoded_and_items_come_back_as_they_are_stored() {
    let body = r#"{"Responses":{"users":[{"x":{"N":"1.50"}, "id":{"N":"1.0"}}]},"UnprocessedKeys":{},
        "ConsumedCapacity":[{"TableName":"users","CapacityUnits":1.5}]}"#;
    let endpoint = Endpoint::new(Reply::json(200, body));
    let (users, keys) = (table("users"), keys([1, 2]));
    let batch = KeyBatch {
        table: &users,
        keys: &keys,
        consistent: true,
    };
    let answer = endpoint.transport().batch_get(&batch).await.unwrap();
    assert_eq!(
        bodies(&endpoint),
        [json!({
            "ReturnConsumedCapacity": "TOTAL",
            "RequestItems": {"users": {"ConsistentRead": true, "Keys": [{"id": {"N": "1"}}, {"id": {"N": "2"}}]}},
        })]
    );
    let [item] = answer.items.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(item.json, r#"{"x":{"N":"1.50"}, "id":{"N":"1.0"}}"#);
    assert_eq!(item.key, users.primary_key(&keys[0]).unwrap());
    assert_eq!(item.key_item, keys[0]);
    assert!((answer.read_units - 1.5).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_left_out_is_asked_for_again() {
    let endpoint = Endpoint::script([
        Reply::error(400, "ProvisionedThroughputExceededException", "too much"),
        Reply::json(500, "{}"),
        Reply::BreaksOff,
        Reply::json(200, r#"{"Responses":"#),
        Reply::json(
            200,
            r#"{"Responses":{"users":[{"id":{"N":"1"}}]},"UnprocessedKeys":{"users":{"Keys":[{"id":{"N":"2.0"}}]}}}"#,
        ),
        Reply::json(200, r#"{"Responses":{"users":[]},"UnprocessedKeys":{}}"#),
    ]);
    let reader = reader(&endpoint);
    let found = reader.get(&table("users"), &keys([1, 2])).await.unwrap();
    assert_eq!(found.len(), 1);
    let asked = bodies(&endpoint);
    let keys: Vec<_> = asked
        .iter()
        .map(|body| {
            body["RequestItems"]["users"]["Keys"]
                .as_array()
                .unwrap()
                .len()
        })
        .collect();
    assert_eq!(keys, [2, 2, 2, 2, 2, 1]);
    assert_eq!(reader.usage().requests, 6);
}

#[tokio::test(start_paused = true)]
async fn what_the_service_never_grants_is_not_asked_for_twice() {
    let refusal = Reply::error(400, "AccessDeniedException", "not you");
    let endpoint = Endpoint::new(refusal);
    let error = reader(&endpoint)
        .get(&table("users"), &keys([1]))
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Read { cause, .. } if **cause == Cause::AccessDenied));
    assert_eq!(
        error.to_string(),
        "items of table \"users\" could not be read: these credentials may not do this; check the IAM policy and the profile"
    );
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn a_scan_goes_on_where_the_last_page_ended() {
    let page = r#"{"Items":[{"id":{"N":"7"}}],"LastEvaluatedKey":{"id":{"N":"7"}},"ConsumedCapacity":{"TableName":"users","CapacityUnits":2}}"#;
    let endpoint = Endpoint::script([
        Reply::json(200, page),
        Reply::json(200, r#"{"Items":[],"Count":0}"#),
    ]);
    let users = table("users");
    let request = |start| ScanRequest {
        table: &users,
        segment: 1,
        segments: 4,
        start,
        consistent: false,
    };
    let transport = endpoint.transport();
    let first = transport.scan(&request(None)).await.unwrap();
    assert_eq!(
        first.items[0].key,
        users.primary_key(&key_only(&users, 7)).unwrap()
    );
    assert!((first.read_units - 2.0).abs() < 1e-9);
    let last = transport.scan(&request(first.next.as_ref())).await.unwrap();
    assert_eq!((last.items.len(), last.next), (0, None));
    let asked = |start: Value| {
        let mut body = json!({
            "ReturnConsumedCapacity": "TOTAL", "TableName": "users", "ConsistentRead": false, "Segment": 1,
            "TotalSegments": 4,
        });
        if !start.is_null() {
            body["ExclusiveStartKey"] = start;
        }
        body
    };
    assert_eq!(
        bodies(&endpoint),
        [asked(Value::Null), asked(json!({"id": {"N": "7"}}))]
    );
}
