//! Whatever is written, however the service fails: each operation has one outcome, and the last write of each
//! key wins.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use dynasink_core::{
    Admission, BatchLimit, CapacityFeedback, CapacityObserver, Outcome, PrimaryKey, WriteAction,
    WriteBatch, WriteBatchBuilder, WriteCost, WriteOp, WriteUnits,
};
use fastrand::Rng;
use futures::SinkExt;
use tokio::time::Instant;

use super::service::{Fate, Service, throttled};
use super::{FOREVER, Recorder, op_of, position, retries, row_of, table};
use crate::classify::Cause;
use crate::concurrency::Concurrency;
use crate::writer::Writer;

const SEEDS: u64 = 600;

/// So many units per second, saved up without a bound.
#[derive(Debug)]
struct Meter {
    start: Instant,
    rate: u64,
    taken: Mutex<u64>,
}

impl CapacityObserver for Meter {
    fn observe(&self, _: &CapacityFeedback) {}
}

impl Admission for Meter {
    fn try_admit(&self, cost: &WriteCost) -> Result<(), Duration> {
        let mut taken = self.taken.lock().unwrap();
        let earned = Duration::from_millis(1000 * (*taken + cost.units().get()) / self.rate);
        let now = self.start.elapsed();
        match earned.checked_sub(now) {
            Some(wait) if !wait.is_zero() => return Err(wait),
            _ => {}
        }
        *taken += cost.units().get();
        Ok(())
    }

    fn give_back(&self, _: &WriteCost) {}
}

/// Random operations: few keys, several tables, puts and deletes, small and large.
fn operations(rng: &mut Rng) -> Vec<WriteOp> {
    let tables = ["users", "orders", "events"].map(table);
    let tables = tables.get(..rng.usize(1..=3)).unwrap();
    let keys = rng.u64(1..150);
    let rows = rng.u64(..300);
    let operation = |row| {
        let size = match rng.u8(..60) {
            0 => 9_000,
            1..4 => 2_000,
            _ => 0,
        };
        let table = &tables[rng.usize(..tables.len())];
        let put = op_of(table, rng.u64(..keys), row, size);
        if rng.u8(..4) == 0 {
            table.delete(put.item()).unwrap().at(position(row))
        } else {
            put
        }
    };
    (0..rows).map(operation).collect()
}

/// The operations in their order, in batches of random sizes.
fn batches(rng: &mut Rng, ops: &[WriteOp]) -> Vec<WriteBatch> {
    let most = rng.usize(1..=25);
    let (mut builder, mut batches) = (WriteBatchBuilder::new(), Vec::new());
    for op in ops {
        let full = builder.len() >= most || rng.u8(..30) == 0;
        if full {
            batches.extend(builder.take());
        }
        if let Err(op) = builder.push(op.clone()) {
            batches.extend(builder.take());
            builder.push(op).unwrap();
        }
    }
    batches.extend(builder.take());
    batches
}

/// A service that fails at random, at first often and after `calm` no more.
fn service(mut rng: Rng, poison: HashSet<u64>, calm: Duration) -> Service {
    let start = Instant::now();
    let trouble = rng.u8(0..90);
    Service::new(move |request| {
        let latency = Duration::from_millis(match rng.u8(..20) {
            0 => 2_000,
            1 => 0,
            _ => rng.u64(1..20),
        });
        let rows = || request.ops().iter().map(row_of);
        let fate = if start.elapsed() < calm && rng.u8(..100) < trouble {
            match rng.u8(..9) {
                0 => Fate::failed(request, throttled()),
                1 => Fate::failed(request, Cause::Conflict),
                2 => Fate::failed(request, Cause::Internal),
                3 => Fate::failed(request, Cause::Unreachable),
                4 if rows().all(|row| !poison.contains(&row)) => Fate::lost(),
                5 if rows().all(|row| !poison.contains(&row)) => Fate::unprocessed(rows()),
                _ => {
                    let refused: Vec<u64> = rows().filter(|_| rng.bool()).collect();
                    if rows().all(|row| refused.contains(&row) || !poison.contains(&row)) {
                        Fate::unprocessed(refused)
                    } else {
                        Fate::failed(request, Cause::Invalid)
                    }
                }
            }
        } else if rows().any(|row| poison.contains(&row)) {
            Fate::failed(request, Cause::Invalid)
        } else {
            Fate::written()
        };
        fate.after(latency)
    })
}

