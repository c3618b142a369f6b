//! Reading through the AWS SDK.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{self, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use dynasink_core::TableSchema;

use super::answer::{read_keys, read_page, unreadable};
use super::transport::{KeyBatch, KeysAnswer, ReadTransport, ScanAnswer, ScanRequest};
use crate::classify::classify;
use crate::client::DynamoDb;
use crate::preflight::Preflight;
use crate::refusal::said_by_the_service;
use crate::retry_after::retry_after;
use crate::transport::RequestError;

/// Sends `$request` with `$body` in place of the SDK's own, and gives the bytes of the answer.
///
/// The requests of two operations share no type of the SDK's, so that this cannot be a function.
macro_rules! answer_to {
    ($dynamodb:expr, $request:expr, $body:expr) => {{
        let body: Bytes = $body;
        let answer = KeptBody::default();
        let sent = $request
            .customize()
            .interceptor(Preflight)
            .interceptor(answer.clone())
            .config_override(
                config::Builder::new()
                    .retry_config(RetryConfig::disabled())
                    .timeout_config($dynamodb.timeouts()),
            )
            .mutate_request(move |request| {
                let length = body.len().to_string();
                *request.body_mut() = SdkBody::from(body.clone());
                request.headers_mut().insert("content-length", length);
            })
            .send()
            .await;
        match sent {
            Ok(_) => answer.take(),
            Err(error) => Err(RequestError {
                cause: classify(&error),
                retry_after: error.raw_response().and_then(retry_after),
                source: said_by_the_service(error),
            }),
        }
    }};
}

impl ReadTransport for DynamoDb {
    async fn batch_get(&self, batch: &KeyBatch<'_>) -> Result<KeysAnswer, RequestError> {
        let body = keys_body(batch).map_err(unreadable)?;
        // Replaced below, but the SDK wants the parameter.
        let no_keys = KeysAndAttributes::builder().set_keys(Some(Vec::new()));
        let request = self.client().batch_get_item().request_items(
            batch.table.name().as_str(),
            no_keys.build().map_err(unreadable)?,
        );
        let answer = answer_to!(self, request, body)?;
        read_keys(batch.table, &answer)
    }

    async fn scan(&self, request: &ScanRequest<'_>) -> Result<ScanAnswer, RequestError> {
        let body = scan_body(request).map_err(unreadable)?;
        let scan = self
            .client()
            .scan()
            .table_name(request.table.name().as_str());
        let answer = answer_to!(self, scan, body)?;
        read_page(request.table, &answer)
    }
}

fn keys_body(batch: &KeyBatch<'_>) -> serde_json::Result<Bytes> {
    let bytes: usize = batch.keys.iter().map(|key| key.json().len() + 1).sum();
    let mut body = Vec::with_capacity(bytes + 256);
    body.extend_from_slice(br#"{"ReturnConsumedCapacity":"TOTAL","RequestItems":{"#);
    write_name(&mut body, batch.table)?;
    body.extend_from_slice(consistent(r#":{"ConsistentRead":"#, batch.consistent).as_bytes());
    body.extend_from_slice(br#","Keys":["#);
    for (at, key) in batch.keys.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(key.json());
    }
    body.extend_from_slice(b"]}}}");
    Ok(body.into())
}

fn scan_body(request: &ScanRequest<'_>) -> serde_json::Result<Bytes> {
    let mut body = br#"{"ReturnConsumedCapacity":"TOTAL","TableName":"#.to_vec();
    write_name(&mut body, request.table)?;
    body.extend_from_slice(consistent(r#","ConsistentRead":"#, request.consistent).as_bytes());
    let segment = format!(
        r#","Segment":{},"TotalSegments":{}"#,
        request.segment, request.segments
    );
    body.extend_from_slice(segment.as_bytes());
    if let Some(start) = request.start {
        body.extend_from_slice(br#","ExclusiveStartKey":"#);
        body.extend_from_slice(start);
    }
    body.push(b'}');
    Ok(body.into())
}

fn write_name(body: &mut Vec<u8>, table: &TableSchema) -> serde_json::Result<()> {
    serde_json::to_writer(body, table.name().as_str())
}

fn consistent(parameter: &str, consistent: bool) -> String {
    format!("{parameter}{consistent}")
}

/// Keeps the bytes of an answer that the SDK has taken for one. The SDK's own values of it would have to be encoded again.
#[derive(Clone, Debug, Default)]
struct KeptBody(Arc<Mutex<Option<Bytes>>>);

impl KeptBody {
    fn take(&self) -> Result<Bytes, RequestError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.ok_or_else(|| unreadable("the answer has no body"))
    }
}

impl Intercept for KeptBody {
    fn name(&self) -> &'static str {
        "DynasinkKeptBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _runtime_components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = context
            .response()
            .body()
            .bytes()
            .map(Bytes::copy_from_slice);
        Ok(())
    }
}
