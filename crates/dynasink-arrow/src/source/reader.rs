//! The blocking part: one row group, decoded page by page, each batch handed on as soon as it is whole.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use dynasink_core::SourcePosition;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Opened;
use super::bytes::{FileBytes, WindowedBytes};
use super::constants::Constants;
use super::filter::{BoundFilter, row_numbers};
use super::footer::{Footer, caught};
use super::ipc::{IpcBatch, IpcSource};
use super::key_range::KeyBounds;
use super::metadata::FileMetadata;
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
    pub(super) error: Box<Error>,
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
    let mut rows = Rows::default();
    let read = caught(source.files[row_group.file].name(), || {
        let footer = footers.get(source, row_group.file)?;
        rows.expected = Some(footer.rows_of(row_group.number));
        let mut out = Out::of(source, &footer, keys, row_group)?;
        let end = match footer.ipc() {
            Some(ipc) => read_ipc(source, ipc, row_group, &mut out, &mut rows, emit)?,
            None => read_parquet(source, &footer, row_group, &mut out, &mut rows, emit)?,
        };
        match rows.expected {
            Some(expected) if end == Demand::More && rows.decoded != expected => {
                Err(Error::RowsDecoded {
                    file: footer.about().name().to_owned(),
                    row_group: row_group.number,
                    expected,
                    decoded: rows.decoded,
                })
            }
            _ => Ok(end),
        }
    });
    read.and_then(|read| read).map_err(|error| Broken {
        // More rows than the footer says leave it open how many there should be.
        unread_rows: rows.unread(),
        error: Box::new(error),
    })
}

/// The rows of a row group that are decoded, which is not all of them if a filter passes over pages.
#[derive(Debug, Default)]
struct Rows {
    expected: Option<u64>,
    decoded: u64,
}

impl Rows {
    fn unread(&self) -> Option<u64> {
        self.expected?.checked_sub(self.decoded)
    }
}

fn read_parquet(
    source: &Opened,
    footer: &Footer,
    row_group: &RowGroup,
    out: &mut Out<'_>,
    rows: &mut Rows,
    emit: Emit<'_>,
) -> Result<Demand> {
    let Some(metadata) = footer.parquet() else {
        return Ok(Demand::More);
    };
    let mask = footer.mask(&source.read);
    let bytes = bytes_of(footer, metadata, &mask, row_group)?;
    let failed = |error: ArrowError| {
        let file = footer.about().name();
        let known = bytes.file().take_failure();
        let known = known.or_else(|| metadata.decryption_error(file, &error));
        known.unwrap_or_else(|| Error::Read {
            file: file.to_owned(),
            row_group: row_group.number,
            offset: Some(bytes.file().last_offset()),
            source: error,
        })
    };
    let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
        bytes.clone(),
        metadata.reader().clone(),
    )
    .with_projection(mask)
    .with_row_groups(vec![row_group.number])
    .with_batch_size(row_group.portion.batch_rows);
    let mut numbers: Box<dyn Iterator<Item = u64>> = Box::new(0..);
    let constants = out.constants.row();
    let selection = out.filter.as_ref().and_then(|filter| {
        filter.row_selection(metadata.reader(), row_group.number, constants.as_ref())
    });
    if let Some(selection) = selection {
        rows.expected = u64::try_from(selection.row_count()).ok();
        numbers = Box::new(row_numbers(&selection));
        reader = reader.with_row_selection(selection);
    }
    let order = footer.order_in(&source.read);
    let start = position(footer, row_group.number);
    let reader = reader.build().map_err(|error| failed(error.into()))?;
    for batch in reader {
        let batch = batch
            .and_then(|batch| metadata.whole(batch))
            .map_err(failed)?;
        let batch = match &order {
            Some(order) => batch.project(order).map_err(failed)?,
            None => batch,
        };
        out.check(&batch, row_group.number, failed)?;
        let decoded = row_count(&batch);
        let handed_on = out.hand_on(&batch, &start, &mut numbers, failed)?;
        rows.decoded += decoded;
        if let Some(batch) = handed_on
            && emit(batch) == Demand::Enough
        {
            return Ok(Demand::Enough);
        }
    }
    Ok(Demand::More)
}

