//! A table in memory that can be read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynasink_aws::{
    Cause, KeyBatch, KeysAnswer, ReadLimiter, ReadTransport, Reader, RequestError, RetryPolicy,
    ScanAnswer, ScanRequest, StoredItem,
};
use dynasink_core::{KeyType, PrimaryKey, TableSchema, WriteOp};
use serde_json::{Value, json};
use tokio::time::sleep;

/// How long it takes to answer.
pub(crate) const LATENCY: Duration = Duration::from_millis(10);

/// Items by their keys. Clones are the same table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestTable(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<PrimaryKey, StoredItem>,
    in_flight: usize,
    most_in_flight: usize,
    asked: Vec<usize>,
    is_denied: bool,
}

pub(crate) fn schema() -> TableSchema {
    TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .ttl_attribute("until")
        .build()
        .unwrap()
}

/// A put of the item `id`, with more attributes.
pub(crate) fn put(id: u64, mut attributes: Value) -> WriteOp {
    attributes["id"] = json!(id);
    schema().put_serde(&attributes).unwrap()
}

pub(crate) fn delete(id: u64) -> WriteOp {
    schema().delete(put(id, json!({})).item()).unwrap()
}

impl TestTable {
    /// A table that holds what these put.
    pub(crate) fn of(ops: impl IntoIterator<Item = WriteOp>) -> Self {
        let table = Self::default();
        let items = ops.into_iter().map(|op| {
            let item = StoredItem {
                key: op.key().clone(),
                key_item: schema().key_item(op.item()).unwrap(),
                json: op.item().json().clone(),
            };
            (op.key().clone(), item)
        });
        table.0.lock().unwrap().items.extend(items);
        table
    }

    /// Refuses all from now on.
    pub(crate) fn deny(&self) {
        self.0.lock().unwrap().is_denied = true;
    }

    pub(crate) fn reader(&self) -> Reader<Self> {
        let (consistent, limiter) = (false, ReadLimiter::unlimited());
        Reader::new(self.clone(), consistent, limiter, RetryPolicy::default())
    }

    /// The keys of each request.
    pub(crate) fn asked(&self) -> Vec<usize> {
        self.0.lock().unwrap().asked.clone()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.0.lock().unwrap().most_in_flight
    }

    fn checked(&self) -> Result<(), RequestError> {
        if self.0.lock().unwrap().is_denied {
            return Err(RequestError {
                cause: Cause::AccessDenied,
                retry_after: None,
                source: "denied".into(),
            });
        }
        Ok(())
    }
}

impl ReadTransport for TestTable {
    async fn batch_get(&self, batch: &KeyBatch<'_>) -> Result<KeysAnswer, RequestError> {
        self.checked()?;
        {
            let mut state = self.0.lock().unwrap();
            state.asked.push(batch.keys.len());
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
        }
        sleep(LATENCY).await;
        let mut state = self.0.lock().unwrap();
        state.in_flight -= 1;
        let keys = batch.keys.iter();
        let keys = keys.map(|key| batch.table.primary_key(key).unwrap());
        Ok(KeysAnswer {
            items: keys
                .filter_map(|key| state.items.get(&key).cloned())
                .collect(),
            unprocessed: Vec::new(),
            read_units: 1.0,
        })
    }

    async fn scan(&self, request: &ScanRequest<'_>) -> Result<ScanAnswer, RequestError> {
        self.checked()?;
        let state = self.0.lock().unwrap();
        let segments = usize::try_from(request.segments).unwrap();
        let segment = usize::try_from(request.segment).unwrap();
        Ok(ScanAnswer {
            items: state
                .items
                .values()
                .skip(segment)
                .step_by(segments)
                .cloned()
                .collect(),
            next: None,
            read_units: 1.0,
        })
    }
}
