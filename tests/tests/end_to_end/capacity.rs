//! Rates and what a load costs.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, KeySchemaElement, KeyType as KeyRole, ProvisionedThroughput,
    ScalarAttributeType,
};
use dynasink::{BillingMode, KeyType, Rate, WriteUnits};
use dynasink_tests::{Endpoint, TestTable, assert_same_items, rows_of_parquet};

use crate::load::{load, write_parquet};
use crate::real_data::example;

dynasink_tests::claims_about_every_endpoint!(
    a_load_costs_the_units_of_its_items,
    a_fixed_rate_loads_everything,
    a_percentage_is_of_the_capacity_that_the_endpoint_describes,
);

async fn a_load_costs_the_units_of_its_items(endpoint: Endpoint) {
    // Names and values together: 2 + 1 for the key, 1 for the name `p`.
    let sizes = [4, 1024, 1025, 2048, 2049, 10_000, 100_000];
    let units: u64 = sizes.iter().map(|size: &u64| size.div_ceil(1024)).sum();
    let keys = ["a", "b", "c", "d", "e", "f", "g"];
    let payloads = sizes.map(|size| "x".repeat(usize::try_from(size - 4).unwrap()));
    let rows = RecordBatch::try_from_iter([
        (
            "id",
            Arc::new(StringArray::from_iter_values(keys)) as ArrayRef,
        ),
        (
            "p",
            Arc::new(StringArray::from_iter_values(payloads)) as ArrayRef,
        ),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let file = write_parquet(folder.path(), "sizes.parquet", &[rows.unwrap()]);
    let table = TestTable::create(&endpoint, &[("id", KeyType::S)]).await;

    let report = load([&file], table.schema(), table.pipe()).await.unwrap();

    assert_eq!(report.counts.consumed_write_units, units);
    let expected = table.by_key(rows_of_parquet(&file));
    assert_same_items(&table.items().await, &expected);
}

async fn a_fixed_rate_loads_everything(endpoint: Endpoint) {
    let folder = tempfile::tempdir().unwrap();
    let rows = RecordBatch::try_from_iter([(
        "id",
        Arc::new(Int64Array::from_iter_values(0..500)) as ArrayRef,
    )]);
    let file = write_parquet(folder.path(), "ids.parquet", &[rows.unwrap()]);
    let table = TestTable::create(&endpoint, &[("id", KeyType::N)]).await;

    let rate = Rate::Fixed(WriteUnits::new(400));
    let report = load([&file], table.schema(), table.pipe().rate(rate))
        .await
        .unwrap();

    assert_eq!(report.counts.consumed_write_units, 500);
    let expected = table.by_key(rows_of_parquet(&file));
    assert_same_items(&table.items().await, &expected);
}

async fn a_percentage_is_of_the_capacity_that_the_endpoint_describes(endpoint: Endpoint) {
    let table = TestTable::create_as(&endpoint, |request| {
        let definition = AttributeDefinition::builder()
            .attribute_name("carrier")
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name("carrier")
            .key_type(KeyRole::Hash);
        let throughput = ProvisionedThroughput::builder()
            .read_capacity_units(40)
            .write_capacity_units(20);
        request
            .attribute_definitions(definition.build().unwrap())
            .key_schema(key.build().unwrap())
            .provisioned_throughput(throughput.build().unwrap())
    })
    .await;
    let write = WriteUnits::new(20);
    assert_eq!(
        table.schema().billing_mode(),
        BillingMode::Provisioned { write }
    );

    let percent = Rate::Percent(80.0);
    let pipe = table.pipe().rate(percent);
    assert_eq!(pipe.build().unwrap().limiter().rate(), WriteUnits::new(16));
    let file = example("airlines");
    load([&file], table.schema(), table.pipe().rate(percent))
        .await
        .unwrap();
    let expected = table.by_key(rows_of_parquet(&file));
    assert_same_items(&table.items().await, &expected);
}
