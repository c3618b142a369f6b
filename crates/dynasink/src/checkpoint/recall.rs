//! What a policy for rows of one key must know of rows that another process has dealt with.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use dynasink_arrow::{
    DecodeExt, Decoder, FileSource, Interleave, Mapping, RowSelection, StreamOptions,
};
use dynasink_core::{
    ObserverError, OutcomeEvent, OutcomeObserver, Outcomes, PrimaryKey, StageError, Unread,
    UnreadObserver, WriteOp,
};
use dynasink_sink::{Dedup, DriveError, drive};
use futures::Sink;

use super::Checkpoint;
use super::progress::Progress;
use crate::error::{Error, Result};

impl Checkpoint {
    /// `dedup` as it is after the rows that have an outcome. A policy that goes by the whole input
    /// ([`Dedup::remembers_the_input`]) reads these once more, without writing them; others read nothing.
    ///
    /// Where the first row of each key is kept ([`Dedup::keeps_first`]), rows without an outcome are read too: a row that
    /// comes again as the first of its key is written, though others of that key gave way to it. If rows were ever
    /// handed out in any order ([`Interleave::Always`]), nothing says which row the others gave way to. Then every key
    /// of a row without an outcome counts as new, so that none is lost; it may end as any of its rows, and be written
    /// more than once.
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
        let (with_outcome, without_outcome, mut coming) = {
            let state = self.state();
            let progress = &state.progress;
            if !dedup.remembers_the_input() || !progress.is_begun() {
                return Ok(dedup);
            }
            let coming = ComingAgain::in_order_of(progress, state.in_any_order);
            (progress.with_outcome(), progress.without_outcome(), coming)
        };
        if dedup.keeps_first() {
            let note = |op: &WriteOp| {
                coming.note(op);
                Ok(())
            };
            read_again(source, without_outcome, mapping, note).await?;
        }
        let recall = |op: &WriteOp| {
            if coming.is_first_of_key_of(op) {
                return Ok(());
            }
            dedup.recall(op)
        };
        read_again(source, with_outcome, mapping, recall).await?;
        Ok(dedup)
    }
}

/// Where a row stands in a source: the place of its file, its row group, and its row.
type Place = (usize, u32, u64);

/// The rows that come again, the first of each key. They are no more than a pipe and its readers hold.
#[derive(Debug)]
struct ComingAgain {
    files: HashMap<String, usize>,
    /// Whether the order of the source says nothing of which row of a key came first.
    in_any_order: bool,
    first: HashMap<PrimaryKey, Option<Place>>,
}

impl ComingAgain {
    fn in_order_of(progress: &Progress, in_any_order: bool) -> Self {
        Self {
            files: progress.order().clone(),
            in_any_order,
            first: HashMap::new(),
        }
    }

    fn place(&self, op: &WriteOp) -> Option<Place> {
        let position = op.position()?;
        let file = *self.files.get(position.file())?;
        Some((file, position.row_group(), position.row()))
    }

    /// Takes note of a row that comes again.
    fn note(&mut self, op: &WriteOp) {
        let place = self.place(op);
        let first = self.first.entry(op.key().clone()).or_insert(place);
        *first = (*first).min(place);
    }

    /// Whether a row that comes again is before `op`, and has its key. Rows are read in their order, so that one before
    /// the first that comes again has kept its place, or has given way to one that has.
    fn is_first_of_key_of(&self, op: &WriteOp) -> bool {
        let first = self.first.get(op.key());
        first.is_some_and(|first| self.in_any_order || *first < self.place(op))
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
