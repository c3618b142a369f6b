//! JSON as values, and values as JSON.

use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
use arrow_array::types::{Int8Type, Int32Type, Int64Type};
use arrow_array::*;
use arrow_buffer::i256;
use arrow_schema::{Fields, TimeUnit};

use super::*;
use crate::mapping::spec::{Json, Nonfinite};

const WORD: EncodeAs = EncodeAs::Json;

#[test]
fn a_text_of_json_is_what_it_says() {
    let texts = [
        Some(r#"{"a":[1.50,"x",null,true]}"#),
        None,
        Some("null"),
        Some(r#"{"a":1,"a":2}"#),
        Some("{"),
        Some("1e999"),
    ];
    let expected = [
        r#"{"M":{"a":{"L":[{"N":"1.5"},{"S":"x"},{"NULL":true},{"BOOL":true}]}}}"#,
        OMITTED,
        NULL,
        "duplicate_attribute",
        UNSUPPORTED,
        NOT_A_NUMBER,
    ];
    let word = EncodeAs::Document;
    assert_eq!(
        written_as(word, &StringArray::from(texts.to_vec())),
        expected
    );
    let views = StringViewArray::from(texts.to_vec());
    assert_eq!(written_as(word, &views), expected);
    let dictionary: DictionaryArray<Int8Type> = texts.into_iter().collect();
    assert_eq!(written_as(word, &dictionary), expected);
}

#[test]
fn a_text_of_dynamodb_json_is_of_the_types_that_it_names() {
    let texts = StringArray::from(vec![
        Some(r#"{"M":{"a":{"NS":["1","2.0"]},"b":{"B":"AQI="}}}"#),
        None,
        Some(r#"{"a":1}"#),
    ]);
    assert_eq!(
        written_as(EncodeAs::DynamodbJson, &texts),
        [
            r#"{"M":{"a":{"NS":["1","2"]},"b":{"B":"AQI="}}}"#,
            OMITTED,
            UNSUPPORTED
        ]
    );
}

#[test]
fn columns_of_json_are_strings_unless_they_shall_be_documents() {
    let field = extension("arrow.json", DataType::Utf8);
    let array: ArrayRef = Arc::new(StringArray::from(vec![r#"{"a":1}"#, "{"]));
    assert_eq!(
        by_spec(&MappingSpec::default(), &field, &array),
        [s(r#"{\"a\":1}"#), s("{")]
    );
    let mut native = MappingSpec::default();
    native.defaults.json = Json::Native;
    let document = r#"{"M":{"a":{"N":"1"}}}"#;
    assert_eq!(by_spec(&native, &field, &array), [document, UNSUPPORTED]);
    // Other strings stay strings, and so does a column that says so.
    let plain = Field::new("v", DataType::Utf8, true);
    assert_eq!(by_spec(&native, &plain, &array)[1], s("{"));
    native.columns.insert("v".to_owned(), by(EncodeAs::S));
    assert_eq!(by_spec(&native, &field, &array)[1], s("{"));
}

#[test]
fn scalars_are_json_by_their_canonical_texts() {
    let big = i256::from_string(&"9".repeat(70)).unwrap();
    let decimal256 = Decimal256Array::from(vec![big])
        .with_precision_and_scale(76, 2)
        .unwrap();
    for (array, json) in [
        (&BooleanArray::from(vec![true]) as &dyn Array, "true"),
        (&UInt64Array::from(vec![u64::MAX]), "18446744073709551615"),
        (&Float32Array::from(vec![0.1]), "0.1"),
        (&Float64Array::from(vec![1e300]), "1E+300"),
        (&Float64Array::from(vec![-0.0]), "0"),
        (&decimal256, &format!("9.{}E+67", "9".repeat(69))),
        (&StringArray::from(vec!["a\"\n"]), r#"\"a\\\"\\n\""#),
        (&BinaryArray::from_vec(vec![&[1, 2]]), r#"\"AQI=\""#),
        (&Date32Array::from(vec![0]), r#"\"1970-01-01\""#),
        (
            &TimestampMillisecondArray::from(vec![1]).with_timezone("UTC"),
            r#"\"1970-01-01T00:00:00.001Z\""#,
        ),
        (&DurationMillisecondArray::from(vec![1_500]), "1.5"),
        (&IntervalYearMonthArray::from(vec![14]), r#"\"P1Y2M\""#),
        (
            &DictionaryArray::<Int8Type>::new(
                Int8Array::from(vec![0]),
                Arc::new(Int64Array::from(vec![7])),
            ),
            "7",
        ),
    ] {
        assert_eq!(written_as(WORD, array), [s(json)], "{}", array.data_type());
    }
}

#[test]
fn what_is_inside_comes_along_with_its_nulls() {
    let fields: Fields = vec![
        Field::new("l", list_type(DataType::Int32), true),
        Field::new("n", DataType::Null, true),
        extension("arrow.uuid", DataType::FixedSizeBinary(16)).with_name("u"),
    ]
    .into();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        Some(vec![]),
        None,
    ]);
    let uuids = FixedSizeBinaryArray::try_from_iter([[0xAB; 16]; 3].into_iter()).unwrap();
    let array = StructArray::new(
        fields,
        vec![
            Arc::new(lists),
            Arc::new(NullArray::new(3)),
            Arc::new(uuids),
        ],
        Some(vec![true, true, false].into()),
    );
    let uuid = "abababab-abab-abab-abab-abababababab";
    assert_eq!(
        written_as(WORD, &array),
        [
            s(&format!(
                r#"{{\"l\":[1,null],\"n\":null,\"u\":\"{uuid}\"}}"#
            )),
            s(&format!(r#"{{\"l\":[],\"n\":null,\"u\":\"{uuid}\"}}"#)),
            OMITTED.to_owned(),
        ]
    );
}

#[test]
fn maps_are_json_objects_of_the_texts_of_their_keys() {
    let mut builder = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    builder.keys().append_slice(&[1, 2]);
    builder.values().append_value("a");
    builder.values().append_null();
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    builder.keys().append_slice(&[1, 1]);
    builder.values().append_value("a");
    builder.values().append_value("b");
    builder.append(true).unwrap();
    assert_eq!(
        written_as(WORD, &builder.finish()),
        [
            s(r#"{\"1\":\"a\",\"2\":null}"#),
            OMITTED.to_owned(),
            UNSUPPORTED.to_owned(),
        ]
    );
}

#[test]
fn a_text_may_be_deeper_than_any_value() {
    let mut array: ArrayRef = Arc::new(Int8Array::from(vec![1]));
    for _ in 0..60 {
        let field = Field::new("a", array.data_type().clone(), true);
        array = Arc::new(StructArray::new(vec![field].into(), vec![array], None));
    }
    let default = mapped(&MappingSpec::default(), &array);
    assert_eq!(default, ["nesting_too_deep"]);
    let text = written_as(WORD, &array).remove(0);
    assert!(text.contains(&format!("1{}", "}".repeat(60))), "{text}");
}

#[test]
fn json_has_no_nan_unless_the_policy_gives_it_one() {
    let array = Float64Array::from(vec![f64::NAN, f64::NEG_INFINITY]);
    assert_eq!(written_as(WORD, &array), [NOT_A_NUMBER; 2]);
    for (nonfinite, expected) in [
        (Nonfinite::Null, ["null", "null"]),
        (Nonfinite::String, [r#"\"NaN\""#, r#"\"-Infinity\""#]),
    ] {
        let policies = Policies {
            nonfinite: Some(nonfinite),
            ..Policies::default()
        };
        let column = ColumnSpec {
            policies,
            ..by(WORD)
        };
        assert_eq!(mapped_by(column, &array), expected.map(s));
    }
}

#[test]
fn json_text_reads_back_as_the_rows_that_it_was_made_of() {
    let mut rng = fastrand::Rng::with_seed(11);
    let strings: Vec<Option<String>> = (0..200)
        .map(|_| {
            rng.bool()
                .then(|| (0..rng.usize(..12)).map(|_| rng.char(..)).collect())
        })
        .collect();
    let numbers: Vec<Option<i64>> = (0..200).map(|_| rng.bool().then(|| rng.i64(..))).collect();
    let array = StructArray::from(vec![
        (
            Arc::new(Field::new("s", DataType::Utf8, true)),
            Arc::new(StringArray::from(strings.clone())) as ArrayRef,
        ),
        (
            Arc::new(Field::new("n", DataType::Int64, true)),
            Arc::new(Int64Array::from(numbers.clone())) as ArrayRef,
        ),
    ]);
    for (row, item) in written_as(WORD, &array).iter().enumerate() {
        let item: serde_json::Value = serde_json::from_str(item).unwrap();
        let json: serde_json::Value = serde_json::from_str(item["S"].as_str().unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"s": strings[row], "n": numbers[row]})
        );
    }
    // And as a document it is what the struct is, but for its nulls.
    let texts: StringArray = written_as(WORD, &array)
        .iter()
        .map(|item| {
            let item: serde_json::Value = serde_json::from_str(item).unwrap();
            Some(item["S"].as_str().unwrap().to_owned())
        })
        .collect();
    let mut nulls = MappingSpec::default();
    nulls.defaults.policies.nulls = Some(crate::mapping::spec::Nulls::Null);
    assert_eq!(
        written_as(EncodeAs::Document, &texts),
        mapped(&nulls, &array)
    );
}

#[test]
fn timestamps_inside_are_texts_of_their_unit() {
    let list = list_type(DataType::Timestamp(TimeUnit::Second, None));
    let numbers: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some([
        Some(0),
    ])]));
    let array = arrow_cast::cast(&numbers, &list).unwrap();
    assert_eq!(
        written_as(WORD, &array),
        [s(r#"[\"1970-01-01T00:00:00\"]"#)]
    );
}
