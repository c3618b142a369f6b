//! Booleans in bytes, `arrow.bool8`: zero is false and all else is true.

use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::{Array, Int8Array};
use dynasink_core::ValueEncoder;

use super::{Encode, ValueError};

struct Bool8(Int8Array);

impl Encode for Bool8 {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.bool(self.0.value(row) != 0)?)
    }
}

pub(super) fn encoder(array: &dyn Array) -> Option<Box<dyn Encode>> {
    Some(Box::new(Bool8(
        array.as_primitive_opt::<Int8Type>()?.clone(),
    )))
}
