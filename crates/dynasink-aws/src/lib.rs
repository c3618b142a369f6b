//! The leaf of a pipe: a retrying `BatchWriteItem` writer on the AWS SDK, as a `Sink` of write batches.
//!
//! [`Writer`] takes batches and gives every operation its outcome. It sees the service through the [`Transport`]
//! trait, which [`DynamoDb`] implements on the SDK's client. What a failure means is decided by [`classify()`] alone.
//!
//! A [`Reader`] reads items back, by their keys or all of a table.
//!
//! [`describe`], [`describe_state`], [`NewTable`] and [`set_capacity`] read, make and change tables; [`AttributeValueExt`] turns the SDK's attribute values into
//! operations.

mod answer;
mod attributes;
mod classify;
mod client;
mod concurrency;
mod error;
mod large_collections;
mod preflight;
mod read;
mod refusal;
mod retry;
mod retry_after;
mod retry_budget;
mod table;
mod telemetry;
mod throttle;
mod transport;
mod writer;

pub use attributes::AttributeValueExt;
pub use classify::{Cause, Retry, classify};
pub use client::DynamoDb;
pub use concurrency::{Concurrency, ConcurrencyLaw};
pub use error::{Error, Result};
pub use read::{
    KeyBatch, KeysAnswer, ReadLimiter, ReadTransport, ReadUsage, Reader, ScanAnswer, ScanRequest,
    StoredItem,
};
pub use retry::{Backoff, RetryPolicy};
pub use retry_budget::RetryBudget;
pub use table::{
    CapacitySettings, IndexKey, NewIndex, NewTable, PointInTimeRecovery, ProvisionedUnits,
    StreamView, TableCapacity, TableChanges, TableState, add_index, create, describe,
    describe_once_made, describe_state, set_capacity, warm_up,
};
pub use throttle::ThrottlingReason;
pub use transport::{BatchResponse, RequestError, Transport};
pub use writer::{Writer, WriterBuilder};
