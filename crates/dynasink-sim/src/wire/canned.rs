//! An SDK client that gets one reply, whatever it asks for: how the SDK reads what is rendered here.

use std::future::ready;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemError, BatchWriteItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::embedded::EmbeddedStore;
use crate::operation::Reply;

#[derive(Clone, Debug)]
struct Canned(Arc<Reply>);

impl HttpConnector for Canned {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let status = StatusCode::try_from(self.0.status).unwrap();
        let body = SdkBody::from(self.0.body.as_str());
        HttpConnectorFuture::new(ready(Ok(HttpResponse::new(status, body))))
    }
}

pub(super) fn client_that_gets(reply: Reply) -> Client {
    let connector = SharedHttpConnector::new(Canned(Arc::new(reply)));
    let http_client = http_client_fn(move |_settings, _components| connector.clone());
    let settings = EmbeddedStore::in_memory().unwrap().sdk_config();
    Client::from_conf(settings.http_client(http_client).build())
}

pub(super) async fn batch_write(
    client: &Client,
) -> Result<BatchWriteItemOutput, SdkError<BatchWriteItemError, HttpResponse>> {
    let put = PutRequest::builder().item("id", AttributeValue::S("a".to_owned()));
    let write = WriteRequest::builder()
        .put_request(put.build().unwrap())
        .build();
    client
        .batch_write_item()
        .request_items("users", vec![write])
        .send()
        .await
}
