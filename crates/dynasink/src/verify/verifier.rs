//! The second reading: rows compared with the items of their keys.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use dynasink_aws::{Error, ReadTransport, Reader};
use dynasink_core::limits::MAX_BATCH_GET_KEYS;
use dynasink_core::{Fuse, Item, StageError, WriteOp};
use dynasink_sink::KeyChoice;
use futures::Sink;
use tokio::task::{JoinError, JoinSet};

use super::census::CensusTaker;
use super::differences::DifferenceFile;
use super::sample::Sample;
use super::tally::VerifyTally;
use super::verdict::{Verdict, compare};
use crate::second_reading;

/// Rows of one request together are at most about that large, so that requests in flight hold a bounded amount.
const MAX_BATCH_MEMORY: usize = 4 << 20;

/// Where rows go whose items are to be written.
type Repair = Pin<Box<dyn Sink<WriteOp, Error = Error> + Send>>;

/// What a request for some keys has found.
type Compared = Result<Vec<(WriteOp, Verdict)>, Error>;

/// A sink of all operations of a source, in the order of the first reading: it compares those that count with what the
/// table holds.
///
/// It holds a hundred operations for each request in flight, and the items of their keys. A flush is ready when all
/// operations that were sent before are compared, and those that repair have their outcome.
#[must_use = "sinks do nothing unless polled"]
pub struct Verifier<T> {
    reader: Reader<T>,
    choice: KeyChoice,
    sample: Sample,
    differences: DifferenceFile,
    tally: VerifyTally,
    concurrency: usize,
    calendar: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    repair: Option<Repair>,
    batch: Vec<WriteOp>,
    batch_memory: usize,
    reads: JoinSet<Compared>,
    to_repair: VecDeque<WriteOp>,
    fuse: Fuse,
}

impl<T: ReadTransport> Verifier<T> {
    /// Compares the rows that `census` has found to count, with one request in flight.
    pub fn new(
        reader: Reader<T>,
        census: CensusTaker,
        differences: DifferenceFile,
        tally: VerifyTally,
    ) -> Self {
        #[expect(clippy::disallowed_methods, reason = "items expire by the calendar")]
        let calendar = Arc::new(SystemTime::now);
        let (choice, sample) = census.into_choice();
        Self {
            reader,
            choice,
            sample,
            differences,
            tally,
            concurrency: 1,
            calendar,
            repair: None,
            batch: Vec::new(),
            batch_memory: 0,
            reads: JoinSet::new(),
            to_repair: VecDeque::new(),
            fuse: Fuse::new("verify"),
        }
    }

    /// Has that many requests in flight at most.
    pub fn with_concurrency(mut self, requests: NonZeroUsize) -> Self {
        self.concurrency = requests.get();
        self
    }

    /// Takes the time at which items have expired from another calendar than the machine's.
    pub fn with_calendar(
        mut self,
        calendar: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        self.calendar = Arc::new(calendar);
        self
    }

    /// Sends the operations whose items are missing or different to `pipe`, which is closed with this sink.
    pub fn with_repair(mut self, pipe: impl Sink<WriteOp, Error = Error> + Send + 'static) -> Self {
        self.repair = Some(Box::pin(pipe));
        self
    }

    /// The keys of the source, once all of it was sent: what [`find_extra`](super::find_extra) goes by.
    ///
    /// # Errors
    ///
    /// [`SourceChanged`](crate::Error::SourceChanged) if other keys came than the first reading saw: then not all of
    /// these were compared.
    pub fn finish(self) -> crate::Result<KeyChoice> {
        second_reading::check_keys(&self.choice)?;
        Ok(self.choice)
    }

    fn accept(&mut self, op: WriteOp) {
        if !self.sample.has(op.key()) {
            self.tally.count(|counts| counts.not_sampled += 1);
        } else if self.choice.keeps(&op) {
            self.batch_memory += op.memory();
            self.batch.push(op);
        } else {
            self.tally.count(|counts| counts.superseded += 1);
        }
    }

