//! One schema for files whose schemas differ, where that loses nothing.

use std::sync::Arc;

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{
    DECIMAL32_MAX_PRECISION, DECIMAL64_MAX_PRECISION, DECIMAL128_MAX_PRECISION,
    DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef, Fields, Schema,
};

use crate::error::{Error, Result};
use crate::shape::is_variant;

/// The field whose type has a place for every value of `a` and of `b`, under the name of `a`; none if there is none.
///
/// | of both | becomes |
/// | --- | --- |
/// | signed integers, unsigned integers | the wider; signed and unsigned, the signed one that holds both |
/// | floats | the wider |
/// | integers and floats | the float, if it has every such integer: up to 16 bits in 32, up to 32 in 64 |
/// | integers and decimals | decimals with a place for the integers |
/// | decimals | as many digits on both sides of the point as either has |
/// | timestamps, both with a zone or both without | the finer unit |
/// | strings of any kind, binary of any kind | views |
/// | dictionaries, run-end encoded | as their values |
/// | lists of any kind | a list of the widened elements |
/// | structs | the fields of both, widened; one that is missing in either is nullable |
/// | maps | widened keys and values |
/// | VARIANTs | the first, whatever parts of each are in columns of their own |
/// | null and anything | that, nullable |
///
/// It says what a column is called in plans. Values are not converted: those of each file are encoded by their own type.
pub(crate) fn widen(a: &Field, b: &Field) -> Option<Field> {
    widened(a, b, "").ok()
}

/// Where two types have no common one.
#[derive(Debug)]
struct Conflict {
    /// The way from the column to the part of it: `.zip`, `[].price`.
    path: String,
    a: DataType,
    b: DataType,
}

fn widened(a: &Field, b: &Field, path: &str) -> Result<Field, Conflict> {
    let conflict = || Conflict {
        path: path.to_owned(),
        a: a.data_type().clone(),
        b: b.data_type().clone(),
    };
    let nullable = a.is_nullable() || b.is_nullable();
    match (a.data_type(), b.data_type()) {
        (DataType::Null, DataType::Null) => {}
        (DataType::Null, _) => return Ok(b.clone().with_name(a.name()).with_nullable(true)),
        (_, DataType::Null) => return Ok(a.clone().with_nullable(true)),
        _ => {}
    }
    let metadata = match (extension(a), extension(b)) {
        (a_name, b_name) if a_name == b_name => a.metadata().clone(),
        // What values mean, and so what they become, hangs on these.
        (Some(name), _) | (_, Some(name)) if name.starts_with("arrow.") => return Err(conflict()),
        _ => a
            .metadata()
            .clone()
            .into_iter()
            .filter(|(key, _)| !key.starts_with("ARROW:extension"))
            .collect(),
    };
    if is_variant(a) && is_variant(b) {
        return Ok(a.clone().with_nullable(nullable));
    }
    let data_type = widened_type(a.data_type(), b.data_type(), path)?.ok_or_else(conflict)?;
    Ok(Field::new(a.name(), data_type, nullable).with_metadata(metadata))
}

fn extension(field: &Field) -> Option<&str> {
    field
        .metadata()
        .get(EXTENSION_TYPE_NAME_KEY)
        .map(String::as_str)
}

/// None if the types themselves have no common one, a conflict if parts of them have none.
fn widened_type(a: &DataType, b: &DataType, path: &str) -> Result<Option<DataType>, Conflict> {
    use DataType as D;
    if let (Some(a), Some(b)) = (integer(a), integer(b)) {
        return Ok(wider_integer(a, b));
    }
    if let (Some(a), Some(b)) = (decimal(a), decimal(b)) {
        return Ok(wider_decimal(a, b));
    }
    match (integer(a), integer(b)) {
        (Some(whole), None) if widens_integers(b) => return Ok(integer_and(whole, b)),
        (None, Some(whole)) if widens_integers(a) => return Ok(integer_and(whole, a)),
        _ => {}
    }
    if let (Some(a_element), Some(b_element)) = (element(a), element(b)) {
        let element = Arc::new(widened(a_element, b_element, &format!("{path}[]"))?);
        return Ok(Some(list_like(a, b, element)));
    }
    Ok(match (a, b) {
        (D::Struct(a), D::Struct(b)) => Some(D::Struct(united_fields(a, b, path)?)),
        (D::Map(a, a_sorted), D::Map(b, b_sorted)) => {
            let entries = widened(
                a,
                &b.as_ref().clone().with_data_type(renamed_entries(a, b)),
                path,
            )?;
            Some(D::Map(Arc::new(entries), *a_sorted && *b_sorted))
        }
        _ if a == b => Some(a.clone()),
        (D::Dictionary(_, values), other) | (other, D::Dictionary(_, values)) => {
            widened_type(values, plain(other), path)?
        }
        (D::RunEndEncoded(_, values), other) | (other, D::RunEndEncoded(_, values)) => {
            widened_type(values.data_type(), plain(other), path)?
        }
        (D::Float16, D::Float32) | (D::Float32, D::Float16) => Some(D::Float32),
        (D::Float16 | D::Float32, D::Float64) | (D::Float64, D::Float16 | D::Float32) => {
            Some(D::Float64)
        }
        (D::Timestamp(a_unit, a_zone), D::Timestamp(b_unit, b_zone))
            if a_zone.is_some() == b_zone.is_some() =>
        {
            Some(D::Timestamp(*a_unit.max(b_unit), a_zone.clone()))
        }
        _ if is_string(a) && is_string(b) => Some(D::Utf8View),
        _ if is_binary(a) && is_binary(b) => Some(D::BinaryView),
        _ => None,
    })
}

