//! Rows on their way in, with the place that they came from.

use std::ops::Range;
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

    /// Its first `rows` rows and the others. Nothing is copied.
    pub(crate) fn split_at(&self, rows: usize) -> (Self, Self) {
        let len = self.batch.num_rows();
        let rows = rows.min(len);
        (self.slice(0, rows), self.slice(rows, len - rows))
    }

    fn slice(&self, offset: usize, len: usize) -> Self {
        let (position, rows) = match &self.rows {
            Some(rows) => (
                self.position.clone(),
                rows.get(offset..offset + len).map(Into::into),
            ),
            None => (self.position_of(offset), None),
        };
        Self {
            batch: self.batch.slice(offset, len),
            position,
            rows,
        }
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

impl SourceBatch {
    /// The rows of the row group that the batch has, as ranges in the order of the batch; none if the source gave no
    /// positions.
    pub fn row_ranges(&self) -> Vec<Range<u64>> {
        let Some(start) = &self.position else {
            return Vec::new();
        };
        let Some(rows) = &self.rows else {
            let len = u64::try_from(self.batch.num_rows()).unwrap_or(u64::MAX);
            return vec![start.row()..start.row() + len];
        };
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for row in rows.iter().map(|row| start.row() + row) {
            match ranges.last_mut() {
                Some(range) if range.end == row => range.end += 1,
                _ => ranges.push(row..row + 1),
            }
        }
        ranges
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

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    use super::*;

    #[test]
    fn the_parts_of_a_batch_know_where_their_rows_came_from() {
        let numbers = Arc::new(Int64Array::from_iter_values(0..10));
        let batch = RecordBatch::try_from_iter([("n", numbers as _)]).unwrap();
        let start = SourcePosition::new("a".into(), 2, 100);
        let rows: Arc<[u64]> = (0..10).map(|row| row * 3).collect();
        let followed = SourceBatch::at(batch.clone(), start.clone());
        let picked = SourceBatch::of_rows(batch, start.clone(), rows);
        for (batch, step) in [(followed, 1), (picked, 3)] {
            let ranges = batch.row_ranges();
            assert_eq!(ranges.first().map(|range| range.start), Some(100));
            assert_eq!(ranges.len(), if step == 1 { 1 } else { 10 });
            let (first, rest) = batch.split_at(4);
            let (second, last) = rest.split_at(4);
            let mut row = 0;
            for part in [first, second, last] {
                let numbers = part.batch().column(0).as_primitive::<Int64Type>();
                for (index, number) in numbers.values().iter().enumerate() {
                    assert_eq!(*number, row);
                    let offset = u64::try_from(row).unwrap() * step;
                    assert_eq!(part.position_of(index), Some(start.offset_by(offset)));
                    row += 1;
                }
            }
            assert_eq!(row, 10);
        }
    }
}
