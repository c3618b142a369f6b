//! Integers, floats, decimals and durations as N, exactly.

use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};
use dynasink_core::{Number, NumberError, ValueEncoder};
use half::f16;

use super::text::{Refusal, Text};
use super::{Encode, ValueError};

/// The number of a row.
pub(super) trait ToNumber: Send {
    fn number(&self, row: usize) -> Result<Number, NumberError>;
}

struct AsNumber(Box<dyn ToNumber>);

impl Encode for AsNumber {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.try_number(self.0.number(row))?)
    }
}

/// The canonical text of a number.
pub(super) struct NumberText(pub(super) Box<dyn ToNumber>);

impl Text for NumberText {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        *buffer = self.0.number(row)?.to_string();
        Ok(buffer)
    }
}

pub(super) fn encoder(array: &dyn Array) -> Option<Box<dyn Encode>> {
    Some(Box::new(AsNumber(numbers(array)?)))
}

/// The numbers of `array`; none if its type has no numbers.
pub(super) fn numbers(array: &dyn Array) -> Option<Box<dyn ToNumber>> {
    Some(match array.data_type() {
        DataType::Int8 => whole::<Int8Type>(array)?,
        DataType::Int16 => whole::<Int16Type>(array)?,
        DataType::Int32 => whole::<Int32Type>(array)?,
        DataType::Int64 => whole::<Int64Type>(array)?,
        DataType::UInt8 => whole::<UInt8Type>(array)?,
        DataType::UInt16 => whole::<UInt16Type>(array)?,
        DataType::UInt32 => whole::<UInt32Type>(array)?,
        DataType::UInt64 => whole::<UInt64Type>(array)?,
        DataType::Float16 => float::<Float16Type>(array)?,
        DataType::Float32 => float::<Float32Type>(array)?,
        DataType::Float64 => float::<Float64Type>(array)?,
        DataType::Decimal32(_, scale) => scaled::<Decimal32Type>(array, i32::from(*scale))?,
        DataType::Decimal64(_, scale) => scaled::<Decimal64Type>(array, i32::from(*scale))?,
        DataType::Decimal128(_, scale) => scaled::<Decimal128Type>(array, i32::from(*scale))?,
        DataType::Decimal256(_, scale) => Box::new(WideDecimal {
            array: downcast::<Decimal256Type>(array)?,
            scale: i32::from(*scale),
        }),
        DataType::Duration(TimeUnit::Second) => scaled::<DurationSecondType>(array, 0)?,
        DataType::Duration(TimeUnit::Millisecond) => scaled::<DurationMillisecondType>(array, 3)?,
        DataType::Duration(TimeUnit::Microsecond) => scaled::<DurationMicrosecondType>(array, 6)?,
        DataType::Duration(TimeUnit::Nanosecond) => scaled::<DurationNanosecondType>(array, 9)?,
        _ => return None,
    })
}

fn downcast<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<PrimitiveArray<T>> {
    array.as_any().downcast_ref().cloned()
}

/// Integers, and integers that stand for so many units of ten to the power of `-scale`.
struct Scaled<T: ArrowPrimitiveType> {
    array: PrimitiveArray<T>,
    scale: i32,
}

impl<T: ArrowPrimitiveType<Native: Into<i128>>> ToNumber for Scaled<T> {
    fn number(&self, row: usize) -> Result<Number, NumberError> {
        let value: i128 = self.array.value(row).into();
        Number::parse_scaled(itoa::Buffer::new().format(value), self.scale)
    }
}

fn whole<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &dyn Array,
) -> Option<Box<dyn ToNumber>> {
    scaled::<T>(array, 0)
}

fn scaled<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &dyn Array,
    scale: i32,
) -> Option<Box<dyn ToNumber>> {
    let array = downcast::<T>(array)?;
    Some(Box::new(Scaled { array, scale }))
}

struct WideDecimal {
    array: PrimitiveArray<Decimal256Type>,
    scale: i32,
}

impl ToNumber for WideDecimal {
    fn number(&self, row: usize) -> Result<Number, NumberError> {
        let value: i256 = self.array.value(row);
        Number::parse_scaled(&value.to_string(), self.scale)
    }
}

struct Floats<T: ArrowPrimitiveType>(PrimitiveArray<T>);

impl<T: ArrowPrimitiveType<Native: Float>> ToNumber for Floats<T> {
    fn number(&self, row: usize) -> Result<Number, NumberError> {
        self.0.value(row).number()
    }
}

fn float<T: ArrowPrimitiveType<Native: Float>>(array: &dyn Array) -> Option<Box<dyn ToNumber>> {
    Some(Box::new(Floats(downcast::<T>(array)?)))
}

/// The shortest text that reads back as the same float.
trait Float {
    fn number(self) -> Result<Number, NumberError>;
}

impl Float for f16 {
    fn number(self) -> Result<Number, NumberError> {
        f32::from(self).number()
    }
}

impl Float for f32 {
    fn number(self) -> Result<Number, NumberError> {
        Number::try_from(self)
    }
}

impl Float for f64 {
    fn number(self) -> Result<Number, NumberError> {
        Number::try_from(self)
    }
}