/// The type of the values, where the type is a way to store them.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        DataType::RunEndEncoded(_, values) => plain(values.data_type()),
        other => other,
    }
}

/// Whether it has a sign, and its bits.
fn integer(data_type: &DataType) -> Option<(bool, u8)> {
    Some(match data_type {
        DataType::Int8 => (true, 8),
        DataType::Int16 => (true, 16),
        DataType::Int32 => (true, 32),
        DataType::Int64 => (true, 64),
        DataType::UInt8 => (false, 8),
        DataType::UInt16 => (false, 16),
        DataType::UInt32 => (false, 32),
        DataType::UInt64 => (false, 64),
        _ => return None,
    })
}

fn wider_integer(a: (bool, u8), b: (bool, u8)) -> Option<DataType> {
    let bits = match (a, b) {
        ((a_signed, a_bits), (b_signed, b_bits)) if a_signed == b_signed => a_bits.max(b_bits),
        ((true, signed), (false, unsigned)) | ((false, unsigned), (true, signed)) => {
            signed.max(unsigned.checked_mul(2)?)
        }
        _ => return None,
    };
    Some(match (a.0 || b.0, bits) {
        (true, 8) => DataType::Int8,
        (true, 16) => DataType::Int16,
        (true, 32) => DataType::Int32,
        (true, 64) => DataType::Int64,
        (false, 8) => DataType::UInt8,
        (false, 16) => DataType::UInt16,
        (false, 32) => DataType::UInt32,
        (false, 64) => DataType::UInt64,
        // No integer has a place for a u64 and a sign.
        _ => return None,
    })
}

/// Whether it may have a place for integers too.
fn widens_integers(data_type: &DataType) -> bool {
    data_type.is_floating() || decimal(data_type).is_some()
}

/// The type that holds integers exactly as well as what `other` does.
fn integer_and((_, bits): (bool, u8), other: &DataType) -> Option<DataType> {
    if let Some(other) = decimal(other) {
        // The digits of the greatest integer of so many bits, with or without a sign.
        let digits = match bits {
            8 => 3,
            16 => 5,
            32 => 10,
            _ => 20,
        };
        return wider_decimal((32, digits, 0), other);
    }
    match other {
        DataType::Float32 if bits <= 16 => Some(DataType::Float32),
        DataType::Float32 | DataType::Float64 if bits <= 32 => Some(DataType::Float64),
        _ => None,
    }
}

/// Bits, precision and scale.
fn decimal(data_type: &DataType) -> Option<(u16, u8, i8)> {
    Some(match *data_type {
        DataType::Decimal32(precision, scale) => (32, precision, scale),
        DataType::Decimal64(precision, scale) => (64, precision, scale),
        DataType::Decimal128(precision, scale) => (128, precision, scale),
        DataType::Decimal256(precision, scale) => (256, precision, scale),
        _ => return None,
    })
}

fn wider_decimal(a: (u16, u8, i8), b: (u16, u8, i8)) -> Option<DataType> {
    let whole = |(_, precision, scale): (u16, u8, i8)| i16::from(precision) - i16::from(scale);
    let scale = a.2.max(b.2);
    let precision = u8::try_from(whole(a).max(whole(b)) + i16::from(scale))
        .ok()?
        .max(1);
    let bits = a.0.max(b.0);
    Some(match precision {
        _ if precision <= DECIMAL32_MAX_PRECISION && bits <= 32 => {
            DataType::Decimal32(precision, scale)
        }
        _ if precision <= DECIMAL64_MAX_PRECISION && bits <= 64 => {
            DataType::Decimal64(precision, scale)
        }
        _ if precision <= DECIMAL128_MAX_PRECISION && bits <= 128 => {
            DataType::Decimal128(precision, scale)
        }
        _ if precision <= DECIMAL256_MAX_PRECISION => DataType::Decimal256(precision, scale),
        _ => return None,
    })
}

