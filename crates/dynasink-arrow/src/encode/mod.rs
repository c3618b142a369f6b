//! One encoder per column, built once per batch.
//!
//! An encoder owns a cheap copy of its array and writes the value of a row. Nulls are looked at outside, in
//! [`Column`], since what a null becomes depends on where it stands.

mod binary;
mod encoding;
mod indirect;
mod map;
mod nested;
mod number;
mod temporal;
pub(crate) mod text;

#[cfg(test)]
mod tests;

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use dynasink_core::{Error, ValueEncoder};

pub(crate) use encoding::{Encoding, attribute_names};

/// Writes the values of one array. Rows are not null.
trait Encode: Send {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), Error>;
}

/// The values of one column, or of a field or element inside it.
pub(crate) struct Column {
    nulls: Option<NullBuffer>,
    encoder: Box<dyn Encode>,
}

impl Column {
    /// None if `encoding` was not made for the type of `array`.
    pub(crate) fn new(array: &dyn Array, encoding: &Encoding) -> Option<Self> {
        Some(Self {
            nulls: array.logical_nulls(),
            encoder: encoder(array, encoding)?,
        })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Writes the value of `row`, which is not null.
    pub(crate) fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), Error> {
        self.encoder.encode(row, value)
    }

    /// Writes the value of `row`, NULL if it is null.
    fn encode_or_null(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), Error> {
        if self.is_null(row) {
            value.null()
        } else {
            self.encode(row, value)
        }
    }
}

impl fmt::Debug for Column {
    /// Shows no values: they are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column").finish_non_exhaustive()
    }
}

fn encoder(array: &dyn Array, encoding: &Encoding) -> Option<Box<dyn Encode>> {
    if let DataType::Dictionary(..) | DataType::RunEndEncoded(..) = array.data_type() {
        return indirect::of(array, |values| encoder(values, encoding));
    }
    match encoding {
        Encoding::Null => Some(Box::new(Nulls)),
        Encoding::Bool => Some(Box::new(array.as_boolean_opt()?.clone())),
        Encoding::Number => number::encoder(array),
        Encoding::Text => Some(Box::new(text::AsString(text::of(array)?))),
        Encoding::Binary => binary::encoder(array),
        Encoding::List(element) => nested::list(array, element),
        Encoding::Struct(fields) => nested::fields(array, fields),
        Encoding::Map(value) => map::encoder(array, value),
    }
}

impl<E: Encode + ?Sized> Encode for Box<E> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), Error> {
        (**self).encode(row, value)
    }
}

struct Nulls;

impl Encode for Nulls {
    fn encode(&self, _: usize, value: ValueEncoder<'_>) -> Result<(), Error> {
        value.null()
    }
}

impl Encode for BooleanArray {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), Error> {
        value.bool(self.value(row))
    }
}
