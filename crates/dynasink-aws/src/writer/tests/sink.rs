//! The writer as a sink: readiness, flush, wakers, errors, and its task behind it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use dynasink_core::{Outcome, WriteBatch};
use futures::{Sink, SinkExt};
use tokio::time::sleep;

use super::service::{Fate, Service, throttled};
use super::{FOREVER, Recorder, batch, batches, op, op_of, row_of, table, write, writer};
use crate::concurrency::Concurrency;
use crate::error::Error;
use crate::transport::Transport;
use crate::writer::Writer;

const SECOND: Duration = Duration::from_secs(1);

/// Counts how often it is woken.
#[derive(Debug, Default)]
pub(super) struct Alarm(AtomicUsize);

impl Alarm {
    pub(super) fn new() -> (Arc<Self>, Waker) {
        let alarm = Arc::new(Self::default());
        (Arc::clone(&alarm), Waker::from(alarm))
    }

    /// Waits until it has rung.
    async fn wait(&self) {
        for _ in 0..60_000 {
            if self.rang() {
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
        panic!("nobody was woken for a minute");
    }

    pub(super) fn rang(&self) -> bool {
        self.0.swap(0, Ordering::SeqCst) > 0
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll_ready<T: Transport>(writer: &mut Writer<T>, waker: &Waker) -> Poll<Result<(), Error>> {
    Pin::new(writer).poll_ready(&mut Context::from_waker(waker))
}

pub(super) fn poll_flush<T: Transport>(
    writer: &mut Writer<T>,
    waker: &Waker,
) -> Poll<Result<(), Error>> {
    Pin::new(writer).poll_flush(&mut Context::from_waker(waker))
}

pub(super) fn start_send<T: Transport>(writer: &mut Writer<T>, batch: WriteBatch) {
    Pin::new(writer).start_send(batch).unwrap();
}

fn is_ok(poll: &Poll<Result<(), Error>>) -> bool {
    matches!(poll, Poll::Ready(Ok(())))
}

/// Sends until it is not ready, and says how many batches that took.
pub(super) fn fill<T: Transport>(
    writer: &mut Writer<T>,
    waker: &Waker,
    batches: impl IntoIterator<Item = WriteBatch>,
) -> usize {
    let mut sent = 0;
    for batch in batches {
        if poll_ready(writer, waker).is_pending() {
            return sent;
        }
        start_send(writer, batch);
        sent += 1;
    }
    panic!("it took all {sent}");
}

#[tokio::test(start_paused = true)]
async fn with_nothing_held_flush_and_close_are_ready() {
    let (service, recorder) = (Service::healthy(), Recorder::default());
    let mut writer = writer(&service, &recorder).build();
    assert!(is_ok(&poll_flush(&mut writer, Waker::noop())));
    assert!(is_ok(&poll_ready(&mut writer, Waker::noop())));
    writer.close().await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(service.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_flush_is_ready_when_every_operation_has_its_outcome() {
    // The first attempt of row 7 is refused, and its second takes ten seconds.
    let mut seen = false;
    let service = Service::new(move |request| {
        if !request.ops().iter().any(|op| row_of(op) == 7) {
            Fate::written()
        } else if std::mem::replace(&mut seen, true) {
            Fate::written().after(10 * SECOND)
        } else {
            Fate::unprocessed([7])
        }
    });
    let recorder = Recorder::default();
    let mut writer = writer(&service, &recorder).build();
    let (alarm, waker) = Alarm::new();
    start_send(&mut writer, batch((0..25).map(op)));
    let mut polls = 0;
    while poll_flush(&mut writer, &waker).is_pending() {
        assert!(recorder.rows().len() < 25);
        alarm.wait().await;
        polls += 1;
    }
    assert_eq!(recorder.written(), (0..25).collect::<Vec<_>>());
    assert!(polls <= 3, "{polls} polls for two answers");
    // A flush is not the end.
    start_send(&mut writer, batch([op(25)]));
    assert!(poll_flush(&mut writer, &waker).is_pending());
    writer.close().await.unwrap();
    assert_eq!(recorder.written().len(), 26);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_bounded_and_room_wakes() {
    let service = Service::new(|_| Fate::written().after(SECOND));
    let recorder = Recorder::default();
    let mut writer = writer(&service, &recorder)
        .concurrency(Concurrency::Fixed(3))
        .build();
    let (alarm, waker) = Alarm::new();
    let mut batches = batches(0..1000).into_iter();
    assert_eq!(
        fill(&mut writer, &waker, &mut batches),
        4,
        "one batch for each request, and one more"
    );
    let mut rounds = 0;
    for _ in 0..60 {
        assert!(writer.shared.state().held_ops <= 150);
        sleep(SECOND / 10).await;
        if alarm.rang() {
            rounds += 1;
            fill(&mut writer, &waker, &mut batches);
        }
        assert!(alarm.0.load(Ordering::SeqCst) == 0, "woken without room");
    }
    assert!(rounds >= 5, "{rounds}");
    assert!(recorder.rows().len() >= 5 * 75);
    assert_eq!(service.most_in_flight(), 3);
}

#[tokio::test(start_paused = true)]
async fn bytes_are_bounded_with_one_batch_more() {
    let service = Service::new(|_| Fate::written().after(SECOND));
    let recorder = Recorder::default();
    let users = table("users");
    let large = (0..10).map(|row| batch([op_of(&users, row, row, 100_000)]));
    let mut writer = writer(&service, &recorder)
        .max_buffered_bytes(250_000)
        .build();
    assert_eq!(fill(&mut writer, Waker::noop(), large), 3);
    sleep(3 * SECOND).await;
    assert_eq!(writer.shared.state().held_bytes, 0);
    assert_eq!(writer.shared.state().held_ops, 0);

    let mut narrow = super::writer(&service, &recorder)
        .max_buffered_bytes(0)
        .build();
    let one = (10..13).map(|row| batch([op_of(&users, row, row, 0)]));
    assert_eq!(
        fill(&mut narrow, Waker::noop(), one),
        1,
        "a batch at a time, not none"
    );
}

#[tokio::test(start_paused = true)]
async fn no_concurrency_is_too_large() {
    let (service, recorder) = (Service::healthy(), Recorder::default());
    let writer = writer(&service, &recorder).concurrency(Concurrency::Fixed(usize::MAX));
    write(writer.build(), batches(0..1000)).await.unwrap();
    assert_eq!(recorder.written().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn requests_go_on_while_nobody_polls() {
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        if nth <= 4 {
            Fate::failed(request, throttled())
        } else {
            Fate::written()
        }
    });
    let recorder = Recorder::default();
    let mut writer = writer(&service, &recorder).build();
    for batch in batches(0..100) {
        start_send(&mut writer, batch);
    }
    sleep(60 * SECOND).await;
    assert_eq!(recorder.written().len(), 100);
}

/// The leftovers of merging wait for fresh operations, unless a flush says that none will come.
#[tokio::test(start_paused = true)]
async fn a_flush_does_not_wait_for_company() {
    let mut seen = false;
    let service = Service::new(move |_| {
        if std::mem::replace(&mut seen, true) {
            Fate::written().after(Duration::ZERO)
        } else {
            Fate::unprocessed(0..5).after(Duration::ZERO)
        }
    });
    let recorder = Recorder::default();
    let mut policy = super::retries(10, FOREVER);
    policy.throttled.base = Duration::ZERO;
    let writer = writer(&service, &recorder)
        .concurrency(Concurrency::Fixed(1))
        .retry_policy(policy);
    let start = tokio::time::Instant::now();
    write(writer.build(), batches(0..50)).await.unwrap();
    assert!(
        start.elapsed() < Duration::from_millis(10),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_latest_waker_is_woken() {
    let service = Service::new(|_| Fate::written().after(SECOND));
    let mut writer = writer(&service, &Recorder::default()).build();
    start_send(&mut writer, batch([op(0)]));
    let ((first, first_waker), (second, second_waker)) = (Alarm::new(), Alarm::new());
    assert!(poll_flush(&mut writer, &first_waker).is_pending());
    assert!(poll_flush(&mut writer, &second_waker).is_pending());
    sleep(2 * SECOND).await;
    assert!(second.rang());
    assert!(!first.rang());
    assert!(is_ok(&poll_flush(&mut writer, &second_waker)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_many_threads_nothing_is_lost_and_nothing_hangs() {
    let mut nth = 0_u32;
    let service = Service::new(move |request| {
        nth += 1;
        let fate = match nth % 7 {
            0 => Fate::failed(request, throttled()),
            1 | 2 => Fate::unprocessed(request.ops().iter().map(row_of).filter(|row| row % 3 == 0)),
            _ => Fate::written(),
        };
        fate.after(Duration::ZERO)
    });
    let recorder = Recorder::default();
    let mut policy = super::retries(1000, FOREVER);
    policy.throttled.base = Duration::ZERO;
    let writer = writer(&service, &recorder)
        .concurrency(Concurrency::Fixed(16))
        .retry_policy(policy);
    let all = write(writer.build(), batches(0..5_000));
    let ended = tokio::time::timeout(60 * SECOND, all).await;
    ended.expect("the writer hangs").unwrap();
    assert_eq!(recorder.written(), (0..5_000).collect::<Vec<_>>());
    assert_eq!(service.rows().len(), 5_000);
    service.requests();
    assert!(
        recorder
            .rows()
            .values()
            .all(|outcome| matches!(outcome, Outcome::Written { .. }))
    );
}
