//! Operations gathered into batches.

use criterion::{BatchSize, Criterion, Throughput};
use dynasink::{AdaptiveSizer, BatchLimit, BatchSinkExt, SizerLaw};

use crate::orders::{ops, orders};
use crate::sink::{drain, run};

const OPS: usize = 20_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(OPS as u64));
    let ops = ops(&orders(OPS));

    group.bench_function("drain", |bencher| {
        bencher.iter_batched(
            || ops.clone(),
            |ops| run(ops, drain()),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("fixed", |bencher| {
        bencher.iter_batched(
            || ops.clone(),
            |ops| run(ops, drain().batched(BatchLimit::REQUEST)),
            BatchSize::LargeInput,
        );
    });
    let sizer = AdaptiveSizer::new(SizerLaw::new(None));
    group.bench_function("adaptive", |bencher| {
        bencher.iter_batched(
            || ops.clone(),
            |ops| run(ops, drain().batched(sizer.clone())),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}
