//! When two Arrow types are encoded alike, whatever else tells them apart.

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field};

use crate::encode::extension::Extension;
use crate::source::drift::widen;

/// The extension name of a UUID in a `FixedSizeBinary(16)`.
pub(crate) const UUID_EXTENSION: &str = "arrow.uuid";

/// Whether values of `field` are UUIDs.
pub(crate) fn is_uuid(field: &Field) -> bool {
    Extension::of(field) == Some(Extension::Uuid)
}

/// Whether values of `field` are VARIANTs, of which other parts are in columns of their own from file to file.
pub(crate) fn is_variant(field: &Field) -> bool {
    Extension::of(field) == Some(Extension::Variant)
}

/// Whether `field` says what its values mean, beyond their type.
pub(crate) fn has_extension(field: &Field) -> bool {
    field.metadata().contains_key(EXTENSION_TYPE_NAME_KEY)
}

/// Whether values of `found` become what a mapping made for `field` makes of its values: whether both go into one
/// column without loss, and that column is written as `field` is.
pub(crate) fn fits(field: &Field, found: &Field) -> bool {
    use DataType as D;
    // However a VARIANT is shredded, its values are the same.
    if is_variant(field) && is_variant(found) {
        return true;
    }
    match (plain(field.data_type()), plain(found.data_type())) {
        // Nulls are written as nothing, and values would be lost.
        (D::Null, found) => *found == D::Null,
        (_, D::Null) => true,
        _ if Extension::of(field) != Extension::of(found) => false,
        (D::Struct(_), D::Struct(_)) if is_variant(field) => true,
        (D::Struct(fields), D::Struct(found)) => found.iter().all(|found| {
            let field = fields.iter().find(|field| field.name() == found.name());
            field.is_some_and(|field| fits(field, found))
        }),
        (D::Map(field, _), D::Map(found, _)) => match (field.data_type(), found.data_type()) {
            (D::Struct(field), D::Struct(found)) => {
                field.len() == found.len()
                    && field
                        .iter()
                        .zip(found)
                        .all(|(field, found)| fits(field, found))
            }
            _ => false,
        },
        (a, b) => match (element_of(a), element_of(b)) {
            (Some(field), Some(found)) => fits(field, found),
            _ => widen(field, found).is_some_and(|wide| match (a, plain(wide.data_type())) {
                // The digits of a fraction are those of the mapping's unit.
                (D::Timestamp(unit, _), D::Timestamp(wide, _)) => unit == wide,
                _ => true,
            }),
        },
    }
}

/// The type of the values, where the type is a way to store them.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        DataType::RunEndEncoded(_, values) => plain(values.data_type()),
        other => other,
    }
}

/// The element of a list of any kind.
pub(crate) fn element_of(data_type: &DataType) -> Option<&Field> {
    use DataType as D;
    match data_type {
        D::List(field)
        | D::LargeList(field)
        | D::ListView(field)
        | D::LargeListView(field)
        | D::FixedSizeList(field, _) => Some(field),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use arrow_schema::TimeUnit;

    use super::*;

    fn field(data_type: DataType) -> Field {
        Field::new("f", data_type, true)
    }

    fn stamp(unit: TimeUnit, zone: Option<&str>) -> Field {
        field(DataType::Timestamp(unit, zone.map(Into::into)))
    }

    #[test]
    fn what_does_not_change_the_item_does_not_count() {
        let list = |element: &str, nullable| {
            let element = Field::new(element, DataType::Int64, nullable);
            Field::new("l", DataType::List(Arc::new(element)), nullable)
        };
        assert!(fits(&list("item", true), &list("element", false)));
        assert!(fits(
            &stamp(TimeUnit::Second, Some("UTC")),
            &stamp(TimeUnit::Second, Some("+00:00"))
        ));
        assert!(fits(&field(DataType::Int64), &field(DataType::UInt8)));
        assert!(fits(&field(DataType::Utf8), &field(DataType::LargeUtf8)));
        let words = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        assert!(fits(&field(DataType::Utf8View), &field(words)));
        assert!(fits(&field(DataType::Date32), &field(DataType::Null)));
    }

    #[test]
    fn what_changes_the_item_counts() {
        assert!(!fits(&field(DataType::Int64), &field(DataType::Utf8)));
        assert!(!fits(&field(DataType::Null), &field(DataType::Int64)));
        assert!(!fits(
            &stamp(TimeUnit::Second, Some("UTC")),
            &stamp(TimeUnit::Second, None)
        ));
        let uuid = field(DataType::FixedSizeBinary(16)).with_metadata(HashMap::from([(
            EXTENSION_TYPE_NAME_KEY.to_owned(),
            UUID_EXTENSION.to_owned(),
        )]));
        assert!(!fits(&uuid, &field(DataType::FixedSizeBinary(16))));
        let in_struct = |name: &str| {
            let inner = Field::new(name, DataType::Int64, true);
            field(DataType::Struct(vec![inner].into()))
        };
        assert!(!fits(&in_struct("x"), &in_struct("y")));
    }

    #[test]
    fn a_timestamp_may_be_coarser_and_not_finer() {
        let (coarse, fine) = (TimeUnit::Millisecond, TimeUnit::Nanosecond);
        assert!(fits(&stamp(fine, None), &stamp(coarse, None)));
        assert!(!fits(&stamp(coarse, None), &stamp(fine, None)));
    }
}
