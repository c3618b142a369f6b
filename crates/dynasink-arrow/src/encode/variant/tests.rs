use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BinaryViewBuilder};
use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveTime};
use dynasink_core::{ItemEncoder, KeyType, TableSchema};
use parquet::variant::{
    ShreddedSchemaBuilder, Variant, VariantArrayBuilder, VariantDecimal16, json_to_variant,
    shred_variant,
};

use super::*;
use crate::encode::{Column, Encoding};
use crate::error::Error;
use crate::mapping::rules::ValuePath;
use crate::mapping::spec::{ColumnSpec, EncodeAs, MappingSpec, Policies};
use crate::rows::Rows;
use crate::{Mapping, SourceBatch};

fn planned(field: &Field, column: ColumnSpec) -> Result<Encoding, Error> {
    let mut spec = MappingSpec::default();
    spec.columns.insert("v".to_owned(), column);
    Encoding::new(&ValuePath::column(&spec, "v"), field)
}

/// The attribute of each value: its JSON, `omitted`, or the error of its row.
fn written(field: &Field, array: &dyn Array, column: ColumnSpec) -> Vec<String> {
    let encoding = planned(field, column).unwrap();
    let column = Column::new(array, &encoding).unwrap();
    let table = TableSchema::builder("variants")
        .partition_key("k", KeyType::N)
        .build()
        .unwrap();
    let mut encoder = ItemEncoder::new(&table);
    let attribute = |row| {
        let item = encoder.item(|item| column.encode(row, item.attribute("v")?));
        match item {
            Err(error) => error.reason().to_string(),
            Ok(item) => {
                let json = String::from_utf8(item.json().to_vec()).unwrap();
                let value = json.strip_prefix(r#"{"v":"#);
                value
                    .map_or("omitted", |value| value.strip_suffix('}').unwrap())
                    .to_owned()
            }
        }
    };
    (0..array.len()).map(attribute).collect()
}

fn by(word: EncodeAs) -> ColumnSpec {
    ColumnSpec {
        encode_as: Some(word),
        ..ColumnSpec::default()
    }
}

fn native(array: &VariantArray) -> Vec<String> {
    written(&array.field("v"), array.inner(), ColumnSpec::default())
}

fn variants(json: &[Option<&str>]) -> VariantArray {
    let texts: ArrayRef = Arc::new(StringArray::from(json.to_vec()));
    json_to_variant(&texts).unwrap()
}

#[test]
fn scalars_are_what_the_same_columns_are() {
    let date = NaiveDate::from_ymd_opt(2024, 11, 7).unwrap();
    let time = NaiveTime::from_hms_micro_opt(12, 33, 54, 123_456).unwrap();
    let zoned = DateTime::from_timestamp_micros(1).unwrap();
    let nanos = DateTime::from_timestamp_nanos(-1);
    let decimal = VariantDecimal16::try_new(15_000, 4).unwrap();
    let far = NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap();
    let mut builder = VariantArrayBuilder::new(20);
    let values = [
        (Variant::Null, r#"{"NULL":true}"#),
        (Variant::BooleanTrue, r#"{"BOOL":true}"#),
        (Variant::Int8(-34), r#"{"N":"-34"}"#),
        (Variant::Int64(i64::MIN), r#"{"N":"-9223372036854775808"}"#),
        (Variant::Float(0.1), r#"{"N":"0.1"}"#),
        (Variant::Double(-0.0), r#"{"N":"0"}"#),
        (Variant::from(decimal), r#"{"N":"1.5"}"#),
        (Variant::Date(date), r#"{"S":"2024-11-07"}"#),
        (Variant::Time(time), r#"{"S":"12:33:54.123456"}"#),
        (
            Variant::TimestampMicros(zoned),
            r#"{"S":"1970-01-01T00:00:00.000001Z"}"#,
        ),
        (
            Variant::TimestampNtzMicros(zoned.naive_utc()),
            r#"{"S":"1970-01-01T00:00:00.000001"}"#,
        ),
        (
            Variant::TimestampNanos(nanos),
            r#"{"S":"1969-12-31T23:59:59.999999999Z"}"#,
        ),
        (
            Variant::TimestampNtzNanos(nanos.naive_utc()),
            r#"{"S":"1969-12-31T23:59:59.999999999"}"#,
        ),
        (Variant::Binary(&[1, 2]), r#"{"B":"AQI="}"#),
        (Variant::from("a"), r#"{"S":"a"}"#),
        (Variant::from(""), r#"{"S":""}"#),
    ];
    for (value, _) in &values {
        builder.append_variant(value.clone());
    }
    builder.append_null();
    builder.append_variant(Variant::Date(far));
    builder.append_variant(Variant::Double(1e300));
    builder.append_variant(Variant::Double(f64::NAN));
    let array = builder.build();
    let found = native(&array);
    let expected: Vec<_> = values.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(found[..values.len()], expected);
    assert_eq!(found[values.len()], "omitted");
    assert!(found[values.len() + 1].contains("year"), "{found:?}");
    assert!(
        found[values.len() + 2..]
            .iter()
            .all(|error| error.contains("not a valid number"))
    );

    // The policies of the column hold inside of its values too.
    let policies = Policies {
        number_overflow: Some(crate::mapping::spec::NumberOverflow::String),
        nonfinite: Some(Nonfinite::Omit),
        ..Policies::default()
    };
    let column = ColumnSpec {
        policies,
        ..ColumnSpec::default()
    };
    let found = written(&array.field("v"), array.inner(), column);
    assert_eq!(found[values.len() + 2..], [r#"{"S":"1E+300"}"#, "omitted"]);
}

const DOCUMENTS: [Option<&str>; 5] = [
    Some(r#"{"a":1,"b":{"c":[true,null,"x"]},"d":"y"}"#),
    None,
    Some("[1,[2,{}],[]]"),
    Some(r#"{"a":"not a number","z":null}"#),
    Some("7"),
];

const NATIVE: [&str; 5] = [
    r#"{"M":{"a":{"N":"1"},"b":{"M":{"c":{"L":[{"BOOL":true},{"NULL":true},{"S":"x"}]}}},"d":{"S":"y"}}}"#,
    "omitted",
    r#"{"L":[{"N":"1"},{"L":[{"N":"2"},{"M":{}}]},{"L":[]}]}"#,
    r#"{"M":{"a":{"S":"not a number"},"z":{"NULL":true}}}"#,
    r#"{"N":"7"}"#,
];

#[test]
fn objects_and_lists_are_maps_and_lists() {
    let array = variants(&DOCUMENTS);
    assert_eq!(native(&array), NATIVE);
    let json = written(&array.field("v"), array.inner(), by(EncodeAs::Json));
    let expected = DOCUMENTS.map(|document| match document {
        Some(document) => format!(r#"{{"S":{}}}"#, serde_json::to_string(document).unwrap()),
        None => "omitted".to_owned(),
    });
    assert_eq!(json, expected);
}

fn shredded() -> VariantArray {
    let schema = ShreddedSchemaBuilder::new()
        .with_path("a", &DataType::Int64)
        .unwrap()
        .with_path(
            "b.c",
            &DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
        )
        .unwrap()
        .build();
    shred_variant(&variants(&DOCUMENTS), &schema).unwrap()
}

#[test]
fn shredded_values_are_put_together_again() {
    let array = shredded();
    assert!(array.typed_value_column().is_some());
    assert_eq!(native(&array), NATIVE);
    let sliced = array.slice(2, 2);
    assert_eq!(native(&sliced), NATIVE[2..4]);
}

#[test]
fn files_may_shred_one_column_each_in_a_way_of_its_own() {
    let table = TableSchema::builder("variants")
        .partition_key("k", KeyType::N)
        .build()
        .unwrap();
    let batch_of = |variants: VariantArray| {
        let keys: ArrayRef = Arc::new(Int32Array::from_iter_values(1..=5));
        let fields = vec![Field::new("k", DataType::Int32, false), variants.field("v")];
        let columns = vec![keys, ArrayRef::from(variants)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    };
    let (plain, shredded) = (batch_of(variants(&DOCUMENTS)), batch_of(shredded()));
    for (planned, found) in [(&plain, &shredded), (&shredded, &plain)] {
        let mapping = Mapping::infer(&planned.schema(), &table).unwrap();
        let mut rows = Rows::new(&mapping, SourceBatch::from(found.clone())).unwrap();
        let mut encoder = ItemEncoder::new(&table);
        for expected in NATIVE {
            let op = rows
                .next(&mapping, &mut encoder)
                .unwrap()
                .op
                .unwrap()
                .unwrap();
            let item = String::from_utf8(op.item().json().to_vec()).unwrap();
            let value = item.split_once(r#","v":"#);
            let value = value.map_or("omitted", |(_, value)| value.strip_suffix('}').unwrap());
            assert_eq!(value, expected);
        }
    }
}

#[test]
fn the_bytes_of_a_variant_are_metadata_and_value() {
    let plain = variants(&DOCUMENTS);
    let of = |array: &VariantArray| written(&array.field("v"), array.inner(), by(EncodeAs::B));
    let found = of(&plain);
    let metadata = plain.metadata_column();
    let metadata = shredded::bytes(metadata).unwrap();
    let value = shredded::bytes(plain.value_column()).unwrap();
    for (row, document) in DOCUMENTS.iter().enumerate() {
        if document.is_none() {
            assert_eq!(found[row], "omitted");
            continue;
        }
        let bytes = [metadata.value(row), value.value(row)].concat();
        let base64 = STANDARD.encode(bytes);
        assert_eq!(found[row], format!(r#"{{"B":"{base64}"}}"#));
    }
    // A shredded value is the same value, whose bytes may be in another order.
    let found = of(&shredded());
    assert_eq!(found.len(), DOCUMENTS.len());
    assert!(
        found
            .iter()
            .all(|bytes| bytes == "omitted" || bytes.starts_with(r#"{"B":"#)),
        "{found:?}"
    );
}

fn storage(fields: Vec<Field>) -> DataType {
    DataType::Struct(fields.into())
}

#[test]
fn a_shredding_that_the_specification_does_not_have_is_refused_before_the_first_row() {
    let binary = |name: &str| Field::new(name, DataType::Binary, true);
    for typed in [
        DataType::UInt32,
        DataType::Float16,
        DataType::FixedSizeBinary(4),
        DataType::Decimal256(40, 2),
        DataType::Decimal128(10, -2),
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Time32(TimeUnit::Second),
        DataType::Timestamp(TimeUnit::Second, None),
        DataType::List(Arc::new(Field::new("element", DataType::Int32, true))),
        storage(vec![Field::new("a", DataType::Int32, true)]),
        DataType::Null,
    ] {
        let data_type = storage(vec![
            binary("metadata"),
            binary("value"),
            Field::new("typed_value", typed.clone(), true),
        ]);
        let field = VariantArray::from_iter([Variant::Null])
            .field("v")
            .with_data_type(data_type);
        let error = planned(&field, ColumnSpec::default()).unwrap_err();
        assert!(
            matches!(&error, Error::UnsupportedType { column, .. } if column == "v"),
            "{typed}: {error}"
        );
    }
}

/// A VARIANT with a value and a typed value side by side.
fn side_by_side(values: &[Option<&[u8]>], typed: ArrayRef) -> (Field, StructArray) {
    let mut metadata = BinaryViewBuilder::new();
    for _ in values {
        // Version 1, no names.
        metadata.append_value([1, 0, 0]);
    }
    let mut value = BinaryBuilder::new();
    for bytes in values {
        value.append_option(*bytes);
    }
    let fields: Fields = vec![
        Field::new("metadata", DataType::BinaryView, false),
        Field::new("value", DataType::Binary, true),
        Field::new("typed_value", typed.data_type().clone(), true),
    ]
    .into();
    let columns: Vec<ArrayRef> = vec![Arc::new(metadata.finish()), Arc::new(value.finish()), typed];
    let array = StructArray::new(fields, columns, None);
    let field = VariantArray::from_iter([Variant::Null])
        .field("v")
        .with_data_type(array.data_type().clone());
    (field, array)
}

const NULL_BYTES: &[u8] = &[0];

#[test]
fn a_row_that_is_shredded_twice_is_rejected_alone() {
    let typed = Arc::new(Int32Array::from(vec![Some(1), Some(2), None, None]));
    let values = [None, Some(NULL_BYTES), Some(NULL_BYTES), None];
    let (field, array) = side_by_side(&values, typed);
    let found = written(&field, &array, ColumnSpec::default());
    assert_eq!(found[0], r#"{"N":"1"}"#);
    assert!(
        found[1].contains("both a value and a typed value"),
        "{found:?}"
    );
    // What is in neither of its columns is null.
    assert_eq!(found[2..], [r#"{"NULL":true}"#; 2]);
}

#[test]
fn unsigned_integers_are_no_shredding() {
    let (field, _) = side_by_side(&[None], Arc::new(UInt32Array::from(vec![1])));
    assert!(planned(&field, ColumnSpec::default()).is_err());
}

fn unshredded(values: &[(Vec<u8>, Vec<u8>)]) -> (Field, StructArray) {
    let mut metadata = BinaryBuilder::new();
    let mut value = BinaryBuilder::new();
    for (metadata_bytes, value_bytes) in values {
        metadata.append_value(metadata_bytes);
        value.append_value(value_bytes);
    }
    let fields: Fields = vec![
        Field::new("metadata", DataType::Binary, false),
        Field::new("value", DataType::Binary, true),
    ]
    .into();
    let columns: Vec<ArrayRef> = vec![Arc::new(metadata.finish()), Arc::new(value.finish())];
    let array = StructArray::new(fields, columns, None);
    let field = VariantArray::from_iter([Variant::Null])
        .field("v")
        .with_data_type(array.data_type().clone());
    (field, array)
}

#[test]
fn bytes_that_were_changed_reject_their_row_and_nothing_more() {
    let mut rng = fastrand::Rng::with_seed(5);
    let good = variants(&[Some(
        r#"{"a":1,"b":{"c":[true,null,"x",1.5,[1,2,3]]},"d":"some longer text that is not short at all, but long"}"#,
    )]);
    let metadata = shredded::bytes(good.metadata_column()).unwrap();
    let value = shredded::bytes(good.value_column()).unwrap();
    let mut change = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for _ in 0..rng.usize(0..4) {
            match rng.u8(0..3) {
                0 => bytes.truncate(rng.usize(0..=bytes.len())),
                1 if !bytes.is_empty() => {
                    let at = rng.usize(0..bytes.len());
                    bytes[at] = rng.u8(..);
                }
                _ => bytes.push(rng.u8(..)),
            }
        }
        bytes
    };
    let changed: Vec<_> = (0..5_000)
        .map(|_| (change(metadata.value(0)), change(value.value(0))))
        .collect();
    let (field, array) = unshredded(&changed);
    let whole = native(&good).remove(0);
    for word in [None, Some(EncodeAs::Json), Some(EncodeAs::B)] {
        let column = ColumnSpec {
            encode_as: word,
            ..ColumnSpec::default()
        };
        let found = written(&field, &array, column);
        assert_eq!(found.len(), changed.len());
        if word.is_none() {
            let kept = found.iter().filter(|value| **value == whole).count();
            assert!((1..changed.len()).contains(&kept), "{kept}");
        }
    }
}

#[test]
fn a_value_of_a_million_levels_rejects_its_row() {
    let mut value = vec![0];
    for _ in 0..2_000 {
        let end = u32::try_from(value.len()).unwrap().to_le_bytes();
        let mut outer = vec![0b1111, 1, 0, 0, 0, 0];
        outer.extend_from_slice(&end);
        outer.append(&mut value);
        value = outer;
    }
    let (field, array) = unshredded(&[(vec![1, 0, 0], value)]);
    for word in [EncodeAs::Document, EncodeAs::Json, EncodeAs::B] {
        let found = written(&field, &array, by(word));
        assert!(found[0].contains("in one another"), "{found:?}");
    }
}

#[test]
fn a_list_and_an_object_say_where_a_number_does_not_fit() {
    let array = variants(&[Some(r#"{"a":[1,1e300]}"#)]);
    let encoding = planned(&array.field("v"), ColumnSpec::default()).unwrap();
    let column = Column::new(array.inner(), &encoding).unwrap();
    let table = TableSchema::builder("variants")
        .partition_key("k", KeyType::N)
        .build()
        .unwrap();
    let refused = table.item(|item| column.encode(0, item.attribute("v")?));
    let location = refused.unwrap_err().value().unwrap();
    assert_eq!(location.column, "a[1]");
}
