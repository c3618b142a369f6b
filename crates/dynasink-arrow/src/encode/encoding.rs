//! What the values of a column become, decided once from its type.

use std::sync::Arc;

use arrow_array::Array;
#[cfg(feature = "variant")]
use arrow_array::new_empty_array;
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};
use dynasink_core::{AttributeName, AttributeNames, KeyType, ValueKind};

use super::absent::{Absent, Place};
use super::document::DocumentForm;
use super::entries::EntriesEncoding;
use super::extension::Extension;
use super::packed;
use super::union::UnionEncoding;
#[cfg(feature = "variant")]
use super::variant::{VariantForm, Variants};
use crate::error::{Error, Result};
use crate::mapping::rules::{Rules, ValuePath};
use crate::mapping::spec::{EncodeAs, Json};
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
    /// L of M of the keys and values of a map.
    Entries(Arc<EntriesEncoding>),
    /// B of the floats of a list of fixed length.
    Packed,
    /// M of the parts of an interval.
    IntervalParts,
    /// The value of the type that a row of a union has.
    Union(Arc<UnionEncoding>),
    /// BOOL of `arrow.bool8`.
    Bool8,
    /// S of `arrow.timestamp_with_offset`, with its offset.
    OffsetTimestamp,
    /// What a text of JSON says.
    Document(DocumentForm),
    /// JSON text of any value of this field.
    JsonText(Arc<Field>),
    /// A VARIANT of Parquet.
    #[cfg(feature = "variant")]
    Variant(VariantForm),
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

    /// The same where the value stands in `place`.
    pub(super) fn in_place(path: &ValuePath<'_>, field: &Field, place: Place) -> Result<Self> {
        let rules = path.rules();
        let absent = place.null(rules.policies.nulls);
        let form = Form::new(path, field, place)?;
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

    /// The type of the values; M if they can be of several, as what a document says.
    pub(crate) fn kind(&self) -> ValueKind {
        match &self.form {
            Form::Null => ValueKind::Null,
            Form::Bool => ValueKind::Bool,
            Form::Number => ValueKind::N,
            Form::Text => ValueKind::S,
            Form::Binary => ValueKind::B,
            Form::List(_) => ValueKind::L,
            Form::Struct(_) | Form::Map(_) | Form::IntervalParts | Form::Document(_) => {
                ValueKind::M
            }
            Form::Entries(_) => ValueKind::L,
            Form::Packed => ValueKind::B,
            Form::Bool8 => ValueKind::Bool,
            Form::OffsetTimestamp | Form::JsonText(_) => ValueKind::S,
            Form::Union(union) => union.kind().unwrap_or(ValueKind::M),
            #[cfg(feature = "variant")]
            Form::Variant(form) => form.kind(),
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
    fn new(path: &ValuePath<'_>, field: &Field, place: Place) -> Result<Self> {
        let rules = path.rules();
        if let Some(form) = Self::of_extension(path, field, &rules)? {
            return Ok(form);
        }
        if let Some(form) = Self::of_word(path, field, &rules, place)? {
            return Ok(form);
        }
        Self::of_type(path, field.data_type(), place)
    }

    /// What a field becomes whose values are more than their storage, unless the mapping wants the storage.
    fn of_extension(
        path: &ValuePath<'_>,
        field: &Field,
        rules: &Rules<'_>,
    ) -> Result<Option<Self>> {
        let Some(extension) = Extension::of(field) else {
            return Ok(None);
        };
        let word = rules.encode_as;
        Ok(match (extension, word) {
            (Extension::Uuid, None) => Some(Self::Text),
            (Extension::Bool8, None | Some(EncodeAs::Bool)) => Some(Self::Bool8),
            (Extension::TimestampWithOffset, None | Some(EncodeAs::Zoned | EncodeAs::S)) => {
                Some(Self::OffsetTimestamp)
            }
            (Extension::Json, None) if rules.json == Json::Native => {
                Some(Self::Document(DocumentForm::Plain))
            }
            (Extension::Variant, _) => Some(Self::of_variant(path, field, word)?),
            _ => None,
        })
    }

    #[cfg(feature = "variant")]
    fn of_variant(path: &ValuePath<'_>, field: &Field, word: Option<EncodeAs>) -> Result<Self> {
        let unsupported = |reason| Error::UnsupportedType {
            column: path.to_string(),
            data_type: field.data_type().clone(),
            reason,
        };
        // What a shredding may be is a matter of its types alone.
        Variants::new(&new_empty_array(field.data_type())).map_err(unsupported)?;
        Ok(Self::Variant(match word {
            None | Some(EncodeAs::Document) => VariantForm::Native,
            Some(EncodeAs::Json | EncodeAs::S) => VariantForm::Json,
            Some(EncodeAs::B) => VariantForm::Binary,
            Some(_) => {
                return Err(unsupported(
                    "a VARIANT, which `document`, `json` and `B` fit",
                ));
            }
        }))
    }

    #[cfg(not(feature = "variant"))]
    fn of_variant(path: &ValuePath<'_>, field: &Field, _: Option<EncodeAs>) -> Result<Self> {
        Err(Error::UnsupportedType {
            column: path.to_string(),
            data_type: field.data_type().clone(),
            reason: "a VARIANT, which this build was made without",
        })
    }

    fn of_word(
        path: &ValuePath<'_>,
        field: &Field,
        rules: &Rules<'_>,
        place: Place,
    ) -> Result<Option<Self>> {
        use DataType as D;
        let data_type = field.data_type();
        Ok(Some(match (rules.encode_as, data_type) {
            (Some(EncodeAs::Json), _) => Self::JsonText(Arc::new(field.clone())),
            (Some(EncodeAs::Document), _) if data_type.is_string() => {
                Self::Document(DocumentForm::Plain)
            }
            (Some(EncodeAs::DynamodbJson), _) if data_type.is_string() => {
                Self::Document(DocumentForm::Typed)
            }
            (Some(EncodeAs::M), D::Interval(_)) => Self::IntervalParts,
            (Some(EncodeAs::Packed), _) if packed::can_pack(data_type) => Self::Packed,
            (Some(EncodeAs::Entries), D::Map(entries, _)) => match entries.data_type() {
                D::Struct(entry) if entry.len() == 2 => {
                    Self::Entries(Arc::new(EntriesEncoding::new(path, &entry[0], &entry[1])?))
                }
                _ => return Ok(None),
            },
            (Some(EncodeAs::Tagged), D::Union(fields, _)) => {
                Self::Union(Arc::new(UnionEncoding::new(path, fields, place, true)?))
            }
            _ => return Ok(None),
        }))
    }

    /// Which rows of `array` have no value.
    pub(super) fn nulls_of(&self, array: &dyn Array) -> Option<NullBuffer> {
        match self {
            // The type of a row is told whatever its value is, and unions have no nulls of their own.
            Self::Union(union) if union.is_tagged() => None,
            _ => array.logical_nulls(),
        }
    }

    fn of_type(path: &ValuePath<'_>, data_type: &DataType, place: Place) -> Result<Self> {
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
            D::Dictionary(_, values) => Self::of_type(path, values, place)?,
            D::RunEndEncoded(_, values) => Self::new(path, values, place)?,
            D::Interval(_) => Self::Text,
            D::Union(fields, _) => {
                Self::Union(Arc::new(UnionEncoding::new(path, fields, place, false)?))
            }
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
