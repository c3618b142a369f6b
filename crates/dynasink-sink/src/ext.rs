//! The methods that put a stage above a sink.

use std::sync::Arc;

use dynasink_core::{Admission, BatchSizer, Error as ItemError, StageError, WriteBatch, WriteOp};
use futures::Sink;

use crate::batch::Batched;
use crate::dedup::{Dedup, Deduplicated};
use crate::encode::{Encode, Encoded};
use crate::limit::RateLimited;

/// Stages above a sink of operations.
pub trait WriteSinkExt: Sink<WriteOp> {
    /// Makes operations of rows of any kind, as `encode` says: see [`Encoded`].
    fn encoded<T, F>(self, encode: Encode<F>) -> Encoded<Self, F>
    where
        Self: Sized,
        Self::Error: From<StageError>,
        F: FnMut(T) -> Result<WriteOp, ItemError>,
    {
        assert_sink::<T, Self::Error, _>(Encoded::new(self, encode))
    }

    /// Merges operations of one key, as `dedup` says: see [`Deduplicated`].
    fn deduplicated(self, dedup: Dedup) -> Deduplicated<Self>
    where
        Self: Sized,
        Self::Error: From<StageError>,
    {
        assert_sink::<WriteOp, Self::Error, _>(Deduplicated::new(self, dedup))
    }
}

impl<S: Sink<WriteOp> + ?Sized> WriteSinkExt for S {}

/// Stages above a sink of batches.
pub trait BatchSinkExt: Sink<WriteBatch> {
    /// Gathers operations into batches of the size that `sizer` says: see [`Batched`].
    fn batched(self, sizer: impl BatchSizer + 'static) -> Batched<Self>
    where
        Self: Sized,
        Self::Error: From<StageError>,
    {
        assert_sink::<WriteOp, Self::Error, _>(Batched::new(self, Arc::new(sizer)))
    }

    /// Lets batches pass at the rate of `limiter`: see [`RateLimited`].
    fn rate_limited(self, limiter: impl Admission + 'static) -> RateLimited<Self>
    where
        Self: Sized,
        Self::Error: From<StageError>,
    {
        assert_sink::<WriteBatch, Self::Error, _>(RateLimited::new(self, Arc::new(limiter)))
    }
}

impl<S: Sink<WriteBatch> + ?Sized> BatchSinkExt for S {}

/// A wrong impl fails here, where the stage is defined, and not where it is used.
fn assert_sink<T, E, S: Sink<T, Error = E>>(sink: S) -> S {
    sink
}
