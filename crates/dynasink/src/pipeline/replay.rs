//! Dead letters through the standard pipe.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use dynasink_arrow::{BatchStream, DecodeExt, Decoder, Mapping, SourceBatch};
use dynasink_aws::{ReadTransport, Reader};
use dynasink_core::{TableSchema, WriteOp};
use dynasink_sink::{DriveEnd, drive};
use futures::{FutureExt, Sink, SinkExt, TryStreamExt};

use super::{LoadReport, Pipeline, report};
use crate::error::{Error, Result};
use crate::replay::{DeadLetters, OnlyAbsent};

impl Pipeline {
    /// Writes the operations of `letters` once more, and then the `again` read rows that never became operations, by the
    /// mapping that is given with them. What cannot be written is a dead letter again, of this pipe.
    ///
    /// Letters of one key keep their order. The table may hold newer items than the letters: they are overwritten, unless
    /// `only_absent` is given, with which no operation is written whose key has an item; it is superseded then.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); [`Error::Source`] also if the letters cannot be read any more.
    pub async fn replay<T: ReadTransport>(
        self,
        letters: &DeadLetters,
        table: &TableSchema,
        again: Option<(BatchStream, Mapping)>,
        only_absent: Option<Reader<T>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<LoadReport> {
        let (tally, outcomes) = (self.tally(), self.outcomes());
        let shutdown = shutdown.shared();
        let mut sink = match only_absent {
            Some(reader) => Box::pin(OnlyAbsent::new(self.sink, reader, outcomes.clone())),
            None => self.sink,
        };
        let ops = letters
            .ops_on(table, outcomes.clone(), tally.clone())
            .await?;
        let driven = drive(std::pin::pin!(ops), KeptOpen(&mut sink))
            .until(shutdown.clone())
            .await;
        let is_to_go_on = matches!(&driven, Ok(done) if done.end == DriveEnd::Exhausted);
        let Some((batches, mapping)) = again.filter(|_| is_to_go_on) else {
            if driven.is_ok() {
                sink.close().await.map_err(Error::Pipe)?;
            }
            return report(driven, &tally);
        };
        let decoder = Decoder::new(mapping).with_outcomes(outcomes);
        let batches = batches.inspect_ok(|batch: &SourceBatch| {
            tally.count_rows(batch.batch().num_rows() as u64);
        });
        let driven = drive(std::pin::pin!(batches), sink.decoded(decoder))
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
