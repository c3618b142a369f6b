//! A load by seed: what is written, through which pipe, to which service.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynasink::{
    AdaptiveSizer, Backoff, BatchSinkExt, BillingMode, Concurrency, Dedup, DedupWindow, DriveError,
    DriveReport, IndexKind, KeyType, ObserverError, Outcome, OutcomeEvent, OutcomeObserver,
    Outcomes, PrimaryKey, Projection, RateLimiter, RetryPolicy, SizerLaw, SourcePosition,
    TableSchema, Transport, WriteAction, WriteOp, WriteSinkExt, WriteUnits, Writer, WriterError,
    drive,
};
use dynasink_sim::{Fault, Faults, Latency, SimulatedTable, Simulator, SimulatorBuilder};
use fastrand::Rng;
use futures::{Sink, Stream, StreamExt, stream};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

/// Longer than any load.
const FOREVER: Duration = Duration::from_hours(1000);

/// What becomes of rows of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    KeepLast { ops: NonZeroUsize, bytes: usize },
    KeepFirst,
    Off,
}

/// Everything about one load.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) tables: Vec<SimulatedTable>,
    pub(crate) ops: Vec<WriteOp>,
    pub(crate) faults: Faults,
    pub(crate) latency: Latency,
    pub(crate) policy: Policy,
    /// Units per second; no limiter without.
    pub(crate) rate: Option<u64>,
    pub(crate) concurrency: Concurrency,
    pub(crate) retry: RetryPolicy,
    pub(crate) buffered_bytes: usize,
    /// Whether the source pauses, and whether the pipe is flushed meanwhile.
    pub(crate) trickles: bool,
}

pub(crate) fn position(row: u64) -> SourcePosition {
    SourcePosition::new("rows".into(), 0, row)
}

/// Never gives an operation up.
pub(crate) fn patient() -> RetryPolicy {
    let patience = |base, cap| Backoff {
        base: Duration::from_millis(base),
        cap: Duration::from_secs(cap),
        max_attempts: u32::MAX,
        max_elapsed: FOREVER,
    };
    RetryPolicy {
        throttled: patience(50, 5),
        failed: patience(50, 5),
        ..RetryPolicy::default()
    }
}

/// A table by its number: 0 has string keys, 1 a sort key and a local index, 2 number keys and a global index.
pub(crate) fn table(number: usize, billing: BillingMode) -> SimulatedTable {
    let name = ["strings", "sorted", "numbers"][number % 3];
    let builder = TableSchema::builder(name).billing_mode(billing);
    let schema = match number % 3 {
        0 => builder.partition_key("id", KeyType::S),
        1 => builder
            .partition_key("id", KeyType::S)
            .sort_key("at", KeyType::N)
            .index(
                "by-kind",
                IndexKind::Local,
                [("id", KeyType::S)],
                [("kind", KeyType::S)],
                None,
            ),
        _ => builder.partition_key("id", KeyType::N).index(
            "by-kind",
            IndexKind::Global,
            [("kind", KeyType::S)],
            [],
            billing.write_capacity(),
        ),
    };
    let schema = schema.projecting("by-kind", Projection::KeysOnly);
    SimulatedTable::new(schema.build().unwrap())
}

/// A put of that key with so many bytes of payload, or a delete, that came as the row `row`.
pub(crate) fn op(table: &TableSchema, key: u64, row: u64, size: Option<usize>) -> WriteOp {
    let mut item = Map::new();
    match table.partition_key().key_type() {
        KeyType::N => item.insert("id".into(), json!(key)),
        _ => item.insert("id".into(), json!(format!("key-{key}"))),
    };
    if let Some(sort_key) = table.sort_key() {
        item.insert(sort_key.name().into(), json!(key % 7));
    }
    let op = match size {
        None => table.delete_serde(&item).unwrap(),
        Some(size) => {
            item.insert("row".into(), json!(row));
            if !row.is_multiple_of(3) {
                item.insert("kind".into(), json!(format!("kind-{}", row % 5)));
            }
            item.insert("payload".into(), json!("x".repeat(size)));
            table.put_serde(&item).unwrap()
        }
    };
    op.at(position(row))
}

/// So many small items, each of a key of its own.
pub(crate) fn small_rows(table: &SimulatedTable, rows: u64) -> Vec<WriteOp> {
    let schema = table.schema();
    (0..rows)
        .map(|row| op(schema, row, row, Some(100)))
        .collect()
}

impl Load {
    /// A load of `ops` into `table` in which nothing goes wrong and nothing is left to chance: eight requests in
    /// flight of ten milliseconds each, every row written.
    pub(crate) fn plain(table: SimulatedTable, ops: Vec<WriteOp>) -> Self {
        Self {
            seed: 1,
            tables: vec![table],
            ops,
            faults: Faults::none(),
            latency: Latency::fixed(Duration::from_millis(10)),
            policy: Policy::Off,
            rate: None,
            concurrency: Concurrency::Fixed(8),
            retry: patient(),
            buffered_bytes: 1_000_000,
            trickles: false,
        }
    }

