//! DynamoDB through the AWS SDK.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{self, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use dynasink_core::{TableSchema, WriteBatch};

use crate::answer::read_response;
use crate::classify::classify;
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
    item_collection_metrics: bool,
}

impl DynamoDb {
    /// Sends requests with `client`.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            item_collection_metrics: false,
        }
    }

    /// Asks for the sizes of the item collections that are written to, which only tables with local indexes have.
    ///
    /// They come with each answer ([`BatchResponse::item_collections`]), and the writer logs a warning of those that
    /// come close to 10 GB. Both name the value of the partition key.
    #[must_use]
    pub fn with_item_collection_metrics(mut self) -> Self {
        self.item_collection_metrics = true;
        self
    }

    /// The SDK's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client's timeouts, and [`ATTEMPT_TIMEOUT`] where it has none for an answer.
    pub(crate) fn timeouts(&self) -> TimeoutConfig {
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
        let body = request_body(batch, self.item_collection_metrics);
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
fn request_body(batch: &WriteBatch, item_collection_metrics: bool) -> Bytes {
    let mut body = Vec::with_capacity(batch.wire_len());
    body.extend_from_slice(br#"{"ReturnConsumedCapacity":"INDEXES","#);
    if item_collection_metrics {
        body.extend_from_slice(br#""ReturnItemCollectionMetrics":"SIZE","#);
    }
    body.extend_from_slice(br#""RequestItems":"#);
    body.extend_from_slice(&batch.request_items());
    body.push(b'}');
    body.into()
}
