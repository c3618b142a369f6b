//! Dates and timestamps as instants, whatever their type and unit.

use std::fmt;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use chrono::{DateTime, Datelike, Utc};

use crate::column_values::{unpacked, unpacked_type};
use crate::encode::text::Refusal;
use crate::encode::ticks::Ticks;
use crate::encode::zone::Zone;

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
pub(crate) struct Instants {
    ticks: Ticks,
    nulls: Option<NullBuffer>,
    /// The zone that local times are in, if it is not UTC.
    zone: Option<Zone>,
}

impl Instants {
    /// None if `array` holds no dates or timestamps.
    pub(crate) fn of(array: &ArrayRef) -> Option<Self> {
        InstantKind::of(array.data_type())?;
        Some(Self {
            ticks: Ticks::of(&unpacked(array)?)?,
            nulls: array.logical_nulls(),
            zone: None,
        })
    }

    /// The same, each taken for what clocks in `zone` show.
    pub(crate) fn in_zone(self, zone: Option<Zone>) -> Self {
        Self { zone, ..self }
    }

    /// None for a null.
    ///
    /// # Errors
    ///
    /// For a local time that a clock change makes twice, or not at all.
    pub(crate) fn get(&self, row: usize) -> Result<Option<Instant>, Refusal> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        let time = self.ticks.instant(row);
        let nanos_per_tick = NANOS_PER_SECOND / i128::from(self.ticks.per_second());
        let seconds = match self.zone {
            Some(zone) => zone.utc_of(time.seconds)?,
            None => time.seconds,
        };
        Ok(Some(Instant {
            seconds,
            // A fraction is less than a second.
            nanos: u32::try_from(i128::from(time.fraction) * nanos_per_tick).unwrap_or_default(),
        }))
    }
}

impl fmt::Debug for Instants {
    /// Shows no values: they are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instants").finish_non_exhaustive()
    }
}
