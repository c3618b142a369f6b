//! Vectors of floats as B: each element in little-endian order, one after the other, as embeddings are stored.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, FixedSizeListArray, PrimitiveArray};
use arrow_schema::DataType;
use dynasink_core::ValueEncoder;
use half::f16;

use super::nested::ElementRange;
use super::{Encode, Step, ValueError};

/// Whether the lists of this type can be packed.
pub(super) fn can_pack(data_type: &DataType) -> bool {
    match data_type {
        DataType::FixedSizeList(element, _) => element.data_type().is_floating(),
        _ => false,
    }
}

pub(super) fn encoder(array: &dyn Array) -> Option<Box<dyn Encode>> {
    let array = array.as_fixed_size_list_opt()?;
    match array.value_type() {
        DataType::Float16 => packed::<Float16Type>(array),
        DataType::Float32 => packed::<Float32Type>(array),
        DataType::Float64 => packed::<Float64Type>(array),
        _ => None,
    }
}

struct Packed<T: ArrowPrimitiveType> {
    array: FixedSizeListArray,
    elements: PrimitiveArray<T>,
}

fn packed<T: ArrowPrimitiveType<Native: LittleEndian>>(
    array: &FixedSizeListArray,
) -> Option<Box<dyn Encode>> {
    Some(Box::new(Packed {
        array: array.clone(),
        elements: array.values().as_primitive_opt::<T>()?.clone(),
    }))
}

impl<T: ArrowPrimitiveType<Native: LittleEndian>> Encode for Packed<T> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let elements = self.array.elements(row);
        let mut bytes = Vec::with_capacity(elements.len() * size_of::<T::Native>());
        for (at, element) in elements.enumerate() {
            if self.elements.is_null(element) {
                let error = value.unsupported("an element is null, which packed floats cannot be");
                let error = ValueError::from(error).of(&T::DATA_TYPE);
                return Err(error.within(Step::Element(at)));
            }
            self.elements.value(element).append_to(&mut bytes);
        }
        Ok(value.binary(&bytes)?)
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
