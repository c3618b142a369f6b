//! The writer against a model of the service that fails as it is told.

mod backlog;
mod budget;
mod ending;
mod faults;
mod filled;
mod giving_up;
mod hot_keys;
mod hot_load;
mod item_collections;
mod observers;
mod property;
mod retry_after;
mod service;
mod sink;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynasink_core::{
    DeadReason, KeyType, ObserverError, Outcome, OutcomeEvent, OutcomeObserver, Outcomes,
    SourcePosition, TableSchema, WriteBatch, WriteBatchBuilder, WriteOp,
};
use futures::SinkExt;

use super::{Writer, WriterBuilder};
use crate::concurrency::Concurrency;
use crate::error::Error;
use crate::retry::{Backoff, RetryPolicy};
use service::Service;

/// Longer than anything here takes, in the time of the tests.
const FOREVER: Duration = Duration::from_hours(24);

fn table(name: &str) -> TableSchema {
    TableSchema::builder(name)
        .partition_key("id", KeyType::N)
        .build()
        .unwrap()
}

/// A put of the item with key `id` that came as the row `row`, with `size` bytes of payload.
fn op_of(table: &TableSchema, id: u64, row: u64, size: usize) -> WriteOp {
    let item = table.item(|item| {
        item.attribute("id")?.integer(id)?;
        item.attribute("row")?.integer(row)?;
        item.attribute("payload")?.string(&"x".repeat(size))
    });
    table.put(item.unwrap()).unwrap().at(position(row))
}

/// The row `row`, which is the item with that key.
fn op(row: u64) -> WriteOp {
    op_of(&table("users"), row, row, 0)
}

fn position(row: u64) -> SourcePosition {
    SourcePosition::new("rows".into(), 0, row)
}

fn row_of(op: &WriteOp) -> u64 {
    op.position().unwrap().row()
}

fn batch(ops: impl IntoIterator<Item = WriteOp>) -> WriteBatch {
    let mut builder = WriteBatchBuilder::new();
    for op in ops {
        builder.push(op).unwrap();
    }
    builder.take().unwrap()
}

/// The rows in full batches.
fn batches(rows: std::ops::Range<u64>) -> Vec<WriteBatch> {
    let rows: Vec<u64> = rows.collect();
    let chunks = rows.chunks(25);
    chunks
        .map(|rows| batch(rows.iter().map(|row| op(*row))))
        .collect()
}

/// Notes the outcome of each row, and that no row has two.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<BTreeMap<u64, Outcome>>>);

impl Recorder {
    fn outcomes(&self) -> Outcomes {
        let observer: Arc<dyn OutcomeObserver> = Arc::new(self.clone());
        Outcomes::to([observer])
    }

    fn rows(&self) -> BTreeMap<u64, Outcome> {
        self.0.lock().unwrap().clone()
    }

    fn written(&self) -> Vec<u64> {
        let rows = self.rows().into_iter();
        rows.filter(|(_, outcome)| matches!(outcome, Outcome::Written { .. }))
            .map(|(row, _)| row)
            .collect()
    }

    fn dead(&self) -> BTreeMap<u64, DeadReason> {
        let rows = self.rows().into_iter();
        rows.filter_map(|(row, outcome)| match outcome {
            Outcome::Dead(reason) => Some((row, reason)),
            _ => None,
        })
        .collect()
    }

    /// The requests that carried `row`, which was written.
    fn attempts(&self, row: u64) -> u32 {
        match &self.rows()[&row] {
            Outcome::Written { attempts } => *attempts,
            other => panic!("row {row} is {other:?}"),
        }
    }
}

impl OutcomeObserver for Recorder {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let row = event.position.unwrap().row();
        let earlier = self.0.lock().unwrap().insert(row, event.outcome.clone());
        assert_eq!(earlier, None, "row {row} has a second outcome");
        Ok(())
    }
}

/// A writer to `service` whose waits can be told apart and repeat.
fn writer(service: &Service, recorder: &Recorder) -> WriterBuilder<Service> {
    Writer::builder(service.clone())
        .outcomes(recorder.outcomes())
        .concurrency(Concurrency::Fixed(4))
        .retry_policy(retries(10, FOREVER))
        .jitter_seed(1)
}

/// The same bounds for all failures.
fn retries(max_attempts: u32, max_elapsed: Duration) -> RetryPolicy {
    let backoff = Backoff {
        base: Duration::from_millis(100),
        cap: Duration::from_secs(1),
        max_attempts,
        max_elapsed,
    };
    RetryPolicy {
        throttled: backoff,
        failed: backoff,
        ..RetryPolicy::default()
    }
}

/// Writes all of it, and closes the writer.
async fn write(
    mut writer: Writer<Service>,
    batches: impl IntoIterator<Item = WriteBatch>,
) -> Result<(), Error> {
    let all = async {
        for batch in batches {
            writer.feed(batch).await?;
        }
        writer.close().await
    };
    let result = tokio::time::timeout(FOREVER, all).await;
    result.expect("the writer hangs")
}
