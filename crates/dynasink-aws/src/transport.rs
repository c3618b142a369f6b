//! The service, as the writer sees it.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::error::BoxError;
use dynasink_core::{ConsumedCapacity, ItemCollectionSize, PrimaryKey, TableSchema, WriteBatch};

use crate::classify::Cause;
use crate::error::Error;

/// What carries requests to DynamoDB: the SDK's client, a simulator, or a user's own.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, once: retries are the caller's.
    ///
    /// It ends, if need be by a timeout of its own: the writer waits as long as it takes, and with it all later
    /// operations of the request's keys.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the service did not take the request as a whole.
    fn batch_write(
        &self,
        batch: &WriteBatch,
    ) -> impl Future<Output = Result<BatchResponse, RequestError>> + Send;

    /// Describes a table.
    ///
    /// # Errors
    ///
    /// [`Error::Describe`] and [`Error::UnusableTable`].
    fn describe_table(
        &self,
        table: &str,
    ) -> impl Future<Output = Result<TableSchema, Error>> + Send;
}

/// The service's answer to a request that it took.
#[derive(Clone, Debug, Default)]
pub struct BatchResponse {
    /// The operations that it did not apply, by their keys. All others are applied.
    pub unprocessed: Vec<PrimaryKey>,
    /// What the applied operations consumed, by table.
    pub consumed: Vec<ConsumedCapacity>,
    /// The sizes of the item collections that they belong to, where the transport asks for them.
    pub item_collections: Vec<ItemCollectionSize>,
}

/// A request that failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("the request failed as {cause}")]
pub struct RequestError {
    /// What the failure means.
    pub cause: Cause,
    /// How long the service asks to be left alone, if it does. See [`RetryPolicy`](crate::RetryPolicy).
    pub retry_after: Option<Duration>,
    /// What happened.
    pub source: BoxError,
}
