//! Constants, as the values of DynamoDB that they are.

use std::sync::Arc;

use dynasink_core::{Error, Number, NumberError, TableSchema, ValueEncoder, ValueKind};

use super::spec::Constant;

/// A constant whose numbers have been looked at. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum ConstantValue {
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    List(Arc<[Self]>),
    Map(Arc<[(String, Self)]>),
}

impl ConstantValue {
    pub(crate) fn new(constant: &Constant) -> Result<Self, NumberError> {
        Ok(match constant {
            Constant::Bool(value) => Self::Bool(*value),
            Constant::Integer(value) => Self::Number(Number::try_from(i128::from(*value))?),
            Constant::Float(value) => Self::Number(Number::try_from(f64::from(*value))?),
            Constant::String(value) => Self::String(value.as_str().into()),
            Constant::List(values) => {
                Self::List(values.iter().map(Self::new).collect::<Result<_, _>>()?)
            }
            Constant::Map(values) => {
                let values = values
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), Self::new(value)?)));
                Self::Map(values.collect::<Result<_, _>>()?)
            }
        })
    }

    pub(crate) fn kind(&self) -> ValueKind {
        match self {
            Self::Bool(_) => ValueKind::Bool,
            Self::Number(_) => ValueKind::N,
            Self::String(_) => ValueKind::S,
            Self::List(_) => ValueKind::L,
            Self::Map(_) => ValueKind::M,
        }
    }

    pub(crate) fn write(&self, value: ValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Bool(constant) => value.bool(*constant),
            Self::Number(number) => value.number(number),
            Self::String(text) => value.string(text),
            Self::List(elements) => {
                let mut list = value.list()?;
                elements
                    .iter()
                    .try_for_each(|element| element.write(list.element()))
            }
            Self::Map(entries) => {
                let mut map = value.map()?;
                entries
                    .iter()
                    .try_for_each(|(name, value)| value.write(map.attribute(name)?))
            }
        }
    }

    /// Why DynamoDB does not take it as `attribute`, if it does not.
    pub(super) fn check(&self, table: &TableSchema, attribute: &str) -> Result<(), Error> {
        table
            .item(|item| self.write(item.attribute(attribute)?))
            .map(drop)
    }
}
