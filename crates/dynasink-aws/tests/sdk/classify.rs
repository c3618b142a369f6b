//! What each fault on the wire means.

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::ErrorKind;
use dynasink_aws::{Cause, DynamoDb, Error, Retry, ThrottlingReason, Transport, create, describe};

use crate::endpoint::{Endpoint, Reply, batch, put, table};

/// What becomes of a request to an endpoint that replies so: the cause, and the innermost message.
async fn fate(reply: Reply) -> (Cause, String) {
    fate_of(&Endpoint::new(reply).transport()).await
}

async fn fate_of(transport: &DynamoDb) -> (Cause, String) {
    let request = batch([put(&table("users"), 1)]);
    let error = transport.batch_write(&request).await.unwrap_err();
    let mut innermost: &dyn std::error::Error = error.source.as_ref();
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    (error.cause, innermost.to_string())
}

fn throttled() -> Cause {
    Cause::Throttled(Vec::new())
}

#[tokio::test]
async fn each_exception_has_its_cause() {
    let cases = [
        (400, "ProvisionedThroughputExceededException", throttled()),
        (400, "ThrottlingException", throttled()),
        (400, "RequestLimitExceeded", throttled()),
        (400, "LimitExceededException", throttled()),
        (400, "Throttling", throttled()),
        (400, "ReplicatedWriteConflictException", Cause::Conflict),
        (400, "ProvisionedThroughputExceeded", throttled()),
        (500, "InternalServerError", Cause::Internal),
        (500, "InternalFailure", Cause::Internal),
        (503, "ServiceUnavailable", Cause::Internal),
        (503, "ServiceUnavailableException", Cause::Internal),
        (400, "ValidationException", Cause::Invalid),
        (400, "SerializationException", Cause::Invalid),
        (
            400,
            "ItemCollectionSizeLimitExceededException",
            Cause::ItemCollectionFull,
        ),
        (400, "ResourceNotFoundException", Cause::TableMissing),
        (400, "ResourceInUseException", Cause::TableInUse),
        (400, "TableNotFoundException", Cause::TableMissing),
        (400, "AccessDeniedException", Cause::AccessDenied),
        (403, "NotAuthorized", Cause::AccessDenied),
        (403, "OptInRequired", Cause::AccessDenied),
        (400, "UnrecognizedClientException", Cause::Credentials),
        (400, "InvalidSignatureException", Cause::Credentials),
        (400, "IncompleteSignatureException", Cause::Credentials),
        (400, "ExpiredTokenException", Cause::Credentials),
        (403, "ExpiredToken", Cause::Credentials),
        (400, "RequestExpired", Cause::Credentials),
        (403, "InvalidClientTokenId", Cause::Credentials),
        (403, "SignatureDoesNotMatch", Cause::Credentials),
        (400, "IncompleteSignature", Cause::Credentials),
        (403, "MissingAuthenticationToken", Cause::Credentials),
        (
            400,
            "MissingAuthenticationTokenException",
            Cause::Credentials,
        ),
        (421, "InvalidEndpointException", Cause::Rejected),
        (400, "UnknownOperationException", Cause::Rejected),
        (400, "AnExceptionOfTomorrow", Cause::Rejected),
        (500, "AnExceptionOfTomorrow", Cause::Internal),
    ];
    for (status, code, cause) in cases {
        let expected = (cause, format!("{code}: What it says."));
        let reply = Reply::error(status, code, "What it says.");
        assert_eq!(fate(reply).await, expected, "{status} {code}");
    }
}

#[tokio::test]
async fn the_reasons_of_a_throttle_are_read_by_either_name() {
    let reasons = r#"[{"reason":"IndexWriteProvisionedThroughputExceeded","resource":"arn:aws:dynamodb:x:1:table/users/index/by-mail"},{"reason":"TableWriteKeyRangeThroughputExceeded"}]"#;
    let expected = Cause::Throttled(vec![
        ThrottlingReason {
            reason: "IndexWriteProvisionedThroughputExceeded".to_owned(),
            resource: Some("arn:aws:dynamodb:x:1:table/users/index/by-mail".to_owned()),
        },
        ThrottlingReason {
            reason: "TableWriteKeyRangeThroughputExceeded".to_owned(),
            resource: None,
        },
    ]);
    for code in [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "Throttling",
    ] {
        for key in ["ThrottlingReasons", "throttlingReasons"] {
            let (cause, _) = fate(refusal(code, key, reasons)).await;
            assert_eq!(cause, expected, "{code} {key}");
        }
    }
}

