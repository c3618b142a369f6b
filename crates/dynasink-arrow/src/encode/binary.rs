//! Binary values as B.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, ByteViewType, LargeBinaryType,
};
use arrow_array::{Array, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray};
use arrow_schema::DataType;
use dynasink_core::ValueEncoder;

use super::{Encode, ValueError};

pub(super) fn encoder(array: &dyn Array) -> Option<Box<dyn Encode>> {
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

impl<T: ByteArrayType<Native = [u8]>> Encode for Bytes<T> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.binary(self.0.value(row))?)
    }
}

struct Views<T: ByteViewType>(GenericByteViewArray<T>);

impl<T: ByteViewType<Native = [u8]>> Encode for Views<T> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.binary(self.0.value(row))?)
    }
}

impl Encode for FixedSizeBinaryArray {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        Ok(value.binary(self.value(row))?)
    }
}
