//! Why a value cannot be written as what it should become.

use dynasink_core::{Error, NumberError, ValueEncoder};

/// Why a value cannot be written as what it should become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is outside of what the form can say.
    #[error("{0}")]
    OutOfRange(&'static str),
    /// It is a date beyond the four digits of a year.
    #[error("its year is not within 0000 to 9999")]
    Year,
    /// It is not a number that DynamoDB can hold exactly.
    #[error("{0}")]
    Number(#[from] NumberError),
}

impl Refusal {
    /// The same as an error of `value`.
    pub(super) fn of(self, value: ValueEncoder<'_>) -> Error {
        match self {
            Self::Number(error) => match value.try_number(Err(error)) {
                Err(error) => error,
                // An error is never written.
                Ok(()) => unreachable_number(),
            },
            refusal => value.unsupported(refusal.to_string()),
        }
    }
}
