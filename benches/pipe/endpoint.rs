//! Endpoints that have written everything at once: what is left is the work of this side.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynasink::{
    BatchResponse, ConsumedCapacity, DynamoDb, RequestError, TableSchema, Transport, WriteBatch,
    WriterError,
};

/// Answers in the place of the SDK.
#[derive(Clone, Debug)]
pub(crate) struct NullTransport {
    table: TableSchema,
}

impl NullTransport {
    pub(crate) fn new(table: &TableSchema) -> Self {
        Self {
            table: table.clone(),
        }
    }
}

impl Transport for NullTransport {
    async fn batch_write(&self, batch: &WriteBatch) -> Result<BatchResponse, RequestError> {
        Ok(BatchResponse {
            unprocessed: Vec::new(),
            consumed: vec![ConsumedCapacity {
                table: self.table.name().clone(),
                table_units: batch.units(),
                index_units: Vec::new(),
            }],
            item_collections: Vec::new(),
        })
    }

    async fn describe_table(&self, _table: &str) -> Result<TableSchema, WriterError> {
        Ok(self.table.clone())
    }
}

/// Answers in the place of the network: the SDK serializes, signs and parses.
pub(crate) fn null_http(table: &TableSchema) -> DynamoDb {
    let connector = SharedHttpConnector::new(NullHttp {
        // What a full batch of small items costs.
        answer: format!(
            r#"{{"UnprocessedItems":{{}},"ConsumedCapacity":[{{"TableName":"{}","CapacityUnits":25.0,"Table":{{"CapacityUnits":25.0}}}}]}}"#,
            table.name()
        ),
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
        .endpoint_url("http://null.invalid")
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .http_client(http_client_fn(move |_settings, _components| {
            connector.clone()
        }));
    DynamoDb::new(Client::from_conf(config.build()))
}

#[derive(Debug)]
struct NullHttp {
    answer: String,
}

impl HttpConnector for NullHttp {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let ok = StatusCode::try_from(200).expect("200 is a status");
        let mut response = HttpResponse::new(ok, SdkBody::from(self.answer.as_str()));
        response
            .headers_mut()
            .insert("content-type", "application/x-amz-json-1.0");
        HttpConnectorFuture::ready(Ok(response))
    }
}
