//! What a policy for rows of one key must know of rows that another process has dealt with.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use dynasink_arrow::{
    DecodeExt, Decoder, FileSource, Interleave, Mapping, RowSelection, StreamOptions,
};
use dynasink_core::{
    ObserverError, OutcomeEvent, OutcomeObserver, Outcomes, StageError, Unread, UnreadObserver,
    WriteOp,
};
use dynasink_sink::{Dedup, DriveError, drive};
use futures::Sink;

use super::Checkpoint;
use crate::error::{Error, Result};

impl Checkpoint {
    /// `dedup` as it is after the rows that have an outcome. A policy that goes by the whole input
    /// ([`Dedup::remembers_the_input`]) reads these once more, without writing them; others read nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Source`] if they cannot be read, and [`Error::Recall`].
    pub async fn recall(
        &self,
        source: &FileSource,
        mapping: &Mapping,
        mut dedup: Dedup,
    ) -> Result<Dedup> {
        let (with_outcome, without_outcome) = {
            let progress = &self.state().progress;
            if !dedup.remembers_the_input() || !progress.is_begun() {
                return Ok(dedup);
            }
            (progress.with_outcome(), progress.without_outcome())
        };
        let recall = |op: &WriteOp| dedup.recall(op);
        read_again(source, with_outcome, mapping, recall).await?;
        // Of rows of one key, one without an outcome is before all others: these took their place behind it.
        let forget = |op: &WriteOp| {
            dedup.forget(op.key());
            Ok(())
        };
        read_again(source, without_outcome, mapping, forget).await?;
        Ok(dedup)
    }
}

/// Hands the operations of these rows to `take`.
async fn read_again(
    source: &FileSource,
    rows: RowSelection,
    mapping: &Mapping,
    take: impl FnMut(&WriteOp) -> Result<(), StageError>,
) -> Result<()> {
    let known: [Arc<dyn UnreadObserver>; 1] = [Arc::new(KnownBefore)];
    let options = StreamOptions::new()
        .with_interleave(Interleave::Always)
        .with_unread_observers(known)
        .with_rows(rows);
    let decoder = Decoder::new(mapping.clone()).with_outcomes(Outcomes::of(KnownBefore));
    let read = drive(source.stream_with(&options), Taking(take).decoded(decoder)).await;
    match read {
        Ok(_) => Ok(()),
        Err(DriveError::Sink { source, .. }) => Err(Error::Recall(source)),
        Err(DriveError::Stream { source, .. }) => Err(Error::Source(Box::new(source))),
    }
}

/// What cannot be read or written was told of by the process that met it first.
#[derive(Debug)]
struct KnownBefore;

impl OutcomeObserver for KnownBefore {
    fn observe(&self, _: &OutcomeEvent<'_>) -> Result<(), ObserverError> {
        Ok(())
    }
}

impl UnreadObserver for KnownBefore {
    fn observe(&self, _: &Unread) -> Result<(), ObserverError> {
        Ok(())
    }
}

/// Shows each operation to a function, and lets go of it.
struct Taking<F>(F);

impl<F> Unpin for Taking<F> {}

impl<F: FnMut(&WriteOp) -> Result<(), StageError>> Sink<WriteOp> for Taking<F> {
    type Error = StageError;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, op: WriteOp) -> Result<(), StageError> {
        (self.get_mut().0)(&op)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }
}
