//! Timestamps with an offset of their own, `arrow.timestamp_with_offset`, by RFC 3339.

use arrow_array::cast::AsArray;
use arrow_array::types::Int16Type;
use arrow_array::{Array, Int16Array};
use arrow_cast::cast;
use arrow_schema::DataType;
use chrono::{DateTime, Datelike, FixedOffset};

use super::fallback::Stored;
use super::refusal::Refusal;
use super::temporal::{self, Iso};
use super::text::Text;
use super::ticks::{self, Ticks};

struct OffsetTimestamps {
    ticks: Ticks,
    /// Of the fraction of a second.
    digits: u8,
    minutes: Int16Array,
}

/// The texts of `array` with its offsets; none if it is not a struct of timestamps and minutes.
pub(super) fn texts(array: &dyn Array) -> Option<Box<dyn Text>> {
    let [timestamps, offsets] = array.as_struct_opt()?.columns() else {
        return None;
    };
    let DataType::Timestamp(unit, Some(_)) = timestamps.data_type() else {
        return None;
    };
    let minutes = cast(offsets, &DataType::Int16).ok()?;
    Some(Box::new(OffsetTimestamps {
        ticks: Ticks::of(timestamps)?,
        digits: ticks::digits(*unit),
        minutes: minutes.as_primitive_opt::<Int16Type>()?.clone(),
    }))
}

/// The texts of `array` in UTC.
pub(super) fn utc_texts(array: &dyn Array) -> Option<Box<dyn Text>> {
    let timestamps = array.as_struct_opt()?.columns().first()?;
    temporal::texts(timestamps, Iso::of_type(timestamps.data_type())?)
}

impl Text for OffsetTimestamps {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        if self.minutes.is_null(row) {
            return Err(Refusal::OutOfRange("its offset is null"));
        }
        let offset = FixedOffset::east_opt(i32::from(self.minutes.value(row)) * 60)
            .ok_or(Refusal::OutOfRange("its offset is not within a day"))?;
        let instant = self.ticks.instant(row);
        let nanos = instant.fraction * (1_000_000_000 / self.ticks.per_second());
        let local = u32::try_from(nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(instant.seconds, nanos))
            .and_then(|utc| utc.naive_utc().checked_add_offset(offset))
            .filter(|local| (0..=9_999).contains(&local.year()))
            .ok_or(Refusal::Year)?;
        let format = match self.digits {
            0 => "%Y-%m-%dT%H:%M:%S",
            3 => "%Y-%m-%dT%H:%M:%S%.3f",
            6 => "%Y-%m-%dT%H:%M:%S%.6f",
            _ => "%Y-%m-%dT%H:%M:%S%.9f",
        };
        *buffer = format!("{}{offset}", local.format(format));
        Ok(buffer)
    }
}

impl Stored for OffsetTimestamps {
    fn ticks(&self, row: usize) -> Option<i64> {
        Some(self.ticks.at(row))
    }
}
