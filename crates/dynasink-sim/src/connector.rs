//! The in-process door: the AWS SDK's HTTP connector, answered by a service in this process.

use std::future;
use std::io;
use std::time::Duration;

use aws_sdk_dynamodb::config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use dynasink_core::limits::MAX_REQUEST_BYTES;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::endpoint::{Endpoint, is_signed, late_body};
use crate::exchange::{Delivery, Request};
use crate::operation::Reply;

/// Where the SDK believes the endpoint is. The name cannot resolve (RFC 2606), so a client that
/// lost its in-process connector fails and does not call AWS with invented credentials.
const URL: &str = "http://in-process.invalid";

/// An SDK configuration for `endpoint`: this door, a region, invented credentials, the latest
/// behaviour version, no retries and no timeouts.
pub(crate) fn sdk_config(endpoint: Endpoint) -> config::Builder {
    config::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new(
            "in-process",
            "in-process",
            None,
            None,
            "dynasink-sim",
        ))
        .endpoint_url(URL)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .http_client(http_client(endpoint))
}

/// An HTTP client for the SDK that hands each request to `endpoint`.
///
/// It adds no thread and no task: under paused tokio time it is as deterministic as the service.
pub(crate) fn http_client(endpoint: Endpoint) -> SharedHttpClient {
    http_client_fn(move |settings, _components| {
        SharedHttpConnector::new(InProcess {
            endpoint: endpoint.clone(),
            read_timeout: settings.read_timeout(),
        })
    })
}

/// Answers each request of an SDK client from an endpoint in this process.
#[derive(Clone, Debug)]
struct InProcess {
    endpoint: Endpoint,
    /// From the request to the head of the reply. The SDK leaves it to its connectors.
    read_timeout: Option<Duration>,
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let door = self.clone();
        HttpConnectorFuture::new(async move {
            // Timers and blocking calls panic without one.
            Handle::try_current().map_err(|error| ConnectorError::user(error.into()))?;
            let Some(limit) = door.read_timeout else {
                return door.respond(request).await;
            };
            timeout(limit, door.respond(request))
                .await
                .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into())))
        })
    }
}

impl InProcess {
    async fn respond(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = read(request).await?;
        if request.body.len() > MAX_REQUEST_BYTES {
            let reply = self.endpoint.answer_too_large(request.body.len());
            return self.response(reply, SdkBody::from);
        }
        match self.endpoint.answer(request).await {
            Delivery::Whole(reply) => self.response(reply, SdkBody::from),
            Delivery::Slow(reply, delay) => {
                self.response(reply, |body| SdkBody::from_body_1_x(late_body(body, delay)))
            }
            Delivery::Truncated(reply) => self.response(reply, broken_off),
            Delivery::Refused => Err(broken(io::ErrorKind::ConnectionRefused)),
            Delivery::Reset => Err(broken(io::ErrorKind::ConnectionReset)),
            Delivery::Never => future::pending().await,
        }
    }

    fn response(
        &self,
        reply: Reply,
        body: impl FnOnce(Bytes) -> SdkBody,
    ) -> Result<HttpResponse, ConnectorError> {
        let status = StatusCode::try_from(reply.status)
            .map_err(|error| ConnectorError::other(error.into(), None))?;
        let headers = self.endpoint.headers(&reply);
        let mut response = HttpResponse::new(status, body(reply.body.into()));
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }
}

async fn read(mut request: HttpRequest) -> Result<Request, ConnectorError> {
    let body = request.take_body();
    // DynamoDB bodies are made in memory: only a user's own can be a stream.
    if body.bytes().is_none() {
        return Err(ConnectorError::user(
            "an endpoint in process takes no streaming bodies".into(),
        ));
    }
    let body = body.collect().await.map_err(ConnectorError::user)?;
    let headers = request.headers();
    let query = request.uri().split_once('?').map(|(_, query)| query);
    Ok(Request {
        target: headers.get("x-amz-target").unwrap_or_default().to_owned(),
        signed: is_signed(headers.get("authorization"), query),
        body: body.to_bytes(),
    })
}

