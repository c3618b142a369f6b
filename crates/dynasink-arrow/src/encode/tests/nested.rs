use arrow_array::builder::{
    FixedSizeListBuilder, Int32Builder, ListBuilder, MapBuilder, StringBuilder,
    StringDictionaryBuilder,
};
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::*;
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::Fields;

use super::*;

const LIST_OF_ONE_AND_NULL: &str = r#"{"L":[{"N":"1"},{"NULL":true}]}"#;
const EMPTY_LIST: &str = r#"{"L":[]}"#;

fn lists() -> [Option<Vec<Option<i32>>>; 3] {
    [Some(vec![Some(1), None]), None, Some(vec![])]
}

#[test]
fn lists_keep_the_places_of_their_nulls() {
    let expected = [LIST_OF_ONE_AND_NULL, OMITTED, EMPTY_LIST];
    assert_eq!(
        encoded(ListArray::from_iter_primitive::<Int32Type, _, _>(lists())),
        expected
    );
    assert_eq!(
        encoded(LargeListArray::from_iter_primitive::<Int32Type, _, _>(
            lists()
        )),
        expected
    );
    let mut fixed = FixedSizeListBuilder::new(Int32Builder::new(), 2);
    fixed.values().append_value(1);
    fixed.values().append_null();
    fixed.append(true);
    fixed.values().append_nulls(2);
    fixed.append(false);
    let fixed = fixed.finish();
    assert_eq!(encoded(fixed.slice(1, 1)), [OMITTED]);
    assert_eq!(encoded(fixed), [LIST_OF_ONE_AND_NULL, OMITTED]);
}

#[test]
fn list_views_may_overlap_and_go_backwards() {
    let element = Arc::new(Field::new("item", DataType::Int32, true));
    let values = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    let views = ListViewArray::new(
        Arc::clone(&element),
        ScalarBuffer::from(vec![1, 0, 0]),
        ScalarBuffer::from(vec![2, 2, 0]),
        Arc::<Int32Array>::clone(&values),
        None,
    );
    let expected = [
        r#"{"L":[{"NULL":true},{"N":"3"}]}"#,
        LIST_OF_ONE_AND_NULL,
        EMPTY_LIST,
    ];
    assert_eq!(encoded(views.slice(1, 2)), expected[1..]);
    assert_eq!(encoded(views), expected);
    let large = LargeListViewArray::new(
        element,
        ScalarBuffer::from(vec![0_i64]),
        ScalarBuffer::from(vec![2_i64]),
        values,
        None,
    );
    assert_eq!(encoded(large), [LIST_OF_ONE_AND_NULL]);
}

#[test]
fn a_sliced_list_has_its_own_elements() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1)]),
        Some(vec![Some(2), Some(3)]),
        Some(vec![Some(4)]),
    ]);
    assert_eq!(
        encoded(list.slice(1, 1)),
        [r#"{"L":[{"N":"2"},{"N":"3"}]}"#]
    );
}

fn structs() -> StructArray {
    let fields: Fields = vec![
        Field::new("a", DataType::Int32, true),
        Field::new("b\"", DataType::Utf8, true),
    ]
    .into();
    StructArray::new(
        fields,
        vec![
            Arc::new(Int32Array::from(vec![Some(1), None, Some(3), None])),
            Arc::new(StringArray::from(vec![None, Some("x"), Some("z"), None])),
        ],
        Some(NullBuffer::from(vec![true, true, false, true])),
    )
}

