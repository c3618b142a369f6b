//! A row that DynamoDB would refuse is in the dead-letter file, and every other row is in the table.

mod rows;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType as KeyRole,
    Projection, ProjectionType, ScalarAttributeType,
};
use dynasink::{
    DeadLetterFile, DriveEnd, ErrorBudget, FileSource, KeyType, Mapping, Outcome, SourceOptions,
    TableSchema,
};
use dynasink_tests::{Endpoint, Item, OutcomeLog, TestTable, Value, assert_same_items};

use crate::load::{load, write_parquet};
use rows::{Row, record_batch, row_groups};

dynasink_tests::claims_about_every_endpoint!(
    rows_that_dynamodb_would_refuse_are_dead_and_the_others_written,
    rows_that_the_service_refuses_are_dead_and_the_others_written,
    a_load_over_its_error_budget_stops_with_an_outcome_for_each_row_read,
);

/// File, row group, row and code.
type Letter = (String, u64, u64, String);

fn letters(path: &Path) -> Vec<Letter> {
    let text = fs::read_to_string(path).unwrap();
    let letter = |line: &str| {
        let letter: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        assert!(!text(&letter["reason"]).is_empty(), "{line}");
        let position = &letter["position"];
        (
            text(&position["file"]),
            position["row_group"].as_u64().unwrap(),
            position["row"].as_u64().unwrap(),
            text(&letter["code"]),
        )
    };
    let mut letters: Vec<Letter> = text.lines().map(letter).collect();
    letters.sort_unstable();
    letters
}

async fn rows_that_dynamodb_would_refuse_are_dead_and_the_others_written(endpoint: Endpoint) {
    let folder = tempfile::tempdir().unwrap();
    let row_groups = row_groups();
    let batches = row_groups.each_ref().map(|rows| record_batch(rows));
    let file = write_parquet(folder.path(), "mixed.parquet", &batches);
    let table = TestTable::create(&endpoint, &[("id", KeyType::S)]).await;

    let dead_letters = DeadLetterFile::create(folder.path().join("dead.jsonl")).unwrap();
    let log = OutcomeLog::default();
    let pipe = table
        .pipe()
        .observer(dead_letters.clone())
        .observer(log.clone());
    let report = load([&file], table.schema(), pipe).await.unwrap();
    assert!(dead_letters.finish().unwrap());

    let rows = row_groups.iter().flatten();
    let good: Vec<Item> = rows
        .clone()
        .filter(|row| row.code.is_none())
        .map(Row::item)
        .collect();
    let dead: Vec<Letter> = (0..)
        .zip(&row_groups)
        .flat_map(|(group, rows)| (0..).zip(rows).map(move |(row, what)| (group, row, what)))
        .filter_map(|(group, row, what)| {
            let file = file.to_str().unwrap().to_owned();
            Some((file, group, row, what.code?.to_owned()))
        })
        .collect();
    assert_eq!(letters(dead_letters.path()), dead);
    let counts = report.counts;
    assert_eq!(counts.rows_read, rows.count() as u64);
    assert_eq!(counts.dead, dead.len() as u64);
    assert_eq!(counts.items_written, good.len() as u64);
    assert_eq!(counts.unresolved(), 0);
    assert_eq!(log.len() as u64, counts.rows_read);
    assert_same_items(&table.items().await, &table.by_key(good));
}

/// A table of `id` with an index by the number `day`.
async fn table_with_an_index(endpoint: &Endpoint) -> TestTable {
    let attribute = |name: &str, kind: ScalarAttributeType| {
        let definition = AttributeDefinition::builder().attribute_name(name);
        definition.attribute_type(kind).build().unwrap()
    };
    let key = |name: &str| {
        let element = KeySchemaElement::builder().attribute_name(name);
        element.key_type(KeyRole::Hash).build().unwrap()
    };
    let projection = Projection::builder().projection_type(ProjectionType::KeysOnly);
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-day")
        .key_schema(key("day"))
        .projection(projection.build());
    TestTable::create_as(endpoint, |request| {
        request
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("id", ScalarAttributeType::N))
            .attribute_definitions(attribute("day", ScalarAttributeType::N))
            .key_schema(key("id"))
            .global_secondary_indexes(index.build().unwrap())
    })
    .await
}

