//! Batches through the writer, to endpoints that have written everything at once.

use std::convert::Infallible;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput};
use dynasink::{Transport, WriteBatch, Writer, drive};
use futures::{StreamExt, stream};

use crate::endpoint::{NullTransport, null_http};
use crate::limit::paused_runtime;
use crate::orders::{batches, orders, table};
use crate::sink::{drain, run};

const OPS: usize = 20_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    group.throughput(Throughput::Elements(OPS as u64));
    let batches = batches(&orders(OPS));
    group.bench_function("drain", |bencher| {
        bencher.iter_batched(
            || batches.clone(),
            |batches| run(batches, drain()),
            BatchSize::LargeInput,
        );
    });
    write(
        &mut group,
        "null_transport",
        &batches,
        &NullTransport::new(&table()),
    );
    write(&mut group, "null_http", &batches, &null_http(&table()));
    group.finish();
}

fn write<T: Transport + Clone>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    endpoint: &str,
    batches: &[WriteBatch],
    transport: &T,
) {
    let runtime = paused_runtime();
    group.bench_function(endpoint, |bencher| {
        bencher.to_async(&runtime).iter_batched(
            || stream::iter(batches.to_vec()).map(Ok::<_, Infallible>),
            |batches| async {
                let written = drive(batches, Writer::new(transport.clone())).await;
                written.expect("the endpoint takes everything")
            },
            BatchSize::LargeInput,
        );
    });
}
