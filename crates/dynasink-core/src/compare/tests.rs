//! Equality of items by what they hold, and that no difference is overlooked.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::*;

fn paths(left: &Value, right: &Value) -> Vec<String> {
    let (left, right) = (left.to_string(), right.to_string());
    differing_paths(left.as_bytes(), right.as_bytes(), 10).unwrap()
}

#[test]
fn values_are_equal_when_the_service_says_so() {
    let equal = [
        (json!({"N": "1"}), json!({"N": "1.0"})),
        (json!({"N": "100"}), json!({"N": "1E+2"})),
        (json!({"N": "-0"}), json!({"N": "0.000"})),
        (json!({"SS": ["a", "b"]}), json!({"SS": ["b", "a"]})),
        (
            json!({"NS": ["1", "2.50"]}),
            json!({"NS": ["25e-1", "1.0"]}),
        ),
        (
            json!({"BS": ["AQ==", "Ag=="]}),
            json!({"BS": ["Ag==", "AQ=="]}),
        ),
    ];
    for (left, right) in equal {
        let (left, right) = (json!({ "v": left }), json!({ "v": right }));
        assert!(paths(&left, &right).is_empty(), "{left} {right}");
    }
}

#[test]
fn values_of_other_types_or_texts_differ() {
    let different = [
        (json!({"N": "1"}), json!({"S": "1"})),
        (json!({"S": "1"}), json!({"S": "1.0"})),
        (
            json!({"N": "12345678901234567890123456789012345678"}),
            json!({"N": "12345678901234567890123456789012345679"}),
        ),
        (json!({"B": "AQ=="}), json!({"B": "AQE="})),
        (json!({"SS": ["a"]}), json!({"SS": ["a", "b"]})),
        (json!({"SS": ["1"]}), json!({"NS": ["1"]})),
        (
            json!({"L": [{"S": "a"}, {"S": "b"}]}),
            json!({"L": [{"S": "b"}, {"S": "a"}]}),
        ),
        (json!({"NULL": true}), json!({"BOOL": true})),
        (json!({"BOOL": false}), json!({"BOOL": true})),
    ];
    for (left, right) in different {
        let (left, right) = (json!({ "v": left }), json!({ "v": right }));
        assert!(!paths(&left, &right).is_empty(), "{left} {right}");
    }
}

#[test]
fn differences_are_named_by_their_paths_in_order_and_no_more_than_asked() {
    let left = json!({
        "a": {"S": "x"},
        "b.c": {"S": "x"},
        "m": {"M": {"l": {"L": [{"N": "1"}, {"N": "2"}]}}},
        "z": {"S": "x"},
    });
    let right = json!({
        "b.c": {"S": "y"},
        "m": {"M": {"l": {"L": [{"N": "1"}, {"N": "3"}, {"N": "4"}, {"N": "5"}]}}},
        "z": {"S": "x"},
    });
    assert_eq!(paths(&left, &right), ["a", "\"b.c\"", "m.l[1]", "m.l[2]"]);
    let (left, right) = (left.to_string(), right.to_string());
    let first = differing_paths(left.as_bytes(), right.as_bytes(), 1).unwrap();
    assert_eq!(first, ["a"]);
}

#[test]
fn a_text_that_is_no_item_is_refused() {
    for text in ["", "[]", "{", "1"] {
        assert!(
            differing_paths(b"{}", text.as_bytes(), 1).is_err(),
            "{text}"
        );
    }
}

fn digits() -> impl Strategy<Value = String> {
    "-?[1-9][0-9]{0,30}".prop_map(String::from)
}

