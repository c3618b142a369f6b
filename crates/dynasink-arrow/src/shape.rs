//! When two Arrow types are encoded alike, whatever else tells them apart.

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field};

use crate::encode::extension::Extension;

/// The extension name of a UUID in a `FixedSizeBinary(16)`.
pub(crate) const UUID_EXTENSION: &str = "arrow.uuid";

/// Whether values of `field` are UUIDs.
pub(crate) fn is_uuid(field: &Field) -> bool {
    Extension::of(field) == Some(Extension::Uuid)
}

/// Whether `field` says what its values mean, beyond their type.
pub(crate) fn has_extension(field: &Field) -> bool {
    field.metadata().contains_key(EXTENSION_TYPE_NAME_KEY)
}

/// Whether values of `a` and `b` become the same attributes: names and types are equal, up to nullability,
/// the names of list elements and map entries, and the time zone that a timestamp in UTC is shown in.
pub(crate) fn same_field(a: &Field, b: &Field) -> bool {
    a.name() == b.name() && same_values(a, b)
}

/// [`same_field`] without the name.
pub(crate) fn same_values(a: &Field, b: &Field) -> bool {
    Extension::of(a) == Extension::of(b) && same_type(a.data_type(), b.data_type())
}

fn same_type(a: &DataType, b: &DataType) -> bool {
    use DataType as D;
    match (a, b) {
        (D::List(a), D::List(b))
        | (D::LargeList(a), D::LargeList(b))
        | (D::ListView(a), D::ListView(b))
        | (D::LargeListView(a), D::LargeListView(b)) => same_values(a, b),
        (D::FixedSizeList(a, a_len), D::FixedSizeList(b, b_len)) => {
            a_len == b_len && same_values(a, b)
        }
        (D::Struct(a), D::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_field(a, b))
        }
        (D::Map(a, _), D::Map(b, _)) => match (a.data_type(), b.data_type()) {
            (D::Struct(a), D::Struct(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_values(a, b))
            }
            _ => false,
        },
        (D::Dictionary(a_key, a), D::Dictionary(b_key, b)) => a_key == b_key && same_type(a, b),
        (D::RunEndEncoded(a_ends, a), D::RunEndEncoded(b_ends, b)) => {
            a_ends.data_type() == b_ends.data_type() && same_values(a, b)
        }
        (D::Timestamp(a_unit, a_zone), D::Timestamp(b_unit, b_zone)) => {
            a_unit == b_unit && a_zone.is_some() == b_zone.is_some()
        }
        _ => a == b,
    }
}

/// Whether values of `found` become what a mapping made for `field` makes of its values.
pub(crate) fn fits(field: &Field, found: &Field) -> bool {
    is_uuid(field) == is_uuid(found) && fits_type(field.data_type(), found.data_type())
}

fn fits_type(field: &DataType, found: &DataType) -> bool {
    use DataType as D;
    let is_exact = |data_type: &DataType| data_type.is_integer() || data_type.is_decimal();
    match (field, found) {
        (_, D::Dictionary(_, values)) => fits_type(field, values),
        (D::Dictionary(_, values), _) => fits_type(values, found),
        (_, D::RunEndEncoded(_, values)) => fits_type(field, values.data_type()),
        (D::RunEndEncoded(_, values), _) => fits_type(values.data_type(), found),
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
        (D::Timestamp(unit, zone), D::Timestamp(found_unit, found_zone)) => {
            unit == found_unit && zone.is_some() == found_zone.is_some()
        }
        (
            D::Binary | D::LargeBinary | D::BinaryView,
            D::Binary | D::LargeBinary | D::BinaryView,
        ) => true,
        _ if field.is_string() && found.is_string() => true,
        _ if is_exact(field) && is_exact(found) => true,
        _ => match (element_of(field), element_of(found)) {
            (Some(field), Some(found)) => fits(field, found),
            _ => same_type(field, found),
        },
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

    fn list(element: &str, nullable: bool) -> Field {
        Field::new(
            "l",
            DataType::List(Arc::new(Field::new(element, DataType::Int64, nullable))),
            nullable,
        )
    }

    #[test]
    fn what_does_not_change_the_item_does_not_count() {
        assert!(same_field(&list("item", true), &list("element", false)));
        let stamp = |zone: Option<&str>| {
            Field::new(
                "t",
                DataType::Timestamp(TimeUnit::Second, zone.map(Into::into)),
                true,
            )
        };
        assert!(same_field(&stamp(Some("UTC")), &stamp(Some("+00:00"))));
        assert!(!same_field(&stamp(Some("UTC")), &stamp(None)));
    }

    #[test]
    fn what_changes_the_item_counts() {
        let field = |name: &str, data_type| Field::new(name, data_type, true);
        assert!(!same_field(
            &field("a", DataType::Int64),
            &field("b", DataType::Int64)
        ));
        assert!(!same_field(
            &field("a", DataType::Int64),
            &field("a", DataType::Int32)
        ));
        let uuid = field("a", DataType::FixedSizeBinary(16)).with_metadata(HashMap::from([(
            EXTENSION_TYPE_NAME_KEY.to_owned(),
            UUID_EXTENSION.to_owned(),
        )]));
        assert!(!same_field(
            &uuid,
            &field("a", DataType::FixedSizeBinary(16))
        ));
        let in_struct = |name: &str| {
            field(
                "s",
                DataType::Struct(vec![field(name, DataType::Int64)].into()),
            )
        };
        assert!(!same_field(&in_struct("x"), &in_struct("y")));
    }
}
