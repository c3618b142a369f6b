//! A value of each type, at its edges, arrives exactly as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, MapBuilder, StringBuilder};
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    DurationMillisecondArray, Float32Array, Float64Array, Int8Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{Field, Fields};
use dynasink::KeyType;
use dynasink_tests::{Endpoint, Item, TestTable, Value, assert_same_items};

use crate::load::{load, write_parquet};

dynasink_tests::claims_about_every_endpoint!(
    a_value_of_each_type_arrives_as_it_was,
    keys_of_numbers_and_of_bytes_arrive_as_they_were,
);

/// What is in a column of two rows, and what it becomes. The third row of the file is null.
type Column = (&'static str, ArrayRef, [Value; 2]);

/// 9999-12-31 and 0000-01-01 in days since 1970.
const LAST_DAY: i32 = 2_932_896;
const FIRST_DAY: i32 = -719_528;

const MICROS_OF_A_DAY: i64 = 86_400_000_000;

fn text(text: &str) -> Value {
    Value::string(text)
}

fn number(text: &str) -> Value {
    Value::number(text)
}

fn numbers() -> Vec<Column> {
    vec![
        (
            "int8",
            Arc::new(Int8Array::from(vec![Some(i8::MIN), Some(i8::MAX), None])),
            [number("-128"), number("127")],
        ),
        (
            "int64",
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])),
            [
                number("-9223372036854775808"),
                number("9223372036854775807"),
            ],
        ),
        (
            "uint64",
            Arc::new(UInt64Array::from(vec![Some(0), Some(u64::MAX), None])),
            [number("0"), number("18446744073709551615")],
        ),
        (
            "float32",
            Arc::new(Float32Array::from(vec![Some(0.1), Some(f32::MAX), None])),
            [number("0.1"), number("3.4028235e38")],
        ),
        (
            "float64",
            Arc::new(Float64Array::from(vec![Some(-0.0), Some(0.1 + 0.2), None])),
            [number("0"), number("0.30000000000000004")],
        ),
        (
            "decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(-1_500), Some(10_i128.pow(38) - 1), None])
                    .with_precision_and_scale(38, 10)
                    .unwrap(),
            ),
            [
                number("-0.00000015"),
                number("9999999999999999999999999999.9999999999"),
            ],
        ),
        (
            "duration",
            Arc::new(DurationMillisecondArray::from(vec![
                Some(-1_500),
                Some(1),
                None,
            ])),
            [number("-1.5"), number("0.001")],
        ),
    ]
}

fn times() -> Vec<Column> {
    let last_micro = i64::from(LAST_DAY + 1) * MICROS_OF_A_DAY - 1;
    vec![
        (
            "date",
            Arc::new(Date32Array::from(vec![
                Some(FIRST_DAY),
                Some(LAST_DAY),
                None,
            ])),
            [text("0000-01-01"), text("9999-12-31")],
        ),
        (
            "time",
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(0),
                Some(MICROS_OF_A_DAY - 1),
                None,
            ])),
            [text("00:00:00.000000"), text("23:59:59.999999")],
        ),
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(-1),
                Some(last_micro),
                None,
            ])),
            [
                text("1969-12-31T23:59:59.999999"),
                text("9999-12-31T23:59:59.999999"),
            ],
        ),
        (
            "timestamp_in_zone",
            Arc::new(
                TimestampNanosecondArray::from(vec![Some(1), Some(i64::MAX), None])
                    .with_timezone("America/New_York"),
            ),
            [
                text("1970-01-01T00:00:00.000000001Z"),
                text("2262-04-11T23:47:16.854775807Z"),
            ],
        ),
    ]
}

fn texts_and_bytes() -> Vec<Column> {
    let dictionary: DictionaryArray<Int32Type> =
        [Some("again"), Some("again"), None].into_iter().collect();
    vec![
        (
            "bool",
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            [Value::Bool(true), Value::Bool(false)],
        ),
        (
            "string",
            Arc::new(StringArray::from(vec![
                Some(""),
                Some("\"é€😀\\\u{0}\u{7f}\u{2028}\r\n"),
                None,
            ])),
            [text(""), text("\"é€😀\\\u{0}\u{7f}\u{2028}\r\n")],
        ),
        (
            "binary",
            Arc::new(BinaryArray::from(vec![
                Some(&[][..]),
                Some(&[0, 255, 16][..]),
                None,
            ])),
            [Value::B(vec![]), Value::B(vec![0, 255, 16])],
        ),
        (
            "dictionary",
            Arc::new(dictionary),
            [text("again"), text("again")],
        ),
    ]
}

