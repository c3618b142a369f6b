//! What becomes of values that have no exact place, at the top level, in structs and in lists.

use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::*;
use arrow_buffer::i256;
use arrow_schema::Fields;

use super::*;
use crate::mapping::spec::{EmptyString, Nonfinite, Nulls, NumberOverflow, TemporalOverflow};

fn nulls(nulls: Nulls) -> ColumnSpec {
    policies(Policies {
        nulls: Some(nulls),
        ..Policies::default()
    })
}

fn nonfinite(nonfinite: Nonfinite) -> ColumnSpec {
    policies(Policies {
        nonfinite: Some(nonfinite),
        ..Policies::default()
    })
}

fn overflow(number_overflow: NumberOverflow) -> ColumnSpec {
    policies(Policies {
        number_overflow: Some(number_overflow),
        ..Policies::default()
    })
}

fn beyond_years(temporal_overflow: TemporalOverflow) -> ColumnSpec {
    policies(Policies {
        temporal_overflow: Some(temporal_overflow),
        ..Policies::default()
    })
}

fn empty(empty_string: EmptyString) -> ColumnSpec {
    policies(Policies {
        empty_string: Some(empty_string),
        ..Policies::default()
    })
}

/// `column` for all columns.
fn for_all(column: &ColumnSpec) -> MappingSpec {
    let mut spec = MappingSpec::default();
    spec.defaults.policies = column.policies;
    spec
}

fn struct_of(array: ArrayRef) -> StructArray {
    let fields: Fields = vec![Field::new("a", array.data_type().clone(), true)].into();
    StructArray::new(fields, vec![array], None)
}

fn m(field: &str) -> String {
    if field == OMITTED {
        return r#"{"M":{}}"#.to_owned();
    }
    format!(r#"{{"M":{{"a":{field}}}}}"#)
}

#[test]
fn nulls_are_omitted_or_null_but_keep_their_place_in_lists() {
    let numbers = || Int32Array::from(vec![None, Some(1)]);
    assert_eq!(
        mapped_by(nulls(Nulls::Omit), &numbers()),
        [OMITTED.to_owned(), n("1")]
    );
    assert_eq!(
        mapped_by(nulls(Nulls::Null), &numbers()),
        [NULL.to_owned(), n("1")]
    );
    let structs = struct_of(Arc::new(numbers()));
    assert_eq!(
        mapped(&for_all(&nulls(Nulls::Null)), &structs),
        [m(NULL), m(&n("1"))]
    );
    assert_eq!(
        mapped(&for_all(&nulls(Nulls::Omit)), &structs),
        [m(OMITTED), m(&n("1"))]
    );
    // What is said of a struct is not said of its fields.
    assert_eq!(
        mapped_by(nulls(Nulls::Null), &structs),
        [m(OMITTED), m(&n("1"))]
    );
    let lists =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![None, Some(1)]), None]);
    let list = r#"{"L":[{"NULL":true},{"N":"1"}]}"#;
    assert_eq!(
        mapped(&for_all(&nulls(Nulls::Omit)), &lists),
        [list, OMITTED]
    );
    assert_eq!(mapped(&for_all(&nulls(Nulls::Null)), &lists), [list, NULL]);
    assert_eq!(mapped_by(nulls(Nulls::Null), &NullArray::new(1)), [NULL]);
    assert_eq!(mapped_by(nulls(Nulls::Omit), &NullArray::new(1)), [OMITTED]);
}

