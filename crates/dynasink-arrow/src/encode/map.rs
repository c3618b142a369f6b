//! Maps as M, with their keys by canonical text.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, MapArray};
use arrow_buffer::NullBuffer;
use dynasink_core::ValueEncoder;

use super::text::{self, Text};
use super::{Column, Encode, Encoding, Step, ValueError};

struct Maps {
    array: MapArray,
    key_nulls: Option<NullBuffer>,
    keys: Box<dyn Text>,
    values: Column,
}

impl Encode for Maps {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let entries = entries_of(&self.array, row);

        // Keys come first, since the map that is open has no way to refuse one.
        let mut keys = Vec::with_capacity(entries.len());
        for (at, entry) in entries.clone().enumerate() {
            if self
                .key_nulls
                .as_ref()
                .is_some_and(|nulls| nulls.is_null(entry))
            {
                let error = ValueError::from(value.unsupported("a key of the map is null"));
                return Err(self.of_key(at, error));
            }
            let mut buffer = String::new();
            match self.keys.text(entry, &mut buffer) {
                Ok("") => {
                    let error = ValueError::from(value.unsupported("a key of the map is empty"));
                    return Err(self.of_key(at, error));
                }
                Ok(key) => keys.push(key.to_owned()),
                Err(refusal) => {
                    return refusal
                        .refuse(value)
                        .map_err(|error| self.of_key(at, error));
                }
            }
        }

        let mut map = value.map()?;
        for (at, (key, entry)) in keys.iter().zip(entries).enumerate() {
            let of_entry = |error: ValueError| error.within(Step::Element(at));
            let value = map
                .attribute(key)
                .map_err(|error| self.of_key(at, error.into()))?;
            self.values.encode(entry, value).map_err(of_entry)?;
        }
        Ok(())
    }
}

/// The entries that make the map of a row.
pub(super) fn entries_of(array: &MapArray, row: usize) -> Range<usize> {
    let offsets = array.value_offsets();
    // Offsets of a valid array are not negative.
    let entry = |at: usize| usize::try_from(offsets[at]).unwrap_or(0);
    entry(row)..entry(row + 1)
}

impl Maps {
    /// `error` of the key of the entry at this place.
    fn of_key(&self, at: usize, error: ValueError) -> ValueError {
        error.of(self.array.key_type()).within(Step::Element(at))
    }
}

pub(super) fn encoder(array: &dyn Array, value: &Encoding) -> Option<Box<dyn Encode>> {
    let array = array.as_map_opt()?.clone();
    Some(Box::new(Maps {
        key_nulls: array.keys().logical_nulls(),
        keys: text::of(array.keys())?,
        values: Column::new(array.values(), value)?,
        array,
    }))
}
