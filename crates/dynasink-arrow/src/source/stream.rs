//! The async face of the blocking reader.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Opened;
use super::reader::{Demand, Emit, read_all};
use crate::batch::SourceBatch;
use crate::error::{Error, Result};

/// How many batches may wait between the reader and the stream.
const BATCHES_AHEAD: usize = 2;

/// The batches of a [`FileSource`](crate::FileSource). Dropping it ends the task that reads.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct BatchStream {
    /// The reader ends with `None`: a channel that closes without it has lost batches.
    batches: Option<ReceiverStream<Result<Option<SourceBatch>>>>,
}

impl BatchStream {
    pub(super) fn start(source: Arc<Opened>) -> Self {
        Self::reading(move |emit| read_all(&source, emit))
    }

    fn reading(read: impl FnOnce(Emit<'_>) -> Result<Demand> + Send + 'static) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        // The task reports its end through the channel, so nobody waits for its handle.
        drop(tokio::task::spawn_blocking(move || {
            let mut emit = |batch| match sender.blocking_send(Ok(Some(batch))) {
                Ok(()) => Demand::More,
                Err(_) => Demand::Enough,
            };
            let end = match read(&mut emit) {
                Ok(Demand::More) => Ok(None),
                Ok(Demand::Enough) => return,
                Err(error) => Err(error),
            };
            // A receiver that is gone does not want to know.
            sender.blocking_send(end).ok();
        }));
        Self {
            batches: Some(ReceiverStream::new(batches)),
        }
    }
}

impl Stream for BatchStream {
    type Item = Result<SourceBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(batches) = &mut self.batches else {
            return Poll::Ready(None);
        };
        let next = match std::task::ready!(Pin::new(batches).poll_next(cx)) {
            Some(Ok(Some(batch))) => return Poll::Ready(Some(Ok(batch))),
            Some(Ok(None)) => None,
            Some(Err(error)) => Some(Err(error)),
            None => Some(Err(Error::ReaderStopped)),
        };
        self.batches = None;
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use arrow_array::RecordBatch;
    use arrow_schema::Schema;
    use futures::StreamExt;
    use tokio::sync::oneshot;

    use super::*;

    fn batch() -> SourceBatch {
        RecordBatch::new_empty(Arc::new(Schema::empty())).into()
    }

    #[tokio::test]
    async fn the_reader_is_never_further_ahead_than_the_channel_holds() {
        const ALL: usize = 200;
        let taken = Arc::new(AtomicUsize::new(0));
        let most_ahead = Arc::new(AtomicUsize::new(0));
        let (seen, ahead) = (Arc::clone(&taken), Arc::clone(&most_ahead));
        let mut batches = BatchStream::reading(move |emit| {
            for made in 1..=ALL {
                ahead.fetch_max(made - seen.load(SeqCst), SeqCst);
                assert_eq!(emit(batch()), Demand::More);
            }
            Ok(Demand::More)
        });
        loop {
            // Gives the reader every chance to run away.
            for _ in 0..100 {
                std::thread::yield_now();
            }
            taken.fetch_add(1, SeqCst);
            if batches.next().await.is_none() {
                break;
            }
        }
        assert_eq!(taken.load(SeqCst), ALL + 1);
        // Those in the channel, and the one that waits to get in.
        assert!(most_ahead.load(SeqCst) <= BATCHES_AHEAD + 1);
    }

    #[tokio::test]
    async fn dropping_the_stream_ends_the_reader() {
        let (ended, end) = oneshot::channel();
        let mut batches = BatchStream::reading(move |emit| {
            while emit(batch()) == Demand::More {}
            ended.send(()).ok();
            Ok(Demand::Enough)
        });
        assert!(batches.next().await.is_some_and(|batch| batch.is_ok()));
        drop(batches);
        end.await.unwrap();
    }

    #[tokio::test]
    async fn a_reader_that_ends_without_a_word_is_an_error_and_not_the_end() {
        let mut batches = BatchStream::reading(|emit| {
            emit(batch());
            Ok(Demand::Enough)
        });
        assert!(batches.next().await.is_some_and(|batch| batch.is_ok()));
        assert!(matches!(
            batches.next().await,
            Some(Err(Error::ReaderStopped))
        ));
        assert!(batches.next().await.is_none());
    }

    #[tokio::test]
    async fn the_stream_ends_with_the_first_error() {
        let mut batches = BatchStream::reading(|_| Err(Error::NoFiles));
        assert!(matches!(batches.next().await, Some(Err(Error::NoFiles))));
        assert!(batches.next().await.is_none());
    }
}
