//! How many items per second each stage passes on, and the whole pipe.
//!
//! ```sh
//! cargo bench -p dynasink-benches
//! cargo bench -p dynasink-benches -- --quick encode
//! ```
//!
//! Everything runs on one thread and nothing leaves the process. Each group of a stage has a `drain`: the same items
//! into a sink that drops them. What a stage costs is the difference to that. Where a rate limiter is in the pipe,
//! tokio's clock is paused, so that its waits take no time.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that fails has nothing to go on with"
)]

mod batch;
mod dedup;
mod encode;
mod endpoint;
mod limit;
mod orders;
mod parquet;
mod pipe;
mod simulator;
mod sink;
mod write;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(30);
    targets = encode::bench, dedup::bench, batch::bench, limit::bench, write::bench, pipe::bench,
        simulator::bench
}
criterion_main!(benches);
