//! VARIANTs whose parts are columns of their own, put together again row by row.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray, BooleanArray, StructArray};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use dynasink_core::NumberError;
use parquet::variant::VariantMetadata;

use super::super::nested::{self, ElementRange};
use super::super::number::{self, ToNumber};
use super::super::refusal::Refusal;
use super::super::text::{self, Text};
use super::read;
use super::value::Value;

pub(super) const INVALID: Refusal = Refusal::OutOfRange("the shredding of its VARIANT is invalid");
const CONFLICT: Refusal =
    Refusal::OutOfRange("its VARIANT has both a value and a typed value, which is invalid");
const NOT_AN_OBJECT: Refusal = Refusal::OutOfRange(
    "its VARIANT has fields in columns of their own, but its value is no object, which is invalid",
);
const FIELD_CONFLICT: Refusal = Refusal::OutOfRange(
    "its VARIANT has a field both in its value and in a column of its own, which is invalid",
);

/// A value that is in binary, in a column of its own type, or, if it is an object, partly in both.
pub(super) struct Shredded {
    /// Where the whole is null, which a part may be if it is missing.
    nulls: Option<NullBuffer>,
    value: Option<BinaryViewArray>,
    typed: Option<Typed>,
}

struct Typed {
    nulls: Option<NullBuffer>,
    values: TypedValues,
}

enum TypedValues {
    Bool(BooleanArray),
    Number(Box<dyn ToNumber>),
    Text(Box<dyn Text>),
    Binary(BinaryViewArray),
    List {
        ranges: Box<dyn ElementRange>,
        elements: Box<Shredded>,
    },
    Object(Vec<(String, Shredded)>),
}

/// The bytes of a column of binary.
pub(super) fn bytes(array: &ArrayRef) -> Result<BinaryViewArray, &'static str> {
    let is_binary = |data_type: &DataType| {
        matches!(
            data_type,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        )
    };
    let fits = match array.data_type() {
        DataType::Dictionary(_, values) => is_binary(values),
        data_type => is_binary(data_type),
    };
    let not_binary = "the metadata and the value of a VARIANT are binary";
    if !fits {
        return Err(not_binary);
    }
    let views = cast(array, &DataType::BinaryView).map_err(|_| not_binary)?;
    views.as_binary_view_opt().cloned().ok_or(not_binary)
}

impl Shredded {
    /// # Errors
    ///
    /// What the specification does not allow.
    pub(super) fn new(array: &StructArray) -> Result<Self, &'static str> {
        Ok(Self {
            nulls: array.nulls().cloned(),
            value: array.column_by_name("value").map(bytes).transpose()?,
            typed: array
                .column_by_name("typed_value")
                .map(Typed::new)
                .transpose()?,
        })
    }

    /// The value of a row; none if it is missing.
    pub(super) fn value<'a>(
        &'a self,
        row: usize,
        metadata: &VariantMetadata<'a>,
    ) -> Result<Option<Value<'a>>, Refusal> {
        if is_null(self.nulls.as_ref(), row) {
            return Ok(None);
        }
        let value = match self.value_bytes(row) {
            Some(bytes) => Some(read::value(metadata, bytes)?),
            None => None,
        };
        match self.typed_values(row) {
            Some(typed) => typed.value(row, metadata, value).map(Some),
            None => Ok(value),
        }
    }

    /// The bytes of the binary value of a row.
    fn value_bytes(&self, row: usize) -> Option<&[u8]> {
        let values = self.value.as_ref()?;
        values.is_valid(row).then(|| values.value(row))
    }

    /// The bytes of a row that has no part in a column of its own.
    pub(super) fn unshredded(&self, row: usize) -> Option<&[u8]> {
        match self.typed_values(row) {
            Some(_) => None,
            None => self.value_bytes(row),
        }
    }

    /// Whether `metadata` has the names of all fields of a row that are in columns of their own.
    pub(super) fn names_are_in(&self, row: usize, metadata: &VariantMetadata<'_>) -> bool {
        match self.typed_values(row) {
            Some(TypedValues::Object(fields)) => fields.iter().all(|(name, field)| {
                field.is_missing(row)
                    || metadata.get_entry(name).is_some() && field.names_are_in(row, metadata)
            }),
            Some(TypedValues::List { ranges, elements }) => ranges
                .elements(row)
                .all(|element| elements.names_are_in(element, metadata)),
            _ => true,
        }
    }

    fn is_missing(&self, row: usize) -> bool {
        is_null(self.nulls.as_ref(), row)
            || self.value_bytes(row).is_none() && self.typed_values(row).is_none()
    }

    /// The columns that have a part of a row; none if they do not.
    fn typed_values(&self, row: usize) -> Option<&TypedValues> {
        let typed = self.typed.as_ref()?;
        (!is_null(typed.nulls.as_ref(), row)).then_some(&typed.values)
    }
}

