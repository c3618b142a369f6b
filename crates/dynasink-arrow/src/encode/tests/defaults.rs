//! Every Arrow type by its default.

use std::collections::HashSet;

use arrow_array::builder::{Int64Builder, MapBuilder, StringBuilder};
use arrow_array::types::{Int8Type, Int16Type, Int32Type, IntervalDayTime, IntervalMonthDayNano};
use arrow_array::*;
use arrow_buffer::{ScalarBuffer, i256};
use arrow_schema::UnionFields;
use half::f16;

use super::*;

fn fixed(bytes: &[u8]) -> FixedSizeBinaryArray {
    FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap()
}

fn of<A: Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

fn numbers() -> Vec<(ArrayRef, &'static str)> {
    vec![
        (of(Int8Array::from(vec![i8::MIN])), r#"{"N":"-128"}"#),
        (of(Int16Array::from(vec![i16::MIN])), r#"{"N":"-32768"}"#),
        (
            of(Int32Array::from(vec![i32::MIN])),
            r#"{"N":"-2147483648"}"#,
        ),
        (
            of(Int64Array::from(vec![i64::MIN])),
            r#"{"N":"-9223372036854775808"}"#,
        ),
        (of(UInt8Array::from(vec![u8::MAX])), r#"{"N":"255"}"#),
        (of(UInt16Array::from(vec![u16::MAX])), r#"{"N":"65535"}"#),
        (
            of(UInt32Array::from(vec![u32::MAX])),
            r#"{"N":"4294967295"}"#,
        ),
        (
            of(UInt64Array::from(vec![u64::MAX])),
            r#"{"N":"18446744073709551615"}"#,
        ),
        (
            of(Float16Array::from(vec![f16::from_f32(0.1)])),
            r#"{"N":"0.099975586"}"#,
        ),
        (of(Float32Array::from(vec![0.1])), r#"{"N":"0.1"}"#),
        (of(Float64Array::from(vec![1e21])), r#"{"N":"1E+21"}"#),
        (
            of(Decimal32Array::from(vec![150])
                .with_precision_and_scale(9, 2)
                .unwrap()),
            r#"{"N":"1.5"}"#,
        ),
        (
            of(Decimal64Array::from(vec![15])
                .with_precision_and_scale(18, -2)
                .unwrap()),
            r#"{"N":"1500"}"#,
        ),
        (
            of(Decimal128Array::from(vec![-1])
                .with_precision_and_scale(38, 38)
                .unwrap()),
            r#"{"N":"-1E-38"}"#,
        ),
        (
            of(Decimal256Array::from(vec![i256::from_i128(10)])
                .with_precision_and_scale(76, 1)
                .unwrap()),
            r#"{"N":"1"}"#,
        ),
        (of(DurationSecondArray::from(vec![-90])), r#"{"N":"-90"}"#),
        (
            of(DurationMillisecondArray::from(vec![1_500])),
            r#"{"N":"1.5"}"#,
        ),
        (
            of(DurationMicrosecondArray::from(vec![1])),
            r#"{"N":"0.000001"}"#,
        ),
        (
            of(DurationNanosecondArray::from(vec![1])),
            r#"{"N":"1E-9"}"#,
        ),
    ]
}

fn times() -> Vec<(ArrayRef, &'static str)> {
    vec![
        (of(Date32Array::from(vec![-1])), r#"{"S":"1969-12-31"}"#),
        (
            of(Date64Array::from(vec![86_400_000])),
            r#"{"S":"1970-01-02"}"#,
        ),
        (
            of(Date64Array::from(vec![1])),
            r#"{"S":"1970-01-01T00:00:00.001"}"#,
        ),
        (
            of(Time32SecondArray::from(vec![18_900])),
            r#"{"S":"05:15:00"}"#,
        ),
        (
            of(Time32MillisecondArray::from(vec![1])),
            r#"{"S":"00:00:00.001"}"#,
        ),
        (
            of(Time64MicrosecondArray::from(vec![1])),
            r#"{"S":"00:00:00.000001"}"#,
        ),
        (
            of(Time64NanosecondArray::from(vec![1])),
            r#"{"S":"00:00:00.000000001"}"#,
        ),
        (
            of(TimestampSecondArray::from(vec![0])),
            r#"{"S":"1970-01-01T00:00:00"}"#,
        ),
        (
            of(TimestampMillisecondArray::from(vec![0]).with_timezone("+01:00")),
            r#"{"S":"1970-01-01T00:00:00.000Z"}"#,
        ),
        (
            of(TimestampMicrosecondArray::from(vec![-1])),
            r#"{"S":"1969-12-31T23:59:59.999999"}"#,
        ),
        (
            of(TimestampNanosecondArray::from(vec![1]).with_timezone("Europe/Berlin")),
            r#"{"S":"1970-01-01T00:00:00.000000001Z"}"#,
        ),
        (
            of(IntervalYearMonthArray::from(vec![14])),
            r#"{"S":"P1Y2M"}"#,
        ),
        (
            of(IntervalDayTimeArray::from(vec![IntervalDayTime::new(3, 6)])),
            r#"{"S":"P3DT0.006S"}"#,
        ),
        (
            of(IntervalMonthDayNanoArray::from(vec![
                IntervalMonthDayNano::new(14, 3, 14_405_006_000_000),
            ])),
            r#"{"S":"P1Y2M3DT4H5.006S"}"#,
        ),
    ]
}

fn texts_and_bytes() -> Vec<(ArrayRef, &'static str)> {
    vec![
        (of(NullArray::new(1)), OMITTED),
        (of(BooleanArray::from(vec![true])), TRUE),
        (of(StringArray::from(vec!["a"])), r#"{"S":"a"}"#),
        (of(LargeStringArray::from(vec![""])), r#"{"S":""}"#),
        (of(StringViewArray::from(vec!["é"])), r#"{"S":"é"}"#),
        (of(BinaryArray::from_vec(vec![&[1]])), r#"{"B":"AQ=="}"#),
        (of(LargeBinaryArray::from_vec(vec![&[]])), r#"{"B":""}"#),
        (
            of(BinaryViewArray::from_iter_values([[1, 2]])),
            r#"{"B":"AQI="}"#,
        ),
        (of(fixed(&[1, 2, 3])), r#"{"B":"AQID"}"#),
        (of(fixed(&[0; 16])), r#"{"B":"AAAAAAAAAAAAAAAAAAAAAA=="}"#),
    ]
}

fn nested() -> Vec<(ArrayRef, &'static str)> {
    const LIST: &str = r#"{"L":[{"N":"1"},{"NULL":true}]}"#;
    let list = || [Some(vec![Some(1), None])];
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(list());
    let element = || Arc::new(Field::new("item", DataType::Int32, true));
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("a");
    map.values().append_null();
    map.append(true).unwrap();
    let nothing = Field::new("x", DataType::Int64, true);
    let union = UnionArray::try_new(
        UnionFields::from_fields([Field::new("a", DataType::Int32, true)]),
        ScalarBuffer::from(vec![0]),
        None,
        vec![values.slice(0, 1)],
    )
    .unwrap();
    vec![
        (of(lists), LIST),
        (
            of(LargeListArray::from_iter_primitive::<Int32Type, _, _>(
                list(),
            )),
            LIST,
        ),
        (
            of(FixedSizeListArray::new(
                element(),
                2,
                Arc::clone(&values),
                None,
            )),
            LIST,
        ),
        (
            of(ListViewArray::new(
                element(),
                ScalarBuffer::from(vec![0]),
                ScalarBuffer::from(vec![2]),
                Arc::clone(&values),
                None,
            )),
            LIST,
        ),
        (
            of(LargeListViewArray::new(
                element(),
                ScalarBuffer::from(vec![0]),
                ScalarBuffer::from(vec![2]),
                Arc::clone(&values),
                None,
            )),
            LIST,
        ),
        (
            of(StructArray::new(
                vec![nothing].into(),
                vec![of(Int64Array::from(vec![None]))],
                None,
            )),
            r#"{"M":{}}"#,
        ),
        (of(map.finish()), r#"{"M":{"a":{"NULL":true}}}"#),
        (
            of(DictionaryArray::<Int8Type>::from_iter(["a"])),
            r#"{"S":"a"}"#,
        ),
        (
            of(RunArray::<Int16Type>::try_new(
                &Int16Array::from(vec![1]),
                &Date32Array::from(vec![0]),
            )
            .unwrap()),
            r#"{"S":"1970-01-01"}"#,
        ),
        (of(union), r#"{"N":"1"}"#),
    ]
}

#[test]
fn every_type_has_its_default() {
    let mut seen = HashSet::new();
    for (array, expected) in [numbers(), times(), texts_and_bytes(), nested()].concat() {
        let data_type = array.data_type().clone();
        let spec = MappingSpec::default();
        assert_eq!(mapped(&spec, &array), [expected], "{data_type}");
        // A null of it is omitted, in a list it keeps its place.
        let nulls = new_null_array(&data_type, 1);
        assert_eq!(mapped(&spec, &nulls), [OMITTED], "{data_type}");
        let element = Arc::new(Field::new("item", data_type.clone(), true));
        let list = FixedSizeListArray::new(element, 1, nulls, None);
        assert_eq!(
            mapped(&spec, &list),
            [r#"{"L":[{"NULL":true}]}"#],
            "{data_type}"
        );
        seen.insert(variant_of(&data_type));
    }
    // Every variant of Arrow's data types but those that are told apart by a parameter alone.
    assert_eq!(seen.len(), 41, "{seen:?}");
}

/// The name of the type, without what it is a type of.
fn variant_of(data_type: &DataType) -> String {
    let name = format!("{data_type:?}");
    let end = name
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(name.len());
    name.chars().take(end).collect()
}

#[test]
fn every_type_can_be_json_text_and_null() {
    for (array, _) in [numbers(), times(), texts_and_bytes(), nested()].concat() {
        let data_type = array.data_type();
        assert_eq!(written_as(EncodeAs::Null, &array), [NULL], "{data_type}");
        if data_type == &DataType::Null {
            continue;
        }
        let item = written_as(EncodeAs::Json, &array).remove(0);
        let item: serde_json::Value = serde_json::from_str(&item).unwrap();
        let text = item["S"].as_str().unwrap();
        let json: Result<serde_json::Value, _> = serde_json::from_str(text);
        assert!(json.is_ok(), "{data_type}: {text}");
    }
}
