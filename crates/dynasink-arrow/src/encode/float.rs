//! Floats by the shortest decimal that reads back as the same float.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::DataType;
use dynasink_core::{Decimal, Number, NumberError};
use half::f16;

use super::fallback::Stored;
use super::number::ToNumber;
use super::refusal::Refusal;

pub(super) const NAN: &str = "NaN";
const INFINITY: &str = "Infinity";
const NEGATIVE_INFINITY: &str = "-Infinity";

/// Whether `text` is what [`Nonfinite::String`](crate::mapping::spec::Nonfinite::String) writes.
pub(super) fn is_nonfinite_name(text: &str) -> bool {
    [NAN, INFINITY, NEGATIVE_INFINITY].contains(&text)
}

/// The name of what is no finite number, NaN if it has another.
pub(super) fn nonfinite_name(text: &str) -> &'static str {
    match text {
        INFINITY => INFINITY,
        NEGATIVE_INFINITY => NEGATIVE_INFINITY,
        _ => NAN,
    }
}

/// A float that has a shortest decimal of its own.
pub(super) trait Float: Copy + Into<f64> {
    fn number(self) -> Result<Number, NumberError>;
    fn decimal(self) -> Result<Decimal, NumberError>;
}

impl Float for f16 {
    fn number(self) -> Result<Number, NumberError> {
        Number::try_from(f32::from(self))
    }

    fn decimal(self) -> Result<Decimal, NumberError> {
        Decimal::try_from(f32::from(self))
    }
}

impl Float for f32 {
    fn number(self) -> Result<Number, NumberError> {
        Number::try_from(self)
    }

    fn decimal(self) -> Result<Decimal, NumberError> {
        Decimal::try_from(self)
    }
}

impl Float for f64 {
    fn number(self) -> Result<Number, NumberError> {
        Number::try_from(self)
    }

    fn decimal(self) -> Result<Decimal, NumberError> {
        Decimal::try_from(self)
    }
}

/// Each by the shortest decimal of its own width.
pub(super) fn shortest<T: ArrowPrimitiveType<Native: Float>>(
    array: &dyn Array,
) -> Option<Box<dyn ToNumber>> {
    Some(Box::new(Shortest(array.as_primitive_opt::<T>()?.clone())))
}

/// Each by the shortest decimal that it has in 64 bits; none if `array` has no floats.
pub(super) fn widened(array: &dyn Array) -> Option<Box<dyn ToNumber>> {
    fn of<T: ArrowPrimitiveType<Native: Float>>(array: &dyn Array) -> Option<Box<dyn ToNumber>> {
        Some(Box::new(Widened(array.as_primitive_opt::<T>()?.clone())))
    }
    match array.data_type() {
        DataType::Float16 => of::<Float16Type>(array),
        DataType::Float32 => of::<Float32Type>(array),
        DataType::Float64 => of::<Float64Type>(array),
        _ => None,
    }
}

struct Shortest<T: ArrowPrimitiveType>(PrimitiveArray<T>);

impl<T: ArrowPrimitiveType<Native: Float>> ToNumber for Shortest<T> {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        Ok(self.0.value(row).number()?)
    }
}

impl<T: ArrowPrimitiveType<Native: Float>> Stored for Shortest<T> {
    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        Ok(self.0.value(row).decimal()?)
    }

    fn nonfinite(&self, row: usize) -> &'static str {
        name_of(self.0.value(row).into())
    }
}

struct Widened<T: ArrowPrimitiveType>(PrimitiveArray<T>);

impl<T: ArrowPrimitiveType<Native: Float>> ToNumber for Widened<T> {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        let value: f64 = self.0.value(row).into();
        Ok(value.number()?)
    }
}

impl<T: ArrowPrimitiveType<Native: Float>> Stored for Widened<T> {
    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        let value: f64 = self.0.value(row).into();
        Ok(value.decimal()?)
    }

    fn nonfinite(&self, row: usize) -> &'static str {
        name_of(self.0.value(row).into())
    }
}

/// The name of what is no finite number.
pub(super) fn name_of(value: f64) -> &'static str {
    if value == f64::INFINITY {
        INFINITY
    } else if value == f64::NEG_INFINITY {
        NEGATIVE_INFINITY
    } else {
        NAN
    }
}
