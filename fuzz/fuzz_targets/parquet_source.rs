//! Any bytes end as the rows of a Parquet file, each an item or a dead letter, or in one error.

#![no_main]

use std::io::Write;
use std::pin::pin;
use std::sync::{Arc, LazyLock};

use dynasink_arrow::{DecodeExt, Decoder, FileSource, Mapping, SourceOptions};
use dynasink_core::{
    ObserverError, OutcomeEvent, OutcomeObserver, Outcomes, StageError, TableSchema, WriteOp,
};
use futures::{SinkExt, TryStreamExt, sink};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

/// Most rows that are looked at: a few bytes can say that a value is repeated for a very long time.
const ROWS: usize = 20_000;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().unwrap());

#[derive(Debug)]
struct Unread;

impl OutcomeObserver for Unread {
    fn observe(&self, _: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        Ok(())
    }
}

fuzz_target!(
    // The reader may panic on its own thread, where the source makes an error of it. The hook that ends the process
    // at any panic is taken away; panics of this thread still end it.
    init: drop(std::panic::take_hook()),
    |bytes: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        // Errors are an end like any other.
        let _ended = RUNTIME.block_on(load(file.path()));
    }
);

async fn load(path: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let source = FileSource::open([path], SourceOptions::new()).await?;
    let mut fields = source.schema().fields().iter();
    let key = fields.find_map(|field| Some((field.name(), Mapping::key_type(field)?)));
    let (name, kind) = key.ok_or("no column can be a key")?;
    let table = TableSchema::builder("fuzzed")
        .partition_key(name, kind)
        .build()?;
    let mapping = Mapping::infer(source.schema(), &table)?;
    let leaf = sink::unfold((), |(), op: WriteOp| {
        assert!(serde_json::from_slice::<serde_json::Value>(op.item().json()).is_ok());
        std::future::ready(Ok::<_, StageError>(()))
    });
    let decoder = Decoder::new(mapping).with_outcomes(Outcomes::to([Arc::new(Unread) as _]));
    let mut decoded = pin!(leaf.decoded(decoder));
    let mut batches = source.stream();
    let mut rows = 0;
    while let Some(batch) = batches.try_next().await? {
        rows += batch.batch().num_rows();
        decoded.send(batch).await?;
        if rows > ROWS {
            break;
        }
    }
    Ok(())
}
