//! VARIANT's binary encoding as values.

use chrono::{Datelike, NaiveDate};
use parquet::variant::{Variant, VariantMetadata};

use super::super::refusal::Refusal;
use super::bounds;
use super::value::Value;

const INVALID: Refusal = Refusal::OutOfRange("the bytes of its VARIANT are invalid");

/// The value that `bytes` encode.
pub(super) fn value<'a>(
    metadata: &VariantMetadata<'a>,
    bytes: &'a [u8],
) -> Result<Value<'a>, Refusal> {
    bounds::check(bytes)?;
    let variant = Variant::try_new_with_metadata(metadata.clone(), bytes).map_err(|_| INVALID)?;
    of(variant)
}

fn of<'a>(variant: Variant<'a, 'a>) -> Result<Value<'a>, Refusal> {
    Ok(match variant {
        Variant::Null => Value::Null,
        Variant::BooleanTrue => Value::Bool(true),
        Variant::BooleanFalse => Value::Bool(false),
        Variant::Int8(number) => Value::integer(number)?,
        Variant::Int16(number) => Value::integer(number)?,
        Variant::Int32(number) => Value::integer(number)?,
        Variant::Int64(number) => Value::integer(number)?,
        Variant::Float(number) => Value::float(number),
        Variant::Double(number) => Value::float(number),
        Variant::Decimal4(decimal) => Value::decimal(decimal.integer(), decimal.scale())?,
        Variant::Decimal8(decimal) => Value::decimal(decimal.integer(), decimal.scale())?,
        Variant::Decimal16(decimal) => Value::decimal(decimal.integer(), decimal.scale())?,
        Variant::Date(date) => {
            year(date)?;
            text(&date.format("%Y-%m-%d"))
        }
        Variant::Time(time) => text(&time.format("%H:%M:%S%.6f")),
        Variant::TimestampMicros(time) => {
            year(time.date_naive())?;
            text(&time.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
        }
        Variant::TimestampNtzMicros(time) => {
            year(time.date())?;
            text(&time.format("%Y-%m-%dT%H:%M:%S%.6f"))
        }
        Variant::TimestampNanos(time) => text(&time.format("%Y-%m-%dT%H:%M:%S%.9fZ")),
        Variant::TimestampNtzNanos(time) => text(&time.format("%Y-%m-%dT%H:%M:%S%.9f")),
        Variant::Uuid(uuid) => text(&uuid),
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

fn text(text: &impl ToString) -> Value<'static> {
    Value::Text(text.to_string().into())
}

/// Refuses what ISO 8601 has no four digits for.
fn year(date: NaiveDate) -> Result<(), Refusal> {
    if (0..=9_999).contains(&date.year()) {
        Ok(())
    } else {
        Err(Refusal::Year)
    }
}
