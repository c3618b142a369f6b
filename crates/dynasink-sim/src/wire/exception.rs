//! The service's errors, other than the refusals of requests that break a rule.

use serde_json::{Map, Value, json};

use crate::operation::Reply;

/// An error of the service.
///
/// Source: API reference, *Common errors* and the errors of `BatchWriteItem`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExceptionKind {
    ProvisionedThroughputExceeded,
    RequestLimitExceeded,
    Throttling,
    InternalServerError,
    ServiceUnavailable,
    ExpiredToken,
    AccessDenied,
    /// A request without a signature.
    MissingAuthenticationToken,
    /// A partition key value holds 10 GB of a table that has local indexes.
    ItemCollectionSizeLimitExceeded,
    /// There is no table of that name.
    ResourceNotFound(String),
}

/// The error `kind`. Each reason, `TableWriteProvisionedThroughputExceeded` and the like, comes with the ARN of the
/// table or index that is short of capacity; errors of other kinds than throttling carry none.
pub(crate) fn exception(kind: &ExceptionKind, reasons: &[(String, String)]) -> Reply {
    let message = match kind {
        ExceptionKind::ProvisionedThroughputExceeded => {
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
             provisioning level with the UpdateTable API."
        }
        ExceptionKind::RequestLimitExceeded => {
            "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at \
             https://aws.amazon.com/support request a limit increase"
        }
        ExceptionKind::Throttling => {
            "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your \
             table or index so please try again shortly. If exceptions persist, check if you have a hot key: \
             https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
        }
        ExceptionKind::InternalServerError => "Internal server error",
        ExceptionKind::ServiceUnavailable => "The service is currently unavailable or busy.",
        ExceptionKind::ExpiredToken => "The security token included in the request is expired",
        ExceptionKind::AccessDenied => {
            "User is not authorized to perform: dynamodb:BatchWriteItem on this resource because no identity-based \
             policy allows the dynamodb:BatchWriteItem action"
        }
        ExceptionKind::MissingAuthenticationToken => "Request is missing Authentication Token",
        ExceptionKind::ItemCollectionSizeLimitExceeded => {
            "Item collection too large: the items of a partition key value and their entries in local secondary \
             indexes may have 10 GB"
        }
        ExceptionKind::ResourceNotFound(table) => {
            &format!("Requested resource not found: Table: {table} not found")
        }
    };
    let reasons = kind.reasons_member().map(|member| {
        let reasons: Vec<Value> = reasons
            .iter()
            .map(|(reason, resource)| json!({"reason": reason, "resource": resource}))
            .collect();
        (member, Value::from(reasons))
    });
    error(
        kind.status(),
        kind.error_type(),
        "message",
        message,
        reasons,
    )
}

/// An error as it goes over the wire.
pub(super) fn error(
    status: u16,
    error_type: &str,
    message_member: &str,
    message: &str,
    more: Option<(&str, Value)>,
) -> Reply {
    let mut members = Map::new();
    members.insert("__type".to_owned(), error_type.into());
    if !message.is_empty() {
        members.insert(message_member.to_owned(), message.into());
    }
    if let Some((member, value)) = more {
        members.insert(member.to_owned(), value);
    }
    Reply::json(status, Value::Object(members).to_string())
}

impl ExceptionKind {
    fn status(&self) -> u16 {
        match self {
            Self::InternalServerError => 500,
            Self::ServiceUnavailable => 503,
            _ => 400,
        }
    }

