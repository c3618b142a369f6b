//! The blocking part: one row group, decoded page by page, each batch handed on as soon as it is whole.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use dynasink_core::SourcePosition;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::Opened;
use super::bytes::{FileBytes, WindowedBytes};
use super::footer::{Footer, caught};
use super::key_range::KeyBounds;
use super::plan::{Footers, RowGroup};
use crate::batch::SourceBatch;
use crate::error::{Error, Result};

/// Whether anyone wants more batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    More,
    Enough,
}

/// Hands a batch on and tells whether to go on.
pub(super) type Emit<'a> = &'a mut dyn FnMut(SourceBatch) -> Demand;

/// A row group that could not be read to its end.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: Error,
    /// Rows of it that were not handed on, if that is known.
    pub(super) unread_rows: Option<u64>,
}

/// Reads a row group and hands each batch to `emit`, until it has enough.
pub(super) fn read(
    source: &Opened,
    footers: &Footers,
    keys: &[String],
    row_group: &RowGroup,
    emit: Emit<'_>,
) -> Result<Demand, Broken> {
    let mut handed_on = 0;
    let mut expected = None;
    let read = caught(source.files[row_group.file].name(), || {
        let footer = footers.get(source, row_group.file)?;
        let rows = footer.rows_of(row_group.row_group);
        expected = Some(rows);
        let mut counted = |batch: SourceBatch| {
            handed_on += row_count(batch.batch());
            emit(batch)
        };
        let end = read_rows(source, &footer, keys, row_group, &mut counted)?;
        if end == Demand::More && handed_on != rows {
            return Err(Error::RowsDecoded {
                file: footer.about().name().to_owned(),
                row_group: row_group.row_group,
                expected: rows,
                decoded: handed_on,
            });
        }
        Ok(end)
    });
    read.and_then(|read| read).map_err(|error| Broken {
        // More rows than the footer says leave it open how many there should be.
        unread_rows: expected.and_then(|rows| rows.checked_sub(handed_on)),
        error,
    })
}

fn read_rows(
    source: &Opened,
    footer: &Footer,
    keys: &[String],
    row_group: &RowGroup,
    emit: Emit<'_>,
) -> Result<Demand> {
    let bytes = bytes_of(footer, &footer.mask(&source.schema), row_group)?;
    let failed = |error: ArrowError| {
        bytes.file().take_failure().unwrap_or_else(|| Error::Read {
            file: footer.about().name().to_owned(),
            row_group: row_group.row_group,
            offset: Some(bytes.file().last_offset()),
            source: error,
        })
    };
    let mut constants = source.constants(row_group.file);
    let bounds = KeyBounds::of(footer.metadata(), row_group.row_group, keys, &constants);
    let order = footer.order_in(&source.schema);
    let mut rows = 0;
    for batch in reader(source, footer, row_group, bytes.clone()).map_err(failed)? {
        let batch = batch.map_err(failed)?;
        let batch = match &order {
            Some(order) => batch.project(order).map_err(failed)?,
            None => batch,
        };
        if let Some(column) = bounds.first_outside(&batch).map_err(failed)? {
            return Err(Error::OutsideStatistics {
                file: footer.about().name().to_owned(),
                row_group: row_group.row_group,
                column: column.to_owned(),
            });
        }
        let batch = constants.append(&batch).map_err(failed)?;
        let position = position(footer, row_group.row_group, rows);
        rows += row_count(&batch);
        if emit(SourceBatch::at(batch, position)) == Demand::Enough {
            return Ok(Demand::Enough);
        }
    }
    Ok(Demand::More)
}

/// The bytes of the columns that are read, in blocks.
fn bytes_of(footer: &Footer, mask: &ProjectionMask, row_group: &RowGroup) -> Result<WindowedBytes> {
    let file = FileBytes::open(&footer.about().located)?;
    let columns = footer
        .metadata()
        .metadata()
        .row_group(row_group.row_group)
        .columns();
    let read = columns
        .iter()
        .enumerate()
        .filter(|(leaf, _)| mask.leaf_included(*leaf));
    let ranges = read.map(|(_, chunk)| {
        let (start, len) = chunk.byte_range();
        start..start.saturating_add(len)
    });
    Ok(WindowedBytes::new(
        &file,
        ranges.collect(),
        row_group.portion.block_bytes,
    ))
}

fn reader(
    source: &Opened,
    footer: &Footer,
    row_group: &RowGroup,
    bytes: WindowedBytes,
) -> Result<ParquetRecordBatchReader, ArrowError> {
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, footer.metadata().clone())
            .with_projection(footer.mask(&source.schema))
            .with_row_groups(vec![row_group.row_group])
            .with_batch_size(row_group.portion.batch_rows)
            .build()?;
    Ok(reader)
}

fn position(footer: &Footer, row_group: usize, row: u64) -> SourcePosition {
    let row_group = u32::try_from(row_group).unwrap_or(u32::MAX);
    SourcePosition::new(Arc::clone(footer.about().located.name()), row_group, row)
}

fn row_count(batch: &RecordBatch) -> u64 {
    u64::try_from(batch.num_rows()).unwrap_or(u64::MAX)
}
