//! Dates, times and durations as the integers that they are stored as.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, TimeUnit};

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// The integers of an array of dates, times, timestamps or durations.
#[derive(Clone)]
pub(crate) struct Ticks {
    values: Values,
    /// Seconds that a tick has, if it is not a part of one.
    seconds: i64,
    /// Ticks that a second has.
    per_second: i64,
}

#[derive(Clone)]
enum Values {
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
}

/// A time in whole seconds since 1970, or since midnight, and the ticks on top of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant {
    pub(crate) seconds: i64,
    pub(crate) fraction: i64,
}

/// How many ticks of `unit` make a second.
pub(crate) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Ticks that a second has in a type of time; none for days, and for types that are none.
pub(super) fn unit_of(data_type: &DataType) -> Option<i64> {
    match data_type {
        DataType::Date64 => Some(per_second(TimeUnit::Millisecond)),
        DataType::Time32(unit)
        | DataType::Time64(unit)
        | DataType::Timestamp(unit, _)
        | DataType::Duration(unit) => Some(per_second(*unit)),
        _ => None,
    }
}

/// The digits that a fraction of a second has in `unit`.
pub(crate) fn digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

impl Ticks {
    /// None if the type of `array` is not one of time.
    pub(crate) fn of(array: &dyn Array) -> Option<Self> {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        let (values, unit) = match array.data_type() {
            DataType::Date32 => {
                return Some(Self {
                    values: narrow::<Date32Type>(array)?,
                    seconds: SECONDS_PER_DAY,
                    per_second: 1,
                });
            }
            DataType::Date64 => (wide::<Date64Type>(array)?, Millisecond),
            DataType::Time32(Second) => (narrow::<Time32SecondType>(array)?, Second),
            DataType::Time32(_) => (narrow::<Time32MillisecondType>(array)?, Millisecond),
            DataType::Time64(Microsecond) => (wide::<Time64MicrosecondType>(array)?, Microsecond),
            DataType::Time64(_) => (wide::<Time64NanosecondType>(array)?, Nanosecond),
            DataType::Timestamp(unit, _) => {
                let values = match unit {
                    Second => wide::<TimestampSecondType>(array)?,
                    Millisecond => wide::<TimestampMillisecondType>(array)?,
                    Microsecond => wide::<TimestampMicrosecondType>(array)?,
                    Nanosecond => wide::<TimestampNanosecondType>(array)?,
                };
                (values, *unit)
            }
            DataType::Duration(unit) => {
                let values = match unit {
                    Second => wide::<DurationSecondType>(array)?,
                    Millisecond => wide::<DurationMillisecondType>(array)?,
                    Microsecond => wide::<DurationMicrosecondType>(array)?,
                    Nanosecond => wide::<DurationNanosecondType>(array)?,
                };
                (values, *unit)
            }
            _ => return None,
        };
        Some(Self {
            values,
            seconds: 1,
            per_second: per_second(unit),
        })
    }

    /// The integer of `row`.
    pub(crate) fn at(&self, row: usize) -> i64 {
        match &self.values {
            Values::I32(values) => values[row].into(),
            Values::I64(values) => values[row],
        }
    }

    /// The time of `row`.
    pub(crate) fn instant(&self, row: usize) -> Instant {
        let ticks = self.at(row);
        if self.per_second == 1 {
            // Only days are longer than a second, and they are 32 bits wide.
            return Instant {
                seconds: ticks.saturating_mul(self.seconds),
                fraction: 0,
            };
        }
        Instant {
            seconds: ticks.div_euclid(self.per_second),
            fraction: ticks.rem_euclid(self.per_second),
        }
    }

    /// Ticks that a second has; none for days.
    pub(super) fn unit(&self) -> Option<i64> {
        (self.seconds == 1).then_some(self.per_second)
    }

    /// Ticks that a second has; one for days.
    pub(crate) fn per_second(&self) -> i64 {
        self.per_second
    }
}

fn narrow<T: ArrowPrimitiveType<Native = i32>>(array: &dyn Array) -> Option<Values> {
    let array: &PrimitiveArray<T> = array.as_primitive_opt()?;
    Some(Values::I32(array.values().clone()))
}

fn wide<T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array) -> Option<Values> {
    let array: &PrimitiveArray<T> = array.as_primitive_opt()?;
    Some(Values::I64(array.values().clone()))
}
