//! Lists and separated strings as sets.

use arrow_array::builder::{BinaryBuilder, ListBuilder, StringBuilder};
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::*;
use arrow_buffer::{OffsetBuffer, ScalarBuffer};

use super::*;
use crate::mapping::spec::Lists;

fn texts(rows: &[Option<&[Option<&str>]>]) -> ListArray {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        match row {
            Some(members) => lists.append_value(members.iter().copied()),
            None => lists.append_null(),
        }
    }
    lists.finish()
}

fn refused() -> String {
    UNSUPPORTED.to_owned()
}

#[test]
fn lists_of_strings_are_string_sets() {
    let lists = texts(&[
        Some(&[Some("b"), Some("a"), Some("b")]),
        None,
        Some(&[]),
        Some(&[Some("a"), None]),
        Some(&[Some("")]),
    ]);
    let expected = [
        r#"{"SS":["b","a"]}"#,
        OMITTED,
        OMITTED,
        UNSUPPORTED,
        r#"{"SS":[""]}"#,
    ];
    assert_eq!(written_as(EncodeAs::Set, &lists), expected);
    assert_eq!(written_as(EncodeAs::Ss, &lists), expected);
    assert_eq!(written_as(EncodeAs::Ss, &lists.slice(2, 2)), expected[2..4]);
}

