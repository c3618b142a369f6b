//! Runs a stream into a sink without breaking its batches.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Sink, Stream, StreamExt, TryStream, stream};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

/// Runs `stream` into `sink`, and closes the sink at the end.
///
/// Why not [`forward`](futures::StreamExt::forward)? It flushes the sink whenever the stream has nothing ready,
/// and each flush sends a partial batch: 100 operations that come one by one become 100 requests instead of 4
/// (`cargo test -p dynasink-sink forward`). It is correct, only dearer; and on an error of the stream it leaves
/// the sink unclosed.
///
/// `drive` reserves before it pulls, so that nothing is in its hands while it waits, and dropping it loses only
/// what the sink holds. It flushes on request ([`flush_on`](Drive::flush_on)), when asked to if the stream
/// trickles ([`linger`](Drive::linger)), and closes the sink when the stream
/// ends, when the stream fails and on shutdown ([`until`](Drive::until)): every operation that was accepted has
/// then its outcome.
pub fn drive<'a, St, Si>(stream: St, sink: Si) -> Drive<'a, St, Si>
where
    St: TryStream,
    Si: Sink<St::Ok>,
{
    Drive {
        stream,
        sink,
        shutdown: Box::pin(std::future::pending()),
        flushes: Box::pin(stream::pending()),
        linger: None,
        unflushed: false,
        flushing: false,
        items: 0,
        end: None,
    }
}

/// What a finished [`drive`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriveReport {
    /// Items that the sink accepted.
    pub items: u64,
    /// Why it ended.
    pub end: DriveEnd,
}

/// Why a [`drive`] ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriveEnd {
    /// The stream has no more items.
    Exhausted,
    /// The shutdown future was ready.
    Shutdown,
}

/// Why the sink is to be closed: the stream's end, a shutdown, or the stream's error.
type EndOf<St> = Result<DriveEnd, <St as TryStream>::Error>;

/// Why a [`drive`] failed.
#[derive(Debug)]
pub enum DriveError<U, S> {
    /// The stream failed. The sink was closed all the same.
    Stream {
        /// Items that the sink had accepted.
        items: u64,
        /// The stream's error.
        source: U,
        /// The sink's error, if closing it failed too.
        close: Option<S>,
    },
    /// The sink failed.
    Sink {
        /// Items that the sink had accepted.
        items: u64,
        /// The sink's error.
        source: S,
    },
}

impl<U, S> fmt::Display for DriveError<U, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream { items, .. } => write!(f, "the source failed after {items} items"),
            Self::Sink { items, .. } => write!(f, "the sink failed after {items} items"),
        }
    }
}

impl<U, S> std::error::Error for DriveError<U, S>
where
    U: std::error::Error + 'static,
    S: std::error::Error + 'static,
{
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stream { source, .. } => Some(source),
            Self::Sink { source, .. } => Some(source),
        }
    }
}

pin_project! {
    /// The future of [`drive`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Drive<'a, St: TryStream, Si> {
        #[pin]
        stream: St,
        #[pin]
        sink: Si,
        shutdown: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
        flushes: Pin<Box<dyn Stream<Item = ()> + Send + 'a>>,
        linger: Option<Linger>,
        unflushed: bool,
        flushing: bool,
        items: u64,
        end: Option<EndOf<St>>,
    }
}

impl<'a, St: TryStream, Si: Sink<St::Ok>> Drive<'a, St, Si> {
    /// Stops pulling when `shutdown` is ready, and closes the sink.
    pub fn until(mut self, shutdown: impl Future<Output = ()> + Send + 'a) -> Self {
        self.shutdown = Box::pin(shutdown);
        self
    }

    /// Flushes the sink each time that `requests` yields, before it pulls again.
    pub fn flush_on(mut self, requests: impl Stream<Item = ()> + Send + 'a) -> Self {
        self.flushes = Box::pin(requests.chain(stream::pending()));
        self
    }

    /// Flushes the sink when the stream has nothing ready and an item has waited for `after` since it was
    /// accepted: for streams that trickle, where the next item may be long in coming.
    ///
    /// The whole pipe is flushed, whatever its stages hold back, and nothing is pulled until that is done. A
    /// stream that always has something ready is never held up.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled.
    pub fn linger(mut self, after: Duration) -> Self {
        self.linger = Some(Linger {
            after,
            timer: Box::pin(tokio::time::sleep(after)),
        });
        self
    }

