//! Intervals by ISO 8601 with a sign for each part, `P1Y2M3DT4H5.006S`, or as M of their parts.

use std::fmt::Write;

use arrow_array::types::{IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::{DataType, IntervalUnit};
use dynasink_core::ValueEncoder;

use super::fallback::Stored;
use super::refusal::Refusal;
use super::text::Text;
use super::{Encode, ValueError};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_MINUTE: i64 = 60 * NANOS_PER_SECOND;
const NANOS_PER_HOUR: i64 = 60 * NANOS_PER_MINUTE;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// The parts of an interval, none of which is a fixed number of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    months: i32,
    days: i32,
    nanos: i64,
}

/// The intervals of one array.
enum Intervals {
    YearMonth(PrimitiveArray<IntervalYearMonthType>),
    DayTime(PrimitiveArray<IntervalDayTimeType>),
    MonthDayNano(PrimitiveArray<IntervalMonthDayNanoType>),
}

impl Intervals {
    fn new(array: &dyn Array) -> Option<Self> {
        let array_any = array.as_any();
        Some(match array.data_type() {
            DataType::Interval(IntervalUnit::YearMonth) => {
                Self::YearMonth(array_any.downcast_ref::<PrimitiveArray<_>>()?.clone())
            }
            DataType::Interval(IntervalUnit::DayTime) => {
                Self::DayTime(array_any.downcast_ref::<PrimitiveArray<_>>()?.clone())
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                Self::MonthDayNano(array_any.downcast_ref::<PrimitiveArray<_>>()?.clone())
            }
            _ => return None,
        })
    }

    fn parts(&self, row: usize) -> Parts {
        match self {
            Self::YearMonth(array) => Parts {
                months: array.value(row),
                days: 0,
                nanos: 0,
            },
            Self::DayTime(array) => {
                let interval = array.value(row);
                Parts {
                    months: 0,
                    days: interval.days,
                    nanos: i64::from(interval.milliseconds) * NANOS_PER_MILLI,
                }
            }
            Self::MonthDayNano(array) => {
                let interval = array.value(row);
                Parts {
                    months: interval.months,
                    days: interval.days,
                    nanos: interval.nanoseconds,
                }
            }
        }
    }
}

/// The texts of `array`; none if it does not hold intervals.
pub(super) fn texts(array: &dyn Array) -> Option<Box<dyn Text>> {
    Some(Box::new(Intervals::new(array)?))
}

impl Text for Intervals {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        self.parts(row).write_iso(buffer);
        Ok(buffer)
    }
}

impl Stored for Intervals {}

/// Intervals as M of `months`, `days` and `nanos`.
pub(super) fn maps(array: &dyn Array) -> Option<Box<dyn Encode>> {
    Some(Box::new(AsMap(Intervals::new(array)?)))
}

struct AsMap(Intervals);

impl Encode for AsMap {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let parts = self.0.parts(row);
        let mut map = value.map()?;
        map.attribute("months")?.integer(parts.months)?;
        map.attribute("days")?.integer(parts.days)?;
        map.attribute("nanos")?.integer(parts.nanos)?;
        Ok(())
    }
}

impl Parts {
    /// Appends the text. Parts that are zero are left out, and an interval of none is `PT0S`.
    fn write_iso(self, out: &mut String) {
        let start = out.len();
        out.push('P');
        part(out, i64::from(self.months / 12), 'Y');
        part(out, i64::from(self.months % 12), 'M');
        part(out, i64::from(self.days), 'D');
        if self.nanos != 0 {
            out.push('T');
            part(out, self.nanos / NANOS_PER_HOUR, 'H');
            part(out, self.nanos % NANOS_PER_HOUR / NANOS_PER_MINUTE, 'M');
            seconds(out, self.nanos % NANOS_PER_MINUTE);
        }
        if out.len() == start + 1 {
            out.push_str("T0S");
        }
    }
}

fn part(out: &mut String, amount: i64, unit: char) {
    if amount != 0 {
        push(out, format_args!("{amount}{unit}"));
    }
}

fn seconds(out: &mut String, nanos: i64) {
    if nanos == 0 {
        return;
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let whole = (nanos / NANOS_PER_SECOND).unsigned_abs();
    let fraction = (nanos % NANOS_PER_SECOND).unsigned_abs();
    push(out, format_args!("{sign}{whole}"));
    if fraction != 0 {
        push(out, format_args!(".{fraction:09}"));
        out.truncate(out.trim_end_matches('0').len());
    }
    out.push('S');
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(months: i32, days: i32, nanos: i64) -> String {
        let mut text = String::new();
        Parts {
            months,
            days,
            nanos,
        }
        .write_iso(&mut text);
        text
    }

    #[test]
    fn each_part_has_its_own_sign_and_none_is_carried_over() {
        for (months, days, nanos, expected) in [
            (0, 0, 0, "PT0S"),
            (
                14,
                3,
                4 * NANOS_PER_HOUR + 5_006 * NANOS_PER_MILLI,
                "P1Y2M3DT4H5.006S",
            ),
            (-14, 3, -1, "P-1Y-2M3DT-0.000000001S"),
            (12, 0, 0, "P1Y"),
            (-1, 0, 0, "P-1M"),
            (0, 45, 0, "P45D"),
            (0, 0, 90 * NANOS_PER_MINUTE, "PT1H30M"),
            (0, 0, -90 * NANOS_PER_SECOND, "PT-1M-30S"),
            (0, 0, 10 * NANOS_PER_SECOND, "PT10S"),
            (0, 0, 25 * NANOS_PER_HOUR, "PT25H"),
            (
                i32::MIN,
                i32::MIN,
                i64::MIN,
                "P-178956970Y-8M-2147483648DT-2562047H-47M-16.854775808S",
            ),
            (
                i32::MAX,
                i32::MAX,
                i64::MAX,
                "P178956970Y7M2147483647DT2562047H47M16.854775807S",
            ),
        ] {
            assert_eq!(iso(months, days, nanos), expected);
        }
    }
}
