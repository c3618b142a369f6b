//! Any value as JSON text: the canonical texts of scalars, numbers with all their digits, binary in base64.
//!
//! What JSON has no depth or digits for, DynamoDB's own types may have neither; as a text both stay whole.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Decimal256Type, Decimal32Type, Decimal64Type, DecimalType,
    Float16Type, Float32Type, Float64Type,
};
use arrow_array::{Array, ArrayRef, MapArray, PrimitiveArray, UnionArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::ValueEncoder;

use super::binary::{self, Bytes};
use super::extension::Extension;
use super::map::entries_of;
use super::nested::{self, ElementRange};
use super::number::{self, ToNumber};
use super::text::{self, Refusal, Text};
use super::{Encode, ValueError, indirect};

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
        Some(Extension::Uuid | Extension::TimestampWithOffset) => {
            return Some(Box::new(Quoted(text::of_field(field, array)?)));
        }
        Some(Extension::Bool8) => {
            return Some(Box::new(Bool8(array.as_primitive_opt()?.clone())));
        }
        #[cfg(feature = "variant")]
        Some(Extension::Variant) => {
            return Some(Box::new(Variants(super::variant::Variants::new(array).ok()?)));
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
        D::Float16 => float::<Float16Type>(array)?,
        D::Float32 => float::<Float32Type>(array)?,
        D::Float64 => float::<Float64Type>(array)?,
        D::Decimal32(..) => decimal::<Decimal32Type>(array)?,
        D::Decimal64(..) => decimal::<Decimal64Type>(array)?,
        D::Decimal128(..) => decimal::<Decimal128Type>(array)?,
        D::Decimal256(..) => decimal::<Decimal256Type>(array)?,
        D::Duration(_) => Box::new(Plain(text::of(array)?)),
        _ if data_type.is_integer() => Box::new(Plain(text::of(array)?)),
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
            Box::new(Base64(binary::bytes(array)?))
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
                    .map(|(field, column)| Some((quoted(field.name()), Values::new(field, column)?)))
                    .collect::<Option<_>>()?,
            })
        }
        D::Map(entries, _) => {
            let D::Struct(entry) = entries.data_type() else {
                return None;
            };
            let [key, value] = entry.as_ref() else {
                return None;
            };
            let array = array.as_map_opt()?.clone();
            Box::new(Maps {
                key_nulls: array.keys().logical_nulls(),
                keys: text::of_field(key, array.keys())?,
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

fn quoted(text: &str) -> String {
    // A `str` always has a JSON form.
    serde_json::to_string(text).unwrap_or_default()
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
        out.push_str(&quoted(self.0.text(row, &mut String::new())?));
        Ok(())
    }
}

struct Bool8(PrimitiveArray<arrow_array::types::Int8Type>);

impl Json for Bool8 {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push_str(if self.0.value(row) == 0 { "false" } else { "true" });
        Ok(())
    }
}

struct Base64(Box<dyn Bytes>);

impl Json for Base64 {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push('"');
        STANDARD.encode_string(self.0.bytes(row), out);
        out.push('"');
        Ok(())
    }
}

/// Numbers by their canonical text, or those that DynamoDB's numbers have no place for by another exact one.
struct Numbers<F> {
    numbers: Box<dyn ToNumber>,
    /// The exact text of a row's number, if it is one.
    exact: F,
}

impl<F: Fn(usize) -> Option<String> + Send> Json for Numbers<F> {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        match self.numbers.number(row) {
            Ok(number) => out.push_str(&number.to_string()),
            Err(error) => match (self.exact)(row) {
                Some(exact) => out.push_str(&exact),
                None => return Err(error.into()),
            },
        }
        Ok(())
    }
}

fn float<T: ArrowPrimitiveType<Native: Into<f64>>>(array: &dyn Array) -> Option<Box<dyn Json>> {
    let values = array.as_primitive_opt::<T>()?.clone();
    Some(Box::new(Numbers {
        numbers: number::numbers(array)?,
        exact: move |row| {
            // Only 64 bits hold floats beyond the range of DynamoDB's numbers.
            let float: f64 = values.value(row).into();
            float.is_finite().then(|| format!("{float:e}"))
        },
    }))
}

fn decimal<T: DecimalType>(array: &dyn Array) -> Option<Box<dyn Json>> {
    let values = array.as_primitive_opt::<T>()?.clone();
    Some(Box::new(Numbers {
        numbers: number::numbers(array)?,
        exact: move |row| Some(values.value_as_string(row)),
    }))
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
    /// The names, with their quotes.
    fields: Vec<(String, Values)>,
}

impl Json for Structs {
    fn write(&self, row: usize, out: &mut String) -> Result<(), Refusal> {
        out.push('{');
        for (at, (name, values)) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(name);
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
            if self.key_nulls.as_ref().is_some_and(|nulls| nulls.is_null(entry)) {
                return Err(Refusal::OutOfRange("a key of the map is null"));
            }
            let mut buffer = String::new();
            let key = quoted(self.keys.text(entry, &mut buffer)?);
            if at > 0 {
                out.push(',');
            }
            out.push_str(&key);
            out.push(':');
            if !seen.insert(key) {
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
