//! Decimals by their digits.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_buffer::i256;
use arrow_schema::DataType;
use dynasink_core::{Decimal, Number};

use super::fallback::Stored;
use super::number::{ToNumber, scaled};
use super::refusal::Refusal;
use super::text::Text;

/// Decimals of 256 bits, which can have more digits than a number of DynamoDB.
pub(super) fn wide(array: &dyn Array, scale: i32) -> Option<Box<dyn ToNumber>> {
    let array = array.as_primitive_opt::<Decimal256Type>()?.clone();
    Some(Box::new(Wide { array, scale }))
}

struct Wide {
    array: PrimitiveArray<Decimal256Type>,
    scale: i32,
}

impl ToNumber for Wide {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        let value: i256 = self.array.value(row);
        Ok(Number::parse_scaled(&value.to_string(), self.scale)?)
    }
}

impl Stored for Wide {
    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        let value: i256 = self.array.value(row);
        Ok(Decimal::parse_scaled(&value.to_string(), self.scale)?)
    }
}

/// The digits of decimals without the point that one of this scale has; none if `array` has others, or others that
/// are finer.
pub(super) fn digits(array: &dyn Array, scale: i8) -> Option<Box<dyn ToNumber>> {
    // A decimal of a smaller scale has zeros at the end, as one of this scale would have.
    let zeros = |own: i8| i32::from(own) - i32::from(scale);
    match array.data_type() {
        _ if scale_of(array.data_type())? > scale => None,
        DataType::Decimal32(_, own) => scaled::<Decimal32Type>(array, zeros(*own)),
        DataType::Decimal64(_, own) => scaled::<Decimal64Type>(array, zeros(*own)),
        DataType::Decimal128(_, own) => scaled::<Decimal128Type>(array, zeros(*own)),
        DataType::Decimal256(_, own) => wide(array, zeros(*own)),
        _ => None,
    }
}

/// The texts of decimals and integers with so many digits behind the point; none if `array` has others, or others
/// that have more.
pub(super) fn texts(array: &dyn Array, places: i8) -> Option<Box<dyn Text>> {
    match array.data_type() {
        DataType::Decimal32(_, scale) => fixed::<Decimal32Type>(array, *scale, places),
        DataType::Decimal64(_, scale) => fixed::<Decimal64Type>(array, *scale, places),
        DataType::Decimal128(_, scale) => fixed::<Decimal128Type>(array, *scale, places),
        DataType::Decimal256(_, scale) => fixed::<Decimal256Type>(array, *scale, places),
        DataType::Int8 => fixed::<Int8Type>(array, 0, places),
        DataType::Int16 => fixed::<Int16Type>(array, 0, places),
        DataType::Int32 => fixed::<Int32Type>(array, 0, places),
        DataType::Int64 => fixed::<Int64Type>(array, 0, places),
        DataType::UInt8 => fixed::<UInt8Type>(array, 0, places),
        DataType::UInt16 => fixed::<UInt16Type>(array, 0, places),
        DataType::UInt32 => fixed::<UInt32Type>(array, 0, places),
        DataType::UInt64 => fixed::<UInt64Type>(array, 0, places),
        _ => None,
    }
}

/// The scale of a decimal.
pub(super) fn scale_of(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

struct Fixed<T: ArrowPrimitiveType> {
    array: PrimitiveArray<T>,
    /// Zeros that the digits have at their end in the text.
    zeros: usize,
    /// Digits behind the point.
    places: usize,
}

fn fixed<T: ArrowPrimitiveType<Native: ToString>>(
    array: &dyn Array,
    scale: i8,
    places: i8,
) -> Option<Box<dyn Text>> {
    // A negative scale stands for zeros in front of the point.
    let places = places.max(0);
    Some(Box::new(Fixed {
        array: array.as_primitive_opt::<T>()?.clone(),
        zeros: usize::try_from(i32::from(places) - i32::from(scale)).ok()?,
        places: usize::try_from(places).ok()?,
    }))
}

impl<T: ArrowPrimitiveType<Native: ToString>> Text for Fixed<T> {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        let value = self.array.value(row).to_string();
        let (sign, digits) = match value.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", value.as_str()),
        };
        let digits = match digits {
            "0" => String::new(),
            digits => format!("{digits}{:0<1$}", "", self.zeros),
        };
        let digits = format!("{digits:0>width$}", width = self.places + 1);
        buffer.push_str(sign);
        let (integer, fraction) = digits
            .split_at_checked(digits.len() - self.places)
            .unwrap_or((&digits, ""));
        buffer.push_str(integer);
        if !fraction.is_empty() {
            buffer.push('.');
            buffer.push_str(fraction);
        }
        Ok(buffer)
    }
}

impl<T: ArrowPrimitiveType> Stored for Fixed<T> {}