impl Typed {
    fn new(array: &ArrayRef) -> Result<Self, &'static str> {
        Ok(Self {
            nulls: array.logical_nulls(),
            values: TypedValues::new(array)?,
        })
    }
}

fn object<'a>(
    fields: &'a [(String, Shredded)],
    row: usize,
    metadata: &VariantMetadata<'a>,
    rest: Option<Value<'a>>,
) -> Result<Value<'a>, Refusal> {
    let mut values = match rest {
        None => Vec::new(),
        Some(Value::Object(rest)) => rest,
        Some(_) => return Err(NOT_AN_OBJECT),
    };
    let has_column = |name: &Cow<'_, str>| fields.iter().any(|(field, _)| field == name);
    if values.iter().any(|(name, _)| has_column(name)) {
        return Err(FIELD_CONFLICT);
    }
    for (name, field) in fields {
        if let Some(value) = field.value(row, metadata)? {
            values.push((name.as_str().into(), value));
        }
    }
    Value::object(values)
}

impl TypedValues {
    /// The value of a row, with the fields that are in `rest` if it is an object.
    fn value<'a>(
        &'a self,
        row: usize,
        metadata: &VariantMetadata<'a>,
        rest: Option<Value<'a>>,
    ) -> Result<Value<'a>, Refusal> {
        if let Self::Object(fields) = self {
            return object(fields, row, metadata, rest);
        }
        if rest.is_some() {
            return Err(CONFLICT);
        }
        Ok(match self {
            Self::Bool(array) => Value::Bool(array.value(row)),
            Self::Number(numbers) => match numbers.decimal(row) {
                Ok(number) => Value::Number(number),
                Err(Refusal::Number(NumberError::NotFinite)) => {
                    Value::Nonfinite(numbers.nonfinite(row))
                }
                Err(refusal) => return Err(refusal),
            },
            Self::Text(texts) => {
                let mut text = String::new();
                let text = texts.text(row, &mut text)?.to_owned();
                Value::Text(text.into())
            }
            Self::Binary(array) => Value::Binary(array.value(row)),
            Self::List { ranges, elements } => Value::List(
                ranges
                    .elements(row)
                    .map(|element| {
                        let value = elements.value(element, metadata)?;
                        // An element cannot be missing, so that it is null: "Variant Shredding".
                        Ok(value.unwrap_or(Value::Null))
                    })
                    .collect::<Result<_, Refusal>>()?,
            ),
            Self::Object(_) => Value::Null,
        })
    }

    fn new(array: &ArrayRef) -> Result<Self, &'static str> {
        use DataType as D;
        let refused = "its VARIANT is shredded into a type that the specification of Parquet does not have for it";
        Ok(match array.data_type() {
            D::Boolean => Self::Bool(array.as_boolean_opt().cloned().ok_or(refused)?),
            D::Int8
            | D::Int16
            | D::Int32
            | D::Int64
            | D::Float32
            | D::Float64
            | D::Decimal32(_, 0..)
            | D::Decimal64(_, 0..)
            | D::Decimal128(_, 0..) => Self::Number(number::numbers(array).ok_or(refused)?),
            D::Utf8
            | D::LargeUtf8
            | D::Utf8View
            | D::Date32
            | D::Time64(TimeUnit::Microsecond)
            | D::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, _) => {
                Self::Text(text::of(array).ok_or(refused)?)
            }
            D::FixedSizeBinary(16) => Self::Text(text::of(array).ok_or(refused)?),
            D::Binary | D::LargeBinary | D::BinaryView => Self::Binary(bytes(array)?),
            D::Struct(fields) => {
                let columns = array.as_struct_opt().ok_or(refused)?.columns();
                let fields = fields.iter().zip(columns);
                Self::Object(
                    fields
                        .map(|(field, column)| {
                            let column = column.as_struct_opt().ok_or(refused)?;
                            Ok((field.name().clone(), Shredded::new(column)?))
                        })
                        .collect::<Result<_, &'static str>>()?,
                )
            }
            D::List(_)
            | D::LargeList(_)
            | D::FixedSizeList(..)
            | D::ListView(_)
            | D::LargeListView(_) => {
                let (ranges, values) = nested::elements(array).ok_or(refused)?;
                let elements = values.as_struct_opt().ok_or(refused)?;
                Self::List {
                    ranges,
                    elements: Box::new(Shredded::new(elements)?),
                }
            }
            _ => return Err(refused),
        })
    }
}

fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}
