//! A load with a hot partition key, and a service whose partitions take so much each.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynasink_core::{
    Admission, CapacityFeedback, CapacityObserver, KeyType, TableSchema, WriteBatch, WriteCost,
    WriteOp, WriteUnits,
};
use fastrand::Rng;
use futures::SinkExt;
use tokio::time::{Instant, sleep};

use super::service::{Fate, Service, throttled};
use super::{FOREVER, Recorder, position, row_of};
use crate::concurrency::Concurrency;
use crate::writer::{Writer, WriterBuilder};

/// The key that most is written to.
const HOT: u64 = 0;

/// A rate of units as a limiter admits it: a twentieth of a second may come at once.
#[derive(Clone, Debug)]
pub(super) struct Limiter(pub(super) Arc<Mutex<Bucket>>);

#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) rate: f64,
    depth: f64,
    level: f64,
    filled_at: Instant,
}

impl Bucket {
    pub(super) fn new(rate: f64, depth: f64) -> Self {
        Self {
            rate,
            depth,
            level: depth,
            filled_at: Instant::now(),
        }
    }

    fn refill(&mut self) {
        let elapsed = self.filled_at.elapsed().as_secs_f64();
        self.filled_at = Instant::now();
        self.level = (self.level + self.rate * elapsed).min(self.depth);
    }

    /// Takes `units`, into debt if fewer are left.
    pub(super) fn take(&mut self, units: f64) -> bool {
        self.refill();
        let takes = self.level >= units.min(1.0);
        if takes {
            self.level -= units;
        }
        takes
    }
}

impl Limiter {
    pub(super) fn new(rate: f64) -> Self {
        Self(Arc::new(Mutex::new(Bucket::new(rate, rate / 20.0))))
    }
}

impl CapacityObserver for Limiter {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.give_back(&feedback.unwritten);
    }
}

impl Admission for Limiter {
    fn try_admit(&self, cost: &WriteCost) -> Result<(), Duration> {
        let (mut bucket, cost) = (self.0.lock().unwrap(), cost.units().get() as f64);
        bucket.refill();
        // A larger cost goes into debt.
        let missing = cost.min(bucket.depth) - bucket.level;
        if missing > 1e-6 {
            return Err(Duration::from_secs_f64(missing / bucket.rate));
        }
        bucket.level -= cost;
        Ok(())
    }

    fn give_back(&self, cost: &WriteCost) {
        let mut bucket = self.0.lock().unwrap();
        bucket.level = (bucket.level + cost.units().get() as f64).min(bucket.depth);
    }

    fn rate(&self) -> Option<WriteUnits> {
        Some(WriteUnits::from_consumed(self.0.lock().unwrap().rate))
    }
}

/// Writes `ops` in batches of `len` as fast as `limiter` admits them, and closes the writer.
pub(super) async fn write_at_the_rate(
    mut writer: Writer<Service>,
    limiter: &Limiter,
    ops: &[WriteOp],
    len: usize,
) {
    let all = async {
        let mut ops = ops.iter().cloned().peekable();
        while ops.peek().is_some() {
            let mut builder = dynasink_core::WriteBatchBuilder::new();
            while builder.len() < len
                && let Some(op) = ops.peek()
                && builder.push(op.clone()).is_ok()
            {
                ops.next();
            }
            let batch = builder.take().unwrap();
            poll_fn(|cx| writer.poll_ready_unpin(cx)).await.unwrap();
            while let Err(wait) = limiter.try_admit(&batch.cost()) {
                sleep(wait.max(Duration::from_millis(1))).await;
                poll_fn(|cx| writer.poll_ready_unpin(cx)).await.unwrap();
            }
            writer.start_send_unpin(batch).unwrap();
        }
        writer.close().await.unwrap();
    };
    let written = tokio::time::timeout(FOREVER, all).await;
    written.expect("the writer hangs");
}

