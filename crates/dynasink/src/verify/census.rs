//! The first reading: which row of each key counts.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

use dynasink_core::{StageError, WriteOp};
use dynasink_sink::{KeptRow, KeyCensus, KeyChoice};
use futures::Sink;

use super::sample::{KeyHash, Sample};

/// A sink of all operations of a source, which learns which of each key counts.
///
/// If no key is in the sample, the one of the least hash is: of a source with keys at least one is compared.
#[derive(Debug)]
#[must_use]
pub struct CensusTaker {
    census: KeyCensus,
    sample: Sample,
    kept: KeptRow,
    /// The least hash so far and the operations of its key, as long as no key is in the sample.
    nearest: Option<(KeyHash, KeyCensus)>,
}

impl CensusTaker {
    /// Takes note of the keys of `sample`, of which there may be `max_keys`: see [`KeyCensus`] for what each costs.
    pub fn new(kept: KeptRow, max_keys: NonZeroUsize, sample: Sample) -> Self {
        Self {
            census: KeyCensus::new(kept, max_keys),
            sample,
            kept,
            nearest: None,
        }
    }

    /// How many keys will be compared.
    pub fn keys(&self) -> u64 {
        let (census, _) = self.chosen();
        census.keys()
    }

    /// What the second reading goes by.
    pub(super) fn into_choice(self) -> (KeyChoice, Sample) {
        let (_, sample) = self.chosen();
        let census = match self.nearest {
            Some((_, nearest)) => nearest,
            None => self.census,
        };
        (census.into_choice(), sample)
    }

    fn chosen(&self) -> (&KeyCensus, Sample) {
        match &self.nearest {
            Some((hash, nearest)) => (nearest, Sample::up_to(*hash)),
            None => (&self.census, self.sample),
        }
    }

    fn note(&mut self, op: &WriteOp) -> Result<(), StageError> {
        let hash = KeyHash::of(op.key());
        if self.sample.has_hash(hash) {
            self.nearest = None;
            return self.census.note(op);
        }
        if self.census.ops() > 0 {
            return Ok(());
        }
        match &mut self.nearest {
            Some((least, _)) if *least < hash => Ok(()),
            Some((least, nearest)) if *least == hash => nearest.note(op),
            _ => {
                // Keys of one hash are chosen together.
                let mut nearest = KeyCensus::new(self.kept, NonZeroUsize::MAX);
                nearest.note(op)?;
                self.nearest = Some((hash, nearest));
                Ok(())
            }
        }
    }
}

impl Sink<WriteOp> for CensusTaker {
    type Error = StageError;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), StageError> {
        self.note(&op)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }
}
