//! Maps as L of M with `key` and `value`, for keys that cannot name attributes or whose order counts.

use arrow_array::cast::AsArray;
use arrow_array::{Array, MapArray};
use arrow_buffer::NullBuffer;
use arrow_schema::Field;
use dynasink_core::ValueEncoder;

use super::absent::Place;
use super::map::entries_of;
use super::{Column, Encode, Encoding, Step, ValueError};
use crate::error::Result;
use crate::mapping::rules::ValuePath;

const KEY: &str = "key";
const VALUE: &str = "value";

/// What the keys and the values of a map become.
#[derive(Debug)]
pub(super) struct EntriesForm {
    key: Encoding,
    value: Encoding,
}

impl EntriesForm {
    pub(super) fn new(path: &ValuePath<'_>, key: &Field, value: &Field) -> Result<Self> {
        Ok(Self {
            key: Encoding::in_place(&path.field(KEY), key, Place::Element)?,
            value: Encoding::in_place(&path.element(), value, Place::Element)?,
        })
    }
}

struct Entries {
    array: MapArray,
    key_nulls: Option<NullBuffer>,
    keys: Column,
    values: Column,
}

impl Encode for Entries {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let mut list = value.list()?;
        for (at, entry) in entries_of(&self.array, row).enumerate() {
            let is_null = |nulls: &NullBuffer| nulls.is_null(entry);
            if self.key_nulls.as_ref().is_some_and(is_null) {
                let error = list.element().unsupported("a key of the map is null");
                let error = ValueError::from(error).of(self.array.key_type());
                return Err(error.within(Step::Element(at)));
            }
            let mut map = list.element().map()?;
            self.keys
                .encode(entry, map.attribute(KEY)?)
                .and_then(|()| self.values.encode(entry, map.attribute(VALUE)?))
                .map_err(|error| error.within(Step::Element(at)))?;
        }
        Ok(())
    }
}

pub(super) fn encoder(array: &dyn Array, form: &EntriesForm) -> Option<Box<dyn Encode>> {
    let array = array.as_map_opt()?.clone();
    Some(Box::new(Entries {
        key_nulls: array.keys().logical_nulls(),
        keys: Column::new(array.keys(), &form.key)?,
        values: Column::new(array.values(), &form.value)?,
        array,
    }))
}