#[test]
fn structs_omit_null_fields_and_are_not_null_for_it() {
    let expected = [
        r#"{"M":{"a":{"N":"1"}}}"#,
        r#"{"M":{"b\"":{"S":"x"}}}"#,
        OMITTED,
        r#"{"M":{}}"#,
    ];
    assert_eq!(encoded(structs()), expected);
    assert_eq!(encoded(structs().slice(1, 2)), expected[1..3]);
    let no_fields = StructArray::new_empty_fields(1, None);
    assert_eq!(encoded(no_fields), [r#"{"M":{}}"#]);
}

#[test]
fn maps_keep_null_values_and_refuse_keys_that_are_none() {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    let mut row = |entries: &[(&str, Option<i32>)]| {
        for (key, value) in entries {
            maps.keys().append_value(key);
            maps.values().append_option(*value);
        }
        maps.append(true).unwrap();
    };
    row(&[("a", Some(1)), ("b", None)]);
    row(&[]);
    row(&[("", Some(1))]);
    row(&[("a", Some(1)), ("a", Some(2))]);
    maps.append(false).unwrap();
    let maps = maps.finish();
    let expected = [
        r#"{"M":{"a":{"N":"1"},"b":{"NULL":true}}}"#,
        r#"{"M":{}}"#,
        UNSUPPORTED,
        "duplicate_attribute",
        OMITTED,
    ];
    assert_eq!(encoded(maps.slice(1, 3)), expected[1..4]);
    assert_eq!(encoded(maps), expected);
}

/// A map array of one row with these keys, each with the value 1.
fn map_of(keys: ArrayRef) -> MapArray {
    let values = Int32Array::from_value(1, keys.len());
    let fields: Fields = vec![
        Field::new("keys", keys.data_type().clone(), false),
        Field::new("values", DataType::Int32, true),
    ]
    .into();
    let offsets = OffsetBuffer::from_lengths([keys.len()]);
    let entries = StructArray::new(fields.clone(), vec![keys, Arc::new(values)], None);
    let entry = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    MapArray::new(entry, offsets, entries, None, false)
}

#[test]
fn map_keys_are_their_canonical_text() {
    let map = |key: &str| format!(r#"{{"M":{{"{key}":{{"N":"1"}}}}}}"#);
    assert_eq!(
        encoded(map_of(Arc::new(UInt64Array::from(vec![u64::MAX])))),
        [map("18446744073709551615")]
    );
    assert_eq!(
        encoded(map_of(Arc::new(Date32Array::from(vec![1])))),
        [map("1970-01-02")]
    );
    assert_eq!(
        encoded(map_of(Arc::new(BooleanArray::from(vec![true])))),
        [map("true")]
    );
    assert_eq!(
        encoded(map_of(Arc::new(StringViewArray::from(vec!["k"])))),
        [map("k")]
    );
    let mut words = StringDictionaryBuilder::<Int8Type>::new();
    words.append_value("word");
    assert_eq!(encoded(map_of(Arc::new(words.finish()))), [map("word")]);
    assert_eq!(
        encoded(map_of(Arc::new(Date32Array::from(vec![i32::MAX])))),
        [UNSUPPORTED]
    );
}

#[test]
fn dictionaries_are_as_their_values() {
    // The second value is null itself, the third key is.
    let keys = Int16Array::from(vec![Some(1), Some(0), None, Some(2)]);
    let values = StringArray::from(vec![None, Some("b"), Some("c")]);
    let words = DictionaryArray::<Int16Type>::new(keys, Arc::new(values));
    let expected = [s("b"), OMITTED.to_owned(), OMITTED.to_owned(), s("c")];
    assert_eq!(encoded(words.slice(2, 2)), expected[2..]);
    assert_eq!(encoded(words), expected);
    let nothing = DictionaryArray::<Int16Type>::new(
        Int16Array::from(vec![None::<i16>]),
        Arc::new(StringArray::from(Vec::<&str>::new())),
    );
    assert_eq!(encoded(nothing), [OMITTED]);
    let numbers = DictionaryArray::<Int64Type>::new(
        Int64Array::from(vec![0, 0]),
        Arc::new(
            Decimal128Array::from(vec![150])
                .with_precision_and_scale(5, 2)
                .unwrap(),
        ),
    );
    assert_eq!(encoded(numbers), [n("1.5"), n("1.5")]);
}

#[test]
fn runs_are_as_their_values() {
    let runs = RunArray::<Int32Type>::try_new(
        &Int32Array::from(vec![2, 3, 5]),
        &StringArray::from(vec![Some("a"), None, Some("c")]),
    )
    .unwrap();
    let expected = [s("a"), s("a"), OMITTED.to_owned(), s("c"), s("c")];
    assert_eq!(encoded(runs.slice(1, 3)), expected[1..4]);
    assert_eq!(encoded(runs), expected);
}

#[test]
fn what_is_inside_follows_the_same_rules() {
    let mut lists = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    lists.values().values().append_value("x");
    lists.values().values().append_null();
    lists.values().append(true);
    lists.values().append(false);
    lists.append(true);
    assert_eq!(
        encoded(lists.finish()),
        [r#"{"L":[{"L":[{"S":"x"},{"NULL":true}]},{"NULL":true}]}"#]
    );
    let of_structs = ListArray::new(
        Arc::new(Field::new("item", structs().data_type().clone(), true)),
        OffsetBuffer::from_lengths([3]),
        Arc::new(structs().slice(1, 3)),
        None,
    );
    assert_eq!(
        encoded(of_structs),
        [r#"{"L":[{"M":{"b\"":{"S":"x"}}},{"NULL":true},{"M":{}}]}"#]
    );
    let inside = ListArray::from_iter_primitive::<types::Float64Type, _, _>([Some(vec![
        Some(1.0),
        Some(f64::NAN),
    ])]);
    assert_eq!(encoded(inside), [NOT_A_NUMBER]);
}

#[test]
fn what_nests_too_deep_rejects_its_row_alone() {
    let nested = |depth: usize| {
        let mut array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        for _ in 0..depth {
            let element = Arc::new(Field::new("item", array.data_type().clone(), true));
            array = Arc::new(ListArray::new(
                element,
                OffsetBuffer::from_lengths([1]),
                array,
                None,
            ));
        }
        encoded_as(Field::new("v", array.data_type().clone(), true), array)
    };
    assert_eq!(
        nested(31),
        [format!(
            "{}{}{}",
            r#"{"L":["#.repeat(31),
            n("1"),
            "]}".repeat(31)
        )]
    );
    assert_eq!(nested(32), ["nesting_too_deep"]);
}
