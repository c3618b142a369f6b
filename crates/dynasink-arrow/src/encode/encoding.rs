//! What the values of a column become, decided once from its type.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};
use dynasink_core::{AttributeName, AttributeNames, KeyType, ValueKind};

use super::absent::{Absent, Place};
use crate::error::{Error, Result};
use crate::mapping::rules::ValuePath;
use crate::shape::is_uuid;

/// What becomes of the values of one column, or of a part of one, and of its nulls.
#[derive(Clone, Debug)]
pub(crate) struct Encoding {
    form: Form,
    absent: Absent,
}

/// What the values of one Arrow type become. Dictionaries and run-end encodings are as their values.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// NULL.
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
    List(Arc<Encoding>),
    /// M of the fields of a struct.
    Struct(Arc<StructEncoding>),
    /// M of the entries of a map, whose keys are their canonical text.
    Map(Arc<Encoding>),
}

/// The names of a struct's fields, rendered once, and what each becomes.
#[derive(Debug)]
pub(super) struct StructEncoding {
    pub(super) names: AttributeNames,
    pub(super) fields: Vec<Encoding>,
}

impl Encoding {
    /// What the mapping says of `field`, which is at `path`, or else the default of its type.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedType`] for a type that has no form in DynamoDB, [`Error::DuplicateColumn`] and
    /// [`Error::ColumnName`] if the fields of a struct cannot name attributes.
    pub(crate) fn new(path: &ValuePath<'_>, field: &Field) -> Result<Self> {
        Self::in_place(path, field, Place::Attribute)
    }

    fn in_place(path: &ValuePath<'_>, field: &Field, place: Place) -> Result<Self> {
        let rules = path.rules();
        let absent = place.null(rules.policies.nulls);
        let form = Form::new(path, field)?;
        Ok(Self { form, absent })
    }

    /// The encoding of `field` as a key of `key_type`, if its values can be that without two of them becoming one.
    ///
    /// Integers and decimals can be strings and UUIDs can be binary, as well as what they are by default.
    pub(crate) fn for_key(&self, field: &Field, key_type: KeyType) -> Option<Self> {
        let form = match (self.kind(), key_type) {
            (ValueKind::S, KeyType::S)
            | (ValueKind::N, KeyType::N)
            | (ValueKind::B, KeyType::B) => self.form.clone(),
            (ValueKind::N, KeyType::S) if is_exact_number(field.data_type()) => Form::Text,
            (ValueKind::S, KeyType::B) if is_uuid(field) => Form::Binary,
            _ => return None,
        };
        // A key is never NULL: an item without the key of an index is not in the index.
        let absent = Absent::Omitted;
        Some(Self { form, absent })
    }

    /// The type of the values.
    pub(crate) fn kind(&self) -> ValueKind {
        match self.form {
            Form::Null => ValueKind::Null,
            Form::Bool => ValueKind::Bool,
            Form::Number => ValueKind::N,
            Form::Text => ValueKind::S,
            Form::Binary => ValueKind::B,
            Form::List(_) => ValueKind::L,
            Form::Struct(_) | Form::Map(_) => ValueKind::M,
        }
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    pub(super) fn absent(&self) -> Absent {
        self.absent
    }
}

impl Form {
    fn new(path: &ValuePath<'_>, field: &Field) -> Result<Self> {
        if is_uuid(field) {
            return Ok(Self::Text);
        }
        Self::of_type(path, field.data_type())
    }

    fn of_type(path: &ValuePath<'_>, data_type: &DataType) -> Result<Self> {
        use DataType as D;
        let unsupported = |reason| Error::UnsupportedType {
            column: path.to_string(),
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
            | D::LargeListView(element) => Self::List(Arc::new(Encoding::in_place(
                &path.element(),
                element,
                Place::Element,
            )?)),
            D::Struct(fields) => Self::Struct(Arc::new(StructEncoding::new(path, fields)?)),
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
                Self::Map(Arc::new(Encoding::in_place(
                    &path.element(),
                    value,
                    Place::Element,
                )?))
            }
            D::Dictionary(_, values) => Self::of_type(path, values)?,
            D::RunEndEncoded(_, values) => Self::new(path, values)?,
            // Intervals and unions.
            _ => return Err(unsupported("which is not supported yet")),
        })
    }
}

impl StructEncoding {
    fn new(path: &ValuePath<'_>, fields: &Fields) -> Result<Self> {
        let encodings = fields
            .iter()
            .map(|field| Encoding::in_place(&path.field(field.name()), field, Place::Attribute))
            .collect::<Result<_>>()?;
        let names = fields.iter().map(|field| field.name().as_str());
        Ok(Self {
            names: attribute_names(names, |name| path.field(name).to_string())?,
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
