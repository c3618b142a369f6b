//! Any value as JSON text: the canonical texts of scalars, numbers with all their digits, binary in base64.
//!
//! A text has no limit of 38 digits and none of 32 levels, so that it holds what DynamoDB's own types cannot.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::{Array, Int8Array, MapArray, UnionArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};
use dynasink_core::{NumberError, ValueEncoder};

use super::extension::Extension;
use super::map::entries_of;
use super::nested::{self, ElementRange};
use super::number::{self, ToNumber};
use super::plan::values_of;
use super::refusal::Refusal;
use super::text::{self, Text, TextForm};
use super::{Encode, ValueError, indirect};
use crate::mapping::spec::Nonfinite;
use crate::shape::element_of;

/// What the values are that become JSON text.
#[derive(Clone, Debug)]
pub(super) struct JsonForm {
    pub(super) field: Field,
    pub(super) nonfinite: Nonfinite,
}

/// JSON texts of one array as S; none if it has another type.
pub(super) fn encoder(array: &dyn Array, form: &JsonForm) -> Option<Box<dyn Encode>> {
    let writers = Writers(form.nonfinite);
    Some(Box::new(AsString(writers.of(&form.field, array)?)))
}

struct AsString(Box<dyn Json>);

impl Encode for AsString {
    fn encode(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        let mut text = String::new();
        match self.0.write(row, &mut text) {
            Ok(()) => Ok(value.string(&text)?),
            Err(refusal) => refusal.refuse(value),
        }
    }
}

/// Appends the JSON of a row that is not null.
trait Json: Send {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal>;
}

/// Values with their nulls.
struct Values {
    nulls: Option<NullBuffer>,
    json: Box<dyn Json>,
}

impl Values {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.push_str("null");
            return Ok(());
        }
        self.json.write(row, out)
    }
}

/// Makes what writes the values of arrays.
#[derive(Clone, Copy)]
struct Writers(Nonfinite);

impl Writers {
    fn values(self, field: &Field, array: &dyn Array) -> Option<Values> {
        Some(Values {
            nulls: array.logical_nulls(),
            json: self.of(field, array)?,
        })
    }

    /// What writes the values of `array`, whose field says what they are.
    fn of(self, field: &Field, array: &dyn Array) -> Option<Box<dyn Json>> {
        if indirect::is_indirect(array) {
            let (value_of_row, values) = indirect::rows_and_values(array)?;
            let values = self.values(&values_of(field), values)?;
            return Some(Box::new(Indirect {
                value_of_row,
                values,
            }));
        }
        let text = |form| Some(Box::new(Quoted(text::texts_as(array, form)?)) as _);
        match Extension::of(field) {
            Some(Extension::Uuid) => text(TextForm::Uuid),
            Some(Extension::TimestampWithOffset) => text(TextForm::WithOffset),
            Some(Extension::Bool8) => Some(Box::new(Bool8(
                array.as_primitive_opt::<Int8Type>()?.clone(),
            ))),
            #[cfg(feature = "variant")]
            Some(Extension::Variant) => Some(Box::new(Variants {
                variants: super::variant::Variants::new(array).ok()?,
                nonfinite: self.0,
            })),
            _ => self.of_type(array),
        }
    }

    fn of_type(self, array: &dyn Array) -> Option<Box<dyn Json>> {
        use DataType as D;
        if let Some((ranges, elements)) = nested::elements(array) {
            let element = element_of(array.data_type())?;
            let elements = self.values(element, elements)?;
            return Some(Box::new(Lists { ranges, elements }));
        }
        Some(match array.data_type() {
            D::Null => Box::new(Nulls),
            D::Boolean => Box::new(Plain(text::of(array)?)),
            D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
                Box::new(Quoted(text::texts_as(array, TextForm::Base64)?))
            }
            D::Struct(fields) => {
                let columns = array.as_struct_opt()?.columns();
                let fields = fields.iter().zip(columns);
                Box::new(Structs(
                    fields
                        .map(|(field, column)| {
                            Some((field.name().clone(), self.values(field, column)?))
                        })
                        .collect::<Option<_>>()?,
                ))
            }
            D::Map(entries, _) => {
                let D::Struct(entry) = entries.data_type() else {
                    return None;
                };
                let [_, value] = entry.as_ref() else {
                    return None;
                };
                let array = array.as_map_opt()?.clone();
                Box::new(Maps {
                    key_nulls: array.keys().logical_nulls(),
                    keys: text::of(array.keys())?,
                    values: self.values(value, array.values())?,
                    array,
                })
            }
            D::Union(fields, _) => {
                let array = array.as_union_opt()?.clone();
                let types = fields
                    .iter()
                    .map(|(id, field)| Some((id, self.values(field, array.child(id))?)))
                    .collect::<Option<_>>()?;
                Box::new(Unions { array, types })
            }
            _ => match number::numbers(array) {
                Some(numbers) => Box::new(Numbers {
                    numbers,
                    nonfinite: self.0,
                }),
                None => Box::new(Quoted(text::of(array)?)),
            },
        })
    }
}

