//! The keys that attributes have to serve as, of a table and of its indexes.

use dynasink_core::{KeyAttribute, KeyType, TableSchema, ValueKind};

pub(super) const PARTITION_KEY: &str = "partition key";
pub(super) const SORT_KEY: &str = "sort key";

/// A key that an attribute has to serve as.
#[derive(Clone, Debug)]
pub(super) struct KeyRole<'a> {
    pub(super) attribute: &'a KeyAttribute,
    /// `partition key`, `sort key` or `key of index "by-mail"`.
    pub(super) name: String,
    /// Whether it is of the table itself, so that every item has it.
    pub(super) of_table: bool,
}

/// The keys of the table, then those of its indexes.
pub(super) fn key_roles(table: &TableSchema) -> Vec<KeyRole<'_>> {
    let of_table = table
        .keys()
        .zip([PARTITION_KEY, SORT_KEY])
        .map(|(attribute, name)| KeyRole {
            attribute,
            name: name.to_owned(),
            of_table: true,
        });
    let of_indexes = table.indexes().iter().flat_map(|index| {
        index.keys().iter().map(|attribute| KeyRole {
            attribute,
            name: format!("key of index {:?}", index.name()),
            of_table: false,
        })
    });
    of_table.chain(of_indexes).collect()
}

/// The type of a key whose values are `kind`, if a key can have such values.
pub(super) fn key_type_of(kind: ValueKind) -> Option<KeyType> {
    match kind {
        ValueKind::S => Some(KeyType::S),
        ValueKind::N => Some(KeyType::N),
        ValueKind::B => Some(KeyType::B),
        _ => None,
    }
}
