//! The simulator through the AWS SDK: refusals, consumed capacity and failures as the service sends them.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemError, BatchWriteItemOutput};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode as SdkBillingMode, KeySchemaElement,
    KeyType as KeyRole, ProvisionedThroughput, PutRequest, ReturnConsumedCapacity,
    ReturnItemCollectionMetrics, ScalarAttributeType, TableStatus, ThrottlingReason, WriteRequest,
};
use dynasink_aws::{Cause, Transport};
use dynasink_core::{
    BillingMode, IndexKind, KeyType, Projection, TableSchema, WriteBatch, WriteBatchBuilder,
    WriteUnits,
};
use dynasink_sim::{
    Audit, CapacityModel, Change, EmbeddedStore, Fault, Faults, Latency, Resource, SimulatedTable,
    Simulator, Verdict,
};

use crate::orders::{create_orders, order, put as put_order, read};

fn provisioned(write: u64) -> BillingMode {
    BillingMode::Provisioned {
        write: WriteUnits::new(write),
    }
}

/// A table in use: nothing of its capacity is saved up but one second's worth is there.
fn users(billing: BillingMode) -> SimulatedTable {
    users_with_an_index_of(billing, billing.write_capacity())
}

fn users_with_an_index_of(billing: BillingMode, index: Option<WriteUnits>) -> SimulatedTable {
    let schema = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .sort_key("at", KeyType::N)
        .billing_mode(billing)
        .index(
            "by-kind",
            IndexKind::Local,
            [("id", KeyType::S)],
            [("kind", KeyType::S)],
            None,
        )
        .index(
            "by-mail",
            IndexKind::Global,
            [("mail", KeyType::S)],
            [],
            index,
        )
        .projecting("by-kind", Projection::KeysOnly)
        .projecting("by-mail", Projection::KeysOnly);
    SimulatedTable::new(schema.build().unwrap()).idle(Duration::from_secs(1))
}

fn put(id: &str, at: u32, attributes: &[(&str, &str)]) -> WriteRequest {
    let mut item = HashMap::from([
        ("id".to_owned(), AttributeValue::S(id.to_owned())),
        ("at".to_owned(), AttributeValue::N(at.to_string())),
    ]);
    for (name, value) in attributes {
        item.insert((*name).to_owned(), AttributeValue::S((*value).to_owned()));
    }
    let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
    WriteRequest::builder().put_request(put).build()
}

/// So many small puts, each of a partition key of its own.
fn puts(count: u32) -> Vec<WriteRequest> {
    (0..count)
        .map(|at| put(&format!("user-{at}"), at, &[]))
        .collect()
}

async fn write(
    client: &Client,
    requests: Vec<WriteRequest>,
) -> Result<BatchWriteItemOutput, BatchWriteItemError> {
    client
        .batch_write_item()
        .request_items("users", requests)
        .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
        .return_item_collection_metrics(ReturnItemCollectionMetrics::Size)
        .send()
        .await
        .map_err(SdkError::into_service_error)
}

fn unprocessed(output: &BatchWriteItemOutput) -> usize {
    let items = output.unprocessed_items().unwrap();
    items.get("users").map_or(0, Vec::len)
}

fn reasons(reasons: &[ThrottlingReason]) -> Vec<(&str, &str)> {
    reasons
        .iter()
        .map(|reason| (reason.reason().unwrap(), reason.resource().unwrap()))
        .collect()
}

fn illegal(audit: &Audit) -> usize {
    audit.illegal().count()
}

#[tokio::test(start_paused = true)]
async fn what_the_table_cannot_take_comes_back() {
    let simulator = Simulator::builder().table(users(provisioned(10))).build();
    let client = simulator.client();
    let some = write(&client, puts(25)).await.unwrap();
    assert_eq!(unprocessed(&some), 15);
    assert_eq!(simulator.items("users").len(), 10);
    let consumed = &some.consumed_capacity()[0];
    assert_eq!(consumed.capacity_units(), Some(10.0));

    let BatchWriteItemError::ProvisionedThroughputExceededException(all) =
        write(&client, puts(25)).await.unwrap_err()
    else {
        panic!("another refusal was expected");
    };
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/users";
    assert_eq!(
        reasons(all.throttling_reasons()),
        [("TableWriteProvisionedThroughputExceeded", table)]
    );
    let audit = simulator.audit();
    assert_eq!(audit.totals().refused, 40);
    assert_eq!(audit.requests()[1].verdict, Verdict::Throttled);
    assert_eq!(
        audit.units_per_second(&Resource::Table("users".to_owned()))[&0],
        10
    );

    tokio::time::sleep(Duration::from_secs(2)).await;
    let later = write(&client, puts(25)).await.unwrap();
    assert_eq!(
        unprocessed(&later),
        5,
        "two seconds have saved up twenty units"
    );
}

