//! What an attribute of an item is made of: a kind of source each, told apart once per mapping, bound once per batch
//! and written once per row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use dynasink_core::{SourcePosition, ValueEncoder, ValueKind};

use super::address::Place;
use super::constant::ConstantValue;
use super::spec::SourcePart;
use crate::column_values::ColumnValues;
use crate::encode::{Column, Encoding, Step, ValueError};
use crate::template::{BoundTemplate, TemplateTexts};
use crate::ttl::{Ttl, TtlSeconds};

/// Where the values of an attribute come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A column, or a field of a struct in one.
    Value(ValueSource),
    /// Text with columns in it.
    Template(TemplateSource),
    /// Seconds since 1970 of a time.
    Ttl(TtlSource),
    /// The same value in every item.
    Constant(ConstantValue),
    /// A part of the place that the row came from.
    Position(SourcePart),
}

/// A template, and where the columns of its placeholders are.
#[derive(Clone, Debug)]
pub(crate) struct TemplateSource {
    pub(crate) template: BoundTemplate,
    pub(crate) places: Vec<Place>,
}

/// A time to live, and where its column is.
#[derive(Clone, Debug)]
pub(crate) struct TtlSource {
    pub(crate) ttl: Ttl,
    pub(crate) place: Place,
}

/// A column, or a field of a struct in one, and what its values become.
#[derive(Clone, Debug)]
pub(crate) struct ValueSource {
    pub(crate) place: Place,
    /// The names of the column and of the fields on the way to the value.
    pub(crate) way: Arc<[String]>,
    pub(crate) encoding: Encoding,
}

/// The values of an attribute in one batch.
#[derive(Debug)]
pub(crate) enum Values {
    Value(BoundValue),
    Template(TemplateTexts),
    Ttl(TtlSeconds),
    Constant(ConstantValue),
    Position(SourcePart),
}

/// Why a batch cannot be written by a mapping that its schema fits.
#[derive(Debug)]
pub(crate) enum BindError {
    /// The values are not of the type that the encoding was made for.
    Type,
    /// The batch does not say where its rows came from.
    NoPosition,
}

impl Source {
    /// The type of the attribute, where there is one.
    pub(crate) fn kind(&self) -> ValueKind {
        match self {
            Self::Value(value) => value.encoding.kind(),
            Self::Constant(constant) => constant.kind(),
            Self::Template(_) | Self::Position(SourcePart::File) => ValueKind::S,
            Self::Ttl(_) | Self::Position(SourcePart::RowGroup | SourcePart::Row) => ValueKind::N,
        }
    }

    /// Whether it is made of the column at this place of the schema.
    pub(crate) fn needs(&self, column: usize) -> bool {
        match self {
            Self::Value(value) => value.place.column == column,
            Self::Template(template) => template.places.iter().any(|place| place.column == column),
            Self::Ttl(ttl) => ttl.place.column == column,
            Self::Constant(_) | Self::Position(_) => false,
        }
    }

    /// Its values in `batch`, which has the columns of the mapping's schema.
    pub(crate) fn bind(
        &self,
        batch: &RecordBatch,
        has_positions: bool,
    ) -> Result<Values, BindError> {
        Ok(match self {
            Self::Value(value) => Values::Value(value.bind(batch).ok_or(BindError::Type)?),
            Self::Template(template) => {
                Values::Template(template.bind(batch).ok_or(BindError::Type)?)
            }
            Self::Ttl(ttl) => Values::Ttl(ttl.bind(batch).ok_or(BindError::Type)?),
            Self::Constant(constant) => Values::Constant(constant.clone()),
            Self::Position(_) if !has_positions => return Err(BindError::NoPosition),
            Self::Position(part) => Values::Position(*part),
        })
    }
}

impl Values {
    /// Writes the value of `row`, or leaves the attribute out.
    pub(crate) fn write(
        &self,
        row: usize,
        position: Option<&SourcePosition>,
        value: ValueEncoder<'_>,
    ) -> Result<(), ValueError> {
        match self {
            Self::Value(values) => values.write(row, value),
            Self::Template(texts) => {
                let mut text = String::new();
                match texts.write(row, &mut text) {
                    Ok(()) => Ok(value.string(&text)?),
                    Err(refused) => Err(refused.refuse(value)),
                }
            }
            Self::Ttl(seconds) => match seconds.get(row) {
                Ok(Some(second)) => Ok(value.integer(second)?),
                Ok(None) => Ok(()),
                Err(refused) => Err(refused.refuse(value)),
            },
            Self::Constant(constant) => Ok(constant.write(value)?),
            Self::Position(part) => match position {
                Some(position) => Ok(match part {
                    SourcePart::File => value.string(position.file()),
                    SourcePart::RowGroup => value.integer(position.row_group()),
                    SourcePart::Row => value.integer(position.row()),
                }?),
                None => Ok(()),
            },
        }
    }
}

impl ValueSource {
    fn bind(&self, batch: &RecordBatch) -> Option<BoundValue> {
        let (array, outer_nulls) = self.place.find(batch)?;
        Some(BoundValue {
            way: Arc::clone(&self.way),
            column: Column::new(&array, &self.encoding)?.null_where(outer_nulls.as_ref()),
        })
    }
}

impl TemplateSource {
    fn bind(&self, batch: &RecordBatch) -> Option<TemplateTexts> {
        let columns = self.places.iter().map(|place| place.values(batch));
        TemplateTexts::new(&self.template, columns.collect::<Option<_>>()?)
    }
}

impl TtlSource {
    fn bind(&self, batch: &RecordBatch) -> Option<TtlSeconds> {
        self.ttl.bind(self.place.values(batch)?)
    }
}

#[derive(Debug)]
pub(crate) struct BoundValue {
    way: Arc<[String]>,
    column: Column,
}

impl BoundValue {
    fn write(&self, row: usize, value: ValueEncoder<'_>) -> Result<(), ValueError> {
        self.column.encode(row, value).map_err(|error| {
            let names = self.way.iter().rev().cloned();
            names.map(Step::Field).fold(error, ValueError::within)
        })
    }
}

impl Place {
    /// The values, null also where a struct around them is.
    pub(crate) fn values(&self, batch: &RecordBatch) -> Option<ColumnValues> {
        let (array, outer_nulls) = self.find(batch)?;
        Some(ColumnValues::new(array, outer_nulls.as_ref()))
    }

    /// The values, and the rows in which a struct around them is null.
    fn find(&self, batch: &RecordBatch) -> Option<(ArrayRef, Option<NullBuffer>)> {
        let mut array = Arc::clone(batch.columns().get(self.column)?);
        let mut outer_nulls = None;
        for field in &self.fields {
            outer_nulls = NullBuffer::union(outer_nulls.as_ref(), array.logical_nulls().as_ref());
            array = Arc::clone(array.as_struct_opt()?.columns().get(*field)?);
        }
        Some((array, outer_nulls))
    }
}
