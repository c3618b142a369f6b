//! Several row groups of several files at once: each key ends as the input says.

use std::collections::BTreeMap;
use std::fs::File;
use std::future::pending;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use dynasink::{
    BillingMode, Concurrency, Dedup, DedupWindow, FileSource, Interleave, KeyType, Mapping,
    Pipeline, SourceOptions, StreamOptions, TableSchema,
};
use dynasink_sim::{Latency, SimulatedTable, Simulator};
use fastrand::Rng;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tokio::time::Duration;

/// The key and the value of each row of a file, sorted by key, with keys that come more than once.
fn sorted_rows(rng: &mut Rng, first_value: i64) -> Vec<(i64, i64)> {
    let start = rng.i64(0..600);
    let mut keys: Vec<i64> = (0..rng.usize(50..400))
        .map(|_| start + rng.i64(0..300))
        .collect();
    keys.sort_unstable();
    keys.into_iter().zip(first_value..).collect()
}

fn write(folder: &Path, number: usize, rows: &[(i64, i64)]) -> PathBuf {
    let column = |of: fn(&(i64, i64)) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(of)))
    };
    let columns = [("id", column(|row| row.0)), ("value", column(|row| row.1))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(40))
        .build();
    let path = folder.join(format!("{number}.parquet"));
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

#[tokio::test]
async fn rows_of_a_key_in_many_files_end_as_the_input_says() {
    let table = TableSchema::builder("rows")
        .partition_key("id", KeyType::N)
        .billing_mode(BillingMode::OnDemand { max_write: None })
        .build()
        .unwrap();
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let mut left = BTreeMap::new();
        let paths: Vec<_> = (0..rng.usize(2..7))
            .map(|number| {
                let rows = sorted_rows(&mut rng, i64::try_from(number).unwrap() * 10_000);
                left.extend(rows.iter().copied());
                write(folder.path(), number, &rows)
            })
            .collect();

        let options = SourceOptions::new().with_readers(NonZeroUsize::new(4).unwrap());
        let source = FileSource::open(&paths, options).await.unwrap();
        let mapping = Mapping::infer(source.schema(), &table).unwrap();
        assert_eq!(mapping.key_columns(), ["id"]);
        let stream =
            StreamOptions::new().with_interleave(Interleave::by_keys(mapping.key_columns()));
        let simulator = Simulator::builder()
            .seed(seed)
            .latency(Latency::fixed(Duration::ZERO))
            .table(SimulatedTable::new(table.clone()))
            .build();
        let window = DedupWindow::new(NonZeroUsize::new(50).unwrap(), 1_000_000);
        let dedup = rng.bool().then(|| Dedup::keep_last(window));
        let pipeline = Pipeline::builder(simulator.clone(), &table)
            .concurrency(Concurrency::Fixed(8))
            .dedup(dedup)
            .build()
            .unwrap();
        let batches = source.stream_with(&stream);
        pipeline.load(batches, mapping, pending()).await.unwrap();

        let stored: BTreeMap<i64, i64> = simulator
            .items("rows")
            .into_iter()
            .map(|(_, item)| {
                let number = |name: &str| item[name]["N"].as_str().unwrap().parse().unwrap();
                (number("id"), number("value"))
            })
            .collect();
        assert_eq!(stored, left, "seed {seed}");
    }
}
