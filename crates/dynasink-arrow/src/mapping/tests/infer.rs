//! The default mapping.

use std::collections::HashMap;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use arrow_schema::{Schema, TimeUnit, UnionFields, UnionMode};
use dynasink_core::IndexKind;

use super::*;
use crate::Error;

#[test]
fn keys_come_first_whatever_the_order_of_the_file() {
    let schema = schema([
        ("a", DataType::Utf8),
        ("mail", DataType::Utf8),
        ("sort", DataType::Int64),
        ("id", DataType::Utf8),
    ]);
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .sort_key("sort", KeyType::N)
        .index(
            "by-mail",
            IndexKind::Global,
            [("mail", KeyType::S)],
            [("id", KeyType::S)],
            None,
        )
        .index(
            "by-absent",
            IndexKind::Global,
            [("absent", KeyType::S)],
            [],
            None,
        )
        .build()
        .unwrap();
    let mapping = Mapping::infer(&schema, &table).unwrap();
    let columns: Vec<_> = mapping
        .attributes()
        .iter()
        .map(|c| (c.name(), c.is_key()))
        .collect();
    assert_eq!(
        columns,
        [("id", true), ("sort", true), ("mail", true), ("a", false)]
    );
    assert_eq!(mapping.attributes()[1].data_type(), Some(&DataType::Int64));
    assert_eq!(mapping.attributes()[1].kind(), ValueKind::N);
}

#[test]
fn a_missing_key_column_is_told_with_what_there_is() {
    let schema = schema([("User_ID", DataType::Utf8), ("name", DataType::Utf8)]);
    assert_eq!(
        refusal(&schema, &table("user_id", KeyType::S)),
        "table users: no column is named \"user_id\" as its partition key is: is \"User_ID\" meant? the columns are \"User_ID\", \"name\""
    );
    let with_sort = TableSchema::builder("users")
        .partition_key("name", KeyType::S)
        .sort_key("when", KeyType::S)
        .build()
        .unwrap();
    assert!(refusal(&schema, &with_sort).contains("as its sort key is: the columns are"));
}

#[test]
fn a_type_that_no_key_has_is_refused() {
    let element = Arc::new(Field::new("item", DataType::Utf8, true));
    for data_type in [
        DataType::List(element),
        DataType::Null,
        DataType::Boolean,
        DataType::Struct(vec![Field::new("a", DataType::Utf8, true)].into()),
    ] {
        for key_type in [KeyType::S, KeyType::N, KeyType::B] {
            let message = refusal(&schema([("id", data_type.clone())]), &table("id", key_type));
            assert!(message.contains("no key can have this type"), "{message}");
        }
        assert_eq!(Mapping::key_type(&Field::new("id", data_type, true)), None);
    }
}

#[test]
fn a_key_is_converted_only_where_no_two_values_become_one() {
    let accepts = |data_type: DataType, key_type| {
        Mapping::infer(&schema([("id", data_type)]), &table("id", key_type)).is_ok()
    };
    assert!(accepts(DataType::Int32, KeyType::S));
    assert!(accepts(DataType::Decimal128(10, 2), KeyType::S));
    assert!(accepts(DataType::Date32, KeyType::S));
    assert!(accepts(
        DataType::Timestamp(TimeUnit::Second, None),
        KeyType::S
    ));
    assert!(accepts(DataType::Float64, KeyType::N));
    assert!(accepts(DataType::FixedSizeBinary(16), KeyType::B));
    let words = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Int64));
    assert!(accepts(words, KeyType::S));

    assert!(!accepts(DataType::Float64, KeyType::S));
    assert!(!accepts(DataType::Utf8, KeyType::N));
    assert!(!accepts(DataType::Utf8, KeyType::B));
    assert!(!accepts(DataType::Date32, KeyType::N));
    assert!(!accepts(DataType::FixedSizeBinary(16), KeyType::S));
    assert_eq!(
        refusal(
            &schema([("id", DataType::Float64)]),
            &table("id", KeyType::S)
        ),
        "table users: column \"id\" has the Arrow type Float64, but the partition key is a string (S): cast the column, or use a table whose key is a number (N)"
    );
}

