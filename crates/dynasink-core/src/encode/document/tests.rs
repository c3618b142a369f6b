use proptest::prelude::*;

use super::*;
use crate::table::KeyType;

fn table() -> TableSchema {
    TableSchema::builder("documents")
        .partition_key("k", KeyType::S)
        .build()
        .unwrap()
}

/// The JSON of the attribute `v` that `build` makes, or the code of its error.
fn value_of(build: impl FnOnce(&mut MapEncoder<'_>) -> Result<()>) -> Result<String, String> {
    let item = table().item(build);
    let item = item.map_err(|error: Error| {
        assert!(!error.to_string().contains("secret"), "{error}");
        error.code().to_owned()
    })?;
    let item = String::from_utf8(item.json().to_vec()).unwrap();
    let value = item.strip_prefix(r#"{"v":"#).unwrap();
    Ok(value.strip_suffix('}').unwrap().to_owned())
}

fn document(json: &str) -> Result<String, String> {
    value_of(|item| item.attribute("v")?.document(json))
}

fn typed(json: &str) -> Result<String, String> {
    value_of(|item| item.attribute("v")?.dynamodb_json(json))
}

#[test]
fn a_document_is_what_its_json_says() {
    for (json, expected) in [
        (" null ", r#"{"NULL":true}"#),
        ("true", r#"{"BOOL":true}"#),
        ("false", r#"{"BOOL":false}"#),
        (r#""a\u00e9\n\"""#, "{\"S\":\"aé\\n\\\"\"}"),
        (r#""""#, r#"{"S":""}"#),
        ("-0", r#"{"N":"0"}"#),
        (
            "0.10000000000000000000000000000000000001",
            r#"{"N":"0.10000000000000000000000000000000000001"}"#,
        ),
        ("12345678901234567890", r#"{"N":"12345678901234567890"}"#),
        ("1e125", r#"{"N":"1E+125"}"#),
        ("[]", r#"{"L":[]}"#),
        ("{}", r#"{"M":{}}"#),
        (
            r#" { "a" : [ 1 , { "b\n" : null } ] , "c" : 1.50 } "#,
            r#"{"M":{"a":{"L":[{"N":"1"},{"M":{"b\n":{"NULL":true}}}]},"c":{"N":"1.5"}}}"#,
        ),
    ] {
        assert_eq!(document(json).as_deref(), Ok(expected), "{json}");
    }
}

#[test]
fn a_document_that_cannot_be_kept_is_refused() {
    let digits39 = "1".repeat(39);
    let brackets = "[".repeat(1_000_000);
    let closed = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let nested = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    for (json, code) in [
        ("", "unsupported_value"),
        ("secret", "unsupported_value"),
        (r#"{"secret":1,}"#, "unsupported_value"),
        (r#"{"secret":1} x"#, "unsupported_value"),
        ("[1,2", "unsupported_value"),
        ("{'secret':1}", "unsupported_value"),
        ("NaN", "unsupported_value"),
        ("01", "unsupported_value"),
        ("\"\u{1}secret\"", "unsupported_value"),
        (r#""secret\ud800""#, "unsupported_value"),
        (r#"{"secret\ud800":1}"#, "unsupported_value"),
        (r#"[1,"secret\ud800"]"#, "unsupported_value"),
        (r#"{"a":1,"a":2}"#, "duplicate_attribute"),
        (r#"{"a":1,"\u0061":2}"#, "duplicate_attribute"),
        (r#"{"":1}"#, "attribute_name"),
        (&digits39, "number"),
        ("1e126", "number"),
        ("[1e-131]", "number"),
        ("1e999999999999999999999", "number"),
        (&brackets, "unsupported_value"),
        (&closed, "nesting_too_deep"),
        (&nested, "nesting_too_deep"),
    ] {
        let head = json.get(..20.min(json.len())).unwrap_or(json);
        assert_eq!(document(json), Err(code.to_owned()), "{head}");
    }
}

#[test]
fn dynamodb_json_is_of_the_types_that_it_names() {
    for (json, expected) in [
        (r#"{"S":"a\u0062"}"#, r#"{"S":"ab"}"#),
        (r#"{ "N" : "1.0" }"#, r#"{"N":"1"}"#),
        (r#"{"B":"AQI="}"#, r#"{"B":"AQI="}"#),
        (r#"{"BOOL":false}"#, r#"{"BOOL":false}"#),
        (r#"{"NULL":true}"#, r#"{"NULL":true}"#),
        (r#"{"SS":["b","a"]}"#, r#"{"SS":["b","a"]}"#),
        (r#"{"NS":["1","2.0"]}"#, r#"{"NS":["1","2"]}"#),
        (r#"{"BS":["AQ==",""]}"#, r#"{"BS":["AQ==",""]}"#),
        (
            r#"{"L":[{"S":""},{"M":{"x":{"L":[]}}}]}"#,
            r#"{"L":[{"S":""},{"M":{"x":{"L":[]}}}]}"#,
        ),
    ] {
        assert_eq!(typed(json).as_deref(), Ok(expected), "{json}");
    }
}

#[test]
fn dynamodb_json_that_is_none_is_refused() {
    let nested = format!("{}1{}", r#"{"L":["#.repeat(100_000), "]}".repeat(100_000));
    for (json, code) in [
        ("1", "unsupported_value"),
        ("{}", "unsupported_value"),
        ("[]", "unsupported_value"),
        (r#"{"secret":"a"}"#, "unsupported_value"),
        (r#"{"S":"secret","N":"1"}"#, "unsupported_value"),
        (r#"{"S":"secret","S":"secret"}"#, "unsupported_value"),
        (r#"{"S":1}"#, "unsupported_value"),
        (r#"{"N":1}"#, "unsupported_value"),
        (r#"{"N":"secret"}"#, "number"),
        (r#"{"B":"secret"}"#, "unsupported_value"),
        (r#"{"B":"AQI"}"#, "unsupported_value"),
        (r#"{"NULL":false}"#, "unsupported_value"),
        (r#"{"BOOL":"true"}"#, "unsupported_value"),
        (r#"{"L":{}}"#, "unsupported_value"),
        (r#"{"M":{"a":1}}"#, "unsupported_value"),
        (r#"{"SS":[]}"#, "empty_set"),
        (r#"{"SS":["a","a"]}"#, "duplicate_set_member"),
        (r#"{"NS":["1","1.0"]}"#, "duplicate_set_member"),
        (r#"{"NS":[1]}"#, "unsupported_value"),
        (r#"{"BS":["secret"]}"#, "unsupported_value"),
        (
            r#"{"M":{"a":{"S":"1"},"a":{"S":"2"}}}"#,
            "duplicate_attribute",
        ),
        (&nested, "nesting_too_deep"),
    ] {
        let head = json.get(..20.min(json.len())).unwrap_or(json);
        assert_eq!(typed(json), Err(code.to_owned()), "{head}");
    }
}

#[test]
fn an_item_is_an_object_of_attributes() {
    let table = table();
    for json in [
        "[]",
        "1",
        "{",
        r#"{"k":"a"}"#,
        r#"{"k":{"S":"a"},"k":{"S":"b"}}"#,
        "",
    ] {
        assert!(table.item_from_dynamodb_json(json).is_err(), "{json}");
    }
    let big = format!(r#"{{"k":{{"S":"{}"}}}}"#, "a".repeat(410_000));
    let error = table.item_from_dynamodb_json(&big).unwrap_err();
    assert_eq!(error.code(), "item_too_large");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e100..1e100).prop_map(|number: f64| number.into()),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::btree_map(".{1,8}", inner, 0..8)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// What an encoded value says, as plain JSON whose numbers are texts.
fn plain(value: &serde_json::Value) -> serde_json::Value {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "NULL" => serde_json::Value::Null,
        "N" => format!("number {}", value.as_str().unwrap()).into(),
        "L" => value.as_array().unwrap().iter().map(plain).collect(),
        "M" => {
            let entries = value.as_object().unwrap().iter();
            entries
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect()
        }
        _ => value.clone(),
    }
}

/// The same with its numbers as texts: `1.0` and `1` are one number.
fn with_number_texts(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => {
            let number: Number = number.to_string().parse().unwrap();
            format!("number {number}").into()
        }
        serde_json::Value::Array(elements) => elements.into_iter().map(with_number_texts).collect(),
        serde_json::Value::Object(entries) => entries
            .into_iter()
            .map(|(name, value)| (name, with_number_texts(value)))
            .collect(),
        other => other,
    }
}

proptest! {
    #[test]
    fn any_document_comes_back_as_it_was(json in any_json()) {
        let value = document(&json.to_string()).unwrap();
        let back = plain(&serde_json::from_str(&value).unwrap());
        prop_assert_eq!(back, with_number_texts(json));
        // And what was encoded is read back byte for byte.
        prop_assert_eq!(typed(&value), Ok(value));
    }

    #[test]
    fn no_text_panics(text in r#"[\[\]{}",:0-9eE.+\\untrlsNSBML \-]{0,64}"#) {
        drop(document(&text));
        drop(typed(&text));
        drop(table().item_from_dynamodb_json(&text));
    }
}
