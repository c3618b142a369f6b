//! Columns as keys of tables and indexes.

use arrow_array::*;
use arrow_schema::TimeUnit;

use super::*;
use crate::mapping::spec::{EmptyString, Nonfinite, Nulls, NumberOverflow, Timestamps};

/// The values as a key of this type, if they can be that.
fn keys(spec: &MappingSpec, array: &dyn Array, key_type: KeyType) -> Option<Vec<String>> {
    let field = Field::new("v", array.data_type().clone(), true);
    let encoding = Encoding::new(&ValuePath::column(spec, "v"), &field).unwrap();
    let key = encoding.for_key(&field, key_type)?;
    let attributes = attributes(&key, array).into_iter();
    Some(
        attributes
            .map(|attribute| attribute.unwrap_or_else(|error| error.reason().code().to_owned()))
            .collect(),
    )
}

fn by_default(array: &dyn Array, key_type: KeyType) -> Option<Vec<String>> {
    keys(&MappingSpec::default(), array, key_type)
}

#[test]
fn a_key_is_what_it_is_or_its_canonical_text() {
    let ints = Int64Array::from(vec![7]);
    assert_eq!(by_default(&ints, KeyType::N), Some(vec![n("7")]));
    assert_eq!(by_default(&ints, KeyType::S), Some(vec![s("7")]));
    assert_eq!(by_default(&ints, KeyType::B), None);
    let decimals = Decimal128Array::from(vec![150])
        .with_precision_and_scale(10, 2)
        .unwrap();
    assert_eq!(by_default(&decimals, KeyType::S), Some(vec![s("1.5")]));
    assert_eq!(by_default(&decimals, KeyType::N), Some(vec![n("1.5")]));
    let dates = Date32Array::from(vec![1]);
    assert_eq!(by_default(&dates, KeyType::S), Some(vec![s("1970-01-02")]));
    assert_eq!(by_default(&dates, KeyType::N), None);
    let texts = StringArray::from(vec!["a"]);
    assert_eq!(by_default(&texts, KeyType::S), Some(vec![s("a")]));
    assert_eq!(by_default(&texts, KeyType::N), None);
    assert_eq!(by_default(&texts, KeyType::B), None);
    let binary = BinaryArray::from(vec![&b"a"[..]]);
    assert_eq!(by_default(&binary, KeyType::B), Some(vec![b("YQ==")]));
    assert_eq!(by_default(&binary, KeyType::S), None);
}

#[test]
fn a_float_is_a_number_and_no_text_unless_that_is_said() {
    let floats = Float64Array::from(vec![1.5, f64::NAN]);
    assert_eq!(
        by_default(&floats, KeyType::N),
        Some(vec![n("1.5"), NOT_A_NUMBER.to_owned()])
    );
    assert_eq!(by_default(&floats, KeyType::S), None);
    assert_eq!(
        keys(&mapping_of(by(EncodeAs::S)), &floats, KeyType::S),
        Some(vec![s("1.5"), NOT_A_NUMBER.to_owned()])
    );
    let bools = BooleanArray::from(vec![true]);
    assert_eq!(by_default(&bools, KeyType::S), None);
    assert_eq!(by_default(&bools, KeyType::N), None);
    assert_eq!(
        keys(&mapping_of(by(EncodeAs::N)), &bools, KeyType::N),
        Some(vec![n("1")])
    );
    // A word is not overruled by what the key wants.
    assert_eq!(keys(&mapping_of(by(EncodeAs::N)), &bools, KeyType::S), None);
}

#[test]
fn a_uuid_is_text_or_bytes() {
    let array = FixedSizeBinaryArray::try_from_iter([[0_u8; 16]].into_iter()).unwrap();
    let spec = MappingSpec::default();
    let encoding = Encoding::new(&ValuePath::column(&spec, "v"), &uuid_field()).unwrap();
    let key = |key_type| {
        let key = encoding.for_key(&uuid_field(), key_type)?;
        Some(attributes(&key, &array).remove(0).unwrap())
    };
    assert_eq!(
        key(KeyType::S),
        Some(s("00000000-0000-0000-0000-000000000000"))
    );
    assert_eq!(key(KeyType::B), Some(b("AAAAAAAAAAAAAAAAAAAAAA==")));
    assert_eq!(key(KeyType::N), None);
}

