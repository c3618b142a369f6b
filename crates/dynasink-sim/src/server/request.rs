//! What an HTTP request asks for.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, ORIGIN};
use hyper::{Method, Request};

use crate::endpoint::is_signed;
use crate::exchange;
use crate::operation::{JSON, Reply};
use dynasink_core::limits::MAX_REQUEST_BYTES;

const PLAIN_JSON: &str = "application/json";

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) enum Asked {
    /// An operation, and the media type that its JSON reply is to have.
    Operation(exchange::Request, &'static str),
    /// A body of that many bytes, over the limit.
    TooLarge(usize),
    /// Something that the server answers itself.
    Other(Reply),
}

/// Reads `request` to its end.
pub(super) async fn read(request: Request<Incoming>) -> hyper::Result<Asked> {
    let (head, body) = request.into_parts();
    if head.uri.path() != "/" {
        return Ok(not_found());
    }
    match head.method {
        Method::POST => {}
        Method::GET => return Ok(text(200, "healthy: dynamodb.us-east-1.amazonaws.com ")),
        Method::OPTIONS if head.headers.contains_key(ORIGIN) => return Ok(text(200, "")),
        _ => return Ok(not_found()),
    }
    let body = match collect(body).await? {
        Ok(body) => body,
        Err(bytes) => return Ok(Asked::TooLarge(bytes)),
    };
    let value = |name| header(&head.headers, name);
    let media_type = match value(CONTENT_TYPE) {
        Some(sent) => media_type(sent),
        None => body.is_empty().then_some(PLAIN_JSON),
    };
    let Some(media_type) = media_type else {
        return Ok(not_found());
    };
    let target = value(HeaderName::from_static("x-amz-target"));
    let operation = exchange::Request {
        target: target.unwrap_or_default().to_owned(),
        signed: is_signed(value(AUTHORIZATION), head.uri.query()),
        body,
    };
    Ok(Asked::Operation(operation, media_type))
}

/// The body, or its length if that is over the limit. It is read to its end in both cases: a
/// client that is still sending does not see the reply, and a connection that is closed over
/// unread bytes is reset.
async fn collect(mut incoming: Incoming) -> hyper::Result<Result<Bytes, usize>> {
    let announced = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
    let mut body = BytesMut::with_capacity(if announced <= MAX_REQUEST_BYTES {
        announced
    } else {
        0
    });
    let mut length = 0_usize;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length <= MAX_REQUEST_BYTES {
            body.extend_from_slice(&data);
        } else {
            body = BytesMut::new();
        }
    }
    Ok(if length <= MAX_REQUEST_BYTES {
        Ok(body.freeze())
    } else {
        Err(length)
    })
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The one of the service's two media types that was sent, without its parameters.
fn media_type(sent: &str) -> Option<&'static str> {
    let essence = sent.split(';').next().unwrap_or_default().trim();
    [JSON, PLAIN_JSON]
        .into_iter()
        .find(|known| essence.eq_ignore_ascii_case(known))
}

fn not_found() -> Asked {
    text(404, "<UnknownOperationException/>\n")
}

fn text(status: u16, body: &str) -> Asked {
    Asked::Other(Reply {
        status,
        content_type: TEXT,
        body: body.to_owned(),
    })
}
