//! Unions, intervals and what maps and vectors become by a word.

use arrow_array::builder::{FixedSizeListBuilder, Float64Builder, MapBuilder, StringBuilder};
use arrow_array::types::{Float32Type, IntervalDayTime, IntervalMonthDayNano};
use arrow_array::*;
use arrow_buffer::ScalarBuffer;
use arrow_schema::UnionFields;
use half::f16;

use super::*;

fn types() -> UnionFields {
    UnionFields::from_fields([
        Field::new("number", DataType::Int64, true),
        Field::new("text", DataType::Utf8, true),
    ])
}

/// 1, "a", null as a number, "" and null as a text.
fn sparse() -> UnionArray {
    let numbers = Int64Array::from(vec![Some(1), None, None, Some(9), Some(9)]);
    let texts = StringArray::from(vec![Some("x"), Some("a"), Some("x"), Some(""), None]);
    UnionArray::try_new(
        types(),
        ScalarBuffer::from(vec![0, 1, 0, 1, 1]),
        None,
        vec![Arc::new(numbers), Arc::new(texts)],
    )
    .unwrap()
}

fn dense() -> UnionArray {
    let numbers = Int64Array::from(vec![Some(1), None]);
    let texts = StringArray::from(vec![None, Some(""), Some("a")]);
    UnionArray::try_new(
        types(),
        ScalarBuffer::from(vec![0, 1, 0, 1, 1]),
        Some(ScalarBuffer::from(vec![0, 2, 1, 1, 0])),
        vec![Arc::new(numbers), Arc::new(texts)],
    )
    .unwrap()
}

#[test]
fn a_union_is_the_value_of_the_type_that_a_row_has() {
    let expected = [
        n("1"),
        s("a"),
        OMITTED.to_owned(),
        s(""),
        OMITTED.to_owned(),
    ];
    assert_eq!(encoded(sparse()), expected);
    assert_eq!(encoded(dense()), expected);
    assert_eq!(encoded(dense().slice(1, 3)), expected[1..4]);
    assert_eq!(encoded(sparse().slice(1, 3)), expected[1..4]);
}

#[test]
fn a_tagged_union_names_the_type_and_keeps_it_for_a_null() {
    let expected = [
        r#"{"M":{"number":{"N":"1"}}}"#,
        r#"{"M":{"text":{"S":"a"}}}"#,
        r#"{"M":{"number":{"NULL":true}}}"#,
        r#"{"M":{"text":{"S":""}}}"#,
        r#"{"M":{"text":{"NULL":true}}}"#,
    ];
    assert_eq!(written_as(EncodeAs::Tagged, &sparse()), expected);
    assert_eq!(written_as(EncodeAs::Tagged, &dense()), expected);
    assert_eq!(
        written_as(EncodeAs::Tagged, &dense().slice(2, 3)),
        expected[2..]
    );
}