    /// A load in which everything is random, and every fault that a load survives may happen.
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let tables: Vec<_> = (0..rng.usize(1..=3))
            .map(|number| {
                let billing = match rng.u8(..4) {
                    0 => BillingMode::OnDemand { max_write: None },
                    1 => BillingMode::Provisioned {
                        write: WriteUnits::new(rng.u64(5..50)),
                    },
                    _ => BillingMode::Provisioned {
                        write: WriteUnits::new(rng.u64(500..5000)),
                    },
                };
                let table = table(number, billing).idle(Duration::from_secs(rng.u64(..20)));
                table.partitions(rng.usize(1..5))
            })
            .collect();
        let keys = rng.u64(1..120);
        let largest = [0, 300, 3_000, 30_000][rng.usize(..4)];
        let ops = (0..rng.u64(..250))
            .map(|row| {
                let schema = tables[rng.usize(..tables.len())].schema().clone();
                let size = match rng.u8(..200) {
                    0 => Some(409_000),
                    1..40 => None,
                    _ => Some(rng.usize(..=largest)),
                };
                op(&schema, rng.u64(..keys), row, size)
            })
            .collect();
        let policy = match rng.u8(..4) {
            0 => Policy::Off,
            1 => Policy::KeepFirst,
            _ => Policy::KeepLast {
                ops: NonZeroUsize::new(rng.usize(1..200)).unwrap(),
                bytes: rng.usize(1_000..1_000_000),
            },
        };
        let latency = match rng.u8(..3) {
            0 => Latency::fixed(Duration::from_millis(rng.u64(..20))),
            _ => Latency::lognormal(
                Duration::from_millis(rng.u64(1..10)),
                Duration::from_millis(rng.u64(10..900)),
            ),
        };
        Self {
            seed,
            tables,
            ops,
            faults: survivable(&mut rng),
            latency,
            policy,
            rate: rng.bool().then(|| rng.u64(20..5_000)),
            concurrency: if rng.bool() {
                Concurrency::Fixed(rng.usize(1..10))
            } else {
                let max = rng.usize(1..64);
                Concurrency::Auto { min: 1, max }
            },
            retry: patient(),
            buffered_bytes: rng.usize(1_000..4_000_000),
            trickles: rng.u8(..4) == 0,
        }
    }

    /// The service that the load meets, to be changed or built.
    pub(crate) fn service(&self) -> SimulatorBuilder {
        let simulator = Simulator::builder()
            .seed(self.seed)
            .latency(self.latency)
            .faults(self.faults.clone())
            .client_timeout(Duration::from_secs(5));
        self.tables
            .iter()
            .fold(simulator, |simulator, table| simulator.table(table.clone()))
    }

    /// Runs the load through `transport`.
    pub(crate) async fn run<T: Transport>(&self, transport: T) -> Evidence {
        let evidence = Ledger::default();
        let ops = source(self.seed, self.trickles, self.ops.clone(), evidence.clone());
        let linger = Duration::from_millis(50);
        let loading = drive(ops, self.pipe(transport, &evidence)).linger(linger);
        // Time that nothing else waits for passes at once, so a load that hangs fails at once.
        let result = timeout(FOREVER, loading).await;
        evidence.close(result.unwrap_or_else(|_| panic!("the load hangs")))
    }

    /// The pipe of the load, whose outcomes `ledger` notes.
    pub(crate) fn pipe<T: Transport>(
        &self,
        transport: T,
        ledger: &Ledger,
    ) -> Pin<Box<dyn Sink<WriteOp, Error = WriterError> + Send>> {
        let outcomes = Outcomes::of(ledger.clone());
        let sizer = AdaptiveSizer::new(SizerLaw::new(self.rate.map(WriteUnits::new)));
        let writer = Writer::builder(transport)
            .concurrency(self.concurrency)
            .retry_policy(self.retry)
            .outcomes(outcomes.clone())
            .sizer(sizer.clone())
            .max_buffered_bytes(self.buffered_bytes)
            .jitter_seed(self.seed);
        let dedup = match self.policy {
            Policy::KeepLast { ops, bytes } => Some(Dedup::keep_last(DedupWindow::new(ops, bytes))),
            Policy::KeepFirst => Some(Dedup::keep_first(NonZeroUsize::MAX)),
            Policy::Off => None,
        };
        let dedup = dedup.map(|dedup| dedup.with_outcomes(outcomes));
        let limiter = self
            .rate
            .map(|rate| RateLimiter::fixed(WriteUnits::new(rate)));
        match (limiter, dedup) {
            (None, None) => Box::pin(writer.build().batched(sizer)),
            (None, Some(dedup)) => Box::pin(writer.build().batched(sizer).deduplicated(dedup)),
            (Some(limiter), None) => {
                let writer = writer.admission(limiter.clone()).build();
                Box::pin(writer.rate_limited(limiter).batched(sizer))
            }
            (Some(limiter), Some(dedup)) => {
                let writer = writer.admission(limiter.clone()).build();
                let batched = writer.rate_limited(limiter).batched(sizer);
                Box::pin(batched.deduplicated(dedup))
            }
        }
    }

    /// The items of a table if each key ends as the input says.
    pub(crate) fn expected(&self, table: &str) -> BTreeMap<PrimaryKey, Map<String, Value>> {
        let mut items = BTreeMap::new();
        let mut seen = std::collections::BTreeSet::new();
        for op in self.ops.iter().filter(|op| op.table().as_str() == table) {
            let first = seen.insert(op.key().clone());
            if self.policy == Policy::KeepFirst && !first {
                continue;
            }
            match op.action() {
                WriteAction::Put => {
                    let item = serde_json::from_slice(op.item().json()).unwrap();
                    items.insert(op.key().clone(), item)
                }
                WriteAction::Delete => items.remove(op.key()),
            };
        }
        items
    }

    /// The most bytes of operations that the pipe may hold at once.
    pub(crate) fn memory_bound(&self) -> usize {
        let largest = self.ops.iter().map(WriteOp::memory).max().unwrap_or(0);
        let largest_batch = 25 * largest;
        let window = match self.policy {
            Policy::KeepLast { bytes, .. } => bytes + largest,
            Policy::KeepFirst | Policy::Off => largest,
        };
        window + 2 * largest_batch + self.buffered_bytes + largest_batch
    }
}

