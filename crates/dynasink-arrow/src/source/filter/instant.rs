//! Dates, times and timestamps as they are written.

use arrow_array::ArrayRef;
use arrow_schema::{DataType, TimeUnit};
use chrono::{NaiveDate, NaiveTime, Timelike};

use super::literal::{Refusal, of_count, of_date};

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const SECONDS_PER_DAY: i128 = 86_400;

/// The value of `text` as an array of one element of a type of dates or times.
pub(super) fn typed(text: &str, data_type: &DataType) -> Result<ArrayRef, Refusal> {
    let value = match data_type {
        DataType::Date32 | DataType::Date64 => date(text).and_then(|date| of_date(date, data_type)),
        DataType::Time32(unit) | DataType::Time64(unit) => match time(text) {
            Some(nanos) => return count(nanos, *unit, data_type),
            None => None,
        },
        DataType::Timestamp(unit, zone) => match timestamp(text) {
            Some((nanos, offset)) => {
                let nanos = in_zone(nanos, offset, zone.as_deref())?;
                return count(nanos, *unit, data_type);
            }
            None => None,
        },
        _ => None,
    };
    value.ok_or_else(|| form(data_type))
}

/// How values of a type of dates or times are written.
pub(super) fn form(data_type: &DataType) -> Refusal {
    let example = match data_type {
        DataType::Date32 | DataType::Date64 => "'2024-01-31'",
        DataType::Timestamp(_, Some(_)) => "'2024-01-31T08:15:00Z'",
        DataType::Timestamp(_, None) => "'2024-01-31T08:15:00'",
        _ => "'08:15:00'",
    };
    format!("write it as {example}")
}

/// The digits of a second that a unit has.
pub(super) fn digits_of(unit: TimeUnit) -> u32 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

fn count(nanos: i128, unit: TimeUnit, data_type: &DataType) -> Result<ArrayRef, Refusal> {
    let digits = digits_of(unit);
    let nanos_per_unit = 10_i128.pow(9 - digits);
    if nanos % nanos_per_unit != 0 {
        return Err(format!("the column holds {digits} digits of a second"));
    }
    i64::try_from(nanos / nanos_per_unit)
        .ok()
        .and_then(|count| of_count(count, data_type))
        .ok_or_else(|| "the column's type does not reach that far".to_owned())
}

/// Brings a timestamp to how the column counts: in UTC if it has a zone, and as it is written if not.
fn in_zone(nanos: i128, offset: Option<i128>, zone: Option<&str>) -> Result<i128, Refusal> {
    match (offset, zone) {
        (None, None | Some("UTC" | "Etc/UTC" | "Z" | "+00:00")) => Ok(nanos),
        (Some(offset), Some(_)) => Ok(nanos - offset * NANOS_PER_SECOND),
        (None, Some(zone)) => Err(format!(
            "the column is in the time zone {zone}: write the zone, Z or an offset such as +01:00, at the end"
        )),
        (Some(_), None) => {
            Err("the column has no time zone: write the literal without one".to_owned())
        }
    }
}

/// `2024-01-31`.
fn date(text: &str) -> Option<NaiveDate> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return None;
    };
    let of_digits = |text: &str, len| {
        (text.len() == len && text.bytes().all(|digit| digit.is_ascii_digit())).then_some(())
    };
    of_digits(year, 4)?;
    of_digits(month, 2)?;
    of_digits(day, 2)?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// `08:15`, `08:15:30` or `08:15:30.25`, in nanoseconds of the day.
fn time(text: &str) -> Option<i128> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) if clock.len() == 8 => (clock, fraction),
        Some(_) => return None,
        None => (text, "0"),
    };
    let digits = fraction.len();
    if !(1..=9).contains(&digits) || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction: i128 = fraction.parse().ok()?;
    let nanos = fraction * 10_i128.pow(9 - u32::try_from(digits).ok()?);
    let clock = match clock.len() {
        5 => NaiveTime::parse_from_str(clock, "%H:%M"),
        8 => NaiveTime::parse_from_str(clock, "%H:%M:%S"),
        _ => return None,
    };
    // A leap second is no value of a column.
    let clock = clock.ok().filter(|clock| clock.nanosecond() == 0)?;
    Some(i128::from(clock.num_seconds_from_midnight()) * NANOS_PER_SECOND + nanos)
}

