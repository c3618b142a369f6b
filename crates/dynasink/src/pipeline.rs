//! The standard pipe in one call.

mod replay;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use dynasink_arrow::{DecodeExt, Decoder, Mapping, SourceBatch};
use dynasink_aws::{Concurrency, RetryPolicy, Transport, Writer};
use dynasink_core::{
    Error as ItemError, ItemCollectionSize, OutcomeObserver, Outcomes, TableSchema, WriteOp,
};
use dynasink_sink::{
    AdaptiveSizer, BatchSinkExt, Dedup, DedupWindow, DriveEnd, DriveError, DriveReport, Encode,
    RateLimiter, SizerLaw, WriteSinkExt, drive,
};
use futures::{Sink, Stream, TryStreamExt};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::rate::RateOptions;
use crate::tally::{Counts, Tally};
use crate::timeline::Timeline;

/// The standard pipe into one table: dedup, batch, rate limit, write. It is a `Sink<WriteOp>`.
///
/// A flush is ready when every operation that was sent so far has its outcome, those included that wait for another
/// attempt. Dropping a pipe, or the future of [`load`](Self::load), ends its requests at once: what has no outcome then
/// is in [`Counts::unresolved`], and may have been written or not.
///
/// ```no_run
/// use dynasink::{DynamoDb, Mapping, SourceOptions, FileSource, Pipeline, Rate, Transport, WriteUnits};
///
/// # async fn load(client: aws_sdk_dynamodb::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let dynamodb = DynamoDb::new(client);
/// let table = dynamodb.describe_table("planes").await?;
/// let source = FileSource::open(["planes.parquet"], SourceOptions::default()).await?;
/// let mapping = Mapping::infer(source.schema(), &table)?;
///
/// let pipeline = Pipeline::builder(dynamodb, &table)
///     .rate(Rate::Fixed(WriteUnits::new(500)))
///     .build()?;
/// let report = pipeline.load(source.stream(), mapping, std::future::pending()).await?;
/// println!("{} items written", report.counts.items_written);
/// # Ok(())
/// # }
/// ```
#[must_use = "sinks do nothing unless polled"]
pub struct Pipeline {
    sink: Pin<Box<dyn Sink<WriteOp, Error = dynasink_aws::Error> + Send>>,
    outcomes: Outcomes,
    tally: Tally,
    limiter: RateLimiter,
    timeline: Timeline,
    versions: Versions,
    checkpoint: Option<Checkpoint>,
}

/// What a pipe does with the versions of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Versions {
    /// The greatest of each key is kept.
    Needed,
    /// Nothing, since another row of a key was chosen to be kept.
    Unneeded,
    /// Nothing, and nobody has chosen that.
    Overlooked,
}

/// What a load has done.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    /// What was counted.
    pub counts: Counts,
    /// The largest item collections that were written to: see [`Tally::largest_item_collections`].
    pub item_collections: Vec<ItemCollectionSize>,
    /// Why it ended.
    pub end: DriveEnd,
}

impl Pipeline {
    /// Starts the settings of a pipe into `table`.
    pub fn builder<T: Transport>(transport: T, table: &TableSchema) -> PipelineBuilder<T> {
        PipelineBuilder {
            transport,
            table: table.clone(),
            rate: RateOptions::default(),
            concurrency: Concurrency::default(),
            retry: RetryPolicy::default(),
            repeats: Repeats::Unsaid,
            observers: Vec::new(),
            jitter_seed: None,
            checkpoint: None,
        }
    }

    /// Counts what happens in this pipe, also while it runs.
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    /// The rate limiter of this pipe: its rate can be changed while it runs.
    pub fn limiter(&self) -> RateLimiter {
        self.limiter.clone()
    }

    /// What happens in this pipe over time.
    pub fn timeline(&self) -> Timeline {
        self.timeline.clone()
    }

    /// Who is told the outcome of each row.
    pub fn outcomes(&self) -> Outcomes {
        self.outcomes.clone()
    }