fn table() -> TableSchema {
    TableSchema::builder("users")
        .partition_key("id", KeyType::N)
        .sort_key("at", KeyType::N)
        .build()
        .unwrap()
}

/// The item `at` of the partition key `id`, that came as the row `row`.
fn op(table: &TableSchema, id: u64, at: u64, row: u64) -> WriteOp {
    let item = table.item(|item| {
        item.attribute("id")?.integer(id)?;
        item.attribute("at")?.integer(at)
    });
    table.put(item.unwrap()).unwrap().at(position(row))
}

/// What a service saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(pub(super) Arc<Mutex<Counts>>);

#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) written: u64,
    pub(super) refused: u64,
    pub(super) others: u64,
    /// When the last operation of a key that is not hot was written.
    pub(super) others_until: Duration,
}

/// A service whose partitions take so many units a second each: the operation of a row is in the partition that
/// `partition_of` says.
pub(super) fn service(
    rates: Vec<f64>,
    latency: Duration,
    partition_of: impl Fn(u64) -> usize + Send + 'static,
    seen: &Seen,
) -> Service {
    let (seen, start) = (seen.clone(), Instant::now());
    let mut partitions: Vec<Bucket> = rates
        .into_iter()
        .map(|rate| Bucket::new(rate, rate))
        .collect();
    Service::new(move |request: &WriteBatch| {
        let mut counts = seen.0.lock().unwrap();
        let mut refused = Vec::new();
        for op in request.ops() {
            let partition = partition_of(row_of(op));
            if partitions[partition].take(op.units().get() as f64) {
                counts.written += 1;
                if partition != 0 {
                    counts.others_until = start.elapsed();
                    counts.others += 1;
                }
            } else {
                refused.push(row_of(op));
                counts.refused += 1;
            }
        }
        let fate = if refused.len() == request.len() {
            Fate::failed(request, throttled())
        } else {
            Fate::unprocessed(refused)
        };
        fate.after(latency)
    })
}

pub(super) fn writer(
    service: &Service,
    limiter: &Limiter,
    recorder: &Recorder,
) -> WriterBuilder<Service> {
    Writer::builder(service.clone())
        .outcomes(recorder.outcomes())
        .admission(limiter.clone())
        .concurrency(Concurrency::default())
        .jitter_seed(1)
}

/// A load of which every operation of the key `HOT` lies in a partition of its own.
pub(super) struct HotLoad {
    pub(super) ops: Vec<WriteOp>,
    pub(super) hot: Arc<Vec<bool>>,
}

impl HotLoad {
    /// So many operations, of which a share is of the hot key, of so many other keys. The items of a key come again
    /// after `items`.
    pub(super) fn new(rng: &mut Rng, rows: u64, share: f64, keys: u64, items: u64) -> Self {
        let table = table();
        let hot: Vec<bool> = (0..rows).map(|_| rng.f64() < share).collect();
        let ops = hot.iter().zip(0..).map(|(hot, row)| {
            let id = if *hot { HOT } else { rng.u64(1..=keys) };
            op(&table, id, rng.u64(..items), row)
        });
        Self {
            ops: ops.collect(),
            hot: Arc::new(hot),
        }
    }

    pub(super) fn partition_of(&self) -> impl Fn(u64) -> usize + Send + 'static {
        let hot = Arc::clone(&self.hot);
        move |row| usize::from(!hot[usize::try_from(row).unwrap()])
    }

    pub(super) fn hot_ops(&self) -> f64 {
        self.hot.iter().filter(|hot| **hot).count() as f64
    }

    /// Each operation was written once, and the last of each key is what the table holds.
    pub(super) fn assert_written(&self, service: &Service, recorder: &Recorder) {
        assert_eq!(recorder.written().len(), self.ops.len());
        let last: HashMap<_, _> = self
            .ops
            .iter()
            .map(|op| (op.key().clone(), row_of(op)))
            .collect();
        assert_eq!(service.items(), last.into_iter().collect());
        service.requests();
    }
}
