//! Values by their canonical text: as S, and as the keys of maps.

use arrow_array::cast::AsArray;
use arrow_array::types::{ByteArrayType, ByteViewType, LargeUtf8Type, StringViewType, Utf8Type};
use arrow_array::{
    Array, BooleanArray, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray,
};
use arrow_schema::DataType;
use dynasink_core::{NumberError, ValueEncoder};

use super::number::NumberText;
use super::{Encode, ValueError, indirect, interval, number, temporal};

/// The canonical text of a row that is not null. Different values have different texts.
pub(super) trait Text: Send {
    /// The text, in `buffer` if the array does not hold it.
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal>;
}

/// Why a value has no text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    /// It is outside of what the text can say.
    OutOfRange(&'static str),
    /// It is not a number that DynamoDB can hold.
    Number(NumberError),
}

impl Refusal {
    /// Reports it as an error of `value`.
    pub(super) fn refuse(self, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self {
            Self::OutOfRange(reason) => Err(value.unsupported(reason).into()),
            Self::Number(error) => Ok(value.try_number(Err(error))?),
        }
    }
}

impl From<NumberError> for Refusal {
    fn from(error: NumberError) -> Self {
        Self::Number(error)
    }
}

/// Texts as S.
pub(super) struct AsString(pub(super) Box<dyn Text>);

impl Encode for AsString {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.0.text(row, &mut String::new()) {
            Ok(text) => Ok(value.string(text)?),
            Err(refusal) => refusal.refuse(value),
        }
    }
}

/// The texts of `array`; none if its type has no canonical text.
pub(super) fn of(array: &dyn Array) -> Option<Box<dyn Text>> {
    Some(match array.data_type() {
        DataType::Utf8 => Box::new(Strings(array.as_bytes_opt::<Utf8Type>()?.clone())),
        DataType::LargeUtf8 => Box::new(Strings(array.as_bytes_opt::<LargeUtf8Type>()?.clone())),
        DataType::Utf8View => Box::new(Views(array.as_byte_view_opt::<StringViewType>()?.clone())),
        DataType::FixedSizeBinary(16) => Box::new(Uuids(array.as_fixed_size_binary_opt()?.clone())),
        DataType::Boolean => Box::new(array.as_boolean_opt()?.clone()),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => indirect::text_of(array)?,
        DataType::Interval(_) => interval::texts(array)?,
        _ => match temporal::texts(array) {
            Some(texts) => texts,
            None => Box::new(NumberText(number::numbers(array)?)),
        },
    })
}

impl<T: Text + ?Sized> Text for Box<T> {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        (**self).text(row, buffer)
    }
}

struct Strings<T: ByteArrayType>(GenericByteArray<T>);

impl<T: ByteArrayType<Native = str>> Text for Strings<T> {
    fn text<'a>(&'a self, row: usize, _: &'a mut String) -> Result<&'a str, Refusal> {
        Ok(self.0.value(row))
    }
}

struct Views<T: ByteViewType>(GenericByteViewArray<T>);

impl<T: ByteViewType<Native = str>> Text for Views<T> {
    fn text<'a>(&'a self, row: usize, _: &'a mut String) -> Result<&'a str, Refusal> {
        Ok(self.0.value(row))
    }
}

impl Text for BooleanArray {
    fn text<'a>(&'a self, row: usize, _: &'a mut String) -> Result<&'a str, Refusal> {
        Ok(if self.value(row) { "true" } else { "false" })
    }
}

/// UUIDs in lower case with hyphens: RFC 9562, section 4.
struct Uuids(FixedSizeBinaryArray);

impl Text for Uuids {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        for (at, byte) in self.0.value(row).iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                buffer.push('-');
            }
            buffer.push(char::from(HEX[usize::from(byte >> 4)]));
            buffer.push(char::from(HEX[usize::from(byte & 0xf)]));
        }
        Ok(buffer)
    }
}
