//! The leaf of a pipe: batches go out as requests, and each operation gets its outcome.

mod backlog;
mod engine;
mod hot;
mod pending;
mod request;
mod retry_queue;
mod shared;
mod stop;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use dynasink_core::{
    Admission, BatchLimit, BatchSizer, CapacityFeedback, CapacityObserver, Fuse, Outcomes,
    WriteBatch, limits::MAX_BATCH_OPS,
};
use futures::Sink;
use tokio::task::JoinHandle;

use crate::concurrency::{Concurrency, ConcurrencyLaw};
use crate::error::Error;
use crate::retry::RetryPolicy;
use crate::transport::Transport;
use engine::Engine;
use shared::{Shared, State};

pub(crate) use pending::PendingOp;

/// A sink of batches that writes them to DynamoDB.
///
/// - **In**: [`WriteBatch`]. **Out**: `BatchWriteItem` requests, several in flight, each on a task of its own.
/// - **Outcomes**: every operation ends as written or dead, exactly once, and observers are told
///   ([`WriterBuilder::outcomes`]). Without observers a dead operation is an error of the sink.
/// - **Order**: operations of one key are written in the order in which they came, whatever is refused or lost in
///   between; those of other keys pass.
/// - **Retries**: refused operations and failed requests are sent again after a jittered wait, merged with fresh
///   operations into full requests, bounded by [`RetryPolicy`]. A wait that the service asks for is kept, and a service
///   that fails is not stormed ([`RetryBudget`](crate::RetryBudget)). Retries pay at the rate limiter
///   ([`WriterBuilder::admission`]) like fresh operations. A request that the service finds invalid is halved until
///   the operation that spoils it stands alone.
/// - **Hot partition keys**: where a single partition key is refused while others are written, its operations are parked
///   and go at a rate of their own, found as the table's is; those of other keys pass. Many keys that are too much for
///   their partition together are not told apart from a table that is used up. Order per key is kept, and parked
///   operations do not grow old: time in which nobody tried them is no time of failure.
/// - **Ready** for what can be sent at once and one batch more, so that what a rate limiter above has admitted does
///   not pile up here and leave all at once.
/// - **Held**: [`WriterBuilder::max_buffered_bytes`], and as many operations as twice the requests in flight carry; of
///   parked operations, as many as the bytes allow, each with the bytes of what it takes to hold it.
/// - **Flush and close**: ready when every accepted operation has its outcome.
///
/// Requests go on while the sink is not polled: they belong to a task, which starts with the first batch and is
/// aborted when the writer is dropped. What has no outcome then may have been written or not.
///
/// ```no_run
/// use dynasink_aws::{DynamoDb, Writer};
/// # use dynasink_core::WriteBatch;
///
/// # async fn write(client: aws_sdk_dynamodb::Client, batch: WriteBatch) -> Result<(), dynasink_aws::Error> {
/// use futures::SinkExt;
///
/// let mut writer = Writer::new(DynamoDb::new(client));
/// writer.send(batch).await?;
/// writer.close().await
/// # }
/// ```
#[must_use = "sinks do nothing unless polled"]
pub struct Writer<T> {
    shared: Arc<Shared>,
    /// The engine before its first batch.
    idle: Option<Engine<T>>,
    task: Option<JoinHandle<()>>,
    max_buffered_ops: usize,
    max_buffered_bytes: usize,
    fuse: Fuse,
}

impl<T: Transport> Writer<T> {
    /// A writer with the default settings.
    pub fn new(transport: T) -> Self {
        Self::builder(transport).build()
    }

    /// Starts the settings of a writer.
    pub fn builder(transport: T) -> WriterBuilder<T> {
        WriterBuilder {
            transport,
            settings: Settings {
                concurrency: Concurrency::default(),
                retry: RetryPolicy::default(),
                outcomes: Outcomes::unobserved(),
                admission: None,
                sizer: Arc::new(BatchLimit::REQUEST),
                capacity_observers: Vec::new(),
                jitter_seed: None,
            },
            max_buffered_bytes: WriterBuilder::<T>::DEFAULT_BUFFERED_BYTES,
        }
    }
}

/// What a [`Writer`]'s engine goes by.
#[derive(Debug)]
struct Settings {
    concurrency: Concurrency,
    retry: RetryPolicy,
    outcomes: Outcomes,
    admission: Option<Arc<dyn Admission>>,
    sizer: Arc<dyn BatchSizer>,
    capacity_observers: Vec<Arc<dyn CapacityObserver>>,
    jitter_seed: Option<u64>,
}

impl Settings {
    /// Tells all who learn from answers.
    fn tell(&self, feedback: &CapacityFeedback) {
        if let Some(admission) = &self.admission {
            admission.observe(feedback);
        }
        self.sizer.observe(feedback);
        for observer in &self.capacity_observers {
            observer.observe(feedback);
        }
    }

