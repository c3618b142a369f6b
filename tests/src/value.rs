//! DynamoDB values that compare as DynamoDB compares them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Attributes by name.
pub type Item = BTreeMap<String, Value>;

/// The items of a table by their key attributes.
pub type Items = BTreeMap<Vec<Value>, Item>;

/// A value with its type. Sets have no order, and numbers are equal when they are the same number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// String.
    S(String),
    /// Number.
    N(Decimal),
    /// Binary.
    B(Vec<u8>),
    /// Boolean.
    Bool(bool),
    /// Null.
    Null,
    /// List.
    L(Vec<Self>),
    /// Map.
    M(Item),
    /// String set.
    Ss(BTreeSet<String>),
    /// Number set.
    Ns(BTreeSet<Decimal>),
    /// Binary set.
    Bs(BTreeSet<Vec<u8>>),
}

impl Value {
    /// A string.
    pub fn string(text: impl Into<String>) -> Self {
        Self::S(text.into())
    }

    /// A number from its text.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "most are literals, which read worse by reference"
    )]
    pub fn number(text: impl ToString) -> Self {
        Self::N(Decimal::new(&text.to_string()))
    }
}

impl From<&AttributeValue> for Value {
    fn from(value: &AttributeValue) -> Self {
        match value {
            AttributeValue::S(text) => Self::string(text),
            AttributeValue::N(number) => Self::number(number),
            AttributeValue::B(bytes) => Self::B(bytes.as_ref().to_vec()),
            AttributeValue::Bool(bool) => Self::Bool(*bool),
            AttributeValue::Null(_) => Self::Null,
            AttributeValue::L(list) => Self::L(list.iter().map(Self::from).collect()),
            AttributeValue::M(map) => Self::M(item(map)),
            AttributeValue::Ss(set) => Self::Ss(set.iter().cloned().collect()),
            AttributeValue::Ns(set) => Self::Ns(set.iter().map(|n| Decimal::new(n)).collect()),
            AttributeValue::Bs(set) => {
                Self::Bs(set.iter().map(|bytes| bytes.as_ref().to_vec()).collect())
            }
            other => panic!("an attribute of a type that is not known here: {other:?}"),
        }
    }
}

impl Value {
    /// A value as DynamoDB JSON has it.
    pub fn from_json(json: &serde_json::Value) -> Self {
        let (kind, held) = json.as_object().unwrap().iter().next().unwrap();
        let text = || held.as_str().unwrap();
        let members = || held.as_array().unwrap().iter();
        let texts = || members().map(|member| member.as_str().unwrap());
        let bytes = |text: &str| STANDARD.decode(text).unwrap();
        match kind.as_str() {
            "S" => Self::string(text()),
            "N" => Self::number(text()),
            "B" => Self::B(bytes(text())),
            "BOOL" => Self::Bool(held.as_bool().unwrap()),
            "NULL" => Self::Null,
            "L" => Self::L(members().map(Self::from_json).collect()),
            "M" => Self::M(item_of_json(held)),
            "SS" => Self::Ss(texts().map(str::to_owned).collect()),
            "NS" => Self::Ns(texts().map(Decimal::new).collect()),
            "BS" => Self::Bs(texts().map(bytes).collect()),
            other => panic!("an attribute of a type that is not known here: {other:?}"),
        }
    }
}

/// An item as DynamoDB JSON has it.
pub fn item_of_json(json: &serde_json::Value) -> Item {
    let attributes = json.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| (name.clone(), Value::from_json(value)))
        .collect()
}

/// An item as the SDK has it.
pub(crate) fn item(attributes: &HashMap<String, AttributeValue>) -> Item {
    attributes
        .iter()
        .map(|(name, value)| (name.clone(), value.into()))
        .collect()
}

/// An exact decimal number: `0.digits × 10^exponent`, without zeros at either end of the digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    negative: bool,
    exponent: i64,
    digits: String,
}

impl Decimal {
    /// Reads `-12.50`, `1e3` and the like.
    pub fn new(text: &str) -> Self {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let written = format!("{whole}{fraction}");
        assert!(
            !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()),
            "not a number: {text:?}"
        );
        let significant = written.trim_start_matches('0');
        let digits = significant.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Self {
                negative: false,
                exponent: 0,
                digits,
            };
        }
        let leading_zeros = written.len() - significant.len();
        let shift = i64::try_from(whole.len()).unwrap() - i64::try_from(leading_zeros).unwrap();
        Self {
            negative,
            exponent: exponent.parse::<i64>().unwrap() + shift,
            digits,
        }
    }
}

/// How many differences a failure shows.
const SHOWN: usize = 5;

/// Fails unless `stored` has exactly the items of `expected`, attribute for attribute.
#[track_caller]
pub fn assert_same_items(stored: &Items, expected: &Items) {
    let missing = expected.keys().filter(|key| !stored.contains_key(*key));
    let missing = missing.map(|key| format!("missing: {key:?}"));
    let extra = stored.keys().filter(|key| !expected.contains_key(*key));
    let extra = extra.map(|key| format!("not expected: {key:?}"));
    let other = stored.iter().filter_map(|(key, found)| {
        let expected = expected.get(key)?;
        (found != expected)
            .then(|| format!("differs: {key:?}\n  stored   {found:?}\n  expected {expected:?}"))
    });
    let differences: Vec<String> = missing.chain(extra).chain(other).collect();
    let shown = &differences[..differences.len().min(SHOWN)];
    assert!(
        differences.is_empty(),
        "{} of {} items are not as expected:\n{}",
        differences.len(),
        expected.len(),
        shown.join("\n")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_when_they_are_the_same_number() {
        for (a, b) in [
            ("1", "1.0"),
            ("1", "1E0"),
            ("100", "1e+2"),
            ("0.00120", "1.2e-3"),
            ("-0", "0.00"),
            ("-12.5", "-125e-1"),
        ] {
            assert_eq!(Decimal::new(a), Decimal::new(b), "{a} {b}");
        }
        for (a, b) in [
            ("1", "10"),
            ("1", "-1"),
            ("0.1", "0.01"),
            ("12", "1.2"),
            ("0.1", "0.10000000000000000000000000000000000001"),
        ] {
            assert_ne!(Decimal::new(a), Decimal::new(b), "{a} {b}");
        }
    }

    #[test]
    fn a_number_is_not_the_string_of_its_digits() {
        let number: Value = (&AttributeValue::N("1.50".to_owned())).into();
        assert_eq!(number, Value::number(1.5));
        assert_ne!(number, Value::string("1.50"));
    }

    #[test]
    #[should_panic(expected = "2 of 2 items are not as expected")]
    fn a_missing_item_and_another_value_are_both_told() {
        let items = |pairs: &[(i32, i32)]| -> Items {
            let items = pairs.iter().map(|(key, value)| {
                let item = Item::from([("v".to_owned(), Value::number(value))]);
                (vec![Value::number(key)], item)
            });
            items.collect()
        };
        assert_same_items(&items(&[(1, 1)]), &items(&[(1, 2), (2, 2)]));
    }
}
