//! Dates, times and timestamps by ISO 8601, each unit with a fraction of its own width, so that the order of
//! the texts is that of the times.

use std::fmt::Write;

use arrow_array::Array;
use arrow_schema::DataType;
use chrono::{DateTime, Datelike, NaiveDate};

use super::fallback::Stored;
use super::refusal::Refusal;
use super::text::Text;
use super::ticks::{self, Instant, SECONDS_PER_DAY, Ticks};
use super::zone::Zone;

const DAY_RANGE: Refusal = Refusal::OutOfRange("the time of day is not within 00:00 to 24:00");
const OFFSET_SECONDS: Refusal =
    Refusal::OutOfRange("the offset of its zone is not one of whole minutes there");

/// Which text of ISO 8601 a type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Iso {
    /// `2013-01-31`.
    Date,
    /// The same, and with a time of milliseconds where it is not midnight.
    DateOrTimestamp,
    /// `05:15:00`, with so many digits of a second.
    Time(u8),
    /// `2013-01-31T05:15:00` and its zone, with so many digits of a second.
    Timestamp(u8, ShownZone),
    /// `PT1.5S`.
    Duration,
}

/// The zone that a timestamp is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShownZone {
    /// It has none and shows none.
    Naive,
    /// UTC, as `Z`. Without a zone of its own, it is a local time of this one.
    Utc(Option<Zone>),
    /// This zone's own time with its offset there; a local time of it, if that is so.
    Local(Zone, bool),
}

impl Iso {
    /// The canonical text of a type; none if it is not one of time.
    pub(super) fn of_type(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Date32 => Self::Date,
            DataType::Date64 => Self::DateOrTimestamp,
            DataType::Time32(unit) | DataType::Time64(unit) => Self::Time(ticks::digits(*unit)),
            DataType::Timestamp(unit, None) => {
                Self::Timestamp(ticks::digits(*unit), ShownZone::Naive)
            }
            DataType::Timestamp(unit, Some(_)) => {
                Self::Timestamp(ticks::digits(*unit), ShownZone::Utc(None))
            }
            _ => return None,
        })
    }

    fn fits(self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (Self::Date, DataType::Date32)
            | (Self::DateOrTimestamp, DataType::Date64 | DataType::Date32)
            | (Self::Duration, DataType::Duration(_)) => true,
            (Self::Time(digits), DataType::Time32(unit) | DataType::Time64(unit)) => {
                ticks::digits(*unit) <= digits
            }
            (Self::Timestamp(digits, zone), DataType::Timestamp(unit, own)) => {
                let naive = matches!(
                    zone,
                    ShownZone::Naive | ShownZone::Utc(Some(_)) | ShownZone::Local(_, true)
                );
                ticks::digits(*unit) <= digits && naive == own.is_none()
            }
            _ => false,
        }
    }
}

/// The texts of `array`; none if it has another type.
pub(super) fn texts(array: &dyn Array, iso: Iso) -> Option<Box<dyn Text>> {
    if !iso.fits(array.data_type()) {
        return None;
    }
    let ticks = Ticks::of(array)?;
    let iso = iso.in_zone_of(array.data_type())?;
    Some(Box::new(Temporal { ticks, iso }))
}

impl Iso {
    /// The same, in the zone of these values where each is shown in its own: files may differ in it.
    fn in_zone_of(self, data_type: &DataType) -> Option<Self> {
        Some(match (self, data_type) {
            (
                Self::Timestamp(digits, ShownZone::Local(_, false)),
                DataType::Timestamp(_, Some(zone)),
            ) => Self::Timestamp(digits, ShownZone::Local(Zone::parse(zone)?, false)),
            _ => self,
        })
    }
}

struct Temporal {
    ticks: Ticks,
    iso: Iso,
}