fn containers() -> Vec<Column> {
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1), None, Some(-1)]),
        Some(vec![]),
        None,
    ]);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    maps.keys().append_value("one");
    maps.values().append_value(1);
    maps.keys().append_value("none");
    maps.values().append_null();
    for there in [true, true, false] {
        maps.append(there).unwrap();
    }
    let names = StringArray::from(vec![Some("é"), None, None]);
    let fields = Fields::from(vec![
        Field::new("name", names.data_type().clone(), true),
        Field::new("list", lists.data_type().clone(), true),
    ]);
    let there = NullBuffer::from(vec![true, true, false]);
    let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(lists.clone())];
    let structs = StructArray::new(fields, columns, Some(there));
    let map = |entries: &[(&str, Value)]| {
        let entries = entries.iter().cloned();
        Value::M(
            entries
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    };
    let list = Value::L(vec![number("1"), Value::Null, number("-1")]);
    let empty = Value::L(vec![]);
    vec![
        ("list", Arc::new(lists), [list.clone(), empty.clone()]),
        (
            "map",
            Arc::new(maps.finish()),
            [
                map(&[("one", number("1")), ("none", Value::Null)]),
                map(&[]),
            ],
        ),
        (
            "struct",
            Arc::new(structs),
            [
                map(&[("name", text("é")), ("list", list)]),
                map(&[("list", empty)]),
            ],
        ),
    ]
}

async fn a_value_of_each_type_arrives_as_it_was(endpoint: Endpoint) {
    let columns: Vec<Column> = [numbers(), times(), texts_and_bytes(), containers()]
        .into_iter()
        .flatten()
        .collect();
    let ids = ["one", "two", "null"];
    let id = (
        "id",
        Arc::new(StringArray::from(ids.to_vec())) as ArrayRef,
        true,
    );
    let values = columns
        .iter()
        .map(|(name, values, _)| (*name, Arc::clone(values), true));
    let rows = RecordBatch::try_from_iter_with_nullable([id].into_iter().chain(values)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = write_parquet(folder.path(), "types.parquet", &[rows]);
    let table = TestTable::create(&endpoint, &[("id", KeyType::S)]).await;

    load([file], table.schema(), table.pipe()).await.unwrap();

    let mut expected = ids.map(|id| Item::from([("id".to_owned(), text(id))]));
    for (name, _, values) in columns {
        for (item, value) in expected.iter_mut().zip(values) {
            item.insert(name.to_owned(), value);
        }
    }
    assert_same_items(&table.items().await, &table.by_key(expected));
}

async fn keys_of_numbers_and_of_bytes_arrive_as_they_were(endpoint: Endpoint) {
    let numbers = [f64::from(i32::MIN), -0.5, 0.0, 1e-7, 1e21, 9e125];
    let bytes: [&[u8]; 6] = [&[0], &[255], b"a", b"A", &[0, 0], "é".as_bytes()];
    let columns: [(&str, ArrayRef); 2] = [
        ("bytes", Arc::new(BinaryArray::from_iter_values(bytes))),
        ("number", Arc::new(Float64Array::from_iter_values(numbers))),
    ];
    let folder = tempfile::tempdir().unwrap();
    let rows = RecordBatch::try_from_iter(columns).unwrap();
    let file = write_parquet(folder.path(), "keys.parquet", &[rows]);
    let items = bytes.into_iter().zip(numbers).map(|(bytes, number)| {
        BTreeMap::from([
            ("bytes".to_owned(), Value::B(bytes.to_vec())),
            ("number".to_owned(), Value::number(number)),
        ])
    });
    for keys in [
        &[("number", KeyType::N)][..],
        &[("bytes", KeyType::B)],
        &[("bytes", KeyType::B), ("number", KeyType::N)],
    ] {
        let table = TestTable::create(&endpoint, keys).await;
        load([&file], table.schema(), table.pipe()).await.unwrap();
        let expected = table.by_key(items.clone());
        assert_same_items(&table.items().await, &expected);
    }
}
