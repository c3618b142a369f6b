//! Every type by every word: those that fit are written, the others are refused before the first row.

use arrow_array::*;
use arrow_schema::{IntervalUnit, TimeUnit, UnionFields, UnionMode};
use dynasink_core::ValueKind;

use super::*;
use crate::encode::words_for;
use crate::mapping::spec::{NumberOverflow, TemporalOverflow};

const WORDS: [EncodeAs; 40] = [
    EncodeAs::S,
    EncodeAs::N,
    EncodeAs::B,
    EncodeAs::Bool,
    EncodeAs::Ss,
    EncodeAs::Ns,
    EncodeAs::Bs,
    EncodeAs::L,
    EncodeAs::M,
    EncodeAs::Null,
    EncodeAs::Set,
    EncodeAs::Iso,
    EncodeAs::IsoOfEpochS,
    EncodeAs::IsoOfEpochMs,
    EncodeAs::IsoOfEpochUs,
    EncodeAs::IsoOfEpochNs,
    EncodeAs::Zoned,
    EncodeAs::EpochS,
    EncodeAs::EpochSFraction,
    EncodeAs::EpochMs,
    EncodeAs::EpochUs,
    EncodeAs::EpochNs,
    EncodeAs::EpochDays,
    EncodeAs::Yyyymmdd,
    EncodeAs::Seconds,
    EncodeAs::Raw,
    EncodeAs::Scaled,
    EncodeAs::F64,
    EncodeAs::Decimal,
    EncodeAs::Uuid,
    EncodeAs::Hex,
    EncodeAs::Base64,
    EncodeAs::FromHex,
    EncodeAs::FromBase64,
    EncodeAs::Json,
    EncodeAs::Document,
    EncodeAs::DynamodbJson,
    EncodeAs::Packed,
    EncodeAs::Entries,
    EncodeAs::Tagged,
];

fn types() -> Vec<DataType> {
    use DataType as D;
    let units = [
        TimeUnit::Second,
        TimeUnit::Millisecond,
        TimeUnit::Microsecond,
        TimeUnit::Nanosecond,
    ];
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    let mut types = vec![
        D::Null,
        D::Boolean,
        D::Int8,
        D::Int16,
        D::Int32,
        D::Int64,
        D::UInt8,
        D::UInt16,
        D::UInt32,
        D::UInt64,
        D::Float16,
        D::Float32,
        D::Float64,
        D::Decimal32(9, 2),
        D::Decimal64(18, -2),
        D::Decimal128(38, 38),
        D::Decimal256(76, 10),
        D::Utf8,
        D::LargeUtf8,
        D::Utf8View,
        D::Binary,
        D::LargeBinary,
        D::BinaryView,
        D::FixedSizeBinary(3),
        D::FixedSizeBinary(16),
        D::Date32,
        D::Date64,
        D::Time32(TimeUnit::Second),
        D::Time32(TimeUnit::Millisecond),
        D::Time64(TimeUnit::Microsecond),
        D::Time64(TimeUnit::Nanosecond),
        D::List(item(D::Utf8)),
        D::LargeList(item(D::Int64)),
        D::FixedSizeList(item(D::Float32), 2),
        D::ListView(item(D::Binary)),
        D::LargeListView(item(D::Decimal128(10, 2))),
        D::Struct(vec![Field::new("a", D::Int64, true)].into()),
        D::Map(
            Arc::new(Field::new(
                "entries",
                D::Struct(
                    vec![
                        Field::new("key", D::Utf8, false),
                        Field::new("value", D::Int64, true),
                    ]
                    .into(),
                ),
                false,
            )),
            false,
        ),
        D::Interval(IntervalUnit::YearMonth),
        D::Interval(IntervalUnit::DayTime),
        D::Interval(IntervalUnit::MonthDayNano),
        D::Dictionary(Box::new(D::Int8), Box::new(D::Utf8)),
        D::RunEndEncoded(
            Arc::new(Field::new("run_ends", D::Int32, false)),
            Arc::new(Field::new("values", D::Date32, true)),
        ),
    ];
    for unit in units {
        types.push(D::Timestamp(unit, None));
        types.push(D::Timestamp(unit, Some("Europe/Berlin".into())));
        types.push(D::Duration(unit));
    }
    types
}

