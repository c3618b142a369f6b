//! Requests that span tables, and tables named by ARNs.

use std::sync::{Arc, Mutex};

use dynasink_aws::{DynamoDb, Transport, Writer};
use dynasink_core::{
    CapacityFeedback, CapacityObserver, ItemCollectionSize, Outcome, OutcomeEvent, OutcomeObserver,
    Outcomes, TableName, WriteOp, WriteUnits,
};
use futures::SinkExt;
use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Reply, batch, key_only, put, table};

const ARN: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";

/// The bodies of the requests so far.
fn bodies(endpoint: &Endpoint) -> Vec<Value> {
    let requests = endpoint.requests().into_iter();
    requests
        .map(|request| serde_json::from_slice(request.body().bytes().unwrap()).unwrap())
        .collect()
}

/// Keeps outcomes by key and what the service has said.
#[derive(Clone, Debug, Default)]
struct Log {
    attempts: Arc<Mutex<Vec<(String, u32)>>>,
    feedback: Arc<Mutex<Vec<CapacityFeedback>>>,
}

impl OutcomeObserver for Log {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), dynasink_core::ObserverError> {
        let (table, outcome) = (event.op.unwrap().table(), event.outcome);
        let Outcome::Written { attempts } = outcome else {
            panic!("{outcome:?}");
        };
        self.attempts
            .lock()
            .unwrap()
            .push((table.to_string(), *attempts));
        Ok(())
    }
}

impl CapacityObserver for Log {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.feedback.lock().unwrap().push(feedback.clone());
    }
}

#[tokio::test(start_paused = true)]
async fn one_batch_of_several_tables_is_one_request_and_each_table_has_its_answer() {
    let (users, orders) = (table("users"), table(ARN));
    let delete = orders.delete(&key_only(&orders, 2)).unwrap();
    // The service names one table by its name and by its ARN, as it likes.
    let first = json!({
        "UnprocessedItems": {
            "users": [{"PutRequest": {"Item": {"id": {"N": "1"}}}}],
            "orders": [{"DeleteRequest": {"Key": {"id": {"N": "2"}}}}],
        },
        "ConsumedCapacity": [{"TableName": ARN, "CapacityUnits": 3.0}],
        "ItemCollectionMetrics": {
            "orders": [{"ItemCollectionKey": {"id": {"N": "1"}}, "SizeEstimateRangeGB": [7.0, 8.0]}],
            "users": [{"ItemCollectionKey": {"id": {"N": "1"}}, "SizeEstimateRangeGB": [0.0, 1.0]}],
        },
    });
    let second = json!({
        "UnprocessedItems": {},
        "ConsumedCapacity": [
            {"TableName": "orders", "CapacityUnits": 5.0},
            {"TableName": "users", "CapacityUnits": 7.0},
        ],
    });
    let endpoint = Endpoint::script([first, second].map(|body| Reply::json(200, body.to_string())));
    let log = Log::default();
    let mut writer = Writer::builder(endpoint.transport().with_item_collection_metrics())
        .outcomes(Outcomes::of(log.clone()))
        .capacity_observer(log.clone())
        .build();
    let ops: Vec<WriteOp> = vec![put(&users, 1), put(&orders, 1), delete];
    writer.feed(batch(ops)).await.unwrap();
    writer.close().await.unwrap();

    let bodies = bodies(&endpoint);
    let request_items = |body: &Value| body["RequestItems"].as_object().unwrap().clone();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    for body in &bodies {
        let tables: Vec<String> = request_items(body).keys().cloned().collect();
        assert_eq!(tables, [ARN, "users"]);
    }
    let of_orders = &request_items(&bodies[1])[ARN];
    assert_eq!(
        *of_orders,
        json!([{"DeleteRequest": {"Key": {"id": {"N": "2"}}}}])
    );

    let mut attempts = log.attempts.lock().unwrap().clone();
    attempts.sort();
    let expected = [(ARN, 1), (ARN, 2), ("users", 2)];
    assert_eq!(attempts, expected.map(|(table, n)| (table.to_owned(), n)));

    let feedback = log.feedback.lock().unwrap().clone();
    let consumed: Vec<_> = feedback
        .iter()
        .flat_map(|feedback| &feedback.consumed)
        .map(|consumed| (consumed.table.as_str(), consumed.table_units))
        .collect();
    let units = WriteUnits::new;
    assert_eq!(
        consumed,
        [(ARN, units(3)), (ARN, units(5)), ("users", units(7))]
    );
    let size = |table: &str, lower_gb, upper_gb| ItemCollectionSize {
        table: TableName::new(table).unwrap(),
        partition_key: "1".to_owned(),
        lower_gb,
        upper_gb,
    };
    assert_eq!(
        feedback[0].item_collections,
        [size(ARN, 7.0, 8.0), size("users", 0.0, 1.0)]
    );
}

