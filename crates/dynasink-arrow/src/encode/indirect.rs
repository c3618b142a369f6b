//! Arrays whose rows point at values: dictionaries and run-end encodings.

use arrow_array::cast::AsArray;
use arrow_array::{Array, downcast_run_array};
use arrow_schema::DataType;
use dynasink_core::{Decimal, Number, ValueEncoder};

use super::binary::ToBytes;
use super::fallback::Stored;
use super::number::ToNumber;
use super::refusal::Refusal;
use super::text::Text;
use super::{Encode, ValueError};

/// Where the value of each row stands, and the values.
struct Indirect<E: ?Sized> {
    value_of_row: Vec<usize>,
    values: Box<E>,
}

impl Encode for Indirect<dyn Encode> {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        self.values.encode(self.value_of_row[row], value)
    }
}

impl Text for Indirect<dyn Text> {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, Refusal> {
        self.values.text(self.value_of_row[row], buffer)
    }
}

impl ToNumber for Indirect<dyn ToNumber> {
    fn number(&self, row: usize) -> Result<Number, Refusal> {
        self.values.number(self.value_of_row[row])
    }
}

impl ToBytes for Indirect<dyn ToBytes> {
    fn bytes<'a>(&'a self, row: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Refusal> {
        self.values.bytes(self.value_of_row[row], buffer)
    }
}

impl<E: Stored + ?Sized> Stored for Indirect<E> {
    fn ticks(&self, row: usize) -> Option<i64> {
        self.values.ticks(self.value_of_row[row])
    }

    fn decimal(&self, row: usize) -> Result<Decimal, Refusal> {
        self.values.decimal(self.value_of_row[row])
    }

    fn nonfinite(&self, row: usize) -> &'static str {
        self.values.nonfinite(self.value_of_row[row])
    }
}

/// Whether the values of `array` are in another one.
pub(super) fn is_indirect(array: &dyn Array) -> bool {
    matches!(
        array.data_type(),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..)
    )
}

macro_rules! indirect {
    ($(#[$doc:meta])* $name:ident, $values:ty) => {
        $(#[$doc])*
        pub(super) fn $name(
            array: &dyn Array,
            of_values: impl FnOnce(&dyn Array) -> Option<Box<$values>>,
        ) -> Option<Box<$values>> {
            let (value_of_row, values) = rows_and_values(array)?;
            let values = of_values(values)?;
            Some(Box::new(Indirect {
                value_of_row,
                values,
            }))
        }
    };
}

indirect! {
    /// An encoder of `array`, with the encoder that `of_values` makes of its values.
    encoder_of, dyn Encode
}
indirect! {
    /// The same for texts.
    texts_of, dyn Text
}
indirect! {
    /// The same for numbers.
    numbers_of, dyn ToNumber
}
indirect! {
    /// The same for bytes.
    bytes_of, dyn ToBytes
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
