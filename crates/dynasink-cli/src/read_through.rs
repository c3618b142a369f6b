//! A reading of a source that writes nothing to a table: all of it, with progress, and ended at once by a signal.

use std::error::Error;

use dynasink::{DriveError, SourceBatch, drive};
use futures::{Sink, Stream, TryStreamExt};
use tokio::task::yield_now;

use crate::failure::Failure;
use crate::progress::ReadingProgress;
use crate::signals::Signals;

/// Gives all `batches` to `sink`.
///
/// # Errors
///
/// What fails, and a signal: what `sink` holds then is not waited for.
pub(crate) async fn read_through<E, S>(
    batches: impl Stream<Item = Result<SourceBatch, E>>,
    sink: S,
    progress: ReadingProgress,
    signals: &Signals,
) -> Result<(), Failure>
where
    E: Error + 'static,
    S: Sink<SourceBatch, Error: Error + 'static>,
{
    let rows = progress.rows();
    let batches = batches.and_then(|batch| {
        rows.add(batch.batch().num_rows());
        async {
            // Where there is always a batch, a signal and the clock would not be looked at.
            yield_now().await;
            Ok(batch)
        }
    });
    let driven = tokio::select! {
        biased;
        () = signals.first() => {
            return Err(Failure::interrupted("interrupted: nothing was written to a table"));
        }
        driven = progress.beside(drive(batches, sink)) => driven,
    };
    driven.map(|_| ()).map_err(|error| match error {
        DriveError::Sink { source, .. } => Failure::stopped(&source),
        DriveError::Stream { source, .. } => Failure::stopped(&source),
    })
}
