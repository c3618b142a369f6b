//! What a batch says, by arrow's accessors and chrono: the default mapping once more, told row by row.

use std::fmt::{Display, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, RunArray};
use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use dynasink_tests::{Item, Value};

/// A row with a value that DynamoDB cannot hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotAnItem;

type Converted<T> = Result<T, NotAnItem>;

/// The item of each row.
pub(crate) fn of_batch(batch: &RecordBatch) -> Vec<Converted<Item>> {
    let row = |row| {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns());
        attributes(columns.map(|(field, column)| (field.as_ref(), column)), row)
    };
    (0..batch.num_rows()).map(row).collect()
}

/// Values that are null are no attributes.
fn attributes<'a>(
    columns: impl Iterator<Item = (&'a Field, &'a ArrayRef)>,
    row: usize,
) -> Converted<Item> {
    let mut item = Item::new();
    for (field, column) in columns {
        if let Some(value) = value(field, column, row)? {
            item.insert(field.name().clone(), value);
        }
    }
    Ok(item)
}

/// The elements of `array`, which stands for a list: its nulls keep their places.
fn elements(field: &Field, array: &ArrayRef) -> Converted<Vec<Value>> {
    (0..array.len())
        .map(|at| Ok(value(field, array, at)?.unwrap_or(Value::Null)))
        .collect()
}

/// The value of a row, none if it is null.
fn value(field: &Field, array: &ArrayRef, row: usize) -> Converted<Option<Value>> {
    use DataType as D;
    if array.is_null(row) {
        return Ok(None);
    }
    let is_uuid = field
        .metadata()
        .get(EXTENSION_TYPE_NAME_KEY)
        .is_some_and(|name| name == "arrow.uuid");
    if is_uuid {
        let bytes = array.as_fixed_size_binary().value(row);
        return Ok(Some(Value::string(hyphenated(bytes))));
    }
    Ok(Some(match array.data_type() {
        D::Null => return Ok(None),
        D::Boolean => Value::Bool(array.as_boolean().value(row)),
        D::Utf8 => Value::string(array.as_string::<i32>().value(row)),
        D::LargeUtf8 => Value::string(array.as_string::<i64>().value(row)),
        D::Utf8View => Value::string(array.as_string_view().value(row)),
        D::Binary => Value::B(array.as_binary::<i32>().value(row).to_vec()),
        D::LargeBinary => Value::B(array.as_binary::<i64>().value(row).to_vec()),
        D::BinaryView => Value::B(array.as_binary_view().value(row).to_vec()),
        D::FixedSizeBinary(_) => Value::B(array.as_fixed_size_binary().value(row).to_vec()),
        D::List(of) => Value::L(elements(of, &array.as_list::<i32>().value(row))?),
        D::LargeList(of) => Value::L(elements(of, &array.as_list::<i64>().value(row))?),
        D::ListView(of) => Value::L(elements(of, &array.as_list_view::<i32>().value(row))?),
        D::LargeListView(of) => Value::L(elements(of, &array.as_list_view::<i64>().value(row))?),
        D::FixedSizeList(of, _) => Value::L(elements(of, &array.as_fixed_size_list().value(row))?),
        D::Struct(fields) => {
            let columns = array.as_struct().columns();
            let columns = fields.iter().map(AsRef::as_ref).zip(columns);
            Value::M(attributes(columns, row)?)
        }
        D::Map(..) => Value::M(entries(array, row)?),
        D::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let at = dictionary.normalized_keys()[row];
            let values = dictionary.values();
            return value(&plain(values), values, at);
        }
        D::RunEndEncoded(ends, of) => {
            let (at, values) = match ends.data_type() {
                D::Int16 => physical::<Int16Type>(array, row),
                D::Int32 => physical::<Int32Type>(array, row),
                _ => physical::<Int64Type>(array, row),
            };
            return value(of, &values, at);
        }
        D::Union(types, _) => {
            let union = array.as_union();
            let id = union.type_id(row);
            let (_, of) = types.iter().find(|(known, _)| *known == id).unwrap();
            return value(of, &union.value(row), 0);
        }
        _ => leaf(array, row)?,
    }))
}

fn plain(array: &ArrayRef) -> Field {
    Field::new("values", array.data_type().clone(), true)
}

fn physical<E: arrow_array::types::RunEndIndexType>(
    array: &ArrayRef,
    row: usize,
) -> (usize, ArrayRef) {
    let runs = array.as_any().downcast_ref::<RunArray<E>>().unwrap();
    (runs.get_physical_index(row), Arc::clone(runs.values()))
}

