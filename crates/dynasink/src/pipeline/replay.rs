//! Dead letters through the standard pipe.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use dynasink_arrow::{DecodeExt, Decoder, SourceBatch};
use dynasink_aws::{ReadTransport, Reader};
use dynasink_core::{OutcomeEvent, StageError, TableSchema, WriteOp};
use dynasink_sink::{DriveEnd, drive};
use futures::{FutureExt, Sink, SinkExt, TryStreamExt, stream};

use super::{LoadReport, Pipeline, report};
use crate::error::{Error, Result};
use crate::replay::{DeadLetters, OnlyAbsent, RowsAgain};

impl Pipeline {
    /// Writes the operations of `letters` once more, and then the rows of `again`, which never became operations. What
    /// cannot be written is a dead letter again, of this pipe.
    ///
    /// Letters of one key keep the order of their rows in the source, those of `again` too: of letters that have an
    /// operation the last of each key is written, and a row that is read again is superseded if it comes before it. This
    /// takes about 56 to 112 bytes of memory for each key of letters that have an operation, and reading these twice.
    /// What has no position is ordered as the letters are, and comes before all that is read again.
    ///
    /// The table may hold newer items than the letters: they are overwritten, unless `only_absent` is given, with which
    /// no operation is written whose key has an item; it is superseded then.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); [`Error::Source`] also if the letters cannot be read any more.
    pub async fn replay<T: ReadTransport>(
        self,
        letters: &DeadLetters,
        table: &TableSchema,
        again: Option<RowsAgain>,
        only_absent: Option<Reader<T>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<LoadReport> {
        let (tally, outcomes) = (self.tally(), self.outcomes());
        let shutdown = shutdown.shared();
        let mut sink = match only_absent {
            Some(reader) => Box::pin(OnlyAbsent::new(self.sink, reader, outcomes.clone())),
            None => self.sink,
        };
        let source_files = again.iter().flat_map(|again| &again.files);
        let last = letters.last_on(table, source_files).await?;
        let last = Arc::new(last);
        let ops = letters
            .ops_on(table, Arc::clone(&last), outcomes.clone(), tally.clone())
            .await?;
        let driven = drive(std::pin::pin!(ops), KeptOpen(&mut sink))
            .until(shutdown.clone())
            .await;
        let is_to_go_on = matches!(&driven, Ok(done) if done.end == DriveEnd::Exhausted);
        let Some(again) = again.filter(|_| is_to_go_on) else {
            if driven.is_ok() {
                sink.close().await.map_err(Error::Pipe)?;
            }
            return report(driven, &tally);
        };
        let decoder = Decoder::new(again.mapping).with_outcomes(outcomes.clone());
        let batches = again.batches.inspect_ok(|batch: &SourceBatch| {
            tally.count_rows(batch.batch().num_rows() as u64);
        });
        let in_order = sink.with_flat_map(move |op: WriteOp| {
            let passed = match last.supersede_row(&op) {
                None => Some(Ok(op)),
                Some(outcome) => {
                    let observed = outcomes.observe(&OutcomeEvent::of(&op, &outcome));
                    observed
                        .err()
                        .map(|error| Err(StageError::from(error).into()))
                }
            };
            stream::iter(passed)
        });
        let driven = drive(std::pin::pin!(batches), in_order.decoded(decoder))
            .until(shutdown)
            .await;
        report(driven, &tally)
    }
}

/// A sink that is not closed but flushed: another stream follows.
struct KeptOpen<'a, S>(&'a mut S);

impl<S: Sink<WriteOp> + Unpin> Sink<WriteOp> for KeptOpen<'_, S> {
    type Error = S::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), S::Error> {
        self.0.start_send_unpin(op)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_flush_unpin(cx)
    }
}