/// Any value of DynamoDB JSON.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        "[a-c]{0,3}".prop_map(|text| json!({ "S": text })),
        digits().prop_map(|text| json!({ "N": text })),
        vec(any::<u8>(), 0..4).prop_map(|bytes| json!({ "B": STANDARD.encode(bytes) })),
        any::<bool>().prop_map(|value| json!({ "BOOL": value })),
        Just(json!({ "NULL": true })),
        btree_set("[a-c]{1,3}", 1..4).prop_map(|set| json!({ "SS": set })),
        btree_set(-50_i32..50, 1..4).prop_map(|set| {
            json!({ "NS": set.iter().map(ToString::to_string).collect::<Vec<_>>() })
        }),
    ];
    scalar.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|list| json!({ "L": list })),
            btree_map("[a-d]", inner, 0..4).prop_map(|map| json!({ "M": map })),
        ]
    })
}

fn any_item() -> impl Strategy<Value = Value> {
    btree_map("[a-f]", value(), 1..5).prop_map(|item| json!(item))
}

/// The same value in another writing: numbers with an exponent and a zero more, sets the other way round, maps from
/// their last name to their first.
fn rewritten(value: &Value) -> String {
    let (kind, value) = typed(value).unwrap();
    let number = |text: &str| format!("\"{text}0e-1\"");
    let held = match (kind, value) {
        ("N", Value::String(text)) => number(text),
        ("NS", Value::Array(set)) => {
            let members = set.iter().rev().map(|text| number(text.as_str().unwrap()));
            format!("[{}]", members.collect::<Vec<_>>().join(","))
        }
        ("SS", Value::Array(set)) => json!(set.iter().rev().collect::<Vec<_>>()).to_string(),
        ("L", Value::Array(list)) => {
            format!(
                "[{}]",
                list.iter().map(rewritten).collect::<Vec<_>>().join(",")
            )
        }
        ("M", Value::Object(map)) => rewritten_map(map),
        _ => value.to_string(),
    };
    format!("{{\"{kind}\":{held}}}")
}

fn rewritten_map(map: &Map<String, Value>) -> String {
    let entries = map
        .iter()
        .rev()
        .map(|(name, value)| format!("\"{name}\": {}", rewritten(value)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(" , "))
}

/// The places of all values that can be exchanged for another.
fn leaves<'v>(value: &'v mut Value, found: &mut Vec<&'v mut Value>) {
    let is_container = typed(value).is_some_and(|(kind, held)| {
        let is_empty = match held {
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => true,
        };
        matches!(kind, "L" | "M") && !is_empty
    });
    if !is_container {
        found.push(value);
        return;
    }
    for held in value.as_object_mut().unwrap().values_mut() {
        match held {
            Value::Array(list) => list.iter_mut().for_each(|value| leaves(value, found)),
            Value::Object(map) => map.values_mut().for_each(|value| leaves(value, found)),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn another_writing_of_an_item_is_the_same_item(item in any_item()) {
        let other = rewritten_map(item.as_object().unwrap());
        let found = differing_paths(item.to_string().as_bytes(), other.as_bytes(), 10).unwrap();
        prop_assert!(found.is_empty(), "{} {} {:?}", item, other, found);
    }

    #[test]
    fn any_change_of_a_value_is_found(item in any_item(), which in any::<Index>(), new in value()) {
        let mut changed = item.clone();
        {
            let mut places = Vec::new();
            let attributes = changed.as_object_mut().unwrap();
            attributes.values_mut().for_each(|value| leaves(value, &mut places));
            let place = which.index(places.len());
            prop_assume!(*places[place] != new);
            *places[place] = new;
        }
        let other = rewritten_map(changed.as_object().unwrap());
        let found = differing_paths(item.to_string().as_bytes(), other.as_bytes(), 10).unwrap();
        prop_assert!(!found.is_empty(), "{} {}", item, changed);
    }

    #[test]
    fn a_missing_attribute_is_found(item in any_item(), which in any::<Index>()) {
        let mut changed = item.clone();
        let attributes = changed.as_object_mut().unwrap();
        let name = attributes.keys().nth(which.index(attributes.len())).unwrap().clone();
        attributes.remove(&name);
        prop_assert_eq!(paths(&item, &changed), vec![name]);
    }
}
