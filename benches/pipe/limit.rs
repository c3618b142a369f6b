//! Batches let through at a rate. The clock is paused: a wait takes no time, only the work of waiting.

use std::convert::Infallible;

use criterion::{BatchSize, Criterion, Throughput};
use dynasink::{BatchSinkExt, RateLimiter, WriteUnits, drive};
use futures::{StreamExt, stream};
use tokio::runtime::{Builder, Runtime};

use crate::orders::{batches, orders};
use crate::sink::{drain, run};

const OPS: usize = 20_000;

/// A runtime whose clock jumps to the next timer when there is nothing else to do.
pub(crate) fn paused_runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("there is room for a runtime")
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limit");
    group.throughput(Throughput::Elements(OPS as u64));
    let batches = batches(&orders(OPS));
    let runtime = paused_runtime();

    group.bench_function("drain", |bencher| {
        bencher.iter_batched(
            || batches.clone(),
            |batches| run(batches, drain()),
            BatchSize::LargeInput,
        );
    });
    // So much that nobody waits, and so little that every batch waits.
    for (name, rate) in [("ample", 100_000_000), ("scarce", 100)] {
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter_batched(
                || stream::iter(batches.clone()).map(Ok::<_, Infallible>),
                |batches| async move {
                    let limiter = RateLimiter::fixed(WriteUnits::new(rate));
                    let passed = drive(batches, drain().rate_limited(limiter)).await;
                    passed.expect("no stage fails")
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}
