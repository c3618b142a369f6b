//! Booleans, integers, floats and decimals by every word that they have.

use arrow_array::*;
use arrow_buffer::i256;
use half::f16;

use super::*;

fn decimal_to(scale: i8) -> ColumnSpec {
    ColumnSpec {
        scale: Some(scale),
        ..by(EncodeAs::Decimal)
    }
}

fn decimals(values: Vec<i128>, precision: u8, scale: i8) -> Decimal128Array {
    Decimal128Array::from(values)
        .with_precision_and_scale(precision, scale)
        .unwrap()
}

fn wide(texts: &[&str], scale: i8) -> Decimal256Array {
    let values = texts.iter().map(|text| i256::from_string(text).unwrap());
    Decimal256Array::from_iter_values(values)
        .with_precision_and_scale(76, scale)
        .unwrap()
}

#[test]
fn booleans_are_also_bits_and_words() {
    let bools = BooleanArray::from(vec![Some(true), None, Some(false)]);
    let omitted = OMITTED.to_owned();
    assert_eq!(written_as(EncodeAs::Bool, &bools), [TRUE, OMITTED, FALSE]);
    assert_eq!(
        written_as(EncodeAs::N, &bools),
        [n("1"), omitted.clone(), n("0")]
    );
    assert_eq!(
        written_as(EncodeAs::S, &bools.slice(1, 2)),
        [omitted, s("false")]
    );
    assert_eq!(written_as(EncodeAs::Null, &bools), [NULL, NULL, NULL]);
}

#[test]
fn integers_are_also_texts_and_bits() {
    assert_eq!(
        written_as(EncodeAs::S, &UInt64Array::from(vec![0, u64::MAX])),
        [s("0"), s("18446744073709551615")]
    );
    assert_eq!(
        written_as(EncodeAs::S, &Int64Array::from(vec![i64::MIN])),
        [s("-9223372036854775808")]
    );
    assert_eq!(
        written_as(EncodeAs::Bool, &Int8Array::from(vec![0, 1, -1, 2])),
        [FALSE, TRUE, UNSUPPORTED, UNSUPPORTED]
    );
    assert_eq!(
        mapped_by(
            decimal_to(-2),
            &Int32Array::from(vec![1250, 1350, -1251, 49])
        ),
        [n("1200"), n("1400"), n("-1300"), n("0")]
    );
}

#[test]
fn floats_are_also_wider_rounded_and_texts() {
    assert_eq!(
        written_as(EncodeAs::F64, &Float32Array::from(vec![0.1, 0.5])),
        [n("0.10000000149011612"), n("0.5")]
    );
    assert_eq!(
        written_as(EncodeAs::F64, &Float16Array::from(vec![f16::from_f32(0.1)])),
        [n("0.0999755859375")]
    );
    assert_eq!(
        mapped_by(
            decimal_to(2),
            &Float64Array::from(vec![2.675, 0.125, 0.375, -0.001, 1e-300, 1e125, f64::NAN])
        ),
        [
            // The shortest text counts, not the binary fraction behind it.
            n("2.68"),
            n("0.12"),
            n("0.38"),
            n("0"),
            n("0"),
            n("1E+125"),
            NOT_A_NUMBER.to_owned(),
        ]
    );
    assert_eq!(
        mapped_by(
            decimal_to(1),
            &Float32Array::from(vec![0.25, 0.35, f32::MIN_POSITIVE])
        ),
        [n("0.2"), n("0.4"), n("0")]
    );
    assert_eq!(
        written_as(
            EncodeAs::S,
            &Float64Array::from(vec![-0.0, 0.1, 1e300, 5e-324, 1e21, f64::INFINITY])
        ),
        [
            s("0"),
            s("0.1"),
            s("1E+300"),
            s("5E-324"),
            s("1E+21"),
            NOT_A_NUMBER.to_owned(),
        ]
    );
    assert_eq!(
        written_as(
            EncodeAs::Bool,
            &Float64Array::from(vec![-0.0, 1.0, 0.5, f64::NAN])
        ),
        [FALSE, TRUE, UNSUPPORTED, UNSUPPORTED]
    );
}

#[test]
fn decimals_as_texts_have_all_digits_of_their_scale() {
    assert_eq!(
        written_as(EncodeAs::S, &decimals(vec![150, -1, 0, -12_345], 38, 2)),
        [s("1.50"), s("-0.01"), s("0.00"), s("-123.45")]
    );
    assert_eq!(
        written_as(EncodeAs::S, &decimals(vec![-7, 0], 10, -3)),
        [s("-7000"), s("0")]
    );
    assert_eq!(written_as(EncodeAs::S, &decimals(vec![7], 10, 0)), [s("7")]);
    assert_eq!(
        written_as(EncodeAs::S, &decimals(vec![1], 38, 38)),
        [s(&format!("0.{}1", "0".repeat(37)))]
    );
    let nines = "9".repeat(76);
    assert_eq!(
        written_as(EncodeAs::S, &wide(&[&nines], 76)),
        [s(&format!("0.{nines}"))]
    );
    let small = Decimal32Array::from(vec![105])
        .with_precision_and_scale(9, 1)
        .unwrap();
    assert_eq!(written_as(EncodeAs::S, &small), [s("10.5")]);
    let medium = Decimal64Array::from(vec![-105])
        .with_precision_and_scale(18, 4)
        .unwrap();
    assert_eq!(written_as(EncodeAs::S, &medium), [s("-0.0105")]);
}

#[test]
fn a_text_keeps_the_scale_of_the_mapping_where_a_batch_has_less() {
    let spec = mapping_of(by(EncodeAs::S));
    let encoding = encoding(&spec, &DataType::Decimal128(38, 4)).unwrap();
    let narrow = decimals(vec![150, -1], 10, 2);
    let texts: Vec<_> = attributes(&encoding, &narrow)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(texts, [s("1.5000"), s("-0.0100")]);
    assert!(Column::new(&decimals(vec![1], 10, 5), &encoding).is_none());
    let whole = attributes(&encoding, &UInt8Array::from(vec![7])).remove(0);
    assert_eq!(whole.unwrap(), s("7.0000"));
}

#[test]
fn digits_keep_the_scale_of_the_mapping_where_a_batch_has_less() {
    let spec = mapping_of(by(EncodeAs::Scaled));
    let encoding = encoding(&spec, &DataType::Decimal128(38, 4)).unwrap();
    let narrow = attributes(&encoding, &decimals(vec![150], 10, 2)).remove(0);
    assert_eq!(narrow.unwrap(), n("15000"));
    assert!(Column::new(&decimals(vec![1], 10, 5), &encoding).is_none());
    assert!(Column::new(&Int64Array::from(vec![1]), &encoding).is_none());
}

#[test]
fn decimals_are_also_scaled_and_rounded() {
    assert_eq!(
        written_as(EncodeAs::Scaled, &decimals(vec![150, -1], 38, 2)),
        [n("150"), n("-1")]
    );
    let long = format!("{}5", "1".repeat(38));
    assert_eq!(
        written_as(EncodeAs::Scaled, &wide(&[&long, "100"], 2)),
        [NOT_A_NUMBER.to_owned(), n("100")]
    );
    assert_eq!(
        mapped_by(decimal_to(1), &decimals(vec![125, 135, -135, 149], 38, 2)),
        [n("1.2"), n("1.4"), n("-1.4"), n("1.5")]
    );
    // What is too long to be a number is not, once it is rounded.
    assert_eq!(
        mapped_by(decimal_to(0), &wide(&[&long], 1)),
        [n(&format!("1.{}2E+37", "1".repeat(36)))]
    );
}
