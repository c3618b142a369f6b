//! DynamoDB through the AWS SDK.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{self, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::types::{self, AttributeValue};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use dynasink_core::{
    ConsumedCapacity, PrimaryKey, TableName, TableSchema, WriteBatch, WriteOp, WriteUnits,
};

use crate::attributes::AttributeValueExt;
use crate::classify::{Cause, classify};
use crate::error::Error;
use crate::preflight::Preflight;
use crate::refusal::said_by_the_service;
use crate::retry_after::retry_after;
use crate::table;
use crate::transport::{BatchResponse, RequestError, Transport};

/// How long a request may take where the client's configuration does not say. The largest request, 16 MB, needs
/// that long at 2 Mbit/s.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);

/// The SDK's client as a [`Transport`].
///
/// A request goes out as the encoded bytes of its operations: the body is put in place before the SDK signs, so
/// credentials, endpoints, timeouts, TLS and interceptors stay the SDK's, and no attribute is serialized again.
/// The SDK's own retries are off for these requests, because the writer retries and two owners would multiply.
///
/// A request that is not answered ends after the client's own timeout. A client without one, the SDK's default,
/// would wait for ever on a connection that has died in silence, so a request then ends after 60 seconds.
/// [`TimeoutConfig::disabled`] turns that off too.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
}

impl DynamoDb {
    /// Sends requests with `client`.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The SDK's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client's timeouts, and [`ATTEMPT_TIMEOUT`] where it has none for an answer.
    fn timeouts(&self) -> TimeoutConfig {
        let timeouts = self.client.config().timeout_config();
        let builder = timeouts.map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        let has_one_for_an_answer = timeouts.is_some_and(|timeouts| {
            timeouts.operation_timeout().is_some() || timeouts.read_timeout().is_some()
        });
        if has_one_for_an_answer {
            return builder.build();
        }
        let ours = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT);
        builder.take_unset_from(ours).build()
    }
}

impl Transport for DynamoDb {
    async fn batch_write(&self, batch: &WriteBatch) -> Result<BatchResponse, RequestError> {
        let body = request_body(batch);
        let result = self
            .client
            .batch_write_item()
            // Replaced below, but the SDK wants the parameter.
            .request_items(batch.ops()[0].table().as_str(), Vec::new())
            .customize()
            .interceptor(Preflight)
            .config_override(
                config::Builder::new()
                    .retry_config(RetryConfig::disabled())
                    .timeout_config(self.timeouts()),
            )
            .mutate_request(move |request| {
                let length = body.len().to_string();
                *request.body_mut() = SdkBody::from(body.clone());
                request.headers_mut().insert("content-length", length);
            })
            .send()
            .await;
        match result {
            Ok(output) => read_response(batch, &output),
            Err(error) => Err(RequestError {
                cause: classify(&error),
                retry_after: error.raw_response().and_then(retry_after),
                source: said_by_the_service(error),
            }),
        }
    }

    async fn describe_table(&self, table: &str) -> Result<TableSchema, Error> {
        table::describe(&self.client, table).await
    }
}

/// The whole body: everything that the request asks for is in it, since it replaces what the SDK wrote.
fn request_body(batch: &WriteBatch) -> Bytes {
    let mut body = Vec::with_capacity(batch.wire_len());
    body.extend_from_slice(br#"{"ReturnConsumedCapacity":"INDEXES","RequestItems":"#);
    body.extend_from_slice(&batch.request_items());
    body.push(b'}');
    body.into()
}

/// An answer that cannot be taken for one: the operations may be applied, and are sent again.
fn ambiguous(problem: &str) -> RequestError {
    RequestError {
        cause: Cause::Internal,
        retry_after: None,
        source: BoxError::from(problem),
    }
}

fn read_response(
    batch: &WriteBatch,
    output: &BatchWriteItemOutput,
) -> Result<BatchResponse, RequestError> {
    // The service always sends the key, though empty; an answer without it is not the service's.
    let Some(unprocessed_items) = output.unprocessed_items() else {
        return Err(ambiguous(
            "the answer has no UnprocessedItems, so it does not say what was written",
        ));
    };
    let mut unprocessed = Vec::new();
    for (table, requests) in unprocessed_items {
        for request in requests {
            match key_of(batch, table, request) {
                Some(key) => unprocessed.push(key),
                None => {
                    return Err(ambiguous(
                        "UnprocessedItems holds an item that was not in the request",
                    ));
                }
            }
        }
    }
    Ok(BatchResponse {
        unprocessed,
        consumed: output
            .consumed_capacity()
            .iter()
            .filter_map(consumed)
            .collect(),
    })
}

/// The key of a refused operation, if it is one of `batch`.
fn key_of(batch: &WriteBatch, table: &str, request: &types::WriteRequest) -> Option<PrimaryKey> {
    let attributes = match (request.put_request(), request.delete_request()) {
        (Some(put), _) => put.item(),
        (None, Some(delete)) => delete.key(),
        (None, None) => return None,
    };
    let mut tables: Vec<&TableSchema> = Vec::with_capacity(1);
    for schema in batch.ops().iter().map(WriteOp::schema) {
        if names(schema.name(), table) && tables.iter().all(|seen| seen.name() != schema.name()) {
            tables.push(schema);
        }
    }
    tables.into_iter().find_map(|schema| {
        let key: HashMap<String, AttributeValue> = schema
            .keys()
            .filter_map(|key| attributes.get_key_value(key.name()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let key = schema
            .primary_key(&schema.item_from_attributes(&key).ok()?)
            .ok()?;
        batch.ops().iter().any(|op| op.key() == &key).then_some(key)
    })
}

/// Whether the service's `table` is `ours`: where a request names a table by its ARN, the answer may name it alone.
fn names(ours: &TableName, table: &str) -> bool {
    ours.as_str() == table
        || ours
            .as_str()
            .strip_suffix(table)
            .is_some_and(|arn| arn.ends_with(":table/"))
}

fn consumed(capacity: &types::ConsumedCapacity) -> Option<ConsumedCapacity> {
    let table = TableName::new(capacity.table_name()?).ok()?;
    let units = |capacity: &types::Capacity| {
        WriteUnits::from_consumed(
            capacity
                .capacity_units()
                .or_else(|| capacity.write_capacity_units())
                .unwrap_or_default(),
        )
    };
    let global = capacity.global_secondary_indexes();
    let local = capacity.local_secondary_indexes();
    let table_units = match capacity.table() {
        Some(table) => units(table) + local.into_iter().flat_map(HashMap::values).map(units).sum(),
        None => WriteUnits::from_consumed(capacity.capacity_units().unwrap_or_default()),
    };
    Some(ConsumedCapacity {
        table,
        table_units,
        index_units: global
            .into_iter()
            .flatten()
            .map(|(name, capacity)| (name.clone(), units(capacity)))
            .collect(),
    })
}
