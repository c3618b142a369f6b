//! Bytes as text: UTF-8, hexadecimal digits, base64 and UUIDs.

use arrow_array::Array;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::binary::{self, ToBytes};
use super::fallback::Stored;
use super::refusal::Refusal;
use super::text::Text;

/// Bytes that are UTF-8; none if `array` is not binary.
pub(super) fn utf8(array: &dyn Array) -> Option<Box<dyn Text>> {
    written(array, |bytes, out| {
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::OutOfRange("it is not UTF-8"));
        out.push_str(text?);
        Ok(())
    })
}

/// Two lower-case digits for each byte.
pub(super) fn hex(array: &dyn Array) -> Option<Box<dyn Text>> {
    written(array, |bytes, out| {
        push_hex(bytes, out);
        Ok(())
    })
}

/// Base64 with padding: RFC 4648, section 4.
pub(super) fn base64(array: &dyn Array) -> Option<Box<dyn Text>> {
    written(array, |bytes, out| {
        STANDARD.encode_string(bytes, out);
        Ok(())
    })
}

/// UUIDs in lower case with hyphens: RFC 9562, section 4.
pub(super) fn uuids(array: &dyn Array) -> Option<Box<dyn Text>> {
    written(array, |bytes, out| {
        let Ok(bytes) = <[u8; 16]>::try_from(bytes) else {
            return Err(Refusal::OutOfRange("it has not the 16 bytes of a UUID"));
        };
        let mut start = 0;
        for end in [4, 6, 8, 10, 16] {
            if start > 0 {
                out.push('-');
            }
            push_hex(&bytes[start..end], out);
            start = end;
        }
        Ok(())
    })
}

fn push_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
}

struct Written<F> {
    bytes: Box<dyn ToBytes>,
    write: F,
}

fn written(
    array: &dyn Array,
    write: impl Fn(&[u8], &mut String) -> Result<(), Refusal> + Send + 'static,
) -> Option<Box<dyn Text>> {
    let bytes = binary::bytes(array)?;
    Some(Box::new(Written { bytes, write }))
}

impl<F> Text for Written<F>
where
    F: Fn(&[u8], &mut String) -> Result<(), Refusal> + Send,
{
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        (self.write)(self.bytes.bytes(row, &mut Vec::new())?, buffer)?;
        Ok(buffer)
    }
}

impl<F> Stored for Written<F> {}
