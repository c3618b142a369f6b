//! Numbers as exact decimals, whatever DynamoDB can hold.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::DataType;
use dynasink_core::{Decimal, NumberError};

/// The exact number of a row.
pub(super) trait Exact: Send {
    fn decimal(&self, row: usize) -> Result<Decimal, NumberError>;
}

/// The numbers of `array`; none if its type is not one of numbers.
pub(super) fn decimals(array: &dyn Array) -> Option<Box<dyn Exact>> {
    Some(match array.data_type() {
        DataType::Int8 => scaled::<Int8Type>(array, 0)?,
        DataType::Int16 => scaled::<Int16Type>(array, 0)?,
        DataType::Int32 => scaled::<Int32Type>(array, 0)?,
        DataType::Int64 => scaled::<Int64Type>(array, 0)?,
        DataType::UInt8 => scaled::<UInt8Type>(array, 0)?,
        DataType::UInt16 => scaled::<UInt16Type>(array, 0)?,
        DataType::UInt32 => scaled::<UInt32Type>(array, 0)?,
        DataType::UInt64 => scaled::<UInt64Type>(array, 0)?,
        DataType::Decimal32(_, scale) => scaled::<Decimal32Type>(array, *scale)?,
        DataType::Decimal64(_, scale) => scaled::<Decimal64Type>(array, *scale)?,
        DataType::Decimal128(_, scale) => scaled::<Decimal128Type>(array, *scale)?,
        DataType::Decimal256(_, scale) => scaled::<Decimal256Type>(array, *scale)?,
        // 16 bits by the text of 32, which is that of Arrow's own.
        DataType::Float16 => floats::<Float16Type>(array, |float| f32::from(float).try_into())?,
        DataType::Float32 => floats::<Float32Type>(array, TryInto::try_into)?,
        DataType::Float64 => floats::<Float64Type>(array, TryInto::try_into)?,
        _ => return None,
    })
}

struct Scaled<T: ArrowPrimitiveType> {
    array: PrimitiveArray<T>,
    scale: i8,
}

fn scaled<T: ArrowPrimitiveType<Native: ToString>>(
    array: &dyn Array,
    scale: i8,
) -> Option<Box<dyn Exact>> {
    let array = array.as_primitive_opt::<T>()?.clone();
    Some(Box::new(Scaled { array, scale }))
}

impl<T: ArrowPrimitiveType<Native: ToString>> Exact for Scaled<T> {
    fn decimal(&self, row: usize) -> Result<Decimal, NumberError> {
        Decimal::parse_scaled(&self.array.value(row).to_string(), self.scale.into())
    }
}

struct Floats<T: ArrowPrimitiveType> {
    array: PrimitiveArray<T>,
    decimal: fn(T::Native) -> Result<Decimal, NumberError>,
}

fn floats<T: ArrowPrimitiveType>(
    array: &dyn Array,
    decimal: fn(T::Native) -> Result<Decimal, NumberError>,
) -> Option<Box<dyn Exact>> {
    let array = array.as_primitive_opt::<T>()?.clone();
    Some(Box::new(Floats { array, decimal }))
}

impl<T: ArrowPrimitiveType> Exact for Floats<T> {
    fn decimal(&self, row: usize) -> Result<Decimal, NumberError> {
        (self.decimal)(self.array.value(row))
    }
}
