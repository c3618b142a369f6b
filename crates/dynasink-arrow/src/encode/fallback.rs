//! What becomes of values that have no exact place, by the policies of their column.

use dynasink_core::{Decimal, Number, NumberError, ValueEncoder};

use super::ValueError;
use super::absent::{Absent, Place};
use super::refusal::Refusal;
use crate::mapping::spec::{EmptyString, Nonfinite, NumberOverflow, Policies, TemporalOverflow};

/// The policies of a column, as they hold where its values stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fallbacks {
    nonfinite: NonfiniteFallback,
    number: NumberOverflow,
    temporal: TemporalOverflow,
    empty: Option<Absent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NonfiniteFallback {
    Refuse,
    Absent(Absent),
    Name,
}

/// What is known of a value that was refused.
pub(crate) trait Stored {
    /// The integer that is stored, of a date or a time.
    fn ticks(&self, _row: usize) -> Option<i64> {
        None
    }

    /// The value of a number, whatever DynamoDB can hold.
    fn decimal(&self, _row: usize) -> Result<Decimal, Refusal> {
        Err(Refusal::Number(NumberError::Syntax))
    }

    /// The name of a float that is no number.
    fn nonfinite(&self, _row: usize) -> &'static str {
        "NaN"
    }
}

impl Fallbacks {
    /// Every such value rejects its row, and what is empty stays so.
    pub(super) const NONE: Self = Self {
        nonfinite: NonfiniteFallback::Refuse,
        number: NumberOverflow::Error,
        temporal: TemporalOverflow::Error,
        empty: None,
    };

    pub(super) fn new(policies: Policies, place: Place) -> Self {
        Self {
            nonfinite: match policies.nonfinite.unwrap_or_default() {
                Nonfinite::Error => NonfiniteFallback::Refuse,
                Nonfinite::Null => NonfiniteFallback::Absent(Absent::Null),
                Nonfinite::Omit => NonfiniteFallback::Absent(place.null(policies.nulls)),
                Nonfinite::String => NonfiniteFallback::Name,
            },
            number: policies.number_overflow.unwrap_or_default(),
            temporal: policies.temporal_overflow.unwrap_or_default(),
            empty: match policies.empty_string.unwrap_or_default() {
                EmptyString::Keep => None,
                EmptyString::Omit => Some(place.omitted()),
                EmptyString::Null => Some(Absent::Null),
            },
        }
    }

    /// The same for a key: it has one type, is never NULL, and is never rounded, which would make two keys one.
    pub(super) fn of_key(self) -> Self {
        Self {
            nonfinite: match self.nonfinite {
                NonfiniteFallback::Absent(_) => NonfiniteFallback::Absent(Absent::Omitted),
                NonfiniteFallback::Refuse | NonfiniteFallback::Name => NonfiniteFallback::Refuse,
            },
            empty: self.empty.map(|_| Absent::Omitted),
            ..Self::NONE
        }
    }

    /// What stands for an empty string or binary, if it does not stay.
    pub(super) fn of_empty(self) -> Option<Absent> {
        self.empty
    }

    /// Numbers beyond DynamoDB's are rounded, to zero if that is asked for, or refused where that is not asked for or does not help.
    #[cold]
    pub(super) fn round(
        self,
        refusal: Refusal,
        stored: &dyn Stored,
        row: usize,
    ) -> Result<Number, Refusal> {
        match refusal {
            Refusal::Number(error)
                if is_overflow(error)
                    && matches!(self.number, NumberOverflow::Round | NumberOverflow::Zero) =>
            {
                let rounded = Number::try_from(&stored.decimal(row)?.rounded_to_limit());
                match rounded {
                    Err(NumberError::TooSmall) if self.number == NumberOverflow::Zero => {
                        Ok(Number::ZERO)
                    }
                    rounded => Ok(rounded?),
                }
            }
            refusal => Err(refusal),
        }
    }

    /// Writes what stands for a value that was refused.
    #[cold]
    pub(super) fn encode(
        self,
        refusal: Refusal,
        stored: &dyn Stored,
        row: usize,
        value: ValueEncoder<'_>,
    ) -> Result<(), ValueError> {
        match refusal {
            Refusal::Number(NumberError::NotFinite) => match self.nonfinite {
                NonfiniteFallback::Refuse => refusal.refuse(value),
                NonfiniteFallback::Absent(absent) => Ok(absent.write(value)?),
                NonfiniteFallback::Name => Ok(value.string(stored.nonfinite(row))?),
            },
            Refusal::Number(error) if is_overflow(error) => match self.number {
                NumberOverflow::Error => refusal.refuse(value),
                NumberOverflow::String => match stored.decimal(row) {
                    Ok(decimal) => Ok(value.string(&decimal.to_string())?),
                    Err(refusal) => refusal.refuse(value),
                },
                NumberOverflow::Round | NumberOverflow::Zero => {
                    match self.round(refusal, stored, row) {
                        Ok(number) => Ok(value.number(&number)?),
                        Err(refusal) => refusal.refuse(value),
                    }
                }
            },
            Refusal::Year => match (self.temporal, stored.ticks(row)) {
                (TemporalOverflow::Null, _) => Ok(value.null()?),
                (TemporalOverflow::Raw, Some(ticks)) => Ok(value.integer(ticks)?),
                _ => refusal.refuse(value),
            },
            refusal => refusal.refuse(value),
        }
    }
}

/// Whether it is a number, but not one that DynamoDB can hold.
fn is_overflow(error: NumberError) -> bool {
    matches!(
        error,
        NumberError::TooManyDigits | NumberError::TooLarge | NumberError::TooSmall
    )
}
