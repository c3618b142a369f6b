//! Literals as values of a column's type: exactly, or not at all.

use std::sync::Arc;

use arrow_array::types::{
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal32Array, Decimal64Array,
    Decimal128Array, Decimal256Array, FixedSizeBinaryArray, Float16Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, PrimitiveArray, StringArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::i256;
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use chrono::NaiveDate;
use half::f16;

use super::exact::Exact;
use super::instant;
use super::predicate::LiteralValue;
use crate::shape::UUID_EXTENSION;

/// Why a literal is no value of a type, and what is.
pub(super) type Refusal = String;

/// The value of `literal` as an array of one element of the type that `field` has.
///
/// Dictionaries and run-ends count as their values.
pub(super) fn typed(literal: &LiteralValue, field: &Field) -> Result<ArrayRef, Refusal> {
    match (values_type(field.data_type()), literal) {
        (DataType::Boolean, LiteralValue::Boolean(value)) => {
            Ok(Arc::new(BooleanArray::from(vec![*value])))
        }
        (DataType::Boolean, _) => Err("write TRUE or FALSE".to_owned()),
        (data_type, LiteralValue::Number(text)) if is_number(data_type) => number(text, data_type),
        (data_type, _) if is_number(data_type) => Err("write a number, without quotes".to_owned()),
        (data_type @ (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View), literal) => {
            match literal {
                LiteralValue::Text(text) => {
                    cast(&StringArray::from(vec![text.as_str()]), data_type)
                }
                _ => Err("write it in single quotes".to_owned()),
            }
        }
        (data_type, LiteralValue::Text(text)) if is_time(data_type) => {
            instant::typed(text, data_type)
        }
        (data_type, _) if is_time(data_type) => Err(instant::form(data_type)),
        (data_type, literal) if is_binary(data_type) => binary(literal, field),
        _ => Err("only IS NULL can be asked of this type".to_owned()),
    }
}

/// The type of the values of a dictionary or of runs, or the type itself.
pub(super) fn values_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values_type(values),
        DataType::RunEndEncoded(_, values) => values_type(values.data_type()),
        plain => plain,
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Duration(_))
}

fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(_, _)
    )
}

fn is_binary(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

fn cast(array: &dyn arrow_array::Array, data_type: &DataType) -> Result<ArrayRef, Refusal> {
    arrow_cast::cast(array, data_type).map_err(|error: ArrowError| error.to_string())
}

fn number(text: &str, data_type: &DataType) -> Result<ArrayRef, Refusal> {
    let exact = Exact::parse(text).ok_or("write a number such as 12.5 or 1e6")?;
    let whole = || {
        exact
            .scaled(0)
            .ok_or_else(|| "the column holds whole numbers".to_owned())
    };
    macro_rules! integer {
        ($array:ident, $native:ty) => {{
            let value = whole()?.parse::<$native>().map_err(|_| {
                format!("the column holds {} to {}", <$native>::MIN, <$native>::MAX)
            })?;
            Ok(Arc::new($array::from(vec![value])) as ArrayRef)
        }};
    }
    macro_rules! decimal {
        ($array:ident, $parse:expr, $precision:expr, $scale:expr) => {{
            let scaled = exact.scaled(i64::from(*$scale)).ok_or_else(|| {
                format!(
                    "the column holds decimals with {} digits after the point",
                    $scale
                )
            })?;
            let digits = scaled.trim_start_matches('-').len();
            let value = $parse(&scaled).filter(|_| digits <= usize::from(*$precision));
            let fits = value.and_then(|value| {
                let array = $array::from_iter_values([value]);
                array.with_precision_and_scale(*$precision, *$scale).ok()
            });
            let array = fits.ok_or_else(|| format!("the column holds {} digits", $precision))?;
            Ok(Arc::new(array) as ArrayRef)
        }};
    }
    match data_type {
        DataType::Int8 => integer!(Int8Array, i8),
        DataType::Int16 => integer!(Int16Array, i16),
        DataType::Int32 => integer!(Int32Array, i32),
        DataType::Int64 => integer!(Int64Array, i64),
        DataType::UInt8 => integer!(UInt8Array, u8),
        DataType::UInt16 => integer!(UInt16Array, u16),
        DataType::UInt32 => integer!(UInt32Array, u32),
        DataType::UInt64 => integer!(UInt64Array, u64),
        DataType::Float16 => {
            let value = text.parse().map_or(f16::NAN, f16::from_f32);
            same_text(&exact, &format!("{:e}", value.to_f32()))?;
            Ok(Arc::new(Float16Array::from(vec![value])))
        }
        DataType::Float32 => {
            let value = text.parse().unwrap_or(f32::NAN);
            same_text(&exact, &format!("{value:e}"))?;
            Ok(Arc::new(Float32Array::from(vec![value])))
        }
        DataType::Float64 => {
            let value = text.parse().unwrap_or(f64::NAN);
            same_text(&exact, &format!("{value:e}"))?;
            Ok(Arc::new(Float64Array::from(vec![value])))
        }
        DataType::Decimal32(precision, scale) => {
            decimal!(
                Decimal32Array,
                |text: &str| text.parse::<i32>().ok(),
                precision,
                scale
            )
        }
        DataType::Decimal64(precision, scale) => {
            decimal!(
                Decimal64Array,
                |text: &str| text.parse::<i64>().ok(),
                precision,
                scale
            )
        }
        DataType::Decimal128(precision, scale) => {
            decimal!(
                Decimal128Array,
                |text: &str| text.parse::<i128>().ok(),
                precision,
                scale
            )
        }
        DataType::Decimal256(precision, scale) => {
            decimal!(Decimal256Array, i256::from_string, precision, scale)
        }
        DataType::Duration(unit) => seconds(&exact, *unit),
        _ => Err("numbers cannot be compared with this type".to_owned()),
    }
}

/// A float stands for the shortest text that reads back as it, which is how it arrives in an item, too.
fn same_text(exact: &Exact, shortest: &str) -> Result<(), Refusal> {
    match Exact::parse(shortest) {
        Some(nearest) if nearest == *exact => Ok(()),
        Some(_) => Err(format!(
            "the nearest value of the column's type is {shortest}"
        )),
        None => Err("the column's type does not reach that far".to_owned()),
    }
}

/// Durations are numbers of seconds, as in items.
fn seconds(exact: &Exact, unit: TimeUnit) -> Result<ArrayRef, Refusal> {
    let digits = instant::digits_of(unit);
    let count = exact
        .scaled(i64::from(digits))
        .and_then(|scaled| scaled.parse().ok())
        .ok_or_else(|| {
            format!("the column holds durations in seconds, with {digits} digits after the point")
        })?;
    Ok(match unit {
        TimeUnit::Second => one::<DurationSecondType>(count),
        TimeUnit::Millisecond => one::<DurationMillisecondType>(count),
        TimeUnit::Microsecond => one::<DurationMicrosecondType>(count),
        TimeUnit::Nanosecond => one::<DurationNanosecondType>(count),
    })
}

pub(super) fn one<T: arrow_array::ArrowPrimitiveType>(value: T::Native) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_value(value, 1))
}

