//! The rows of a batch, one write operation each.

use dynasink_core::{Error, ItemEncoder, SourcePosition, WriteOp};

use crate::batch::SourceBatch;
use crate::column_values::RefusedValue;
use crate::encode::{Step, ValueError};
use crate::mapping::Mapping;
use crate::mapping::attribute::{BindError, Values};
use crate::mapping::row::RowValues;
use crate::operation::RowOperation;

/// The rows of one batch that have not been encoded yet.
#[derive(Debug)]
pub(crate) struct Rows {
    attributes: Vec<Values>,
    row: RowValues,
    batch: SourceBatch,
    next: usize,
}

/// Why the mapping cannot be used for a batch.
#[derive(Debug)]
pub(crate) enum BatchRefused {
    /// A column that is not what the mapping was made for.
    Column(String),
    /// An attribute that is made of where a row came from, which the batch does not say.
    NoPosition(String),
}

/// A row, as an operation or with the reason why it is none.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) position: Option<SourcePosition>,
    /// None if it changes no item.
    pub(crate) op: Result<Option<WriteOp>, ValueError>,
}

impl Rows {
    /// Builds the encoders of a batch.
    pub(crate) fn new(mapping: &Mapping, batch: SourceBatch) -> Result<Self, BatchRefused> {
        let aligned = mapping.align(batch.batch()).map_err(BatchRefused::Column)?;
        let has_positions = batch.position().is_some();
        let attributes = mapping.attributes().iter().map(|attribute| {
            let name = || attribute.name().to_owned();
            let values = attribute.source().bind(&aligned, has_positions);
            values.map_err(|error| match error {
                BindError::Type => BatchRefused::Column(name()),
                BindError::NoPosition => BatchRefused::NoPosition(name()),
            })
        });
        Ok(Self {
            attributes: attributes.collect::<Result<_, _>>()?,
            row: mapping.row().bind(&aligned).map_err(BatchRefused::Column)?,
            batch,
            next: 0,
        })
    }

    /// Encodes the next row.
    pub(crate) fn next(&mut self, mapping: &Mapping, encoder: &mut ItemEncoder) -> Option<Row> {
        let index = self.next;
        if index == self.batch.batch().num_rows() {
            return None;
        }
        self.next += 1;
        let position = self.batch.position_of(index);
        let op = self.op(index, position.as_ref(), mapping, encoder);
        Some(Row { position, op })
    }

    fn op(
        &self,
        row: usize,
        position: Option<&SourcePosition>,
        mapping: &Mapping,
        encoder: &mut ItemEncoder,
    ) -> Result<Option<WriteOp>, ValueError> {
        let table = mapping.table();
        let of_row = |refused: RefusedValue| refused.refuse_row(table.name());
        let operation = self.row.operation(row).map_err(of_row)?;
        let attributes = match operation {
            RowOperation::Put => self.attributes.as_slice(),
            // What else the row holds is not asked for, and may well be null.
            RowOperation::Delete => &self.attributes[..mapping.table_keys()],
            RowOperation::Skip => return Ok(None),
        };
        let version = self.row.version(row).map_err(of_row)?;
        let item = encoder.item_of_fields(mapping.names(), |item| {
            for (field, attribute) in attributes.iter().enumerate() {
                attribute.write(row, position, item.field(field)?)?;
            }
            Ok::<_, ValueError>(())
        })?;
        let op = match operation {
            RowOperation::Delete => table.delete(&item),
            _ => table.put(item),
        };
        let mut op = op.map_err(|error| blame_column(mapping, error))?;
        if let Some(position) = position {
            op = op.at(position.clone());
        }
        if let Some(version) = version {
            op = op.with_version(version);
        }
        Ok(Some(op))
    }
}

/// A key that is missing, or is not what a key may be, is the fault of the column that it is made of.
#[cold]
fn blame_column(mapping: &Mapping, error: Error) -> ValueError {
    let attribute = error.key_attribute().and_then(|name| {
        let attributes = mapping.attributes();
        attributes.iter().find(|attribute| attribute.name() == name)
    });
    let column =
        attribute.and_then(|attribute| Some((attribute.column()?, attribute.data_type()?)));
    match column {
        Some((column, data_type)) => {
            let column = Step::Field(column.to_owned());
            ValueError::from(error).of(data_type).within(column)
        }
        None => error.into(),
    }
}