/// Record batches stand in the place of row groups, and are cut to the size of batches.
fn read_ipc(
    source: &Opened,
    ipc: &IpcSource,
    row_group: &RowGroup,
    out: &mut Out<'_>,
    rows: &mut Rows,
    emit: Emit<'_>,
) -> Result<Demand> {
    let footer = out.footer;
    let projection = footer.projection(&source.read);
    for read in ipc.read(Some(projection), source.options.memory()) {
        let IpcBatch { index, batch } = read?;
        let failed = |error: ArrowError| Error::Ipc {
            file: footer.about().name().to_owned(),
            part: format!("record batch {index}"),
            reason: error.to_string(),
        };
        let start = position(footer, index);
        let mut numbers = 0..;
        let step = row_group.portion.rows_of(&batch);
        for first in (0..batch.num_rows()).step_by(step) {
            let part = batch.slice(first, step.min(batch.num_rows() - first));
            out.check(&part, index, failed)?;
            let decoded = row_count(&part);
            let handed_on = out.hand_on(&part, &start, &mut numbers, failed)?;
            rows.decoded += decoded;
            if let Some(batch) = handed_on
                && emit(batch) == Demand::Enough
            {
                return Ok(Demand::Enough);
            }
        }
    }
    Ok(Demand::More)
}

/// What is done to the batches of a row group on their way out.
struct Out<'a> {
    source: &'a Opened,
    footer: &'a Footer,
    bounds: KeyBounds,
    constants: Constants,
    filter: Option<BoundFilter>,
}

impl<'a> Out<'a> {
    fn of(
        source: &'a Opened,
        footer: &'a Footer,
        keys: &[String],
        row_group: &RowGroup,
    ) -> Result<Self> {
        let constants = source.constants(row_group.file);
        Ok(Self {
            bounds: KeyBounds::of(footer.reader(), row_group.number, keys, &constants),
            filter: source.filter(footer)?,
            constants,
            source,
            footer,
        })
    }

    /// Checks that the keys are what the row group was scheduled by.
    fn check(
        &self,
        batch: &RecordBatch,
        row_group: usize,
        failed: impl Fn(ArrowError) -> Error,
    ) -> Result<()> {
        match self.bounds.first_outside(batch).map_err(failed)? {
            Some(column) => Err(Error::OutsideStatistics {
                file: self.footer.about().name().to_owned(),
                row_group,
                column: column.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The rows of `batch` that are kept, if there are some, with all columns that are handed on. `numbers` has the
    /// number of each row, from `start` on.
    fn hand_on(
        &mut self,
        batch: &RecordBatch,
        start: &SourcePosition,
        numbers: &mut impl Iterator<Item = u64>,
        failed: impl Fn(ArrowError) -> Error,
    ) -> Result<Option<SourceBatch>> {
        let batch = self.constants.append(batch).map_err(&failed)?;
        let Some(filter) = &self.filter else {
            let mut numbers = numbers.take(batch.num_rows());
            let first = numbers.next().unwrap_or_default();
            numbers.for_each(drop);
            return Ok(Some(SourceBatch::at(batch, start.offset_by(first))));
        };
        let kept = filter
            .keep(&batch, numbers)
            .map_err(|source| Error::FilterOverflow {
                file: self.footer.about().name().to_owned(),
                row_group: start.row_group(),
                source,
            })?;
        if kept.rows.is_empty() {
            return Ok(None);
        }
        let options = &self.source.options;
        let fields = kept.batch.schema_ref().fields().iter().enumerate();
        let handed_on: Vec<usize> = fields
            .filter(|(_, field)| options.is_handed_on(field.name()))
            .map(|(at, _)| at)
            .collect();
        let batch = kept.batch.project(&handed_on).map_err(failed)?;
        Ok(Some(SourceBatch::of_rows(batch, start.clone(), kept.rows)))
    }
}

/// The bytes of the columns that are read, in blocks.
fn bytes_of(
    footer: &Footer,
    metadata: &FileMetadata,
    mask: &ProjectionMask,
    row_group: &RowGroup,
) -> Result<WindowedBytes> {
    let file = FileBytes::open(&footer.about().located)?;
    let columns = metadata.parquet().row_group(row_group.number).columns();
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

/// The start of a row group.
fn position(footer: &Footer, row_group: usize) -> SourcePosition {
    let row_group = u32::try_from(row_group).unwrap_or(u32::MAX);
    SourcePosition::new(Arc::clone(footer.about().located.name()), row_group, 0)
}

fn row_count(batch: &RecordBatch) -> u64 {
    u64::try_from(batch.num_rows()).unwrap_or(u64::MAX)
}