    fn is_batch_full(&self) -> bool {
        self.batch.len() >= MAX_BATCH_GET_KEYS || self.batch_memory >= MAX_BATCH_MEMORY
    }

    /// Starts to read the items of the batch.
    fn read(&mut self) -> Result<(), StageError> {
        let ops = std::mem::take(&mut self.batch);
        self.batch_memory = 0;
        let Some(first) = ops.first() else {
            return Ok(());
        };
        let table = first.schema().clone();
        let keys: Result<Vec<Item>, _> = ops.iter().map(|op| table.key_item(op.item())).collect();
        let keys = keys.map_err(|error| broken(&error))?;
        let (reader, calendar) = (self.reader.clone(), Arc::clone(&self.calendar));
        self.reads.spawn(async move {
            let stored = reader.get(&table, &keys).await?;
            Ok(compare(ops, stored, calendar()).map_err(|error| broken(&error))?)
        });
        Ok(())
    }

    /// Takes answers until there are fewer than `most` requests in flight, and sends on what they have to be repaired.
    fn poll_below(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.poll_repair(cx))?;
            if self.reads.len() < most {
                return Poll::Ready(Ok(()));
            }
            match ready!(self.reads.poll_join_next(cx)) {
                Some(compared) => self.settle(compared)?,
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    fn poll_repair(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(repair) = &mut self.repair else {
            self.to_repair.clear();
            return Poll::Ready(Ok(()));
        };
        while !self.to_repair.is_empty() {
            ready!(repair.as_mut().poll_ready(cx))?;
            if let Some(op) = self.to_repair.pop_front() {
                repair.as_mut().start_send(op)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn settle(&mut self, compared: Result<Compared, JoinError>) -> Result<(), Error> {
        // Only a panic ends a read without an answer.
        let compared = compared.map_err(|error| broken(&error))??;
        for (op, verdict) in compared {
            self.differences
                .note(&op, &verdict)
                .map_err(StageError::from)?;
            self.tally.count(|counts| {
                counts.compared += 1;
                *match verdict {
                    Verdict::Equal => &mut counts.equal,
                    Verdict::Expired => &mut counts.expired,
                    Verdict::Missing => &mut counts.missing,
                    Verdict::Different { .. } => &mut counts.different,
                } += 1;
            });
            if matches!(verdict, Verdict::Missing | Verdict::Different { .. }) {
                self.to_repair.push_back(op);
            }
        }
        Ok(())
    }

    /// Reads and compares all that is held.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_below(cx, self.concurrency))?;
        self.read()?;
        self.poll_below(cx, 1)
    }
}

/// What can only be a fault of the stage itself.
fn broken(error: &dyn std::error::Error) -> StageError {
    StageError::Input {
        stage: "verify",
        reason: error.to_string(),
    }
}

impl<T> fmt::Debug for Verifier<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("tally", &self.tally)
            .field("reads", &self.reads.len())
            .finish_non_exhaustive()
    }
}

impl<T: ReadTransport> Sink<WriteOp> for Verifier<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.fuse.check::<Error>()?;
        if !self.is_batch_full() {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        let room = this.poll_below(cx, this.concurrency);
        ready!(this.fuse.guard_poll(room))?;
        let started = this.read().map_err(Error::from);
        Poll::Ready(this.fuse.guard(started))
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), Error> {
        self.fuse.check::<Error>()?;
        self.accept(op);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.fuse.check::<Error>()?;
        let this = &mut *self;
        let drained = this.poll_drain(cx);
        ready!(this.fuse.guard_poll(drained))?;
        match &mut this.repair {
            Some(repair) => this.fuse.guard_poll(repair.as_mut().poll_flush(cx)),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.fuse.is_closed() {
            return Poll::Ready(Ok(()));
        }
        self.fuse.check::<Error>()?;
        let this = &mut *self;
        let drained = this.poll_drain(cx);
        ready!(this.fuse.guard_poll(drained))?;
        let closed = match &mut this.repair {
            Some(repair) => repair.as_mut().poll_close(cx),
            None => Poll::Ready(Ok(())),
        };
        this.fuse.guard_close(closed)
    }
}
