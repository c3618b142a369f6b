//! Who learns from answers, and when.

use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;

use dynasink_core::{
    Admission, BatchLimit, BatchSizer, CapacityFeedback, CapacityObserver, WriteCost,
};
use tokio::time::sleep;

use super::service::{Fate, Service, throttled};
use super::sink::{poll_flush, start_send};
use super::{Recorder, batch, batches, op, write, writer};
use crate::concurrency::Concurrency;

const SECOND: Duration = Duration::from_secs(1);

/// Keeps what it is told of answers.
#[derive(Clone, Debug, Default)]
struct Answers(Arc<Mutex<Vec<CapacityFeedback>>>);

impl CapacityObserver for Answers {
    fn observe(&self, feedback: &CapacityFeedback) {
        self.0.lock().unwrap().push(feedback.clone());
    }
}

/// Notes how many answers had been told of when it was woken.
#[derive(Debug)]
struct Onlooker {
    answers: Answers,
    seen: Mutex<Vec<usize>>,
}

impl Wake for Onlooker {
    fn wake(self: Arc<Self>) {
        let answers = self.answers.0.lock().unwrap().len();
        self.seen.lock().unwrap().push(answers);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_woken_when_all_observers_have_been_told_and_not_for_nothing() {
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        match nth {
            1 => Fate::failed(request, throttled()),
            2 => Fate::unprocessed([7]),
            _ => Fate::written(),
        }
    });
    let answers = Answers::default();
    let mut writer = writer(&service, &Recorder::default())
        .capacity_observer(answers.clone())
        .build();
    let onlooker = Arc::new(Onlooker {
        answers,
        seen: Mutex::default(),
    });
    let waker = Waker::from(Arc::clone(&onlooker));
    start_send(&mut writer, batch((0..25).map(op)));
    for _ in 0..1000 {
        if poll_flush(&mut writer, &waker).is_ready() {
            break;
        }
        sleep(SECOND / 1000).await;
    }
    // The first answer had no outcome in it.
    assert_eq!(*onlooker.seen.lock().unwrap(), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn capacity_observers_learn_of_every_answer() {
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        match nth {
            1 => Fate::unprocessed(0..5).after(SECOND),
            2 => Fate::failed(request, throttled()).after(2 * SECOND),
            3 => Fate::failed(request, crate::Cause::Internal).after(3 * SECOND),
            _ => Fate::written(),
        }
    });
    let (recorder, answers) = (Recorder::default(), Answers::default());
    let writer = writer(&service, &recorder)
        .concurrency(Concurrency::Fixed(3))
        .capacity_observer(answers.clone());
    write(writer.build(), batches(0..75)).await.unwrap();
    let answers = answers.0.lock().unwrap().clone();
    assert_eq!(answers.len(), service.requests().len());
    let sums = |part: fn(&CapacityFeedback) -> usize| answers.iter().map(part).sum::<usize>();
    assert_eq!(sums(|answer| answer.written_ops), 75);
    assert_eq!(sums(|answer| answer.throttled_ops), 30);
    assert_eq!(sums(|answer| answer.failed_ops), 25);
    assert_eq!(sums(|answer| answer.retried_ops), 55);
    let units: u64 = answers
        .iter()
        .map(|answer| answer.written.units().get())
        .sum();
    assert_eq!(units, 75);
    for answer in &answers {
        // The units of refused operations; those of the failed request may have been drawn.
        let refused = answer.throttled_ops as u64;
        assert_eq!(answer.unwritten.units().get(), refused, "{answer:?}");
    }
    let consumed: u64 = answers
        .iter()
        .map(|answer| answer.table_units().get())
        .sum();
    assert_eq!(consumed, 75);
    let first = &answers[0];
    assert_eq!((first.written_ops, first.throttled_ops), (20, 5));
    assert_eq!(first.latency, SECOND);
    assert_eq!(first.in_flight, 2);
}

#[tokio::test(start_paused = true)]
async fn a_sizer_learns_how_long_a_request_was_that_had_no_answer() {
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        match nth {
            1 => Fate::failed(request, crate::Cause::Unreachable),
            2 => Fate::failed(request, crate::Cause::Internal),
            _ => Fate::written(),
        }
    });
    let answers = Answers::default();
    let writer = writer(&service, &Recorder::default()).capacity_observer(answers.clone());
    write(writer.build(), batches(0..25)).await.unwrap();
    let answers = answers.0.lock().unwrap().clone();
    let unanswered: Vec<bool> = answers
        .iter()
        .map(|answer| answer.is_unanswered())
        .collect();
    assert_eq!(unanswered, [true, false, false]);
    let bytes = batches(0..25)[0].wire_len();
    assert!(
        answers.iter().all(|answer| answer.wire_bytes == bytes),
        "{answers:?}"
    );
}

impl Admission for Answers {
    fn try_admit(&self, _: &WriteCost) -> Result<(), Duration> {
        Ok(())
    }

    fn give_back(&self, _: &WriteCost) {}
}

impl BatchSizer for Answers {
    fn limit(&self) -> BatchLimit {
        BatchLimit::REQUEST
    }
}

#[tokio::test(start_paused = true)]
async fn what_admits_and_what_sizes_learn_of_every_answer_once() {
    let mut nth = 0;
    let service = Service::new(move |request| {
        nth += 1;
        match nth {
            1 => Fate::failed(request, throttled()),
            2 => Fate::unprocessed([30]),
            _ => Fate::written(),
        }
    });
    let (limiter, sizer, progress) = (Answers::default(), Answers::default(), Answers::default());
    let writer = writer(&service, &Recorder::default())
        .admission(limiter.clone())
        .sizer(sizer.clone())
        .capacity_observer(progress.clone());
    write(writer.build(), batches(0..100)).await.unwrap();
    let told = |answers: &Answers| answers.0.lock().unwrap().clone();
    assert_eq!(told(&progress).len(), service.requests().len());
    assert_eq!(told(&limiter), told(&progress));
    assert_eq!(told(&sizer), told(&progress));
}
