//! Dates, times, timestamps and durations by every word that they have.

use arrow_array::*;

use super::*;
use crate::mapping::spec::{Defaults, TemporalOverflow, Timestamps};

fn in_zone(zone: &str, word: Option<EncodeAs>) -> ColumnSpec {
    ColumnSpec {
        encode_as: word,
        assume_zone: Some(zone.to_owned()),
        ..ColumnSpec::default()
    }
}

fn refused() -> String {
    UNSUPPORTED.to_owned()
}

#[test]
fn dates_are_also_numbers() {
    let dates = Date32Array::from(vec![Some(15_736), Some(-1), None, Some(i32::MAX)]);
    let omitted = || OMITTED.to_owned();
    assert_eq!(
        written_as(EncodeAs::EpochDays, &dates),
        [n("15736"), n("-1"), omitted(), n("2147483647")]
    );
    assert_eq!(
        written_as(EncodeAs::EpochS, &dates),
        [
            n("1359590400"),
            n("-86400"),
            omitted(),
            n("185542587100800")
        ]
    );
    assert_eq!(
        written_as(EncodeAs::EpochMs, &dates.slice(1, 1)),
        [n("-86400000")]
    );
    assert_eq!(
        written_as(EncodeAs::EpochNs, &dates.slice(3, 1)),
        [n("1.855425871008E+23")]
    );
    assert_eq!(
        written_as(EncodeAs::Yyyymmdd, &dates),
        [n("20130131"), n("19691231"), omitted(), refused()]
    );
    assert_eq!(
        written_as(EncodeAs::Yyyymmdd, &Date32Array::from(vec![-719_528])),
        [n("101")]
    );
    assert_eq!(written_as(EncodeAs::Raw, &dates.slice(0, 1)), [n("15736")]);
    assert_eq!(
        written_as(EncodeAs::S, &dates.slice(0, 1)),
        [s("2013-01-31")]
    );
    let fine = Date64Array::from(vec![86_400_000, 86_400_001]);
    assert_eq!(written_as(EncodeAs::EpochDays, &fine), [n("1"), refused()]);
    assert_eq!(
        written_as(EncodeAs::Yyyymmdd, &fine),
        [n("19700102"), refused()]
    );
    assert_eq!(
        written_as(EncodeAs::EpochMs, &fine),
        [n("86400000"), n("86400001")]
    );
    assert_eq!(
        written_as(EncodeAs::EpochS, &fine),
        [n("86400"), n("86400")]
    );
}

#[test]
fn times_are_also_numbers() {
    let times = Time32MillisecondArray::from(vec![1_500, 0, 86_400_000, -1]);
    assert_eq!(
        written_as(EncodeAs::Seconds, &times),
        [n("1.5"), n("0"), refused(), refused()]
    );
    assert_eq!(
        written_as(EncodeAs::Raw, &times),
        [n("1500"), n("0"), n("86400000"), n("-1")]
    );
    assert_eq!(
        written_as(EncodeAs::Seconds, &Time64NanosecondArray::from(vec![1])),
        [n("1E-9")]
    );
    assert_eq!(
        written_as(EncodeAs::S, &Time32SecondArray::from(vec![19_000])),
        [s("05:16:40")]
    );
}

#[test]
fn timestamps_are_also_numbers_of_whole_units() {
    let nanos = TimestampNanosecondArray::from(vec![
        Some(1_500_000_000),
        Some(-1),
        None,
        Some(1_000),
        Some(1_000_000),
    ]);
    let omitted = || OMITTED.to_owned();
    assert_eq!(
        written_as(EncodeAs::EpochS, &nanos),
        [n("1"), n("-1"), omitted(), n("0"), n("0")]
    );
    assert_eq!(
        written_as(EncodeAs::EpochSFraction, &nanos),
        [n("1.5"), n("-1E-9"), omitted(), n("0.000001"), n("0.001")]
    );
    assert_eq!(
        written_as(EncodeAs::EpochMs, &nanos),
        [n("1500"), refused(), omitted(), refused(), n("1")]
    );
    assert_eq!(
        written_as(EncodeAs::EpochUs, &nanos),
        [n("1500000"), refused(), omitted(), n("1"), n("1000")]
    );
    assert_eq!(
        written_as(EncodeAs::EpochNs, &nanos),
        [n("1500000000"), n("-1"), omitted(), n("1000"), n("1000000")]
    );
    assert_eq!(
        written_as(EncodeAs::Raw, &nanos.slice(1, 2)),
        [n("-1"), omitted()]
    );
    // Seconds of any age become finer without an overflow.
    let seconds = TimestampSecondArray::from(vec![i64::MAX, i64::MIN]);
    assert_eq!(
        written_as(EncodeAs::EpochNs, &seconds),
        [
            n("9.223372036854775807E+27"),
            n("-9.223372036854775808E+27")
        ]
    );
    let millis = TimestampMillisecondArray::from(vec![1]).with_timezone("+02:00");
    assert_eq!(written_as(EncodeAs::EpochUs, &millis), [n("1000")]);
}

