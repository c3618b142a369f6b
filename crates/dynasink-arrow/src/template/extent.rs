//! How far the text of a placeholder can reach: what tells where it ends.

use arrow_schema::{DataType, Field, TimeUnit};

use crate::shape::is_uuid;

/// How far a text reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes, always.
    Fixed(usize),
    /// As far as it likes, in these characters.
    Variable(Alphabet),
}

/// Which characters a text can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    Any,
    Digits,
    /// Of numbers and times: `-1.5E+21`, `2013-01-31T05:15:00`.
    NumbersAndTimes,
    /// Of numbers and times in small letters too.
    NumbersAndTimesInBothCases,
    /// `true` and `false`, in whatever case.
    Booleans,
}

impl Alphabet {
    pub(super) fn contains(self, character: char) -> bool {
        let numbers_and_times = |character: char| {
            character.is_ascii_digit()
                || matches!(character, '-' | '+' | '.' | ':' | 'E' | 'T' | 'Z')
        };
        match self {
            Self::Any => true,
            Self::Digits => character.is_ascii_digit(),
            Self::NumbersAndTimes => numbers_and_times(character),
            Self::NumbersAndTimesInBothCases => numbers_and_times(character.to_ascii_uppercase()),
            Self::Booleans => "truefalse".contains(character.to_ascii_lowercase()),
        }
    }

    /// The characters of such texts in the other case too.
    pub(super) fn in_both_cases(self) -> Self {
        match self {
            Self::NumbersAndTimes => Self::NumbersAndTimesInBothCases,
            other => other,
        }
    }
}

impl Extent {
    /// That of the canonical texts of a column; none if its values have no canonical text that a key can have.
    pub(super) fn of_canonical_text(field: &Field) -> Option<Self> {
        if is_uuid(field) {
            return Some(Self::Fixed("00000000-0000-0000-0000-000000000000".len()));
        }
        Self::of_type(field.data_type())
    }

    fn of_type(data_type: &DataType) -> Option<Self> {
        use DataType as D;
        let fraction = |unit: &TimeUnit| match unit {
            TimeUnit::Second => 0,
            TimeUnit::Millisecond => ".000".len(),
            TimeUnit::Microsecond => ".000000".len(),
            TimeUnit::Nanosecond => ".000000000".len(),
        };
        Some(match data_type {
            D::Utf8 | D::LargeUtf8 | D::Utf8View => Self::Variable(Alphabet::Any),
            D::Boolean => Self::Variable(Alphabet::Booleans),
            _ if data_type.is_unsigned_integer() => Self::Variable(Alphabet::Digits),
            // A date of milliseconds is a timestamp if it is not at midnight.
            D::Date64 | D::Duration(_) => Self::Variable(Alphabet::NumbersAndTimes),
            _ if data_type.is_integer() || data_type.is_decimal() => {
                Self::Variable(Alphabet::NumbersAndTimes)
            }
            D::Date32 => Self::Fixed("2013-01-31".len()),
            D::Time32(unit) | D::Time64(unit) => Self::Fixed("05:15:00".len() + fraction(unit)),
            D::Timestamp(unit, zone) => {
                let zone = if zone.is_some() { "Z".len() } else { 0 };
                Self::Fixed("2013-01-31T05:15:00".len() + fraction(unit) + zone)
            }
            D::Dictionary(_, values) => Self::of_type(values)?,
            D::RunEndEncoded(_, values) => Self::of_canonical_text(values)?,
            _ => return None,
        })
    }
}
