//! A partition key that gets more than its partition takes, among many that do not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynasink_core::{CapacityFeedback, CapacityObserver, WriteBatch, WriteOp};
use fastrand::Rng;
use futures::SinkExt;
use tokio::time::{Instant, sleep};

use super::hot_load::{Bucket, HotLoad, Limiter, Seen, service, write_at_the_rate, writer};
use super::service::{Fate, Service, throttled};
use super::{FOREVER, Recorder, batch, retries, row_of};
use crate::classify::Cause;
use crate::concurrency::Concurrency;
use crate::throttle::ThrottlingReason;
use crate::writer::Writer;

#[tokio::test(start_paused = true)]
async fn others_flow_while_a_hot_key_goes_as_fast_as_its_partition_takes_it() {
    let (start, seen, recorder) = (Instant::now(), Seen::default(), Recorder::default());
    let load = HotLoad::new(&mut Rng::with_seed(7), 20_000, 0.3, 500, 1_000_000);
    let (hot_rate, latency) = (200.0, Duration::from_millis(10));
    let service = service(vec![hot_rate, 1e9], latency, load.partition_of(), &seen);
    let limiter = Limiter::new(2_000.0);
    let writer = writer(&service, &limiter, &recorder).build();
    write_at_the_rate(writer, &limiter, &load.ops, 25).await;
    let (seconds, counts) = (
        start.elapsed().as_secs_f64(),
        seen.0.lock().unwrap().clone(),
    );
    load.assert_written(&service, &recorder);
    let least = load.hot_ops() / hot_rate;
    assert!(
        seconds < least / 0.95,
        "{seconds} s where {least} s are needed"
    );
    let others = (20_000.0 - load.hot_ops()) / (2_000.0 - hot_rate);
    let others_until = counts.others_until.as_secs_f64();
    assert!(
        others_until < others * 1.05 + 0.2,
        "{others_until} of {others}"
    );
    assert!(counts.refused < 20_000 * 2 / 100, "{counts:?}");
    let requests = service.requests().len();
    assert!(requests < 20_000 / 12, "{requests} requests");
}

/// Adds up what is refused.
#[derive(Clone, Debug, Default)]
struct Refusals(Arc<Mutex<(usize, usize)>>);

