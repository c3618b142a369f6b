//! Values as N.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float16Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, BooleanArray, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use dynasink_core::{Decimal, Number, NumberError, ValueEncoder};

use super::epoch::Count;
use super::fallback::{Fallbacks, Stored};
use super::refusal::Refusal;
use super::text::{self, Text};
use super::zone::Zone;
use super::{Encode, ValueError, decimal, epoch, float, indirect};

/// Which number a value becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberForm {
    /// The number that it is.
    Value,
    /// A float by its value in 64 bits.
    Widened,
    /// A decimal's digits without its point, which has this scale.
    Scaled(i8),
    /// The number that it is, or whose text it is, rounded to so many digits behind the point.
    Rounded(i8),
    /// The number whose text it is.
    Parsed,
    /// A boolean as 0 or 1.
    Bit,
    /// A date or a time, which is a local time of the zone if there is one.
    Time(Count, Option<Zone>),
}

/// The number of a row that is not null.
pub(super) trait ToNumber: Stored + Send {
    fn number(&self, row: usize) -> Result<Number, Refusal>;
}

struct AsNumber {
    numbers: Box<dyn ToNumber>,
    fallbacks: Fallbacks,
}

impl Encode for AsNumber {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.numbers.number(row) {
            Ok(number) => Ok(value.number(&number)?),
            Err(refusal) => self.fallbacks.encode(refusal, &*self.numbers, row, value),
        }
    }
}

/// The canonical text of a number, which may be longer than a number of DynamoDB.
pub(super) struct NumberText(pub(super) Box<dyn ToNumber>);

impl Text for NumberText {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        *buffer = match self.0.number(row) {
            Ok(number) => number.to_string(),
            Err(_) => self.0.decimal(row)?.to_string(),
        };
        Ok(buffer)
    }
}

impl Stored for NumberText {
    fn ticks(&self, row: usize) -> Option<i64> {
        self.0.ticks(row)
    }

    fn nonfinite(&self, row: usize) -> &'static str {
        self.0.nonfinite(row)
    }
}

pub(super) fn encoder(
    array: &dyn Array,
    form: NumberForm,
    fallbacks: Fallbacks,
) -> Option<Box<dyn Encode>> {
    Some(Box::new(AsNumber {
        numbers: numbers_as(array, form)?,
        fallbacks,
    }))
}

/// The numbers of `array` in this form; none if its type has none.
pub(super) fn numbers_as(array: &dyn Array, form: NumberForm) -> Option<Box<dyn ToNumber>> {
    if indirect::is_indirect(array) {
        return indirect::numbers_of(array, |values| numbers_as(values, form));
    }
    Some(match form {
        NumberForm::Value => numbers(array)?,
        NumberForm::Widened => float::widened(array)?,
        NumberForm::Scaled(scale) => decimal::digits(array, scale)?,
        NumberForm::Rounded(places) => Box::new(Rounded {
            numbers: numbers(array).or_else(|| parsed(array))?,
            places: places.into(),
        }),
        NumberForm::Parsed => parsed(array)?,
        NumberForm::Bit => Box::new(Bits(array.as_boolean_opt()?.clone())),
        NumberForm::Time(count, zone) => epoch::numbers(array, count, zone)?,
    })
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
        DataType::Float16 => float::shortest::<Float16Type>(array)?,
        DataType::Float32 => float::shortest::<Float32Type>(array)?,
        DataType::Float64 => float::shortest::<Float64Type>(array)?,
        DataType::Decimal32(_, scale) => scaled::<Decimal32Type>(array, i32::from(*scale))?,
        DataType::Decimal64(_, scale) => scaled::<Decimal64Type>(array, i32::from(*scale))?,
        DataType::Decimal128(_, scale) => scaled::<Decimal128Type>(array, i32::from(*scale))?,
        DataType::Decimal256(_, scale) => decimal::wide(array, i32::from(*scale))?,
        DataType::Duration(TimeUnit::Second) => scaled::<DurationSecondType>(array, 0)?,
        DataType::Duration(TimeUnit::Millisecond) => scaled::<DurationMillisecondType>(array, 3)?,
        DataType::Duration(TimeUnit::Microsecond) => scaled::<DurationMicrosecondType>(array, 6)?,
        DataType::Duration(TimeUnit::Nanosecond) => scaled::<DurationNanosecondType>(array, 9)?,
        _ => return None,
    })
}

/// Integers, and integers that stand for so many units of ten to the power of `-scale`.
struct Scaled<T: ArrowPrimitiveType> {
    array: PrimitiveArray<T>,
    scale: i32,
}

impl<T: ArrowPrimitiveType<Native: Into<i128>>> ToNumber for Scaled<T> {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        Ok(Number::from_scaled(
            self.array.value(row).into(),
            self.scale,
        )?)
    }
}

impl<T: ArrowPrimitiveType<Native: Into<i128>>> Stored for Scaled<T> {
    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        let value: i128 = self.array.value(row).into();
        Ok(Decimal::parse_scaled(
            itoa::Buffer::new().format(value),
            self.scale,
        )?)
    }
}

fn whole<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &dyn Array,
) -> Option<Box<dyn ToNumber>> {
    scaled::<T>(array, 0)
}

pub(super) fn scaled<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &dyn Array,
    scale: i32,
) -> Option<Box<dyn ToNumber>> {
    let array = array.as_primitive_opt::<T>()?.clone();
    Some(Box::new(Scaled { array, scale }))
}

struct Rounded {
    numbers: Box<dyn ToNumber>,
    places: i32,
}

impl ToNumber for Rounded {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        Ok(Number::try_from(&self.decimal(row)?)?)
    }
}

impl Stored for Rounded {
    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        Ok(self.numbers.decimal(row)?.rounded(self.places))
    }

    fn nonfinite(&self, row: usize) -> &'static str {
        self.numbers.nonfinite(row)
    }
}

struct Bits(BooleanArray);

impl ToNumber for Bits {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        Ok(Number::try_from(i128::from(self.0.value(row)))?)
    }
}

impl Stored for Bits {}

/// Texts of numbers.
struct Parsed(Box<dyn Text>);

fn parsed(array: &dyn Array) -> Option<Box<dyn ToNumber>> {
    if !array.data_type().is_string() {
        return None;
    }
    Some(Box::new(Parsed(text::of(array)?)))
}

impl ToNumber for Parsed {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        match self.0.text(row, &mut String::new())? {
            name if float::is_nonfinite_name(name) => Err(NumberError::NotFinite.into()),
            text => Ok(text.parse()?),
        }
    }
}

impl Stored for Parsed {
    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        match self.0.text(row, &mut String::new())? {
            name if float::is_nonfinite_name(name) => Err(NumberError::NotFinite.into()),
            text => Ok(text.parse()?),
        }
    }

    fn nonfinite(&self, row: usize) -> &'static str {
        let mut buffer = String::new();
        let name = self.0.text(row, &mut buffer);
        name.map_or(float::NAN, float::nonfinite_name)
    }
}
