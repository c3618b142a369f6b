//! An endpoint in the place of the network: it answers as it is told and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynasink_aws::DynamoDb;
use dynasink_core::{Item, KeyType, TableSchema, WriteBatch, WriteBatchBuilder, WriteOp};

pub(crate) const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const REGION: &str = "eu-central-1";

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer {
        status: u16,
        content_type: &'static str,
        headers: Vec<(&'static str, &'static str)>,
        body: String,
    },
    Fail(fn() -> ConnectorError),
    /// A status of success, and a body that cannot be read to its end.
    BreaksOff,
    Hang,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Answer {
            status,
            content_type: "application/x-amz-json-1.0",
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// An error as the service words it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
        let body = serde_json::json!({"__type": kind, "message": message});
        Self::json(status, body.to_string())
    }

    /// The same answer with this header.
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value));
        }
        self
    }

    fn send(self) -> HttpConnectorFuture {
        match self {
            Self::Answer {
                status,
                content_type,
                headers,
                body,
            } => {
                let status = StatusCode::try_from(status).unwrap();
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                response.headers_mut().insert("content-type", content_type);
                response
                    .headers_mut()
                    .insert("x-amzn-requestid", "REQUEST-1");
                for (name, value) in headers {
                    response.headers_mut().insert(name, value);
                }
                HttpConnectorFuture::ready(Ok(response))
            }
            Self::BreaksOff => {
                let status = StatusCode::try_from(200).unwrap();
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::taken())))
            }
            Self::Fail(error) => HttpConnectorFuture::ready(Err(error())),
            Self::Hang => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

/// Gives its replies to one request after the other, and the last one to all that follow.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Endpoint {
    pub(crate) fn new(reply: Reply) -> Self {
        Self::script([reply])
    }

    pub(crate) fn script(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            requests: Arc::default(),
        }
    }

    /// The requests since the last question, as they would have gone over the network.
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// A configuration that lacks nothing.
    pub(crate) fn config(&self) -> Builder {
        let connector = SharedHttpConnector::new(self.clone());
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
            .http_client(http_client_fn(move |_settings, _components| {
                connector.clone()
            }))
    }

    pub(crate) fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    pub(crate) fn transport(&self) -> DynamoDb {
        DynamoDb::new(self.client())
    }
}

impl HttpConnector for Endpoint {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.requests.lock().unwrap().push(request);
        let mut replies = self.replies.lock().unwrap();
        let reply = match replies.len() {
            1 => replies[0].clone(),
            _ => replies.pop_front().unwrap(),
        };
        reply.send()
    }
}

pub(crate) fn table(name: &str) -> TableSchema {
    TableSchema::builder(name)
        .partition_key("id", KeyType::N)
        .build()
        .unwrap()
}

pub(crate) fn put(table: &TableSchema, id: i64) -> WriteOp {
    let item = table.item(|item| {
        item.attribute("id")?.integer(id)?;
        item.attribute("name")?.string("Zoë \"Z\"")
    });
    table.put(item.unwrap()).unwrap()
}

/// An item with nothing but a key.
pub(crate) fn key_only(table: &TableSchema, id: i64) -> Item {
    let item = table.item(|item| item.attribute("id")?.integer(id));
    item.unwrap()
}

pub(crate) fn batch(ops: impl IntoIterator<Item = WriteOp>) -> WriteBatch {
    let mut builder = WriteBatchBuilder::new();
    for op in ops {
        builder.push(op).unwrap();
    }
    builder.take().unwrap()
}
