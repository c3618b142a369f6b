//! Time zones: the offset from UTC that a zone has at a time.

use chrono::offset::LocalResult;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::refusal::Refusal;

/// A time zone by its name in the IANA database, or a fixed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    Named(Tz),
    /// Seconds east of UTC.
    Fixed(i64),
}

impl Zone {
    /// `Europe/Berlin`, `UTC`, `Z`, `+01:00`, `+0100` or `+01`; none if it is no zone.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            b"Z" => Some(Self::Fixed(0)),
            [sign @ (b'+' | b'-'), digits @ ..] => {
                let (hours, minutes) = match digits {
                    [a, b] => ([a, b], [&b'0', &b'0']),
                    [a, b, c, d] | [a, b, b':', c, d] => ([a, b], [c, d]),
                    _ => return None,
                };
                let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
                let seconds =
                    (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60)?;
                Some(Self::Fixed(if *sign == b'-' { -seconds } else { seconds }))
            }
            _ => text.parse().ok().map(Self::Named),
        }
    }

    /// The offset in seconds at `seconds` since 1970.
    pub(crate) fn offset_at(self, seconds: i64) -> Result<i64, Refusal> {
        match self {
            Self::Fixed(offset) => Ok(offset),
            Self::Named(zone) => {
                let time = DateTime::from_timestamp(seconds, 0).ok_or(Refusal::Year)?;
                let offset = zone.offset_from_utc_datetime(&time.naive_utc());
                Ok(offset.fix().local_minus_utc().into())
            }
        }
    }

    /// Seconds since 1970 of the time that clocks in this zone show as `local` seconds since 1970.
    pub(crate) fn utc_of(self, local: i64) -> Result<i64, Refusal> {
        let offset = match self {
            Self::Fixed(offset) => offset,
            Self::Named(zone) => {
                let time = DateTime::from_timestamp(local, 0).ok_or(Refusal::Year)?;
                match zone.offset_from_local_datetime(&time.naive_utc()) {
                    LocalResult::Single(offset) => offset.fix().local_minus_utc().into(),
                    LocalResult::Ambiguous(first, second) if first.fix() == second.fix() => {
                        first.fix().local_minus_utc().into()
                    }
                    LocalResult::Ambiguous(..) => {
                        return Err(Refusal::OutOfRange(
                            "it is a local time that a clock change of its zone makes twice",
                        ));
                    }
                    LocalResult::None => {
                        return Err(Refusal::OutOfRange(
                            "it is a local time that a clock change of its zone leaves out",
                        ));
                    }
                }
            }
        };
        local.checked_sub(offset).ok_or(Refusal::Year)
    }
}

fn two_digits([tens, ones]: [&u8; 2]) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_names_or_offsets() {
        for (text, seconds) in [
            ("Z", 0),
            ("+01:00", 3_600),
            ("+0530", 19_800),
            ("-08", -28_800),
            ("-00:30", -1_800),
        ] {
            assert_eq!(Zone::parse(text), Some(Zone::Fixed(seconds)), "{text}");
        }
        assert_eq!(
            Zone::parse("Europe/Berlin"),
            Some(Zone::Named(Tz::Europe__Berlin))
        );
        for text in [
            "", "+", "+1", "+24:00", "+01:60", "+01:0", "+1a", "Europe", "CET+1", "Berlin",
        ] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_local_time_in_a_clock_change_is_refused() {
        let berlin = Zone::Named(Tz::Europe__Berlin);
        // 2024-03-31: clocks go from 02:00 to 03:00.
        assert_eq!(berlin.utc_of(1_711_850_399), Ok(1_711_846_799));
        assert!(berlin.utc_of(1_711_850_400).is_err());
        assert!(berlin.utc_of(1_711_853_999).is_err());
        assert_eq!(berlin.utc_of(1_711_854_000), Ok(1_711_846_800));
        // 2024-10-27: clocks go from 03:00 to 02:00.
        assert_eq!(berlin.utc_of(1_729_994_399), Ok(1_729_987_199));
        assert!(berlin.utc_of(1_729_994_400).is_err());
        assert!(berlin.utc_of(1_729_997_999).is_err());
        assert_eq!(berlin.utc_of(1_729_998_000), Ok(1_729_994_400));
        assert_eq!(berlin.utc_of(i64::MAX), Err(Refusal::Year));
    }

    #[test]
    fn times_at_the_ends_of_the_calendar_do_no_harm() {
        let ends = [chrono::NaiveDateTime::MIN, chrono::NaiveDateTime::MAX];
        for end in ends.map(|end| end.and_utc().timestamp()) {
            for zone in ["Asia/Tokyo", "America/New_York"] {
                let zone = Zone::parse(zone).unwrap();
                assert!(zone.utc_of(end).is_ok());
                assert!(zone.offset_at(end).is_ok());
            }
        }
    }
}
