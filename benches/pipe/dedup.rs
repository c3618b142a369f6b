//! Operations merged by key. The default window holds a quarter of them.

use std::num::NonZeroUsize;

use criterion::{BatchSize, Criterion, Throughput};
use dynasink::{Dedup, DedupWindow, WriteOp, WriteSinkExt};

use crate::orders::{ops, orders};
use crate::sink::{drain, run};

const OPS: usize = 4 * DedupWindow::DEFAULT_OPS.get();

const MAX_KEYS: NonZeroUsize = NonZeroUsize::new(OPS).expect("there are some");

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dedup");
    group.throughput(Throughput::Elements(OPS as u64));

    let distinct = ops(&orders(OPS));
    // Each key twice, a hundred operations apart.
    let pairs: Vec<WriteOp> = distinct[..OPS / 2]
        .chunks(100)
        .flat_map(|chunk| chunk.iter().chain(chunk).cloned())
        .collect();

    group.bench_function("drain", |bencher| {
        bencher.iter_batched(
            || distinct.clone(),
            |ops| run(ops, drain()),
            BatchSize::LargeInput,
        );
    });
    let cases = [
        (
            "keep_last/distinct",
            &distinct,
            Dedup::keep_last(DedupWindow::default()),
        ),
        (
            "keep_last/pairs",
            &pairs,
            Dedup::keep_last(DedupWindow::default()),
        ),
        (
            "keep_first/distinct",
            &distinct,
            Dedup::keep_first(MAX_KEYS),
        ),
        ("keep_first/pairs", &pairs, Dedup::keep_first(MAX_KEYS)),
    ];
    for (name, ops, dedup) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || ops.clone(),
                |ops| run(ops, drain().deduplicated(dedup.clone())),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}