/// What goes with `word` so that it can be written.
fn complete(word: EncodeAs, data_type: &DataType) -> ColumnSpec {
    let is_text = words_for(data_type).contains(&EncodeAs::FromHex);
    let naive = matches!(data_type, DataType::Timestamp(_, None));
    ColumnSpec {
        scale: (word == EncodeAs::Decimal).then_some(2),
        separator: (word == EncodeAs::Ss && is_text).then(|| ",".to_owned()),
        assume_zone: (word == EncodeAs::Zoned && naive).then(|| "Asia/Tokyo".to_owned()),
        policies: Policies {
            number_overflow: Some(NumberOverflow::Error),
            temporal_overflow: Some(TemporalOverflow::Error),
            ..Policies::default()
        },
        ..by(word)
    }
}

/// Values of a type: nulls, and whatever the bytes of small numbers are in it.
fn samples(data_type: &DataType) -> ArrayRef {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(0), Some(1), Some(100)]));
    arrow_cast::cast(&numbers, data_type).unwrap_or_else(|_| new_null_array(data_type, 3))
}

#[test]
fn the_words_that_fit_are_those_of_the_table() {
    for data_type in types() {
        let array = samples(&data_type);
        for word in WORDS {
            let spec = mapping_of(complete(word, &data_type));
            let planned = encoding(&spec, &data_type);
            if !words_for(&data_type).contains(&word) {
                let error = planned.unwrap_err();
                assert!(
                    matches!(&error, Error::UnfitWord { column, .. } if column == "v"),
                    "{data_type} as {word}: {error}"
                );
                continue;
            }
            let set_of_other = matches!(word, EncodeAs::Ns | EncodeAs::Bs);
            if set_of_other && matches!(planned, Err(Error::UnfitWord { .. })) {
                continue;
            }
            let encoding = planned.unwrap_or_else(|error| panic!("{data_type} as {word}: {error}"));
            if matches!(word, EncodeAs::Document | EncodeAs::DynamodbJson) {
                // What a text says can be of any type.
                continue;
            }
            let kind = format!(r#"{{"{}":"#, encoding.kind().descriptor());
            for attribute in attributes(&encoding, &array).into_iter().flatten() {
                assert!(
                    attribute == OMITTED || attribute.starts_with(&kind),
                    "{data_type} as {word}: {attribute}"
                );
            }
        }
    }
}

#[test]
fn the_first_word_is_the_default() {
    for data_type in types() {
        let Some(word) = words_for(&data_type).first() else {
            panic!("{data_type} cannot be written");
        };
        let array = samples(&data_type);
        if data_type == DataType::Null {
            continue;
        }
        assert_eq!(
            mapped(&MappingSpec::default(), &array),
            mapped_by(by(*word), &array),
            "{data_type} as {word}"
        );
    }
}

#[test]
fn every_word_has_one_name() {
    let names: std::collections::HashSet<String> = WORDS.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), WORDS.len());
}

#[test]
fn what_goes_with_another_word_is_refused() {
    for (column, option) in [
        (by(EncodeAs::Decimal), "scale"),
        (
            ColumnSpec {
                scale: Some(2),
                ..by(EncodeAs::N)
            },
            "scale",
        ),
        (
            ColumnSpec {
                scale: Some(2),
                ..ColumnSpec::default()
            },
            "scale",
        ),
        (
            ColumnSpec {
                separator: Some(",".to_owned()),
                ..ColumnSpec::default()
            },
            "separator",
        ),
    ] {
        let error = encoding(&mapping_of(column), &DataType::Int64).unwrap_err();
        assert!(
            matches!(&error, Error::ColumnOption { option: found, .. } if *found == option),
            "{error}"
        );
    }
}

#[test]
fn a_word_that_does_not_fit_is_told_with_those_that_do() {
    let mut spec = MappingSpec::default();
    spec.columns
        .insert("/v/price".to_owned(), by(EncodeAs::EpochS));
    let fields = vec![Field::new("price", DataType::Float64, true)];
    let error = encoding(&spec, &DataType::Struct(fields.into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"v.price\" has the Arrow type Float64, which cannot be written as epoch_s: the words that fit are N, S, decimal, BOOL, json, NULL"
    );
}

#[test]
fn a_type_of_no_value_is_refused() {
    let union = DataType::Union(UnionFields::empty(), UnionMode::Dense);
    assert!(matches!(
        encoding(&MappingSpec::default(), &union),
        Err(Error::UnsupportedType { .. })
    ));
    let null = encoding(&mapping_of(by(EncodeAs::Null)), &union).unwrap();
    assert_eq!(null.kind(), ValueKind::Null);
}
