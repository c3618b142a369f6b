//! Batches of rows in, write operations out.
//!
//! [`Decoded`] holds one batch and at most one encoded operation, for which the inner sink is then asked to be
//! ready. Flush and close give on all rows that are held before they reach the inner sink.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dynasink_core::{
    DeadReason, Fuse, ItemEncoder, Outcome, OutcomeEvent, Outcomes, SourcePosition, StageError,
    WriteOp,
};
use futures::Sink;
use pin_project_lite::pin_project;

use crate::batch::SourceBatch;
use crate::encode::ValueError;
use crate::mapping::Mapping;
use crate::rows::{BatchRefused, Row, Rows};

/// What errors call this stage.
const STAGE: &str = "decode";

/// How a [`Decoded`] turns rows into operations.
#[derive(Clone, Debug)]
#[must_use]
pub struct Decoder {
    mapping: Mapping,
    outcomes: Outcomes,
}

impl Decoder {
    /// A decoder by `mapping`, which returns the first row that cannot be written as an error.
    pub fn new(mapping: Mapping) -> Self {
        Self {
            mapping,
            outcomes: Outcomes::unobserved(),
        }
    }

    /// Tells `outcomes` of rows that cannot be written, and passes over them.
    pub fn with_outcomes(mut self, outcomes: Outcomes) -> Self {
        self.outcomes = outcomes;
        self
    }

    /// The mapping.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Who is told of rows that cannot be written.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }
}

/// Makes a sink of operations a sink of rows.
pub trait DecodeExt: Sink<WriteOp, Error: From<StageError>> {
    /// A sink of batches whose rows are given to this one as operations.
    ///
    /// A row that cannot be an item is reported to the decoder's [`Outcomes`] with its position; if these are
    /// not observed, it is an error of the sink: [`StageError::Dead`].
    ///
    /// ```
    /// use arrow_array::{Int64Array, RecordBatch, StringArray};
    /// use dynasink_arrow::{DecodeExt, Decoder, Mapping};
    /// use dynasink_core::{KeyType, StageError, TableSchema, WriteOp};
    /// use futures::{SinkExt, sink};
    /// use std::{pin::pin, sync::Arc};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let batch = RecordBatch::try_from_iter([
    ///     ("id", Arc::new(Int64Array::from(vec![1, 2])) as _),
    ///     ("name", Arc::new(StringArray::from(vec![Some("ann"), None])) as _),
    /// ])?;
    /// let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
    /// let decoder = Decoder::new(Mapping::infer(&batch.schema(), &table)?);
    ///
    /// let ops = sink::unfold((), |(), op: WriteOp| async move {
    ///     println!("{}", String::from_utf8_lossy(op.item().json()));
    ///     Ok::<_, StageError>(())
    /// });
    /// // {"id":{"N":"1"},"name":{"S":"ann"}}
    /// // {"id":{"N":"2"}}
    /// pin!(ops.decoded(decoder)).send(batch).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn decoded(self, decoder: Decoder) -> Decoded<Self>
    where
        Self: Sized,
    {
        Decoded::new(self, decoder)
    }
}

impl<S: Sink<WriteOp, Error: From<StageError>> + ?Sized> DecodeExt for S {}

pin_project! {
    /// Sink of the [`decoded`](DecodeExt::decoded) method: takes batches, gives on operations.
    #[derive(Debug)]
    #[must_use = "sinks do nothing unless polled"]
    pub struct Decoded<S> {
        #[pin]
        sink: S,
        decoder: Decoder,
        encoder: ItemEncoder,
        rows: Option<Rows>,
        op: Option<WriteOp>,
        closed: bool,
        fuse: Fuse,
    }
}

impl<S> Decoded<S> {
    fn new(sink: S, decoder: Decoder) -> Self {
        Self {
            sink,
            encoder: ItemEncoder::new(decoder.mapping.table()),
            decoder,
            rows: None,
            op: None,
            closed: false,
            fuse: Fuse::new(STAGE),
        }
    }

    /// The sink that takes the operations.
    pub fn get_ref(&self) -> &S {
        &self.sink
    }