/// Maps name each value by the text of its key, and two keys must not have one text.
fn entries(array: &ArrayRef, row: usize) -> Converted<Item> {
    let map = array.as_map();
    let held = map.value(row);
    let (keys, values) = (held.column(0), held.column(1));
    let (of_keys, of_values) = map.entries_fields();
    let mut item = Item::new();
    for at in 0..held.len() {
        let key = match value(of_keys, keys, at)? {
            Some(Value::S(text)) if !text.is_empty() => text,
            Some(Value::Bool(bool)) => bool.to_string(),
            Some(Value::N(_)) => integer_text(keys, at),
            _ => return Err(NotAnItem),
        };
        let value = value(of_values, values, at)?.unwrap_or(Value::Null);
        if item.insert(key, value).is_some() {
            return Err(NotAnItem);
        }
    }
    Ok(item)
}

fn integer_text(keys: &ArrayRef, at: usize) -> String {
    match keys.data_type() {
        DataType::Int32 => keys.as_primitive::<Int32Type>().value(at).to_string(),
        DataType::UInt64 => keys.as_primitive::<UInt64Type>().value(at).to_string(),
        other => panic!("no map here has keys of {other}"),
    }
}

fn leaf(array: &ArrayRef, row: usize) -> Converted<Value> {
    use DataType as D;
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match array.data_type() {
        D::Int8 => Ok(integer::<Int8Type>(array, row)),
        D::Int16 => Ok(integer::<Int16Type>(array, row)),
        D::Int32 => Ok(integer::<Int32Type>(array, row)),
        D::Int64 => Ok(integer::<Int64Type>(array, row)),
        D::UInt8 => Ok(integer::<UInt8Type>(array, row)),
        D::UInt16 => Ok(integer::<UInt16Type>(array, row)),
        D::UInt32 => Ok(integer::<UInt32Type>(array, row)),
        D::UInt64 => Ok(integer::<UInt64Type>(array, row)),
        D::Float16 => float32(stored::<Float16Type>(array, row).to_f32()),
        D::Float32 => float32(stored::<Float32Type>(array, row)),
        D::Float64 => float64(stored::<Float64Type>(array, row)),
        D::Decimal32(_, scale) => decimal(stored::<Decimal32Type>(array, row), *scale),
        D::Decimal64(_, scale) => decimal(stored::<Decimal64Type>(array, row), *scale),
        D::Decimal128(_, scale) => decimal(stored::<Decimal128Type>(array, row), *scale),
        D::Decimal256(_, scale) => decimal(stored::<Decimal256Type>(array, row), *scale),
        D::Duration(Second) => decimal(stored::<DurationSecondType>(array, row), 0),
        D::Duration(Millisecond) => decimal(stored::<DurationMillisecondType>(array, row), 3),
        D::Duration(Microsecond) => decimal(stored::<DurationMicrosecondType>(array, row), 6),
        D::Duration(Nanosecond) => decimal(stored::<DurationNanosecondType>(array, row), 9),
        D::Date32 => date(i64::from(stored::<Date32Type>(array, row))),
        D::Date64 => {
            let time = DateTime::from_timestamp_millis(stored::<Date64Type>(array, row));
            match time {
                Some(time) if time.time() == NaiveTime::MIN => within_years(time, "%Y-%m-%d"),
                Some(time) => within_years(time, "%Y-%m-%dT%H:%M:%S%.3f"),
                None => Err(NotAnItem),
            }
        }
        D::Time32(Second) => time(
            i64::from(stored::<Time32SecondType>(array, row)),
            1,
            "%H:%M:%S",
        ),
        D::Time32(_) => {
            let millis = i64::from(stored::<Time32MillisecondType>(array, row));
            time(millis, 1_000, "%H:%M:%S%.3f")
        }
        D::Time64(Microsecond) => {
            let micros = stored::<Time64MicrosecondType>(array, row);
            time(micros, 1_000_000, "%H:%M:%S%.6f")
        }
        D::Time64(_) => {
            let nanos = stored::<Time64NanosecondType>(array, row);
            time(nanos, 1_000_000_000, "%H:%M:%S%.9f")
        }
        D::Interval(IntervalUnit::YearMonth) => {
            let months = stored::<IntervalYearMonthType>(array, row);
            Ok(interval(months, 0, 0))
        }
        D::Interval(IntervalUnit::DayTime) => {
            let stored = stored::<IntervalDayTimeType>(array, row);
            let nanos = i64::from(stored.milliseconds) * 1_000_000;
            Ok(interval(0, stored.days, nanos))
        }
        D::Interval(IntervalUnit::MonthDayNano) => {
            let stored = stored::<IntervalMonthDayNanoType>(array, row);
            Ok(interval(stored.months, stored.days, stored.nanoseconds))
        }
        D::Timestamp(unit, zone) => timestamp(array, row, *unit, zone.is_some()),
        other => panic!("what a value of {other} becomes is not known here"),
    }
}

fn stored<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn integer<T: ArrowPrimitiveType<Native: Display>>(array: &ArrayRef, row: usize) -> Value {
    Value::number(stored::<T>(array, row))
}

