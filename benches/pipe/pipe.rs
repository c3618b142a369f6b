//! The whole standard pipe, from Arrow batches in memory to an endpoint that has written everything at once.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use dynasink::{ErrorBudget, Pipeline, Rate, SourceBatch, Transport, WriteUnits};
use futures::{StreamExt, stream};

use crate::endpoint::{NullTransport, null_http};
use crate::limit::paused_runtime;
use crate::orders::{self, orders, record_batches};
use crate::parquet::{Rows, planes, weather};

const ORDERS: usize = 16_384;

/// So much that nobody waits.
const AMPLE: Rate = Rate::Fixed(WriteUnits::new(100_000_000));

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pipe");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(6));
    let sources = [
        ("planes", planes()),
        ("weather", weather()),
        (
            "orders",
            Rows::new(record_batches(&orders(ORDERS)), &orders::table()),
        ),
    ];
    for (name, rows) in &sources {
        let table = rows.mapping.table();
        load(
            &mut group,
            "null_transport",
            name,
            rows,
            &NullTransport::new(table),
        );
        load(&mut group, "null_http", name, rows, &null_http(table));
    }
    group.finish();
}

fn load<T: Transport + Clone>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    endpoint: &str,
    source: &str,
    rows: &Rows,
    transport: &T,
) {
    let runtime = paused_runtime();
    let count = rows.count();
    group.throughput(Throughput::Elements(count));
    group.bench_function(BenchmarkId::new(endpoint, source), |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            // As the command does it: with somebody who observes outcomes.
            let pipeline = Pipeline::builder(transport.clone(), rows.mapping.table())
                .rate(AMPLE)
                .observer(ErrorBudget::new(0))
                .build()
                .expect("the rate is fixed");
            let batches = stream::iter(rows.batches.clone()).map(Ok::<SourceBatch, Infallible>);
            let report = pipeline
                .load(batches, rows.mapping.clone(), pending())
                .await
                .expect("the endpoint takes everything");
            assert_eq!(report.counts.items_written, count);
        });
    });
}
