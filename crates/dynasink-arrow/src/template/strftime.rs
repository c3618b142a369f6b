//! Dates and timestamps by a format of one's own.

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

/// Parts of a date and time that a format writes.
#[derive(Clone, Copy, Debug, Default)]
struct Fields {
    year: bool,
    century: bool,
    year_of_century: bool,
    month: bool,
    day: bool,
    day_of_year: bool,
    iso_year: bool,
    iso_week: bool,
    weekday: bool,
    hour: bool,
    hour_of_half: bool,
    half: bool,
    minute: bool,
    second: bool,
    /// Digits of a second's fraction.
    fraction: usize,
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
            DataType::Timestamp(TimeUnit::Second, _) => 0,
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
        let fields = self.fields();
        let has_time = fields.has_time() && fields.fraction >= digits;
        if fields.has_date() && (matches!(data_type, DataType::Date32) || has_time) {
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

    fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        for item in &self.items {
            match item {
                Item::Numeric(numeric, _) => match numeric {
                    Numeric::Year => fields.year = true,
                    Numeric::YearDiv100 => fields.century = true,
                    Numeric::YearMod100 => fields.year_of_century = true,
                    Numeric::Month => fields.month = true,
                    Numeric::Day => fields.day = true,
                    Numeric::Ordinal => fields.day_of_year = true,
                    Numeric::IsoYear => fields.iso_year = true,
                    Numeric::IsoWeek => fields.iso_week = true,
                    Numeric::NumDaysFromSun | Numeric::WeekdayFromMon => fields.weekday = true,
                    Numeric::Hour => fields.hour = true,
                    Numeric::Hour12 => fields.hour_of_half = true,
                    Numeric::Minute => fields.minute = true,
                    Numeric::Second => fields.second = true,
                    Numeric::Nanosecond => fields.fraction = 9,
                    _ => {}
                },
                Item::Fixed(fixed) => match fixed {
                    Fixed::ShortMonthName => fields.month = true,
                    Fixed::ShortWeekdayName => fields.weekday = true,
                    Fixed::LowerAmPm | Fixed::UpperAmPm => fields.half = true,
                    _ => {
                        if let Some(digits) = fraction_digits(fixed) {
                            fields.fraction = fields.fraction.max(digits);
                        }
                    }
                },
                _ => {}
            }
        }
        fields
    }
}

impl Fields {
    fn has_date(self) -> bool {
        let year = self.year || (self.century && self.year_of_century);
        let in_month = self.month && self.day;
        (year && (in_month || self.day_of_year)) || (self.iso_year && self.iso_week && self.weekday)
    }

    fn has_time(self) -> bool {
        let hour = self.hour || (self.hour_of_half && self.half);
        hour && self.minute && self.second
    }
}

/// The bytes of a part, if it always has so many in the years 0000 to 9999.
fn width(item: &Item<'_>) -> Option<usize> {
    match item {
        Item::Literal(text) | Item::Space(text) => Some(text.len()),
        Item::OwnedLiteral(text) | Item::OwnedSpace(text) => Some(text.len()),
        Item::Numeric(Numeric::Quarter | Numeric::NumDaysFromSun | Numeric::WeekdayFromMon, _) => {
            Some(1)
        }
        Item::Numeric(_, Pad::None) => None,
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
        Item::Error => None,
    }
}

/// The digits that a part writes of a second's fraction, if they are always as many.
fn fraction_digits(fixed: &Fixed) -> Option<usize> {
    match fixed {
        Fixed::Nanosecond3 => Some(3),
        Fixed::Nanosecond6 => Some(6),
        Fixed::Nanosecond9 => Some(9),
        // Chrono keeps the parts without a point to itself, but compares them.
        _ => [("%3f", 3), ("%6f", 6), ("%9f", 9)]
            .into_iter()
            .find(|(format, _)| {
                StrftimeItems::new(format).next().as_ref() == Some(&Item::Fixed(fixed.clone()))
            })
            .map(|(_, digits)| digits),
    }
}