#[tokio::test]
async fn a_table_named_by_its_name_may_be_answered_by_its_arn() {
    let op = put(&table("orders"), 1);
    let body = json!({
        "UnprocessedItems": {ARN: [{"PutRequest": {"Item": {"id": {"N": "1"}}}}]},
        "ConsumedCapacity": [{"TableName": ARN, "CapacityUnits": 1.0}],
    });
    let endpoint = Endpoint::new(Reply::json(200, body.to_string()));
    let answer = endpoint.transport().batch_write(&batch([op.clone()])).await;
    let answer = answer.unwrap();
    assert_eq!(answer.unprocessed, [op.key().clone()]);
    assert_eq!(answer.consumed[0].table.as_str(), "orders");
}

#[tokio::test]
async fn tables_of_one_name_in_two_regions_are_two_tables() {
    let elsewhere = ARN.replace("eu-central-1", "us-east-1");
    let ops = [put(&table(ARN), 1), put(&table(&elsewhere), 1)];
    let body = json!({
        "UnprocessedItems": {elsewhere: [{"PutRequest": {"Item": {"id": {"N": "1"}}}}]},
    });
    let endpoint = Endpoint::new(Reply::json(200, body.to_string()));
    let answer = endpoint.transport().batch_write(&batch(ops.clone())).await;
    assert_eq!(answer.unwrap().unprocessed, [ops[1].key().clone()]);
}

#[tokio::test]
async fn item_collections_are_asked_for_only_on_request() {
    let reply = || Reply::json(200, r#"{"UnprocessedItems":{}}"#);
    let asked = async |with: fn(DynamoDb) -> DynamoDb| {
        let endpoint = Endpoint::new(reply());
        let transport = with(endpoint.transport());
        let request = batch([put(&table("users"), 1)]);
        transport.batch_write(&request).await.unwrap();
        let body = bodies(&endpoint).remove(0);
        assert_eq!(body["ReturnConsumedCapacity"], "INDEXES");
        assert_eq!(body["RequestItems"]["users"].as_array().unwrap().len(), 1);
        body.get("ReturnItemCollectionMetrics").cloned()
    };
    assert_eq!(asked(|transport| transport).await, None);
    let size = asked(DynamoDb::with_item_collection_metrics).await;
    assert_eq!(size, Some(json!("SIZE")));
}

#[tokio::test]
async fn partition_keys_of_each_type_are_shown_and_what_is_no_size_is_left_out() {
    let body = json!({
        "UnprocessedItems": {},
        "ItemCollectionMetrics": {"users": [
            {"ItemCollectionKey": {"p": {"S": "Zoë \"Z\""}}, "SizeEstimateRangeGB": [0.5, 1.5]},
            {"ItemCollectionKey": {"p": {"N": "-1.5"}}, "SizeEstimateRangeGB": [1, 2]},
            {"ItemCollectionKey": {"p": {"B": "AP8="}}, "SizeEstimateRangeGB": [9, 10]},
            {"ItemCollectionKey": {"p": {"S": "half"}}, "SizeEstimateRangeGB": [1]},
            {"ItemCollectionKey": {"p": {"BOOL": true}}, "SizeEstimateRangeGB": [1, 2]},
            {"ItemCollectionKey": {}, "SizeEstimateRangeGB": [1, 2]},
            {},
        ]},
    });
    let endpoint = Endpoint::new(Reply::json(200, body.to_string()));
    let request = batch([put(&table("users"), 1)]);
    let answer = endpoint.transport().batch_write(&request).await.unwrap();
    let sizes: Vec<_> = answer
        .item_collections
        .iter()
        .map(|size| (size.partition_key.as_str(), size.lower_gb, size.upper_gb))
        .collect();
    let expected = [
        ("-1.5", 1.0, 2.0),
        ("AP8=", 9.0, 10.0),
        ("Zoë \"Z\"", 0.5, 1.5),
    ];
    assert_eq!(sizes, expected);
}
