//! The files of `examples/data` arrive row by row and attribute by attribute.

use std::path::{Path, PathBuf};

use dynasink::{Counts, DriveEnd, KeyType, Outcome};
use dynasink_tests::{Endpoint, OutcomeLog, TestTable, assert_same_items, rows_of_parquet};

use crate::load::load;

dynasink_tests::claims_about_every_endpoint!(
    airlines_arrive_as_they_are,
    planes_arrive_as_they_are,
    weather_arrives_as_it_is,
    a_load_that_is_repeated_changes_nothing,
);

pub(crate) fn example(name: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data");
    data.join(format!("nycflights13_{name}.parquet"))
}

/// Loads an example into a new table, and compares every attribute of every item with the file.
async fn arrives(endpoint: &Endpoint, name: &str, keys: &[(&str, KeyType)], rows: u64) {
    let (file, table) = (example(name), TestTable::create(endpoint, keys).await);
    let expected = table.by_key(rows_of_parquet(&file));
    assert_eq!(expected.len() as u64, rows);

    let log = OutcomeLog::default();
    let report = load([&file], table.schema(), table.pipe().observer(log.clone()))
        .await
        .unwrap();

    assert_same_items(&table.items().await, &expected);
    assert_eq!(report.end, DriveEnd::Exhausted);
    let written = log.rows_that(|outcome| matches!(outcome, Outcome::Written { .. }));
    assert_eq!((written.len() as u64, log.len() as u64), (rows, rows));
    let counts = Counts {
        rows_read: rows,
        items_written: rows,
        // No item of these files has more than 1 KB.
        consumed_write_units: rows,
        // How many there were depends on when answers came.
        requests: report.counts.requests,
        sent_ops: rows,
        ..Counts::default()
    };
    assert_eq!(report.counts, counts);
    assert!(report.counts.requests >= rows.div_ceil(25));
}

async fn airlines_arrive_as_they_are(endpoint: Endpoint) {
    arrives(&endpoint, "airlines", &[("carrier", KeyType::S)], 16).await;
}

async fn planes_arrive_as_they_are(endpoint: Endpoint) {
    arrives(&endpoint, "planes", &[("tailnum", KeyType::S)], 3322).await;
}

async fn weather_arrives_as_it_is(endpoint: Endpoint) {
    let keys = [("origin", KeyType::S), ("time_hour", KeyType::S)];
    arrives(&endpoint, "weather", &keys, 26_115).await;
}

async fn a_load_that_is_repeated_changes_nothing(endpoint: Endpoint) {
    let file = example("planes");
    let table = TestTable::create(&endpoint, &[("tailnum", KeyType::S)]).await;
    let expected = table.by_key(rows_of_parquet(&file));
    for _ in 0..2 {
        load([&file], table.schema(), table.pipe()).await.unwrap();
        assert_same_items(&table.items().await, &expected);
    }
}
