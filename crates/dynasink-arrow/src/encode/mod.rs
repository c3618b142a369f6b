//! One encoder per column, built once per batch.
//!
//! An encoder owns a cheap copy of its array and writes the value of a row, or nothing, which omits it. Nulls are
//! looked at outside, in [`Column`], since what a null becomes depends on where it stands.

mod absent;
mod binary;
mod bool8;
mod document;
mod encoding;
mod entries;
mod error;
mod exact;
pub(crate) mod extension;
mod indirect;
mod interval;
mod json_text;
mod map;
mod nested;
mod number;
mod offset_timestamp;
mod packed;
mod temporal;
mod text;
mod union;
#[cfg(feature = "variant")]
mod variant;

#[cfg(test)]
mod tests;

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use dynasink_core::ValueEncoder;

use absent::Absent;
use encoding::Form;

pub(crate) use encoding::{Encoding, attribute_names};
pub(crate) use error::{Step, ValueError};

/// Writes the values of one array. Rows are not null.
trait Encode: Send {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError>;
}

/// The values of one column, or of a field or element inside it.
pub(crate) struct Column {
    nulls: Option<NullBuffer>,
    absent: Absent,
    /// For errors.
    data_type: DataType,
    encoder: Box<dyn Encode>,
}

impl Column {
    /// None if `encoding` was not made for the type of `array`.
    pub(crate) fn new(array: &dyn Array, encoding: &Encoding) -> Option<Self> {
        Some(Self {
            nulls: encoding.form().nulls_of(array),
            absent: encoding.absent(),
            data_type: array.data_type().clone(),
            encoder: encoder(array, encoding.form())?,
        })
    }

    /// Writes the value of `row`, or leaves it out.
    pub(crate) fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        if self.is_null(row) {
            return Ok(self.absent.write(value)?);
        }
        self.encoder
            .encode(row, value)
            .map_err(|error| error.of(&self.data_type))
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

impl fmt::Debug for Column {
    /// Shows no values: they are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column").finish_non_exhaustive()
    }
}

fn encoder(array: &dyn Array, form: &Form) -> Option<Box<dyn Encode>> {
    if let DataType::Dictionary(..) | DataType::RunEndEncoded(..) = array.data_type() {
        return indirect::of(array, |values| encoder(values, form));
    }
    match form {
        Form::Null => Some(Box::new(Nulls)),
        Form::Bool => Some(Box::new(array.as_boolean_opt()?.clone())),
        Form::Number => number::encoder(array),
        Form::Text => Some(Box::new(text::AsString(text::of(array)?))),
        Form::Binary => binary::encoder(array),
        Form::List(element) => nested::list(array, element),
        Form::Struct(fields) => nested::fields(array, fields),
        Form::Map(value) => map::encoder(array, value),
        Form::Entries(entries) => entries::encoder(array, entries),
        Form::Packed => packed::encoder(array),
        Form::IntervalParts => interval::maps(array),
        Form::Union(union) => union::encoder(array, union),
        Form::Bool8 => bool8::encoder(array),
        Form::OffsetTimestamp => Some(Box::new(text::AsString(offset_timestamp::texts(array)?))),
        Form::Document(form) => Some(Box::new(document::Documents {
            texts: text::of(array)?,
            form: *form,
        })),
        Form::JsonText(field) => json_text::encoder(field, array),
        #[cfg(feature = "variant")]
        Form::Variant(form) => variant::encoder(array, *form),
    }
}

impl<E: Encode + ?Sized> Encode for Box<E> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        (**self).encode(row, value)
    }
}

struct Nulls;

impl Encode for Nulls {
    fn encode(&self, _: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.null()?)
    }
}

impl Encode for BooleanArray {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.bool(self.value(row))?)
    }
}