#[test]
fn a_union_as_json_is_the_value_alone() {
    let expected = [s("1"), s(r#"\"a\""#), OMITTED.to_owned()];
    assert_eq!(written_as(EncodeAs::Json, &dense())[..3], expected);
}

#[test]
fn the_types_of_a_union_have_entries_of_their_own() {
    let mut spec = MappingSpec::default();
    spec.columns.insert("/v/number".to_owned(), by(EncodeAs::S));
    assert_eq!(mapped(&spec, &dense())[..2], [s("1"), s("a")]);
    let kind = encoding(&spec, dense().data_type()).unwrap().kind();
    assert_eq!(kind, dynasink_core::ValueKind::S);
}

#[test]
fn type_ids_need_not_be_places() {
    let types = UnionFields::try_new(
        [5, 99],
        [
            Field::new("a", DataType::Int64, true),
            Field::new("b", DataType::Int64, true),
        ],
    )
    .unwrap();
    let array = UnionArray::try_new(
        types,
        ScalarBuffer::from(vec![99, 5]),
        None,
        vec![
            Arc::new(Int64Array::from(vec![1, 2])),
            Arc::new(Int64Array::from(vec![3, 4])),
        ],
    )
    .unwrap();
    assert_eq!(encoded(array.clone()), [n("3"), n("2")]);
    assert_eq!(
        written_as(EncodeAs::Tagged, &array)[0],
        r#"{"M":{"b":{"N":"3"}}}"#
    );
}

#[test]
fn unions_in_lists_keep_their_places() {
    let union = dense();
    let element = Arc::new(Field::new("item", union.data_type().clone(), true));
    let offsets = arrow_buffer::OffsetBuffer::new(ScalarBuffer::from(vec![0, 3]));
    let list = ListArray::new(element, offsets, Arc::new(union), None);
    assert_eq!(
        encoded(list),
        [r#"{"L":[{"N":"1"},{"S":"a"},{"NULL":true}]}"#]
    );
}

#[test]
fn intervals_are_iso_8601_or_their_parts() {
    let months = IntervalYearMonthArray::from(vec![Some(-14), None, Some(0)]);
    assert_eq!(
        encoded(months.clone()),
        [s("P-1Y-2M"), OMITTED.to_owned(), s("PT0S")]
    );
    assert_eq!(
        written_as(EncodeAs::M, &months)[0],
        r#"{"M":{"months":{"N":"-14"},"days":{"N":"0"},"nanos":{"N":"0"}}}"#
    );
    let days = IntervalDayTimeArray::from(vec![
        IntervalDayTime::new(3, 14_705_006),
        IntervalDayTime::new(-1, -500),
    ]);
    assert_eq!(
        encoded(days.clone()),
        [s("P3DT4H5M5.006S"), s("P-1DT-0.5S")]
    );
    assert_eq!(
        written_as(EncodeAs::M, &days)[1],
        r#"{"M":{"months":{"N":"0"},"days":{"N":"-1"},"nanos":{"N":"-500000000"}}}"#
    );
    let all = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(14, 3, -1)]);
    assert_eq!(encoded(all.clone()), [s("P1Y2M3DT-0.000000001S")]);
    assert_eq!(
        written_as(EncodeAs::M, &all),
        [r#"{"M":{"months":{"N":"14"},"days":{"N":"3"},"nanos":{"N":"-1"}}}"#]
    );
}

#[test]
fn a_map_of_any_keys_can_be_its_entries() {
    let mut builder = MapBuilder::new(None, Float64Builder::new(), StringBuilder::new());
    builder.keys().append_value(0.5);
    builder.values().append_value("a");
    builder.keys().append_value(0.5);
    builder.values().append_null();
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    builder.append(true).unwrap();
    builder.keys().append_value(f64::NAN);
    builder.values().append_null();
    builder.append(true).unwrap();
    let array = builder.finish();
    let entries = r#"{"L":[{"M":{"key":{"N":"0.5"},"value":{"S":"a"}}},{"M":{"key":{"N":"0.5"},"value":{"NULL":true}}}]}"#;
    assert_eq!(
        written_as(EncodeAs::Entries, &array),
        [entries, OMITTED, r#"{"L":[]}"#, NOT_A_NUMBER]
    );
    assert_eq!(
        written_as(EncodeAs::Entries, &array.slice(2, 1)),
        [r#"{"L":[]}"#]
    );
    let error = encoding(&MappingSpec::default(), array.data_type()).unwrap_err();
    assert!(error.to_string().contains("`entries`"), "{error}");
}

#[test]
fn vectors_are_packed_in_little_endian_order() {
    let vectors = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
        [
            Some(vec![Some(1.0), Some(-2.5)]),
            None,
            Some(vec![None, Some(0.0)]),
        ],
        2,
    );
    let word = EncodeAs::Packed;
    // 0000803f 000020c0.
    let expected = [
        b("AACAPwAAIMA="),
        OMITTED.to_owned(),
        UNSUPPORTED.to_owned(),
    ];
    assert_eq!(written_as(word, &vectors), expected);
    assert_eq!(written_as(word, &vectors.slice(0, 1)), expected[..1]);
    assert_eq!(written_as(word, &vectors.slice(1, 2)), expected[1..]);

    let mut doubles = FixedSizeListBuilder::new(Float64Builder::new(), 1);
    doubles.values().append_value(f64::NAN);
    doubles.append(true);
    assert_eq!(written_as(word, &doubles.finish()), [b("AAAAAAAA+H8=")]);
    let halves: ArrayRef = Arc::new(Float16Array::from(vec![f16::ONE]));
    let element = Arc::new(Field::new("item", DataType::Float16, true));
    let halves = FixedSizeListArray::new(element, 1, halves, None);
    assert_eq!(written_as(word, &halves), [b("ADw=")]);
}
