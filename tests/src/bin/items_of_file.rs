//! What the rows of a Parquet file become by the default mapping: `items_of_file FILE [KEYS]`, where `KEYS` is a file
//! of decryption keys.
//!
//! One line for each row, as `oracle/items.py` writes them: `{"item": DynamoDB JSON}`, or `{"error": code}` for a row
//! that cannot be an item. Then `{"refused": error, "message": text}` if the file cannot be read on, and last
//! `{"peak": bytes}`, the most memory that the process had, where the system tells.
//!
//! The corpus test runs it, one process for each file: what a hostile file does to it cannot reach the others.

#![expect(clippy::unwrap_used, reason = "the test that runs it shows the panic")]

use std::error::Error;
use std::io::{BufWriter, Stdout, Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use dynasink::{
    ArrowError, DecodeExt, Decoder, DecryptionKeys, FileSource, KeyType, Mapping, ObserverError,
    Outcome, OutcomeEvent, OutcomeObserver, Outcomes, SourceBatch, SourceOptions, StageError,
    TableSchema, WriteOp,
};
use futures::{SinkExt, TryStreamExt, sink};
use serde_json::json;

/// The key of the table, which no file has: the number of the row in the file.
const KEY: &str = "corpus row";

/// Where the lines go.
#[derive(Clone, Debug)]
struct Lines(Arc<Mutex<BufWriter<Stdout>>>);

impl Lines {
    fn write(&self, line: &str) {
        let mut out = self.0.lock().unwrap();
        writeln!(out, "{line}").unwrap();
    }

    fn end(&self) {
        self.0.lock().unwrap().flush().unwrap();
    }
}

impl OutcomeObserver for Lines {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        if let Outcome::Dead(reason) = event.outcome {
            self.write(&json!({ "error": reason.code }).to_string());
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let lines = Lines(Arc::new(Mutex::new(BufWriter::new(stdout()))));
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (file, keys) = (arguments.next().unwrap(), arguments.next());
    if let Err(error) = load(&file, keys, &lines).await {
        let variant = format!("{error:?}");
        let variant = variant.split([' ', '(']).next().unwrap_or_default();
        let refused = json!({ "refused": variant, "message": one_line(&error) });
        lines.write(&refused.to_string());
    }
    if let Some(bytes) = peak_memory() {
        lines.write(&json!({ "peak": bytes }).to_string());
    }
    lines.end();
}

async fn load(file: &Path, keys: Option<PathBuf>, lines: &Lines) -> Result<(), ArrowError> {
    let mut options = SourceOptions::new();
    if let Some(keys) = keys {
        options = options.with_decryption_keys(DecryptionKeys::load(&keys)?);
    }
    let source = FileSource::open([file], options).await?;
    let table = TableSchema::builder("corpus").partition_key(KEY, KeyType::N);
    let schema = with_key(source.schema());
    let mapping = Mapping::infer(&schema, &table.build().unwrap())?;
    let out = lines.clone();
    let leaf = sink::unfold((), move |(), op: WriteOp| {
        let item = std::str::from_utf8(op.item().json()).unwrap();
        out.write(&format!(r#"{{"item":{item}}}"#));
        std::future::ready(Ok::<_, StageError>(()))
    });
    let outcomes = Outcomes::to([Arc::new(lines.clone()) as _]);
    let decoder = Decoder::new(mapping).with_outcomes(outcomes);
    let mut pipe = std::pin::pin!(leaf.decoded(decoder));
    let mut batches = source.stream();
    let mut row = 0;
    while let Some(batch) = batches.try_next().await? {
        let position = batch.position().unwrap();
        let keyed = keyed(batch.batch(), &schema, row);
        row += i64::try_from(batch.batch().num_rows()).unwrap();
        pipe.send(SourceBatch::at(keyed, position)).await.unwrap();
    }
    Ok(())
}

fn with_key(schema: &Schema) -> SchemaRef {
    let key = Arc::new(Field::new(KEY, DataType::Int64, false));
    let fields = std::iter::once(key).chain(schema.fields().iter().map(Arc::clone));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn keyed(batch: &RecordBatch, schema: &SchemaRef, row: i64) -> RecordBatch {
    let rows = i64::try_from(batch.num_rows()).unwrap();
    let key = Arc::new(Int64Array::from_iter_values(row..row + rows)) as _;
    let columns = std::iter::once(key).chain(batch.columns().iter().map(Arc::clone));
    RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap()
}

fn one_line(error: &dyn Error) -> String {
    let sources = std::iter::successors(error.source(), |error| (*error).source());
    sources.fold(error.to_string(), |line, error| format!("{line}: {error}"))
}

/// The most bytes that this process had in memory, as Linux counts them.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
