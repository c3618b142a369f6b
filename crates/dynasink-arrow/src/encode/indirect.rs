//! Arrays whose rows point at values: dictionaries and run-end encodings.

use arrow_array::cast::AsArray;
use arrow_array::{Array, downcast_run_array};
use arrow_schema::DataType;
use dynasink_core::ValueEncoder;

use super::text::{Refusal, Text};
use super::{Encode, ValueError};

/// Where the value of each row stands, and the values.
struct Indirect<E> {
    value_of_row: Vec<usize>,
    values: E,
}

impl<E: Encode> Encode for Indirect<E> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        self.values.encode(self.value_of_row[row], value)
    }
}

impl<T: Text> Text for Indirect<T> {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        self.values.text(self.value_of_row[row], buffer)
    }
}

/// An encoder of `array`, with the encoder that `of_values` makes of its values.
pub(super) fn of(
    array: &dyn Array,
    of_values: impl FnOnce(&dyn Array) -> Option<Box<dyn Encode>>,
) -> Option<Box<dyn Encode>> {
    let (value_of_row, values) = rows_and_values(array)?;
    let values = of_values(values)?;
    Some(Box::new(Indirect {
        value_of_row,
        values,
    }))
}

/// The same for texts.
pub(super) fn text_of(array: &dyn Array) -> Option<Box<dyn Text>> {
    let (value_of_row, values) = rows_and_values(array)?;
    let values = super::text::of(values)?;
    Some(Box::new(Indirect {
        value_of_row,
        values,
    }))
}

/// Where the value of each row stands, and the values.
pub(super) fn rows_and_values(array: &dyn Array) -> Option<(Vec<usize>, &dyn Array)> {
    if let DataType::Dictionary(..) = array.data_type() {
        let dictionary = array.as_any_dictionary_opt()?;
        let values = dictionary.values();
        let rows = if values.is_empty() {
            // Every row is null, so none is looked up; the keys could not be normalized.
            vec![0; array.len()]
        } else {
            dictionary.normalized_keys()
        };
        return Some((rows, values.as_ref()));
    }
    downcast_run_array! {
        array => {
            let rows = (0..array.len()).map(|row| array.get_physical_index(row)).collect();
            Some((rows, array.values().as_ref()))
        },
        _ => None,
    }
}