    /// Moves items until there is a reason to close the sink: the inner result.
    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<EndOf<St>, Si::Error>> {
        let mut this = self.project();
        loop {
            if this.shutdown.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Ok(DriveEnd::Shutdown)));
            }
            *this.flushing |= this.flushes.as_mut().poll_next(cx).is_ready();
            if *this.flushing {
                ready!(this.sink.as_mut().poll_flush(cx))?;
                *this.flushing = false;
                *this.unflushed = false;
            }
            ready!(this.sink.as_mut().poll_ready(cx))?;
            match this.stream.as_mut().try_poll_next(cx) {
                Poll::Ready(Some(Ok(item))) => {
                    this.sink.as_mut().start_send(item)?;
                    *this.items += 1;
                    if !std::mem::replace(this.unflushed, true)
                        && let Some(linger) = this.linger
                    {
                        linger.restart();
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Ok(Err(error))),
                Poll::Ready(None) => return Poll::Ready(Ok(Ok(DriveEnd::Exhausted))),
                Poll::Pending => match this.linger {
                    Some(linger) if *this.unflushed => {
                        ready!(linger.timer.as_mut().poll(cx));
                        *this.flushing = true;
                    }
                    _ => return Poll::Pending,
                },
            }
        }
    }

    fn poll_to_end(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Si::Error>> {
        if self.end.is_none() {
            let end = ready!(self.as_mut().poll_run(cx))?;
            *self.as_mut().project().end = Some(end);
        }
        self.project().sink.poll_close(cx)
    }
}

struct Linger {
    after: Duration,
    /// When the oldest item that was not flushed has waited long enough.
    timer: Pin<Box<Sleep>>,
}

impl Linger {
    fn restart(&mut self) {
        self.timer.as_mut().reset(Instant::now() + self.after);
    }
}

impl<St: TryStream, Si> fmt::Debug for Drive<'_, St, Si> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive")
            .field("items", &self.items)
            .finish_non_exhaustive()
    }
}

