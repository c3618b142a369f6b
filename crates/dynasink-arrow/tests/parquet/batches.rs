//! Where batches begin and how large they are.

use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use dynasink_arrow::{FileSource, SourceBatch, SourceOptions};
use futures::TryStreamExt;
use tempfile::TempDir;

use crate::load::write;

const MEGABYTE: usize = 1024 * 1024;

async fn batches(
    batch: &RecordBatch,
    row_group_rows: usize,
    options: SourceOptions,
) -> Vec<SourceBatch> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.parquet");
    write(&path, batch, row_group_rows);
    let source = FileSource::open([&path], options).await.unwrap();
    assert_eq!(
        source.files()[0].row_groups(),
        batch.num_rows().div_ceil(row_group_rows)
    );
    source.stream().try_collect().await.unwrap()
}

fn numbers(count: i64) -> RecordBatch {
    let numbers = Arc::new(Int64Array::from_iter_values(0..count));
    RecordBatch::try_from_iter([("id", numbers as _)]).unwrap()
}

#[tokio::test]
async fn rows_come_in_order_and_a_batch_lies_in_one_row_group() {
    let options = SourceOptions::new().with_batch_rows(NonZeroUsize::new(30).unwrap());
    let read = batches(&numbers(100), 40, options).await;
    let shapes: Vec<_> = read
        .iter()
        .map(|batch| {
            let position = batch.position().unwrap();
            (
                position.row_group(),
                position.row(),
                batch.batch().num_rows(),
            )
        })
        .collect();
    assert_eq!(
        shapes,
        [(0, 0, 30), (0, 30, 10), (1, 0, 30), (1, 30, 10), (2, 0, 20)]
    );
    let values: Vec<i64> = read
        .iter()
        .flat_map(|batch| {
            batch
                .batch()
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        })
        .collect();
    assert_eq!(values, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn small_rows_make_batches_of_a_fixed_number() {
    let read = batches(&numbers(20_000), 20_000, SourceOptions::new()).await;
    let rows: Vec<_> = read.iter().map(|batch| batch.batch().num_rows()).collect();
    assert_eq!(rows, [8_192, 8_192, 3_616]);
}

#[tokio::test]
async fn wide_rows_make_batches_of_a_few_megabytes() {
    let wide = (0..100).map(|row| format!("{row:0>3}").repeat(MEGABYTE / 12));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(wide));
    let rows = RecordBatch::try_from_iter([("text", texts)]).unwrap();
    let read = batches(&rows, 100, SourceOptions::new()).await;
    assert!(read.len() > 4, "{}", read.len());
    for batch in &read {
        let bytes = batch.batch().get_array_memory_size();
        assert!(bytes < 8 * MEGABYTE, "{bytes}");
    }
}

#[tokio::test]
async fn a_long_value_that_every_row_has_is_held_once() {
    // As long as the writer still makes a dictionary of it.
    let long = "x".repeat(MEGABYTE / 8);
    let texts: ArrayRef = Arc::new(StringArray::from(vec![long.as_str(); 2_000]));
    let rows = RecordBatch::try_from_iter([("text", texts)]).unwrap();
    let read = batches(&rows, 2_000, SourceOptions::new()).await;
    let bytes: usize = read
        .iter()
        .map(|batch| batch.batch().get_array_memory_size())
        .sum();
    assert!(bytes < 16 * MEGABYTE, "{bytes}");
}

#[tokio::test]
async fn a_source_can_be_read_again_from_the_start() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.parquet");
    write(&path, &numbers(10), 4);
    let source = FileSource::open([&path], SourceOptions::new())
        .await
        .unwrap();
    for _ in 0..2 {
        let read: Vec<_> = source.stream().try_collect().await.unwrap();
        assert_eq!(
            read.iter()
                .map(|batch| batch.batch().num_rows())
                .sum::<usize>(),
            10
        );
    }
}