impl CapacityObserver for Refusals {
    fn observe(&self, feedback: &CapacityFeedback) {
        let mut sums = self.0.lock().unwrap();
        sums.0 += feedback.throttled_ops;
        sums.1 += feedback.hot_key_ops;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_used_up_table_refuses_is_no_key_s_fault() {
    let (seen, recorder) = (Seen::default(), Recorder::default());
    let load = HotLoad::new(&mut Rng::with_seed(7), 20_000, 0.3, 500, 1_000_000);
    let latency = Duration::from_millis(10);
    let service = service(vec![500.0], latency, |_| 0, &seen);
    let (limiter, refusals) = (Limiter::new(520.0), Refusals::default());
    let writer = writer(&service, &limiter, &recorder).capacity_observer(refusals.clone());
    write_at_the_rate(writer.build(), &limiter, &load.ops, 25).await;
    load.assert_written(&service, &recorder);
    let (throttled, hot) = *refusals.0.lock().unwrap();
    assert!(throttled > 300, "{throttled}");
    assert!(hot * 20 < throttled, "{hot} of {throttled}");
}

/// A table refuses half of all while the last of the other keys are written; then the operations of the hot key are left.
#[tokio::test(start_paused = true)]
async fn a_hot_key_that_is_left_alone_after_a_used_up_table_keeps_its_pace() {
    let recorder = Recorder::default();
    let load = HotLoad::new(&mut Rng::with_seed(7), 10_000, 0.3, 500, 1_000_000);
    let is_hot = load.partition_of();
    let (mut partition, mut rng, start) =
        (Bucket::new(100.0, 100.0), Rng::with_seed(1), Instant::now());
    let mut others_left = load.hot.iter().filter(|hot| !**hot).count();
    let by_partition = Arc::new(Mutex::new(0_u64));
    let counted = Arc::clone(&by_partition);
    let service = Service::new(move |request: &WriteBatch| {
        let mut refused = Vec::new();
        let seconds = start.elapsed().as_secs_f64();
        for op in request.ops() {
            let others = is_hot(row_of(op)) == 1;
            if others_left > 0 && seconds > 6.0 && rng.bool() {
                refused.push(row_of(op));
            } else if is_hot(row_of(op)) == 0 && !partition.take(1.0) {
                refused.push(row_of(op));
                *counted.lock().unwrap() += 1;
            } else if others {
                others_left -= 1;
            }
        }
        let fate = if refused.len() == request.len() {
            Fate::failed(request, throttled())
        } else {
            Fate::unprocessed(refused)
        };
        fate.after(Duration::from_millis(10))
    });
    let limiter = Limiter::new(1_000.0);
    let writer = writer(&service, &limiter, &recorder).build();
    write_at_the_rate(writer, &limiter, &load.ops, 25).await;
    load.assert_written(&service, &recorder);
    let refused = *by_partition.lock().unwrap();
    assert!(
        refused < 600,
        "{refused} refused by the partition of 3,000, in {:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_hot_key_is_refused_is_told_as_its_own() {
    let (seen, recorder) = (Seen::default(), Recorder::default());
    let load = HotLoad::new(&mut Rng::with_seed(7), 10_000, 0.2, 500, 1_000_000);
    let latency = Duration::from_millis(10);
    // One other key in eight lies in the partition of the hot one.
    let hot = load.partition_of();
    let partition_of = move |row| if row % 8 == 0 { 0 } else { hot(row) };
    let service = service(vec![400.0, 1e9], latency, partition_of, &seen);
    let (limiter, refusals) = (Limiter::new(2_000.0), Refusals::default());
    let writer = writer(&service, &limiter, &recorder).capacity_observer(refusals.clone());
    write_at_the_rate(writer.build(), &limiter, &load.ops, 25).await;
    load.assert_written(&service, &recorder);
    let (throttled, hot) = *refusals.0.lock().unwrap();
    assert!(throttled < 300, "{throttled}");
    assert!(hot * 10 > throttled * 8, "{hot} of {throttled}");
}

#[tokio::test(start_paused = true)]
async fn a_key_range_of_an_index_makes_no_partition_key_of_the_table_hot() {
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/users";
    for (resource, of, is_hot) in [("", "Table", true), ("/index/by-day", "Index", false)] {
        let recorder = Recorder::default();
        let load = HotLoad::new(&mut Rng::with_seed(7), 1_500, 1.0, 1, 1_000_000);
        let mut partition = Bucket::new(300.0, 300.0);
        let service = Service::new(move |request: &WriteBatch| {
            if partition.take(request.cost().units().get() as f64) {
                return Fate::written();
            }
            let reason = ThrottlingReason {
                reason: format!("{of}WriteKeyRangeThroughputExceeded"),
                resource: Some(format!("{table}{resource}")),
            };
            Fate::failed(request, Cause::Throttled(vec![reason]))
        });
        let (limiter, refusals) = (Limiter::new(600.0), Refusals::default());
        let writer = writer(&service, &limiter, &recorder).capacity_observer(refusals.clone());
        write_at_the_rate(writer.build(), &limiter, &load.ops, 25).await;
        load.assert_written(&service, &recorder);
        let (throttled, hot) = *refusals.0.lock().unwrap();
        assert!(throttled > 0);
        assert_eq!(hot > 0, is_hot, "{hot} of {throttled} by {of}");
    }
}

#[tokio::test(start_paused = true)]
async fn parked_operations_do_not_grow_old() {
    let (seen, recorder) = (Seen::default(), Recorder::default());
    let load = HotLoad::new(&mut Rng::with_seed(3), 4_000, 0.5, 100, 1_000_000);
    let latency = Duration::from_millis(10);
    let service = service(vec![50.0, 1e9], latency, load.partition_of(), &seen);
    let limiter = Limiter::new(1_000.0);
    let patience = retries(u32::MAX, Duration::from_secs(5));
    let writer = writer(&service, &limiter, &recorder).retry_policy(patience);
    write_at_the_rate(writer.build(), &limiter, &load.ops, 25).await;
    load.assert_written(&service, &recorder);
}

#[tokio::test(start_paused = true)]
async fn the_writer_is_ready_while_operations_are_parked_and_flushes_them() {
    let (seen, recorder) = (Seen::default(), Recorder::default());
    let load = HotLoad::new(&mut Rng::with_seed(3), 2_000, 0.9, 100, 1_000_000);
    let service = service(
        vec![20.0, 1e9],
        Duration::from_millis(10),
        load.partition_of(),
        &seen,
    );
    let mut writer = Writer::builder(service.clone())
        .outcomes(recorder.outcomes())
        .concurrency(Concurrency::Fixed(2))
        .jitter_seed(1)
        .build();
    let start = Instant::now();
    for ops in load.ops.chunks(25) {
        sleep(Duration::from_millis(20)).await;
        writer.feed(batch(ops.iter().cloned())).await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(writer.shared.state().parked_ops > 1_000);
    writer.flush().await.unwrap();
    load.assert_written(&service, &recorder);
    assert_eq!(writer.shared.state().parked_ops, 0);
}

/// The rate falls below what the partition of the hot key takes, so that its operations could use all of it.
#[tokio::test(start_paused = true)]
async fn a_hot_key_that_waits_does_not_hold_up_the_others() {
    let (seen, recorder) = (Seen::default(), Recorder::default());
    let load = HotLoad::new(&mut Rng::with_seed(7), 30_000, 0.6, 500, 1_000_000);
    let latency = Duration::from_millis(10);
    let service = service(vec![300.0, 1e9], latency, load.partition_of(), &seen);
    let limiter = Limiter::new(2_000.0);
    let falls = limiter.clone();
    let change = tokio::spawn(async move {
        sleep(Duration::from_secs(6)).await;
        falls.0.lock().unwrap().rate = 250.0;
    });
    let count = seen.clone();
    let watch = tokio::spawn(async move {
        sleep(Duration::from_secs(7)).await;
        let before = count.0.lock().unwrap().others;
        sleep(Duration::from_secs(10)).await;
        count.0.lock().unwrap().others - before
    });
    write_at_the_rate(
        writer(&service, &limiter, &recorder).build(),
        &limiter,
        &load.ops,
        25,
    )
    .await;
    change.await.unwrap();
    let others = watch.await.unwrap();
    assert!(
        others > 500,
        "{others} of others in ten seconds at 250 units a second"
    );
}

#[tokio::test(start_paused = true)]
async fn parked_operations_count_with_what_it_takes_to_hold_them() {
    let (seen, recorder) = (Seen::default(), Recorder::default());
    let load = HotLoad::new(&mut Rng::with_seed(3), 2_000, 0.9, 100, 1_000_000);
    let latency = Duration::from_millis(10);
    let service = service(vec![20.0, 1e9], latency, load.partition_of(), &seen);
    let (limiter, max_bytes) = (Limiter::new(1_000.0), 200_000);
    let writer = writer(&service, &limiter, &recorder).max_buffered_bytes(max_bytes);
    let writer = writer.build();
    let shared = Arc::clone(&writer.shared);
    let watch = async {
        sleep(Duration::from_secs(10)).await;
        let state = shared.state();
        (state.counted_bytes(), state.parked_ops)
    };
    let write = write_at_the_rate(writer, &limiter, &load.ops, 25);
    let ((), (bytes, parked)) = tokio::join!(write, watch);
    load.assert_written(&service, &recorder);
    let (op, batch) = (bytes / parked, 25 * bytes / parked);
    assert!(op > 2 * load.ops[0].memory(), "{op} bytes each");
    assert!(
        (max_bytes..max_bytes + 2 * batch).contains(&bytes),
        "{bytes} of {parked}"
    );
}

async fn run(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let (counted, recorder, start) = (Seen::default(), Recorder::default(), Instant::now());
    let items = [3, 200, 1_000_000][rng.usize(..3)];
    let share = 0.1 + 0.6 * rng.f64();
    let load = HotLoad::new(&mut rng, 3_000, share, 300, items);
    let rate = 200.0 + 2_000.0 * rng.f64();
    let hot_rate = 10.0 + 200.0 * rng.f64();
    let latency = Duration::from_millis(rng.u64(1..100));
    let service = service(vec![hot_rate, 1e9], latency, load.partition_of(), &counted);
    let limiter = Limiter::new(rate);
    let max_bytes = [usize::MAX, 100_000, 20_000][rng.usize(..3)];
    let builder = writer(&service, &limiter, &recorder)
        .retry_policy(retries(u32::MAX, FOREVER))
        .max_buffered_bytes(max_bytes);
    let writer = builder.build();
    let shared = Arc::clone(&writer.shared);
    let largest = 25 * load.ops.iter().map(WriteOp::memory).max().unwrap();
    let watch = tokio::spawn(async move {
        loop {
            let held = shared.state().held_bytes;
            assert!(held <= max_bytes.saturating_add(largest), "{held} bytes");
            sleep(Duration::from_millis(50)).await;
        }
    });
    write_at_the_rate(writer, &limiter, &load.ops, rng.usize(1..=25)).await;
    assert!(!watch.is_finished(), "the bound on bytes");
    watch.abort();
    load.assert_written(&service, &recorder);
    let counts = counted.0.lock().unwrap().clone();
    assert_eq!(counts.written, 3_000);
    if items > 1_000 {
        let least = (load.hot_ops() / hot_rate).max(3_000.0 / rate);
        let share = least / start.elapsed().as_secs_f64();
        assert!(share > 0.85, "{share} of what the partition can take");
        assert!(counts.refused < 3_000 * 6 / 100, "{counts:?}");
    }
}

#[test]
fn whatever_the_rates_a_hot_key_is_written_in_order_and_in_full() {
    for seed in 0..60 {
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