#[test]
fn what_is_not_finite_has_four_ways() {
    let floats = || Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0]);
    let all = |text: &str| vec![text.to_owned(), text.to_owned(), text.to_owned(), n("1")];
    assert_eq!(
        mapped_by(nonfinite(Nonfinite::Error), &floats()),
        all(NOT_A_NUMBER)
    );
    assert_eq!(mapped_by(nonfinite(Nonfinite::Null), &floats()), all(NULL));
    assert_eq!(
        mapped_by(nonfinite(Nonfinite::Omit), &floats()),
        all(OMITTED)
    );
    let names = [s("NaN"), s("Infinity"), s("-Infinity"), n("1")];
    assert_eq!(mapped_by(nonfinite(Nonfinite::String), &floats()), names);
    let single = Float32Array::from(vec![f32::NEG_INFINITY]);
    assert_eq!(
        mapped_by(nonfinite(Nonfinite::String), &single),
        [s("-Infinity")]
    );
    let half = Float16Array::from(vec![half::f16::NAN]);
    assert_eq!(mapped_by(nonfinite(Nonfinite::String), &half), [s("NaN")]);
    let as_text = ColumnSpec {
        encode_as: Some(EncodeAs::S),
        ..nonfinite(Nonfinite::String)
    };
    assert_eq!(
        mapped_by(as_text, &floats()),
        [s("NaN"), s("Infinity"), s("-Infinity"), s("1")]
    );
    let of_text = ColumnSpec {
        encode_as: Some(EncodeAs::N),
        ..nonfinite(Nonfinite::String)
    };
    assert_eq!(
        mapped_by(of_text, &StringArray::from(vec!["NaN", "-Infinity", "nan"])),
        [s("NaN"), s("-Infinity"), NOT_A_NUMBER.to_owned()]
    );
    // Omitted is as null, which nulls say what to do with.
    let omitted_as_null = ColumnSpec {
        policies: Policies {
            nulls: Some(Nulls::Null),
            ..nonfinite(Nonfinite::Omit).policies
        },
        ..ColumnSpec::default()
    };
    assert_eq!(mapped_by(omitted_as_null, &floats()), all(NULL));
}

