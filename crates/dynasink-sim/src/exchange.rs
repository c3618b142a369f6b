//! One request and one answer, as the doors carry them.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

use crate::operation::Reply;

/// A request of the JSON protocol, without its transport.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The `x-amz-target` header.
    pub(crate) target: String,
    /// Whether it is signed at all: signatures are not checked.
    pub(crate) signed: bool,
    /// At most 16 MB: a door refuses what is larger.
    pub(crate) body: Bytes,
}

/// What the client gets.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    /// The reply, whole.
    Whole(Reply),
    /// The head of the reply at once, its body after a while.
    Slow(Reply, Duration),
    /// The reply's head and the first half of its body; then the connection ends.
    Truncated(Reply),
    /// No connection. A socket that listens cannot refuse one request and take the next, so over
    /// HTTP the connection is reset.
    Refused,
    /// The connection is reset before anything of a reply is sent.
    Reset,
    /// Nothing, ever.
    Never,
}

/// What answers requests behind a door.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// Answers one request. It takes as long as the service would; dropped before, the client has gone.
    fn answer(&self, request: Request) -> impl Future<Output = Delivery> + Send;

    /// Answers a request whose body of that many bytes is over the limit, and was not kept.
    fn answer_too_large(&self, bytes: usize) -> Reply {
        Reply::body_too_large(bytes)
    }
}
