//! Integers that count from 1970 as timestamps.

use arrow_array::*;

use super::*;
use crate::mapping::spec::TemporalOverflow;

fn refused() -> String {
    UNSUPPORTED.to_owned()
}

#[test]
fn integers_that_count_from_1970_are_also_iso_in_utc() {
    let counts = Int64Array::from(vec![Some(1_359_590_400), Some(-1), None]);
    for (word, first, second) in [
        (
            EncodeAs::IsoOfEpochS,
            "2013-01-31T00:00:00Z",
            "1969-12-31T23:59:59Z",
        ),
        (
            EncodeAs::IsoOfEpochMs,
            "1970-01-16T17:39:50.400Z",
            "1969-12-31T23:59:59.999Z",
        ),
        (
            EncodeAs::IsoOfEpochUs,
            "1970-01-01T00:22:39.590400Z",
            "1969-12-31T23:59:59.999999Z",
        ),
        (
            EncodeAs::IsoOfEpochNs,
            "1970-01-01T00:00:01.359590400Z",
            "1969-12-31T23:59:59.999999999Z",
        ),
    ] {
        assert_eq!(
            written_as(word, &counts),
            [s(first), s(second), OMITTED.to_owned()],
            "{word}"
        );
    }
    let midnight = s("1970-01-01T00:00:00Z");
    for data_type in [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
    ] {
        let zero = arrow_cast::cast(&Int64Array::from(vec![0]), &data_type).unwrap();
        assert_eq!(
            written_as(EncodeAs::IsoOfEpochS, &zero),
            [midnight.as_str()],
            "{data_type}"
        );
    }
    let packed = DictionaryArray::<types::Int8Type>::new(
        Int8Array::from(vec![0]),
        Arc::new(UInt32Array::from(vec![0])),
    );
    assert_eq!(written_as(EncodeAs::IsoOfEpochS, &packed), [midnight]);
}

#[test]
fn an_integer_whose_year_has_not_four_digits_is_as_a_timestamp() {
    let counts = Int64Array::from(vec![
        253_402_300_799,
        253_402_300_800,
        -62_167_219_200,
        -62_167_219_201,
    ]);
    let of = |overflow| {
        let column = ColumnSpec {
            encode_as: Some(EncodeAs::IsoOfEpochS),
            ..policies(Policies {
                temporal_overflow: Some(overflow),
                ..Policies::default()
            })
        };
        mapped_by(column, &counts)
    };
    let within = |above: String, below: String| {
        [
            s("9999-12-31T23:59:59Z"),
            above,
            s("0000-01-01T00:00:00Z"),
            below,
        ]
    };
    assert_eq!(of(TemporalOverflow::Error), within(refused(), refused()));
    assert_eq!(
        of(TemporalOverflow::Null),
        within(NULL.to_owned(), NULL.to_owned())
    );
    assert_eq!(
        of(TemporalOverflow::Raw),
        within(n("253402300800"), n("-62167219201"))
    );
    // More than a timestamp can count is refused whatever is said of years.
    let widest = UInt64Array::from(vec![9_223_372_036_854_775_807, 9_223_372_036_854_775_808]);
    let column = ColumnSpec {
        encode_as: Some(EncodeAs::IsoOfEpochNs),
        ..policies(Policies {
            temporal_overflow: Some(TemporalOverflow::Raw),
            ..Policies::default()
        })
    };
    assert_eq!(
        mapped_by(column, &widest),
        [s("2262-04-11T23:47:16.854775807Z"), refused()]
    );
}