    /// The sink that takes the operations.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Takes the inner sink out. Rows that it has not taken yet are lost: flush before.
    pub fn into_inner(self) -> S {
        self.sink
    }
}

impl<S> Decoded<S>
where
    S: Sink<WriteOp, Error: From<StageError>>,
{
    fn check_open(&self) -> Result<(), S::Error> {
        self.fuse.check()?;
        if self.closed {
            return Err(refused("the sink is closed").into());
        }
        Ok(())
    }

    fn take(self: Pin<&mut Self>, batch: SourceBatch) -> Result<(), StageError> {
        let this = self.project();
        if this.rows.is_some() || this.op.is_some() {
            return Err(refused("poll_ready must be called first"));
        }
        let rows = Rows::new(this.decoder.mapping(), batch).map_err(|error| match error {
            BatchRefused::Column(column) => refused(format!(
                "its column {column:?} is not that of the mapping; map each schema apart"
            )),
            BatchRefused::NoPosition(attribute) => refused(format!(
                "attribute {attribute:?} is where a row came from, which the batch does not say"
            )),
        })?;
        *this.rows = Some(rows);
        Ok(())
    }

    /// Gives on all rows that are held.
    fn poll_drain(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let mut this = self.project();
        loop {
            if this.op.is_none() {
                let Some(rows) = this.rows else {
                    return Poll::Ready(Ok(()));
                };
                match rows.next(this.decoder.mapping(), this.encoder) {
                    None => *this.rows = None,
                    Some(Row {
                        op: Ok(None),
                        position,
                    }) => skip(this.decoder.outcomes(), position.as_ref())?,
                    Some(Row { op: Ok(op), .. }) => *this.op = op,
                    Some(Row {
                        op: Err(error),
                        position,
                    }) => this
                        .decoder
                        .outcomes()
                        .bury(position.as_ref(), None, dead(&error))?,
                }
            }
            // An operation is in hand before the inner sink reserves a place for it.
            if this.op.is_some() {
                ready!(this.sink.as_mut().poll_ready(cx))?;
                if let Some(op) = this.op.take() {
                    this.sink.as_mut().start_send(op)?;
                }
            }
        }
    }
}

fn refused(reason: impl Into<String>) -> StageError {
    StageError::Input {
        stage: STAGE,
        reason: reason.into(),
    }
}

/// Reports a row that changes no item.
fn skip(outcomes: &Outcomes, position: Option<&SourcePosition>) -> Result<(), StageError> {
    let outcome = &Outcome::Skipped;
    Ok(outcomes.observe(&OutcomeEvent {
        position,
        op: None,
        outcome,
    })?)
}

/// Why a row cannot be written, with the value that is to blame if it is one.
fn dead(error: &ValueError) -> DeadReason {
    let mut reason = DeadReason::of(error.reason());
    reason.value = error.value().map(Box::new);
    if let Some(value) = &reason.value {
        reason.message = format!(
            "column {} ({}): {}",
            value.column, value.kind, reason.message
        );
    }
    reason
}

impl<S, B> Sink<B> for Decoded<S>
where
    S: Sink<WriteOp, Error: From<StageError>>,
    B: Into<SourceBatch>,
{
    type Error = S::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.check_open()?;
        let drained = self.as_mut().poll_drain(cx);
        self.project().fuse.guard_poll(drained)
    }

    fn start_send(mut self: Pin<&mut Self>, batch: B) -> Result<(), S::Error> {
        self.check_open()?;
        let taken = self.as_mut().take(batch.into()).map_err(S::Error::from);
        self.project().fuse.guard(taken)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.check_open()?;
        let drained = self.as_mut().poll_drain(cx);
        let this = self.project();
        ready!(this.fuse.guard_poll(drained))?;
        this.fuse.guard_poll(this.sink.poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.closed {
            return Poll::Ready(Ok(()));
        }
        self.check_open()?;
        let drained = self.as_mut().poll_drain(cx);
        let this = self.project();
        ready!(this.fuse.guard_poll(drained))?;
        ready!(this.fuse.guard_poll(this.sink.poll_close(cx)))?;
        *this.closed = true;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod changes;
#[cfg(test)]
mod tests;
