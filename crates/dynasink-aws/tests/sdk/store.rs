//! Tables and writes against the embedded store, which is another codebase's idea of DynamoDB.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode as SdkBillingMode, GlobalSecondaryIndex,
    KeySchemaElement, KeyType as KeyRole, LocalSecondaryIndex, Projection, ProjectionType,
    ProvisionedThroughput, ScalarAttributeType, TimeToLiveSpecification,
};
use dynasink_aws::{
    AttributeValueExt, Cause, DynamoDb, Error, Transport, Writer, create, describe,
};
use dynasink_core::{BillingMode, IndexKind, KeyType, TableSchema, WriteBatch, WriteUnits};
use dynasink_sim::EmbeddedStore;
use futures::SinkExt;

use crate::endpoint::{Endpoint, Reply, batch, key_only, put, table};

const PATIENCE: Duration = Duration::from_secs(5);

fn client() -> Client {
    EmbeddedStore::in_memory().unwrap().client()
}

fn element(name: &str, role: KeyRole) -> KeySchemaElement {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(role)
        .build()
        .unwrap()
}

/// A provisioned table with both kinds of indexes, made by hand.
async fn create_orders(client: &Client) {
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    let throughput = |read: i64, write: i64| {
        ProvisionedThroughput::builder()
            .read_capacity_units(read)
            .write_capacity_units(write)
            .build()
            .unwrap()
    };
    let all = || {
        Projection::builder()
            .projection_type(ProjectionType::All)
            .build()
    };
    let by_age = LocalSecondaryIndex::builder()
        .index_name("by-age")
        .key_schema(element("customer", KeyRole::Hash))
        .key_schema(element("age", KeyRole::Range))
        .projection(all());
    let by_mail = GlobalSecondaryIndex::builder()
        .index_name("by-mail")
        .key_schema(element("mail", KeyRole::Hash))
        .projection(all())
        .provisioned_throughput(throughput(1, 9));
    client
        .create_table()
        .table_name("orders")
        .attribute_definitions(attribute("customer", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .attribute_definitions(attribute("age", ScalarAttributeType::N))
        .attribute_definitions(attribute("mail", ScalarAttributeType::B))
        .key_schema(element("customer", KeyRole::Hash))
        .key_schema(element("number", KeyRole::Range))
        .local_secondary_indexes(by_age.build().unwrap())
        .global_secondary_indexes(by_mail.build().unwrap())
        .billing_mode(SdkBillingMode::Provisioned)
        .provisioned_throughput(throughput(3, 7))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_description_has_keys_indexes_and_capacity() {
    let client = client();
    create_orders(&client).await;
    let expected = TableSchema::builder("orders")
        .partition_key("customer", KeyType::S)
        .sort_key("number", KeyType::N)
        .index(
            "by-age",
            IndexKind::Local,
            [("customer", KeyType::S)],
            [("age", KeyType::N)],
            None,
        )
        .index(
            "by-mail",
            IndexKind::Global,
            [("mail", KeyType::B)],
            [],
            Some(WriteUnits::new(9)),
        )
        .billing_mode(BillingMode::Provisioned {
            write: WriteUnits::new(7),
        });
    let described = describe(&client, "orders").await.unwrap();
    assert_eq!(described, expected.build().unwrap());
    let through_the_transport = DynamoDb::new(client).describe_table("orders").await;
    assert_eq!(through_the_transport.unwrap(), described);
}

#[tokio::test]
async fn a_created_table_is_as_it_was_asked_for_and_can_be_written_to() {
    for (partition_key, sort_key) in [
        (KeyType::S, None),
        (KeyType::N, Some(KeyType::B)),
        (KeyType::B, Some(KeyType::S)),
    ] {
        let client = client();
        let mut builder = TableSchema::builder("made").partition_key("p", partition_key);
        if let Some(sort_key) = sort_key {
            builder = builder.sort_key("s", sort_key);
        }
        let table = builder.build().unwrap();
        create(&client, &table, PATIENCE).await.unwrap();
        assert_eq!(describe(&client, "made").await.unwrap(), table);

        let again = create(&client, &table, PATIENCE).await.unwrap_err();
        assert_eq!(again.cause(), Some(&Cause::TableInUse), "{again:?}");
    }
}

#[tokio::test]
async fn puts_and_deletes_arrive() {
    let client = client();
    let users = table("users");
    create(&client, &users, PATIENCE).await.unwrap();
    let transport = DynamoDb::new(client.clone());
    let response = transport
        .batch_write(&batch((0..25).map(|id| put(&users, id))))
        .await;
    assert_eq!(response.unwrap().unprocessed, []);
    let deletes = (0..25).filter(|id| id % 2 == 0);
    let deletes = deletes.map(|id| users.delete(&key_only(&users, id)).unwrap());
    transport.batch_write(&batch(deletes)).await.unwrap();

    let left = client.scan().table_name("users").send().await.unwrap();
    assert_eq!(left.count(), 12);
    for item in left.items() {
        let id: i64 = item["id"].as_n().unwrap().parse().unwrap();
        assert_eq!(id % 2, 1);
        assert_eq!(item["name"].as_s().unwrap(), "Zoë \"Z\"");
    }
}

#[tokio::test]
async fn capacity_is_told_apart_by_table_and_index() {
    let client = client();
    create_orders(&client).await;
    let orders = describe(&client, "orders").await.unwrap();
    let order = HashMap::from([
        ("customer".to_owned(), AttributeValue::S("c".to_owned())),
        ("number".to_owned(), AttributeValue::N("1".to_owned())),
        ("age".to_owned(), AttributeValue::N("30".to_owned())),
        ("mail".to_owned(), AttributeValue::B(b"c@d".to_vec().into())),
        ("text".to_owned(), AttributeValue::S("x".repeat(2500))),
    ]);
    let op = orders.put_attributes(&order).unwrap();
    assert_eq!(op.units(), WriteUnits::new(3));
    let response = DynamoDb::new(client).batch_write(&WriteBatch::of(op)).await;
    let consumed = response.unwrap().consumed;
    assert_eq!(consumed.len(), 1);
    assert_eq!(consumed[0].table.as_str(), "orders");
    // The item once for the table and once for its local index.
    assert_eq!(consumed[0].table_units, WriteUnits::new(6));
    let by_mail = ("by-mail".to_owned(), WriteUnits::new(3));
    assert_eq!(consumed[0].index_units, [by_mail]);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_missing_to_all() {
    let client = client();
    let error = describe(&client, "users").await.unwrap_err();
    assert_eq!(error.cause(), Some(&Cause::TableMissing));
    let transport = DynamoDb::new(client);
    let users = table("users");
    let request = batch([put(&users, 1)]);
    let error = transport.batch_write(&request).await.unwrap_err();
    assert_eq!(error.cause, Cause::TableMissing);

    let mut writer = Writer::new(transport);
    writer.feed(request).await.unwrap();
    let error = writer.close().await.unwrap_err();
    assert!(
        matches!(&error, Error::Stopped { unresolved: 1, cause, .. } if **cause == Cause::TableMissing),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_writer_fills_a_table() {
    let client = client();
    let users = table("users");
    create(&client, &users, PATIENCE).await.unwrap();
    let mut writer = Writer::new(DynamoDb::new(client.clone()));
    for start in (0..500).step_by(25) {
        let ops = (start..start + 25).map(|id| put(&users, id));
        writer.feed(batch(ops)).await.unwrap();
    }
    writer.close().await.unwrap();
    let stored = client.scan().table_name("users").send().await.unwrap();
    assert_eq!(stored.count(), 500);
}

/// Describes a table of which the service says this.
async fn described(table: &str) -> Result<TableSchema, Error> {
    let endpoint = Endpoint::new(Reply::json(200, format!(r#"{{"Table":{table}}}"#)));
    describe(&endpoint.client(), "users").await
}

const KEYS: &str = r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"N"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]"#;

#[tokio::test]
async fn an_on_demand_table_has_no_capacity_but_perhaps_a_maximum() {
    for (maximum, max_write) in [("-1", None), ("5000", Some(WriteUnits::new(5000)))] {
        let table = format!(
            r#"{{"TableStatus":"ACTIVE",{KEYS},"BillingModeSummary":{{"BillingMode":"PAY_PER_REQUEST"}},
            "ProvisionedThroughput":{{"ReadCapacityUnits":0,"WriteCapacityUnits":0}},
            "OnDemandThroughput":{{"MaxReadRequestUnits":-1,"MaxWriteRequestUnits":{maximum}}}}}"#
        );
        let billing_mode = described(&table).await.unwrap().billing_mode();
        assert_eq!(billing_mode, BillingMode::OnDemand { max_write });
    }
}

#[tokio::test]
async fn the_attribute_of_the_time_to_live_is_described() {
    let client = client();
    let users = table("users");
    create(&client, &users, PATIENCE).await.unwrap();
    let described = describe(&client, "users").await.unwrap();
    assert_eq!(described.ttl_attribute(), None);
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name("expires_at")
        .enabled(true)
        .build()
        .unwrap();
    let update = client.update_time_to_live().table_name("users");
    update.time_to_live_specification(ttl).send().await.unwrap();
    let described = describe(&client, "users").await.unwrap();
    assert_eq!(described.ttl_attribute(), Some("expires_at"));
}

#[tokio::test]
async fn a_time_to_live_that_nobody_may_ask_for_is_none() {
    let table = || {
        Reply::json(
            200,
            format!(r#"{{"Table":{{"TableStatus":"ACTIVE",{KEYS}}}}}"#),
        )
    };
    let described = async |reply: Reply| {
        let endpoint = Endpoint::script([table(), reply]);
        describe(&endpoint.client(), "users").await
    };
    for (status, code) in [
        (400, "AccessDeniedException"),
        (400, "UnknownOperationException"),
        (400, "ValidationException"),
    ] {
        let described = described(Reply::error(status, code, "no")).await;
        assert_eq!(described.unwrap().ttl_attribute(), None, "{code}");
    }
    let disabled =
        r#"{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLING","AttributeName":"a"}}"#;
    let disabled = described(Reply::json(200, disabled)).await.unwrap();
    assert_eq!(disabled.ttl_attribute(), None);
    // What passes by itself must not decide what becomes of a column.
    let error = described(Reply::error(400, "ExpiredTokenException", "no")).await;
    assert_eq!(error.unwrap_err().cause(), Some(&Cause::Credentials));
}

#[tokio::test]
async fn a_table_is_described_by_the_name_that_it_was_asked_for() {
    let arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/users";
    let body = format!(r#"{{"Table":{{"TableName":"users","TableStatus":"UPDATING",{KEYS}}}}}"#);
    let endpoint = Endpoint::new(Reply::json(200, body));
    let table = describe(&endpoint.client(), arn).await.unwrap();
    assert_eq!(table.name().as_str(), arn);
}

#[tokio::test]
async fn a_description_that_cannot_be_written_to_is_refused() {
    let cases = [
        (
            format!(r#"{{"TableStatus":"CREATING",{KEYS}}}"#),
            "it is CREATING: wait until it is ACTIVE",
        ),
        (
            format!(r#"{{"TableStatus":"DELETING",{KEYS}}}"#),
            "it is DELETING, and takes no writes",
        ),
        (
            r#"{"TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#.to_owned(),
            "its key attribute \"id\" has no type",
        ),
        (
            r#"{"TableStatus":"ACTIVE","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"Q"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#.to_owned(),
            "its key attribute \"id\" has the type Q, which no key can have",
        ),
        (
            r#"{"TableStatus":"ACTIVE"}"#.to_owned(),
            "table \"users\" is not a valid table description: it has no partition key",
        ),
    ];
    for (description, expected) in cases {
        let error = described(&description).await.unwrap_err();
        let Error::UnusableTable { reason, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(reason, expected);
    }
    let endpoint = Endpoint::new(Reply::json(200, "{}"));
    let error = describe(&endpoint.client(), "users").await.unwrap_err();
    assert!(matches!(error, Error::UnusableTable { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_become_active_is_not_waited_for_for_ever() {
    let creating = format!(r#"{{"Table":{{"TableStatus":"CREATING",{KEYS}}}}}"#);
    let endpoint = Endpoint::new(Reply::json(200, creating));
    let start = tokio::time::Instant::now();
    let patience = Duration::from_secs(30);
    let error = create(&endpoint.client(), &table("users"), patience)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::NotActive { waited, .. } if *waited == patience),
        "{error:?}"
    );
    let waited = start.elapsed();
    assert!(waited >= patience && waited < patience + Duration::from_secs(1));
    assert!(endpoint.requests().len() > 30);
}
