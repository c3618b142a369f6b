//! Dates and timestamps as instants, whatever their type and unit.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Datelike, Utc};

use crate::column_values::{unpacked, unpacked_type};

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A moment: seconds since 1970, and what is beyond the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    seconds: i64,
    nanos: u32,
}

/// What of a moment a type tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstantKind {
    /// The day.
    Date,
    /// Day and time, somewhere.
    Local,
    /// Day and time in UTC.
    Utc,
}

impl InstantKind {
    /// None for a type that is no date or timestamp.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        match unpacked_type(data_type) {
            DataType::Date32 => Some(Self::Date),
            DataType::Date64 | DataType::Timestamp(_, None) => Some(Self::Local),
            DataType::Timestamp(_, Some(_)) => Some(Self::Utc),
            _ => None,
        }
    }
}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub(crate) const EPOCH: Self = Self {
        seconds: 0,
        nanos: 0,
    };

    /// Nanoseconds since 1970.
    pub(crate) fn nanos(self) -> i128 {
        i128::from(self.seconds) * NANOS_PER_SECOND + i128::from(self.nanos)
    }

    /// `nanos` later; none beyond the range of 64 bits.
    pub(crate) fn after(self, nanos: i128) -> Option<Self> {
        let nanos = self.nanos().checked_add(nanos)?;
        Some(Self {
            seconds: i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).ok()?,
            nanos: u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).ok()?,
        })
    }

    /// Seconds since 1970; what is beyond the second is dropped towards the past.
    pub(crate) fn seconds(self) -> i64 {
        self.seconds
    }

    /// The date and time, if its year is within 0000 to 9999.
    pub(crate) fn in_four_digit_years(self) -> Option<DateTime<Utc>> {
        let time = DateTime::from_timestamp(self.seconds, self.nanos)?;
        (0..=9_999).contains(&time.year()).then_some(time)
    }
}

/// The instants of one array.
#[derive(Debug)]
pub(crate) struct Instants {
    ticks: Int64Array,
    unit: Unit,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Days,
    PartsOfASecond(i64),
}

impl Instants {
    /// None if `array` holds no dates or timestamps.
    pub(crate) fn of(array: &ArrayRef) -> Option<Self> {
        let array = unpacked(array)?;
        let unit = match array.data_type() {
            DataType::Date32 => Unit::Days,
            DataType::Timestamp(TimeUnit::Second, _) => Unit::PartsOfASecond(1),
            DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => {
                Unit::PartsOfASecond(1_000)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => Unit::PartsOfASecond(1_000_000),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Unit::PartsOfASecond(1_000_000_000),
            _ => return None,
        };
        let ticks = cast(&array, &DataType::Int64).ok()?;
        let ticks = ticks.as_primitive_opt::<Int64Type>()?.clone();
        Some(Self { ticks, unit })
    }

    /// None for a null.
    pub(crate) fn get(&self, row: usize) -> Option<Instant> {
        if self.ticks.is_null(row) {
            return None;
        }
        let ticks = self.ticks.value(row);
        Some(match self.unit {
            // Days have 32 bits.
            Unit::Days => Instant {
                seconds: ticks.saturating_mul(SECONDS_PER_DAY),
                nanos: 0,
            },
            Unit::PartsOfASecond(parts) => Instant {
                seconds: ticks.div_euclid(parts),
                nanos: u32::try_from(ticks.rem_euclid(parts) * (1_000_000_000 / parts))
                    .unwrap_or_default(),
            },
        })
    }
}
