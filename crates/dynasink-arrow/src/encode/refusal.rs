//! Why a value cannot be written as what it should become.

use dynasink_core::{NumberError, ValueEncoder};

use super::ValueError;

/// Why a value cannot be written as what it should become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is outside of what the form can say.
    #[error("{0}")]
    OutOfRange(&'static str),
    /// It is a date that has no year of four digits.
    #[error("its year is not within 0000 to 9999")]
    Year,
    /// It is not a number that DynamoDB can hold exactly.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl Refusal {
    /// Reports it as an error of `value`.
    pub(super) fn refuse(self, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self {
            Self::Number(error) => Ok(value.try_number(Err(error))?),
            refusal => Err(value.unsupported(refusal.to_string()).into()),
        }
    }
}
