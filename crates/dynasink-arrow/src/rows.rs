//! The rows of a batch, one write operation each.

use arrow_array::RecordBatch;
use dynasink_core::{ItemEncoder, SourcePosition, WriteOp};

use crate::batch::SourceBatch;
use crate::encode::{Column, Step, ValueError};
use crate::mapping::Mapping;

/// The rows of one batch that have not been encoded yet.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<Column>,
    batch: SourceBatch,
    next: usize,
}

/// The batch does not have the schema of the mapping: its first column that differs.
#[derive(Debug)]
pub(crate) struct SchemaDiffers(pub(crate) String);

/// A row, as an operation or with the reason why it is none.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) position: Option<SourcePosition>,
    pub(crate) op: Result<WriteOp, ValueError>,
}

impl Rows {
    /// Builds the encoders of a batch.
    pub(crate) fn new(mapping: &Mapping, batch: SourceBatch) -> Result<Self, SchemaDiffers> {
        if let Some(column) = mapping.first_difference(batch.batch().schema_ref()) {
            return Err(SchemaDiffers(column));
        }
        Ok(Self {
            columns: encoders(mapping, batch.batch())?,
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
        let item = encoder.item_of_fields(mapping.names(), |item| {
            for (field, column) in self.columns.iter().enumerate() {
                column.encode(index, item.field(field)?).map_err(|error| {
                    let name = mapping.columns()[field].name();
                    error.within(Step::Field(name.to_owned()))
                })?;
            }
            Ok::<_, ValueError>(())
        });
        let position = self.batch.position_of(index);
        let op = item
            .and_then(|item| Ok(mapping.table().put(item)?))
            .map(|op| match &position {
                Some(position) => op.at(position.clone()),
                None => op,
            });
        Some(Row { position, op })
    }
}

fn encoders(mapping: &Mapping, batch: &RecordBatch) -> Result<Vec<Column>, SchemaDiffers> {
    mapping
        .columns()
        .iter()
        .map(|column| {
            Column::new(batch.column(column.index()), column.encoding())
                .ok_or_else(|| SchemaDiffers(column.name().to_owned()))
        })
        .collect()
}
