//! One request to the store: which operation, what it answers.
//!
//! `dynoxide` keeps its own dispatch private to its HTTP server, and with it a look at the types of
//! members before the operation runs. This one differs from it for malformed values in the wording
//! of some messages, and is a `ValidationException` where the service answers with a
//! `SerializationException` for an attribute value that is no object and for members of
//! `CreateTable` of the wrong JSON type.

use dynasink_core::limits::MAX_REQUEST_BYTES;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exchange::Request;

/// Operations are named with their API version. Source: "DynamoDB low-level API" in the Amazon
/// DynamoDB Developer Guide.
const TARGET_PREFIXES: [&str; 2] = ["DynamoDB_20120810.", "DynamoDBStreams_20120810."];

pub(crate) const JSON: &str = "application/x-amz-json-1.0";

const UNKNOWN_OPERATION: &str =
    r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

const NOT_SIGNED: &str = r#"{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}"#;

/// What goes back over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: JSON,
            body: body.into(),
        }
    }

    /// For a request body of `bytes`, over [`MAX_REQUEST_BYTES`].
    pub(crate) fn body_too_large(bytes: usize) -> Self {
        Self {
            status: 413,
            content_type: "text/plain; charset=utf-8",
            body: format!(
                "the request body is {bytes} bytes, over the limit of {MAX_REQUEST_BYTES}"
            ),
        }
    }

    /// For an operation that is not there.
    pub(crate) fn unknown_operation() -> Self {
        Self::json(400, UNKNOWN_OPERATION)
    }

    /// What a load balancer before the service says when it finds no server.
    pub(crate) fn load_balancer_page() -> Self {
        Self {
            status: 503,
            content_type: "text/html",
            body: "<html><body><h1>503 Service Unavailable</h1></body></html>".to_owned(),
        }
    }

    /// For a failure that is not the client's.
    pub(crate) fn internal_server_error(cause: &impl ToString) -> Self {
        let error = DynoxideError::InternalServerError(cause.to_string());
        Self::json(error.status_code(), error.to_json())
    }
}

/// Answers `request`. Blocks.
///
/// What is wrong with a request is said in the service's order: the operation, the signature,
/// the body.
pub(crate) fn answer(database: &Database, request: &Request) -> Reply {
    let operation = TARGET_PREFIXES
        .iter()
        .find_map(|prefix| request.target.strip_prefix(prefix))
        .and_then(|name| Some((name, operation(name)?)));
    let reply = match operation {
        None => Reply::unknown_operation(),
        Some(_) if !request.signed => Reply::json(400, NOT_SIGNED),
        Some((name, run)) => match run(database, &request.body) {
            Ok(body) => Reply::json(200, body),
            Err(error) => {
                let error = as_sent(name, error);
                Reply::json(error.status_code(), error.to_json())
            }
        },
    };
    tracing::debug!(
        target = request.target,
        request_bytes = request.body.len(),
        status = reply.status,
        "answered"
    );
    reply
}

type Operation = fn(&Database, &[u8]) -> dynoxide::Result<String>;

/// `None` if the store does not have the operation.
fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "BatchExecuteStatement" => {
            |db, body| call(body, |request| db.batch_execute_statement(request))
        }
        "BatchGetItem" => |db, body| call(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => |db, body| call(body, |request| db.batch_write_item(request)),
        "CreateTable" => |db, body| call(body, |request| db.create_table(request)),
        "DeleteItem" => |db, body| call(body, |request| db.delete_item(request)),
        "DeleteTable" => |db, body| call(body, |request| db.delete_table(request)),
        "DescribeStream" => |db, body| call(body, |request| db.describe_stream(request)),
        "DescribeTable" => |db, body| call(body, |request| db.describe_table(request)),
        "DescribeTimeToLive" => |db, body| call(body, |request| db.describe_time_to_live(request)),
        "ExecuteStatement" => |db, body| call(body, |request| db.execute_statement(request)),
        "ExecuteTransaction" => |db, body| call(body, |request| db.execute_transaction(request)),
        "GetItem" => |db, body| call(body, |request| db.get_item(request)),
        "GetRecords" => |db, body| call(body, |request| db.get_records(request)),
        "GetShardIterator" => |db, body| call(body, |request| db.get_shard_iterator(request)),
        "ListStreams" => |db, body| call(body, |request| db.list_streams(request)),
        "ListTables" => |db, body| call(body, |request| db.list_tables(request)),
        "ListTagsOfResource" => |db, body| call(body, |request| db.list_tags_of_resource(request)),
        "PutItem" => |db, body| call(body, |request| db.put_item(request)),
        "Query" => |db, body| call(body, |request| db.query(request)),
        "Scan" => |db, body| call(body, |request| db.scan(request)),
        "SearchVectors" => |db, body| call(body, |request| db.search_vectors(request)),
        "TagResource" => |db, body| call(body, |request| db.tag_resource(request)),
        "TransactGetItems" => |db, body| call(body, |request| db.transact_get_items(request)),
        "TransactWriteItems" => |db, body| call(body, |request| db.transact_write_items(request)),
        "UntagResource" => |db, body| call(body, |request| db.untag_resource(request)),
        "UpdateItem" => |db, body| call(body, |request| db.update_item(request)),
        "UpdateTable" => |db, body| call(body, |request| db.update_table(request)),
        "UpdateTimeToLive" => |db, body| call(body, |request| db.update_time_to_live(request)),
        _ => return None,
    })
}

fn call<Q: DeserializeOwned, R: Serialize>(
    body: &[u8],
    execute: impl FnOnce(Q) -> dynoxide::Result<R>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let response = execute(request)?;
    serde_json::to_string(&response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The service's error for a body that is not the operation's request.
///
/// `dynoxide`'s deserializers put the class of an error at the start of its text, and `serde_json`
/// puts the position at its end.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    if text.starts_with("recursion limit exceeded") {
        return DynoxideError::ValidationException(
            "Nesting Levels have exceeded supported limits".to_owned(),
        );
    }
    if !error.is_data() {
        // Not JSON: the service sends no message.
        return DynoxideError::SerializationException(String::new());
    }
    let message = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message);
    if let Some(message) = message.strip_prefix("VALIDATION_REQUEST:") {
        return DynoxideError::EnvelopedValidation(message.to_owned());
    }
    for class in ["VALIDATION:", "VALIDATION_AS_READ:"] {
        if let Some(message) = message.strip_prefix(class) {
            return DynoxideError::ValidationException(message.to_owned());
        }
    }
    for class in ["SERIALIZATION:", "SERIALIZATION_AS_READ:"] {
        if let Some(message) = message.strip_prefix(class) {
            return DynoxideError::SerializationException(message.to_owned());
        }
    }
    let invalid = [
        "missing field",
        "unknown variant",
        "invalid type: null",
        "empty AttributeValue",
        "Supplied AttributeValue",
    ];
    if invalid.iter().any(|part| message.contains(part)) {
        DynoxideError::ValidationException(message.to_owned())
    } else {
        DynoxideError::SerializationException(message.to_owned())
    }
}

/// The error as `operation` words it.
fn as_sent(operation: &str, error: DynoxideError) -> DynoxideError {
    match (operation, error) {
        ("PutItem" | "UpdateItem" | "DeleteItem", DynoxideError::EnvelopedValidation(message)) => {
            DynoxideError::ValidationException(format!("1 validation error detected: {message}"))
        }
        (
            "ExecuteStatement",
            DynoxideError::ConditionalCheckFailedException(message, Some(item)),
        ) => DynoxideError::StatementConditionalCheckFailed(message, item),
        (_, error) => error,
    }
}
