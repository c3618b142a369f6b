//! What the service says when it refuses a request.

use aws_sdk_dynamodb::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// An answer that is an error, in one line and in the service's own words. The SDK's errors print the metadata of
/// those that it does not know as a Rust value, and leave the HTTP status out.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{code}: {message}")]
    Explained { code: String, message: String },
    #[error("{code}")]
    Named { code: String },
    #[error("the endpoint answered with HTTP status {status}, and not as DynamoDB does")]
    Unreadable { status: u16 },
}

/// The SDK's error, or what the service says in it.
pub(crate) fn said_by_the_service<E>(error: SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let SdkError::ServiceError(context) = &error else {
        return error.into();
    };
    let status = context.raw().status().as_u16();
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = context.err().message().map(one_line);
    let message = message.filter(|message| !message.is_empty());
    Box::new(match (context.err().code().map(one_line), message) {
        (Some(code), Some(message)) => Refusal::Explained { code, message },
        (Some(code), None) => Refusal::Named { code },
        (None, _) => Refusal::Unreadable { status },
    })
}