    /// Tells those who count requests that one has left.
    fn tell_departed(&self, in_flight: usize) {
        for observer in &self.capacity_observers {
            observer.departed(in_flight);
        }
    }
}

/// Settings of a [`Writer`].
#[derive(Debug)]
#[must_use]
pub struct WriterBuilder<T> {
    transport: T,
    settings: Settings,
    max_buffered_bytes: usize,
}

impl<T: Transport> WriterBuilder<T> {
    /// Bytes that a writer holds unless told otherwise: four of the largest requests.
    pub const DEFAULT_BUFFERED_BYTES: usize = 64 * 1024 * 1024;

    /// How many requests to have in flight.
    pub fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.settings.concurrency = concurrency;
        self
    }

    /// How often and how long to try.
    pub fn retry_policy(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// Who is told the outcome of each operation.
    pub fn outcomes(mut self, outcomes: Outcomes) -> Self {
        self.settings.outcomes = outcomes;
        self
    }

    /// Where retries pay: the rate limiter that stands above the writer. It is told every answer.
    pub fn admission(mut self, admission: impl Admission + 'static) -> Self {
        self.settings.admission = Some(Arc::new(admission));
        self
    }

    /// How large the requests may be that retries and fresh operations share: the sizer of the batcher above. It is
    /// told every answer.
    pub fn sizer(mut self, sizer: impl BatchSizer + 'static) -> Self {
        self.settings.sizer = Arc::new(sizer);
        self
    }

    /// Who else learns from every answer, such as progress. The rate limiter and the sizer are told already: named here
    /// again, they would hear everything twice.
    pub fn capacity_observer(mut self, observer: impl CapacityObserver + 'static) -> Self {
        self.settings.capacity_observers.push(Arc::new(observer));
        self
    }

    /// Most bytes of operations without an outcome to hold. One more batch than that may be held. Operations of hot
    /// partition keys count with what it takes to hold them: small ones could be many.
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.max_buffered_bytes = bytes;
        self
    }

    /// Draws the jitter of waits from that seed, so that a simulated run can be repeated.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.settings.jitter_seed = Some(seed);
        self
    }

    /// The writer.
    pub fn build(self) -> Writer<T> {
        let shared = Arc::new(Shared::new(
            ConcurrencyLaw::new(self.settings.concurrency).limit(),
        ));
        Writer {
            max_buffered_ops: (2 * MAX_BATCH_OPS).saturating_mul(self.settings.concurrency.max()),
            max_buffered_bytes: self.max_buffered_bytes,
            idle: Some(Engine::new(
                self.transport,
                self.settings,
                Arc::clone(&shared),
            )),
            shared,
            task: None,
            fuse: Fuse::new("writer"),
        }
    }
}

impl<T> fmt::Debug for Writer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl<T: Transport> Writer<T> {
    /// Polls until `done` holds for what is held.
    fn poll_held(
        &mut self,
        cx: &Context<'_>,
        flushing: bool,
        done: impl Fn(&State) -> bool,
    ) -> Poll<Result<(), Error>> {
        self.fuse.check::<Error>()?;
        let result = {
            let mut state = self.shared.state();
            if let Some(end) = state.end.take() {
                Err(end.into_error(state.held_ops))
            } else if done(&state) {
                state.flushing = false;
                return Poll::Ready(Ok(()));
            } else {
                state.flushing = flushing;
                match &mut state.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    empty => *empty = Some(cx.waker().clone()),
                }
                Ok(())
            }
        };
        self.fuse.guard(result)?;
        if flushing {
            self.shared.engine.notify_one();
        }
        Poll::Pending
    }
}

impl<T: Transport> Sink<WriteBatch> for Writer<T> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let (ops, bytes) = (this.max_buffered_ops, this.max_buffered_bytes);
        this.poll_held(cx, false, |state| {
            state.held_ops == 0
                || (state.counted_ops() + MAX_BATCH_OPS <= ops
                    && state.counted_bytes() < bytes
                    && state.departs())
        })
    }

    /// # Panics
    ///
    /// Outside a tokio runtime, where the first batch starts the writer's task.
    fn start_send(self: Pin<&mut Self>, batch: WriteBatch) -> Result<(), Error> {
        let this = self.get_mut();
        this.fuse.check::<Error>()?;
        if let Some(engine) = this.idle.take() {
            this.task = Some(tokio::spawn(engine.run()));
        }
        {
            let mut state = this.shared.state();
            state.held_ops += batch.len();
            state.unsent_ops += batch.len();
            state.held_bytes += batch.memory();
            state.inbox.push_back(batch);
        }
        this.shared.engine.notify_one();
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut()
            .poll_held(cx, true, |state| state.held_ops == 0)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_flush(cx)
    }
}