/// The first half, then the connection is gone.
fn broken_off(mut body: Bytes) -> SdkBody {
    body.truncate(body.len() / 2);
    SdkBody::from_body_1_x(StreamBody::new(stream::iter([
        Ok(Frame::data(body)),
        Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    ])))
}

fn broken(connection: io::ErrorKind) -> ConnectorError {
    ConnectorError::io(io::Error::from(connection).into())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use aws_sdk_dynamodb::error::SdkError;
    use aws_smithy_types::byte_stream::ByteStream;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;
    use crate::embedded::EmbeddedStore;
    use crate::scripted::{always, client, no_tables, scripted};

    fn to_a_store() -> InProcess {
        InProcess {
            endpoint: EmbeddedStore::in_memory().unwrap().into(),
            read_timeout: None,
        }
    }

    fn read_timeout(limit: Duration) -> TimeoutConfig {
        TimeoutConfig::builder().read_timeout(limit).build()
    }

    #[test]
    fn a_request_outside_a_runtime_is_an_error() {
        let connector = to_a_store();
        let answer = pin!(connector.call(HttpRequest::empty()));

        let polled = answer.poll(&mut Context::from_waker(Waker::noop()));

        assert!(matches!(polled, Poll::Ready(Err(error)) if error.is_user()));
    }

    #[tokio::test]
    async fn a_streaming_body_is_an_error() {
        let connector = to_a_store();
        let file = tempfile::NamedTempFile::new().unwrap();
        let body = ByteStream::from_path(file.path())
            .await
            .unwrap()
            .into_inner();

        let answer = connector.call(HttpRequest::new(body)).await;

        assert!(answer.unwrap_err().is_user());
    }

    #[tokio::test]
    async fn a_body_of_16_mib_is_taken() {
        let connector = InProcess {
            endpoint: always(Delivery::Whole(no_tables())),
            read_timeout: None,
        };
        let body = SdkBody::from(vec![b' '; MAX_REQUEST_BYTES]);

        let answer = connector.call(HttpRequest::new(body)).await.unwrap();

        assert_eq!(answer.status().as_u16(), 200);
    }

    #[tokio::test]
    async fn a_request_that_is_not_signed_is_refused() {
        let mut request = HttpRequest::new(SdkBody::from("{}"));
        request
            .headers_mut()
            .insert("x-amz-target", "DynamoDB_20120810.ListTables");

        let answer = to_a_store().call(request).await.unwrap();

        assert_eq!(answer.status().as_u16(), 400);
        let body = std::str::from_utf8(answer.body().bytes().unwrap()).unwrap();
        assert!(
            body.contains("#MissingAuthenticationTokenException"),
            "{body}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_read_timeout_ends_a_request_without_a_reply() {
        let limit = Duration::from_secs(3);
        let settings = sdk_config(always(Delivery::Never)).timeout_config(read_timeout(limit));
        let start = Instant::now();

        let error = client(settings).list_tables().send().await.unwrap_err();

        assert!(matches!(error, SdkError::DispatchFailure(failure) if failure.is_timeout()));
        assert_eq!(start.elapsed(), limit);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_body_takes_its_time_after_the_head() {
        let delay = Duration::from_secs(10);
        let settings = sdk_config(always(Delivery::Slow(no_tables(), delay)))
            .timeout_config(read_timeout(delay / 2));
        let start = Instant::now();

        client(settings).list_tables().send().await.unwrap();

        assert_eq!(start.elapsed(), delay);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_gives_up_drops_the_answer() {
        let (held, mut dropped) = oneshot::channel::<()>();
        let held = std::sync::Arc::new(std::sync::Mutex::new(Some(held)));
        let endpoint = scripted(move |_request| {
            let held = held.lock().unwrap().take();
            async move {
                future::pending::<()>().await;
                drop(held);
                Delivery::Never
            }
        });
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(1));
        let settings = sdk_config(endpoint).timeout_config(timeouts.build());

        let error = client(settings).list_tables().send().await.unwrap_err();

        assert!(matches!(error, SdkError::TimeoutError(_)));
        assert!(
            dropped
                .try_recv()
                .is_err_and(|error| error == oneshot::error::TryRecvError::Closed)
        );
    }
}
