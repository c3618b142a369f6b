//! Rows on their way in, with the place that they came from.

use std::sync::Arc;

use arrow_array::RecordBatch;
use dynasink_core::SourcePosition;

/// A batch of rows and where they came from: one row group of one file.
#[derive(Clone, Debug)]
pub struct SourceBatch {
    batch: RecordBatch,
    position: Option<SourcePosition>,
    /// The rows in the row group, where they do not follow one another.
    rows: Option<Arc<[u64]>>,
}

impl SourceBatch {
    /// `batch`, whose first row is at `position` and whose others follow it.
    pub fn at(batch: RecordBatch, position: SourcePosition) -> Self {
        Self {
            batch,
            position: Some(position),
            rows: None,
        }
    }

    /// `batch`, whose rows are these of the row group that `row_group` is the start of. There is one for each row.
    pub fn of_rows(batch: RecordBatch, row_group: SourcePosition, rows: Arc<[u64]>) -> Self {
        debug_assert_eq!(batch.num_rows(), rows.len());
        Self {
            batch,
            position: Some(row_group),
            rows: Some(rows),
        }
    }

    /// The rows.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Where the first row came from, if the source said so.
    pub fn position(&self) -> Option<SourcePosition> {
        self.position_of(0)
    }

    /// Where the row at `index` of the batch came from, if the source said so.
    pub fn position_of(&self, index: usize) -> Option<SourcePosition> {
        let start = self.position.as_ref()?;
        Some(match &self.rows {
            Some(rows) => start.offset_by(rows.get(index).copied().unwrap_or_default()),
            // A row of a batch in memory has a number that fits.
            None => start.offset_by(u64::try_from(index).unwrap_or(u64::MAX)),
        })
    }
}

impl From<RecordBatch> for SourceBatch {
    /// Rows of a source without positions.
    fn from(batch: RecordBatch) -> Self {
        Self {
            batch,
            position: None,
            rows: None,
        }
    }
}
