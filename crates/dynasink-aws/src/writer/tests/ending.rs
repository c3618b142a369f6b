//! However the writer ends, whoever waits for it learns of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use dynasink_core::{
    Admission, CapacityFeedback, CapacityObserver, ObserverError, OutcomeEvent, OutcomeObserver,
    Outcomes, StageError, TableSchema, WriteBatch, WriteCost,
};
use futures::{Sink, SinkExt};
use tokio::time::sleep;

use super::service::{Fate, Service, throttled};
use super::sink::{Alarm, fill, poll_flush, start_send};
use super::{FOREVER, Recorder, batch, batches, op, writer};
use crate::classify::Cause;
use crate::concurrency::Concurrency;
use crate::error::Error;
use crate::transport::{BatchResponse, RequestError, Transport};
use crate::writer::Writer;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn dropping_the_writer_ends_its_requests() {
    let service = Service::new(|_| Fate::written().after(SECOND));
    let recorder = Recorder::default();
    let mut writer = writer(&service, &recorder).build();
    fill(&mut writer, Waker::noop(), batches(0..1000));
    sleep(SECOND / 10).await;
    assert_eq!(service.requests_in_flight(), 4);
    drop(writer);
    sleep(60 * SECOND).await;
    assert_eq!(service.requests_in_flight(), 0);
    assert_eq!(service.requests().len(), 4);
    assert_eq!(recorder.rows().len(), 0);
}

/// Operations that wait for another attempt, for the budget or for the limiter are no request, and go as well.
#[tokio::test(start_paused = true)]
async fn dropping_the_writer_lets_go_of_all_that_it_held() {
    let causes = [Cause::Unreachable, throttled(), Cause::Internal];
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        match nth {
            1 => Fate::written().after(60 * SECOND),
            _ => Fate::failed(request, causes[nth % 3].clone()),
        }
    });
    let (recorder, limiter) = (Recorder::default(), Arc::new(Closed));
    let mut policy = super::retries(u32::MAX, FOREVER);
    policy.budget.reserve = 1.0;
    let mut writer = writer(&service, &recorder)
        .retry_policy(policy)
        .admission(Arc::clone(&limiter))
        .build();
    fill(&mut writer, Waker::noop(), batches(0..1000));
    sleep(SECOND).await;
    let requests = service.requests().len();
    assert!(requests > 4 && service.requests_in_flight() == 1);
    assert_eq!(Arc::strong_count(&limiter), 2);
    drop(writer);
    sleep(3600 * SECOND).await;
    assert_eq!(service.requests_in_flight(), 0);
    assert_eq!(service.requests().len(), requests);
    assert_eq!(recorder.rows().len(), 0);
    assert_eq!(Arc::strong_count(&limiter), 1);
    assert_eq!(service.handles(), 1);
}

/// Admits nothing.
#[derive(Debug)]
struct Closed;

impl CapacityObserver for Closed {
    fn observe(&self, _: &CapacityFeedback) {}
}

impl Admission for Closed {
    fn try_admit(&self, _: &WriteCost) -> Result<(), Duration> {
        Err(SECOND)
    }

    fn give_back(&self, _: &WriteCost) {}
}

/// Fails, or panics, at the outcome of one row.
#[derive(Debug)]
struct Unable {
    row: u64,
    panics: bool,
}

impl OutcomeObserver for Unable {
    fn observe(&self, event: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        if event.position.unwrap().row() != self.row {
            return Ok(());
        }
        assert!(!self.panics, "the observer is broken");
        Err(ObserverError {
            observer: "dead letters".to_owned(),
            source: "the disk is full".into(),
        })
    }
}

fn told(observer: impl OutcomeObserver + 'static) -> Outcomes {
    let observer: Arc<dyn OutcomeObserver> = Arc::new(observer);
    Outcomes::to([observer])
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_recorded_stops_the_writer() {
    let service = Service::healthy();
    let outcomes = told(Unable {
        row: 30,
        panics: false,
    });
    let mut writer = writer(&service, &Recorder::default())
        .outcomes(outcomes)
        .concurrency(Concurrency::Fixed(1))
        .build();
    for batch in batches(0..100).into_iter().take(2) {
        writer.feed(batch).await.unwrap();
    }
    let error = writer.close().await.unwrap_err();
    assert!(
        matches!(error, Error::Stage(StageError::Observer(_))),
        "{error:?}"
    );
    assert_eq!(service.requests().len(), 2);

    // After an error every call is refused.
    let poisoned = |error: Error| {
        matches!(
            error,
            Error::Stage(StageError::Poisoned { stage: "writer" })
        )
    };
    let start = Pin::new(&mut writer).start_send(batch([op(0)]));
    assert!(poisoned(start.unwrap_err()));
    assert!(poisoned(writer.feed(batch([op(0)])).await.unwrap_err()));
    assert!(poisoned(writer.flush().await.unwrap_err()));
    assert!(poisoned(writer.close().await.unwrap_err()));
}

/// A transport, or an observer, that panics.
#[derive(Debug)]
struct Broken;

impl Transport for Broken {
    async fn batch_write(&self, _: &WriteBatch) -> Result<BatchResponse, RequestError> {
        panic!("the transport is broken");
    }

    async fn describe_table(&self, _: &str) -> Result<TableSchema, Error> {
        panic!("the transport is broken");
    }
}

impl CapacityObserver for Broken {
    fn observe(&self, _: &CapacityFeedback) {
        panic!("the observer is broken");
    }
}

async fn aborted<T: Transport>(mut writer: Writer<T>) {
    for batch in batches(0..50) {
        start_send(&mut writer, batch);
    }
    let close = tokio::time::timeout(FOREVER, writer.close());
    let error = close.await.expect("the writer hangs").unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    let again = writer.flush().await.unwrap_err();
    assert!(matches!(again, Error::Stage(StageError::Poisoned { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_and_never_a_hang() {
    let (service, recorder) = (Service::healthy(), Recorder::default());
    let row_0 = Unable {
        row: 0,
        panics: true,
    };
    aborted(writer(&service, &recorder).outcomes(told(row_0)).build()).await;
    aborted(
        writer(&service, &recorder)
            .capacity_observer(Broken)
            .build(),
    )
    .await;
    aborted(Writer::builder(Broken).build()).await;
}

#[test]
fn a_runtime_that_ends_is_an_error_and_never_a_hang() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    let (service, recorder) = (Service::healthy(), Recorder::default());
    let aborted = |mut writer: Writer<Service>| {
        let poll = poll_flush(&mut writer, Waker::noop());
        assert!(
            matches!(poll, Poll::Ready(Err(Error::Aborted { unresolved: 1 }))),
            "{poll:?}"
        );
    };

    // In the middle, with somebody waiting.
    let (alarm, waker) = Alarm::new();
    let mut interrupted = writer(&service, &recorder).build();
    let first = runtime();
    first.block_on(async {
        start_send(&mut interrupted, batch([op(0)]));
        assert!(poll_flush(&mut interrupted, &waker).is_pending());
        tokio::task::yield_now().await;
    });
    drop(first);
    assert!(alarm.rang());
    aborted(interrupted);

    // Before the writer's task has ever run.
    let ended = runtime();
    let handle = ended.handle().clone();
    drop(ended);
    let _entered = handle.enter();
    let mut late = writer(&service, &recorder).build();
    start_send(&mut late, batch([op(0)]));
    aborted(late);
}
