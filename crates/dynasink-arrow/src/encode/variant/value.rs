//! What a VARIANT says, and its two forms.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::{Decimal, Number, Result, ValueEncoder};

use super::super::json_text::push_quoted;
use super::super::text::Refusal;

/// One value of a VARIANT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Decimal),
    /// A string, and all else that has a canonical text.
    Text(Cow<'a, str>),
    Binary(&'a [u8]),
    List(Vec<Self>),
    /// By name, each of them once.
    Object(Vec<(Cow<'a, str>, Self)>),
}

const TWICE: Refusal = Refusal::OutOfRange("an object of its VARIANT has a field twice");

impl<'a> Value<'a> {
    pub(super) fn integer(number: impl Into<i128>) -> Result<Self, Refusal> {
        Self::decimal(number, 0)
    }

    /// `integer` divided by ten to the power of `scale`.
    pub(super) fn decimal(integer: impl Into<i128>, scale: u8) -> Result<Self, Refusal> {
        let integer = integer.into().to_string();
        Ok(Self::Number(Decimal::parse_scaled(
            &integer,
            i32::from(scale),
        )?))
    }

    /// An object of `fields` in any order.
    pub(super) fn object(mut fields: Vec<(Cow<'a, str>, Self)>) -> Result<Self, Refusal> {
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(TWICE);
        }
        Ok(Self::Object(fields))
    }

    /// Writes it as what it is.
    pub(super) fn write(&self, value: ValueEncoder<'_>) -> Result<()> {
        match self {
            Self::Null => value.null(),
            Self::Bool(bool) => value.bool(*bool),
            Self::Number(number) => value.try_number(Number::try_from(number)),
            Self::Text(text) => value.string(text),
            Self::Binary(bytes) => value.binary(bytes),
            Self::List(elements) => {
                let mut list = value.list()?;
                elements
                    .iter()
                    .try_for_each(|element| element.write(list.element()))
            }
            Self::Object(fields) => {
                let mut map = value.map()?;
                fields
                    .iter()
                    .try_for_each(|(name, field)| field.write(map.attribute(name)?))
            }
        }
    }

    /// Appends its JSON.
    pub(super) fn write_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => push_quoted(out, text),
            Self::Binary(bytes) => {
                out.push('"');
                STANDARD.encode_string(bytes, out);
                out.push('"');
            }
            Self::List(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.write_json(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (at, (name, field)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    push_quoted(out, name);
                    out.push(':');
                    field.write_json(out);
                }
                out.push('}');
            }
        }
    }
}
