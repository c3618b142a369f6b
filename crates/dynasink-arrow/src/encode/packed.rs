//! Vectors of floats as bytes: each element in little-endian order, one after the other, as embeddings are stored.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, FixedSizeListArray, PrimitiveArray};
use arrow_schema::DataType;
use half::f16;

use super::binary::ToBytes;
use super::nested::ElementRange;
use super::refusal::Refusal;

/// The floats of `array`; none if it is not of lists of them, all of one length.
pub(super) fn floats(array: &dyn Array) -> Option<Box<dyn ToBytes>> {
    let array = array.as_fixed_size_list_opt()?;
    match array.value_type() {
        DataType::Float16 => packed::<Float16Type>(array),
        DataType::Float32 => packed::<Float32Type>(array),
        DataType::Float64 => packed::<Float64Type>(array),
        _ => None,
    }
}

struct Packed<T: ArrowPrimitiveType> {
    lists: FixedSizeListArray,
    elements: PrimitiveArray<T>,
}

fn packed<T: ArrowPrimitiveType<Native: LittleEndian>>(
    lists: &FixedSizeListArray,
) -> Option<Box<dyn ToBytes>> {
    Some(Box::new(Packed {
        elements: lists.values().as_primitive_opt::<T>()?.clone(),
        lists: lists.clone(),
    }))
}

impl<T: ArrowPrimitiveType<Native: LittleEndian>> ToBytes for Packed<T> {
    fn bytes<'a>(&'a self, row: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Refusal> {
        for element in self.lists.elements(row) {
            if self.elements.is_null(element) {
                return Err(Refusal::OutOfRange(
                    "an element is null, which packed floats have not",
                ));
            }
            self.elements.value(element).append_to(buffer);
        }
        Ok(buffer)
    }
}

trait LittleEndian {
    fn append_to(self, out: &mut Vec<u8>);
}

impl LittleEndian for f16 {
    fn append_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl LittleEndian for f32 {
    fn append_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl LittleEndian for f64 {
    fn append_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}
