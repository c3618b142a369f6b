//! Where the keys and values of a file stand.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::mapping::error::{FilePlace, KeyPath, MappingError};

/// The places of all keys of a file.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    /// The place of what is missing.
    start: FilePlace,
    places: HashMap<KeyPath, Places>,
}

#[derive(Clone, Debug)]
struct Places {
    key: FilePlace,
    /// Of a table its key, since that is what a person looks for.
    value: FilePlace,
}

impl Spans {
    pub(super) fn new(name: &str, text: &str, table: &Spanned<DeTable<'_>>) -> Self {
        let mut places = HashMap::new();
        let place = |offset| place(name, text, offset);
        add_table(&KeyPath::default(), table.get_ref(), &place, &mut places);
        let start = place(0);
        Self { start, places }
    }

    /// `error` with the place of what it is about, or of the nearest that there is around it.
    pub(super) fn locate(&self, error: MappingError) -> MappingError {
        let mut keys = error.keys().clone();
        let mut is_whole = true;
        loop {
            if let Some(places) = self.places.get(&keys) {
                let place = if is_whole && error.problem().is_of_key() {
                    &places.key
                } else {
                    &places.value
                };
                return error.at(place.clone());
            }
            is_whole = false;
            let Some(outer) = keys.outer() else {
                return error.at(self.start.clone());
            };
            keys = outer;
        }
    }
}

fn add_table(
    keys: &KeyPath,
    table: &DeTable<'_>,
    place: &impl Fn(usize) -> FilePlace,
    places: &mut HashMap<KeyPath, Places>,
) {
    for (key, value) in table {
        let keys = keys.key(key.get_ref());
        add(keys, place(key.span().start), value, place, places);
    }
}

fn add(
    keys: KeyPath,
    key: FilePlace,
    value: &Spanned<DeValue<'_>>,
    place: &impl Fn(usize) -> FilePlace,
    places: &mut HashMap<KeyPath, Places>,
) {
    let of_value = match value.get_ref() {
        DeValue::Table(table) => {
            add_table(&keys, table, place, places);
            key.clone()
        }
        DeValue::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let start = place(element.span().start);
                add(keys.index(index), start, element, place, places);
            }
            place(value.span().start)
        }
        _ => place(value.span().start),
    };
    let of_value = Places {
        key,
        value: of_value,
    };
    places.insert(keys, of_value);
}

/// The line and column of the byte at `offset`.
pub(super) fn place(file: &str, text: &str, offset: usize) -> FilePlace {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    FilePlace {
        file: file.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.chars().count() - before.get(..line_start).map_or(0, |b| b.chars().count())
            + 1,
    }
}
