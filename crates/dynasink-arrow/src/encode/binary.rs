//! Values as B.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, ByteViewType, LargeBinaryType,
};
use arrow_array::{Array, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray};
use arrow_schema::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::ValueEncoder;

use super::fallback::Fallbacks;
use super::packed::FloatWidth;
use super::refusal::Refusal;
use super::text::{self, Text};
use super::{Encode, ValueError, indirect, packed};

/// Which bytes a value becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryForm {
    /// The bytes that it is.
    Value,
    /// The UTF-8 of a string.
    Utf8,
    /// What a string says in hexadecimal digits.
    FromHex,
    /// What a string says in base64.
    FromBase64,
    /// The floats of a list, one after the other.
    Packed(FloatWidth),
}

/// The bytes of a row that is not null.
pub(super) trait ToBytes: Send {
    /// The bytes, in `buffer`, which is empty, if the array does not hold them.
    fn bytes<'a>(&'a self, row: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Refusal>;
}

struct AsBinary {
    bytes: Box<dyn ToBytes>,
    fallbacks: Fallbacks,
}

impl Encode for AsBinary {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.bytes.bytes(row, &mut Vec::new()) {
            Ok([]) => match self.fallbacks.of_empty() {
                Some(absent) => Ok(absent.write(value)?),
                None => Ok(value.binary(&[])?),
            },
            Ok(bytes) => Ok(value.binary(bytes)?),
            Err(refusal) => refusal.refuse(value),
        }
    }
}

pub(super) fn encoder(
    array: &dyn Array,
    form: BinaryForm,
    fallbacks: Fallbacks,
) -> Option<Box<dyn Encode>> {
    Some(Box::new(AsBinary {
        bytes: bytes_as(array, form)?,
        fallbacks,
    }))
}

/// The bytes of `array` in this form; none if its type has none.
pub(super) fn bytes_as(array: &dyn Array, form: BinaryForm) -> Option<Box<dyn ToBytes>> {
    if indirect::is_indirect(array) {
        return indirect::bytes_of(array, |values| bytes_as(values, form));
    }
    match form {
        BinaryForm::Value => return bytes(array),
        BinaryForm::Packed(width) => return packed::floats(array, width),
        _ => {}
    }
    if !array.data_type().is_string() {
        return None;
    }
    let texts = text::of(array)?;
    Some(match form {
        BinaryForm::Value | BinaryForm::Packed(_) => return None,
        BinaryForm::Utf8 => decoded(texts, |text, buffer| {
            buffer.extend_from_slice(text.as_bytes());
            Ok(())
        }),
        BinaryForm::FromHex => decoded(texts, from_hex),
        BinaryForm::FromBase64 => decoded(texts, |text, buffer| {
            STANDARD
                .decode_vec(text, buffer)
                .map_err(|_| Refusal::OutOfRange("it is not base64"))
        }),
    })
}

/// The bytes of `array`; none if its type is not binary.
pub(super) fn bytes(array: &dyn Array) -> Option<Box<dyn ToBytes>> {
    Some(match array.data_type() {
        DataType::Binary => Box::new(Bytes(array.as_bytes_opt::<BinaryType>()?.clone())),
        DataType::LargeBinary => Box::new(Bytes(array.as_bytes_opt::<LargeBinaryType>()?.clone())),
        DataType::BinaryView => {
            Box::new(Views(array.as_byte_view_opt::<BinaryViewType>()?.clone()))
        }
        DataType::FixedSizeBinary(_) => Box::new(array.as_fixed_size_binary_opt()?.clone()),
        _ => return None,
    })
}

struct Bytes<T: ByteArrayType>(GenericByteArray<T>);

impl<T: ByteArrayType<Native = [u8]>> ToBytes for Bytes<T> {
    fn bytes<'a>(&'a self, row: usize, _: &'a mut Vec<u8>) -> Result<&'a [u8], Refusal> {
        Ok(self.0.value(row))
    }
}

struct Views<T: ByteViewType>(GenericByteViewArray<T>);

impl<T: ByteViewType<Native = [u8]>> ToBytes for Views<T> {
    fn bytes<'a>(&'a self, row: usize, _: &'a mut Vec<u8>) -> Result<&'a [u8], Refusal> {
        Ok(self.0.value(row))
    }
}

impl ToBytes for FixedSizeBinaryArray {
    fn bytes<'a>(&'a self, row: usize, _: &'a mut Vec<u8>) -> Result<&'a [u8], Refusal> {
        Ok(self.value(row))
    }
}

/// Bytes that strings say.
struct Decoded<F>(Box<dyn Text>, F);

fn decoded(
    texts: Box<dyn Text>,
    decode: impl Fn(&str, &mut Vec<u8>) -> Result<(), Refusal> + Send + 'static,
) -> Box<dyn ToBytes> {
    Box::new(Decoded(texts, decode))
}

impl<F> ToBytes for Decoded<F>
where
    F: Fn(&str, &mut Vec<u8>) -> Result<(), Refusal> + Send,
{
    fn bytes<'a>(&'a self, row: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Refusal> {
        self.1(self.0.text(row, &mut String::new())?, buffer)?;
        Ok(buffer)
    }
}

/// Two digits of either case for each byte.
fn from_hex(text: &str, buffer: &mut Vec<u8>) -> Result<(), Refusal> {
    const NOT_HEX: Refusal = Refusal::OutOfRange("it is not pairs of hexadecimal digits");
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(NOT_HEX);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return Err(NOT_HEX);
    };
    for [high, low] in pairs {
        let byte = digit(*high)? * 16 + digit(*low)?;
        buffer.push(u8::try_from(byte).map_err(|_| NOT_HEX)?);
    }
    Ok(())
}
