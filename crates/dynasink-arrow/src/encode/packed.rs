//! Vectors of floats as bytes: each element in little-endian order, one after the other, as embeddings are stored.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, FixedSizeListArray, PrimitiveArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use half::f16;

use super::binary::ToBytes;
use super::nested::ElementRange;
use super::refusal::Refusal;

/// How many bits each float has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FloatWidth {
    Half,
    Single,
    Double,
}

impl FloatWidth {
    /// That of the floats in lists of this type.
    pub(super) fn of_list(data_type: &DataType) -> Option<Self> {
        let DataType::FixedSizeList(element, _) = data_type else {
            return None;
        };
        Some(match element.data_type() {
            DataType::Float16 => Self::Half,
            DataType::Float32 => Self::Single,
            DataType::Float64 => Self::Double,
            _ => return None,
        })
    }
}

/// The floats of `array` in this width; none if it is not of lists of them, all of one length.
pub(super) fn floats(array: &dyn Array, width: FloatWidth) -> Option<Box<dyn ToBytes>> {
    let array = array.as_fixed_size_list_opt()?;
    match width {
        FloatWidth::Half => packed::<Float16Type>(array),
        FloatWidth::Single => packed::<Float32Type>(array),
        FloatWidth::Double => packed::<Float64Type>(array),
    }
}

struct Packed<T: ArrowPrimitiveType> {
    lists: FixedSizeListArray,
    elements: PrimitiveArray<T>,
}

fn packed<T: ArrowPrimitiveType<Native: LittleEndian>>(
    lists: &FixedSizeListArray,
) -> Option<Box<dyn ToBytes>> {
    // A file may have narrower floats than others, which are all in the wider ones.
    let elements = cast(lists.values(), &T::DATA_TYPE).ok()?;
    Some(Box::new(Packed {
        elements: elements.as_primitive_opt::<T>()?.clone(),
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
