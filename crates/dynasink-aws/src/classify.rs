//! What a failure means. Whether a failure is worth a retry is decided here and nowhere else.

use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use dynasink_core::RequestFailure;

use crate::preflight::{NotMade, has_source};
use crate::throttle::{ThrottlingReason, reasons_in};

/// What a failure of a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Every operation was refused for want of capacity; the reasons may say of what.
    Throttled(Vec<ThrottlingReason>),
    /// A replica of a global table was written at the same time.
    Conflict,
    /// The service failed, or gave an answer that cannot be read: operations may have been applied.
    Internal,
    /// No answer came: operations may have been applied.
    Unreachable,
    /// Something in the request is not valid. The service applied nothing.
    Invalid,
    /// An item collection of a table with local indexes has reached 10 GB.
    ItemCollectionFull,
    /// There is no such table, or there is no longer. A table that is being deleted is one that is missing.
    TableMissing,
    /// The credentials do not permit the operation.
    AccessDenied,
    /// The credentials are missing, wrong or expired.
    Credentials,
    /// The client cannot make a request: it has no region, or an endpoint that is no URL.
    Misconfigured,
    /// There is a table of that name already, or it is being changed.
    ///
    /// Nothing in the documentation says that a write gets this answer: a table that is being updated takes writes all
    /// the while, and one that is being deleted is [`TableMissing`](Self::TableMissing). Where an endpoint gives it all
    /// the same, it speaks of a change that passes. So a write is tried again, and ends by itself if the table goes.
    /// If the change does not pass in time, the writer stops, and no row is dead for it.
    TableInUse,
    /// The service refuses such requests for a reason that is not known here.
    Rejected,
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Send the same operations again after a while.
    Backoff,
    /// Send parts of the request, until the operation that spoils it stands alone.
    Bisect,
    /// Stop: every request would fail like this one.
    Never,
}

impl Cause {
    /// What to do about it where it is a write that failed.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Throttled(_)
            | Self::Conflict
            | Self::Internal
            | Self::Unreachable
            | Self::TableInUse => Retry::Backoff,
            Self::Invalid | Self::ItemCollectionFull => Retry::Bisect,
            Self::TableMissing
            | Self::AccessDenied
            | Self::Credentials
            | Self::Misconfigured
            | Self::Rejected => Retry::Never,
        }
    }

    /// Whether operations of the request may be applied all the same, and may have drawn capacity.
    pub fn may_be_applied(&self) -> bool {
        matches!(self, Self::Internal | Self::Unreachable)
    }

    /// The same in the words of the feedback that observers learn from; none for a want of capacity.
    pub(crate) fn failure(&self) -> Option<RequestFailure> {
        match self {
            Self::Throttled(_) => None,
            Self::Internal => Some(RequestFailure::Service),
            Self::Unreachable => Some(RequestFailure::Unanswered),
            _ => Some(RequestFailure::Other),
        }
    }

    /// Whether nothing can be written while it lasts, so that no operation is to blame.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable | Self::TableInUse)
    }

    /// A short name that never changes, for dead letters, metrics and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Conflict => "conflict",
            Self::Internal => "internal",
            Self::Unreachable => "unreachable",
            Self::Invalid => "invalid",
            Self::ItemCollectionFull => "item_collection_full",
            Self::TableMissing => "table_missing",
            Self::AccessDenied => "access_denied",
            Self::Credentials => "credentials",
            Self::Misconfigured => "misconfigured",
            Self::TableInUse => "table_in_use",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What the failure of an operation means, by the names and statuses that all operations share.
pub fn classify<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Cause {
    let SdkError::ServiceError(context) = error else {
        return classify_undelivered(error);
    };
    match classify_code(context.err().code(), context.raw().status().as_u16()) {
        Cause::Throttled(_) => Cause::Throttled(reasons_in(context.raw())),
        cause => cause,
    }
}

/// Failures without an answer of the service in it.
fn classify_undelivered<E>(error: &SdkError<E, HttpResponse>) -> Cause {
    match error {
        // A body that broke off after a status of success: it may be applied.
        SdkError::ResponseError(_) => Cause::Internal,
        SdkError::ConstructionFailure(_) => Cause::Rejected,
        SdkError::DispatchFailure(failure) => {
            // The SDK reports what goes wrong before a request leaves as failures of dispatch.
            let error = failure.as_connector_error();
            if error.is_some_and(|error| has_source::<CredentialsError>(error)) {
                Cause::Credentials
            } else if error.is_some_and(|error| has_source::<NotMade>(error)) {
                Cause::Misconfigured
            } else if failure.is_user() {
                Cause::Rejected
            } else {
                Cause::Unreachable
            }
        }
        _ => Cause::Unreachable,
    }
}

/// Failures by the error's name, then by the status.
///
/// Source: *Error handling with DynamoDB*, and API reference, *Common Errors*.
fn classify_code(code: Option<&str>, status: u16) -> Cause {
    match code {
        Some(
            "ProvisionedThroughputExceededException"
            | "ProvisionedThroughputExceeded"
            | "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "SlowDown",
        ) => Cause::Throttled(Vec::new()),
        Some("ReplicatedWriteConflictException") => Cause::Conflict,
        Some(
            "InternalServerError"
            | "InternalFailure"
            | "ServiceUnavailable"
            | "ServiceUnavailableException",
        ) => Cause::Internal,
        Some("ValidationException" | "SerializationException") => Cause::Invalid,
        Some("ItemCollectionSizeLimitExceededException") => Cause::ItemCollectionFull,
        Some("ResourceNotFoundException" | "TableNotFoundException") => Cause::TableMissing,
        Some("ResourceInUseException") => Cause::TableInUse,
        Some("AccessDeniedException" | "NotAuthorized" | "OptInRequired") => Cause::AccessDenied,
        Some(
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "InvalidClientTokenId"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired",
        ) => Cause::Credentials,
        _ => match status {
            // A success that cannot be read may have been applied.
            200..=299 | 500.. => Cause::Internal,
            429 => Cause::Throttled(Vec::new()),
            // What lies between did not get an answer in time.
            408 => Cause::Unreachable,
            // The request is larger than the service takes: parts of it may be not.
            413 => Cause::Invalid,
            403 => Cause::AccessDenied,
            _ => Cause::Rejected,
        },
    }
}
