//! Dates, times and timestamps by ISO 8601, each unit with a fraction of its own width, so that the order of
//! the texts is that of the times.

use std::fmt::Write;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Datelike, NaiveDate};

use super::text::{Refusal, Text};

const SECONDS_PER_DAY: i64 = 86_400;
const MILLIS_PER_DAY: i64 = SECONDS_PER_DAY * 1_000;

const YEAR_RANGE: Refusal = Refusal::OutOfRange("its year is not within 0000 to 9999");
const DAY_RANGE: Refusal = Refusal::OutOfRange("the time of day is not within 00:00 to 24:00");

/// The texts of `array`; none if its type is not a date, time or timestamp.
pub(super) fn texts(array: &dyn Array) -> Option<Box<dyn Text>> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    Some(match array.data_type() {
        DataType::Date32 => temporal::<Date32Type>(array, |days, out| {
            date(i64::from(days).checked_mul(SECONDS_PER_DAY), out)
        })?,
        DataType::Date64 => temporal::<Date64Type>(array, |millis, out| {
            if millis.rem_euclid(MILLIS_PER_DAY) == 0 {
                date(Some(millis.div_euclid(1_000)), out)
            } else {
                timestamp(millis, Millisecond, "", out)
            }
        })?,
        DataType::Time32(Second) => {
            temporal::<Time32SecondType>(array, |time, out| time_of_day(time.into(), Second, out))?
        }
        DataType::Time32(_) => temporal::<Time32MillisecondType>(array, |time, out| {
            time_of_day(time.into(), Millisecond, out)
        })?,
        DataType::Time64(Microsecond) => temporal::<Time64MicrosecondType>(array, |time, out| {
            time_of_day(time, Microsecond, out)
        })?,
        DataType::Time64(_) => {
            temporal::<Time64NanosecondType>(array, |time, out| time_of_day(time, Nanosecond, out))?
        }
        DataType::Timestamp(unit, zone) => {
            let zone = if zone.is_some() { "Z" } else { "" };
            match unit {
                Second => temporal::<TimestampSecondType>(array, move |time, out| {
                    timestamp(time, Second, zone, out)
                })?,
                Millisecond => temporal::<TimestampMillisecondType>(array, move |time, out| {
                    timestamp(time, Millisecond, zone, out)
                })?,
                Microsecond => temporal::<TimestampMicrosecondType>(array, move |time, out| {
                    timestamp(time, Microsecond, zone, out)
                })?,
                Nanosecond => temporal::<TimestampNanosecondType>(array, move |time, out| {
                    timestamp(time, Nanosecond, zone, out)
                })?,
            }
        }
        _ => return None,
    })
}

struct Temporal<T: ArrowPrimitiveType, F> {
    array: PrimitiveArray<T>,
    write: F,
}

fn temporal<T: ArrowPrimitiveType>(
    array: &dyn Array,
    write: impl Fn(T::Native, &mut String) -> Result<(), Refusal> + Send + 'static,
) -> Option<Box<dyn Text>> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<T>>()?.clone();
    Some(Box::new(Temporal { array, write }))
}

impl<T, F> Text for Temporal<T, F>
where
    T: ArrowPrimitiveType,
    F: Fn(T::Native, &mut String) -> Result<(), Refusal> + Send,
{
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        (self.write)(self.array.value(row), buffer)?;
        Ok(buffer)
    }
}

/// How many of `unit` make a second, and the digits that a fraction of a second has.
fn per_second(unit: TimeUnit) -> (i64, usize) {
    match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    }
}

fn date(seconds: Option<i64>, out: &mut String) -> Result<(), Refusal> {
    let date = seconds.and_then(calendar).ok_or(YEAR_RANGE)?;
    push(
        out,
        format_args!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
    );
    Ok(())
}

fn timestamp(time: i64, unit: TimeUnit, zone: &str, out: &mut String) -> Result<(), Refusal> {
    let (per_second, _) = per_second(unit);
    let seconds = time.div_euclid(per_second);
    date(Some(seconds), out)?;
    out.push('T');
    time_of_day(
        seconds.rem_euclid(SECONDS_PER_DAY) * per_second + time.rem_euclid(per_second),
        unit,
        out,
    )?;
    out.push_str(zone);
    Ok(())
}

fn time_of_day(time: i64, unit: TimeUnit, out: &mut String) -> Result<(), Refusal> {
    let (per_second, digits) = per_second(unit);
    let seconds = time.div_euclid(per_second);
    if !(0..SECONDS_PER_DAY).contains(&seconds) {
        return Err(DAY_RANGE);
    }
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    push(out, format_args!("{hour:02}:{minute:02}:{second:02}"));
    if digits > 0 {
        let fraction = time.rem_euclid(per_second);
        push(out, format_args!(".{fraction:0digits$}"));
    }
    Ok(())
}

/// The date of a time in seconds since 1970, if its year has four digits. Chrono's own range is wider, and it
/// would write such years with a sign.
fn calendar(seconds: i64) -> Option<NaiveDate> {
    let date = DateTime::from_timestamp(seconds, 0)?.date_naive();
    (0..=9_999).contains(&date.year()).then_some(date)
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}
