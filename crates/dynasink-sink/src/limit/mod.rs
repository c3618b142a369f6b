//! Batches let through at a rate of write capacity units.

mod attribution;
mod bucket;
mod budget;
mod clock;
mod law;
mod limiter;
mod price;
mod resource;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dynasink_core::{Admission, Fuse, StageError, WriteBatch};
use futures::Sink;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

pub use law::{AutoRate, Observation, RateLaw, YieldingRate};
pub use limiter::RateLimiter;

/// After so long it asks again, where a wait is beyond what the clock can tell.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

pin_project! {
    /// A sink of batches that lets each pass when its units are to be had.
    ///
    /// - In and out: [`WriteBatch`], unchanged and in order.
    /// - Held: one batch.
    /// - Flush and close: wait for the held batch's turn, send it on, then flush or close the inner sink.
    ///
    /// It first reserves the inner sink and then takes the units, so that no units are spent on a batch that
    /// cannot leave. It waits on tokio's timer and so follows paused time.
    ///
    /// Made by [`BatchSinkExt::rate_limited`](crate::BatchSinkExt::rate_limited).
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    pub struct RateLimited<S> {
        #[pin]
        inner: S,
        admission: Arc<dyn Admission>,
        slot: Option<WriteBatch>,
        wait: Option<Pin<Box<Sleep>>>,
        waiting: bool,
        fuse: Fuse,
    }
}

impl<S: Sink<WriteBatch>> RateLimited<S>
where
    S::Error: From<StageError>,
{
    pub(crate) fn new(inner: S, admission: Arc<dyn Admission>) -> Self {
        Self {
            inner,
            admission,
            slot: None,
            wait: None,
            waiting: false,
            fuse: Fuse::new("rate limit"),
        }
    }

    /// The sink below.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    fn poll_pass(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let mut this = self.project();
        while let Some(batch) = this.slot.as_ref() {
            ready!(this.inner.as_mut().poll_ready(cx))?;
            if *this.waiting {
                if let Some(wait) = this.wait {
                    ready!(wait.as_mut().poll(cx));
                }
                *this.waiting = false;
            }
            match this.admission.try_admit(&batch.cost()) {
                Ok(()) => {
                    if let Some(batch) = this.slot.take() {
                        this.inner.as_mut().start_send(batch)?;
                    }
                }
                Err(duration) => {
                    *this.waiting = true;
                    let now = Instant::now();
                    let until = now.checked_add(duration).unwrap_or(now + LONGEST_WAIT);
                    match this.wait {
                        Some(wait) => wait.as_mut().reset(until),
                        None => *this.wait = Some(Box::pin(tokio::time::sleep_until(until))),
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Sink<WriteBatch>> Sink<WriteBatch> for RateLimited<S>
where
    S::Error: From<StageError>,
{
    type Error = S::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let passed = self.as_mut().poll_pass(cx);
        self.project().fuse.guard_poll(passed)
    }

    fn start_send(self: Pin<&mut Self>, batch: WriteBatch) -> Result<(), S::Error> {
        self.fuse.check()?;
        *self.project().slot = Some(batch);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let passed = self.as_mut().poll_pass(cx);
        ready!(self.as_mut().project().fuse.guard_poll(passed))?;
        let this = self.project();
        this.fuse.guard_poll(this.inner.poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check()?;
        let passed = self.as_mut().poll_pass(cx);
        ready!(self.as_mut().project().fuse.guard_poll(passed))?;
        let this = self.project();
        this.fuse.guard_close(this.inner.poll_close(cx))
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{CapacityFeedback, CapacityObserver, WriteCost, WriteUnits};
    use futures::SinkExt;

    use super::*;
    use crate::BatchSinkExt;
    use crate::contract::{self, Expect, StrictSink};
    use crate::test_ops::{op, row, rows};

    fn batch(row: u64, kilobytes: usize) -> WriteBatch {
        WriteBatch::of(op(0, row, kilobytes * 1024 - 100))
    }

    #[test]
    fn rate_limited_keeps_the_sink_contract() {
        let sent = |sent: &[WriteBatch]| sent.iter().flat_map(rows).collect();
        contract::check(
            // The largest batch costs four units, at 100 a second.
            &Expect::parts(sent, rows)
                .max_held(1)
                .timed(Duration::from_millis(50)),
            |rng| {
                (0..rng.u64(..12))
                    .map(|row| batch(row, rng.usize(1..=4)))
                    .collect()
            },
            |inner: StrictSink<WriteBatch>| {
                inner.rate_limited(RateLimiter::fixed(WriteUnits::new(100)))
            },
        );
    }

    #[tokio::test(start_paused = true)]
    async fn batches_pass_at_the_rate_and_in_order() {
        let (inner, probe) = StrictSink::new();
        probe.unblock();
        let mut sink = inner.rate_limited(RateLimiter::fixed(WriteUnits::new(10)));
        let start = Instant::now();
        for row in 0..20 {
            sink.feed(batch(row, 5)).await.unwrap();
        }
        sink.close().await.unwrap();
        let seconds = start.elapsed().as_secs_f64();
        assert!(
            (9.8..=10.2).contains(&seconds),
            "{seconds} s for 100 units at 10 a second"
        );
        let delivered: Vec<u64> = probe
            .delivered()
            .iter()
            .map(|batch| row(&batch.ops()[0]))
            .collect();
        assert_eq!(delivered, (0..20).collect::<Vec<_>>());
    }

    #[derive(Debug, Default)]
    struct Counting(std::sync::atomic::AtomicU64);

    impl CapacityObserver for Counting {
        fn observe(&self, _: &CapacityFeedback) {}
    }

    impl Admission for Counting {
        fn try_admit(&self, _: &WriteCost) -> Result<(), Duration> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        }

        fn give_back(&self, _: &WriteCost) {}
    }

    /// Never admits, and says so.
    #[derive(Debug)]
    struct Never;

    impl CapacityObserver for Never {
        fn observe(&self, _: &CapacityFeedback) {}
    }

    impl Admission for Never {
        fn try_admit(&self, _: &WriteCost) -> Result<(), Duration> {
            Err(Duration::MAX)
        }

        fn give_back(&self, _: &WriteCost) {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_no_clock_can_tell_is_waited_for() {
        let (inner, probe) = StrictSink::new();
        probe.unblock();
        let mut sink = inner.rate_limited(Arc::new(Never));
        let passed = tokio::time::timeout(Duration::from_hours(100), async {
            sink.feed(batch(0, 1)).await?;
            sink.flush().await
        });
        assert!(passed.await.is_err());
    }

    #[test]
    fn no_units_are_taken_for_a_batch_that_cannot_leave() {
        let admission = Arc::new(Counting::default());
        let (inner, probe) = StrictSink::new();
        let mut sink = inner.rate_limited(Arc::clone(&admission));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(sink.poll_ready_unpin(&mut cx).is_ready());
        sink.start_send_unpin(batch(0, 1)).unwrap();
        assert!(sink.poll_flush_unpin(&mut cx).is_pending());
        assert_eq!(admission.0.load(std::sync::atomic::Ordering::Relaxed), 0);
        probe.unblock();
        assert!(sink.poll_flush_unpin(&mut cx).is_ready());
        assert_eq!(admission.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}