#[test]
fn a_uuid_can_be_a_string_or_binary_key() {
    let metadata = [("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())];
    let field = Field::new("id", DataType::FixedSizeBinary(16), true)
        .with_metadata(HashMap::from(metadata));
    assert_eq!(Mapping::key_type(&field), Some(KeyType::S));
    let schema = Arc::new(Schema::new(vec![field]));
    for (key_type, kind) in [(KeyType::S, ValueKind::S), (KeyType::B, ValueKind::B)] {
        let mapping = Mapping::infer(&schema, &table("id", key_type)).unwrap();
        assert_eq!(mapping.attributes()[0].kind(), kind);
    }
}

#[test]
fn a_number_can_be_a_string_key() {
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(vec![-5])) as _),
        ("name", Arc::new(StringArray::from(vec!["x"])) as _),
    ])
    .unwrap();
    let table = table("id", KeyType::S);
    let mapping = Mapping::infer(&batch.schema(), &table).unwrap();
    assert_eq!(
        items(&mapping, SourceBatch::from(batch)),
        [r#"{"id":{"S":"-5"},"name":{"S":"x"}}"#]
    );
}

#[test]
fn a_column_of_an_index_must_be_what_the_index_says() {
    let schema = schema([("id", DataType::Utf8), ("score", DataType::Utf8)]);
    let table = TableSchema::builder("users")
        .partition_key("id", KeyType::S)
        .index(
            "by-score",
            IndexKind::Global,
            [("score", KeyType::N)],
            [],
            None,
        )
        .build()
        .unwrap();
    let message = refusal(&schema, &table);
    assert!(
        message.contains("but the key of index \"by-score\" is a number (N)"),
        "{message}"
    );
}

#[test]
fn names_that_cannot_be_attributes_are_refused() {
    let id = || ("id", DataType::Utf8);
    let key = table("id", KeyType::S);
    assert!(matches!(
        Mapping::infer(&schema([id(), ("a", DataType::Utf8), ("a", DataType::Int8)]), &key),
        Err(Error::DuplicateColumn { column }) if column == "a"
    ));
    assert!(matches!(
        Mapping::infer(&schema([id(), ("", DataType::Utf8)]), &key),
        Err(Error::ColumnName { column, .. }) if column.is_empty()
    ));
    let fields = |names: [&str; 2]| {
        DataType::Struct(
            names
                .map(|name| Field::new(name, DataType::Int8, true))
                .to_vec()
                .into(),
        )
    };
    assert!(matches!(
        Mapping::infer(&schema([id(), ("s", fields(["x", "x"]))]), &key),
        Err(Error::DuplicateColumn { column }) if column == "s.x"
    ));
    assert!(matches!(
        Mapping::infer(&schema([id(), ("s", fields(["x", ""]))]), &key),
        Err(Error::ColumnName { column, .. }) if column == "s."
    ));
}

#[test]
fn a_type_without_a_form_is_refused_by_the_name_of_its_column() {
    let nothing = DataType::Union(UnionFields::empty(), UnionMode::Dense);
    let list = |element| DataType::List(Arc::new(Field::new("item", element, true)));
    let map = |key| {
        let entries = vec![
            Field::new("key", key, false),
            Field::new("value", DataType::Int8, true),
        ];
        DataType::Map(
            Arc::new(Field::new(
                "entries",
                DataType::Struct(entries.into()),
                false,
            )),
            false,
        )
    };
    for (data_type, column) in [
        (nothing.clone(), "v"),
        (list(nothing), "v[]"),
        (map(DataType::Float64), "v"),
        (map(DataType::Binary), "v"),
    ] {
        let schema = schema([("id", DataType::Utf8), ("v", data_type)]);
        let error = Mapping::infer(&schema, &table("id", KeyType::S)).unwrap_err();
        assert!(
            matches!(&error, Error::UnsupportedType { column: found, .. } if found == column),
            "{error}"
        );
    }
}
