//! The rows of a batch, one write operation each.

use dynasink_core::{ItemEncoder, SourcePosition, WriteOp};

use crate::batch::SourceBatch;
use crate::encode::ValueError;
use crate::mapping::Mapping;
use crate::mapping::attribute::{BindError, Values};

/// The rows of one batch that have not been encoded yet.
#[derive(Debug)]
pub(crate) struct Rows {
    attributes: Vec<Values>,
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
    pub(crate) op: Result<WriteOp, ValueError>,
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
        let item = encoder.item_of_fields(mapping.names(), |item| {
            let attributes = self.attributes.iter().enumerate();
            for (field, attribute) in attributes {
                attribute.write(index, position.as_ref(), item.field(field)?)?;
            }
            Ok::<_, ValueError>(())
        });
        let op = item
            .and_then(|item| Ok(mapping.table().put(item)?))
            .map(|op| match &position {
                Some(position) => op.at(position.clone()),
                None => op,
            });
        Some(Row { position, op })
    }
}
