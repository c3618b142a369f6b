//! Dates and timestamps by a format of one's own.

use std::collections::HashSet;
use std::fmt::Write;

use arrow_schema::{DataType, TimeUnit};
use chrono::format::{Fixed, Item, Numeric, Pad, StrftimeItems};

use super::extent::{Alphabet, Extent};
use crate::instant::{Instant, InstantKind};

/// A format that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strftime {
    items: Vec<Item<'static>>,
}

/// A part of a date or a time that a format can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Year,
    Century,
    YearOfCentury,
    Month,
    Day,
    DayOfYear,
    IsoYear,
    IsoWeek,
    Weekday,
    Hour,
    HourOfHalfDay,
    HalfDay,
    Minute,
    Second,
}

impl Strftime {
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let items = StrftimeItems::new(format).parse_to_owned().map_err(|_| {
            "the format has a specifier that strftime does not know: write %% for a percent sign"
                .to_owned()
        })?;
        Ok(Self { items })
    }

    /// Whether values of `kind` have all that the format asks for: a date has no hour, and a time without a zone no
    /// offset.
    pub(super) fn applies_to(&self, kind: InstantKind) -> bool {
        self.write(Instant::EPOCH, kind, &mut String::new())
    }

    /// Appends the text of `instant`. False if it has none.
    pub(super) fn write(&self, instant: Instant, kind: InstantKind, out: &mut String) -> bool {
        let items = self.items.iter();
        let Some(time) = instant.in_four_digit_years() else {
            return false;
        };
        match kind {
            InstantKind::Date => write!(out, "{}", time.date_naive().format_with_items(items)),
            InstantKind::Local => write!(out, "{}", time.naive_utc().format_with_items(items)),
            InstantKind::Utc => write!(out, "{}", time.format_with_items(items)),
        }
        .is_ok()
    }

    /// How far its texts reach.
    pub(super) fn extent(&self) -> Extent {
        if self.is_epoch_seconds() {
            return Extent::Variable(Alphabet::NumbersAndTimes);
        }
        let widths = self.items.iter().map(width);
        widths
            .sum::<Option<usize>>()
            .map_or(Extent::Variable(Alphabet::Any), Extent::Fixed)
    }

    /// Why it makes one text of several values of `data_type`, if it does, as far as can be told.
    pub(super) fn loss(&self, data_type: &DataType) -> Option<&'static str> {
        const COARSE: Option<&str> = Some("the format leaves a part of the time out");
        let digits = match data_type {
            DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Date64 => 3,
            DataType::Timestamp(TimeUnit::Microsecond, _) => 6,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => 9,
            _ => 0,
        };
        if self.is_epoch_seconds() {
            return if digits == 0 { None } else { COARSE };
        }
        if !matches!(self.extent(), Extent::Fixed(_)) {
            return Some("the format has parts of no fixed width, which may run into one another");
        }
        let parts: HashSet<Part> = self.items.iter().filter_map(part).collect();
        let fraction = self.items.iter().filter_map(|item| match item {
            Item::Numeric(Numeric::Nanosecond, _) => Some(9),
            Item::Fixed(fixed) => fraction_digits(fixed),
            _ => None,
        });
        let has_time = has_time(&parts) && fraction.max().unwrap_or(0) >= digits;
        if has_date(&parts) && (matches!(data_type, DataType::Date32) || has_time) {
            None
        } else {
            COARSE
        }
    }

    fn is_epoch_seconds(&self) -> bool {
        matches!(
            self.items.as_slice(),
            [Item::Numeric(Numeric::Timestamp, _)]
        )
    }
}

