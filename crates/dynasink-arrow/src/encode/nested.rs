//! Lists as L and structs as M.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, FixedSizeListArray, GenericListArray, GenericListViewArray, OffsetSizeTrait,
};
use arrow_schema::DataType;
use dynasink_core::ValueEncoder;

use super::form::StructForm;
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

/// Which elements of an array make the list of each row, and the array; none if `array` has no lists.
pub(super) fn elements(array: &dyn Array) -> Option<(Box<dyn ElementRange>, &dyn Array)> {
    fn of<A: ElementRange + Clone + 'static>(array: &A) -> Box<dyn ElementRange> {
        Box::new(array.clone())
    }
    Some(match array.data_type() {
        DataType::List(_) => {
            let array = array.as_list_opt::<i32>()?;
            (of(array), array.values())
        }
        DataType::LargeList(_) => {
            let array = array.as_list_opt::<i64>()?;
            (of(array), array.values())
        }
        DataType::ListView(_) => {
            let array = array.as_list_view_opt::<i32>()?;
            (of(array), array.values())
        }
        DataType::LargeListView(_) => {
            let array = array.as_list_view_opt::<i64>()?;
            (of(array), array.values())
        }
        DataType::FixedSizeList(..) => {
            let array = array.as_fixed_size_list_opt()?;
            (of(array), array.values())
        }
        _ => return None,
    })
}

struct Lists {
    array: Box<dyn ElementRange>,
    elements: Column,
}

impl Encode for Lists {
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

pub(super) fn list(array: &dyn Array, element: &Encoding) -> Option<Box<dyn Encode>> {
    let (array, elements) = elements(array)?;
    Some(Box::new(Lists {
        array,
        elements: Column::new(elements, element)?,
    }))
}

struct Structs {
    encoding: Arc<StructForm>,
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

pub(super) fn fields(array: &dyn Array, encoding: &Arc<StructForm>) -> Option<Box<dyn Encode>> {
    let array = array.as_struct_opt()?;
    let fields = encoding
        .fields
        .iter()
        .map(|(index, encoding)| Column::new(array.columns().get(*index)?, encoding))
        .collect::<Option<_>>()?;
    Some(Box::new(Structs {
        encoding: Arc::clone(encoding),
        fields,
    }))
}
