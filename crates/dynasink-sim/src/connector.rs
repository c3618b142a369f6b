//! The in-process door: the AWS SDK's HTTP connector, answered by the store.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use tokio::runtime::Handle;

use crate::embedded::EmbeddedStore;
use crate::operation::{self, Reply};

/// Answers each request of an SDK client from a store in this process.
#[derive(Debug)]
pub(crate) struct InProcess {
    store: EmbeddedStore,
}

impl InProcess {
    pub(crate) fn new(store: EmbeddedStore) -> Self {
        Self { store }
    }
}

impl HttpConnector for InProcess {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let store = self.store.clone();
        HttpConnectorFuture::new(async move {
            let target = request
                .headers()
                .get("x-amz-target")
                .unwrap_or_default()
                .to_owned();
            let body = request.take_body();
            let runtime =
                Handle::try_current().map_err(|error| ConnectorError::user(error.into()))?;
            let reply = runtime
                .spawn_blocking(move || {
                    // DynamoDB bodies are made in memory: only a user's own can be a stream.
                    let body = body
                        .bytes()
                        .ok_or("the embedded store takes no streaming bodies")?;
                    Ok::<_, &str>(operation::answer(store.database(), &target, body))
                })
                .await
                .map_err(|error| ConnectorError::other(error.into(), None))?
                .map_err(|error| ConnectorError::user(error.into()))?;
            into_response(reply)
        })
    }
}

fn into_response(reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(reply.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    response
        .headers_mut()
        .insert("content-type", reply.content_type);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_request_outside_a_runtime_is_an_error() {
        let connector = InProcess::new(EmbeddedStore::in_memory().unwrap());
        let answer = pin!(connector.call(HttpRequest::empty()));

        let polled = answer.poll(&mut Context::from_waker(Waker::noop()));

        assert!(matches!(polled, Poll::Ready(Err(error)) if error.is_user()));
    }

    #[tokio::test]
    async fn a_streaming_body_is_an_error() {
        let connector = InProcess::new(EmbeddedStore::in_memory().unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        let body = aws_smithy_types::byte_stream::ByteStream::from_path(file.path())
            .await
            .unwrap()
            .into_inner();

        let answer = connector.call(HttpRequest::new(body)).await;

        assert!(answer.unwrap_err().is_user());
    }
}