impl<St: TryStream, Si: Sink<St::Ok>> Future for Drive<'_, St, Si> {
    type Output = Result<DriveReport, DriveError<St::Error, Si::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let sunk = ready!(self.as_mut().poll_to_end(cx));
        let this = self.project();
        let items = *this.items;
        Poll::Ready(match (this.end.take(), sunk) {
            (Some(Err(source)), closed) => Err(DriveError::Stream {
                items,
                source,
                close: closed.err(),
            }),
            (_, Err(source)) => Err(DriveError::Sink { items, source }),
            (end, Ok(())) => Ok(DriveReport {
                items,
                // The sink is closed only after there was a reason to.
                end: end.and_then(Result::ok).unwrap_or(DriveEnd::Exhausted),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use dynasink_core::{BatchLimit, WriteBatch, WriteOp};
    use futures::FutureExt;
    use futures::channel::mpsc;
    use tokio::task::yield_now;

    use super::*;
    use crate::contract::{Method, Probe, StrictError, StrictSink};
    use crate::test_ops::op;
    use crate::{BatchSinkExt, Dedup, DedupWindow, WriteSinkExt};

    fn pipe() -> (
        impl Sink<WriteOp, Error = StrictError> + Unpin,
        Probe<WriteBatch>,
    ) {
        let (inner, probe) = StrictSink::new();
        probe.unblock();
        (inner.batched(BatchLimit::REQUEST), probe)
    }

    /// Operations that come one by one, with nothing ready in between.
    fn trickle(count: u32) -> impl Stream<Item = Result<WriteOp, StrictError>> {
        stream::iter(0..count).then(|id| async move {
            yield_now().await;
            Ok(op(id, u64::from(id), 0))
        })
    }

    #[tokio::test]
    async fn drive_fills_batches_where_forward_sends_each_operation_alone() {
        let (sink, probe) = pipe();
        let report = drive(std::pin::pin!(trickle(100)), sink).await.unwrap();
        let exhausted = DriveReport {
            items: 100,
            end: DriveEnd::Exhausted,
        };
        assert_eq!(report, exhausted);
        assert_eq!(probe.delivered().len(), 4);

        let (sink, probe) = pipe();
        trickle(100).forward(sink).await.unwrap();
        assert_eq!(probe.delivered().len(), 100);
    }

    #[tokio::test]
    async fn an_error_of_the_stream_closes_the_sink_and_comes_back() {
        let (sink, probe) = pipe();
        let source = "disk".parse::<u32>().unwrap_err();
        let stream = stream::iter([
            Ok(op(1, 0, 0)),
            Ok(op(2, 1, 0)),
            Err(source.clone()),
            Ok(op(3, 2, 0)),
        ]);
        let error = drive(stream, sink).await.unwrap_err();
        assert!(
            matches!(&error, DriveError::Stream { items: 2, source: s, close: None } if *s == source),
            "{error:?}"
        );
        assert!(probe.is_closed());
        assert_eq!(probe.delivered().len(), 1);
    }

    #[tokio::test]
    async fn a_shutdown_stops_the_pulling_and_closes_the_sink() {
        let (sink, probe) = pipe();
        let (stop, stopped) = futures::channel::oneshot::channel::<()>();
        let endless = Box::pin(trickle(u32::MAX));
        let driven = drive(endless, sink).until(stopped.map(|_| ()));
        let script = async {
            for _ in 0..40 {
                yield_now().await;
            }
            stop.send(()).unwrap();
        };
        let (report, ()) = tokio::join!(driven, script);
        let report = report.unwrap();
        assert_eq!(report.end, DriveEnd::Shutdown);
        assert!((30..50).contains(&report.items), "{report:?}");
        assert!(probe.is_closed());
        let delivered: usize = probe.delivered().iter().map(WriteBatch::len).sum();
        assert_eq!(delivered as u64, report.items);
    }

    #[tokio::test]
    async fn a_request_flushes_what_is_held() {
        let (sink, probe) = pipe();
        let (rows, stream) = mpsc::unbounded::<Result<WriteOp, StrictError>>();
        let (flush, flushes) = mpsc::unbounded();
        let driven = drive(stream, sink).flush_on(flushes);
        let script = async {
            rows.unbounded_send(Ok(op(1, 0, 0))).unwrap();
            yield_now().await;
            yield_now().await;
            assert_eq!(probe.delivered().len(), 0);
            flush.unbounded_send(()).unwrap();
            // The requests may end before the rows do.
            drop(flush);
            yield_now().await;
            yield_now().await;
            assert_eq!(probe.delivered().len(), 1);
            assert!(probe.is_flushed() && !probe.is_closed());
            drop(rows);
        };
        let (report, ()) = tokio::join!(driven, script);
        assert_eq!(report.unwrap().items, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_linger_flushes_the_whole_pipe_when_the_stream_trickles() {
        let (inner, probe) = StrictSink::<WriteBatch>::new();
        probe.unblock();
        let sink = inner
            .batched(BatchLimit::REQUEST)
            .deduplicated(Dedup::keep_last(DedupWindow::default()));
        let trickle = Box::pin(stream::iter(0..3).then(|id| async move {
            tokio::time::sleep(Duration::from_secs(10)).await;
            Ok::<_, StrictError>(op(id, u64::from(id), 0))
        }));
        let driven = drive(trickle, sink).linger(Duration::from_millis(100));
        let watch = async {
            let mut sent_at = Vec::new();
            let start = Instant::now();
            while sent_at.len() < 3 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if probe.delivered().len() > sent_at.len() {
                    sent_at.push(start.elapsed().as_millis());
                }
            }
            sent_at
        };
        let (report, sent_at) = tokio::join!(driven, watch);
        assert_eq!(report.unwrap().items, 3);
        // The last one goes with the end of the stream.
        for (sent_at, expected) in sent_at.into_iter().zip([10_100, 20_100, 30_000]) {
            assert!(
                (expected..=expected + 50).contains(&sent_at),
                "{sent_at} ms"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_linger_does_not_hold_up_a_stream_that_has_something_ready() {
        let (sink, probe) = pipe();
        let busy = stream::iter((0..100).map(|id| Ok::<_, StrictError>(op(id, u64::from(id), 0))));
        drive(busy, sink).linger(Duration::ZERO).await.unwrap();
        assert_eq!(probe.delivered().len(), 4);
    }

    #[tokio::test]
    async fn an_error_of_the_sink_ends_it_with_what_was_accepted() {
        let (sink, probe) = pipe();
        probe.fail_at(Method::StartSend, 2);
        let error = drive(std::pin::pin!(trickle(100)), sink).await.unwrap_err();
        assert!(
            matches!(error, DriveError::Sink { items: 50..=51, .. }),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn nothing_is_pulled_before_the_sink_is_ready() {
        let (inner, probe) = StrictSink::<u32>::new();
        let (rows, stream) = mpsc::unbounded::<Result<u32, StrictError>>();
        rows.unbounded_send(Ok(1)).unwrap();
        let mut driven = Box::pin(drive(stream, inner));
        assert!(futures::poll!(&mut driven).is_pending());
        assert_eq!(
            driven.stream.size_hint().0,
            1,
            "the row is still the stream's"
        );
        probe.grant(1);
        assert!(futures::poll!(&mut driven).is_pending());
        assert_eq!(probe.delivered(), [1]);
    }
}
