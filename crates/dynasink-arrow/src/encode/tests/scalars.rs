use arrow_array::*;
use arrow_buffer::i256;
use half::f16;

use super::*;

#[test]
fn integers_keep_every_digit() {
    assert_eq!(
        encoded(Int8Array::from(vec![i8::MIN, 0, i8::MAX])),
        [n("-128"), n("0"), n("127")]
    );
    assert_eq!(encoded(Int16Array::from(vec![i16::MIN])), [n("-32768")]);
    assert_eq!(
        encoded(Int32Array::from(vec![i32::MIN])),
        [n("-2147483648")]
    );
    assert_eq!(
        encoded(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        [
            n("-9223372036854775808"),
            OMITTED.to_owned(),
            n("9223372036854775807")
        ]
    );
    assert_eq!(encoded(UInt8Array::from(vec![u8::MAX])), [n("255")]);
    assert_eq!(encoded(UInt16Array::from(vec![u16::MAX])), [n("65535")]);
    assert_eq!(
        encoded(UInt32Array::from(vec![u32::MAX])),
        [n("4294967295")]
    );
    assert_eq!(
        encoded(UInt64Array::from(vec![u64::MAX])),
        [n("18446744073709551615")]
    );
}

#[test]
fn floats_have_their_own_shortest_text() {
    assert_eq!(
        encoded(Float16Array::from(vec![
            f16::from_f32(0.1),
            f16::MAX,
            f16::NAN
        ])),
        [n("0.099975586"), n("65504"), NOT_A_NUMBER.to_owned()]
    );
    assert_eq!(
        encoded(Float32Array::from(vec![
            0.1,
            f32::MIN_POSITIVE,
            f32::MAX,
            f32::INFINITY
        ])),
        [
            n("0.1"),
            n("1.1754944E-38"),
            n("3.4028235E+38"),
            NOT_A_NUMBER.to_owned()
        ]
    );
    assert_eq!(
        encoded(Float64Array::from(vec![
            -0.0,
            0.1,
            1e125,
            1e126,
            1e-130,
            5e-324,
            f64::NAN
        ])),
        [
            n("0"),
            n("0.1"),
            n("1E+125"),
            NOT_A_NUMBER.to_owned(),
            n("1E-130"),
            NOT_A_NUMBER.to_owned(),
            NOT_A_NUMBER.to_owned(),
        ]
    );
}

#[test]
fn decimals_are_exact_or_refused() {
    let small = Decimal32Array::from(vec![150, -1])
        .with_precision_and_scale(9, 2)
        .unwrap();
    assert_eq!(encoded(small), [n("1.5"), n("-0.01")]);
    let medium = Decimal64Array::from(vec![999_999_999_999_999_999]);
    let medium = medium.with_precision_and_scale(18, 0).unwrap();
    assert_eq!(encoded(medium), [n("999999999999999999")]);
    let nines = 10_i128.pow(38) - 1;
    let large = Decimal128Array::from(vec![nines, -nines, 0]);
    let large = large.with_precision_and_scale(38, 10).unwrap();
    // Canonical text turns to exponents at 1E21.
    let scientific = format!("9.{}E+27", "9".repeat(37));
    assert_eq!(
        encoded(large),
        [n(&scientific), n(&format!("-{scientific}")), n("0")]
    );
    let negative_scale = Decimal128Array::from(vec![7])
        .with_precision_and_scale(38, -3)
        .unwrap();
    assert_eq!(encoded(negative_scale), [n("7000")]);
    let wide = |text: &str| i256::from_string(text).unwrap();
    let widest = Decimal256Array::from(vec![
        wide(&"9".repeat(39)),
        wide(&format!("{}{}", "9".repeat(38), "0".repeat(30))),
    ]);
    let widest = widest.with_precision_and_scale(76, 0).unwrap();
    assert_eq!(
        encoded(widest),
        [
            NOT_A_NUMBER.to_owned(),
            n(&format!("9.{}E+67", "9".repeat(37)))
        ]
    );
}

#[test]
fn strings_of_every_layout_are_text() {
    let texts = || vec![Some("a\"b"), None, Some("")];
    let expected = [s("a\\\"b"), OMITTED.to_owned(), s("")];
    assert_eq!(encoded(StringArray::from(texts())), expected);
    assert_eq!(encoded(LargeStringArray::from(texts())), expected);
    assert_eq!(encoded(StringViewArray::from(texts())), expected);
}

#[test]
fn bytes_of_every_layout_are_binary() {
    let bytes = || vec![Some(b"\x00\xff".as_slice()), None];
    let expected = [r#"{"B":"AP8="}"#, OMITTED];
    assert_eq!(encoded(BinaryArray::from(bytes())), expected);
    assert_eq!(encoded(LargeBinaryArray::from(bytes())), expected);
    assert_eq!(encoded(BinaryViewArray::from(bytes())), expected);
    let fixed = FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes().into_iter(), 2);
    assert_eq!(encoded(fixed.unwrap()), expected);
}

#[test]
fn a_uuid_is_text_if_its_field_says_so() {
    let bytes: Vec<u8> = (0..16).map(|byte| byte * 0x11).collect();
    let uuids = || FixedSizeBinaryArray::try_from_iter([bytes.clone()].into_iter()).unwrap();
    assert_eq!(
        encoded_as(uuid_field(), Arc::new(uuids())),
        [s("00112233-4455-6677-8899-aabbccddeeff")]
    );
    assert_eq!(encoded(uuids()), [r#"{"B":"ABEiM0RVZneImaq7zN3u/w=="}"#]);
}

#[test]
fn booleans_and_nulls() {
    assert_eq!(
        encoded(BooleanArray::from(vec![Some(true), Some(false), None])),
        [r#"{"BOOL":true}"#, r#"{"BOOL":false}"#, OMITTED]
    );
    assert_eq!(encoded(NullArray::new(2)), [OMITTED, OMITTED]);
}

#[test]
fn dates_have_four_digit_years() {
    assert_eq!(
        encoded(Date32Array::from(vec![
            0, -1, -719_528, -719_529, 2_932_896, 2_932_897
        ])),
        [
            s("1970-01-01"),
            s("1969-12-31"),
            s("0000-01-01"),
            UNSUPPORTED.to_owned(),
            s("9999-12-31"),
            UNSUPPORTED.to_owned(),
        ]
    );
    // What DuckDB writes for infinity.
    assert_eq!(
        encoded(Date32Array::from(vec![i32::MAX, -i32::MAX, i32::MIN])),
        [UNSUPPORTED; 3]
    );
    assert_eq!(
        encoded(Date64Array::from(vec![
            86_400_000,
            -86_400_000,
            86_400_001,
            -1,
            i64::MAX,
            i64::MIN
        ])),
        [
            s("1970-01-02"),
            s("1969-12-31"),
            s("1970-01-02T00:00:00.001"),
            s("1969-12-31T23:59:59.999"),
            UNSUPPORTED.to_owned(),
            UNSUPPORTED.to_owned(),
        ]
    );
}

#[test]
fn times_have_a_fraction_as_wide_as_their_unit() {
    assert_eq!(
        encoded(Time32SecondArray::from(vec![0, 86_399, 86_400, -1])),
        [
            s("00:00:00"),
            s("23:59:59"),
            UNSUPPORTED.to_owned(),
            UNSUPPORTED.to_owned()
        ]
    );
    assert_eq!(
        encoded(Time32MillisecondArray::from(vec![5])),
        [s("00:00:00.005")]
    );
    assert_eq!(
        encoded(Time64MicrosecondArray::from(vec![3_600_000_001])),
        [s("01:00:00.000001")]
    );
    assert_eq!(
        encoded(Time64NanosecondArray::from(vec![
            86_399_999_999_999,
            i64::MAX
        ])),
        [s("23:59:59.999999999"), UNSUPPORTED.to_owned()]
    );
}

#[test]
fn timestamps_sort_as_text_and_say_whether_they_are_utc() {
    assert_eq!(
        encoded(TimestampSecondArray::from(vec![
            0,
            -62_167_219_200,
            253_402_300_799
        ])),
        [
            s("1970-01-01T00:00:00"),
            s("0000-01-01T00:00:00"),
            s("9999-12-31T23:59:59")
        ]
    );
    assert_eq!(
        encoded(TimestampSecondArray::from(vec![
            -62_167_219_201,
            253_402_300_800,
            i64::MIN,
            i64::MAX
        ])),
        [UNSUPPORTED; 4]
    );
    assert_eq!(
        encoded(TimestampMillisecondArray::from(vec![-1]).with_timezone("UTC")),
        [s("1969-12-31T23:59:59.999Z")]
    );
    // The instant counts; the zone is how others show it.
    assert_eq!(
        encoded(TimestampMicrosecondArray::from(vec![1]).with_timezone("America/New_York")),
        [s("1970-01-01T00:00:00.000001Z")]
    );
    assert_eq!(
        encoded(TimestampNanosecondArray::from(vec![i64::MIN, i64::MAX])),
        [
            s("1677-09-21T00:12:43.145224192"),
            s("2262-04-11T23:47:16.854775807")
        ]
    );
}

#[test]
fn durations_are_exact_seconds() {
    assert_eq!(
        encoded(DurationSecondArray::from(vec![i64::MAX])),
        [n("9223372036854775807")]
    );
    assert_eq!(
        encoded(DurationMillisecondArray::from(vec![-1_500])),
        [n("-1.5")]
    );
    assert_eq!(
        encoded(DurationMicrosecondArray::from(vec![1])),
        [n("0.000001")]
    );
    assert_eq!(encoded(DurationNanosecondArray::from(vec![1])), [n("1E-9")]);
}

#[test]
fn a_slice_is_read_from_its_own_start() {
    let numbers = Int64Array::from(vec![Some(1), Some(2), None, Some(4)]);
    assert_eq!(encoded(numbers.slice(1, 2)), [n("2"), OMITTED.to_owned()]);
    let texts = StringArray::from(vec![Some("a"), None, Some("c")]);
    assert_eq!(encoded(texts.slice(2, 1)), [s("c")]);
    let fixed = FixedSizeBinaryArray::try_from_iter([[1_u8], [2], [3]].into_iter()).unwrap();
    assert_eq!(encoded(fixed.slice(2, 1)), [r#"{"B":"Aw=="}"#]);
    let bools = BooleanArray::from(vec![true, false, true]);
    assert_eq!(encoded(bools.slice(1, 1)), [r#"{"BOOL":false}"#]);
}
