//! Why a request is refused as a whole, with nothing of it applied.

use super::exception::error;
use crate::operation::Reply;

/// A request that the service does not take, in the service's words where they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It breaks a rule of the operation.
    Validation(String),
    /// It is not JSON, or not of the operation's shape. The message may be empty.
    Serialization(String),
    /// It names a table that does not exist.
    TableMissing(String),
    /// Its body has that many bytes, and 16 MB is the limit.
    BodyTooLarge(usize),
}

impl Rejection {
    /// What goes back over the wire.
    pub(crate) fn reply(&self) -> Reply {
        let refused = |kind, message: &str| error(400, kind, "message", message, None);
        match self {
            Self::Validation(message) => {
                refused("com.amazon.coral.validate#ValidationException", message)
            }
            // The one error whose message has a capital letter.
            Self::Serialization(message) => error(
                400,
                "com.amazon.coral.service#SerializationException",
                "Message",
                message,
                None,
            ),
            // Operations on items do not say which table.
            Self::TableMissing(_) => refused(
                "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
                "Requested resource not found",
            ),
            Self::BodyTooLarge(bytes) => Reply::body_too_large(*bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_worded_as_the_service_words_it() {
        let body = |rejection: Rejection| {
            let reply = rejection.reply();
            (reply.status, reply.body)
        };
        assert_eq!(
            body(Rejection::Validation("no".to_owned())),
            (
                400,
                r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#
                    .to_owned()
            )
        );
        assert_eq!(
            body(Rejection::Serialization("no".to_owned())),
            (
                400,
                r#"{"Message":"no","__type":"com.amazon.coral.service#SerializationException"}"#
                    .to_owned()
            )
        );
        assert_eq!(
            body(Rejection::Serialization(String::new())),
            (
                400,
                r#"{"__type":"com.amazon.coral.service#SerializationException"}"#.to_owned()
            )
        );
        assert_eq!(
            body(Rejection::TableMissing("users".to_owned())),
            (
                400,
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#
                    .to_owned()
            )
        );
        let too_large = Rejection::BodyTooLarge(16 * 1024 * 1024 + 1).reply();
        assert_eq!(
            (too_large.status, too_large.content_type),
            (413, "text/plain; charset=utf-8")
        );
    }
}