fn element(data_type: &DataType) -> Option<&FieldRef> {
    match data_type {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => Some(element),
        _ => None,
    }
}

/// The kind of list that `a` and `b` both are, or a large list.
fn list_like(a: &DataType, b: &DataType, element: FieldRef) -> DataType {
    match (a, b) {
        (DataType::List(_), DataType::List(_)) => DataType::List(element),
        (DataType::ListView(_), DataType::ListView(_)) => DataType::ListView(element),
        (DataType::LargeListView(_), DataType::LargeListView(_)) => {
            DataType::LargeListView(element)
        }
        (DataType::FixedSizeList(_, a), DataType::FixedSizeList(_, b)) if a == b => {
            DataType::FixedSizeList(element, *a)
        }
        _ => DataType::LargeList(element),
    }
}

/// The entries of the map `b` with the names that those of `a` have, since the names of entries mean nothing.
fn renamed_entries(a: &Field, b: &Field) -> DataType {
    match (a.data_type(), b.data_type()) {
        (DataType::Struct(a), DataType::Struct(b)) if a.len() == b.len() => {
            let fields = a
                .iter()
                .zip(b)
                .map(|(a, b)| b.as_ref().clone().with_name(a.name()));
            DataType::Struct(fields.collect())
        }
        (_, other) => other.clone(),
    }
}

fn united_fields(a: &Fields, b: &Fields, path: &str) -> Result<Fields, Conflict> {
    let mut fields = Vec::with_capacity(a.len().max(b.len()));
    for field in a {
        fields.push(match b.find(field.name()) {
            Some((_, other)) => {
                Arc::new(widened(field, other, &format!("{path}.{}", field.name()))?)
            }
            None => nullable(field),
        });
    }
    let added = b.iter().filter(|field| a.find(field.name()).is_none());
    fields.extend(added.map(nullable));
    Ok(fields.into())
}

fn nullable(field: &FieldRef) -> FieldRef {
    if field.is_nullable() {
        Arc::clone(field)
    } else {
        Arc::new(field.as_ref().clone().with_nullable(true))
    }
}

fn is_string(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn is_binary(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

/// The schema of files that are added one by one.
#[derive(Debug, Default)]
pub(super) struct UnitedSchema {
    columns: Vec<UnitedColumn>,
    files: usize,
}

#[derive(Debug)]
struct UnitedColumn {
    field: FieldRef,
    /// The file that its type was last changed for, to name it when another does not go with it.
    file: Arc<str>,
}

impl UnitedSchema {
    /// Widens the schema so that `schema` goes in.
    pub(super) fn add(&mut self, schema: &Schema, file: &Arc<str>) -> Result<()> {
        let first = self.files == 0;
        self.files += 1;
        for column in &mut self.columns {
            let name = column.field.name();
            let Some((_, own)) = schema.column_with_name(name) else {
                column.field = nullable(&column.field);
                continue;
            };
            let wider =
                widened(&column.field, own, name).map_err(|conflict| Error::SchemaConflict {
                    file: file.to_string(),
                    first: column.file.to_string(),
                    column: conflict.path,
                    expected: conflict.a.to_string().into(),
                    found: conflict.b.to_string().into(),
                })?;
            if wider.data_type() != column.field.data_type() {
                column.file = Arc::clone(file);
            }
            if wider != *column.field {
                column.field = Arc::new(wider);
            }
        }
        for own in schema.fields() {
            if !self
                .columns
                .iter()
                .any(|column| column.field.name() == own.name())
            {
                let field = if first {
                    Arc::clone(own)
                } else {
                    nullable(own)
                };
                let file = Arc::clone(file);
                self.columns.push(UnitedColumn { field, file });
            }
        }
        Ok(())
    }

    /// The schema, if there was any file.
    pub(super) fn into_schema(self) -> Option<Schema> {
        let fields: Vec<_> = self
            .columns
            .into_iter()
            .map(|column| column.field)
            .collect();
        (self.files > 0).then(|| Schema::new(fields))
    }
}

/// Whether a file of the schema `own` is one of those that `united` is made of, as far as can be told.
pub(super) fn fits(own: &Schema, united: &Schema) -> bool {
    let fits = |own: &FieldRef| {
        let (_, united) = united.column_with_name(own.name())?;
        Some(widen(united, own)?.data_type() == united.data_type())
    };
    own.fields().iter().all(|own| fits(own) == Some(true))
}

#[cfg(test)]
mod tests;