#[test]
fn members_of_number_sets_are_equal_as_numbers() {
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>([
        Some(vec![Some(1.0), Some(-0.0), Some(0.0), Some(1.0)]),
        Some(vec![Some(f64::NAN)]),
        Some(vec![Some(1e300)]),
    ]);
    assert_eq!(
        written_as(EncodeAs::Set, &lists),
        [r#"{"NS":["1","0"]}"#, NOT_A_NUMBER, NOT_A_NUMBER]
    );
    let of_texts = texts(&[Some(&[Some("1"), Some("1.0"), Some("1e0")])]);
    assert_eq!(written_as(EncodeAs::Ns, &of_texts), [r#"{"NS":["1"]}"#]);
    assert_eq!(
        written_as(EncodeAs::Set, &of_texts),
        [r#"{"SS":["1","1.0","1e0"]}"#]
    );
    let of_numbers = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(7)])]);
    assert_eq!(written_as(EncodeAs::Ss, &of_numbers), [r#"{"SS":["7"]}"#]);
}

#[test]
fn lists_of_binary_are_binary_sets() {
    let mut lists = ListBuilder::new(BinaryBuilder::new());
    lists.append_value([Some(b"a"), Some(b"a"), Some(b"b")]);
    let lists = lists.finish();
    let expected = [r#"{"BS":["YQ==","Yg=="]}"#];
    assert_eq!(written_as(EncodeAs::Set, &lists), expected);
    assert_eq!(written_as(EncodeAs::Bs, &lists), expected);
    assert_eq!(written_as(EncodeAs::Ss, &lists), [r#"{"SS":["a","b"]}"#]);
}

#[test]
fn lists_of_every_kind_are_sets() {
    let element = || Arc::new(Field::new("item", DataType::Int32, true));
    let values = || Arc::new(Int32Array::from(vec![1, 1, 2]));
    let set = [r#"{"NS":["1","2"]}"#];
    let large = LargeListArray::new(element(), OffsetBuffer::from_lengths([3]), values(), None);
    assert_eq!(written_as(EncodeAs::Set, &large), set);
    let fixed = FixedSizeListArray::new(element(), 3, values(), None);
    assert_eq!(written_as(EncodeAs::Set, &fixed), set);
    let views = ListViewArray::new(
        element(),
        ScalarBuffer::from(vec![1]),
        ScalarBuffer::from(vec![2]),
        values(),
        None,
    );
    assert_eq!(written_as(EncodeAs::Set, &views), set);
    let large_views = LargeListViewArray::new(
        element(),
        ScalarBuffer::from(vec![0_i64]),
        ScalarBuffer::from(vec![3_i64]),
        values(),
        None,
    );
    assert_eq!(written_as(EncodeAs::Set, &large_views), set);
    let words = DictionaryArray::<types::Int8Type>::from_iter(["x", "x", "y"]);
    let element = Field::new("item", words.data_type().clone(), true);
    let of_dictionary = ListArray::new(
        Arc::new(element),
        OffsetBuffer::from_lengths([3]),
        Arc::new(words),
        None,
    );
    assert_eq!(
        written_as(EncodeAs::Set, &of_dictionary),
        [r#"{"SS":["x","y"]}"#]
    );
}

#[test]
fn lists_can_be_sets_by_default_and_their_elements_have_words_of_their_own() {
    let mut spec = MappingSpec::default();
    spec.defaults.lists = Lists::Set;
    let lists = texts(&[Some(&[Some("01"), Some("1")])]);
    assert_eq!(mapped(&spec, &lists), [r#"{"SS":["01","1"]}"#]);
    spec.columns.insert("/v/*".to_owned(), by(EncodeAs::N));
    assert_eq!(mapped(&spec, &lists), [r#"{"NS":["1"]}"#]);
    spec.columns.insert("v".to_owned(), by(EncodeAs::L));
    assert_eq!(mapped(&spec, &lists), [r#"{"L":[{"N":"1"},{"N":"1"}]}"#]);
    // An element says N where the list says SS.
    spec.columns.insert("v".to_owned(), by(EncodeAs::Ss));
    assert!(matches!(
        encoding(&spec, lists.data_type()),
        Err(Error::SetOf { .. })
    ));
}

#[test]
fn there_are_no_sets_of_other_types() {
    let list = |element| DataType::List(Arc::new(Field::new("item", element, true)));
    for element in [DataType::Boolean, list(DataType::Utf8)] {
        let error = encoding(&mapping_of(by(EncodeAs::Set)), &list(element)).unwrap_err();
        assert!(
            matches!(&error, Error::SetOf { column, .. } if column == "v"),
            "{error}"
        );
    }
    let error = encoding(&mapping_of(by(EncodeAs::Ns)), &list(DataType::Date32)).unwrap_err();
    assert!(
        matches!(&error, Error::UnfitWord { column, word: EncodeAs::N, .. } if column == "v[]"),
        "{error}"
    );
}

#[test]
fn an_empty_set_keeps_its_place_in_lists() {
    let mut inner = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    inner.values().append_value([Some("a")]);
    inner.values().append_value([None::<&str>; 0]);
    inner.append(true);
    let mut spec = MappingSpec::default();
    spec.columns.insert("/v/*".to_owned(), by(EncodeAs::Set));
    assert_eq!(
        mapped(&spec, &inner.finish()),
        [r#"{"L":[{"SS":["a"]},{"NULL":true}]}"#]
    );
}

#[test]
fn strings_are_sets_of_what_stands_between_separators() {
    let split = |separator: &str| ColumnSpec {
        separator: Some(separator.to_owned()),
        ..by(EncodeAs::Ss)
    };
    let texts = StringArray::from(vec![
        Some("a, b, a"),
        Some(""),
        None,
        Some("a"),
        Some("a, "),
    ]);
    assert_eq!(
        mapped_by(split(", "), &texts),
        [
            r#"{"SS":["a","b"]}"#,
            OMITTED,
            OMITTED,
            r#"{"SS":["a"]}"#,
            r#"{"SS":["a",""]}"#
        ]
    );
    for column in [by(EncodeAs::Ss), split("")] {
        assert!(matches!(
            encoding(&mapping_of(column), &DataType::Utf8),
            Err(Error::ColumnOption {
                option: "separator",
                ..
            })
        ));
    }
    let of_list = encoding(
        &mapping_of(split(",")),
        &DataType::new_list(DataType::Utf8, true),
    );
    assert!(matches!(of_list, Err(Error::ColumnOption { .. })));
}

#[test]
fn a_member_that_cannot_be_one_is_named() {
    let lists = texts(&[Some(&[Some("1"), Some("2"), Some("x")])]);
    let encoding = encoding(&mapping_of(by(EncodeAs::Ns)), lists.data_type()).unwrap();
    let error = attributes(&encoding, &lists).remove(0).unwrap_err();
    let value = error.value().unwrap();
    assert_eq!(
        (value.column.as_str(), value.kind.as_str()),
        ("[2]", "Utf8")
    );
    let nulls = texts(&[Some(&[Some("1"), None])]);
    assert_eq!(written_as(EncodeAs::Ns, &nulls), [refused()]);
}
