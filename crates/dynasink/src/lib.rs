//! Streams rows into Amazon DynamoDB: Parquet files, Arrow batches or serde structs.
//!
//! This crate puts the stages of the others together: [`Pipeline`] is the standard pipe in one call, with
//! [`DeadLetterFile`], [`ErrorBudget`], [`Tally`] and [`Timeline`] to observe it. The stages are all here by name, to be taken one by
//! one:
//!
//! ```text
//!  RecordBatch ─▶ Decoded ─ WriteOp ─▶ Deduplicated ─ WriteOp ─▶ Batched ─ WriteBatch ─▶ RateLimited ─ WriteBatch ─▶ Writer ─▶ BatchWriteItem
//!                                                                   ▲                        ▲                        │   │
//!                                                                   └──── CapacityFeedback ──┴────────────────────────┘   └─▶ Outcome per row
//! ```
//!
//! After a load, a [`Verifier`] compares the source with what the table holds, and [`DeadLetters`] that were mended go
//! through the pipe again ([`Pipeline::replay`]).
//!
//! The same pipe by hand, from its leaf:
//!
//! ```no_run
//! use dynasink::{
//!     AdaptiveSizer, AutoRate, BatchSinkExt, DecodeExt, Decoder, Dedup, DedupWindow, DynamoDb, Mapping,
//!     SourceOptions, FileSource, RateLimiter, SizerLaw, Transport, WriteSinkExt, Writer, drive,
//! };
//!
//! # async fn load(client: aws_sdk_dynamodb::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let dynamodb = DynamoDb::new(client);
//! let table = dynamodb.describe_table("planes").await?;
//! let source = FileSource::open(["planes.parquet"], SourceOptions::default()).await?;
//! let mapping = Mapping::infer(source.schema(), &table)?;
//!
//! let limiter = RateLimiter::auto(AutoRate::starting_at(table.billing_mode().write_capacity()));
//! let sizer = AdaptiveSizer::new(SizerLaw::new(table.billing_mode().write_capacity()));
//! let sink = Writer::builder(dynamodb)
//!     .admission(limiter.clone())
//!     .sizer(sizer.clone())
//!     .build()
//!     .rate_limited(limiter)
//!     .batched(sizer)
//!     .deduplicated(Dedup::keep_last(DedupWindow::default()))
//!     .decoded(Decoder::new(mapping));
//! let report = drive(source.stream(), sink).await?;
//! println!("{} batches", report.items);
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod dead_letters;
mod error;
mod error_budget;
mod export;
mod largest_collections;
mod line_log;
mod pipeline;
mod rate;
mod refusals;
mod replay;
mod second_reading;
mod sha256;
mod survey;
mod tally;
#[cfg(test)]
mod test_table;
mod timeline;
mod verify;

pub use checkpoint::{Checkpoint, LoadChange, LoadIdentity, TableIdentity};
pub use dead_letters::DeadLetterFile;
pub use error::{Error, Result};
pub use error_budget::ErrorBudget;
pub use export::{
    Compression, Export, ExportCounts, ExportOptions, ExportOrigin, ExportProgress, Exported,
    ExportedFile, S3Uri,
};
pub use pipeline::{LoadReport, Pipeline, PipelineBuilder};
pub use rate::{Rate, RateOptions};
pub use refusals::{FailedRequests, Refusals};
pub use replay::{DeadLetters, RowsAgain};
pub use survey::{
    BadRow, BadRowCounts, BadRows, BoundBy, Costs, Estimate, Finding, HeavyKey, IndexUnits,
    ItemSizes, KeyCounts, Measured, Prices, SizeBucket, StayingSurvey, Survey, SurveySample,
    SurveySubject, TimeAtRate, UnitTotals, money,
};
pub use tally::{Counts, Tally};
pub use timeline::{InFlight, IndexUse, Latencies, LatencyQuantiles, Timeline, TimelinePoint};
pub use verify::{
    CensusTaker, DifferenceFile, Sample, Verifier, VerifyCounts, VerifyTally, find_extra,
};

pub use dynasink_arrow::{
    AttributeMapping, BatchStream, DecodeExt, Decoded, Decoder, DecryptionKeys,
    Error as ArrowError, FileFormat, FileIdentity, FileSet, FileSource, FileVersion, Filter,
    FilterPlace, HivePartitions, Interleave, Located, Location, Mapping, MappingError, MappingFile,
    MappingWarning, ObjectLocation, RowGroupObserver, RowSelection, SourceBatch, SourceFile,
    SourceIdentity, SourceOptions, Sources, Stores, StreamOptions, Unreadable, object_store, spec,
};
pub use dynasink_aws::{
    AttributeValueExt, Backoff, BatchResponse, CapacitySettings, Cause, Concurrency, DynamoDb,
    Error as WriterError, IndexKey, NewIndex, NewTable, PointInTimeRecovery, ProvisionedUnits,
    ReadLimiter, ReadTransport, ReadUsage, Reader, RequestError, Retry, RetryBudget, RetryPolicy,
    StreamView, TableCapacity, TableChanges, TableState, ThrottlingReason, Transport, Writer,
    WriterBuilder, add_index, create as create_table, describe as describe_table,
    describe_once_made, describe_state, set_capacity, warm_up,
};
pub use dynasink_core::limits;
pub use dynasink_core::{
    Admission, AttributeName, BatchLimit, BatchSizer, BillingMode, CapacityFeedback,
    CapacityObserver, ConsumedCapacity, DeadReason, Error as ItemError, Fuse, IndexCost, IndexKind,
    Item, ItemCollectionSize, ItemEncoder, KeyType, Number, ObserverError, Outcome, OutcomeEvent,
    OutcomeObserver, Outcomes, PrimaryKey, Projection, RequestFailure, SerdeEncoder,
    SourcePosition, StageError, TableName, TableSchema, Throttle, ThrottleScope, Unread,
    UnreadObserver, ValueLocation, WriteAction, WriteBatch, WriteBatchBuilder, WriteCost, WriteOp,
    WriteUnits, binary_set, number_set, string_set,
};
pub use dynasink_sink::{
    AdaptiveSizer, AutoRate, BatchSinkExt, Batched, Dedup, DedupWindow, Deduplicated, Drive,
    DriveEnd, DriveError, DriveReport, Encode, Encoded, Fingerprints, KeptRow, KeyCensus,
    KeyChoice, RateLaw, RateLimited, RateLimiter, SizerLaw, WriteSinkExt, YieldingRate, drive,
};
