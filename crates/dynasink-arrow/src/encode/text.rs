//! Values by their text: as S, in sets, and as the keys of maps.

use arrow_array::cast::AsArray;
use arrow_array::types::{ByteArrayType, ByteViewType, LargeUtf8Type, StringViewType, Utf8Type};
use arrow_array::{Array, BooleanArray, GenericByteArray, GenericByteViewArray};
use arrow_schema::{DataType, TimeUnit};
use dynasink_core::ValueEncoder;

use super::fallback::{Fallbacks, Stored};
use super::number::NumberText;
use super::temporal::Iso;
use super::{
    Encode, ValueError, bytes_text, decimal, epoch_text, indirect, interval, number,
    offset_timestamp, temporal,
};

pub(crate) use super::refusal::Refusal;

/// Which text a value becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextForm {
    /// Its canonical text.
    Canonical,
    /// Bytes that are UTF-8.
    Utf8,
    /// Bytes in hexadecimal digits.
    Hex,
    /// Bytes in base64.
    Base64,
    /// 16 bytes as a UUID.
    Uuid,
    /// A decimal with so many digits behind its point.
    Places(i8),
    /// A date, a time or a duration by ISO 8601.
    Iso(Iso),
    /// An integer that counts this unit since 1970 by ISO 8601, in UTC.
    OfEpoch(TimeUnit),
    /// A timestamp that has an offset of its own, with it.
    WithOffset,
    /// The same in UTC.
    WithoutOffset,
}

/// The text of a row that is not null. Different values have different texts.
pub(crate) trait Text: Stored + Send {
    /// The text, in `buffer`, which is empty, if the array does not hold it.
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal>;
}

/// Texts as S.
struct AsString {
    texts: Box<dyn Text>,
    fallbacks: Fallbacks,
}

impl Encode for AsString {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        match self.texts.text(row, &mut String::new()) {
            Ok("") => match self.fallbacks.of_empty() {
                Some(absent) => Ok(absent.write(value)?),
                None => Ok(value.string("")?),
            },
            Ok(text) => Ok(value.string(text)?),
            Err(refusal) => self.fallbacks.encode(refusal, &*self.texts, row, value),
        }
    }
}

pub(super) fn encoder(
    array: &dyn Array,
    form: TextForm,
    fallbacks: Fallbacks,
) -> Option<Box<dyn Encode>> {
    Some(Box::new(AsString {
        texts: texts_as(array, form)?,
        fallbacks,
    }))
}

/// The texts of `array` in this form; none if its type has none.
pub(super) fn texts_as(array: &dyn Array, form: TextForm) -> Option<Box<dyn Text>> {
    if indirect::is_indirect(array) {
        return indirect::texts_of(array, |values| texts_as(values, form));
    }
    match form {
        TextForm::Canonical => of(array),
        TextForm::Utf8 => bytes_text::utf8(array),
        TextForm::Hex => bytes_text::hex(array),
        TextForm::Base64 => bytes_text::base64(array),
        TextForm::Uuid => bytes_text::uuids(array),
        TextForm::Places(places) => decimal::texts(array, places),
        TextForm::Iso(iso) => temporal::texts(array, iso),
        TextForm::OfEpoch(unit) => epoch_text::texts(array, unit),
        TextForm::WithOffset => offset_timestamp::texts(array),
        TextForm::WithoutOffset => offset_timestamp::utc_texts(array),
    }
}

/// The canonical texts of `array`; none if its type has none. 16 bytes are a UUID.
pub(crate) fn of(array: &dyn Array) -> Option<Box<dyn Text>> {
    Some(match array.data_type() {
        DataType::Utf8 => Box::new(Strings(array.as_bytes_opt::<Utf8Type>()?.clone())),
        DataType::LargeUtf8 => Box::new(Strings(array.as_bytes_opt::<LargeUtf8Type>()?.clone())),
        DataType::Utf8View => Box::new(Views(array.as_byte_view_opt::<StringViewType>()?.clone())),
        DataType::FixedSizeBinary(16) => bytes_text::uuids(array)?,
        DataType::Boolean => Box::new(array.as_boolean_opt()?.clone()),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => indirect::texts_of(array, of)?,
        DataType::Interval(_) => interval::texts(array)?,
        data_type => match Iso::of_type(data_type) {
            Some(iso) => temporal::texts(array, iso)?,
            None => Box::new(NumberText(number::numbers(array)?)),
        },
    })
}

struct Strings<T: ByteArrayType>(GenericByteArray<T>);

impl<T: ByteArrayType<Native = str>> Text for Strings<T> {
    fn text<'a>(&'a self, row: usize, _: &'a mut String) -> Result<&'a str, Refusal> {
        Ok(self.0.value(row))
    }
}

impl<T: ByteArrayType<Native = str>> Stored for Strings<T> {}

struct Views<T: ByteViewType>(GenericByteViewArray<T>);

impl<T: ByteViewType<Native = str>> Text for Views<T> {
    fn text<'a>(&'a self, row: usize, _: &'a mut String) -> Result<&'a str, Refusal> {
        Ok(self.0.value(row))
    }
}

impl<T: ByteViewType<Native = str>> Stored for Views<T> {}

impl Text for BooleanArray {
    fn text<'a>(&'a self, row: usize, _: &'a mut String) -> Result<&'a str, Refusal> {
        Ok(if self.value(row) { "true" } else { "false" })
    }
}

impl Stored for BooleanArray {}
