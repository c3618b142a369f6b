//! Batches through the writer, to a simulator with more capacity than they need: what one operation costs at each
//! door. The difference to `write/null_transport` and `write/null_http` is the simulator's own work.

use std::convert::Infallible;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput};
use dynasink::{BillingMode, DynamoDb, KeyType, TableSchema, Transport, WriteBatch, WriteUnits};
use dynasink::{Writer, drive};
use dynasink_sim::{SimulatedTable, Simulator};
use futures::{StreamExt, stream};

use crate::limit::paused_runtime;
use crate::orders::{batches, orders};

const OPS: usize = 5_000;

/// So much that nothing is refused.
const AMPLE: WriteUnits = WriteUnits::new(100_000_000);

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulator");
    group.throughput(Throughput::Elements(OPS as u64));
    let batches = batches(&orders(OPS));
    run(&mut group, "transport", &batches, Simulator::clone);
    run(&mut group, "sdk", &batches, |simulator| {
        DynamoDb::new(simulator.client())
    });
    group.finish();
}

/// A service that holds the table of the orders.
fn simulator() -> Simulator {
    let table = TableSchema::builder("orders")
        .partition_key("id", KeyType::S)
        .billing_mode(BillingMode::Provisioned { write: AMPLE })
        .build()
        .expect("the table is valid");
    Simulator::builder()
        .table(SimulatedTable::new(table))
        .totals_only()
        .build()
}

fn run<T: Transport>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    door: &str,
    batches: &[WriteBatch],
    through: impl Fn(&Simulator) -> T,
) {
    let runtime = paused_runtime();
    let simulator = {
        // It follows the time of the runtime that it is built in.
        let _inside = runtime.enter();
        simulator()
    };
    group.bench_function(door, |bencher| {
        bencher.to_async(&runtime).iter_batched(
            || stream::iter(batches.to_vec()).map(Ok::<_, Infallible>),
            |batches| async {
                let written = drive(batches, Writer::new(through(&simulator))).await;
                written.expect("the simulator takes everything")
            },
            BatchSize::LargeInput,
        );
    });
    assert_eq!(
        simulator.audit().totals().refused,
        0,
        "the capacity is ample"
    );
}
