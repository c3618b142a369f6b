//! What may stay unknown about a table.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::classify::{Cause, classify};
use crate::error::{Error, Result};
use crate::refusal::said_by_the_service;

/// The status of an endpoint that does not have an operation.
const NOT_IMPLEMENTED: u16 = 501;

/// Nothing, where the credentials do not permit to ask for `what`, or the endpoint cannot tell.
///
/// # Errors
///
/// [`Error::Describe`] for what passes by itself: an answer that did not come must not pass for one that says nothing.
pub(super) fn unless_not_known<T, E>(
    table: &str,
    what: &'static str,
    error: SdkError<E, HttpResponse>,
) -> Result<Option<T>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_not_implemented = error
        .raw_response()
        .is_some_and(|response| response.status().as_u16() == NOT_IMPLEMENTED);
    let cause = classify(&error);
    match cause {
        Cause::AccessDenied | Cause::Invalid | Cause::Rejected | Cause::TableMissing => {}
        _ if is_not_implemented => {}
        _ => {
            return Err(Error::Describe {
                table: table.to_owned(),
                cause: Box::new(cause),
                source: said_by_the_service(error),
            });
        }
    }
    tracing::debug!(table, %cause, "{what} is not known");
    Ok(None)
}
