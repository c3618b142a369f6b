//! Dates and times as numbers.

use arrow_array::Array;
use arrow_schema::DataType;
use chrono::Datelike;
use dynasink_core::{Decimal, Number};

use super::fallback::Stored;
use super::number::ToNumber;
use super::refusal::Refusal;
use super::temporal::calendar;
use super::ticks::{SECONDS_PER_DAY, Ticks};
use super::zone::Zone;

/// What is counted since 1970, or since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Whole seconds; a fraction is dropped towards the past.
    Seconds,
    /// Seconds with their fraction.
    SecondsFraction,
    /// Whole ones of so many in a second.
    PerSecond(i64, &'static str),
    /// Whole days.
    Days,
    /// The digits of a date.
    Yyyymmdd,
    /// Whatever is stored, in ticks of this many in a second, or in days.
    Raw(Option<i64>),
}

impl Count {
    pub(super) const MILLIS: Self = Self::PerSecond(
        1_000,
        "it is not a whole number of milliseconds: write it as epoch_us, epoch_ns or iso",
    );
    pub(super) const MICROS: Self = Self::PerSecond(
        1_000_000,
        "it is not a whole number of microseconds: write it as epoch_ns or iso",
    );
    pub(super) const NANOS: Self =
        Self::PerSecond(1_000_000_000, "it is not a whole number of nanoseconds");
}

/// The numbers of `array`, local times of `zone` if there is one; none if its type is not one of time.
pub(super) fn numbers(
    array: &dyn Array,
    count: Count,
    zone: Option<Zone>,
) -> Option<Box<dyn ToNumber>> {
    let time_of_day = matches!(array.data_type(), DataType::Time32(_) | DataType::Time64(_));
    let ticks = Ticks::of(array)?;
    if let Count::Raw(unit) = count
        && unit != ticks.unit()
    {
        // The same integers would say something else.
        return None;
    }
    Some(Box::new(Counts {
        ticks,
        count,
        zone,
        time_of_day,
    }))
}

struct Counts {
    ticks: Ticks,
    count: Count,
    zone: Option<Zone>,
    time_of_day: bool,
}

impl ToNumber for Counts {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        if let Count::Raw(_) = self.count {
            return Ok(Number::try_from(i128::from(self.ticks.at(row)))?);
        }
        let mut instant = self.ticks.instant(row);
        if self.time_of_day && !(0..SECONDS_PER_DAY).contains(&instant.seconds) {
            return Err(Refusal::OutOfRange(
                "the time of day is not within 00:00 to 24:00",
            ));
        }
        if let Some(zone) = self.zone {
            instant.seconds = zone.utc_of(instant.seconds)?;
        }
        let (seconds, fraction) = (i128::from(instant.seconds), i128::from(instant.fraction));
        let per_second = self.ticks.per_second();
        let ticks = seconds * i128::from(per_second) + fraction;
        let whole_days = fraction == 0 && seconds % i128::from(SECONDS_PER_DAY) == 0;
        Ok(match self.count {
            Count::Seconds | Count::Raw(_) => Number::try_from(seconds)?,
            Count::SecondsFraction => {
                let scale = i32::try_from(per_second.ilog10()).unwrap_or_default();
                Number::from_scaled(ticks, scale)?
            }
            Count::PerSecond(wanted, refusal) => {
                let scaled = ticks * i128::from(wanted);
                let per_second = i128::from(per_second);
                if scaled % per_second != 0 {
                    return Err(Refusal::OutOfRange(refusal));
                }
                Number::try_from(scaled / per_second)?
            }
            Count::Days if whole_days => Number::try_from(seconds / i128::from(SECONDS_PER_DAY))?,
            Count::Yyyymmdd if whole_days => {
                let date = calendar(instant.seconds)?;
                let digits = (date.year() * 100 + i32::try_from(date.month()).unwrap_or_default())
                    * 100
                    + i32::try_from(date.day()).unwrap_or_default();
                Number::try_from(i128::from(digits))?
            }
            Count::Days | Count::Yyyymmdd => {
                return Err(Refusal::OutOfRange("it is not midnight: write it as iso"));
            }
        })
    }
}

impl Stored for Counts {
    fn ticks(&self, row: usize) -> Option<i64> {
        Some(self.ticks.at(row))
    }

    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        Ok(self.number(row)?.to_string().parse()?)
    }
}