fn refusal(code: &str, key: &str, reasons: &str) -> Reply {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    let body = format!(r#"{{"__type":"{kind}","message":"Slow down.","{key}":{reasons}}}"#);
    Reply::json(400, body)
}

#[tokio::test]
async fn reasons_of_tomorrow_are_kept_and_what_is_none_is_left_out() {
    let reason = |reason: &str, resource: Option<&str>| ThrottlingReason {
        reason: reason.to_owned(),
        resource: resource.map(str::to_owned),
    };
    let cases = [
        ("[]", vec![]),
        ("null", vec![]),
        (r#""soon""#, vec![]),
        ("[7]", vec![]),
        (
            r#"[{"reason":"AReasonOfTomorrow","resource":"a star"}]"#,
            vec![reason("AReasonOfTomorrow", Some("a star"))],
        ),
        (
            r#"[{"resource":"a star"}]"#,
            vec![reason("", Some("a star"))],
        ),
        (
            r#"[{"reason":"TableWriteAccountLimitExceeded","resource":null,"since":7}]"#,
            vec![reason("TableWriteAccountLimitExceeded", None)],
        ),
    ];
    for (reasons, expected) in cases {
        let reply = refusal("ThrottlingException", "ThrottlingReasons", reasons);
        let (cause, message) = fate(reply).await;
        assert_eq!(cause, Cause::Throttled(expected), "{reasons}");
        assert_eq!(message, "ThrottlingException: Slow down.");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_say_what_was_written_is_sent_again() {
    for body in ["", "{}", r#"{"UnprocessedItems":null}"#] {
        let (cause, message) = fate(Reply::json(200, body)).await;
        assert_eq!(cause, Cause::Internal, "{body:?}");
        assert_eq!(
            message,
            "the answer has no UnprocessedItems, so it does not say what was written"
        );
    }
    for body in ["<html></html>", r#"{"UnprocessedItems":{"#] {
        let (cause, message) = fate(Reply::json(200, body)).await;
        assert_eq!(cause, Cause::Internal, "{body:?}");
        assert_eq!(
            message,
            "the endpoint answered with HTTP status 200, and not as DynamoDB does"
        );
    }
}

#[tokio::test]
async fn an_answer_without_a_name_goes_by_its_status() {
    let cases = [
        (400, Cause::Rejected),
        (403, Cause::AccessDenied),
        (404, Cause::Rejected),
        (408, Cause::Unreachable),
        (413, Cause::Invalid),
        (429, throttled()),
        (500, Cause::Internal),
        (502, Cause::Internal),
        (503, Cause::Internal),
        (504, Cause::Internal),
    ];
    for (status, cause) in cases {
        for body in [
            "",
            "<html>Service unavailable</html>",
            "length limit exceeded",
        ] {
            let reply = Reply::Answer {
                status,
                content_type: "text/html",
                headers: Vec::new(),
                body: body.to_owned(),
            };
            let (found, message) = fate(reply).await;
            assert_eq!(found, cause, "{status} {body:?}");
            assert!(message.contains(&status.to_string()), "{message}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_fails_may_be_tried_again() {
    let refused = || ConnectorError::io("connection refused".into());
    let reset = || ConnectorError::io("connection reset by peer".into());
    let timeout = || ConnectorError::timeout("no connection in time".into());
    let ended = || ConnectorError::other("ended".into(), Some(ErrorKind::TransientError));
    let unknown = || ConnectorError::other("h2: go away".into(), None);
    for failure in [refused, reset, timeout, ended, unknown] as [fn() -> ConnectorError; 5] {
        let (cause, _) = fate(Reply::Fail(failure)).await;
        assert_eq!(cause, Cause::Unreachable);
        assert_eq!(cause.retry(), Retry::Backoff);
    }
    let (_, message) = fate(Reply::Fail(refused)).await;
    assert_eq!(message, "connection refused");
    let nonsense = || ConnectorError::user("a stream for a body".into());
    assert_eq!(fate(Reply::Fail(nonsense)).await.0, Cause::Rejected);
}

#[tokio::test]
async fn a_body_that_breaks_off_may_have_been_applied() {
    let (cause, _) = fate(Reply::BreaksOff).await;
    assert_eq!(cause, Cause::Internal);
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_unreachable() {
    assert_eq!(fate(Reply::Hang).await.0, Cause::Unreachable);
}

/// Credentials from somewhere that has none.
#[derive(Debug)]
struct NoSession;

impl ProvideCredentials for NoSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let expired = "the SSO session has expired";
        future::ProvideCredentials::ready(Err(CredentialsError::provider_error(expired)))
    }
}

#[tokio::test]
async fn a_client_that_lacks_something_is_not_taken_for_a_network_that_is_down() {
    let endpoint = Endpoint::new(Reply::json(200, r#"{"UnprocessedItems":{}}"#));
    let http = endpoint.config().build().http_client().unwrap();
    let config = || {
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http.clone())
    };
    let region = || Region::new("eu-central-1");
    let credentials = || Credentials::new("key", "secret", None, None, "test");
    let cases = [
        (
            config().region(region()),
            Cause::Credentials,
            "the client has no provider of credentials",
        ),
        (
            config().region(region()).credentials_provider(NoSession),
            Cause::Credentials,
            "the SSO session has expired",
        ),
        (
            config().credentials_provider(credentials()),
            Cause::Misconfigured,
            "Invalid Configuration: Missing Region",
        ),
        (
            config()
                .region(region())
                .credentials_provider(credentials())
                .endpoint_url("localhost:8000"),
            Cause::Misconfigured,
            "endpoint must contain scheme",
        ),
        (
            config()
                .region(region())
                .credentials_provider(credentials())
                .endpoint_url("http://local host"),
            Cause::Misconfigured,
            "invalid uri character",
        ),
    ];
    for (config, cause, message) in cases {
        let client = Client::from_conf(config.build());
        let transport = DynamoDb::new(client.clone());
        assert_eq!(
            fate_of(&transport).await,
            (cause.clone(), message.to_owned())
        );
        assert_eq!(cause.retry(), Retry::Never);

        let described = describe(&client, "users").await.unwrap_err();
        assert_eq!(described.cause(), Some(&cause), "{described:?}");
        let created = create(&client, &table("users"), std::time::Duration::ZERO).await;
        assert_eq!(created.unwrap_err().cause(), Some(&cause));
    }
    assert_eq!(endpoint.requests().len(), 0);
}

#[tokio::test]
async fn a_client_may_leave_its_requests_unsigned() {
    let endpoint = Endpoint::new(Reply::json(200, r#"{"UnprocessedItems":{}}"#));
    let http = endpoint.config().build().http_client().unwrap();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .allow_no_auth()
        .http_client(http);
    let transport = DynamoDb::new(Client::from_conf(config.build()));
    let request = batch([put(&table("users"), 1)]);
    transport.batch_write(&request).await.unwrap();
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn an_error_says_what_to_do_in_one_lower_case_line() {
    let endpoint = Endpoint::new(Reply::error(
        400,
        "ResourceNotFoundException",
        "Requested resource not found:\nTable: users not found",
    ));
    let error = describe(&endpoint.client(), "users").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "table \"users\" could not be described: there is no such table in this region and account; check its name and the region, or create it"
    );
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(
        source.to_string(),
        "ResourceNotFoundException: Requested resource not found: Table: users not found"
    );
    assert!(source.source().is_none());

    let causes = [
        throttled(),
        Cause::Conflict,
        Cause::Internal,
        Cause::Unreachable,
        Cause::Invalid,
        Cause::ItemCollectionFull,
        Cause::TableMissing,
        Cause::TableInUse,
        Cause::AccessDenied,
        Cause::Credentials,
        Cause::Misconfigured,
        Cause::Rejected,
    ];
    let mut codes = std::collections::HashSet::new();
    for cause in causes {
        assert!(codes.insert(cause.code()), "{cause} stands for two causes");
        assert_eq!(cause.to_string(), cause.code());
        let error = Error::Stopped {
            cause: Box::new(cause),
            unresolved: 7,
            source: "SOURCE".into(),
        };
        let line = error.to_string();
        let start = "writing has stopped with 7 operations without an outcome: ";
        assert!(line.starts_with(start), "{line}");
        assert!(!line.contains('\n') && !line.contains("SOURCE"), "{line}");
        assert!(line.contains("; "), "{line:?} does not say what to do");
    }
}
