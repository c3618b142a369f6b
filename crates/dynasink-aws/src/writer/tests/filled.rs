//! The rate limiter is what holds a load back, never the writer: near and far, with large requests and small ones.

use std::time::Duration;

use dynasink_core::WriteOp;
use tokio::time::Instant;

use super::hot_load::{Limiter, write_at_the_rate};
use super::service::{Fate, Service};
use super::{Recorder, op};
use crate::writer::Writer;

#[tokio::test(start_paused = true)]
async fn the_rate_is_used_whatever_the_latency_and_the_size_of_batches() {
    let (rate, rows) = (4_000.0, 20_000);
    let ops: Vec<WriteOp> = (0..rows).map(op).collect();
    for millis in [1, 150] {
        for len in [25, 5] {
            let latency = Duration::from_millis(millis);
            let service = Service::new(move |_| Fate::written().after(latency));
            let (recorder, limiter, start) =
                (Recorder::default(), Limiter::new(rate), Instant::now());
            let writer = Writer::builder(service.clone())
                .outcomes(recorder.outcomes())
                .admission(limiter.clone())
                .jitter_seed(1)
                .build();
            write_at_the_rate(writer, &limiter, &ops, len).await;
            assert_eq!(service.rows().len(), ops.len());
            let share = rows as f64 / rate / start.elapsed().as_secs_f64();
            // The first round is in vain where it is far: eight requests, when nothing is known.
            assert!(share > 0.93, "{millis} ms, batches of {len}: {share:.3}");
        }
    }
}
