//! Rows to operations.

use criterion::{BatchSize, Criterion, Throughput};
use dynasink::{AttributeValueExt, DecodeExt, Decoder};

use crate::orders::{self, attributes, orders, record_batches};
use crate::parquet::{Rows, planes, weather};
use crate::sink::{drain, run};

const ORDERS: usize = 16_384;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    let (orders, table) = (orders(ORDERS), orders::table());

    let arrow = [
        ("arrow/planes", planes()),
        ("arrow/weather", weather()),
        ("arrow/orders", Rows::new(record_batches(&orders), &table)),
    ];
    for (name, rows) in arrow {
        group.throughput(Throughput::Elements(rows.count()));
        let decoder = Decoder::new(rows.mapping);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || rows.batches.clone(),
                |batches| run(batches, drain().decoded(decoder.clone())),
                BatchSize::LargeInput,
            );
        });
    }

    group.throughput(Throughput::Elements(ORDERS as u64));
    group.bench_function("serde/orders", |bencher| {
        bencher.iter(|| {
            orders
                .iter()
                .try_for_each(|order| table.put_serde(order).map(drop))
        });
    });
    let attributes = attributes(&orders);
    group.bench_function("attribute_values/orders", |bencher| {
        bencher.iter(|| {
            attributes
                .iter()
                .try_for_each(|item| table.put_attributes(item).map(drop))
        });
    });
    group.finish();
}
