//! One request to the store: which operation, what it answers.
//!
//! `dynoxide` keeps its own dispatch private to its HTTP server. This one differs from it in the
//! wording of some messages for malformed values; status and error type are the same.

use dynasink_core::limits::MAX_REQUEST_BYTES;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Operations are named with their API version. Source: "DynamoDB low-level API" in the Amazon
/// DynamoDB Developer Guide.
const TARGET_PREFIXES: [&str; 2] = ["DynamoDB_20120810.", "DynamoDBStreams_20120810."];

const JSON: &str = "application/x-amz-json-1.0";

const UNKNOWN_OPERATION: &str =
    r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

/// What goes back over the wire.
#[derive(Debug)]
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

    /// What a request body of that many bytes gets, if it is over the limit.
    pub(crate) fn body_too_large(bytes: usize) -> Self {
        Self {
            status: 413,
            content_type: "text/plain; charset=utf-8",
            body: format!(
                "the request body is {bytes} bytes, over the limit of {MAX_REQUEST_BYTES}"
            ),
        }
    }
}

/// Answers the request for `target` (the `x-amz-target` header). Blocks.
pub(crate) fn answer(database: &Database, target: &str, body: &[u8]) -> Reply {
    if body.len() > MAX_REQUEST_BYTES {
        return Reply::body_too_large(body.len());
    }
    let operation = TARGET_PREFIXES
        .iter()
        .find_map(|prefix| target.strip_prefix(prefix));
    let reply = match operation
        .and_then(|operation| run(database, operation, body).map(|result| (operation, result)))
    {
        None => Reply::json(400, UNKNOWN_OPERATION),
        Some((_, Ok(body))) => Reply::json(200, body),
        Some((operation, Err(error))) => {
            let error = as_sent(operation, error);
            Reply::json(error.status_code(), error.to_json())
        }
    };
    tracing::debug!(
        target,
        request_bytes = body.len(),
        status = reply.status,
        "answered"
    );
    reply
}

/// `None` if the store does not have the operation.
fn run(db: &Database, operation: &str, body: &[u8]) -> Option<dynoxide::Result<String>> {
    Some(match operation {
        "BatchExecuteStatement" => call(body, |request| db.batch_execute_statement(request)),
        "BatchGetItem" => call(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| db.batch_write_item(request)),
        "CreateTable" => call(body, |request| db.create_table(request)),
        "DeleteItem" => call(body, |request| db.delete_item(request)),
        "DeleteTable" => call(body, |request| db.delete_table(request)),
        "DescribeStream" => call(body, |request| db.describe_stream(request)),
        "DescribeTable" => call(body, |request| db.describe_table(request)),
        "DescribeTimeToLive" => call(body, |request| db.describe_time_to_live(request)),
        "ExecuteStatement" => call(body, |request| db.execute_statement(request)),
        "ExecuteTransaction" => call(body, |request| db.execute_transaction(request)),
        "GetItem" => call(body, |request| db.get_item(request)),
        "GetRecords" => call(body, |request| db.get_records(request)),
        "GetShardIterator" => call(body, |request| db.get_shard_iterator(request)),
        "ListStreams" => call(body, |request| db.list_streams(request)),
        "ListTables" => call(body, |request| db.list_tables(request)),
        "ListTagsOfResource" => call(body, |request| db.list_tags_of_resource(request)),
        "PutItem" => call(body, |request| db.put_item(request)),
        "Query" => call(body, |request| db.query(request)),
        "Scan" => call(body, |request| db.scan(request)),
        "SearchVectors" => call(body, |request| db.search_vectors(request)),
        "TagResource" => call(body, |request| db.tag_resource(request)),
        "TransactGetItems" => call(body, |request| db.transact_get_items(request)),
        "TransactWriteItems" => call(body, |request| db.transact_write_items(request)),
        "UntagResource" => call(body, |request| db.untag_resource(request)),
        "UpdateItem" => call(body, |request| db.update_item(request)),
        "UpdateTable" => call(body, |request| db.update_table(request)),
        "UpdateTimeToLive" => call(body, |request| db.update_time_to_live(request)),
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
