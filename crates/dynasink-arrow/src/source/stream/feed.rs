//! One row group on its way from the blocking task that reads it.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::RowGroups;
use crate::batch::SourceBatch;
use crate::error::Error;
use crate::source::plan::RowGroup;
use crate::source::reader::{Broken, Demand};

/// How many batches may wait between a reader and the stream: with the one that is decoded and the one that is handed
/// out these are those that a row group reserves.
const BATCHES_AHEAD: usize = 1;

/// What a reader gives.
#[derive(Debug)]
pub(super) enum Fed {
    Batch(SourceBatch),
    End,
    Broken(Broken),
}

/// The reader of a row group. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Feed(mpsc::Receiver<Fed>);

impl Feed {
    pub(super) fn start(row_groups: Arc<dyn RowGroups>, row_group: Arc<RowGroup>) -> Self {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        // The task reports its end through the channel, so nobody waits for its handle.
        drop(tokio::task::spawn_blocking(move || {
            let mut emit = |batch| match sender.blocking_send(Fed::Batch(batch)) {
                Ok(()) => Demand::More,
                Err(_) => Demand::Enough,
            };
            let end = match row_groups.read(&row_group, &mut emit) {
                Ok(Demand::More) => Fed::End,
                Ok(Demand::Enough) => return,
                Err(broken) => Fed::Broken(broken),
            };
            // A receiver that is gone does not want to know.
            sender.blocking_send(end).ok();
        }));
        Self(receiver)
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Fed> {
        self.0.poll_recv(cx).map(|fed| {
            // A channel that closes without an end has lost batches.
            fed.unwrap_or(Fed::Broken(Broken {
                error: Box::new(Error::ReaderStopped),
                unread_rows: None,
            }))
        })
    }
}
