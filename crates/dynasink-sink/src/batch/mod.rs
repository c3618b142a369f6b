//! Operations gathered into the batches of requests.

mod sizer;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use dynasink_core::{
    BatchLimit, BatchSizer, Fuse, StageError, WriteBatch, WriteBatchBuilder, WriteOp,
};
use futures::Sink;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

pub use sizer::{AdaptiveSizer, SizerLaw};

pin_project! {
    /// A sink of operations that gathers them into batches.
    ///
    /// - In: [`WriteOp`]. Out: [`WriteBatch`], a batch of as many operations as its sizer allows at the time,
    ///   never more than a request may carry, and never a key twice: an operation of a key that the open batch has
    ///   starts the next batch.
    /// - Order: that of arrival.
    /// - Held: one batch on its way out and one that fills, 50 operations at most.
    /// - Flush and close: send the open batch on, however small, then flush or close the inner sink.
    ///
    /// Made by [`BatchSinkExt::batched`](crate::BatchSinkExt::batched).
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    pub struct Batched<S> {
        #[pin]
        inner: S,
        filling: Filling,
        linger: Option<Linger>,
        fuse: Fuse,
    }
}

/// The batch that fills and the one that is on its way out.
#[derive(Debug)]
struct Filling {
    sizer: Arc<dyn BatchSizer>,
    /// That of the open batch.
    limit: BatchLimit,
    open: WriteBatchBuilder,
    open_is_complete: bool,
    sealed: Option<WriteBatch>,
    /// Whether the caller was told that it may send, and has not sent yet.
    granted: bool,
}

impl Filling {
    fn is_empty(&self) -> bool {
        self.sealed.is_none() && self.open.is_empty()
    }

    /// Moves the open batch to the way out, if that is free.
    fn seal(&mut self) {
        if self.sealed.is_none() {
            self.sealed = self.open.take();
            self.open_is_complete = false;
        }
    }

    fn push(&mut self, op: WriteOp) {
        // Asked once for each batch: what a sizer goes by may be behind a lock.
        if self.open.is_empty() {
            self.limit = self.sizer.limit();
        }
        let limit = self.limit;
        let fits = self.open.is_empty()
            || (self.open.len() < limit.ops
                && self.open.wire_len() + op.wire_len() <= limit.bytes
                && self.open.units() + op.units() <= limit.units);
        let left_over = if fits {
            self.open.push(op).err()
        } else {
            Some(op)
        };
        if let Some(op) = left_over {
            self.seal();
            self.limit = self.sizer.limit();
            // The open batch is empty now: the way out was free when this operation was granted, and if a
            // linger has taken it since, then it took the open batch there.
            let pushed = self.open.push(op);
            debug_assert!(pushed.is_ok());
        }
        let limit = self.limit;
        self.open_is_complete = self.open.len() >= limit.ops
            || self.open.is_full()
            || self.open.units() >= limit.units
            || self.open.wire_len() >= limit.bytes;
    }
}

#[derive(Debug)]
struct Linger {
    after: Duration,
    /// Set while a batch is open.
    timer: Pin<Box<Sleep>>,
    armed: bool,
}

impl Linger {
    fn arm(&mut self) {
        if !self.armed {
            self.restart(true);
        }
    }

    fn restart(&mut self, armed: bool) {
        self.armed = armed;
        if armed {
            self.timer.as_mut().reset(Instant::now() + self.after);
        }
    }

    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> bool {
        if self.armed && self.timer.as_mut().poll(cx).is_ready() {
            self.armed = false;
            return true;
        }
        false
    }
}

