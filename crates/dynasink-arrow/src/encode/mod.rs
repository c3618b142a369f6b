//! One encoder per column, built once per batch.
//!
//! An encoder owns a cheap copy of its array and writes the value of a row, or nothing, which omits it. Nulls are
//! looked at outside, in [`Column`], since what a null becomes depends on where it stands.

mod absent;
mod binary;
mod bool;
mod bool8;
mod bytes_text;
mod decimal;
mod document;
mod encoding;
mod entries;
mod epoch;
mod epoch_text;
mod error;
pub(crate) mod extension;
mod fallback;
mod float;
mod form;
mod indirect;
mod interval;
mod json_text;
mod key;
mod map;
mod nested;
mod number;
mod offset_timestamp;
mod packed;
mod plan;
mod refusal;
mod set;
mod temporal;
pub(crate) mod text;
pub(crate) mod ticks;
mod union;
#[cfg(feature = "variant")]
mod variant;
mod words;
pub(crate) mod zone;

#[cfg(test)]
mod tests;

use std::fmt;

use arrow_array::Array;
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use dynasink_core::ValueEncoder;

use absent::Absent;

pub(crate) use encoding::{Encoding, attribute_names};
pub(crate) use error::{Step, ValueError};
#[cfg(test)]
use words::words_for;
pub(crate) use words::words_of;

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
            encoder: encoding.form().encoder(array)?,
        })
    }

    /// The same, null also in the rows in which `outer` is.
    pub(crate) fn null_where(mut self, outer: Option<&NullBuffer>) -> Self {
        self.nulls = NullBuffer::union(self.nulls.as_ref(), outer);
        self
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
