//! The keys that attributes have to serve as, of a table and of its indexes.

use dynasink_core::{KeyAttribute, KeyType, TableSchema, ValueKind};

use super::Mapping;
use super::attribute::Source;
use super::candidate::{Candidate, Origin};
use super::error::{KeyPath, MappingProblem};
use super::near::Near;
use super::plan::Plan;
use super::spec::MappingSpec;
use crate::error::{Error, Result};

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

/// Makes `source` what its key is, if no two values become one by it or the mapping asks for it.
pub(super) fn as_key(
    table: &TableSchema,
    role: &KeyRole<'_>,
    candidate: &Candidate<'_>,
    source: &mut Source,
) -> Result<()> {
    let expected = role.attribute.key_type();
    if let (Source::Value(value), Origin::Value { field, .. }) = (&mut *source, &candidate.origin) {
        match value.encoding.for_key(field, expected) {
            Some(encoding) => value.encoding = encoding,
            None => return Err(key_refused(table, role, candidate, source.kind())),
        }
    }
    if key_type_of(source.kind()) == Some(expected) {
        Ok(())
    } else {
        Err(key_refused(table, role, candidate, source.kind()))
    }
}

fn key_refused(
    table: &TableSchema,
    role: &KeyRole<'_>,
    candidate: &Candidate<'_>,
    found: ValueKind,
) -> Error {
    let expected = role.attribute.key_type();
    match &candidate.origin {
        Origin::Value { field, path, .. } if path.rules().encode_as.is_none() => {
            Error::KeyColumnType {
                table: table.name().clone(),
                column: path.to_string(),
                data_type: field.data_type().clone(),
                role: role.name.clone(),
                expected,
                advice: match Mapping::key_type(field) {
                    Some(key_type) => {
                        format!("cast the column, or use a table whose key is a {key_type}").into()
                    }
                    None => "no key can have this type: choose a column of strings, numbers or binary, or cast it".into(),
                },
            }
        }
        _ => {
            let keys = match &candidate.origin {
                Origin::Value { .. } => candidate.said.keys().key("as"),
                Origin::Made(_) => candidate.said.keys(),
            };
            keys.error(MappingProblem::KeyType {
                attribute: candidate.name.clone(),
                found,
                role: role.name.clone(),
                expected,
            })
            .into()
        }
    }
}

impl Plan<'_> {
    /// Why there is no item without `role`.
    pub(super) fn key_missing(
        &self,
        table: &TableSchema,
        role: &KeyRole<'_>,
        candidates: &[Candidate<'_>],
    ) -> Error {
        let name = role.attribute.name();
        let names = candidates.iter().map(|candidate| candidate.name.as_str());
        if self.spec != MappingSpec::default() {
            let problem = MappingProblem::KeyMissing {
                attribute: name.to_owned(),
                role: role.name.clone(),
                table: table.name().to_string(),
                available: Near::to(name, "attributes", names),
            };
            return KeyPath::default().error(problem).into();
        }
        Error::KeyColumnMissing {
            table: table.name().to_string(),
            column: name.to_owned(),
            role: if name == table.partition_key().name() {
                PARTITION_KEY
            } else {
                SORT_KEY
            },
            available: Near::for_name(name, names),
        }
    }
}
