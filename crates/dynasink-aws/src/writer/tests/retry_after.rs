//! Waits that the service asks for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynasink_core::WriteBatch;
use tokio::time::Instant;

use super::service::{Fate, Service, throttled};
use super::{FOREVER, Recorder, batch, batches, op, retries, write, writer};
use crate::classify::Cause;

const SECOND: Duration = Duration::from_secs(1);

/// A service that decides by `fate` from the number of the request, and the times at which requests came.
fn timed(
    mut fate: impl FnMut(usize, &WriteBatch) -> Fate + Send + 'static,
) -> (Service, Arc<Mutex<Vec<Duration>>>) {
    let (start, times) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&times);
    let service = Service::new(move |request| {
        let mut times = noted.lock().unwrap();
        times.push(start.elapsed());
        fate(times.len(), request)
    });
    (service, times)
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_asked_for_is_kept_with_the_jitter_on_top() {
    for cause in [throttled(), Cause::Internal] {
        let told = cause.clone();
        let (service, times) = timed(move |nth, request| match nth {
            1..=5 => Fate::failed(request, told.clone()).asking_for(30 * SECOND),
            _ => Fate::written(),
        });
        let recorder = Recorder::default();
        write(writer(&service, &recorder).build(), [batch([op(0)])])
            .await
            .unwrap();
        let times = times.lock().unwrap().clone();
        let waits = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let waits: Vec<_> = waits.collect();
        assert_eq!(waits.len(), 5);
        for wait in &waits {
            assert!((30 * SECOND..32 * SECOND).contains(wait), "{waits:?}");
        }
        assert!(waits.iter().any(|wait| *wait > 30 * SECOND + SECOND / 20));
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_operations_of_that_request_wait() {
    let (service, times) = timed(|nth, request| match nth {
        1 => Fate::failed(request, throttled()).asking_for(30 * SECOND),
        _ => Fate::written(),
    });
    let recorder = Recorder::default();
    let writer = writer(&service, &recorder).concurrency(crate::Concurrency::Fixed(1));
    write(writer.build(), batches(0..100)).await.unwrap();
    let times = times.lock().unwrap().clone();
    assert_eq!(times.len(), 5);
    assert!(times[3] < SECOND && times[4] > 30 * SECOND, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_parked_for_longer_than_the_policy_grants() {
    for asked in [Duration::from_hours(24 * 365), Duration::MAX] {
        let (service, times) = timed(move |nth, request| match nth {
            1 => Fate::failed(request, Cause::Internal).asking_for(asked),
            _ => Fate::written(),
        });
        let recorder = Recorder::default();
        let mut policy = retries(10, FOREVER);
        assert_eq!(policy.max_retry_after, 60 * SECOND);
        policy.max_retry_after = 10 * SECOND;
        let writer = writer(&service, &recorder).retry_policy(policy);
        write(writer.build(), [batch([op(0)])]).await.unwrap();
        let second = times.lock().unwrap()[1];
        assert!((10 * SECOND..11 * SECOND).contains(&second), "{second:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_counts_as_time_that_an_operation_is_tried() {
    let (service, times) =
        timed(|_, request| Fate::failed(request, throttled()).asking_for(30 * SECOND));
    let recorder = Recorder::default();
    let writer = writer(&service, &recorder).retry_policy(retries(u32::MAX, 45 * SECOND));
    write(writer.build(), [batch([op(0)])]).await.unwrap();
    assert_eq!(recorder.dead()[&0].attempts, 3);
    assert_eq!(times.lock().unwrap().len(), 3);
    assert_eq!(service.requests().concat(), [0; 3]);
}
