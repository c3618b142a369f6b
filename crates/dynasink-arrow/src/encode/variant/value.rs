//! What a VARIANT says, and its two forms.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynasink_core::{Decimal, Number, NumberError, ValueEncoder};

use super::super::fallback::{Fallbacks, Stored};
use super::super::float::{self, Float};
use super::super::json_text::{push_nonfinite, push_quoted};
use super::super::refusal::Refusal;
use super::super::{Step, ValueError};
use crate::mapping::spec::Nonfinite;

/// One value of a VARIANT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Decimal),
    /// The name of a float that is no number.
    Nonfinite(&'static str),
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

    pub(super) fn float(number: impl Float) -> Self {
        match number.decimal() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Nonfinite(float::name_of(number.into())),
        }
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

    /// Writes it as what it is. A number that DynamoDB has no place for becomes what `whole` says, or what `parts`
    /// says inside of it.
    pub(super) fn write(
        &self,
        value: ValueEncoder<'_>,
        whole: Fallbacks,
        parts: Fallbacks,
    ) -> Result<(), ValueError> {
        match self {
            Self::Null => Ok(value.null()?),
            Self::Bool(bool) => Ok(value.bool(*bool)?),
            Self::Number(decimal) => match Number::try_from(decimal) {
                Ok(number) => Ok(value.number(&number)?),
                Err(error) => whole.encode(error.into(), self, 0, value),
            },
            Self::Nonfinite(_) => whole.encode(NumberError::NotFinite.into(), self, 0, value),
            Self::Text(text) => Ok(value.string(text)?),
            Self::Binary(bytes) => Ok(value.binary(bytes)?),
            Self::List(elements) => {
                let mut list = value.list()?;
                for (at, element) in elements.iter().enumerate() {
                    element
                        .write(list.element(), parts, parts)
                        .map_err(|error| error.within(Step::Element(at)))?;
                }
                Ok(())
            }
            Self::Object(fields) => {
                let mut map = value.map()?;
                for (name, field) in fields {
                    let value = map.attribute(name)?;
                    field
                        .write(value, parts, parts)
                        .map_err(|error| error.within(Step::Field(name.clone().into_owned())))?;
                }
                Ok(())
            }
        }
    }

    /// Appends its JSON.
    pub(super) fn write_json(&self, nonfinite: Nonfinite, out: &mut String) -> Result<(), Refusal> {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Nonfinite(name) => push_nonfinite(out, name, nonfinite)?,
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
                    element.write_json(nonfinite, out)?;
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
                    field.write_json(nonfinite, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}

impl Stored for Value<'_> {
    fn decimal(&self, _: usize) -> Result<Decimal, Refusal> {
        match self {
            Self::Number(number) => Ok(number.clone()),
            _ => Err(NumberError::Syntax.into()),
        }
    }

    fn nonfinite(&self, _: usize) -> &'static str {
        match self {
            Self::Nonfinite(name) => name,
            _ => float::NAN,
        }
    }
}