#[test]
fn timestamps_can_be_numbers_by_default() {
    let by_default = |timestamps| MappingSpec {
        defaults: Defaults {
            timestamps,
            ..Defaults::default()
        },
        ..MappingSpec::default()
    };
    let stamp = TimestampMicrosecondArray::from(vec![1_000_000]);
    for (timestamps, expected) in [
        (Timestamps::Iso, s("1970-01-01T00:00:01.000000")),
        (Timestamps::EpochS, n("1")),
        (Timestamps::EpochMs, n("1000")),
        (Timestamps::EpochUs, n("1000000")),
        (Timestamps::EpochNs, n("1000000000")),
    ] {
        assert_eq!(mapped(&by_default(timestamps), &stamp), [expected]);
    }
    let date = Date32Array::from(vec![1]);
    assert_eq!(
        mapped(&by_default(Timestamps::EpochMs), &date),
        [n("86400000")]
    );
    // A time of day is none since 1970.
    let time = Time32SecondArray::from(vec![1]);
    assert_eq!(
        mapped(&by_default(Timestamps::EpochS), &time),
        [s("00:00:01")]
    );
}

#[test]
fn a_timestamp_of_a_zone_shows_its_own_offset() {
    let zoned = |array: TimestampMillisecondArray, zone: &str| {
        written_as(EncodeAs::Zoned, &array.with_timezone(zone))
    };
    let summer_and_winter = || {
        TimestampMillisecondArray::from(vec![
            Some(1_720_000_000_123),
            Some(1_735_689_599_999),
            None,
        ])
    };
    assert_eq!(
        zoned(summer_and_winter(), "America/New_York"),
        [
            s("2024-07-03T05:46:40.123-04:00"),
            s("2024-12-31T18:59:59.999-05:00"),
            OMITTED.to_owned()
        ]
    );
    assert_eq!(
        zoned(summer_and_winter().slice(0, 1), "+05:30"),
        [s("2024-07-03T15:16:40.123+05:30")]
    );
    assert_eq!(
        zoned(summer_and_winter().slice(0, 1), "UTC"),
        [s("2024-07-03T09:46:40.123+00:00")]
    );
    // The year is that of the zone, and before 1883 New York was behind by 4:56:02.
    let ends = TimestampMillisecondArray::from(vec![253_402_300_799_000]);
    assert_eq!(zoned(ends, "+01:00"), [refused()]);
    let old = TimestampMillisecondArray::from(vec![-2_800_000_000_000]);
    assert_eq!(zoned(old, "America/New_York"), [refused()]);
    let far = TimestampMillisecondArray::from(vec![i64::MAX, i64::MIN]);
    assert_eq!(zoned(far, "America/New_York"), [refused(), refused()]);
}

#[test]
fn a_local_timestamp_becomes_utc_by_the_zone_that_it_is_in() {
    // 2024-03-31 01:30, 02:30 (left out), 2024-10-27 02:30 (twice) and 12:00.
    let local = TimestampSecondArray::from(vec![
        Some(1_711_848_600),
        Some(1_711_852_200),
        Some(1_729_996_200),
        Some(1_730_030_400),
        None,
    ]);
    let omitted = || OMITTED.to_owned();
    assert_eq!(
        mapped_by(in_zone("Europe/Berlin", None), &local),
        [
            s("2024-03-31T00:30:00Z"),
            refused(),
            refused(),
            s("2024-10-27T11:00:00Z"),
            omitted()
        ]
    );
    assert_eq!(
        mapped_by(in_zone("Europe/Berlin", Some(EncodeAs::EpochS)), &local),
        [
            n("1711845000"),
            refused(),
            refused(),
            n("1730026800"),
            omitted()
        ]
    );
    assert_eq!(
        mapped_by(in_zone("Europe/Berlin", Some(EncodeAs::Zoned)), &local),
        [
            s("2024-03-31T01:30:00+01:00"),
            refused(),
            refused(),
            s("2024-10-27T12:00:00+01:00"),
            omitted()
        ]
    );
    assert_eq!(
        mapped_by(in_zone("-01:30", None), &local.slice(1, 1)),
        [s("2024-03-31T04:00:00Z")]
    );
    assert_eq!(
        mapped_by(
            in_zone("+01:00", None),
            &TimestampSecondArray::from(vec![i64::MIN])
        ),
        [refused()]
    );
}

