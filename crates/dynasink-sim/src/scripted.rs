//! A service that does what a test says.

use std::future::{self, Future};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;

use crate::connector;
use crate::endpoint::Endpoint;
use crate::exchange::{Delivery, Request, Service};
use crate::operation::{JSON, Reply};
use crate::server::{Server, ServerHandle};

#[derive(Clone)]
struct Scripted<F>(F);

impl<F, A> Service for Scripted<F>
where
    F: Fn(Request) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Delivery> + Send,
{
    fn answer(&self, request: Request) -> impl Future<Output = Delivery> + Send {
        self.0(request)
    }
}

/// An endpoint that answers each request with `script`.
pub(crate) fn scripted<A>(script: impl Fn(Request) -> A + Clone + Send + Sync + 'static) -> Endpoint
where
    A: Future<Output = Delivery> + Send + 'static,
{
    Endpoint::new(Scripted(script))
}

/// An endpoint that delivers the same whatever is asked.
pub(crate) fn always(delivery: Delivery) -> Endpoint {
    scripted(move |_request| future::ready(delivery.clone()))
}

/// No tables, as the answer to `ListTables`.
pub(crate) fn no_tables() -> Reply {
    reply(200, r#"{"TableNames":[]}"#)
}

pub(crate) fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        content_type: JSON,
        body: body.to_owned(),
    }
}

/// `endpoint` on a port of its own.
pub(crate) fn serve(endpoint: Endpoint) -> ServerHandle {
    bind(endpoint).spawn().unwrap()
}

pub(crate) fn bind(endpoint: Endpoint) -> Server {
    Server::bind(([127, 0, 0, 1], 0).into(), endpoint).unwrap()
}

/// The settings of an ordinary client of `server`, without retries and timeouts.
pub(crate) fn over_http(server: &ServerHandle) -> Builder {
    connector::sdk_config(always(Delivery::Refused))
        .endpoint_url(server.url())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}

pub(crate) fn client(settings: Builder) -> Client {
    Client::from_conf(settings.build())
}
