//! How many bytes an item has by the service's own rule, which its limit and its price go by.
//!
//! Source: *DynamoDB item sizes and formats*.

use serde_json::{Map, Value};

use super::value::AttributeValue;

/// Bytes of a list or a map, whatever it holds.
const CONTAINER: u64 = 3;

/// Bytes of an element of a list or a map, besides its value.
const ELEMENT: u64 = 1;

/// Bytes of an item or a key: names and values together.
pub(super) fn of_attributes(attributes: &Map<String, Value>) -> u64 {
    attributes
        .iter()
        .map(|(name, value)| of_attribute(name, value))
        .sum()
}

/// Bytes of one attribute. Values that were not checked, and that no item can hold, have none.
pub(super) fn of_attribute(name: &str, value: &Value) -> u64 {
    len(name) + of_value(value)
}

fn of_value(value: &Value) -> u64 {
    let Ok(value) = AttributeValue::of(value) else {
        return 0;
    };
    match value {
        AttributeValue::S(text) => len(text),
        AttributeValue::N(text) => of_number(text),
        AttributeValue::B(text) => of_binary(text),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::Ss(members) => of_set(members, len),
        AttributeValue::Ns(members) => of_set(members, of_number),
        AttributeValue::Bs(members) => of_set(members, of_binary),
        AttributeValue::L(elements) => {
            let elements = elements.iter().map(|element| ELEMENT + of_value(element));
            CONTAINER + elements.sum::<u64>()
        }
        AttributeValue::M(attributes) => {
            let elements = attributes
                .iter()
                .map(|(name, value)| ELEMENT + of_attribute(name, value));
            CONTAINER + elements.sum::<u64>()
        }
    }
}

fn of_set(members: &[Value], of_member: impl Fn(&str) -> u64) -> u64 {
    members
        .iter()
        .filter_map(Value::as_str)
        .map(of_member)
        .sum()
}

fn len(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Bytes that `text` stands for in Base64.
fn of_binary(text: &str) -> u64 {
    let padding = text.bytes().rev().take_while(|&byte| byte == b'=').count();
    (len(text) / 4 * 3).saturating_sub(u64::try_from(padding).unwrap_or(u64::MAX))
}

/// Bytes of the number that `text` is: one, one for each pair of digits from the first to the last that is not
/// zero, and one if it is negative. Pairs are aligned on the decimal point.
///
/// Implementations disagree on whether they are. This is the larger count of the two.
fn of_number(text: &str) -> u64 {
    let (significand, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let point = significand
        .bytes()
        .take_while(|&byte| byte != b'.')
        .filter(u8::is_ascii_digit)
        .count();
    let mut digits = significand
        .bytes()
        .filter(u8::is_ascii_digit)
        .enumerate()
        .filter(|&(_, digit)| digit != b'0')
        .map(|(at, _)| at);
    let Some(first) = digits.next() else {
        return 1;
    };
    let last = digits.last().unwrap_or(first);
    let exponent = exponent.parse::<i64>().unwrap_or_default();
    // The power of a hundred that the digit's pair stands for.
    let pair_of = |digit: usize| {
        let before_point = i64::try_from(point).unwrap_or(i64::MAX);
        let digit = i64::try_from(digit).unwrap_or(i64::MAX);
        (before_point - 1 - digit)
            .saturating_add(exponent)
            .div_euclid(2)
    };
    1 + (pair_of(first) - pair_of(last)).unsigned_abs() + 1 + u64::from(text.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_as_large_as_its_aligned_pairs_of_digits() {
        for (text, size) in [
            ("0", 1),
            ("-0.00", 1),
            ("0e99999999999999999999", 1),
            ("1", 2),
            ("99", 2),
            ("100", 2),
            ("00100.00", 2),
            ("123", 3),
            ("1.5", 3),
            ("+1.50e0", 3),
            ("15E-1", 3),
            ("120", 3),
            ("0.012", 3),
            (".012", 3),
            ("-120", 4),
            ("12e-5", 3),
            ("1e125", 2),
            ("-1E-130", 3),
        ] {
            assert_eq!(of_number(text), size, "{text}");
        }
        assert_eq!(of_number(&"9".repeat(38)), 20);
    }

    #[test]
    fn a_value_is_as_large_as_the_service_says() {
        for (value, size) in [
            (json!({"S": ""}), 0),
            (json!({"S": "é€😀"}), 9),
            (json!({"B": ""}), 0),
            (json!({"B": "AQ=="}), 1),
            (json!({"B": "AQI="}), 2),
            (json!({"B": "AQID"}), 3),
            (json!({"BOOL": true}), 1),
            (json!({"NULL": true}), 1),
            (json!({"SS": ["a", "bc"]}), 3),
            (json!({"NS": ["1", "123"]}), 5),
            (json!({"BS": ["AQ==", "AQID"]}), 4),
            (json!({"L": []}), 3),
            (json!({"L": [{"S": "a"}, {"BOOL": true}]}), 7),
            (json!({"M": {}}), 3),
            (json!({"M": {"ab": {"S": "c"}}}), 7),
            (json!({"M": {"m": {"L": [{"N": "1"}]}}}), 11),
        ] {
            assert_eq!(of_value(&value), size, "{value}");
        }
        let item = json!({"id": {"S": "a"}, "é": {"N": "1"}});
        assert_eq!(of_attributes(item.as_object().unwrap()), 7);
    }
}