impl<S: Sink<WriteBatch>> Batched<S>
where
    S::Error: From<StageError>,
{
    pub(crate) fn new(inner: S, sizer: Arc<dyn BatchSizer>) -> Self {
        Self {
            inner,
            filling: Filling {
                sizer,
                limit: BatchLimit::REQUEST,
                open: WriteBatchBuilder::new(),
                open_is_complete: false,
                sealed: None,
                granted: false,
            },
            linger: None,
            fuse: Fuse::new("batch"),
        }
    }

    /// Sends a batch on when its first operation has waited for `after`, full or not.
    ///
    /// The timer runs while this sink is polled. A stage above that holds operations back does not poll it, so
    /// for a whole pipe [`Drive::linger`](crate::Drive::linger) is the better choice. Without a linger a batch
    /// waits until it is full, flushed or closed, which suits loads that end.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled.
    pub fn with_linger(mut self, after: Duration) -> Self {
        self.linger = Some(Linger {
            after,
            timer: Box::pin(tokio::time::sleep(after)),
            armed: false,
        });
        self
    }

    /// The sink below.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Sends the batch on that is on its way out, and then the open one if it is complete.
    fn poll_send_complete(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), S::Error>> {
        let mut this = self.project();
        loop {
            if this.filling.open_is_complete {
                this.filling.seal();
            }
            if this.filling.sealed.is_none() {
                let lingered = this
                    .linger
                    .as_mut()
                    .is_some_and(|linger| linger.poll_elapsed(cx));
                if lingered && !this.filling.open.is_empty() {
                    this.filling.open_is_complete = true;
                    continue;
                }
                return Poll::Ready(Ok(()));
            }
            ready!(this.inner.as_mut().poll_ready(cx))?;
            if let Some(batch) = this.filling.sealed.take() {
                this.inner.as_mut().start_send(batch)?;
            }
            if let Some(linger) = this.linger {
                linger.restart(!this.filling.open.is_empty());
            }
        }
    }

    fn poll_send_all(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        while !self.filling.is_empty() {
            let filling = self.as_mut().project().filling;
            filling.open_is_complete = !filling.open.is_empty();
            ready!(self.as_mut().poll_send_complete(cx))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Sink<WriteBatch>> Sink<WriteOp> for Batched<S>
where
    S::Error: From<StageError>,
{
    type Error = S::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let sent = self.as_mut().poll_send_complete(cx);
        let this = self.project();
        match this.fuse.guard_poll(sent)? {
            Poll::Pending if !this.filling.granted => Poll::Pending,
            // What was granted stays granted, though a linger may have taken the way out since.
            _ => {
                this.filling.granted = true;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn start_send(self: Pin<&mut Self>, op: WriteOp) -> Result<(), S::Error> {
        self.fuse.check()?;
        let this = self.project();
        this.filling.granted = false;
        this.filling.push(op);
        if let Some(linger) = this.linger {
            linger.arm();
        }
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.fuse.check()?;
        let sent = self.as_mut().poll_send_all(cx);
        ready!(self.as_mut().project().fuse.guard_poll(sent))?;
        let this = self.project();
        this.fuse.guard_poll(this.inner.poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check()?;
        let sent = self.as_mut().poll_send_all(cx);
        ready!(self.as_mut().project().fuse.guard_poll(sent))?;
        let this = self.project();
        this.fuse.guard_close(this.inner.poll_close(cx))
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::WriteUnits;
    use futures::SinkExt;

    use super::*;
    use crate::BatchSinkExt;
    use crate::contract::{self, Expect, StrictSink};
    use crate::test_ops::{op, random_ops, row, rows};

    fn up_to(ops: usize) -> BatchLimit {
        BatchLimit {
            ops,
            ..BatchLimit::REQUEST
        }
    }

    fn expect_rows() -> Expect<WriteOp, WriteBatch> {
        Expect::parts(|sent: &[WriteOp]| sent.iter().map(row).collect(), rows)
    }

    #[test]
    fn batched_keeps_the_sink_contract() {
        // Few keys, so that many batches are cut short because a key comes again.
        for keys in [2, 1000] {
            contract::check(
                &expect_rows().max_held(6),
                |rng| random_ops(rng, keys, 16),
                |inner: StrictSink<WriteBatch>| inner.batched(up_to(3)),
            );
        }
    }

    #[test]
    fn batched_with_a_linger_keeps_the_sink_contract() {
        let linger = Duration::from_millis(20);
        contract::check(
            &expect_rows().max_held(6).timed(linger),
            |rng| random_ops(rng, 1000, 16),
            |inner: StrictSink<WriteBatch>| inner.batched(up_to(3)).with_linger(linger),
        );
    }

    /// The rows of the batches that `ops` become, all sent and then closed.
    async fn batches(limit: BatchLimit, ops: Vec<WriteOp>) -> Vec<Vec<u64>> {
        let (inner, probe) = StrictSink::new();
        probe.unblock();
        let mut sink = inner.batched(limit);
        for op in ops {
            sink.feed(op).await.unwrap();
        }
        sink.close().await.unwrap();
        probe.delivered().iter().map(rows).collect()
    }

    fn ops(ids: impl IntoIterator<Item = u32>) -> Vec<WriteOp> {
        ids.into_iter()
            .zip(0..)
            .map(|(id, row)| op(id, row, 0))
            .collect()
    }

    #[tokio::test]
    async fn batches_are_full_but_for_the_last() {
        let sizes: Vec<usize> = batches(BatchLimit::REQUEST, ops(0..60))
            .await
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(sizes, [25, 25, 10]);
    }

    #[tokio::test]
    async fn a_key_that_comes_again_starts_the_next_batch() {
        assert_eq!(
            batches(up_to(25), ops([1, 2, 1, 3, 3])).await,
            [vec![0, 1], vec![2, 3], vec![4]]
        );
    }

    #[tokio::test]
    async fn a_batch_keeps_the_limits_of_units_and_bytes_and_one_operation_always_goes() {
        let units = BatchLimit {
            units: WriteUnits::new(5),
            ..BatchLimit::REQUEST
        };
        let sized = |kilobytes: &[usize]| {
            let sized = kilobytes.iter().zip(0..);
            sized
                .map(|(kilobytes, id)| op(id, u64::from(id), kilobytes * 1024 - 100))
                .collect()
        };
        assert_eq!(
            batches(units, sized(&[2, 2, 2, 9, 1, 5])).await,
            [vec![0, 1], vec![2], vec![3], vec![4], vec![5]]
        );
        let bytes = BatchLimit {
            bytes: 7 * 1024,
            ..BatchLimit::REQUEST
        };
        assert_eq!(
            batches(bytes, sized(&[2, 2, 2, 9, 1])).await,
            [vec![0, 1], vec![2], vec![3], vec![4]]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_linger_sends_a_batch_that_does_not_fill() {
        let (inner, probe) = StrictSink::new();
        probe.unblock();
        let mut sink = inner
            .batched(BatchLimit::REQUEST)
            .with_linger(Duration::from_millis(100));
        sink.feed(op(1, 0, 0)).await.unwrap();
        let start = Instant::now();
        while probe.delivered().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            futures::future::poll_fn(|cx| sink.poll_ready_unpin(cx))
                .await
                .unwrap();
        }
        let waited = start.elapsed().as_millis();
        assert!((100..=110).contains(&waited), "{waited} ms");
    }
}
