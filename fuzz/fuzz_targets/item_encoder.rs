//! Any sequence of values becomes an item whose JSON says these values and whose size is theirs, or an error.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::{Error, ItemEncoder, KeyType, Number, TableSchema, ValueEncoder};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value as Json, json};

#[derive(Arbitrary, Debug)]
enum Value {
    S(String),
    Integer(i128),
    Float(f64),
    Float32(f32),
    Scaled(String, i8),
    B(Vec<u8>),
    Bool(bool),
    Null,
    Ss(Vec<String>),
    Ns(Vec<i32>),
    Bs(Vec<Vec<u8>>),
    L(Vec<Value>),
    M(Vec<(String, Value)>),
    /// A list in a list, so many times.
    Deep(u8),
    /// A string of so many bytes.
    Long(u32),
    /// An attribute that is asked for and never written.
    Omitted,
}

fuzz_target!(|attributes: Vec<(String, Value)>| {
    let table = TableSchema::builder("fuzzed").partition_key("id", KeyType::S);
    let mut encoder = ItemEncoder::new(&table.build().unwrap());
    for _ in 0..2 {
        // The second time in a buffer that was used before.
        let item = encoder.item(|map| {
            attributes
                .iter()
                .try_for_each(|(name, value)| write(value, map.attribute(name)?))
        });
        match item {
            Ok(item) => {
                let json: Json = serde_json::from_slice(item.json()).unwrap();
                let expected = document(&attributes);
                assert!(same(&json, &expected), "{json}\n{expected}");
                assert_eq!(item.size(), size_of_attributes(&json));
                assert!(item.size() <= 400 * 1024);
            }
            Err(Error::ItemTooLarge { bytes, .. }) => assert!(bytes > 400 * 1024),
            Err(_) => {}
        }
    }
});

fn write(value: &Value, encoder: ValueEncoder<'_>) -> Result<(), Error> {
    match value {
        Value::S(text) => encoder.string(text),
        Value::Integer(integer) => encoder.integer(*integer),
        Value::Float(float) => encoder.try_number(Number::try_from(*float)),
        Value::Float32(float) => encoder.try_number(Number::try_from(*float)),
        Value::Scaled(text, scale) => {
            encoder.try_number(Number::parse_scaled(text, i32::from(*scale)))
        }
        Value::B(bytes) => encoder.binary(bytes),
        Value::Bool(bool) => encoder.bool(*bool),
        Value::Null => encoder.null(),
        Value::Ss(members) => encoder.string_set(members.iter().map(String::as_str)),
        Value::Ns(members) => encoder.number_set(
            members
                .iter()
                .map(|member| Number::try_from(i128::from(*member)).unwrap()),
        ),
        Value::Bs(members) => encoder.binary_set(members.iter().map(Vec::as_slice)),
        Value::L(elements) => {
            let mut list = encoder.list()?;
            elements
                .iter()
                .try_for_each(|element| write(element, list.element()))
        }
        Value::M(attributes) => {
            let mut map = encoder.map()?;
            attributes
                .iter()
                .try_for_each(|(name, value)| write(value, map.attribute(name)?))
        }
        Value::Deep(0) => encoder.null(),
        Value::Deep(more) => write(&Value::Deep(more - 1), encoder.list()?.element()),
        Value::Long(bytes) => encoder.string(&long(*bytes)),
        Value::Omitted => Ok(()),
    }
}

fn long(bytes: u32) -> String {
    "x".repeat(usize::try_from(bytes % 500_000).unwrap())
}

/// What the JSON must say.
fn document(attributes: &[(String, Value)]) -> Json {
    let said = attributes
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), said(value)?)));
    Json::Object(said.collect())
}