    /// The shape that the reply names: clients go by what stands after the `#`.
    fn error_type(&self) -> &'static str {
        match self {
            Self::ProvisionedThroughputExceeded => {
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
            }
            Self::RequestLimitExceeded => "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded",
            Self::Throttling => "com.amazon.coral.availability#ThrottlingException",
            Self::InternalServerError => "com.amazonaws.dynamodb.v20120810#InternalServerError",
            Self::ServiceUnavailable => "com.amazonaws.dynamodb.v20120810#ServiceUnavailable",
            Self::ExpiredToken => "com.amazon.coral.service#ExpiredTokenException",
            Self::AccessDenied => "com.amazon.coral.service#AccessDeniedException",
            Self::MissingAuthenticationToken => {
                "com.amazon.coral.service#MissingAuthenticationTokenException"
            }
            Self::ItemCollectionSizeLimitExceeded => {
                "com.amazonaws.dynamodb.v20120810#ItemCollectionSizeLimitExceededException"
            }
            Self::ResourceNotFound(_) => {
                "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
            }
        }
    }

    /// The member that holds the reasons. Its case differs from one error to the other.
    fn reasons_member(&self) -> Option<&'static str> {
        match self {
            Self::ProvisionedThroughputExceeded | Self::RequestLimitExceeded => {
                Some("ThrottlingReasons")
            }
            Self::Throttling => Some("throttlingReasons"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ProvideErrorMetadata;
    use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemError;
    use aws_sdk_dynamodb::types::ThrottlingReason;

    use super::*;
    use crate::wire::canned::{batch_write, client_that_gets};

    /// The SDK's reading of the reply.
    async fn read(
        kind: &ExceptionKind,
        reasons: &[(String, String)],
    ) -> (u16, BatchWriteItemError) {
        let client = client_that_gets(exception(kind, reasons));
        let error = batch_write(&client).await.unwrap_err();
        (
            error.raw_response().unwrap().status().as_u16(),
            error.into_service_error(),
        )
    }

    #[tokio::test]
    async fn the_sdk_finds_the_reasons_of_every_throttling() {
        let sent = [
            ("TableWriteKeyRangeThroughputExceeded", "arn:a"),
            ("IndexWriteProvisionedThroughputExceeded", "arn:b"),
        ]
        .map(|(reason, resource)| (reason.to_owned(), resource.to_owned()));
        for kind in [
            ExceptionKind::ProvisionedThroughputExceeded,
            ExceptionKind::RequestLimitExceeded,
            ExceptionKind::Throttling,
        ] {
            let (status, error) = read(&kind, &sent).await;
            assert_eq!(status, 400);
            let reasons: &[ThrottlingReason] = match &error {
                BatchWriteItemError::ProvisionedThroughputExceededException(error)
                    if kind == ExceptionKind::ProvisionedThroughputExceeded =>
                {
                    error.throttling_reasons()
                }
                BatchWriteItemError::RequestLimitExceeded(error)
                    if kind == ExceptionKind::RequestLimitExceeded =>
                {
                    error.throttling_reasons()
                }
                BatchWriteItemError::ThrottlingException(error)
                    if kind == ExceptionKind::Throttling =>
                {
                    error.throttling_reasons()
                }
                other => panic!("{kind:?} was read as {other:?}"),
            };
            let found: Vec<_> = reasons
                .iter()
                .map(|reason| {
                    (
                        reason.reason().unwrap().to_owned(),
                        reason.resource().unwrap().to_owned(),
                    )
                })
                .collect();
            assert_eq!(found, sent, "{kind:?}");
            assert!(error.message().unwrap().contains("hroughput"), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn the_sdk_knows_every_error() {
        let table = || "users".to_owned();
        for (kind, status, code) in [
            (
                ExceptionKind::InternalServerError,
                500,
                "InternalServerError",
            ),
            (ExceptionKind::ServiceUnavailable, 503, "ServiceUnavailable"),
            (ExceptionKind::ExpiredToken, 400, "ExpiredTokenException"),
            (ExceptionKind::AccessDenied, 400, "AccessDeniedException"),
            (
                ExceptionKind::MissingAuthenticationToken,
                400,
                "MissingAuthenticationTokenException",
            ),
            (
                ExceptionKind::ItemCollectionSizeLimitExceeded,
                400,
                "ItemCollectionSizeLimitExceededException",
            ),
            (
                ExceptionKind::ResourceNotFound(table()),
                400,
                "ResourceNotFoundException",
            ),
        ] {
            let (answered, error) = read(&kind, &[]).await;
            assert_eq!((answered, error.code()), (status, Some(code)));
            assert!(!error.message().unwrap().is_empty());
        }
    }

    #[test]
    fn errors_other_than_throttling_carry_no_reasons() {
        let reasons = [(
            "TableWriteProvisionedThroughputExceeded".to_owned(),
            "arn".to_owned(),
        )];
        let reply = exception(&ExceptionKind::InternalServerError, &reasons);
        assert!(!reply.body.contains("TableWrite"), "{}", reply.body);
    }
}