/// What the tables hold if the last write of each key wins, of those that can be written.
fn last_writes(ops: &[WriteOp], poison: &HashSet<u64>) -> BTreeMap<PrimaryKey, u64> {
    let mut items = BTreeMap::new();
    for op in ops.iter().filter(|op| !poison.contains(&row_of(op))) {
        match op.action() {
            WriteAction::Put => items.insert(op.key().clone(), row_of(op)),
            WriteAction::Delete => items.remove(op.key()),
        };
    }
    items
}

async fn run(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let ops = operations(&mut rng);
    let poison: HashSet<u64> = match rng.u8(..3) {
        0 => ops
            .iter()
            .map(row_of)
            .filter(|_| rng.u8(..15) == 0)
            .collect(),
        _ => HashSet::new(),
    };
    let most = rng.usize(1..=6);
    let calm = Duration::from_secs(rng.u64(0..200));
    let service = service(rng.fork(), poison.clone(), calm);
    let recorder = Recorder::default();
    let mut builder = Writer::builder(service.clone())
        .outcomes(recorder.outcomes())
        .retry_policy(retries(u32::MAX, FOREVER))
        .jitter_seed(rng.u64(..))
        .concurrency(if rng.bool() {
            Concurrency::Fixed(most)
        } else {
            Concurrency::Auto { min: 1, max: most }
        })
        .sizer(BatchLimit {
            ops: rng.usize(1..=25),
            units: WriteUnits::new(rng.u64(1..200)),
            ..BatchLimit::REQUEST
        });
    if rng.bool() {
        builder = builder.admission(Meter {
            start: Instant::now(),
            rate: rng.u64(50..5_000),
            taken: Mutex::new(0),
        });
    }
    let mut max_bytes = usize::MAX;
    if rng.bool() {
        max_bytes = rng.usize(..100_000);
        builder = builder.max_buffered_bytes(max_bytes);
    }
    let mut writer = builder.build();
    for batch in batches(&mut rng, &ops) {
        let bytes = batch.memory();
        writer.feed(batch).await.unwrap();
        let (held_ops, held_bytes) = held(&writer);
        assert!(held_ops <= 50 * most, "{held_ops} operations are held");
        assert!(held_bytes <= max_bytes.saturating_add(bytes));
        match rng.u8(..20) {
            0 => {
                writer.flush().await.unwrap();
                assert_eq!(held(&writer), (0, 0), "flushed, and operations are held");
            }
            1 => tokio::time::sleep(Duration::from_millis(rng.u64(..500))).await,
            _ => {}
        }
    }
    writer.close().await.unwrap();

    let outcomes = recorder.rows();
    let rows: Vec<u64> = outcomes.keys().copied().collect();
    assert_eq!(
        rows,
        ops.iter().map(row_of).collect::<Vec<_>>(),
        "rows with an outcome"
    );
    let dead: BTreeSet<u64> = recorder.dead().into_keys().collect();
    assert_eq!(dead, poison.iter().copied().collect(), "dead rows");
    let others = outcomes
        .values()
        .filter(|outcome| !matches!(outcome, Outcome::Written { .. }));
    assert_eq!(others.count(), dead.len());
    assert_eq!(service.items(), last_writes(&ops, &poison));
    service.requests();
    assert!(service.most_in_flight() <= most);
    assert_eq!(held(&writer), (0, 0));
}

/// Operations and bytes without an outcome.
fn held(writer: &Writer<Service>) -> (usize, usize) {
    let state = writer.shared.state();
    (state.held_ops, state.held_bytes)
}

#[test]
fn each_operation_has_one_outcome_and_the_last_write_of_a_key_wins() {
    for seed in 0..SEEDS {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let run = async { tokio::time::timeout(30 * FOREVER, run(seed)).await };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(run).expect("the writer hangs");
        }));
        assert!(result.is_ok(), "seed {seed}");
    }
}
