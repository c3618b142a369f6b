//! Lists as L and structs as M.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericListArray, GenericListViewArray, OffsetSizeTrait,
};
use arrow_schema::DataType;
use dynasink_core::ValueEncoder;

use super::encoding::StructEncoding;
use super::{Column, Encode, Encoding, Step, ValueError};

/// Which elements make the list of a row.
pub(super) trait ElementRange: Send {
    fn elements(&self, row: usize) -> Range<usize>;
}

impl<O: OffsetSizeTrait> ElementRange for GenericListArray<O> {
    fn elements(&self, row: usize) -> Range<usize> {
        let offsets = self.value_offsets();
        offsets[row].as_usize()..offsets[row + 1].as_usize()
    }
}

impl<O: OffsetSizeTrait> ElementRange for GenericListViewArray<O> {
    fn elements(&self, row: usize) -> Range<usize> {
        let start = self.value_offsets()[row].as_usize();
        start..start + self.value_sizes()[row].as_usize()
    }
}

impl ElementRange for FixedSizeListArray {
    fn elements(&self, row: usize) -> Range<usize> {
        // A length cannot be negative in a valid array.
        let len = usize::try_from(self.value_length()).unwrap_or(0);
        row * len..(row + 1) * len
    }
}

struct Lists<A> {
    array: A,
    elements: Column,
}

impl<A: ElementRange> Encode for Lists<A> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let mut list = value.list()?;
        for (at, element) in self.array.elements(row).enumerate() {
            self.elements
                .encode(element, list.element())
                .map_err(|error| error.within(Step::Element(at)))?;
        }
        Ok(())
    }
}

/// Which elements make the list of each row, and the elements.
pub(super) fn ranges(array: &dyn Array) -> Option<(Box<dyn ElementRange>, &ArrayRef)> {
    Some(match array.data_type() {
        DataType::List(_) => {
            let array = array.as_list_opt::<i32>()?;
            (Box::new(array.clone()), array.values())
        }
        DataType::LargeList(_) => {
            let array = array.as_list_opt::<i64>()?;
            (Box::new(array.clone()), array.values())
        }
        DataType::ListView(_) => {
            let array = array.as_list_view_opt::<i32>()?;
            (Box::new(array.clone()), array.values())
        }
        DataType::LargeListView(_) => {
            let array = array.as_list_view_opt::<i64>()?;
            (Box::new(array.clone()), array.values())
        }
        DataType::FixedSizeList(..) => {
            let array = array.as_fixed_size_list_opt()?;
            (Box::new(array.clone()), array.values())
        }
        _ => return None,
    })
}

pub(super) fn list(array: &dyn Array, element: &Encoding) -> Option<Box<dyn Encode>> {
    match array.data_type() {
        DataType::List(_) => list_of(array.as_list_opt::<i32>()?, element),
        DataType::LargeList(_) => list_of(array.as_list_opt::<i64>()?, element),
        DataType::ListView(_) => list_view_of(array.as_list_view_opt::<i32>()?, element),
        DataType::LargeListView(_) => list_view_of(array.as_list_view_opt::<i64>()?, element),
        DataType::FixedSizeList(..) => {
            let array = array.as_fixed_size_list_opt()?.clone();
            let elements = Column::new(array.values(), element)?;
            Some(Box::new(Lists { array, elements }))
        }
        _ => None,
    }
}

fn list_of<O: OffsetSizeTrait>(
    array: &GenericListArray<O>,
    element: &Encoding,
) -> Option<Box<dyn Encode>> {
    Some(Box::new(Lists {
        elements: Column::new(array.values(), element)?,
        array: array.clone(),
    }))
}

fn list_view_of<O: OffsetSizeTrait>(
    array: &GenericListViewArray<O>,
    element: &Encoding,
) -> Option<Box<dyn Encode>> {
    Some(Box::new(Lists {
        elements: Column::new(array.values(), element)?,
        array: array.clone(),
    }))
}

struct Structs {
    encoding: Arc<StructEncoding>,
    fields: Vec<Column>,
}

impl Encode for Structs {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let mut map = value.fields(&self.encoding.names)?;
        for (index, field) in self.fields.iter().enumerate() {
            field.encode(row, map.field(index)?).map_err(|error| {
                let name = self
                    .encoding
                    .names
                    .get(index)
                    .map(|name| name.as_str().to_owned());
                error.within(Step::Field(name.unwrap_or_default()))
            })?;
        }
        Ok(())
    }
}

pub(super) fn fields(array: &dyn Array, encoding: &Arc<StructEncoding>) -> Option<Box<dyn Encode>> {
    let array = array.as_struct_opt()?;
    if array.num_columns() != encoding.fields.len() {
        return None;
    }
    let fields = array
        .columns()
        .iter()
        .zip(&encoding.fields)
        .map(|(column, encoding)| Column::new(column, encoding))
        .collect::<Option<_>>()?;
    Some(Box::new(Structs {
        encoding: Arc::clone(encoding),
        fields,
    }))
}
