//! Attributes that are keys.

use arrow_array::{BinaryArray, Int64Array, RecordBatch, StringArray};

use super::*;

fn two_keys() -> TableSchema {
    table_by_mail("orders", "pk", "sk")
}

fn orders() -> RecordBatch {
    RecordBatch::try_from_iter([
        (
            "customer",
            Arc::new(StringArray::from(vec![Some("ann"), None])) as _,
        ),
        ("order", Arc::new(Int64Array::from(vec![7, 8])) as _),
        (
            "mail",
            Arc::new(StringArray::from(vec![None, Some("")])) as _,
        ),
    ])
    .unwrap()
}

#[test]
fn keys_are_columns_renamed_templates_and_columns_once_more() {
    let mapping = map(
        "columns.order.rename = 'sk'\nattributes.pk = 'USER#{customer}#'",
        &orders().schema(),
        &two_keys(),
    )
    .unwrap();
    let names: Vec<_> = mapping
        .attributes()
        .iter()
        .map(|it| (it.name(), it.is_key()))
        .collect();
    assert_eq!(
        names,
        [
            ("pk", true),
            ("sk", true),
            ("mail", true),
            ("customer", false)
        ]
    );
    let found = items(&mapping, orders());
    assert_eq!(
        found[0],
        r#"{"pk":{"S":"USER#ann#"},"sk":{"N":"7"},"customer":{"S":"ann"}}"#
    );
    assert!(found[1].starts_with("customer: "), "{}", found[1]);

    let mapping = map(
        "columns.mail.drop = true\nattributes.pk = { column = 'order' }\nattributes.sk = { column = 'order' }",
        &orders().schema(),
        &two_keys(),
    )
    .unwrap();
    assert_eq!(
        items(&mapping, orders()),
        [
            r#"{"pk":{"S":"7"},"sk":{"N":"7"},"customer":{"S":"ann"},"order":{"N":"7"}}"#,
            r#"{"pk":{"S":"8"},"sk":{"N":"8"},"order":{"N":"8"}}"#
        ]
    );
}

#[test]
fn the_key_of_an_index_is_omitted_when_null_and_never_empty() {
    let text = "defaults.nulls = 'null'\ncolumns.order.rename = 'sk'\nattributes.pk.constant = 'x'";
    let mapping = map(text, &orders().schema(), &two_keys()).unwrap();
    assert_eq!(
        items(&mapping, orders()),
        [
            r#"{"pk":{"S":"x"},"sk":{"N":"7"},"customer":{"S":"ann"}}"#,
            "mail: table orders: attribute \"mail\" is an empty string (S) but is a key of index \"by-mail\""
        ]
    );
    let text = format!("{text}\ncolumns.mail.empty_string = 'omit'");
    let mapping = map(&text, &orders().schema(), &two_keys()).unwrap();
    assert_eq!(
        items(&mapping, orders())[1],
        r#"{"pk":{"S":"x"},"sk":{"N":"8"},"customer":{"NULL":true}}"#
    );
}

#[test]
fn a_key_is_what_the_mapping_asks_for_only_if_the_table_says_the_same() {
    let schema = schema([("id", DataType::Float64)]);
    let key = table("id", KeyType::S);
    assert!(map("", &schema, &key).is_err());
    assert!(map("columns.id.as = 'S'", &schema, &key).is_ok());
    assert_eq!(
        refused("columns.id.as = 'N'", &schema, &key),
        "m.toml:1:17: columns.id.as: attribute \"id\" is a number (N) by it, but the partition key is a string (S)"
    );
    assert_eq!(
        refused(
            "columns.id.drop = true\nattributes.id.constant = true",
            &schema,
            &key
        ),
        "m.toml:2:12: attributes.id: attribute \"id\" is a boolean (BOOL) by it, but the partition key is a string (S)"
    );
    let binary = RecordBatch::try_from_iter([(
        "id",
        Arc::new(BinaryArray::from_vec(vec![b"\xff", b"a"])) as _,
    )])
    .unwrap();
    let mapping = map("columns.id.as = 'hex'", &binary.schema(), &key).unwrap();
    assert_eq!(
        items(&mapping, binary),
        [r#"{"id":{"S":"ff"}}"#, r#"{"id":{"S":"61"}}"#]
    );
}

#[test]
fn timestamps_in_seconds_are_a_key_of_strings_all_the_same() {
    let schema = schema([(
        "id",
        DataType::Timestamp(arrow_schema::TimeUnit::Millisecond, None),
    )]);
    let text = "defaults.timestamps = 'epoch_ms'";
    for key_type in [KeyType::S, KeyType::N] {
        let mapping = map(text, &schema, &table("id", key_type)).unwrap();
        let expected = match key_type {
            KeyType::S => ValueKind::S,
            _ => ValueKind::N,
        };
        assert_eq!(mapping.attributes()[0].kind(), expected);
    }
}

#[test]
fn a_key_that_nothing_becomes_is_told_with_what_there_is() {
    assert_eq!(
        refused(
            "columns.order.rename = 'SK'",
            &orders().schema(),
            &table("sk", KeyType::N)
        ),
        "m.toml:1:1: nothing becomes \"sk\", the partition key of table users: is \"SK\" meant? the attributes are \"customer\", \"SK\", \"mail\""
    );
}

#[test]
fn the_type_of_a_key_to_create_is_that_of_what_becomes_it() {
    let spec = MappingSpec::from_toml(
        "m.toml",
        "columns.order = { rename = 'sk', as = 'S' }\nattributes.pk = '{customer}'",
    )
    .unwrap();
    let schema = orders().schema();
    let key_type = |name| Mapping::key_type_of(&spec, &schema, name).unwrap();
    assert_eq!(key_type("pk"), Some(KeyType::S));
    assert_eq!(key_type("sk"), Some(KeyType::S));
    assert_eq!(key_type("order"), None);
}

#[test]
fn a_key_that_does_not_tell_rows_apart_is_said_to() {
    let schema = schema([("name", DataType::Utf8), ("score", DataType::Float64)]);
    let mapping = map(
        "attributes.pk = '{name|lower}'\nattributes.sk = { column = 'score' }",
        &schema,
        &two_keys(),
    )
    .unwrap();
    let warnings: Vec<_> = mapping.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0]
            .starts_with("key \"pk\": rows that differ in column \"name\" can have one text: "),
        "{warnings:?}"
    );
    assert_eq!(
        warnings[1],
        "key \"sk\": column \"score\" is of floats: whoever looks for an item has to ask for the very same float"
    );
}