async fn rows_that_the_service_refuses_are_dead_and_the_others_written(endpoint: Endpoint) {
    const ROWS: i64 = 130;
    let has_day = |id: i64| id % 40 == 3;
    let folder = tempfile::tempdir().unwrap();
    let days: StringArray = (0..ROWS)
        .map(|id| has_day(id).then_some("monday"))
        .collect();
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from_iter_values(0..ROWS))),
        ("day", Arc::new(days)),
    ];
    let rows = columns.map(|(name, column)| (name, column, true));
    let rows = RecordBatch::try_from_iter_with_nullable(rows).unwrap();
    let file = write_parquet(folder.path(), "days.parquet", &[rows]);
    let table = table_with_an_index(&endpoint).await;
    // As the table was described before it had the index: its keys are not checked here.
    let earlier = TableSchema::builder(table.name()).partition_key("id", KeyType::N);
    let earlier = earlier.build().unwrap();

    let dead_letters = DeadLetterFile::create(folder.path().join("dead.jsonl")).unwrap();
    let pipe = table.pipe().observer(dead_letters.clone());
    let report = load([&file], &earlier, pipe).await.unwrap();

    let (dead, good): (Vec<i64>, Vec<i64>) = (0..ROWS).partition(|id| has_day(*id));
    let dead: Vec<Letter> = dead
        .into_iter()
        .map(|id| {
            let row = id.try_into().unwrap();
            (
                file.to_str().unwrap().to_owned(),
                0,
                row,
                "invalid".to_owned(),
            )
        })
        .collect();
    assert_eq!(letters(dead_letters.path()), dead);
    assert_eq!(report.counts.dead, dead.len() as u64);
    assert_eq!(report.counts.items_written, good.len() as u64);
    let good = good
        .into_iter()
        .map(|id| Item::from([("id".to_owned(), Value::number(id))]));
    assert_same_items(&table.items().await, &table.by_key(good));
}

async fn a_load_over_its_error_budget_stops_with_an_outcome_for_each_row_read(endpoint: Endpoint) {
    const ROWS: i64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let ids: Int64Array = (0..ROWS)
        .map(|row| (row % 10 != 5).then_some(row))
        .collect();
    let column = ("id", Arc::new(ids) as ArrayRef, true);
    let rows = RecordBatch::try_from_iter_with_nullable([column]).unwrap();
    let file = write_parquet(folder.path(), "ids.parquet", &[rows]);
    let table = TestTable::create(&endpoint, &[("id", KeyType::N)]).await;
    let source = FileSource::open(
        [&file],
        SourceOptions::default().with_batch_rows(NonZeroUsize::new(100).unwrap()),
    );
    let source = source.await.unwrap();
    let mapping = Mapping::infer(source.schema(), table.schema()).unwrap();

    let (budget, log) = (ErrorBudget::new(24), OutcomeLog::default());
    let pipe = table.pipe().observer(budget.clone()).observer(log.clone());
    let report = pipe
        .build()
        .unwrap()
        .load(source.stream(), mapping, budget.exceeded())
        .await
        .unwrap();

    assert_eq!(report.end, DriveEnd::Shutdown);
    let counts = report.counts;
    assert!(counts.dead > 24, "{counts:?}");
    assert!(
        counts.rows_read < u64::try_from(ROWS).unwrap(),
        "{counts:?}"
    );
    assert_eq!(counts.unresolved(), 0);
    assert_eq!(log.len() as u64, counts.rows_read);
    let written = log.rows_that(|outcome| matches!(outcome, Outcome::Written { .. }));
    let written = written
        .into_iter()
        .map(|position| Item::from([("id".to_owned(), Value::number(position.row()))]));
    assert_same_items(&table.items().await, &table.by_key(written));
}
