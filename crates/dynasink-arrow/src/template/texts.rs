//! The texts of a template, row by row.

use std::fmt::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float64Type,
};
use arrow_array::{Array, ArrayRef, Float64Array, PrimitiveArray};
use arrow_cast::cast;
use arrow_schema::DataType;

use super::bind::{BoundPlaceholder, BoundTemplate, Form, Guard};
use super::extent::Extent;
use super::strftime::Strftime;
use crate::column_values::{ColumnValues, RefusedValue, unpacked};
use crate::encode::text::{self, Text};
use crate::instant::{InstantKind, Instants};

/// The texts of a template for the rows of one batch.
pub(crate) struct TemplateTexts {
    template: BoundTemplate,
    values: Vec<Values>,
}

/// The values of one placeholder.
struct Values {
    column: ColumnValues,
    reader: Reader,
}

/// What writes a value as its form says.
enum Reader {
    Canonical(Box<dyn Text>),
    ZeroPadded(Box<dyn Text>, usize),
    Float(Float64Array, usize),
    Decimal(Box<dyn DecimalText>, usize),
    Strftime(Instants, Strftime, InstantKind),
}

impl TemplateTexts {
    /// The texts of `template` for `columns`, one for each placeholder in their order. None if one is not of the
    /// type that the template was bound to.
    pub(crate) fn new(template: &BoundTemplate, columns: Vec<ColumnValues>) -> Option<Self> {
        if template.placeholders.len() != columns.len() {
            return None;
        }
        let values = template
            .placeholders
            .iter()
            .zip(columns)
            .map(|(placeholder, column)| {
                let column = column.of_type(&placeholder.data_type)?;
                let reader = Reader::new(&placeholder.form, column.array())?;
                Some(Values { column, reader })
            })
            .collect::<Option<_>>()?;
        Some(Self {
            template: template.clone(),
            values,
        })
    }

    /// Appends the text of `row` to `out`.
    pub(crate) fn write(&self, row: usize, out: &mut String) -> Result<(), RefusedValue> {
        out.push_str(&self.template.head);
        let mut buffer = String::new();
        for (placeholder, values) in self.template.placeholders.iter().zip(&self.values) {
            buffer.clear();
            values
                .text(row, &mut buffer)
                .and_then(|text| placeholder.write(text, out))
                .map_err(|reason| RefusedValue {
                    column: placeholder.column.clone(),
                    data_type: placeholder.data_type.clone(),
                    reason,
                })?;
        }
        Ok(())
    }
}

impl fmt::Debug for TemplateTexts {
    /// Shows no values: they are users' data and do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateTexts").finish_non_exhaustive()
    }
}

impl Values {
    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, String> {
        if let Some(absence) = self.column.absence(row) {
            return Err(format!("{absence}, and a template needs all of its values"));
        }
        let text = self.reader.text(row, buffer)?;
        if text.is_empty() {
            return Err("it is empty, and a template needs all of its values".to_owned());
        }
        Ok(text)
    }
}

impl BoundPlaceholder {
    /// Appends `text`, filtered and guarded, and the literal that follows.
    fn write(&self, text: &str, out: &mut String) -> Result<(), String> {
        let start = out.len();
        match self.filters.as_slice() {
            [] => self.push(text, out),
            [first, others @ ..] => {
                let filtered = others
                    .iter()
                    .fold(first.apply(text), |text, filter| filter.apply(&text));
                self.push(&filtered, out);
            }
        }
        let len = out.len() - start;
        if let Extent::Fixed(bytes) = self.extent
            && bytes != len
        {
            return Err(format!("its text has {len} bytes and not {bytes}"));
        }
        out.push_str(&self.literal);
        let first = || out.get(start..).and_then(|text| text.find(&self.literal));
        if self.guard == Some(Guard::Refuse) && first() != Some(len) {
            return Err(format!(
                "it holds the separator {:?}, so that another row could have the same text: see separator_in_value",
                self.literal
            ));
        }
        Ok(())
    }

