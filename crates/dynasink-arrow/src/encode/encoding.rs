//! What the values of a column become, decided once from its type.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};
use dynasink_core::{AttributeName, AttributeNames, KeyType, ValueKind};

use crate::error::{Error, Result};
use crate::shape::is_uuid;

/// What the values of one Arrow type become. Dictionaries and run-end encodings are as their values.
#[derive(Clone, Debug)]
pub(crate) enum Encoding {
    /// NULL, which an attribute of an item is omitted for.
    Null,
    /// BOOL.
    Bool,
    /// N.
    Number,
    /// S: strings as they are, all else by its canonical text.
    Text,
    /// B.
    Binary,
    /// L of one encoding.
    List(Arc<Self>),
    /// M of the fields of a struct.
    Struct(Arc<StructEncoding>),
    /// M of the entries of a map, whose keys are their canonical text.
    Map(Arc<Self>),
}

/// The names of a struct's fields, rendered once, and what each becomes.
#[derive(Debug)]
pub(crate) struct StructEncoding {
    pub(crate) names: AttributeNames,
    pub(crate) fields: Vec<Encoding>,
}

impl Encoding {
    /// The default for `field`. `path` names it in errors.
    pub(crate) fn infer(path: &str, field: &Field) -> Result<Self> {
        if is_uuid(field) {
            return Ok(Self::Text);
        }
        Self::infer_type(path, field.data_type())
    }

    fn infer_type(path: &str, data_type: &DataType) -> Result<Self> {
        use DataType as D;
        let unsupported = |reason| Error::UnsupportedType {
            column: path.to_owned(),
            data_type: data_type.clone(),
            reason,
        };
        Ok(match data_type {
            D::Null => Self::Null,
            D::Boolean => Self::Bool,
            D::Float16 | D::Float32 | D::Float64 | D::Duration(_) => Self::Number,
            _ if data_type.is_integer() || data_type.is_decimal() => Self::Number,
            D::Date32 | D::Date64 | D::Time32(_) | D::Time64(_) | D::Timestamp(..) => Self::Text,
            _ if data_type.is_string() => Self::Text,
            D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => Self::Binary,
            D::List(element)
            | D::LargeList(element)
            | D::FixedSizeList(element, _)
            | D::ListView(element)
            | D::LargeListView(element) => {
                let path = format!("{path}.{}", element.name());
                Self::List(Arc::new(Self::infer(&path, element)?))
            }
            D::Struct(fields) => Self::Struct(Arc::new(StructEncoding::infer(path, fields)?)),
            D::Map(entries, _) => {
                let D::Struct(entry) = entries.data_type() else {
                    return Err(unsupported("whose entries are not a struct"));
                };
                let [key, value] = entry.as_ref() else {
                    return Err(unsupported("whose entries are not a key and a value"));
                };
                if !is_map_key(key) {
                    return Err(unsupported(
                        "whose keys cannot name attributes (strings, integers, dates, booleans and UUIDs can)",
                    ));
                }
                let path = format!("{path}.{}", value.name());
                Self::Map(Arc::new(Self::infer(&path, value)?))
            }
            D::Dictionary(_, values) => Self::infer_type(path, values)?,
            D::RunEndEncoded(_, values) => Self::infer(path, values)?,
            // Intervals and unions.
            _ => return Err(unsupported("which is not supported yet")),
        })
    }

    /// The encoding of `field` as a key of `key_type`, if its values can be that without two of them becoming one.
    ///
    /// Integers and decimals can be strings and UUIDs can be binary, as well as what they are by default.
    pub(crate) fn for_key(&self, field: &Field, key_type: KeyType) -> Option<Self> {
        match (self.kind(), key_type) {
            (ValueKind::S, KeyType::S)
            | (ValueKind::N, KeyType::N)
            | (ValueKind::B, KeyType::B) => Some(self.clone()),
            (ValueKind::N, KeyType::S) if is_exact_number(field.data_type()) => Some(Self::Text),
            (ValueKind::S, KeyType::B) if is_uuid(field) => Some(Self::Binary),
            _ => None,
        }
    }

    /// The type of the values.
    pub(crate) fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool => ValueKind::Bool,
            Self::Number => ValueKind::N,
            Self::Text => ValueKind::S,
            Self::Binary => ValueKind::B,
            Self::List(_) => ValueKind::L,
            Self::Struct(_) | Self::Map(_) => ValueKind::M,
        }
    }
}

impl StructEncoding {
    fn infer(path: &str, fields: &Fields) -> Result<Self> {
        let within = |name: &str| format!("{path}.{name}");
        let encodings = fields
            .iter()
            .map(|field| Encoding::infer(&within(field.name()), field))
            .collect::<Result<_>>()?;
        Ok(Self {
            names: attribute_names(fields.iter().map(|field| field.name().as_str()), within)?,
            fields: encodings,
        })
    }
}

/// The names of `columns`, checked; `path` makes a name what an error calls it.
#[expect(
    single_use_lifetimes,
    reason = "`impl Trait` arguments cannot elide it yet"
)]
pub(crate) fn attribute_names<'a>(
    columns: impl IntoIterator<Item = &'a str>,
    path: impl Fn(&str) -> String,
) -> Result<AttributeNames> {
    let names = columns
        .into_iter()
        .map(|name| {
            AttributeName::new(name).map_err(|source| Error::ColumnName {
                column: path(name),
                source,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    AttributeNames::new(names).map_err(|name| Error::DuplicateColumn {
        column: path(name.as_str()),
    })
}

fn is_exact_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_exact_number(values),
        DataType::RunEndEncoded(_, values) => is_exact_number(values.data_type()),
        _ => data_type.is_integer() || data_type.is_decimal(),
    }
}

fn is_map_key(key: &Field) -> bool {
    use DataType as D;
    fn is_map_key_type(data_type: &DataType) -> bool {
        match data_type {
            D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Boolean | D::Date32 | D::Date64 => true,
            D::Dictionary(_, values) => is_map_key_type(values),
            D::RunEndEncoded(_, values) => is_map_key(values),
            _ => data_type.is_integer(),
        }
    }
    is_uuid(key) || is_map_key_type(key.data_type())
}