/// Faults that a load survives without a dead row.
fn survivable(rng: &mut Rng) -> Faults {
    let slow = Duration::from_millis(rng.u64(..400));
    let all = [
        Fault::Internal,
        Fault::Unavailable,
        Fault::Gateway,
        Fault::Partial,
        Fault::Refused,
        Fault::Reset,
        Fault::Lost,
        Fault::Hang,
        Fault::Silent,
        Fault::Slow(slow),
        Fault::Truncated,
        Fault::Empty,
        Fault::Garbage,
    ];
    let mut faults = Faults::none();
    if rng.u8(..5) == 0 {
        return faults;
    }
    let trouble = rng.f64() * 0.6;
    for fault in all {
        if rng.bool() {
            faults = faults.share(fault, trouble * rng.f64() / 4.0);
        }
    }
    if rng.u8(..4) == 0 {
        let start = Duration::from_millis(rng.u64(..2_000));
        faults = faults.between(
            start..start + Duration::from_secs(3),
            rng.choice(all).unwrap(),
        );
    }
    faults
}

/// The operations as a source that may pause between them; notes each as it is read.
fn source(
    seed: u64,
    trickles: bool,
    ops: Vec<WriteOp>,
    ledger: Ledger,
) -> impl Stream<Item = Result<WriteOp, std::convert::Infallible>> {
    let rng = Rng::with_seed(seed ^ 1);
    let paused = stream::unfold(
        (ops.into_iter(), rng),
        move |(mut ops, mut rng)| async move {
            let op = ops.next()?;
            if trickles && rng.u8(..10) == 0 {
                tokio::time::sleep(Duration::from_millis(rng.u64(..200))).await;
            }
            Some((Ok(op), (ops, rng)))
        },
    );
    paused
        .inspect(move |op| {
            ledger.hold(op.as_ref().map_or(0, WriteOp::memory));
        })
        .boxed()
}

/// Notes outcomes, and how much is held. Clones share one ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    outcomes: Mutex<BTreeMap<u64, Outcome>>,
    held: AtomicUsize,
    most_held: AtomicUsize,
}

impl Ledger {
    fn hold(&self, bytes: usize) {
        let held = self.0.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.0.most_held.fetch_max(held, Ordering::Relaxed);
    }

    /// The outcomes so far, by row.
    pub(crate) fn outcomes(&self) -> BTreeMap<u64, Outcome> {
        self.0.outcomes.lock().unwrap().clone()
    }

    fn close(&self, result: LoadResult) -> Evidence {
        Evidence {
            result,
            outcomes: self.outcomes(),
            most_held: self.0.most_held.load(Ordering::Relaxed),
        }
    }
}

impl OutcomeObserver for Ledger {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        let op = event.op.unwrap();
        self.0.held.fetch_sub(op.memory(), Ordering::Relaxed);
        let row = event.position.unwrap().row();
        let earlier = self
            .0
            .outcomes
            .lock()
            .unwrap()
            .insert(row, event.outcome.clone());
        match earlier {
            None => Ok(()),
            Some(earlier) => Err(ObserverError {
                observer: "the ledger".to_owned(),
                source: format!("row {row}: {earlier:?}, then {:?}", event.outcome).into(),
            }),
        }
    }
}

pub(crate) type LoadResult = Result<DriveReport, DriveError<std::convert::Infallible, WriterError>>;

/// What is known of a load that has ended, apart from the service's own audit.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) result: LoadResult,
    pub(crate) outcomes: BTreeMap<u64, Outcome>,
    pub(crate) most_held: usize,
}