    fn push(&self, text: &str, out: &mut String) {
        let Some(Guard::Encode(separator)) = self.guard else {
            out.push_str(text);
            return;
        };
        for character in text.chars() {
            if character == separator || character == '%' {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    push(out, format_args!("%{byte:02X}"));
                }
            } else {
                out.push(character);
            }
        }
    }
}

impl Reader {
    fn new(form: &Form, array: &ArrayRef) -> Option<Self> {
        Some(match form {
            Form::Canonical => Self::Canonical(text::of(array)?),
            Form::ZeroPadded(width) => Self::ZeroPadded(text::of(array)?, *width),
            Form::Float(digits) => {
                let floats = cast(&unpacked(array)?, &DataType::Float64).ok()?;
                Self::Float(floats.as_primitive_opt::<Float64Type>()?.clone(), *digits)
            }
            Form::Decimal(digits) => Self::Decimal(decimals(&unpacked(array)?)?, *digits),
            Form::Strftime(format, kind) => {
                Self::Strftime(Instants::of(array)?, format.clone(), *kind)
            }
        })
    }

    fn text<'a>(&'a self, row: usize, buffer: &'a mut String) -> Result<&'a str, String> {
        match self {
            Self::Canonical(texts) => texts
                .text(row, buffer)
                .map_err(|refusal| refusal.to_string()),
            Self::ZeroPadded(texts, width) => {
                let mut digits = String::new();
                let number = texts
                    .text(row, &mut digits)
                    .map_err(|refusal| refusal.to_string())?;
                if number.starts_with('-') {
                    return Err("it is negative, and a padded number is not".to_owned());
                }
                if number.len() > *width {
                    return Err(format!("it has more than {width} digits"));
                }
                push(buffer, format_args!("{number:0>width$}"));
                Ok(buffer)
            }
            Self::Float(floats, digits) => {
                let float = floats.value(row);
                if !float.is_finite() {
                    return Err("it is not finite".to_owned());
                }
                push(buffer, format_args!("{float:.digits$}"));
                if buffer.starts_with('-') && !buffer.contains(|c| matches!(c, '1'..='9')) {
                    buffer.remove(0);
                }
                Ok(buffer)
            }
            Self::Decimal(decimals, digits) => {
                decimals.write(row, buffer);
                let behind_point = match buffer.split_once('.') {
                    Some((_, fraction)) => fraction.len(),
                    None if *digits == 0 => 0,
                    None => {
                        buffer.push('.');
                        0
                    }
                };
                buffer.extend(std::iter::repeat_n(
                    '0',
                    digits.saturating_sub(behind_point),
                ));
                Ok(buffer)
            }
            Self::Strftime(instants, format, kind) => {
                let instant = instants.get(row).map_err(|refusal| refusal.to_string())?;
                if instant.is_some_and(|instant| format.write(instant, *kind, buffer)) {
                    Ok(buffer)
                } else {
                    Err("its year is not within 0000 to 9999".to_owned())
                }
            }
        }
    }
}

/// Decimals with all digits of their scale.
trait DecimalText: Send {
    fn write(&self, row: usize, out: &mut String);
}

impl<T: DecimalType> DecimalText for PrimitiveArray<T> {
    fn write(&self, row: usize, out: &mut String) {
        out.push_str(&self.value_as_string(row));
    }
}

fn decimals(array: &ArrayRef) -> Option<Box<dyn DecimalText>> {
    fn of<T: DecimalType + ArrowPrimitiveType>(array: &ArrayRef) -> Option<Box<dyn DecimalText>> {
        Some(Box::new(array.as_primitive_opt::<T>()?.clone()))
    }
    match array.data_type() {
        DataType::Decimal32(..) => of::<Decimal32Type>(array),
        DataType::Decimal64(..) => of::<Decimal64Type>(array),
        DataType::Decimal128(..) => of::<Decimal128Type>(array),
        DataType::Decimal256(..) => of::<Decimal256Type>(array),
        _ => None,
    }
}

fn push(out: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}