/// A count of units of a type of the calendar.
pub(super) fn of_count(count: i64, data_type: &DataType) -> Option<ArrayRef> {
    Some(match data_type {
        DataType::Timestamp(unit, zone) => {
            macro_rules! timestamp {
                ($kind:ty) => {
                    Arc::new(
                        PrimitiveArray::<$kind>::from_value(count, 1)
                            .with_timezone_opt(zone.clone()),
                    )
                };
            }
            match unit {
                TimeUnit::Second => timestamp!(TimestampSecondType),
                TimeUnit::Millisecond => timestamp!(TimestampMillisecondType),
                TimeUnit::Microsecond => timestamp!(TimestampMicrosecondType),
                TimeUnit::Nanosecond => timestamp!(TimestampNanosecondType),
            }
        }
        DataType::Time32(TimeUnit::Second) => one::<Time32SecondType>(i32::try_from(count).ok()?),
        DataType::Time32(_) => one::<Time32MillisecondType>(i32::try_from(count).ok()?),
        DataType::Time64(TimeUnit::Nanosecond) => one::<Time64NanosecondType>(count),
        DataType::Time64(_) => one::<Time64MicrosecondType>(count),
        _ => return None,
    })
}

/// A date of a type of dates.
pub(super) fn of_date(date: NaiveDate, data_type: &DataType) -> Option<ArrayRef> {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    match data_type {
        DataType::Date32 => Some(Arc::new(Date32Array::from(vec![i32::try_from(days).ok()?]))),
        DataType::Date64 => Some(Arc::new(Date64Array::from(vec![
            days.checked_mul(86_400_000)?,
        ]))),
        _ => None,
    }
}

