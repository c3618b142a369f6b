//! One request, and what became of it.

use std::collections::VecDeque;

use dynasink::{Cause, Retry, Transport, WriteBatch, WriteBatchBuilder, WriteOp, WriteUnits};

/// The service's answer, as far as a peer looks at it.
#[derive(Debug)]
pub(super) enum Answer {
    /// HTTP 200.
    Taken {
        /// Units that the table and its local indexes consumed.
        consumed: WriteUnits,
        /// `UnprocessedItems`, in the order of the request.
        unprocessed: Vec<WriteOp>,
    },
    /// An exception for want of capacity: nothing was written.
    Throttled(Vec<WriteOp>),
    /// Another failure that passes.
    Failed(Vec<WriteOp>),
    /// A failure that would come again.
    Fatal(Vec<WriteOp>),
}

/// The next request from the head of `queue`: at most `max_ops` operations, fewer if more would be illegal.
pub(super) fn next_batch(queue: &mut VecDeque<WriteOp>, max_ops: usize) -> Option<WriteBatch> {
    let mut builder = WriteBatchBuilder::new();
    while builder.len() < max_ops
        && let Some(op) = queue.pop_front()
    {
        if let Err(op) = builder.push(op) {
            queue.push_front(op);
            break;
        }
    }
    builder.take()
}

/// Sends `batch` once.
pub(super) async fn send(transport: &impl Transport, batch: WriteBatch) -> Answer {
    match transport.batch_write(&batch).await {
        Ok(response) => {
            let mut unprocessed = batch.into_ops();
            unprocessed.retain(|op| response.unprocessed.contains(op.key()));
            Answer::Taken {
                consumed: response.consumed.iter().map(|of| of.table_units).sum(),
                unprocessed,
            }
        }
        Err(error) => match error.cause {
            Cause::Throttled(_) => Answer::Throttled(batch.into_ops()),
            cause if cause.retry() == Retry::Backoff => Answer::Failed(batch.into_ops()),
            _ => Answer::Fatal(batch.into_ops()),
        },
    }
}
