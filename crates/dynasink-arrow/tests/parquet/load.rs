//! Loads files into memory and tells how each row ended.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use dynasink_arrow::{DecodeExt, Decoder, FileSource, Mapping, SourceOptions};
use dynasink_core::{
    ObserverError, Outcome, OutcomeEvent, OutcomeObserver, Outcomes, StageError, TableSchema,
    WriteOp,
};
use futures::sink;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// How the rows of a load ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// The items as JSON.
    pub(crate) items: Vec<String>,
    /// The row of each dead letter in its row group, and why.
    pub(crate) dead: Vec<(u64, String)>,
}

#[derive(Debug, Default)]
struct DeadRows(Mutex<Vec<(u64, String)>>);

impl OutcomeObserver for DeadRows {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let Outcome::Dead(reason) = event.outcome else {
            panic!("{event:?}")
        };
        let row = event.position.unwrap().row();
        self.0.lock().unwrap().push((row, reason.code.clone()));
        Ok(())
    }
}

/// The file of `tests/data`.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// Loads a file of `tests/data` into a table with the partition key `key`, of the type of its column.
pub(crate) async fn load_data(name: &str, key: &str) -> Loaded {
    let source = FileSource::open([data(name)], SourceOptions::new()).await;
    load(&source.unwrap(), key).await.unwrap()
}

/// Loads a source into a table with the partition key `key`, of the type of its column.
pub(crate) async fn load(source: &FileSource, key: &str) -> Result<Loaded, Box<dyn Error>> {
    let key_type = Mapping::key_type(source.schema().field_with_name(key)?);
    let table = TableSchema::builder("edges")
        .partition_key(key, key_type.ok_or("it can be no key")?)
        .build()?;
    let mapping = Mapping::infer(source.schema(), &table)?;

    let dead = Arc::new(DeadRows::default());
    let items = Arc::new(Mutex::new(Vec::new()));
    let arrived = Arc::clone(&items);
    let leaf = sink::unfold((), move |(), op: WriteOp| {
        let json = String::from_utf8(op.item().json().to_vec());
        arrived.lock().unwrap().push(json.unwrap());
        std::future::ready(Ok::<_, StageError>(()))
    });
    let outcomes = Outcomes::to([Arc::clone(&dead) as _]);
    let decoded = leaf.decoded(Decoder::new(mapping).with_outcomes(outcomes));
    dynasink_sink::drive(source.stream(), decoded).await?;

    let items = std::mem::take(&mut *items.lock().unwrap());
    let dead = std::mem::take(&mut *dead.0.lock().unwrap());
    let rows = u64::try_from(items.len() + dead.len())?;
    assert_eq!(rows, source.total_rows(), "each row has one outcome");
    Ok(Loaded { items, dead })
}

/// An error with its sources, as one line.
pub(crate) fn one_line(error: &dyn Error) -> String {
    let sources = std::iter::successors(error.source(), |error| (*error).source());
    let line = sources.fold(error.to_string(), |line, error| format!("{line}: {error}"));
    assert!(!line.contains('\n'), "{line}");
    line
}

/// Writes `batch` to a Parquet file in row groups of at most `row_group_rows`.
pub(crate) fn write(path: &Path, batch: &RecordBatch, row_group_rows: usize) {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(row_group_rows))
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}