#[tokio::test(start_paused = true)]
async fn an_index_without_capacity_refuses_what_touches_it() {
    let table = users_with_an_index_of(provisioned(1_000), Some(WriteUnits::new(1)));
    let model = CapacityModel::default().index_backlog(Duration::ZERO);
    let simulator = Simulator::builder()
        .table(table)
        .capacity_model(model)
        .latency(Latency::fixed(Duration::ZERO))
        .build();
    let client = simulator.client();
    let with_mail = |at: u32| put("user", at, &[("mail", &format!("mail-{at}"))]);
    let some = write(&client, (0..20).map(with_mail).collect())
        .await
        .unwrap();
    assert_eq!(unprocessed(&some), 19);
    let BatchWriteItemError::ProvisionedThroughputExceededException(all) =
        write(&client, (20..40).map(with_mail).collect())
            .await
            .unwrap_err()
    else {
        panic!("another refusal was expected");
    };
    let index = "arn:aws:dynamodb:us-east-1:000000000000:table/users/index/by-mail";
    assert_eq!(
        reasons(all.throttling_reasons()),
        [("IndexWriteProvisionedThroughputExceeded", index)]
    );
    assert_eq!(unprocessed(&write(&client, puts(25)).await.unwrap()), 0);

    simulator.change(&Change::Capacity(
        "users/by-mail".to_owned(),
        WriteUnits::new(20),
    ));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let more = write(&client, (40..60).map(with_mail).collect())
        .await
        .unwrap();
    assert_eq!(unprocessed(&more), 0);
}

#[tokio::test(start_paused = true)]
async fn one_partition_takes_a_thousand_units_a_second() {
    let table = users(provisioned(40_000)).partitions(40);
    let simulator = Simulator::builder()
        .table(table)
        .latency(Latency::fixed(Duration::ZERO))
        .build();
    let client = simulator.client();
    let hot = |at: u32| put("hot", at, &[("payload", &"x".repeat(99 * 1024))]);
    let some = write(&client, (0..25).map(hot).collect()).await.unwrap();
    // A hundred units each: ten, and one that leaves a debt.
    assert!(
        (10..=11).contains(&simulator.items("users").len()),
        "{}",
        unprocessed(&some)
    );
    let BatchWriteItemError::ProvisionedThroughputExceededException(all) =
        write(&client, (100..125).map(hot).collect())
            .await
            .unwrap_err()
    else {
        panic!("another refusal was expected");
    };
    assert_eq!(
        reasons(all.throttling_reasons())[0].0,
        "TableWriteKeyRangeThroughputExceeded"
    );
    let cold = write(&client, puts(25)).await.unwrap();
    assert!(unprocessed(&cold) < 5, "other partitions have room");
}

#[tokio::test(start_paused = true)]
async fn on_demand_and_the_account_refuse_in_their_own_words() {
    let max_write = Some(WriteUnits::new(5));
    let table = users(BillingMode::OnDemand { max_write });
    let simulator = Simulator::builder().table(table).build();
    let client = simulator.client();
    write(&client, puts(25)).await.unwrap();
    let BatchWriteItemError::ThrottlingException(refused) =
        write(&client, puts(25)).await.unwrap_err()
    else {
        panic!("another refusal was expected");
    };
    assert_eq!(
        reasons(refused.throttling_reasons())[0].0,
        "TableWriteMaxOnDemandThroughputExceeded"
    );

    let model = CapacityModel::default().account_limit(Some(WriteUnits::new(5)));
    let simulator = Simulator::builder()
        .table(users(provisioned(1_000)))
        .capacity_model(model)
        .build();
    let client = simulator.client();
    write(&client, puts(25)).await.unwrap();
    let BatchWriteItemError::RequestLimitExceeded(refused) =
        write(&client, puts(25)).await.unwrap_err()
    else {
        panic!("another refusal was expected");
    };
    assert_eq!(
        reasons(refused.throttling_reasons())[0].0,
        "TableWriteAccountLimitExceeded"
    );
}

