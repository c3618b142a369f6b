//! Maps as M, with their keys by canonical text.

use arrow_array::cast::AsArray;
use arrow_array::{Array, MapArray};
use arrow_buffer::NullBuffer;
use dynasink_core::{Error, ValueEncoder};

use super::text::{self, Text};
use super::{Column, Encode, Encoding};

struct Maps {
    array: MapArray,
    key_nulls: Option<NullBuffer>,
    keys: Box<dyn Text>,
    values: Column,
}

impl Encode for Maps {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), Error> {
        let offsets = self.array.value_offsets();
        // Offsets of a valid array are not negative.
        let entry = |at: usize| usize::try_from(offsets[at]).unwrap_or(0);
        let entries = entry(row)..entry(row + 1);

        // Keys come first, since the map that is open has no way to refuse one.
        let mut keys = Vec::with_capacity(entries.len());
        for entry in entries.clone() {
            if self
                .key_nulls
                .as_ref()
                .is_some_and(|nulls| nulls.is_null(entry))
            {
                return Err(value.unsupported("a key of the map is null"));
            }
            let mut buffer = String::new();
            match self.keys.text(entry, &mut buffer) {
                Ok("") => return Err(value.unsupported("a key of the map is empty")),
                Ok(key) => keys.push(key.to_owned()),
                Err(refusal) => return refusal.refuse(value),
            }
        }

        let mut map = value.map()?;
        for (key, entry) in keys.iter().zip(entries) {
            self.values.encode_or_null(entry, map.attribute(key)?)?;
        }
        Ok(())
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