#[test]
fn seconds_by_default_are_no_key_of_finer_timestamps() {
    let mut spec = MappingSpec::default();
    spec.defaults.timestamps = Timestamps::EpochS;
    let millis = TimestampMillisecondArray::from(vec![1_500]).with_timezone("UTC");
    let seconds = TimestampSecondArray::from(vec![1]);
    assert_eq!(keys(&spec, &millis, KeyType::N), None);
    assert_eq!(keys(&spec, &seconds, KeyType::N), Some(vec![n("1")]));
    assert_eq!(
        keys(&spec, &millis, KeyType::S),
        Some(vec![s("1970-01-01T00:00:01.500Z")])
    );
    assert_eq!(
        keys(&mapping_of(by(EncodeAs::EpochS)), &millis, KeyType::N),
        Some(vec![n("1")])
    );
    spec.defaults.timestamps = Timestamps::EpochMs;
    assert_eq!(keys(&spec, &millis, KeyType::N), Some(vec![n("1500")]));
    // The zone that a local time is in counts for its text too.
    let berlin = ColumnSpec {
        assume_zone: Some("+01:00".to_owned()),
        ..ColumnSpec::default()
    };
    spec.columns.insert("v".to_owned(), berlin);
    assert_eq!(
        keys(&spec, &seconds, KeyType::S),
        Some(vec![s("1969-12-31T23:00:01Z")])
    );
    let time = DataType::Time32(TimeUnit::Second);
    let encoding = encoding(&MappingSpec::default(), &time).unwrap();
    let field = Field::new("v", time, true);
    assert!(encoding.for_key(&field, KeyType::S).is_some());
}

#[test]
fn a_union_is_no_key() {
    let types = arrow_schema::UnionFields::from_fields([
        Field::new("text", DataType::Utf8, true),
        Field::new("date", DataType::Date32, true),
    ]);
    let union = DataType::Union(types, arrow_schema::UnionMode::Dense);
    let encoding = encoding(&MappingSpec::default(), &union).unwrap();
    let field = Field::new("v", union, true);
    assert_eq!(encoding.kind(), dynasink_core::ValueKind::S);
    assert!(encoding.for_key(&field, KeyType::S).is_none());
}

#[test]
fn a_key_is_never_null_nor_rounded_nor_of_another_type() {
    let spec = |policies| {
        let mut spec = MappingSpec::default();
        spec.defaults.policies = policies;
        spec
    };
    let nulls = spec(Policies {
        nulls: Some(Nulls::Null),
        empty_string: Some(EmptyString::Null),
        nonfinite: Some(Nonfinite::Null),
        number_overflow: Some(NumberOverflow::Round),
        ..Policies::default()
    });
    let omitted = || OMITTED.to_owned();
    assert_eq!(
        keys(&nulls, &StringArray::from(vec![None, Some("")]), KeyType::S),
        Some(vec![omitted(), omitted()])
    );
    assert_eq!(
        keys(&nulls, &Float64Array::from(vec![f64::NAN]), KeyType::N),
        Some(vec![omitted()])
    );
    let long = arrow_buffer::i256::from_string(&"1".repeat(39)).unwrap();
    let wide = Decimal256Array::from_iter_values([long])
        .with_precision_and_scale(76, 0)
        .unwrap();
    assert_eq!(
        keys(&nulls, &wide, KeyType::N),
        Some(vec![NOT_A_NUMBER.to_owned()])
    );
    let named = spec(Policies {
        nonfinite: Some(Nonfinite::String),
        ..Policies::default()
    });
    assert_eq!(
        keys(&named, &Float64Array::from(vec![f64::NAN]), KeyType::N),
        Some(vec![NOT_A_NUMBER.to_owned()])
    );
}
