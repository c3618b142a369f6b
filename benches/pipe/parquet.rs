//! Real rows: the Parquet files of the examples.

use std::path::Path;

use dynasink::{FileSource, KeyType, Mapping, SourceBatch, SourceOptions, TableSchema};
use futures::TryStreamExt;
use tokio::runtime::Builder;

/// Rows in memory, and what they become.
pub(crate) struct Rows {
    pub(crate) batches: Vec<SourceBatch>,
    pub(crate) mapping: Mapping,
}

impl Rows {
    pub(crate) fn new(batches: Vec<SourceBatch>, table: &TableSchema) -> Self {
        let schema = batches[0].batch().schema();
        let mapping = Mapping::infer(&schema, table).expect("the columns fit the table");
        Self { batches, mapping }
    }

    pub(crate) fn count(&self) -> u64 {
        let rows = self.batches.iter().map(|batch| batch.batch().num_rows());
        rows.sum::<usize>() as u64
    }
}

/// 3,322 planes of nine columns.
pub(crate) fn planes() -> Rows {
    let table = TableSchema::builder("planes").partition_key("tailnum", KeyType::S);
    read(
        "nycflights13_planes.parquet",
        &table.build().expect("the table is valid"),
    )
}

/// 26,115 hours of weather of fifteen columns, most of them floats.
pub(crate) fn weather() -> Rows {
    let table = TableSchema::builder("weather")
        .partition_key("origin", KeyType::S)
        .sort_key("time_hour", KeyType::S);
    read(
        "nycflights13_weather.parquet",
        &table.build().expect("the table is valid"),
    )
}

fn read(file: &str, table: &TableSchema) -> Rows {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/data")
        .join(file);
    let runtime = Builder::new_current_thread()
        .build()
        .expect("there is room for a runtime");
    let batches = runtime.block_on(async {
        let source = FileSource::open([path], SourceOptions::new()).await?;
        source.stream().try_collect().await
    });
    Rows::new(batches.expect("the file can be read"), table)
}