fn said(value: &Value) -> Option<Json> {
    let base64 = |bytes: &Vec<u8>| STANDARD.encode(bytes);
    Some(match value {
        Value::S(text) => json!({ "S": text }),
        Value::Integer(integer) => json!({ "N": integer.to_string() }),
        Value::Float(float) => json!({ "N": format!("{float:e}") }),
        Value::Float32(float) => json!({ "N": format!("{float:e}") }),
        Value::Scaled(text, scale) => json!({ "N": shifted(text, *scale) }),
        Value::B(bytes) => json!({ "B": base64(bytes) }),
        Value::Bool(bool) => json!({ "BOOL": bool }),
        Value::Null => json!({ "NULL": true }),
        Value::Ss(members) => json!({ "SS": members }),
        Value::Ns(members) => {
            json!({ "NS": members.iter().map(i32::to_string).collect::<Vec<_>>() })
        }
        Value::Bs(members) => json!({ "BS": members.iter().map(base64).collect::<Vec<_>>() }),
        Value::L(elements) => json!({ "L": elements.iter().filter_map(said).collect::<Vec<_>>() }),
        Value::M(attributes) => json!({ "M": document(attributes) }),
        Value::Deep(0) => json!({ "NULL": true }),
        Value::Deep(more) => json!({ "L": [said(&Value::Deep(more - 1))?] }),
        Value::Long(bytes) => json!({ "S": long(*bytes) }),
        Value::Omitted => return None,
    })
}

/// `text` × 10^-`scale`.
fn shifted(text: &str, scale: i8) -> String {
    let (significand, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.parse::<i64>().unwrap_or_default() - i64::from(scale);
    format!("{significand}e{exponent}")
}

/// Whether two values are the same, numbers as numbers.
fn same(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Object(found), Json::Object(expected)) => {
            found.len() == expected.len()
                && found.iter().all(|(name, found)| match expected.get(name) {
                    Some(Json::String(expected)) if name == "N" => {
                        number(found.as_str().unwrap()) == number(expected)
                    }
                    Some(expected) => same(found, expected),
                    None => false,
                })
        }
        (Json::Array(found), Json::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| same(a, b))
        }
        _ => found == expected,
    }
}

/// A decimal number: its sign, its digits without zeros at either end, and the exponent of the first.
fn number(text: &str) -> (bool, String, i64) {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (significand, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
    let written = format!("{whole}{fraction}");
    let significant = written.trim_start_matches('0');
    let digits = significant.trim_end_matches('0').to_owned();
    if digits.is_empty() {
        return (false, digits, 0);
    }
    let before_point = i64::try_from(whole.len()).unwrap();
    let leading_zeros = i64::try_from(written.len() - significant.len()).unwrap();
    let exponent: i64 = exponent.parse().unwrap();
    (
        negative,
        digits,
        exponent + before_point - leading_zeros - 1,
    )
}

/// Bytes by AWS's "DynamoDB item sizes and formats", counted from the JSON.
fn size_of_attributes(attributes: &Json) -> u64 {
    let attributes: BTreeMap<_, _> = attributes.as_object().unwrap().iter().collect();
    attributes
        .into_iter()
        .map(|(name, value)| bytes(name) + size(value))
        .sum()
}

fn size(value: &Json) -> u64 {
    let (kind, held) = value.as_object().unwrap().iter().next().unwrap();
    let members = || held.as_array().unwrap().iter();
    let texts = || members().map(|member| member.as_str().unwrap());
    match kind.as_str() {
        "S" => bytes(held.as_str().unwrap()),
        "N" => size_of_number(held.as_str().unwrap()),
        "B" => size_of_binary(held.as_str().unwrap()),
        "BOOL" | "NULL" => 1,
        "SS" => texts().map(bytes).sum(),
        "NS" => texts().map(size_of_number).sum(),
        "BS" => texts().map(size_of_binary).sum(),
        "L" => 3 + members().map(|element| 1 + size(element)).sum::<u64>(),
        "M" => {
            3 + size_of_attributes(held) + u64::try_from(held.as_object().unwrap().len()).unwrap()
        }
        other => panic!("{other}"),
    }
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap()
}

fn size_of_binary(text: &str) -> u64 {
    u64::try_from(STANDARD.decode(text).unwrap().len()).unwrap()
}

/// One, one for each pair of digits around the point, one for a minus.
fn size_of_number(text: &str) -> u64 {
    let (negative, digits, first) = number(text);
    if digits.is_empty() {
        return 1;
    }
    let last = first + 1 - i64::try_from(digits.len()).unwrap();
    let pairs = first.div_euclid(2) - last.div_euclid(2) + 1;
    1 + pairs.unsigned_abs() + u64::from(negative)
}
