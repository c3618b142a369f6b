use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::table::KeyType;
use crate::{AttributeName, Number};

fn table() -> TableSchema {
    TableSchema::builder("things")
        .partition_key("id", KeyType::S)
        .build()
        .unwrap()
}

fn item(build: impl FnOnce(&mut MapEncoder<'_>) -> Result<()>) -> Result<Item> {
    table().item(build)
}

fn json(item: &Item) -> &str {
    std::str::from_utf8(item.json()).unwrap()
}

#[test]
fn every_kind_of_value_has_its_json_and_its_size() {
    let everything = item(|item| {
        item.attribute("s")?.string("é\"\n")?;
        item.attribute("n")?.try_number("1.50".parse())?;
        item.attribute("b")?.binary(&[1, 2, 3, 4])?;
        item.attribute("t")?.bool(true)?;
        item.attribute("z")?.null()?;
        item.attribute("ss")?.string_set(["a", ""])?;
        item.attribute("ns")?.number_set([Number::ZERO])?;
        item.attribute("bs")?.binary_set([[255_u8].as_slice()])?;
        let mut list = item.attribute("l")?.list()?;
        list.element().integer(1)?;
        list.element().map()?.attribute("k")?.string("v")?;
        drop(list);
        item.attribute("m")?.map().map(drop)
    })
    .unwrap();
    assert_eq!(
        json(&everything),
        r#"{"s":{"S":"é\"\n"},"n":{"N":"1.5"},"b":{"B":"AQIDBA=="},"t":{"BOOL":true},"z":{"NULL":true},"ss":{"SS":["a",""]},"ns":{"NS":["0"]},"bs":{"BS":["/w=="]},"l":{"L":[{"N":"1"},{"M":{"k":{"S":"v"}}}]},"m":{"M":{}}}"#
    );
    let sizes = [
        1 + 4,                                   // s: é is two bytes
        1 + 3,                                   // n
        1 + 4,                                   // b
        1 + 1,                                   // t
        1 + 1,                                   // z
        2 + 1,                                   // ss
        2 + 1,                                   // ns
        2 + 1,                                   // bs
        1 + 3 + (1 + 2) + (1 + 3 + (1 + 1 + 1)), // l
        1 + 3,                                   // m
    ];
    assert_eq!(everything.size(), sizes.iter().sum::<u64>());
}

/// *DynamoDB item sizes and formats*, one row for each rule.
#[test]
fn each_type_has_the_size_that_the_service_counts() {
    type Write = fn(ValueEncoder<'_>) -> Result<()>;
    fn numbers(texts: &[&str]) -> Vec<Number> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }
    let cases: [(&str, Write, u64); 28] = [
        ("an empty string", |v| v.string(""), 0),
        ("bytes of UTF-8, not characters", |v| v.string("é€😀"), 9),
        ("what JSON escapes", |v| v.string("\"\n\u{1}"), 3),
        ("no bytes", |v| v.binary(&[]), 0),
        ("bytes, not base64", |v| v.binary(&[0; 4]), 4),
        ("true", |v| v.bool(true), 1),
        ("false", |v| v.bool(false), 1),
        ("null", |v| v.null(), 1),
        ("zero", |v| v.integer(0), 1),
        ("one digit", |v| v.integer(1), 2),
        ("a pair of digits", |v| v.integer(99), 2),
        ("zeros at the end", |v| v.integer(1_000_000), 2),
        ("two pairs", |v| v.integer(123), 3),
        ("a pair on each side", |v| v.try_number("1.5".parse()), 3),
        ("a sign", |v| v.integer(-1), 3),
        // Implementations disagree on these; the larger size is the safe one.
        ("pairs aligned on the point", |v| v.integer(120), 3),
        (
            "the same behind the point",
            |v| v.try_number("0.012".parse()),
            3,
        ),
        ("all digits", |v| v.integer(10_i128.pow(38) - 1), 20),
        (
            "all digits and a sign",
            |v| v.integer(1 - 10_i128.pow(38)),
            21,
        ),
        ("strings of a set", |v| v.string_set(["a", "", "é"]), 3),
        (
            "numbers of a set",
            |v| v.number_set(numbers(&["1", "-1.5", "0"])),
            7,
        ),
        (
            "binary of a set",
            |v| v.binary_set([&[1_u8][..], &[2, 3]]),
            3,
        ),
        ("an empty list", |v| v.list().map(drop), 3),
        ("an empty map", |v| v.map().map(drop), 3),
        (
            "elements of a list",
            |v| {
                let mut list = v.list()?;
                list.element().null()?;
                list.element().string("ab")
            },
            3 + (1 + 1) + (1 + 2),
        ),
        (
            "names and values of a map",
            |v| {
                let mut map = v.map()?;
                map.attribute("né")?.bool(true)?;
                map.attribute("x")?.string("")
            },
            3 + (1 + 3 + 1) + (1 + 1),
        ),
        (
            "lists in maps",
            |v| {
                let mut map = v.map()?;
                let mut list = map.attribute("l")?.list()?;
                list.element().list().map(drop)
            },
            3 + (1 + 1 + 3) + (1 + 3),
        ),
        (
            "what is left out",
            |v| {
                let mut map = v.map()?;
                drop(map.attribute("x")?);
                map.attribute("y")?.null()
            },
            3 + (1 + 1 + 1),
        ),
    ];
    for (what, write, size) in cases {
        let encoded = item(|item| write(item.attribute("né")?));
        assert_eq!(encoded.unwrap().size(), 3 + size, "{what}");
    }
}

#[test]
fn a_value_that_is_not_written_leaves_no_trace() {
    let sparse = item(|item| {
        drop(item.attribute("a")?);
        item.attribute("b")?.bool(false)?;
        let mut list = item.attribute("c")?.list()?;
        drop(list.element());
        list.element().null()
    });
    assert_eq!(
        json(&sparse.unwrap()),
        r#"{"b":{"BOOL":false},"c":{"L":[{"NULL":true}]}}"#
    );
}

#[test]
fn an_error_that_the_caller_ignores_spoils_the_item() {
    let spoiled = item(|item| {
        let ignored = item.attribute("set")?.string_set([]);
        assert!(ignored.is_err());
        item.attribute("id")?.string("a")
    });
    assert!(
        matches!(spoiled, Err(Error::Unsupported { .. })),
        "{spoiled:?}"
    );
}

#[test]
fn an_encoder_starts_anew_after_an_error() {
    let mut encoder = ItemEncoder::new(&table());
    assert!(
        encoder
            .item(|item| item.attribute("n")?.try_number("x".parse()))
            .is_err()
    );
    let item = encoder
        .item(|item| item.attribute("id")?.string("a"))
        .unwrap();
    assert_eq!((json(&item), item.size()), (r#"{"id":{"S":"a"}}"#, 3));
}

#[test]
fn sets_that_the_service_refuses_are_refused() {
    let set =
        |members: &[&str]| item(|item| item.attribute("set")?.string_set(members.iter().copied()));
    assert!(
        matches!(set(&[]), Err(Error::EmptySet { kind: ValueKind::Ss, attribute, .. }) if attribute == "set")
    );
    assert!(matches!(
        set(&["a", "b", "a"]),
        Err(Error::DuplicateSetMember { .. })
    ));
    let numbers = |texts: &[&str]| {
        let members: Vec<Number> = texts.iter().map(|text| text.parse().unwrap()).collect();
        item(|item| item.attribute("set")?.number_set(members))
    };
    assert!(matches!(
        numbers(&["1", "1.0"]),
        Err(Error::DuplicateSetMember {
            kind: ValueKind::Ns,
            ..
        })
    ));
    assert!(numbers(&["1", "10"]).is_ok());
}

#[test]
fn names_that_the_service_refuses_are_refused() {
    assert!(matches!(
        item(|item| item.attribute("")?.null()),
        Err(Error::AttributeName { bytes: 0 })
    ));
    let too_long = "x".repeat(64 * 1024);
    assert!(matches!(
        item(|item| item.attribute(&too_long)?.null()),
        Err(Error::AttributeName { bytes: 65536 })
    ));
    let twice = item(|item| {
        for n in 0..40 {
            item.attribute(&format!("a{n}"))?.integer(n)?;
        }
        item.attribute("a39")?.null()
    });
    assert!(
        matches!(twice, Err(Error::DuplicateAttribute { attribute, .. }) if attribute == "a39")
    );
}

#[test]
fn fields_come_in_order_and_once() {
    let names =
        AttributeNames::new(["a", "b"].map(|name| AttributeName::new(name).unwrap())).unwrap();
    let mut encoder = ItemEncoder::new(&table());
    let skipped = encoder.item_of_fields(&names, |row| row.field(1)?.integer(2));
    assert_eq!(json(&skipped.unwrap()), r#"{"b":{"N":"2"}}"#);
    let again = encoder.item_of_fields(&names, |row| {
        row.field(1)?.integer(2)?;
        row.field(0)?.integer(1)
    });
    assert!(matches!(again, Err(Error::DuplicateAttribute { .. })));
    assert!(
        encoder
            .item_of_fields(&names, |row| row.field(2)?.null())
            .is_err()
    );
    let duplicate = AttributeNames::new(["a", "a"].map(|name| AttributeName::new(name).unwrap()));
    assert_eq!(duplicate.unwrap_err().as_str(), "a");
}

#[test]
fn nesting_ends_where_the_service_ends_it() {
    fn nest(value: ValueEncoder<'_>, containers: usize) -> Result<()> {
        if containers == 0 {
            return value.string("x");
        }
        let mut list = value.list()?;
        nest(list.element(), containers - 1)
    }
    assert!(item(|item| nest(item.attribute("deep")?, 31)).is_ok());
    let too_deep = item(|item| nest(item.attribute("deep")?, 32));
    assert!(
        matches!(too_deep, Err(Error::NestingTooDeep { attribute, .. }) if attribute == "deep")
    );
}

#[test]
fn the_limit_is_400_kb_and_what_is_beyond_is_measured_but_not_kept() {
    let sized = |bytes: usize| item(|item| item.attribute("id")?.string(&"x".repeat(bytes - 2)));
    assert_eq!(sized(409_600).unwrap().size(), 409_600);
    assert!(matches!(
        sized(409_601),
        Err(Error::ItemTooLarge { bytes: 409_601, .. })
    ));

    let mut encoder = ItemEncoder::new(&table());
    let megabyte = "x".repeat(1 << 20);
    let huge = encoder.item(|item| {
        let mut list = item.attribute("l")?.list()?;
        for _ in 0..100 {
            list.element().string(&megabyte)?;
        }
        Ok::<_, Error>(())
    });
    assert!(matches!(huge, Err(Error::ItemTooLarge { bytes, .. }) if bytes > 100 << 20));
    assert!(
        encoder.buffer.capacity() < 1 << 20,
        "{}",
        encoder.buffer.capacity()
    );
}

/// A value as a test draws it, with the size that the service's rule gives it.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(".{1,8}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn write(encoder: ValueEncoder<'_>, value: &Value) -> Result<()> {
    match value {
        Value::Null => encoder.null(),
        Value::Bool(value) => encoder.bool(*value),
        Value::Number(value) => encoder.try_number(value.to_string().parse()),
        Value::String(value) => encoder.string(value),
        Value::Array(elements) => {
            let mut list = encoder.list()?;
            elements
                .iter()
                .try_for_each(|element| write(list.element(), element))
        }
        Value::Object(entries) => {
            let mut map = encoder.map()?;
            entries
                .iter()
                .try_for_each(|(name, value)| write(map.attribute(name)?, value))
        }
    }
}

/// The value and its size, read back from DynamoDB JSON.
fn read(json: &Value) -> (Value, u64) {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    match (kind.as_str(), value) {
        ("NULL", _) => (Value::Null, 1),
        ("BOOL", value) => (value.clone(), 1),
        ("N", Value::String(text)) => (
            serde_json::from_str(text).unwrap(),
            text.parse::<Number>().unwrap().size(),
        ),
        ("S", Value::String(text)) => (value.clone(), text.len() as u64),
        ("L", Value::Array(elements)) => {
            let (values, sizes): (Vec<_>, Vec<_>) = elements.iter().map(read).unzip();
            (
                Value::Array(values),
                3 + sizes.iter().map(|size| 1 + size).sum::<u64>(),
            )
        }
        ("M", Value::Object(entries)) => {
            let mut size = 3;
            let mut values = serde_json::Map::new();
            for (name, value) in entries {
                let (value, value_size) = read(value);
                size += 1 + name.len() as u64 + value_size;
                values.insert(name.clone(), value);
            }
            (Value::Object(values), size)
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read_back_with_the_size_that_was_counted(value in any_value(), name in ".{1,8}") {
        let item = item(|item| write(item.attribute(&name)?, &value)).unwrap();
        let json: Value = serde_json::from_slice(item.json()).unwrap();
        let (read_back, size) = read(&json[&name]);
        prop_assert_eq!(read_back, value);
        prop_assert_eq!(item.size(), name.len() as u64 + size);
        let found: Vec<_> = json::Attributes::of(item.json()).map(|(name, _)| json::unescape(name).into_owned()).collect();
        prop_assert_eq!(found, vec![name]);
    }
}