#[test]
fn a_zone_must_be_one_and_be_needed() {
    let naive = DataType::Timestamp(arrow_schema::TimeUnit::Second, None);
    let utc = DataType::Timestamp(arrow_schema::TimeUnit::Second, Some("UTC".into()));
    let unknown = DataType::Timestamp(arrow_schema::TimeUnit::Second, Some("Mars".into()));
    for (column, data_type) in [
        (in_zone("Berlin", None), &naive),
        (in_zone("Europe/Berlin", None), &utc),
        (in_zone("Europe/Berlin", None), &DataType::Date32),
        (by(EncodeAs::Zoned), &naive),
    ] {
        let error = encoding(&mapping_of(column), data_type).unwrap_err();
        assert!(
            matches!(&error, Error::ColumnOption { option: "assume_zone", column, .. } if column == "v"),
            "{error}"
        );
    }
    assert!(matches!(
        encoding(&mapping_of(by(EncodeAs::Zoned)), &unknown),
        Err(Error::UnsupportedType { .. })
    ));
}

#[test]
fn a_coarser_unit_has_the_digits_of_the_mapping() {
    let spec = MappingSpec::default();
    let nanos = DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, None);
    let encoding = encoding(&spec, &nanos).unwrap();
    let millis = TimestampMillisecondArray::from(vec![1_500]);
    let text = attributes(&encoding, &millis).remove(0).unwrap();
    assert_eq!(text, s("1970-01-01T00:00:01.500000000"));
    let utc = TimestampMillisecondArray::from(vec![1_500]).with_timezone("UTC");
    assert!(Column::new(&utc, &encoding).is_none());
}

#[test]
fn what_is_stored_is_of_one_unit() {
    let nanos = DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, None);
    let raw = encoding(&mapping_of(by(EncodeAs::Raw)), &nanos).unwrap();
    assert!(Column::new(&TimestampMillisecondArray::from(vec![1]), &raw).is_none());
    assert!(Column::new(&TimestampNanosecondArray::from(vec![1]), &raw).is_some());
    let beyond = policies(Policies {
        temporal_overflow: Some(TemporalOverflow::Raw),
        ..Policies::default()
    });
    let encoding = encoding(&mapping_of(beyond), &nanos).unwrap();
    let seconds = TimestampSecondArray::from(vec![i64::MAX]);
    let refused = attributes(&encoding, &seconds).remove(0).unwrap_err();
    assert_eq!(refused.reason().code(), UNSUPPORTED);
}

#[test]
fn durations_are_also_raw_and_iso() {
    let millis = DurationMillisecondArray::from(vec![1_500, -1_500, 0, 7_000, -1]);
    assert_eq!(
        written_as(EncodeAs::Iso, &millis),
        [
            s("PT1.5S"),
            s("PT-1.5S"),
            s("PT0S"),
            s("PT7S"),
            s("PT-0.001S")
        ]
    );
    assert_eq!(
        written_as(EncodeAs::Raw, &millis.slice(0, 2)),
        [n("1500"), n("-1500")]
    );
    for word in [EncodeAs::Seconds, EncodeAs::N] {
        assert_eq!(written_as(word, &millis.slice(0, 2)), [n("1.5"), n("-1.5")]);
    }
    assert_eq!(written_as(EncodeAs::S, &millis.slice(0, 1)), [s("1.5")]);
    assert_eq!(
        written_as(
            EncodeAs::Iso,
            &DurationNanosecondArray::from(vec![i64::MIN])
        ),
        [s("PT-9223372036.854775808S")]
    );
    assert_eq!(
        written_as(EncodeAs::Iso, &DurationSecondArray::from(vec![i64::MIN])),
        [s("PT-9223372036854775808S")]
    );
}