/// What the item writes.
fn part(item: &Item<'_>) -> Option<Part> {
    Some(match item {
        Item::Numeric(numeric, _) => match numeric {
            Numeric::Year => Part::Year,
            Numeric::YearDiv100 => Part::Century,
            Numeric::YearMod100 => Part::YearOfCentury,
            Numeric::Month => Part::Month,
            Numeric::Day => Part::Day,
            Numeric::Ordinal => Part::DayOfYear,
            Numeric::IsoYear => Part::IsoYear,
            Numeric::IsoWeek => Part::IsoWeek,
            Numeric::NumDaysFromSun | Numeric::WeekdayFromMon => Part::Weekday,
            Numeric::Hour => Part::Hour,
            Numeric::Hour12 => Part::HourOfHalfDay,
            Numeric::Minute => Part::Minute,
            Numeric::Second => Part::Second,
            _ => return None,
        },
        Item::Fixed(fixed) => match fixed {
            Fixed::ShortMonthName => Part::Month,
            Fixed::ShortWeekdayName => Part::Weekday,
            Fixed::LowerAmPm | Fixed::UpperAmPm => Part::HalfDay,
            _ => return None,
        },
        _ => return None,
    })
}

fn has_date(parts: &HashSet<Part>) -> bool {
    let all = |wanted: &[Part]| wanted.iter().all(|part| parts.contains(part));
    let has_year = all(&[Part::Year]) || all(&[Part::Century, Part::YearOfCentury]);
    let has_day = all(&[Part::Month, Part::Day]) || all(&[Part::DayOfYear]);
    (has_year && has_day) || all(&[Part::IsoYear, Part::IsoWeek, Part::Weekday])
}

fn has_time(parts: &HashSet<Part>) -> bool {
    let all = |wanted: &[Part]| wanted.iter().all(|part| parts.contains(part));
    let has_hour = all(&[Part::Hour]) || all(&[Part::HourOfHalfDay, Part::HalfDay]);
    has_hour && all(&[Part::Minute, Part::Second])
}

/// The bytes of an item, if it always has so many in the years 0000 to 9999.
fn width(item: &Item<'_>) -> Option<usize> {
    match item {
        Item::Literal(text) | Item::Space(text) => Some(text.len()),
        Item::OwnedLiteral(text) | Item::OwnedSpace(text) => Some(text.len()),
        Item::Numeric(Numeric::Quarter | Numeric::NumDaysFromSun | Numeric::WeekdayFromMon, _) => {
            Some(1)
        }
        Item::Numeric(_, Pad::None) | Item::Error => None,
        Item::Numeric(numeric, _) => match numeric {
            Numeric::Year | Numeric::IsoYear => Some(4),
            Numeric::Ordinal => Some(3),
            Numeric::YearDiv100
            | Numeric::YearMod100
            | Numeric::IsoYearDiv100
            | Numeric::IsoYearMod100
            | Numeric::Month
            | Numeric::Day
            | Numeric::WeekFromSun
            | Numeric::WeekFromMon
            | Numeric::IsoWeek
            | Numeric::Hour
            | Numeric::Hour12
            | Numeric::Minute
            | Numeric::Second => Some(2),
            Numeric::Nanosecond => Some(9),
            _ => None,
        },
        Item::Fixed(fixed) => match fixed {
            Fixed::ShortMonthName | Fixed::ShortWeekdayName | Fixed::TimezoneName => Some(3),
            Fixed::LowerAmPm | Fixed::UpperAmPm => Some(2),
            Fixed::TimezoneOffset => Some("+0000".len()),
            Fixed::TimezoneOffsetColon => Some("+00:00".len()),
            Fixed::Nanosecond3 | Fixed::Nanosecond6 | Fixed::Nanosecond9 => {
                fraction_digits(fixed).map(|digits| ".".len() + digits)
            }
            _ => fraction_digits(fixed),
        },
    }
}

/// The digits that an item writes of a second's fraction, if they are always as many.
fn fraction_digits(fixed: &Fixed) -> Option<usize> {
    match fixed {
        Fixed::Nanosecond3 => Some(3),
        Fixed::Nanosecond6 => Some(6),
        Fixed::Nanosecond9 => Some(9),
        // Chrono keeps the items without a point to itself, but compares them.
        _ => [("%3f", 3), ("%6f", 6), ("%9f", 9)]
            .into_iter()
            .find(|(format, _)| {
                StrftimeItems::new(format).next().as_ref() == Some(&Item::Fixed(fixed.clone()))
            })
            .map(|(_, digits)| digits),
    }
}
