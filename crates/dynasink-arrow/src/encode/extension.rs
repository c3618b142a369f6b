//! Arrow's extension types: what a field says of its values beyond their storage type.
//!
//! A name is a hint that any writer may have left there, so it counts only on the storage that it belongs to.
//!
//! Source: *Arrow Columnar Format*, "Canonical Extension Types".

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field, FieldRef, Fields};

use crate::shape::UUID_EXTENSION;

/// An extension whose values are more than their storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    /// `arrow.uuid`: 16 bytes.
    Uuid,
    /// `arrow.json`: a string.
    Json,
    /// `arrow.bool8`: zero is false and all else is true.
    Bool8,
    /// `arrow.timestamp_with_offset`: a timestamp in UTC and the minutes that the local time was ahead of it.
    TimestampWithOffset,
    /// `arrow.parquet.variant`: Parquet's VARIANT, shredded or not.
    Variant,
}

/// Extensions whose values are their storage, to the last.
const STORAGE: [&str; 3] = [
    "arrow.fixed_shape_tensor",
    "arrow.variable_shape_tensor",
    "geoarrow.wkb",
];

impl Extension {
    /// The extension that `field` has, if its storage fits.
    pub(crate) fn of(field: &Field) -> Option<Self> {
        let extension = match name(field)? {
            UUID_EXTENSION => Self::Uuid,
            "arrow.json" => Self::Json,
            "arrow.bool8" => Self::Bool8,
            "arrow.timestamp_with_offset" => Self::TimestampWithOffset,
            "arrow.parquet.variant" => Self::Variant,
            _ => return None,
        };
        extension
            .is_stored_as(field.data_type())
            .then_some(extension)
    }

    fn is_stored_as(self, storage: &DataType) -> bool {
        match (self, storage) {
            (Self::Uuid, DataType::FixedSizeBinary(16))
            | (Self::Json, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
            | (Self::Bool8, DataType::Int8) => true,
            (Self::TimestampWithOffset, DataType::Struct(fields)) => {
                is_timestamp_and_offset(fields)
            }
            (Self::Variant, DataType::Struct(fields)) => is_variant(fields),
            (extension, DataType::Dictionary(_, values)) => extension.is_stored_as(values),
            (extension, DataType::RunEndEncoded(_, values)) => {
                extension.is_stored_as(values.data_type())
            }
            _ => false,
        }
    }
}

/// The first extension of `field`, or of a part of it, that means nothing here.
pub(crate) fn unknown_extension(field: &Field) -> Option<&str> {
    if Extension::of(field).is_some() {
        return None;
    }
    own_unknown_extension(field)
        .or_else(|| parts(field.data_type()).find_map(|part| unknown_extension(part)))
}

/// The extension of `field` itself, if it means nothing here.
pub(super) fn own_unknown_extension(field: &Field) -> Option<&str> {
    if Extension::of(field).is_some() {
        return None;
    }
    name(field).filter(|name| !STORAGE.contains(name))
}

/// The fields that values of a type are made of.
fn parts(data_type: &DataType) -> Box<dyn Iterator<Item = &FieldRef> + '_> {
    use DataType as D;
    match data_type {
        D::List(part)
        | D::LargeList(part)
        | D::FixedSizeList(part, _)
        | D::ListView(part)
        | D::LargeListView(part)
        | D::Map(part, _)
        | D::RunEndEncoded(_, part) => Box::new(std::iter::once(part)),
        D::Struct(fields) => Box::new(fields.iter()),
        D::Union(types, _) => Box::new(types.iter().map(|(_, field)| field)),
        D::Dictionary(_, values) => parts(values),
        _ => Box::new(std::iter::empty()),
    }
}

fn name(field: &Field) -> Option<&str> {
    field
        .metadata()
        .get(EXTENSION_TYPE_NAME_KEY)
        .map(String::as_str)
}

fn is_timestamp_and_offset(fields: &Fields) -> bool {
    let [timestamp, offset] = fields.as_ref() else {
        return false;
    };
    let is_utc = matches!(timestamp.data_type(), DataType::Timestamp(_, Some(_)));
    let minutes = match offset.data_type() {
        DataType::Dictionary(_, values) => values,
        DataType::RunEndEncoded(_, values) => values.data_type(),
        minutes => minutes,
    };
    is_utc && minutes == &DataType::Int16
}

/// Metadata, and a value in one of the two forms or in both.
fn is_variant(fields: &Fields) -> bool {
    let has = |name: &str| fields.iter().any(|field| field.name() == name);
    has("metadata") && (has("value") || has("typed_value"))
}