#[tokio::test(start_paused = true)]
async fn capacity_is_counted_by_table_and_index() {
    let simulator = Simulator::builder()
        .table(users(provisioned(10_000)))
        .build();
    let client = simulator.client();
    let large = "x".repeat(3_000);
    let item = |mail| {
        put(
            "a",
            1,
            &[("kind", "k"), ("mail", mail), ("payload", &large)],
        )
    };
    for (request, table, local, global) in [
        (item("one"), 3.0, Some(1.0), Some(1.0)),
        // Nothing that the indexes hold changes.
        (item("one"), 3.0, None, None),
        // An entry goes and another comes.
        (item("two"), 3.0, None, Some(2.0)),
        // The larger of the old item and the new one.
        (put("a", 1, &[]), 3.0, Some(1.0), Some(1.0)),
    ] {
        let written = write(&client, vec![request]).await.unwrap();
        let consumed = &written.consumed_capacity()[0];
        assert_eq!(consumed.table().unwrap().capacity_units(), Some(table));
        let units = |indexes: Option<&HashMap<String, aws_sdk_dynamodb::types::Capacity>>, name| {
            indexes.and_then(|indexes| indexes.get(name)?.capacity_units())
        };
        assert_eq!(units(consumed.local_secondary_indexes(), "by-kind"), local);
        assert_eq!(
            units(consumed.global_secondary_indexes(), "by-mail"),
            global
        );
        let collections = &written.item_collection_metrics().unwrap()["users"];
        assert_eq!(collections[0].size_estimate_range_gb(), [0.0, 1.0]);
    }
    let audit = simulator.audit();
    let index = Resource::Index("users".to_owned(), "by-mail".to_owned());
    assert_eq!(audit.units_per_second(&index).values().sum::<u64>(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_a_rule_is_refused_and_noted() {
    let simulator = Simulator::builder().table(users(provisioned(100))).build();
    let client = simulator.client();
    let twice = vec![put("a", 1, &[]), put("a", 1, &[])];
    for requests in [
        twice,
        puts(26),
        vec![put("", 1, &[])],
        vec![put("a", 1, &[("mail", "")])],
    ] {
        let refused = write(&client, requests).await.unwrap_err();
        assert_eq!(refused.code(), Some("ValidationException"));
    }
    let missing = client
        .batch_write_item()
        .request_items("nobody", puts(1))
        .send()
        .await;
    let missing = missing.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception());
    assert_eq!(illegal(&simulator.audit()), 4);
    assert!(simulator.items("users").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_noted_too() {
    let simulator = Simulator::builder().table(users(provisioned(100))).build();
    let large = "x".repeat(17 * 1024 * 1024);
    let refused = write(
        &simulator.client(),
        vec![put("a", 1, &[("payload", &large)])],
    )
    .await;
    assert!(refused.is_err());
    assert_eq!(illegal(&simulator.audit()), 1);
}

#[tokio::test(start_paused = true)]
async fn single_writes_draw_on_the_same_capacity() {
    let simulator = Simulator::builder().table(users(provisioned(3))).build();
    let client = simulator.client();
    let mut refused = 0;
    for at in 0..6 {
        let put = client
            .put_item()
            .table_name("users")
            .item("id", AttributeValue::S("a".to_owned()))
            .item("at", AttributeValue::N(at.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match put {
            Ok(output) => assert_eq!(
                output.consumed_capacity().unwrap().capacity_units(),
                Some(1.0)
            ),
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_provisioned_throughput_exceeded_exception());
                refused += 1;
            }
        }
    }
    assert_eq!((simulator.items("users").len(), refused), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_table_in_memory_is_described() {
    let simulator = Simulator::builder()
        .table(users(provisioned(70)))
        .faults(Faults::none().change(Duration::from_secs(5), Change::Updating("users".to_owned())))
        .build();
    let client = simulator.client();
    let schema = dynasink_aws::describe(&client, "users").await.unwrap();
    assert_eq!(&schema, users(provisioned(70)).schema());
    let status = async || {
        let described = client.describe_table().table_name("users").send().await;
        described.unwrap().table().unwrap().table_status().cloned()
    };
    assert_eq!(status().await, Some(TableStatus::Active));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(status().await, Some(TableStatus::Updating));
    simulator.change(&Change::DeleteTable("users".to_owned()));
    let missing = dynasink_aws::describe(&client, "users").await.unwrap_err();
    assert_eq!(missing.cause(), Some(&Cause::TableMissing));
    let created = create_orders(&client).await.unwrap_err();
    assert_eq!(created.code(), Some("UnknownOperationException"));
}

#[tokio::test(start_paused = true)]
async fn an_embedded_store_is_limited_and_has_its_whole_api() {
    let store = EmbeddedStore::in_memory().unwrap();
    let simulator = Simulator::builder()
        .embedded(store.clone())
        .provisioned(WriteUnits::new(4))
        .idle(Duration::from_secs(1))
        .faults(Faults::none().requests(3..=3, Fault::Unavailable))
        .build();
    let client = simulator.client();
    create_orders(&client).await.unwrap();
    let described = client
        .describe_table()
        .table_name("orders")
        .send()
        .await
        .unwrap();
    let table = described.table().unwrap();
    let throughput = table.provisioned_throughput().unwrap();
    assert_eq!(throughput.write_capacity_units(), Some(4));
    let mode = table.billing_mode_summary().unwrap().billing_mode();
    assert_eq!(mode, Some(&SdkBillingMode::Provisioned));

    let requests: Vec<_> = (0..25).map(order).map(put_order).collect();
    let written = crate::orders::write(&client, requests).await.unwrap();
    let left = written.unprocessed_items().unwrap()["orders"].len();
    assert!((20..25).contains(&left), "{left} of 25 were left");
    let stored = async |number| read(&store.client(), number).await;
    let mut found = 0;
    for number in 0..25 {
        assert_eq!(read(&client, number).await, stored(number).await);
        found += usize::from(stored(number).await.is_some());
    }
    assert_eq!(found + left, 25);
    // An hour saves up one second's units at least; what is stored already is asked for, and counts.
    tokio::time::sleep(Duration::from_hours(1)).await;
    let all: Vec<_> = (0..25).map(order).map(put_order).collect();
    let all = crate::orders::write(&client, all).await.unwrap();
    assert!(all.unprocessed_items().unwrap().is_empty());
    let failed = crate::orders::write(&client, vec![put_order(order(1))])
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Some("ServiceUnavailable"));
    assert_eq!(simulator.audit().totals().requests, 3);
}

#[tokio::test(start_paused = true)]
async fn an_update_of_a_table_refills_nothing() {
    let simulator = Simulator::builder()
        .embedded(EmbeddedStore::in_memory().unwrap())
        .idle(Duration::from_secs(1))
        .latency(Latency::fixed(Duration::ZERO))
        .build();
    let client = simulator.client();
    let throughput = |write: i64| {
        let throughput = ProvisionedThroughput::builder().read_capacity_units(5);
        throughput.write_capacity_units(write).build().unwrap()
    };
    let attribute = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(KeyRole::Hash);
    client
        .create_table()
        .table_name("users")
        .attribute_definitions(attribute.build().unwrap())
        .key_schema(key.build().unwrap())
        .provisioned_throughput(throughput(5))
        .send()
        .await
        .unwrap();
    assert_eq!(unprocessed(&write(&client, puts(25)).await.unwrap()), 20);
    let update = client.update_table().table_name("users");
    update
        .provisioned_throughput(throughput(20))
        .send()
        .await
        .unwrap();
    let refused = write(&client, puts(25)).await.unwrap_err();
    assert!(refused.is_provisioned_throughput_exceeded_exception());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        unprocessed(&write(&client, puts(25)).await.unwrap()),
        5,
        "twenty a second now"
    );
}

#[tokio::test(start_paused = true)]
async fn an_item_under_two_names_of_its_table_is_one_item() {
    let by_name = users(provisioned(100)).schema().clone();
    let simulator = Simulator::builder().table(users(provisioned(100))).build();
    let arn = TableSchema::builder("arn:aws:dynamodb:us-east-1:000000000000:table/users")
        .partition_key("id", KeyType::S)
        .sort_key("at", KeyType::N);
    let item = serde_json::json!({ "id": "a", "at": 1 });
    let by_arn = arn.build().unwrap().put_serde(&item).unwrap();
    let mut both = WriteBatchBuilder::new();
    both.push(by_name.put_serde(&item).unwrap()).unwrap();
    both.push(by_arn.clone()).unwrap();
    let refused = simulator
        .batch_write(&both.take().unwrap())
        .await
        .unwrap_err();
    assert_eq!(refused.cause, Cause::Invalid);
    assert_eq!(illegal(&simulator.audit()), 1);
    simulator
        .batch_write(&WriteBatch::of(by_arn))
        .await
        .unwrap();
    assert_eq!(simulator.items("users").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_when_its_client_has_the_answer_or_gives_up() {
    let late = Duration::from_secs(3);
    let faults = Faults::none()
        .requests(2..=2, Fault::Slow(late))
        .requests(3..=3, Fault::Hang);
    let simulator = Simulator::builder()
        .table(users(provisioned(100)))
        .faults(faults)
        .latency(Latency::fixed(Duration::ZERO))
        .build();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(2 * late);
    let config = simulator.sdk_config().timeout_config(timeouts.build());
    let client = Client::from_conf(config.build());
    write(&client, puts(1)).await.unwrap();
    write(&client, puts(1)).await.unwrap();
    let hung = client.batch_write_item().request_items("users", puts(1));
    assert!(matches!(hung.send().await, Err(SdkError::TimeoutError(_))));
    let audit = simulator.audit();
    let ends = audit
        .requests()
        .iter()
        .map(|request| request.ended.unwrap());
    assert_eq!(ends.collect::<Vec<_>>(), [Duration::ZERO, late, 3 * late]);
}