fn binary(literal: &LiteralValue, field: &Field) -> Result<ArrayRef, Refusal> {
    let is_uuid = field.extension_type_name() == Some(UUID_EXTENSION);
    let bytes = match literal {
        LiteralValue::Bytes(bytes) => bytes.clone(),
        LiteralValue::Text(text) if is_uuid => {
            uuid(text).ok_or("write a UUID such as '00112233-4455-6677-8899-aabbccddeeff'")?
        }
        _ if is_uuid => return Err("write a UUID in single quotes".to_owned()),
        _ => return Err("write bytes such as X'00ff'".to_owned()),
    };
    match values_type(field.data_type()) {
        DataType::FixedSizeBinary(len) => {
            if usize::try_from(*len) != Ok(bytes.len()) {
                return Err(format!("the column holds {len} bytes"));
            }
            FixedSizeBinaryArray::try_from_iter(std::iter::once(bytes))
                .map(|array| Arc::new(array) as ArrayRef)
                .map_err(|error| error.to_string())
        }
        data_type => cast(&BinaryArray::from(vec![bytes.as_slice()]), data_type),
    }
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let groups: Vec<&str> = text.split('-').collect();
    if !groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) {
        return None;
    }
    let digits = groups.concat();
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let number = u128::from_str_radix(&digits, 16).ok()?;
    Some(number.to_be_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Decimal128Type, Float32Type, Int8Type, UInt64Type};

    use super::*;

    fn of(literal: &LiteralValue, data_type: DataType) -> Result<ArrayRef, Refusal> {
        let expected = values_type(&data_type).clone();
        let array = typed(literal, &Field::new("c", data_type, true))?;
        assert_eq!((array.len(), array.data_type()), (1, &expected));
        Ok(array)
    }

    fn number_of(text: &str, data_type: DataType) -> Result<ArrayRef, Refusal> {
        of(&LiteralValue::Number(text.to_owned()), data_type)
    }

    #[test]
    fn integers_are_whole_and_in_range() {
        let seven = number_of("7.0", DataType::Int8).unwrap();
        assert_eq!(seven.as_primitive::<Int8Type>().value(0), 7);
        assert!(
            number_of("7.5", DataType::Int8)
                .unwrap_err()
                .contains("whole")
        );
        assert!(
            number_of("128", DataType::Int8)
                .unwrap_err()
                .contains("-128 to 127")
        );
        let most = number_of("18446744073709551615", DataType::UInt64).unwrap();
        assert_eq!(most.as_primitive::<UInt64Type>().value(0), u64::MAX);
        assert!(number_of("-1", DataType::UInt64).is_err());
    }

    #[test]
    fn decimals_have_the_digits_of_their_type() {
        let price = number_of("12.50", DataType::Decimal128(10, 2)).unwrap();
        assert_eq!(price.as_primitive::<Decimal128Type>().value(0), 1_250);
        assert!(number_of("12.505", DataType::Decimal128(10, 2)).is_err());
        assert!(number_of("123456789", DataType::Decimal128(10, 2)).is_err());
        assert!(number_of("1200", DataType::Decimal32(5, -2)).is_ok());
        number_of("1250.5", DataType::Decimal64(5, 1)).unwrap();
        let long = "9".repeat(76);
        assert!(number_of(&long, DataType::Decimal256(76, 0)).is_ok());
        assert!(number_of(&format!("{long}9"), DataType::Decimal256(76, 0)).is_err());
    }

    #[test]
    fn floats_are_the_ones_that_are_written_so() {
        let tenth = number_of("0.1", DataType::Float32).unwrap();
        assert_eq!(
            tenth.as_primitive::<Float32Type>().value(0).to_bits(),
            0.1_f32.to_bits()
        );
        let refusal = number_of("16777217", DataType::Float32).unwrap_err();
        assert!(refusal.ends_with("1.6777216e7"), "{refusal}");
        assert!(number_of("16777217", DataType::Float64).is_ok());
        assert!(number_of("1e39", DataType::Float32).is_err());
        assert!(number_of("1e400", DataType::Float64).is_err());
        assert!(number_of("1e-400", DataType::Float64).is_err());
        assert!(number_of("0.1", DataType::Float16).is_err());
        assert!(number_of("0.099975586", DataType::Float16).is_ok());
        assert!(number_of("-0.0", DataType::Float64).is_ok());
    }

    #[test]
    fn text_and_bytes_are_not_guessed() {
        let text = || LiteralValue::Text("5".to_owned());
        assert!(of(&text(), DataType::Int32).is_err());
        assert!(of(&text(), DataType::Boolean).is_err());
        assert!(of(&text(), DataType::BinaryView).is_err());
        assert!(
            number_of("5", DataType::Utf8View)
                .unwrap_err()
                .contains("single quotes")
        );
        for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            assert!(of(&text(), data_type).is_ok());
        }
        let keys = Box::new(DataType::Int8);
        assert!(
            of(
                &text(),
                DataType::Dictionary(keys, Box::new(DataType::Utf8))
            )
            .is_ok()
        );
        let bytes = || LiteralValue::Bytes(vec![1, 2]);
        assert!(of(&bytes(), DataType::BinaryView).is_ok());
        assert!(of(&bytes(), DataType::FixedSizeBinary(2)).is_ok());
        assert!(of(&bytes(), DataType::FixedSizeBinary(3)).is_err());
        assert!(of(&bytes(), DataType::Utf8).is_err());
        assert!(of(&text(), DataType::new_list(DataType::Utf8, true)).is_err());
    }

    #[test]
    fn uuids_are_written_as_such() {
        let field = Field::new("u", DataType::FixedSizeBinary(16), true)
            .with_metadata([("ARROW:extension:name".to_owned(), UUID_EXTENSION.to_owned())].into());
        let text = |text: &str| typed(&LiteralValue::Text(text.to_owned()), &field);
        let array = text("00112233-4455-6677-8899-aabbccddEEff").unwrap();
        assert_eq!(array.as_fixed_size_binary().value(0)[15], 0xff);
        assert!(text("00112233445566778899aabbccddeeff").is_err());
        assert!(text("+0112233-4455-6677-8899-aabbccddeeff").is_err());
        assert!(typed(&LiteralValue::Bytes(vec![0; 16]), &field).is_ok());
    }

    #[test]
    fn durations_are_seconds() {
        assert!(number_of("1.5", DataType::Duration(TimeUnit::Millisecond)).is_ok());
        assert!(number_of("1.5", DataType::Duration(TimeUnit::Second)).is_err());
    }
}