#[test]
fn what_is_omitted_keeps_its_place_in_lists() {
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>([Some(vec![
        Some(f64::NAN),
        Some(1.0),
    ])]);
    let spec = for_all(&nonfinite(Nonfinite::Omit));
    assert_eq!(
        mapped(&spec, &lists),
        [r#"{"L":[{"NULL":true},{"N":"1"}]}"#]
    );
    let structs = struct_of(Arc::new(Float64Array::from(vec![f64::NAN])));
    assert_eq!(mapped(&spec, &structs), [m(OMITTED)]);
    let structs = struct_of(Arc::new(StringArray::from(vec!["", "x"])));
    assert_eq!(
        mapped(&for_all(&empty(EmptyString::Omit)), &structs),
        [m(OMITTED), m(&s("x"))]
    );
    let mut texts = builder::ListBuilder::new(builder::StringBuilder::new());
    texts.append_value([Some(""), Some("x")]);
    assert_eq!(
        mapped(&for_all(&empty(EmptyString::Omit)), &texts.finish()),
        [r#"{"L":[{"NULL":true},{"S":"x"}]}"#]
    );
}

#[test]
fn what_is_no_number_of_dynamodb_is_text_or_rounded() {
    let floats = Float64Array::from(vec![1e126, -1e-131, 1e125]);
    assert_eq!(
        mapped_by(overflow(NumberOverflow::Error), &floats),
        [
            NOT_A_NUMBER.to_owned(),
            NOT_A_NUMBER.to_owned(),
            n("1E+125")
        ]
    );
    assert_eq!(
        mapped_by(overflow(NumberOverflow::String), &floats),
        [s("1E+126"), s("-1E-131"), n("1E+125")]
    );
    // Rounding does not help what is out of range.
    assert_eq!(
        mapped_by(overflow(NumberOverflow::Round), &floats),
        [
            NOT_A_NUMBER.to_owned(),
            NOT_A_NUMBER.to_owned(),
            n("1E+125")
        ]
    );
    let long = format!("{}25", "1".repeat(37));
    let wide = || {
        let values = [i256::from_string(&long).unwrap(), i256::from(100)];
        Decimal256Array::from_iter_values(values)
            .with_precision_and_scale(76, 2)
            .unwrap()
    };
    assert_eq!(
        mapped_by(overflow(NumberOverflow::String), &wide()),
        [s(&format!("1.{}25E+36", "1".repeat(36))), n("1")]
    );
    assert_eq!(
        mapped_by(overflow(NumberOverflow::Round), &wide()),
        [n(&format!("1.{}2E+36", "1".repeat(36))), n("1")]
    );
    let texts = || StringArray::from(vec![long.as_str(), "1e999999999999", "x"]);
    let parsed = |policy| ColumnSpec {
        encode_as: Some(EncodeAs::N),
        ..overflow(policy)
    };
    assert_eq!(
        mapped_by(parsed(NumberOverflow::String), &texts()),
        [
            s(&format!("1.{}25E+38", "1".repeat(36))),
            s("1E+999999999999"),
            NOT_A_NUMBER.to_owned()
        ]
    );
    assert_eq!(
        mapped_by(parsed(NumberOverflow::Round), &texts()),
        [
            n(&format!("1.{}2E+38", "1".repeat(36))),
            NOT_A_NUMBER.to_owned(),
            NOT_A_NUMBER.to_owned()
        ]
    );
}

#[test]
fn what_is_nearer_to_zero_than_a_number_can_be_is_zero_where_that_is_asked_for() {
    let zero = || overflow(NumberOverflow::Zero);
    let floats = Float64Array::from(vec![1e-131, -5e-324, 1e-130, 1e126, f64::NAN]);
    let refused = || NOT_A_NUMBER.to_owned();
    assert_eq!(
        mapped_by(zero(), &floats),
        [n("0"), n("0"), n("1E-130"), refused(), refused()]
    );
    let parsed = ColumnSpec {
        encode_as: Some(EncodeAs::N),
        ..zero()
    };
    // Digits are rounded first, and that may be up to what a number can be.
    let long = format!("{}25", "1".repeat(37));
    let small = format!("{}25e-200", "1".repeat(37));
    let up = format!("{}e-169", "9".repeat(39));
    let texts = StringArray::from(vec![&long, &small, &up, "1e-999999999999", "1e126", "x"]);
    assert_eq!(
        mapped_by(parsed, &texts),
        [
            n(&format!("1.{}2E+38", "1".repeat(36))),
            n("0"),
            n("1E-130"),
            n("0"),
            refused(),
            refused()
        ]
    );
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>([Some(vec![
        Some(1e-131),
        Some(0.0),
        Some(1.0),
    ])]);
    let set = MappingSpec {
        columns: mapping_of(by(EncodeAs::Ns)).columns,
        ..for_all(&zero())
    };
    assert_eq!(mapped(&set, &lists), [r#"{"NS":["0","1"]}"#]);
}

#[test]
fn what_has_no_year_of_four_digits_is_null_or_raw() {
    let dates = || Date32Array::from(vec![i32::MAX, -719_529, 0]);
    let of = |policy, array: &dyn Array| mapped_by(beyond_years(policy), array);
    assert_eq!(
        of(TemporalOverflow::Error, &dates()),
        [
            UNSUPPORTED.to_owned(),
            UNSUPPORTED.to_owned(),
            s("1970-01-01")
        ]
    );
    assert_eq!(
        of(TemporalOverflow::Null, &dates()),
        [NULL.to_owned(), NULL.to_owned(), s("1970-01-01")]
    );
    assert_eq!(
        of(TemporalOverflow::Raw, &dates()),
        [n("2147483647"), n("-719529"), s("1970-01-01")]
    );
    let digits = ColumnSpec {
        encode_as: Some(EncodeAs::Yyyymmdd),
        ..beyond_years(TemporalOverflow::Raw)
    };
    assert_eq!(
        mapped_by(digits, &dates()),
        [n("2147483647"), n("-719529"), n("19700101")]
    );
    let stamps = TimestampMicrosecondArray::from(vec![i64::MIN]).with_timezone("UTC");
    assert_eq!(
        of(TemporalOverflow::Raw, &stamps),
        [n("-9223372036854775808")]
    );
    // A time of day that is none has nothing to do with years.
    assert_eq!(
        of(TemporalOverflow::Null, &Time32SecondArray::from(vec![-1])),
        [UNSUPPORTED]
    );
    // A key of a map cannot be another type.
    let in_dictionary = DictionaryArray::<types::Int8Type>::new(
        Int8Array::from(vec![0]),
        Arc::new(Date32Array::from(vec![i32::MIN])),
    );
    assert_eq!(
        of(TemporalOverflow::Raw, &in_dictionary),
        [n("-2147483648")]
    );
}

#[test]
fn what_is_empty_stays_or_goes() {
    let texts = || StringArray::from(vec![Some(""), Some("x"), None]);
    let binary = || BinaryArray::from(vec![&b""[..]]);
    for (policy, text, bytes) in [
        (EmptyString::Keep, s(""), b("")),
        (EmptyString::Omit, OMITTED.to_owned(), OMITTED.to_owned()),
        (EmptyString::Null, NULL.to_owned(), NULL.to_owned()),
    ] {
        assert_eq!(
            mapped_by(empty(policy), &texts()),
            [text, s("x"), OMITTED.to_owned()]
        );
        assert_eq!(mapped_by(empty(policy), &binary()), [bytes]);
    }
}
