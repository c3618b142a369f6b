//! Any value as JSON text: the canonical texts of scalars, numbers with all their digits, binary in base64.
//!
//! What JSON has no depth or digits for, DynamoDB's own types may have neither; as a text both stay whole.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::{Array, BinaryViewArray, MapArray, PrimitiveArray, UnionArray};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, Field};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::ValueEncoder;

use super::exact::{self, Exact};
use super::extension::Extension;
use super::map::entries_of;
use super::nested::{self, ElementRange};
use super::text::{self, Refusal, Text};
use super::{Encode, ValueError, indirect, offset_timestamp};

/// JSON texts of one array as S.
pub(super) fn encoder(field: &Field, array: &dyn Array) -> Option<Box<dyn Encode>> {
    Some(Box::new(AsString(writer(field, array)?)))
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
    fn new(field: &Field, array: &dyn Array) -> Option<Self> {
        Some(Self {
            nulls: array.logical_nulls(),
            json: writer(field, array)?,
        })
    }

    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.push_str("null");
            return Ok(());
        }
        self.json.write(row, out)
    }
}

/// What writes the values of `array`, whose field says what they are.
fn writer(field: &Field, array: &dyn Array) -> Option<Box<dyn Json>> {
    match Extension::of(field) {
        Some(Extension::Uuid) => return Some(Box::new(Quoted(text::of(array)?))),
        Some(Extension::TimestampWithOffset) => {
            return Some(Box::new(Quoted(offset_timestamp::texts(array)?)));
        }
        Some(Extension::Bool8) => {
            return Some(Box::new(Bool8(array.as_primitive_opt()?.clone())));
        }
        #[cfg(feature = "variant")]
        Some(Extension::Variant) => {
            return Some(Box::new(Variants(
                super::variant::Variants::new(array).ok()?,
            )));
        }
        _ => {}
    }
    of_type(field, array)
}

fn of_type(field: &Field, array: &dyn Array) -> Option<Box<dyn Json>> {
    use DataType as D;
    let data_type = array.data_type();
    Some(match data_type {
        D::Null => Box::new(Nulls),
        D::Boolean => Box::new(Plain(text::of(array)?)),
        _ if data_type.is_numeric() => Box::new(Numbers(exact::decimals(array)?)),
        D::Duration(_) => Box::new(Plain(text::of(array)?)),
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
            Box::new(Base64(binary_views(array)?))
        }
        D::List(element)
        | D::LargeList(element)
        | D::FixedSizeList(element, _)
        | D::ListView(element)
        | D::LargeListView(element) => {
            let (ranges, values) = nested::ranges(array)?;
            let elements = Values::new(element, &values)?;
            Box::new(Lists { ranges, elements })
        }
        D::Struct(fields) => {
            let columns = array.as_struct_opt()?.columns();
            let fields = fields.iter().zip(columns);
            Box::new(Structs {
                fields: fields
                    .map(|(field, column)| {
                        Some((field.name().clone(), Values::new(field, column)?))
                    })
                    .collect::<Option<_>>()?,
            })
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
                values: Values::new(value, array.values())?,
                array,
            })
        }
        D::Union(fields, _) => {
            let array = array.as_union_opt()?.clone();
            let children = fields
                .iter()
                .map(|(id, field)| Some((id, Values::new(field, array.child(id))?)))
                .collect::<Option<_>>()?;
            Box::new(Unions { array, children })
        }
        D::Dictionary(..) | D::RunEndEncoded(..) => {
            let (value_of_row, values) = indirect::rows_and_values(array)?;
            let values = Values::new(&values_field(field, data_type), values)?;
            Box::new(Indirect {
                value_of_row,
                values,
            })
        }
        _ => Box::new(Quoted(text::of(array)?)),
    })
}

/// The field of the values that a dictionary or a run-end encoding points at.
fn values_field(field: &Field, data_type: &DataType) -> Field {
    match data_type {
        DataType::RunEndEncoded(_, values) => values.as_ref().clone(),
        DataType::Dictionary(_, values) => field.clone().with_data_type(values.as_ref().clone()),
        _ => field.clone(),
    }
}

/// Binary of every kind as one.
pub(super) fn binary_views(array: &dyn Array) -> Option<BinaryViewArray> {
    let views = cast(array, &DataType::BinaryView).ok()?;
    views.as_binary_view_opt().cloned()
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

struct Bool8(PrimitiveArray<Int8Type>);

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

struct Base64(BinaryViewArray);

impl Json for Base64 {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push('"');
        STANDARD.encode_string(self.0.value(row), out);
        out.push('"');
        Ok(())
    }
}

/// Numbers with all their digits, however many DynamoDB can hold.
struct Numbers(Box<dyn Exact>);

impl Json for Numbers {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push_str(&self.0.decimal(row)?.to_string());
        Ok(())
    }
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

struct Structs {
    fields: Vec<(String, Values)>,
}

impl Json for Structs {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push('{');
        for (at, (name, values)) in self.fields.iter().enumerate() {
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
    children: Vec<(i8, Values)>,
}

impl Json for Unions {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        let id = self.array.type_id(row);
        match self.children.iter().find(|(child, _)| *child == id) {
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
struct Variants(super::variant::Variants);

#[cfg(feature = "variant")]
impl Json for Variants {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        self.0.write_json(row, out)
    }
}