    /// Writes all rows of `batches`, until they end or `shutdown` is ready. Every row that was read has its
    /// outcome then, unless this returns [`Error::Pipe`].
    ///
    /// # Errors
    ///
    /// [`Error::NoVersions`] and [`Error::VersionsOverlooked`] if the mapping has a column of versions and the pipe does
    /// not keep the greatest of them, or the other way round; [`Error::Source`] if the source fails, after what was read
    /// before has been written; [`Error::Pipe`] if writing fails; [`Error::CheckpointFile`] and [`Error::DeadLetters`]
    /// if a checkpoint cannot be written.
    pub async fn load<S, B, E>(
        self,
        batches: S,
        mapping: Mapping,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<LoadReport>
    where
        S: Stream<Item = Result<B, E>>,
        B: Into<SourceBatch>,
        E: std::error::Error + Send + Sync + 'static,
    {
        match (self.versions, mapping.has_versions()) {
            (Versions::Needed, false) => return Err(Error::NoVersions),
            (Versions::Overlooked, true) => return Err(Error::VersionsOverlooked),
            _ => {}
        }
        let tally = self.tally();
        self.timeline.begin();
        let checkpoint = self.checkpoint.clone();
        let decoder = Decoder::new(mapping).with_outcomes(self.outcomes());
        let batches = batches
            .map_ok(Into::into)
            .inspect_ok(|batch: &SourceBatch| {
                tally.count_rows(batch.batch().num_rows() as u64);
                if let Some(checkpoint) = &checkpoint {
                    checkpoint.read(batch);
                }
            });
        // Rows are counted as they are read, and not again as operations.
        let batches = std::pin::pin!(batches);
        let driving = drive(batches, self.sink.decoded(decoder)).until(shutdown);
        let Some(checkpoint) = &checkpoint else {
            return report(driving.await, &tally);
        };
        let driven = checkpoint.beside(driving).await?;
        let is_complete = matches!(&driven, Ok(report) if report.end == DriveEnd::Exhausted);
        let ended = checkpoint.end(is_complete).await;
        // Why the load has failed says more than that its checkpoint is an older one.
        let report = report(driven, &tally)?;
        ended.map(|()| report)
    }

    /// The same for rows of any kind, each made an operation by `encode`. A row that it refuses is a dead letter.
    ///
    /// ```no_run
    /// use dynasink::{DynamoDb, Encode, Pipeline, SerdeEncoder, Transport};
    /// use futures::stream;
    ///
    /// #[derive(serde::Serialize)]
    /// struct User {
    ///     id: u32,
    ///     name: &'static str,
    /// }
    ///
    /// # async fn load(client: aws_sdk_dynamodb::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let dynamodb = DynamoDb::new(client);
    /// let table = dynamodb.describe_table("users").await?;
    /// let mut encoder = SerdeEncoder::new(&table);
    /// let users = stream::iter([Ok::<_, std::io::Error>(User { id: 1, name: "ann" })]);
    ///
    /// let pipeline = Pipeline::builder(dynamodb, &table).build()?;
    /// let encode = Encode::by(move |user: User| encoder.put(&user)).of_source("users");
    /// let report = pipeline.load_rows(users, encode, std::future::pending()).await?;
    /// println!("{} items written", report.counts.items_written);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub async fn load_rows<S, T, E, F>(
        self,
        rows: S,
        encode: Encode<F>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<LoadReport>
    where
        S: Stream<Item = Result<T, E>>,
        E: std::error::Error + Send + Sync + 'static,
        F: FnMut(T) -> Result<WriteOp, ItemError>,
    {
        let tally = self.tally();
        self.timeline.begin();
        let encode = encode.with_outcomes(self.outcomes());
        let rows = rows.inspect_ok(|_| tally.count_rows(1));
        let driven = drive(std::pin::pin!(rows), self.sink.encoded(encode))
            .until(shutdown)
            .await;
        report(driven, &tally)
    }
}

fn report<E: std::error::Error + Send + Sync + 'static>(
    driven: Result<DriveReport, DriveError<E, dynasink_aws::Error>>,
    tally: &Tally,
) -> Result<LoadReport> {
    match driven {
        Ok(report) => Ok(LoadReport {
            counts: tally.counts(),
            item_collections: tally.largest_item_collections(),
            end: report.end,
        }),
        Err(
            DriveError::Sink { source, .. }
            | DriveError::Stream {
                close: Some(source),
                ..
            },
        ) => Err(Error::Pipe(source)),
        Err(DriveError::Stream {
            source,
            close: None,
            ..
        }) => Err(Error::Source(Box::new(source))),
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("tally", &self.tally)
            .field("limiter", &self.limiter)
            .finish_non_exhaustive()
    }
}

