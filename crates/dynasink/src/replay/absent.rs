//! Operations whose key the table has no item of.

use std::collections::{HashSet, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dynasink_aws::{Error, ReadTransport, Reader};
use dynasink_core::limits::MAX_BATCH_GET_KEYS;
use dynasink_core::{Fuse, Outcome, OutcomeEvent, Outcomes, PrimaryKey, StageError, WriteOp};
use futures::Sink;
use futures::future::BoxFuture;

type Boxed = Pin<Box<dyn Sink<WriteOp, Error = Error> + Send>>;

/// A sink that gives operations on only if the table has no item of their key: what the table holds is newer than a dead
/// letter may be.
///
/// - Held: up to a hundred operations, and one request for their keys.
/// - All operations of a key that had no item are given on, in their order, those too that come after the first of them
///   was written.
/// - One whose item is there is superseded by it.
pub(crate) struct OnlyAbsent<T> {
    inner: Boxed,
    reader: Reader<T>,
    outcomes: Outcomes,
    batch: Vec<WriteOp>,
    reading: Option<BoxFuture<'static, Result<Looked, Error>>>,
    absent: VecDeque<WriteOp>,
    /// Keys that had no item when the first of their operations came.
    given_on: HashSet<PrimaryKey>,
    fuse: Fuse,
}

/// Operations, and the keys that the table has an item of.
struct Looked {
    ops: Vec<WriteOp>,
    present: HashSet<PrimaryKey>,
}

impl<T: ReadTransport> OnlyAbsent<T> {
    pub(crate) fn new(inner: Boxed, reader: Reader<T>, outcomes: Outcomes) -> Self {
        Self {
            inner,
            reader,
            outcomes,
            batch: Vec::new(),
            reading: None,
            absent: VecDeque::new(),
            given_on: HashSet::new(),
            fuse: Fuse::new("only absent"),
        }
    }

    /// Starts to look the keys of the batch up.
    fn look_up(&mut self) -> Result<(), StageError> {
        let ops = std::mem::take(&mut self.batch);
        let Some(first) = ops.first() else {
            return Ok(());
        };
        let table = first.schema().clone();
        let mut asked = HashSet::new();
        let mut keys = Vec::with_capacity(ops.len());
        for op in &ops {
            if asked.insert(op.key().clone()) {
                let key = table.key_item(op.item());
                keys.push(key.map_err(|error| StageError::Input {
                    stage: "only absent",
                    reason: error.to_string(),
                })?);
            }
        }
        let reader = self.reader.clone();
        self.reading = Some(Box::pin(async move {
            let found = reader.get(&table, &keys).await?;
            let present = found.into_iter().map(|item| item.key).collect();
            Ok(Looked { ops, present })
        }));
        Ok(())
    }

    fn sort(&mut self, looked: Looked) -> Result<(), StageError> {
        for op in looked.ops {
            if !looked.present.contains(op.key()) {
                self.given_on.insert(op.key().clone());
            }
            if self.given_on.contains(op.key()) {
                self.absent.push_back(op);
            } else {
                let outcome = &Outcome::Superseded { by: None };
                self.outcomes.observe(&OutcomeEvent::of(&op, outcome))?;
            }
        }
        Ok(())
    }

    /// Gives on what was looked up.
    fn poll_give_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            while !self.absent.is_empty() {
                ready!(self.inner.as_mut().poll_ready(cx))?;
                if let Some(op) = self.absent.pop_front() {
                    self.inner.as_mut().start_send(op)?;
                }
            }
            let Some(reading) = &mut self.reading else {
                return Poll::Ready(Ok(()));
            };
            let looked = ready!(reading.as_mut().poll(cx))?;
            self.reading = None;
            self.sort(looked)?;
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_give_on(cx))?;
        self.look_up()?;
        self.poll_give_on(cx)
    }
}

impl<T: ReadTransport> Sink<WriteOp> for OnlyAbsent<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.fuse.check::<Error>()?;
        if self.batch.len() < MAX_BATCH_GET_KEYS {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        let drained = this.poll_drain(cx);
        this.fuse.guard_poll(drained)
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), Error> {
        self.fuse.check::<Error>()?;
        self.batch.push(op);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.fuse.check::<Error>()?;
        let this = &mut *self;
        let drained = this.poll_drain(cx);
        ready!(this.fuse.guard_poll(drained))?;
        this.fuse.guard_poll(this.inner.as_mut().poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check::<Error>()?;
        let this = &mut *self;
        let drained = this.poll_drain(cx);
        ready!(this.fuse.guard_poll(drained))?;
        this.fuse.guard_close(this.inner.as_mut().poll_close(cx))
    }
}
