//! One connection: its requests, one after another, and the ways in which it can fail them.

use std::convert::Infallible;
use std::error::Error as _;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::request::{self, Asked};
use super::{closed, cors};
use crate::endpoint::{Endpoint, late_body};
use crate::exchange::Delivery;
use crate::operation::{JSON, Reply};

/// How a request ends when hyper is not to send the response. It passes through hyper as the
/// service's error, which ends the connection and leaves the socket to [`serve`].
#[derive(Debug, thiserror::Error)]
enum Ending {
    #[error("the connection is to be reset")]
    Reset,
    #[error("half of the response is to be sent")]
    Half(Bytes),
    #[error("the server stopped before the request was answered")]
    Stopped,
    #[error("the request's body did not arrive")]
    Unread(#[from] hyper::Error),
    #[error("the reply is not an HTTP response")]
    Malformed(#[from] hyper::http::Error),
}

/// Answers the requests of one client until either goes away. When the sender of `stopping` is
/// gone, the request under way is the last. A client that goes away drops the answer to its
/// request.
pub(super) async fn serve(stream: TcpStream, endpoint: Endpoint, stopping: watch::Receiver<()>) {
    // A late body is not to wait until its head is acknowledged.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the client left before its connection was served");
        return;
    }
    let service = service_fn(|request| answer(request, &endpoint, &stopping));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let served_to_its_end = tokio::select! {
        biased;
        served = &mut connection => Some(served),
        () = closed(stopping.clone()) => None,
    };
    let served = if let Some(served) = served_to_its_end {
        served
    } else {
        Pin::new(&mut connection).graceful_shutdown();
        (&mut connection).await
    };
    let Err(error) = served else { return };
    tracing::debug!(error = ?error, "a connection ends without a response");
    let stream = connection.into_parts().io.into_inner();
    let ending = error.source().and_then(|source| source.downcast_ref());
    if let Err(error) = end(stream, ending).await {
        tracing::debug!(%error, "the client left before its connection's end");
    }
}

async fn end(mut stream: TcpStream, ending: Option<&Ending>) -> io::Result<()> {
    match ending {
        // Closing a socket that has no time to linger sends RST.
        Some(Ending::Reset) => stream.set_zero_linger(),
        Some(Ending::Half(response)) => {
            stream.write_all(response).await?;
            stream.shutdown().await
        }
        Some(Ending::Stopped | Ending::Unread(_) | Ending::Malformed(_)) | None => Ok(()),
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

async fn answer(
    request: Request<Incoming>,
    endpoint: &Endpoint,
    stopping: &watch::Receiver<()>,
) -> Result<Response<Body>, Ending> {
    let permissions = cors::permissions(&request);
    let (delivery, json) = match request::read(request).await? {
        Asked::Other(reply) => (Delivery::Whole(reply), JSON),
        Asked::TooLarge(bytes) => (Delivery::Whole(endpoint.answer_too_large(bytes)), JSON),
        Asked::Operation(request, json) => (endpoint.answer(request).await, json),
    };
    let head = |reply: &mut Reply| {
        if reply.content_type == JSON {
            reply.content_type = json;
        }
        let mut response = Response::builder().status(reply.status);
        for (name, value) in endpoint.headers(reply) {
            response = response.header(name, value);
        }
        let mut response = response.body(())?;
        response.headers_mut().extend(permissions);
        Ok::<_, Ending>(response)
    };
    match delivery {
        Delivery::Whole(mut reply) => {
            let head = head(&mut reply)?;
            Ok(head.map(|()| Full::from(reply.body).boxed_unsync()))
        }
        Delivery::Slow(mut reply, delay) => {
            let head = head(&mut reply)?;
            Ok(head.map(|()| late_body(reply.body.into(), delay).boxed_unsync()))
        }
        Delivery::Truncated(mut reply) => {
            let head = head(&mut reply)?;
            Err(Ending::Half(first_half(&head, reply.body.as_bytes())))
        }
        Delivery::Refused | Delivery::Reset => Err(Ending::Reset),
        Delivery::Never => {
            closed(stopping.clone()).await;
            Err(Ending::Stopped)
        }
    }
}

/// The bytes of a response that breaks off in the middle of its body.
fn first_half(head: &Response<()>, body: &[u8]) -> Bytes {
    let mut sent = format!("{:?} {}\r\n", head.version(), head.status()).into_bytes();
    for (name, value) in head.headers() {
        sent.extend_from_slice(name.as_str().as_bytes());
        sent.extend_from_slice(b": ");
        sent.extend_from_slice(value.as_bytes());
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b"\r\n");
    sent.extend_from_slice(&body[..body.len() / 2]);
    sent.into()
}
