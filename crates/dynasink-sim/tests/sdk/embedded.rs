use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, TableStatus, WriteRequest};
use dynasink_sim::{EmbeddedStore, Error};

use crate::orders::{BY_DAY, ORDERS, create_orders, order, put, read, write};

#[tokio::test]
async fn a_created_table_is_described() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    create_orders(&client).await.unwrap();

    let described = client.describe_table().table_name(ORDERS).send().await;

    let table = described.unwrap().table.unwrap();
    assert_eq!(table.table_status, Some(TableStatus::Active));
    assert_eq!(table.key_schema().len(), 2);
    assert_eq!(
        table.global_secondary_indexes()[0].index_name(),
        Some(BY_DAY)
    );
}

#[tokio::test]
async fn a_batch_is_read_back_with_every_type() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    create_orders(&client).await.unwrap();

    let written = write(&client, (0..25).map(order).map(put).collect())
        .await
        .unwrap();

    assert!(written.unprocessed_items.unwrap().is_empty());
    for number in 0..25 {
        assert_eq!(read(&client, number).await, Some(order(number)));
    }
    let scanned = client.scan().table_name(ORDERS).send().await.unwrap();
    assert_eq!(scanned.count, 25);
}

#[tokio::test]
async fn a_delete_in_a_batch_removes_the_item() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    create_orders(&client).await.unwrap();
    write(&client, vec![put(order(1)), put(order(2))])
        .await
        .unwrap();

    let key = ["customer", "number"].map(|name| (name.to_owned(), order(1).remove(name).unwrap()));
    let delete = DeleteRequest::builder()
        .set_key(Some(key.into()))
        .build()
        .unwrap();
    write(
        &client,
        vec![WriteRequest::builder().delete_request(delete).build()],
    )
    .await
    .unwrap();

    assert_eq!(read(&client, 1).await, None);
    assert_eq!(read(&client, 2).await, Some(order(2)));
}

#[tokio::test]
async fn consumed_capacity_names_the_table_and_the_index() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    create_orders(&client).await.unwrap();
    let mut large = order(2);
    large.insert("note".into(), AttributeValue::S("x".repeat(3000)));

    let written = write(&client, vec![put(order(1)), put(large)])
        .await
        .unwrap();

    let consumed = &written.consumed_capacity()[0];
    let by_day = &consumed.global_secondary_indexes().unwrap()[BY_DAY];
    assert_eq!(consumed.table().unwrap().capacity_units(), Some(5.0));
    assert_eq!(by_day.capacity_units(), Some(2.0));
    assert_eq!(consumed.capacity_units(), Some(7.0));
}

#[tokio::test]
async fn a_missing_table_is_a_typed_error() {
    let client = EmbeddedStore::in_memory().unwrap().client();

    let refused = write(&client, vec![put(order(1))]).await.unwrap_err();

    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
    assert!(
        refused
            .into_service_error()
            .is_resource_not_found_exception()
    );
}

#[tokio::test]
async fn a_key_twice_in_a_batch_is_refused_and_nothing_is_written() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    create_orders(&client).await.unwrap();
    let mut same = order(1);
    same.insert("number".into(), AttributeValue::N("1.0".into()));

    let refused = write(&client, vec![put(order(1)), put(same)])
        .await
        .unwrap_err();

    assert_eq!(refused.code(), Some("ValidationException"));
    assert_eq!(
        refused.message(),
        Some("Provided list of item keys contains duplicates")
    );
    assert_eq!(read(&client, 1).await, None);
}

#[tokio::test]
async fn a_batch_of_26_is_refused() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    create_orders(&client).await.unwrap();

    let refused = write(&client, (0..26).map(order).map(put).collect())
        .await
        .unwrap_err();

    assert_eq!(refused.code(), Some("ValidationException"));
    assert_eq!(read(&client, 0).await, None);
}

#[tokio::test]
async fn a_body_over_16_mib_is_refused() {
    let client = EmbeddedStore::in_memory().unwrap().client();
    create_orders(&client).await.unwrap();
    let mut huge = order(1);
    huge.insert(
        "note".into(),
        AttributeValue::S("x".repeat(16 * 1024 * 1024)),
    );

    let refused = write(&client, vec![put(huge)]).await.unwrap_err();

    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 413);
}

#[tokio::test(start_paused = true)]
async fn paused_time_stands_still_during_a_request() {
    let store = EmbeddedStore::in_memory().unwrap();
    let timeouts = aws_sdk_dynamodb::config::timeout::TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(1))
        .build();
    let client =
        aws_sdk_dynamodb::Client::from_conf(store.sdk_config().timeout_config(timeouts).build());
    let start = tokio::time::Instant::now();

    create_orders(&client).await.unwrap();
    for first in (0..1000).step_by(25) {
        write(&client, (first..first + 25).map(order).map(put).collect())
            .await
            .unwrap();
    }

    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(read(&client, 999).await, Some(order(999)));
}

#[tokio::test]
async fn a_file_is_read_after_it_was_closed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    {
        let client = EmbeddedStore::open(&file).unwrap().client();
        create_orders(&client).await.unwrap();
        write(&client, vec![put(order(1))]).await.unwrap();
    }

    let reopened = EmbeddedStore::open(&file).unwrap();

    assert_eq!(reopened.path(), Some(file.as_path()));
    assert_eq!(read(&reopened.client(), 1).await, Some(order(1)));
}

#[tokio::test]
async fn closing_leaves_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let client = EmbeddedStore::open(directory.path().join("orders.db"))
        .unwrap()
        .client();
    create_orders(&client).await.unwrap();
    drop(client);

    let files: Vec<_> = directory
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["orders.db"]);
}

#[tokio::test]
async fn a_file_opened_twice_is_one_store() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    let first = EmbeddedStore::open(&file).unwrap().client();
    create_orders(&first).await.unwrap();
    let second = EmbeddedStore::open(&file).unwrap().client();

    write(&first, vec![put(order(1))]).await.unwrap();
    write(&second, vec![put(order(2))]).await.unwrap();

    assert_eq!(read(&second, 1).await, Some(order(1)));
    assert_eq!(read(&first, 2).await, Some(order(2)));
}

#[test]
fn a_name_that_sqlite_treats_specially_is_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file:memory?mode=memory");

    drop(EmbeddedStore::open(&file).unwrap());

    assert!(file.exists());
}

#[test]
fn a_file_that_cannot_be_a_store_is_named_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, but longer than the header of one".repeat(10),
    )
    .unwrap();
    let before = std::fs::read(&text).unwrap();

    for path in [
        text.clone(),
        directory.path().join("missing/orders.db"),
        directory.path().into(),
        "".into(),
    ] {
        let error = EmbeddedStore::open(&path).unwrap_err();
        assert!(
            matches!(&error, Error::Open { path: named, .. } if *named == path),
            "{error:?}"
        );
        assert!(error.to_string().contains(&*path.to_string_lossy()));
    }
    assert_eq!(std::fs::read(&text).unwrap(), before);
}