impl Text for Temporal {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        let instant = self.ticks.instant(row);
        match self.iso {
            Iso::Date => date(instant.seconds, buffer)?,
            Iso::DateOrTimestamp => {
                date(instant.seconds, buffer)?;
                if instant.fraction != 0 || instant.seconds.rem_euclid(SECONDS_PER_DAY) != 0 {
                    self.time_of_timestamp(instant, 3, buffer);
                }
            }
            Iso::Time(digits) => {
                if !(0..SECONDS_PER_DAY).contains(&instant.seconds) {
                    return Err(DAY_RANGE);
                }
                self.time_of_day(instant, digits, buffer);
            }
            Iso::Timestamp(digits, zone) => self.timestamp(instant, digits, zone, buffer)?,
            Iso::Duration => self.duration(self.ticks.at(row), buffer),
        }
        Ok(buffer)
    }
}

impl Stored for Temporal {
    fn ticks(&self, row: usize) -> Option<i64> {
        let of_mapping = match self.iso {
            Iso::Timestamp(digits, _) => Some(10_i64.pow(digits.into())),
            _ => self.ticks.unit(),
        };
        // The integer of another unit would say something else.
        (of_mapping == self.ticks.unit()).then(|| self.ticks.at(row))
    }
}

impl Temporal {
    fn timestamp(
        &self,
        mut instant: Instant,
        digits: u8,
        zone: ShownZone,
        out: &mut String,
    ) -> Result<(), Refusal> {
        if let ShownZone::Utc(Some(zone)) | ShownZone::Local(zone, true) = zone {
            instant.seconds = zone.utc_of(instant.seconds)?;
        }
        let ShownZone::Local(zone, _) = zone else {
            date(instant.seconds, out)?;
            self.time_of_timestamp(instant, digits, out);
            if let ShownZone::Utc(_) = zone {
                out.push('Z');
            }
            return Ok(());
        };
        let offset = zone.offset_at(instant.seconds)?;
        if offset % 60 != 0 {
            return Err(OFFSET_SECONDS);
        }
        instant.seconds = instant.seconds.checked_add(offset).ok_or(Refusal::Year)?;
        date(instant.seconds, out)?;
        self.time_of_timestamp(instant, digits, out);
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.abs() / 60;
        push(
            out,
            format_args!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        );
        Ok(())
    }

    fn time_of_timestamp(&self, mut instant: Instant, digits: u8, out: &mut String) {
        out.push('T');
        instant.seconds = instant.seconds.rem_euclid(SECONDS_PER_DAY);
        self.time_of_day(instant, digits, out);
    }

    fn time_of_day(&self, Instant { seconds, fraction }: Instant, digits: u8, out: &mut String) {
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        push(out, format_args!("{hour:02}:{minute:02}:{second:02}"));
        if digits > 0 {
            let width = usize::from(digits);
            // A coarser unit than that of the mapping has zeros at the end.
            let fraction = fraction * (10_i64.pow(digits.into()) / self.ticks.per_second());
            push(out, format_args!(".{fraction:0width$}"));
        }
    }

    fn duration(&self, ticks: i64, out: &mut String) {
        let per_second = self.ticks.per_second().unsigned_abs();
        let (seconds, fraction) = (
            ticks.unsigned_abs() / per_second,
            ticks.unsigned_abs() % per_second,
        );
        let sign = if ticks < 0 { "-" } else { "" };
        push(out, format_args!("PT{sign}{seconds}"));
        if fraction != 0 {
            let width = usize::try_from(per_second.ilog10()).unwrap_or_default();
            push(out, format_args!(".{fraction:0width$}"));
            out.truncate(out.trim_end_matches('0').len());
        }
        out.push('S');
    }
}

fn date(seconds: i64, out: &mut String) -> Result<(), Refusal> {
    let date = calendar(seconds)?;
    push(
        out,
        format_args!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
    );
    Ok(())
}

/// The date of a time in seconds since 1970, if its year has four digits. Chrono's own range is wider, and it
/// would write such years with a sign.
pub(super) fn calendar(seconds: i64) -> Result<NaiveDate, Refusal> {
    let date = DateTime::from_timestamp(seconds, 0)
        .ok_or(Refusal::Year)?
        .date_naive();
    if (0..=9_999).contains(&date.year()) {
        Ok(date)
    } else {
        Err(Refusal::Year)
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}
