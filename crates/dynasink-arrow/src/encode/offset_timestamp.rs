//! Timestamps with an offset of their own, `arrow.timestamp_with_offset`, by RFC 3339 with that offset.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int16Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, Int16Array};
use arrow_buffer::ScalarBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Datelike, FixedOffset, Utc};

use super::text::{Refusal, Text};

const YEAR: Refusal = Refusal::OutOfRange("its year is not within 0000 to 9999");
const OFFSET: Refusal = Refusal::OutOfRange("its offset is not within a day");

struct OffsetTimestamps {
    ticks: ScalarBuffer<i64>,
    unit: TimeUnit,
    minutes: Int16Array,
}

/// The texts of `array`; none if it is not a struct of a timestamp and of minutes.
pub(super) fn texts(array: &dyn Array) -> Option<Box<dyn Text>> {
    let [timestamps, offsets] = array.as_struct_opt()?.columns() else {
        return None;
    };
    let DataType::Timestamp(unit, _) = timestamps.data_type() else {
        return None;
    };
    Some(Box::new(OffsetTimestamps {
        ticks: ticks(timestamps, *unit)?,
        unit: *unit,
        minutes: cast(offsets, &DataType::Int16)
            .ok()?
            .as_primitive_opt::<Int16Type>()?
            .clone(),
    }))
}

fn ticks(array: &ArrayRef, unit: TimeUnit) -> Option<ScalarBuffer<i64>> {
    Some(
        match unit {
            TimeUnit::Second => array.as_primitive_opt::<TimestampSecondType>()?.values(),
            TimeUnit::Millisecond => array
                .as_primitive_opt::<TimestampMillisecondType>()?
                .values(),
            TimeUnit::Microsecond => array
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .values(),
            TimeUnit::Nanosecond => array
                .as_primitive_opt::<TimestampNanosecondType>()?
                .values(),
        }
        .clone(),
    )
}

impl Text for OffsetTimestamps {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        if self.minutes.is_null(row) {
            return Err(Refusal::OutOfRange("its offset is null"));
        }
        let offset = i32::from(self.minutes.value(row)) * 60;
        let offset = FixedOffset::east_opt(offset).ok_or(OFFSET)?;
        let utc = instant(self.ticks[row], self.unit).ok_or(YEAR)?;
        let years = 0..=9_999;
        // A local time may be out of chrono's range, where a time of the years that count never is.
        if !(-1..=10_000).contains(&utc.year()) {
            return Err(YEAR);
        }
        let local = utc.with_timezone(&offset);
        if !years.contains(&local.year()) {
            return Err(YEAR);
        }
        let format = match self.unit {
            TimeUnit::Second => "%Y-%m-%dT%H:%M:%S%:z",
            TimeUnit::Millisecond => "%Y-%m-%dT%H:%M:%S%.3f%:z",
            TimeUnit::Microsecond => "%Y-%m-%dT%H:%M:%S%.6f%:z",
            TimeUnit::Nanosecond => "%Y-%m-%dT%H:%M:%S%.9f%:z",
        };
        *buffer = local.format(format).to_string();
        Ok(buffer)
    }
}

fn instant(ticks: i64, unit: TimeUnit) -> Option<DateTime<Utc>> {
    match unit {
        TimeUnit::Second => DateTime::from_timestamp(ticks, 0),
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(ticks),
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(ticks),
        TimeUnit::Nanosecond => Some(DateTime::from_timestamp_nanos(ticks)),
    }
}
