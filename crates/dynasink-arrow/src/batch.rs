//! Rows on their way in, with the place that they came from.

use arrow_array::RecordBatch;
use dynasink_core::SourcePosition;

/// A batch of rows and the position of its first one. The others follow it in the same row group.
#[derive(Clone, Debug)]
pub struct SourceBatch {
    batch: RecordBatch,
    position: Option<SourcePosition>,
}

impl SourceBatch {
    /// `batch`, whose first row is at `position`.
    pub fn at(batch: RecordBatch, position: SourcePosition) -> Self {
        Self {
            batch,
            position: Some(position),
        }
    }

    /// The rows.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Where the first row came from, if the source said so.
    pub fn position(&self) -> Option<&SourcePosition> {
        self.position.as_ref()
    }

    /// Takes the rows and the position of the first.
    pub fn into_parts(self) -> (RecordBatch, Option<SourcePosition>) {
        (self.batch, self.position)
    }
}

impl From<RecordBatch> for SourceBatch {
    /// Rows of a source without positions.
    fn from(batch: RecordBatch) -> Self {
        Self {
            batch,
            position: None,
        }
    }
}
