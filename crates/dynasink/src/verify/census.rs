//! The first reading: which row of each key counts.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

use dynasink_core::{StageError, WriteOp};
use dynasink_sink::{KeptRow, KeyCensus};
use futures::Sink;

use super::sample::Sample;

/// A sink of all operations of a source, which learns which of each key counts.
#[derive(Debug)]
#[must_use]
pub struct CensusTaker {
    pub(super) census: KeyCensus,
    pub(super) sample: Sample,
}

impl CensusTaker {
    /// Takes note of the keys of `sample`, of which there may be `max_keys`: see [`KeyCensus`] for what each costs.
    pub fn new(kept: KeptRow, max_keys: NonZeroUsize, sample: Sample) -> Self {
        Self {
            census: KeyCensus::new(kept, max_keys),
            sample,
        }
    }

    /// How many keys will be compared.
    pub fn keys(&self) -> u64 {
        self.census.keys()
    }
}

impl Sink<WriteOp> for CensusTaker {
    type Error = StageError;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), StageError> {
        if self.sample.has(op.key()) {
            self.census.note(&op)?;
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }
}
