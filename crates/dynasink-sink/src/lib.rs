//! Sinks between a stream of rows and DynamoDB: each a [`futures::Sink`], each usable alone.
//!
//! ```text
//!  WriteOp ─▶ Deduplicated ─ WriteOp ─▶ Batched ─ WriteBatch ─▶ RateLimited ─ WriteBatch ─▶ a writer
//!                                          ▲                        ▲                          │
//!                                          └─── CapacityFeedback ───┴──────────────────────────┘
//! ```
//!
//! A pipe is built from its leaf: [`BatchSinkExt`] makes stages above a `Sink<WriteBatch>`, [`WriteSinkExt`]
//! above a `Sink<WriteOp>`. [`drive`] runs a stream into it.
//!
//! ```
//! use dynasink_core::{BatchLimit, KeyType, TableSchema, WriteBatch};
//! use dynasink_sink::{BatchSinkExt, Dedup, DedupWindow, StageError, WriteSinkExt, drive};
//! use futures::{StreamExt, sink, stream};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let table = TableSchema::builder("users").partition_key("id", KeyType::N).build()?;
//! // Any `Sink<WriteBatch>` can be the leaf: this one prints, and ends when the pipe is closed.
//! let leaf = sink::unfold((), |(), batch: WriteBatch| async move {
//!     println!("{} operations, {}", batch.len(), batch.units());
//!     Ok::<_, StageError>(())
//! });
//! let pipe = leaf
//!     .batched(BatchLimit::REQUEST)
//!     .deduplicated(Dedup::keep_last(DedupWindow::default()));
//!
//! let rows = stream::iter(0..100).map(|n| table.put_serde(&serde_json::json!({ "id": n % 50 })));
//! let report = drive(rows, pipe).await?;
//! assert_eq!(report.items, 100);
//! # Ok(())
//! # }
//! ```
//!
//! # Order of the stages
//!
//! Dedup stands above the batcher: a key that comes twice in its window is then written once. The other way
//! round every duplicate would cut a batch short, since DynamoDB refuses a request with a key twice. The rate
//! limiter stands below the batcher, because only a batch has a cost; above it, each operation would wait alone.
//!
//! # Errors
//!
//! A pipe has one error type, that of its leaf, which takes the stages' own errors in by `From<`[`StageError`]`>`.
//! After an error a stage refuses to go on. Operations that it held have no outcome then, and an observer of
//! outcomes knows which those are.

mod batch;
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
mod dedup;
mod drive;
mod encode;
mod ext;
mod limit;
#[cfg(test)]
mod test_ops;

pub use batch::{AdaptiveSizer, Batched, SizerLaw};
pub use dedup::{Dedup, DedupWindow, Deduplicated, Fingerprints, KeptRow, KeyCensus, KeyChoice};
pub use drive::{Drive, DriveEnd, DriveError, DriveReport, drive};
pub use dynasink_core::StageError;
pub use encode::{Encode, Encoded};
pub use ext::{BatchSinkExt, WriteSinkExt};
pub use limit::{AutoRate, Observation, RateLaw, RateLimited, RateLimiter, YieldingRate};
