//! Rows that a filter keeps, through the source.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use dynasink_arrow::{Error, FileSource, Filter, Interleave, SourceOptions, StreamOptions};
use futures::TryStreamExt;
use tempfile::TempDir;

use crate::load::write;

fn numbers(range: std::ops::Range<i64>) -> RecordBatch {
    let names = StringArray::from_iter_values(range.clone().map(|n| format!("name {n:04}")));
    let tens = Int64Array::from_iter_values(range.clone().map(|n| n % 10));
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values(range));
    RecordBatch::try_from_iter([
        ("n", n),
        ("name", Arc::new(names) as _),
        ("tens", Arc::new(tens) as _),
    ])
    .unwrap()
}

fn filtered(text: &str) -> SourceOptions {
    SourceOptions::new().with_filter(Filter::parse(text).unwrap())
}

/// For each row that is handed on its file, row group and row, and its first column.
async fn kept(source: &FileSource, options: &StreamOptions) -> Vec<(String, u32, u64, i64)> {
    let batches: Vec<_> = source.stream_with(options).try_collect().await.unwrap();
    let mut rows = Vec::new();
    for batch in batches {
        assert!(batch.batch().num_rows() > 0);
        for (at, value) in batch
            .batch()
            .column(0)
            .as_primitive::<Int64Type>()
            .iter()
            .enumerate()
        {
            let position = batch.position_of(at).unwrap();
            let file = Path::new(position.file()).file_name().unwrap();
            let file = file.to_string_lossy().into_owned();
            rows.push((file, position.row_group(), position.row(), value.unwrap()));
        }
    }
    rows
}

#[tokio::test]
async fn rows_that_are_kept_know_where_they_came_from() {
    let folder = TempDir::new().unwrap();
    let paths = [
        folder.path().join("a.parquet"),
        folder.path().join("b.parquet"),
    ];
    write(&paths[0], &numbers(0..1_000), 300);
    write(&paths[1], &numbers(1_000..2_000), 300);
    let text = "n BETWEEN 590 AND 620 AND tens = 5 OR name LIKE 'name 19%' AND tens = 1";
    let source = FileSource::open(&paths, filtered(text)).await.unwrap();
    assert_eq!(source.total_rows(), 2_000);
    let of_a = [595, 605, 615].map(|n| {
        (
            "a.parquet".to_owned(),
            n / 300,
            u64::from(n % 300),
            i64::from(n),
        )
    });
    let of_b = (0..10_u32).map(|ten| {
        let row = 901 + ten * 10;
        (
            "b.parquet".to_owned(),
            row / 300,
            u64::from(row % 300),
            i64::from(1_000 + row),
        )
    });
    let expected: Vec<_> = of_a.into_iter().chain(of_b).collect();
    assert_eq!(kept(&source, &StreamOptions::new()).await, expected);
    let mixed = StreamOptions::new().with_interleave(Interleave::by_keys(["n"]));
    let mut mixed = kept(&source, &mixed).await;
    mixed.sort();
    assert_eq!(mixed, expected);
}

#[tokio::test]
async fn columns_that_only_the_filter_needs_are_not_handed_on() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, &numbers(0..100), 30);
    let options = filtered("tens = 3 AND name IS NOT NULL").with_columns(["n"]);
    let source = FileSource::open([&path], options).await.unwrap();
    let names: Vec<_> = source
        .schema()
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    assert_eq!(names, ["n"]);
    let batches: Vec<_> = source.stream().try_collect().await.unwrap();
    assert!(batches.iter().all(|batch| batch.batch().num_columns() == 1));
    let rows: Vec<i64> = kept(&source, &StreamOptions::new())
        .await
        .iter()
        .map(|row| row.3)
        .collect();
    assert!(rows.into_iter().eq((0..10).map(|ten| ten * 10 + 3)));
}

#[tokio::test]
async fn a_filter_that_does_not_fit_the_columns_is_refused_before_the_first_row() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, &numbers(0..10), 10);
    let refusal = async |text: &str| FileSource::open([&path], filtered(text)).await.unwrap_err();
    let unknown = refusal("nn = 1").await;
    assert!(matches!(unknown, Error::FilterColumn { .. }), "{unknown}");
    assert!(unknown.to_string().contains("is \"n\" meant?"), "{unknown}");
    let literal = refusal("n = 1.5").await;
    assert!(matches!(literal, Error::FilterLiteral { .. }), "{literal}");
}

#[tokio::test]
async fn files_with_narrower_types_and_without_the_column_are_filtered_too() {
    let folder = TempDir::new().unwrap();
    let paths =
        ["wide.parquet", "narrow.parquet", "without.parquet"].map(|name| folder.path().join(name));
    let of = |n: ArrayRef, id: i64| {
        let id: ArrayRef = Arc::new(Int64Array::from(vec![id; n.len()]));
        RecordBatch::try_from_iter([("id", id), ("v", n)]).unwrap()
    };
    let wide = Int64Array::from(vec![1, 5_000_000_000]);
    write(&paths[0], &of(Arc::new(wide), 0), 10);
    write(
        &paths[1],
        &of(Arc::new(Int32Array::from(vec![1, 2_000_000_000])), 1),
        10,
    );
    let without: ArrayRef = Arc::new(Int64Array::from(vec![2, 2]));
    write(
        &paths[2],
        &RecordBatch::try_from_iter([("id", without)]).unwrap(),
        10,
    );
    let ids = async |text: &str| {
        let source = FileSource::open(&paths, filtered(text)).await.unwrap();
        let rows = kept(&source, &StreamOptions::new()).await;
        rows.into_iter().map(|row| row.3).collect::<Vec<_>>()
    };
    assert_eq!(ids("v < 3000000000").await, [0, 1, 1]);
    assert_eq!(ids("v > 1").await, [0, 1]);
    assert_eq!(ids("v IS NULL").await, [2, 2]);
    assert_eq!(ids("NOT v > 1").await, [0, 1]);
}

#[tokio::test]
async fn folders_that_are_columns_can_be_asked_for() {
    let folder = TempDir::new().unwrap();
    for (day, range) in [("2024-01-01", 0..10), ("2024-01-02", 10..20)] {
        let day = folder.path().join(format!("dt={day}"));
        std::fs::create_dir(&day).unwrap();
        write(&day.join("a.parquet"), &numbers(range), 10);
    }
    let options = filtered("dt = '2024-01-02' AND tens > 7").with_columns(["n"]);
    let source = FileSource::open([folder.path()], options).await.unwrap();
    let rows: Vec<i64> = kept(&source, &StreamOptions::new())
        .await
        .iter()
        .map(|row| row.3)
        .collect();
    assert_eq!(rows, [18, 19]);
}
