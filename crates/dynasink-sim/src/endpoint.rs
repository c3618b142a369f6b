//! What is behind a door, whichever it is.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, stream};
use http_body_util::StreamBody;
use hyper::body::{Body, Frame};

use crate::embedded::EmbeddedStore;
use crate::exchange::{Delivery, Request, Service};
use crate::operation::Reply;
use crate::simulator::Simulator;

/// What a [`Server`](crate::Server) answers from, made of an [`EmbeddedStore`] or a [`Simulator`].
///
/// Clones are the same endpoint.
#[derive(Clone)]
pub struct Endpoint {
    service: Arc<dyn Answer>,
    replies: Arc<AtomicU64>,
}

impl Endpoint {
    pub(crate) fn new(service: impl Service) -> Self {
        Self {
            service: Arc::new(service),
            replies: Arc::default(),
        }
    }

    pub(crate) async fn answer(&self, request: Request) -> Delivery {
        self.service.answer_boxed(request).await
    }

    pub(crate) fn answer_too_large(&self, bytes: usize) -> Reply {
        self.service.answer_too_large_boxed(bytes)
    }

    /// The headers of `reply`, as the service sends them. Request IDs are numbers here, so that a
    /// simulation has the same ones in each run.
    pub(crate) fn headers(&self, reply: &Reply) -> [(&'static str, String); 4] {
        let number = self.replies.fetch_add(1, Ordering::Relaxed);
        [
            ("content-type", reply.content_type.to_owned()),
            ("content-length", reply.body.len().to_string()),
            (
                "x-amz-crc32",
                crc32fast::hash(reply.body.as_bytes()).to_string(),
            ),
            ("x-amzn-requestid", format!("{number:052}")),
        ]
    }
}

impl From<EmbeddedStore> for Endpoint {
    fn from(store: EmbeddedStore) -> Self {
        Self::new(store)
    }
}

impl From<Simulator> for Endpoint {
    fn from(simulator: Simulator) -> Self {
        Self::new(simulator)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("replies", &self.replies)
            .finish_non_exhaustive()
    }
}

/// [`Service`] as a trait object, so that the doors are the same code for each of them.
trait Answer: Send + Sync {
    fn answer_boxed(&self, request: Request) -> BoxFuture<'_, Delivery>;
    fn answer_too_large_boxed(&self, bytes: usize) -> Reply;
}

impl<S: Service> Answer for S {
    fn answer_boxed(&self, request: Request) -> BoxFuture<'_, Delivery> {
        self.answer(request).boxed()
    }

    fn answer_too_large_boxed(&self, bytes: usize) -> Reply {
        self.answer_too_large(bytes)
    }
}

/// Whether a request is signed at all, in a header or in its query. Source: "Authenticating
/// Requests (AWS Signature Version 4)" in the AWS Identity and Access Management User Guide.
pub(crate) fn is_signed(authorization: Option<&str>, query: Option<&str>) -> bool {
    authorization.is_some_and(|value| value.starts_with("AWS4-"))
        || query.is_some_and(|query| {
            query
                .split('&')
                .any(|parameter| parameter.starts_with("X-Amz-Signature="))
        })
}

/// The body of a reply of which the head is sent now: `data`, after `delay`.
pub(crate) fn late_body(
    data: Bytes,
    delay: Duration,
) -> impl Body<Data = Bytes, Error = Infallible> + Send + Sync {
    let delay = tokio::time::sleep(delay);
    StreamBody::new(stream::once(async move {
        delay.await;
        Ok(Frame::data(data))
    }))
}

#[cfg(test)]
mod tests;
