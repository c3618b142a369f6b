//! What a mapping does that may not be what was meant, though it can be done.

use std::fmt;

use arrow_schema::{DataType, Schema};
use dynasink_core::{TableSchema, ValueKind};

use super::AttributeMapping;
use super::attribute::Source;
use crate::encode::extension::unknown_extension;

/// Something that a person should know of before the first row is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MappingWarning {
    /// Rows that differ can have one key by a template, and the later then replaces the earlier.
    KeyNotInjective {
        /// The key.
        attribute: String,
        /// A column that its text does not give back.
        column: String,
        /// How two rows come to have one text.
        reason: String,
    },
    /// The keys of the table are made of no column, but of constants and of where rows came from.
    KeysOfNoColumn,
    /// A key is made of floats, whose equality is seldom what is meant.
    FloatKey {
        /// The key.
        attribute: String,
        /// The column.
        column: String,
    },
    /// The attribute of the table's time to live is written as seconds since 1970, since its column is a time.
    TtlSeconds {
        /// The attribute.
        attribute: String,
        /// The column.
        column: String,
    },
    /// A column has an extension that is not known, and is written as what it is stored as.
    UnknownExtension {
        /// The column.
        column: String,
        /// The name of the extension.
        extension: String,
    },
    /// The attribute of the table's time to live is no number, so that no item expires.
    TtlNotNumber {
        /// The attribute.
        attribute: String,
        /// What it is.
        kind: ValueKind,
    },
}

impl fmt::Display for MappingWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyNotInjective {
                attribute,
                column,
                reason,
            } => write!(
                f,
                "key {attribute:?}: rows that differ in column {column:?} can have one text: {reason}"
            ),
            Self::KeysOfNoColumn => f.write_str(
                "the keys of the table are made of no column: rows can have one key, and the later then replaces the earlier",
            ),
            Self::FloatKey { attribute, column } => write!(
                f,
                "key {attribute:?}: column {column:?} is of floats: whoever looks for an item has to ask for the very same float"
            ),
            Self::TtlSeconds { attribute, column } => write!(
                f,
                "attribute {attribute:?} is the table's time to live: column {column:?} is written as seconds since 1970"
            ),
            Self::UnknownExtension { column, extension } => write!(
                f,
                "column {column:?} has the extension {extension:?}, which is not known: it is written as it is stored"
            ),
            Self::TtlNotNumber { attribute, kind } => write!(
                f,
                "attribute {attribute:?} is the table's time to live, but a {kind} never expires: write it as a number of seconds since 1970"
            ),
        }
    }
}

/// The warnings of a mapping with these attributes.
pub(super) fn warnings(
    schema: &Schema,
    table: &TableSchema,
    attributes: &[AttributeMapping],
) -> Vec<MappingWarning> {
    let is_key = |attribute: &AttributeMapping| {
        let mut keys = table.keys();
        keys.any(|key| key.name() == attribute.name())
    };
    let mut warnings = Vec::new();
    let mut keys = attributes.iter().filter(|attribute| is_key(attribute));
    if !keys.any(|key| (0..schema.fields().len()).any(|column| key.source().needs(column))) {
        warnings.push(MappingWarning::KeysOfNoColumn);
    }
    for attribute in attributes {
        if let Source::Value(value) = attribute.source()
            && let Some(field) = value.place.field(schema)
            && let Some(extension) = unknown_extension(field)
        {
            warnings.push(MappingWarning::UnknownExtension {
                column: attribute.column().unwrap_or_default().to_owned(),
                extension: extension.to_owned(),
            });
        }
        let name = || attribute.name().to_owned();
        let column = || attribute.column().unwrap_or_default().to_owned();
        if is_key(attribute) {
            if let Source::Template(source) = attribute.source() {
                let losses = source.template.losses().iter();
                let losses = losses.filter(|loss| !is_given_back(table, attributes, &loss.column));
                warnings.extend(losses.map(|loss| MappingWarning::KeyNotInjective {
                    attribute: name(),
                    column: loss.column.clone(),
                    reason: loss.reason.clone(),
                }));
            }
            if attribute.data_type().is_some_and(DataType::is_floating) {
                warnings.push(MappingWarning::FloatKey {
                    attribute: name(),
                    column: column(),
                });
            }
        }
        if table.ttl_attribute() == Some(attribute.name()) {
            match (attribute.source(), attribute.kind()) {
                (Source::Ttl(_), _) if attribute.column().is_some() => {
                    warnings.push(MappingWarning::TtlSeconds {
                        attribute: name(),
                        column: column(),
                    });
                }
                (_, ValueKind::N) => {}
                (_, kind) => warnings.push(MappingWarning::TtlNotNumber {
                    attribute: name(),
                    kind,
                }),
            }
        }
    }
    warnings
}

/// Whether some key of the table gives the column back, so that the whole key tells rows apart that differ in it.
fn is_given_back(table: &TableSchema, attributes: &[AttributeMapping], column: &str) -> bool {
    attributes
        .iter()
        .filter(|attribute| table.keys().any(|key| key.name() == attribute.name()))
        .any(|attribute| match attribute.source() {
            Source::Template(source) => source.template.gives_back(column),
            Source::Value(source) => {
                !source.encoding.is_explicit() && attribute.column() == Some(column)
            }
            _ => false,
        })
}