/// `{:e}` is the shortest text that reads back as the same float. Of two such texts that are as near, the even one is
/// meant, as which a float is written when the number of digits is given.
macro_rules! shortest {
    ($value:expr) => {{
        let shortest = format!("{:e}", $value);
        let significand = shortest.split('e').next().unwrap();
        let fraction = significand
            .split_once('.')
            .map_or("", |(_, fraction)| fraction);
        let even = format!("{:.*e}", fraction.len(), $value);
        if even.parse() == Ok($value) {
            even
        } else {
            shortest
        }
    }};
}

fn float32(value: f32) -> Converted<Value> {
    if value.is_finite() {
        Ok(Value::number(shortest!(value)))
    } else {
        Err(NotAnItem)
    }
}

fn float64(value: f64) -> Converted<Value> {
    // 1E-130 to 9.99E+125.
    if value == 0.0 || (1e-130..1e126).contains(&value.abs()) {
        Ok(Value::number(shortest!(value)))
    } else {
        Err(NotAnItem)
    }
}

fn decimal(unscaled: impl Display, scale: i8) -> Converted<Value> {
    let unscaled = unscaled.to_string();
    let digits = unscaled.trim_start_matches('-').trim_end_matches('0');
    if digits.len() > 38 {
        return Err(NotAnItem);
    }
    Ok(Value::number(format!("{unscaled}e{}", -i16::from(scale))))
}

fn date(days: i64) -> Converted<Value> {
    let epoch = NaiveDate::default();
    let distance = Days::new(days.unsigned_abs());
    let date = if days < 0 {
        epoch.checked_sub_days(distance)
    } else {
        epoch.checked_add_days(distance)
    };
    match date {
        Some(date) if (0..=9_999).contains(&date.year()) => {
            Ok(Value::string(date.format("%Y-%m-%d").to_string()))
        }
        _ => Err(NotAnItem),
    }
}

fn time(time: i64, per_second: i64, format: &str) -> Converted<Value> {
    let seconds = u32::try_from(time.div_euclid(per_second)).map_err(|_| NotAnItem)?;
    let nanos = u32::try_from(time.rem_euclid(per_second) * (1_000_000_000 / per_second)).unwrap();
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos);
    let time = time.ok_or(NotAnItem)?;
    Ok(Value::string(time.format(format).to_string()))
}

fn timestamp(array: &ArrayRef, row: usize, unit: TimeUnit, zoned: bool) -> Converted<Value> {
    let (time, format) = match unit {
        TimeUnit::Second => {
            let time = stored::<TimestampSecondType>(array, row);
            (DateTime::from_timestamp(time, 0), "%Y-%m-%dT%H:%M:%S")
        }
        TimeUnit::Millisecond => {
            let time = stored::<TimestampMillisecondType>(array, row);
            (
                DateTime::from_timestamp_millis(time),
                "%Y-%m-%dT%H:%M:%S%.3f",
            )
        }
        TimeUnit::Microsecond => {
            let time = stored::<TimestampMicrosecondType>(array, row);
            (
                DateTime::from_timestamp_micros(time),
                "%Y-%m-%dT%H:%M:%S%.6f",
            )
        }
        TimeUnit::Nanosecond => {
            let time = stored::<TimestampNanosecondType>(array, row);
            (
                Some(DateTime::from_timestamp_nanos(time)),
                "%Y-%m-%dT%H:%M:%S%.9f",
            )
        }
    };
    let format = format!("{format}{}", if zoned { "Z" } else { "" });
    within_years(time.ok_or(NotAnItem)?, &format)
}

/// Each part has a sign of its own, and none is carried over to the next.
fn interval(months: i32, days: i32, nanos: i64) -> Value {
    let units = [
        (i64::from(months / 12), "Y"),
        (i64::from(months % 12), "M"),
        (i64::from(days), "D"),
        (nanos / 3_600_000_000_000, "H"),
        (nanos / 60_000_000_000 % 60, "M"),
    ];
    let text = |(amount, unit): (i64, &str)| match amount {
        0 => String::new(),
        amount => format!("{amount}{unit}"),
    };
    let of_date: String = units.into_iter().take(3).map(text).collect();
    let mut of_time: String = units.into_iter().skip(3).map(text).collect();
    let nanos = nanos % 60_000_000_000;
    if nanos != 0 {
        let sign = if nanos < 0 { "-" } else { "" };
        let nanos = nanos.unsigned_abs();
        let seconds = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
        let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
        write!(of_time, "{sign}{seconds}S").unwrap();
    }
    Value::string(match (of_date.as_str(), of_time.as_str()) {
        ("", "") => "PT0S".to_owned(),
        (_, "") => format!("P{of_date}"),
        _ => format!("P{of_date}T{of_time}"),
    })
}

fn within_years(time: DateTime<Utc>, format: &str) -> Converted<Value> {
    if (0..=9_999).contains(&time.year()) {
        Ok(Value::string(time.format(format).to_string()))
    } else {
        Err(NotAnItem)
    }
}

fn hyphenated(bytes: &[u8]) -> String {
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let part = |from: usize, to: usize| hex.get(from..to).unwrap();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