/// Appends `text` as a JSON string.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    // A `str` always has a JSON form.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

struct Nulls;

impl Json for Nulls {
    fn write(&self, _: usize, out: &mut String) -> Result<(), Refusal> {
        out.push_str("null");
        Ok(())
    }
}

/// Texts that are JSON as they stand: booleans and numbers.
struct Plain(Box<dyn Text>);

impl Json for Plain {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push_str(self.0.text(row, &mut String::new())?);
        Ok(())
    }
}

struct Quoted(Box<dyn Text>);

impl Json for Quoted {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        push_quoted(out, self.0.text(row, &mut String::new())?);
        Ok(())
    }
}

struct Bool8(Int8Array);

impl Json for Bool8 {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push_str(if self.0.value(row) == 0 {
            "false"
        } else {
            "true"
        });
        Ok(())
    }
}

/// Numbers with all their digits, however many DynamoDB can hold.
struct Numbers {
    numbers: Box<dyn ToNumber>,
    nonfinite: Nonfinite,
}

impl Json for Numbers {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        match self.numbers.decimal(row) {
            Ok(number) => out.push_str(&number.to_string()),
            Err(Refusal::Number(NumberError::NotFinite)) => {
                push_nonfinite(out, self.numbers.nonfinite(row), self.nonfinite)?;
            }
            Err(refusal) => return Err(refusal),
        }
        Ok(())
    }
}

/// Appends what stands for a float that is no number, which JSON has no number for either.
pub(super) fn push_nonfinite(
    out: &mut String,
    name: &str,
    policy: Nonfinite,
) -> Result<(), Refusal> {
    match policy {
        Nonfinite::Error => return Err(NumberError::NotFinite.into()),
        Nonfinite::Null | Nonfinite::Omit => out.push_str("null"),
        Nonfinite::String => push_quoted(out, name),
    }
    Ok(())
}

struct Lists {
    ranges: Box<dyn ElementRange>,
    elements: Values,
}

impl Json for Lists {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push('[');
        for (at, element) in self.ranges.elements(row).enumerate() {
            if at > 0 {
                out.push(',');
            }
            self.elements.write(element, out)?;
        }
        out.push(']');
        Ok(())
    }
}

struct Structs(Vec<(String, Values)>);

impl Json for Structs {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push('{');
        for (at, (name, values)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_quoted(out, name);
            out.push(':');
            values.write(row, out)?;
        }
        out.push('}');
        Ok(())
    }
}

struct Maps {
    array: MapArray,
    key_nulls: Option<NullBuffer>,
    keys: Box<dyn Text>,
    values: Values,
}

impl Json for Maps {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        let mut seen = HashSet::new();
        out.push('{');
        for (at, entry) in entries_of(&self.array, row).enumerate() {
            if self
                .key_nulls
                .as_ref()
                .is_some_and(|nulls| nulls.is_null(entry))
            {
                return Err(Refusal::OutOfRange("a key of the map is null"));
            }
            let mut buffer = String::new();
            let key = self.keys.text(entry, &mut buffer)?;
            if at > 0 {
                out.push(',');
            }
            push_quoted(out, key);
            out.push(':');
            if !seen.insert(key.to_owned()) {
                return Err(Refusal::OutOfRange("a key of the map appears twice"));
            }
            self.values.write(entry, out)?;
        }
        out.push('}');
        Ok(())
    }
}

struct Unions {
    array: UnionArray,
    types: Vec<(i8, Values)>,
}

impl Json for Unions {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        let id = self.array.type_id(row);
        match self.types.iter().find(|(known, _)| *known == id) {
            Some((_, values)) => values.write(self.array.value_offset(row), out),
            None => Err(Refusal::OutOfRange(
                "its type is none of those that the union has",
            )),
        }
    }
}

struct Indirect {
    value_of_row: Vec<usize>,
    values: Values,
}

impl Json for Indirect {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        self.values.write(self.value_of_row[row], out)
    }
}

#[cfg(feature = "variant")]
struct Variants {
    variants: super::variant::Variants,
    nonfinite: Nonfinite,
}

#[cfg(feature = "variant")]
impl Json for Variants {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        self.variants.write_json(row, self.nonfinite, out)
    }
}