/// A date, and perhaps a time after `T` or a space, and perhaps an offset: the nanoseconds since 1970 as if there
/// were no offset, and the offset in seconds.
fn timestamp(text: &str) -> Option<(i128, Option<i128>)> {
    let (day, rest) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let (clock, offset) = match rest.find(['Z', '+', '-']) {
        Some(at) => {
            let (clock, zone) = rest.split_at_checked(at)?;
            (clock, Some(offset(zone)?))
        }
        None => (rest, None),
    };
    let days = date(day)?
        .signed_duration_since(NaiveDate::default())
        .num_days();
    let nanos = i128::from(days) * SECONDS_PER_DAY * NANOS_PER_SECOND + time(clock.trim_end())?;
    Some((nanos, offset))
}

/// `Z`, `+01:00`, `-0130` or `+01`, in seconds.
fn offset(zone: &str) -> Option<i128> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.get(1..)?.replace(':', "");
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: i128 = digits.parse().ok()?;
    let (hours, minutes) = match digits.len() {
        2 => (number, 0),
        4 => (number / 100, number % 100),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Time64MicrosecondType, TimestampMillisecondType};

    use super::*;

    fn millis(text: &str, zone: Option<&str>) -> Result<i64, Refusal> {
        let data_type = DataType::Timestamp(TimeUnit::Millisecond, zone.map(Into::into));
        let array = typed(text, &data_type)?;
        assert_eq!(array.data_type(), &data_type);
        Ok(array.as_primitive::<TimestampMillisecondType>().value(0))
    }

    #[test]
    fn dates_are_written_in_full() {
        let days = |text| {
            typed(text, &DataType::Date32).map(|array| array.as_primitive::<Date32Type>().value(0))
        };
        assert_eq!(days("1970-01-02"), Ok(1));
        assert_eq!(days("1969-12-31"), Ok(-1));
        for text in [
            "2024-1-1",
            "2024-02-30",
            "20240101",
            "2024-01-01T00:00",
            "",
            "+024-01-01",
        ] {
            assert!(days(text).is_err(), "{text}");
        }
        assert!(typed("2024-01-31", &DataType::Date64).is_ok());
    }

    #[test]
    fn timestamps_are_as_fine_as_the_column() {
        assert_eq!(millis("1970-01-01", None), Ok(0));
        assert_eq!(millis("1970-01-01 00:00:01.5", None), Ok(1_500));
        assert_eq!(millis("1970-01-01T00:00:01.500000", None), Ok(1_500));
        assert_eq!(millis("1969-12-31T23:59:59.999", None), Ok(-1));
        assert!(
            millis("1970-01-01T00:00:00.0005", None)
                .unwrap_err()
                .contains("3 digits")
        );
        for text in [
            "1970-01-01T25:00",
            "1970-01-01T00:00:60",
            "1970-01-01T0:0",
            "now",
            "1970-01-01T",
        ] {
            assert!(millis(text, None).is_err(), "{text}");
        }
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
        assert!(typed("2500-01-01", &nanos).unwrap_err().contains("reach"));
    }

    #[test]
    fn a_zone_is_written_where_the_column_has_one() {
        assert_eq!(millis("1970-01-01T01:00+01:00", Some("UTC")), Ok(0));
        assert_eq!(millis("1970-01-01T00:00:00Z", Some("Europe/Berlin")), Ok(0));
        assert_eq!(millis("1969-12-31 22:30:00 -0130", Some("UTC")), Ok(0));
        assert_eq!(millis("1970-01-01", Some("UTC")), Ok(0));
        assert!(
            millis("1970-01-01", Some("Europe/Berlin"))
                .unwrap_err()
                .contains("Berlin")
        );
        assert!(millis("1970-01-01T00:00Z", None).is_err());
    }

    #[test]
    fn times_are_of_the_day() {
        let data_type = DataType::Time64(TimeUnit::Microsecond);
        let micros = |text| {
            typed(text, &data_type)
                .map(|array| array.as_primitive::<Time64MicrosecondType>().value(0))
        };
        assert_eq!(micros("00:00:00.000001"), Ok(1));
        assert_eq!(micros("23:59"), Ok(86_340_000_000));
        assert!(micros("24:00:00").is_err());
        assert!(typed("00:00:00.5", &DataType::Time32(TimeUnit::Second)).is_err());
    }
}
