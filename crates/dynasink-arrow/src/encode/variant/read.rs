//! VARIANT's binary encoding as values.

use arrow_schema::TimeUnit;
use chrono::{NaiveTime, Timelike};
use parquet::variant::{Variant, VariantMetadata};

use super::bounds;
use super::value::Value;
use super::super::refusal::Refusal;
use super::super::temporal;

const INVALID: Refusal = Refusal::OutOfRange("the bytes of its VARIANT are invalid");

/// The value that `bytes` encode.
pub(super) fn value<'a>(
    metadata: &VariantMetadata<'a>,
    bytes: &'a [u8],
) -> Result<Value<'a>, Refusal> {
    bounds::check(bytes)?;
    let variant =
        Variant::try_new_with_metadata(metadata.clone(), bytes).map_err(|_| INVALID)?;
    of(variant)
}

fn of<'a>(variant: Variant<'a, 'a>) -> Result<Value<'a>, Refusal> {
    let mut text = String::new();
    Ok(match variant {
        Variant::Null => Value::Null,
        Variant::BooleanTrue => Value::Bool(true),
        Variant::BooleanFalse => Value::Bool(false),
        Variant::Int8(number) => Value::integer(number),
        Variant::Int16(number) => Value::integer(number),
        Variant::Int32(number) => Value::integer(number),
        Variant::Int64(number) => Value::integer(number),
        Variant::Float(number) => Value::Number(number.try_into()?),
        Variant::Double(number) => Value::Number(number.try_into()?),
        Variant::Decimal4(decimal) => Value::decimal(decimal.integer(), decimal.scale())?,
        Variant::Decimal8(decimal) => Value::decimal(decimal.integer(), decimal.scale())?,
        Variant::Decimal16(decimal) => Value::decimal(decimal.integer(), decimal.scale())?,
        Variant::Date(date) => {
            let midnight = date.and_time(NaiveTime::MIN).and_utc();
            temporal::date(Some(midnight.timestamp()), &mut text)?;
            Value::Text(text.into())
        }
        Variant::Time(time) => {
            let micros = i64::from(time.num_seconds_from_midnight()) * 1_000_000
                + i64::from(time.nanosecond() / 1_000);
            temporal::time_of_day(micros, TimeUnit::Microsecond, &mut text)?;
            Value::Text(text.into())
        }
        Variant::TimestampMicros(time) => {
            timestamp(time.timestamp_micros(), TimeUnit::Microsecond, "Z")?
        }
        Variant::TimestampNtzMicros(time) => {
            timestamp(time.and_utc().timestamp_micros(), TimeUnit::Microsecond, "")?
        }
        Variant::TimestampNanos(time) => nanos(time.timestamp_nanos_opt(), "Z")?,
        Variant::TimestampNtzNanos(time) => nanos(time.and_utc().timestamp_nanos_opt(), "")?,
        Variant::Uuid(uuid) => Value::Text(uuid.to_string().into()),
        Variant::Binary(bytes) => Value::Binary(bytes),
        Variant::String(text) => Value::Text(text.into()),
        Variant::ShortString(text) => Value::Text(text.as_str().into()),
        Variant::List(list) => Value::List(list.iter().map(of).collect::<Result<_, _>>()?),
        Variant::Object(object) => Value::object(
            object
                .iter()
                .map(|(name, variant)| Ok((name.into(), of(variant)?)))
                .collect::<Result<_, Refusal>>()?,
        )?,
    })
}

fn timestamp(
    time: i64,
    unit: TimeUnit,
    zone: &str,
) -> Result<Value<'static>, Refusal> {
    let mut text = String::new();
    temporal::timestamp(time, unit, zone, &mut text)?;
    Ok(Value::Text(text.into()))
}

fn nanos(time: Option<i64>, zone: &str) -> Result<Value<'static>, Refusal> {
    timestamp(time.ok_or(INVALID)?, TimeUnit::Nanosecond, zone)
}
