//! Values as BOOL.

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};
use arrow_schema::DataType;
use dynasink_core::{Number, ValueEncoder};

use super::number::{self, ToNumber};
use super::text::{self, Text};
use super::{Encode, ValueError};

/// Booleans, the strings `true` and `false`, and the numbers 0 and 1; none if `array` has none of them.
pub(super) fn encoder(array: &dyn Array) -> Option<Box<dyn Encode>> {
    Some(match array.data_type() {
        DataType::Boolean => Box::new(array.as_boolean_opt()?.clone()),
        data_type if data_type.is_string() => Box::new(OfText(text::of(array)?)),
        _ => Box::new(OfNumber(number::numbers(array)?)),
    })
}

impl Encode for BooleanArray {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.bool(self.value(row))?)
    }
}

struct OfText(Box<dyn Text>);

impl Encode for OfText {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.0.text(row, &mut String::new()) {
            Ok("true") => Ok(value.bool(true)?),
            Ok("false") => Ok(value.bool(false)?),
            Ok(_) => Err(value.unsupported("it is neither true nor false").into()),
            Err(refusal) => refusal.refuse(value),
        }
    }
}

struct OfNumber(Box<dyn ToNumber>);

impl Encode for OfNumber {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.0.number(row) {
            Ok(Number::ZERO) => Ok(value.bool(false)?),
            Ok(number) if Ok(number) == Number::try_from(1_i128) => Ok(value.bool(true)?),
            _ => Err(value.unsupported("it is neither 0 nor 1").into()),
        }
    }
}
