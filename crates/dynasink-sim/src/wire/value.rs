//! Attribute values: which shapes and which contents the service takes.

use std::collections::HashSet;
use std::hash::Hash;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::limits::MAX_ATTRIBUTE_NAME_BYTES;
use dynasink_core::{Number, NumberError};
use serde_json::{Map, Value};

use super::rejection::Rejection;

/// The deepest level at which a value may lie; an attribute of the item lies at the first.
///
/// Source: *Quotas in Amazon DynamoDB*, "Nested attribute depth".
const MAX_LEVEL: usize = 32;

pub(super) const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have \
                                   nested levels beyond supported limit";
pub(super) const NO_TYPE: &str =
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
pub(super) const TWO_TYPES: &str = "Supplied AttributeValue has more than one datatypes set, must contain exactly \
                                    one of the supported datatypes";
const EMPTY_NAME: &str = "Empty attribute name";

/// An attribute value whose shape is right: one known type with a value of the JSON type that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum AttributeValue<'a> {
    S(&'a str),
    N(&'a str),
    B(&'a str),
    Bool(bool),
    Null(bool),
    Ss(&'a [Value]),
    Ns(&'a [Value]),
    Bs(&'a [Value]),
    L(&'a [Value]),
    M(&'a Map<String, Value>),
}

impl<'a> AttributeValue<'a> {
    /// Reads `{"S":"abc"}`.
    pub(super) fn of(value: &'a Value) -> Result<Self, Rejection> {
        let members = value.as_object().ok_or_else(|| {
            Rejection::Serialization("an attribute value is not an object".to_owned())
        })?;
        if members.len() > 1 {
            return Err(Rejection::Validation(TWO_TYPES.to_owned()));
        }
        let Some((descriptor, content)) = members.iter().next() else {
            return Err(Rejection::Validation(NO_TYPE.to_owned()));
        };
        Ok(match (descriptor.as_str(), content) {
            ("S", Value::String(text)) => Self::S(text),
            ("N", Value::String(text)) => Self::N(text),
            ("B", Value::String(text)) => Self::B(text),
            ("BOOL", Value::Bool(value)) => Self::Bool(*value),
            ("NULL", Value::Bool(value)) => Self::Null(*value),
            ("SS", Value::Array(members)) => Self::Ss(members),
            ("NS", Value::Array(members)) => Self::Ns(members),
            ("BS", Value::Array(members)) => Self::Bs(members),
            ("L", Value::Array(elements)) => Self::L(elements),
            ("M", Value::Object(attributes)) => Self::M(attributes),
            ("S" | "N" | "B" | "BOOL" | "NULL" | "SS" | "NS" | "BS" | "L" | "M", content)
                if !content.is_null() =>
            {
                return Err(Rejection::Serialization(format!(
                    "{} cannot be converted to {descriptor}",
                    json_type(content)
                )));
            }
            // The service does not see what it does not know, nor what is null.
            _ => return Err(Rejection::Validation(NO_TYPE.to_owned())),
        })
    }

    /// `S` in `{"S":"abc"}`.
    pub(super) fn descriptor(self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null(_) => "NULL",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::L(_) => "L",
            Self::M(_) => "M",
        }
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// Checks the names and the values of an item or a key, whatever table it is for.
pub(super) fn check_attributes(attributes: &Map<String, Value>) -> Result<(), Rejection> {
    check_map(attributes, 1)
}

/// `level` is that of the map's values.
fn check_map(attributes: &Map<String, Value>, level: usize) -> Result<(), Rejection> {
    for (name, value) in attributes {
        if name.is_empty() {
            return Err(Rejection::Validation(EMPTY_NAME.to_owned()));
        }
        if name.len() > MAX_ATTRIBUTE_NAME_BYTES {
            return Err(Rejection::Validation(format!(
                "1 validation error detected: an attribute name of {} bytes failed to satisfy constraint: Map keys \
                 must satisfy constraint: [Member must have length less than or equal to {MAX_ATTRIBUTE_NAME_BYTES}]",
                name.len()
            )));
        }
        check(value, level)?;
    }
    Ok(())
}

fn check(value: &Value, level: usize) -> Result<(), Rejection> {
    if level > MAX_LEVEL {
        return Err(Rejection::Validation(TOO_DEEP.to_owned()));
    }
    match AttributeValue::of(value)? {
        AttributeValue::S(_) | AttributeValue::Bool(_) | AttributeValue::Null(true) => Ok(()),
        AttributeValue::Null(false) => Err(invalid(
            "Null attribute value types must have the value of true",
        )),
        AttributeValue::N(text) => number(text).map(|_| ()),
        AttributeValue::B(text) => binary(text).map(|_| ()),
        AttributeValue::Ss(members) => check_set(members, "An string set  may not be empty", Ok),
        AttributeValue::Ns(members) => {
            check_set(members, "An number set  may not be empty", number)
        }
        AttributeValue::Bs(members) => {
            check_set(members, "Binary sets should not be empty", binary)
        }
        AttributeValue::L(elements) => elements
            .iter()
            .try_for_each(|element| check(element, level + 1)),
        AttributeValue::M(attributes) => check_map(attributes, level + 1),
    }
}

/// Checks that a set has members, and none twice by the value that `read` gives.
fn check_set<'a, T: Eq + Hash>(
    members: &'a [Value],
    empty: &str,
    read: impl Fn(&'a str) -> Result<T, Rejection>,
) -> Result<(), Rejection> {
    if members.is_empty() {
        return Err(invalid(empty));
    }
    let mut seen = HashSet::with_capacity(members.len());
    for member in members {
        let text = member.as_str().ok_or_else(|| {
            Rejection::Serialization(format!(
                "{} cannot be converted to String",
                json_type(member)
            ))
        })?;
        if !seen.insert(read(text)?) {
            return Err(invalid("Input collection contains duplicates."));
        }
    }
    Ok(())
}

/// The number that `text` is.
pub(super) fn number(text: &str) -> Result<Number, Rejection> {
    let in_range = match zero_with_a_one(text) {
        Some(nonzero) => nonzero.parse::<Number>().and_then(|_| text.parse()),
        None => text.parse(),
    };
    in_range.map_err(|error| {
        Rejection::Validation(match error {
            NumberError::TooManyDigits => {
                "Attempting to store more than 38 significant digits in a Number".to_owned()
            }
            NumberError::TooLarge => {
                "Number overflow. Attempting to store a number with magnitude larger than supported range".to_owned()
            }
            NumberError::TooSmall => {
                "Number underflow. Attempting to store a number with magnitude smaller than supported range".to_owned()
            }
            _ => format!("The parameter cannot be converted to a numeric value: {text}"),
        })
    })
}

/// The text of a zero with a one for its last digit: the service checks the range of that, so `0e126` is too large.
///
/// Source: captures of the service that `dynoxide` cites for this rule.
fn zero_with_a_one(text: &str) -> Option<String> {
    let (digits, exponent) = match text.find(['e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (before, after) = digits.rsplit_once('0')?;
    let is_zero = !digits.contains(|digit: char| ('1'..='9').contains(&digit));
    is_zero.then(|| format!("{before}1{after}{exponent}"))
}

/// The bytes that `text` is in Base64.
pub(super) fn binary(text: &str) -> Result<Vec<u8>, Rejection> {
    STANDARD
        .decode(text)
        .map_err(|error| Rejection::Serialization(format!("invalid Base64: {error}")))
}

fn invalid(message: &str) -> Rejection {
    Rejection::Validation(format!(
        "One or more parameter values were invalid: {message}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_one(value: Value) -> Result<(), Rejection> {
        let mut attributes = Map::new();
        attributes.insert("a".to_owned(), value);
        check_attributes(&attributes)
    }

    #[test]
    fn what_the_service_takes_is_taken() {
        for value in [
            json!({"S": ""}),
            json!({"N": "-1.50e-3"}),
            json!({"N": "9".repeat(38)}),
            json!({"N": format!("{}000", "9".repeat(38))}),
            json!({"N": "9.9999999999999999999999999999999999999E+125"}),
            json!({"N": "-1E-130"}),
            json!({"B": ""}),
            json!({"B": "AQ=="}),
            json!({"BOOL": false}),
            json!({"N": "0e125"}),
            json!({"N": "-0.00E127"}),
            json!({"N": "0.0e-129"}),
            json!({"NULL": true}),
            json!({"SS": [""]}),
            json!({"NS": ["1", "10"]}),
            json!({"BS": ["AQ==", ""]}),
            json!({"L": []}),
            json!({"M": {}}),
            json!({"M": {"b": {"L": [{"S": "c"}]}}}),
        ] {
            assert_eq!(check_one(value.clone()), Ok(()), "{value}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_a_validation_error() {
        for (value, part) in [
            (json!({}), NO_TYPE),
            (json!({"X": "a"}), NO_TYPE),
            (json!({"S": null}), NO_TYPE),
            (json!({"S": "a", "N": "1"}), TWO_TYPES),
            (json!({"NULL": false}), "must have the value of true"),
            (json!({"N": ""}), "cannot be converted to a numeric value"),
            (
                json!({"N": "NaN"}),
                "cannot be converted to a numeric value",
            ),
            (json!({"N": " 1"}), "cannot be converted to a numeric value"),
            (json!({"N": "9".repeat(39)}), "38 significant digits"),
            (json!({"N": "1E126"}), "overflow"),
            (json!({"N": "-1E126"}), "overflow"),
            (json!({"N": "0e126"}), "overflow"),
            (json!({"N": "-0.00E128"}), "overflow"),
            (json!({"N": "0.0e-130"}), "underflow"),
            (json!({"N": "9.9E-131"}), "underflow"),
            (json!({"SS": []}), "string set  may not be empty"),
            (json!({"NS": []}), "number set  may not be empty"),
            (json!({"BS": []}), "Binary sets should not be empty"),
            (json!({"SS": ["a", "b", "a"]}), "duplicates"),
            (json!({"NS": ["1", "1.0"]}), "duplicates"),
            (json!({"NS": ["0", "-0.00"]}), "duplicates"),
            (
                json!({"NS": ["x"]}),
                "cannot be converted to a numeric value",
            ),
            (json!({"BS": ["AQ==", "AQ=="]}), "duplicates"),
            (json!({"M": {"": {"S": "a"}}}), EMPTY_NAME),
            (json!({"L": [{"M": {"b": {"SS": []}}}]}), "may not be empty"),
        ] {
            let checked = check_one(value.clone());
            assert!(
                matches!(&checked, Err(Rejection::Validation(message)) if message.contains(part)),
                "{value}: {checked:?}"
            );
        }
    }

    #[test]
    fn what_is_of_another_shape_is_a_serialization_error() {
        for value in [
            json!("a"),
            json!(null),
            json!({"S": 5}),
            json!({"N": 5}),
            json!({"BOOL": "true"}),
            json!({"NULL": "true"}),
            json!({"SS": "a"}),
            json!({"SS": [1]}),
            json!({"NS": [1]}),
            json!({"L": {}}),
            json!({"L": ["a"]}),
            json!({"M": []}),
            json!({"B": "A"}),
            json!({"B": "AQ"}),
            json!({"B": "AR=="}),
            json!({"B": "A$=="}),
            json!({"BS": ["A"]}),
        ] {
            assert!(
                matches!(check_one(value.clone()), Err(Rejection::Serialization(_))),
                "{value}"
            );
        }
    }

    #[test]
    fn a_value_lies_at_most_at_the_32nd_level() {
        let nested = |containers: usize| {
            (0..containers).fold(json!({"S": "a"}), |inner, at| {
                if at % 2 == 0 {
                    json!({"L": [inner]})
                } else {
                    json!({"M": {"m": inner}})
                }
            })
        };
        assert_eq!(check_one(nested(31)), Ok(()));
        assert_eq!(
            check_one(nested(32)),
            Err(Rejection::Validation(TOO_DEEP.to_owned()))
        );
    }

    #[test]
    fn a_name_has_1_to_65535_bytes_at_every_depth() {
        let named = |bytes: usize| {
            let mut attributes = Map::new();
            attributes.insert(
                "é".repeat(bytes / 2) + &"x".repeat(bytes % 2),
                json!({"S": ""}),
            );
            attributes
        };
        for (bytes, taken) in [(0, false), (1, true), (65_535, true), (65_536, false)] {
            assert_eq!(check_attributes(&named(bytes)).is_ok(), taken, "{bytes}");
            assert_eq!(
                check_one(json!({"M": named(bytes)})).is_ok(),
                taken,
                "{bytes}"
            );
        }
    }
}