impl Sink<WriteOp> for Pipeline {
    type Error = dynasink_aws::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sink.as_mut().poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, op: WriteOp) -> Result<(), Self::Error> {
        self.sink.as_mut().start_send(op)?;
        self.tally.count_rows(1);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sink.as_mut().poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sink.as_mut().poll_close(cx)
    }
}

/// Settings of a [`Pipeline`].
#[derive(Debug)]
#[must_use]
pub struct PipelineBuilder<T> {
    transport: T,
    table: TableSchema,
    rate: RateOptions,
    concurrency: Concurrency,
    retry: RetryPolicy,
    repeats: Repeats,
    observers: Vec<Arc<dyn OutcomeObserver>>,
    jitter_seed: Option<u64>,
    checkpoint: Option<Checkpoint>,
}

/// What was said of rows of one key.
#[derive(Debug)]
enum Repeats {
    /// Nothing: the last is kept.
    Unsaid,
    /// This is done, or nothing.
    Said(Option<Dedup>),
}

impl<T: Transport> PipelineBuilder<T> {
    /// How fast to write: a [`Rate`](crate::Rate), or [`RateOptions`]. As fast as the table can take it, unless set.
    pub fn rate(mut self, rate: impl Into<RateOptions>) -> Self {
        self.rate = rate.into();
        self
    }

    /// How many requests to have in flight.
    pub fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// How often and how long to try.
    pub fn retry_policy(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// What to do with rows of one key, or `None` to write them all in their order. The last is kept, unless set; a mapping with a column of
    /// versions is not loaded before it is.
    pub fn dedup(mut self, dedup: impl Into<Option<Dedup>>) -> Self {
        self.repeats = Repeats::Said(dedup.into());
        self
    }

    /// Writes down how far a [`load`](Pipeline::load) has come, and counts on from there. Dead rows go where the
    /// checkpoint says. It is for loads of batches with positions, such as those of a stream with
    /// [`Checkpoint::reading`]; operations that are sent to the pipe, and other rows, are refused.
    pub fn checkpoint(mut self, checkpoint: &Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint.clone());
        self
    }

    /// Draws the jitter of waits from that seed, so that a simulated load can be repeated.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    /// Tells `observer` the outcome of each row. Without one that keeps dead rows, the first of them ends the load.
    pub fn observer(mut self, observer: impl OutcomeObserver + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// The pipe.
    ///
    /// # Errors
    ///
    /// [`Error::NoCapacityToShare`]: see [`RateOptions::limiter`].
    pub fn build(self) -> Result<Pipeline> {
        let tally = match &self.checkpoint {
            Some(checkpoint) => Tally::starting_at(checkpoint.counts()),
            None => Tally::new(),
        };
        let limiter = self.rate.limiter(&self.table)?;
        let law = SizerLaw::new(self.table.billing_mode().write_capacity());
        let sizer = AdaptiveSizer::new(law).paced_by(limiter.clone());
        let timeline = Timeline::of(tally.clone(), limiter.clone());
        let counting: Arc<dyn OutcomeObserver> = Arc::new(tally.clone());
        let mut observers = self.observers;
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.count_requests(&tally);
            observers.push(Arc::new(checkpoint.clone()));
        }
        let outcomes = Outcomes::to(observers.into_iter().chain([counting]));
        let mut writer = Writer::builder(self.transport)
            .concurrency(self.concurrency)
            .retry_policy(self.retry)
            .outcomes(outcomes.clone())
            .admission(limiter.clone())
            .sizer(sizer.clone())
            .capacity_observer(tally.clone())
            .capacity_observer(timeline.clone());
        if let Some(seed) = self.jitter_seed {
            writer = writer.jitter_seed(seed);
        }
        let batched = writer.build().rate_limited(limiter.clone()).batched(sizer);
        let (dedup, versions) = match self.repeats {
            Repeats::Unsaid => (
                Some(Dedup::keep_last(DedupWindow::default())),
                Versions::Overlooked,
            ),
            Repeats::Said(Some(dedup)) if dedup.needs_versions() => (Some(dedup), Versions::Needed),
            Repeats::Said(dedup) => (dedup, Versions::Unneeded),
        };
        Ok(Pipeline {
            sink: match dedup {
                Some(dedup) => {
                    Box::pin(batched.deduplicated(dedup.with_outcomes(outcomes.clone())))
                }
                None => Box::pin(batched),
            },
            outcomes,
            tally,
            limiter,
            timeline,
            versions,
            checkpoint: self.checkpoint,
        })
    }
}
