//! A model of the service: what it holds, and what becomes of each request.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dynasink_core::limits::{MAX_BATCH_OPS, MAX_REQUEST_BYTES};
use dynasink_core::{
    ConsumedCapacity, ItemCollectionSize, PrimaryKey, TableSchema, WriteAction, WriteBatch, WriteOp,
};
use tokio::time::sleep;

use super::row_of;
use crate::classify::Cause;
use crate::error::Error;
use crate::transport::{BatchResponse, RequestError, Transport};

/// What becomes of a request.
#[derive(Debug)]
pub(super) struct Fate {
    /// Rows that are not applied.
    left_out: HashSet<u64>,
    /// What is answered in the place of the truth.
    failure: Option<Cause>,
    retry_after: Option<Duration>,
    item_collections: Vec<ItemCollectionSize>,
    latency: Duration,
}

impl Fate {
    /// All is applied and acknowledged.
    pub(super) fn written() -> Self {
        Self {
            left_out: HashSet::new(),
            failure: None,
            retry_after: None,
            item_collections: Vec::new(),
            latency: Duration::from_millis(5),
        }
    }

    /// These rows come back as unprocessed.
    pub(super) fn unprocessed(rows: impl IntoIterator<Item = u64>) -> Self {
        Self {
            left_out: rows.into_iter().collect(),
            ..Self::written()
        }
    }

    /// Nothing is applied, and the request fails.
    pub(super) fn failed(request: &WriteBatch, cause: Cause) -> Self {
        Self {
            left_out: request.ops().iter().map(row_of).collect(),
            failure: Some(cause),
            ..Self::written()
        }
    }

    /// All is applied, and the answer is lost.
    pub(super) fn lost() -> Self {
        Self {
            failure: Some(Cause::Unreachable),
            ..Self::written()
        }
    }

    /// The failure asks for a wait.
    pub(super) fn asking_for(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The answer tells these sizes.
    pub(super) fn telling(mut self, sizes: Vec<ItemCollectionSize>) -> Self {
        self.item_collections = sizes;
        self
    }

    pub(super) fn after(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }
}

pub(super) fn throttled() -> Cause {
    Cause::Throttled(Vec::new())
}

type Script = Box<dyn FnMut(&WriteBatch) -> Fate + Send>;

/// Clones are the same service.
#[derive(Clone)]
pub(super) struct Service(Arc<Mutex<Model>>);

struct Model {
    script: Script,
    /// The row that each key was last written by.
    items: HashMap<PrimaryKey, u64>,
    /// The rows of each request, in the order in which requests came.
    requests: Vec<Vec<u64>>,
    in_flight: HashSet<PrimaryKey>,
    requests_in_flight: usize,
    most_in_flight: usize,
    illegal: Vec<String>,
}

impl Service {
    /// A service that decides by `script` on each request.
    pub(super) fn new(script: impl FnMut(&WriteBatch) -> Fate + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Model {
            script: Box::new(script),
            items: HashMap::new(),
            requests: Vec::new(),
            in_flight: HashSet::new(),
            requests_in_flight: 0,
            most_in_flight: 0,
            illegal: Vec::new(),
        })))
    }

    /// A service that takes everything.
    pub(super) fn healthy() -> Self {
        Self::new(|_| Fate::written())
    }

    /// A service that finds a request invalid if one of `rows` is in it.
    pub(super) fn poisoned_by(rows: impl IntoIterator<Item = u64>) -> Self {
        let rows: HashSet<u64> = rows.into_iter().collect();
        Self::new(move |request| {
            if request.ops().iter().any(|op| rows.contains(&row_of(op))) {
                Fate::failed(request, Cause::Invalid)
            } else {
                Fate::written()
            }
        })
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap()
    }

    /// The rows of each request so far. Fails if there was an illegal one, or a key in two at once.
    pub(super) fn requests(&self) -> Vec<Vec<u64>> {
        assert_eq!(self.model().illegal, [""; 0]);
        self.model().requests.clone()
    }

    /// The rows that items were last written by.
    pub(super) fn rows(&self) -> Vec<u64> {
        let mut rows: Vec<u64> = self.model().items.values().copied().collect();
        rows.sort_unstable();
        rows
    }

    /// The row that each key was last written by.
    pub(super) fn items(&self) -> BTreeMap<PrimaryKey, u64> {
        let items = self.model().items.clone();
        items.into_iter().collect()
    }

    pub(super) fn requests_in_flight(&self) -> usize {
        self.model().requests_in_flight
    }

    /// How many hold on to this service.
    pub(super) fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(super) fn most_in_flight(&self) -> usize {
        self.model().most_in_flight
    }

    fn begin(&self, request: &WriteBatch) -> (Fate, InFlight) {
        let mut model = self.model();
        let rows: Vec<u64> = request.ops().iter().map(row_of).collect();
        if rows.is_empty() || rows.len() > MAX_BATCH_OPS || request.wire_len() > MAX_REQUEST_BYTES {
            model.illegal.push(format!("the size of {rows:?}"));
        }
        let keys: Vec<PrimaryKey> = request.ops().iter().map(|op| op.key().clone()).collect();
        for (row, key) in rows.iter().zip(&keys) {
            if !model.in_flight.insert(key.clone()) {
                model
                    .illegal
                    .push(format!("the key of row {row} is in two requests"));
            }
        }
        model.requests.push(rows);
        model.requests_in_flight += 1;
        model.most_in_flight = model.most_in_flight.max(model.requests_in_flight);
        let fate = (model.script)(request);
        let service = self.clone();
        (fate, InFlight { service, keys })
    }

    fn apply(&self, op: &WriteOp) {
        let (key, mut model) = (op.key().clone(), self.model());
        match op.action() {
            WriteAction::Put => model.items.insert(key, row_of(op)),
            WriteAction::Delete => model.items.remove(&key),
        };
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// Ends with the request, also when it is dropped.
struct InFlight {
    service: Service,
    keys: Vec<PrimaryKey>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut model = self.service.model();
        model.requests_in_flight -= 1;
        for key in &self.keys {
            model.in_flight.remove(key);
        }
    }
}

impl Transport for Service {
    async fn batch_write(&self, request: &WriteBatch) -> Result<BatchResponse, RequestError> {
        let (fate, _in_flight) = self.begin(request);
        sleep(fate.latency / 2).await;
        let (left_out, applied): (Vec<_>, Vec<_>) = request
            .ops()
            .iter()
            .partition(|op| fate.left_out.contains(&row_of(op)));
        for op in &applied {
            self.apply(op);
        }
        sleep(fate.latency / 2).await;
        if let Some(cause) = fate.failure {
            return Err(RequestError {
                cause,
                retry_after: fate.retry_after,
                source: "as the script says".into(),
            });
        }
        Ok(BatchResponse {
            unprocessed: left_out.iter().map(|op| op.key().clone()).collect(),
            consumed: applied
                .iter()
                .map(|op| ConsumedCapacity {
                    table: op.table().clone(),
                    table_units: op.units(),
                    index_units: Vec::new(),
                })
                .collect(),
            item_collections: fate.item_collections,
        })
    }

    async fn describe_table(&self, table: &str) -> Result<TableSchema, Error> {
        Ok(super::table(table))
    }
}
