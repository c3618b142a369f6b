//! A request's body as JSON, in which no object names a member twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::rejection::Rejection;
use super::value::TOO_DEEP;

/// Reads the object that `body` is.
///
/// A member that stands twice is refused: the service keeps one of the two in silence, so that a client which
/// sends it loses the other.
pub(super) fn read(body: &[u8]) -> Result<Map<String, Value>, Rejection> {
    let Strict(value) = serde_json::from_slice(body).map_err(|error| refusal(&error))?;
    object(value, "the request")
}

fn refusal(error: &serde_json::Error) -> Rejection {
    let text = error.to_string();
    if text.starts_with("recursion limit exceeded") {
        return Rejection::Validation(TOO_DEEP.to_owned());
    }
    if error.is_data() {
        let message = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(message, _)| message);
        return Rejection::Serialization(message.to_owned());
    }
    // Not JSON: the service sends no message.
    Rejection::Serialization(String::new())
}

/// `value` as an object; `what` names it in the refusal.
pub(super) fn object(value: Value, what: &str) -> Result<Map<String, Value>, Rejection> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Rejection::Serialization(format!("{what} is not an object"))),
    }
}

/// `value` as a list; `what` names it in the refusal.
pub(super) fn list(value: Value, what: &str) -> Result<Vec<Value>, Rejection> {
    match value {
        Value::Array(elements) => Ok(elements),
        _ => Err(Rejection::Serialization(format!("{what} is not a list"))),
    }
}

/// `value` as a string; `what` names it in the refusal.
pub(super) fn string(value: Value, what: &str) -> Result<String, Rejection> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Rejection::Serialization(format!("{what} is not a string"))),
    }
}

/// Takes the member `name` out of `members`. Null stands for a member that is absent.
pub(super) fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    members.remove(name).filter(|value| !value.is_null())
}

/// Refuses what is left of an object after its known members were taken.
///
/// The service ignores members that it does not know. Here a misspelt one shall be seen.
pub(super) fn refuse_unknown(left: &Map<String, Value>, what: &str) -> Result<(), Rejection> {
    match left.keys().next() {
        None => Ok(()),
        Some(name) => Err(Rejection::Validation(format!(
            "{what} has the unknown member {name:?}"
        ))),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Members).map(Self)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!(
                    "an object has the member {name:?} twice"
                )));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_it_stands() {
        let body = br#" {"a": [null, true, -1, 18446744073709551615, 1.5, "x\n\u00e9"], "b": {}} "#;
        let expected: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(Value::Object(read(body).unwrap()), expected);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let too_deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let validation = |message: &str| Rejection::Validation(message.to_owned());
        let serialization = |message: &str| Rejection::Serialization(message.to_owned());
        for (body, expected) in [
            ("", serialization("")),
            ("{", serialization("")),
            ("{} {}", serialization("")),
            ("[]", serialization("the request is not an object")),
            (
                r#"{"a":{"b":1,"b":2}}"#,
                serialization("an object has the member \"b\" twice"),
            ),
            (&too_deep, validation(TOO_DEEP)),
        ] {
            assert_eq!(read(body.as_bytes()), Err(expected), "{body}");
        }
        assert_eq!(read(b"\xff"), Err(serialization("")));
    }
}
